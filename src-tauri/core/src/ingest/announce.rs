//! Pipelines that start on a metadata file: it is put beside the video once that is there. Source: "Video on Demand on
//! AWS" 6.1, trigger `MetadataFile`.

use std::path::PathBuf;

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use serde_json::{Map, Value};

use super::{Journey, sidecars};
use crate::Result;
use crate::aws::{Aws, Encryption};
use crate::explain::explain;
use crate::upload::Checksum;
use crate::workspace::{IngestMode, Trigger, Workspace};

/// Tells the pipeline of a video.
pub(super) struct Announcer {
    s3: aws_sdk_s3::Client,
    bucket: String,
    encryption: Encryption,
}

impl Announcer {
    /// None where the video itself starts the pipeline.
    pub fn of(workspace: &Workspace, aws: &Aws) -> Option<Self> {
        let IngestMode::Pipeline { trigger, .. } = workspace.mode;
        (trigger == Trigger::MetadataFile).then(|| Self {
            s3: aws.s3.clone(),
            bucket: workspace.source_bucket.clone(),
            encryption: workspace.encryption(),
        })
    }

    /// Puts the metadata file, once: each one starts an encode, so one that is there is left alone. Answers the file whose
    /// fields are in it, where there is one.
    ///
    /// # Errors
    /// When S3 refuses it.
    pub async fn announce(&self, journey: &Journey) -> Result<Option<(PathBuf, Checksum)>> {
        let video = journey.key.as_deref().unwrap_or_default();
        let key = video.rsplit_once('.').map_or_else(|| format!("{video}.json"), |(stem, _)| format!("{stem}.json"));
        let (mut fields, taken) = match sidecars::metadata(journey).await {
            Some((fields, path, checksum)) => (fields, Some((path, checksum))),
            None => (Map::new(), None),
        };
        if let Some(template) = &journey.template {
            fields.insert("jobTemplate".to_owned(), template.as_str().into());
        }
        fields.insert("srcVideo".to_owned(), video.into());
        let body = Value::Object(fields).to_string().into_bytes();
        let put = self.s3.put_object().bucket(&self.bucket).key(key).content_type("application/json");
        // Buckets with Object Lock want a checksum; the SDK makes none of itself.
        let put = put.checksum_crc64_nvme(Checksum::of_bytes(&body).to_string());
        let put = put.set_server_side_encryption(self.encryption.algorithm());
        let put = put.set_ssekms_key_id(self.encryption.key());
        match put.if_none_match("*").body(ByteStream::from(body)).send().await {
            Ok(_) => Ok(taken),
            // Whether that one has the same fields is not known.
            Err(error) if error.code() == Some("PreconditionFailed") => Ok(None),
            Err(error) => Err(explain(&format!("The metadata file of \"{}\" could not be sent", journey.title), error)),
        }
    }
}
