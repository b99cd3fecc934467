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

/// The name of the platform's folders for this app.
const NAME: &str = "reeldesk";

impl Folders {
    /// The platform's folders for an app: on Linux `~/.local/share/reeldesk`, `~/.config/reeldesk` and
    /// `~/.local/state/reeldesk`.
    ///
    /// # Errors
    /// When the platform names no home folder.
    pub fn of_platform() -> Result<Self> {
        let dirs = ProjectDirs::from("", "", NAME).ok_or_else(|| {
            Error::new(Code::Invalid, "This user has no home folder.", "Name a data folder with --data-dir.")
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

/// Makes a folder of Reeldesk's own, which no other user of this computer may look into: it holds addresses of people. One
/// that was there before keeps its rights, unless it bears Reeldesk's name: it may be shared on purpose.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut make = std::fs::DirBuilder::new();
    make.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut make, 0o700);
    make.create(folder)?;
    if folder.file_name().is_some_and(|name| name == NAME) {
        restrict(folder, 0o700);
    }
    Ok(())
}

/// Opens a file of Reeldesk's own for writing, made where it is not there, for this user only.
///
/// # Errors
/// When it cannot be opened.
pub(crate) fn open_private(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    restrict(path, 0o600);
    Ok(file)
}

/// Makes an empty file of Reeldesk's own where there is none, for this user only; one that is there is not opened.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::File::options();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            restrict(path, 0o600);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Takes away what others may do; Windows' folders of a user are closed to others as they are.
pub(crate) fn restrict(path: &Path, mode: u32) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let is_open = |path: &Path| std::fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o077 != 0);
        if is_open(path) {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).ok();
        }
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_made_and_what_was_open_to_all_is_for_this_user_only() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let open = std::fs::Permissions::from_mode(0o644);
        for is_there in [false, true] {
            let (opened, made) =
                (folder.path().join(format!("a{is_there}")), folder.path().join(format!("b{is_there}")));
            for path in [&opened, &made].into_iter().filter(|_| is_there) {
                std::fs::write(path, "kept").unwrap();
                std::fs::set_permissions(path, open.clone()).unwrap();
            }
            open_private(&opened).unwrap();
            create_private(&made).unwrap();
            for path in [&opened, &made] {
                assert_eq!(mode(path), 0o600);
                assert_eq!(std::fs::read_to_string(path).unwrap(), if is_there { "kept" } else { "" });
            }
        }
        let inner = folder.path().join("c").join("d");
        make_private(&inner).unwrap();
        assert_eq!((mode(&inner), mode(inner.parent().unwrap())), (0o700, 0o700));
    }
}
