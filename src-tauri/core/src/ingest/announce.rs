//! Pipelines that start on a metadata file: it is put beside the video once that is there. Source: "Video on Demand on
//! AWS" 6.1, trigger `MetadataFile`.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use serde_json::Value;

use super::{Journey, sidecars};
use crate::Result;
use crate::aws::{Aws, explain};
use crate::workspace::{IngestMode, Trigger, Workspace};

/// Tells the pipeline of a video.
pub(super) struct Announcer {
    s3: aws_sdk_s3::Client,
    bucket: String,
}

impl Announcer {
    /// None where the video itself starts the pipeline.
    pub fn of(workspace: &Workspace, aws: &Aws) -> Option<Self> {
        let IngestMode::Pipeline { trigger, .. } = workspace.mode;
        (trigger == Trigger::MetadataFile).then(|| Self { s3: aws.s3.clone(), bucket: workspace.source_bucket.clone() })
    }

    /// Puts the metadata file, once: each one starts an encode, so one that is there is left alone.
    ///
    /// # Errors
    /// When S3 refuses it.
    pub async fn announce(&self, journey: &Journey) -> Result<()> {
        let video = journey.key.as_deref().unwrap_or_default();
        let key = video.rsplit_once('.').map_or_else(|| format!("{video}.json"), |(stem, _)| format!("{stem}.json"));
        let mut fields = sidecars::metadata(journey).await;
        if let Some(template) = &journey.template {
            fields.insert("jobTemplate".to_owned(), template.as_str().into());
        }
        fields.insert("srcVideo".to_owned(), video.into());
        let body = Value::Object(fields).to_string().into_bytes();
        let put = self.s3.put_object().bucket(&self.bucket).key(key).content_type("application/json");
        match put.if_none_match("*").body(ByteStream::from(body)).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("PreconditionFailed") => Ok(()),
            Err(error) => Err(explain(&format!("The metadata file of \"{}\" could not be sent", journey.title), error)),
        }
    }
}
