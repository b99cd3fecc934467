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
use reeldesk_core::workspace::{SANDBOX, Settings};
use reeldesk_core::{Code, Driver, Error, Instance, Result, Session};
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;
use ts_rs::TS;

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

/// What S3 may still have of a workspace that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Removed {
    /// Unfinished uploads that could not be aborted.
    pub unfinished: usize,
    /// Objects that may still appear: their last bytes had left.
    pub may_arrive: usize,
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
    /// The process ends: nothing is opened any more.
    is_ending: bool,
}

impl<T: Default> Workspaces<T> {
    /// None yet.
    #[must_use]
    pub fn of(instance: Instance, driving: Driving) -> Self {
        let state = State { open: BTreeMap::new(), failed: BTreeMap::new(), busy: BTreeMap::new(), is_ending: false };
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
        if self.read().is_ending {
            return Err(Error::new(Code::Canceled, "Reeldesk is closing.", "Start it again."));
        }
        let open = Arc::new(self.begin(name).await?);
        {
            let mut state = self.write();
            state.open.insert(name.to_owned(), open.clone());
            state.failed.remove(name);
        }
        self.changed.send_replace(());
        Ok(open)
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

    /// Forgets a workspace, its watch folders, its list of files and its secrets. What it has not sent is given up first, and
    /// removed from S3.
    ///
    /// # Errors
    /// [`Code::InUse`] where another process drives this data folder; when the workspace is not known, or the store or the
    /// settings cannot be written.
    pub async fn remove(&self, name: &str) -> Result<Removed> {
        let (folders, settings) = (self.instance.folders(), Settings::of(self.instance.folders()));
        if name == SANDBOX {
            let remedy = "Delete its folder, \"sandbox\" in the data folder, to empty it.";
            return Err(Error::new(Code::Invalid, "The sandbox cannot be removed.", remedy));
        }
        let gone = settings.get(name)?;
        let _lock = self.instance.claim().await.map_err(|error| match error.code {
            Code::InUse => Error::new(
                Code::InUse,
                format!("Another Reeldesk works on this data folder, perhaps also for \"{name}\"."),
                "Remove the workspace in its window (Workspace, Remove), or stop reelctl first and start it again after it.",
            ),
            _ => error,
        })?;
        let busy = self.busy(name);
        let _busy = busy.lock().await;
        let may_arrive = match self.take(name) {
            Some(open) => {
                open.watch.stop().await;
                open.driver.stop().await;
                let given_up = open.session.give_up_all().await;
                open.session.close().await;
                given_up
            }
            None => match crate::open(&self.instance, name).await {
                Ok(session) => {
                    let given_up = session.give_up_all().await;
                    session.close().await;
                    given_up
                }
                Err(error) => Err(error),
            },
        };
        // Without its credentials it is forgotten all the same, and what S3 has is counted.
        let may_arrive = may_arrive.unwrap_or_else(|error| {
            tracing::warn!(workspace = name, %error, details = error.details, "its uploads could not be removed from S3");
            0
        });
        let unfinished = reeldesk_core::forget_workspace(folders, name).await?;
        settings.remove(name)?;
        credentials::forget(&gone.connection.credentials).await;
        self.changed.send_replace(());
        Ok(Removed { unfinished, may_arrive })
    }

    fn take(&self, name: &str) -> Option<Arc<Open<T>>> {
        let mut state = self.write();
        state.failed.remove(name);
        state.open.remove(name)
    }

    /// Closes a workspace in good order; what it has not finished goes on when it is opened again.
    pub async fn close(&self, name: &str) {
        let busy = self.busy(name);
        let _busy = busy.lock().await;
        if let Some(open) = self.take(name) {
            open.close().await;
        }
        self.changed.send_replace(());
    }

    /// Closes all of them, also those that are being opened; none can be opened from then on.
    pub async fn close_all(&self) {
        let names: Vec<_> = {
            let mut state = self.write();
            state.is_ending = true;
            state.busy.keys().cloned().collect()
        };
        join_all(names.iter().map(|name| self.close(name))).await;
    }

    /// Opens each workspace that has work, now and whenever one gets some, until all are closed.
    pub async fn open_those_at_work(&self) {
        // One that takes long holds up no other one.
        let (mut opening, mut names_of_opening) = (FuturesUnordered::new(), BTreeSet::new());
        let (mut at_work, mut looked_at) = (BTreeSet::new(), None::<Instant>);
        let mut told = None;
        while !self.read().is_ending {
            let is_due = looked_at.is_none_or(|at| at.elapsed() >= TRY_AGAIN_EVERY);
            let asked = if is_due { self.instance.at_work().await } else { self.instance.given_work().await };
            match asked {
                Ok(names) if is_due => {
                    (at_work, looked_at, told) = (names, Some(Instant::now()), None);
                    self.renew_signed_out().await;
                }
                Ok(names) => at_work.extend(names),
                // Once: a settings file that is broken stays so until someone corrects it.
                Err(error) if told.as_ref() != Some(&error) => {
                    tracing::warn!(%error, details = error.details, "it could not be read which workspaces have work");
                    told = Some(error);
                }
                Err(_) => {}
            }
            for name in at_work.iter().filter(|name| self.is_due(name)) {
                if names_of_opening.insert(name.clone()) {
                    opening.push(self.try_to_open(name.clone()));
                }
            }
            tokio::select! {
                Some(opened) = opening.next() => drop(names_of_opening.remove(&opened)),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
        // Who closes all waits for these, and closes them then.
        while opening.next().await.is_some() {}
    }

    /// Where nobody can be asked to sign in, those that wait for it are opened anew: a client keeps the keys that it was
    /// made with, and those of the profile may have been corrected.
    async fn renew_signed_out(&self) {
        if self.driving == Driving::Server {
            let all = self.all();
            let signed_out = all.iter().filter(|open| open.driver.ingest.sign_in_need().now.is_some());
            join_all(signed_out.map(|open| self.close(open.name()))).await;
        }
    }

    fn is_due(&self, name: &str) -> bool {
        let state = self.read();
        let has_just_failed = |(at, _): &(Instant, Error)| at.elapsed() < TRY_AGAIN_EVERY;
        !state.open.contains_key(name) && !state.failed.get(name).is_some_and(has_just_failed)
    }

    async fn try_to_open(&self, name: String) -> String {
        if let Err(error) = self.open(&name).await
            && !self.read().is_ending
        {
            let before = self.write().failed.insert(name.clone(), (Instant::now(), error.clone()));
            if before.is_none_or(|(_, before)| before != error) {
                tracing::warn!(workspace = name, %error, details = error.details, "a workspace with work could not be opened");
                self.changed.send_replace(());
            }
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

#[cfg(test)]
#[cfg(feature = "sandbox")]
mod tests {
    use reeldesk_core::Folders;
    use reeldesk_core::watch::WatchFolder;

    use super::*;

    /// On a data folder whose sandbox has a watch folder, and so has work.
    async fn with_work() -> (Arc<Workspaces<()>>, [tempfile::TempDir; 2]) {
        let (data, watched) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folders = Folders::within(data.path());
        let rules = reeldesk_core::watch_rules(&folders).unwrap();
        rules.put(WatchFolder::of(SANDBOX, watched.path())).await.unwrap();
        (Arc::new(Workspaces::of(Instance::on(&folders), Driving::Server)), [data, watched])
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_closed_at_the_end_stays_closed() {
        let (workspaces, _folders) = with_work().await;
        let mut changes = workspaces.changes();
        let supervisor = tokio::spawn({
            let workspaces = workspaces.clone();
            async move { workspaces.open_those_at_work().await }
        });
        changes.changed().await.unwrap();
        assert!(workspaces.get(SANDBOX).is_some(), "it has work");
        workspaces.close_all().await;
        tokio::time::timeout(TRY_AGAIN_EVERY, supervisor).await.expect("it ends").unwrap();
        assert!(workspaces.all().is_empty());
        assert_eq!(workspaces.open(SANDBOX).await.err().map(|error| error.code), Some(Code::Canceled));
        // All has ended in good order: another process may drive now.
        let other = Instance::on(workspaces.instance().folders());
        other.claim().await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_being_opened_at_the_end_is_closed_too() {
        let (workspaces, _folders) = with_work().await;
        let (_, ()) = tokio::join!(workspaces.open(SANDBOX), async {
            tokio::task::yield_now().await;
            workspaces.close_all().await;
        });
        assert!(workspaces.all().is_empty());
        Instance::on(workspaces.instance().folders()).claim().await.unwrap();
    }
}
