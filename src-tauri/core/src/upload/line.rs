//! The line to S3, shared by all uploads of a workspace: how many parts are on their way at once, and whose turn it is.
//!
//! The number adapts to what the line takes ([`super::adaptive`]), and falls when S3 asks to slow down or the line breaks. It
//! counts parts of the largest size that is under way: few large ones go at first, and of small files as many as make up
//! the same bytes, since what they wait for is the server, not the line. Under a bandwidth limit only so many go as the limit lets
//! through in a few seconds: what is on its way is what a kill loses. Lines of several workspaces share the limit. A turn goes to the upload with the fewest bytes on
//! their way, so that a small file never waits behind a huge one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use super::adaptive::{Adaptive, FIRST, LOOK_EVERY, MOST};
use super::limit::{Limit, Sharing};
use super::plan::USUAL_PART;
use super::progress::Meter;

/// Requests on their way at once, of any size. Of 10,000 files of 64 KiB, Garage takes 1.4 times as many a second when 128
/// of them wait for it as when 24 do.
pub(super) const MOST_REQUESTS: usize = 128;
/// Under a bandwidth limit no more is on its way than it lets through in so many seconds.
const SECONDS_OF_LIMIT: u64 = 4;

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
    /// While anything is on its way or waits.
    sharing: Option<Sharing>,
    adaptive: Adaptive,
    meter: Meter,
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
            sharing: None,
            adaptive: Adaptive::new(Instant::now(), usual),
            meter: Meter::default(),
            on_the_way: HashMap::new(),
            waiting: Vec::new(),
            asked: 0,
            uploads: 0,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What counts the bytes of all that goes.
    pub fn meter(&self) -> Meter {
        self.state().meter.clone()
    }

    /// A number for an upload, to ask for its turns with.
    pub fn join(&self) -> u64 {
        let mut state = self.state();
        state.uploads += 1;
        state.uploads
    }

    /// Waits for a turn to send so many bytes of an upload.
    pub async fn turn(&self, upload: u64, bytes: u64) -> Turn {
        let mut receiver = {
            let mut state = self.state();
            let (turn, receiver) = oneshot::channel();
            state.asked += 1;
            let number = state.asked;
            state.waiting.push(Waiting { upload, number, bytes, turn });
            state.share();
            self.give(&mut state);
            receiver
        };
        loop {
            match tokio::time::timeout(LOOK_EVERY, &mut receiver).await {
                Ok(Ok(turn)) => return turn,
                // The sender lives in the list until it gives the turn.
                Ok(Err(_)) => std::future::pending().await,
                // A part may take longer than it takes to see that more of them would bring more.
                Err(_) => self.look(),
            }
        }
    }

    fn look(&self) {
        let mut state = self.state();
        let taken = state.meter.total();
        state.adaptive.look(Instant::now(), taken);
        self.give(&mut state);
    }

    /// Gives the free places.
    fn give(&self, state: &mut State) {
        state.adaptive.part = state.largest();
        loop {
            let next = (0..state.waiting.len()).min_by_key(|&index| {
                let waiting = &state.waiting[index];
                (state.bytes_of(waiting.upload), waiting.number)
            });
            let Some(index) = next else { return };
            if !state.has_room(state.waiting[index].bytes) {
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

    /// Parts that wait for their turn.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.state().waiting.len()
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

    /// Bytes that a request weighs at least: of the smallest files [`MOST_REQUESTS`] go at the start.
    fn least(&self) -> u64 {
        FIRST * self.usual / MOST_REQUESTS as u64
    }

    /// Bytes of the largest part that is on its way or waits, and of a usual one at least.
    fn largest(&self) -> u64 {
        let waiting = self.waiting.iter().map(|waiting| waiting.bytes);
        self.on_the_way.values().flatten().copied().chain(waiting).max().unwrap_or(0).max(self.usual)
    }

    /// Whether another request of so many bytes may go; one may in any case.
    fn has_room(&self, bytes: u64) -> bool {
        let on_the_way = || self.on_the_way.values().flatten().copied();
        let (least, parts) = (self.least(), self.parts());
        let weights = on_the_way().chain([bytes]).map(|bytes| bytes.max(least)).sum::<u64>();
        let is_large = |bytes: u64| bytes > least;
        let is_within_limit = |limit: u64| self.bytes() + bytes <= limit.saturating_mul(SECONDS_OF_LIMIT);
        parts == 0
            || parts < MOST_REQUESTS
                && (!is_large(bytes) || on_the_way().filter(|&bytes| is_large(bytes)).count() < MOST)
                && weights <= self.adaptive.limit() as u64 * self.adaptive.part
                && self.limit.share().is_none_or(is_within_limit)
    }

    /// Counts among the lines that share the limit, as long as there is something to send.
    fn share(&mut self) {
        let is_idle = self.waiting.is_empty() && self.on_the_way.is_empty();
        match (is_idle, &self.sharing) {
            (true, _) => self.sharing = None,
            (false, None) => self.sharing = Some(self.limit.join()),
            (false, Some(_)) => {}
        }
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
        self.line.look();
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
            state.share();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::adaptive::FIRST;
    use super::*;

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
        for (bytes, expected) in [(1 << 20, MOST), (64 << 10, MOST_REQUESTS), (1, MOST_REQUESTS)] {
            let line = Line::under(Limit::default());
            assert_eq!(at_once(&line, bytes).await, expected, "{bytes}");
            assert_eq!(line.limit(), FIRST as usize);
        }
        // Of parts never more than is tried for them.
        let line = Line::under(Limit::default());
        line.state().adaptive.grow_to(MOST);
        assert_eq!(at_once(&line, 5 << 20).await, MOST);
        let line = Line::under(Limit::default());
        let upload = line.join();
        line.turn(upload, 1).await.refused();
        assert_eq!(at_once(&line, 1).await, MOST_REQUESTS / 2, "fewer once S3 asks to slow down");
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
        assert_eq!(at_once(&Line::under(limit.clone()), 500_000).await, 8);
        // What is small is waited for by the server's time, not by the limit.
        limit.set(Some(100_000));
        assert_eq!(at_once(&Line::under(limit), 1000).await, MOST_REQUESTS);
    }

    #[tokio::test]
    async fn lines_that_send_share_the_limit() {
        let limit = Limit::default();
        limit.set(Some(1_000_000));
        let (line, other) = (Line::under(limit.clone()), Line::under(limit.clone()));
        assert_eq!(limit.share(), Some(1_000_000), "nobody sends");
        let of_other = other.turn(other.join(), 500_000).await;
        assert_eq!(at_once(&line, 500_000).await, 4, "half of it each");
        drop(of_other);
        assert_eq!(limit.share(), Some(1_000_000), "who has nothing left to send leaves it all");
        assert_eq!(at_once(&line, 500_000).await, 8);
    }
}
