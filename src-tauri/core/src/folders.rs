//! Where things are kept: data, settings and logs, each in the platform's own place.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use crate::{Code, Error, Result};

/// The folders of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// The store, the sandbox: what must not be lost.
    pub data: PathBuf,
    /// The settings.
    pub config: PathBuf,
    /// The logs.
    pub logs: PathBuf,
}

impl Folders {
    /// The platform's folders for an app: on Linux `~/.local/share/reeldesk`, `~/.config/reeldesk` and
    /// `~/.local/state/reeldesk`.
    ///
    /// # Errors
    /// When the platform names no home folder.
    pub fn of_platform() -> Result<Self> {
        let dirs = ProjectDirs::from("", "", "reeldesk").ok_or_else(|| {
            Error::new(Code::Invalid, "This user has no home folder.", "Name a folder for the data with --data-dir.")
        })?;
        let logs = dirs.state_dir().map_or_else(|| dirs.data_local_dir().join("logs"), Path::to_owned);
        Ok(Self { data: dirs.data_local_dir().to_owned(), config: dirs.config_local_dir().to_owned(), logs })
    }

    /// All of it in one folder.
    #[must_use]
    pub fn within(folder: &Path) -> Self {
        Self { data: folder.to_owned(), config: folder.to_owned(), logs: folder.join("logs") }
    }

    /// In this folder where one is named, otherwise the platform's.
    ///
    /// # Errors
    /// When none is named and the platform names no home folder.
    pub fn choose(folder: Option<&Path>) -> Result<Self> {
        folder.map_or_else(Self::of_platform, |folder| Ok(Self::within(folder)))
    }
}
