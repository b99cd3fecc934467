//! Which way to the source bucket is faster from here: straight, or through S3 Transfer Acceleration.

use std::path::Path;
use std::time::Instant;

use aws_sdk_s3::types::BucketAccelerateStatus;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use ts_rs::TS;
use uuid::Uuid;

use crate::aws::{Aws, accelerated};
use crate::explain::explain;
use crate::store::Store;
use crate::upload::{Limit, Progress, Request, Target, Uploader};
use crate::workspace::Workspace;
use crate::{Code, Error, Result};

/// Bytes that are sent each way.
pub const COMPARED: u64 = 64 * 1024 * 1024;

/// How fast the two ways were.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// Bytes a second straight to the bucket.
    pub straight: f64,
    /// Bytes a second through Transfer Acceleration.
    pub accelerated: f64,
}

/// Sends [`COMPARED`] bytes of noise to the source bucket both ways, one after the other, and removes them again.
///
/// # Errors
/// When the bucket has no Transfer Acceleration, S3 refuses or cannot be reached, there is no room for the noise on the
/// disk, or it is canceled. Nothing stays behind then, either, where S3 can be told.
pub async fn compare(workspace: &Workspace, canceled: &CancellationToken) -> Result<Comparison> {
    workspace.check()?;
    if workspace.connection.is_elsewhere() {
        return Err(Error::new(
            Code::Invalid,
            "S3 Transfer Acceleration works with AWS's own endpoints only.",
            "There is nothing to compare in this workspace.",
        ));
    }
    let aws = Aws::connect(&workspace.connection).await?;
    let status = aws.s3.get_bucket_accelerate_configuration().bucket(&workspace.source_bucket).send().await;
    let status =
        status.map_err(|error| explain("Whether the bucket has Transfer Acceleration could not be asked", error))?;
    if status.status != Some(BucketAccelerateStatus::Enabled) {
        return Err(Error::new(
            Code::Invalid,
            format!("The source bucket \"{}\" does not have Transfer Acceleration.", workspace.source_bucket),
            "Ask the engineer to enable it on the bucket; each GB that goes that way costs more.",
        ));
    }
    let folder = tempfile::tempdir().map_err(|error| crate::files::unreadable(&std::env::temp_dir(), &error))?;
    let noise = folder.path().join("noise");
    let (path, store) = (noise.clone(), folder.path().join("store.sqlite"));
    let store = tokio::task::spawn_blocking(move || {
        let bytes: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(COMPARED as usize).collect();
        std::fs::write(&path, bytes).map_err(|error| crate::files::unreadable(&path, &error))?;
        Store::open(&store)
    });
    let store = store.await.map_err(Error::internal)??;
    let ways = Ways { workspace, aws: &aws, store, noise: &noise, canceled };
    Ok(Comparison { straight: ways.send(&aws.s3).await?, accelerated: ways.send(&accelerated(&aws.s3)).await? })
}

struct Ways<'a> {
    workspace: &'a Workspace,
    aws: &'a Aws,
    store: Store,
    noise: &'a Path,
    canceled: &'a CancellationToken,
}

impl Ways<'_> {
    /// Bytes a second.
    async fn send(&self, transfer: &aws_sdk_s3::Client) -> Result<f64> {
        let uploader = Uploader::new(&self.aws.s3, transfer, self.store.clone(), "", Limit::default());
        let request = Request {
            id: Uuid::new_v4().to_string(),
            path: self.noise.to_owned(),
            target: Target {
                bucket: self.workspace.source_bucket.clone(),
                // It has no suffix of a video: no pipeline starts.
                key: format!("{}/{}", super::FOLDER, Uuid::new_v4()),
                metadata: Vec::new(),
                content_type: "application/octet-stream".into(),
                encryption: self.workspace.encryption(),
                replace: true,
            },
        };
        let began = Instant::now();
        let sent = uploader.send(&request, &Progress::default(), self.canceled).await;
        let took = began.elapsed();
        let removed = self.remove(&uploader, &request).await;
        sent?;
        removed?;
        Ok(COMPARED as f64 / took.as_secs_f64())
    }

    /// Removes what S3 has of it, whole or in parts.
    async fn remove(&self, uploader: &Uploader, request: &Request) -> Result<()> {
        uploader.give_up(&request.id).await?;
        uploader.clean_up().await?;
        let (s3, Target { bucket, key, .. }) = (&self.aws.s3, &request.target);
        let left = format!("The noise that was sent, \"{key}\", could not be removed");
        let head = match s3.head_object().bucket(bucket).key(key).send().await {
            Ok(head) => head,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => return Ok(()),
            Err(error) => return Err(explain(&left, error)),
        };
        // Where the bucket keeps versions, this one goes.
        let remove = s3.delete_object().bucket(bucket).key(key).set_version_id(head.version_id);
        remove.send().await.map(drop).map_err(|error| explain(&left, error))
    }
}
