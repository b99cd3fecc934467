//! What is open: at most one workspace, driven by this process.

use reeldesk_core::playback::Proxy;
use reeldesk_core::workspace::{self, Workspace, Workspaces};
use reeldesk_core::{Code, Driver, Error, Result, Session};
use serde::Serialize;
use tauri::AppHandle;
use tauri::async_runtime::JoinHandle;
use tokio::sync::{RwLock, RwLockReadGuard};

use crate::options::Options;
use crate::{events, notices};

/// The state of the app.
pub(crate) struct Desk {
    options: Options,
    open: RwLock<Option<Open>>,
}

/// An open workspace.
pub(crate) struct Open {
    pub session: Session,
    pub driver: Driver,
    pub proxy: Proxy,
    bridge: JoinHandle<()>,
    notices: JoinHandle<()>,
}

/// What the page needs to know first.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Boot {
    /// The workspace to go to; none for the welcome screen.
    workspace: Option<String>,
    /// The profiles of the AWS configuration files.
    profiles: Vec<String>,
    /// Why the sandbox cannot encode, where it cannot.
    ffmpeg: Option<Error>,
}

impl Desk {
    pub fn new(options: Options) -> Self {
        Self { options, open: RwLock::new(None) }
    }

    pub fn boot(&self) -> Boot {
        Boot {
            workspace: self.options.workspace.clone().or_else(|| workspace::last_used(&self.options.data_dir)),
            profiles: workspace::profiles(),
            ffmpeg: reeldesk_core::require_ffmpeg().err(),
        }
    }

    /// The open workspace, for one command.
    pub async fn opened(&self) -> Result<RwLockReadGuard<'_, Open>> {
        RwLockReadGuard::try_map(self.open.read().await, Option::as_ref)
            .map_err(|_| Error::new(Code::Invalid, "No workspace is open.", "Choose one first."))
    }

    /// What would stop with the app; none where it is not known at this moment.
    pub fn in_hand(&self) -> usize {
        let open = self.open.try_read();
        open.ok().and_then(|open| open.as_ref().map(|open| open.driver.ingest.in_hand())).unwrap_or(0)
    }

    /// Opens a workspace in place of the one that is open; the same one again stays as it is.
    pub async fn open(&self, app: &AppHandle, name: &str) -> Result<Workspace> {
        let mut open = self.open.write().await;
        if let Some(open) = open.as_ref().filter(|open| open.session.workspace.name == name) {
            return Ok(open.session.workspace.clone());
        }
        if let Some(before) = open.take() {
            before.close().await;
        }
        let session = Session::open(&self.options.data_dir, name).await?;
        let bridge = events::forward(app.clone(), session.events.subscribe());
        let notices = notices::show(app.clone(), session.events.subscribe());
        let driver = session.drive(true).await?;
        let proxy = session.proxy().await?;
        let workspace = session.workspace.clone();
        workspace::remember_last_used(&self.options.data_dir, name);
        *open = Some(Open { session, driver, proxy, bridge, notices });
        Ok(workspace)
    }

    /// Keeps a workspace and opens it.
    pub async fn connect(&self, app: &AppHandle, workspace: Workspace) -> Result<Workspace> {
        let name = workspace.name.clone();
        std::fs::create_dir_all(&self.options.data_dir).map_err(Error::internal)?;
        Workspaces::of(&self.options.data_dir).put(workspace)?;
        self.open(app, &name).await
    }

    /// Closes in good order.
    pub async fn close(&self) {
        if let Some(open) = self.open.write().await.take() {
            open.close().await;
        }
    }
}

impl Open {
    async fn close(self) {
        self.driver.stop().await;
        self.bridge.abort();
        self.notices.abort();
        self.session.close().await;
    }
}
