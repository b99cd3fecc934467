//! Keeping the mirror true. The whole table is read once, in segments, and again and again at a pace that costs little: that
//! finds what others delete and edit. What is new comes from the index by time, what is open or in sight by its keys.

mod state;
mod sweep;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::{OnceCell, watch};
use ts_rs::TS;

use super::{Catalog, Guid, Mirror, Video, VideoSummary};
use crate::clock::now_ms;
use crate::connection::Connection;
use crate::store::copy_in;
use crate::workspace::Workspace;
use crate::{Code, Result};

/// Pages of the newest videos that are read at a look, at most: more are found by the reading of the whole table.
const MOST_PAGES: usize = 100;
/// An item may come into the index so much later than it began, in milliseconds.
const LATE_MS: i64 = 60_000;
/// The newest videos, and the open ones, that are read at each look.
const NEWEST: i32 = 100;
const OPEN_ONES: u32 = 100;

/// How far the first reading of a table has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Filling {
    /// Videos that were read.
    pub read: usize,
    /// Videos that there are, as DynamoDB guesses.
    pub estimated: usize,
}

/// How old the mirror is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MirrorAge {
    /// When the newest videos were read, in milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub read_at: Option<i64>,
    /// When the last reading of all of the table began that came to its end, in milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub swept_at: Option<i64>,
}

/// Keeps the mirror of one table true; cheap to clone.
#[derive(Clone)]
pub struct CatalogSync {
    catalog: Catalog,
    file: PathBuf,
    /// Which table it is of.
    of: String,
    mirror: Arc<OnceCell<Mirror>>,
    /// How many wait for a whole reading: the one in the background makes way.
    urgent: Arc<watch::Sender<usize>>,
}

impl CatalogSync {
    /// Of this catalog, in this folder; its file is opened when it is first wanted.
    #[must_use]
    pub fn new(catalog: Catalog, workspace: &Workspace, folder: &Path) -> Self {
        let Connection { region, endpoint, .. } = &workspace.connection;
        let of = format!("{} {region} {}", endpoint.as_deref().unwrap_or_default(), workspace.table);
        Self {
            catalog,
            file: copy_in(folder, &workspace.name),
            of,
            mirror: Arc::default(),
            urgent: Arc::new(watch::Sender::new(0)),
        }
    }

    /// What it keeps.
    ///
    /// # Errors
    /// When its file cannot be made.
    pub async fn mirror(&self) -> Result<&Mirror> {
        self.mirror.get_or_try_init(|| Mirror::open(&self.file, &self.of, &self.catalog.source_bucket)).await
    }

    /// The newest videos, those that the pipeline has not finished, and others that are looked at just now, as the table has
    /// them. Those that are gone are let go of.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn look(&self, in_sight: &[Guid]) -> Result<Vec<Video>> {
        let mut videos = self.newest().await?;
        let mut wanted = self.mirror().await?.open_ones(OPEN_ONES).await?;
        wanted.extend_from_slice(in_sight);
        wanted.sort_unstable();
        wanted.dedup();
        wanted.retain(|guid| !videos.iter().any(|video| video.guid == *guid));
        let found = match self.catalog.by_keys(&wanted).await {
            // The newest are known all the same.
            Err(error) if error.code == Code::AccessDenied => return Ok(videos),
            found => found?,
        };
        wanted.retain(|guid| !found.iter().any(|video| video.guid == *guid));
        self.mirror().await?.remove(wanted).await?;
        videos.extend(found);
        Ok(videos)
    }

    /// The newest videos, as far back as they were seen before.
    async fn newest(&self) -> Result<Vec<Video>> {
        let before = self.state().await?.newest_at.map(|at| at - LATE_MS);
        let is_known = |video: &Video| video.started_at.zip(before).is_some_and(|(at, before)| at <= before);
        let (mut videos, mut next) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let page = self.catalog.page(next, NEWEST).await?;
            // All of a page: times of version 4 of the pipeline are sorted before those of the same day of today's.
            let is_last = page.videos.iter().all(is_known);
            videos.extend(page.videos);
            next = page.next;
            // What was never looked at is read by the first reading of the table.
            if before.is_none() || is_last || next.is_none() {
                break;
            }
        }
        Ok(videos)
    }

    /// Takes what was seen at a look; answers how many are new or changed.
    ///
    /// # Errors
    /// When the mirror cannot be written.
    pub async fn take(&self, videos: &[Video]) -> Result<usize> {
        let state = self.state().await?;
        let now = now_ms();
        // A time that is yet to come would hide what begins until then.
        let newest_at = videos.iter().filter_map(|video| video.started_at).filter(|at| *at <= now).max();
        // Without an index only some of the videos were looked at.
        let read_at = self.catalog.has_index().then(|| ("read_at".to_owned(), now.to_string()));
        let mut states: Vec<_> = read_at.into_iter().collect();
        states.extend(newest_at.max(state.newest_at).map(|at| ("newest_at".to_owned(), at.to_string())));
        self.mirror().await?.put(videos.iter().map(VideoSummary::from).collect(), state.sweep, states).await
    }

    /// Takes these videos into the mirror, as they are now; those that are gone are let go of.
    pub(crate) async fn see(&self, guids: &[Guid]) -> Result<()> {
        let guids: BTreeSet<_> = guids.iter().cloned().collect();
        let guids: Vec<_> = guids.into_iter().collect();
        let found = self.catalog.by_keys(&guids).await?;
        let gone = guids.iter().filter(|guid| !found.iter().any(|video| video.guid == **guid));
        self.mirror().await?.remove(gone.cloned().collect()).await?;
        self.renew(&found).await.map(drop)
    }

    /// Takes videos as they were read of the table just now; answers how many were new or changed.
    pub(super) async fn renew(&self, videos: &[Video]) -> Result<usize> {
        let sweep = self.state().await?.sweep;
        self.mirror().await?.put_now(videos.iter().map(VideoSummary::from).collect(), sweep).await
    }

    /// A file of this name's ending beside the mirror's.
    pub(super) fn beside(&self, ending: &str) -> PathBuf {
        self.file.with_extension(ending)
    }

    /// How old the mirror is.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn age(&self) -> Result<MirrorAge> {
        let state::State { read_at, swept_at, .. } = self.state().await?;
        // Who reads all of it reads the newest, too.
        Ok(MirrorAge { read_at: read_at.max(swept_at), swept_at })
    }
}

/// Removes the mirror of a workspace.
pub(crate) fn forget(folder: &Path, workspace: &str) {
    crate::store::remove_copy(&copy_in(folder, workspace));
}
