//! What is shown of the watch folders.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use ts_rs::TS;
use uuid::Uuid;

use super::ledger::{Ending, Entry};
use super::rules::{Afterwards, WatchFolder};
use super::tracker::{Aside, State, Tracker};
use crate::Error;
use crate::changes::Changes;
use crate::clock::now_ms;
use crate::files::Incomplete;

/// What this room tells.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A file of a folder was moved or deleted, because its video can be watched.
    Away { path: String, done: Afterwards },
    /// The folders, as they are.
    Folders { folders: Vec<WatchedFolder> },
}

/// Files of a folder that are shown; the others are counted.
const SHOWN: usize = 200;
/// What is shown is renewed this often at most.
const TELL_EVERY: Duration = Duration::from_millis(300);

/// A watch folder as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WatchedFolder {
    /// Its rule.
    pub rule: WatchFolder,
    /// What it is called.
    pub name: String,
    /// Whether it works.
    pub condition: Condition,
    /// Files that are not taken yet.
    pub waiting: usize,
    /// Files that were taken and have not ended.
    pub under_way: usize,
    /// Files that were taken since it is watched.
    pub taken: usize,
    /// Files that were there before, and are left out until they change.
    pub left_out: usize,
    /// What concerns someone first, what ended last; at most 200.
    pub files: Vec<WatchedFile>,
}

/// Whether a watch folder works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Condition {
    /// Someone paused it.
    Paused,
    /// It is looked at for the first time.
    Starting,
    /// The system tells of changes.
    Watching,
    /// It is looked at again and again.
    Polling {
        /// Why, where that can be changed.
        why: Option<Error>,
    },
    /// It is not there, or cannot be read; it goes on by itself when it can.
    Trouble {
        /// Why.
        error: Error,
    },
}

/// A file in a watch folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WatchedFile {
    /// Relative to the folder, with `/` between its parts.
    pub path: String,
    /// Bytes, once it was looked at.
    #[ts(type = "number | null")]
    pub size: Option<u64>,
    /// How far it has come.
    pub state: FileState,
}

/// How far a file has come. The order is that on the screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FileState {
    /// Its video is ready, and it could not be moved or deleted.
    Stuck {
        /// Its journey.
        journey: String,
        /// Why.
        error: Error,
    },
    /// It cannot be read.
    Unreadable {
        /// Why.
        error: Error,
    },
    /// It is still, and not complete.
    Incomplete {
        /// What is missing.
        missing: Incomplete,
    },
    /// A program holds it open.
    Held,
    /// It changes.
    Growing,
    /// It is still.
    Settling {
        /// When it will have been still for long enough, in milliseconds since the epoch.
        #[ts(type = "number")]
        until: i64,
    },
    /// It will be sent when there is room.
    Settled,
    /// It changed while what it was is being sent.
    Sending,
    /// It was taken; its journey says more.
    UnderWay {
        /// Its journey.
        journey: String,
    },
    /// Others are looked at first.
    Unseen,
    /// It has a name that it will lose.
    Temporary,
    /// It is a symbolic link, which is not followed.
    Link,
    /// Its name is not readable text.
    Unnamed,
    /// It is a folder that may not be read.
    Closed,
    /// It has ended.
    Ended {
        /// How.
        ending: Ending,
        /// When it was taken, in milliseconds since the epoch.
        #[ts(type = "number")]
        taken_at: i64,
    },
}

/// What a folder at work holds.
pub(super) struct Contents<'a> {
    pub tracker: &'a Tracker,
    /// What is under way, by its journey.
    pub open: &'a HashMap<String, Entry>,
    /// What could not be moved or deleted, by its journey.
    pub stuck: &'a HashMap<String, Error>,
    /// What ended last.
    pub ended: &'a VecDeque<Entry>,
    /// Files that were taken.
    pub taken: usize,
    /// Files that were there before.
    pub left_out: usize,
}

/// What is shown of all folders; cheap to clone.
#[derive(Clone)]
pub(super) struct View(Arc<Inner>);

struct Inner {
    changes: Changes<Change>,
    folders: Mutex<BTreeMap<Uuid, WatchedFolder>>,
    changed: Notify,
}

impl View {
    pub fn new(changes: Changes<Change>) -> Self {
        Self(Arc::new(Inner { changes, folders: Mutex::default(), changed: Notify::new() }))
    }

    fn folders(&self) -> MutexGuard<'_, BTreeMap<Uuid, WatchedFolder>> {
        self.0.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All folders, by their names.
    pub fn list(&self) -> Vec<WatchedFolder> {
        let mut all: Vec<_> = self.folders().values().cloned().collect();
        all.sort_by(|one, other| one.rule.path.cmp(&other.rule.path));
        all
    }

    /// Tells that a file was moved or deleted.
    pub fn moved_away(&self, file: &Path, done: Afterwards) {
        self.0.changes.tell(Change::Away { path: file.to_string_lossy().into_owned(), done });
    }

    /// Tells of changes, gathered, until `stop`.
    pub async fn tell(&self, stop: CancellationToken) {
        let tell = async {
            loop {
                self.0.changed.notified().await;
                self.0.changes.tell(Change::Folders { folders: self.list() });
                tokio::time::sleep(TELL_EVERY).await;
            }
        };
        tokio::select! {
            () = tell => {}
            () = stop.cancelled() => {}
        }
    }

    /// A folder that holds nothing at the moment; the files that were shown stay where it is in trouble.
    pub fn put(&self, rule: &WatchFolder, condition: Condition) {
        let before = self.folders().get(&rule.id).cloned();
        let files = match &condition {
            Condition::Trouble { .. } => before.map(|before| before.files).unwrap_or_default(),
            _ => Vec::new(),
        };
        self.replace(WatchedFolder {
            name: rule.name(),
            rule: rule.clone(),
            condition,
            waiting: 0,
            under_way: 0,
            taken: 0,
            left_out: 0,
            files,
        });
    }

    /// Keeps these folders only.
    pub fn retain(&self, is_there: impl Fn(Uuid) -> bool) {
        self.folders().retain(|id, _| is_there(*id));
        self.0.changed.notify_one();
    }

    fn replace(&self, folder: WatchedFolder) {
        let mut folders = self.folders();
        if folders.get(&folder.rule.id) != Some(&folder) {
            folders.insert(folder.rule.id, folder);
            drop(folders);
            self.0.changed.notify_one();
        }
    }

    /// A folder at work.
    pub fn show(&self, rule: &WatchFolder, condition: Condition, contents: &Contents<'_>) {
        let Contents { tracker, open, stuck, ended, taken, left_out } = *contents;
        let settle = Duration::from_secs(rule.settle_seconds.into());
        let (unseen, unseen_count) = tracker.unseen();
        let waiting = tracker.candidates().count() + unseen_count;
        let under_way = open.len();
        let file = |path: &str, size: Option<u64>, state: FileState| WatchedFile { path: path.to_owned(), size, state };
        let mut files: Vec<WatchedFile> = tracker
            .candidates()
            .map(|(path, one)| {
                let size = one.stamp.as_ref().map(|stamp| stamp.identity.size);
                file(path, size, of_state(&one.state, one.since + settle))
            })
            .collect();
        files.extend(open.values().filter_map(|entry| {
            let journey = entry.journey.clone()?;
            let state = match stuck.get(&journey) {
                Some(error) => FileState::Stuck { journey, error: error.clone() },
                None => FileState::UnderWay { journey },
            };
            Some(file(&entry.path, Some(entry.identity.size), state))
        }));
        files.extend(tracker.aside.iter().take(SHOWN).map(|(path, (why, _))| file(path, None, of_aside(*why))));
        files.extend(unseen.take(SHOWN).map(|path| file(path, None, FileState::Unseen)));
        files.sort_by(|one, other| one.state.rank().cmp(&other.state.rank()).then_with(|| one.path.cmp(&other.path)));
        // A file that was taken and has changed, or is back, is there twice: what is nearer to its next step is shown.
        let mut shown = HashSet::new();
        files.retain(|file| shown.insert(file.path.clone()));
        files.truncate(SHOWN);
        files.extend(ended.iter().filter_map(|entry| {
            let state = FileState::Ended { ending: entry.ending?, taken_at: entry.taken_at };
            shown.insert(entry.path.clone()).then(|| file(&entry.path, Some(entry.identity.size), state))
        }));
        files.truncate(SHOWN);
        self.replace(WatchedFolder {
            name: rule.name(),
            rule: rule.clone(),
            condition,
            waiting,
            under_way,
            taken,
            left_out,
            files,
        });
    }
}

impl FileState {
    /// What a file waits for, where someone may have to see to it; none for the usual way of things.
    #[must_use]
    pub fn waits_for(&self) -> Option<String> {
        Some(match self {
            Self::Stuck { error, .. } | Self::Unreadable { error } => format!("{} {}", error.message, error.remedy),
            Self::Incomplete { missing: Incomplete::Empty } => "it is empty".to_owned(),
            Self::Incomplete { missing: Incomplete::NoIndex { index } } => format!("it has no {index} yet"),
            Self::Incomplete { missing: Incomplete::Zeros { has, size } } => {
                format!("it is empty from byte {has} of {size} on")
            }
            Self::Incomplete { missing: Incomplete::CutOff { has, wants } } => {
                format!("it is cut off: {has} of at least {wants} bytes are there")
            }
            Self::Held => "a program holds it open for writing".to_owned(),
            Self::Link => "it is a link, which is not followed".to_owned(),
            Self::Unnamed => "its name is not readable text".to_owned(),
            Self::Closed => "it is a folder that may not be read".to_owned(),
            _ => return None,
        })
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Stuck { .. } | Self::Unreadable { .. } => 0,
            Self::Incomplete { .. } => 1,
            Self::Held | Self::Growing | Self::Settling { .. } | Self::Settled | Self::Sending => 2,
            Self::UnderWay { .. } => 3,
            Self::Unseen => 4,
            Self::Temporary => 5,
            Self::Link | Self::Unnamed | Self::Closed => 6,
            Self::Ended { .. } => 7,
        }
    }
}

fn of_state(state: &State, until: Instant) -> FileState {
    match state {
        State::Unseen => FileState::Unseen,
        State::Growing => FileState::Growing,
        State::Settling => {
            let left = i64::try_from(until.saturating_duration_since(Instant::now()).as_millis()).unwrap_or(0);
            // To half a second, so that the same moment is the same number.
            FileState::Settling { until: (now_ms() + left + 250) / 500 * 500 }
        }
        State::Settled => FileState::Settled,
        State::Held => FileState::Held,
        State::Incomplete(missing) => FileState::Incomplete { missing: missing.clone() },
        State::Sending => FileState::Sending,
        State::Unreadable(error) => FileState::Unreadable { error: error.clone() },
    }
}

fn of_aside(why: Aside) -> FileState {
    match why {
        Aside::Temporary => FileState::Temporary,
        Aside::Link => FileState::Link,
        Aside::Unnamed => FileState::Unnamed,
        Aside::Closed => FileState::Closed,
    }
}
