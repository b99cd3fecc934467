//! The bandwidth limit over all uploads of a process; it can be changed while they run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_speed_limit::Limiter;
use tokio::runtime::Handle;

use crate::{Code, Error, Result};

/// Below this a limit would send single packets.
const SMALLEST_STEP: u64 = 4 * 1024;

/// Bytes a second, as people write them: `500K`, `10M`, `1.5G` (powers of 1,000), or plain bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(pub u64);

impl std::str::FromStr for Rate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let digits = text.trim().trim_end_matches("/s").trim_end_matches(['B', 'b']);
        let (number, unit) = match digits.char_indices().last() {
            Some((at, 'k' | 'K')) => (&digits[..at], 1e3),
            Some((at, 'm' | 'M')) => (&digits[..at], 1e6),
            Some((at, 'g' | 'G')) => (&digits[..at], 1e9),
            _ => (digits, 1.0),
        };
        match number.trim().parse::<f64>() {
            Ok(number) if number * unit >= 1.0 && number.is_finite() => Ok(Self((number * unit) as u64)),
            _ => Err(Error::new(
                Code::Invalid,
                format!("\"{text}\" is not a bandwidth."),
                "Write bytes per second, for example 500K or 10M.",
            )),
        }
    }
}

/// A limit; cheap to clone, and all clones share it.
#[derive(Clone, Debug)]
pub struct Limit {
    limiter: Limiter,
    /// Lines that have something to send.
    lines: Arc<AtomicU64>,
}

/// Counts a line among those that have something to send, until it is dropped.
pub(super) struct Sharing(Arc<AtomicU64>);

impl Drop for Sharing {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Limit {
    fn default() -> Self {
        let limiter = Limiter::builder(f64::INFINITY).refill(Duration::from_millis(100)).build();
        Self { limiter, lines: Arc::default() }
    }
}

impl Limit {
    /// Sets it, in bytes a second; `None` takes it away.
    pub fn set(&self, bytes_per_second: Option<u64>) {
        self.limiter.set_speed_limit(bytes_per_second.map_or(f64::INFINITY, |bytes| bytes.max(1) as f64));
    }

    /// What it is, in bytes a second.
    #[must_use]
    pub fn get(&self) -> Option<u64> {
        let limit = self.limiter.speed_limit();
        limit.is_finite().then_some(limit as u64)
    }

    /// A line has something to send from now on: it shares the limit with the others that have.
    pub(super) fn join(&self) -> Sharing {
        self.lines.fetch_add(1, Ordering::Relaxed);
        Sharing(self.lines.clone())
    }

    /// What one of these lines may use, in bytes a second: an equal part.
    pub(super) fn share(&self) -> Option<u64> {
        Some(self.get()? / self.lines.load(Ordering::Relaxed).max(1))
    }

    /// Bytes to send at once, `most` at most: under a small limit small steps, so that the line never falls silent.
    /// S3 closes a connection on which nothing comes for some 20 s; a step takes a second at most.
    pub(super) fn step(&self, most: usize) -> usize {
        let step = |limit: u64| usize::try_from((limit / 10).max(SMALLEST_STEP.min(limit))).unwrap_or(most);
        self.get().map_or(most, |limit| step(limit).clamp(1, most))
    }

    /// Waits until so many bytes may go, on a thread that may wait.
    pub(super) fn wait(&self, bytes: usize, runtime: &Handle) {
        if self.get().is_some() {
            runtime.block_on(self.limiter.consume(bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_as_people_write_them() {
        for (text, bytes) in
            [("500K", 500_000), ("10M", 10_000_000), ("1.5g", 1_500_000_000), ("2 MB/s", 2_000_000), ("7", 7)]
        {
            assert_eq!(text.parse::<Rate>().unwrap(), Rate(bytes), "{text}");
        }
        for text in ["", "M", "-1M", "0", "ten", "infM"] {
            assert_eq!(text.parse::<Rate>().unwrap_err().code, Code::Invalid, "{text}");
        }
    }

    #[test]
    fn small_limits_make_small_steps() {
        let limit = Limit::default();
        assert_eq!((limit.get(), limit.step(262_144)), (None, 262_144));
        limit.set(Some(1_000_000));
        assert_eq!((limit.get(), limit.step(262_144)), (Some(1_000_000), 100_000));
        limit.clone().set(Some(1));
        assert_eq!(limit.step(262_144), 1);
        limit.set(Some(10_000));
        assert_eq!(limit.step(262_144), 4096);
        limit.set(Some(100));
        assert_eq!(limit.step(262_144), 100, "a second's worth");
        limit.set(None);
        assert_eq!(limit.get(), None);
    }
}
