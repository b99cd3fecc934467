//! What is open: at most one workspace, driven by this process.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use reeldesk_core::connection::credentials::{self, DeviceSignIn};
use reeldesk_core::ingest::Driving;
use reeldesk_core::playback::Proxy;
use reeldesk_core::viewers::ViewerSession;
use reeldesk_core::watch::Watch;
use reeldesk_core::workspace::{Settings, Workspace};
use reeldesk_core::{Code, Driver, Error, Folders, Result, Session};
use serde::Serialize;
use tauri::AppHandle;
use tauri::async_runtime::JoinHandle;
use tokio::sync::Mutex;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::options::Options;
use crate::{events, notices};

/// The state of the app.
pub(crate) struct Desk {
    options: Options,
    /// Held for a moment only: a command that takes long holds up no other one.
    open: RwLock<Option<Arc<Open>>>,
    /// Held while a workspace is opened or closed.
    opening: Mutex<()>,
    /// The sign-in that waits for the browser.
    signing_in: Mutex<Option<DeviceSignIn>>,
    /// What is being done with viewers: one thing at a time, with its stop.
    run: std::sync::Mutex<Option<Run>>,
}

/// Something that is being done with viewers.
#[derive(Clone)]
struct Run {
    stop: CancellationToken,
    ended: CancellationToken,
}

/// The right to do something with viewers; it ends when dropped.
pub(crate) struct Running {
    pub stop: CancellationToken,
    _ended: DropGuard,
}

/// An open workspace.
pub(crate) struct Open {
    pub session: Session,
    pub driver: Driver,
    pub watch: Watch,
    pub proxy: Proxy,
    viewer_session: OnceLock<ViewerSession>,
    /// Stops the comparison of the ways to the bucket that runs, if one does.
    comparison: std::sync::Mutex<CancellationToken>,
    bridge: JoinHandle<()>,
    notices: JoinHandle<()>,
}

/// What the page needs to know first.
#[derive(Serialize)]
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

/// Where a person confirms a sign-in.
#[derive(Serialize)]
pub(crate) struct SignInPage {
    /// The page; it has the code in it.
    pub url: String,
    /// The code, to compare.
    pub code: String,
}

impl Desk {
    pub fn new(options: Options) -> Self {
        Self {
            options,
            open: RwLock::default(),
            opening: Mutex::default(),
            signing_in: Mutex::default(),
            run: std::sync::Mutex::default(),
        }
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

    /// The open workspace.
    pub async fn opened(&self) -> Result<Arc<Open>> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner).clone();
        open.ok_or_else(|| Error::new(Code::Invalid, "No workspace is open.", "Choose one first."))
    }

    fn put(&self, open: Option<Arc<Open>>) -> Option<Arc<Open>> {
        std::mem::replace(&mut *self.open.write().unwrap_or_else(PoisonError::into_inner), open)
    }

    /// What would stop with the app.
    pub fn in_hand(&self) -> usize {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.as_ref().map_or(0, |open| open.driver.ingest.in_hand())
    }

    /// Opens a workspace in place of the one that is open; the same one again stays as it is. The one that is open works on
    /// until it is known that the other can be opened, and again where it cannot be driven.
    pub async fn open(&self, app: &AppHandle, name: &str) -> Result<Workspace> {
        let _opening = self.opening.lock().await;
        let before = self.opened().await.ok();
        if let Some(open) = before.as_ref().filter(|open| open.session.workspace.name == name) {
            return Ok(open.session.workspace.clone());
        }
        let session = reeldesk_shell::open(&self.options.folders, name).await?;
        if let Some(before) = &before {
            self.end_run().await;
            self.put(None);
            before.close().await;
        }
        let open = match Open::begin(app, self.settings(), session).await {
            Ok(open) => open,
            Err(error) => {
                if let Some(before) = before {
                    let session = reeldesk_shell::open(&self.options.folders, &before.session.workspace.name).await?;
                    self.put(Some(Arc::new(Open::begin(app, self.settings(), session).await?)));
                }
                return Err(error);
            }
        };
        let workspace = open.session.workspace.clone();
        if let Err(error) = self.settings().set_last_open(name) {
            tracing::warn!(%error, details = error.details, "the workspace of this run could not be remembered");
        }
        self.put(Some(Arc::new(open)));
        Ok(workspace)
    }

    /// Keeps a workspace and opens it; one that is changed while it is open is opened anew.
    pub async fn connect(&self, app: &AppHandle, workspace: Workspace, is_new: bool) -> Result<Workspace> {
        let workspace = workspace.tidied();
        let name = workspace.name.clone();
        let settings = self.settings();
        if is_new {
            settings.put_new(workspace)?;
        } else {
            settings.put(workspace)?;
        }
        self.close().await;
        self.open(app, &name).await
    }

    /// Opens the workspace that is open once more, with fresh credentials.
    pub async fn reopen(&self, app: &AppHandle) -> Result<()> {
        let name = self.opened().await?.session.workspace.name.clone();
        self.close().await;
        self.open(app, &name).await.map(drop)
    }

    /// Forgets a workspace, and its secrets; one that is open is closed.
    pub async fn remove(&self, name: &str) -> Result<()> {
        let gone = self.settings().get(name)?;
        if self.opened().await.is_ok_and(|open| open.session.workspace.name == name) {
            self.close().await;
        }
        reeldesk_core::watch_rules(&self.options.folders)?.remove_of(name).await?;
        reeldesk_core::forget_viewers(&self.options.folders, name).await?;
        self.settings().remove(name)?;
        credentials::forget(&gone.connection.credentials).await;
        Ok(())
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

    /// Begins something with viewers.
    ///
    /// # Errors
    /// [`Code::InUse`] while something else is being done: it could neither be seen nor stopped beside it.
    pub fn begin_run(&self) -> Result<Running> {
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        if run.as_ref().is_some_and(|run| !run.ended.is_cancelled()) {
            return Err(Error::new(
                Code::InUse,
                "Another action on viewers is still running.",
                "Wait until it ends, or stop it.",
            ));
        }
        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
        *run = Some(Run { stop: stop.clone(), ended: ended.clone() });
        Ok(Running { stop, _ended: ended.drop_guard() })
    }

    /// Asks it to end.
    pub fn stop_run(&self) {
        if let Some(run) = self.run.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            run.stop.cancel();
        }
    }

    /// Ends it, after those that are on their way.
    async fn end_run(&self) {
        self.stop_run();
        let run = self.run.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(run) = run {
            run.ended.cancelled().await;
        }
    }

    /// Closes in good order.
    pub async fn close(&self) {
        let _opening = self.opening.lock().await;
        self.end_run().await;
        if let Some(open) = self.put(None) {
            open.close().await;
        }
    }
}

impl Open {
    async fn begin(app: &AppHandle, settings: Settings, session: Session) -> Result<Self> {
        let driver = session.drive(Driving::Window).await?;
        let proxy = session.proxy().await?;
        let bridge = events::forward(app.clone(), settings, session.events.subscribe());
        let notices = notices::show(app.clone(), session.events.subscribe());
        let watch = driver.watch();
        Ok(Self {
            session,
            driver,
            watch,
            proxy,
            viewer_session: OnceLock::new(),
            comparison: std::sync::Mutex::default(),
            bridge,
            notices,
        })
    }

    /// Where one signs in as a viewer.
    pub fn viewer_session(&self) -> Result<&ViewerSession> {
        if let Some(viewer_session) = self.viewer_session.get() {
            return Ok(viewer_session);
        }
        let viewer_session = self.session.viewer_session()?;
        Ok(self.viewer_session.get_or_init(|| viewer_session))
    }

    /// What stops the comparison that begins now; one that runs stops.
    pub fn begin_comparison(&self) -> CancellationToken {
        let stop = CancellationToken::new();
        let mut comparison = self.comparison.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *comparison, stop.clone()).cancel();
        stop
    }

    pub fn stop_comparison(&self) {
        self.comparison.lock().unwrap_or_else(PoisonError::into_inner).cancel();
    }

    async fn close(&self) {
        self.stop_comparison();
        self.watch.stop().await;
        self.driver.stop().await;
        self.bridge.abort();
        self.notices.abort();
        self.session.close().await;
    }
}
