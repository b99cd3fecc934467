//! The one SQLite file that the sandbox keeps its state in (everything but object bodies and the
//! DynamoDB table, which has a file of its own).

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, created TEXT NOT NULL, settings TEXT NOT NULL DEFAULT '{}');
CREATE TABLE IF NOT EXISTS objects (
  bucket TEXT NOT NULL REFERENCES buckets(name), key TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
  modified TEXT NOT NULL, content TEXT NOT NULL, tags TEXT NOT NULL, checksum TEXT NOT NULL, parts TEXT NOT NULL,
  blob TEXT NOT NULL, PRIMARY KEY (bucket, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uploads (
  id TEXT PRIMARY KEY, bucket TEXT NOT NULL REFERENCES buckets(name), key TEXT NOT NULL, initiated TEXT NOT NULL,
  content TEXT NOT NULL, tags TEXT NOT NULL, algorithm TEXT NOT NULL, full_object INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS uploads_by_key ON uploads (bucket, key, id);
CREATE TABLE IF NOT EXISTS parts (
  upload TEXT NOT NULL REFERENCES uploads(id) ON DELETE CASCADE, number INTEGER NOT NULL, size INTEGER NOT NULL,
  etag TEXT NOT NULL, checksum TEXT NOT NULL, modified TEXT NOT NULL, blob TEXT NOT NULL,
  PRIMARY KEY (upload, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (
  id TEXT PRIMARY KEY, created INTEGER NOT NULL, status TEXT NOT NULL, queue TEXT NOT NULL, token TEXT, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_by_status ON jobs (status, created);
CREATE TABLE IF NOT EXISTS job_templates (name TEXT PRIMARY KEY, body TEXT NOT NULL);
";

/// A handle on the SQLite file; cheap to clone.
#[derive(Clone)]
pub(crate) struct Db(Arc<Mutex<Connection>>);

impl Db {
    /// Opens the file, with the tables of the rooms that have their own.
    pub fn open(path: &Path, schemas: &[&str]) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.execute_batch(SCHEMA)?;
        schemas.iter().try_for_each(|schema| connection.execute_batch(schema))?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Runs `work` with the connection, off the async threads.
    pub async fn call<T, E>(&self, work: impl FnOnce(&mut Connection) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<rusqlite::Error> + Send + 'static,
    {
        let connection = self.0.clone();
        tokio::task::spawn_blocking(move || work(&mut connection.lock().unwrap_or_else(PoisonError::into_inner)))
            .await
            .unwrap_or_else(|_| Err(E::from(rusqlite::Error::UnwindingPanic)))
    }
}
