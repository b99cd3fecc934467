//! The SQLite file of the app: the upload journal and the journeys. It is never thrown away. Copies of what AWS has are kept
//! in files of their own, which may be.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crc_fast::CrcAlgorithm;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use tokio::sync::oneshot;

use crate::folders::create_private;
use crate::{Code, Error, Result};

/// Each takes the file from the version before it to the next; `user_version` says where a file is.
const MIGRATIONS: [&str; 9] = [
    include_str!("store/migrations/1-uploads-and-journeys.sql"),
    include_str!("store/migrations/2-resumable-uploads-and-settings.sql"),
    include_str!("store/migrations/3-sources.sql"),
    include_str!("store/migrations/4-watch-folders.sql"),
    include_str!("store/migrations/5-viewers.sql"),
    include_str!("store/migrations/6-aborts.sql"),
    include_str!("store/migrations/7-touched-files.sql"),
    include_str!("store/migrations/8-no-copies.sql"),
    include_str!("store/migrations/9-edits.sql"),
];

/// How long a write waits for one of another process or connection.
const BUSY: Duration = Duration::from_secs(5 * 60);

/// A handle on the file; cheap to clone. What many ask at once is worked off in its order by one thread, instead of one
/// for each that wakes, waits for the connection and sleeps again.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

/// What is done with the connection; it tells its outcome by itself.
type Work = Box<dyn FnOnce(&mut Connection) + Send>;

struct Shared {
    connection: Mutex<Connection>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Work>,
    /// Whether a thread works it off, or is about to.
    has_worker: bool,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<Work> {
        let mut queue = self.queue();
        let next = queue.waiting.pop_front();
        queue.has_worker = next.is_some();
        next
    }
}

/// Works the queue off, on a thread that may wait.
struct Worker {
    shared: Arc<Shared>,
    has_run: bool,
}

impl Worker {
    fn run(mut self) {
        let mut connection = self.shared.connection.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(work) = self.shared.next() {
            work(&mut connection);
        }
        drop(connection);
        self.has_run = true;
    }
}

impl Drop for Worker {
    /// A runtime that ends drops it before it ran: what waits ends with an error, and the next who asks has a new worker.
    fn drop(&mut self) {
        if !self.has_run {
            let ended = std::mem::take(&mut *self.shared.queue());
            drop(ended);
        }
    }
}

impl Store {
    /// Opens the file, making or upgrading it.
    ///
    /// # Errors
    /// When the file cannot be opened, or comes from a newer Reeldesk.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, &MIGRATIONS)
    }

    /// Opens a copy of what AWS has, which is made anew where it is damaged, or of another schema.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn open_copy(path: &Path, schema: &str) -> Result<Self> {
        let mark = mark_of(schema);
        if is_unusable(path, mark) {
            tracing::warn!(path = %path.display(), "a copy is made anew");
            remove_copy(path);
        }
        // In the same transaction: nobody sees the one without the other.
        Self::open_with(path, &[&format!("{schema};\nPRAGMA application_id = {mark};")])
    }

    fn open_with(path: &Path, migrations: &[&str]) -> Result<Self> {
        // SQLite gives the files beside it the same rights. One that is there is never opened here by other means than
        // SQLite's: where it is closed again, POSIX takes the locks of all other connections of this process with it.
        create_private(path).map_err(|error| crate::files::unreadable(path, &error))?;
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        write_ahead(&connection)?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // A transaction that reads first and writes then is refused at once, without a wait, where another one wrote in
        // between: the right to write is asked for first.
        connection.set_transaction_behavior(TransactionBehavior::Immediate);
        let version: usize = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version > migrations.len() {
            return Err(Error::new(
                Code::Invalid,
                format!("{} was written by a newer Reeldesk.", path.display()),
                "Install the newer version again, or choose another data folder.",
            ));
        }
        for (index, migration) in migrations.iter().enumerate().skip(version) {
            let transaction = connection.transaction()?;
            // Another process may have done it just now.
            let version: usize = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
            if version > index {
                continue;
            }
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", index + 1)?;
            transaction.commit()?;
        }
        Ok(Self(Arc::new(Shared { connection: Mutex::new(connection), queue: Mutex::default() })))
    }

    /// Runs `work` with the connection, off the async threads. What it writes survives a kill, but perhaps not a
    /// power cut.
    ///
    /// # Errors
    /// What `work` answers.
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let work = move |connection: &mut Connection| {
            // What panics is told to whoever asked for it; the others go on.
            let done = catch_unwind(AssertUnwindSafe(|| work(connection)));
            answer.send(done.unwrap_or_else(|panic| Err(Error::internal(said(&*panic))))).ok();
        };
        let has_worker = {
            let mut queue = self.0.queue();
            queue.waiting.push_back(Box::new(work));
            std::mem::replace(&mut queue.has_worker, true)
        };
        if !has_worker {
            let worker = Worker { shared: self.0.clone(), has_run: false };
            tokio::task::spawn_blocking(move || worker.run());
        }
        answered.await.map_err(Error::internal)?
    }

    /// The same for what must survive a power cut too: it is on the disk when this returns.
    ///
    /// # Errors
    /// What `work` answers.
    pub async fn call_durably<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.call(move |db| {
            db.pragma_update(None, "synchronous", "FULL")?;
            let result = work(db);
            db.pragma_update(None, "synchronous", "NORMAL")?;
            result
        })
        .await
    }
}

/// The file of a workspace's copy in a folder. Its name has small letters only, and few: some file systems know no others.
pub(crate) fn copy_in(folder: &Path, workspace: &str) -> PathBuf {
    /// All but small letters and digits.
    const OTHERS: &AsciiSet = &{
        let (mut set, mut letter) = (NON_ALPHANUMERIC.add(b'A'), b'B');
        while letter <= b'Z' {
            set = set.add(letter);
            letter += 1;
        }
        set
    };
    /// Letters that any file system takes, with what is put behind them.
    const LONGEST: usize = 120;
    let mut name = utf8_percent_encode(workspace, OTHERS).to_string().to_lowercase();
    if name.len() > LONGEST {
        name = format!(
            "{}-{:016x}",
            &name[..LONGEST - 20],
            crc_fast::checksum(CrcAlgorithm::Crc64Nvme, workspace.as_bytes())
        );
    }
    folder.join(format!("{name}.sqlite"))
}

/// Removes the files of a copy that nobody has open. What is not there is not in the way; what cannot be removed is told when
/// it is opened.
pub(crate) fn remove_copy(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        std::fs::remove_file(name).ok();
    }
}

/// The largest copy that is read through for damage when it is opened: a larger one would hold up the start.
const READ_THROUGH: u64 = 64 * 1024 * 1024;

/// What tells a schema from others, in the header of its file (`PRAGMA application_id`).
fn mark_of(schema: &str) -> i32 {
    (crc_fast::checksum(CrcAlgorithm::Crc32IsoHdlc, schema.as_bytes()) & 0x7FFF_FFFF) as i32
}

/// Whether a copy is damaged, or of another schema.
fn is_unusable(path: &Path, mark: i32) -> bool {
    let is_large = std::fs::metadata(path).is_ok_and(|file| file.len() > READ_THROUGH);
    let looked = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(|db| {
        let version: usize = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let is_damaged = || {
            let found: String = db.pragma_query_value(None, "quick_check", |row| row.get(0))?;
            Ok::<_, rusqlite::Error>(found != "ok")
        };
        let is_other = || {
            let found: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
            // A file that was made just now is still empty.
            Ok::<_, rusqlite::Error>(version > 0 && found != mark)
        };
        Ok(version > 1 || is_other()? || !is_large && is_damaged()?)
    });
    match looked {
        Ok(is_unusable) => is_unusable,
        Err(error) => {
            matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
        }
    }
}

/// What a panic says.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a call on the store panicked")
}

/// Turns the write-ahead log on. Where two do that to a new file at once, SQLite refuses one of them without a wait.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let since = Instant::now();
    let is_busy = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if is_busy(&error) && since.elapsed() < BUSY => std::thread::sleep(Duration::from_millis(10)),
            other => return other,
        }
    }
}

/// What is kept of one workspace; cheap to clone.
#[derive(Clone)]
pub(crate) struct WorkspaceStore {
    store: Store,
    workspace: String,
}

impl WorkspaceStore {
    /// Of the workspace of this name.
    pub fn of(store: Store, workspace: &str) -> Self {
        Self { store, workspace: workspace.to_owned() }
    }

    /// Runs `work` with the connection and the workspace's name, as [`Store::call`] does.
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection, &str) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let workspace = self.workspace.clone();
        self.store.call(move |db| work(db, &workspace)).await
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn a_file_that_all_make_at_once() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("reeldesk.sqlite");
            let open = || Store::open(&path).map(drop).unwrap();
            std::thread::scope(|threads| (0..8).for_each(|_| drop(threads.spawn(open))));
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_panics_ends_alone_and_all_others_are_worked_off() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("reeldesk.sqlite")).unwrap();
        let add = |number: u32| {
            store.call(move |db| {
                assert_ne!(number, 7, "on purpose");
                let statement = "INSERT INTO settings (name, value) VALUES (?1, 'x')";
                Ok(db.execute(statement, [number.to_string()])?)
            })
        };
        let done = futures::future::join_all((0..100).map(add)).await;
        let failed = done.iter().enumerate().filter_map(|(number, one)| Some((number, one.as_ref().err()?)));
        let failed: Vec<_> = failed.collect();
        let [(7, error)] = failed[..] else { panic!("{failed:?}") };
        assert!(error.details.contains("on purpose"), "{error:?}");
        let count = store.call(|db| Ok(db.query_row("SELECT count(*) FROM settings", [], |row| row.get(0))?)).await;
        assert_eq!(count.map_err(|error| error.code), Ok(99));
    }

    #[test]
    fn a_runtime_that_ends_leaves_the_store_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("reeldesk.sqlite")).unwrap();
        let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let first = runtime();
        let handle = first.handle().clone();
        first.shutdown_background();
        {
            // It takes no more work, and drops what it is given.
            let _inside = handle.enter();
            store.call(|_| Ok(())).now_or_never().expect("an answer at once").unwrap_err();
        }
        let asked = async { tokio::time::timeout(Duration::from_secs(10), store.call(|_| Ok(1))).await };
        assert_eq!(runtime().block_on(asked).expect("an answer").map_err(|error| error.code), Ok(1));
    }

    #[test]
    fn a_file_of_a_newer_version_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reeldesk.sqlite");
        drop(Store::open(&path).unwrap());
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert_eq!(Store::open(&path).err().map(|error| error.code), Some(Code::Invalid));
    }

    #[tokio::test]
    async fn a_copy_that_cannot_be_used_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.sqlite");
        let schema = "CREATE TABLE things (name TEXT)";
        let count = async || {
            let store = Store::open_copy(&path, schema).unwrap();
            let count = store.call(|db| {
                db.execute("INSERT INTO things VALUES ('x')", [])?;
                Ok(db.query_row("SELECT count(*) FROM things", [], |row| row.get::<_, u32>(0))?)
            });
            let count = count.await.unwrap();
            drop(store);
            // Its thread closes it: what it has in its log would be written over what is done to the file here.
            while path.with_extension("sqlite-wal").exists() {
                tokio::task::yield_now().await;
            }
            count
        };
        assert_eq!((count().await, count().await), (1, 2), "it is kept");
        drop(Store::open_copy(&path, "CREATE TABLE things (name TEXT, more TEXT)").unwrap());
        while path.with_extension("sqlite-wal").exists() {
            tokio::task::yield_now().await;
        }
        assert_eq!(count().await, 1, "of another schema");
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert_eq!(count().await, 1, "of a newer version");
        let mut bytes = std::fs::read(&path).unwrap();
        let page = bytes.len() - 4096;
        bytes[page..].fill(7);
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(count().await, 1, "damaged in the middle");
        std::fs::write(&path, vec![7; 8192]).unwrap();
        assert_eq!(count().await, 1, "damaged from its beginning");
    }
}
