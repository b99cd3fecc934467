//! Ingest: the journey of one file from the disk to a playable stream. This is the one place that joins probe,
//! upload, encode and catalog.
//!
//! A journey is written to the store at every change of stage, and taken up again at the next start.

mod add;
mod announce;
mod batch;
mod cancel;
mod change;
mod check;
mod confirm;
mod conflict;
mod drive;
mod estimate;
mod follow;
mod journeys;
mod known;
mod limits;
mod naming;
mod probe;
mod queue;
mod runs;
mod send;
mod sidecars;
mod sign_in;
mod source;
mod sources;
mod steer;
mod take;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use self::batch::BatchSummary;
pub(crate) use self::change::Change;
pub(crate) use self::confirm::Confirmed;
pub use self::conflict::{Conflict, Resolution, Resolutions};
pub use self::drive::{Driving, Ingest};
pub(crate) use self::journeys::forget_workspace;
pub(crate) use self::limits::Pacer;
pub use self::limits::{Hours, Limits};
pub use self::naming::KEY_PREFIX;
pub(crate) use self::naming::title;
pub use self::probe::Media;
pub use self::probe::require_ffmpeg;
pub use self::sign_in::SignInNeed;
pub(crate) use self::sources::is_named_like_a_video;
pub use self::steer::JourneyCommand;
pub(crate) use self::steer::{queue_command, workspaces_on_their_way, workspaces_with_commands};
pub(crate) use self::take::Handover;
use crate::catalog::Guid;
use crate::{Code, Error};

/// Where a journey stands. The order is that of the way; only [`Stage::may_become`] says what follows what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Someone paused it; it waits to be resumed.
    Paused,
    /// The file is looked at.
    Checking,
    /// Others are sent first.
    Waiting,
    /// Its bytes are on their way.
    Sending,
    /// All bytes are there; S3 puts them together.
    Finalising,
    /// S3 holds exactly the file; the pipeline has not answered yet.
    Verified,
    /// The catalog has the video; its job waits.
    Queued,
    /// Its job is worked on.
    Encoding,
    /// It can be watched.
    Playable,
    /// It cannot go on alone; the error says why and what to do.
    NeedsYou,
    /// It is in the library already, and was not sent again.
    Skipped,
    /// Someone canceled it.
    Canceled,
    /// Someone canceled it, and what AWS has of it is being taken back.
    Canceling,
}

impl Stage {
    /// Whether work goes on by itself.
    #[must_use]
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Playable | Self::NeedsYou | Self::Skipped | Self::Canceled)
    }

    /// Whether its bytes are on their way, or wait for it by themselves.
    #[must_use]
    pub fn is_being_sent(self) -> bool {
        (Self::Checking..=Self::Finalising).contains(&self)
    }

    /// Whether it waits for the pipeline or the encoder.
    #[must_use]
    pub fn is_followed(self) -> bool {
        matches!(self, Self::Verified | Self::Queued | Self::Encoding)
    }

    /// The legal moves: forward along the way, out of it at any point, and back to its beginning by a retry or a
    /// restart.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        match next {
            Self::Checking => !self.is_followed() && self != Self::Playable && self != Self::Canceling,
            // When all bytes are there, nothing is left to pause.
            Self::Paused => self.is_being_sent() && self != Self::Finalising,
            Self::Waiting => self.is_being_sent(),
            // Back from finalising where S3 has forgotten what it was sent.
            Self::Sending => self.is_being_sent(),
            Self::Skipped => matches!(self, Self::Checking | Self::NeedsYou),
            Self::NeedsYou | Self::Canceled => self.is_open(),
            Self::Canceling => self.is_open() && self != Self::Canceling,
            // It may be too late to cancel it.
            Self::Playable => self.is_open() && self != Self::Paused,
            _ => self.is_open() && !matches!(self, Self::Paused | Self::Canceling) && self <= next,
        }
    }
}

/// One file's journey: the one row that joins the file, the object, the video, the job and the address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Journey {
    /// Its own id.
    pub id: String,
    /// Its place in the list, counting up.
    #[ts(type = "number")]
    pub position: i64,
    /// What was added at once bears the same number, counting up with time (milliseconds since the epoch).
    #[serde(default)]
    #[ts(type = "number")]
    pub batch: i64,
    /// Higher is sent earlier; those alike in the order of their places.
    #[serde(default)]
    #[ts(type = "number")]
    pub priority: i64,
    /// The file.
    #[serde(with = "crate::files::path_text")]
    #[ts(type = "string")]
    pub path: PathBuf,
    /// The watch folder that handed it over.
    #[serde(default)]
    pub watch_folder: Option<String>,
    /// The admin's name for it.
    pub title: String,
    /// What else is said of it, by name.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Files that go with it: subtitles, metadata.
    #[serde(default)]
    #[ts(type = "string[]")]
    pub sidecars: Vec<PathBuf>,
    /// The CRC64NVME of each of them that S3 has, by its path.
    #[serde(default)]
    #[ts(skip)]
    pub sent_sidecars: BTreeMap<String, String>,
    /// Someone wants it sent as it is, though it does not look complete.
    #[serde(default)]
    pub insisted: bool,
    /// The MediaConvert job template, where it is not left to the pipeline.
    #[serde(default)]
    pub template: Option<String>,
    /// Where it stands.
    pub stage: Stage,
    /// Bytes of the file.
    #[ts(type = "number")]
    pub size: u64,
    /// Bytes that left this computer (stored and in flight).
    #[ts(type = "number")]
    pub sent: u64,
    /// Bytes that S3 has: these are never sent again.
    #[serde(default)]
    #[ts(type = "number")]
    pub stored: u64,
    /// Bytes a second, smoothed; none while it is not known.
    pub speed: Option<f64>,
    /// Seconds left of the sending, an estimate; none while it is not known.
    pub time_left: Option<u32>,
    /// Percent of the encode, as MediaConvert says.
    pub percent: Option<u8>,
    /// What is worth knowing about this stage: a stall, a retry, an overrun.
    pub notice: Option<String>,
    /// Why it cannot go on.
    pub error: Option<Error>,
    /// What is there already, where that is the question, or was.
    #[serde(default)]
    pub conflict: Option<Conflict>,
    /// What becomes of it where it is there already.
    #[serde(default)]
    pub answers: Resolutions,
    /// The CRC64NVME of the file, once it was read.
    #[serde(default)]
    pub checksum: Option<String>,
    /// Its file could not be read for a comparison.
    #[serde(skip)]
    #[ts(skip)]
    pub unreadable: bool,
    /// What the file is.
    pub media: Option<Media>,
    /// The key of its object.
    pub key: Option<String>,
    /// Its video.
    pub guid: Option<Guid>,
    /// Its job.
    pub job_id: Option<String>,
    /// The address of its stream.
    pub hls_url: Option<String>,
    /// When it was added, in milliseconds since the epoch.
    #[ts(type = "number")]
    pub added_at: i64,
    /// When its stage last changed.
    #[ts(type = "number")]
    pub stage_since: i64,
    /// When it was known that the object is there.
    #[ts(type = "number | null")]
    pub verified_at: Option<i64>,
    /// The object was not made before this: the pipeline's item is looked for from then on.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub completing_at: Option<i64>,
    /// Until when a request that a cancel broke off may still make its object.
    #[serde(default)]
    #[ts(skip)]
    pub may_arrive_until: Option<i64>,
    /// How its cancel can be undone, for as long as it can.
    #[serde(default)]
    pub undo: Option<Undo>,
    /// When its object was deleted again, because it was canceled.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub deleted_at: Option<i64>,
}

/// How a cancel can be undone: nothing was told to AWS yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Undo {
    /// Until when, in milliseconds since the epoch.
    #[ts(type = "number")]
    pub until: i64,
    /// The stage that it goes back to.
    pub back_to: Stage,
    /// Whether S3 may have anything of it.
    pub has_begun: bool,
}

/// How far this computer's clock may be from that of AWS: S3 refuses requests of one that is off by more.
const CLOCK_SLACK_MS: i64 = 15 * 60 * 1000;

impl Journey {
    /// Whether trying again may help: what asks a question would only ask it again, and what is no video stays none.
    #[must_use]
    pub fn is_worth_a_retry(&self) -> bool {
        let is_video = self.error.as_ref().is_none_or(|error| error.code != Code::NotAVideo);
        self.stage == Stage::NeedsYou && self.conflict.is_none() && is_video
    }

    /// From when on an item of the catalog may be its own, in milliseconds since the epoch.
    fn looked_for_from(&self) -> i64 {
        self.completing_at.or(self.verified_at).unwrap_or(self.added_at) - CLOCK_SLACK_MS
    }
}

#[cfg(test)]
mod tests {
    use super::Stage::*;

    #[test]
    fn the_way_is_one_way() {
        for stage in [Checking, Waiting, Sending, Finalising, Verified, Queued, Encoding] {
            assert!(stage.may_become(NeedsYou) && stage.may_become(Canceled));
            assert!(stage.is_open());
        }
        assert!(Verified.may_become(Playable), "a short encode may end between two looks");
        assert!(!Playable.may_become(Encoding));
        assert!(!Playable.may_become(NeedsYou));
        assert!(!Verified.may_become(Sending));
        assert!(!Encoding.may_become(Checking), "what is encoding is never sent again");
        assert!(Sending.may_become(Waiting), "a restart waits its turn again");
        assert!(Sending.may_become(Paused) && Paused.may_become(Checking) && Paused.may_become(Canceled));
        assert!(!Verified.may_become(Paused) && !Finalising.may_become(Paused), "there is nothing left to pause");
        for stage in [Paused, Checking, Sending, Finalising, Verified, Queued, Encoding] {
            assert!(stage.may_become(Canceling));
        }
        assert!(Canceling.is_open() && !Canceling.is_being_sent() && !Canceling.is_followed());
        assert!(Canceling.may_become(Canceled) && Canceling.may_become(Playable) && Canceling.may_become(NeedsYou));
        assert!(!Canceling.may_become(Checking) && !Canceling.may_become(Encoding) && !Canceled.may_become(Canceling));
        assert!(!Paused.may_become(Sending) && !Paused.may_become(Waiting), "only a resume takes it up again");
        assert!(Finalising.may_become(Sending), "S3 may have forgotten it");
        assert!(Checking.may_become(Skipped) && NeedsYou.may_become(Skipped) && Skipped.may_become(Checking));
        assert!(!Sending.may_become(Skipped) && !Skipped.may_become(Sending) && !Skipped.is_open());
        assert!(NeedsYou.may_become(Checking) && Canceled.may_become(Checking), "a retry");
    }
}
