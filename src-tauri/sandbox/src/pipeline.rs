//! "Video on Demand on AWS" as the sandbox runs it: an object created in the source bucket makes an item, a
//! job, and, when the job ends, the item's addresses or its error.
//!
//! Every step writes the fields that the solution's Lambda functions write, in the same shapes. Events are
//! kept in SQLite until they are handled, so a kill between two steps loses none.
//! Source: aws-solutions-library-samples/video-on-demand-on-aws v6.1.

mod mediainfo;
mod steps;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::db::Db;
use crate::faults::{Faults, Kind};
use crate::ffmpeg::Ffmpeg;
use crate::mediaconvert::MediaConvert;
use crate::options::Generation;
use crate::s3::S3;
use crate::table::{Table, TableError};
use crate::{DESTINATION_BUCKET, SOURCE_BUCKET};

/// The workflow and what it works with.
pub(crate) struct Pipeline {
    pub db: Db,
    pub s3: S3,
    pub mediaconvert: MediaConvert,
    pub table: Table,
    /// Host and port of the CDN.
    pub cdn: String,
    pub generation: Generation,
    pub faults: Faults,
    /// Rung after an event was written.
    pub events: Arc<Notify>,
}

/// A step that failed: its name and what it said.
pub(crate) struct StepError {
    step: &'static str,
    message: String,
}

impl Pipeline {
    /// Handles events until `stop`.
    pub async fn work(self, stop: CancellationToken) {
        loop {
            match self.next().await {
                Ok(Some((id, kind, body))) => {
                    if self.handle(&kind, &body).await {
                        self.forget(id).await;
                    } else {
                        pause(&stop).await;
                    }
                }
                Ok(None) => tokio::select! {
                    () = self.events.notified() => {}
                    () = stop.cancelled() => return,
                },
                Err(error) => {
                    tracing::error!(%error, "the pipeline's events could not be read");
                    pause(&stop).await;
                }
            }
            if stop.is_cancelled() {
                return;
            }
        }
    }

    async fn next(&self) -> rusqlite::Result<Option<(i64, String, Value)>> {
        self.db
            .call(|db| {
                db.prepare("SELECT id, kind, body FROM events ORDER BY id LIMIT 1")?
                    .query_map([], |row| {
                        let body: String = row.get(2)?;
                        Ok((row.get(0)?, row.get(1)?, serde_json::from_str(&body).unwrap_or_default()))
                    })?
                    .next()
                    .transpose()
            })
            .await
    }

    async fn forget(&self, id: i64) {
        let done = self.db.call(move |db| db.execute("DELETE FROM events WHERE id = ?1", [id])).await;
        if let Err(error) = done {
            tracing::error!(%error, "a handled event could not be removed");
        }
    }

    /// Whether the event is done with; `false` to try again.
    async fn handle(&self, kind: &str, body: &Value) -> bool {
        let text = |key: &str| body[key].as_str().unwrap_or_default();
        let result = match kind {
            "ObjectCreated" | "JobState" if self.is_mine(kind, body) && self.is_lost(kind) => Ok(()),
            "ObjectCreated" if self.starts_with(text("bucket"), text("key")) => {
                self.object_created(text("guid"), text("key")).await
            }
            "JobState" if body["detail"]["userMetadata"]["workflow"] == crate::STACK => self.job_ended(body).await,
            _ => Ok(()),
        };
        if let Err(error) = &result {
            tracing::error!(%error, "the pipeline's table could not be written");
        }
        result.is_ok()
    }

    async fn object_created(&self, guid: &str, key: &str) -> Result<(), TableError> {
        let known = self.table.get(guid).await?;
        if known.as_ref().is_some_and(|item| self.table.has_job(item)) {
            return Ok(());
        }
        let outcome = match known {
            Some(_) => Ok(()),
            None => self.ingest(guid, key).await?,
        };
        let outcome = match outcome {
            Ok(()) => self.process(guid, key).await?,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(error) => self.failed(guid, &error).await,
        }
    }

    async fn job_ended(&self, event: &Value) -> Result<(), TableError> {
        let detail = &event["detail"];
        let guid = detail["userMetadata"]["guid"].as_str().unwrap_or_default();
        if guid.is_empty() {
            return Ok(());
        }
        match detail["status"].as_str() {
            Some("COMPLETE") => self.publish(guid, event).await,
            Some("ERROR") => self.encoding_failed(guid, event).await,
            _ => Ok(()),
        }
    }

    /// Whether the pipeline would do anything with an event.
    fn is_mine(&self, kind: &str, body: &Value) -> bool {
        let text = |key: &str| body[key].as_str().unwrap_or_default();
        match kind {
            "ObjectCreated" => self.starts_with(text("bucket"), text("key")),
            _ => body["detail"]["userMetadata"]["workflow"] == crate::STACK,
        }
    }

    fn is_lost(&self, kind: &str) -> bool {
        matches!(self.faults.take(kind), Some(Kind::Lose))
    }

    fn starts_with(&self, bucket: &str, key: &str) -> bool {
        bucket == SOURCE_BUCKET && self.generation.endings().iter().any(|ending| key.ends_with(ending))
    }

    fn ffmpeg(&self) -> Result<Ffmpeg, StepError> {
        Ffmpeg::find().ok_or_else(|| StepError {
            step: "mediainfo",
            message: "Error: ffprobe is not installed on this computer".into(),
        })
    }
}

async fn pause(stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(Duration::from_millis(500)) => {}
        () = stop.cancelled() => {}
    }
}

fn in_destination(key: &str) -> String {
    format!("s3://{DESTINATION_BUCKET}/{key}")
}
