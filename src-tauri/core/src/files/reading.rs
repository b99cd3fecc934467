//! People's files as they are read: whole, in part, and as what lies in a folder.

use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::unreadable;
use crate::Result;

/// A file to be read in part.
///
/// # Errors
/// When it cannot be opened.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// That a file can be opened for reading.
///
/// # Errors
/// When it is not there, or may not be read.
pub(crate) fn can_be_read(path: &Path) -> Result<()> {
    open(path).map(drop).map_err(|error| unreadable(path, &error))
}

/// A small file, whole.
///
/// # Errors
/// [`crate::Code::FileMissing`] or [`crate::Code::FileUnreadable`].
pub(crate) fn whole(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| unreadable(path, &error))
}

/// So many bytes of the head of a file of this size, and as many of its tail.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn ends(path: &Path, size: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    (&file).take(length).read_to_end(&mut bytes)?;
    if size > length {
        file.seek(SeekFrom::Start((size - length).max(length)))?;
        file.take(length).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// That a folder can be listed at this moment.
///
/// # Errors
/// [`crate::Code::FileMissing`] or [`crate::Code::FileUnreadable`].
pub(crate) fn can_be_listed(folder: &Path) -> Result<()> {
    std::fs::read_dir(folder).map(drop).map_err(|error| unreadable(folder, &error))
}

/// What is at a path, where links lead to.
///
/// # Errors
/// [`crate::Code::FileMissing`] or [`crate::Code::FileUnreadable`].
pub(crate) fn look(path: &Path) -> Result<Metadata> {
    std::fs::metadata(path).map_err(|error| unreadable(path, &error))
}

/// What is at a path itself, which may be a link.
///
/// # Errors
/// When nothing is there, or it cannot be looked at.
pub(crate) fn look_at_itself(path: &Path) -> io::Result<Metadata> {
    std::fs::symlink_metadata(path)
}
