//! What this computer knows of a table: a copy in a file of its own, to search, filter and sort in, with its age. DynamoDB
//! searches by nothing, and sorts one bucket's items by their start. Here it is written; `search` reads it.

mod facets;
mod nearest;
mod orders;
mod others;
mod row;
mod search;
pub(crate) mod terms;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use self::facets::{Bits, Changes};
use self::orders::Orders;
pub use self::search::{FacetCount, FoundVideos, VideoCounts, VideoQuery, VideoSort};
use super::summary::{Facet, StatusKind, VideoSummary};
use super::{Guid, Status};
use crate::store::{Store, remove_copy};
use crate::{Code, Error, Result};

const SCHEMA: &str = include_str!("mirror/schema.sql");

/// Letters of a description and of an error that are kept; the item has all of them.
pub(super) const MOST_LETTERS: usize = 500;
/// Places for the videos that began in one second.
const PLACES_A_SECOND: i64 = 256;
/// Places for those of which nobody knows when they began: before all others.
const PLACES_WITHOUT_A_TIME: i64 = 1 << 36;
/// Memory for the pages that are written, and for those that are read, as SQLite takes it: KiB below zero.
const WRITING_KIB: i64 = -48 * 1024;
const READING_KIB: i64 = -16 * 1024;
/// A read that is eventually consistent may be so late, or on its way so long.
const LATE: Duration = Duration::from_secs(20);
/// What every video is found by.
const ANY: &str = "¤any";

/// The copy of one table; cheap to clone.
#[derive(Clone)]
pub struct Mirror {
    writer: Store,
    /// A connection of its own: a search waits for no write.
    reader: Store,
    /// Another one: what is counted holds up no row.
    counter: Store,
    /// And another: what takes a second holds up neither.
    sorter: Store,
    /// It is there where the file was found to be damaged: the next start makes it anew.
    mark: PathBuf,
    bits: Bits,
    orders: Orders,
    /// What was changed from here just now, with its revision: reads that are eventually consistent may not know of it yet.
    changed: Arc<Mutex<HashMap<Guid, (i64, Instant)>>>,
    source_bucket: String,
}

impl Mirror {
    /// Opens it, or makes it anew where it cannot be used, or where it is a copy of another table. `table` says which one it
    /// is of: its name alone does not.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub async fn open(path: &Path, table: &str, source_bucket: &str) -> Result<Self> {
        let (path, mark) = (path.to_owned(), path.with_extension("damaged"));
        let found = mark.clone();
        let open = move || -> Result<_> {
            if found.exists() {
                tracing::warn!(path = %path.display(), "a damaged mirror is made anew");
                remove_copy(&path);
                std::fs::remove_file(&found).ok();
            }
            let open = || Store::open_copy(&path, SCHEMA);
            Ok((open()?, open()?, open()?, open()?))
        };
        let (writer, reader, counter, sorter) = tokio::task::spawn_blocking(open).await.map_err(Error::internal)??;
        // Facets say which buckets are others.
        let of = format!("{table} {source_bucket}");
        let begun = writer.call(move |db| {
            // A row goes to a place in each of the indexes: where their pages are not in memory, each is read and written.
            db.pragma_update(None, "cache_size", WRITING_KIB)?;
            let before = "SELECT value FROM state WHERE name = 'of'";
            let before: Option<String> = db.query_row(before, [], |row| row.get(0)).optional()?;
            let transaction = db.transaction()?;
            if before.as_ref().is_some_and(|before| *before != of) {
                empty(&transaction)?;
            }
            facets::begin(&transaction)?;
            transaction.execute("INSERT OR REPLACE INTO state VALUES ('of', ?1)", [of])?;
            Ok(transaction.commit()?)
        });
        begun.await?;
        for store in [&reader, &counter] {
            store.call(|db| Ok(db.pragma_update(None, "cache_size", READING_KIB)?)).await?;
        }
        let (bits, orders, changed) = (Bits::default(), Orders::default(), Arc::default());
        let source_bucket = source_bucket.to_owned();
        Ok(Self { writer, reader, counter, sorter, mark, bits, orders, changed, source_bucket })
    }

    /// Reads the orders beside all else, where they are not known.
    fn read_orders(&self) {
        if !self.orders.begin() {
            return;
        }
        let (orders, sorter) = (self.orders.clone(), self.sorter.clone());
        tokio::spawn(async move {
            if let Err(error) = sorter.call(move |db| orders.read(db)).await {
                tracing::warn!(%error, "the orders of the mirror cannot be read");
            }
        });
    }

    /// Takes videos as they were read, with what is to be known of the reading itself; answers how many were new or changed.
    /// `sweep` is the reading of the whole table during which they were seen.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn put(&self, videos: Vec<VideoSummary>, sweep: i64, states: Vec<(String, String)>) -> Result<usize> {
        let source_bucket = self.source_bucket.clone();
        let bucket = source_bucket.clone();
        let mut videos = videos;
        videos.retain(|video| !self.is_late(video));
        let prepare =
            move || -> Result<Vec<_>> { videos.into_iter().map(|video| Prepared::of(video, &bucket)).collect() };
        let videos = tokio::task::spawn_blocking(prepare).await.map_err(Error::internal)??;
        self.change(move |db, changes| {
            let mut changed = 0;
            for video in videos {
                changed += usize::from(put(db, video, &source_bucket, sweep, changes)?);
            }
            // Another process may have begun another reading meanwhile: what is told of this one is not of that one.
            let now: Option<String> =
                db.query_row("SELECT value FROM state WHERE name = 'sweep'", [], |row| row.get(0)).optional()?;
            let is_now = now.and_then(|now| now.parse().ok()).unwrap_or(1) == sweep;
            for (name, value) in states.into_iter().filter(|_| is_now) {
                db.execute("INSERT OR REPLACE INTO state VALUES (?1, ?2)", [name, value])?;
            }
            Ok(changed)
        })
        .await
    }

    /// Takes a video as a consistent read, or a write, has it: reads that began before tell nothing of it for a while.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn put_now(&self, videos: Vec<VideoSummary>, sweep: i64) -> Result<usize> {
        {
            let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
            changed.retain(|_, (_, at)| at.elapsed() < LATE);
            changed.extend(videos.iter().map(|video| (video.guid.clone(), (video.revision, Instant::now()))));
        }
        self.put(videos, sweep, Vec::new()).await
    }

    /// Whether this is older than what was changed from here just now.
    fn is_late(&self, video: &VideoSummary) -> bool {
        let changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = changed.get(&video.guid).filter(|(_, at)| at.elapsed() < LATE);
        newer.is_some_and(|(revision, _)| video.revision < *revision)
    }

    /// Lets go of videos that are in the table no longer.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn remove(&self, guids: Vec<Guid>) -> Result<()> {
        self.change(move |db, changes| guids.iter().try_for_each(|guid| remove(db, guid, changes))).await
    }

    /// Changes it in one transaction.
    async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &mut Changes) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (bits, orders) = (self.bits.clone(), self.orders.clone());
        let done = self
            .writer
            .call(move |db| {
                let transaction = db.transaction()?;
                let mut changes = Changes::default();
                let done = work(&transaction, &mut changes)?;
                let (revision, places) = changes.write(&transaction)?;
                transaction.commit()?;
                orders.take(revision, &places);
                bits.take(revision, places);
                Ok(done)
            })
            .await;
        self.unless_damaged(done)
    }

    /// Leaves a mark where the file is damaged, and says so.
    fn unless_damaged<T>(&self, done: Result<T>) -> Result<T> {
        let is_damaged =
            |error: &Error| error.details.contains("malformed") || error.details.contains("not a database");
        let error = match done {
            Err(error) if is_damaged(&error) => error,
            done => return done,
        };
        std::fs::write(&self.mark, "").ok();
        let what = "This computer's mirror of the catalog is damaged.";
        Err(Error::new(Code::FileUnreadable, what, "Start Reeldesk again: it is made anew.")
            .with_details(error.details))
    }

    /// The videos that were not seen since this reading of the whole table began, up to so many.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn unseen(&self, sweep: i64, most: u32) -> Result<Vec<Guid>> {
        self.guids("SELECT guid FROM places JOIN videos USING (number) WHERE sweep < ?1 LIMIT ?2", sweep, most).await
    }

    /// The videos that the pipeline has not finished, the newest first, up to so many.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn open_ones(&self, most: u32) -> Result<Vec<Guid>> {
        let open = "SELECT guid FROM videos WHERE status IN (0, 1) AND place > ?1 ORDER BY place DESC LIMIT ?2";
        self.guids(open, 0, most).await
    }

    async fn guids(&self, statement: &'static str, first: i64, most: u32) -> Result<Vec<Guid>> {
        self.writer
            .call(move |db| {
                let mut statement = db.prepare_cached(statement)?;
                let guids = statement.query_map(params![first, most], |row| row.get::<_, String>(0))?;
                Ok(guids.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().filter_map(Guid::new).collect())
            })
            .await
    }

    /// The videos of these keys that it knows, in this order.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn by_keys(&self, guids: Vec<Guid>) -> Result<Vec<VideoSummary>> {
        let read = self.reader.call(move |db| {
            let db = db.transaction_with_behavior(TransactionBehavior::Deferred)?;
            guids.iter().filter_map(|guid| row::of(&db, guid).transpose()).collect()
        });
        self.unless_damaged(read.await)
    }

    /// How many there are.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn count_all(&self) -> Result<usize> {
        let count = |db: &mut Connection| Ok(db.query_row("SELECT count(*) FROM videos", [], |row| row.get(0))?);
        self.reader.call(count).await.map(|count: i64| usize::try_from(count).unwrap_or(0))
    }

    /// What is known of its readings.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn states(&self) -> Result<BTreeMap<String, String>> {
        self.reader
            .call(|db| {
                let mut statement = db.prepare_cached("SELECT name, value FROM state")?;
                let states = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, Value>(1)?)))?;
                let text = |(name, value)| match value {
                    Value::Text(text) => Some((name, text)),
                    _ => None,
                };
                let states = states.collect::<rusqlite::Result<Vec<_>>>()?;
                Ok(states.into_iter().filter_map(text).collect())
            })
            .await
    }
}

/// A video as it is written: what takes time is done before the file is waited for.
struct Prepared {
    video: VideoSummary,
    facets: Vec<Facet>,
    words: BTreeSet<String>,
    /// Tells whether something has changed.
    digest: i64,
}

impl Prepared {
    fn of(mut video: VideoSummary, source_bucket: &str) -> Result<Self> {
        let cut = |text: &str| text.chars().take(MOST_LETTERS).collect::<String>();
        video.details.description = video.details.description.as_deref().map(cut);
        if let Status::Error { message, .. } = &mut video.status {
            *message = cut(message);
        }
        let mut words = BTreeSet::from([ANY.to_owned()]);
        terms::add(&video.title, &mut words);
        terms::add_guid(video.guid.as_str(), &mut words);
        // In the key the guid is found already.
        let key = video.src_video.as_deref().map(|key| key.replace(video.guid.as_str(), " "));
        for text in [&video.details.description, &key].into_iter().flatten() {
            terms::add(text, &mut words);
        }
        for (name, value) in &video.details.tags {
            terms::add(name, &mut words);
            terms::add(value, &mut words);
        }
        let mut hasher = DefaultHasher::new();
        (serde_json::to_string(&video).map_err(Error::internal)?, source_bucket).hash(&mut hasher);
        Ok(Self { facets: Facet::of(&video, source_bucket), words, digest: hasher.finish().cast_signed(), video })
    }
}

fn put(db: &Connection, prepared: Prepared, source_bucket: &str, sweep: i64, changes: &mut Changes) -> Result<bool> {
    if prepared.video.status == Status::Encoding && was_canceled(db, &prepared.video)? {
        // The item never says so: what is known of its job stays true.
        let video = VideoSummary { status: Status::Canceled, ..prepared.video };
        return put(db, Prepared::of(video, source_bucket)?, source_bucket, sweep, changes);
    }
    let Prepared { video, facets, words, digest } = prepared;
    let known = "SELECT number, place, started_at, facets, digest FROM videos WHERE guid = ?1";
    let known: Option<(i64, i64, Option<i64>, String, i64)> = db
        .prepare_cached(known)?
        .query_row([video.guid.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
        .optional()?;
    if let Some((_, place, .., before)) = known
        && before == digest
    {
        db.prepare_cached("UPDATE places SET sweep = max(sweep, ?2) WHERE place = ?1")?.execute([place, sweep])?;
        return Ok(false);
    }
    let number = known.as_ref().map(|(number, ..)| *number);
    let is_trashed = video.details.trashed_at.is_some();
    let place = match known {
        Some((_, place, started_at, before, _)) => {
            leave(db, place, &before, changes)?;
            let stays = started_at == video.started_at && is_trash(place) == is_trashed;
            if stays { place } else { free_place(db, video.started_at, is_trashed)? }
        }
        None => free_place(db, video.started_at, is_trashed)?,
    };
    let (ids, bits) = changes.add(db, place, facets, words)?;
    let ids = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(" ");
    let number = row::write(db, number, place, &video, &ids, digest)?;
    db.prepare_cached("INSERT INTO places VALUES (?1, ?2, ?3, ?4)")?.execute([
        place,
        number,
        bits.cast_signed(),
        sweep,
    ])?;
    Ok(true)
}

/// Whether the job of a video was found to be canceled before.
fn was_canceled(db: &Connection, video: &VideoSummary) -> Result<bool> {
    let canceled = "SELECT 1 FROM videos WHERE guid = ?1 AND status = ?2 AND job_id IS ?3";
    let status = StatusKind::Canceled as u8;
    Ok(db.prepare_cached(canceled)?.exists(params![video.guid.as_str(), status, video.job_id])?)
}

/// A free place in the order of the starts: the index of the terms gives them in this order, so that the newest that are
/// found come first without being sorted. Where a place is taken, one before it is. What is in the trash has its places below
/// zero: no list meets it there.
fn free_place(db: &Connection, started_at: Option<i64>, is_trashed: bool) -> Result<i64> {
    const TRIES: u32 = 8;
    let last = started_at.map_or(PLACES_WITHOUT_A_TIME, |ms| {
        let (second, rest) = ((ms / 1000).clamp(1 << 28, 1 << 40), ms.rem_euclid(1000));
        second * PLACES_A_SECOND + rest * PLACES_A_SECOND / 1000
    });
    // Never later than it began: what is looked for until a time would miss it.
    let mut before = started_at.map_or(PLACES_WITHOUT_A_TIME, |_| 1);
    loop {
        for _ in 0..TRIES {
            let place = last - fastrand::i64(0..before);
            let place = if is_trashed { -place } else { place };
            if !db.prepare_cached("SELECT 1 FROM places WHERE place = ?1")?.exists([place])? {
                return Ok(place);
            }
        }
        before = before.saturating_mul(8);
    }
}

/// Whether a place is one of the trash.
fn is_trash(place: i64) -> bool {
    place < 0
}

fn remove(db: &Connection, guid: &Guid, changes: &mut Changes) -> Result<()> {
    let known = "DELETE FROM videos WHERE guid = ?1 RETURNING place, facets";
    let known: Option<(i64, String)> =
        db.prepare_cached(known)?.query_row([guid.as_str()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    known.map_or(Ok(()), |(place, facets)| leave(db, place, &facets, changes))
}

/// Leaves a place.
fn leave(db: &Connection, place: i64, facets: &str, changes: &mut Changes) -> Result<()> {
    db.prepare_cached("DELETE FROM places WHERE place = ?1")?.execute([place])?;
    changes.remove(place, facets.split(' ').filter_map(|id| id.parse().ok()));
    Ok(())
}

/// Without any of it.
fn empty(db: &Connection) -> Result<()> {
    Ok(db.execute_batch(
        "DELETE FROM videos; DELETE FROM places; DELETE FROM facets; DELETE FROM names;
         DELETE FROM state WHERE name <> 'revision'; UPDATE state SET value = value + 1;
         INSERT INTO terms (terms) VALUES ('delete-all');",
    )?)
}
