//! The object of a journey in the source bucket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata as _};
use tokio::sync::Mutex;

use crate::Result;
use crate::explain::explain;
use crate::workspace::trigger::starting;

/// The source bucket; cheap to clone.
#[derive(Clone)]
pub(super) struct Source {
    s3: aws_sdk_s3::Client,
    bucket: String,
    starting: Arc<Mutex<Option<Starting>>>,
}

/// What starts the pipeline.
struct Starting {
    asked_at: Instant,
    /// The endings of keys; none where any may.
    endings: Option<Vec<String>>,
}

impl Starting {
    fn starts(&self, key: &str) -> bool {
        self.endings.as_ref().is_none_or(|endings| endings.iter().any(|ending| key.ends_with(ending)))
    }

    fn is_believed(&self, key: &str) -> bool {
        self.asked_at.elapsed() < if self.starts(key) { BELIEVED_FOR } else { REFUSES_FOR }
    }
}

/// How long it is believed what starts the pipeline.
const BELIEVED_FOR: Duration = Duration::from_secs(5 * 60);
/// The same where a file is refused for it: someone may just have mended it.
const REFUSES_FOR: Duration = Duration::from_secs(5);

impl Source {
    pub fn new(s3: aws_sdk_s3::Client, bucket: &str) -> Self {
        Self { s3, bucket: bucket.to_owned(), starting: Arc::default() }
    }

    /// The endings of keys that start the pipeline, where this key has none of them: what starts it differs from one version
    /// to the next. None where it starts it, where that cannot be asked, and where it is decided elsewhere.
    pub async fn does_not_start(&self, key: &str) -> Option<Vec<String>> {
        let mut known = self.starting.lock().await;
        if !known.as_ref().is_some_and(|known| known.is_believed(key)) {
            let answer = self.s3.get_bucket_notification_configuration().bucket(&self.bucket).send().await;
            let endings = answer.map(|configuration| starting(&configuration)).unwrap_or_else(|error| {
                tracing::debug!(details = %DisplayErrorContext(&error), "what starts the pipeline is not known");
                None
            });
            *known = Some(Starting { asked_at: Instant::now(), endings });
        }
        let known = known.as_ref().filter(|known| !known.starts(key))?;
        known.endings.clone()
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
