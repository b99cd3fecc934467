//! Objects: put, delete, copy; and the event that a new one raises.

use rusqlite::params;
use s3s::s3_error;
use serde_json::json;

use super::{Content, Fault, Result, S3, Stored, StoredPart, Tags, require_bucket, to_json};
use crate::blobs::Written;
use crate::checksum::Algorithm;
use crate::time::now;

/// Everything that makes an object, before it is one.
pub(crate) struct NewObject {
    pub bucket: String,
    pub key: String,
    pub size: i64,
    pub etag: String,
    pub content: Content,
    pub tags: Tags,
    pub checksum: Stored,
    pub parts: Vec<StoredPart>,
    pub blob: String,
    /// Refuse to replace an object of this name (`If-None-Match: *`).
    pub must_be_new: bool,
}

impl NewObject {
    /// An object put in one request.
    pub fn whole(bucket: &str, key: &str, written: Written, algorithm: Algorithm) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            size: written.size,
            etag: hex::encode(written.md5),
            content: Content::default(),
            tags: Vec::new(),
            checksum: Stored { algorithm, value: written.checksum, full_object: true },
            parts: Vec::new(),
            blob: written.blob,
            must_be_new: false,
        }
    }
}

/// Writes the row and the event in the caller's transaction; answers the blob that it replaced.
pub(super) fn insert(db: &rusqlite::Connection, new: &NewObject) -> Result<Option<String>, Fault> {
    require_bucket(db, &new.bucket)?;
    let replaced: Option<String> = db
        .prepare("SELECT blob FROM objects WHERE bucket = ?1 AND key = ?2")?
        .query_map([&new.bucket, &new.key], |row| row.get(0))?
        .next()
        .transpose()?;
    if new.must_be_new && replaced.is_some() {
        return Err(
            s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold").into()
        );
    }
    db.execute(
        "INSERT OR REPLACE INTO objects (bucket, key, size, etag, modified, content, tags, checksum, parts, blob)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            new.bucket,
            new.key,
            new.size,
            new.etag,
            now(),
            to_json(&new.content),
            to_json(&new.tags),
            to_json(&new.checksum),
            to_json(&new.parts),
            new.blob
        ],
    )?;
    db.execute(
        "INSERT INTO events (kind, body) VALUES ('ObjectCreated', ?1)",
        [json!({"bucket": new.bucket, "key": new.key, "size": new.size, "guid": uuid::Uuid::new_v4()}).to_string()],
    )?;
    Ok(replaced)
}

impl S3 {
    /// Commits an object and raises its event; its blob is removed when that fails.
    pub async fn commit(&self, new: NewObject) -> Result<()> {
        let blob = new.blob.clone();
        let result = self
            .db
            .call(move |db| {
                let transaction = db.transaction()?;
                let replaced = insert(&transaction, &new)?;
                transaction.commit()?;
                Ok::<_, Fault>(replaced)
            })
            .await;
        match result {
            Ok(replaced) => {
                if let Some(replaced) = replaced {
                    self.blobs.remove(&replaced).await;
                }
                self.events.notify_one();
                Ok(())
            }
            Err(fault) => {
                self.blobs.remove(&blob).await;
                Err(fault.into())
            }
        }
    }

    /// Deletes objects; one that does not exist is deleted already.
    pub(super) async fn delete(&self, bucket: &str, keys: Vec<String>) -> Result<()> {
        let bucket = bucket.to_owned();
        let blobs = self
            .db
            .call(move |db| {
                let transaction = db.transaction()?;
                require_bucket(&transaction, &bucket)?;
                let mut blobs: Vec<String> = Vec::new();
                for key in &keys {
                    blobs.extend(
                        transaction
                            .prepare("DELETE FROM objects WHERE bucket = ?1 AND key = ?2 RETURNING blob")?
                            .query_map([&bucket, key], |row| row.get(0))?
                            .collect::<rusqlite::Result<Vec<_>>>()?,
                    );
                }
                transaction.commit()?;
                Ok::<_, Fault>(blobs)
            })
            .await?;
        for blob in blobs {
            self.blobs.remove(&blob).await;
        }
        Ok(())
    }
}
