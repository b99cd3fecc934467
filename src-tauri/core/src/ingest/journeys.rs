//! The journeys: in memory for the screen, in the store for the next start. Every change goes through here, is
//! checked against the legal moves, and is told.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Transaction, params};

use super::change::Change;
use super::{BatchSummary, Journey, Stage, known};
use crate::changes::Changes;
use crate::clock::now_ms;
use crate::store::Store;
use crate::{Code, Error, Result};

/// More of them at once are read anew rather than told one by one.
const MANY: usize = 64;

#[derive(Clone)]
pub(super) struct Journeys {
    store: Store,
    changes: Changes<Change>,
    workspace: String,
    all: Arc<Mutex<BTreeMap<String, Journey>>>,
    /// Journeys of each batch that have not ended.
    open: Arc<Mutex<HashMap<i64, usize>>>,
    /// Nobody drives them any more.
    is_closed: Arc<AtomicBool>,
}

impl Journeys {
    pub async fn load(store: Store, changes: Changes<Change>, workspace: &str) -> Result<Self> {
        let name = workspace.to_owned();
        let bodies: Vec<String> = store
            .call(move |db| {
                let rows = db
                    .prepare("SELECT body FROM journeys WHERE workspace = ?1 ORDER BY position")?
                    .query_map([name], |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()?;
                Ok(rows)
            })
            .await?;
        let all: BTreeMap<_, _> = bodies
            .iter()
            .filter_map(|body| match serde_json::from_str::<Journey>(body) {
                Ok(journey) => Some((journey.id.clone(), journey)),
                Err(error) => {
                    tracing::error!(%error, "a journey in the store cannot be read");
                    None
                }
            })
            .collect();
        let mut open = HashMap::new();
        for journey in all.values().filter(|journey| journey.stage.is_open()) {
            *open.entry(journey.batch).or_default() += 1;
        }
        let (all, open) = (Arc::new(Mutex::new(all)), Arc::new(Mutex::new(open)));
        Ok(Self { store, changes, workspace: workspace.to_owned(), all, open, is_closed: Arc::default() })
    }

    /// Takes in what S3 has of each, as the journal knows it.
    pub fn stored(&self, stored: &HashMap<String, u64>) {
        for journey in self.map().values_mut().filter(|journey| journey.verified_at.is_none()) {
            let stored = stored.get(&journey.id).copied().unwrap_or(0);
            (journey.stored, journey.sent) = (stored, stored);
        }
    }

    fn map(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Journey>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All, in the order in which they were added.
    pub fn list(&self) -> Vec<Journey> {
        let mut all: Vec<_> = self.map().values().cloned().collect();
        all.sort_by_key(|journey| journey.position);
        all
    }

    /// The first ones behind a position.
    pub fn list_after(&self, position: i64, most: usize) -> Vec<Journey> {
        let all = self.map();
        let mut behind: Vec<&Journey> = all.values().filter(|journey| journey.position > position).collect();
        behind.sort_by_key(|journey| journey.position);
        behind.into_iter().take(most).cloned().collect()
    }

    /// The one that was sent under this key; those that were left out because of it know the key too.
    pub fn sent_as(&self, key: &str) -> Option<Journey> {
        let all = self.map();
        let sent = |one: &&Journey| one.key.as_deref() == Some(key) && one.stage != Stage::Skipped;
        all.values().find(sent).cloned()
    }

    pub fn get(&self, id: &str) -> Option<Journey> {
        self.map().get(id).cloned()
    }

    pub fn count(&self, which: impl Fn(&Journey) -> bool) -> usize {
        self.map().values().filter(|journey| which(journey)).count()
    }

    /// What comes first in the queue: the higher priority, then the place in the list.
    pub fn turn_of(&self, id: &str) -> (i64, i64) {
        self.map().get(id).map_or((i64::MAX, i64::MAX), |journey| (-journey.priority, journey.position))
    }

    pub fn highest_priority(&self) -> i64 {
        self.map().values().map(|journey| journey.priority).max().unwrap_or(0)
    }

    pub fn next_position(&self) -> i64 {
        self.map().values().map(|journey| journey.position).max().unwrap_or(0) + 1
    }

    /// A number for a new batch.
    pub fn next_batch(&self) -> i64 {
        self.map().values().map(|journey| journey.batch + 1).max().unwrap_or(0).max(now_ms())
    }

    /// The batch of a watch folder that has not ended, or a new one.
    pub fn batch_of(&self, folder: &str) -> i64 {
        let all = self.map();
        let own = all.values().filter(|one| one.watch_folder.as_deref() == Some(folder) && one.stage.is_open());
        let open = own.map(|journey| journey.batch).max();
        drop(all);
        open.unwrap_or_else(|| self.next_batch())
    }

    /// The others on their way that have the size of this one's file, or its name.
    pub fn on_the_way(&self, like: &Journey) -> Vec<Journey> {
        let all = self.map();
        let others = all.values().filter(|one| {
            // One that is just playable may not be remembered yet.
            let is_sent = one.stage.is_open() || one.stage == Stage::Playable;
            let on_the_way = is_sent && one.key.is_some() && one.id != like.id;
            on_the_way && (one.size == like.size || known::is_same_name(&one.path, &like.path))
        });
        others.cloned().collect()
    }

    /// Those that ask, or were left out, because another file was on its way under this key.
    pub fn waiting_for(&self, key: &str) -> Vec<Journey> {
        let all = self.map();
        let waiting = all.values().filter(|one| {
            let waits = one.stage == Stage::NeedsYou || one.stage == Stage::Skipped && one.hls_url.is_none();
            waits && one.conflict.as_ref().is_some_and(|conflict| conflict.key == key)
        });
        waiting.cloned().collect()
    }

    /// Some of the journeys, by their files.
    pub fn paths(&self, is_meant: impl Fn(&Journey) -> bool) -> HashMap<PathBuf, String> {
        let all = self.map();
        let open = all.values().filter(|journey| is_meant(journey));
        open.map(|journey| (journey.path.clone(), journey.id.clone())).collect()
    }

    /// Takes no more journeys: they would be driven by nobody.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    /// Adds journeys, all or none and together with what `also` writes, and tells of them; of many at once by asking
    /// to read anew.
    pub async fn add<F>(&self, journeys: Vec<Journey>, also: F) -> Result<()>
    where
        F: FnOnce(&Transaction<'_>) -> Result<()> + Send + 'static,
    {
        if self.is_closed.load(Ordering::Relaxed) {
            let message = format!("The workspace \"{}\" was closed meanwhile.", self.workspace);
            return Err(Error::new(Code::Canceled, message, "Add the files again."));
        }
        let mut rows = Vec::new();
        for journey in &journeys {
            let body = serde_json::to_string(journey).map_err(Error::internal)?;
            rows.push((journey.id.clone(), journey.position, journey.stage.is_open(), body));
        }
        let workspace = self.workspace.clone();
        self.store
            .call(move |db| {
                let transaction = db.transaction()?;
                for (id, position, open, body) in rows {
                    transaction
                        .prepare_cached(
                            "INSERT INTO journeys (id, position, workspace, open, body) VALUES (?1, ?2, ?3, ?4, ?5)",
                        )?
                        .execute(params![id, position, workspace, open, body])?;
                }
                also(&transaction)?;
                Ok(transaction.commit()?)
            })
            .await?;
        let many = journeys.len() > MANY;
        for journey in journeys {
            self.count_in_batch(journey.batch, None, journey.stage);
            self.map().insert(journey.id.clone(), journey.clone());
            if !many {
                self.changes.tell(Change::Journey { journey: Box::new(journey) });
            }
        }
        if many {
            self.changes.tell(Change::Resync);
        }
        Ok(())
    }

    /// Moves a journey to a stage and edits it on the way; an illegal move changes nothing and answers `None`.
    pub async fn enter(&self, id: &str, stage: Stage, edit: impl FnOnce(&mut Journey)) -> Result<Option<Journey>> {
        let (before, journey) = {
            let mut all = self.map();
            let Some(journey) = all.get_mut(id) else { return Ok(None) };
            let is_undone = journey.undo.is_some_and(|undo| undo.back_to == stage);
            if !journey.stage.may_become(stage) && !is_undone {
                tracing::debug!(id, from = ?journey.stage, to = ?stage, "not a legal move");
                return Ok(None);
            }
            let before = journey.clone();
            if journey.stage != stage {
                journey.stage = stage;
                journey.stage_since = now_ms();
                journey.notice = None;
            }
            edit(journey);
            if *journey == before {
                return Ok(Some(before));
            }
            (before, journey.clone())
        };
        if let Err(error) = self.keep(journey.clone()).await {
            // What the store does not have did not happen.
            let mut all = self.map();
            if let Some(current) = all.get_mut(id).filter(|current| **current == journey) {
                *current = before;
            }
            return Err(error);
        }
        if self.count_in_batch(journey.batch, Some(before.stage), journey.stage) {
            self.changes.tell(Change::BatchEnded { summary: self.summary(journey.batch) });
        }
        Ok(Some(journey))
    }

    /// Counts a journey on its way from one stage to another; answers whether its batch has ended with it, or ends
    /// otherwise than it had.
    fn count_in_batch(&self, batch: i64, before: Option<Stage>, stage: Stage) -> bool {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = open.entry(batch).or_default();
        match (before.is_some_and(Stage::is_open), stage.is_open()) {
            (false, true) => *open += 1,
            (true, false) => *open = open.saturating_sub(1),
            _ => {}
        }
        *open == 0 && before.is_some_and(|before| before != stage)
    }

    fn summary(&self, batch: i64) -> BatchSummary {
        let all = self.map();
        BatchSummary::of(batch, all.values().filter(|journey| journey.batch == batch))
    }

    /// Shows progress; nothing that the next start needs, so it is not written.
    pub fn show(&self, id: &str, edit: impl FnOnce(&mut Journey)) {
        let changed = {
            let mut all = self.map();
            let Some(journey) = all.get_mut(id) else { return };
            let before = journey.clone();
            edit(journey);
            (*journey != before).then(|| journey.clone())
        };
        if let Some(journey) = changed {
            self.changes.tell(Change::Journey { journey: Box::new(journey) });
        }
    }

    /// Edits a journey without moving it, and keeps it.
    pub async fn edit(&self, id: &str, edit: impl FnOnce(&mut Journey)) -> Result<()> {
        let edited = {
            let mut all = self.map();
            let Some(journey) = all.get_mut(id) else { return Ok(()) };
            edit(journey);
            journey.clone()
        };
        self.keep(edited).await
    }

    /// Takes journeys that have ended off the list.
    pub async fn remove(&self, ids: Vec<String>) -> Result<()> {
        {
            let mut all = self.map();
            ids.iter().for_each(|id| drop(all.remove(id)));
        }
        self.store
            .call(move |db| {
                let transaction = db.transaction()?;
                for id in ids {
                    transaction.prepare_cached("DELETE FROM journeys WHERE id = ?1")?.execute([id])?;
                }
                Ok(transaction.commit()?)
            })
            .await?;
        self.changes.tell(Change::Resync);
        Ok(())
    }

    async fn keep(&self, journey: Journey) -> Result<()> {
        let body = serde_json::to_string(&journey).map_err(Error::internal)?;
        let (id, open) = (journey.id.clone(), journey.stage.is_open());
        self.store
            .call(move |db| {
                // One that was taken off the list meanwhile does not come back.
                db.prepare_cached("UPDATE journeys SET open = ?2, body = ?3 WHERE id = ?1")?
                    .execute(params![id, open, body])?;
                Ok(())
            })
            .await?;
        self.changes.tell(Change::Journey { journey: Box::new(journey) });
        Ok(())
    }
}
/// Forgets the files of a workspace, and what it has made videos of. Answers how many unfinished uploads of it S3 still has:
/// nothing here knows them any more, so that they are found among those that nobody will finish.
pub(crate) async fn forget_workspace(store: &Store, workspace: &str) -> Result<usize> {
    let workspace = workspace.to_owned();
    store
        .call(move |db| {
            let transaction = db.transaction()?;
            // An upload bears the name of its journey, and one of a sidecar that name before a slash.
            let is_of = "EXISTS (SELECT 1 FROM journeys WHERE workspace = ?1
                         AND (uploads.id = journeys.id OR uploads.id LIKE journeys.id || '/%'))";
            let unfinished = "upload_id IS NOT NULL AND checksum IS NULL";
            let count = format!("SELECT count(*) FROM uploads WHERE {unfinished} AND {is_of}");
            let mut left: usize = transaction.query_row(&count, [&workspace], |row| row.get(0))?;
            transaction.execute(&format!("DELETE FROM uploads WHERE {is_of}"), [&workspace])?;
            left += transaction.execute("DELETE FROM aborts WHERE owner = ?1", [&workspace])?;
            transaction.execute("DELETE FROM journeys WHERE workspace = ?1", [&workspace])?;
            transaction.execute("DELETE FROM sources WHERE workspace = ?1", [&workspace])?;
            transaction.commit()?;
            Ok(left)
        })
        .await
}
