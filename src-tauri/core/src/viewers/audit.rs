//! Who did what with whom, and when. An entry is written before the act and ended after it: a kill in between leaves
//! one that says that its end is not known.

use std::time::Duration;

use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Viewers;
use super::action::ViewerAction;
use super::mirror::wiped;
use crate::clock::now_ms;
use crate::store::WorkspaceStore;
use crate::{Error, Result};

/// How long an act waits to learn who does it.
const PATIENCE: Duration = Duration::from_secs(3);

/// How an act ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum ActionOutcome {
    /// Done.
    Done,
    /// It was so already: nothing was changed.
    Unchanged,
    /// It could not be done.
    Failed {
        /// Why.
        error: Error,
    },
}

impl From<Result<()>> for ActionOutcome {
    fn from(done: Result<()>) -> Self {
        match done {
            Ok(()) => Self::Done,
            Err(error) => Self::Failed { error },
        }
    }
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// Its number; later ones are higher.
    #[ts(type = "number")]
    pub id: i64,
    /// When, in milliseconds since the epoch.
    #[ts(type = "number")]
    pub at: i64,
    /// The ARN of who did it.
    pub who: String,
    /// What was done, such as `invite` or `disable`.
    pub what: String,
    /// With whom: the address, or a group's name; none where it was wiped.
    pub whom: Option<String>,
    /// More of it, such as the name of the group.
    pub detail: Option<String>,
    /// How it ended; none where that is not known.
    pub outcome: Option<ActionOutcome>,
    /// The run that it belongs to: what was done at once.
    pub run: String,
    /// Whether it can be undone.
    pub can_be_undone: bool,
}

/// What is about to be done.
#[derive(Default)]
pub(super) struct Entry {
    pub run: String,
    pub what: &'static str,
    pub username: String,
    pub whom: String,
    pub detail: Option<String>,
    /// What must not be lost if the act breaks off in the middle.
    pub keep: Option<String>,
}

impl Entry {
    pub fn of_group(what: &'static str, name: &str) -> Self {
        Self { run: new_run(), what, whom: name.to_owned(), ..Self::default() }
    }
}

/// The name of a new run.
pub(super) fn new_run() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// An act that can be undone.
pub(super) struct Undo {
    pub id: i64,
    pub username: String,
    pub whom: String,
    pub inverse: ViewerAction,
}

/// An act that broke off in the middle.
pub(super) struct Broken {
    pub id: i64,
    pub keep: String,
}

/// The log of one workspace; cheap to clone.
#[derive(Clone)]
pub(super) struct Log(pub WorkspaceStore);

const LINES: &str = "SELECT id, at, who, what, whom, detail, outcome, run, inverse IS NOT NULL FROM viewer_log
  WHERE workspace = ?1";

impl Log {
    /// Writes that something is about to be done.
    pub async fn begin(&self, who: &str, entry: Entry) -> Result<i64> {
        let who = who.to_owned();
        self.0
            .call(move |db, workspace| {
                let Entry { run, what, username, whom, detail, keep } = entry;
                db.execute(
                    "INSERT INTO viewer_log (workspace, at, who, run, what, username, whom, detail, keep)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                    params![workspace, now_ms(), who, run, what, username, whom, detail, keep],
                )?;
                Ok(db.last_insert_rowid())
            })
            .await
    }

    /// Writes how it ended, and what undoes it.
    pub async fn end(&self, id: i64, outcome: &ActionOutcome, inverse: Option<&ViewerAction>) -> Result<()> {
        let outcome = serde_json::to_string(outcome).map_err(Error::internal)?;
        let inverse = inverse.map(serde_json::to_string).transpose().map_err(Error::internal)?;
        self.0
            .call(move |db, _| {
                let end = "UPDATE viewer_log SET outcome = ?2, inverse = ?3, keep = NULL WHERE id = ?1";
                db.execute(end, params![id, outcome, inverse])?;
                Ok(())
            })
            .await
    }

    /// The newest entries before one.
    pub async fn newest(&self, before: Option<i64>, most: usize) -> Result<Vec<LogEntry>> {
        self.0
            .call(move |db, workspace| {
                let newest = format!("{LINES} AND id < ?2 ORDER BY id DESC LIMIT {most}");
                let mut statement = db.prepare_cached(&newest)?;
                let rows = statement.query_map(params![workspace, before.unwrap_or(i64::MAX)], entry)?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
            .await
    }

    /// The newest entries of one viewer. An invitation knows only the address: the user name is made by it.
    pub async fn newest_of(&self, username: String, address: String, most: usize) -> Result<Vec<LogEntry>> {
        self.0
            .call(move |db, workspace| {
                let newest = format!("{LINES} AND (username = ?2 OR whom = ?3) ORDER BY id DESC LIMIT {most}");
                let mut statement = db.prepare_cached(&newest)?;
                let rows = statement.query_map(params![workspace, username, address], entry)?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
            .await
    }

    /// What can be undone of a run, the last act first.
    pub async fn undoable(&self, run: &str) -> Result<Vec<Undo>> {
        let run = run.to_owned();
        self.0
            .call(move |db, workspace| {
                let mut statement = db.prepare(
                    "SELECT id, username, whom, inverse FROM viewer_log
                 WHERE workspace = ?1 AND run = ?2 AND inverse IS NOT NULL ORDER BY id DESC",
                )?;
                let rows = statement.query_map(params![workspace, run], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get::<_, Option<String>>(2)?, row.get::<_, String>(3)?))
                })?;
                let mut all = Vec::new();
                for row in rows {
                    let (id, username, whom, inverse) = row?;
                    let inverse = serde_json::from_str(&inverse).map_err(Error::internal)?;
                    all.push(Undo { id, whom: whom.unwrap_or_default(), username, inverse });
                }
                Ok(all)
            })
            .await
    }

    /// How many mails went out since a time, as far as this computer knows.
    pub async fn mails_since(&self, time: i64) -> Result<u32> {
        self.0
            .call(move |db, workspace| {
                let count = "SELECT count(*) FROM viewer_log WHERE workspace = ?1 AND at > ?2
                         AND what IN ('invite', 'resend', 'invite-anew', 'reset')
                         AND (outcome IS NULL OR json_extract(outcome, '$.kind') = 'done')";
                Ok(db.query_row(count, params![workspace, time], |row| row.get(0))?)
            })
            .await
    }

    /// It was undone: that cannot be done twice.
    pub async fn undone(&self, id: i64) -> Result<()> {
        self.0
            .call(move |db, _| {
                db.execute("UPDATE viewer_log SET inverse = NULL WHERE id = ?1", [id])?;
                Ok(())
            })
            .await
    }

    /// What broke off in the middle and has to be ended.
    pub async fn broken(&self) -> Result<Vec<Broken>> {
        self.0
            .call(|db, workspace| {
                let mut statement = db
                    .prepare("SELECT id, keep FROM viewer_log WHERE workspace = ?1 AND keep IS NOT NULL ORDER BY id")?;
                let rows = statement.query_map([workspace], |row| Ok(Broken { id: row.get(0)?, keep: row.get(1)? }))?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
            .await
    }

    /// Forgets with whom it was: who did what and when stays.
    pub async fn wipe(&self) -> Result<()> {
        self.0
            .call(|db, workspace| {
                wiped(db, |db| {
                    // What has not ended needs its names to be ended.
                    let wipe = "UPDATE viewer_log SET username = '', whom = NULL, detail = NULL, inverse = NULL,
                            outcome = CASE WHEN json_extract(outcome, '$.kind') = 'failed' THEN
                              json_set(outcome, '$.error.message', 'Wiped.', '$.error.details', '') ELSE outcome END
                            WHERE workspace = ?1 AND keep IS NULL";
                    db.execute(wipe, [workspace])?;
                    Ok(())
                })
            })
            .await
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<LogEntry> {
    let outcome: Option<String> = row.get(6)?;
    Ok(LogEntry {
        id: row.get(0)?,
        at: row.get(1)?,
        who: row.get(2)?,
        what: row.get(3)?,
        whom: row.get(4)?,
        detail: row.get(5)?,
        outcome: outcome.and_then(|text| serde_json::from_str(&text).ok()),
        run: row.get(7)?,
        can_be_undone: row.get(8)?,
    })
}

impl Viewers {
    /// Who acts, as AWS knows them.
    pub(super) async fn who(&self) -> String {
        let ask = || async {
            let asked = tokio::time::timeout(PATIENCE, self.sts.get_caller_identity().send()).await;
            asked.map_err(drop)?.map_err(drop).and_then(|caller| caller.arn.ok_or(()))
        };
        // Without an answer it is asked again at the next act.
        self.caller.get_or_try_init(ask).await.cloned().unwrap_or_else(|()| "not known".to_owned())
    }

    /// Does something, with an entry in the log.
    pub(super) async fn logged<T>(&self, entry: Entry, work: impl Future<Output = Result<T>>) -> Result<T> {
        let id = self.log.begin(&self.who().await, entry).await?;
        let done = work.await;
        let outcome = ActionOutcome::from(done.as_ref().map(drop).map_err(Clone::clone));
        self.log.end(id, &outcome, None).await?;
        done
    }

    /// The newest lines of the log, before a line where one is named.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn log(&self, before: Option<i64>, most: usize) -> Result<Vec<LogEntry>> {
        self.log.newest(before, most).await
    }

    /// The newest lines of the log that are about one viewer.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn history(&self, username: &str, most: usize) -> Result<Vec<LogEntry>> {
        let known = self.mirror.addresses(vec![username.to_owned()]).await?;
        let address = known.into_iter().next().map_or_else(|| username.to_owned(), |(_, address)| address);
        self.log.newest_of(username.to_owned(), address, most).await
    }
}
