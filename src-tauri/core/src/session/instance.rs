//! One running Reeldesk on a data folder: what all workspaces that it has at work share.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OnceCell, broadcast};

use super::{STORE, make};
use crate::clock::now_ms;
use crate::event::{Events, WorkspaceEvent};
use crate::folders::{Folders, open_private};
use crate::ingest::{self, Pacer};
use crate::store::Store;
use crate::upload::{Limit, owners_of_aborts};
use crate::watch::Rules;
use crate::workspace::Settings;
use crate::{Code, Error, Result};

/// Held by the process that drives the journeys of a data folder.
const LOCK: &str = "uploads.lock";
/// Tenths of a second that it is asked for.
const STILL_HELD: u32 = 10;
/// What could not be aborted for so long is left to those who look for unfinished uploads.
const ABORTS_FOR_MS: i64 = 24 * 3600 * 1000;

/// One running Reeldesk on a data folder; cheap to clone.
#[derive(Clone)]
pub struct Instance(Arc<Shared>);

struct Shared {
    folders: Folders,
    events: Events,
    /// The right to drive, while a workspace has it.
    lock: Mutex<Weak<File>>,
    pacer: OnceCell<Pacer>,
    /// For what is asked of all workspaces.
    store: OnceCell<Store>,
}

/// The right to drive the journeys of a data folder, until it is dropped.
pub struct DrivingLock(#[expect(dead_code, reason = "it is held")] Arc<File>);

impl Instance {
    /// A Reeldesk on this data folder.
    #[must_use]
    pub fn on(folders: &Folders) -> Self {
        Self(Arc::new(Shared {
            folders: folders.clone(),
            events: Events::default(),
            lock: Mutex::default(),
            pacer: OnceCell::new(),
            store: OnceCell::new(),
        }))
    }

    /// Where it keeps its things.
    #[must_use]
    pub fn folders(&self) -> &Folders {
        &self.0.folders
    }

    /// Hears what happens in all workspaces from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<WorkspaceEvent> {
        self.0.events.subscribe()
    }

    /// The names of the workspaces that have work by themselves: files on their way or followed, active watch folders,
    /// commands of another process, and what is to be removed from S3.
    ///
    /// # Errors
    /// When the store or the settings cannot be read.
    pub async fn at_work(&self) -> Result<BTreeSet<String>> {
        let store = self.own_store().await?;
        let mut names = ingest::workspaces_on_their_way(store).await?;
        names.extend(owners_of_aborts(store, now_ms() - ABORTS_FOR_MS).await?);
        Ok(names.into_iter().chain(self.given_work().await?).collect())
    }

    /// Those of them that may get work without being open: by a watch folder or a command of another process.
    ///
    /// # Errors
    /// When the store or the settings cannot be read.
    pub async fn given_work(&self) -> Result<BTreeSet<String>> {
        // While the settings cannot be read nothing is opened by them: to open one would move them aside in silence.
        Settings::of(&self.0.folders).names()?;
        let store = self.own_store().await?;
        let mut names = ingest::workspaces_with_commands(store).await?;
        let rules = Rules::new(store.clone(), self.0.folders.clone()).all().await?;
        names.extend(rules.into_iter().filter(|rule| !rule.paused).map(|rule| rule.workspace));
        Ok(names.into_iter().collect())
    }

    /// Takes the right to drive for longer than any workspace is open.
    ///
    /// # Errors
    /// [`Code::InUse`] where another process has it.
    pub async fn claim(&self) -> Result<DrivingLock> {
        make(&self.0.folders.data)?;
        self.wait_for_lock().await.map(DrivingLock)
    }

    async fn own_store(&self) -> Result<&Store> {
        let open = || async {
            make(&self.0.folders.data)?;
            self.store()
        };
        self.0.store.get_or_try_init(open).await
    }

    pub(super) fn events(&self) -> &Events {
        &self.0.events
    }

    /// The store; each has a connection of its own, so that none holds up another.
    pub(super) fn store(&self) -> Result<Store> {
        Store::open(&self.0.folders.data.join(STORE))
    }

    /// What keeps the uploads of all workspaces to the bandwidth limits.
    pub(super) async fn pacer(&self) -> Result<Pacer> {
        let load = || async { Pacer::load(self.own_store().await?.clone(), Limit::default()).await };
        self.0.pacer.get_or_try_init(load).await.cloned()
    }

    /// Takes the right to drive, which all workspaces of this process share. A process that was killed a moment ago may
    /// hold it still, through a child that it was just starting.
    ///
    /// # Errors
    /// [`Code::InUse`] where another process has it.
    pub(super) async fn wait_for_lock(&self) -> Result<Arc<File>> {
        for _ in 0..STILL_HELD {
            match self.lock() {
                Err(error) if error.code == Code::InUse => tokio::time::sleep(Duration::from_millis(100)).await,
                done => return done,
            }
        }
        self.lock()
    }

    /// Takes the right to drive.
    ///
    /// # Errors
    /// [`Code::InUse`] where another process has it.
    pub(super) fn lock(&self) -> Result<Arc<File>> {
        let mut held = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = held.upgrade() {
            return Ok(held);
        }
        let path = &self.0.folders.data.join(LOCK);
        let file = open_private(path).map_err(|error| crate::files::unreadable(path, &error))?;
        match file.try_lock() {
            Ok(()) => {
                let file = Arc::new(file);
                *held = Arc::downgrade(&file);
                Ok(file)
            }
            Err(TryLockError::WouldBlock) => Err(Error::new(
                Code::InUse,
                "Another Reeldesk sends files from this data folder.",
                "Use its window, or close it, or choose another folder with --data-dir.",
            )),
            Err(TryLockError::Error(error)) => Err(crate::files::unreadable(path, &error)),
        }
    }
}
