//! What the store knows of an upload; a part is written here before it counts as done.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::Request;
use super::checksum::Checksum;
use super::plan::{PartNumber, PartPlan};
use super::remote::PartRecord;
use crate::Result;
use crate::clock::now_ms;
use crate::files::{Identity, path_of_bytes};
use crate::store::Store;

/// One upload as recorded.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub path: PathBuf,
    pub bucket: String,
    pub key: String,
    pub identity: Identity,
    /// When anything of the file was last changed ([`crate::files::stat`]).
    pub touched_at: Option<i64>,
    pub plan: PartPlan,
    pub upload_id: Option<String>,
    /// Bytes that were given to the connection, over all attempts.
    pub sent: u64,
    /// The checksum of the object, once S3 held all of it.
    pub finished: Option<Checksum>,
}

/// What the journal knows of an upload that is done.
pub(super) struct Finished {
    /// Bytes that were given to the connection, over all attempts.
    pub sent: u64,
    /// When the first request left that could make the object, in milliseconds since the epoch.
    pub completing_at: Option<i64>,
}

#[derive(Clone)]
pub(super) struct Journal {
    store: Store,
    /// Whose connection sends: a workspace's, or that of the environment (empty). What is to be aborted is worked off by
    /// the same one.
    owner: String,
}

/// How far an upload was that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GivenUp {
    /// Whether a request had left that could make the object.
    pub was_completing: bool,
}

/// An unfinished upload that is to be aborted in S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ToAbort {
    /// Its name in the journal, which no longer has it.
    pub id: String,
    pub bucket: String,
    pub key: String,
    pub upload_id: String,
}

impl Journal {
    pub fn new(store: Store, owner: &str) -> Self {
        Self { store, owner: owner.to_owned() }
    }

    /// The record of this request, made where there is none; and whether it is new. A new one that goes up in one
    /// request counts as leaving with it.
    pub async fn open(
        &self,
        request: &Request,
        identity: Identity,
        touched_at: Option<i64>,
        plan: PartPlan,
    ) -> Result<(Record, bool)> {
        let new = Record {
            path: request.path.clone(),
            bucket: request.target.bucket.clone(),
            key: request.target.key.clone(),
            sent: if plan.is_single() { identity.size } else { 0 },
            identity,
            touched_at,
            plan,
            upload_id: None,
            finished: None,
        };
        let id = request.id.clone();
        self.store
            .call(move |db| {
                if let Some(record) = find(db, &id)? {
                    return Ok((record, false));
                }
                let made = db
                    .prepare_cached(
                        "INSERT OR IGNORE INTO uploads
                       (id, path, bucket, key, size, modified_ns, part_size, file_id, sent, completing_at, touched_ns)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                    )?
                    .execute(params![
                        id,
                        new.path.as_os_str().as_encoded_bytes(),
                        new.bucket,
                        new.key,
                        new.identity.size,
                        new.identity.modified_ns,
                        new.plan.part_size(),
                        new.identity.file_id,
                        new.sent,
                        new.plan.is_single().then(now_ms),
                        new.touched_at
                    ])?;
                // Another process may have made it just now.
                match if made == 0 { find(db, &id)? } else { None } {
                    Some(record) => Ok((record, false)),
                    None => Ok((new, true)),
                }
            })
            .await
    }

    /// Whether there is a record of an upload.
    pub async fn is_known(&self, id: &str) -> Result<bool> {
        let id = id.to_owned();
        self.store.call(move |db| Ok(find(db, &id)?.is_some())).await
    }

    /// Records where the file is now, and what makes it the one that it is: its bytes are those that were sent.
    pub async fn set_file(&self, id: &str, path: &Path, file: &Identity, touched_at: Option<i64>) -> Result<()> {
        let (id, path, file) = (id.to_owned(), path.to_owned(), file.clone());
        self.store
            .call(move |db| {
                db.execute(
                    "UPDATE uploads SET path = ?2, modified_ns = ?3, file_id = ?4, touched_ns = ?5 WHERE id = ?1",
                    params![id, path.as_os_str().as_encoded_bytes(), file.modified_ns, file.file_id, touched_at],
                )?;
                Ok(())
            })
            .await
    }

    /// Records that S3 does not know the upload any more, nor its parts.
    pub async fn forgotten(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        self.store
            .call_durably(move |db| {
                let transaction = db.transaction()?;
                transaction.execute("DELETE FROM parts WHERE upload = ?1", [&id])?;
                transaction.execute("UPDATE uploads SET upload_id = NULL WHERE id = ?1", [&id])?;
                Ok(transaction.commit()?)
            })
            .await
    }

    /// Records the upload that S3 began; answers with the one that counts. Where the journal has no such upload any more,
    /// or another one of S3's counts already, this one is to be aborted.
    pub async fn begun(&self, id: &str, bucket: &str, key: &str, upload_id: String) -> Result<Option<String>> {
        let to_abort =
            ToAbort { id: id.to_owned(), bucket: bucket.to_owned(), key: key.to_owned(), upload_id: upload_id.clone() };
        let (id, owner) = (id.to_owned(), self.owner.clone());
        self.store
            .call_durably(move |db| {
                let transaction = db.transaction()?;
                transaction.execute(
                    "UPDATE uploads SET upload_id = ?2 WHERE id = ?1 AND upload_id IS NULL AND checksum IS NULL",
                    params![id, upload_id],
                )?;
                let counts: Option<String> = transaction
                    .query_row("SELECT upload_id FROM uploads WHERE id = ?1", [&id], |row| row.get(0))
                    .optional()?
                    .flatten();
                if counts.as_ref() != Some(&upload_id) {
                    set_to_abort(&transaction, &owner, &to_abort)?;
                }
                transaction.commit()?;
                Ok(counts)
            })
            .await
    }

    /// Forgets an upload; what S3 has of it is to be aborted. Answers how far it was, if there was one, begun or done.
    pub async fn give_up(&self, id: &str) -> Result<Option<GivenUp>> {
        self.abandon(id, "DELETE FROM uploads WHERE id = ?1").await
    }

    /// The same, but the upload begins anew.
    pub async fn begin_anew(&self, id: &str) -> Result<()> {
        self.abandon(id, "UPDATE uploads SET upload_id = NULL WHERE id = ?1").await.map(drop)
    }

    async fn abandon(&self, id: &str, then: &'static str) -> Result<Option<GivenUp>> {
        let (id, owner) = (id.to_owned(), self.owner.clone());
        self.store
            .call_durably(move |db| {
                let transaction = db.transaction()?;
                let record = find(&transaction, &id)?;
                if let Some(Record { bucket, key, upload_id: Some(upload_id), .. }) = &record {
                    let (bucket, key, upload_id) = (bucket.clone(), key.clone(), upload_id.clone());
                    set_to_abort(&transaction, &owner, &ToAbort { id: id.clone(), bucket, key, upload_id })?;
                }
                let completing = "SELECT completing_at IS NOT NULL FROM uploads WHERE id = ?1";
                let was_completing = transaction.query_row(completing, [&id], |row| row.get(0)).optional()?;
                transaction.execute("DELETE FROM parts WHERE upload = ?1", [&id])?;
                transaction.execute(then, [&id])?;
                transaction.commit()?;
                Ok(record.and(was_completing).map(|was_completing| GivenUp { was_completing }))
            })
            .await
    }

    /// What this owner has to abort, the oldest first.
    pub async fn to_abort(&self) -> Result<Vec<ToAbort>> {
        let owner = self.owner.clone();
        self.store
            .call(move |db| {
                let all = db
                    .prepare_cached(
                        "SELECT upload, bucket, key, upload_id FROM aborts WHERE owner = ?1 ORDER BY since",
                    )?
                    .query_map([owner], |row| {
                        Ok(ToAbort { id: row.get(0)?, bucket: row.get(1)?, key: row.get(2)?, upload_id: row.get(3)? })
                    })?
                    .collect::<rusqlite::Result<_>>()?;
                Ok(all)
            })
            .await
    }

    /// Whether one of S3's uploads is to be aborted, whoever's.
    pub async fn is_to_abort(&self, upload_id: &str) -> Result<bool> {
        let upload_id = upload_id.to_owned();
        self.store
            .call(move |db| {
                let is_there = "SELECT EXISTS (SELECT 1 FROM aborts WHERE upload_id = ?1)";
                Ok(db.query_row(is_there, [upload_id], |row| row.get(0))?)
            })
            .await
    }

    /// Records that S3 has nothing of it any more.
    pub async fn aborted(&self, one: ToAbort) -> Result<()> {
        self.store
            .call(move |db| {
                db.execute(
                    "DELETE FROM aborts WHERE bucket = ?1 AND key = ?2 AND upload_id = ?3",
                    [one.bucket, one.key, one.upload_id],
                )?;
                Ok(())
            })
            .await
    }

    /// Records that a request is about to leave that may make the object; the first one counts.
    pub async fn completing(&self, id: &str, at: i64) -> Result<()> {
        let id = id.to_owned();
        self.store
            .call_durably(move |db| {
                db.execute(
                    "UPDATE uploads SET completing_at = ?2 WHERE id = ?1 AND completing_at IS NULL",
                    params![id, at],
                )?;
                Ok(())
            })
            .await
    }

    pub async fn parts(&self, id: &str) -> Result<BTreeMap<PartNumber, PartRecord>> {
        let id = id.to_owned();
        self.store
            .call(move |db| {
                let rows = db
                    .prepare("SELECT number, etag, checksum FROM parts WHERE upload = ?1")?
                    .query_map([id], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get::<_, String>(2)?)))?
                    .collect::<rusqlite::Result<Vec<_>>>()?;
                Ok(rows
                    .into_iter()
                    .filter_map(|(number, etag, checksum)| {
                        Some((PartNumber::new(number)?, PartRecord { etag, checksum: Checksum::parse(&checksum)? }))
                    })
                    .collect())
            })
            .await
    }

    /// Bytes of the recorded parts, by upload.
    pub async fn stored(&self) -> Result<HashMap<String, u64>> {
        self.store
            .call(|db| {
                let stored = db
                    .prepare(
                        "SELECT uploads.id, min(size, count(*) * part_size) FROM uploads
                         JOIN parts ON parts.upload = uploads.id GROUP BY uploads.id",
                    )?
                    .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect::<rusqlite::Result<_>>()?;
                Ok(stored)
            })
            .await
    }

    /// Records that so many bytes are about to be given to the connection.
    pub async fn leaving(&self, id: &str, bytes: u64) -> Result<()> {
        let id = id.to_owned();
        self.store
            .call(move |db| {
                db.prepare_cached("UPDATE uploads SET sent = sent + ?2 WHERE id = ?1")?.execute(params![id, bytes])?;
                Ok(())
            })
            .await
    }

    /// Records that so many of them were not given to it after all.
    pub async fn stayed(&self, id: &str, bytes: u64) -> Result<()> {
        let id = id.to_owned();
        self.store
            .call(move |db| {
                db.prepare_cached("UPDATE uploads SET sent = max(sent - ?2, 0) WHERE id = ?1")?
                    .execute(params![id, bytes])?;
                Ok(())
            })
            .await
    }

    /// Records a part that S3 took. It is committed when this returns, and not waited for until the disk has it: what a
    /// power cut takes from the end of the journal, S3's own list and the file's bytes give back.
    pub async fn add_part(&self, id: &str, number: PartNumber, part: PartRecord) -> Result<()> {
        let id = id.to_owned();
        self.store
            .call(move |db| {
                db.prepare_cached(
                    "INSERT OR REPLACE INTO parts (upload, number, etag, checksum) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![id, number.get(), part.etag, part.checksum.to_string()])?;
                Ok(())
            })
            .await
    }

    /// Records that S3 holds all of it, the parts being no longer needed.
    pub async fn finish(&self, id: &str, checksum: Checksum) -> Result<Finished> {
        let id = id.to_owned();
        self.store
            .call(move |db| {
                let transaction = db.transaction()?;
                transaction.prepare_cached("DELETE FROM parts WHERE upload = ?1")?.execute([&id])?;
                let finished = transaction
                    .prepare_cached(
                        "UPDATE uploads SET upload_id = NULL, checksum = ?2 WHERE id = ?1
                         RETURNING sent, completing_at",
                    )?
                    .query_row(params![id, checksum.to_string()], |row| {
                        Ok(Finished { sent: row.get(0)?, completing_at: row.get(1)? })
                    })
                    .optional()?;
                transaction.commit()?;
                Ok(finished.unwrap_or(Finished { sent: 0, completing_at: None }))
            })
            .await
    }

    pub async fn forget(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        self.store
            .call(move |db| {
                db.execute("DELETE FROM uploads WHERE id = ?1", [id])?;
                Ok(())
            })
            .await
    }
}

fn set_to_abort(transaction: &Transaction<'_>, owner: &str, one: &ToAbort) -> Result<()> {
    transaction.execute(
        "INSERT OR IGNORE INTO aborts (upload, bucket, key, upload_id, owner, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![one.id, one.bucket, one.key, one.upload_id, owner, now_ms()],
    )?;
    Ok(())
}

fn find(db: &Connection, id: &str) -> Result<Option<Record>> {
    Ok(db
        .prepare_cached(
            "SELECT path, bucket, key, size, modified_ns, part_size, upload_id, file_id, sent, checksum, touched_ns
             FROM uploads WHERE id = ?1",
        )?
        .query_row([id], |row| {
            let size: u64 = row.get(3)?;
            Ok(Record {
                path: path_of_bytes(&row.get::<_, Vec<u8>>(0)?),
                bucket: row.get(1)?,
                key: row.get(2)?,
                identity: Identity { size, modified_ns: row.get(4)?, file_id: row.get(7)? },
                touched_at: row.get(10)?,
                plan: PartPlan::recorded(size, row.get(5)?),
                upload_id: row.get(6)?,
                sent: row.get(8)?,
                finished: row.get::<_, Option<String>>(9)?.and_then(|text| Checksum::parse(&text)),
            })
        })
        .optional()?)
}

/// The owners of what was given up since this time (milliseconds since the epoch) and is still to be aborted.
pub(crate) async fn owners_of_aborts(store: &Store, since: i64) -> Result<Vec<String>> {
    store
        .call(move |db| {
            let mut rows = db.prepare("SELECT DISTINCT owner FROM aborts WHERE since > ?1 AND owner != ''")?;
            let owners = rows.query_map([since], |row| row.get(0))?;
            Ok(owners.collect::<rusqlite::Result<_>>()?)
        })
        .await
}
