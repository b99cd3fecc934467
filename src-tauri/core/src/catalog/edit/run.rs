//! Working a run off: each video is read, compared and written, some at a time. What is left after a stop, a kill or a lost
//! connection goes on from there.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::time::Duration;

use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use ts_rs::TS;

use super::log::{Line, NewLine, Work};
use super::patch::{Subject, VideoPatch};
use super::{Author, Change, Editor, Guid, TRIES, VideoSelection, Written, not_found};
use crate::catalog::details::{FieldChange, VideoDetails};
use crate::catalog::{Status, Video};
use crate::files::lock_file;
use crate::{Code, Error, Result};

/// Videos that are written at the same time.
pub(super) const AT_ONCE: usize = 8;
/// Lines that are read of the log at once.
const LINES: u32 = 500;
/// So many take long enough to look elsewhere meanwhile.
const MANY: usize = 20;
/// The wait where AWS asks to slow down, and the longest one.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// How long someone waits who changes one video: AWS may keep asking to slow down.
const SAVED_WITHIN: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// What became of one video.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum EditOutcome {
    /// It was changed.
    Done,
    /// It was so already.
    Unchanged,
    /// Someone else changed it since it was read: it was left as it is.
    Aside,
    /// It could not be changed.
    Failed {
        /// Why.
        error: Error,
    },
}

/// What became of one video, and which one it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EditResult {
    /// Its key.
    pub guid: Guid,
    /// What it is called.
    pub title: String,
    /// How it ended.
    pub outcome: EditOutcome,
}

/// What became of all of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EditSummary {
    /// The run, to undo or resume it by.
    pub run: String,
    /// All that were meant.
    pub of: usize,
    /// Changed.
    pub done: usize,
    /// They were so already.
    pub unchanged: usize,
    /// Changed by someone else since they were read, and left as they are.
    pub aside: usize,
    /// They could not be changed.
    pub failed: usize,
    /// Their turn has not come: it was stopped, or broke off.
    pub left: usize,
    /// Those that may go well at another try, as they are then.
    pub retriable: usize,
    /// Whether what was changed can be undone.
    pub can_be_undone: bool,
    /// Why it broke off.
    pub error: Option<Error>,
    /// How the last of them ended.
    #[serde(skip)]
    pub(super) last: Option<EditOutcome>,
}

/// A run that is worked off.
pub(super) struct Running<'a> {
    pub run: &'a str,
    pub author: &'a Author,
    pub stop: &'a CancellationToken,
}

impl Editor {
    /// Changes the selected videos alike, and tells of each as it is done. Those that someone else changed since the mirror saw
    /// them are set aside, unless `force` takes them as they are now.
    ///
    /// # Errors
    /// When a field cannot have its value, or the store cannot be used; what goes wrong with one of them is told of that one.
    pub async fn edit(
        &self,
        selection: VideoSelection,
        patch: VideoPatch,
        force: bool,
        stop: &CancellationToken,
        tell: impl Fn(&EditResult),
    ) -> Result<EditSummary> {
        let mut known = HashMap::new();
        let guids = self.selected(selection).await?;
        for some in guids.chunks(super::PAGE) {
            let videos = self.sync.mirror().await?.by_keys(some.to_vec()).await?;
            known.extend(videos.into_iter().map(|video| {
                let version = self.catalog.version(video.revision, &video.details);
                (video.guid, (video.title, version))
            }));
        }
        let mut seen = HashSet::new();
        // Each once; what the mirror does not know yet may be there all the same.
        let guids = guids.into_iter().filter(|guid| seen.insert(guid.clone()));
        let line = |guid: Guid| {
            let (title, revision) = known.remove(&guid).unzip();
            let expected = revision.filter(|_| !force);
            NewLine { title: title.unwrap_or_else(|| guid.to_string()), guid, expected, work: None, undoes: None }
        };
        let lines = guids.map(line).collect();
        self.begin(patch.name(), Some(Work::Patch(patch)), lines, stop, tell).await
    }

    /// Undoes what a run did, where nobody has changed the same fields since.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is nothing to undo; otherwise as [`Editor::edit`].
    pub async fn undo(&self, run: &str, stop: &CancellationToken, tell: impl Fn(&EditResult)) -> Result<EditSummary> {
        let lines = self.log.undoable(run).await?;
        if lines.is_empty() {
            let what = "There is nothing to undo: it was undone, nothing was changed, or a day has passed.";
            return Err(Error::new(Code::NotFound, what, "Change the videos by hand."));
        }
        let line = |line: super::log::DoneLine| NewLine {
            guid: line.guid,
            title: line.title,
            expected: None,
            work: Some(Work::Fields(line.changes.into_iter().map(FieldChange::inverse).collect())),
            undoes: Some(line.id),
        };
        self.begin("undo", None, lines.into_iter().map(line).collect(), stop, tell).await
    }

    /// Goes on with a run that was stopped or broke off; `again` also tries those that failed or were set aside.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is no such run; otherwise as [`Editor::edit`].
    pub async fn resume(
        &self,
        run: &str,
        again: bool,
        stop: &CancellationToken,
        tell: impl Fn(&EditResult),
    ) -> Result<EditSummary> {
        let of = self.log.run(run).await?.ok_or_else(|| {
            Error::new(Code::NotFound, format!("There is no change {run} here."), "List them: reelctl videos changes.")
        })?;
        let _lock = self.lock().await?;
        if again {
            self.log.retry(run).await?;
        }
        self.work_off(run, of, &self.author().await, stop, tell).await
    }

    /// Gives up what is left of a run.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn give_up(&self, run: &str) -> Result<()> {
        let _lock = self.lock().await?;
        self.log.give_up(run).await
    }

    /// One video, which is no reason to wait for a run of many.
    pub(super) async fn run_one(&self, what: &str, title: &str, guid: &Guid, work: Work) -> Result<EditSummary> {
        let (author, stop) = (self.author().await, CancellationToken::new());
        let line =
            NewLine { guid: guid.clone(), title: title.to_owned(), expected: None, work: Some(work), undoes: None };
        let run = self.log.begin(&author, what, None, vec![line]).await?;
        let work = self.work_off(&run, 1, &author, &stop, |_| {});
        tokio::pin!(work);
        let summary = tokio::select! {
            summary = &mut work => summary?,
            () = tokio::time::sleep(SAVED_WITHIN) => {
                stop.cancel();
                work.await?
            }
        };
        if stop.is_cancelled() && summary.last.is_none() && summary.error.is_none() {
            self.log.give_up(&run).await?;
            let what = format!("AWS did not take the change of \"{title}\" within {} seconds.", SAVED_WITHIN.as_secs());
            return Err(Error::new(Code::Throttled, what, "Look at the video, and try again in a moment."));
        }
        match summary.error.clone() {
            Some(error) => {
                // Nobody would look for it there.
                self.log.give_up(&run).await?;
                Err(error)
            }
            None => Ok(summary),
        }
    }

    pub(super) async fn begin(
        &self,
        what: &str,
        work: Option<Work>,
        lines: Vec<NewLine>,
        stop: &CancellationToken,
        tell: impl Fn(&EditResult),
    ) -> Result<EditSummary> {
        let of = lines.len();
        if of == 0 {
            return Ok(EditSummary::default());
        }
        let _lock = if of > 1 { Some(self.lock().await?) } else { None };
        let author = self.author().await;
        let run = self.log.begin(&author, what, work.as_ref(), lines).await?;
        self.work_off(&run, of, &author, stop, tell).await
    }

    /// The right to change many.
    async fn lock(&self) -> Result<File> {
        lock_file(&self.lock, || {
            let what = "Another change of many videos is still running.";
            Error::new(Code::InUse, what, "Wait until it ends, or stop it.")
        })
        .await
    }

    async fn work_off(
        &self,
        run: &str,
        of: usize,
        author: &Author,
        stop: &CancellationToken,
        tell: impl Fn(&EditResult),
    ) -> Result<EditSummary> {
        let running = Running { run, author, stop };
        let mut summary = EditSummary { run: run.to_owned(), of, ..EditSummary::default() };
        let (mut behind, mut is_proved) = (0, false);
        loop {
            let lines = self.log.waiting(run, behind, LINES).await?;
            let Some(last) = lines.last() else { break };
            behind = last.position;
            if matches!(last.work, Work::Purge(_)) && !std::mem::replace(&mut is_proved, true) {
                self.prove_alone(stop).await?;
            }
            // One by one where files are deleted: whether another one needs them changes with each.
            let at_once = if matches!(last.work, Work::Purge(_)) { 1 } else { AT_ONCE };
            let mut done = futures::stream::iter(lines).map(|line| self.one(&running, line)).buffer_unordered(at_once);
            while let Some(ended) = done.next().await {
                match ended? {
                    Ended::Told(result) => {
                        tell(&result);
                        summary.last = Some(result.outcome);
                    }
                    Ended::Left(error) => {
                        if summary.error.is_none() && error.is_some() {
                            summary.error = error;
                            stop.cancel();
                        }
                    }
                }
            }
            if stop.is_cancelled() {
                break;
            }
        }
        // All of the run, also what was done before it was broken off.
        let counts = self.log.counts(run).await?;
        (summary.done, summary.unchanged, summary.aside) = (counts.done, counts.unchanged, counts.aside);
        (summary.failed, summary.left, summary.retriable) = (counts.failed, counts.left, counts.retriable);
        summary.can_be_undone = counts.can_be_undone;
        self.changes.tell(Change::Edited);
        if of >= MANY {
            let (done, failed) = (counts.done + counts.unchanged, counts.failed + counts.aside);
            self.changes.tell(Change::Ended { of, done, failed });
        }
        Ok(summary)
    }

    async fn one(&self, running: &Running<'_>, mut line: Line) -> Result<Ended> {
        let mut wait = FIRST_WAIT;
        let outcome = loop {
            if running.stop.is_cancelled() {
                return Ok(Ended::Left(None));
            }
            match self.change(running, &mut line).await {
                Ok(outcome) => break outcome,
                // It is not the video's fault.
                Err(error) if error.code == Code::Throttled => {
                    tokio::select! {
                        () = tokio::time::sleep(wait.mul_f64(fastrand::f64() + 0.5)) => {}
                        () = running.stop.cancelled() => {}
                    }
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
                Err(error) if error.code == Code::Canceled => return Ok(Ended::Left(None)),
                Err(error) if matches!(error.code, Code::Network | Code::SignIn | Code::AccessDenied | Code::Clock) => {
                    return Ok(Ended::Left(Some(error)));
                }
                Err(error) => break EditOutcome::Failed { error },
            }
        };
        self.log.end(line.id, line.undoes, &outcome).await?;
        let Line { guid, title, .. } = line;
        Ok(Ended::Told(EditResult { guid, title, outcome }))
    }

    async fn change(&self, running: &Running<'_>, line: &mut Line) -> Result<EditOutcome> {
        if let Work::Purge(ticked) = &line.work {
            return self.purge_one(running, line, ticked).await;
        }
        let Line { id, guid, position, expected, work, writing, undoes, .. } = line;
        for _ in 0..TRIES {
            let Some(item) = self.catalog.item(guid).await? else {
                self.sync.mirror().await?.remove(vec![guid.clone()]).await?;
                return Err(not_found(guid));
            };
            let video = self.catalog.read(&item).ok_or_else(|| not_found(guid))?;
            if writing.as_ref().is_some_and(|changes| is_so(&video.details, changes)) {
                // It was written, and nobody heard of it: the answer was lost, or the app was killed.
                self.sync.renew(std::slice::from_ref(&video)).await?;
                return Ok(EditOutcome::Done);
            }
            let version = self.catalog.version(video.revision, &video.details);
            let changes = match work {
                Work::Patch(_) if expected.is_some_and(|expected| expected != version) => {
                    // The next try is on what is there now.
                    self.sync.renew(std::slice::from_ref(&video)).await?;
                    return Ok(EditOutcome::Aside);
                }
                Work::Patch(patch) => patch.changes(&Subject::from(&video), *position, running.author.at)?,
                Work::Purge(_) => Vec::new(),
                Work::Fields(changes) => match left_of(&video.details, changes, undoes.is_some())? {
                    Some(changes) => changes,
                    None => {
                        self.sync.renew(std::slice::from_ref(&video)).await?;
                        return Ok(EditOutcome::Aside);
                    }
                },
            };
            if video.purge_began.is_some() {
                let what = format!("\"{}\" is being deleted for good: a part of it is gone.", video.title);
                return Err(Error::new(
                    Code::InUse,
                    what,
                    "Go on with that: under Activity, or reelctl videos resume.",
                ));
            }
            if changes.is_empty() {
                self.sync.renew(std::slice::from_ref(&video)).await?;
                return Ok(EditOutcome::Unchanged);
            }
            self.log.writing(*id, &changes).await?;
            let changes = &*writing.insert(changes);
            let is_ended = video.is_stuck || self.was_canceled(&video).await?;
            match self.catalog.write(guid, &item, changes, running.author, is_ended).await? {
                Written::Done(video) => {
                    self.sync.renew(std::slice::from_ref(&*video)).await?;
                    tracing::info!(
                        run = running.run,
                        guid = guid.as_str(),
                        fields = changes.len(),
                        "a video was changed"
                    );
                    return Ok(EditOutcome::Done);
                }
                Written::Overtaken => {}
            }
        }
        Ok(EditOutcome::Aside)
    }
}

impl Editor {
    /// Whether its job was canceled, which its item never says.
    async fn was_canceled(&self, video: &Video) -> Result<bool> {
        if video.status != Status::Encoding {
            return Ok(false);
        }
        let known = self.sync.mirror().await?.by_keys(vec![video.guid.clone()]).await?;
        Ok(known.iter().any(|known| known.status == Status::Canceled))
    }
}

/// How the turn of a line ended.
enum Ended {
    Told(EditResult),
    /// It waits still, perhaps because of this.
    Left(Option<Error>),
}

/// Whether all of it is so.
fn is_so(details: &VideoDetails, changes: &[FieldChange]) -> bool {
    changes.iter().all(|change| details.get(&change.field) == change.after)
}

/// What of it is left to be done; none where someone else has changed one of the fields. What is undone gets back what it had,
/// whatever it was.
fn left_of(details: &VideoDetails, changes: &[FieldChange], is_undo: bool) -> Result<Option<Vec<FieldChange>>> {
    for change in changes {
        let now = details.get(&change.field);
        if now != change.before && now != change.after {
            return Ok(None);
        }
    }
    let mut after = details.clone();
    for change in changes {
        after.assign(&change.field, change.after.as_deref(), is_undo)?;
    }
    if !is_undo {
        after.check_times_of(changes.iter().map(|change| &change.field))?;
    }
    Ok(Some(details.changes_to(&after)))
}
