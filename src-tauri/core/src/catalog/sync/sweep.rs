//! Reading the table through: in segments, whose state is in the mirror, so that a kill costs a page.

use std::fs::File;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::stream::{self, TryStreamExt as _};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::state::{SEGMENTS, Segment, State};
use super::{CatalogSync, Filling, NEWEST};
use crate::catalog::VideoSummary;
use crate::catalog::scan::SegmentPage;
use crate::clock::now_ms;
use crate::files::lock_file;
use crate::{Code, Error, Result};

/// Those that are read at once while the mirror is filled.
const AT_ONCE: usize = 4;
/// Read request units a second that the readings after the first may use: about 50,000 an hour.
const UNITS_A_SECOND: f64 = 14.0;
/// The shortest time between two readings of the whole table.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(60);
/// The same, where nothing else finds what is new: how fast they are is bounded all the same.
const BETWEEN_SWEEPS_WITHOUT_INDEX: Duration = Duration::from_secs(4);
/// The wait after an error, and the longest one.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How often the whole index is read, where the table may not be read through, in milliseconds.
const INDEX_EVERY_MS: i64 = 3_600_000;
/// How long a reading in the background may take to make way for one that someone waits for.
const MAKES_WAY_WITHIN: Duration = Duration::from_secs(15);
/// Videos that are looked up, of those that a reading did not see.
const LOOKED_UP: u32 = 1_000;
/// A reading of the whole table that began so long ago is begun anew, in milliseconds.
const OLD_MS: i64 = 6 * 3_600_000;

impl CatalogSync {
    /// Reads all of the table, from where a reading was broken off; `tell` hears how far the first one has come. What is in
    /// the table no longer is let go of at its end.
    ///
    /// # Errors
    /// When the table cannot be read; what was read is kept.
    pub async fn sweep(&self, stop: &CancellationToken, tell: impl Fn(Filling)) -> Result<()> {
        let is_first = self.state().await?.swept_at.is_none();
        self.read_through(stop, is_first, false, tell).await
    }

    /// The same, as fast as the table gives it: for someone who waits.
    ///
    /// # Errors
    /// As [`CatalogSync::sweep`].
    pub async fn sweep_at_once(&self, stop: &CancellationToken, tell: impl Fn(Filling)) -> Result<()> {
        self.read_through(stop, true, true, tell).await
    }

    /// `is_waited_for`: at full speed, and nothing that was read long ago counts.
    async fn read_through(
        &self,
        stop: &CancellationToken,
        is_fast: bool,
        is_waited_for: bool,
        tell: impl Fn(Filling),
    ) -> Result<()> {
        let _urgent = is_waited_for.then(|| Urgent::begin(&self.urgent));
        let _lock = if is_waited_for { self.lock_soon().await? } else { self.lock().await? };
        self.begin(is_waited_for).await?;
        match self.read_all(stop, is_fast, is_waited_for, tell).await {
            Err(Unread::Denied(error)) => Err(self.without_scan(stop, error).await),
            Err(Unread::Failed(error)) => Err(error),
            Ok(()) => Ok(()),
        }
    }

    /// The right to read the table through: one process at a time has it.
    async fn lock(&self) -> Result<File> {
        lock_file(&self.file.with_extension("lock"), || {
            let what = "Another Reeldesk is reading the catalog.";
            Error::new(Code::InUse, what, "Wait until it has ended, or use what is known.")
        })
        .await
    }

    /// The same; the reading in the background makes way.
    async fn lock_soon(&self) -> Result<File> {
        let until = Instant::now() + MAKES_WAY_WITHIN;
        loop {
            match self.lock().await {
                Err(error) if error.code == Code::InUse && Instant::now() < until => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                lock => return lock,
            }
        }
    }

    /// Begins a reading, or goes on with one that is not old.
    async fn begin(&self, is_waited_for: bool) -> Result<()> {
        let state = self.state().await?;
        let is_begun = state.segments.iter().any(|segment| *segment != Segment::Unread);
        let is_old = state.began_at.is_none_or(|at| now_ms() - at > OLD_MS);
        let is_filled = state.swept_at.is_some();
        // The first one is long, and ends once: what changed before its end is found by the second.
        if is_begun && !(is_waited_for && (is_filled || is_old)) && !(is_filled && is_old) {
            return Ok(());
        }
        let mut states: Vec<_> = (0..SEGMENTS).map(|number| (Segment::name(number), String::new())).collect();
        states.push(("sweep".to_owned(), (state.sweep + 1).to_string()));
        states.push(("began_at".to_owned(), now_ms().to_string()));
        self.mirror().await?.put(Vec::new(), state.sweep, states).await.map(drop)
    }

    async fn read_all(
        &self,
        stop: &CancellationToken,
        is_fast: bool,
        is_consistent: bool,
        tell: impl Fn(Filling),
    ) -> Result<(), Unread> {
        let state = self.state().await?;
        let is_first = state.swept_at.is_none();
        // Where nobody may ask, nobody knows.
        let estimated = if is_first { self.catalog.estimate().await.unwrap_or(0) } else { 0 };
        let read = if is_first { self.mirror().await?.count_all().await? } else { 0 };
        let read = AtomicUsize::new(read);
        let progress = |count: usize| {
            if is_first {
                let read = read.fetch_add(count, Ordering::Relaxed) + count;
                tell(Filling { read, estimated: estimated.max(read) });
            }
        };
        let left = (0..SEGMENTS).zip(&state.segments).filter(|(_, segment)| **segment != Segment::Read);
        let how = How { is_paced: !is_fast, is_consistent, stop };
        let read = stream::iter(left.map(Ok)).try_for_each_concurrent(if is_fast { AT_ONCE } else { 1 }, {
            |(number, segment)| self.read_segment(number, segment, &state, &how, &progress)
        });
        read.await?;
        self.let_go(state.sweep).await?;
        let mut states: Vec<_> = (0..SEGMENTS).map(|number| (Segment::name(number), String::new())).collect();
        // All of it was read after this.
        states.push(("swept_at".to_owned(), state.began_at.unwrap_or_else(now_ms).to_string()));
        self.mirror().await?.put(Vec::new(), state.sweep, states).await?;
        Ok(())
    }

    async fn read_segment(
        &self,
        number: i32,
        segment: &Segment,
        state: &State,
        how: &How<'_>,
        progress: &impl Fn(usize),
    ) -> Result<(), Unread> {
        let mut after = match segment {
            Segment::Behind(guid) => Some(guid.clone()),
            _ => None,
        };
        let mut urgent = self.urgent.subscribe();
        loop {
            let page = tokio::select! {
                biased;
                () = how.stop.cancelled() => return Err(stopped().into()),
                page = self.page(number, after.as_ref(), how.is_consistent) => page,
            };
            let page = page.map_err(|error| match error.code {
                Code::AccessDenied => Unread::Denied(error),
                _ => Unread::Failed(error),
            })?;
            let now = page.next.clone().map_or(Segment::Read, Segment::Behind);
            let states = vec![(Segment::name(number), now.text())];
            let count = page.videos.len();
            self.mirror().await?.put(page.videos.iter().map(VideoSummary::from).collect(), state.sweep, states).await?;
            progress(count);
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
            if how.is_paced {
                // Without a word of what it cost it is taken for a full page.
                let units = if page.units > 0.0 { page.units } else { 128.0 };
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs_f64(units / UNITS_A_SECOND)) => {}
                    // Someone waits for a whole reading. The sender is in `self`.
                    _ = urgent.wait_for(|waiting| *waiting > 0) => return Err(stopped().into()),
                }
            }
        }
    }

    /// A page, however long the table asks for patience.
    async fn page(&self, number: i32, after: Option<&String>, is_consistent: bool) -> Result<SegmentPage> {
        let mut wait = FIRST_WAIT;
        loop {
            match self.catalog.segment_page(number, SEGMENTS, after.cloned(), is_consistent).await {
                Err(error) if error.code == Code::Throttled => {
                    tokio::time::sleep(wait.mul_f64(fastrand::f64() + 0.5)).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
                answer => return answer,
            }
        }
    }

    /// Lets go of what a reading of the whole table did not see, where the table does not have it by its key either.
    async fn let_go(&self, sweep: i64) -> Result<()> {
        loop {
            let mut unseen = self.mirror().await?.unseen(sweep, LOOKED_UP).await?;
            if unseen.is_empty() {
                return Ok(());
            }
            let there = self.catalog.by_keys(&unseen).await?;
            unseen.retain(|guid| !there.iter().any(|video| video.guid == *guid));
            self.mirror().await?.remove(unseen).await?;
            self.mirror().await?.put(there.iter().map(VideoSummary::from).collect(), sweep, Vec::new()).await?;
        }
    }

    /// Reads the source bucket's items by the index of their starts: where the table may not be read through, that is what there
    /// is.
    async fn read_index(&self, stop: &CancellationToken) -> Result<()> {
        let state = self.state().await?;
        if state.indexed_at.is_some_and(|at| now_ms() - at < INDEX_EVERY_MS) {
            return Ok(());
        }
        let mut next = None;
        loop {
            let page = tokio::select! {
                biased;
                () = stop.cancelled() => return Err(stopped()),
                page = self.catalog.page(next, NEWEST) => page?,
            };
            let videos = page.videos.iter().map(VideoSummary::from).collect();
            self.mirror().await?.put(videos, state.sweep, Vec::new()).await?;
            next = page.next;
            if next.is_none() {
                let at = |name: &str| (name.to_owned(), now_ms().to_string());
                let states = vec![at("indexed_at"), at("read_at")];
                return self.mirror().await?.put(Vec::new(), state.sweep, states).await.map(drop);
            }
        }
    }

    /// What was read where the table may not be read through, and what to do about it.
    async fn without_scan(&self, stop: &CancellationToken, denied: Error) -> Error {
        if let Err(error) = self.read_index(stop).await {
            return error;
        }
        let what = "Not all of the catalog is shown: Reeldesk may not read the table through (dynamodb:Scan). Videos of other \
                    buckets, and what failed before the first step of the pipeline, are missing.";
        let remedy = "Ask your engineer for the right: Workspace, Copy IAM policy.";
        Error::new(Code::AccessDenied, what, remedy).with_details(denied.details)
    }

    /// Reads all of the table, again and again, until it is stopped; `tell` hears how far the first reading has come, why the
    /// last one failed, or that it is done.
    pub async fn run(&self, stop: &CancellationToken, tell: impl Fn(Option<Filling>, Option<Error>)) {
        let mut wait = FIRST_WAIT;
        while !stop.is_cancelled() {
            let swept = self.sweep(stop, |filling| tell(Some(filling), None)).await;
            let pause = match swept {
                Ok(()) => {
                    tell(None, None);
                    wait = FIRST_WAIT;
                    if self.catalog.has_index() { BETWEEN_SWEEPS } else { BETWEEN_SWEEPS_WITHOUT_INDEX }
                }
                Err(error) => {
                    tracing::info!(code = ?error.code, details = error.details, "the table could not be read through");
                    tell(None, (error.code != Code::Canceled).then_some(error));
                    wait = (wait * 2).min(LONGEST_WAIT);
                    wait
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return,
            }
        }
    }
}

/// How segments are read.
struct How<'a> {
    is_paced: bool,
    is_consistent: bool,
    stop: &'a CancellationToken,
}

/// Someone waits for a whole reading, until this is dropped.
struct Urgent<'a>(&'a watch::Sender<usize>);

impl<'a> Urgent<'a> {
    fn begin(waiting: &'a watch::Sender<usize>) -> Self {
        waiting.send_modify(|waiting| *waiting += 1);
        Self(waiting)
    }
}

impl Drop for Urgent<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}

/// Why the table was not read through.
enum Unread {
    /// It may not be.
    Denied(Error),
    Failed(Error),
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

fn stopped() -> Error {
    Error::new(Code::Canceled, "The catalog was not read to its end.", "It goes on by itself.")
}
