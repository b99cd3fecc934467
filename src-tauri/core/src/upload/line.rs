//! The line to S3, shared by all uploads: how many parts are on their way at once, and whose turn it is.
//!
//! The number adapts: it grows while more parts bring more bytes, and falls when S3 asks to slow down or the line
//! breaks. It counts parts of the largest size that is under way: few large ones go at first, and of small files as
//! many as make up the same bytes, since what they wait for is not the line. Under a bandwidth limit only so many go as
//! the limit lets through in a few seconds: what is on its way is what a kill loses. A turn goes to the upload with
//! the fewest bytes on their way, so that a small file never waits behind a huge one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::limit::Limit;
use super::plan::USUAL_PART;

/// Parts of the usual size on their way at once at the start; and parts of any size at most.
const FIRST: u64 = 4;
pub(super) const MOST: usize = 24;
/// How long one number is tried before the next.
const WINDOW: Duration = Duration::from_millis(1500);
/// After a refusal the number does not grow for so long.
const COOL_DOWN: Duration = Duration::from_secs(10);
/// More bytes a second by this much are more; by less they are noise.
const GAIN: f64 = 1.08;
/// Under a bandwidth limit no more is on its way than it lets through in so many seconds.
const SECONDS_OF_LIMIT: u64 = 4;

/// Finds the number of parts that the line carries best.
#[derive(Debug)]
struct Adaptive {
    /// Bytes on their way at once, at most: a number of parts times their size.
    bytes: u64,
    /// Bytes of a part as the number counts them.
    part: u64,
    /// Bytes a second of the number before, and that number of bytes.
    before: Option<(f64, u64)>,
    since: Instant,
    arrived: u64,
    /// Whether every place was taken at some time in this window: only then does it tell anything of the number.
    was_full: bool,
    quiet_until: Option<Instant>,
    /// Windows to stay at a number that more did not better.
    stay: u32,
}

impl Adaptive {
    fn new(now: Instant, part: u64) -> Self {
        Self {
            bytes: FIRST * part,
            part,
            before: None,
            since: now,
            arrived: 0,
            was_full: false,
            quiet_until: None,
            stay: 0,
        }
    }

    /// The number of parts on their way at once, at most: 1 to [`MOST`].
    fn limit(&self) -> usize {
        usize::try_from(self.bytes / self.part).unwrap_or(MOST).clamp(1, MOST)
    }

    fn set_limit(&mut self, parts: usize) {
        self.bytes = parts.clamp(1, MOST) as u64 * self.part;
    }

    fn arrived(&mut self, now: Instant, bytes: u64) {
        self.arrived += bytes;
        let seconds = now.duration_since(self.since).as_secs_f64();
        if seconds < WINDOW.as_secs_f64() {
            return;
        }
        let rate = self.arrived as f64 / seconds;
        let full = self.was_full;
        (self.since, self.arrived, self.was_full) = (now, 0, false);
        if !full || self.quiet_until.is_some_and(|until| now < until) {
            self.before = None;
            return;
        }
        if self.stay > 0 {
            self.stay -= 1;
            return;
        }
        match self.before {
            // A number that brought nothing is taken back, and tried again much later.
            Some((rate_before, bytes_before)) if bytes_before < self.bytes && rate < rate_before * GAIN => {
                self.bytes = bytes_before;
                self.before = None;
                self.stay = 20;
            }
            _ => {
                self.before = Some((rate, self.bytes));
                let limit = self.limit();
                self.set_limit(limit + (limit / 2).max(1));
            }
        }
    }

    fn refused(&mut self, now: Instant) {
        // One storm is one refusal.
        if self.quiet_until.is_some_and(|until| now + COOL_DOWN < until + Duration::from_secs(1)) {
            return;
        }
        self.set_limit(self.limit() / 2);
        self.before = None;
        self.quiet_until = Some(now + COOL_DOWN);
    }
}

/// Who waits for a turn.
struct Waiting {
    upload: u64,
    /// The order of asking.
    number: u64,
    bytes: u64,
    turn: oneshot::Sender<Turn>,
}

struct State {
    /// Bytes of a part of the usual size.
    usual: u64,
    limit: Limit,
    adaptive: Adaptive,
    /// Bytes of each part on its way, by upload.
    on_the_way: HashMap<u64, Vec<u64>>,
    waiting: Vec<Waiting>,
    asked: u64,
    uploads: u64,
}

/// The line; cheap to clone.
#[derive(Clone)]
pub(super) struct Line(Arc<Mutex<State>>);

impl Line {
    /// A line under this bandwidth limit.
    pub fn under(limit: Limit) -> Self {
        Self::counting(USUAL_PART, limit)
    }

    /// A line whose usual parts have so many bytes.
    pub fn counting(usual: u64, limit: Limit) -> Self {
        Self(Arc::new(Mutex::new(State {
            usual,
            limit,
            adaptive: Adaptive::new(Instant::now(), usual),
            on_the_way: HashMap::new(),
            waiting: Vec::new(),
            asked: 0,
            uploads: 0,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number for an upload, to ask for its turns with.
    pub fn join(&self) -> u64 {
        let mut state = self.state();
        state.uploads += 1;
        state.uploads
    }

    /// Waits for a turn to send so many bytes of an upload.
    pub async fn turn(&self, upload: u64, bytes: u64) -> Turn {
        let receiver = {
            let mut state = self.state();
            let (turn, receiver) = oneshot::channel();
            state.asked += 1;
            let number = state.asked;
            state.waiting.push(Waiting { upload, number, bytes, turn });
            self.give(&mut state);
            receiver
        };
        // The sender lives in the list until it gives the turn.
        match receiver.await {
            Ok(turn) => turn,
            Err(_) => std::future::pending().await,
        }
    }

    /// Gives the free places.
    fn give(&self, state: &mut State) {
        state.adaptive.part = state.largest();
        while state.parts() < MOST {
            let next = (0..state.waiting.len()).min_by_key(|&index| {
                let waiting = &state.waiting[index];
                (state.bytes_of(waiting.upload), waiting.number)
            });
            let Some(index) = next else { return };
            if state.parts() > 0 && state.bytes() + state.waiting[index].bytes > state.most_bytes() {
                break;
            }
            let waiting = state.waiting.swap_remove(index);
            if waiting.turn.is_closed() {
                continue;
            }
            state.on_the_way.entry(waiting.upload).or_default().push(waiting.bytes);
            let turn = Turn { line: self.clone(), upload: waiting.upload, bytes: waiting.bytes, given: true };
            if let Err(mut unused) = waiting.turn.send(turn) {
                // Whoever asked went away just now; the place is free again, without a second lock.
                unused.given = false;
                state.leave(unused.upload, unused.bytes);
            }
        }
        state.adaptive.was_full = true;
    }

    /// Parts on their way at once, at most, just now.
    #[cfg(test)]
    fn limit(&self) -> usize {
        self.state().adaptive.limit()
    }
}

impl State {
    fn parts(&self) -> usize {
        self.on_the_way.values().map(Vec::len).sum()
    }

    fn bytes(&self) -> u64 {
        self.on_the_way.values().flatten().sum()
    }

    fn bytes_of(&self, upload: u64) -> u64 {
        self.on_the_way.get(&upload).into_iter().flatten().sum()
    }

    /// Bytes of the largest part that is on its way or waits, and of a usual one at least.
    fn largest(&self) -> u64 {
        let waiting = self.waiting.iter().map(|waiting| waiting.bytes);
        self.on_the_way.values().flatten().copied().chain(waiting).max().unwrap_or(0).max(self.usual)
    }

    /// Bytes that may be on their way at once; one part may in any case.
    fn most_bytes(&self) -> u64 {
        let found = self.adaptive.limit() as u64 * self.adaptive.part;
        self.limit.get().map_or(found, |limit| found.min(limit.saturating_mul(SECONDS_OF_LIMIT)))
    }

    fn leave(&mut self, upload: u64, bytes: u64) {
        let Some(parts) = self.on_the_way.get_mut(&upload) else { return };
        if let Some(index) = parts.iter().position(|part| *part == bytes) {
            parts.swap_remove(index);
        }
        if parts.is_empty() {
            self.on_the_way.remove(&upload);
        }
    }
}

/// The right to send one part; dropping it ends the turn.
pub(super) struct Turn {
    line: Line,
    upload: u64,
    bytes: u64,
    given: bool,
}

impl Turn {
    /// The part arrived.
    pub fn arrived(self) {
        self.line.state().adaptive.arrived(Instant::now(), self.bytes);
    }

    /// S3 asked to slow down, or the line broke.
    pub fn refused(self) {
        self.line.state().adaptive.refused(Instant::now());
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.given {
            let mut state = self.line.state();
            state.leave(self.upload, self.bytes);
            self.line.give(&mut state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs windows on a line that carries `carries(parts)` bytes a second.
    fn settle(adaptive: &mut Adaptive, mut now: Instant, windows: u32, carries: impl Fn(usize) -> f64) -> Instant {
        for _ in 0..windows {
            now += WINDOW;
            adaptive.was_full = true;
            let bytes = carries(adaptive.limit()) * WINDOW.as_secs_f64();
            adaptive.arrived(now, bytes as u64);
        }
        now
    }

    #[test]
    fn it_grows_while_more_parts_bring_more_and_no_further() {
        let start = Instant::now();
        let mut long_line = Adaptive::new(start, 1);
        settle(&mut long_line, start, 12, |parts| parts as f64 * 1e6);
        assert_eq!(long_line.limit(), MOST);
        let mut short_line = Adaptive::new(start, 1);
        settle(&mut short_line, start, 12, |_| 300e6);
        assert_eq!(short_line.limit(), FIRST as usize);
        let mut between = Adaptive::new(start, 1);
        settle(&mut between, start, 12, |parts| parts.min(9) as f64 * 1e6);
        assert!((9..=13).contains(&between.limit()), "{}", between.limit());
    }

    #[test]
    fn a_storm_halves_it_once_and_it_grows_again_later() {
        let start = Instant::now();
        let mut adaptive = Adaptive::new(start, 1);
        let now = settle(&mut adaptive, start, 12, |parts| parts as f64 * 1e6);
        for _ in 0..MOST {
            adaptive.refused(now);
        }
        assert_eq!(adaptive.limit(), MOST / 2);
        settle(&mut adaptive, now, 3, |parts| parts as f64 * 1e6);
        assert_eq!(adaptive.limit(), MOST / 2, "not while it cools down");
        settle(&mut adaptive, now + COOL_DOWN, 8, |parts| parts as f64 * 1e6);
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
        adaptive.arrived(start + WINDOW, 1_000);
        adaptive.arrived(start + WINDOW * 2, 1_000_000);
        assert_eq!(adaptive.limit(), FIRST as usize);
    }

    #[tokio::test]
    async fn a_small_file_does_not_wait_behind_a_huge_one() {
        let line = Line::under(Limit::default());
        let (huge, small) = (line.join(), line.join());
        let mut on_the_way = Vec::new();
        for _ in 0..FIRST {
            on_the_way.push(line.turn(huge, 8 << 20).await);
        }
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        for (name, upload, bytes) in [("huge", huge, 8 << 20), ("huge", huge, 8 << 20), ("small", small, 1000)] {
            let (line, tell) = (line.clone(), tell.clone());
            tokio::spawn(async move {
                let turn = line.turn(upload, bytes).await;
                tell.send((name, turn)).unwrap();
            });
        }
        while line.state().waiting.len() < 3 {
            tokio::task::yield_now().await;
        }
        drop(on_the_way.pop());
        assert_eq!(told.recv().await.unwrap().0, "small");
    }

    #[tokio::test]
    async fn of_small_files_more_go_at_once() {
        let line = Line::under(Limit::default());
        let mut on_the_way = Vec::new();
        for _ in 0..MOST {
            let upload = line.join();
            on_the_way.push(line.turn(upload, 1 << 20).await);
        }
        assert_eq!(line.limit(), FIRST as usize);
        let (upload, short) = (line.join(), Duration::from_millis(10));
        assert!(tokio::time::timeout(short, line.turn(upload, 1)).await.is_err(), "but not any number");
    }

    #[tokio::test]
    async fn who_goes_away_takes_no_place() {
        let line = Line::under(Limit::default());
        let upload = line.join();
        let mut on_the_way = Vec::new();
        for _ in 0..line.limit() {
            on_the_way.push(line.turn(upload, USUAL_PART).await);
        }
        let asked = tokio::time::timeout(Duration::from_millis(10), line.turn(upload, USUAL_PART)).await;
        assert!(asked.is_err());
        on_the_way.clear();
        assert_eq!(line.state().parts(), 0);
        for _ in 0..line.limit() {
            on_the_way.push(line.turn(upload, USUAL_PART).await);
        }
    }

    /// How many parts of this size go at once.
    async fn at_once(line: &Line, bytes: u64) -> usize {
        let (upload, mut turns) = (line.join(), Vec::new());
        while let Ok(turn) = tokio::time::timeout(Duration::from_millis(10), line.turn(upload, bytes)).await {
            turns.push(turn);
        }
        turns.len()
    }

    #[tokio::test]
    async fn of_large_parts_fewer_go_at_first() {
        for (mib, expected) in [(8, 4), (16, 2), (20, 1), (105, 1), (5 * 1024, 1)] {
            let line = Line::under(Limit::default());
            assert_eq!(at_once(&line, mib << 20).await, expected, "{mib} MiB");
        }
        // And more when the line carries them.
        let start = Instant::now();
        let mut adaptive = Adaptive::new(start, 8);
        adaptive.part = 105;
        assert_eq!(adaptive.limit(), 1);
        settle(&mut adaptive, start, 12, |parts| parts as f64 * 1e6);
        assert_eq!(adaptive.limit(), MOST);
    }

    #[tokio::test]
    async fn under_a_limit_few_are_on_their_way() {
        let limit = Limit::default();
        for (bytes_per_second, expected) in [(100_000, 1), (5_000_000, 2), (6_000_000, 2), (8_388_608, 4), (1 << 30, 4)]
        {
            limit.set(Some(bytes_per_second));
            let line = Line::under(limit.clone());
            assert_eq!(at_once(&line, USUAL_PART).await, expected, "{bytes_per_second}");
        }
        // Of small files as many as make up the same bytes.
        limit.set(Some(1_000_000));
        assert_eq!(at_once(&Line::under(limit), 500_000).await, 8);
    }
}
