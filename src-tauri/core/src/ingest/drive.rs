//! Driving journeys: check, send, hand over to the follower.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::journeys::Journeys;
use super::pace::Pace;
use super::queue::Queue;
use super::sign_in::SignIn;
use super::{Journey, Stage, naming, probe, sources};
use crate::aws::Aws;
use crate::catalog::Catalog;
use crate::encode::Jobs;
use crate::event::{Events, now_ms};
use crate::store::Store;
use crate::upload::{Identity, Progress, Request, Target, Uploader};
use crate::workspace::Workspace;
use crate::{Code, Error, Result};

/// Files that are sent at the same time: small ones have to fill the line too.
const FILES_AT_ONCE: usize = 12;
/// Files that are looked at at the same time, each by a process.
const CHECKS_AT_ONCE: usize = 3;
/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(250);
/// How often a file that went away is looked for.
const LOOK_FOR_FILE_EVERY: Duration = Duration::from_secs(2);
/// The longest wait between two tries.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// The ingest of one workspace; cheap to clone. One process drives a store's journeys at a time.
#[derive(Clone)]
pub struct Ingest(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub journeys: Journeys,
    pub workspace: Workspace,
    pub catalog: Catalog,
    pub jobs: Jobs,
    pub events: Events,
    /// Rung when a journey waits for the pipeline.
    pub follow: Notify,
    pub stop: CancellationToken,
    pub sign_in: SignIn,
    /// Whether someone sits before a window.
    live: bool,
    pub uploader: Uploader,
    pub store: Store,
    queue: Queue,
    checks: Semaphore,
    running: Mutex<HashMap<String, (u64, CancellationToken)>>,
    runs: AtomicU64,
    tasks: TaskTracker,
}

impl Ingest {
    /// Loads the journeys of the workspace; nothing moves before [`Ingest::resume`]. `live` says that someone sits
    /// before a window, and can be asked to sign in.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open(workspace: &Workspace, aws: &Aws, store: Store, events: Events, live: bool) -> Result<Self> {
        let journeys = Journeys::load(store.clone(), events.clone(), &workspace.name).await?;
        let ingest = Self(Arc::new(Inner {
            queue: Queue::new(FILES_AT_ONCE, journeys.clone()),
            journeys,
            workspace: workspace.clone(),
            catalog: Catalog::new(aws.dynamodb.clone(), workspace),
            jobs: Jobs::new(aws.mediaconvert.clone()),
            uploader: Uploader::new(&aws.s3, store.clone()),
            store,
            sign_in: SignIn::new(events.clone(), live),
            live,
            events,
            follow: Notify::new(),
            stop: CancellationToken::new(),
            checks: Semaphore::new(CHECKS_AT_ONCE),
            running: Mutex::default(),
            runs: AtomicU64::new(0),
            tasks: TaskTracker::new(),
        }));
        ingest.load_limit().await?;
        Ok(ingest)
    }

    /// Takes up what the last run left unfinished.
    pub fn resume(&self) {
        for journey in self.list() {
            if journey.stage.is_being_sent() {
                self.start(journey.id);
            }
        }
        self.0.follow.notify_one();
    }

    /// All journeys, in the order in which they were added.
    #[must_use]
    pub fn list(&self) -> Vec<Journey> {
        self.0.journeys.list()
    }

    /// Adds files and folders, a journey for each file; a path that cannot be taken becomes a journey that says
    /// why. A file whose journey is still open is not taken twice.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn add(&self, paths: Vec<PathBuf>) -> Result<Vec<Journey>> {
        let found = tokio::task::spawn_blocking(move || paths.into_iter().flat_map(look).collect::<Vec<_>>());
        let mut open = self.0.journeys.open_paths();
        let (mut known, mut new) = (Vec::new(), Vec::new());
        let first = self.0.journeys.next_position();
        for (path, size, error) in found.await.map_err(Error::internal)? {
            if let Some(id) = open.get(&path) {
                known.push(id.clone());
                continue;
            }
            let journey = begun(path, size, error, first + new.len() as i64);
            open.insert(journey.path.clone(), journey.id.clone());
            new.push(journey);
        }
        self.0.journeys.add(new.clone()).await?;
        for journey in &new {
            if journey.stage.is_open() {
                self.start(journey.id.clone());
            }
        }
        for id in known {
            // Whoever adds it again wants it sent.
            self.unpause(&id).await?;
            new.push(self.journey(&id)?);
        }
        Ok(new)
    }

    /// Cancels: an upload is aborted in S3, a job in MediaConvert.
    ///
    /// # Errors
    /// When AWS cannot be told.
    pub async fn cancel(&self, id: &str) -> Result<()> {
        let journey = self.journey(id)?;
        if !journey.stage.is_open() {
            return Ok(());
        }
        if journey.stage.is_followed() {
            if let Some(job) = &journey.job_id {
                self.0.jobs.cancel(job).await?;
            }
        } else {
            self.halt(id);
            self.0.uploader.abort(id).await?;
        }
        self.0.journeys.enter(id, Stage::Canceled, |_| {}).await?;
        Ok(())
    }

    /// Tries again what needs the admin or was canceled: an upload goes on where it stopped; what failed after it
    /// is sent anew, under a new key.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn retry(&self, id: &str) -> Result<()> {
        let retried = self
            .0
            .journeys
            .enter(id, Stage::Checking, |journey| {
                journey.error = None;
                if journey.verified_at.take().is_some() {
                    (journey.key, journey.guid, journey.job_id, journey.percent) = (None, None, None, None);
                }
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
    /// When it is still under way, or S3 cannot be told.
    pub async fn dismiss(&self, id: &str) -> Result<()> {
        if self.journey(id)?.stage.is_open() {
            return Err(Error::new(Code::Invalid, "This is still under way.", "Cancel it first."));
        }
        self.0.uploader.abort(id).await?;
        self.0.journeys.remove(vec![id.to_owned()]).await
    }

    /// Stops driving; what is unfinished goes on at the next start.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    pub(super) fn journey(&self, id: &str) -> Result<Journey> {
        self.0
            .journeys
            .get(id)
            .ok_or_else(|| Error::new(Code::NotFound, "This is no longer in the list.", "Look at the list again."))
    }

    /// Stops the driving of a journey; what S3 has stays.
    pub(super) fn halt(&self, id: &str) {
        if let Some((_, token)) = self.running().get(id) {
            token.cancel();
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<String, (u64, CancellationToken)>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn start(&self, id: String) {
        let token = self.0.stop.child_token();
        let run = self.0.runs.fetch_add(1, Ordering::Relaxed);
        self.running().insert(id.clone(), (run, token.clone()));
        let ingest = self.clone();
        self.0.tasks.spawn(async move {
            if let Err(error) = ingest.drive(&id, &token).await
                && !token.is_cancelled()
            {
                tracing::warn!(id, code = ?error.code, message = error.message, details = error.details, "a journey stopped");
                let failed = ingest.0.journeys.enter(&id, Stage::NeedsYou, |journey| journey.error = Some(error)).await;
                if let Err(error) = failed {
                    tracing::error!(id, %error, "and could not be recorded");
                }
            }
            // A pause and a resume may have begun the next run before this one has ended.
            let mut running = ingest.running();
            if running.get(&id).is_some_and(|(current, _)| *current == run) {
                running.remove(&id);
            }
        });
    }

    async fn drive(&self, id: &str, token: &CancellationToken) -> Result<()> {
        let journeys = &self.0.journeys;
        let journey = self.journey(id)?;
        if journey.key.is_some() {
            self.await_file(&journey, token).await?;
        }
        let path = journey.path;
        Identity::of(&path)?;
        let media = {
            let _check = tokio::select! {
                check = self.0.checks.acquire() => check.map_err(Error::internal)?,
                () = token.cancelled() => return Ok(()),
            };
            Box::pin(probe::probe(&path)).await?
        };
        let Some(extension) = naming::extension(&path, &media.container) else {
            return Err(Error::new(
                Code::NotAVideo,
                format!("\"{}\" is a video of a kind that the pipeline does not take.", crate::shown(&path)),
                format!("Convert it to one of: {}.", naming::SUFFIXES.join(", ")),
            ));
        };
        let checked = journeys
            .enter(id, Stage::Waiting, |journey| {
                journey.media = Some(media);
                journey.key.get_or_insert_with(|| naming::key(&uuid::Uuid::new_v4().to_string(), &path, extension));
            })
            .await?;
        let Some(journey) = checked else { return Ok(()) };
        let _place = tokio::select! {
            place = self.0.queue.place(id) => place,
            () = token.cancelled() => return Ok(()),
        };
        if journeys.enter(id, Stage::Sending, |_| {}).await?.is_none() {
            return Ok(());
        }
        // Boxed, so that the thousands that wait are small.
        Box::pin(self.send(&journey, token)).await?;
        journeys
            .enter(id, Stage::Verified, |journey| {
                (journey.sent, journey.stored) = (journey.size, journey.size);
                (journey.speed, journey.time_left) = (None, None);
                journey.verified_at = Some(now_ms());
            })
            .await?;
        self.0.uploader.forget(id).await?;
        self.0.follow.notify_one();
        Ok(())
    }

    /// Waits for a file that was there before: a disk that was unplugged comes back, where someone is there to plug
    /// it in.
    async fn await_file(&self, journey: &Journey, token: &CancellationToken) -> Result<()> {
        while let Err(error) = Identity::of(&journey.path) {
            if error.code != Code::FileMissing || !self.0.live {
                return Err(error);
            }
            self.0.journeys.show(&journey.id, |journey| {
                (journey.speed, journey.time_left) = (None, None);
                journey.notice = Some(format!("{} It goes on when the file is back.", error.message));
            });
            tokio::select! {
                () = tokio::time::sleep(LOOK_FOR_FILE_EVERY) => {}
                () = token.cancelled() => return Err(error),
            }
        }
        Ok(())
    }

    /// Sends until it is there; what AWS or the network refuse for the moment is tried again.
    async fn send(&self, journey: &Journey, token: &CancellationToken) -> Result<()> {
        let request = Request {
            id: journey.id.clone(),
            path: journey.path.clone(),
            target: Target {
                bucket: self.0.workspace.source_bucket.clone(),
                key: journey.key.clone().unwrap_or_default(),
                metadata: metadata(&journey.path),
                content_type: "application/octet-stream".into(),
                // The key is this journey's own.
                replace: true,
            },
        };
        let mut wait = Duration::from_secs(1);
        loop {
            let progress = Progress::default();
            let told = self.tell(&journey.id, &progress);
            let sent = tokio::select! {
                sent = self.0.uploader.send(&request, &progress, token) => sent,
                never = told => match never {},
            };
            match sent {
                Ok(_) => {
                    self.0.sign_in.accepted();
                    return Ok(());
                }
                Err(error) if error.code == Code::SignIn && self.0.sign_in.is_awaited(self.0.uploader.was_up()) => {
                    self.0.journeys.show(&journey.id, |journey| {
                        (journey.speed, journey.time_left) = (None, None);
                        journey.notice = Some("Waiting for a sign-in.".to_owned());
                    });
                    tokio::select! {
                        () = self.0.sign_in.wait(error.clone()) => {}
                        () = token.cancelled() => return Err(error),
                    }
                }
                Err(error) if error.code == Code::FileMissing && self.0.live => self.await_file(journey, token).await?,
                Err(error) if matches!(error.code, Code::Network | Code::Throttled) => {
                    self.0.journeys.show(&journey.id, |journey| {
                        (journey.speed, journey.time_left) = (None, None);
                        journey.notice = Some(format!("{} Retrying in {} s.", error.message, wait.as_secs()));
                    });
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = token.cancelled() => return Err(error),
                    }
                    wait = (wait * 2).min(MAX_WAIT);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Shows the progress of one sending, for as long as it is awaited.
    async fn tell(&self, id: &str, progress: &Progress) -> std::convert::Infallible {
        let mut pace: Option<Pace> = None;
        let mut beat = tokio::time::interval(TELL_EVERY);
        loop {
            beat.tick().await;
            let (stored, in_flight) = progress.bytes();
            let now = Instant::now();
            let pace = pace.get_or_insert_with(|| Pace::start(now, stored));
            self.0.journeys.show(id, |journey| {
                let sent = (stored + in_flight).min(journey.size);
                let (speed, left) = pace.update(now, sent, journey.size);
                (journey.sent, journey.stored) = (sent, stored.min(journey.size));
                if progress.is_finalising() {
                    journey.stage = Stage::Finalising;
                    (journey.speed, journey.time_left) = (None, None);
                } else {
                    (journey.speed, journey.time_left) = (speed, left);
                }
                if in_flight > 0 {
                    journey.notice = None;
                }
            });
        }
    }
}

/// What is behind a path: files with their sizes, or why it cannot be taken.
fn look(path: PathBuf) -> Vec<(PathBuf, u64, Option<Error>)> {
    let path = std::path::absolute(&path).unwrap_or(path);
    let size = |path: &PathBuf| Identity::of(path).map_or(0, |identity| identity.size);
    match sources::files(&path) {
        Ok(files) => files.into_iter().map(|file| (file.clone(), size(&file), None)).collect(),
        Err(error) => vec![(path.clone(), size(&path), Some(error))],
    }
}

/// A journey at its beginning.
fn begun(path: PathBuf, size: u64, error: Option<Error>, position: i64) -> Journey {
    let now = now_ms();
    Journey {
        id: uuid::Uuid::new_v4().to_string(),
        position,
        priority: 0,
        title: naming::title(&path),
        stage: if error.is_some() { Stage::NeedsYou } else { Stage::Checking },
        size,
        sent: 0,
        stored: 0,
        speed: None,
        time_left: None,
        percent: None,
        notice: None,
        error,
        media: None,
        key: None,
        guid: None,
        job_id: None,
        hls_url: None,
        added_at: now,
        stage_since: now,
        verified_at: None,
        path,
    }
}

/// The admin's own name for the file, which is not in the key; percent-encoded, as metadata is ASCII.
fn metadata(path: &Path) -> Vec<(String, String)> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    vec![("reeldesk-name".to_owned(), utf8_percent_encode(&name, NON_ALPHANUMERIC).to_string())]
}
