//! Keeping the copy true within so many calls an hour: the newest at each look, as far back as they were known; where others are
//! open, a round through the lists of those that are worked on and that wait, a page at a look; then those that no list told of, one
//! by one. What MediaConvert keeps of the past is read once, a page at a look, in turns with the round.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;

use super::JobMirror;
use super::mirror::Past;
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
    /// Whether there is more to look for soon: jobs that may still change, or older ones that are not read.
    pub has_open: bool,
}

/// What is being done, from look to look.
struct Work {
    budget: Budget,
    round: Round,
    /// Whether the next look has more to ask than for the newest.
    has_more: bool,
    /// Whether the last page beside the newest was one of the past.
    is_turn_of_past: bool,
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

/// A round through the open ones: those that are worked on come first, they are few.
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
        let of = [endpoint, &workspace.account].map(|part| part.as_deref().unwrap_or_default());
        let of = format!("{} {region} {}", of[0], of[1]);
        let an_hour = if workspace.is_sandbox() { CALLS_AN_HOUR_IN_THE_SANDBOX } else { CALLS_AN_HOUR };
        let work = Work {
            budget: Budget { an_hour, left: SAVED_UP, at: Instant::now() },
            round: Round::Rest,
            has_more: false,
            is_turn_of_past: false,
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
        let (mut jobs, mut changed) = self.newest(&mut work, began_at).await?;
        let is_whole = mirror.is_whole().await?;
        let has_round = !matches!(work.round, Round::Rest) || !mirror.unseen_since(began_at, 1).await?.is_empty();
        // Where both are due, each has its turn: one job that is open for days would hold up the past.
        work.is_turn_of_past = !is_whole && (!has_round || !work.is_turn_of_past);
        if work.is_turn_of_past && work.budget.take() {
            changed += self.read_past().await?;
        } else if has_round && work.budget.take() {
            let (others, of_others) = self.go_round(&mut work, began_at).await?;
            jobs.extend(others);
            changed += of_others;
        }
        let has_more = !matches!(work.round, Round::Rest)
            || !mirror.is_whole().await?
            || !mirror.unseen_since(began_at, 1).await?.is_empty();
        work.has_more = has_more;
        let has_open = has_more || !mirror.unseen_since(i64::MAX, 1).await?.is_empty();
        Ok(Some(JobsSeen { jobs, changed, has_open }))
    }

    /// Reads all that MediaConvert keeps, whatever it costs.
    ///
    /// # Errors
    /// When MediaConvert cannot be asked.
    pub async fn read_all(&self, tell: impl Fn(usize)) -> Result<()> {
        let (mirror, mut next, mut read, mut newest_at) = (self.mirror().await?, None, 0, None);
        let began_at = now_ms();
        loop {
            let page = self.page(next).await?;
            read += page.jobs.len();
            newest_at = newest_at.max(page.jobs.iter().filter_map(|job| job.submitted_at).max());
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
                break;
            }
            for id in unseen {
                if let Some(job) = self.ask(&id).await? {
                    mirror.put(vec![job], now_ms()).await?;
                }
            }
        }
        if let Some(newest_at) = newest_at {
            // What comes from now on is found from here.
            mirror.set_newest_at(newest_at).await?;
        }
        mirror.set_past(Past::Whole).await
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

    /// The newest, as far back as they were known before; answers what MediaConvert told of, and how many of it are new or changed.
    async fn newest(&self, work: &mut Work, now: i64) -> Result<(Vec<Job>, usize)> {
        let mirror = self.mirror().await?;
        let before = mirror.newest_at().await?;
        let (mut jobs, mut next) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let page = self.jobs.page(None, next).await?;
            // Times are in whole seconds: of those of the same one as the newest, what is known is met.
            let is_old = |job: &&Job| job.submitted_at.zip(before).is_some_and(|(at, before)| at <= before);
            let old = page.jobs.iter().filter(is_old).map(|job| job.id.clone()).collect();
            let is_met = !mirror.known(old).await?.is_empty();
            jobs.extend(page.jobs);
            next = page.next;
            if is_met {
                next = None;
            }
            // An empty copy has nothing to meet.
            if next.is_none() || before.is_none() || !work.budget.take() {
                break;
            }
        }
        let changed = mirror.put(jobs.clone(), now).await?;
        // Those between these and what was known are read as the past is.
        if let Some(next) = next {
            mirror.set_past(Past::From(next)).await?;
        } else if before.is_none() {
            mirror.set_past(Past::Whole).await?;
        }
        if let Some(newest_at) = jobs.iter().filter_map(|job| job.submitted_at).max().max(before) {
            mirror.set_newest_at(newest_at).await?;
        }
        Ok((jobs, changed))
    }

    /// A page of the past; answers how many are new or changed.
    async fn read_past(&self) -> Result<usize> {
        let mirror = self.mirror().await?;
        let after = match mirror.past().await? {
            Past::Whole => return Ok(0),
            Past::From(next) => Some(next),
            Past::Unread => None,
        };
        let page = match self.jobs.page(None, after.clone()).await {
            // The place is known no longer: from the newest again.
            Err(error) if after.is_some() && matches!(error.code, Code::Invalid | Code::NotFound) => {
                tracing::info!(details = error.details, "the past of the jobs is read anew");
                return mirror.set_past(Past::Unread).await.map(|()| 0);
            }
            page => page?,
        };
        let changed = mirror.put(page.jobs, now_ms()).await?;
        mirror.set_past(page.next.map_or(Past::Whole, Past::From)).await?;
        Ok(changed)
    }

    /// Goes on with the round; answers what MediaConvert told of, and how many of it are new or changed.
    async fn go_round(&self, work: &mut Work, now: i64) -> Result<(Vec<Job>, usize)> {
        let mirror = self.mirror().await?;
        let (state, next, began_at) = match &work.round {
            Round::Rest => (State::Progressing, None, now),
            Round::Listing { state, next, began_at } => (*state, next.clone(), *began_at),
            Round::Asking { began_at } => {
                let unseen = mirror.unseen_since(*began_at, ASKED_AT_ONCE).await?;
                if unseen.is_empty() {
                    work.round = Round::Rest;
                }
                let (mut jobs, mut changed) = (Vec::new(), 0);
                for (index, id) in unseen.into_iter().enumerate() {
                    if index > 0 && !work.budget.take() {
                        break;
                    }
                    if let Some(job) = self.ask(&id).await? {
                        changed += mirror.put(vec![job.clone()], now_ms()).await?;
                        jobs.push(job);
                    }
                }
                return Ok((jobs, changed));
            }
        };
        let page = match self.jobs.page(Some(state), next.clone()).await {
            // The place is known no longer.
            Err(error) if next.is_some() && matches!(error.code, Code::Invalid | Code::NotFound) => {
                work.round = Round::Rest;
                return Err(error);
            }
            page => page?,
        };
        let changed = mirror.put(page.jobs.clone(), now_ms()).await?;
        work.round = match (page.next, state) {
            (Some(next), state) => Round::Listing { state, next: Some(next), began_at },
            (None, State::Progressing) => Round::Listing { state: State::Submitted, next: None, began_at },
            (None, _) => Round::Asking { began_at },
        };
        Ok((page.jobs, changed))
    }

    /// Asks for one; none where MediaConvert keeps it no longer, or tells nothing of it.
    async fn ask(&self, id: &str) -> Result<Option<Job>> {
        let mirror = self.mirror().await?;
        match self.jobs.get(id).await {
            Ok(job) => Ok(Some(job)),
            Err(error) if error.code == Code::NotFound => mirror.forget(id.to_owned()).await.map(|()| None),
            Err(error) if matches!(error.code, Code::Network | Code::SignIn | Code::Throttled) => Err(error),
            // It holds up no other one. How it ended is in the list of all.
            Err(error) => {
                tracing::warn!(id, details = error.details, "a job could not be read");
                mirror.set_asked(id.to_owned(), now_ms()).await?;
                if mirror.is_whole().await? {
                    mirror.set_past(Past::Unread).await?;
                }
                Ok(None)
            }
        }
    }
}
