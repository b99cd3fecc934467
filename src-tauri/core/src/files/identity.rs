//! What makes a file the one that it was, and why one cannot be read.

use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::{Code, Error, Result};

/// What makes a file the one that it was: its size, the time of its last change, and its identity on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Bytes.
    pub size: u64,
    /// Nanoseconds since the epoch.
    pub modified_ns: i64,
    /// The file system's own name for it (device and inode, or Windows' file id); empty where there is none.
    pub file_id: String,
}

impl Identity {
    /// Looks at the file.
    ///
    /// # Errors
    /// [`Code::FileMissing`] or [`Code::FileUnreadable`].
    pub fn of(path: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Ok(Self {
            size: metadata.len(),
            modified_ns: modified.map_or(0, |time| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)),
            file_id: file_id::get_file_id(path).map_or_else(|_| String::new(), |id| named(&id)),
        })
    }

    /// Whether this is the file that `other` was: an identity that one of them lacks does not tell them apart.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.like(other) == Likeness::Same
    }

    /// Whether this is the file that `other` was as far as its size and time tell: for files under one path.
    #[must_use]
    pub fn is_likely(&self, other: &Self) -> bool {
        self.size == other.size && self.modified_ns == other.modified_ns
    }

    /// How far this is the file that `other` was.
    #[must_use]
    pub fn like(&self, other: &Self) -> Likeness {
        let same_place = self.file_id.is_empty() || other.file_id.is_empty() || self.file_id == other.file_id;
        if self.size != other.size {
            Likeness::Other
        } else if self.modified_ns == other.modified_ns && same_place {
            Likeness::Same
        } else {
            Likeness::Unsure
        }
    }
}

/// When anything of a file was last changed, its content or what is said of it, in nanoseconds since the epoch: no program
/// can put that back. None where the system does not tell.
///
/// # Errors
/// When it is not there, or cannot be looked at.
pub(crate) fn touched_at(path: &Path) -> Result<Option<i64>> {
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        Ok(Some(metadata.ctime().saturating_mul(1_000_000_000).saturating_add(metadata.ctime_nsec())))
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        Ok(None)
    }
}

/// How far a file is the one that it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// It is.
    Same,
    /// Its size is the same, its time or its name on the disk is another one. A copy is like that, and so is every file
    /// of a disk that numbers its files anew (FAT, exFAT, FUSE, many shares): its bytes decide.
    Unsure,
    /// Its size is another one.
    Other,
}

fn named(id: &file_id::FileId) -> String {
    match id {
        // The device's number changes from one mount to the next; the inode's does not.
        file_id::FileId::Inode { inode_number, .. } => format!("inode {inode_number}"),
        file_id::FileId::LowRes { file_index, .. } => format!("index {file_index}"),
        file_id::FileId::HighRes { file_id, .. } => format!("id {file_id}"),
    }
}

/// Says why a file cannot be read.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    let shown = crate::shown(path);
    match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Error::new(
            Code::FileMissing,
            format!("\"{shown}\" is not there."),
            "Check the path, or connect the disk again, then retry.",
        ),
        std::io::ErrorKind::PermissionDenied => Error::new(
            Code::FileUnreadable,
            format!("\"{shown}\" may not be read."),
            "Give your user read permission on it, then retry.",
        ),
        _ => Error::new(
            Code::FileUnreadable,
            format!("\"{shown}\" cannot be read: {error}."),
            "Check the disk and the path, then retry.",
        ),
    }
    .with_details(error)
}

/// The identity of a regular file; what a symbolic link points to is another one.
///
/// # Errors
/// When it is not there, or is something else.
pub(crate) fn regular(path: &Path) -> Result<Identity> {
    let metadata = std::fs::symlink_metadata(path).map_err(|error| unreadable(path, &error))?;
    if !metadata.is_file() {
        let what = format!("\"{}\" is not a regular file.", crate::shown(path));
        return Err(Error::new(Code::FileMissing, what, "Put the file itself into the folder."));
    }
    Identity::of(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_of_the_same_name_size_and_time_is_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.mov");
        std::fs::write(&path, "one").unwrap();
        let first = Identity::of(&path).unwrap();
        assert!(first.is_same(&Identity::of(&path).unwrap()));

        let other = folder.path().join("other");
        std::fs::write(&other, "two").unwrap();
        let time = std::fs::metadata(&path).unwrap().modified().unwrap();
        std::fs::File::options().write(true).open(&other).unwrap().set_modified(time).unwrap();
        std::fs::rename(&other, &path).unwrap();
        let second = Identity::of(&path).unwrap();
        assert_eq!((second.size, second.modified_ns), (first.size, first.modified_ns));
        assert!(!first.is_same(&second));
        assert!(first.is_same(&Identity { file_id: String::new(), ..second }), "a journal of old has no file id");
    }

    #[test]
    fn a_file_that_is_not_there() {
        assert_eq!(Identity::of(Path::new("/nowhere/master.mov")).unwrap_err().code, Code::FileMissing);
    }
}
