//! A session: one workspace, connected; what a shell works with from its start to its end. `driver` moves its journeys,
//! `bystander` reads and steers them, whoever drives. An `instance` is what all sessions of a process share.

mod bystander;
mod driver;
mod instance;
mod sidecars;

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Mutex, OnceLock, PoisonError};

use tokio::sync::OnceCell;

pub use self::driver::Driver;
pub use self::instance::{DrivingLock, Instance};
pub use self::sidecars::NewSidecar;
use crate::aws::Aws;
use crate::catalog::{self, Catalog, CatalogSync, Cursor, Editor, Guid, Page, Video};
use crate::changes::Changes;
use crate::clock::now_ms;
use crate::encode::Jobs;
use crate::event::Event;
use crate::folders::{Folders, make_private};
use crate::ingest::{self, Driving, Ingest};
use crate::jobs::{self, FoundJobs, JobQuery, JobsSync};
use crate::live::{self, Live};
use crate::playback::{self, Access, Proxy, Stream};
use crate::store::Store;
use crate::upload::{Limit, Uploader};
use crate::viewers::{self, Mail, ViewerSession, Viewers, mailbox};
use crate::watch::{Rules, WatchFolder};
use crate::workspace::{SandboxEndpoints, Settings, TableMapping, Workspace};
use crate::{Code, Error, Result};

/// The app's own SQLite file, in the data folder.
const STORE: &str = "reeldesk.sqlite";
/// The folder of the mirrors of the catalogs, in the data folder.
const CATALOGS: &str = "catalogs";
/// The folder of the copies of the jobs, in the data folder.
const JOBS: &str = "jobs";

/// What is waited for when a session is closed.
type Ends = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A connected workspace.
pub struct Session {
    /// Which one.
    pub workspace: Workspace,
    /// Its catalog.
    pub catalog: Catalog,
    /// What this computer knows of it.
    pub sync: CatalogSync,
    /// Its jobs.
    pub jobs: Jobs,
    /// What this computer knows of them.
    pub jobs_sync: JobsSync,
    instance: Instance,
    aws: Aws,
    sandbox: Option<SandboxEndpoints>,
    /// The end of a sandbox that runs in this process.
    ends: Mutex<Option<Ends>>,
    access: Access,
    editor: OnceCell<Editor>,
    viewers: OnceCell<Viewers>,
    viewer_session: OnceLock<ViewerSession>,
    proxy: OnceCell<Proxy>,
}

impl Session {
    /// Connects to the workspace of this name, of those that are kept.
    ///
    /// # Errors
    /// When the data folder cannot be used, or the workspace is not known.
    pub async fn open(instance: &Instance, workspace: &str) -> Result<Self> {
        let folders = instance.folders();
        make(&folders.data)?;
        Self::connect(instance, Settings::of(folders).get(workspace)?, None, None).await
    }

    /// Connects to a sandbox; where it runs in this process, closing the session is its end, and waits for that.
    ///
    /// # Errors
    /// When the data folder cannot be used, or the sandbox does not answer.
    pub async fn open_sandbox(
        instance: &Instance,
        sandbox: SandboxEndpoints,
        ends: Option<impl Future<Output = ()> + Send + 'static>,
    ) -> Result<Self> {
        make(&instance.folders().data)?;
        let workspace = Workspace::of_sandbox(&sandbox).await?;
        let ends = ends.map(|ends| Box::pin(ends) as Ends);
        Self::connect(instance, workspace, Some(sandbox), ends).await
    }

    async fn connect(
        instance: &Instance,
        workspace: Workspace,
        sandbox: Option<SandboxEndpoints>,
        ends: Option<Ends>,
    ) -> Result<Self> {
        // With names that overwrite others nothing may be written.
        workspace.mapping.as_ref().map_or(Ok(()), TableMapping::check)?;
        let aws = Aws::connect(&workspace.connection).await?;
        let access = Access::of(&workspace, &aws.s3)?;
        let catalog = Catalog::new(aws.dynamodb.clone(), &workspace);
        let jobs = Jobs::new(aws.mediaconvert.clone());
        Ok(Self {
            jobs_sync: JobsSync::new(jobs.clone(), &workspace, &folder_within(instance.folders(), JOBS)?),
            jobs,
            sync: CatalogSync::new(catalog.clone(), &workspace, &folder_within(instance.folders(), CATALOGS)?),
            catalog,
            instance: instance.clone(),
            workspace,
            aws,
            sandbox,
            ends: Mutex::new(ends),
            access,
            editor: OnceCell::new(),
            viewers: OnceCell::new(),
            viewer_session: OnceLock::new(),
            proxy: OnceCell::new(),
        })
    }

    /// Whether it is a sandbox that ends with this session.
    #[must_use]
    pub fn has_own_sandbox(&self) -> bool {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// What changes its videos.
    ///
    /// # Errors
    /// When the store cannot be used.
    pub async fn editor(&self) -> Result<Editor> {
        let open = || async {
            let (catalog, sync) = (self.catalog.clone(), self.sync.clone());
            Ok(Editor::new(catalog, sync, &self.aws, self.instance.store()?, &self.workspace, self.changes()))
        };
        self.editor.get_or_try_init(open).await.cloned()
    }

    /// Its viewers.
    ///
    /// # Errors
    /// When the workspace names no user pool, or the store cannot be used.
    pub async fn viewers(&self) -> Result<Viewers> {
        let open = || async {
            // A connection of its own: a search holds up no upload.
            let (store, copy) = (self.instance.store()?, viewers_copy(self.instance.folders())?);
            Viewers::of(&self.workspace, &self.aws, store, copy, self.changes()).await
        };
        self.viewers.get_or_try_init(open).await.cloned()
    }

    /// A place to sign in as a viewer does, where the workspace has one: the sandbox.
    ///
    /// # Errors
    /// When it has none.
    pub fn viewer_session(&self) -> Result<&ViewerSession> {
        if let Some(viewer_session) = self.viewer_session.get() {
            return Ok(viewer_session);
        }
        let viewer_session = ViewerSession::new(&self.aws, self.own_sandbox()?)?;
        Ok(self.viewer_session.get_or_init(|| viewer_session))
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

    /// What a room tells its changes to.
    fn changes<T: Clone + Into<Event> + 'static>(&self) -> Changes<T> {
        self.instance.events().changes(&self.workspace.name)
    }

    async fn ingest(&self, store: Store, driving: Driving) -> Result<Ingest> {
        let (jobs, jobs_sync) = (self.jobs.clone(), self.jobs_sync.clone());
        let live = Live::new(self.catalog.clone(), self.sync.clone(), jobs, jobs_sync, self.changes());
        let pacer = self.instance.pacer().await?;
        Ingest::open(&self.workspace, &self.aws, store, pacer, self.changes(), live, driving).await
    }

    /// A page of the videos, newest first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn videos(&self, after: Option<Cursor>, limit: i32) -> Result<Page> {
        let mut page = self.catalog.page(after, limit).await?;
        live::settle(&mut page.videos, &self.jobs, &[], live::ASKED_AT_ONCE).await;
        Ok(page)
    }

    /// Takes the newest videos, and those that the pipeline has not finished, into the mirror.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn look(&self) -> Result<()> {
        let mut videos = self.sync.look(&[]).await?;
        live::settle(&mut videos, &self.jobs, &[], live::ASKED_AT_ONCE).await;
        self.sync.take(&videos).await?;
        Ok(())
    }

    /// Takes these videos into the mirror, as they are now.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn see(&self, guids: &[Guid]) -> Result<()> {
        self.sync.see(guids).await
    }

    /// One video.
    ///
    /// # Errors
    /// [`Code::NotFound`] when the table has none of this key.
    pub async fn video(&self, guid: &Guid) -> Result<Video> {
        let mut video = self.catalog.video(guid).await?;
        live::settle(std::slice::from_mut(&mut video), &self.jobs, &[], live::ASKED_AT_ONCE).await;
        Ok(video)
    }

    /// The jobs that a query finds, as this computer knows them, with the titles of their videos.
    ///
    /// # Errors
    /// When the copy cannot be read.
    pub async fn find_jobs(&self, query: JobQuery, first: usize, most: usize) -> Result<FoundJobs> {
        let mut found = self.jobs_sync.mirror().await?.find(query, first, most).await?;
        let guids = found.jobs.iter().filter_map(|job| job.guid.clone()).collect();
        let videos = self.sync.mirror().await?.by_keys(guids).await?;
        found.titles = videos.into_iter().map(|video| (video.guid.to_string(), video.title)).collect();
        Ok(found)
    }

    /// Cancels a job that has not ended, and takes that into the copy.
    ///
    /// # Errors
    /// When MediaConvert refuses, for instance because the job has ended.
    pub async fn cancel_job(&self, id: &str) -> Result<()> {
        self.jobs.cancel(id).await?;
        // It is canceled all the same: the next look sees it.
        if let Ok(job) = self.jobs.get(id).await {
            let read_at = now_ms();
            self.jobs_sync.mirror().await?.put(vec![job], read_at).await?;
            self.changes().tell(live::Change::Jobs { read_at });
        }
        Ok(())
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

    /// The loopback proxy for a player; it starts when it is first wanted.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn proxy(&self) -> Result<&Proxy> {
        self.proxy.get_or_try_init(|| Proxy::start(self.access.clone())).await
    }

    /// Ends it; a sandbox of ours is stopped in good order.
    pub async fn close(&self) {
        if let Some(viewers) = self.viewers.get() {
            viewers.close().await;
        }
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
    Ok(Uploader::new(&s3, &s3, store, "", Limit::default()))
}

/// The watch folders of a data folder, without a workspace.
///
/// # Errors
/// When the data folder cannot be used.
pub fn watch_rules(folders: &Folders) -> Result<Rules> {
    make(&folders.data)?;
    Ok(Rules::new(Store::open(&folders.data.join(STORE))?, folders.clone()))
}

/// Pauses all watch folders of a data folder, of whichever workspace, or resumes them; who watches them sees it.
///
/// # Errors
/// When the data folder cannot be used.
pub async fn pause_watching(folders: &Folders, paused: bool) -> Result<()> {
    let rules = watch_rules(folders)?;
    for rule in rules.all().await?.into_iter().filter(|rule| rule.paused != paused) {
        rules.put(WatchFolder { paused, ..rule }).await?;
    }
    Ok(())
}

/// Forgets what a data folder keeps of a workspace: its watch folders, its list of files, and its copy of the user pool.
/// Nothing of it is taken up by another workspace that gets its name. Answers how many unfinished uploads S3 still has.
///
/// # Errors
/// When the data folder cannot be used.
pub async fn forget_workspace(folders: &Folders, workspace: &str) -> Result<usize> {
    watch_rules(folders)?.remove_of(workspace).await?;
    let store = Store::open(&folders.data.join(STORE))?;
    let left = ingest::forget_workspace(&store, workspace).await?;
    viewers::forget_workspace(&store, &viewers_copy(folders)?, workspace).await?;
    catalog::forget_edits(&store, workspace).await?;
    catalog::forget_mirror(&folders.data.join(CATALOGS), workspace);
    jobs::forget(&folders.data.join(JOBS), workspace);
    Ok(left)
}

/// The copies of the user pools, which may be deleted: the pools are read again then.
fn viewers_copy(folders: &Folders) -> Result<Store> {
    Store::open_copy(&folders.data.join("viewers.sqlite"), viewers::SCHEMA)
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
