//! What the shells hear, put together from what each room tells: whole values, never deltas.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use ts_rs::TS;

use crate::catalog::Filling;
use crate::changes::Changes;
use crate::ingest::{BatchSummary, Journey, Limits};
use crate::viewers::Reading;
use crate::watch::{Afterwards, WatchedFolder};
use crate::{catalog, ingest, live, viewers, watch};

/// Something that the screen shows has changed.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event {
    /// A journey, as it is now.
    Journey {
        /// All of it.
        journey: Box<Journey>,
    },
    /// All of a batch has ended.
    BatchEnded {
        /// How.
        summary: BatchSummary,
    },
    /// The mirror of the catalog was compared with the table, or has changed.
    Catalog {
        /// When, in milliseconds since the epoch.
        #[ts(type = "number")]
        read_at: i64,
    },
    /// The catalog is being read through, or was.
    CatalogFilling {
        /// How far the first reading has come, while it goes on.
        filling: Option<Filling>,
        /// Why the last reading failed.
        error: Option<crate::Error>,
    },
    /// Videos were changed here.
    Edited,
    /// The copy of the jobs was compared with MediaConvert, or has changed.
    Jobs {
        /// When, in milliseconds since the epoch.
        #[ts(type = "number")]
        read_at: i64,
    },
    /// A file of a watch folder was moved or deleted, because its video can be watched.
    #[serde(rename_all = "camelCase")]
    Away {
        /// The file, where it was.
        path: String,
        /// What was done.
        done: Afterwards,
    },
    /// The watch folders, as they are.
    Watch {
        /// All of them.
        folders: Vec<WatchedFolder>,
    },
    /// The copy of the user pool has changed.
    Viewers {
        /// How far its reading has come, while it is read.
        reading: Option<Reading>,
    },
    /// Something was done with many, and has ended.
    RunEnded {
        /// With whom or what.
        subject: RunSubject,
        /// How many were meant.
        of: usize,
        /// With how many it was done, or was so already.
        done: usize,
        /// With how many it could not be done.
        failed: usize,
    },
    /// AWS could not be asked: what is shown is older than it looks; none when it answers again.
    Unreachable {
        /// Why.
        error: Option<crate::Error>,
    },
    /// The credentials are no longer accepted: all sending waits for a sign-in; none when it goes on.
    SignIn {
        /// What AWS said.
        error: Option<crate::Error>,
    },
    /// The credentials end soon and cannot be renewed by themselves; none when they do not any more.
    SignInEnds {
        /// When, and what to do.
        error: Option<crate::Error>,
    },
    /// The bandwidth limits, which hold over all workspaces.
    Limits {
        /// As they are set now.
        limits: Limits,
    },
    /// Events were lost: read everything anew.
    Resync,
}

/// What something was done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum RunSubject {
    /// Viewers.
    Viewers,
    /// Videos.
    Videos,
}

/// An event, and the workspace that it is of.
#[derive(Clone, Debug)]
pub struct WorkspaceEvent {
    /// The name of the workspace.
    pub workspace: Arc<str>,
    /// What has changed in it.
    pub event: Event,
}

impl From<ingest::Change> for Event {
    fn from(change: ingest::Change) -> Self {
        use ingest::Change;
        match change {
            Change::Journey { journey } => Self::Journey { journey },
            Change::BatchEnded { summary } => Self::BatchEnded { summary },
            Change::SignIn { error } => Self::SignIn { error },
            Change::SignInEnds { error } => Self::SignInEnds { error },
            Change::Limits { limits } => Self::Limits { limits },
            Change::Resync => Self::Resync,
        }
    }
}

impl From<catalog::Change> for Event {
    fn from(change: catalog::Change) -> Self {
        match change {
            catalog::Change::Edited => Self::Edited,
            catalog::Change::Ended { of, done, failed } => {
                Self::RunEnded { subject: RunSubject::Videos, of, done, failed }
            }
        }
    }
}

impl From<live::Change> for Event {
    fn from(change: live::Change) -> Self {
        match change {
            live::Change::Catalog { read_at } => Self::Catalog { read_at },
            live::Change::Filling { filling, error } => Self::CatalogFilling { filling, error },
            live::Change::Jobs { read_at } => Self::Jobs { read_at },
            live::Change::Unreachable { error } => Self::Unreachable { error },
        }
    }
}

impl From<watch::Change> for Event {
    fn from(change: watch::Change) -> Self {
        match change {
            watch::Change::Away { path, done } => Self::Away { path, done },
            watch::Change::Folders { folders } => Self::Watch { folders },
        }
    }
}

impl From<viewers::Change> for Event {
    fn from(change: viewers::Change) -> Self {
        match change {
            viewers::Change::Mirror { reading } => Self::Viewers { reading },
            viewers::Change::RunEnded { of, done, failed } => {
                Self::RunEnded { subject: RunSubject::Viewers, of, done, failed }
            }
        }
    }
}

/// Where the events of all workspaces of a process are told and heard; cheap to clone.
#[derive(Clone)]
pub struct Events(broadcast::Sender<WorkspaceEvent>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::channel(1024).0)
    }
}

impl Events {
    /// What a room of a workspace tells its changes to; nobody may listen.
    pub(crate) fn changes<T>(&self, workspace: &str) -> Changes<T>
    where
        T: Clone + Into<Event> + 'static,
    {
        let (sender, workspace) = (self.0.clone(), Arc::<str>::from(workspace));
        Changes::into(move |change: T| {
            sender.send(WorkspaceEvent { workspace: workspace.clone(), event: change.into() }).ok();
        })
    }

    /// Hears all that is told from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<WorkspaceEvent> {
        self.0.subscribe()
    }
}
