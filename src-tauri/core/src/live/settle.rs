//! What is true where two sources differ: the catalog's item and MediaConvert's job.
//!
//! No rule of the pipeline writes a canceled job back: its item says `Ingest` for ever. The job tells what is.

use crate::catalog::{Status, Video};
use crate::encode::{Job, Jobs, State};

/// Jobs that are asked for one by one at a look, at most; what has ended is remembered.
pub const ASKED_AT_ONCE: usize = 5;

/// Takes into the videos what their jobs say; `newest` are those that were just read, and so many others are asked for.
pub async fn settle(videos: &mut [Video], jobs: &Jobs, newest: &[Job], most: usize) {
    let mut asked = 0;
    for video in videos.iter_mut().filter(|video| video.status == Status::Encoding) {
        let Some(id) = &video.job_id else { continue };
        let state = match newest.iter().find(|job| job.id == *id) {
            Some(job) => Some(job.state),
            None if jobs.has_ended(id).is_some() => jobs.has_ended(id),
            None if asked < most => {
                asked += 1;
                // One that is no longer known (history lasts three months) leaves the item's word.
                jobs.get(id).await.ok().map(|job| job.state)
            }
            None => None,
        };
        if state == Some(State::Canceled) {
            video.status = Status::Canceled;
        }
    }
}
