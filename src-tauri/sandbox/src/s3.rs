//! S3: buckets, objects and multipart uploads over SQLite and plain files, speaking through `s3s`.
//!
//! It refuses what S3 refuses: a body whose Content-MD5 or checksum is wrong, a part list that does not
//! match, an upload id that is gone, an unsigned request.
//! Source: S3 API Reference; S3 User Guide, "Checking object integrity in Amazon S3".

mod listing;
mod multipart;
mod object;
mod receive;
mod service;
mod settings;
mod shapes;
mod strict;
mod tags;
mod versions;
mod writing;

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use s3s::dto::{ETag, Timestamp};
use s3s::{S3Error, S3ErrorCode, s3_error};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

pub(crate) use self::object::NewObject;
pub(crate) use self::service::service;
use crate::blobs::Blobs;
use crate::checksum::Algorithm;
use crate::db::Db;
use crate::options::Options;
use crate::time::{now, parse_time};

/// The S3 of the sandbox; cheap to clone.
#[derive(Clone)]
pub(crate) struct S3 {
    db: Db,
    pub blobs: Blobs,
    options: Options,
    /// Rung after an event was written, so that the pipeline looks.
    events: Arc<Notify>,
}

/// What the client said about a body, returned as it was given.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Content {
    pub content_type: Option<String>,
    pub cache_control: Option<String>,
    pub content_disposition: Option<String>,
    pub content_encoding: Option<String>,
    pub content_language: Option<String>,
    pub metadata: BTreeMap<String, String>,
}

pub(crate) type Tags = Vec<(String, String)>;

/// A checksum that S3 holds for an object.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Stored {
    pub algorithm: Algorithm,
    pub value: String,
    pub full_object: bool,
}

/// One part of a finished multipart object.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredPart {
    pub number: i32,
    pub size: i64,
    pub checksum: String,
}

/// An object as the table holds it.
#[derive(Clone)]
pub(crate) struct Object {
    pub key: String,
    pub size: i64,
    pub etag: String,
    pub modified: String,
    pub content: Content,
    pub tags: Tags,
    pub checksum: Stored,
    /// Empty for an object put in one request.
    pub parts: Vec<StoredPart>,
    pub blob: String,
}

const OBJECT_COLUMNS: &str = "key, size, etag, modified, content, tags, checksum, parts, blob";

impl Object {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            key: row.get(0)?,
            size: row.get(1)?,
            etag: row.get(2)?,
            modified: row.get(3)?,
            content: from_json(row, 4)?,
            tags: from_json(row, 5)?,
            checksum: from_json(row, 6)?,
            parts: from_json(row, 7)?,
            blob: row.get(8)?,
        })
    }

    pub fn e_tag(&self) -> ETag {
        ETag::Strong(self.etag.clone())
    }

    pub fn last_modified(&self) -> Timestamp {
        timestamp(&self.modified)
    }
}

/// Reads a JSON column.
fn from_json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}

/// Writes a JSON column. Maps of strings always serialize, so the fallback is never stored.
fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn timestamp(text: &str) -> Timestamp {
    Timestamp::from(parse_time(text))
}

/// An error of the store, as S3 says it.
pub(crate) enum Fault {
    S3(S3Error),
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<S3Error> for Fault {
    fn from(error: S3Error) -> Self {
        Self::S3(error)
    }
}

impl From<Fault> for S3Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::S3(error) => error,
            Fault::Sql(error) => internal(error),
        }
    }
}

/// Anything of ours that failed: logged in full, told as S3 tells it.
fn internal(error: impl std::error::Error + Send + Sync + 'static) -> S3Error {
    tracing::error!(%error, "the sandbox's S3 failed");
    S3Error::with_message(S3ErrorCode::InternalError, error.to_string())
}

type Result<T, E = S3Error> = std::result::Result<T, E>;

impl S3 {
    pub fn open(db: Db, folder: PathBuf, options: Options, events: Arc<Notify>) -> std::io::Result<Self> {
        Ok(Self { db, blobs: Blobs::open(folder)?, options, events })
    }

    /// Removes bodies that no object and no part names: what a kill left behind.
    pub async fn sweep(&self) -> Result<()> {
        let used = self
            .db
            .call(|db| {
                let mut query = db.prepare("SELECT blob FROM objects UNION ALL SELECT blob FROM parts")?;
                query.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<HashSet<_>>>()
            })
            .await
            .map_err(internal)?;
        self.blobs.sweep(&used).map_err(internal)
    }

    pub async fn create_bucket(&self, name: &str) -> Result<bool> {
        let name = name.to_owned();
        self.db
            .call(move |db| {
                db.execute("INSERT OR IGNORE INTO buckets (name, created) VALUES (?1, ?2)", params![name, now()])
            })
            .await
            .map(|rows| rows > 0)
            .map_err(internal)
    }

    async fn buckets(&self) -> Result<Vec<(String, String)>> {
        self.db
            .call(|db| {
                db.prepare("SELECT name, created FROM buckets ORDER BY name")?
                    .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect::<rusqlite::Result<_>>()
            })
            .await
            .map_err(internal)
    }

    async fn delete_bucket(&self, bucket: &str) -> Result<()> {
        let bucket = bucket.to_owned();
        Ok(self
            .db
            .call(move |db| {
                require_bucket(db, &bucket)?;
                let in_use: bool = db.query_row(
                    "SELECT EXISTS (SELECT 1 FROM objects WHERE bucket = ?1)
                       OR EXISTS (SELECT 1 FROM uploads WHERE bucket = ?1)",
                    [&bucket],
                    |row| row.get(0),
                )?;
                if in_use {
                    return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty").into());
                }
                db.execute("DELETE FROM buckets WHERE name = ?1", [&bucket])?;
                Ok::<_, Fault>(())
            })
            .await?)
    }

    /// What a bucket was set to.
    async fn setting(&self, bucket: &str, name: &'static str) -> Result<Option<String>> {
        let bucket = bucket.to_owned();
        let get = move |db: &mut Connection| -> Result<_, Fault> {
            require_bucket(db, &bucket)?;
            let get = "SELECT settings ->> ?2 FROM buckets WHERE name = ?1";
            Ok(db.query_row(get, [&*bucket, name], |row| row.get(0))?)
        };
        Ok(self.db.call(get).await?)
    }

    async fn set_setting(&self, bucket: &str, name: &'static str, value: &str) -> Result<()> {
        let (bucket, value) = (bucket.to_owned(), value.to_owned());
        let set = move |db: &mut Connection| -> Result<_, Fault> {
            require_bucket(db, &bucket)?;
            let set = "UPDATE buckets SET settings = json_set(settings, '$.' || ?2, ?3) WHERE name = ?1";
            Ok(db.execute(set, [&*bucket, name, &*value])?)
        };
        Ok(self.db.call(set).await.map(drop)?)
    }

    async fn check_bucket(&self, bucket: &str) -> Result<()> {
        let bucket = bucket.to_owned();
        Ok(self.db.call(move |db| require_bucket(db, &bucket)).await?)
    }

    /// One object; `NoSuchBucket` or `NoSuchKey` when there is none.
    pub async fn object(&self, bucket: &str, key: &str) -> Result<Object> {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        Ok(self
            .db
            .call(move |db| {
                require_bucket(db, &bucket)?;
                db.query_row(
                    &format!("SELECT {OBJECT_COLUMNS} FROM objects WHERE bucket = ?1 AND key = ?2"),
                    [&bucket, &key],
                    Object::read,
                )
                .optional()?
                .ok_or_else(|| Fault::S3(s3_error!(NoSuchKey, "The specified key does not exist.")))
            })
            .await?)
    }
}

fn require_bucket(db: &Connection, bucket: &str) -> Result<(), Fault> {
    let known: bool =
        db.query_row("SELECT EXISTS (SELECT 1 FROM buckets WHERE name = ?1)", [bucket], |row| row.get(0))?;
    if known { Ok(()) } else { Err(s3_error!(NoSuchBucket, "The specified bucket does not exist").into()) }
}
