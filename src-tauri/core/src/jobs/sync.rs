//! Keeping the copy true within so many calls an hour: the newest at each look, as far back as they were known; where others are
//! open, a round through the lists of those that wait and are worked on, a page at a look; then those that no list told of, one by
//! one. What MediaConvert keeps of the past is read once, a page at a look, where nothing else is due.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;

use super::JobMirror;
use crate::clock::now_ms;
use crate::connection::Connection;
use crate::encode::{Job, JobPage, Jobs, State};
use crate::store::copy_in;
use crate::workspace::Workspace;
use crate::{Code, Result};

/// Calls an hour at most, and how many may be saved up while nothing is asked.
const CALLS_AN_HOUR: f64 = 1_200.0;
/// The sandbox's MediaConvert has one caller only.
const CALLS_AN_HOUR_IN_THE_SANDBOX: f64 = 36_000.0;
const SAVED_UP: f64 = 20.0;
/// Pages of the newest that are read at a look, at most: the others are found by the next round.
const MOST_PAGES: usize = 5;
/// Those that no list told of, and are asked for by their ids, at a look.
const ASKED_AT_ONCE: u32 = 5;

/// Keeps the copy of the jobs of one workspace true; cheap to clone.
#[derive(Clone)]
pub struct JobsSync {
    jobs: Jobs,
    file: PathBuf,
    of: String,
    mirror: Arc<OnceCell<JobMirror>>,
    work: Arc<Mutex<Work>>,
}

/// What a look saw.
#[derive(Clone, Debug, Default)]
pub struct JobsSeen {
    /// What MediaConvert told of: the newest, and some of the open ones.
    pub jobs: Vec<Job>,
    /// How many of the copy are new or changed.
    pub changed: usize,
    /// Whether there are any that may still change.
    pub has_open: bool,
}

/// What is being done, from look to look.
struct Work {
    budget: Budget,
    round: Round,
    /// Whether the next look has more to ask than for the newest.
    has_more: bool,
    /// Where the past goes on; none where it is to be read from its newest.
    past: Option<String>,
}

/// Calls that may be made.
struct Budget {
    an_hour: f64,
    left: f64,
    at: Instant,
}

impl Budget {
    /// Whether so many calls may be made.
    fn has(&mut self, calls: f64) -> bool {
        let now = Instant::now();
        let more = now.duration_since(self.at).as_secs_f64() * self.an_hour / 3600.0;
        (self.left, self.at) = ((self.left + more).min(SAVED_UP), now);
        self.left >= calls
    }

    fn take(&mut self) -> bool {
        let may = self.has(1.0);
        if may {
            self.left -= 1.0;
        }
        may
    }
}

/// A round through the open ones: those that wait come first, so that one that is begun meanwhile is met among those that are worked
/// on.
#[derive(Debug)]
enum Round {
    /// None has begun.
    Rest,
    /// At a page of the list of a state.
    Listing { state: State, next: Option<String>, began_at: i64 },
    /// Those that were open before it and that it did not meet.
    Asking { began_at: i64 },
}

impl JobsSync {
    /// Of this workspace, in this folder; its file is opened when it is first wanted.
    #[must_use]
    pub fn new(jobs: Jobs, workspace: &Workspace, folder: &Path) -> Self {
        let Connection { region, endpoint, .. } = &workspace.connection;
        let of = format!("{} {region} {}", endpoint.as_deref().unwrap_or_default(), workspace.table);
        let an_hour = if workspace.is_sandbox() { CALLS_AN_HOUR_IN_THE_SANDBOX } else { CALLS_AN_HOUR };
        let work = Work {
            budget: Budget { an_hour, left: SAVED_UP, at: Instant::now() },
            round: Round::Rest,
            has_more: false,
            past: None,
        };
        Self {
            jobs,
            file: copy_in(folder, &workspace.name),
            of,
            mirror: Arc::default(),
            work: Arc::new(Mutex::new(work)),
        }
    }

    /// What it keeps.
    ///
    /// # Errors
    /// When its file cannot be made.
    pub async fn mirror(&self) -> Result<&JobMirror> {
        self.mirror.get_or_try_init(|| JobMirror::open(&self.file, &self.of)).await
    }

    /// How often MediaConvert was asked in the last hour.
    #[must_use]
    pub fn calls_last_hour(&self) -> usize {
        self.jobs.calls_last_hour()
    }

    /// Looks once; none where MediaConvert was asked too often within the last hour.
    ///
    /// # Errors
    /// When MediaConvert cannot be asked.
    pub async fn look(&self) -> Result<Option<JobsSeen>> {
        let mut work = self.work.lock().await;
        // Looks that take each call as it comes would leave none for the rest.
        let wanted = if work.has_more { 2.0 } else { 1.0 };
        if !work.budget.has(wanted) || !work.budget.take() {
            return Ok(None);
        }
        let mirror = self.mirror().await?;
        let began_at = now_ms();
        let (mut jobs, next) = self.newest(&mut work).await?;
        let mut changed = mirror.put(jobs.clone(), began_at).await?;
        let others = mirror.unseen_since(began_at, 1).await?;
        if !others.is_empty() || !matches!(work.round, Round::Rest) {
            let (others, of_others) = self.go_round(&mut work, began_at).await?;
            jobs.extend(others);
            changed += of_others;
        } else if !mirror.is_whole().await? && work.budget.take() {
            let page = self.jobs.page(None, work.past.take().or(next)).await?;
            work.past = page.next;
            changed += mirror.put(page.jobs, now_ms()).await?;
            if work.past.is_none() {
                mirror.set_whole().await?;
            }
        }
        work.has_more = !matches!(work.round, Round::Rest)
            || !mirror.is_whole().await?
            || !mirror.unseen_since(began_at, 1).await?.is_empty();
        let has_open = !mirror.unseen_since(i64::MAX, 1).await?.is_empty();
        Ok(Some(JobsSeen { jobs, changed, has_open }))
    }

    /// Reads all that MediaConvert keeps, whatever it costs.
    ///
    /// # Errors
    /// When MediaConvert cannot be asked.
    pub async fn read_all(&self, tell: impl Fn(usize)) -> Result<()> {
        let (mirror, mut next, mut read) = (self.mirror().await?, None, 0);
        let began_at = now_ms();
        loop {
            let page = self.page(next).await?;
            read += page.jobs.len();
            mirror.put(page.jobs, now_ms()).await?;
            tell(read);
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        // What was open and is in no list is kept no longer, or was over its end meanwhile.
        loop {
            let unseen = mirror.unseen_since(began_at, ASKED_AT_ONCE).await?;
            if unseen.is_empty() {
                return mirror.set_whole().await;
            }
            let mut jobs = Vec::new();
            for id in unseen {
                jobs.extend(self.ask(&id).await?);
            }
            let is_stuck = jobs.is_empty();
            mirror.put(jobs, now_ms()).await?;
            if is_stuck {
                return mirror.set_whole().await;
            }
        }
    }

    /// A page, however long MediaConvert asks for patience.
    async fn page(&self, after: Option<String>) -> Result<JobPage> {
        let mut wait = Duration::from_secs(1);
        loop {
            match self.jobs.page(None, after.clone()).await {
                Err(error) if error.code == Code::Throttled && wait < Duration::from_secs(60) => {
                    tokio::time::sleep(wait.mul_f64(fastrand::f64() + 0.5)).await;
                    wait *= 2;
                }
                answer => return answer,
            }
        }
    }

    /// The newest, as far back as they were known before, and where those before them begin.
    async fn newest(&self, work: &mut Work) -> Result<(Vec<Job>, Option<String>)> {
        let (mut jobs, mut next) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let page = self.jobs.page(None, next).await?;
            let ids: Vec<_> = page.jobs.iter().map(|job| job.id.clone()).collect();
            let is_met = !self.mirror().await?.known(ids).await?.is_empty();
            jobs.extend(page.jobs);
            next = page.next;
            if is_met || next.is_none() || !self.mirror().await?.is_whole().await? || !work.budget.take() {
                break;
            }
        }
        Ok((jobs, next))
    }

    /// Goes on with the round, where there are calls left; answers what MediaConvert told of, and how many of it are new or changed.
    async fn go_round(&self, work: &mut Work, now: i64) -> Result<(Vec<Job>, usize)> {
        if !work.budget.take() {
            return Ok((Vec::new(), 0));
        }
        let mirror = self.mirror().await?;
        let (state, next, began_at) = match std::mem::replace(&mut work.round, Round::Rest) {
            Round::Rest => (State::Submitted, None, now),
            Round::Listing { state, next, began_at } => (state, next, began_at),
            Round::Asking { began_at } => {
                let mut jobs = Vec::new();
                let unseen = mirror.unseen_since(began_at, ASKED_AT_ONCE).await?;
                for (index, id) in unseen.into_iter().enumerate() {
                    if index > 0 && !work.budget.take() {
                        break;
                    }
                    work.round = Round::Asking { began_at };
                    jobs.extend(self.ask(&id).await?);
                }
                let changed = mirror.put(jobs.clone(), now_ms()).await?;
                return Ok((jobs, changed));
            }
        };
        // Where it fails, the next look begins another one.
        let page = self.jobs.page(Some(state), next).await?;
        let changed = mirror.put(page.jobs.clone(), now_ms()).await?;
        work.round = match (page.next, state) {
            (Some(next), state) => Round::Listing { state, next: Some(next), began_at },
            (None, State::Submitted) => Round::Listing { state: State::Progressing, next: None, began_at },
            (None, _) => Round::Asking { began_at },
        };
        Ok((page.jobs, changed))
    }

    /// Asks for one; one that MediaConvert keeps no longer is let go of.
    async fn ask(&self, id: &str) -> Result<Option<Job>> {
        match self.jobs.get(id).await {
            Ok(job) => Ok(Some(job)),
            Err(error) if error.code == Code::NotFound => {
                self.mirror().await?.forget(id.to_owned()).await.map(|()| None)
            }
            // The lists still tell of those that are open.
            Err(error) if error.code == Code::AccessDenied => {
                tracing::warn!(id, details = error.details, "a job could not be read");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
