//! A session: one workspace, connected; what a shell works with from its start to its end. `driver` moves its journeys,
//! `bystander` reads and steers them, whoever drives.

mod bystander;
mod driver;

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

pub use self::driver::Driver;
use crate::aws::Aws;
use crate::catalog::{Catalog, Cursor, Guid, Page, Video};
use crate::encode::Jobs;
use crate::event::Events;
use crate::folders::{Folders, make_private};
use crate::ingest::{Driving, Ingest};
use crate::live::{self, Live};
use crate::playback::{self, Access, Proxy, Stream};
use crate::store::Store;
use crate::upload::Uploader;
use crate::viewers::{self, Mail, ViewerSession, Viewers, mailbox};
use crate::watch::Rules;
use crate::workspace::{SandboxEndpoints, Settings, Workspace};
use crate::{Code, Error, Result};

/// The app's own SQLite file, in the data folder.
const STORE: &str = "reeldesk.sqlite";

/// What is waited for when a session is closed.
type Ends = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A connected workspace.
pub struct Session {
    /// Which one.
    pub workspace: Workspace,
    /// Its catalog.
    pub catalog: Catalog,
    /// Its jobs.
    pub jobs: Jobs,
    /// What happens.
    pub events: Events,
    aws: Aws,
    folders: Folders,
    sandbox: Option<SandboxEndpoints>,
    /// The end of a sandbox that runs in this process.
    ends: Mutex<Option<Ends>>,
    access: Access,
    viewers: tokio::sync::OnceCell<Viewers>,
}

impl Session {
    /// Connects to the workspace of this name, of those that are kept.
    ///
    /// # Errors
    /// When the data folder cannot be used, or the workspace is not known.
    pub async fn open(folders: &Folders, workspace: &str) -> Result<Self> {
        make(&folders.data)?;
        Self::connect(folders, Settings::of(folders).get(workspace)?, None, None).await
    }

    /// Connects to a sandbox; where it runs in this process, closing the session is its end, and waits for that.
    ///
    /// # Errors
    /// When the data folder cannot be used, or the sandbox does not answer.
    pub async fn open_sandbox(
        folders: &Folders,
        sandbox: SandboxEndpoints,
        ends: Option<impl Future<Output = ()> + Send + 'static>,
    ) -> Result<Self> {
        make(&folders.data)?;
        let workspace = Workspace::of_sandbox(&sandbox).await?;
        let ends = ends.map(|ends| Box::pin(ends) as Ends);
        Self::connect(folders, workspace, Some(sandbox), ends).await
    }

    async fn connect(
        folders: &Folders,
        workspace: Workspace,
        sandbox: Option<SandboxEndpoints>,
        ends: Option<Ends>,
    ) -> Result<Self> {
        let aws = Aws::connect(&workspace.connection).await?;
        let access = Access::of(&workspace, &aws.s3)?;
        Ok(Self {
            catalog: Catalog::new(aws.dynamodb.clone(), &workspace),
            jobs: Jobs::new(aws.mediaconvert.clone()),
            events: Events::default(),
            folders: folders.clone(),
            workspace,
            aws,
            sandbox,
            ends: Mutex::new(ends),
            access,
            viewers: tokio::sync::OnceCell::new(),
        })
    }

    /// Whether it is a sandbox that ends with this session.
    #[must_use]
    pub fn has_own_sandbox(&self) -> bool {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Its viewers.
    ///
    /// # Errors
    /// When the workspace names no user pool, or the store cannot be used.
    pub async fn viewers(&self) -> Result<Viewers> {
        let open = || async {
            // A connection of its own: a search holds up no upload.
            let store = self.store()?;
            Viewers::of(&self.workspace, &self.aws, store, self.events.changes()).await
        };
        self.viewers.get_or_try_init(open).await.cloned()
    }

    /// A place to sign in as a viewer does, where the workspace has one: the sandbox.
    ///
    /// # Errors
    /// When it has none.
    pub fn viewer_session(&self) -> Result<ViewerSession> {
        ViewerSession::new(&self.aws, self.own_sandbox()?)
    }

    /// The mails that the sandbox's pool would have sent, the newest first.
    ///
    /// # Errors
    /// When the workspace is not the sandbox, or it does not answer.
    pub async fn mails(&self) -> Result<Vec<Mail>> {
        mailbox::read(self.own_sandbox()?).await
    }

    fn own_sandbox(&self) -> Result<&SandboxEndpoints> {
        self.sandbox.as_ref().ok_or_else(|| {
            Error::new(Code::Invalid, "Only the sandbox has this.", "Open the sandbox to see what viewers see.")
        })
    }

    /// The store; each has a connection of its own, so that none holds up another.
    fn store(&self) -> Result<Store> {
        Store::open(&self.folders.data.join(STORE))
    }

    async fn ingest(&self, store: Store, driving: Driving) -> Result<Ingest> {
        let live = Live::new(self.catalog.clone(), self.jobs.clone(), self.events.changes());
        Ingest::open(&self.workspace, &self.aws, store, self.events.changes(), live, driving).await
    }

    /// A page of the videos, newest first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn videos(&self, after: Option<Cursor>, limit: i32) -> Result<Page> {
        let mut page = self.catalog.page(after, limit).await?;
        live::settle(&mut page.videos, &self.jobs, &[]).await;
        Ok(page)
    }

    /// One video.
    ///
    /// # Errors
    /// [`Code::NotFound`] when the table has none of this key.
    pub async fn video(&self, guid: &Guid) -> Result<Video> {
        let mut video = self.catalog.video(guid).await?;
        live::settle(std::slice::from_mut(&mut video), &self.jobs, &[]).await;
        Ok(video)
    }

    /// What the playlists of a video say.
    ///
    /// # Errors
    /// When it has none, or one cannot be read.
    pub async fn stream(&self, guid: &Guid) -> Result<Stream> {
        let video = self.catalog.video(guid).await?;
        playback::read(&self.access, self.hls(&video)?.as_str()).await
    }

    /// The address of a video's multivariant playlist.
    ///
    /// # Errors
    /// When it has none.
    pub fn hls(&self, video: &Video) -> Result<url::Url> {
        let stored = video.hls_url.as_deref().ok_or_else(|| {
            Error::new(Code::Playback, format!("\"{}\" has no stream yet.", video.title), "Wait until it is playable.")
        })?;
        self.workspace.address(stored)
    }

    /// Starts the loopback proxy for a player.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn proxy(&self) -> Result<Proxy> {
        Proxy::start(self.access.clone()).await
    }

    /// Ends it; a sandbox of ours is stopped in good order.
    pub async fn close(&self) {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(ends) = ends {
            ends.await;
        }
    }
}

/// An uploader without a workspace: it uses the usual environment of AWS tools and this folder's journal.
///
/// # Errors
/// When the data folder cannot be used.
pub async fn uploader_of_environment(folders: &Folders) -> Result<Uploader> {
    make(&folders.data)?;
    let store = Store::open(&folders.data.join(STORE))?;
    let s3 = Aws::s3_of_environment().await?;
    Ok(Uploader::new(&s3, &s3, store, ""))
}

/// The watch folders of a data folder, without a workspace.
///
/// # Errors
/// When the data folder cannot be used.
pub fn watch_rules(folders: &Folders) -> Result<Rules> {
    make(&folders.data)?;
    Ok(Rules::new(Store::open(&folders.data.join(STORE))?, folders.clone()))
}

/// Forgets what a data folder keeps of the viewers of a workspace.
///
/// # Errors
/// When the data folder cannot be used.
pub async fn forget_viewers(folders: &Folders, workspace: &str) -> Result<()> {
    make(&folders.data)?;
    viewers::forget_workspace(&Store::open(&folders.data.join(STORE))?, workspace).await
}

/// A folder of this name in the data folder, for its user only; it is made where it is not there.
///
/// # Errors
/// When it cannot be made.
pub fn folder_within(folders: &Folders, name: &str) -> Result<PathBuf> {
    let folder = folders.data.join(name);
    make(&folder).map(|()| folder)
}

fn make(folder: &Path) -> Result<()> {
    make_private(folder).map_err(|error| crate::files::unreadable(folder, &error))
}
