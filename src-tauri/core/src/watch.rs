//! Watch folders: put a finished file there and it becomes a stream, once.
//!
//! Notifications of the system are hints; looks at the disk are the truth (`scan`). A file is taken when it has been
//! still for a while (`tracker`, `stamp`), nobody writes it and nothing of it is missing (`container`). What
//! was taken is written in the transaction that makes its journey (`ledger`), so that a kill at any moment leaves both
//! or none.

mod afterwards;
mod filter;
mod folder;
mod fs_events;
mod ledger;
mod names;
mod nesting;
mod pattern;
mod preview;
mod rules;
mod scan;
mod settled;
mod stamp;
mod tracker;
mod view;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::folder::{Folder, FolderMessage};
pub use self::ledger::Ending;
use self::ledger::Ledger;
pub use self::preview::{Preview, PreviewFile};
pub use self::rules::{Afterwards, Changed, DONE, Existing, Rules, WatchFolder};
pub(crate) use self::view::Change;
use self::view::View;
pub use self::view::{Condition, FileState, WatchedFile, WatchedFolder};
use crate::changes::Changes;
use crate::ingest::{self, Ingest, Stage};
use crate::store::Store;
use crate::{Code, Error, Result};

/// How long a folder may take to end its step.
const ENDS_WITHIN: Duration = Duration::from_secs(15);
/// How often it is looked whether another process changed the rules; one cheap pragma.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What the watch folders are at, in one line for the system's tray; none where nothing is watched.
#[must_use]
pub fn in_words(folders: &[WatchedFolder]) -> Option<String> {
    let count = |is: fn(&Condition) -> bool| folders.iter().filter(|folder| is(&folder.condition)).count();
    let at_work = count(|one| matches!(one, Condition::Watching | Condition::Polling { .. } | Condition::Starting));
    let troubled = count(|one| matches!(one, Condition::Trouble { .. }));
    let paused = count(|one| matches!(one, Condition::Paused));
    let under_way: usize = folders.iter().map(|folder| folder.under_way + folder.waiting).sum();
    let mut words = match (at_work, troubled, paused) {
        (0, 0, 0) => return None,
        (0, 0, _) => return Some("Watch folders are paused".to_owned()),
        (1, ..) => "Watching 1 folder".to_owned(),
        (many, ..) => format!("Watching {many} folders"),
    };
    if under_way > 0 {
        words += &format!(", {under_way} on the way");
    }
    if troubled > 0 {
        words += &format!(", {troubled} not there");
    }
    Some(words)
}

type Orders = Arc<Mutex<HashMap<Uuid, mpsc::UnboundedSender<FolderMessage>>>>;

/// The watch folders of one workspace at work.
pub struct Watch {
    rules: Rules,
    view: View,
    orders: Orders,
    changed: Arc<Notify>,
    stop: CancellationToken,
    /// None once it was stopped.
    task: Mutex<Option<JoinHandle<()>>>,
}

/// A folder at work.
struct Running {
    rule: WatchFolder,
    barred: Vec<PathBuf>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Watch {
    /// Begins to watch the folders of a workspace, handing files over to `ingest`.
    #[must_use]
    pub(crate) fn start(workspace: &str, rules: Rules, store: Store, ingest: Ingest, changes: Changes<Change>) -> Self {
        let (view, orders) = (View::new(changes), Orders::default());
        let (stop, changed) = (CancellationToken::new(), Arc::new(Notify::new()));
        let supervisor = Supervisor {
            workspace: workspace.to_owned(),
            rules: rules.clone(),
            store,
            ingest,
            view: view.clone(),
            orders: orders.clone(),
            running: HashMap::new(),
            all: None,
            stages: HashMap::new(),
        };
        let task = tokio::spawn(supervisor.run(changed.clone(), stop.clone()));
        Self { rules, view, orders, changed, stop, task: Mutex::new(Some(task)) }
    }

    /// The watch folders of the workspace.
    #[must_use]
    pub fn folders(&self) -> Vec<WatchedFolder> {
        self.view.list()
    }

    /// Adds a watch folder or changes one.
    ///
    /// # Errors
    /// As [`Rules::put`].
    pub async fn put(&self, rule: WatchFolder) -> Result<WatchFolder> {
        let rule = self.rules.put(rule).await?;
        self.changed.notify_one();
        Ok(rule)
    }

    /// Takes the disk that is there now for the one of this folder.
    ///
    /// # Errors
    /// When the folder is not known or cannot be read, or the store cannot be written.
    pub async fn accept(&self, id: Uuid) -> Result<()> {
        let rule = self.rules.find(&id.to_string()).await?;
        self.rules.accept(&rule).await
    }

    /// Pauses all watch folders of the workspace, or resumes them.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn pause_all(&self, paused: bool) -> Result<()> {
        for folder in self.folders() {
            self.rules.put(WatchFolder { paused, ..folder.rule }).await?;
        }
        self.changed.notify_one();
        Ok(())
    }

    /// The rules of all workspaces.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Removes a watch folder; files and videos stay.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn remove(&self, id: Uuid) -> Result<()> {
        self.rules.remove(id).await?;
        self.changed.notify_one();
        Ok(())
    }

    /// Takes a file as it is, though it does not look finished.
    ///
    /// # Errors
    /// When its folder is not watched at the moment.
    pub fn insist(&self, id: Uuid, path: String) -> Result<()> {
        let orders = lock(&self.orders);
        let told = orders.get(&id).is_some_and(|folder| folder.send(FolderMessage::Insist(path)).is_ok());
        told.then_some(()).ok_or_else(|| {
            Error::new(Code::NotFound, "This folder is not watched at the moment.", "Resume it, then try again.")
        })
    }

    /// What a rule would do with the files that are there.
    ///
    /// # Errors
    /// When a field of the rule is wrong, or its folder cannot be read.
    pub async fn preview(&self, rule: WatchFolder) -> Result<Preview> {
        let barred = self.rules.barred(&rule).await?;
        preview::preview(rule, barred).await
    }

    /// Stops in good order; the next start goes on.
    pub async fn stop(&self) {
        self.stop.cancel();
        let task = lock(&self.task).take();
        if let Some(task) = task
            && task.await.is_err()
        {
            tracing::warn!("the watch folders did not end in good order");
        }
    }
}

/// Waits until a folder has ended its step, but not for a disk that does not answer.
async fn ended(mut task: JoinHandle<()>) {
    match tokio::time::timeout(ENDS_WITHIN, &mut task).await {
        Ok(Ok(())) => {}
        Ok(Err(_)) => tracing::warn!("a watch folder did not end in good order"),
        Err(_) => {
            tracing::warn!("a watch folder does not end: its disk does not answer");
            task.abort();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Supervisor {
    workspace: String,
    rules: Rules,
    store: Store,
    ingest: Ingest,
    view: View,
    orders: Orders,
    running: HashMap<Uuid, Running>,
    /// The rules of all workspaces, as they were taken in last.
    all: Option<Vec<WatchFolder>>,
    /// The stages that were told to the folders.
    stages: HashMap<String, Stage>,
}

impl Supervisor {
    async fn run(mut self, changed: Arc<Notify>, stop: CancellationToken) {
        let mut heard = self.ingest.subscribe();
        let telling = tokio::spawn({
            let (view, stop) = (self.view.clone(), stop.clone());
            async move { view.tell(stop).await }
        });
        self.read_rules(&stop).await;
        let mut version = None;
        let mut beat = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                change = heard.recv() => match change {
                    Ok(change) => self.hear(change),
                    Err(RecvError::Lagged(_)) => self.recheck(),
                    Err(RecvError::Closed) => break,
                },
                () = changed.notified() => self.read_rules(&stop).await,
                _ = beat.tick() => {
                    let now = self.store.call(|db| Ok(db.pragma_query_value(None, "data_version", |row| row.get(0))?));
                    let now: Option<i64> = now.await.ok();
                    if std::mem::replace(&mut version, now) != now {
                        self.read_rules(&stop).await;
                    }
                }
                () = stop.cancelled() => break,
            }
        }
        stop.cancel();
        for (_, running) in self.running.drain() {
            ended(running.task).await;
        }
        telling.await.ok();
    }

    /// Starts, restarts and stops folders, so that what works is what the rules say.
    async fn read_rules(&mut self, stop: &CancellationToken) {
        let all = match self.rules.all().await {
            Ok(all) => all,
            Err(error) => return tracing::warn!(details = error.details, "the watch folders could not be read"),
        };
        // Most of what others write into the store is no rule; where folders lie is asked of disks that may be slow.
        if self.all.as_ref() == Some(&all) {
            return;
        }
        let own: Vec<_> = all.iter().filter(|rule| rule.workspace == self.workspace).collect();
        let gone: Vec<Uuid> =
            self.running.keys().filter(|id| !own.iter().any(|rule| rule.id == **id)).copied().collect();
        for id in gone {
            self.end(id).await;
        }
        self.view.retain(|id| own.iter().any(|rule| rule.id == id));
        for rule in own {
            let barred = match self.rules.barred(rule).await {
                Ok(barred) => barred,
                Err(error) => return tracing::warn!(details = error.details, "the watch folders could not be read"),
            };
            let is_same = |running: &Running| running.rule == *rule && running.barred == barred;
            if !self.running.get(&rule.id).is_some_and(is_same) {
                self.end(rule.id).await;
                self.begin(rule.clone(), barred, stop);
            }
        }
        self.all = Some(all);
    }

    fn begin(&mut self, rule: WatchFolder, barred: Vec<PathBuf>, stop: &CancellationToken) {
        let (tell, orders) = mpsc::unbounded_channel();
        let stop = stop.child_token();
        self.view.put(&rule, Condition::Starting);
        let task = tokio::spawn(Folder::watch(
            rule.clone(),
            barred.clone(),
            Ledger::new(self.store.clone(), rule.id),
            self.ingest.clone(),
            self.view.clone(),
            orders,
            stop.clone(),
        ));
        lock(&self.orders).insert(rule.id, tell);
        self.running.insert(rule.id, Running { rule, barred, stop, task });
    }

    async fn end(&mut self, id: Uuid) {
        lock(&self.orders).remove(&id);
        if let Some(running) = self.running.remove(&id) {
            running.stop.cancel();
            ended(running.task).await;
        }
    }

    fn hear(&mut self, change: ingest::Change) {
        match change {
            ingest::Change::Journey { journey } => {
                let Some(folder) = journey.watch_folder.as_deref().and_then(|id| Uuid::parse_str(id).ok()) else {
                    return;
                };
                // What was skipped waits for its twin, and is told again then.
                let is_told = self.stages.get(&journey.id) == Some(&journey.stage) && journey.hls_url.is_none();
                if is_told {
                    return;
                }
                if journey.stage.is_open() || journey.stage == Stage::NeedsYou {
                    self.stages.insert(journey.id.clone(), journey.stage);
                } else {
                    self.stages.remove(&journey.id);
                }
                if let Some(folder) = lock(&self.orders).get(&folder) {
                    folder.send(FolderMessage::Journey(journey)).ok();
                }
            }
            ingest::Change::Resync => self.recheck(),
            _ => {}
        }
    }

    fn recheck(&self) {
        for folder in lock(&self.orders).values() {
            folder.send(FolderMessage::Recheck).ok();
        }
    }
}
