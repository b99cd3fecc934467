//! Object bodies: one file each, written under a temporary name and named once complete.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures::{Stream, StreamExt as _};
use md5::{Digest as _, Md5};
use tokio::io::AsyncWriteExt as _;

use crate::checksum::{Algorithm, Hasher};

/// What one pass over a body found.
pub(crate) struct Written {
    /// The name of the blob.
    pub blob: String,
    pub size: i64,
    /// The MD5 of the bytes.
    pub md5: [u8; 16],
    /// The checksum of the bytes, base64, by the asked algorithm.
    pub checksum: String,
}

impl Written {
    pub fn md5_base64(&self) -> String {
        BASE64.encode(self.md5)
    }
}

#[derive(Clone)]
pub(crate) struct Blobs(PathBuf);

impl Blobs {
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    pub fn path(&self, blob: &str) -> PathBuf {
        self.0.join(blob)
    }

    fn fresh() -> String {
        uuid::Uuid::new_v4().simple().to_string()
    }

    /// Writes the whole of `body` to a new blob, hashing as it goes.
    pub async fn write<E>(
        &self,
        body: impl Stream<Item = Result<bytes::Bytes, E>>,
        algorithm: Algorithm,
    ) -> io::Result<Written>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let blob = Self::fresh();
        let result = self.write_to(&blob, body, algorithm).await;
        if result.is_err() {
            self.remove(&blob).await;
        }
        result
    }

    async fn write_to<E>(
        &self,
        blob: &str,
        body: impl Stream<Item = Result<bytes::Bytes, E>>,
        algorithm: Algorithm,
    ) -> io::Result<Written>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut file = tokio::io::BufWriter::with_capacity(256 * 1024, tokio::fs::File::create(self.path(blob)).await?);
        let (mut md5, mut hasher, mut size) = (Md5::new(), Hasher::new(algorithm), 0);
        let mut body = std::pin::pin!(body);
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(io::Error::other)?;
            md5.update(&chunk);
            hasher.update(&chunk);
            size += chunk.len() as i64;
            file.write_all(&chunk).await?;
        }
        file.flush().await?;
        Ok(Written { blob: blob.to_owned(), size, md5: md5.finalize().into(), checksum: hasher.finish() })
    }

    /// Joins blobs into a new one, in order.
    pub async fn join(&self, blobs: Vec<String>) -> io::Result<String> {
        let store = self.clone();
        tokio::task::spawn_blocking(move || {
            let name = Self::fresh();
            let mut target = File::create(store.path(&name))?;
            for blob in &blobs {
                if let Err(error) =
                    File::open(store.path(blob)).and_then(|mut source| io::copy(&mut source, &mut target))
                {
                    std::fs::remove_file(store.path(&name)).ok();
                    return Err(error);
                }
            }
            Ok(name)
        })
        .await
        .map_err(io::Error::other)?
    }

    /// Copies a finished file in.
    pub async fn copy_of(&self, file: &Path, algorithm: Algorithm) -> io::Result<Written> {
        let reader = tokio_util::io::ReaderStream::with_capacity(tokio::fs::File::open(file).await?, 256 * 1024);
        self.write(reader, algorithm).await
    }

    /// Forgets a blob; one that is gone already is no error.
    pub async fn remove(&self, blob: &str) {
        if let Err(error) = tokio::fs::remove_file(self.path(blob)).await
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(blob, %error, "a blob could not be removed");
        }
    }

    /// Removes every blob that `in_use` does not name (what a kill left behind).
    pub fn sweep(&self, in_use: &std::collections::HashSet<String>) -> io::Result<()> {
        for entry in std::fs::read_dir(&self.0)? {
            let entry = entry?;
            if !in_use.contains(entry.file_name().to_string_lossy().as_ref()) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}
