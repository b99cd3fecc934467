//! What the catalog and MediaConvert say just now: asked once for everybody who wants to know, and told to them.

mod settle;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::settle::{ASKED_AT_ONCE, settle};
use crate::catalog::{Catalog, CatalogSync, Filling, Guid, Video, VideoSummary};
use crate::changes::Changes;
use crate::clock::now_ms;
use crate::encode::{Job, Jobs};
use crate::jobs::{JobsSeen, JobsSync};
use crate::{Code, Error, Result};

/// The age on the screen is renewed this often at least.
const TELL_AGE_EVERY_MS: i64 = 5_000;
/// The catalog is looked at this often while a screen shows it.
const SHOWN_EVERY: Duration = Duration::from_secs(5);
/// Videos in sight that are read by their keys.
const IN_SIGHT: usize = 200;
/// How often a screen is told how far a reading has come, in milliseconds.
const TELL_FILLING_EVERY_MS: i64 = 500;

/// What this room tells.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// The mirror of the catalog was compared with the table at this time (milliseconds since the epoch), or has changed.
    Catalog { read_at: i64 },
    /// How far the first reading of the table has come, where there is one, and why the last reading failed.
    Filling { filling: Option<Filling>, error: Option<Error> },
    /// The copy of the jobs was compared with MediaConvert at this time (milliseconds since the epoch), or has changed.
    Jobs { read_at: i64 },
    /// AWS could not be asked; none when it answers again.
    Unreachable { error: Option<Error> },
}

/// How often it is asked: while something is open, and while nothing is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PollIntervals {
    pub busy: Duration,
    pub idle: Duration,
}

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Videos that are read by their keys.
    pub guids: Vec<Guid>,
    /// From when on new items are looked for, in milliseconds since the epoch; none where nothing new is expected.
    pub since: Option<i64>,
}

/// What was seen at one look.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// What was looked for and answered: a video of it that is not there does not exist.
    answered: Wanted,
    /// The wanted ones that are there.
    pub videos: Vec<Video>,
    /// The newest jobs.
    pub jobs: Vec<Job>,
}

impl Seen {
    /// Whether a video was looked for: by its key where it has one, otherwise among those from this time on.
    pub fn looked_for(&self, guid: Option<&Guid>, since: i64) -> bool {
        match guid {
            Some(guid) => self.answered.guids.contains(guid),
            None => self.answered.since.is_some_and(|from| from <= since),
        }
    }
}

/// Who follows videos.
pub(crate) trait Follower: Sync {
    /// What is to be looked for next; none while it follows nothing.
    fn wanted(&self) -> Option<Wanted>;

    /// Takes in what was seen of it.
    fn see(&self, seen: &Seen) -> impl Future<Output = Result<()>> + Send;
}

/// Asks the catalog and MediaConvert; cheap to clone.
#[derive(Clone)]
pub(crate) struct Live {
    catalog: Catalog,
    sync: CatalogSync,
    jobs: Jobs,
    jobs_sync: JobsSync,
    changes: Changes<Change>,
    /// Rung when there is something new to look for.
    wake: Arc<Notify>,
    /// Whether a screen shows the videos and jobs.
    is_shown: Arc<watch::Sender<bool>>,
    /// The videos that are in sight there.
    in_sight: Arc<Mutex<Vec<Guid>>>,
}

/// What the screen was told last.
#[derive(Default)]
struct Shown {
    /// What MediaConvert told of at the last look.
    jobs: Vec<Job>,
    has_open_jobs: bool,
    /// The copy of the jobs has changed since it was told.
    has_changed_jobs: bool,
    /// None where they are to be read at once.
    jobs_read: Option<Instant>,
    told_at: i64,
}

impl Live {
    pub fn new(catalog: Catalog, sync: CatalogSync, jobs: Jobs, jobs_sync: JobsSync, changes: Changes<Change>) -> Self {
        let (wake, is_shown, in_sight) = (Arc::default(), Arc::new(watch::Sender::new(false)), Arc::default());
        Self { catalog, sync, jobs, jobs_sync, changes, wake, is_shown, in_sight }
    }

    /// Looks at once, not only when it is time to.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// A screen shows the newest videos and jobs from now on, or no longer.
    pub fn set_shown(&self, is_shown: bool) {
        if self.is_shown.send_replace(is_shown) != is_shown && is_shown {
            self.wake();
        }
    }

    /// These videos are in sight from now on: what others change of them is seen within seconds.
    pub fn set_in_sight(&self, mut guids: Vec<Guid>) {
        guids.truncate(IN_SIGHT);
        *self.in_sight.lock().unwrap_or_else(PoisonError::into_inner) = guids;
    }

    /// The videos whose sources have so many bytes, as far as the mirror knows.
    pub async fn of_source_size(&self, size: u64) -> Result<Vec<VideoSummary>> {
        self.sync.mirror().await?.of_source_size(size).await
    }

    /// Keeps the mirror of the whole table true while a screen shows it, until it is stopped.
    pub async fn keep_mirror(&self, stop: &CancellationToken) {
        let mut shown = self.is_shown.subscribe();
        let told_at = AtomicI64::new(0);
        let tell = |filling: Option<Filling>, error: Option<Error>| {
            let now = now_ms();
            if filling.is_none() || now - told_at.load(Ordering::Relaxed) >= TELL_FILLING_EVERY_MS {
                told_at.store(now, Ordering::Relaxed);
                self.changes.tell(Change::Filling { filling, error });
            }
        };
        while !stop.is_cancelled() {
            let is_shown = *shown.borrow_and_update();
            tokio::select! {
                () = self.sync.run(stop, tell), if is_shown => {}
                // Its sender is in `self`.
                _ = shown.changed() => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Asks until it is stopped; where a screen shows it, also for videos and jobs that nobody follows.
    pub async fn follow(&self, follower: &impl Follower, intervals: PollIntervals, stop: &CancellationToken) {
        let mut shown = Shown::default();
        let (mut was_active, mut was_unreachable) = (false, false);
        loop {
            let shows = *self.is_shown.borrow();
            let wanted = follower.wanted();
            let is_active = wanted.is_some();
            let is_open = is_active || was_active || shown.has_open_jobs;
            if is_active || shows {
                if is_open || shown.jobs_read.is_none_or(|read| read.elapsed() >= intervals.idle) {
                    shown.jobs_read = None;
                }
                let looked = self.look(follower, &wanted.unwrap_or_default(), shows, &mut shown).await;
                if let Err(error) = &looked {
                    tracing::warn!(code = ?error.code, details = error.details, "the state could not be read");
                }
                if looked.is_err() || std::mem::take(&mut was_unreachable) {
                    was_unreachable = looked.is_err();
                    self.changes.tell(Change::Unreachable { error: looked.err() });
                }
            }
            was_active = is_active;
            let is_open = is_open || shown.has_open_jobs;
            let pause = if is_open { intervals.busy } else { intervals.idle };
            tokio::select! {
                () = tokio::time::sleep(if shows { pause.min(SHOWN_EVERY) } else { pause }) => {}
                () = self.wake.notified() => shown.jobs_read = None,
                () = stop.cancelled() => return,
            }
        }
    }

    async fn look(&self, follower: &impl Follower, wanted: &Wanted, shows: bool, shown: &mut Shown) -> Result<()> {
        let is_due = shown.jobs_read.is_none();
        // Without the jobs the catalog still tells what is playable.
        let (are_read, unread) = match if is_due { self.jobs_sync.look().await } else { Ok(None) } {
            Ok(Some(JobsSeen { jobs, changed, has_open })) => {
                shown.has_changed_jobs |= changed > 0;
                (shown.jobs, shown.has_open_jobs, shown.jobs_read) = (jobs, has_open, Some(Instant::now()));
                (true, None)
            }
            Ok(None) => (false, None),
            Err(error) => (false, Some(error)),
        };
        let jobs = shown.jobs.clone();
        let (seen, unfound) = self.find(wanted, jobs).await;
        follower.see(&seen).await?;
        if let Some(error) = unfound {
            return Err(error);
        }
        if shows {
            self.show(&seen.jobs, are_read, shown).await?;
        }
        unread.map_or(Ok(()), Err)
    }

    /// What there is of the wanted videos, and why some could not be read: the others still are.
    async fn find(&self, wanted: &Wanted, jobs: Vec<Job>) -> (Seen, Option<Error>) {
        let (mut seen, mut unfound) = (Seen { jobs, ..Seen::default() }, None);
        if let Some(since) = wanted.since {
            match self.catalog.since(since).await {
                Ok(videos) => (seen.videos, seen.answered.since) = (videos, Some(since)),
                Err(error) => return (seen, Some(error)),
            }
        }
        for guid in &wanted.guids {
            if !seen.videos.iter().any(|video| video.guid == *guid) {
                match self.catalog.video(guid).await {
                    Ok(video) => seen.videos.push(video),
                    Err(error) if error.code == Code::NotFound => {}
                    Err(error) => {
                        let is_of_all = matches!(error.code, Code::Network | Code::SignIn | Code::Throttled);
                        unfound.get_or_insert(error);
                        if is_of_all {
                            break;
                        }
                        continue;
                    }
                }
            }
            seen.answered.guids.push(guid.clone());
        }
        (seen, unfound)
    }

    async fn show(&self, jobs: &[Job], are_read: bool, shown: &mut Shown) -> Result<()> {
        let in_sight = self.in_sight.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut videos = self.sync.look(&in_sight).await?;
        // MediaConvert is asked as often as for its newest jobs.
        settle(&mut videos, &self.jobs, jobs, if are_read { ASKED_AT_ONCE } else { 0 }).await;
        let changed = self.sync.take(&videos).await?;
        let read_at = now_ms();
        // Also when nothing changed: the screen tells how old it is.
        let told_long_ago = read_at - shown.told_at > TELL_AGE_EVERY_MS;
        if told_long_ago || changed > 0 {
            self.changes.tell(Change::Catalog { read_at });
        }
        if are_read && (told_long_ago || std::mem::take(&mut shown.has_changed_jobs)) {
            self.changes.tell(Change::Jobs { read_at });
        }
        if told_long_ago {
            shown.told_at = read_at;
        }
        Ok(())
    }
}
