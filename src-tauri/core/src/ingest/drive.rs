//! Driving journeys: each is checked, sent, and handed over to the follower.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::sync::broadcast::{self, error::RecvError};

use super::announce::Announcer;
use super::cancel::TakingBack;
use super::change::Change;
use super::journeys::Journeys;
use super::known::Known;
use super::limits::Pacer;
use super::queue::Queue;
use super::runs::Runs;
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
}

/// The ingest of one workspace; cheap to clone. One process drives a store's journeys at a time.
#[derive(Clone)]
pub struct Ingest(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub journeys: Journeys,
    pub store: Store,
    pub changes: Changes<Change>,
    pub live: Live,
    pub sign_in: SignIn,
    pub driving: Driving,
    pub pipeline: Pipeline,
    pub checking: Checking,
    pub sending: Sending,
    pub taking_back: TakingBack,
    pub runs: Runs,
}

/// What the journeys end in.
pub(super) struct Pipeline {
    pub workspace: Workspace,
    pub catalog: Catalog,
    pub jobs: Jobs,
    pub source: Source,
    pub announcer: Option<Announcer>,
}

/// What files are checked with.
pub(super) struct Checking {
    pub permits: Semaphore,
    pub known: Known,
    /// Held while a file is compared with what is known, until it counts as known itself.
    pub comparing: tokio::sync::Mutex<()>,
}

/// What files are sent with.
pub(super) struct Sending {
    pub uploader: Uploader,
    pub pacer: Pacer,
    pub queue: Queue,
}

impl Ingest {
    /// Loads the journeys of the workspace, which are sent within the limits of `pacer`; nothing moves before
    /// [`Ingest::resume`].
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn open(
        workspace: &Workspace,
        aws: &Aws,
        store: Store,
        pacer: Pacer,
        changes: Changes<Change>,
        live: Live,
        driving: Driving,
    ) -> Result<Self> {
        let journeys = Journeys::load(store.clone(), changes.clone(), &workspace.name).await?;
        let limit = pacer.limit().clone();
        let uploader = Uploader::new(&aws.s3, &aws.transfer, store.clone(), &workspace.name, limit);
        journeys.stored(&uploader.stored().await?);
        Ok(Self(Arc::new(Inner {
            pipeline: Pipeline {
                workspace: workspace.clone(),
                catalog: Catalog::new(aws.dynamodb.clone(), workspace),
                jobs: Jobs::new(aws.mediaconvert.clone()),
                source: Source::new(aws.s3.clone(), &workspace.source_bucket),
                announcer: Announcer::of(workspace, aws),
            },
            checking: Checking {
                permits: Semaphore::new(CHECKS_AT_ONCE),
                known: Known::new(store.clone(), &workspace.name),
                comparing: tokio::sync::Mutex::default(),
            },
            sending: Sending { uploader, pacer, queue: Queue::new(FILES_AT_ONCE, journeys.clone()) },
            sign_in: SignIn::new(changes.clone(), driving),
            taking_back: TakingBack::default(),
            runs: Runs::default(),
            journeys,
            store,
            changes,
            live,
            driving,
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
        self.0.taking_back.due.notify_one();
        Ok(())
    }

    /// Journeys that stop when this computer does: those that are being sent, and what the sandbox encodes here.
    #[must_use]
    pub fn in_hand(&self) -> usize {
        let sandbox = self.0.pipeline.workspace.is_sandbox();
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
        self.0.journeys.close();
        self.go_through_with_all().await;
        self.0.runs.stop.cancel();
        self.0.runs.tasks.close();
        self.0.runs.tasks.wait().await;
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
        self.0.runs.owner(id).await
    }

    /// Stops the driving of a journey, and waits until it has ended; what S3 has stays.
    pub(super) async fn halt(&self, id: &str) {
        self.0.runs.halt(id).await;
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
        let run = self.0.runs.begin(&id);
        let ingest = self.clone();
        self.0.runs.tasks.spawn(async move {
            run.after_the_one_before().await;
            if let Err(error) = ingest.drive(&id, &run.stop).await
                && !run.stop.is_cancelled()
            {
                tracing::warn!(id, code = ?error.code, message = error.message, details = error.details, "a journey stopped");
                ingest.needs_someone(&id, error).await;
            }
            ingest.0.runs.end(&id, run);
        });
    }
}
