//! Steering what is sent: pause, resume, order, limit; from this process or another.
//!
//! The process that drives a store is the only one that changes its journeys. Another one leaves a command in the store,
//! which the driver sees within [`LOOK_EVERY`].

use std::time::Duration;

use rusqlite::params;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::change::Change;
use super::{Ingest, Journey, Limits, Stage};
use crate::store::Store;
use crate::{Error, Result};

/// How often the driver looks whether another process changed the store; one cheap pragma.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What someone wants of a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum JourneyCommand {
    /// Stop sending; what S3 has stays.
    Pause,
    /// Go on.
    Resume,
    /// Stop and remove what S3 has.
    Cancel,
    /// The same, and of what is still being sent nothing is removed for some seconds.
    CancelWithUndo,
    /// Undo that, as long as it can be.
    UndoCancel,
    /// Try again what needs someone, or was canceled.
    Retry,
    /// Send it before the others.
    First,
    /// Send it as it is, though a part of it seems to be missing.
    Insist,
}

impl Ingest {
    /// Does what someone wants of a journey; what makes no sense at its stage does nothing.
    ///
    /// # Errors
    /// When there is no such journey, or AWS or the store cannot be used.
    pub async fn steer(&self, id: &str, command: JourneyCommand) -> Result<()> {
        self.journey(id)?;
        match command {
            JourneyCommand::Pause => self.pause(id).await,
            JourneyCommand::Resume => self.unpause(id).await,
            JourneyCommand::Cancel => self.cancel(id).await,
            JourneyCommand::CancelWithUndo => self.cancel_with_undo(id).await,
            JourneyCommand::UndoCancel => self.undo_cancel(id).await,
            JourneyCommand::Retry => self.retry(id).await,
            JourneyCommand::Insist => {
                let _owner = self.owner(id).await;
                self.begin_again(id, |journey| journey.insisted = true).await
            }
            JourneyCommand::First => {
                let priority = self.0.journeys.highest_priority() + 1;
                self.0.journeys.edit(id, |journey| journey.priority = priority).await
            }
        }
    }

    /// The same for all journeys: pauses what is being sent, resumes what is paused, and so on.
    ///
    /// # Errors
    /// When AWS or the store cannot be used.
    pub async fn steer_all(&self, command: JourneyCommand) -> Result<()> {
        for journey in self.list() {
            let concerned = match command {
                JourneyCommand::Pause | JourneyCommand::Cancel => {
                    journey.stage.is_being_sent() || journey.stage == Stage::Paused
                }
                JourneyCommand::Resume => journey.stage == Stage::Paused,
                JourneyCommand::Retry => journey.is_worth_a_retry(),
                JourneyCommand::CancelWithUndo
                | JourneyCommand::UndoCancel
                | JourneyCommand::First
                | JourneyCommand::Insist => false,
            };
            if concerned {
                self.steer(&journey.id, command).await?;
            }
        }
        Ok(())
    }

    async fn pause(&self, id: &str) -> Result<()> {
        let _owner = self.owner(id).await;
        if !self.journey(id)?.stage.may_become(Stage::Paused) {
            return Ok(());
        }
        // Halted first: its run may have come to its end by then.
        self.halt(id).await;
        let paused = self
            .0
            .journeys
            .enter(id, Stage::Paused, |journey| {
                (journey.speed, journey.time_left) = (None, None);
                // What was on its way is broken off.
                journey.sent = journey.stored;
            })
            .await?;
        if paused.is_none() && self.journey(id)?.stage.is_being_sent() {
            // All bytes are there: it goes on.
            self.start(id.to_owned());
        }
        Ok(())
    }

    pub(super) async fn unpause(&self, id: &str) -> Result<()> {
        let _owner = self.owner(id).await;
        if self.journey(id)?.stage == Stage::Paused
            && self.0.journeys.enter(id, Stage::Checking, |_| {}).await?.is_some()
        {
            self.start(id.to_owned());
        }
        Ok(())
    }

    /// Someone has signed in: what waits for it goes on at once.
    pub fn signed_in(&self) {
        self.0.sign_in.accepted();
    }

    /// Takes off the list what is playable, was skipped or was canceled.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn clear(&self) -> Result<()> {
        let ended = |journey: &Journey| matches!(journey.stage, Stage::Playable | Stage::Skipped | Stage::Canceled);
        let ids = self.list().into_iter().filter(ended).map(|journey| journey.id).collect();
        self.0.journeys.remove(ids).await
    }

    /// The bandwidth limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.0.sending.pacer.limits()
    }

    /// Sets the bandwidth limit for this run only, in bytes a second.
    pub fn limit_this_run(&self, bytes_per_second: u64) {
        self.0.sending.pacer.for_this_run(bytes_per_second);
    }

    /// Sets the bandwidth limits at once and for the next starts.
    ///
    /// # Errors
    /// When there is no time between the hours, or the store cannot be written.
    pub async fn set_limits(&self, limits: Limits) -> Result<()> {
        self.0.sending.pacer.change(limits).await
    }

    /// Runs the commands of other processes, and keeps the limit to the time of day, until [`Ingest::stop`].
    pub async fn run_queued_commands(&self) {
        let mut seen = None;
        let mut limits = self.limits();
        loop {
            let version =
                self.0.store.call(|db| Ok(db.pragma_query_value(None, "data_version", |row| row.get(0))?)).await;
            let version: Option<i64> = version.ok();
            if version != seen {
                seen = version;
                if let Err(error) = self.0.sending.pacer.reload().await {
                    tracing::warn!(%error, "the limits could not be read");
                }
                for (journey, command) in self.take_commands().await.unwrap_or_default() {
                    if let Err(error) = self.steer(&journey, command).await {
                        tracing::warn!(journey, ?command, %error, "a command could not be run");
                    }
                }
            }
            self.0.sending.pacer.apply();
            // Set by another process, or for another workspace of this one.
            let now = self.limits();
            if std::mem::replace(&mut limits, now) != now {
                self.0.changes.tell(Change::Limits { limits: now });
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = self.0.runs.stop.cancelled() => return,
            }
        }
    }

    async fn take_commands(&self) -> Result<Vec<(String, JourneyCommand)>> {
        let workspace = self.0.pipeline.workspace.name.clone();
        self.0
            .store
            .call(move |db| {
                // Those for another workspace wait for its driver; those for what is gone go too.
                let rows = db
                    .prepare(
                        "DELETE FROM wishes WHERE journey NOT IN (SELECT id FROM journeys WHERE workspace != ?1)
                         RETURNING journey, wish",
                    )?
                    .query_map([workspace], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?
                    .collect::<rusqlite::Result<Vec<_>>>()?;
                let command = |text: String| serde_json::from_value(text.into()).ok();
                Ok(rows.into_iter().filter_map(|(journey, text)| Some((journey, command(text)?))).collect())
            })
            .await
    }
}

/// The workspaces that have a command of another process.
pub(crate) async fn workspaces_with_commands(store: &Store) -> Result<Vec<String>> {
    names(store, "SELECT DISTINCT workspace FROM wishes JOIN journeys ON journeys.id = wishes.journey").await
}

/// The workspaces that have files on their way, or followed.
pub(crate) async fn workspaces_on_their_way(store: &Store) -> Result<Vec<String>> {
    let is_moving = "SELECT DISTINCT workspace FROM journeys WHERE open AND json_extract(body, '$.stage') != 'paused'";
    names(store, is_moving).await
}

async fn names(store: &Store, query: &'static str) -> Result<Vec<String>> {
    let read = |db: &mut rusqlite::Connection| {
        let mut rows = db.prepare_cached(query)?;
        let names = rows.query_map([], |row| row.get(0))?;
        Ok(names.collect::<rusqlite::Result<_>>()?)
    };
    store.call(read).await
}

/// Leaves a command for the process that drives this store.
pub(crate) async fn queue_command(store: &Store, journey: &str, command: JourneyCommand) -> Result<()> {
    let (journey, command) = (journey.to_owned(), serde_json::to_value(command).map_err(Error::internal)?);
    store
        .call(move |db| {
            db.execute("INSERT INTO wishes (journey, wish) VALUES (?1, ?2)", params![journey, command.as_str()])?;
            Ok(())
        })
        .await
}
