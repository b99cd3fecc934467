//! Canceling: what AWS has of a journey by then is taken back, and the row says what could not be.
//!
//! Between the last byte and the first word of the pipeline nobody here knows how far AWS is: the object may be there, its
//! encode may have begun. So a canceled journey is asked after until its end is known, across restarts.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::{Ingest, Journey, Stage, Undo, sidecars};
use crate::catalog::{Status, Video};
use crate::clock::now_ms;
use crate::encode::{Job, State};
use crate::upload::{self, GivenUp};
use crate::{Code, Error, Result};

/// How long a cancel can be undone.
const UNDONE_WITHIN_MS: i64 = 10_000;
/// How often it is asked what became of it.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// How long S3 may go on with a completion whose client went away.
const MAY_COMPLETE_FOR: Duration = Duration::from_secs(5 * 60);
/// The same of the sandbox, which is here, and of its lines.
const SANDBOX_MAY_ARRIVE_FOR: Duration = Duration::from_secs(3);
/// After this it is given up to wait for what became of it.
const GIVEN_UP_AFTER_MS: i64 = 30 * 60 * 1000;
/// How long after its object was deleted a pipeline may still begin with it.
const MAY_BEGIN_FOR_MS: i64 = 60_000;
/// The same of the sandbox, which is here.
const SANDBOX_MAY_BEGIN_FOR_MS: i64 = 3_000;

/// What is being taken back from AWS.
#[derive(Default)]
pub(super) struct TakingBack {
    /// Rung when something is to be aborted.
    pub due: Notify,
    /// Canceled journeys that a task takes back at this moment.
    now: Mutex<HashSet<String>>,
}

/// How far the taking back has come.
enum TakenBack {
    /// Nothing of it is left, or what is left is said.
    Canceled { left: Option<String> },
    /// Its video is there.
    TooLate(Box<Video>),
    /// It is to be asked again; this is what is known.
    NotYet(String),
}

impl Ingest {
    /// Cancels: an upload is aborted in S3, an object that is there already is deleted, a job is canceled.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn cancel(&self, id: &str) -> Result<()> {
        let owner = self.owner(id).await;
        self.halt(id).await;
        let journey = self.journey(id)?;
        if journey.undo.is_some() {
            drop(owner);
            return self.go_through(id, true).await;
        }
        if !journey.stage.is_open() || journey.stage == Stage::Canceling {
            return Ok(());
        }
        let given_up = self.give_up(&journey).await?;
        if journey.stage.is_followed() || given_up.is_some() {
            let until = now_ms() + self.may_arrive_for(&journey, given_up);
            let wait = |journey: &mut Journey| journey.may_arrive_until = Some(until);
            if self.0.journeys.enter(id, Stage::Canceling, wait).await?.is_some() {
                self.begin_taking_back(id.to_owned());
            }
        } else {
            self.canceled(id, None).await?;
        }
        Ok(())
    }

    /// Cancels what is still being sent, so that it can be undone for some seconds. What has all been sent by then is left as it
    /// is: its cancel cannot be undone, and is asked first.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn cancel_with_undo(&self, id: &str) -> Result<()> {
        let stops = |stage: Stage| stage == Stage::Paused || stage.may_become(Stage::Paused);
        let _owner = self.owner(id).await;
        if !stops(self.journey(id)?.stage) {
            return Ok(());
        }
        self.halt(id).await;
        // Its last byte may have left before it was halted.
        let stage = self.journey(id)?.stage;
        if !stops(stage) {
            if stage.is_being_sent() {
                self.start(id.to_owned());
            }
            return Ok(());
        }
        let back_to = if stage == Stage::Paused { Stage::Paused } else { Stage::Checking };
        let has_begun = self.0.sending.uploader.has_begun(id).await?;
        let undo = Undo { until: now_ms() + UNDONE_WITHIN_MS, back_to, has_begun };
        let stop = |journey: &mut Journey| {
            (journey.undo, journey.speed, journey.time_left) = (Some(undo), None, None);
            journey.sent = journey.stored;
            journey.notice = has_begun.then(|| "What S3 has of it is discarded in a few seconds.".to_owned());
        };
        if self.0.journeys.enter(id, Stage::Canceling, stop).await?.is_some() {
            self.begin_taking_back(id.to_owned());
        }
        Ok(())
    }

    /// Undoes a cancel of which AWS was not told yet.
    ///
    /// # Errors
    /// [`Code::Canceled`] when it is too late, or when the store cannot be written.
    pub async fn undo_cancel(&self, id: &str) -> Result<()> {
        let _owner = self.owner(id).await;
        let journey = self.journey(id)?;
        let Some(undo) = journey.undo.filter(|_| journey.stage == Stage::Canceling) else {
            let message = format!("It is too late to undo the cancel of \"{}\".", journey.title);
            return Err(Error::new(Code::Canceled, message, "Retry sends it again."));
        };
        let back = |journey: &mut Journey| (journey.undo, journey.notice) = (None, None);
        if self.0.journeys.enter(id, undo.back_to, back).await?.is_some() && undo.back_to == Stage::Checking {
            self.start(id.to_owned());
        }
        Ok(())
    }

    /// Goes through with a cancel that nobody undid; before its time it does nothing, unless it is `due` anyway.
    async fn go_through(&self, id: &str, due: bool) -> Result<()> {
        let _owner = self.owner(id).await;
        let journey = self.journey(id)?;
        let Some(undo) = journey.undo.filter(|_| journey.stage == Stage::Canceling) else { return Ok(()) };
        let now = now_ms();
        // A clock that was set back holds nothing up.
        let can_be_undone = (undo.until - UNDONE_WITHIN_MS..undo.until).contains(&now);
        if can_be_undone && !due {
            return Ok(());
        }
        let given_up = self.give_up(&journey).await?;
        if !undo.has_begun {
            // AWS never heard of it.
            return self.canceled(id, None).await;
        }
        let until = now + self.may_arrive_for(&journey, given_up);
        let go = |journey: &mut Journey| {
            (journey.undo, journey.notice, journey.may_arrive_until) = (None, None, Some(until));
        };
        self.0.journeys.edit(id, go).await
    }

    /// Goes through with all that could still be undone: whoever stops undoes nothing any more.
    pub(super) async fn go_through_with_all(&self) {
        for journey in self.list().into_iter().filter(|journey| journey.undo.is_some()) {
            if let Err(error) = self.go_through(&journey.id, true).await {
                tracing::warn!(id = journey.id, %error, "a cancel could not be recorded");
            }
        }
    }

    /// Milliseconds for which a request that was broken off may still arrive.
    fn may_arrive_for(&self, journey: &Journey, given_up: Option<GivenUp>) -> i64 {
        let may_arrive_for = match given_up {
            Some(GivenUp { was_completing: true }) if self.0.pipeline.workspace.is_sandbox() => SANDBOX_MAY_ARRIVE_FOR,
            Some(GivenUp { was_completing: true }) => MAY_COMPLETE_FOR.max(upload::may_arrive_for(journey.size)),
            _ => Duration::ZERO,
        };
        i64::try_from(may_arrive_for.as_millis()).unwrap_or(0)
    }

    /// Gives up the upload of a journey and of what goes with it; answers how far it was, if it had been begun.
    pub(super) async fn give_up(&self, journey: &Journey) -> Result<Option<GivenUp>> {
        let given_up = self.0.sending.uploader.give_up(&journey.id).await?;
        for id in sidecars::ids(journey) {
            self.0.sending.uploader.give_up(&id).await?;
        }
        Ok(given_up)
    }

    /// Gives up all that is not sent yet and removes what S3 has of it, because its workspace is removed; for one whose
    /// journeys nobody drives. Answers how many objects S3 may still make: their last bytes had left.
    ///
    /// # Errors
    /// When the store cannot be used.
    pub(crate) async fn give_up_all(&self) -> Result<usize> {
        let mut may_arrive = 0;
        for journey in self.list().into_iter().filter(|journey| !journey.stage.is_followed()) {
            let given_up = self.give_up(&journey).await?;
            let was_completing = matches!(given_up, Some(GivenUp { was_completing: true }));
            let is_canceling = journey.may_arrive_until.is_some_and(|until| until > now_ms());
            may_arrive += usize::from(was_completing || journey.stage == Stage::Canceling && is_canceling);
        }
        self.0.sending.uploader.clean_up().await?;
        Ok(may_arrive)
    }

    /// Goes on with all that was canceled and is not known to have ended, and with what is to be aborted.
    pub(super) fn resume_canceling(&self) {
        for journey in self.list() {
            if journey.stage == Stage::Canceling {
                self.begin_taking_back(journey.id);
            }
        }
    }

    /// One task at a time takes a journey back.
    fn begin_taking_back(&self, id: String) {
        if !self.taken_back_now().insert(id.clone()) {
            return;
        }
        let ingest = self.clone();
        self.0.runs.tasks.spawn(async move {
            // Stopped between two steps, never in the middle of one.
            while !ingest.is_taken_back(&id).await {
                tokio::select! {
                    () = tokio::time::sleep(ASK_EVERY) => {}
                    () = ingest.0.runs.stop.cancelled() => return,
                }
            }
        });
    }

    /// One step; where it was the last, another cancel begins anew.
    async fn is_taken_back(&self, id: &str) -> bool {
        let is_last = self.take_back(id).await;
        if is_last {
            let mut taken_back = self.taken_back_now();
            // It may have been canceled again since.
            let is_canceling = self.journey(id).is_ok_and(|journey| journey.stage == Stage::Canceling);
            if is_canceling {
                return false;
            }
            taken_back.remove(id);
        }
        is_last
    }

    fn taken_back_now(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.0.taking_back.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One step; answers whether it was the last.
    async fn take_back(&self, id: &str) -> bool {
        let Ok(journey) = self.journey(id) else { return true };
        if journey.stage != Stage::Canceling {
            return true;
        }
        if journey.undo.is_some() {
            if let Err(error) = self.go_through(id, false).await {
                tracing::warn!(id, %error, "a cancel could not be recorded");
            }
            return false;
        }
        let ended = match self.taken_back(&journey).await {
            Ok(TakenBack::Canceled { left }) => self.canceled(id, left).await,
            Ok(TakenBack::TooLate(video)) => self.was_too_late(id, *video).await,
            Ok(TakenBack::NotYet(notice)) if now_ms() - journey.stage_since > GIVEN_UP_AFTER_MS => {
                let message = format!("\"{}\" was canceled, and it is not known what became of it.", journey.title);
                let remedy = "Look at its video and its job; retry sends it again, under a new key.";
                self.needs_someone(id, Error::new(Code::Canceled, message, remedy).with_details(notice)).await;
                return true;
            }
            Ok(TakenBack::NotYet(notice)) => {
                self.0.journeys.show(id, |journey| journey.notice = Some(notice));
                return false;
            }
            Err(error) if error.code == Code::AccessDenied => {
                self.needs_someone(id, error).await;
                return true;
            }
            Err(error) => {
                let notice = format!("{} It is canceled when AWS answers.", error.message);
                self.0.journeys.show(id, |journey| journey.notice = Some(notice));
                return false;
            }
        };
        ended.inspect_err(|error| tracing::warn!(id, %error, "a canceled journey could not be recorded")).is_ok()
    }

    /// Asks what became of it, and takes back what can be.
    async fn taken_back(&self, journey: &Journey) -> Result<TakenBack> {
        if let Some((_, error)) =
            self.0.sending.uploader.clean_up().await?.into_iter().find(|(name, _)| sidecars::is_of(name, &journey.id))
        {
            return Err(error);
        }
        let Some(key) = &journey.key else { return Ok(TakenBack::Canceled { left: None }) };
        let is_there = journey.deleted_at.is_none() && self.0.pipeline.source.is_there(key, journey.size).await?;
        if !is_there && journey.deleted_at.is_none() && journey.guid.is_none() && journey.verified_at.is_none() {
            // A request whose bytes had all left when it was broken off may arrive still.
            let may_arrive = journey.may_arrive_until.is_some_and(|until| now_ms() < until);
            return Ok(match may_arrive {
                true => TakenBack::NotYet("Checking whether its last bytes had already arrived.".to_owned()),
                false => TakenBack::Canceled { left: None },
            });
        }
        if let Some(video) = self.video_of(journey).await? {
            return self.take_back_video(journey, video).await;
        }
        let mut deleted_at = journey.deleted_at.unwrap_or(journey.stage_since);
        if is_there {
            self.0.pipeline.source.delete(key).await?;
            deleted_at = now_ms();
            self.0.journeys.edit(&journey.id, |journey| journey.deleted_at = Some(deleted_at)).await?;
        }
        let may_begin_for =
            if self.0.pipeline.workspace.is_sandbox() { SANDBOX_MAY_BEGIN_FOR_MS } else { MAY_BEGIN_FOR_MS };
        Ok(match now_ms() - deleted_at < may_begin_for {
            true => TakenBack::NotYet(
                "Its file is deleted in S3. Checking whether its encode has already started.".to_owned(),
            ),
            false => TakenBack::Canceled { left: None },
        })
    }

    async fn take_back_video(&self, journey: &Journey, video: Video) -> Result<TakenBack> {
        if journey.guid.is_none() {
            let (guid, job) = (video.guid.clone(), video.job_id.clone());
            let know = |journey: &mut Journey| (journey.guid, journey.job_id) = (Some(guid), job);
            self.0.journeys.edit(&journey.id, know).await?;
        }
        let left = || {
            let guid = &video.guid;
            Some(format!("Its video {guid} stays in the catalog without a stream, and its file in the source bucket."))
        };
        match (&video.status, &video.job_id) {
            (Status::Complete, _) => Ok(TakenBack::TooLate(Box::new(video))),
            (Status::Error { .. }, _) => Ok(TakenBack::Canceled { left: left() }),
            (_, None) => {
                Ok(TakenBack::NotYet("Its video is being made: waiting for its job, to cancel it.".to_owned()))
            }
            (_, Some(id)) => match self.0.pipeline.jobs.get(id).await {
                // History lasts three months.
                Err(error) if error.code == Code::NotFound => Ok(TakenBack::Canceled { left: left() }),
                job => self.take_back_job(job?, left()).await,
            },
        }
    }

    async fn take_back_job(&self, job: Job, left: Option<String>) -> Result<TakenBack> {
        match job.state {
            State::Canceled | State::Error => Ok(TakenBack::Canceled { left }),
            State::Complete => Ok(TakenBack::NotYet("Too late: its encode has ended, it is being published.".into())),
            State::Submitted | State::Progressing => {
                // One that ended just now is refused, and looked at again.
                if let Err(error) = self.0.pipeline.jobs.cancel(&job.id).await
                    && matches!(error.code, Code::AccessDenied | Code::Network | Code::SignIn)
                {
                    return Err(error);
                }
                Ok(TakenBack::NotYet("Its job is being canceled.".to_owned()))
            }
        }
    }

    pub(super) async fn canceled(&self, id: &str, left: Option<String>) -> Result<()> {
        // It has ended: nothing of it can be undone.
        let end = |journey: &mut Journey| (journey.notice, journey.undo) = (left, None);
        if let Some(journey) = self.0.journeys.enter(id, Stage::Canceled, end).await? {
            self.propagate_outcome(&journey).await;
        }
        Ok(())
    }

    async fn was_too_late(&self, id: &str, video: Video) -> Result<()> {
        let too_late = |journey: &mut Journey| {
            (journey.guid, journey.job_id, journey.hls_url) = (Some(video.guid), video.job_id, video.hls_url);
            (journey.percent, journey.verified_at) = (Some(100), journey.verified_at.or_else(|| Some(now_ms())));
            journey.notice = Some("It was too late to cancel it.".to_owned());
        };
        if let Some(journey) = self.0.journeys.enter(id, Stage::Playable, too_late).await? {
            self.propagate_outcome(&journey).await;
        }
        Ok(())
    }

    /// The video of a journey, if the catalog has one by now.
    pub(super) async fn video_of(&self, journey: &Journey) -> Result<Option<Video>> {
        if let Some(guid) = &journey.guid {
            return match self.0.pipeline.catalog.video(guid).await {
                Err(error) if error.code == Code::NotFound => Ok(None),
                found => found.map(Some),
            };
        }
        let videos = self.0.pipeline.catalog.since(journey.looked_for_from()).await?;
        Ok(videos.into_iter().find(|video| video.src_video.is_some() && video.src_video == journey.key))
    }

    /// Works off what could not be aborted, until [`Ingest::stop`].
    pub async fn clean_up(&self) {
        loop {
            match self.0.sending.uploader.clean_up().await {
                Ok(left) => left.iter().for_each(|(name, error)| self.tell_of_rest(name, error)),
                Err(error) => tracing::warn!(%error, "what is to be aborted could not be read"),
            }
            tokio::select! {
                () = tokio::time::sleep(CLEAN_UP_EVERY) => {}
                () = self.0.taking_back.due.notified() => {}
                () = self.0.runs.stop.cancelled() => return,
            }
        }
    }

    /// Says at an ended journey that S3 still holds parts of it.
    fn tell_of_rest(&self, name: &str, error: &Error) {
        let id = name.split('/').next().unwrap_or(name);
        self.0.journeys.show(id, |journey| {
            if !journey.stage.is_open() {
                journey.notice =
                    Some(format!("S3 still holds parts of it: {} They are removed when it answers.", error.message));
            }
        });
    }
}

/// How often S3 is told again of what it could not be told.
const CLEAN_UP_EVERY: Duration = Duration::from_secs(30);
