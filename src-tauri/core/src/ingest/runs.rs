//! The runs of journeys: one task moves a journey at a time, and one command.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// All runs, and the tasks that they are.
#[derive(Default)]
pub(super) struct Runs {
    /// Stops all of them.
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
    running: Mutex<HashMap<String, Running>>,
    begun: AtomicU64,
    /// Whoever moves a journey by someone's command holds its lock: one at a time.
    owners: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// A run, as who wants to stop it knows it.
#[derive(Clone)]
struct Running {
    number: u64,
    stop: CancellationToken,
    ended: CancellationToken,
}

/// A run, as its task knows it; it has ended when this is dropped.
pub(super) struct Run {
    pub stop: CancellationToken,
    number: u64,
    before: Option<Running>,
    _ended: DropGuard,
}

impl Run {
    /// Ends the run before it, and waits for that.
    pub async fn after_the_one_before(&self) {
        if let Some(before) = &self.before {
            before.stop.cancel();
            before.ended.cancelled().await;
        }
    }
}

impl Runs {
    /// Begins a run of a journey.
    pub fn begin(&self, id: &str) -> Run {
        let (stop, ended) = (self.stop.child_token(), CancellationToken::new());
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let running = Running { number, stop: stop.clone(), ended: ended.clone() };
        let before = self.running().insert(id.to_owned(), running);
        Run { stop, number, before, _ended: ended.drop_guard() }
    }

    /// A run has come to its end.
    pub fn end(&self, id: &str, run: Run) {
        self.forget(id, run.number);
    }

    /// Stops the run of a journey, and waits until it has ended.
    pub async fn halt(&self, id: &str) {
        loop {
            let Some(run) = self.running().get(id).cloned() else { return };
            run.stop.cancel();
            run.ended.cancelled().await;
            self.forget(id, run.number);
        }
    }

    /// The right to move a journey by someone's command.
    pub async fn owner(&self, id: &str) -> OwnedMutexGuard<()> {
        let owner = {
            let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
            owners.retain(|_, owner| Arc::strong_count(owner) > 1);
            owners.entry(id.to_owned()).or_default().clone()
        };
        owner.lock_owned().await
    }

    fn forget(&self, id: &str, number: u64) {
        let mut running = self.running();
        if running.get(id).is_some_and(|run| run.number == number) {
            running.remove(id);
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
