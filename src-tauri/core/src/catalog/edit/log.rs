//! What was changed here, by whom and when: a run, and a line for each of its videos. A line is there before its video is
//! written: after a kill the run goes on with those that are left.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::patch::VideoPatch;
use super::run::EditOutcome;
use crate::catalog::Guid;
use crate::catalog::details::FieldChange;
use crate::catalog::purge::{PurgeKind, Purged};
use crate::catalog::write::Author;
use crate::clock::now_ms;
use crate::store::{Store, WorkspaceStore};
use crate::{Error, Result};

/// So long a change can be undone, in milliseconds.
const UNDONE_WITHIN_MS: i64 = 24 * 3_600_000;

/// Where a line stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LineState {
    /// Its turn has not come.
    Waiting = 0,
    /// It is being written: after a kill it may be, or not.
    Writing = 1,
    /// It was changed.
    Done = 2,
    /// It was so already.
    Unchanged = 3,
    /// Someone else changed it since it was read.
    Aside = 4,
    /// It could not be changed.
    Failed = 5,
    /// It was changed, and changed back.
    Undone = 6,
    /// Its turn does not come any more: someone gave it up.
    GivenUp = 7,
}

/// How the lines of a run stand.
pub(super) struct Counts {
    pub of: usize,
    /// Changed, also what was changed back since.
    pub done: usize,
    pub unchanged: usize,
    /// Set aside.
    pub aside: usize,
    /// What could not be changed.
    pub failed: usize,
    /// Those of them that may go well at another try.
    pub retriable: usize,
    pub left: usize,
    pub can_be_undone: bool,
}

fn counts(db: &Connection, run: &str) -> Result<Counts> {
    let counts = "SELECT count(*), coalesce(sum(state IN (2, 6)), 0), coalesce(sum(state = 3), 0),
                    coalesce(sum(state = 4), 0), coalesce(sum(state = 5), 0),
                    coalesce(sum(state = 5 OR state = 4 AND coalesce(edit_lines.work, edit_runs.work) LIKE '{\"patch\"%'), 0),
                    coalesce(sum(state IN (0, 1)), 0),
                    coalesce(sum(state = 2 AND changes IS NOT NULL AND edit_runs.at > ?2), 0)
                  FROM edit_lines JOIN edit_runs USING (run) WHERE run = ?1";
    let counts = db.prepare_cached(counts)?.query_row(params![run, now_ms() - UNDONE_WITHIN_MS], |row| {
        let count = |index| row.get::<_, u32>(index).map(|count| count as usize);
        Ok(Counts {
            of: count(0)?,
            done: count(1)?,
            unchanged: count(2)?,
            aside: count(3)?,
            failed: count(4)?,
            retriable: count(5)?,
            left: count(6)?,
            can_be_undone: count(7)? > 0,
        })
    });
    Ok(counts?)
}

/// What is to be done with one video.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Work {
    /// A patch.
    Patch(VideoPatch),
    /// Just these fields, where they are still what they were.
    Fields(Vec<FieldChange>),
    /// Deleting for good what is ticked.
    Purge(BTreeSet<PurgeKind>),
}

/// A line that is to be begun.
pub(super) struct NewLine {
    pub guid: Guid,
    pub title: String,
    /// The revision that was seen of it; none where any will do.
    pub expected: Option<i64>,
    /// Its own work; none where it is that of the run.
    pub work: Option<Work>,
    /// The line that it undoes.
    pub undoes: Option<i64>,
}

/// A line whose turn has come.
pub(super) struct Line {
    pub id: i64,
    pub position: usize,
    pub guid: Guid,
    pub title: String,
    pub expected: Option<i64>,
    pub work: Work,
    pub undoes: Option<i64>,
    /// Whether it was being written before.
    pub was_begun: bool,
    /// The changes that were being written when it was broken off.
    pub writing: Option<Vec<FieldChange>>,
}

/// A line that can be undone.
pub(super) struct DoneLine {
    pub id: i64,
    pub guid: Guid,
    pub title: String,
    pub changes: Vec<FieldChange>,
}

/// A run as it is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EditLogEntry {
    /// Its number; later ones are higher.
    #[ts(type = "number")]
    pub id: i64,
    /// The run, to undo or resume it by.
    pub run: String,
    /// When, in milliseconds since the epoch.
    #[ts(type = "number")]
    pub at: i64,
    /// The ARN of who did it.
    pub who: String,
    /// What was done: `edit`, `publish`, `unpublish`, `trash`, `restore`, `import`, `undo`, `purge`.
    pub what: String,
    /// Videos that were meant.
    pub of: usize,
    /// Videos that were changed.
    pub done: usize,
    /// Videos that could not be changed, or that someone else changed.
    pub failed: usize,
    /// Videos whose turn has not come: it was stopped, or broke off.
    pub left: usize,
    /// The first of its videos, and how that was changed.
    pub guid: Option<Guid>,
    /// What that one is called.
    pub title: Option<String>,
    /// How it was changed.
    pub changes: Vec<FieldChange>,
    /// What was deleted for good, of all of them.
    pub purged: Option<Purged>,
    /// Whether it can be undone: for a day, what was changed and not changed back.
    pub can_be_undone: bool,
}

/// The log of one workspace; cheap to clone.
#[derive(Clone)]
pub(super) struct EditLog(pub WorkspaceStore);

impl EditLog {
    /// Writes down what is about to be done.
    pub async fn begin(&self, author: &Author, what: &str, work: Option<&Work>, lines: Vec<NewLine>) -> Result<String> {
        let run = uuid::Uuid::new_v4().to_string();
        let work = work.map(serde_json::to_string).transpose().map_err(Error::internal)?;
        let (who, at, what, name) = (author.who.clone(), author.at, what.to_owned(), run.clone());
        self.0
            .call(move |db, workspace| {
                let transaction = db.transaction()?;
                transaction.execute(
                    "INSERT INTO edit_runs (workspace, run, at, who, what, work) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![workspace, name, at, who, what, work],
                )?;
                {
                    let mut insert = transaction.prepare(
                        "INSERT INTO edit_lines (run, position, guid, title, expected, work, undoes, state)
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    )?;
                    for (position, line) in (1_i64..).zip(lines) {
                        let work =
                            line.work.as_ref().map(serde_json::to_string).transpose().map_err(Error::internal)?;
                        let NewLine { guid, title, expected, undoes, .. } = line;
                        let state = LineState::Waiting as u8;
                        insert.execute(params![name, position, guid.as_str(), title, expected, work, undoes, state])?;
                    }
                }
                Ok(transaction.commit()?)
            })
            .await?;
        Ok(run)
    }

    /// How many videos are meant by a run; none of another workspace.
    pub async fn run(&self, run: &str) -> Result<Option<usize>> {
        let run = run.to_owned();
        self.0
            .call(move |db, workspace| {
                let known = "SELECT 1 FROM edit_runs WHERE workspace = ?1 AND run = ?2";
                let is_known = db.prepare_cached(known)?.exists([workspace, &run])?;
                is_known.then(|| counts(db, &run).map(|counts| counts.of)).transpose()
            })
            .await
    }

    /// How the lines of a run stand.
    pub async fn counts(&self, run: &str) -> Result<Counts> {
        let run = run.to_owned();
        self.0.call(move |db, _| counts(db, &run)).await
    }

    /// The next lines of a run whose turn has come, behind a position.
    pub async fn waiting(&self, run: &str, behind: usize, most: u32) -> Result<Vec<Line>> {
        let run = run.to_owned();
        self.0
            .call(move |db, _| {
                let mut statement = db.prepare_cached(
                    "SELECT edit_lines.id, position, guid, title, expected, coalesce(edit_lines.work, edit_runs.work), undoes, changes, state
                     FROM edit_lines JOIN edit_runs USING (run)
                     WHERE run = ?1 AND state IN (0, 1) AND position > ?2 ORDER BY position LIMIT ?3",
                )?;
                let mut rows = statement.query(params![run, i64::try_from(behind).unwrap_or(i64::MAX), most])?;
                let mut lines = Vec::new();
                while let Some(row) = rows.next()? {
                    let json = |text: Option<String>| text.unwrap_or_default();
                    let work = serde_json::from_str(&json(row.get(5)?)).map_err(Error::internal)?;
                    let writing: Option<String> = row.get(7)?;
                    let writing = writing.map(|text| serde_json::from_str(&text)).transpose().map_err(Error::internal)?;
                    let (position, expected, undoes): (i64, _, _) = (row.get(1)?, row.get(4)?, row.get(6)?);
                    let Some(guid) = Guid::new(row.get::<_, String>(2)?) else { continue };
                    lines.push(Line {
                        id: row.get(0)?,
                        position: usize::try_from(position).unwrap_or(0),
                        title: row.get(3)?,
                        guid,
                        expected,
                        work,
                        undoes,
                        was_begun: row.get::<_, u8>(8)? == LineState::Writing as u8,
                        writing,
                    });
                }
                Ok(lines)
            })
            .await
    }

    /// Writes down what a video is about to be changed to.
    pub async fn writing(&self, id: i64, changes: &[FieldChange]) -> Result<()> {
        let changes = serde_json::to_string(changes).map_err(Error::internal)?;
        let writing = "UPDATE edit_lines SET state = ?3, changes = ?2 WHERE id = ?1";
        let state = LineState::Writing as u8;
        self.0.call(move |db, _| Ok(db.prepare_cached(writing)?.execute(params![id, changes, state]).map(drop)?)).await
    }

    /// Writes down what became of it; what it undid is undone.
    pub async fn end(&self, id: i64, undoes: Option<i64>, outcome: &EditOutcome) -> Result<()> {
        let (state, error) = match outcome {
            EditOutcome::Done => (LineState::Done, None),
            EditOutcome::Unchanged => (LineState::Unchanged, None),
            EditOutcome::Aside => (LineState::Aside, None),
            EditOutcome::Failed { error } => {
                (LineState::Failed, Some(serde_json::to_string(error).map_err(Error::internal)?))
            }
        };
        let is_undone = matches!(outcome, EditOutcome::Done | EditOutcome::Unchanged);
        self.0
            .call(move |db, _| {
                let transaction = db.transaction()?;
                transaction
                    .prepare_cached("UPDATE edit_lines SET state = ?2, error = ?3 WHERE id = ?1")?
                    .execute(params![id, state as u8, error])?;
                if let Some(undone) = undoes.filter(|_| is_undone) {
                    transaction
                        .prepare_cached("UPDATE edit_lines SET state = ?2 WHERE id = ?1")?
                        .execute(params![undone, LineState::Undone as u8])?;
                }
                Ok(transaction.commit()?)
            })
            .await
    }

    /// Writes down that a video is about to be deleted for good.
    pub async fn purging(&self, id: i64) -> Result<()> {
        let state = LineState::Writing as u8;
        let purging = "UPDATE edit_lines SET state = ?2 WHERE id = ?1";
        self.0.call(move |db, _| Ok(db.execute(purging, params![id, state]).map(drop)?)).await
    }

    /// Writes down what was deleted of a video, beside what was deleted of it before.
    pub async fn purged(&self, id: i64, more: Purged) -> Result<()> {
        self.0
            .call(move |db, _| {
                let transaction = db.transaction()?;
                let before = "SELECT purged FROM edit_lines WHERE id = ?1";
                let before: Option<String> = transaction.query_row(before, [id], |row| row.get(0))?;
                let mut purged: Purged = before.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
                purged.add(more);
                let purged = serde_json::to_string(&purged).map_err(Error::internal)?;
                transaction.execute("UPDATE edit_lines SET purged = ?2 WHERE id = ?1", params![id, purged])?;
                Ok(transaction.commit()?)
            })
            .await
    }

    /// Lines that failed, or were set aside, are to be tried again, whatever others changed.
    pub async fn retry(&self, run: &str) -> Result<()> {
        let run = run.to_owned();
        let retry = "UPDATE edit_lines SET state = 0, expected = NULL, error = NULL WHERE run = ?1 AND state IN (4, 5)";
        self.0.call(move |db, _| Ok(db.execute(retry, [run]).map(drop)?)).await
    }

    /// Gives up what is left of a run.
    pub async fn give_up(&self, run: &str) -> Result<()> {
        let run = run.to_owned();
        let give_up = "UPDATE edit_lines SET state = ?2 WHERE run = ?1 AND state IN (0, 1)";
        let state = LineState::GivenUp as u8;
        self.0.call(move |db, _| Ok(db.execute(give_up, params![run, state]).map(drop)?)).await
    }

    /// What can be undone of a run, the last one first.
    pub async fn undoable(&self, run: &str) -> Result<Vec<DoneLine>> {
        let run = run.to_owned();
        self.0
            .call(move |db, workspace| {
                let mut statement = db.prepare(
                    "SELECT edit_lines.id, guid, title, changes FROM edit_lines JOIN edit_runs USING (run)
                     WHERE workspace = ?1 AND run = ?2 AND state = 2 AND changes IS NOT NULL AND at > ?3 ORDER BY position DESC",
                )?;
                let mut rows = statement.query(params![workspace, run, now_ms() - UNDONE_WITHIN_MS])?;
                let mut lines = Vec::new();
                while let Some(row) = rows.next()? {
                    let changes = serde_json::from_str(&row.get::<_, String>(3)?).map_err(Error::internal)?;
                    let Some(guid) = Guid::new(row.get::<_, String>(1)?) else { continue };
                    lines.push(DoneLine { id: row.get(0)?, guid, title: row.get(2)?, changes });
                }
                Ok(lines)
            })
            .await
    }

    /// The newest runs before one, all of them or those of one video.
    pub async fn newest(&self, before: Option<i64>, guid: Option<Guid>, most: usize) -> Result<Vec<EditLogEntry>> {
        self.0
            .call(move |db, workspace| {
                let mut statement = db.prepare_cached(
                    "SELECT id, run, at, who, what FROM edit_runs WHERE workspace = ?1 AND id < ?2
                       AND (?3 IS NULL OR run IN (SELECT run FROM edit_lines WHERE guid = ?3)) ORDER BY id DESC LIMIT ?4",
                )?;
                let guid = guid.as_ref().map(Guid::as_str);
                let most = i64::try_from(most).unwrap_or(i64::MAX);
                let mut rows = statement.query(params![workspace, before.unwrap_or(i64::MAX), guid, most])?;
                let mut entries = Vec::new();
                while let Some(row) = rows.next()? {
                    let (id, run, at): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
                    let Counts { of, done, aside, failed, left, can_be_undone, .. } = counts(db, &run)?;
                    let failed = aside + failed;
                    let first = "SELECT guid, title, changes FROM edit_lines WHERE run = ?1 AND (?2 IS NULL OR guid = ?2)
                                 ORDER BY position LIMIT 1";
                    let first: Option<(String, String, Option<String>)> = db
                        .prepare_cached(first)?
                        .query_row(params![run, guid], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                        .optional()?;
                    let (guid, title, changes) = match first {
                        Some((guid, title, changes)) => (Guid::new(guid), Some(title), changes),
                        None => (None, None, None),
                    };
                    let purged = all_purged(db, &run)?;
                    entries.push(EditLogEntry {
                        can_be_undone,
                        changes: changes.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
                        purged,
                        who: row.get(3)?,
                        what: row.get(4)?,
                        id,
                        run,
                        at,
                        of,
                        done,
                        failed,
                        left,
                        guid,
                        title,
                    });
                }
                Ok(entries)
            })
            .await
    }
}

/// What was deleted for good in a run.
fn all_purged(db: &Connection, run: &str) -> Result<Option<Purged>> {
    let lines = "SELECT purged FROM edit_lines WHERE run = ?1 AND purged IS NOT NULL";
    let mut statement = db.prepare_cached(lines)?;
    let lines = statement.query_map([run], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let all = lines.iter().filter_map(|text| serde_json::from_str::<Purged>(text).ok());
    Ok(all.reduce(|mut all, one| {
        all.add(one);
        all
    }))
}

/// Forgets what was changed in a workspace.
///
/// # Errors
/// When the store cannot be written.
pub(crate) async fn forget_edits(store: &Store, workspace: &str) -> Result<()> {
    let workspace = workspace.to_owned();
    store.call(move |db| Ok(db.execute("DELETE FROM edit_runs WHERE workspace = ?1", [workspace]).map(drop)?)).await
}
