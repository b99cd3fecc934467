//! What a stricter source bucket refuses and says. Source: S3 User Guide, "Specifying server-side encryption with AWS KMS"
//! and "Locking objects with Object Lock"; S3 API Reference, PutObject and UploadPart.

use s3s::dto::ServerSideEncryption;
use s3s::{S3Error, S3ErrorCode, s3_error};

use super::receive::Claims;
use super::{Result, S3};
use crate::{ACCOUNT, KMS_KEY, SOURCE_BUCKET};

/// What an answer says of the encryption of an object.
pub(super) type Encrypted = (Option<ServerSideEncryption>, Option<String>);

impl S3 {
    fn is_encrypted(&self, bucket: &str) -> bool {
        self.options.kms && bucket == SOURCE_BUCKET
    }

    fn is_locked(&self, bucket: &str) -> bool {
        self.options.object_lock && bucket == SOURCE_BUCKET
    }

    /// Refuses what does not ask for the key of the bucket.
    pub(super) fn check_encryption(
        &self,
        bucket: &str,
        key: &str,
        asked: Option<&ServerSideEncryption>,
        kms_key: Option<&str>,
    ) -> Result<()> {
        if !self.is_encrypted(bucket) {
            return Ok(());
        }
        let is_kms = asked.is_some_and(|asked| matches!(asked.as_str(), "aws:kms" | "aws:kms:dsse"));
        if !is_kms {
            return Err(s3_error!(
                AccessDenied,
                "User: arn:aws:iam::{}:user/sandbox is not authorized to perform: s3:PutObject on resource: \
                 \"arn:aws:s3:::{}/{}\" with an explicit deny in a resource-based policy",
                ACCOUNT,
                bucket,
                key
            ));
        }
        let id = KMS_KEY.rsplit('/').next().unwrap_or_default();
        match kms_key {
            Some(key) if key != KMS_KEY && key != id => {
                let code = S3ErrorCode::Custom("KMS.NotFoundException".into());
                let mut error = S3Error::with_message(code, format!("Key '{key}' does not exist"));
                error.set_status_code(http::StatusCode::BAD_REQUEST);
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// What is said of the encryption of an object of this bucket.
    pub(super) fn encrypted(&self, bucket: &str) -> Encrypted {
        match self.is_encrypted(bucket) {
            true => (Some(ServerSideEncryption::from_static(ServerSideEncryption::AWS_KMS)), Some(KMS_KEY.to_owned())),
            false => (None, None),
        }
    }

    /// The ETag of what is encrypted with KMS is no MD5 of its bytes.
    pub(super) fn md5_for_etag(&self, bucket: &str, md5: [u8; 16]) -> [u8; 16] {
        if self.is_encrypted(bucket) { *uuid::Uuid::new_v4().as_bytes() } else { md5 }
    }

    /// Refuses a body without a checksum where Object Lock wants one; `what` is how S3 calls the request.
    pub(super) fn check_guarded(&self, bucket: &str, claims: &Claims, what: &str) -> Result<()> {
        if self.is_locked(bucket) && claims.content_md5.is_none() && claims.algorithm().is_none() {
            return Err(s3_error!(
                InvalidRequest,
                "Content-MD5 OR x-amz-checksum- HTTP header is required for {} requests with Object Lock parameters",
                what
            ));
        }
        Ok(())
    }

    /// The version of a new object, where the bucket keeps versions.
    pub(super) fn version(&self, bucket: &str) -> Option<String> {
        self.is_locked(bucket).then(|| uuid::Uuid::new_v4().simple().to_string())
    }

    /// Refuses to delete a version that is kept for a time; a delete without one only hides the object.
    pub(super) fn check_deletion(&self, bucket: &str, version: Option<&str>) -> Result<()> {
        if self.is_locked(bucket) && version.is_some() {
            return Err(s3_error!(AccessDenied, "Access Denied because object protected by object lock."));
        }
        Ok(())
    }
}
