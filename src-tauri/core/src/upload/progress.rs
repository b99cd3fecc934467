//! How far an upload is: what S3 has, and what is on its way. A byte is counted in one of them at a time, and moves from
//! the one to the other at once, so that the sum never steps back but for what was lost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts bytes as they leave; read by whoever draws the progress. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<Counts>>);

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    stored: u64,
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
        self.counts().stored += bytes;
    }

    pub(super) fn restart(&self) {
        let mut counts = self.counts();
        (counts.stored, counts.finalising) = (0, false);
    }

    /// One attempt at sending something.
    pub(super) fn flight(&self) -> Arc<Flight> {
        Arc::new(Flight { progress: self.clone(), sent: Mutex::new(0) })
    }
}

/// The bytes of one attempt. They count as on their way until they have arrived, or the attempt is dropped.
pub(super) struct Flight {
    progress: Progress,
    sent: Mutex<u64>,
}

impl Flight {
    fn sent(&self) -> MutexGuard<'_, u64> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection has taken so many more.
    pub fn add(&self, bytes: u64) {
        *self.sent() += bytes;
        self.progress.counts().in_flight += bytes;
    }

    /// S3 has them.
    pub fn arrived(&self) {
        let sent = std::mem::take(&mut *self.sent());
        let mut counts = self.progress.counts();
        counts.in_flight -= sent;
        counts.stored += sent;
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let lost = *self.sent();
        self.progress.counts().in_flight -= lost;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_moves_and_what_is_lost_goes() {
        let progress = Progress::default();
        let (one, other) = (progress.flight(), progress.flight());
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
