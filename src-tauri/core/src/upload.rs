//! Uploads: a file in parts to S3, journaled so that it goes on after a kill, verified end to end.
//!
//! Every part is sent with its CRC64NVME; the checksum of the whole is combined from the parts', sent with the
//! completion, and compared with what S3 holds afterwards.

mod engine;
mod journal;
mod plan;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use tokio_util::sync::CancellationToken;

pub use self::engine::Uploader;
pub use self::plan::{PartNumber, PartPlan};
use crate::{Code, Error, Result};

/// What is to be sent where. The same `id` again resumes.
#[derive(Clone, Debug)]
pub struct Request {
    /// The name of the upload in the journal.
    pub id: String,
    /// The file.
    pub path: PathBuf,
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// Object metadata, ASCII.
    pub metadata: Vec<(String, String)>,
    /// The content type.
    pub content_type: String,
}

/// An object that S3 holds as the file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// Bytes.
    pub size: u64,
    /// The CRC64NVME of the whole, base64, as S3 reports it.
    pub checksum: String,
}

/// Counts bytes as they leave; read by whoever draws the progress.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    stored: AtomicU64,
    in_flight: AtomicU64,
    finalising: AtomicBool,
}

impl Progress {
    /// Bytes that S3 has, and bytes on their way.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        (self.0.stored.load(Ordering::Relaxed), self.0.in_flight.load(Ordering::Relaxed))
    }

    fn sent(&self, bytes: u64) {
        self.0.in_flight.fetch_add(bytes, Ordering::Relaxed);
    }

    fn unsent(&self, bytes: u64) {
        self.0.in_flight.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn stored(&self, bytes: u64) {
        self.0.stored.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether all bytes are there and S3 puts them together.
    #[must_use]
    pub fn is_finalising(&self) -> bool {
        self.0.finalising.load(Ordering::Relaxed)
    }

    fn finalise(&self) {
        self.0.finalising.store(true, Ordering::Relaxed);
    }

    fn restart(&self) {
        self.0.stored.store(0, Ordering::Relaxed);
        self.0.finalising.store(false, Ordering::Relaxed);
    }
}

/// What makes a file the one that it was: its size and the time of its last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Bytes.
    pub size: u64,
    /// Nanoseconds since the epoch.
    pub modified_ns: i64,
}

impl Identity {
    /// Looks at the file.
    ///
    /// # Errors
    /// [`Code::FileMissing`] or [`Code::FileUnreadable`].
    pub fn of(path: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Ok(Self {
            size: metadata.len(),
            modified_ns: modified.map_or(0, |time| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)),
        })
    }
}

/// Says why a file cannot be read.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    let shown = crate::shown(path);
    match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Error::new(
            Code::FileMissing,
            format!("\"{shown}\" is not there."),
            "Check the path, or connect the disk again, then retry.",
        ),
        std::io::ErrorKind::PermissionDenied => Error::new(
            Code::FileUnreadable,
            format!("\"{shown}\" may not be read."),
            "Give your user read permission on it, then retry.",
        ),
        _ => Error::new(
            Code::FileUnreadable,
            format!("\"{shown}\" cannot be read: {error}."),
            "Check the disk and the path, then retry.",
        ),
    }
    .with_details(error)
}

fn changed(path: &Path) -> Error {
    Error::new(
        Code::FileChanged,
        format!("\"{}\" was changed while it was being sent.", crate::shown(path)),
        "Add it again when it is finished; what was sent of the old version is removed.",
    )
}

fn canceled() -> Error {
    Error::new(Code::Canceled, "The upload was canceled.", "Retry sends what had not arrived.")
}

/// Whether to stop, as an error that says so.
fn stop_if(canceled_by: &CancellationToken) -> Result<()> {
    if canceled_by.is_cancelled() { Err(canceled()) } else { Ok(()) }
}
