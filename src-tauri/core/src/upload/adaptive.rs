//! How many parts are on their way at once: as many as the line carries better than fewer. What is counted are the bytes that
//! the connections take: of a slow line a part takes minutes. More is tried, and kept where it brings more by more than the
//! noise of what was seen.

use std::time::{Duration, Instant};

/// Parts of the usual size on their way at once at the start; and parts at most.
pub(super) const FIRST: u64 = 4;
pub(super) const MOST: usize = 24;
/// How often it is looked what the line takes.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Looks that tell nothing: at the start, when TCP finds its own pace, and after a change, when the system's buffers fill.
const SETTLES_FIRST: u32 = 2;
const SETTLES: u32 = 1;
/// When nothing has moved for so long, or nobody has looked, what was seen before tells nothing of what comes.
const QUIET: Duration = Duration::from_secs(9);
/// After a refusal the number does not grow for so long.
const COOL_DOWN: Duration = Duration::from_secs(10);
/// More bytes a second by this much are worth more parts.
const GAIN: f64 = 1.08;
/// By this much they show that the line is far from full.
const GREAT_GAIN: f64 = 1.3;
/// Looks before anything is decided, and after which what is not clear by then is no gain.
const FEWEST_LOOKS: u32 = 5;
const MOST_LOOKS: u32 = 30;
/// A rate is known when its standard error is a tenth of it, or after so many looks.
const KNOWN: f64 = 0.1;
const KNOWN_AFTER: u32 = 10;
/// Looks to stay at a number that more did not better.
const STAYS: u32 = 10;

/// What was seen of one number of parts: the line takes bytes in bursts, as large as the system's buffers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Rates {
    looks: u32,
    /// Of bytes a second.
    sum: f64,
    squares: f64,
}

impl Rates {
    fn add(&mut self, rate: f64) {
        (self.looks, self.sum, self.squares) = (self.looks + 1, self.sum + rate, self.squares + rate * rate);
    }

    fn mean(self) -> f64 {
        self.sum / f64::from(self.looks)
    }

    /// The standard error of the mean, as a share of it.
    fn error(self) -> f64 {
        let (looks, mean) = (f64::from(self.looks), self.mean());
        let variance = (self.squares / looks - mean * mean).max(0.0) * looks / (looks - 1.0);
        (variance / looks).sqrt() / mean
    }

    fn is_known(self) -> bool {
        self.looks >= KNOWN_AFTER || self.looks >= FEWEST_LOOKS && self.error() < KNOWN
    }
}

/// Finds the number of parts that the line carries best.
#[derive(Debug)]
pub(super) struct Adaptive {
    /// Bytes on their way at once, at most: a number of parts times their size.
    bytes: u64,
    /// Bytes of a part as the number counts them.
    pub part: u64,
    /// What was seen of this number.
    rates: Rates,
    /// What was seen of the number before, and that number of bytes, while it is found out whether this one is better.
    before: Option<(Rates, u64)>,
    /// When it was looked last, how much had been taken then, and when that last grew.
    looked: Instant,
    seen: u64,
    moved: Instant,
    /// Looks that tell nothing yet.
    settles: u32,
    /// Whether every place was taken at some time since the last look: only then does it tell anything of the number.
    pub was_full: bool,
    quiet_until: Option<Instant>,
    /// Looks to stay at a number that more did not better.
    stay: u32,
}

impl Adaptive {
    pub fn new(now: Instant, part: u64) -> Self {
        Self {
            bytes: FIRST * part,
            part,
            rates: Rates::default(),
            before: None,
            looked: now,
            seen: 0,
            moved: now,
            settles: SETTLES_FIRST,
            was_full: false,
            quiet_until: None,
            stay: 0,
        }
    }

    /// The number of parts on their way at once, at most: 1 to [`MOST`].
    pub fn limit(&self) -> usize {
        usize::try_from(self.bytes / self.part).unwrap_or(MOST).clamp(1, MOST)
    }

    #[cfg(test)]
    pub fn grow_to(&mut self, parts: usize) {
        self.set_limit(parts);
    }

    fn set_limit(&mut self, parts: usize) {
        self.bytes = parts.clamp(1, MOST) as u64 * self.part;
    }

    /// Takes in how many bytes the connections have taken by now, in all.
    pub fn look(&mut self, now: Instant, taken: u64) {
        let since = now.duration_since(self.looked);
        if since < LOOK_EVERY {
            return;
        }
        let bytes = taken.saturating_sub(self.seen);
        (self.looked, self.seen) = (now, taken);
        if bytes > 0 {
            self.moved = now;
        }
        let was_full = std::mem::take(&mut self.was_full);
        // The line is cut, or it was idle.
        if since > QUIET || now.duration_since(self.moved) > QUIET {
            self.begin_anew();
        } else if !was_full || self.quiet_until.is_some_and(|until| now < until) {
            self.forget();
        } else if self.settles > 0 {
            self.settles -= 1;
        } else if self.stay > 0 {
            self.stay -= 1;
        } else {
            self.rates.add(bytes as f64 / since.as_secs_f64());
            self.decide();
        }
    }

    fn decide(&mut self) {
        let Some((before, bytes_before)) = self.before else {
            if self.rates.is_known() {
                self.grow(self.limit() * 2);
            }
            return;
        };
        if self.rates.looks < FEWEST_LOOKS {
            return;
        }
        let gain = self.rates.mean() / before.mean();
        let error = 2.0 * gain * self.rates.error().hypot(before.error());
        if gain - error >= GAIN {
            let limit = self.limit();
            self.grow(if gain >= GREAT_GAIN { limit * 2 } else { limit + limit.div_ceil(2) });
        } else if gain + error < GAIN || self.rates.looks >= MOST_LOOKS {
            // A number that brought nothing is taken back, and tried again much later.
            self.bytes = bytes_before;
            self.stay = STAYS;
            self.forget();
        }
    }

    fn grow(&mut self, parts: usize) {
        let (rates, bytes) = (self.rates, self.bytes);
        self.forget();
        self.set_limit(parts);
        if self.bytes > bytes {
            self.before = Some((rates, bytes));
        } else {
            self.stay = STAYS;
        }
    }

    /// Forgets what was seen.
    fn forget(&mut self) {
        (self.rates, self.before, self.settles) = (Rates::default(), None, self.settles.max(SETTLES));
    }

    /// The same, where it is not known how the number that was just tried would have done: it is taken back.
    fn begin_anew(&mut self) {
        if let Some((_, before)) = self.before {
            self.bytes = self.bytes.min(before);
        }
        self.forget();
    }

    pub fn refused(&mut self, now: Instant) {
        // One storm is one refusal.
        if self.quiet_until.is_some_and(|until| now + COOL_DOWN < until + Duration::from_secs(1)) {
            return;
        }
        self.set_limit(self.limit() / 2);
        self.forget();
        self.quiet_until = Some(now + COOL_DOWN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks so many times at a line that carries `carries(parts)` bytes a second.
    fn settle(adaptive: &mut Adaptive, mut now: Instant, looks: u32, carries: impl Fn(usize) -> f64) -> Instant {
        for _ in 0..looks {
            now += LOOK_EVERY;
            adaptive.was_full = true;
            let bytes = carries(adaptive.limit()) * LOOK_EVERY.as_secs_f64();
            adaptive.look(now, adaptive.seen + bytes as u64);
        }
        now
    }

    #[test]
    fn it_grows_while_more_parts_bring_more_and_no_further() {
        let start = Instant::now();
        let mut long_line = Adaptive::new(start, 1);
        settle(&mut long_line, start, 40, |parts| parts as f64 * 1e6);
        assert_eq!(long_line.limit(), MOST);
        let mut short_line = Adaptive::new(start, 1);
        settle(&mut short_line, start, 40, |_| 300e6);
        assert_eq!(short_line.limit(), FIRST as usize);
        let mut between = Adaptive::new(start, 1);
        settle(&mut between, start, 40, |parts| parts.min(9) as f64 * 1e6);
        assert!((9..=16).contains(&between.limit()), "{}", between.limit());
    }

    #[test]
    fn a_storm_halves_it_once_and_it_grows_again_later() {
        let start = Instant::now();
        let mut adaptive = Adaptive::new(start, 1);
        let now = settle(&mut adaptive, start, 40, |parts| parts as f64 * 1e6);
        for _ in 0..MOST {
            adaptive.refused(now);
        }
        assert_eq!(adaptive.limit(), MOST / 2);
        settle(&mut adaptive, now, 3, |parts| parts as f64 * 1e6);
        assert_eq!(adaptive.limit(), MOST / 2, "not while it cools down");
        settle(&mut adaptive, now + COOL_DOWN, 30, |parts| parts as f64 * 1e6);
        assert_eq!(adaptive.limit(), MOST);
        for second in 0..20 {
            adaptive.refused(now + COOL_DOWN * (second + 10));
        }
        assert_eq!(adaptive.limit(), 1, "never none");
    }

    #[test]
    fn a_window_with_free_places_tells_nothing() {
        let start = Instant::now();
        let mut adaptive = Adaptive::new(start, 1);
        for look in 1..20 {
            adaptive.look(start + LOOK_EVERY * look, u64::from(look.pow(3)) * 1_000_000);
        }
        assert_eq!(adaptive.limit(), FIRST as usize);
    }

    /// Looks at a line that has taken `taken(look)` more bytes each time; answers with the numbers.
    fn numbers(adaptive: &mut Adaptive, start: Instant, looks: u32, taken: impl Fn(u32) -> u64) -> Vec<usize> {
        let look = |look: u32| {
            adaptive.was_full = true;
            adaptive.look(start + LOOK_EVERY * look, adaptive.seen + taken(look));
            adaptive.limit()
        };
        (1..=looks).map(look).collect()
    }

    #[test]
    fn a_cut_tells_nothing_of_the_number() {
        let start = Instant::now();
        // It carries the same with any number, and nothing for 30 s, in the middle of all that is seen.
        for cut in 1..40 {
            let mut adaptive = Adaptive::new(start, 8 << 20);
            let carried = |look| if (cut..cut + 15).contains(&look) { 0 } else { 30 << 20 };
            let numbers = numbers(&mut adaptive, start, 80, carried);
            assert!(numbers.iter().all(|number| *number <= 2 * FIRST as usize), "cut at {cut}: {numbers:?}");
            assert!(numbers[60..].contains(&(FIRST as usize)), "cut at {cut}: {numbers:?}");
        }
    }

    #[test]
    fn bursts_of_a_slow_line_are_no_gain() {
        let start = Instant::now();
        for bytes_per_second in [20_000, 50_000, 100_000, 250_000, 500_000, 700_000, 1_000_000, 1_300_000, 2_500_000] {
            for burst in [300_000, 700_000, 1_400_000, 2_000_000] {
                let mut adaptive = Adaptive::new(start, 8 << 20);
                let by = |look: u32| u64::from(look) * LOOK_EVERY.as_secs() * bytes_per_second / burst * burst;
                let numbers = numbers(&mut adaptive, start, 600, |look| by(look) - by(look - 1));
                // It tries more from time to time, and comes back.
                let tried = numbers.iter().filter(|number| **number > 2 * FIRST as usize).count();
                assert!(tried < 60, "{bytes_per_second} in {burst}: {tried} of {numbers:?}");
            }
        }
    }

    #[test]
    fn a_line_that_loses_packets_is_filled_though_its_speed_varies() {
        let start = Instant::now();
        for seed in 0..40 {
            let mut chance = fastrand::Rng::with_seed(seed);
            let mut adaptive = Adaptive::new(start, 8 << 20);
            let mut filled_after = None;
            for look in 1..60 {
                adaptive.was_full = true;
                // A connection carries 170 kB/s, more or less, and the line 2.4 MB/s.
                let carries = (adaptive.limit() as f64 * 170e3).min(2.4e6) * (0.75 + 0.5 * chance.f64());
                adaptive.look(start + LOOK_EVERY * look, adaptive.seen + (carries * 2.0) as u64);
                filled_after = filled_after.or((adaptive.limit() >= 14).then_some(look));
            }
            assert!(filled_after.is_some_and(|look| look < 30), "seed {seed}: {filled_after:?}");
        }
    }

    #[test]
    fn what_was_before_a_rest_is_forgotten() {
        let start = Instant::now();
        let mut adaptive = Adaptive::new(start, 8 << 20);
        numbers(&mut adaptive, start, 30, |_| 30 << 20);
        // Ten minutes later a part arrives at once: that is no slower line.
        adaptive.was_full = true;
        adaptive.look(start + LOOK_EVERY * 30 + Duration::from_secs(600), adaptive.seen + (38 << 20));
        assert_eq!((adaptive.before, adaptive.rates.looks, adaptive.limit()), (None, 0, FIRST as usize));
    }

    #[test]
    fn of_large_parts_more_go_when_the_line_carries_them() {
        let start = Instant::now();
        let mut adaptive = Adaptive::new(start, 8);
        adaptive.part = 105;
        assert_eq!(adaptive.limit(), 1);
        settle(&mut adaptive, start, 40, |parts| parts as f64 * 1e6);
        assert_eq!(adaptive.limit(), MOST);
    }
}
