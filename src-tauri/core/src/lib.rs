//! Everything that Reeldesk does, without a window. Each module is a room of the house; ARCHITECTURE.md has the
//! map. Shells open a [`Session`] and call it.

pub mod aws;
pub mod catalog;
pub mod encode;
pub mod error;
pub mod event;
pub mod ingest;
pub mod notice;
pub mod playback;
pub mod session;
pub mod store;
pub mod upload;
pub mod workspace;

mod bindings;

use std::path::{Path, PathBuf};

pub use bindings::typescript;
pub use error::{Code, Error, Result};
pub use session::{Driver, Session, uploader_of_environment};

/// A path as it is shown: its last part, control characters and line breaks made visible.
pub(crate) fn shown(path: &Path) -> String {
    let name = path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
    name.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

/// Where the data is kept unless another place is named: the platform's folder for an app's local data.
///
/// # Errors
/// When the platform names no home folder.
pub fn default_data_dir() -> Result<PathBuf> {
    directories::ProjectDirs::from("", "", "reeldesk").map(|dirs| dirs.data_local_dir().to_owned()).ok_or_else(|| {
        Error::new(Code::Invalid, "This user has no home folder.", "Name a folder for the data with --data-dir.")
    })
}

/// Refuses to go on without ffmpeg, with the command that installs it.
///
/// # Errors
/// [`Code::NoFfmpeg`].
pub fn require_ffmpeg() -> Result<()> {
    if reeldesk_sandbox::ffmpeg_is_installed() { Ok(()) } else { Err(ingest::no_ffmpeg()) }
}
