//! Working through the queue: one job after the other, each ending in one of MediaConvert's states and an event.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::run::{self, Outcome, Phase, Runner};
use super::settings::Plan;
use super::strays;
use super::{MediaConvert, Query, Result};
use crate::ffmpeg::Ffmpeg;
use crate::time::{epoch_seconds, now};
use crate::{ACCOUNT, REGION};

impl MediaConvert {
    /// Runs queued jobs until `stop`; what a kill interrupted runs again from its beginning.
    pub async fn work(self, stop: CancellationToken) {
        if let Err(error) = self.requeue().await {
            tracing::error!(message = error.message, "interrupted jobs could not be queued again");
        }
        loop {
            match self.next().await {
                Ok(Some(job)) => {
                    let id = job["id"].as_str().unwrap_or_default().to_owned();
                    let token = stop.child_token();
                    self.running().insert(id.clone(), token.clone());
                    if let Err(error) = self.run(&id, &job, &token, &stop).await {
                        tracing::error!(message = error.message, "a job could not be recorded");
                    }
                    self.running().remove(&id);
                }
                Ok(None) => tokio::select! {
                    () = self.0.submitted.notified() => {}
                    () = stop.cancelled() => return,
                },
                Err(error) => {
                    tracing::error!(message = error.message, "the job queue could not be read");
                    tokio::select! {
                        () = tokio::time::sleep(Duration::from_secs(1)) => {}
                        () = stop.cancelled() => return,
                    }
                }
            }
            if stop.is_cancelled() {
                return;
            }
        }
    }

    async fn requeue(&self) -> Result<()> {
        let work = self.0.work.clone();
        tokio::task::spawn_blocking(move || strays::end(&work)).await.ok();
        tokio::fs::remove_dir_all(&self.0.work).await.ok();
        let (interrupted, _) = self
            .jobs(Query { status: Some("PROGRESSING".into()), queue: None, ascending: true, max: 1000, after: None })
            .await?;
        for job in interrupted {
            self.change(job["id"].as_str().unwrap_or_default(), |job| {
                job["status"] = json!("SUBMITTED");
                job["retryCount"] = json!(job["retryCount"].as_i64().unwrap_or(0) + 1);
                if let Some(job) = job.as_object_mut() {
                    job.remove("currentPhase");
                    job.remove("jobPercentComplete");
                }
            })
            .await?;
        }
        Ok(())
    }

    async fn next(&self) -> Result<Option<Value>> {
        let (jobs, _) = self
            .jobs(Query { status: Some("SUBMITTED".into()), queue: None, ascending: true, max: 200, after: None })
            .await?;
        Ok(jobs.into_iter().reduce(|best, job| {
            let priority = |job: &Value| job["priority"].as_i64().unwrap_or(0);
            if priority(&job) > priority(&best) { job } else { best }
        }))
    }

    async fn run(&self, id: &str, job: &Value, token: &CancellationToken, stop: &CancellationToken) -> Result<()> {
        self.change(id, |job| {
            job["status"] = json!("PROGRESSING");
            job["timing"]["startTime"] = json!(epoch_seconds());
        })
        .await?;
        let plan = match Plan::read(&job["settings"]) {
            Ok(plan) => plan,
            Err(refusal) => {
                let failure = run::Failure { code: 1040, message: refusal.to_string() };
                return self.finish(id, Outcome::Failed(failure)).await;
            }
        };
        let runner = Runner { ffmpeg: Ffmpeg::find(), s3: self.0.s3.clone(), work: self.0.work.join(id) };
        let (tell, mut told) = watch::channel(Phase::Probing);
        let record = async {
            while told.changed().await.is_ok() {
                let phase = *told.borrow_and_update();
                let recorded = self.change(id, move |job| phase.write(job)).await;
                if let Err(error) = recorded {
                    tracing::warn!(message = error.message, "progress could not be recorded");
                }
            }
        };
        let (outcome, ()) = tokio::join!(runner.run(&plan, token, tell), record);
        if stop.is_cancelled() {
            // The sandbox stops: the job stays PROGRESSING and runs again at the next start.
            return Ok(());
        }
        self.finish(id, outcome).await
    }

    async fn finish(&self, id: &str, outcome: Outcome) -> Result<()> {
        match outcome {
            Outcome::Canceled => self.end(id, |job| job["status"] = json!("CANCELED")).await?,
            Outcome::Failed(failure) => {
                let (code, message) = (failure.code, failure.message.clone());
                self.change_with_event(
                    id,
                    move |job| {
                        job["status"] = json!("ERROR");
                        job["errorCode"] = json!(code);
                        job["errorMessage"] = json!(message);
                        job["timing"]["finishTime"] = json!(epoch_seconds());
                    },
                    move |job| Some(event(job, "ERROR", json!({"errorCode": code, "errorMessage": failure.message}))),
                )
                .await?;
            }
            Outcome::Complete(finished) => {
                self.change_with_event(
                    id,
                    move |job| {
                        job["status"] = json!("COMPLETE");
                        job["jobPercentComplete"] = json!(100);
                        job["outputGroupDetails"] = finished.for_job;
                        job["timing"]["finishTime"] = json!(epoch_seconds());
                        note_substitutions(job);
                        if let Some(job) = job.as_object_mut() {
                            job.remove("currentPhase");
                        }
                    },
                    move |job| {
                        Some(event(
                            job,
                            "COMPLETE",
                            json!({"outputGroupDetails": finished.for_event, "paddingInserted": 0, "blackVideoDetected": 0, "warnings": []}),
                        ))
                    },
                )
                .await?;
            }
        }
        self.0.events.notify_one();
        Ok(())
    }
}

/// Says where the sandbox encoded something else than the settings name.
fn note_substitutions(job: &mut Value) {
    let he_aac = Plan::read(&job["settings"]).is_ok_and(|plan| {
        let mut outputs = plan.groups.iter().flat_map(|group| &group.outputs);
        outputs.any(|output| output.audio.as_ref().is_some_and(|audio| audio.wants_he_aac))
    });
    if he_aac {
        job["messages"]["warning"] = json!([
            "aacSettings/codecProfile: HE-AAC was asked for; ffmpeg's AAC encoder makes LC, so the sandbox made LC"
        ]);
    }
}

/// The EventBridge event of a change of state. Source: MediaConvert User Guide, "Job status events".
fn event(job: &Value, status: &str, mut detail: Value) -> Value {
    detail["timestamp"] = json!(epoch_seconds() * 1000);
    detail["accountId"] = json!(ACCOUNT);
    detail["queue"] = job["queue"].clone();
    detail["jobId"] = job["id"].clone();
    detail["status"] = json!(status);
    detail["userMetadata"] = match &job["userMetadata"] {
        Value::Null => json!({}),
        metadata => metadata.clone(),
    };
    json!({
        "version": "0", "id": uuid::Uuid::new_v4(), "detail-type": "MediaConvert Job State Change",
        "source": "aws.mediaconvert", "account": ACCOUNT, "time": now(), "region": REGION,
        "resources": [job["arn"]], "detail": detail,
    })
}
