//! Speed and time left, smoothed: exponentially weighted over about 30 s, told after 5 s and 1 %, a new time left
//! every 2 s at most, rounded.

use std::time::{Duration, Instant};

const WINDOW: f64 = 30.0;
const FIRST_TOLD: Duration = Duration::from_secs(5);
const TOLD_EVERY: Duration = Duration::from_secs(2);

/// The estimate of one file's sending.
pub(super) struct Estimate {
    began: Instant,
    last: Instant,
    bytes: u64,
    /// Bytes a second.
    rate: Option<f64>,
    told: Option<(Instant, u32)>,
}

impl Estimate {
    pub fn start(now: Instant, bytes: u64) -> Self {
        Self { began: now, last: now, bytes, rate: None, told: None }
    }

    /// Takes in how far it is; answers the speed and the seconds left, where they can be told.
    pub fn update(&mut self, now: Instant, bytes: u64, size: u64) -> (Option<f64>, Option<u32>) {
        let seconds = now.duration_since(self.last).as_secs_f64();
        if seconds > 0.0 {
            let current = bytes.saturating_sub(self.bytes) as f64 / seconds;
            let weight = 1.0 - (-seconds / WINDOW).exp();
            // The first seconds are a plain mean, so that the start does not weigh on them.
            let elapsed = now.duration_since(self.began).as_secs_f64();
            let weight = weight.max(seconds / elapsed.max(seconds));
            self.rate = Some(self.rate.map_or(current, |rate| rate + (current - rate) * weight));
            (self.last, self.bytes) = (now, bytes);
        }
        let early = now.duration_since(self.began) < FIRST_TOLD || bytes * 100 < size;
        let Some(rate) = self.rate.filter(|rate| *rate >= 1.0 && !early) else {
            return (self.rate.filter(|rate| *rate >= 1.0), None);
        };
        if self.told.is_none_or(|(at, _)| now.duration_since(at) >= TOLD_EVERY) {
            let left = size.saturating_sub(bytes) as f64 / rate;
            self.told = Some((now, rounded(left)));
        }
        (Some(rate), self.told.map(|(_, left)| left))
    }
}

/// To 1 s below 10 s, 5 s below 1 min, 10 s below 5 min, whole minutes above.
fn rounded(seconds: f64) -> u32 {
    let step = match seconds {
        s if s < 10.0 => 1.0,
        s if s < 60.0 => 5.0,
        s if s < 300.0 => 10.0,
        _ => 60.0,
    };
    ((seconds / step).ceil() * step).min(f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silent_at_first_then_steady() {
        let start = Instant::now();
        let mut estimate = Estimate::start(start, 0);
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        assert_eq!(estimate.update(at(1), 10_000_000, 1_000_000_000).1, None);
        for second in 2..=10 {
            estimate.update(at(second), second * 10_000_000, 1_000_000_000);
        }
        let (speed, left) = estimate.update(at(11), 110_000_000, 1_000_000_000);
        assert!((speed.unwrap() - 10_000_000.0).abs() < 100_000.0);
        assert_eq!(left, Some(90));
        // Not renewed before 2 s have passed.
        assert_eq!(estimate.update(at(12), 120_000_000, 1_000_000_000).1, Some(90));
    }

    #[test]
    fn a_stall_is_never_infinity() {
        let start = Instant::now();
        let mut estimate = Estimate::start(start, 0);
        for second in 1..=2_000 {
            let (_, left) = estimate.update(start + Duration::from_secs(second), 1_000_000, 50_000_000);
            assert!(left.is_none_or(|left| left < u32::MAX));
        }
    }

    #[test]
    fn rounding() {
        assert_eq!([3.2, 41.0, 87.0, 400.0].map(rounded), [4, 45, 90, 420]);
    }
}
