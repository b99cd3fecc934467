//! Versions of objects: each has the one that is current, with the id `null` as in a bucket that never kept versions. Source: S3 API
//! Reference, ListObjectVersions and DeleteObjects.

use s3s::dto::{
    DeletedObject, Error, ListObjectVersionsInput, ListObjectVersionsOutput, ObjectIdentifier, ObjectVersion,
    ObjectVersionStorageClass,
};

use super::{Result, S3};

/// The version of an object in a bucket that keeps none.
const NULL: &str = "null";

impl S3 {
    /// A page of the versions of objects.
    pub(super) async fn versions(&self, input: ListObjectVersionsInput) -> Result<ListObjectVersionsOutput> {
        let prefix = input.prefix.clone().unwrap_or_default();
        let after = input.key_marker.clone();
        let (page, limit) = self.list(&input.bucket, prefix, input.delimiter.clone(), after, input.max_keys).await?;
        let versions = page.objects.iter().map(|object| ObjectVersion {
            key: Some(object.key.clone()),
            version_id: Some(NULL.to_owned()),
            is_latest: Some(true),
            size: Some(object.size),
            e_tag: Some(object.e_tag()),
            last_modified: Some(object.last_modified()),
            storage_class: Some(ObjectVersionStorageClass::from_static(ObjectVersionStorageClass::STANDARD)),
            ..Default::default()
        });
        Ok(ListObjectVersionsOutput {
            versions: Some(versions.collect()),
            name: Some(input.bucket),
            prefix: input.prefix,
            key_marker: input.key_marker,
            max_keys: Some(limit),
            is_truncated: Some(page.next.is_some()),
            next_version_id_marker: page.next.as_ref().map(|_| NULL.to_owned()),
            next_key_marker: page.next,
            ..Default::default()
        })
    }

    /// Deletes many: each is answered for by itself.
    pub(super) async fn delete_many(
        &self,
        bucket: &str,
        objects: Vec<ObjectIdentifier>,
    ) -> Result<(Vec<DeletedObject>, Vec<Error>)> {
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        let mut keys = Vec::new();
        for ObjectIdentifier { key, version_id, .. } in objects {
            if let Err(refusal) = self.check_deletion(bucket, version_id.as_deref()) {
                errors.push(Error {
                    key: Some(key),
                    version_id,
                    code: Some(refusal.code().as_str().to_owned()),
                    message: refusal.message().map(str::to_owned),
                });
                continue;
            }
            deleted.push(DeletedObject {
                key: Some(key.clone()),
                version_id: version_id.clone(),
                ..Default::default()
            });
            // Another version there is not, and what is not there is deleted already.
            if version_id.is_none_or(|version| version == NULL) {
                keys.push(key);
            }
        }
        self.delete(bucket, keys).await?;
        Ok((deleted, errors))
    }
}
