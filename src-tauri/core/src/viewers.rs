//! Viewers: the people in the Cognito user pool who may watch. Source: Amazon Cognito user pools API Reference.
//!
//! The pool is the truth. What is shown and searched is a copy in the store with the age of its last reading (`mirror`,
//! `sync`); who was invited is asked of the pool, so that a bulk invitation that was broken off goes on without
//! inviting anyone twice.

mod action;
mod addresses;
mod audit;
mod explain;
mod export;
mod groups;
mod invite;
pub(crate) mod mailbox;
mod mirror;
mod password;
mod pool;
mod profile;
mod quota;
mod run;
mod sync;
mod viewer_session;

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use ts_rs::TS;

pub use self::action::ViewerAction;
pub use self::addresses::{Invitee, Invitees, Problem};
use self::audit::Log;
pub use self::audit::{ActionOutcome, LogEntry};
pub use self::groups::Group;
pub use self::invite::{Invitation, Invited};
pub use self::mailbox::Mail;
use self::mirror::Mirror;
pub(crate) use self::mirror::SCHEMA;
pub use self::mirror::{Census, Found, GroupCount, Query, Sort, StateCount};
pub use self::pool::{PoolAttribute, PoolFacts};
pub use self::profile::{Attribute, Person};
use self::quota::Quota;
pub use self::run::{ActionResult, RunSummary, Selection};
pub use self::sync::Reading;
pub use self::viewer_session::{Step, ViewerSession, Watchable};
use crate::aws::Aws;
use crate::changes::Changes;
use crate::store::{Store, WorkspaceStore};
use crate::workspace::Workspace;
use crate::{Code, Error, Result};

/// What this room tells.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// The copy of the pool has changed; and how far its reading has come, while it is read.
    Mirror { reading: Option<Reading> },
    /// Something was done with many viewers, and has ended.
    RunEnded { of: usize, done: usize, failed: usize },
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How far the clock of the pool may be from ours, in milliseconds.
const CLOCKS_MS: i64 = 60_000;

/// A viewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Viewer {
    /// The pool's own name for the account.
    pub username: String,
    /// The address; none for accounts that have none.
    pub email: Option<String>,
    /// What the person is called.
    pub name: Option<String>,
    /// Where the account stands.
    pub state: ViewerState,
    /// When it was made, in milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub created_at: Option<i64>,
    /// When it was last changed.
    #[ts(type = "number | null")]
    pub modified_at: Option<i64>,
    /// The groups that it is in, by name.
    pub groups: Vec<String>,
}

/// Where an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ViewerState {
    /// Invited, and not come yet.
    Invited {
        /// When the temporary password ends, in milliseconds since the epoch.
        #[ts(type = "number")]
        expires_at: i64,
    },
    /// The temporary password has ended.
    InvitationExpired,
    /// May sign in.
    Active,
    /// Has to choose a new password.
    MustReset,
    /// May not sign in.
    Disabled,
    /// Signs in with an identity provider.
    External,
    /// Signed up by oneself, and has not confirmed it.
    Unconfirmed,
    /// A state that is not known here.
    Unknown,
}

/// The same without its time, to filter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "ViewerState says it")]
pub enum StateKind {
    Invited,
    InvitationExpired,
    Active,
    MustReset,
    Disabled,
    External,
    Unconfirmed,
    Unknown,
}

impl StateKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Invited,
        Self::InvitationExpired,
        Self::Active,
        Self::MustReset,
        Self::Disabled,
        Self::External,
        Self::Unconfirmed,
        Self::Unknown,
    ];
}

/// The viewers of one workspace; cheap to clone.
#[derive(Clone)]
pub struct Viewers {
    client: aws_sdk_cognitoidentityprovider::Client,
    sts: aws_sdk_sts::Client,
    pool: String,
    mirror: Mirror,
    log: Log,
    changes: Changes<Change>,
    caller: Arc<OnceCell<String>>,
    reading: Arc<Mutex<Option<Reading>>>,
    /// Accounts that are asked for one by one.
    reads: Arc<Quota>,
    /// When the last reading of the whole pool ended; held while one goes on.
    last_read: Arc<tokio::sync::Mutex<i64>>,
    /// Ends the reading of the pool.
    stop: CancellationToken,
}

impl Viewers {
    /// Those of this workspace: its log is in `store`, its copy of the pool in `copy`.
    ///
    /// # Errors
    /// When it names no user pool, or the store cannot be used.
    pub(crate) async fn of(
        workspace: &Workspace,
        aws: &Aws,
        store: Store,
        copy: Store,
        changes: Changes<Change>,
    ) -> Result<Self> {
        let pool = workspace.user_pool.clone().ok_or_else(|| {
            Error::new(
                Code::NotFound,
                format!("The workspace \"{}\" names no user pool, so it has no viewers.", workspace.name),
                "Name the pool in the workspace.",
            )
        })?;
        let of_workspace = |store| WorkspaceStore::of(store, &workspace.name);
        Ok(Self {
            client: aws.cognito.clone(),
            sts: aws.sts.clone(),
            mirror: Mirror::open(of_workspace(copy), &pool).await?,
            log: Log(of_workspace(store)),
            pool,
            changes,
            caller: Arc::default(),
            reading: Arc::default(),
            reads: Arc::new(Quota::of_reads()),
            last_read: Arc::default(),
            stop: CancellationToken::new(),
        })
    }

    /// Ends the reading of the pool, and waits for that: nothing is written into the copy from then on.
    pub(crate) async fn close(&self) {
        self.stop.cancel();
        drop(self.last_read.lock().await);
    }

    /// Those of the copy that a query asks for: `most` of them, from `first` on.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn find(&self, query: Query, first: usize, most: usize) -> Result<Found> {
        self.mirror.find(query, first, most).await
    }

    /// How many there are in the copy, and how old it is.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn census(&self) -> Result<Census> {
        self.mirror.census().await
    }

    /// Wipes the copy, and the names from the log: nothing of the viewers' personal data stays on this computer until
    /// the pool is read again. In the pool nothing changes.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn forget(&self) -> Result<()> {
        self.mirror.wipe().await?;
        self.log.wipe().await?;
        self.tell_changed();
        Ok(())
    }
}

/// Forgets what was done with the viewers of a workspace, and its copy of the pool.
///
/// # Errors
/// When a store cannot be written.
pub(crate) async fn forget_workspace(store: &Store, copy: &Store, workspace: &str) -> Result<()> {
    let name = workspace.to_owned();
    let of_log = move |db: &mut rusqlite::Connection| mirror::delete_in_pieces(db, "viewer_log", "id", &name);
    store.call(move |db| mirror::wiped(db, of_log)).await?;
    let name = workspace.to_owned();
    copy.call(move |db| mirror::wiped(db, |db| mirror::empty(db, &name))).await
}

/// Milliseconds since the epoch.
fn milliseconds(time: Option<&aws_smithy_types::DateTime>) -> Option<i64> {
    time.and_then(|time| time.to_millis().ok())
}

impl ViewerState {
    /// The pool does not tell that an invitation has ended: it is a matter of time. `validity` in milliseconds.
    fn of(status: &str, is_enabled: bool, modified_at: Option<i64>, validity: i64, now: i64) -> Self {
        if !is_enabled {
            return Self::Disabled;
        }
        match status {
            "FORCE_CHANGE_PASSWORD" => {
                let expires_at = modified_at.unwrap_or(now) + validity;
                if expires_at <= now { Self::InvitationExpired } else { Self::Invited { expires_at } }
            }
            "CONFIRMED" => Self::Active,
            "RESET_REQUIRED" => Self::MustReset,
            "EXTERNAL_PROVIDER" => Self::External,
            "UNCONFIRMED" => Self::Unconfirmed,
            _ => Self::Unknown,
        }
    }

    /// Which one it is.
    #[must_use]
    pub fn kind(&self) -> StateKind {
        match self {
            Self::Invited { .. } => StateKind::Invited,
            Self::InvitationExpired => StateKind::InvitationExpired,
            Self::Active => StateKind::Active,
            Self::MustReset => StateKind::MustReset,
            Self::Disabled => StateKind::Disabled,
            Self::External => StateKind::External,
            Self::Unconfirmed => StateKind::Unconfirmed,
            Self::Unknown => StateKind::Unknown,
        }
    }

    /// In words, as of a time in milliseconds since the epoch.
    #[must_use]
    pub fn in_words(&self, now: i64) -> String {
        match self {
            // What was just sent is good for 7 days, not 8.
            Self::Invited { expires_at } => match (expires_at - now - CLOCKS_MS + DAY_MS - 1) / DAY_MS {
                ..=1 => "invited, expires within a day".to_owned(),
                days => format!("invited, expires in {days} days"),
            },
            Self::InvitationExpired => "invitation expired".to_owned(),
            Self::Active => "active".to_owned(),
            Self::MustReset => "must reset".to_owned(),
            Self::Disabled => "disabled".to_owned(),
            Self::External => "from an identity provider".to_owned(),
            Self::Unconfirmed => "has not confirmed".to_owned(),
            Self::Unknown => "of a state that is not known here".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_in_words() {
        let state = |status: &str, is_enabled, age_days: i64| {
            ViewerState::of(status, is_enabled, Some(-age_days * DAY_MS), 7 * DAY_MS, 0).in_words(0)
        };
        assert_eq!(state("FORCE_CHANGE_PASSWORD", true, 4), "invited, expires in 3 days");
        assert_eq!(state("FORCE_CHANGE_PASSWORD", true, 7), "invitation expired");
        assert_eq!(state("FORCE_CHANGE_PASSWORD", false, 0), "disabled");
        assert_eq!(state("CONFIRMED", true, 900), "active");
        assert_eq!(state("RESET_REQUIRED", true, 0), "must reset");
        assert_eq!(state("EXTERNAL_PROVIDER", true, 0), "from an identity provider");
    }
}
