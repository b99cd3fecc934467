//! The workspaces that one process has at work, side by side: each is opened, driven and closed by itself, and one that
//! cannot be opened leaves the others alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use futures::future::join_all;
use futures::stream::{FuturesUnordered, StreamExt as _};
use reeldesk_core::connection::credentials;
use reeldesk_core::ingest::Driving;
use reeldesk_core::watch::Watch;
use reeldesk_core::workspace::Settings;
use reeldesk_core::{Driver, Error, Instance, Result, Session};
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

/// How often it is looked whether another process gave a workspace something to do: two cheap queries.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often one that could not be opened is tried again: a sign-in or a network may have come back.
const TRY_AGAIN_EVERY: Duration = Duration::from_secs(60);

/// A workspace at work. `T` is what the shell keeps beside it.
pub struct Open<T> {
    /// The connection.
    pub session: Session,
    /// Its journeys.
    pub driver: Driver,
    /// Its watch folders.
    pub watch: Watch,
    /// The shell's own.
    pub own: T,
}

impl<T> Open<T> {
    /// The name of the workspace.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.session.workspace.name
    }

    async fn close(&self) {
        self.watch.stop().await;
        self.driver.stop().await;
        self.session.close().await;
    }
}

/// The workspaces of one process.
pub struct Workspaces<T> {
    instance: Instance,
    driving: Driving,
    state: RwLock<State<T>>,
    changed: watch::Sender<()>,
}

struct State<T> {
    open: BTreeMap<String, Arc<Open<T>>>,
    failed: BTreeMap<String, (Instant, Error)>,
    /// Held while a workspace is opened or closed: each waits for its own only.
    busy: BTreeMap<String, Arc<Mutex<()>>>,
}

impl<T: Default> Workspaces<T> {
    /// None yet.
    #[must_use]
    pub fn of(instance: Instance, driving: Driving) -> Self {
        let state = State { open: BTreeMap::new(), failed: BTreeMap::new(), busy: BTreeMap::new() };
        Self { instance, driving, state: RwLock::new(state), changed: watch::Sender::new(()) }
    }

    /// What they share.
    #[must_use]
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Wakes whenever one was opened or closed, or could not be opened.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// One that is open.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<Open<T>>> {
        self.read().open.get(name).cloned()
    }

    /// All that are open, by their names.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Open<T>>> {
        self.read().open.values().cloned().collect()
    }

    /// Those that could not be opened, and why.
    #[must_use]
    pub fn failed(&self) -> BTreeMap<String, Error> {
        self.read().failed.iter().map(|(name, (_, error))| (name.clone(), error.clone())).collect()
    }

    /// Opens a workspace; one that is open stays as it is.
    ///
    /// # Errors
    /// As [`crate::open`] and [`Session::drive`].
    pub async fn open(&self, name: &str) -> Result<Arc<Open<T>>> {
        let busy = self.busy(name);
        let _busy = busy.lock().await;
        if let Some(open) = self.get(name) {
            return Ok(open);
        }
        let opened = self.begin(name).await.map(Arc::new);
        {
            let mut state = self.write();
            match &opened {
                Ok(open) => {
                    state.open.insert(name.to_owned(), open.clone());
                    state.failed.remove(name);
                }
                Err(error) => {
                    state.failed.insert(name.to_owned(), (Instant::now(), error.clone()));
                }
            }
        }
        self.changed.send_replace(());
        opened
    }

    async fn begin(&self, name: &str) -> Result<Open<T>> {
        let session = crate::open(&self.instance, name).await?;
        match session.drive(self.driving).await {
            Ok(driver) => Ok(Open { watch: driver.watch(), session, driver, own: T::default() }),
            Err(error) => {
                session.close().await;
                Err(error)
            }
        }
    }

    /// Forgets a workspace, its watch folders, its list of files and its secrets. What it is sending is given up first, and
    /// removed from S3; answers how many unfinished uploads S3 still has, where it could not be reached.
    ///
    /// # Errors
    /// When the workspace is not known, or the store or the settings cannot be written.
    pub async fn remove(&self, name: &str) -> Result<usize> {
        let (folders, settings) = (self.instance.folders(), Settings::of(self.instance.folders()));
        let gone = settings.get(name)?;
        let busy = self.busy(name);
        let _busy = busy.lock().await;
        let open = match self.get(name) {
            Some(open) => Some(open),
            // Without its credentials it is forgotten all the same.
            None => self.begin(name).await.ok().map(Arc::new),
        };
        let mut left = 0;
        if let Some(open) = &open {
            open.watch.stop().await;
            left = open.driver.ingest.give_up_all().await?;
            open.close().await;
            self.write().open.remove(name);
        }
        reeldesk_core::forget_workspace(folders, name).await?;
        settings.remove(name)?;
        credentials::forget(&gone.connection.credentials).await;
        self.write().failed.remove(name);
        self.changed.send_replace(());
        Ok(left)
    }

    /// Closes a workspace in good order; what it has not finished goes on when it is opened again.
    pub async fn close(&self, name: &str) {
        let busy = self.busy(name);
        let _busy = busy.lock().await;
        let open = {
            let mut state = self.write();
            state.failed.remove(name);
            state.open.remove(name)
        };
        if let Some(open) = open {
            open.close().await;
        }
        self.changed.send_replace(());
    }

    /// Closes all of them.
    pub async fn close_all(&self) {
        let names: Vec<_> = self.read().open.keys().cloned().collect();
        join_all(names.iter().map(|name| self.close(name))).await;
    }

    /// Opens each workspace that has work, now and whenever one gets some; never ends.
    pub async fn open_those_at_work(&self) {
        // One that takes long holds up no other one.
        let (mut opening, mut names_of_opening) = (FuturesUnordered::new(), BTreeSet::new());
        let mut left = read(self.instance.at_work().await);
        loop {
            left.extend(read(self.instance.given_work().await));
            left.retain(|name| self.get(name).is_none());
            for name in left.iter().filter(|name| self.is_due(name)) {
                if names_of_opening.insert(name.clone()) {
                    opening.push(self.try_to_open(name.clone()));
                }
            }
            tokio::select! {
                Some(opened) = opening.next() => drop(names_of_opening.remove(&opened)),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    fn is_due(&self, name: &str) -> bool {
        let state = self.read();
        let has_just_failed = |(at, _): &(Instant, Error)| at.elapsed() < TRY_AGAIN_EVERY;
        !state.failed.get(name).is_some_and(has_just_failed)
    }

    async fn try_to_open(&self, name: String) -> String {
        if let Err(error) = self.open(&name).await {
            tracing::warn!(workspace = name, %error, details = error.details, "a workspace with work could not be opened");
        }
        name
    }

    fn busy(&self, name: &str) -> Arc<Mutex<()>> {
        self.write().busy.entry(name.to_owned()).or_default().clone()
    }

    fn read(&self) -> RwLockReadGuard<'_, State<T>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State<T>> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(names: Result<BTreeSet<String>>) -> BTreeSet<String> {
    names.unwrap_or_else(|error| {
        tracing::warn!(%error, "it could not be read which workspaces have work");
        BTreeSet::new()
    })
}
