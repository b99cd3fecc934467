//! Sending: parts in parallel, each read straight from the file.

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use crc_fast::CrcAlgorithm::Crc64Nvme;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::journal::{Journal, PartRecord, Record};
use super::plan::{PartNumber, PartPlan};
use super::{Identity, Progress, Request, Uploaded, changed, stop_if, unreadable};
use crate::aws::explain;
use crate::store::Store;
use crate::{Code, Error, Result};

/// Parts on their way at once, over all files; with the part size it bounds the memory.
const PARTS_IN_FLIGHT: usize = 4;
/// What is handed to the connection at once, in bytes.
const CHUNK: usize = 128 * 1024;

/// Sends files. One for all uploads of a workspace, so that they share the line.
#[derive(Clone)]
pub struct Uploader {
    s3: aws_sdk_s3::Client,
    journal: Journal,
    slots: Arc<Semaphore>,
}

/// What S3 holds of an object.
struct Held {
    size: u64,
    checksum: Option<String>,
}

impl Uploader {
    /// An uploader over this client and journal.
    #[must_use]
    pub fn new(s3: aws_sdk_s3::Client, store: Store) -> Self {
        Self { s3, journal: Journal(store), slots: Arc::new(Semaphore::new(PARTS_IN_FLIGHT)) }
    }

    /// Sends the file, or what is missing of it, and verifies the object.
    ///
    /// # Errors
    /// When the file cannot be read or was changed, S3 refuses or cannot be reached, or the object is not the
    /// file. What was sent stays for the next try, except where the file changed.
    pub async fn send(&self, request: &Request, progress: &Progress, canceled: &CancellationToken) -> Result<Uploaded> {
        let identity = Identity::of(&request.path)?;
        let mut record = match self.journal.find(&request.id).await? {
            Some(record) => record,
            None => self.journal.begin(request, identity, PartPlan::for_size(identity.size)?).await?,
        };
        if record.identity != identity {
            self.abort(&request.id).await?;
            return Err(changed(&request.path));
        }
        progress.restart();
        let mut done = self.reconcile(request, &mut record).await?;
        let upload_id = match &record.upload_id {
            Some(id) => id.clone(),
            None => {
                // A Complete whose answer was lost has made the object already.
                if let Some(uploaded) = self.finished(request, &record).await? {
                    return Ok(uploaded);
                }
                self.begin(request).await?
            }
        };
        for (number, _, length) in record.plan.parts() {
            if done.contains_key(&number) {
                progress.stored(length);
            }
        }
        let missing: Vec<_> = record.plan.parts().filter(|(number, ..)| !done.contains_key(number)).collect();
        let mut sending = stream::iter(missing)
            .map(|part| self.send_part(request, &upload_id, part, progress, canceled))
            .buffer_unordered(PARTS_IN_FLIGHT);
        while let Some((number, part)) = sending.try_next().await? {
            done.insert(number, part);
        }
        drop(sending);
        if Identity::of(&request.path)? != identity {
            self.abort(&request.id).await?;
            return Err(changed(&request.path));
        }
        stop_if(canceled)?;
        progress.finalise();
        self.complete(request, &record, &upload_id, done).await
    }

    /// Removes what S3 holds of an unfinished upload, and the journal's record of it.
    ///
    /// # Errors
    /// When S3 cannot be asked.
    pub async fn abort(&self, id: &str) -> Result<()> {
        if let Some(Record { upload_id: Some(upload_id), bucket, key, .. }) = self.journal.find(id).await? {
            let aborted = self.s3.abort_multipart_upload().bucket(bucket).key(key).upload_id(upload_id).send().await;
            if let Err(error) = aborted
                && !error.as_service_error().is_some_and(|error| error.is_no_such_upload())
            {
                return Err(explain("The unfinished upload could not be removed", error));
            }
        }
        self.journal.forget(id).await
    }

    /// Forgets a finished upload.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn forget(&self, id: &str) -> Result<()> {
        self.journal.forget(id).await
    }

    async fn begin(&self, request: &Request) -> Result<String> {
        let mut create = self
            .s3
            .create_multipart_upload()
            .bucket(&request.bucket)
            .key(&request.key)
            .content_type(&request.content_type)
            .checksum_algorithm(ChecksumAlgorithm::Crc64Nvme)
            .checksum_type(ChecksumType::FullObject);
        for (name, value) in &request.metadata {
            create = create.metadata(name, value);
        }
        let created = create.send().await.map_err(|error| explain(&doing(&request.path), error))?;
        let id = created.upload_id.ok_or_else(|| Error::internal("S3 gave no upload id"))?;
        self.journal.set_upload_id(&request.id, Some(id.clone())).await?;
        Ok(id)
    }

    /// The parts that S3 holds and that are the file's; the rest is sent again.
    async fn reconcile(&self, request: &Request, record: &mut Record) -> Result<BTreeMap<PartNumber, PartRecord>> {
        let Some(upload_id) = record.upload_id.clone() else { return Ok(BTreeMap::new()) };
        let journaled = self.journal.parts(&request.id).await?;
        let mut kept = BTreeMap::new();
        let mut pages =
            self.s3.list_parts().bucket(&request.bucket).key(&request.key).upload_id(upload_id).into_paginator().send();
        let planned: BTreeMap<_, _> =
            record.plan.parts().map(|(number, offset, length)| (number, (offset, length))).collect();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) if is_gone(&error) => {
                    // S3 no longer knows the upload: a new one of the same journey.
                    record.upload_id = None;
                    self.journal.set_upload_id(&request.id, None).await?;
                    return Ok(BTreeMap::new());
                }
                Err(error) => return Err(explain(&doing(&request.path), error)),
            };
            for part in page.parts.unwrap_or_default() {
                let number = part.part_number.and_then(|number| PartNumber::new(number.into()));
                let (Some(number), Some(etag)) = (number, part.e_tag) else { continue };
                let Some(&(offset, length)) = planned.get(&number) else { continue };
                let Some(checksum) = part.checksum_crc64_nvme else { continue };
                if part.size != i64::try_from(length).ok() {
                    continue;
                }
                // A part that arrived just before a kill is in S3 and not in the journal: its bytes decide.
                let ours = match journaled.get(&number) {
                    Some(part) => part.checksum.clone(),
                    None => checksum_of(&read_part(&request.path, offset, length).await?),
                };
                if ours == checksum {
                    let part = PartRecord { etag, checksum };
                    if !journaled.contains_key(&number) {
                        self.journal.add_part(&request.id, number, part.clone()).await?;
                    }
                    kept.insert(number, part);
                }
            }
        }
        Ok(kept)
    }

    async fn send_part(
        &self,
        request: &Request,
        upload_id: &str,
        (number, offset, length): (PartNumber, u64, u64),
        progress: &Progress,
        canceled: &CancellationToken,
    ) -> Result<(PartNumber, PartRecord)> {
        let _slot = self.slots.acquire().await.map_err(Error::internal)?;
        stop_if(canceled)?;
        let bytes = read_part(&request.path, offset, length).await?;
        let checksum = checksum_of(&bytes);
        let counted = progress.clone();
        let body = SdkBody::retryable(move || {
            SdkBody::from_body_1_x(Counted { rest: bytes.clone(), counted: counted.clone(), count: 0 })
        });
        let sent = self
            .s3
            .upload_part()
            .bucket(&request.bucket)
            .key(&request.key)
            .upload_id(upload_id)
            .part_number(number.get())
            .content_length(i64::try_from(length).map_err(Error::internal)?)
            .checksum_crc64_nvme(&checksum)
            .body(ByteStream::new(body))
            .customize()
            // The checksum above guards the bytes; a second hash for the signature would double the work.
            .disable_payload_signing()
            .send();
        let sent = tokio::select! {
            sent = sent => sent.map_err(|error| explain(&doing(&request.path), error))?,
            () = canceled.cancelled() => return Err(super::canceled()),
        };
        let etag = sent.e_tag.ok_or_else(|| Error::internal("S3 gave no ETag for a part"))?;
        let part = PartRecord { etag, checksum };
        self.journal.add_part(&request.id, number, part.clone()).await?;
        progress.stored(length);
        Ok((number, part))
    }

    async fn complete(
        &self,
        request: &Request,
        record: &Record,
        upload_id: &str,
        parts: BTreeMap<PartNumber, PartRecord>,
    ) -> Result<Uploaded> {
        let whole = combine(record.plan, &parts).ok_or_else(|| Error::internal("a part has no checksum"))?;
        let listed = parts
            .iter()
            .map(|(number, part)| {
                CompletedPart::builder()
                    .part_number(number.get())
                    .e_tag(&part.etag)
                    .checksum_crc64_nvme(&part.checksum)
                    .build()
            })
            .collect();
        let completed = self
            .s3
            .complete_multipart_upload()
            .bucket(&request.bucket)
            .key(&request.key)
            .upload_id(upload_id)
            .checksum_crc64_nvme(&whole)
            .checksum_type(ChecksumType::FullObject)
            .mpu_object_size(i64::try_from(record.identity.size).map_err(Error::internal)?)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(listed)).build())
            .send()
            .await;
        if let Err(error) = completed {
            // A repeated Complete finds its upload gone; the object tells whether the first one worked.
            if error.as_service_error().and_then(|error| error.meta().code()) != Some("NoSuchUpload") {
                return Err(explain(&doing(&request.path), error));
            }
        }
        self.verify(request, record.identity.size, &whole).await
    }

    /// Asks S3 what it holds; only this makes an upload a success.
    async fn verify(&self, request: &Request, size: u64, checksum: &str) -> Result<Uploaded> {
        let held = self.head(request).await?.ok_or_else(|| {
            Error::new(
                Code::Integrity,
                format!("S3 does not hold \"{}\" although it took every part.", crate::shown(&request.path)),
                "Retry sends it again.",
            )
        })?;
        if held.size != size || held.checksum.as_deref().is_some_and(|held| held != checksum) {
            return Err(Error::new(
                Code::Integrity,
                format!("What S3 holds of \"{}\" is not what the file is.", crate::shown(&request.path)),
                "Retry sends it again; do not use the object that is there.",
            )
            .with_details(format!("size {} of {size}, CRC64NVME {:?} of {checksum}", held.size, held.checksum)));
        }
        Ok(Uploaded { size, checksum: checksum.to_owned() })
    }

    /// An object that is there already and is the file, byte for byte.
    async fn finished(&self, request: &Request, record: &Record) -> Result<Option<Uploaded>> {
        let Some(held) = self.head(request).await? else { return Ok(None) };
        if held.size != record.identity.size {
            return Ok(None);
        }
        let Some(checksum) = held.checksum else { return Ok(None) };
        let mut parts = BTreeMap::new();
        for (number, offset, length) in record.plan.parts() {
            let checksum = checksum_of(&read_part(&request.path, offset, length).await?);
            parts.insert(number, PartRecord { etag: String::new(), checksum });
        }
        let same = combine(record.plan, &parts).as_deref() == Some(&checksum);
        Ok(same.then_some(Uploaded { size: held.size, checksum }))
    }

    async fn head(&self, request: &Request) -> Result<Option<Held>> {
        let head = self
            .s3
            .head_object()
            .bucket(&request.bucket)
            .key(&request.key)
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await;
        match head {
            Ok(head) => Ok(Some(Held {
                size: head.content_length.unwrap_or(0).unsigned_abs(),
                checksum: head.checksum_crc64_nvme.filter(|_| head.checksum_type != Some(ChecksumType::Composite)),
            })),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => Ok(None),
            Err(error) => Err(explain(&doing(&request.path), error)),
        }
    }
}

fn doing(path: &Path) -> String {
    format!("\"{}\" could not be sent", crate::shown(path))
}

fn is_gone<R>(error: &aws_sdk_s3::error::SdkError<aws_sdk_s3::operation::list_parts::ListPartsError, R>) -> bool {
    error.as_service_error().and_then(|error| error.meta().code()) == Some("NoSuchUpload")
}

async fn read_part(path: &Path, offset: u64, length: u64) -> Result<Bytes> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        let read = || -> std::io::Result<Vec<u8>> {
            let mut file = std::fs::File::open(&path)?;
            file.seek(SeekFrom::Start(offset))?;
            let mut bytes = Vec::with_capacity(usize::try_from(length).map_err(std::io::Error::other)?);
            file.take(length).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().map_err(|error| unreadable(&path, &error))?;
        if bytes.len() as u64 == length { Ok(Bytes::from(bytes)) } else { Err(changed(&path)) }
    })
    .await
    .map_err(Error::internal)?
}

fn checksum_of(bytes: &[u8]) -> String {
    BASE64.encode(crc_fast::checksum(Crc64Nvme, bytes).to_be_bytes())
}

/// The CRC64NVME of the whole from those of its parts.
fn combine(plan: PartPlan, parts: &BTreeMap<PartNumber, PartRecord>) -> Option<String> {
    let mut whole = None;
    for (number, _, length) in plan.parts() {
        let bytes = BASE64.decode(&parts.get(&number)?.checksum).ok()?;
        let value = u64::from_be_bytes(bytes.try_into().ok()?);
        whole = Some(match whole {
            None => value,
            Some(before) => crc_fast::checksum_combine(Crc64Nvme, before, value, length),
        });
    }
    Some(BASE64.encode(whole?.to_be_bytes()))
}

/// A body that counts what the connection takes; what was counted is taken back when it is dropped, as the
/// bytes are then either stored or lost.
struct Counted {
    rest: Bytes,
    counted: Progress,
    count: u64,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(CHUNK);
        let chunk = self.rest.split_to(length);
        self.count += length as u64;
        self.counted.sent(length as u64);
        Poll::Ready(Some(Ok(http_body::Frame::data(chunk))))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.rest.len() as u64)
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.counted.unsent(self.count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_is_combined_from_its_parts() {
        let bytes: Vec<u8> = (0..20_u32 * 1024 * 1024).map(|n| ((n * 31) >> 3) as u8).collect();
        let plan = PartPlan::for_size(bytes.len() as u64).unwrap();
        let parts = plan
            .parts()
            .map(|(number, offset, length)| {
                let part = &bytes[offset as usize..(offset + length) as usize];
                (number, PartRecord { etag: String::new(), checksum: checksum_of(part) })
            })
            .collect();
        assert_eq!(combine(plan, &parts), Some(checksum_of(&bytes)));
    }
}
