//! What begins an object: PutObject, and CreateMultipartUpload.

use s3s::dto::*;
use s3s::{S3Request, S3Response};

use super::receive::{Claims, announced_trailer, claimed_checksums, set_checksum};
use super::shapes::{checksum_type, content, must_be_new, ok, tags_of, upload_checksum};
use super::{Content, NewObject, Result, S3, tags};
use crate::checksum::Algorithm as Sum;

impl S3 {
    pub(super) async fn put(&self, request: S3Request<PutObjectInput>) -> Result<S3Response<PutObjectOutput>> {
        let trailer = announced_trailer(&request.headers);
        let trailing_headers = request.trailing_headers;
        let mut input = request.input;
        self.check_bucket(&input.bucket).await?;
        let must_be_new = must_be_new(input.if_none_match.as_ref())?;
        let tags = tags::check(tags_of(input.tagging.as_ref())?)?;
        let claims = Claims {
            content_md5: input.content_md5.take(),
            content_length: input.content_length,
            checksums: claimed_checksums!(input),
            trailer,
            trailing_headers,
        };
        self.check_encryption(
            &input.bucket,
            &input.key,
            input.server_side_encryption.as_ref(),
            input.ssekms_key_id.as_deref(),
        )?;
        self.check_guarded(&input.bucket, &claims, "Put Object")?;
        let algorithm = claims
            .algorithm()
            .or_else(|| input.checksum_algorithm.as_ref().and_then(|name| Sum::parse(name.as_str())))
            .unwrap_or(Sum::Crc64nvme);
        let mut written = self.receive(input.body.take(), claims, algorithm).await?;
        written.md5 = self.md5_for_etag(&input.bucket, written.md5);
        let (server_side_encryption, ssekms_key_id) = self.encrypted(&input.bucket);
        let mut new = NewObject::whole(&input.bucket, &input.key, written, algorithm);
        new.content = content!(input);
        new.tags = tags;
        new.must_be_new = must_be_new;
        let mut output = PutObjectOutput {
            version_id: self.version(&input.bucket),
            server_side_encryption,
            ssekms_key_id,
            e_tag: Some(ETag::Strong(new.etag.clone())),
            checksum_type: Some(checksum_type(true)),
            ..Default::default()
        };
        set_checksum!(output, algorithm, &new.checksum.value);
        self.commit(new).await?;
        ok(output)
    }

    pub(super) async fn create(
        &self,
        input: CreateMultipartUploadInput,
    ) -> Result<S3Response<CreateMultipartUploadOutput>> {
        let (algorithm, full_object) = upload_checksum(&input)?;
        self.check_encryption(
            &input.bucket,
            &input.key,
            input.server_side_encryption.as_ref(),
            input.ssekms_key_id.as_deref(),
        )?;
        let (server_side_encryption, ssekms_key_id) = self.encrypted(&input.bucket);
        let tags = tags::check(tags_of(input.tagging.as_ref())?)?;
        let id = self.create_upload(&input.bucket, &input.key, content!(input), tags, algorithm, full_object).await?;
        ok(CreateMultipartUploadOutput {
            server_side_encryption,
            ssekms_key_id,
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            checksum_algorithm: Some(ChecksumAlgorithm::from_static(algorithm.name())),
            checksum_type: Some(checksum_type(full_object)),
            ..Default::default()
        })
    }
}
