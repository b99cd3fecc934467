//! The copy: written by `sync`, read by lists.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::catalog::terms;
use crate::clock::now_ms;
use crate::encode::{Job, State};
use crate::store::Store;
use crate::{Error, Result};

const SCHEMA: &str = include_str!("schema.sql");
/// MediaConvert keeps jobs for three months; so does the copy.
const KEPT_MS: i64 = 92 * 24 * 60 * 60 * 1000;
/// Places of one millisecond.
const PLACES_A_MS: i64 = 16;
/// What every job is found by.
const ANY: &str = "¤any";
const STATES: [State; 5] = [State::Submitted, State::Progressing, State::Complete, State::Canceled, State::Error];

/// What is looked for; all of it is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct JobQuery {
    /// Beginnings of words of the source, the id, the template, the queue or the error, in any order; empty for all.
    pub text: String,
    /// One of these; empty for all.
    pub states: Vec<State>,
    /// The queue's name.
    pub queue: Option<String>,
    /// Submitted at this time or later, in milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub from: Option<i64>,
    /// Submitted before this time, in milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub until: Option<i64>,
}

/// Some of what was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FoundJobs {
    /// The newest first.
    pub jobs: Vec<Job>,
    /// The titles of their videos, by guid, as far as this computer knows them.
    pub titles: BTreeMap<String, String>,
}

/// How many there are in a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct JobStateCount {
    /// Which.
    pub state: State,
    /// How many the query would find with this state instead of its own.
    pub count: usize,
}

/// How many jobs a query finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct JobCounts {
    /// That it finds.
    pub found: usize,
    /// That this computer knows.
    pub total: usize,
    /// All states.
    pub states: Vec<JobStateCount>,
    /// The queues that jobs were in.
    pub queues: Vec<String>,
    /// When MediaConvert was last asked, in milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub read_at: Option<i64>,
    /// Whether all that MediaConvert keeps was read once.
    pub is_whole: bool,
}

/// How much of what MediaConvert keeps was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Past {
    /// Nothing.
    #[default]
    Unread,
    /// What is newer than this place in its list.
    From(String),
    /// All of it.
    Whole,
}

/// The copy of the jobs of one workspace; cheap to clone.
#[derive(Clone)]
pub struct JobMirror {
    writer: Store,
    /// A connection of its own: a search waits for no write.
    reader: Store,
}

impl JobMirror {
    /// Opens it, or makes it anew where it cannot be used, or where it is a copy of another account. `of` says of which.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub async fn open(path: &Path, of: &str) -> Result<Self> {
        let path = path.to_owned();
        let open = move || -> Result<_> { Ok((Store::open_copy(&path, SCHEMA)?, Store::open_copy(&path, SCHEMA)?)) };
        let (writer, reader) = tokio::task::spawn_blocking(open).await.map_err(Error::internal)??;
        let of = of.to_owned();
        let begun = writer.call(move |db| {
            let transaction = db.transaction()?;
            if state(&transaction, "of")?.is_some_and(|before| before != of) {
                transaction.execute_batch(
                    "DELETE FROM jobs; DELETE FROM names; DELETE FROM state; INSERT INTO terms (terms) VALUES ('delete-all');",
                )?;
            }
            set_state(&transaction, "of", &of)?;
            let oldest = (now_ms() - KEPT_MS).saturating_mul(PLACES_A_MS).saturating_neg();
            transaction.execute("DELETE FROM terms WHERE rowid IN (SELECT place FROM jobs WHERE place > ?1)", [oldest])?;
            transaction.execute("DELETE FROM jobs WHERE place > ?1", [oldest])?;
            Ok(transaction.commit()?)
        });
        begun.await?;
        Ok(Self { writer, reader })
    }

    /// Takes jobs as MediaConvert told of them at a time; answers how many are new or changed. A state never goes back: an answer
    /// may be late.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn put(&self, jobs: Vec<Job>, seen_at: i64) -> Result<usize> {
        self.writer
            .call(move |db| {
                let transaction = db.transaction()?;
                let mut changed = 0;
                for job in jobs {
                    changed += usize::from(put(&transaction, &job, seen_at)?);
                }
                set_state(&transaction, "read_at", &seen_at.to_string())?;
                transaction.commit()?;
                Ok(changed)
            })
            .await
    }

    /// Takes that these are not kept by MediaConvert any more: nobody asks for them again.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn forget(&self, id: String) -> Result<()> {
        self.writer
            .call(move |db| {
                let transaction = db.transaction()?;
                let place = "DELETE FROM jobs WHERE id = ?1 RETURNING place";
                let place: Option<i64> = transaction.query_row(place, [id], |row| row.get(0)).optional()?;
                transaction.execute("DELETE FROM terms WHERE rowid = ?1", [place])?;
                Ok(transaction.commit()?)
            })
            .await
    }

    /// Takes that MediaConvert was asked for one and told nothing of it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn set_asked(&self, id: String, at: i64) -> Result<()> {
        self.writer
            .call(move |db| Ok(db.execute("UPDATE jobs SET seen_at = ?2 WHERE id = ?1", params![id, at]).map(drop)?))
            .await
    }

    /// Takes how much of the past was read.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) async fn set_past(&self, past: Past) -> Result<()> {
        let text = serde_json::to_string(&past).map_err(Error::internal)?;
        self.writer.call(move |db| set_state(db, "past", &text)).await
    }

    /// How much of the past was read.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) async fn past(&self) -> Result<Past> {
        self.reader.call(|db| past(db)).await
    }

    /// Whether all that MediaConvert keeps was read.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn is_whole(&self) -> Result<bool> {
        Ok(self.past().await? == Past::Whole)
    }

    /// Takes when the newest was submitted before which all are known, or will be once the past is read; in milliseconds since the
    /// epoch.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) async fn set_newest_at(&self, at: i64) -> Result<()> {
        self.writer.call(move |db| set_state(db, "newest_at", &at.to_string())).await
    }

    /// When that was; none where nothing was read.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) async fn newest_at(&self) -> Result<Option<i64>> {
        self.reader.call(|db| Ok(state(db, "newest_at")?.and_then(|at| at.parse().ok()))).await
    }

    /// Those of these ids that are known.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) async fn known(&self, ids: Vec<String>) -> Result<BTreeSet<String>> {
        self.reader
            .call(move |db| {
                let mut known = BTreeSet::new();
                for id in ids {
                    if db.prepare_cached("SELECT 1 FROM jobs WHERE id = ?1")?.exists([&id])? {
                        known.insert(id);
                    }
                }
                Ok(known)
            })
            .await
    }

    /// The open ones that MediaConvert did not tell of since a time, the longest unseen first: their ids, up to so many.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn unseen_since(&self, time: i64, most: u32) -> Result<Vec<String>> {
        self.reader
            .call(move |db| {
                let open = "SELECT id FROM jobs WHERE state IN (0, 1) AND seen_at < ?1 ORDER BY seen_at LIMIT ?2";
                let mut statement = db.prepare_cached(open)?;
                let ids = statement.query_map(params![time, most], |row| row.get(0))?;
                Ok(ids.collect::<rusqlite::Result<_>>()?)
            })
            .await
    }

    /// One of them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn job(&self, id: &str) -> Result<Option<Job>> {
        let id = id.to_owned();
        self.reader
            .call(move |db| {
                let job = "SELECT job FROM jobs WHERE id = ?1";
                let job: Option<String> = db.query_row(job, [id], |row| row.get(0)).optional()?;
                job.as_deref().map(read).transpose()
            })
            .await
    }

    /// Those that a query finds, from one on, the newest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn find(&self, query: JobQuery, first: usize, most: usize) -> Result<FoundJobs> {
        self.reader
            .call(move |db| {
                let Some(sought) = expression(db, &query, true)? else { return Ok(FoundJobs::default()) };
                let (from, until) = places(&query);
                let [limit, offset] = [most, first].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
                let found = "SELECT job FROM (SELECT rowid FROM terms WHERE terms MATCH ?1 AND rowid BETWEEN ?2 AND ?3
                               ORDER BY rowid LIMIT ?4 OFFSET ?5) AS found JOIN jobs ON place = found.rowid ORDER BY place";
                let mut statement = db.prepare_cached(found)?;
                let jobs =
                    statement.query_map(params![sought, from, until, limit, offset], |row| row.get::<_, String>(0))?;
                let jobs = jobs.collect::<rusqlite::Result<Vec<_>>>()?;
                // One that cannot be read hides no other.
                let jobs = jobs.iter().filter_map(|job| read(job).inspect_err(|error| tracing::warn!(%error, "a job")).ok());
                Ok(FoundJobs { jobs: jobs.collect(), titles: BTreeMap::new() })
            })
            .await
    }

    /// How many a query finds.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn count(&self, query: JobQuery) -> Result<JobCounts> {
        self.reader
            .call(move |db| {
                let all = expression(db, &query, false)?;
                let count = |state: Option<State>| -> Result<usize> {
                    let Some(all) = &all else { return Ok(0) };
                    let (from, until) = places(&query);
                    let sought = state.map_or(all.clone(), |state| format!("{all} AND \"{}\"", term_of(state)));
                    let count = "SELECT count(*) FROM terms WHERE terms MATCH ?1 AND rowid BETWEEN ?2 AND ?3";
                    let count: i64 =
                        db.prepare_cached(count)?.query_row(params![sought, from, until], |row| row.get(0))?;
                    Ok(usize::try_from(count).unwrap_or(0))
                };
                let states =
                    STATES.iter().map(|state| Ok(JobStateCount { state: *state, count: count(Some(*state))? }));
                let states = states.collect::<Result<Vec<_>>>()?;
                let is_chosen = |count: &&JobStateCount| query.states.is_empty() || query.states.contains(&count.state);
                let total: i64 = db.query_row("SELECT count(*) FROM jobs", [], |row| row.get(0))?;
                let mut queues = db.prepare_cached("SELECT name FROM names ORDER BY name")?;
                let queues = queues.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
                Ok(JobCounts {
                    found: states.iter().filter(is_chosen).map(|count| count.count).sum(),
                    total: usize::try_from(total).unwrap_or(0),
                    states,
                    queues,
                    read_at: state(db, "read_at")?.and_then(|at| at.parse().ok()),
                    is_whole: past(db)? == Past::Whole,
                })
            })
            .await
    }
}

fn read(job: &str) -> Result<Job> {
    Ok(serde_json::from_str::<Job>(job).map_err(Error::internal)?.explained())
}

fn state(db: &Connection, name: &str) -> Result<Option<String>> {
    let state = "SELECT value FROM state WHERE name = ?1";
    Ok(db.prepare_cached(state)?.query_row([name], |row| row.get(0)).optional()?)
}

fn past(db: &Connection) -> Result<Past> {
    Ok(state(db, "past")?.and_then(|past| serde_json::from_str(&past).ok()).unwrap_or_default())
}

fn set_state(db: &Connection, name: &str, value: &str) -> Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO state VALUES (?1, ?2)")?.execute([name, value])?;
    Ok(())
}

fn number_of(state: State) -> usize {
    STATES.iter().position(|one| *one == state).unwrap_or_default()
}

fn term_of(state: State) -> String {
    format!("¤s{}", number_of(state))
}

/// What a row has to have, in the words of FTS5; none where nothing can have it.
fn expression(db: &Connection, query: &JobQuery, with_states: bool) -> Result<Option<String>> {
    let mut all = terms::sought(&query.text);
    if all.is_empty() && !query.text.trim().is_empty() {
        return Ok(None);
    }
    if with_states && !query.states.is_empty() {
        let any: Vec<_> = query.states.iter().map(|state| format!("\"{}\"", term_of(*state))).collect();
        all.push(format!("({})", any.join(" OR ")));
    }
    if let Some(queue) = &query.queue {
        let id = "SELECT id FROM names WHERE name = ?1";
        let id: Option<i64> = db.prepare_cached(id)?.query_row([queue], |row| row.get(0)).optional()?;
        let Some(id) = id else { return Ok(None) };
        all.push(format!("\"¤q{id:x}\""));
    }
    if all.is_empty() {
        all.push(format!("\"{ANY}\""));
    }
    Ok(Some(all.join(" AND ")))
}

/// The first and the last place that a row may have.
fn places(query: &JobQuery) -> (i64, i64) {
    let place = |ms: i64| ms.saturating_mul(PLACES_A_MS);
    let first = query.until.map_or(i64::MIN, |until| place(until).saturating_neg().saturating_add(1));
    (first, query.from.map_or(i64::MAX, |from| place(from).saturating_neg()))
}

fn put(db: &Connection, job: &Job, seen_at: i64) -> Result<bool> {
    let known = "SELECT place, state, job FROM jobs WHERE id = ?1";
    let known: Option<(i64, usize, String)> =
        db.prepare_cached(known)?.query_row([&job.id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let text = serde_json::to_string(job).map_err(Error::internal)?;
    if let Some((place, state, before)) = &known {
        // A state never goes back: an answer that says so is late.
        if *before == text || job.is_open() && number_of(job.state) < *state {
            db.prepare_cached("UPDATE jobs SET seen_at = max(seen_at, ?2) WHERE place = ?1")?
                .execute([*place, seen_at])?;
            return Ok(false);
        }
        db.prepare_cached("DELETE FROM terms WHERE rowid = ?1")?.execute([place])?;
        db.prepare_cached("DELETE FROM jobs WHERE place = ?1")?.execute([place])?;
    }
    let place = match known {
        Some((place, ..)) => place,
        None => free_place(db, job)?,
    };
    let mut words = BTreeSet::from([ANY.to_owned(), term_of(job.state)]);
    let guid = job.guid.as_ref().map(|guid| guid.as_str());
    let texts = [Some(job.id.as_str()), guid, job.input.as_deref(), job.template.as_deref(), job.queue.as_deref()];
    for text in texts.into_iter().flatten().chain(job.error_message.as_deref()) {
        terms::add(text, &mut words);
    }
    if let Some(code) = job.error_code {
        terms::add(&code.to_string(), &mut words);
    }
    if let Some(queue) = &job.queue {
        let id = "INSERT INTO names (name) VALUES (?1) ON CONFLICT DO UPDATE SET name = name RETURNING id";
        let id: i64 = db.prepare_cached(id)?.query_row([queue], |row| row.get(0))?;
        words.insert(format!("¤q{id:x}"));
    }
    let words = words.into_iter().collect::<Vec<_>>().join(" ");
    db.prepare_cached("INSERT INTO terms (rowid, words) VALUES (?1, ?2)")?.execute(params![place, words])?;
    let insert = "INSERT INTO jobs (place, id, state, seen_at, job) VALUES (?1, ?2, ?3, ?4, ?5)";
    db.prepare_cached(insert)?.execute(params![place, job.id, number_of(job.state), seen_at, text])?;
    Ok(true)
}

/// A free place at the time of a job's submission; where others were submitted in the same millisecond, one beside it.
fn free_place(db: &Connection, job: &Job) -> Result<i64> {
    let mut place = job.submitted_at.unwrap_or(0).saturating_mul(PLACES_A_MS).saturating_neg();
    while db.prepare_cached("SELECT 1 FROM jobs WHERE place = ?1")?.exists([place])? {
        place -= 1;
    }
    Ok(place)
}
