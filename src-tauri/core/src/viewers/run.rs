//! The same act on many viewers, at the pool's quotas, and back again.

use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use ts_rs::TS;

use super::Change;
use super::Viewers;
use super::action::ViewerAction;
use super::audit::{ActionOutcome, Undo, new_run};
use super::mirror::Query;
use super::quota::Quota;
use crate::{Code, Result};

/// So many take long enough to look elsewhere meanwhile.
const MANY: usize = 20;
/// Acts that are on their way at the same time.
const AT_ONCE: usize = 4;

/// With whom something is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Selection {
    /// Those of these user names, or addresses where the pool knows them by address.
    These {
        /// Their names.
        usernames: Vec<String>,
    },
    /// All that a query finds in the copy of the pool.
    Matching {
        /// The query.
        query: Query,
    },
}

/// What became of one viewer.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ActionResult {
    /// The user name.
    pub username: String,
    /// The address.
    pub whom: String,
    /// How it ended.
    pub outcome: ActionOutcome,
}

/// What became of all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunSummary {
    /// The name of the run, to undo it by.
    pub run: String,
    /// All that were meant.
    pub of: usize,
    /// Done.
    pub done: usize,
    /// It was so already.
    pub unchanged: usize,
    /// It could not be done.
    pub failed: usize,
    /// Whether what was done can be undone.
    pub can_be_undone: bool,
}

impl RunSummary {
    fn count(&mut self, outcome: &ActionOutcome) {
        match outcome {
            ActionOutcome::Done => self.done += 1,
            ActionOutcome::Unchanged => self.unchanged += 1,
            ActionOutcome::Failed { .. } => self.failed += 1,
        }
    }
}

/// One act with one viewer.
struct Task {
    username: String,
    whom: String,
    act: ViewerAction,
    /// The line of the log that it undoes.
    undoes: Option<i64>,
}

impl Viewers {
    /// Does the same with each of them, and tells of each as it is done. It ends early when it is stopped, or when the
    /// pool may send no more mail today: those that are left were not touched.
    ///
    /// # Errors
    /// When the store cannot be used; what goes wrong with one of them is told of that one.
    pub async fn act(
        &self,
        selection: Selection,
        act: &ViewerAction,
        stop: &CancellationToken,
        tell: impl Fn(&ActionResult),
    ) -> Result<RunSummary> {
        let chosen = match selection {
            Selection::These { usernames } => self.mirror.addresses(usernames).await?,
            Selection::Matching { query } => self.mirror.who(query).await?,
        };
        let task = |(username, whom)| Task { username, whom, act: act.clone(), undoes: None };
        self.run(chosen.into_iter().map(task).collect(), stop, tell).await
    }

    /// Undoes what a run did, where that can be.
    ///
    /// # Errors
    /// When the store cannot be used; what goes wrong with one of them is told of that one.
    pub async fn undo(&self, run: &str, stop: &CancellationToken, tell: impl Fn(&ActionResult)) -> Result<RunSummary> {
        let undone = self.log.undoable(run).await?.into_iter();
        let task = |Undo { id, username, whom, inverse }| Task { username, whom, act: inverse, undoes: Some(id) };
        self.run(undone.map(task).collect(), stop, tell).await
    }

    async fn run(
        &self,
        tasks: Vec<Task>,
        stop: &CancellationToken,
        tell: impl Fn(&ActionResult),
    ) -> Result<RunSummary> {
        let (quota, run) = (Quota::of_acts(), new_run());
        let mut summary = RunSummary { of: tasks.len(), ..RunSummary::default() };
        let one = |task: Task| {
            let (quota, run) = (&quota, run.as_str());
            async move {
                if stop.is_cancelled() {
                    return Ok(None);
                }
                let Task { username, whom, act, undoes } = task;
                let outcome = self.act_on(quota, run, &username, &whom, &act).await?;
                if let (Some(id), ActionOutcome::Done | ActionOutcome::Unchanged) = (undoes, &outcome) {
                    self.log.undone(id).await?;
                }
                Ok(Some(ActionResult { username, whom, outcome }))
            }
        };
        let mut done = futures::stream::iter(tasks).map(one).buffer_unordered(AT_ONCE);
        while let Some(acted) = done.next().await {
            let acted: Result<Option<ActionResult>> = acted;
            let Some(acted) = acted? else { continue };
            summary.count(&acted.outcome);
            if matches!(&acted.outcome, ActionOutcome::Failed { error } if error.code == Code::Quota) {
                stop.cancel();
            }
            tell(&acted);
        }
        drop(done);
        summary.can_be_undone = !self.log.undoable(&run).await?.is_empty();
        summary.run = run;
        self.tell_ended(summary.of, summary.done + summary.unchanged, summary.failed);
        Ok(summary)
    }

    /// Tells the screen that something has ended; of many also those who look elsewhere.
    pub(super) fn tell_ended(&self, of: usize, done: usize, failed: usize) {
        self.tell_changed();
        if of >= MANY {
            self.changes.tell(Change::RunEnded { of, done, failed });
        }
    }
}
