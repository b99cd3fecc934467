//! S3's shapes made of ours, and what their fields ask for.

use s3s::dto::*;
use s3s::{S3Response, s3_error};

use super::multipart::Upload;
use super::receive::set_checksum;
use super::{Object, Result, Stored, tags, timestamp};
use crate::checksum::Algorithm as Sum;

/// What `PutObject`, `CopyObject` and `CreateMultipartUpload` alike say of an object.
macro_rules! content {
    ($input:expr) => {
        Content {
            content_type: $input.content_type.clone(),
            cache_control: $input.cache_control.clone(),
            content_disposition: $input.content_disposition.clone(),
            content_encoding: $input.content_encoding.clone(),
            content_language: $input.content_language.clone(),
            metadata: $input.metadata.clone().unwrap_or_default().into_iter().collect(),
        }
    };
}

pub(super) fn checksum_type(full_object: bool) -> ChecksumType {
    ChecksumType::from_static(if full_object { ChecksumType::FULL_OBJECT } else { ChecksumType::COMPOSITE })
}

/// `If-None-Match: *` is the only condition on a write that the sandbox knows.
pub(super) fn must_be_new(condition: Option<&IfNoneMatch>) -> Result<bool> {
    match condition {
        None => Ok(false),
        Some(ETagCondition::Any) => Ok(true),
        Some(ETagCondition::ETag(_)) => Err(s3_error!(NotImplemented, "If-None-Match takes only * here")),
    }
}

pub(super) fn tags_of(header: Option<&String>) -> Result<super::Tags> {
    header.map_or_else(|| Ok(Vec::new()), |header| tags::parse_header(header))
}

/// The algorithm that an upload is made with, and whether its checksum covers the whole object.
pub(super) fn upload_checksum(input: &CreateMultipartUploadInput) -> Result<(Sum, bool)> {
    let algorithm = match &input.checksum_algorithm {
        None => Sum::Crc64nvme,
        Some(name) => Sum::parse(name.as_str())
            .ok_or_else(|| s3_error!(InvalidRequest, "Checksum algorithm provided is unsupported."))?,
    };
    let full_object = match input.checksum_type.as_ref().map(ChecksumType::as_str) {
        Some(ChecksumType::FULL_OBJECT) => true,
        Some(_) => false,
        None => !algorithm.can_be_composite(),
    };
    if full_object && !algorithm.can_be_full_object() || !full_object && !algorithm.can_be_composite() {
        return Err(s3_error!(
            InvalidRequest,
            "The {} checksum type cannot be used with the {} checksum algorithm.",
            checksum_type(full_object).as_str(),
            algorithm.name().to_ascii_lowercase()
        ));
    }
    Ok((algorithm, full_object))
}

pub(super) fn checksum_of(stored: &Stored) -> Checksum {
    let mut checksum = Checksum::default();
    set_checksum!(checksum, stored.algorithm, &stored.value);
    checksum.checksum_type = Some(checksum_type(stored.full_object));
    checksum
}

pub(super) fn initiator() -> Initiator {
    Initiator { id: Some("sandbox".into()), display_name: Some("sandbox".into()) }
}

pub(super) fn ok<T>(output: T) -> Result<S3Response<T>> {
    Ok(S3Response::new(output))
}

/// Fails a read whose conditions do not hold.
pub(super) fn check_conditions(
    object: &Object,
    if_match: Option<&IfMatch>,
    if_none_match: Option<&IfNoneMatch>,
) -> Result<()> {
    let matches = |condition: &ETagCondition| match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(tag) => tag.value() == object.etag,
    };
    if if_match.is_some_and(|condition| !matches(condition)) {
        return Err(s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold"));
    }
    if if_none_match.is_some_and(matches) {
        return Err(s3_error!(NotModified, "Not Modified"));
    }
    Ok(())
}

pub(super) use content;

pub(super) fn listed(upload: Upload) -> MultipartUpload {
    MultipartUpload {
        key: Some(upload.key),
        upload_id: Some(upload.id),
        initiated: Some(timestamp(&upload.initiated)),
        initiator: Some(initiator()),
        checksum_algorithm: Some(ChecksumAlgorithm::from_static(upload.algorithm.name())),
        checksum_type: Some(checksum_type(upload.full_object)),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        ..Default::default()
    }
}

pub(super) fn object_parts(
    object: &Object,
    marker: Option<PartNumberMarker>,
    max: Option<i32>,
) -> GetObjectAttributesParts {
    let after = marker.unwrap_or(0);
    let limit = max.unwrap_or(1000).clamp(0, 1000);
    let mut parts: Vec<_> = object.parts.iter().filter(|part| part.number > after).collect();
    let truncated = parts.len() > limit as usize;
    parts.truncate(limit as usize);
    GetObjectAttributesParts {
        is_truncated: Some(truncated),
        max_parts: Some(limit),
        part_number_marker: marker,
        next_part_number_marker: parts.last().map(|part| part.number),
        total_parts_count: Some(object.parts.len() as i32),
        parts: Some(
            parts
                .into_iter()
                .map(|part| {
                    let mut output =
                        ObjectPart { part_number: Some(part.number), size: Some(part.size), ..Default::default() };
                    set_checksum!(output, object.checksum.algorithm, &part.checksum);
                    output
                })
                .collect(),
        ),
    }
}
