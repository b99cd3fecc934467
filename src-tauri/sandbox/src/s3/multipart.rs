//! Multipart uploads. Source: S3 API Reference, CreateMultipartUpload to ListMultipartUploads.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest as _, Md5};
use rusqlite::{OptionalExtension as _, params};
use s3s::dto::CompletedPart;
use s3s::{S3Error, s3_error};

use super::receive::{Claims, claimed_checksums, wrong_type};
use super::{
    Content, Fault, NewObject, Result, S3, Stored, StoredPart, Tags, from_json, internal, object, require_bucket,
    to_json,
};
use crate::blobs::Written;
use crate::checksum::Algorithm;
use crate::time::now;

/// Every part but the last is at least this long, in bytes.
const MIN_PART: i64 = 5 * 1024 * 1024;
/// What a page of parts or of uploads holds at most.
const MAX_PAGE: i32 = 1000;

/// An unfinished upload.
#[derive(Clone)]
pub(super) struct Upload {
    pub id: String,
    pub key: String,
    pub initiated: String,
    pub content: Content,
    pub tags: Tags,
    pub algorithm: Algorithm,
    pub full_object: bool,
}

/// A part that arrived.
#[derive(Clone)]
pub(super) struct Part {
    pub number: i32,
    pub size: i64,
    pub etag: String,
    pub checksum: String,
    pub modified: String,
    blob: String,
}

/// What the client wants of `CompleteMultipartUpload`.
pub(super) struct Completion {
    pub parts: Vec<CompletedPart>,
    pub checksums: Vec<(Algorithm, String)>,
    pub object_size: Option<i64>,
    pub must_be_new: bool,
}

const UPLOAD_COLUMNS: &str = "id, key, initiated, content, tags, algorithm, full_object";

fn read_upload(row: &rusqlite::Row<'_>) -> rusqlite::Result<Upload> {
    let algorithm: String = row.get(5)?;
    Ok(Upload {
        id: row.get(0)?,
        key: row.get(1)?,
        initiated: row.get(2)?,
        content: from_json(row, 3)?,
        tags: from_json(row, 4)?,
        algorithm: Algorithm::parse(&algorithm).unwrap_or(Algorithm::Crc64nvme),
        full_object: row.get(6)?,
    })
}

fn read_part(row: &rusqlite::Row<'_>) -> rusqlite::Result<Part> {
    Ok(Part {
        number: row.get(0)?,
        size: row.get(1)?,
        etag: row.get(2)?,
        checksum: row.get(3)?,
        modified: row.get(4)?,
        blob: row.get(5)?,
    })
}

fn no_such_upload() -> S3Error {
    s3_error!(
        NoSuchUpload,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    )
}

fn find(db: &rusqlite::Connection, bucket: &str, key: &str, id: &str) -> Result<Upload, Fault> {
    require_bucket(db, bucket)?;
    db.query_row(
        &format!("SELECT {UPLOAD_COLUMNS} FROM uploads WHERE id = ?1 AND bucket = ?2 AND key = ?3"),
        [id, bucket, key],
        read_upload,
    )
    .optional()?
    .ok_or_else(|| no_such_upload().into())
}

fn parts_of(db: &rusqlite::Connection, id: &str) -> rusqlite::Result<Vec<Part>> {
    db.prepare("SELECT number, size, etag, checksum, modified, blob FROM parts WHERE upload = ?1 ORDER BY number")?
        .query_map([id], read_part)?
        .collect()
}

impl S3 {
    pub(super) async fn create_upload(
        &self,
        bucket: &str,
        key: &str,
        content: Content,
        tags: Tags,
        algorithm: Algorithm,
        full_object: bool,
    ) -> Result<String> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let (bucket, key, answer) = (bucket.to_owned(), key.to_owned(), id.clone());
        self.db
            .call(move |db| {
                require_bucket(db, &bucket)?;
                db.execute(
                    "INSERT INTO uploads (id, bucket, key, initiated, content, tags, algorithm, full_object)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    params![id, bucket, key, now(), to_json(&content), to_json(&tags), algorithm.name(), full_object],
                )?;
                Ok::<_, Fault>(())
            })
            .await?;
        Ok(answer)
    }

    pub(super) async fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<Upload> {
        let (bucket, key, id) = (bucket.to_owned(), key.to_owned(), id.to_owned());
        Ok(self.db.call(move |db| find(db, &bucket, &key, &id)).await?)
    }

    pub(super) async fn put_part(
        &self,
        bucket: &str,
        upload: &Upload,
        number: i32,
        body: Option<s3s::dto::StreamingBlob>,
        claims: Claims,
    ) -> Result<Written> {
        if !(1..=10_000).contains(&number) {
            return Err(s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive"));
        }
        if let Some(given) = claims.algorithm()
            && given != upload.algorithm
        {
            return Err(wrong_type(upload.algorithm, given));
        }
        let mut written = self.receive(body, claims, upload.algorithm).await?;
        written.md5 = self.md5_for_etag(bucket, written.md5);
        let (id, blob) = (upload.id.clone(), written.blob.clone());
        let (size, etag, checksum) = (written.size, hex::encode(written.md5), written.checksum.clone());
        let stored = self
            .db
            .call(move |db| {
                let transaction = db.transaction()?;
                let alive: bool =
                    transaction
                        .query_row("SELECT EXISTS (SELECT 1 FROM uploads WHERE id = ?1)", [&id], |row| row.get(0))?;
                if !alive {
                    return Err(no_such_upload().into());
                }
                let replaced: Option<String> = transaction
                    .query_row("SELECT blob FROM parts WHERE upload = ?1 AND number = ?2", params![id, number], |row| {
                        row.get(0)
                    })
                    .optional()?;
                transaction.execute(
                    "INSERT OR REPLACE INTO parts (upload, number, size, etag, checksum, modified, blob)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![id, number, size, etag, checksum, now(), blob],
                )?;
                transaction.commit()?;
                Ok::<_, Fault>(replaced)
            })
            .await;
        match stored {
            Ok(replaced) => {
                if let Some(replaced) = replaced {
                    self.blobs.remove(&replaced).await;
                }
                Ok(written)
            }
            Err(fault) => {
                self.blobs.remove(&written.blob).await;
                Err(fault.into())
            }
        }
    }

    /// Parts after a number, and whether more follow.
    pub(super) async fn parts(&self, upload: &Upload, after: i32, max: Option<i32>) -> Result<(Vec<Part>, bool, i32)> {
        let id = upload.id.clone();
        let limit = max.unwrap_or(MAX_PAGE).clamp(0, MAX_PAGE);
        let mut parts = self.db.call(move |db| parts_of(db, &id)).await.map_err(internal)?;
        parts.retain(|part| part.number > after);
        let truncated = parts.len() > limit as usize;
        parts.truncate(limit as usize);
        Ok((parts, truncated, limit))
    }

    /// Uploads in order of key and id, after a key (and, within it, an id), and whether more follow.
    pub(super) async fn uploads(
        &self,
        bucket: &str,
        prefix: &str,
        after: (String, String),
        max: Option<i32>,
    ) -> Result<(Vec<Upload>, bool, i32)> {
        self.check_bucket(bucket).await?;
        let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
        let limit = max.unwrap_or(MAX_PAGE).clamp(0, MAX_PAGE);
        let mut uploads = self
            .db
            .call(move |db| {
                // An id marker counts only beside a key marker.
                let within = if after.1.is_empty() { "\u{10FFFF}".to_owned() } else { after.1 };
                db.prepare(&format!(
                    "SELECT {UPLOAD_COLUMNS} FROM uploads WHERE bucket = ?1 AND substr(key, 1, length(?2)) = ?2
                       AND (?3 = '' OR (key, id) > (?3, ?4)) ORDER BY key, id LIMIT ?5"
                ))?
                .query_map(params![bucket, prefix, after.0, within, limit + 1], read_upload)?
                .collect::<rusqlite::Result<Vec<_>>>()
            })
            .await
            .map_err(internal)?;
        let truncated = uploads.len() > limit as usize;
        uploads.truncate(limit as usize);
        Ok((uploads, truncated, limit))
    }

    pub(super) async fn abort(&self, bucket: &str, key: &str, id: &str) -> Result<()> {
        let (bucket, key, id) = (bucket.to_owned(), key.to_owned(), id.to_owned());
        let parts = self
            .db
            .call(move |db| {
                find(db, &bucket, &key, &id)?;
                let parts = parts_of(db, &id)?;
                db.execute("DELETE FROM uploads WHERE id = ?1", [&id])?;
                Ok::<_, Fault>(parts)
            })
            .await?;
        for part in parts {
            self.blobs.remove(&part.blob).await;
        }
        Ok(())
    }

    /// Makes the object; answers its ETag and its checksum.
    pub(super) async fn complete(&self, bucket: &str, upload: Upload, wanted: Completion) -> Result<(String, Stored)> {
        let id = upload.id.clone();
        let held = self.db.call(move |db| parts_of(db, &id)).await.map_err(internal)?;
        let chosen = choose(&held, &wanted.parts, &upload)?;
        let size: i64 = chosen.iter().map(|part| part.size).sum();
        if wanted.object_size.is_some_and(|expected| expected != size) {
            return Err(s3_error!(
                InvalidRequest,
                "The provided 'x-amz-mp-object-size' header value does not match what was computed: {size}"
            ));
        }
        let checksum = whole(&chosen, &upload)?;
        for (algorithm, value) in &wanted.checksums {
            if *algorithm != upload.algorithm {
                return Err(wrong_type(upload.algorithm, *algorithm));
            }
            if *value != checksum.value {
                return Err(s3_error!(
                    BadDigest,
                    "The {} you specified did not match the calculated checksum.",
                    algorithm.name().to_ascii_lowercase()
                ));
            }
        }
        let mut md5 = Md5::new();
        for part in &chosen {
            md5.update(hex::decode(&part.etag).map_err(internal)?);
        }
        let etag = format!("{}-{}", hex::encode(md5.finalize()), chosen.len());
        let blob = self.blobs.join(chosen.iter().map(|part| part.blob.clone()).collect()).await.map_err(internal)?;
        let new = NewObject {
            bucket: bucket.to_owned(),
            key: upload.key,
            size,
            etag: etag.clone(),
            content: upload.content,
            tags: upload.tags,
            checksum: checksum.clone(),
            parts: chosen
                .iter()
                .map(|part| StoredPart { number: part.number, size: part.size, checksum: part.checksum.clone() })
                .collect(),
            blob: blob.clone(),
            must_be_new: wanted.must_be_new,
        };
        let id = upload.id;
        let committed = self
            .db
            .call(move |db| {
                let transaction = db.transaction()?;
                // A second Complete of the same upload must not make the object twice.
                if transaction.execute("DELETE FROM uploads WHERE id = ?1", [&id])? == 0 {
                    return Err(no_such_upload().into());
                }
                let replaced = object::insert(&transaction, &new)?;
                transaction.commit()?;
                Ok::<_, Fault>(replaced)
            })
            .await;
        match committed {
            Ok(replaced) => {
                for gone in held.into_iter().map(|part| part.blob).chain(replaced) {
                    self.blobs.remove(&gone).await;
                }
                self.events.notify_one();
                Ok((etag, checksum))
            }
            Err(fault) => {
                self.blobs.remove(&blob).await;
                Err(fault.into())
            }
        }
    }
}

/// The parts that the client names, checked against those that arrived.
fn choose(held: &[Part], named: &[CompletedPart], upload: &Upload) -> Result<Vec<Part>> {
    if named.is_empty() {
        return Err(s3_error!(MalformedXML, "You must specify at least one part"));
    }
    let invalid = || {
        s3_error!(
            InvalidPart,
            "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."
        )
    };
    let mut chosen: Vec<Part> = Vec::with_capacity(named.len());
    for (index, wanted) in named.iter().enumerate() {
        let number = wanted.part_number.unwrap_or_default();
        if chosen.last().is_some_and(|before| number <= before.number) {
            return Err(s3_error!(
                InvalidPartOrder,
                "The list of parts was not in ascending order. The parts list must be specified in order by part number."
            ));
        }
        let part = held.iter().find(|part| part.number == number).ok_or_else(invalid)?;
        let tag_agrees = wanted.e_tag.as_ref().is_some_and(|tag| tag.value() == part.etag);
        let checksums_agree =
            claimed_checksums!(wanted).iter().all(|(kind, value)| *kind == upload.algorithm && *value == part.checksum);
        if !tag_agrees || !checksums_agree {
            return Err(invalid());
        }
        if part.size < MIN_PART && index + 1 < named.len() {
            return Err(s3_error!(EntityTooSmall, "Your proposed upload is smaller than the minimum allowed size"));
        }
        chosen.push(part.clone());
    }
    Ok(chosen)
}

fn whole(parts: &[Part], upload: &Upload) -> Result<Stored> {
    let sums: Vec<_> = parts.iter().map(|part| (part.checksum.clone(), part.size)).collect();
    let value =
        if upload.full_object { upload.algorithm.full_object(&sums) } else { upload.algorithm.composite(&sums) };
    let value = value.filter(|value| BASE64.decode(value.split('-').next().unwrap_or("")).is_ok());
    Ok(Stored {
        algorithm: upload.algorithm,
        value: value.ok_or_else(|| s3_error!(InternalError, "a part has no checksum"))?,
        full_object: upload.full_object,
    })
}
