//! A batch: what was added at once, and how it ended.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Journey, Stage};

/// How a batch ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BatchSummary {
    /// Which one.
    #[ts(type = "number")]
    pub batch: i64,
    /// The watch folder that it comes from.
    pub watch_folder: Option<String>,
    /// Its only file's title; none where there are several.
    pub title: Option<String>,
    /// Files in it.
    pub files: usize,
    /// Bytes of those that S3 has.
    #[ts(type = "number")]
    pub bytes: u64,
    /// From the first file added to the last one verified.
    #[ts(type = "number")]
    pub seconds: i64,
    /// Files that became videos.
    pub playable: usize,
    /// Files that were there already.
    pub skipped: usize,
    /// Files that need someone.
    pub needs_you: usize,
    /// Files that someone canceled.
    pub canceled: usize,
}

impl BatchSummary {
    /// Of these journeys, which are all of the batch.
    pub(super) fn of<'a>(batch: i64, journeys: impl Iterator<Item = &'a Journey> + Clone) -> Self {
        let count = |stage: Stage| journeys.clone().filter(|journey| journey.stage == stage).count();
        let files = journeys.clone().count();
        // What was left out knows when its twin was verified, and was not sent itself.
        let sent = |one: &&Journey| one.verified_at.is_some() && one.stage != Stage::Skipped;
        let first = journeys.clone().map(|journey| journey.added_at).min().unwrap_or(0);
        let last = journeys.clone().filter(sent).filter_map(|journey| journey.verified_at).max().unwrap_or(first);
        Self {
            batch,
            watch_folder: journeys.clone().find_map(|journey| journey.watch_folder.clone()),
            title: journeys.clone().next().filter(|_| files == 1).map(|journey| journey.title.clone()),
            files,
            bytes: journeys.clone().filter(sent).map(|journey| journey.size).sum(),
            seconds: (last - first) / 1000,
            playable: count(Stage::Playable),
            skipped: count(Stage::Skipped),
            needs_you: count(Stage::NeedsYou),
            canceled: count(Stage::Canceled),
        }
    }
}
