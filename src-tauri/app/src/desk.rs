//! The state of the app: the workspaces that it has at work, and the one that the window shows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use reeldesk_core::connection::credentials::{self, DeviceSignIn};
use reeldesk_core::ingest::Driving;
use reeldesk_core::watch::WatchedFolder;
use reeldesk_core::workspace::{Settings, Workspace};
use reeldesk_core::{Code, Error, Folders, Instance, Result};
use reeldesk_shell::{Removed, Workspaces};
use serde::Serialize;
use tokio::sync::watch;
use ts_rs::TS;

use crate::options::Options;
use crate::runs::Runs;

/// The state of the app.
pub(crate) struct Desk {
    options: Options,
    workspaces: Workspaces<Runs>,
    /// The workspace that the window shows.
    shown: Mutex<Option<String>>,
    /// The sign-in that waits for the browser.
    signing_in: tokio::sync::Mutex<Option<DeviceSignIn>>,
}

/// A workspace at work.
pub(crate) type Open = reeldesk_shell::Open<Runs>;

/// What the page needs to know first.
#[derive(Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Boot {
    /// The workspace to go to; none for the welcome screen.
    workspace: Option<String>,
    /// Why the settings could not be read.
    trouble: Option<Error>,
    /// Whether the sandbox is part of this program.
    has_sandbox: bool,
    /// Why the sandbox cannot encode, where it cannot.
    ffmpeg: Option<Error>,
}

impl Boot {
    /// Whether a workspace is opened at once.
    pub fn opens_one(&self) -> bool {
        self.workspace.is_some()
    }
}

/// The workspaces at work.
#[derive(Clone, Serialize, TS)]
pub(crate) struct AtWork {
    /// Those that are open.
    open: Vec<String>,
    /// Those that have work and could not be opened, and why.
    failed: BTreeMap<String, Error>,
}

/// Where a person confirms a sign-in.
#[derive(Serialize, TS)]
pub(crate) struct SignInPage {
    /// The page; it has the code in it.
    pub url: String,
    /// The code, to compare.
    pub code: String,
}

impl Desk {
    pub fn new(options: Options) -> Self {
        let workspaces = Workspaces::of(Instance::on(&options.folders), Driving::Window);
        Self { options, workspaces, shown: Mutex::default(), signing_in: tokio::sync::Mutex::default() }
    }

    pub fn boot(&self) -> Boot {
        let last = self.settings().last_open();
        Boot {
            workspace: self.options.workspace.clone().or_else(|| last.as_ref().ok().cloned().flatten()),
            trouble: last.err(),
            has_sandbox: reeldesk_shell::HAS_SANDBOX,
            ffmpeg: reeldesk_core::require_ffmpeg().err().filter(|_| reeldesk_shell::HAS_SANDBOX),
        }
    }

    pub fn is_hidden(&self) -> bool {
        self.options.hidden
    }

    pub fn folders(&self) -> &Folders {
        &self.options.folders
    }

    pub fn settings(&self) -> Settings {
        Settings::of(&self.options.folders)
    }

    /// What all workspaces share.
    pub fn instance(&self) -> &Instance {
        self.workspaces.instance()
    }

    /// Wakes whenever a workspace was opened or closed, or could not be opened.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.workspaces.changes()
    }

    /// An open workspace.
    ///
    /// # Errors
    /// [`Code::Invalid`] when it is not open.
    pub fn opened(&self, name: &str) -> Result<Arc<Open>> {
        let closed = || Error::new(Code::Invalid, format!("The workspace \"{name}\" is not open."), "Open it first.");
        self.workspaces.get(name).ok_or_else(closed)
    }

    /// All open workspaces.
    pub fn all(&self) -> Vec<Arc<Open>> {
        self.workspaces.all()
    }

    /// The watch folders of all open workspaces.
    pub fn watched(&self) -> Vec<WatchedFolder> {
        self.all().iter().flat_map(|open| open.watch.folders()).collect()
    }

    pub fn at_work(&self) -> AtWork {
        let open = self.all().iter().map(|open| open.name().to_owned()).collect();
        AtWork { open, failed: self.workspaces.failed() }
    }

    /// What would stop with the app.
    pub fn in_hand(&self) -> usize {
        self.all().iter().map(|open| open.driver.ingest.in_hand()).sum()
    }

    /// Waits until nothing is in hand in any workspace.
    pub async fn done(&self) {
        while self.in_hand() > 0 {
            for open in self.all() {
                open.driver.ingest.done().await;
            }
        }
    }

    /// Keeps each workspace that has work open, until all are closed.
    pub async fn open_those_at_work(&self) {
        self.workspaces.open_those_at_work().await;
    }

    /// Opens a workspace for the window, beside those that are open.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn show(&self, name: &str) -> Result<Workspace> {
        let open = self.workspaces.open(name).await?;
        let before = self.shown().replace(name.to_owned());
        if let Some(before) = before.filter(|before| before != name).and_then(|before| self.workspaces.get(&before)) {
            before.driver.ingest.set_shown(false);
        }
        open.driver.ingest.set_shown(true);
        if let Err(error) = self.settings().set_last_open(name) {
            tracing::warn!(%error, details = error.details, "the workspace of this run could not be remembered");
        }
        Ok(open.session.workspace.clone())
    }

    /// Keeps a workspace and shows it; one that is changed while it is open is opened anew.
    ///
    /// # Errors
    /// When it cannot be kept or opened.
    pub async fn connect(&self, workspace: Workspace, is_new: bool) -> Result<Workspace> {
        let workspace = workspace.tidied();
        let name = workspace.name.clone();
        let settings = self.settings();
        if is_new {
            settings.put_new(workspace)?;
        } else {
            settings.put(workspace)?;
        }
        self.close(&name).await;
        self.show(&name).await
    }

    /// Opens a workspace once more, with fresh credentials; the others go on meanwhile.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn reopen(&self, name: &str) -> Result<()> {
        self.close(name).await;
        let open = self.workspaces.open(name).await?;
        open.driver.ingest.set_shown(self.shown().as_deref() == Some(name));
        Ok(())
    }

    /// Forgets a workspace; answers what S3 may still have of it.
    ///
    /// # Errors
    /// As [`Workspaces::remove`].
    pub async fn remove(&self, name: &str) -> Result<Removed> {
        if let Some(open) = self.workspaces.get(name) {
            open.own.end().await;
        }
        self.workspaces.remove(name).await
    }

    /// Begins a sign-in in the browser.
    pub async fn begin_sign_in(&self, profile: &str) -> Result<SignInPage> {
        let begun = credentials::begin_sso(profile).await?;
        let page = SignInPage { url: begun.url.clone(), code: begun.code.clone() };
        *self.signing_in.lock().await = Some(begun);
        Ok(page)
    }

    /// Waits for its end.
    pub async fn finish_sign_in(&self) -> Result<()> {
        let begun = self.signing_in.lock().await.take();
        let begun = begun.ok_or_else(|| Error::new(Code::Invalid, "No sign-in was begun.", "Begin one first."))?;
        begun.finish().await
    }

    /// Closes all in good order.
    pub async fn close_all(&self) {
        for open in self.all() {
            open.own.end().await;
        }
        self.workspaces.close_all().await;
    }

    async fn close(&self, name: &str) {
        if let Some(open) = self.workspaces.get(name) {
            open.own.end().await;
        }
        self.workspaces.close(name).await;
    }

    fn shown(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
