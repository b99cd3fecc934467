//! What the engine asks of S3, and S3's answers sorted by what is to be done about them.

use std::collections::BTreeMap;
use std::future::Future;

use super::body::PartBody;
use super::checksum::Checksum;
use super::plan::PartNumber;
use crate::Error;
use crate::aws::Encryption;

/// Where an object goes and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// Object metadata, ASCII.
    pub metadata: Vec<(String, String)>,
    /// The content type.
    pub content_type: String,
    /// What S3 is asked to encrypt it with.
    pub encryption: Encryption,
    /// Whether an object that is there already may be replaced.
    pub replace: bool,
}

/// The last part of the key, as it is shown.
pub(super) fn name(target: &Target) -> &str {
    target.key.rsplit('/').next().unwrap_or(&target.key)
}

/// A part that S3 holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeldPart {
    pub etag: String,
    pub size: u64,
    /// As S3 has it; not every server keeps one.
    pub checksum: Option<Checksum>,
}

/// An object that S3 holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub size: u64,
    /// Of the whole object; not every server keeps one.
    pub checksum: Option<Checksum>,
    /// When it was made, by S3's clock, in milliseconds since the epoch: of one from parts, when its upload began.
    pub modified: Option<i64>,
}

/// A part that S3 took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub etag: String,
    /// What S3 computed, where it says so.
    pub checksum: Option<Checksum>,
}

/// A part as it is named in the completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PartRecord {
    pub etag: String,
    pub checksum: Checksum,
}

/// Why S3 did not do it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Refusal {
    /// S3 does not know the upload (any more).
    Gone,
    /// S3 has other parts than those of the completion.
    Parts(Error),
    /// S3 does not take what a header says. Of servers that are none of AWS's this may be the checksum, which some take
    /// before the bytes only, some behind them only.
    Header(Error),
    /// There is an object of this key, and it may not be replaced.
    Exists,
    /// Someone wrote to this key at the same time: a multipart upload is to be begun anew. Source: Amazon S3 API
    /// Reference, CompleteMultipartUpload, `If-None-Match`.
    Conflict(Error),
    /// The bytes did not arrive as they left.
    Damaged(Error),
    /// Not now: the line broke, or S3 is busy. Whether it did it after all is not known.
    Busy(Error),
    /// Not ever, as things are.
    Final(Error),
}

/// An S3, real or modelled.
pub(super) trait Remote: Clone + Send + Sync + 'static {
    /// Begins a multipart upload.
    fn begin(&self, target: &Target) -> impl Future<Output = Result<String, Refusal>> + Send;
    /// The newest unfinished upload to this key, begun by a run whose journal does not know it.
    fn find(&self, target: &Target) -> impl Future<Output = Result<Option<String>, Refusal>> + Send;
    /// The parts that S3 holds of an upload.
    fn parts(
        &self,
        target: &Target,
        upload: &str,
    ) -> impl Future<Output = Result<BTreeMap<PartNumber, HeldPart>, Refusal>> + Send;
    /// Sends a part.
    fn send_part(
        &self,
        target: &Target,
        upload: &str,
        number: PartNumber,
        body: PartBody,
    ) -> impl Future<Output = Result<Taken, Refusal>> + Send;
    /// Sends a whole object.
    fn put(&self, target: &Target, body: PartBody) -> impl Future<Output = Result<Held, Refusal>> + Send;
    /// Puts the parts together.
    fn complete(
        &self,
        target: &Target,
        upload: &str,
        parts: &BTreeMap<PartNumber, PartRecord>,
        size: u64,
        whole: Checksum,
    ) -> impl Future<Output = Result<(), Refusal>> + Send;
    /// The object of this key.
    fn head(&self, target: &Target) -> impl Future<Output = Result<Option<Held>, Refusal>> + Send;
    /// The checksum of so many bytes of the object, read back.
    fn read(&self, target: &Target, offset: u64, length: u64)
    -> impl Future<Output = Result<Checksum, Refusal>> + Send;
    /// Removes an unfinished upload; one that S3 does not know is removed already.
    fn abort(&self, bucket: &str, key: &str, upload: &str) -> impl Future<Output = Result<(), Refusal>> + Send;
}
