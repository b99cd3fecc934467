//! The operations, in S3's own shapes; each one parses, calls the store, and maps the answer.

use s3s::auth::{S3Auth, SecretKey};
use s3s::dto::*;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Request, S3Response, s3_error};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::multipart::Completion;
use super::receive::{Claims, announced_trailer, claimed_checksums, set_checksum};
use super::settings;
use super::shapes::{
    check_conditions, checksum_of, checksum_type, content, initiator, listed, must_be_new, object_parts, ok, tags_of,
};
use super::{Content, NewObject, Result, S3, internal, tags, timestamp};
use crate::checksum::Algorithm as Sum;
use crate::{Credentials, REGION};

/// The HTTP service: signatures are checked against the one pair of credentials.
pub(crate) fn service(s3: S3, credentials: &Credentials) -> S3Service {
    let mut builder = S3ServiceBuilder::new(s3);
    builder.set_auth(OneKey(credentials.clone()));
    builder.build()
}

/// The one access key; any other is refused as S3 refuses it.
struct OneKey(Credentials);

#[async_trait::async_trait]
impl S3Auth for OneKey {
    async fn get_secret_key(&self, access_key: &str) -> Result<SecretKey> {
        if access_key == self.0.access_key_id {
            return Ok(SecretKey::from(self.0.secret_access_key.clone()));
        }
        Err(s3_error!(InvalidAccessKeyId, "The AWS Access Key Id you provided does not exist in our records."))
    }
}

#[async_trait::async_trait]
impl s3s::S3 for S3 {
    async fn list_buckets(&self, _request: S3Request<ListBucketsInput>) -> Result<S3Response<ListBucketsOutput>> {
        let buckets = self.buckets().await?.into_iter().map(|(name, created)| Bucket {
            name: Some(name),
            creation_date: Some(timestamp(&created)),
            ..Default::default()
        });
        ok(ListBucketsOutput { buckets: Some(buckets.collect()), ..Default::default() })
    }

    async fn create_bucket(&self, request: S3Request<CreateBucketInput>) -> Result<S3Response<CreateBucketOutput>> {
        let name = request.input.bucket;
        if !Self::create_bucket(self, &name).await? {
            return Err(s3_error!(
                BucketAlreadyOwnedByYou,
                "Your previous request to create the named bucket succeeded and you already own it."
            ));
        }
        ok(CreateBucketOutput { location: Some(format!("/{name}")) })
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> Result<S3Response<HeadBucketOutput>> {
        self.check_bucket(&request.input.bucket).await?;
        ok(HeadBucketOutput { bucket_region: Some(REGION.to_owned()), ..Default::default() })
    }

    async fn get_bucket_notification_configuration(
        &self,
        request: S3Request<GetBucketNotificationConfigurationInput>,
    ) -> Result<S3Response<GetBucketNotificationConfigurationOutput>> {
        self.check_bucket(&request.input.bucket).await?;
        ok(settings::notifications(&request.input.bucket, self.options.pipeline))
    }

    async fn get_bucket_cors(&self, request: S3Request<GetBucketCorsInput>) -> Result<S3Response<GetBucketCorsOutput>> {
        self.check_bucket(&request.input.bucket).await?;
        match settings::cors(&request.input.bucket) {
            Some(cors) => ok(cors),
            None => Err(s3_error!(NoSuchCORSConfiguration, "The CORS configuration does not exist")),
        }
    }

    async fn get_bucket_accelerate_configuration(
        &self,
        request: S3Request<GetBucketAccelerateConfigurationInput>,
    ) -> Result<S3Response<GetBucketAccelerateConfigurationOutput>> {
        let status = self.setting(&request.input.bucket, "accelerate").await?;
        ok(GetBucketAccelerateConfigurationOutput {
            status: status.map(BucketAccelerateStatus::from),
            ..Default::default()
        })
    }

    async fn put_bucket_accelerate_configuration(
        &self,
        request: S3Request<PutBucketAccelerateConfigurationInput>,
    ) -> Result<S3Response<PutBucketAccelerateConfigurationOutput>> {
        let status = request.input.accelerate_configuration.status.map(|status| status.as_str().to_owned());
        let Some(status) = status.filter(|status| matches!(status.as_str(), "Enabled" | "Suspended")) else {
            return Err(s3_error!(MalformedXML, "The XML you provided was not well-formed"));
        };
        self.set_setting(&request.input.bucket, "accelerate", &status).await?;
        ok(PutBucketAccelerateConfigurationOutput::default())
    }

    async fn get_bucket_lifecycle_configuration(
        &self,
        request: S3Request<GetBucketLifecycleConfigurationInput>,
    ) -> Result<S3Response<GetBucketLifecycleConfigurationOutput>> {
        self.check_bucket(&request.input.bucket).await?;
        Err(s3_error!(NoSuchLifecycleConfiguration, "The lifecycle configuration does not exist"))
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> Result<S3Response<GetBucketLocationOutput>> {
        self.check_bucket(&request.input.bucket).await?;
        ok(GetBucketLocationOutput { location_constraint: Some(BucketLocationConstraint::from(REGION.to_owned())) })
    }

    async fn delete_bucket(&self, request: S3Request<DeleteBucketInput>) -> Result<S3Response<DeleteBucketOutput>> {
        Self::delete_bucket(self, &request.input.bucket).await?;
        ok(DeleteBucketOutput::default())
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> Result<S3Response<PutObjectOutput>> {
        self.put(request).await
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let object = self.object(&input.bucket, &input.key).await?;
        check_conditions(&object, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let (server_side_encryption, ssekms_key_id) = self.encrypted(&input.bucket);
        let mut output = HeadObjectOutput {
            server_side_encryption,
            ssekms_key_id,
            accept_ranges: Some("bytes".into()),
            content_length: Some(object.size),
            content_type: object.content.content_type.clone(),
            cache_control: object.content.cache_control.clone(),
            content_disposition: object.content.content_disposition.clone(),
            content_encoding: object.content.content_encoding.clone(),
            content_language: object.content.content_language.clone(),
            e_tag: Some(object.e_tag()),
            last_modified: Some(object.last_modified()),
            metadata: Some(object.content.metadata.clone().into_iter().collect()),
            ..Default::default()
        };
        if input.part_number.is_some() && !object.parts.is_empty() {
            output.parts_count = Some(object.parts.len() as i32);
        }
        if input.checksum_mode.is_some() {
            set_checksum!(output, object.checksum.algorithm, &object.checksum.value);
            output.checksum_type = Some(checksum_type(object.checksum.full_object));
        }
        ok(output)
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let object = self.object(&input.bucket, &input.key).await?;
        check_conditions(&object, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let size = object.size.unsigned_abs();
        let (range, content_range) = match &input.range {
            None => (0..size, None),
            Some(range) => {
                let range = range.check(size)?;
                let header = format!("bytes {}-{}/{size}", range.start, range.end - 1);
                (range, Some(header))
            }
        };
        let mut file = tokio::fs::File::open(self.blobs.path(&object.blob)).await.map_err(internal)?;
        file.seek(std::io::SeekFrom::Start(range.start)).await.map_err(internal)?;
        let length = range.end - range.start;
        let body = tokio_util::io::ReaderStream::with_capacity(file.take(length), 128 * 1024);
        let (server_side_encryption, ssekms_key_id) = self.encrypted(&input.bucket);
        let mut output = GetObjectOutput {
            server_side_encryption,
            ssekms_key_id,
            body: Some(StreamingBlob::wrap(body)),
            accept_ranges: Some("bytes".into()),
            content_length: i64::try_from(length).ok(),
            content_range,
            content_type: object.content.content_type.clone(),
            cache_control: object.content.cache_control.clone(),
            content_disposition: object.content.content_disposition.clone(),
            content_encoding: object.content.content_encoding.clone(),
            content_language: object.content.content_language.clone(),
            e_tag: Some(object.e_tag()),
            last_modified: Some(object.last_modified()),
            metadata: Some(object.content.metadata.clone().into_iter().collect()),
            ..Default::default()
        };
        if input.checksum_mode.is_some() && input.range.is_none() {
            set_checksum!(output, object.checksum.algorithm, &object.checksum.value);
            output.checksum_type = Some(checksum_type(object.checksum.full_object));
        }
        ok(output)
    }

    async fn get_object_attributes(
        &self,
        request: S3Request<GetObjectAttributesInput>,
    ) -> Result<S3Response<GetObjectAttributesOutput>> {
        let input = request.input;
        let object = self.object(&input.bucket, &input.key).await?;
        let wants = |name| input.object_attributes.iter().any(|asked| asked.as_str() == name);
        let mut output =
            GetObjectAttributesOutput { last_modified: Some(object.last_modified()), ..Default::default() };
        if wants(ObjectAttributes::ETAG) {
            output.e_tag = Some(object.e_tag());
        }
        if wants(ObjectAttributes::OBJECT_SIZE) {
            output.object_size = Some(object.size);
        }
        if wants(ObjectAttributes::CHECKSUM) {
            output.checksum = Some(checksum_of(&object.checksum));
        }
        if wants(ObjectAttributes::STORAGE_CLASS) {
            output.storage_class = Some(StorageClass::from_static(StorageClass::STANDARD));
        }
        if wants(ObjectAttributes::OBJECT_PARTS) && !object.parts.is_empty() {
            output.object_parts = Some(object_parts(&object, input.part_number_marker, input.max_parts));
        }
        ok(output)
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> Result<S3Response<DeleteObjectOutput>> {
        let input = request.input;
        self.check_deletion(&input.bucket, input.version_id.as_deref())?;
        self.delete(&input.bucket, vec![input.key]).await?;
        let version_id = self.version(&input.bucket);
        ok(DeleteObjectOutput { delete_marker: version_id.as_ref().map(|_| true), version_id, ..Default::default() })
    }

    async fn delete_objects(&self, request: S3Request<DeleteObjectsInput>) -> Result<S3Response<DeleteObjectsOutput>> {
        let Delete { objects, quiet } = request.input.delete;
        if objects.len() > 1000 {
            return Err(s3_error!(MalformedXML, "A delete names at most 1000 keys"));
        }
        let (deleted, errors) = self.delete_many(&request.input.bucket, objects).await?;
        let deleted = (!quiet.unwrap_or(false)).then_some(deleted);
        ok(DeleteObjectsOutput { deleted, errors: (!errors.is_empty()).then_some(errors), ..Default::default() })
    }

    async fn list_object_versions(
        &self,
        request: S3Request<ListObjectVersionsInput>,
    ) -> Result<S3Response<ListObjectVersionsOutput>> {
        ok(self.versions(request.input).await?)
    }

    async fn copy_object(&self, request: S3Request<CopyObjectInput>) -> Result<S3Response<CopyObjectOutput>> {
        let input = request.input;
        let CopySource::Bucket { bucket, key, .. } = &input.copy_source else {
            return Err(s3_error!(NotImplemented, "the sandbox copies from buckets only"));
        };
        let source = self.object(bucket, key).await?;
        let replace =
            input.metadata_directive.as_ref().is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
        if **bucket == *input.bucket && **key == *input.key && !replace {
            return Err(s3_error!(
                InvalidRequest,
                "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes."
            ));
        }
        let algorithm = Sum::Crc64nvme;
        let written = self.blobs.copy_of(&self.blobs.path(&source.blob), algorithm).await.map_err(internal)?;
        let mut new = NewObject::whole(&input.bucket, &input.key, written, algorithm);
        new.content = if replace { content!(input) } else { source.content };
        new.tags = match &input.tagging_directive {
            Some(directive) if directive.as_str() == TaggingDirective::REPLACE => {
                tags::check(tags_of(input.tagging.as_ref())?)?
            }
            _ => source.tags,
        };
        let mut result = CopyObjectResult {
            e_tag: Some(ETag::Strong(new.etag.clone())),
            last_modified: Some(timestamp(&crate::time::now())),
            checksum_type: Some(checksum_type(true)),
            ..Default::default()
        };
        set_checksum!(result, algorithm, &new.checksum.value);
        self.commit(new).await?;
        ok(CopyObjectOutput { copy_object_result: Some(result), ..Default::default() })
    }

    async fn list_objects_v2(&self, request: S3Request<ListObjectsV2Input>) -> Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let after = match &input.continuation_token {
            Some(token) => Some(
                hex::decode(token)
                    .ok()
                    .and_then(|bytes| String::from_utf8(bytes).ok())
                    .ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))?,
            ),
            None => input.start_after.clone(),
        };
        let prefix = input.prefix.clone().unwrap_or_default();
        let (page, limit) = self.list(&input.bucket, prefix, input.delimiter.clone(), after, input.max_keys).await?;
        let contents: Vec<_> = page
            .objects
            .iter()
            .map(|object| Object {
                key: Some(object.key.clone()),
                size: Some(object.size),
                e_tag: Some(object.e_tag()),
                last_modified: Some(object.last_modified()),
                ..Default::default()
            })
            .collect();
        let prefixes: Vec<_> =
            page.common_prefixes.into_iter().map(|prefix| CommonPrefix { prefix: Some(prefix) }).collect();
        ok(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: input.prefix,
            delimiter: input.delimiter,
            start_after: input.start_after,
            continuation_token: input.continuation_token,
            key_count: Some((contents.len() + prefixes.len()) as i32),
            max_keys: Some(limit),
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next.map(hex::encode),
            contents: Some(contents),
            common_prefixes: Some(prefixes),
            ..Default::default()
        })
    }

    async fn get_object_tagging(
        &self,
        request: S3Request<GetObjectTaggingInput>,
    ) -> Result<S3Response<GetObjectTaggingOutput>> {
        let object = self.object(&request.input.bucket, &request.input.key).await?;
        let tag_set = object.tags.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect();
        ok(GetObjectTaggingOutput { tag_set, ..Default::default() })
    }

    async fn put_object_tagging(
        &self,
        request: S3Request<PutObjectTaggingInput>,
    ) -> Result<S3Response<PutObjectTaggingOutput>> {
        let input = request.input;
        let tags = input
            .tagging
            .tag_set
            .into_iter()
            .map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()))
            .collect();
        self.set_tags(&input.bucket, &input.key, tags).await?;
        ok(PutObjectTaggingOutput::default())
    }

    async fn delete_object_tagging(
        &self,
        request: S3Request<DeleteObjectTaggingInput>,
    ) -> Result<S3Response<DeleteObjectTaggingOutput>> {
        self.set_tags(&request.input.bucket, &request.input.key, Vec::new()).await?;
        ok(DeleteObjectTaggingOutput::default())
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> Result<S3Response<CreateMultipartUploadOutput>> {
        self.create(request.input).await
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> Result<S3Response<UploadPartOutput>> {
        let trailer = announced_trailer(&request.headers);
        let trailing_headers = request.trailing_headers;
        let mut input = request.input;
        let upload = self.upload(&input.bucket, &input.key, &input.upload_id).await?;
        let claims = Claims {
            content_md5: input.content_md5.take(),
            content_length: input.content_length,
            checksums: claimed_checksums!(input),
            trailer,
            trailing_headers,
        };
        self.check_guarded(&input.bucket, &claims, "Put Part")?;
        let written = self.put_part(&input.bucket, &upload, input.part_number, input.body.take(), claims).await?;
        let mut output = UploadPartOutput { e_tag: Some(ETag::Strong(hex::encode(written.md5))), ..Default::default() };
        set_checksum!(output, upload.algorithm, &written.checksum);
        ok(output)
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> Result<S3Response<ListPartsOutput>> {
        let input = request.input;
        let upload = self.upload(&input.bucket, &input.key, &input.upload_id).await?;
        let after = input.part_number_marker.unwrap_or(0);
        let (parts, truncated, limit) = self.parts(&upload, after, input.max_parts).await?;
        let next = truncated.then(|| parts.last().map(|part| part.number)).flatten();
        let parts = parts
            .into_iter()
            .map(|part| {
                let mut output = Part {
                    part_number: Some(part.number),
                    size: Some(part.size),
                    e_tag: Some(ETag::Strong(part.etag)),
                    last_modified: Some(timestamp(&part.modified)),
                    ..Default::default()
                };
                set_checksum!(output, upload.algorithm, &part.checksum);
                output
            })
            .collect();
        ok(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            part_number_marker: input.part_number_marker,
            next_part_number_marker: next,
            max_parts: Some(limit),
            is_truncated: Some(truncated),
            parts: Some(parts),
            checksum_algorithm: Some(ChecksumAlgorithm::from_static(upload.algorithm.name())),
            checksum_type: Some(checksum_type(upload.full_object)),
            initiator: Some(initiator()),
            ..Default::default()
        })
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> Result<S3Response<ListMultipartUploadsOutput>> {
        let input = request.input;
        if input.delimiter.as_ref().is_some_and(|delimiter| !delimiter.is_empty()) {
            return Err(s3_error!(NotImplemented, "the sandbox lists uploads without a delimiter"));
        }
        let after = (input.key_marker.clone().unwrap_or_default(), input.upload_id_marker.clone().unwrap_or_default());
        let (uploads, truncated, limit) =
            self.uploads(&input.bucket, input.prefix.as_deref().unwrap_or_default(), after, input.max_uploads).await?;
        let last = uploads.last().filter(|_| truncated).cloned();
        ok(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            prefix: input.prefix,
            key_marker: input.key_marker,
            upload_id_marker: input.upload_id_marker,
            next_key_marker: last.as_ref().map(|upload| upload.key.clone()),
            next_upload_id_marker: last.map(|upload| upload.id),
            max_uploads: Some(limit),
            is_truncated: Some(truncated),
            uploads: Some(uploads.into_iter().map(listed).collect()),
            ..Default::default()
        })
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> Result<S3Response<AbortMultipartUploadOutput>> {
        let input = request.input;
        self.abort(&input.bucket, &input.key, &input.upload_id).await?;
        ok(AbortMultipartUploadOutput::default())
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        let upload = self.upload(&input.bucket, &input.key, &input.upload_id).await?;
        let wanted = Completion {
            checksums: claimed_checksums!(input),
            object_size: input.mpu_object_size,
            must_be_new: must_be_new(input.if_none_match.as_ref())?,
            parts: input.multipart_upload.and_then(|named| named.parts).unwrap_or_default(),
        };
        let (etag, checksum) = self.complete(&input.bucket, upload, wanted).await?;
        let (server_side_encryption, ssekms_key_id) = self.encrypted(&input.bucket);
        let mut output = CompleteMultipartUploadOutput {
            version_id: self.version(&input.bucket),
            server_side_encryption,
            ssekms_key_id,
            location: Some(format!("/{}/{}", input.bucket, input.key)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(ETag::Strong(etag)),
            checksum_type: Some(checksum_type(checksum.full_object)),
            ..Default::default()
        };
        set_checksum!(output, checksum.algorithm, &checksum.value);
        ok(output)
    }
}
