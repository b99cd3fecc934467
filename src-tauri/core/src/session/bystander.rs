//! What can be asked and ordered of the journeys without driving them: where another process does, it is told.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::Session;
use crate::clock::now_ms;
use crate::ingest::{Driving, Journey, JourneyCommand, KEY_PREFIX, Limits, Stage, queue_command};
use crate::upload::{Orphan, orphans};
use crate::{Code, Result};

impl Session {
    /// The journeys as the store has them, without driving them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn journeys(&self) -> Result<Vec<Journey>> {
        Ok(self.ingest(self.instance.store()?, Driving::Command).await?.list())
    }

    /// Does what someone wants of some journeys: itself where no process drives them, otherwise through the one that
    /// does. Answers whether one does.
    ///
    /// # Errors
    /// When a journey is not there, or AWS or the store cannot be used.
    pub async fn steer(&self, ids: &[String], command: JourneyCommand) -> Result<bool> {
        match self.instance.lock() {
            Ok(_lock) => {
                let ingest = self.ingest(self.instance.store()?, Driving::Command).await?;
                for id in ids {
                    ingest.steer(id, command).await?;
                }
                // What goes on now goes on with the next driver.
                ingest.stop().await;
                Ok(false)
            }
            Err(error) if error.code == Code::InUse => {
                let store = self.instance.store()?;
                for id in ids {
                    queue_command(&store, id, command).await?;
                }
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    /// The bandwidth limits that are set.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn limits(&self) -> Result<Limits> {
        Limits::read(&self.instance.store()?).await
    }

    /// Sets them, also for the process that drives.
    ///
    /// # Errors
    /// When there is no time between the hours, or the store cannot be written.
    pub async fn set_limits(&self, limits: Limits) -> Result<()> {
        limits.write(&self.instance.store()?).await
    }

    /// Unfinished uploads in the source bucket that no journey will finish.
    ///
    /// # Errors
    /// When S3 or the store cannot be asked.
    pub async fn orphans(&self) -> Result<Vec<Orphan>> {
        let all = orphans::find(&self.aws.s3, &self.workspace.source_bucket, KEY_PREFIX).await?;
        let owner = self.workspace.name.clone();
        let mine = self.instance.store()?.call(move |db| known_uploads(db, &owner)).await?;
        let known = |orphan: &Orphan| mine.contains(&orphan.upload_id) || mine.contains(&orphan.key);
        Ok(all.into_iter().filter(|orphan| !known(orphan)).collect())
    }

    /// Removes one of them from S3.
    ///
    /// # Errors
    /// When S3 refuses.
    pub async fn remove_orphan(&self, orphan: &Orphan) -> Result<()> {
        orphans::remove(&self.aws.s3, &self.workspace.source_bucket, orphan).await
    }
}

impl Session {
    /// Gives up what this workspace has not sent, because it is removed; nobody may drive it. Answers how many
    /// objects S3 may still make: their last bytes had left.
    ///
    /// # Errors
    /// [`Code::InUse`] where another process drives its journeys; when the store cannot be used.
    pub async fn give_up_all(&self) -> Result<usize> {
        let _lock = self.instance.lock()?;
        let ingest = self.ingest(self.instance.store()?, Driving::Command).await?;
        let given_up = ingest.give_up_all().await;
        ingest.stop().await;
        given_up
    }
}

const A_DAY_MS: i64 = 24 * 3600 * 1000;

/// The uploads that this data folder knows, of all its workspaces: by S3's names for them, and by the keys of journeys that
/// will go on.
fn known_uploads(db: &mut Connection, owner: &str) -> Result<HashSet<String>> {
    let mut known = HashSet::new();
    let mut rows = db.prepare("SELECT upload_id FROM uploads WHERE upload_id IS NOT NULL")?;
    let ids = rows.query_map([], |row| row.get::<_, String>(0))?;
    known.extend(ids.collect::<rusqlite::Result<Vec<_>>>()?);
    // What this workspace aborts itself; what it could not for a day is shown.
    let mut rows = db.prepare("SELECT upload_id FROM aborts WHERE owner = ?1 AND since > ?2")?;
    let ids = rows.query_map(params![owner, now_ms() - A_DAY_MS], |row| row.get::<_, String>(0))?;
    known.extend(ids.collect::<rusqlite::Result<Vec<_>>>()?);
    let mut rows = db.prepare("SELECT body FROM journeys")?;
    let bodies = rows.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let journeys = bodies.iter().filter_map(|body| serde_json::from_str::<Journey>(body).ok());
    let goes_on = |journey: &Journey| {
        journey.stage.is_being_sent() || matches!(journey.stage, Stage::Paused | Stage::NeedsYou | Stage::Canceling)
    };
    known.extend(journeys.filter(goes_on).filter_map(|journey| journey.key));
    Ok(known)
}
