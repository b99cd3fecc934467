//! The object of a journey in the source bucket.

use std::sync::Arc;

use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata as _};
use tokio::sync::OnceCell;

use crate::Result;
use crate::aws::explain;
use crate::workspace::check::starting;

/// The source bucket; cheap to clone.
#[derive(Clone)]
pub(super) struct Source {
    s3: aws_sdk_s3::Client,
    bucket: String,
    /// What starts the pipeline, once it was asked for.
    starting: Arc<OnceCell<Option<Vec<String>>>>,
}

impl Source {
    pub fn new(s3: aws_sdk_s3::Client, bucket: &str) -> Self {
        Self { s3, bucket: bucket.to_owned(), starting: Arc::default() }
    }

    /// Whether a key with this ending starts the pipeline: what starts it differs from one version to the next. Where that
    /// cannot be asked, or is decided elsewhere, any may.
    pub async fn starts_with(&self, ending: &str) -> bool {
        let ask = || async {
            let answer = self.s3.get_bucket_notification_configuration().bucket(&self.bucket).send().await;
            answer.map(|configuration| starting(&configuration))
        };
        match self.starting.get_or_try_init(ask).await {
            Ok(Some(endings)) => endings.iter().any(|one| one == ending),
            Ok(None) => true,
            Err(error) => {
                tracing::debug!(details = %DisplayErrorContext(&error), "what starts the pipeline is not known");
                true
            }
        }
    }

    /// Whether the object of a journey is there. The key is the journey's own; an object of another size is someone
    /// else's.
    ///
    /// # Errors
    /// When S3 cannot be asked.
    pub async fn is_there(&self, key: &str, size: u64) -> Result<bool> {
        match self.s3.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(head) => Ok(head.content_length.map(i64::unsigned_abs) == Some(size)),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => Ok(false),
            Err(error) => Err(explain("What S3 has of it could not be asked", error)),
        }
    }

    /// Deletes an object; one that is not there is deleted.
    ///
    /// # Errors
    /// When S3 cannot be asked, or refuses.
    pub async fn delete(&self, key: &str) -> Result<()> {
        match self.s3.delete_object().bucket(&self.bucket).key(key).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("NoSuchKey") => Ok(()),
            Err(error) => Err(explain("It is canceled, but its file in S3 could not be deleted", error)),
        }
    }
}
