//! Changing what admins say of videos: one, or many with the same patch. Each change is in the log of this computer before it
//! is written, goes on after a kill, and can be undone for a day.

mod exchange;
mod log;
mod patch;
mod purging;
mod run;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use ts_rs::TS;

pub use self::exchange::{Exported, ImportPreview, ImportProblem};
pub use self::log::EditLogEntry;
pub(crate) use self::log::forget_edits;
use self::log::{EditLog, Work};
pub use self::patch::VideoPatch;
pub use self::run::{EditOutcome, EditResult, EditSummary};
use super::details::FieldChange;
use super::mirror::MOST_LETTERS;
use super::purge::{Edge, Purger};
use super::write::{Author, Written};
use super::{Catalog, CatalogSync, Guid, Video, VideoDetails, VideoField, VideoQuery, VideoSummary};
use crate::aws::Aws;
use crate::changes::Changes;
use crate::clock::now_ms;
use crate::store::{Store, WorkspaceStore};
use crate::workspace::Workspace;
use crate::{Code, Error, Result};

/// How long a change waits to learn who makes it.
const PATIENCE: Duration = Duration::from_secs(3);
/// Videos that are read of the mirror at once.
const PAGE: usize = 1_000;
/// How often a write is tried where others keep writing the same video.
const TRIES: u32 = 5;

/// What this room tells.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Videos were changed here.
    Edited,
    /// A change of many has ended.
    Ended { of: usize, done: usize, failed: usize },
}

/// Which videos are meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum VideoSelection {
    /// Those of these keys.
    These {
        /// Their keys.
        guids: Vec<Guid>,
    },
    /// All that a query finds in the mirror.
    Matching {
        /// The query.
        query: VideoQuery,
    },
}

/// What a patch would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EditPreview {
    /// Videos that are meant.
    pub videos: usize,
    /// Those of them that it would change.
    pub changed: usize,
    /// Fields that would change, over all of them.
    pub changes: usize,
    /// The first of them that would change, and how.
    pub samples: Vec<EditSample>,
    /// What is the same of all of them now.
    pub common: VideoDetails,
    /// What is not.
    pub mixed: Vec<VideoField>,
    /// Videos that were named and that nobody knows.
    pub unknown: usize,
    /// Videos that cannot be changed like this.
    pub refused: usize,
    /// The first of them, and why.
    pub refusal: Option<Error>,
}

/// How a patch would change one video.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EditSample {
    /// Which one.
    pub guid: Guid,
    /// What it is called now.
    pub title: String,
    /// How it would change.
    pub changes: Vec<FieldChange>,
}

/// What became of a video that was saved from its page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Saved {
    /// It is saved.
    Saved {
        /// As it is now.
        video: Box<Video>,
        /// The run, to undo it by; none where nothing had to change.
        run: Option<String>,
    },
    /// Someone else changed the same fields since they were read; nothing is saved.
    Conflict {
        /// As it is now.
        video: Box<Video>,
        /// The fields that both changed: what was read, and what is there now.
        theirs: Vec<FieldChange>,
    },
}

/// Changes what admins say of the videos of one workspace; cheap to clone.
#[derive(Clone)]
pub struct Editor {
    catalog: Catalog,
    sync: CatalogSync,
    log: EditLog,
    sts: aws_sdk_sts::Client,
    /// Who they are, once AWS has told.
    caller: Arc<OnceCell<String>>,
    /// Held while many are changed: one process at a time does.
    lock: PathBuf,
    changes: Changes<Change>,
    purger: Purger,
}

impl Editor {
    pub(crate) fn new(
        catalog: Catalog,
        sync: CatalogSync,
        aws: &Aws,
        store: Store,
        workspace: &Workspace,
        changes: Changes<Change>,
    ) -> Self {
        let lock = sync.beside("edit.lock");
        let log = EditLog(WorkspaceStore::of(store, &workspace.name));
        let destination_bucket = workspace.destination_bucket.clone();
        let edge = Edge::new(aws.cloudfront.clone(), workspace);
        let purger = Purger { catalog: catalog.clone(), s3: aws.s3.clone(), destination_bucket, edge };
        Self { catalog, sync, log, sts: aws.sts.clone(), caller: Arc::default(), lock, changes, purger }
    }

    /// Saves the changes of one video, all or none. What others changed in other fields stays; where they changed the same
    /// ones, nothing is saved.
    ///
    /// # Errors
    /// When a field cannot have its value, or the table cannot be written.
    pub async fn save(&self, guid: &Guid, changes: Vec<FieldChange>) -> Result<Saved> {
        let (video, theirs) = self.compare(guid, &changes).await?;
        if !theirs.is_empty() {
            return Ok(Saved::Conflict { video: Box::new(video), theirs });
        }
        let summary = self.run_one("edit", &video.title, guid, Work::Fields(changes.clone())).await?;
        match summary.last {
            Some(EditOutcome::Failed { error }) => Err(error),
            Some(EditOutcome::Aside) => {
                let (video, theirs) = self.compare(guid, &changes).await?;
                Ok(Saved::Conflict { video: Box::new(video), theirs })
            }
            Some(EditOutcome::Unchanged) | None => Ok(Saved::Saved { video: Box::new(video), run: None }),
            Some(EditOutcome::Done) => {
                let video = Box::new(self.catalog.video(guid).await?);
                Ok(Saved::Saved { video, run: Some(summary.run) })
            }
        }
    }

    /// The video as it is, and which of these fields someone else has changed since.
    async fn compare(&self, guid: &Guid, changes: &[FieldChange]) -> Result<(Video, Vec<FieldChange>)> {
        let video = self.catalog.video(guid).await?;
        if self.sync.renew(std::slice::from_ref(&video)).await? > 0 {
            // The list shows what the page is asked about.
            self.changes.tell(Change::Edited);
        }
        let theirs = changes.iter().filter_map(|change| {
            let now = video.details.get(&change.field);
            // What both want is no conflict.
            let is_theirs = now != change.before && now != change.after;
            is_theirs.then(|| FieldChange { field: change.field.clone(), before: change.before.clone(), after: now })
        });
        let theirs = theirs.collect();
        Ok((video, theirs))
    }

    /// What a patch would do, as far as the mirror knows.
    ///
    /// # Errors
    /// When the mirror cannot be read.
    pub async fn preview(&self, selection: VideoSelection, patch: &VideoPatch) -> Result<EditPreview> {
        const SAMPLES: usize = 5;
        /// Tags may be of any name.
        const MOST_MIXED: usize = 200;
        let mut preview = EditPreview {
            videos: 0,
            changed: 0,
            changes: 0,
            samples: Vec::new(),
            common: VideoDetails::default(),
            mixed: Vec::new(),
            unknown: 0,
            refused: 0,
            refusal: None,
        };
        let (mut number, now, mut mixed) = (0, now_ms(), BTreeSet::new());
        let guids = self.selected(selection).await?;
        let named = guids.len();
        self.each(VideoSelection::These { guids }, |videos| {
            for video in videos {
                number += 1;
                preview.videos += 1;
                if number == 1 {
                    preview.common = video.details.clone();
                }
                // Behind what the mirror has of a long one they may differ.
                let is_cut =
                    video.details.description.as_ref().is_some_and(|text| text.chars().count() >= MOST_LETTERS);
                mixed.extend(is_cut.then_some(VideoField::Description));
                let differs = preview.common.changes_to(&video.details).into_iter().map(|change| change.field);
                mixed.extend(differs);
                if mixed.len() > MOST_MIXED {
                    mixed.retain(|field| !matches!(field, VideoField::Tag(_)));
                    preview.common.tags.clear();
                }
                match patch.changes(&patch::Subject::from(&video), number, now) {
                    Ok(changes) if changes.is_empty() => {}
                    Ok(changes) => {
                        preview.changed += 1;
                        preview.changes += changes.len();
                        if preview.samples.len() < SAMPLES {
                            preview.samples.push(EditSample { guid: video.guid, title: video.title, changes });
                        }
                    }
                    Err(error) => {
                        preview.refused += 1;
                        let what = format!("\"{}\": {}", video.title, error.message);
                        preview.refusal.get_or_insert(Error { message: what, ..error });
                    }
                }
            }
            Ok(())
        })
        .await?;
        preview.unknown = named.saturating_sub(preview.videos);
        for field in &mixed {
            preview.common.assign(field, None, true)?;
        }
        preview.mixed = mixed.into_iter().collect();
        Ok(preview)
    }

    /// The keys of the selected videos, in their order.
    async fn selected(&self, selection: VideoSelection) -> Result<Vec<Guid>> {
        match selection {
            VideoSelection::These { guids } => Ok(guids),
            // At one moment: what comes meanwhile would move the others.
            VideoSelection::Matching { query } => self.sync.mirror().await?.keys(query).await,
        }
    }

    /// The selected videos as the mirror has them, some at a time, in their order.
    async fn each(
        &self,
        selection: VideoSelection,
        mut take: impl FnMut(Vec<VideoSummary>) -> Result<()>,
    ) -> Result<()> {
        let mirror = self.sync.mirror().await?;
        for some in self.selected(selection).await?.chunks(PAGE) {
            take(mirror.by_keys(some.to_vec()).await?)?;
        }
        Ok(())
    }

    /// The newest runs, before one where one is named.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn log(&self, before: Option<i64>, most: usize) -> Result<Vec<EditLogEntry>> {
        self.log.newest(before, None, most).await
    }

    /// The newest runs that changed one video.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn history(&self, guid: &Guid, most: usize) -> Result<Vec<EditLogEntry>> {
        self.log.newest(None, Some(guid.clone()), most).await
    }

    /// Why the videos cannot be changed, where the credentials may not; none where they may, or where nobody knows.
    pub async fn why_not_edit(&self) -> Option<Error> {
        match self.catalog.may_write().await {
            Err(error) if error.code == Code::AccessDenied => Some(error),
            _ => None,
        }
    }

    /// Who changes something, and when.
    async fn author(&self) -> Author {
        let ask = || async {
            let asked = tokio::time::timeout(PATIENCE, self.sts.get_caller_identity().send()).await;
            asked.map_err(drop)?.map_err(drop).and_then(|caller| caller.arn.ok_or(()))
        };
        // Without an answer it is asked again at the next change.
        let who = self.caller.get_or_try_init(ask).await.cloned().unwrap_or_else(|()| "not known".to_owned());
        Author { who, at: now_ms() }
    }
}

pub(super) fn not_found(guid: &Guid) -> Error {
    Error::new(Code::NotFound, format!("The catalog has no video {guid}."), "It may have been removed by someone else.")
}
