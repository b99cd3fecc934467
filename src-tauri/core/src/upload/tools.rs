//! What all uploads to one remote share, and how it is asked: again while it is busy, and in vain no longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::checksum::Checksum;
use super::journal::{Journal, ToAbort};
use super::limit::Limit;
use super::line::Line;
use super::reader::Reader;
use super::remote::{Refusal, Remote, Target};
use crate::{Code, Error, Result};

/// Tries of one request while S3 is busy or the line breaks; then whoever sends decides how long to wait.
pub(super) const TRIES: u32 = 6;
/// Bytes of a piece that is read back.
const READ_BACK: u64 = 64 * 1024 * 1024;
/// The first wait between two tries; each one after it is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// The remote, and the journal, line and memory of all uploads to it; cheap to clone.
#[derive(Clone)]
pub(super) struct Tools<R> {
    pub remote: R,
    pub journal: Journal,
    pub reader: Reader,
    pub line: Line,
    pub first_wait: Duration,
    was_up: Arc<AtomicBool>,
}

impl<R: Remote> Tools<R> {
    pub fn new(remote: R, journal: Journal, limit: Limit) -> Self {
        let (line, reader) = (Line::under(limit.clone()), Reader::under(limit));
        Self { remote, journal, line, reader, first_wait: FIRST_WAIT, was_up: Arc::default() }
    }

    /// Whether anything has arrived yet: a line that was up comes back, one that never was may not be there.
    pub fn was_up(&self) -> bool {
        self.was_up.load(Ordering::Relaxed)
    }

    pub fn is_up(&self) {
        self.was_up.store(true, Ordering::Relaxed);
    }

    /// The checksum of an object, read in pieces.
    pub async fn read_back(&self, target: &Target, size: u64, canceled: &CancellationToken) -> Result<Checksum> {
        let mut whole: Option<Checksum> = None;
        for offset in (0..size.max(1)).step_by(READ_BACK as usize) {
            let length = (size - offset).min(READ_BACK);
            let read = self.retrying(canceled, || self.remote.read(target, offset, length)).await?;
            let piece = read.map_err(|refusal| told(refusal, &target.bucket, &target.key))?;
            whole = Some(whole.map_or(piece, |before| before.followed_by(piece, length)));
        }
        whole.ok_or_else(|| Error::internal("nothing was read back"))
    }

    /// An upload that was found, unless it is to be aborted: then it is none to go on with.
    pub async fn unless_aborted(&self, found: Option<String>) -> Result<Option<String>> {
        Ok(match found {
            Some(upload) if self.journal.is_to_abort(&upload).await? => None,
            found => found,
        })
    }

    /// Works off what is to be aborted, with one try for each; answers what is left, and why.
    pub async fn clean_up(&self) -> Result<Vec<(ToAbort, Error)>> {
        let mut left = Vec::new();
        for one in self.journal.to_abort().await? {
            match self.remote.abort(&one.bucket, &one.key, &one.upload_id).await {
                Ok(()) => self.journal.aborted(one).await?,
                Err(refusal) => {
                    let error = told(refusal, &one.bucket, &one.key);
                    tracing::info!(id = one.id, details = error.details, "an upload is still to be aborted");
                    let is_down = matches!(error.code, Code::Network | Code::SignIn);
                    left.push((one, error));
                    // The others would wait for nothing.
                    if is_down {
                        break;
                    }
                }
            }
        }
        Ok(left)
    }

    /// Tries again while S3 is busy, with waits that grow and differ; what else it says is the caller's.
    pub async fn retrying<T, F>(&self, canceled: &CancellationToken, ask: impl Fn() -> F) -> Result<Result<T, Refusal>>
    where
        F: Future<Output = Result<T, Refusal>>,
    {
        let mut tries = 1;
        loop {
            let answer = tokio::select! {
                answer = ask() => answer,
                () = canceled.cancelled() => return Err(super::canceled()),
            };
            match answer {
                Err(Refusal::Busy(error)) if tries < TRIES => {
                    tracing::debug!(%error, details = error.details, tries, "S3 is busy");
                    self.wait(tries, canceled).await?;
                    tries += 1;
                }
                Ok(answer) => {
                    self.is_up();
                    return Ok(Ok(answer));
                }
                answer => return Ok(answer),
            }
        }
    }

    pub async fn wait(&self, tries: u32, canceled: &CancellationToken) -> Result<()> {
        let longest = self.first_wait * 2_u32.pow(tries - 1);
        // A half of it by chance, so that the parts of a storm do not come back all at once.
        let wait = longest / 2 + longest.mul_f64(f64::from(fastrand::u8(..)) / 512.0);
        tokio::select! {
            () = tokio::time::sleep(wait) => Ok(()),
            () = canceled.cancelled() => Err(super::canceled()),
        }
    }
}

pub(super) fn told(refusal: Refusal, bucket: &str, key: &str) -> Error {
    match refusal {
        Refusal::Busy(error)
        | Refusal::Damaged(error)
        | Refusal::Conflict(error)
        | Refusal::Parts(error)
        | Refusal::Header(error)
        | Refusal::Final(error) => error,
        Refusal::Gone => Error::internal("S3 does not know the upload"),
        Refusal::Exists => Error::new(
            Code::Exists,
            format!("There is another object at s3://{bucket}/{key}."),
            "Choose another name, or replace it on purpose.",
        ),
    }
}
