//! Driving: one process at a time moves the journeys of a data folder, of as many workspaces as it has at work.

use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};

use super::Session;
use super::instance::Instance;
use crate::Result;
use crate::ingest::{Driving, Ingest};
use crate::store::Store;
use crate::watch::{Rules, Watch};

impl Session {
    /// Begins to drive this workspace's journeys, taking up the unfinished ones.
    ///
    /// # Errors
    /// [`Code::InUse`](crate::Code::InUse) when another process drives the journeys of this data folder.
    pub async fn drive(&self, driving: Driving) -> Result<Driver> {
        let lock = self.instance.wait_for_lock().await?;
        let store = self.instance.store()?;
        let ingest = self.ingest(store.clone(), driving).await?;
        let follower = tokio::spawn({
            let ingest = ingest.clone();
            async move {
                tokio::join!(
                    ingest.follow(),
                    ingest.keep_mirror(),
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
            rules: Rules::new(store.clone(), self.instance.folders().clone()),
            store,
            instance: self.instance.clone(),
            follower: Mutex::new(Some(follower)),
            lock: Mutex::new(Some(lock)),
        })
    }
}

/// The right to drive a workspace's journeys, and the journeys.
pub struct Driver {
    /// The journeys.
    pub ingest: Ingest,
    workspace: String,
    store: Store,
    rules: Rules,
    instance: Instance,
    /// None once it was stopped.
    follower: Mutex<Option<tokio::task::JoinHandle<()>>>,
    lock: Mutex<Option<Arc<File>>>,
}

impl Driver {
    /// Begins to watch the workspace's folders.
    #[must_use]
    pub fn watch(&self) -> Watch {
        let Self { workspace, rules, store, ingest, instance, .. } = self;
        let changes = instance.events().changes(workspace);
        Watch::start(workspace, rules.clone(), store.clone(), ingest.clone(), changes)
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
