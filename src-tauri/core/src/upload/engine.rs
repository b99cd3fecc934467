//! Sending files to one remote: what is begun anew, what is tried again, what is given up.

use std::sync::Mutex;

use tokio_util::sync::CancellationToken;

use super::changed;
use super::checksum::Checksum;
use super::journal::{Journal, Record};
use super::limit::Limit;
use super::plan::PartPlan;
use super::remote::{Held, Remote, Target};
use super::sending::{Attempt, Known, Sending};
use super::tools::{Tools, told};
use super::{Progress, Request, Uploaded};
use crate::aws::Encryption;
use crate::clock::now_ms;
use crate::files::{self, Likeness};
use crate::{Code, Error, Result};

/// New beginnings of one sending after S3 forgot the upload.
const NEW_BEGINNINGS: u32 = 3;

/// Sends files to one remote. All uploads of a workspace share it, and so the line and the memory.
#[derive(Clone)]
pub(super) struct Engine<R> {
    pub tools: Tools<R>,
    plan: fn(u64) -> Result<PartPlan>,
}

impl<R: Remote> Engine<R> {
    pub fn new(remote: R, journal: Journal, limit: Limit) -> Self {
        Self { tools: Tools::new(remote, journal, limit), plan: PartPlan::for_size }
    }

    /// Sends the file, or what is missing of it, and verifies the object.
    pub async fn send(&self, request: &Request, progress: &Progress, canceled: &CancellationToken) -> Result<Uploaded> {
        let (mut record, known) = self.record(request).await?;
        for _ in 0..NEW_BEGINNINGS {
            progress.restart();
            let file = Mutex::new((record.identity.clone(), record.touched_at));
            let readahead = self.tools.reader.readahead(&request.path);
            let sending =
                Sending { tools: &self.tools, request, record: &record, known, file, progress, canceled, readahead };
            match sending.attempt().await {
                Ok(Attempt::Done(checksum)) => {
                    let finished = self.tools.journal.finish(&request.id, checksum).await?;
                    return Ok(Uploaded {
                        size: record.identity.size,
                        checksum,
                        parts: record.plan.count(),
                        sent: finished.sent,
                        completing_at: finished.completing_at.unwrap_or_else(now_ms),
                    });
                }
                Ok(Attempt::Forgotten) => {
                    self.tools.journal.forgotten(&request.id).await?;
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
        let (mut record, is_new) = self.tools.journal.open(request, identity.clone(), touched_at, plan).await?;
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
                self.tools.journal.set_file(&request.id, &request.path, &identity, touched_at).await?;
                Known::Same
            }
            Likeness::Same | Likeness::Unsure => Known::Unsure,
            Likeness::Other => {
                self.abort(&request.id).await?;
                // What was sent whole, or from another place, is no obstacle to this file.
                if record.finished.is_none() && same_path {
                    return Err(changed(&request.path));
                }
                return Ok((self.tools.journal.open(request, identity, touched_at, plan).await?.0, Known::New));
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
        let held = self.tools.retrying(&never, || self.tools.remote.head(&target)).await?;
        let held = held.map_err(|refusal| told(refusal, bucket, key))?.filter(|held| held.size == size);
        match held {
            Some(Held { checksum: None, .. }) => self.tools.read_back(&target, size, &never).await.map(Some),
            held => Ok(held.and_then(|held| held.checksum)),
        }
    }

    /// Forgets an upload, and removes what S3 holds of it: now, or at the next chance. Answers whether there was one.
    pub async fn abort(&self, id: &str) -> Result<bool> {
        let was_there = self.tools.journal.give_up(id).await?.is_some();
        self.tools.clean_up().await?;
        Ok(was_there)
    }
}

#[cfg(test)]
mod tests;
