//! The catalog: videos in the DynamoDB table, of every generation of the pipeline, as one type.

mod details;
mod edit;
mod item;
mod mapping;
mod mediainfo;
mod mirror;
mod outputs;
mod past_edit;
mod preview;
mod purge;
mod query_text;
mod scan;
mod sidecars;
mod summary;
mod sync;
mod table;
mod write;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use self::details::{FieldChange, IN_TRASH_MS, VideoDetails, VideoField};
pub(crate) use self::edit::{Change, forget_edits};
pub use self::edit::{
    EditLogEntry, EditOutcome, EditPreview, EditResult, EditSample, EditSummary, Editor, Exported, ImportPreview,
    ImportProblem, Saved, VideoPatch, VideoSelection,
};
pub use self::item::Item;
pub(crate) use self::mirror::terms;
pub use self::mirror::{FacetCount, FoundVideos, Mirror, VideoCounts, VideoQuery, VideoSort};
pub use self::outputs::{Output, OutputKind};
pub use self::past_edit::PastEdit;
pub use self::preview::{FoundAttribute, TablePreview, preview_table};
pub use self::purge::{PurgeKind, PurgePart, PurgePlan, Purged};
pub(crate) use self::sidecars::{keys_beside, language_of};
pub use self::summary::{Facet, Length, Publication, StatusKind, VideoResolution, VideoSummary};
pub(crate) use self::sync::forget as forget_mirror;
pub use self::sync::{CatalogSync, Filling, MirrorAge};
pub use self::table::{Catalog, Cost, Cursor, Description, Page};

/// The key of a video.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
pub struct Guid(String);

impl Guid {
    /// A key of the table: 1 to 2,048 bytes.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        (1..=2048).contains(&text.len()).then_some(Self(text))
    }

    /// A new one, as the pipeline makes them (UUID version 4).
    #[must_use]
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().to_string())
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Guid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a video stands, as its item says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Status {
    /// `Ingest` without a job: the pipeline looks at the source.
    Ingest,
    /// `Ingest` with a job: it is being encoded or waits for it.
    Encoding,
    /// `Complete`.
    Complete,
    /// `Error`, with the step and what it said.
    Error {
        /// The step that failed.
        at: String,
        /// What it said, in one line.
        message: String,
    },
    /// `Ingest`, and its job was canceled: the pipeline does not write that.
    Canceled,
    /// A word that is not the pipeline's.
    Other {
        /// The word.
        word: String,
    },
}

/// One video.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Video {
    /// Its key.
    pub guid: Guid,
    /// What the admin calls it, or the name of its source.
    pub title: String,
    /// What admins say of it.
    pub details: VideoDetails,
    /// How often they have changed that.
    #[ts(type = "number")]
    pub revision: i64,
    /// When someone began to delete it for good, in milliseconds since the epoch: it cannot be restored.
    #[ts(type = "number | null")]
    pub purge_began: Option<i64>,
    /// Their newest changes, the last one first.
    pub edits: Vec<PastEdit>,
    /// What the pipeline made of it.
    pub outputs: Vec<Output>,
    /// The keys of the objects in the bucket of its source that go with it, and of those that admins took off it.
    pub sidecars: Vec<String>,
    /// Where it stands.
    pub status: Status,
    /// When the pipeline took it, in milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub started_at: Option<i64>,
    /// When it ended.
    #[ts(type = "number | null")]
    pub ended_at: Option<i64>,
    /// Seconds of the source.
    pub duration: Option<f64>,
    /// Seconds of what was made of it.
    pub made_duration: Option<f64>,
    /// Whether that is shorter than the source by more than containers differ.
    pub is_shorter: bool,
    /// Whether the pipeline has worked on it for longer than any job takes.
    pub is_stuck: bool,
    /// Pixels of the source.
    pub width: Option<u32>,
    /// Pixels of the source.
    pub height: Option<u32>,
    /// Whether subtitles are in the source, or go with it.
    pub has_captions: bool,
    /// Whether the source has a high dynamic range (PQ or HLG).
    pub is_hdr: bool,
    /// The bucket of the source.
    pub src_bucket: Option<String>,
    /// The key of the source.
    pub src_video: Option<String>,
    /// Bytes of its source, as Reeldesk sent it.
    #[ts(type = "number | null")]
    pub source_size: Option<u64>,
    /// The CRC-64/NVME of its source, in base64.
    pub source_checksum: Option<String>,
    /// The multivariant playlist behind the CDN.
    pub hls_url: Option<String>,
    /// MP4 files behind the CDN.
    pub mp4_urls: Vec<String>,
    /// A picture behind the CDN.
    pub thumbnail_url: Option<String>,
    /// The MediaConvert job.
    pub job_id: Option<String>,
    /// The name of the pipeline.
    pub workflow: Option<String>,
    /// The job template that was used.
    pub job_template: Option<String>,
    /// The container and the tracks of the source, in words; only where one video is read.
    pub media: Vec<String>,
    /// What a table of one's own has besides, by the names of its attributes.
    pub others: BTreeMap<String, String>,
}

/// A job of MediaConvert does not take longer, in milliseconds: what is not finished then is stuck.
const LONGEST_MS: i64 = 24 * 3_600_000;

impl Video {
    /// Whether what was made is shorter than its source by more than containers differ: then the source broke off, or a
    /// part of it could not be read. `source` is the source's length in seconds, as known elsewhere.
    #[must_use]
    pub fn is_shorter_than(&self, source: f64) -> bool {
        self.made_duration.is_some_and(|made| source - made > (source * 0.02).max(1.0))
    }

    /// Whether there is something to play.
    #[must_use]
    pub fn is_playable(&self) -> bool {
        self.status == Status::Complete && self.hls_url.is_some()
    }
}
