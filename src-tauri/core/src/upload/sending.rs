//! One attempt at one file: resume what S3 holds, send what is missing, complete, and ask S3 what it has.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio_util::sync::CancellationToken;

use super::adaptive::MOST;
use super::changed;
use super::checksum::Checksum;
use super::journal::Record;
use super::plan::{PartNumber, PartPlan};
use super::readahead::Readahead;
use super::remote::{Held, PartRecord, Refusal, Remote, Target, name};
use super::tools::{Tools, told};
use super::{Progress, Request, canceled, changed_too_late, stop_if};
use crate::clock::now_ms;
use crate::files::{self, Identity, Likeness};
use crate::{Code, Error, Result};

/// Comparisons of a file whose time or name on the disk became another one; then someone is writing it.
const COMPARISONS: u32 = 3;

/// How far the file is the one of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// The record was made for it just now.
    New,
    /// It is.
    Same,
    /// It may be: what was sent of it is compared with its bytes.
    Unsure,
}

/// How one attempt ended.
pub(super) enum Attempt {
    Done(Checksum),
    /// S3 forgot the upload: begin anew.
    Forgotten,
}

/// An upload that S3 knows.
struct Begun {
    upload: String,
    /// Parts that S3 holds and that are the file's.
    kept: BTreeMap<PartNumber, PartRecord>,
    /// Those of them whose answer a kill took.
    adopted: Vec<PartNumber>,
}

/// How a completion ended.
enum Completed {
    Done(Checksum),
    /// S3 forgot the upload.
    Forgotten,
    /// S3 has other parts.
    OtherParts(Error),
    /// Someone wrote to the key at the same time.
    Conflict(Error),
}

/// One file on its way.
pub(super) struct Sending<'a, R> {
    pub tools: &'a Tools<R>,
    pub request: &'a Request,
    pub record: &'a Record,
    pub known: Known,
    /// The file as it was when it was last known to be the one that is sent, and when anything of it was last changed.
    pub file: Mutex<(Identity, Option<i64>)>,
    pub progress: &'a Progress,
    pub canceled: &'a CancellationToken,
    pub readahead: Readahead,
}

impl<R: Remote> Sending<'_, R> {
    pub(super) fn target(&self) -> &Target {
        &self.request.target
    }

    fn told(&self, refusal: Refusal) -> Error {
        told(refusal, &self.target().bucket, &self.target().key)
    }

    async fn ask<T, F>(&self, ask: impl Fn() -> F) -> Result<Result<T, Refusal>>
    where
        F: Future<Output = Result<T, Refusal>>,
    {
        self.tools.retrying(self.canceled, ask).await
    }

    /// The object of the key that this file is to have.
    async fn head(&self) -> Result<Option<Held>> {
        self.ask(|| self.tools.remote.head(self.target())).await?.map_err(|refusal| self.told(refusal))
    }

    pub async fn attempt(&self) -> Result<Attempt> {
        if let Some(checksum) = self.there_already().await? {
            self.progress.stored(self.record.identity.size);
            return Ok(Attempt::Done(checksum));
        }
        let done = if self.record.plan.is_single() { self.put().await } else { self.parts().await };
        if let Ok(Attempt::Done(checksum)) = done {
            self.unchanged(checksum).await.map_err(|error| match error.code {
                Code::FileChanged => changed_too_late(&self.request.path),
                _ => error,
            })?;
        }
        done
    }

    fn is_new(&self) -> bool {
        self.known == Known::New
    }

    /// The object's checksum when it is there already and is the file, byte for byte: the answer to a completion
    /// may have been lost, or someone sent the file before.
    async fn there_already(&self) -> Result<Option<Checksum>> {
        let known_unfinished = self.record.upload_id.is_some();
        // A new small object is sent at once: S3 itself refuses to replace one.
        if known_unfinished || self.is_new() && (self.record.plan.is_single() || self.target().replace) {
            return Ok(None);
        }
        let Some(held) = self.head().await? else { return Ok(None) };
        match self.same(&held).await? {
            Some(checksum) => {
                self.tools.journal.completing(&self.request.id, held.modified.unwrap_or_else(now_ms)).await?;
                Ok(Some(checksum))
            }
            None if self.target().replace => Ok(None),
            None => Err(self.told(Refusal::Exists)),
        }
    }

    /// The file's checksum, if the object is the file.
    async fn same(&self, held: &Held) -> Result<Option<Checksum>> {
        let size = self.record.identity.size;
        if held.size != size {
            return Ok(None);
        }
        let own = match self.record.finished.filter(|_| self.known == Known::Same) {
            Some(own) => own,
            None => self.own(0, size).await?,
        };
        Ok(self.holds(held, own).await?.then_some(own))
    }

    /// That the file is still the one whose bytes were sent. Where its time or its name on the disk became another one,
    /// its bytes decide.
    async fn unchanged(&self, sent: Checksum) -> Result<()> {
        let known = || self.file.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..COMPARISONS {
            let (now, now_touched_at) = files::stat(&self.request.path).await?;
            // A time that was put back hides a change; that it was put back shows.
            let (before, touched_at) = known().clone();
            let was_touched = now_touched_at != touched_at;
            match before.like(&now) {
                Likeness::Same if !was_touched => return Ok(()),
                Likeness::Same | Likeness::Unsure if self.own(0, now.size).await? == sent => {
                    let journal = &self.tools.journal;
                    journal.set_file(&self.request.id, &self.request.path, &now, now_touched_at).await?;
                    *known() = (now, now_touched_at);
                }
                Likeness::Same | Likeness::Unsure | Likeness::Other => break,
            }
        }
        Err(changed(&self.request.path))
    }

    /// One request for the whole.
    async fn put(&self) -> Result<Attempt> {
        let length = self.record.identity.size;
        let line = self.tools.line.join();
        let send = |body| self.tools.remote.put(self.target(), body);
        let sent = self.tries(line, 0, length, self.is_new(), send).await?;
        let (held, checksum, flight) = match sent {
            Ok(sent) => sent,
            // Ours, if the answer to an earlier try was lost.
            Err(Refusal::Exists) => {
                let same = match self.head().await? {
                    Some(held) => self.same(&held).await?,
                    None => None,
                };
                return same.map(Attempt::Done).ok_or_else(|| self.told(Refusal::Exists));
            }
            Err(refusal) => return Err(self.told(refusal)),
        };
        flight.arrived();
        self.progress.finalise();
        if held.checksum.is_none() {
            self.verify(checksum).await?;
        }
        Ok(Attempt::Done(checksum))
    }

    async fn parts(&self) -> Result<Attempt> {
        let Some(Begun { upload, kept: mut done, mut adopted }) = self.begun().await? else {
            return Ok(Attempt::Forgotten);
        };
        for (number, _, length) in self.record.plan.parts() {
            if done.contains_key(&number) {
                self.progress.stored(length);
            }
        }
        loop {
            if let Some(ended) = self.send_missing(&upload, &mut done).await? {
                return Ok(ended);
            }
            let whole = self.whole(&done).await?;
            // Before the object is announced to anyone: it must be the file that it was at the beginning.
            self.unchanged(whole).await?;
            stop_if(self.canceled)?;
            self.progress.finalise();
            match self.complete(&upload, &done, whole).await? {
                Completed::Done(checksum) => return Ok(Attempt::Done(checksum)),
                Completed::Forgotten => return Ok(Attempt::Forgotten),
                // Some servers list a part that was there before one that a kill broke off, and then do not take it.
                Completed::OtherParts(error) if !adopted.is_empty() => {
                    tracing::info!(details = error.details, "parts that were taken up are sent again");
                    for number in std::mem::take(&mut adopted) {
                        done.remove(&number);
                    }
                }
                Completed::OtherParts(error) | Completed::Conflict(error) => {
                    tracing::warn!(details = error.details, "the upload cannot be completed and is begun anew");
                    self.tools.journal.begin_anew(&self.request.id).await?;
                    self.tools.clean_up().await?;
                    return Ok(Attempt::Forgotten);
                }
            }
        }
    }

    /// Sends the parts that are not done; answers early where S3 does not know the upload.
    async fn send_missing(&self, upload: &str, done: &mut BTreeMap<PartNumber, PartRecord>) -> Result<Option<Attempt>> {
        let missing: Vec<_> = self.record.plan.parts().filter(|part| !done.contains_key(&part.0)).collect();
        let line = self.tools.line.join();
        let mut sending = stream::iter(missing)
            .map(|(number, offset, length)| async move {
                Ok::<_, Error>((number, self.part(line, upload, number, offset, length).await?))
            })
            .buffer_unordered(MOST);
        loop {
            match sending.try_next().await? {
                Some((number, Ok(part))) => done.insert(number, part),
                Some((_, Err(Refusal::Gone))) => return Ok(Some(Attempt::Forgotten)),
                Some((_, Err(refusal))) => return Err(self.told(refusal)),
                None => return Ok(None),
            };
        }
    }

    /// The upload and the parts of it that S3 holds and that are the file's; `None` if S3 does not know it.
    async fn begun(&self) -> Result<Option<Begun>> {
        let id = &self.request.id;
        let known = match &self.record.upload_id {
            Some(upload) => Some(upload.clone()),
            None if self.is_new() => None,
            // A kill may have come between S3's answer and the journal.
            None => {
                let found = self.ask(|| self.tools.remote.find(self.target())).await?;
                self.tools.unless_aborted(found.map_err(|refusal| self.told(refusal))?).await?
            }
        };
        let Some(upload) = known else {
            // Of a file that may not be read nothing is begun in S3.
            files::ask(&self.request.path, files::can_be_read).await?;
            let Some(upload) = self.begin().await?.map_err(|refusal| self.told(refusal))? else {
                return Err(canceled());
            };
            return Ok(Some(Begun { upload, kept: BTreeMap::new(), adopted: Vec::new() }));
        };
        if self.record.upload_id.is_none() {
            let Target { bucket, key, .. } = self.target();
            self.tools.journal.begun(id, bucket, key, upload.clone()).await?;
        }
        let held = match self.ask(|| self.tools.remote.parts(self.target(), &upload)).await? {
            Ok(held) => held,
            Err(Refusal::Gone) => {
                // Completed by the run before, or removed by someone.
                return Ok(None);
            }
            Err(refusal) => return Err(self.told(refusal)),
        };
        let journaled = self.tools.journal.parts(id).await?;
        let (mut kept, mut adopted) = (BTreeMap::new(), Vec::new());
        for (number, offset, length) in self.record.plan.parts() {
            let Some(held) = held.get(&number).filter(|held| held.size == length) else { continue };
            let checksum = match journaled.get(&number) {
                // A server that keeps no checksums is believed by its ETag.
                Some(part) if held.checksum.is_none_or(|checksum| checksum == part.checksum) => {
                    if self.known == Known::Unsure && self.own(offset, length).await? != part.checksum {
                        return Err(changed(&self.request.path));
                    }
                    (part.etag == held.etag).then_some(part.checksum)
                }
                // A part that arrived just before a kill is in S3 and not in the journal: its bytes decide.
                _ => {
                    let own = self.own(offset, length).await?;
                    held.checksum.is_some_and(|checksum| checksum == own).then_some(own)
                }
            };
            if let Some(checksum) = checksum {
                let part = PartRecord { etag: held.etag.clone(), checksum };
                if !journaled.contains_key(&number) {
                    adopted.push(number);
                    self.tools.journal.add_part(id, number, part.clone()).await?;
                }
                kept.insert(number, part);
            }
        }
        if self.known == Known::Unsure {
            let (identity, touched_at) = (&self.record.identity, self.record.touched_at);
            self.tools.journal.set_file(id, &self.request.path, identity, touched_at).await?;
        }
        Ok(Some(Begun { upload, kept, adopted }))
    }

    /// Begins an upload; `None` where it was given up meanwhile. What S3 was asked is heard to its end, whoever cancels:
    /// an upload that nobody knows of would stay.
    async fn begin(&self) -> Result<Result<Option<String>, Refusal>> {
        let (tools, target, id) = (self.tools.clone(), self.target().clone(), self.request.id.clone());
        let asked = tokio::spawn(async move {
            let is_again = AtomicBool::new(false);
            let begin = || async {
                // The answer to the try before may have been lost: what it began is taken up, not left behind.
                if is_again.swap(true, Ordering::Relaxed)
                    && let Some(upload) =
                        tools.unless_aborted(tools.remote.find(&target).await?).await.map_err(Refusal::Final)?
                {
                    return Ok(upload);
                }
                tools.remote.begin(&target).await
            };
            match tools.retrying(&CancellationToken::new(), begin).await? {
                Ok(upload) => Ok(Ok(tools.journal.begun(&id, &target.bucket, &target.key, upload).await?)),
                Err(refusal) => Ok(Err(refusal)),
            }
        });
        tokio::select! {
            begun = asked => begun.map_err(Error::internal)?,
            () = self.canceled.cancelled() => Err(canceled()),
        }
    }

    async fn part(
        &self,
        line: u64,
        upload: &str,
        number: PartNumber,
        offset: u64,
        length: u64,
    ) -> Result<Result<PartRecord, Refusal>> {
        let send = |body| self.tools.remote.send_part(self.target(), upload, number, body);
        let (taken, checksum, flight) = match self.tries(line, offset, length, false, send).await? {
            Ok(taken) => taken,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let part = PartRecord { etag: taken.etag, checksum };
        self.tools.journal.add_part(&self.request.id, number, part.clone()).await?;
        flight.arrived();
        Ok(Ok(part))
    }

    /// The checksum of the whole, off the async threads: of ten thousand parts it takes seconds.
    async fn whole(&self, parts: &BTreeMap<PartNumber, PartRecord>) -> Result<Checksum> {
        let (plan, parts) = (self.record.plan, parts.clone());
        let whole = tokio::task::spawn_blocking(move || combine(plan, &parts)).await.map_err(Error::internal)?;
        whole.ok_or_else(|| Error::internal("a part has no checksum"))
    }

    async fn complete(
        &self,
        upload: &str,
        parts: &BTreeMap<PartNumber, PartRecord>,
        whole: Checksum,
    ) -> Result<Completed> {
        let size = self.record.identity.size;
        self.tools.journal.completing(&self.request.id, now_ms()).await?;
        let completed = self.ask(|| self.tools.remote.complete(self.target(), upload, parts, size, whole)).await?;
        match completed {
            Ok(()) => {}
            // A completion whose answer was lost has made the object, and its repetition finds the upload gone or
            // the object there; what S3 holds decides.
            Err(Refusal::Gone) => {
                if self.head().await?.is_none() {
                    return Ok(Completed::Forgotten);
                }
            }
            Err(Refusal::Parts(error)) => return Ok(Completed::OtherParts(error)),
            Err(Refusal::Conflict(error)) => return Ok(Completed::Conflict(error)),
            Err(Refusal::Exists) => {
                let is_ours = match self.head().await? {
                    Some(held) => self.holds(&held, whole).await?,
                    None => false,
                };
                if !is_ours {
                    return Err(self.told(Refusal::Exists));
                }
                // Someone else sent the same; the parts of this upload are nobody's now, unless it was its own answer that
                // was lost: then S3 does not know it any more.
                self.tools.journal.begin_anew(&self.request.id).await?;
                self.tools.clean_up().await?;
                return Ok(Completed::Done(whole));
            }
            Err(refusal) => return Err(self.told(refusal)),
        }
        self.verify(whole).await?;
        Ok(Completed::Done(whole))
    }

    /// Asks S3 what it holds; only this makes an upload a success.
    async fn verify(&self, checksum: Checksum) -> Result<()> {
        let held = self.head().await?.ok_or_else(|| {
            Error::new(
                Code::Integrity,
                format!("S3 does not hold \"{}\" although it took all of it.", crate::shown(&self.request.path)),
                "Retry sends it again.",
            )
        })?;
        if self.holds(&held, checksum).await? {
            return Ok(());
        }
        let size = self.record.identity.size;
        Err(wrong(self.target())
            .with_details(format!("size {} of {size}, CRC64NVME {:?} of {checksum}", held.size, held.checksum)))
    }

    /// Whether an object has this content. Where the server keeps no checksum of the whole, it is read back.
    async fn holds(&self, held: &Held, checksum: Checksum) -> Result<bool> {
        if held.size != self.record.identity.size {
            return Ok(false);
        }
        let of_object = match held.checksum {
            Some(of_object) => of_object,
            None => self.tools.read_back(self.target(), held.size, self.canceled).await?,
        };
        Ok(of_object == checksum)
    }
}

pub(super) fn wrong(target: &Target) -> Error {
    Error::new(
        Code::Integrity,
        format!("What S3 holds of \"{}\" is not what the file is.", name(target)),
        "Retry sends it again; do not use the object that is there.",
    )
}

/// The checksum of the whole from those of its parts.
fn combine(plan: PartPlan, parts: &BTreeMap<PartNumber, PartRecord>) -> Option<Checksum> {
    let mut whole: Option<Checksum> = None;
    for (number, _, length) in plan.parts() {
        let part = parts.get(&number)?.checksum;
        whole = Some(whole.map_or(part, |before| before.followed_by(part, length)));
    }
    whole
}
