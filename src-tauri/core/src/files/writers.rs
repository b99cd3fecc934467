//! Whether a program still holds a file open for writing, where the system can tell.

use std::collections::HashSet;
use std::path::PathBuf;

/// Those of these files that a program holds open for writing. On Linux it asks `/proc`, which shows the programs of
/// this user (of all users, to root), of this computer only.
#[cfg(target_os = "linux")]
pub(crate) fn held(paths: &[PathBuf]) -> HashSet<PathBuf> {
    use procfs::process::{FDPermissions, FDTarget};
    let wanted: HashSet<&PathBuf> = paths.iter().collect();
    let mut held = HashSet::new();
    // What cannot be read belongs to others, or has ended meanwhile.
    for process in procfs::process::all_processes().into_iter().flatten().flatten() {
        for file in process.fd().into_iter().flatten().flatten() {
            if let FDTarget::Path(path) = &file.target
                && file.mode().contains(FDPermissions::WRITE)
                && wanted.contains(path)
            {
                held.insert(path.clone());
            }
        }
    }
    held
}

/// Windows refuses to open what a program writes if that is not to be shared.
#[cfg(windows)]
pub(crate) fn held(paths: &[PathBuf]) -> HashSet<PathBuf> {
    use std::os::windows::fs::OpenOptionsExt as _;
    const FILE_SHARE_READ: u32 = 1;
    const FILE_SHARE_DELETE: u32 = 4;
    const ERROR_SHARING_VIOLATION: i32 = 32;
    let is_held = |path: &&PathBuf| {
        let opened = std::fs::File::options().read(true).share_mode(FILE_SHARE_READ | FILE_SHARE_DELETE).open(path);
        opened.is_err_and(|error| error.raw_os_error() == Some(ERROR_SHARING_VIOLATION))
    };
    paths.iter().filter(is_held).cloned().collect()
}

/// The others cannot tell without a program of their own.
#[cfg(not(any(target_os = "linux", windows)))]
pub(crate) fn held(_: &[PathBuf]) -> HashSet<PathBuf> {
    HashSet::new()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_writer_is_seen_and_a_reader_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("film.mp4");
        let paths = [path.clone()];
        let writer = std::fs::File::create(&path).unwrap();
        assert_eq!(held(&paths), HashSet::from([path.clone()]));
        drop(writer);
        let _reader = std::fs::File::open(&path).unwrap();
        assert_eq!(held(&paths), HashSet::new());
    }
}
