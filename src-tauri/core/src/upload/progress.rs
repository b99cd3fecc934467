//! How far an upload is: what S3 has, and what is on its way. A byte is counted in one of them at a time, and moves from
//! the one to the other at once, so that the sum never steps back but for what was lost.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Bytes that the connections of all uploads have taken. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter(Arc<AtomicU64>);

impl Meter {
    pub fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Counts bytes as they leave; read by whoever draws the progress. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<Counts>>);

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    stored: u64,
    /// Of those, what was there before this run.
    kept: u64,
    in_flight: u64,
    finalising: bool,
}

impl Progress {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that S3 has, and bytes on their way.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        let counts = *self.counts();
        (counts.stored, counts.in_flight)
    }

    /// Whether all bytes are there and S3 puts them together.
    #[must_use]
    pub fn is_finalising(&self) -> bool {
        self.counts().finalising
    }

    pub(super) fn finalise(&self) {
        self.counts().finalising = true;
    }

    /// S3 has so many more bytes that were sent before.
    pub(super) fn stored(&self, bytes: u64) {
        let mut counts = self.counts();
        (counts.stored, counts.kept) = (counts.stored + bytes, counts.kept + bytes);
    }

    /// Bytes that S3 had before this run: they are no speed.
    #[must_use]
    pub fn kept(&self) -> u64 {
        self.counts().kept
    }

    pub(super) fn restart(&self) {
        let mut counts = self.counts();
        (counts.stored, counts.kept, counts.finalising) = (0, 0, false);
    }

    /// One attempt at sending something over the line of this meter.
    pub(super) fn flight(&self, meter: Meter) -> Arc<Flight> {
        let pulse = Pulse { sent: 0, taken: 0, last: Instant::now(), hungers: false, line: meter.total() };
        Arc::new(Flight { progress: self.clone(), meter, pulse: Mutex::new(pulse) })
    }
}

/// The bytes of one attempt. They count as on their way until they have arrived, or the attempt is dropped.
pub(super) struct Flight {
    progress: Progress,
    meter: Meter,
    pulse: Mutex<Pulse>,
}

struct Pulse {
    /// Bytes of the file that count as on their way.
    sent: u64,
    /// All that the connection has taken.
    taken: u64,
    /// When that was.
    last: Instant,
    /// Whether the connection waits for bytes that we do not have yet.
    hungers: bool,
    /// All that the line had taken when this connection last took something.
    line: u64,
}

impl Flight {
    fn pulse(&self) -> MutexGuard<'_, Pulse> {
        self.pulse.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection has taken so many more bytes of the file.
    pub fn add(&self, bytes: u64) {
        self.pulse().sent += bytes;
        self.progress.counts().in_flight += bytes;
    }

    /// Bytes of the file that the connection has taken.
    pub fn sent(&self) -> u64 {
        self.pulse().sent
    }

    /// The connection has taken so many more bytes, of the file or around them.
    pub fn taken(&self, bytes: u64) {
        self.meter.add(bytes);
        let mut pulse = self.pulse();
        (pulse.taken, pulse.last, pulse.hungers) = (pulse.taken + bytes, Instant::now(), false);
        pulse.line = self.meter.total();
    }

    /// The connection wants more bytes than there are: the disk or the bandwidth limit holds it up.
    pub fn hungers(&self) {
        self.pulse().hungers = true;
    }

    /// For how long the connection has taken nothing, and how many bytes it has taken by then; none while it waits for
    /// us.
    pub fn quiet(&self) -> Option<(Duration, u64)> {
        let pulse = self.pulse();
        (!pulse.hungers).then(|| (pulse.last.elapsed(), pulse.taken))
    }

    /// Bytes that the line has taken since this connection last took something.
    pub fn passed_by(&self) -> u64 {
        self.meter.total().saturating_sub(self.pulse().line)
    }

    /// S3 has them.
    pub fn arrived(&self) {
        let sent = std::mem::take(&mut self.pulse().sent);
        let mut counts = self.progress.counts();
        counts.in_flight -= sent;
        counts.stored += sent;
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let lost = self.pulse().sent;
        self.progress.counts().in_flight -= lost;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_moves_and_what_is_lost_goes() {
        let progress = Progress::default();
        let (one, other) = (progress.flight(Meter::default()), progress.flight(Meter::default()));
        one.add(10);
        other.add(5);
        assert_eq!(progress.bytes(), (0, 15));
        // The body of a request goes before its answer comes: nothing steps back.
        drop(one.clone());
        assert_eq!(progress.bytes(), (0, 15));
        one.arrived();
        assert_eq!(progress.bytes(), (10, 5));
        drop((one, other));
        assert_eq!(progress.bytes(), (10, 0));
    }
}
