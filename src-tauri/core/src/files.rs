//! People's files: what makes one the one that it was, where it lies, whether it is complete, and why it cannot be read.
//! Disks are asked off the async workers and never waited for without end ([`ask`]): a share whose server went away
//! answers neither yes nor no.

mod aside;
mod ask;
mod container;
mod disk;
mod identity;
mod kind;
mod lock;
mod on_disk;
pub(crate) mod path_text;
mod reading;
mod root;
pub(crate) mod sheet;
mod writers;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use self::aside::{Away, is_aside, recover, take_away};
pub(crate) use self::ask::{ask, ask_within};
pub use self::container::Incomplete;
pub(crate) use self::container::missing;
pub(crate) use self::disk::Disk;
pub use self::identity::{Identity, Likeness};
pub(crate) use self::identity::{regular, unreadable};
pub(crate) use self::kind::NoFilm;
pub(crate) use self::lock::lock_file;
pub use self::on_disk::on_disk;
pub(crate) use self::reading::{can_be_listed, can_be_read, ends, look, look_at_itself, open, whole};
pub(crate) use self::root::Root;
pub(crate) use self::writers::held;
use crate::Result;

/// The identity of a file, off the async workers.
///
/// # Errors
/// [`crate::Code::FileMissing`], also where its disk does not answer, or [`crate::Code::FileUnreadable`].
pub(crate) async fn identity(path: &Path) -> Result<Identity> {
    ask(path, Identity::of).await
}

/// The identity of a file, and when anything of it was last changed (see
/// `identity::touched_at`), with one question to its disk.
///
/// # Errors
/// As [`identity`].
pub(crate) async fn stat(path: &Path) -> Result<(Identity, Option<i64>)> {
    ask(path, |path| Ok((Identity::of(path)?, identity::touched_at(path)?))).await
}

/// How long the look at a container may take: one of a million fragments has as many places to look at.
const LOOKED_AT_WITHIN: Duration = Duration::from_secs(5 * 60);

/// What stands against a file, by its own bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    NoFilm(NoFilm),
    Incomplete(Incomplete),
}

/// Looks whether a file may be a film, and a whole one.
///
/// # Errors
/// As [`identity`].
pub(crate) async fn fault(path: &Path) -> Result<Option<Fault>> {
    let look = |path: &Path| -> std::io::Result<Option<Fault>> {
        let mut head = Vec::new();
        std::fs::File::open(path)?.take(kind::HEAD as u64).read_to_end(&mut head)?;
        Ok(match NoFilm::of(&head) {
            Some(what) => Some(Fault::NoFilm(what)),
            None => missing(path)?.map(Fault::Incomplete),
        })
    };
    ask_within(LOOKED_AT_WITHIN, path, move |path| look(path).map_err(|error| unreadable(path, &error))).await
}

/// A path as the platform has it, which need not be text.
pub(crate) fn path_of_bytes(bytes: &[u8]) -> PathBuf {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
    }
    #[cfg(not(unix))]
    {
        PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
    }
}
