//! Driving: one process at a time moves the journeys of a data folder.

use std::fs::{File, TryLockError};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Session;
use crate::event::Events;
use crate::folders::{Folders, open_private};
use crate::ingest::{Driving, Ingest};
use crate::store::Store;
use crate::watch::{Rules, Watch};
use crate::{Code, Error, Result};

/// Held by the process that drives the journeys of a data folder.
const LOCK: &str = "uploads.lock";
/// Tenths of a second that it is asked for.
const STILL_HELD: u32 = 10;

impl Session {
    /// Begins to drive this store's journeys, taking up the unfinished ones.
    ///
    /// # Errors
    /// [`Code::InUse`] when another process does.
    pub async fn drive(&self, driving: Driving) -> Result<Driver> {
        let lock = take_lock(&self.folders).await?;
        let store = self.store()?;
        let ingest = self.ingest(store.clone(), driving).await?;
        let follower = tokio::spawn({
            let ingest = ingest.clone();
            async move {
                tokio::join!(
                    ingest.follow(),
                    ingest.run_queued_commands(),
                    ingest.watch_credential_expiry(),
                    ingest.clean_up()
                );
            }
        });
        ingest.resume();
        Ok(Driver {
            ingest,
            workspace: self.workspace.name.clone(),
            rules: Rules::new(store.clone(), self.folders.clone()),
            store,
            events: self.events.clone(),
            follower: Mutex::new(Some(follower)),
            lock: Mutex::new(Some(lock)),
        })
    }
}

/// The right to drive a store's journeys, and the journeys.
pub struct Driver {
    /// The journeys.
    pub ingest: Ingest,
    workspace: String,
    store: Store,
    rules: Rules,
    events: Events,
    /// None once it was stopped.
    follower: Mutex<Option<tokio::task::JoinHandle<()>>>,
    lock: Mutex<Option<File>>,
}

impl Driver {
    /// Begins to watch the workspace's folders.
    #[must_use]
    pub fn watch(&self) -> Watch {
        let Self { workspace, rules, store, ingest, events, .. } = self;
        Watch::start(workspace, rules.clone(), store.clone(), ingest.clone(), events.changes())
    }

    /// Stops driving in good order, and gives the right to drive back.
    pub async fn stop(&self) {
        self.ingest.stop().await;
        let follower = self.follower.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(follower) = follower
            && follower.await.is_err()
        {
            tracing::warn!("the follower did not end in good order");
        }
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// A process that was killed a moment ago may hold it still, through a child that it was just starting.
async fn take_lock(folders: &Folders) -> Result<File> {
    for _ in 0..STILL_HELD {
        match lock(folders) {
            Err(error) if error.code == Code::InUse => tokio::time::sleep(Duration::from_millis(100)).await,
            done => return done,
        }
    }
    lock(folders)
}

/// Takes the right to drive.
///
/// # Errors
/// [`Code::InUse`] where another process has it.
pub(super) fn lock(folders: &Folders) -> Result<File> {
    let path = &folders.data.join(LOCK);
    let file = open_private(path).map_err(|error| crate::files::unreadable(path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::new(
            Code::InUse,
            "Another Reeldesk sends files from this data folder.",
            "Use its window, or close it, or choose another folder with --data-dir.",
        )),
        Err(TryLockError::Error(error)) => Err(crate::files::unreadable(path, &error)),
    }
}
