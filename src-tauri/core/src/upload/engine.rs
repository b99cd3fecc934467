//! Sending files to one remote: what is begun anew, what is tried again, what is given up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::changed;
use super::checksum::Checksum;
use super::journal::{Journal, Record, ToAbort};
use super::line::Line;
use super::plan::PartPlan;
use super::reader::Reader;
use super::remote::{Held, Refusal, Remote, Target};
use super::sending::{Attempt, Known, Sending};
use super::{Progress, Request, Uploaded};
use crate::aws::Encryption;
use crate::event::now_ms;
use crate::files::{self, Likeness};
use crate::{Code, Error, Result};

/// Tries of one request while S3 is busy or the line breaks; then whoever sends decides how long to wait.
pub(super) const TRIES: u32 = 6;
/// Bytes of a piece that is read back.
const READ_BACK: u64 = 64 * 1024 * 1024;
/// New beginnings of one sending after S3 forgot the upload.
const NEW_BEGINNINGS: u32 = 3;
/// The first wait between two tries; each one after it is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// Sends files to one remote. All uploads of a workspace share it, and so the line, the memory and the limit.
#[derive(Clone)]
pub(super) struct Engine<R> {
    pub remote: R,
    pub journal: Journal,
    pub reader: Reader,
    pub line: Line,
    plan: fn(u64) -> Result<PartPlan>,
    first_wait: Duration,
    was_up: Arc<AtomicBool>,
}

impl<R: Remote> Engine<R> {
    pub fn new(remote: R, journal: Journal) -> Self {
        let reader = Reader::default();
        Self {
            remote,
            journal,
            line: Line::under(reader.limit.clone()),
            reader,
            plan: PartPlan::for_size,
            first_wait: FIRST_WAIT,
            was_up: Arc::default(),
        }
    }

    /// Whether anything has arrived yet: a line that was up comes back, one that never was may not be there.
    pub fn was_up(&self) -> bool {
        self.was_up.load(Ordering::Relaxed)
    }

    pub fn is_up(&self) {
        self.was_up.store(true, Ordering::Relaxed);
    }

    /// Sends the file, or what is missing of it, and verifies the object.
    pub async fn send(&self, request: &Request, progress: &Progress, canceled: &CancellationToken) -> Result<Uploaded> {
        let (mut record, known) = self.record(request).await?;
        for _ in 0..NEW_BEGINNINGS {
            progress.restart();
            let file = Mutex::new((record.identity.clone(), record.touched_at));
            let readahead = self.reader.readahead(&request.path);
            let sending =
                Sending { engine: self, request, record: &record, known, file, progress, canceled, readahead };
            match sending.attempt().await {
                Ok(Attempt::Done(checksum)) => {
                    let finished = self.journal.finish(&request.id, checksum).await?;
                    return Ok(Uploaded {
                        size: record.identity.size,
                        checksum,
                        parts: record.plan.count(),
                        sent: finished.sent,
                        completing_at: finished.completing_at.unwrap_or_else(now_ms),
                    });
                }
                Ok(Attempt::Forgotten) => {
                    self.journal.forgotten(&request.id).await?;
                    record.upload_id = None;
                }
                Err(error) => {
                    if error.code == Code::FileChanged {
                        self.abort(&request.id).await?;
                    }
                    return Err(error);
                }
            }
        }
        Err(Error::new(
            Code::Internal,
            format!("S3 forgot the upload of \"{}\" again and again.", crate::shown(&request.path)),
            "See whether a lifecycle rule of the bucket removes unfinished uploads at once, then retry.",
        ))
    }

    /// What the journal knows of it, or a new record, with the file as it is now; and how far the two belong together.
    async fn record(&self, request: &Request) -> Result<(Record, Known)> {
        let (identity, touched_at) = files::stat(&request.path).await?;
        let plan = (self.plan)(identity.size)?;
        let (mut record, is_new) = self.journal.open(request, identity.clone(), touched_at, plan).await?;
        if is_new {
            return Ok((record, Known::New));
        }
        let same_path = record.path == request.path;
        // Without a name on the disk a file under another path may be any.
        let is_renamed = !same_path && !identity.file_id.is_empty() && record.identity.file_id == identity.file_id;
        // A time that was put back hides a change; that it was put back shows.
        let was_touched = record.touched_at.is_some() && record.touched_at != touched_at;
        let known = match record.identity.like(&identity) {
            Likeness::Same if same_path && !was_touched => Known::Same,
            // A rename touches a file too.
            Likeness::Same if is_renamed => {
                self.journal.set_file(&request.id, &request.path, &identity, touched_at).await?;
                Known::Same
            }
            Likeness::Same | Likeness::Unsure => Known::Unsure,
            Likeness::Other => {
                self.abort(&request.id).await?;
                // What was sent whole, or from another place, is no obstacle to this file.
                if record.finished.is_none() && same_path {
                    return Err(changed(&request.path));
                }
                return Ok((self.journal.open(request, identity, touched_at, plan).await?.0, Known::New));
            }
        };
        (record.identity, record.touched_at) = (identity, touched_at);
        Ok((record, known))
    }

    /// The checksum of an object of this size; `None` where it is not there, or has another one. Where the server keeps none
    /// of the whole, it is read back.
    pub async fn checksum_of_object(&self, bucket: &str, key: &str, size: u64) -> Result<Option<Checksum>> {
        let target = Target {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            metadata: Vec::new(),
            content_type: String::new(),
            encryption: Encryption::default(),
            replace: false,
        };
        let never = CancellationToken::new();
        let held = self.patiently(&never, || self.remote.head(&target)).await?;
        let held = held.map_err(|refusal| told(refusal, bucket, key))?.filter(|held| held.size == size);
        match held {
            Some(Held { checksum: None, .. }) => self.read_back(&target, size, &never).await.map(Some),
            held => Ok(held.and_then(|held| held.checksum)),
        }
    }

    /// The checksum of an object, read in pieces.
    pub async fn read_back(&self, target: &Target, size: u64, canceled: &CancellationToken) -> Result<Checksum> {
        let mut whole: Option<Checksum> = None;
        for offset in (0..size.max(1)).step_by(READ_BACK as usize) {
            let length = (size - offset).min(READ_BACK);
            let read = self.patiently(canceled, || self.remote.read(target, offset, length)).await?;
            let piece = read.map_err(|refusal| told(refusal, &target.bucket, &target.key))?;
            whole = Some(whole.map_or(piece, |before| before.followed_by(piece, length)));
        }
        whole.ok_or_else(|| Error::internal("nothing was read back"))
    }

    /// Forgets an upload, and removes what S3 holds of it: now, or at the next chance. Answers whether there was one.
    pub async fn abort(&self, id: &str) -> Result<bool> {
        let was_there = self.journal.give_up(id).await?.is_some();
        self.clean_up().await?;
        Ok(was_there)
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
    pub async fn patiently<T, F>(&self, canceled: &CancellationToken, ask: impl Fn() -> F) -> Result<Result<T, Refusal>>
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

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
