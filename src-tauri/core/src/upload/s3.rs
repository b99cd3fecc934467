//! The real S3, through the official SDK.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_runtime::auth::PayloadSigningOverride;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents, StalledStreamProtectionConfig};
use aws_sdk_s3::error::{BoxError, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::list_multipart_uploads::ListMultipartUploadsError;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart, MultipartUpload,
};

use crc_fast::CrcAlgorithm::Crc64Nvme;

use super::body::{PartBody, TRAILER, encoded_length};
use super::checksum::Checksum;
use super::plan::PartNumber;
use super::remote::{Held, HeldPart, PartRecord, Refusal, Remote, Taken, Target, name};
use crate::aws::without_deadline;
use crate::explain::explain;
use crate::{Code, Error};

/// How long S3 may take to put ten thousand parts together.
const COMPLETES_WITHIN: Duration = Duration::from_secs(15 * 60);

/// S3 behind the SDK; cheap to clone.
#[derive(Clone)]
pub(super) struct S3 {
    control: aws_sdk_s3::Client,
    /// For requests that carry bytes, and for completions: without a deadline of the client's. The engine watches
    /// whether bytes move ([`super::stall`]); the SDK's own watch knows nothing of the system's buffers.
    patient: aws_sdk_s3::Client,
}

impl S3 {
    /// Over the configurations of these clients. The engine itself decides what is tried again, and when.
    pub fn new(client: &aws_sdk_s3::Client, transfer: &aws_sdk_s3::Client) -> Self {
        let config = client.config().to_builder().retry_config(RetryConfig::disabled());
        let patient = transfer.config().to_builder().retry_config(RetryConfig::disabled());
        let patient = patient.timeout_config(without_deadline());
        let patient = patient.stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        Self {
            control: aws_sdk_s3::Client::from_conf(config.build()),
            patient: aws_sdk_s3::Client::from_conf(patient.build()),
        }
    }
}

fn doing(target: &Target) -> String {
    format!("\"{}\" could not be sent", name(target))
}

/// The same of a question.
fn unasked<E>(target: &Target, error: SdkError<E, HttpResponse>) -> Refusal
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    refusal_doing(&format!("What S3 has of \"{}\" could not be asked", name(target)), error)
}

fn refusal<E>(target: &Target, error: SdkError<E, HttpResponse>) -> Refusal
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let code = error.code().unwrap_or_default().to_owned();
    match (code.as_str(), refusal_doing(&doing(target), error)) {
        ("NoSuchBucket", Refusal::Final(error)) => Refusal::Final(Error {
            message: format!("There is no bucket \"{}\".", target.bucket),
            remedy: "Correct its name.".to_owned(),
            ..error
        }),
        ("KeyTooLongError", Refusal::Final(error)) => Refusal::Final(Error {
            message: format!("The key of \"{}\" is longer than the 1,024 bytes that S3 takes.", name(target)),
            remedy: "Shorten the name, or those of the folders around it.".to_owned(),
            ..error
        }),
        (_, refusal) => refusal,
    }
}

fn refusal_doing<E>(doing: &str, error: SdkError<E, HttpResponse>) -> Refusal
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let code = error.code().unwrap_or_default().to_owned();
    let status = error.raw_response().map(|response| response.status().as_u16());
    let explained = explain(doing, error);
    match (code.as_str(), status) {
        ("NoSuchUpload", _) => Refusal::Gone,
        ("PreconditionFailed", _) | (_, Some(412)) => Refusal::Exists,
        ("BadDigest" | "InvalidDigest" | "XAmzContentChecksumMismatch" | "IncompleteBody", _) => {
            Refusal::Damaged(explained)
        }
        ("ConditionalRequestConflict", _) => Refusal::Conflict(explained),
        // S3 asks to try again (409), or to be quicker next time (RequestTimeout).
        ("OperationAborted" | "RequestTimeout" | "SlowDown" | "InternalError", _) => Refusal::Busy(explained),
        ("InvalidPart" | "InvalidPartOrder", _) => Refusal::Parts(explained),
        // Whatever its status: waiting makes no key.
        (code, _) if code.starts_with("KMS.") => Refusal::Final(explained),
        ("InvalidRequest" | "InvalidArgument" | "NotImplemented", _) => Refusal::Header(explained),
        (_, Some(500..)) => Refusal::Busy(explained),
        _ if matches!(explained.code, Code::Network | Code::Throttled) => Refusal::Busy(explained),
        _ => Refusal::Final(explained),
    }
}

/// All unfinished multipart uploads of a bucket below a prefix.
pub(super) async fn unfinished(
    client: &aws_sdk_s3::Client,
    bucket: &str,
    prefix: &str,
) -> Result<Vec<MultipartUpload>, SdkError<ListMultipartUploadsError, HttpResponse>> {
    let mut found = Vec::new();
    let mut markers = (None, None);
    loop {
        let list = client.list_multipart_uploads().bucket(bucket).prefix(prefix);
        let list = list.set_key_marker(markers.0.take()).set_upload_id_marker(markers.1.take());
        let page = list.send().await?;
        found.extend(page.uploads.unwrap_or_default());
        if page.is_truncated != Some(true) || page.next_key_marker.is_none() {
            return Ok(found);
        }
        markers = (page.next_key_marker, page.next_upload_id_marker);
    }
}

/// Announces how a [`PartBody`] comes: its checksum is what guards the bytes, before or behind them; the signature
/// covers the headers only, as the SDK does it over TLS.
#[derive(Debug)]
struct Guarded {
    length: u64,
    is_behind: bool,
}

impl Guarded {
    fn of(body: &PartBody) -> Self {
        Self { length: body.file_bytes(), is_behind: body.checksum().is_none() }
    }
}

impl Intercept for Guarded {
    fn name(&self) -> &'static str {
        "Guarded"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if !self.is_behind {
            config.interceptor_state().store_put(PayloadSigningOverride::UnsignedPayload);
            return Ok(());
        }
        let headers = context.request_mut().headers_mut();
        headers.insert("content-encoding", "aws-chunked");
        headers.insert("content-length", encoded_length(self.length).to_string());
        headers.insert("x-amz-decoded-content-length", self.length.to_string());
        headers.insert("x-amz-trailer", TRAILER);
        config.interceptor_state().store_put(PayloadSigningOverride::StreamingUnsignedPayloadTrailer);
        Ok(())
    }
}

/// An answer that ended before its end.
fn broken_off(target: &Target, details: &impl std::fmt::Display) -> Refusal {
    let message = format!("\"{}\" could not be read back: the connection broke.", name(target));
    Refusal::Busy(Error::new(Code::Network, message, "It is tried again by itself.").with_details(details))
}

fn parse(checksum: Option<String>) -> Option<Checksum> {
    Checksum::parse(&checksum?)
}

impl S3 {
    /// What is wrong with the credentials, where a HEAD was refused because of them: it has no body to say it in, and keys
    /// that S3 does not know look like a permission that is missing. A GET of one byte needs the same permission
    /// (`s3:GetObject`), and says it.
    async fn signed_out(&self, target: &Target) -> Option<Error> {
        let get = self.control.get_object().bucket(&target.bucket).key(&target.key).range("bytes=0-0");
        match get.send().await.err().map(|error| unasked(target, error)) {
            Some(Refusal::Final(error)) if error.code == Code::SignIn => Some(error),
            _ => None,
        }
    }
}

impl Remote for S3 {
    async fn begin(&self, target: &Target) -> Result<String, Refusal> {
        let mut create = self
            .control
            .create_multipart_upload()
            .bucket(&target.bucket)
            .key(&target.key)
            .content_type(&target.content_type)
            .checksum_algorithm(ChecksumAlgorithm::Crc64Nvme)
            .checksum_type(ChecksumType::FullObject)
            .set_server_side_encryption(target.encryption.algorithm())
            .set_ssekms_key_id(target.encryption.key());
        for (name, value) in &target.metadata {
            create = create.metadata(name, value);
        }
        let created = create.send().await.map_err(|error| refusal(target, error))?;
        created.upload_id.ok_or_else(|| Refusal::Final(Error::internal("S3 gave no upload id")))
    }

    async fn find(&self, target: &Target) -> Result<Option<String>, Refusal> {
        let listed = unfinished(&self.control, &target.bucket, &target.key).await;
        let is_ours = |upload: &MultipartUpload| {
            // Another tool's, with other checksums, is none to go on with.
            let algorithm = upload.checksum_algorithm.as_ref();
            upload.key.as_deref() == Some(&target.key)
                && algorithm.is_none_or(|algorithm| *algorithm == ChecksumAlgorithm::Crc64Nvme)
        };
        let listed = listed.map_err(|error| unasked(target, error))?;
        let ours = listed.into_iter().filter(is_ours);
        let newest = ours.max_by_key(|upload| upload.initiated.map(|time| (time.secs(), time.subsec_nanos())));
        Ok(newest.and_then(|upload| upload.upload_id))
    }

    async fn parts(&self, target: &Target, upload: &str) -> Result<BTreeMap<PartNumber, HeldPart>, Refusal> {
        let mut held = BTreeMap::new();
        let list = self.control.list_parts().bucket(&target.bucket).key(&target.key).upload_id(upload);
        let mut pages = list.into_paginator().send();
        while let Some(page) = pages.next().await {
            for part in page.map_err(|error| unasked(target, error))?.parts.unwrap_or_default() {
                let number = part.part_number.and_then(|number| PartNumber::new(number.into()));
                if let (Some(number), Some(etag), Some(size)) = (number, part.e_tag, part.size) {
                    let checksum = parse(part.checksum_crc64_nvme);
                    held.insert(number, HeldPart { etag, size: size.unsigned_abs(), checksum });
                }
            }
        }
        Ok(held)
    }

    async fn send_part(
        &self,
        target: &Target,
        upload: &str,
        number: PartNumber,
        body: PartBody,
    ) -> Result<Taken, Refusal> {
        let guarded = Guarded::of(&body);
        let sent = self
            .patient
            .upload_part()
            .bucket(&target.bucket)
            .key(&target.key)
            .upload_id(upload)
            .part_number(number.get())
            .set_checksum_crc64_nvme(body.checksum().map(|checksum| checksum.to_string()))
            .body(ByteStream::new(SdkBody::from_body_1_x(body)))
            .customize()
            .interceptor(guarded)
            .send()
            .await
            .map_err(|error| refusal(target, error))?;
        let etag = sent.e_tag.ok_or_else(|| Refusal::Final(Error::internal("S3 gave no ETag for a part")))?;
        Ok(Taken { etag, checksum: parse(sent.checksum_crc64_nvme) })
    }

    async fn put(&self, target: &Target, body: PartBody) -> Result<Held, Refusal> {
        let (guarded, length) = (Guarded::of(&body), body.file_bytes());
        let mut put = self
            .patient
            .put_object()
            .bucket(&target.bucket)
            .key(&target.key)
            .content_type(&target.content_type)
            .set_if_none_match((!target.replace).then(|| "*".to_owned()))
            .set_server_side_encryption(target.encryption.algorithm())
            .set_ssekms_key_id(target.encryption.key())
            .set_checksum_crc64_nvme(body.checksum().map(|checksum| checksum.to_string()))
            .body(ByteStream::new(SdkBody::from_body_1_x(body)));
        for (name, value) in &target.metadata {
            put = put.metadata(name, value);
        }
        let put = put.customize().interceptor(guarded).send().await;
        let put = put.map_err(|error| refusal(target, error))?;
        Ok(Held { size: length, checksum: parse(put.checksum_crc64_nvme), modified: None })
    }

    async fn complete(
        &self,
        target: &Target,
        upload: &str,
        parts: &BTreeMap<PartNumber, PartRecord>,
        size: u64,
        whole: Checksum,
    ) -> Result<(), Refusal> {
        let listed = parts
            .iter()
            .map(|(number, part)| {
                CompletedPart::builder()
                    .part_number(number.get())
                    .e_tag(&part.etag)
                    .checksum_crc64_nvme(part.checksum.to_string())
                    .build()
            })
            .collect();
        let complete = self
            .patient
            .complete_multipart_upload()
            .bucket(&target.bucket)
            .key(&target.key)
            .upload_id(upload)
            .checksum_type(ChecksumType::FullObject)
            .checksum_crc64_nvme(whole.to_string())
            .mpu_object_size(i64::try_from(size).unwrap_or(i64::MAX))
            .set_if_none_match((!target.replace).then(|| "*".to_owned()))
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(listed)).build());
        match tokio::time::timeout(COMPLETES_WITHIN, complete.send()).await {
            Ok(completed) => completed.map(drop).map_err(|error| refusal(target, error)),
            Err(_) => {
                let message = format!("{}: S3 did not put it together in time.", doing(target));
                Err(Refusal::Busy(Error::new(Code::Network, message, "It is tried again by itself.")))
            }
        }
    }

    async fn head(&self, target: &Target) -> Result<Option<Held>, Refusal> {
        let head = self.control.head_object().bucket(&target.bucket).key(&target.key);
        match head.checksum_mode(ChecksumMode::Enabled).send().await {
            Ok(head) => Ok(Some(Held {
                size: head.content_length.unwrap_or(0).unsigned_abs(),
                modified: head.last_modified.and_then(|time| time.to_millis().ok()),
                checksum: parse(head.checksum_crc64_nvme)
                    .filter(|_| head.checksum_type != Some(ChecksumType::Composite)),
            })),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => Ok(None),
            Err(error) => match unasked(target, error) {
                Refusal::Final(error) if error.code == Code::AccessDenied => {
                    Err(Refusal::Final(self.signed_out(target).await.unwrap_or(error)))
                }
                refusal => Err(refusal),
            },
        }
    }

    async fn read(&self, target: &Target, offset: u64, length: u64) -> Result<Checksum, Refusal> {
        let mut digest = crc_fast::Digest::new(Crc64Nvme);
        if length > 0 {
            let range = format!("bytes={offset}-{}", offset + length - 1);
            let get = self.control.get_object().bucket(&target.bucket).key(&target.key).range(range);
            let mut body = get.send().await.map_err(|error| unasked(target, error))?.body;
            let mut read = 0;
            while let Some(bytes) = body.next().await {
                let bytes = bytes.map_err(|error| broken_off(target, &error))?;
                read += bytes.len() as u64;
                digest.update(&bytes);
            }
            if read != length {
                return Err(broken_off(target, &format!("{read} of {length} bytes")));
            }
        }
        Ok(Checksum::of_value(digest.finalize()))
    }

    async fn abort(&self, bucket: &str, key: &str, upload: &str) -> Result<(), Refusal> {
        let aborted = self.control.abort_multipart_upload().bucket(bucket).key(key).upload_id(upload).send().await;
        match aborted.map_err(|error| refusal_doing("The unfinished upload could not be removed", error)) {
            Ok(_) | Err(Refusal::Gone) => Ok(()),
            Err(refusal) => Err(refusal),
        }
    }
}
