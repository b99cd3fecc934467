//! The line to S3, shared by all uploads: how many parts are on their way at once, and whose turn it is.
//!
//! The number adapts: it grows while more parts bring more bytes, and falls when S3 asks to slow down or the line
//! breaks. It counts parts of the usual size: of small files as many more go as make up the same bytes, since what
//! they wait for is not the line. A turn goes to the upload with the fewest bytes on their way, so that a small file
//! never waits behind a huge one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::plan::USUAL_PART;

/// Parts on their way at once: at the start, and at most.
const FIRST: usize = 4;
pub(super) const MOST: usize = 24;
/// How long one number is tried before the next.
const WINDOW: Duration = Duration::from_millis(1500);
/// After a refusal the number does not grow for so long.
const COOL_DOWN: Duration = Duration::from_secs(10);
/// More bytes a second by this much are more; by less they are noise.
const GAIN: f64 = 1.08;

/// Finds the number of parts that the line carries best.
#[derive(Debug)]
struct Adaptive {
    limit: usize,
    /// Bytes a second of the number before, and that number.
    before: Option<(f64, usize)>,
    since: Instant,
    bytes: u64,
    /// Whether every place was taken at some time in this window: only then does it tell anything of the number.
    was_full: bool,
    quiet_until: Option<Instant>,
    /// Windows to stay at a number that more did not better.
    stay: u32,
}

impl Adaptive {
    fn new(now: Instant) -> Self {
        Self { limit: FIRST, before: None, since: now, bytes: 0, was_full: false, quiet_until: None, stay: 0 }
    }

    fn arrived(&mut self, now: Instant, bytes: u64) {
        self.bytes += bytes;
        let seconds = now.duration_since(self.since).as_secs_f64();
        if seconds < WINDOW.as_secs_f64() {
            return;
        }
        let rate = self.bytes as f64 / seconds;
        let full = self.was_full;
        (self.since, self.bytes, self.was_full) = (now, 0, false);
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
            Some((rate_before, limit_before)) if limit_before < self.limit && rate < rate_before * GAIN => {
                self.limit = limit_before;
                self.before = None;
                self.stay = 20;
            }
            _ => {
                self.before = Some((rate, self.limit));
                self.limit = (self.limit + (self.limit / 2).max(1)).min(MOST);
            }
        }
    }

    fn refused(&mut self, now: Instant) {
        // One storm is one refusal.
        if self.quiet_until.is_some_and(|until| now + COOL_DOWN < until + Duration::from_secs(1)) {
            return;
        }
        self.limit = (self.limit / 2).max(1);
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
    /// Bytes of a part as the number counts them.
    full: u64,
    adaptive: Adaptive,
    on_the_way: usize,
    /// Bytes on their way, by upload.
    bytes: HashMap<u64, u64>,
    waiting: Vec<Waiting>,
    asked: u64,
    uploads: u64,
}

/// The line; cheap to clone.
#[derive(Clone)]
pub(super) struct Line(Arc<Mutex<State>>);

impl Default for Line {
    fn default() -> Self {
        Self::counting(USUAL_PART)
    }
}

impl Line {
    /// A line that counts parts of so many bytes.
    pub fn counting(full: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            full,
            adaptive: Adaptive::new(Instant::now()),
            on_the_way: 0,
            bytes: HashMap::new(),
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
        while state.on_the_way < MOST {
            let next = (0..state.waiting.len()).min_by_key(|&index| {
                let waiting = &state.waiting[index];
                (state.bytes.get(&waiting.upload).copied().unwrap_or(0), waiting.number)
            });
            let Some(index) = next else { return };
            let bytes: u64 = state.bytes.values().sum();
            let fits = bytes + state.waiting[index].bytes <= state.adaptive.limit as u64 * state.full;
            if state.on_the_way >= state.adaptive.limit && !fits {
                break;
            }
            let waiting = state.waiting.swap_remove(index);
            if waiting.turn.is_closed() {
                continue;
            }
            state.on_the_way += 1;
            *state.bytes.entry(waiting.upload).or_default() += waiting.bytes;
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
        self.state().adaptive.limit
    }
}

impl State {
    fn leave(&mut self, upload: u64, bytes: u64) {
        self.on_the_way -= 1;
        if let Some(left) = self.bytes.get_mut(&upload) {
            *left -= bytes;
            if *left == 0 {
                self.bytes.remove(&upload);
            }
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
            let bytes = carries(adaptive.limit) * WINDOW.as_secs_f64();
            adaptive.arrived(now, bytes as u64);
        }
        now
    }

    #[test]
    fn it_grows_while_more_parts_bring_more_and_no_further() {
        let start = Instant::now();
        let mut long_line = Adaptive::new(start);
        settle(&mut long_line, start, 12, |parts| parts as f64 * 1e6);
        assert_eq!(long_line.limit, MOST);
        let mut short_line = Adaptive::new(start);
        settle(&mut short_line, start, 12, |_| 300e6);
        assert_eq!(short_line.limit, FIRST);
        let mut between = Adaptive::new(start);
        settle(&mut between, start, 12, |parts| parts.min(9) as f64 * 1e6);
        assert!((9..=13).contains(&between.limit), "{}", between.limit);
    }

    #[test]
    fn a_storm_halves_it_once_and_it_grows_again_later() {
        let start = Instant::now();
        let mut adaptive = Adaptive::new(start);
        let now = settle(&mut adaptive, start, 12, |parts| parts as f64 * 1e6);
        for _ in 0..MOST {
            adaptive.refused(now);
        }
        assert_eq!(adaptive.limit, MOST / 2);
        settle(&mut adaptive, now, 3, |parts| parts as f64 * 1e6);
        assert_eq!(adaptive.limit, MOST / 2, "not while it cools down");
        settle(&mut adaptive, now + COOL_DOWN, 8, |parts| parts as f64 * 1e6);
        assert_eq!(adaptive.limit, MOST);
        for second in 0..20 {
            adaptive.refused(now + COOL_DOWN * (second + 10));
        }
        assert_eq!(adaptive.limit, 1, "never none");
    }

    #[test]
    fn a_window_with_free_places_tells_nothing() {
        let start = Instant::now();
        let mut adaptive = Adaptive::new(start);
        adaptive.arrived(start + WINDOW, 1_000);
        adaptive.arrived(start + WINDOW * 2, 1_000_000);
        assert_eq!(adaptive.limit, FIRST);
    }

    #[tokio::test]
    async fn a_small_file_does_not_wait_behind_a_huge_one() {
        let line = Line::default();
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
        let line = Line::default();
        let mut on_the_way = Vec::new();
        for _ in 0..MOST {
            let upload = line.join();
            on_the_way.push(line.turn(upload, 1 << 20).await);
        }
        assert_eq!(line.limit(), FIRST);
        let (upload, short) = (line.join(), Duration::from_millis(10));
        assert!(tokio::time::timeout(short, line.turn(upload, 1)).await.is_err(), "but not any number");
    }

    #[tokio::test]
    async fn who_goes_away_takes_no_place() {
        let line = Line::default();
        let upload = line.join();
        let mut on_the_way = Vec::new();
        for _ in 0..line.limit() {
            on_the_way.push(line.turn(upload, USUAL_PART).await);
        }
        let asked = tokio::time::timeout(Duration::from_millis(10), line.turn(upload, USUAL_PART)).await;
        assert!(asked.is_err());
        on_the_way.clear();
        assert_eq!(line.state().on_the_way, 0);
        for _ in 0..line.limit() {
            on_the_way.push(line.turn(upload, USUAL_PART).await);
        }
    }
}
