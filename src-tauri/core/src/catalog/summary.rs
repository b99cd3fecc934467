//! What lists show of a video, and what they are filtered by.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Guid, Status, Video, VideoDetails};

/// What a list shows of a video. The whole item is read when a video is opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VideoSummary {
    /// Its key.
    pub guid: Guid,
    /// What the admin calls it, or the name of its source.
    pub title: String,
    /// What admins say of it; long descriptions are cut, and what goes with it is left out.
    pub details: VideoDetails,
    /// How often they have changed that.
    #[ts(type = "number")]
    pub revision: i64,
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
    /// Pixels of the source.
    pub width: Option<u32>,
    /// Pixels of the source.
    pub height: Option<u32>,
    /// Whether what was made is shorter than the source by more than containers differ.
    pub is_shorter: bool,
    /// Whether the pipeline has worked on it for longer than any job takes, as it was read.
    pub is_stuck: bool,
    /// Whether there is a playlist.
    pub has_stream: bool,
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
    /// Addresses of outputs that are not in a folder of the video's own.
    pub outputs_elsewhere: Vec<String>,
    /// A picture behind the CDN.
    pub thumbnail_url: Option<String>,
    /// The MediaConvert job.
    pub job_id: Option<String>,
    /// The name of the pipeline.
    pub workflow: Option<String>,
    /// The job template that was used.
    pub job_template: Option<String>,
}

impl From<&Video> for VideoSummary {
    fn from(video: &Video) -> Self {
        let video = video.clone();
        let own = format!("/{}/", video.guid);
        let outputs = video.outputs.into_iter().map(|output| output.url);
        Self {
            outputs_elsewhere: outputs.filter(|url| !url.contains(&own)).collect(),
            guid: video.guid,
            title: video.title,
            // They are read with the whole item.
            details: VideoDetails { sidecars: BTreeMap::new(), ..video.details },
            revision: video.revision,
            status: video.status,
            started_at: video.started_at,
            ended_at: video.ended_at,
            duration: video.duration,
            width: video.width,
            height: video.height,
            is_shorter: video.is_shorter,
            is_stuck: video.is_stuck,
            has_stream: video.hls_url.is_some(),
            has_captions: video.has_captions,
            is_hdr: video.is_hdr,
            src_bucket: video.src_bucket,
            src_video: video.src_video,
            source_size: video.source_size,
            source_checksum: video.source_checksum,
            thumbnail_url: video.thumbnail_url,
            job_id: video.job_id,
            workflow: video.workflow,
            job_template: video.job_template,
        }
    }
}

/// Where a video stands, without its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum StatusKind {
    /// The pipeline looks at the source.
    Ingest,
    /// It is being encoded, or waits for it.
    Encoding,
    /// It is done.
    Complete,
    /// A step failed.
    Error,
    /// Its job was canceled.
    Canceled,
    /// A word that is not the pipeline's.
    Other,
}

impl From<&Status> for StatusKind {
    fn from(status: &Status) -> Self {
        match status {
            Status::Ingest => Self::Ingest,
            Status::Encoding => Self::Encoding,
            Status::Complete => Self::Complete,
            Status::Error { .. } => Self::Error,
            Status::Canceled => Self::Canceled,
            Status::Other { .. } => Self::Other,
        }
    }
}

/// The lines of a picture, whichever way it is turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum VideoResolution {
    /// Under 720.
    Sd,
    /// From 720 on.
    Hd,
    /// From 1080 on.
    FullHd,
    /// From 2160 on.
    Uhd,
}

/// How long a video is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Length {
    /// Under a minute.
    UnderAMinute,
    /// Under ten minutes.
    UnderTenMinutes,
    /// Under an hour.
    UnderAnHour,
    /// An hour and more.
    AnHourAndMore,
}

impl Length {
    const ALL: [Self; 4] = [Self::UnderAMinute, Self::UnderTenMinutes, Self::UnderAnHour, Self::AnHourAndMore];

    /// The shortest one, and one that is longer than the longest, in seconds.
    pub(super) fn seconds(self) -> (f64, f64) {
        match self {
            Self::UnderAMinute => (f64::MIN, 60.0),
            Self::UnderTenMinutes => (60.0, 600.0),
            Self::UnderAnHour => (600.0, 3600.0),
            Self::AnHourAndMore => (3600.0, f64::INFINITY),
        }
    }

    fn of(seconds: f64) -> Self {
        Self::ALL.into_iter().find(|length| seconds < length.seconds().1).unwrap_or(Self::AnHourAndMore)
    }
}

/// Something that a list can be filtered by. Of those of one kind any is enough; each kind that is there is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(tag = "kind", content = "value", rename_all = "camelCase")]
pub enum Facet {
    /// Where it stands.
    Status(StatusKind),
    /// Whether what was made is shorter than its source.
    Shorter,
    /// Someone has to look at it: it failed, was canceled, is stuck, shorter than its source, or in a state that nobody knows.
    Attention,
    /// The pipeline has worked on it for longer than any job takes.
    Stuck,
    /// The lines of its picture.
    Resolution(VideoResolution),
    /// How long it is.
    Length(Length),
    /// A high dynamic range.
    Hdr,
    /// It has subtitles.
    Captions,
    /// Its source is in this bucket, which is not the workspace's.
    OtherBucket(String),
    /// The name of the pipeline.
    Workflow(String),
    /// The job template.
    Template(String),
    /// A tag: `name=value`.
    Tag(String),
    /// What viewers may see of it.
    Publication(Publication),
    /// It is in the trash: it is in no other list.
    Trashed,
}

/// Whether viewers may see a video, as admins have said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Publication {
    /// They may.
    Published,
    /// They may from a time on, or until one.
    Timed,
    /// They may not.
    Draft,
    /// Nobody has said.
    Unsaid,
}

impl Publication {
    fn of(details: &VideoDetails) -> Self {
        match details {
            VideoDetails { published: None, .. } => Self::Unsaid,
            VideoDetails { published: Some(false), .. } => Self::Draft,
            VideoDetails { publish_from: None, publish_until: None, .. } => Self::Published,
            _ => Self::Timed,
        }
    }
}

impl Facet {
    /// Those of a video of a workspace whose source bucket this is.
    #[must_use]
    pub fn of(video: &VideoSummary, source_bucket: &str) -> Vec<Self> {
        if video.details.trashed_at.is_some() {
            return vec![Self::Trashed];
        }
        let mut facets = vec![Self::Status(StatusKind::from(&video.status))];
        facets.push(Self::Publication(Publication::of(&video.details)));
        facets.extend(video.is_shorter.then_some(Self::Shorter));
        // Its job may have been found to be canceled since it was read.
        let is_stuck = video.is_stuck && matches!(video.status, Status::Ingest | Status::Encoding);
        facets.extend(is_stuck.then_some(Self::Stuck));
        let is_odd = matches!(video.status, Status::Error { .. } | Status::Canceled | Status::Other { .. });
        facets.extend((is_stuck || is_odd || video.is_shorter).then_some(Self::Attention));
        facets.extend(video.is_hdr.then_some(Self::Hdr));
        facets.extend(video.has_captions.then_some(Self::Captions));
        facets.extend(video.width.zip(video.height).map(|(width, height)| {
            Self::Resolution(match width.min(height) {
                ..720 => VideoResolution::Sd,
                720..1080 => VideoResolution::Hd,
                1080..2160 => VideoResolution::FullHd,
                2160.. => VideoResolution::Uhd,
            })
        }));
        facets.extend(video.duration.map(|seconds| Self::Length(Length::of(seconds))));
        let other = video.src_bucket.clone().filter(|bucket| bucket != source_bucket);
        facets.extend(other.map(Self::OtherBucket));
        facets.extend(video.workflow.clone().map(Self::Workflow));
        facets.extend(video.job_template.clone().map(Self::Template));
        facets.extend(
            video.details.tags.iter().take(MOST_TAGS).map(|(name, value)| Self::Tag(format!("{name}={value}"))),
        );
        facets
    }

    /// Whether another one is of its kind.
    pub(super) fn is_of_the_kind_of(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// Tags of one video that can be filtered by.
const MOST_TAGS: usize = 50;
