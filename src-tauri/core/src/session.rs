//! A session: one workspace, connected; what a shell works with from its start to its end.

use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, params};

use crate::aws::Aws;
use crate::catalog::{Catalog, Cursor, Guid, Page, Video};
use crate::clock::now_ms;
use crate::encode::Jobs;
use crate::event::Events;
use crate::folders::{Folders, make_private, open_private};
use crate::ingest::{Driving, Ingest, Journey, JourneyCommand, KEY_PREFIX, Limits, Stage, queue_command};
use crate::live::{self, Live};
use crate::playback::{self, Access, Proxy, Stream};
use crate::store::Store;
use crate::upload::{Orphan, Uploader, orphans};
use crate::viewers::{self, Mail, ViewerSession, Viewers, mailbox};
use crate::watch::{Rules, Watch};
use crate::workspace::{SandboxEndpoints, Settings, Workspace};
use crate::{Code, Error, Result};

/// The app's own SQLite file, in the data folder.
const STORE: &str = "reeldesk.sqlite";

/// Held by the process that drives the journeys of a data folder.
const LOCK: &str = "uploads.lock";
/// Tenths of a second that it is asked for.
const STILL_HELD: u32 = 10;

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
            let store = Store::open(&self.folders.data.join(STORE))?;
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

    /// Begins to drive this store's journeys, taking up the unfinished ones.
    ///
    /// # Errors
    /// [`Code::InUse`] when another process does.
    pub async fn drive(&self, driving: Driving) -> Result<Driver> {
        let lock = self.take_lock().await?;
        let store = Store::open(&self.folders.data.join(STORE))?;
        let ingest = self.ingest(store.clone(), driving).await?;
        let follower = tokio::spawn({
            let ingest = ingest.clone();
            async move {
                tokio::join!(
                    ingest.follow(),
                    ingest.run_queued_commands(),
                    ingest.watch_credential_expiry(),
                    ingest.clean_up()
                );
            }
        });
        ingest.resume();
        Ok(Driver {
            ingest,
            workspace: self.workspace.name.clone(),
            rules: Rules::new(store.clone(), self.folders.clone()),
            store,
            events: self.events.clone(),
            follower: Mutex::new(Some(follower)),
            lock: Mutex::new(Some(lock)),
        })
    }

    /// A process that was killed a moment ago may hold it still, through a child that it was just starting.
    async fn take_lock(&self) -> Result<File> {
        let path = self.folders.data.join(LOCK);
        for _ in 0..STILL_HELD {
            match lock(&path) {
                Err(error) if error.code == Code::InUse => tokio::time::sleep(Duration::from_millis(100)).await,
                done => return done,
            }
        }
        lock(&path)
    }

    /// The journeys as the store has them, without driving them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn journeys(&self) -> Result<Vec<Journey>> {
        Ok(self.ingest_at_rest().await?.list())
    }

    /// Does what someone wants of some journeys: itself where no process drives them, otherwise through the one that
    /// does. Answers whether one does.
    ///
    /// # Errors
    /// When a journey is not there, or AWS or the store cannot be used.
    pub async fn steer(&self, ids: &[String], command: JourneyCommand) -> Result<bool> {
        let ingest = self.ingest_at_rest().await?;
        match lock(&self.folders.data.join(LOCK)) {
            Ok(_lock) => {
                for id in ids {
                    ingest.steer(id, command).await?;
                }
                // What goes on now goes on with the next driver.
                ingest.stop().await;
                Ok(false)
            }
            Err(error) if error.code == Code::InUse => {
                let store = Store::open(&self.folders.data.join(STORE))?;
                for id in ids {
                    queue_command(&store, id, command).await?;
                }
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    async fn ingest_at_rest(&self) -> Result<Ingest> {
        let store = Store::open(&self.folders.data.join(STORE))?;
        self.ingest(store, Driving::Command).await
    }

    async fn ingest(&self, store: Store, driving: Driving) -> Result<Ingest> {
        let live = Live::new(self.catalog.clone(), self.jobs.clone(), self.events.changes());
        Ingest::open(&self.workspace, &self.aws, store, self.events.changes(), live, driving).await
    }

    /// The bandwidth limits that are set.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn limits(&self) -> Result<Limits> {
        Ok(self.ingest_at_rest().await?.limits())
    }

    /// Sets them, also for the process that drives.
    ///
    /// # Errors
    /// When there is no time between the hours, or the store cannot be written.
    pub async fn set_limits(&self, limits: Limits) -> Result<()> {
        self.ingest_at_rest().await?.set_limits(limits).await
    }

    /// Unfinished uploads in the source bucket that no journey will finish.
    ///
    /// # Errors
    /// When S3 or the store cannot be asked.
    pub async fn orphans(&self) -> Result<Vec<Orphan>> {
        let all = orphans::find(&self.aws.s3, &self.workspace.source_bucket, KEY_PREFIX).await?;
        let owner = self.workspace.name.clone();
        let store = Store::open(&self.folders.data.join(STORE))?;
        let mine = store.call(move |db| known_uploads(db, &owner)).await?;
        let known = |orphan: &Orphan| mine.contains(&orphan.upload_id) || mine.contains(&orphan.key);
        Ok(all.into_iter().filter(|orphan| !known(orphan)).collect())
    }

    /// Removes one of them from S3.
    ///
    /// # Errors
    /// When S3 refuses.
    pub async fn remove_orphan(&self, orphan: &Orphan) -> Result<()> {
        orphans::remove(&self.aws.s3, &self.workspace.source_bucket, orphan).await
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

const A_DAY_MS: i64 = 24 * 3600 * 1000;

/// The uploads that this data folder knows, of all its workspaces: by S3's names for them, and by the keys of journeys that
/// will go on.
fn known_uploads(db: &mut Connection, owner: &str) -> Result<HashSet<String>> {
    let mut known = HashSet::new();
    let mut rows = db.prepare("SELECT upload_id FROM uploads WHERE upload_id IS NOT NULL")?;
    let ids = rows.query_map([], |row| row.get::<_, String>(0))?;
    known.extend(ids.collect::<rusqlite::Result<Vec<_>>>()?);
    // What this workspace aborts itself; what it could not for a day is shown.
    let mut rows = db.prepare("SELECT upload_id FROM aborts WHERE owner = ?1 AND since > ?2")?;
    let ids = rows.query_map(params![owner, now_ms() - A_DAY_MS], |row| row.get::<_, String>(0))?;
    known.extend(ids.collect::<rusqlite::Result<Vec<_>>>()?);
    let mut rows = db.prepare("SELECT body FROM journeys")?;
    let bodies = rows.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let journeys = bodies.iter().filter_map(|body| serde_json::from_str::<Journey>(body).ok());
    let goes_on = |journey: &Journey| {
        journey.stage.is_being_sent() || matches!(journey.stage, Stage::Paused | Stage::NeedsYou | Stage::Canceling)
    };
    known.extend(journeys.filter(goes_on).filter_map(|journey| journey.key));
    Ok(known)
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

/// The right to drive a store's journeys, and the journeys.
pub struct Driver {
    /// The journeys.
    pub ingest: Ingest,
    workspace: String,
    store: Store,
    rules: Rules,
    events: Events,
    /// None once it was stopped.
    follower: Mutex<Option<tokio::task::JoinHandle<()>>>,
    lock: Mutex<Option<File>>,
}

impl Driver {
    /// Begins to watch the workspace's folders.
    #[must_use]
    pub fn watch(&self) -> Watch {
        let Self { workspace, rules, store, ingest, events, .. } = self;
        Watch::start(workspace, rules.clone(), store.clone(), ingest.clone(), events.changes())
    }

    /// Stops driving in good order, and gives the right to drive back.
    pub async fn stop(&self) {
        self.ingest.stop().await;
        let follower = self.follower.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(follower) = follower
            && follower.await.is_err()
        {
            tracing::warn!("the follower did not end in good order");
        }
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
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

fn lock(path: &Path) -> Result<File> {
    let file = open_private(path).map_err(|error| crate::files::unreadable(path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::new(
            Code::InUse,
            "Another Reeldesk sends files from this data folder.",
            "Use its window, or close it, or choose another folder with --data-dir.",
        )),
        Err(TryLockError::Error(error)) => Err(crate::files::unreadable(path, &error)),
    }
}
