//! A file that is locked while one process does something that only one may do.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::unreadable;
use crate::folders::open_private;
use crate::{Error, Result};

/// Locks it until what is returned is dropped; the file is made where it is not there.
///
/// # Errors
/// What `in_use` says while another process has it.
pub(crate) async fn lock_file(path: &Path, in_use: impl FnOnce() -> Error + Send + 'static) -> Result<File> {
    let path = path.to_owned();
    let lock = move || {
        let file = open_private(&path).map_err(|error| unreadable(&path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(in_use()),
            Err(TryLockError::Error(error)) => Err(Error::internal(error)),
        }
    };
    tokio::task::spawn_blocking(lock).await.map_err(Error::internal)?
}
