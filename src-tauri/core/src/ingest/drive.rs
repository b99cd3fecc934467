//! Driving journeys: each is checked, sent, and handed over to the follower.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::announce::Announcer;
use super::change::Change;
use super::journeys::Journeys;
use super::known::Known;
use super::limits::Pacer;
use super::queue::Queue;
use super::sign_in::SignIn;
use super::source::Source;
use super::{Journey, Stage};
use crate::aws::Aws;
use crate::catalog::Catalog;
use crate::changes::Changes;
use crate::encode::Jobs;
use crate::live::Live;
use crate::store::Store;
use crate::upload::Uploader;
use crate::workspace::Workspace;
use crate::{Code, Error, Result};

/// Files that are sent at the same time: small ones have to fill the line too.
const FILES_AT_ONCE: usize = 12;
/// Files that are looked at at the same time, each by a process.
const CHECKS_AT_ONCE: usize = 3;

/// Journeys of one page of the list.
const ROWS_AT_ONCE: usize = 500;

/// Who drives the journeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driving {
    /// A window: someone looks at it, and can be asked.
    Window,
    /// A server: nobody looks, and it goes on for good.
    Server,
    /// A command that ends with its files.
    Command,
}

impl Driving {
    /// Whether it waits for what someone sees to: a sign-in, a disk that comes back.
    pub(super) fn waits(self) -> bool {
        self != Self::Command
    }

    /// Whether the screen's library and jobs are to be kept fresh.
    pub(super) fn shows(self) -> bool {
        self == Self::Window
    }
}

/// The ingest of one workspace; cheap to clone. One process drives a store's journeys at a time.
#[derive(Clone)]
pub struct Ingest(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub journeys: Journeys,
    pub workspace: Workspace,
    pub catalog: Catalog,
    pub jobs: Jobs,
    pub changes: Changes<Change>,
    pub live: Live,
    pub stop: CancellationToken,
    pub sign_in: SignIn,
    pub driving: Driving,
    pub uploader: Uploader,
    pub announcer: Option<Announcer>,
    pub pacer: Pacer,
    pub store: Store,
    pub known: Known,
    pub queue: Queue,
    pub checks: Semaphore,
    /// Held while a file is compared with what is known, until it counts as known itself.
    pub comparing: tokio::sync::Mutex<()>,
    pub source: Source,
    /// Rung when something is to be aborted.
    pub rest: Notify,
    /// Canceled journeys that a task takes back at this moment.
    pub taking_back: Mutex<HashSet<String>>,
    running: Mutex<HashMap<String, Run>>,
    runs: AtomicU64,
    /// Whoever moves a journey by someone's command holds its lock: one at a time.
    owners: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    pub tasks: TaskTracker,
}

/// One run of a journey.
#[derive(Clone)]
struct Run {
    number: u64,
    stop: CancellationToken,
    ended: CancellationToken,
}

impl Ingest {
    /// Loads the journeys of the workspace; nothing moves before [`Ingest::resume`].
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn open(
        workspace: &Workspace,
        aws: &Aws,
        store: Store,
        changes: Changes<Change>,
        live: Live,
        driving: Driving,
    ) -> Result<Self> {
        let journeys = Journeys::load(store.clone(), changes.clone(), &workspace.name).await?;
        let uploader = Uploader::new(&aws.s3, &aws.transfer, store.clone(), &workspace.name);
        journeys.stored(&uploader.stored().await?);
        let pacer = Pacer::load(store.clone(), uploader.limit().clone()).await?;
        Ok(Self(Arc::new(Inner {
            queue: Queue::new(FILES_AT_ONCE, journeys.clone()),
            journeys,
            workspace: workspace.clone(),
            catalog: Catalog::new(aws.dynamodb.clone(), workspace),
            jobs: Jobs::new(aws.mediaconvert.clone()),
            known: Known::new(store.clone(), &workspace.name),
            uploader,
            announcer: Announcer::of(workspace, aws),
            pacer,
            store,
            sign_in: SignIn::new(changes.clone(), driving),
            driving,
            changes,
            live,
            stop: CancellationToken::new(),
            checks: Semaphore::new(CHECKS_AT_ONCE),
            comparing: tokio::sync::Mutex::default(),
            source: Source::new(aws.s3.clone(), &workspace.source_bucket),
            rest: Notify::new(),
            taking_back: Mutex::default(),
            running: Mutex::default(),
            owners: Mutex::default(),
            runs: AtomicU64::new(0),
            tasks: TaskTracker::new(),
        })))
    }

    /// Takes up what the last run left unfinished.
    pub fn resume(&self) {
        for journey in self.list() {
            if journey.stage.is_being_sent() {
                self.start(journey.id);
            }
        }
        self.resume_canceling();
        self.0.live.wake();
    }

    /// All journeys, in the order in which they were added.
    #[must_use]
    pub fn list(&self) -> Vec<Journey> {
        self.0.journeys.list()
    }

    /// Some of them, from behind this position on: a screen takes in ten thousand by and by.
    #[must_use]
    pub fn list_after(&self, position: i64) -> Vec<Journey> {
        self.0.journeys.list_after(position, ROWS_AT_ONCE)
    }

    /// Tries again what needs the admin or was canceled: an upload goes on where it stopped; what was canceled or failed
    /// after it is sent anew, under a new key.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn retry(&self, id: &str) -> Result<()> {
        let _owner = self.owner(id).await;
        self.begin_again(id, |_| {}).await
    }

    /// The same with a change of it, for who moves the journey already.
    pub(super) async fn begin_again(&self, id: &str, change: impl FnOnce(&mut Journey)) -> Result<()> {
        // A key that an object was made under, or that is another journey's, is not used again.
        let is_used = |journey: &Journey| {
            matches!(journey.stage, Stage::Canceled | Stage::Skipped)
                || journey.guid.is_some()
                || journey.may_arrive_until.is_some()
                || journey.deleted_at.is_some()
                || journey.error.as_ref().is_some_and(|error| matches!(error.code, Code::FileChanged | Code::Canceled))
        };
        let is_used = self.journey(id).is_ok_and(|journey| is_used(&journey));
        let retried = self
            .0
            .journeys
            .enter(id, Stage::Checking, |journey| {
                (journey.error, journey.conflict, journey.checksum, journey.undo) = (None, None, None, None);
                if journey.verified_at.take().is_some() || is_used {
                    (journey.key, journey.guid, journey.job_id, journey.percent) = (None, None, None, None);
                    (journey.completing_at, journey.deleted_at) = (None, None);
                    (journey.sent, journey.stored, journey.may_arrive_until) = (0, 0, None);
                    journey.sent_sidecars.clear();
                }
                change(journey);
            })
            .await?;
        if retried.is_some() {
            self.start(id.to_owned());
        }
        Ok(())
    }

    /// Takes a journey that has ended off the list; an unfinished upload of it is removed from S3.
    ///
    /// # Errors
    /// When it is still under way, or the store cannot be written.
    pub async fn dismiss(&self, id: &str) -> Result<()> {
        let _owner = self.owner(id).await;
        let journey = self.journey(id)?;
        if journey.stage.is_open() {
            return Err(Error::new(Code::Invalid, "This is still under way.", "Cancel it first."));
        }
        self.halt(id).await;
        self.give_up(&journey).await?;
        self.0.journeys.remove(vec![id.to_owned()]).await?;
        self.0.rest.notify_one();
        Ok(())
    }

    /// Journeys that stop when this computer does: those that are being sent, and what the sandbox encodes here.
    #[must_use]
    pub fn in_hand(&self) -> usize {
        let sandbox = self.0.workspace.is_sandbox();
        self.0.journeys.count(|one| one.stage.is_being_sent() || sandbox && one.stage.is_followed())
    }

    /// What changes of the journeys from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.0.changes.subscribe()
    }

    /// Waits until nothing is in hand.
    pub async fn done(&self) {
        let mut changes = self.0.changes.subscribe();
        while self.in_hand() > 0 {
            if let Err(RecvError::Closed) = changes.recv().await {
                return;
            }
        }
    }

    /// Stops driving; what is unfinished goes on at the next start.
    pub async fn stop(&self) {
        self.go_through_with_all().await;
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// One journey.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub fn journey(&self, id: &str) -> Result<Journey> {
        self.0
            .journeys
            .get(id)
            .ok_or_else(|| Error::new(Code::NotFound, "This is no longer in the list.", "Look at the list again."))
    }

    /// The right to move a journey by someone's command.
    pub(super) async fn owner(&self, id: &str) -> tokio::sync::OwnedMutexGuard<()> {
        let owner = {
            let mut owners = self.0.owners.lock().unwrap_or_else(PoisonError::into_inner);
            owners.retain(|_, owner| Arc::strong_count(owner) > 1);
            owners.entry(id.to_owned()).or_default().clone()
        };
        owner.lock_owned().await
    }

    /// Stops the driving of a journey, and waits until it has ended; what S3 has stays.
    pub(super) async fn halt(&self, id: &str) {
        loop {
            let Some(run) = self.running().get(id).cloned() else { return };
            run.stop.cancel();
            run.ended.cancelled().await;
            self.forget_run(id, run.number);
        }
    }

    fn forget_run(&self, id: &str, number: u64) {
        let mut running = self.running();
        if running.get(id).is_some_and(|run| run.number == number) {
            running.remove(id);
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<String, Run>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records why a journey cannot go on alone.
    pub(super) async fn needs_someone(&self, id: &str, error: Error) {
        let journeys = &self.0.journeys;
        match journeys.enter(id, Stage::NeedsYou, |journey| journey.error = Some(error.clone())).await {
            Ok(Some(journey)) => self.propagate_outcome(&journey).await,
            Ok(None) => {}
            Err(unrecorded) => {
                tracing::error!(id, error = %unrecorded, "what stopped a journey could not be recorded");
                // The next start takes it up again; until then it is at least shown.
                journeys.show(id, |journey| (journey.stage, journey.error) = (Stage::NeedsYou, Some(error)));
            }
        }
    }

    /// Begins a run of a journey; one that has not ended ends first.
    pub(super) fn start(&self, id: String) {
        let (stop, ended) = (self.0.stop.child_token(), CancellationToken::new());
        let number = self.0.runs.fetch_add(1, Ordering::Relaxed);
        let run = Run { number, stop: stop.clone(), ended: ended.clone() };
        let before = self.running().insert(id.clone(), run);
        let ingest = self.clone();
        self.0.tasks.spawn(async move {
            let _ended = ended.drop_guard();
            if let Some(before) = before {
                before.stop.cancel();
                before.ended.cancelled().await;
            }
            if let Err(error) = ingest.drive(&id, &stop).await
                && !stop.is_cancelled()
            {
                tracing::warn!(id, code = ?error.code, message = error.message, details = error.details, "a journey stopped");
                ingest.needs_someone(&id, error).await;
            }
            ingest.forget_run(&id, number);
        });
    }
}
