//! Following: journeys move by what the catalog and MediaConvert say ([`crate::live`]), until every one has ended.

use std::time::Duration;

use super::{Ingest, Journey, Stage, sidecars};
use crate::catalog::{Description, Guid, Status, Video};
use crate::clock::now_ms;
use crate::encode::{Job, Phase, State};
use crate::live::{Follower, PollIntervals, Seen, Wanted};
use crate::{Code, Error, Result};

/// After this the pipeline's silence is told.
const PIPELINE_ANSWERS_WITHIN_MS: i64 = 60_000;
/// After this it is given up: what would start a pipeline is long over.
const PIPELINE_GIVEN_UP_AFTER_MS: i64 = 3 * 60 * 60 * 1000;
/// After this a job that is done and not published is told.
const PUBLISHES_WITHIN_MS: i64 = 120_000;

impl Ingest {
    /// Follows until [`Ingest::stop`]; while a screen shows the library and the jobs, it keeps them fresh too.
    pub async fn follow(&self) {
        let (busy, idle) = if self.0.pipeline.workspace.is_sandbox() { (1, 10) } else { (5, 60) };
        let intervals = PollIntervals { busy: Duration::from_secs(busy), idle: Duration::from_secs(idle) };
        self.0.live.follow(self, intervals, &self.0.runs.stop).await;
    }

    /// A screen shows the library and the jobs of this workspace from now on, or no longer.
    pub fn set_shown(&self, is_shown: bool) {
        self.0.live.set_shown(is_shown);
    }

    /// These videos are in sight there.
    pub fn set_in_sight(&self, guids: Vec<Guid>) {
        self.0.live.set_in_sight(guids);
    }

    /// Keeps the mirror of the catalog true while a screen shows it.
    pub async fn keep_mirror(&self) {
        self.0.live.keep_mirror(&self.0.runs.stop).await;
    }

    fn followed(&self) -> Vec<Journey> {
        self.list().into_iter().filter(|journey| journey.stage.is_followed()).collect()
    }

    async fn advance(&self, journey: &Journey, video: Option<&Video>, jobs: &[Job]) -> Result<()> {
        let journeys = &self.0.journeys;
        let Some(video) = video else {
            let waited = now_ms() - journey.verified_at.unwrap_or(journey.stage_since);
            if waited > PIPELINE_GIVEN_UP_AFTER_MS {
                return self.failed(journey, silent(journey), |_| {}).await;
            }
            if waited > PIPELINE_ANSWERS_WITHIN_MS {
                journeys.show(&journey.id, |journey| {
                    journey.notice = Some(format!(
                        "No answer from the pipeline for {} min: it may start on metadata files only, or not on this bucket.",
                        waited / 60_000
                    ));
                });
            }
            return Ok(());
        };
        if journey.guid.is_none() {
            // A catalog that may not be written can still be followed.
            if let Err(error) = self.0.pipeline.catalog.describe(&video.guid, &description(journey)).await {
                tracing::warn!(guid = %video.guid, code = ?error.code, details = error.details, "the video could not be named");
            }
        }
        let know = |journey: &mut Journey| {
            journey.guid = Some(video.guid.clone());
            journey.job_id.clone_from(&video.job_id);
        };
        match &video.status {
            Status::Complete => {
                let playable = |journey: &mut Journey| {
                    know(journey);
                    journey.percent = Some(100);
                    journey.hls_url.clone_from(&video.hls_url);
                    journey.notice = shorter(journey, video);
                };
                if let Some(journey) = journeys.enter(&journey.id, Stage::Playable, playable).await? {
                    self.propagate_outcome(&journey).await;
                }
            }
            Status::Error { at, message } => self.failed(journey, pipeline_error(journey, at, message), know).await?,
            Status::Ingest | Status::Other { .. } => {
                journeys.enter(&journey.id, Stage::Queued, know).await?;
            }
            Status::Encoding | Status::Canceled => {
                let job = match jobs.iter().find(|job| Some(&job.id) == video.job_id.as_ref()) {
                    Some(job) => Some(job.clone()),
                    None => match &video.job_id {
                        Some(id) => self.0.pipeline.jobs.get(id).await.ok(),
                        None => None,
                    },
                };
                self.encoding(journey, job, know).await?;
            }
        }
        Ok(())
    }

    async fn encoding(&self, journey: &Journey, job: Option<Job>, know: impl Fn(&mut Journey)) -> Result<()> {
        let journeys = &self.0.journeys;
        let Some(job) = job else {
            journeys.enter(&journey.id, Stage::Queued, know).await?;
            return Ok(());
        };
        match job.state {
            State::Submitted => {
                journeys.enter(&journey.id, Stage::Queued, know).await?;
            }
            State::Canceled => {
                journeys.edit(&journey.id, know).await?;
                self.canceled(&journey.id, Some("Its encode was canceled in MediaConvert.".to_owned())).await?;
            }
            // The pipeline writes the item next; until then the job's own words would be a guess at it.
            State::Complete | State::Error => {
                let finished = job.finished_at.unwrap_or_else(now_ms);
                let late = now_ms() - finished > PUBLISHES_WITHIN_MS;
                let notice = if late {
                    "The encode has ended and the pipeline has not published it: its publish step may have failed."
                } else {
                    "Publishing"
                };
                journeys.enter(&journey.id, Stage::Encoding, know).await?;
                journeys.show(&journey.id, |journey| {
                    journey.percent = Some(100);
                    journey.notice = Some(notice.to_owned());
                });
            }
            State::Progressing => {
                journeys.enter(&journey.id, Stage::Encoding, know).await?;
                journeys.show(&journey.id, |journey| {
                    journey.percent = job.percent;
                    journey.notice = match job.phase {
                        Some(Phase::Probing) => Some("Probing".to_owned()),
                        Some(Phase::Uploading) => Some("Writing the outputs".to_owned()),
                        Some(Phase::Transcoding) | None => None,
                    };
                });
            }
        }
        Ok(())
    }

    async fn failed(&self, journey: &Journey, error: Error, know: impl Fn(&mut Journey)) -> Result<()> {
        let failed = |journey: &mut Journey| {
            know(journey);
            journey.error = Some(error);
        };
        if let Some(journey) = self.0.journeys.enter(&journey.id, Stage::NeedsYou, failed).await? {
            self.propagate_outcome(&journey).await;
        }
        Ok(())
    }
}

impl Follower for Ingest {
    /// Those that are known are read by their keys; the others are looked for among what is new.
    fn wanted(&self) -> Option<Wanted> {
        let followed = self.followed();
        let unknown = followed.iter().filter(|journey| journey.guid.is_none());
        let since = unknown.map(Journey::looked_for_from).min();
        let guids = followed.iter().filter_map(|journey| journey.guid.clone()).collect();
        (!followed.is_empty()).then_some(Wanted { guids, since })
    }

    async fn see(&self, seen: &Seen) -> Result<()> {
        let is_answered = |journey: &Journey| seen.looked_for(journey.guid.as_ref(), journey.looked_for_from());
        for journey in self.followed().into_iter().filter(is_answered) {
            let video = seen.videos.iter().find(|video| belongs(video, &journey));
            self.advance(&journey, video, &seen.jobs).await?;
        }
        Ok(())
    }
}

fn description(journey: &Journey) -> Description {
    let sidecars = sidecars::keys(journey).into_iter().map(|(_, key)| key).collect();
    let source = journey.checksum.clone().map(|checksum| (journey.size, checksum));
    Description { title: journey.title.clone(), tags: journey.tags.clone(), sidecars, source }
}

/// The item is found through the key of its source.
fn belongs(video: &Video, journey: &Journey) -> bool {
    match &journey.guid {
        Some(guid) => video.guid == *guid,
        None => video.src_video.is_some() && video.src_video == journey.key,
    }
}

/// That what was made is shorter than its source, or that the source's picture is shorter than its sound.
fn shorter(journey: &Journey, video: &Video) -> Option<String> {
    let media = journey.media.as_ref()?;
    let source = media.picture.unwrap_or(media.duration);
    if let Some(made) = video.made_duration.filter(|_| video.is_shorter_than(source)) {
        return Some(format!("Shorter than its source: {made:.0} s of {source:.0} s. The file may be damaged."));
    }
    media.picture.map(|picture| format!("Its picture lasts {picture:.0} s, its sound {:.0} s.", media.duration))
}

fn silent(journey: &Journey) -> Error {
    Error::new(
        Code::PipelineFailed,
        format!("No video of \"{}\" came into the catalog, though S3 holds its file.", journey.title),
        "The pipeline may start on metadata files only, on other endings or another bucket, or it failed at its first \
         step: run the check of the workspace, then retry.",
    )
    .with_details(format!("looked for srcVideo {:?}", journey.key.as_deref().unwrap_or_default()))
}

fn pipeline_error(journey: &Journey, at: &str, message: &str) -> Error {
    if at == "Encoding" {
        return Error::new(
            Code::EncodeFailed,
            format!("The encode of \"{}\" failed.", journey.title),
            "Check that the file plays to its end on this computer; export it again if not, then retry.",
        )
        .with_details(message);
    }
    Error::new(
        Code::PipelineFailed,
        format!("The pipeline failed on \"{}\" at its step {at}.", journey.title),
        "Send the details to the engineer who runs the pipeline, then retry.",
    )
    .with_details(message)
}
