//! What the store knows of an upload; a part is written here before it counts as done.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rusqlite::{OptionalExtension as _, params};

use super::plan::{PartNumber, PartPlan};
use super::{Identity, Request};
use crate::Result;
use crate::store::Store;

/// One upload as recorded.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub path: PathBuf,
    pub bucket: String,
    pub key: String,
    pub identity: Identity,
    pub plan: PartPlan,
    pub upload_id: Option<String>,
}

/// A part that S3 confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PartRecord {
    pub etag: String,
    pub checksum: String,
}

#[derive(Clone)]
pub(super) struct Journal(pub Store);

impl Journal {
    pub async fn find(&self, id: &str) -> Result<Option<Record>> {
        let id = id.to_owned();
        self.0
            .call(move |db| {
                Ok(db
                    .query_row(
                        "SELECT path, bucket, key, size, modified_ns, part_size, upload_id FROM uploads WHERE id = ?1",
                        [id],
                        |row| {
                            let size: u64 = row.get(3)?;
                            Ok(Record {
                                path: PathBuf::from(row.get::<_, String>(0)?),
                                bucket: row.get(1)?,
                                key: row.get(2)?,
                                identity: Identity { size, modified_ns: row.get(4)? },
                                plan: PartPlan::recorded(size, row.get(5)?),
                                upload_id: row.get(6)?,
                            })
                        },
                    )
                    .optional()?)
            })
            .await
    }

    pub async fn begin(&self, request: &Request, identity: Identity, plan: PartPlan) -> Result<Record> {
        let record = Record {
            path: request.path.clone(),
            bucket: request.bucket.clone(),
            key: request.key.clone(),
            identity,
            plan,
            upload_id: None,
        };
        let (id, row) = (request.id.clone(), record.clone());
        self.0
            .call(move |db| {
                db.execute(
                    "INSERT INTO uploads (id, path, bucket, key, size, modified_ns, part_size) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![
                        id,
                        row.path.to_string_lossy(),
                        row.bucket,
                        row.key,
                        row.identity.size,
                        row.identity.modified_ns,
                        row.plan.part_size()
                    ],
                )?;
                Ok(())
            })
            .await?;
        Ok(record)
    }

    /// Records the upload id that S3 gave, and forgets the parts of the one before.
    pub async fn set_upload_id(&self, id: &str, upload_id: Option<String>) -> Result<()> {
        let id = id.to_owned();
        self.0
            .call(move |db| {
                let transaction = db.transaction()?;
                transaction.execute("DELETE FROM parts WHERE upload = ?1", [&id])?;
                transaction.execute("UPDATE uploads SET upload_id = ?2 WHERE id = ?1", params![id, upload_id])?;
                Ok(transaction.commit()?)
            })
            .await
    }

    pub async fn parts(&self, id: &str) -> Result<BTreeMap<PartNumber, PartRecord>> {
        let id = id.to_owned();
        self.0
            .call(move |db| {
                let rows = db
                    .prepare("SELECT number, etag, checksum FROM parts WHERE upload = ?1")?
                    .query_map([id], |row| {
                        Ok((row.get::<_, i64>(0)?, PartRecord { etag: row.get(1)?, checksum: row.get(2)? }))
                    })?
                    .collect::<rusqlite::Result<Vec<_>>>()?;
                Ok(rows.into_iter().filter_map(|(number, part)| Some((PartNumber::new(number)?, part))).collect())
            })
            .await
    }

    pub async fn add_part(&self, id: &str, number: PartNumber, part: PartRecord) -> Result<()> {
        let id = id.to_owned();
        self.0
            .call(move |db| {
                db.execute(
                    "INSERT OR REPLACE INTO parts (upload, number, etag, checksum) VALUES (?1, ?2, ?3, ?4)",
                    params![id, number.get(), part.etag, part.checksum],
                )?;
                Ok(())
            })
            .await
    }

    pub async fn forget(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        self.0
            .call(move |db| {
                db.execute("DELETE FROM uploads WHERE id = ?1", [id])?;
                Ok(())
            })
            .await
    }
}
