//! What is being done in a workspace at someone's word, one thing at a time, with its stop: an action on viewers, and a
//! comparison of the ways to the bucket.

use std::sync::{Mutex, MutexGuard, PoisonError};

use reeldesk_core::{Code, Error, Result};
use tokio_util::sync::{CancellationToken, DropGuard};

/// What is being done in one workspace.
#[derive(Default)]
pub(crate) struct Runs {
    /// What is being done with its viewers.
    pub viewers: Slot,
    /// What is being done with its videos.
    pub videos: Slot,
    /// Stops the comparison that runs, if one does.
    comparison: Mutex<CancellationToken>,
}

/// One thing at a time: a second one could neither be seen nor stopped beside it.
#[derive(Default)]
pub(crate) struct Slot(Mutex<Option<Run>>);

#[derive(Clone)]
struct Run {
    stop: CancellationToken,
    ended: CancellationToken,
}

/// The right to do something; it ends when dropped.
pub(crate) struct Running {
    pub stop: CancellationToken,
    _ended: DropGuard,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Slot {
    /// Begins something; `with` says with what, such as `viewers`.
    ///
    /// # Errors
    /// [`Code::InUse`] while something else is being done.
    pub fn begin(&self, with: &str) -> Result<Running> {
        let mut run = lock(&self.0);
        if run.as_ref().is_some_and(|run| !run.ended.is_cancelled()) {
            let what = format!("Another action on {with} is still running.");
            return Err(Error::new(Code::InUse, what, "Wait until it ends, or stop it."));
        }
        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
        *run = Some(Run { stop: stop.clone(), ended: ended.clone() });
        Ok(Running { stop, _ended: ended.drop_guard() })
    }

    /// Asks it to end.
    pub fn stop(&self) {
        if let Some(run) = lock(&self.0).as_ref() {
            run.stop.cancel();
        }
    }

    /// Ends it, after what is on its way.
    async fn end(&self) {
        self.stop();
        let run = lock(&self.0).clone();
        if let Some(run) = run {
            run.ended.cancelled().await;
        }
    }
}

impl Runs {
    /// What stops the comparison that begins now; one that runs stops.
    pub fn begin_comparison(&self) -> CancellationToken {
        let stop = CancellationToken::new();
        std::mem::replace(&mut *lock(&self.comparison), stop.clone()).cancel();
        stop
    }

    pub fn stop_comparison(&self) {
        lock(&self.comparison).cancel();
    }

    /// Ends all of it, after the viewers and videos that are on their way.
    pub async fn end(&self) {
        self.stop_comparison();
        self.viewers.end().await;
        self.videos.end().await;
    }
}
