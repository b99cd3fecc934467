//! What a file is at one moment: if two looks see the same, it was still between them.

use std::path::Path;

use crate::Result;
use crate::files::{Identity, ends, regular};
use crate::upload::Checksum;

/// Bytes of the head and of the tail that are compared: what is written into a file of a fixed size shows in one of
/// them, or in its time.
const END: u64 = 64 * 1024;

/// A file, its ends, and what goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub identity: Identity,
    pub ends: Checksum,
    /// By their paths relative to the folder.
    pub sidecars: Vec<(Box<str>, Identity)>,
}

impl Stamp {
    /// Looks at a file and its sidecars; a sidecar that went away is left out.
    ///
    /// # Errors
    /// When it is not there, is no file, or cannot be read.
    pub fn of(root: &Path, relative: &str, sidecars: &[Box<str>]) -> Result<Self> {
        let path = root.join(relative);
        let identity = regular(&path)?;
        let ends = ends(&path, identity.size, END).map_err(|error| crate::files::unreadable(&path, &error))?;
        let sidecars = sidecars.iter().filter_map(|one| Some((one.clone(), regular(&root.join(&**one)).ok()?)));
        Ok(Self { identity, ends: Checksum::of_bytes(&ends), sidecars: sidecars.collect() })
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Seek as _, SeekFrom, Write as _};

    use super::*;

    #[test]
    fn a_write_that_changes_neither_size_nor_time_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.mp4");
        std::fs::write(&path, vec![0; 300_000]).unwrap();
        let stamp = || Stamp::of(folder.path(), "film.mp4", &[]).unwrap();
        let first = stamp();
        assert_eq!(first, stamp());
        let time = std::fs::metadata(&path).unwrap().modified().unwrap();
        for at in [10, 299_990] {
            let mut file = File::options().write(true).open(&path).unwrap();
            file.seek(SeekFrom::Start(at)).unwrap();
            file.write_all(b"x").unwrap();
            file.set_modified(time).unwrap();
        }
        let second = stamp();
        assert_eq!(second.identity, first.identity);
        assert_ne!(second, first);
        std::fs::write(folder.path().join("film.srt"), "1").unwrap();
        let with = Stamp::of(folder.path(), "film.mp4", &["film.srt".into(), "gone.srt".into()]).unwrap();
        assert!(with != second && with.sidecars.len() == 1);
    }

    #[test]
    #[cfg(unix)]
    fn a_link_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("film.mp4"), "x").unwrap();
        std::os::unix::fs::symlink("film.mp4", folder.path().join("link.mp4")).unwrap();
        assert!(Stamp::of(folder.path(), "link.mp4", &[]).is_err());
    }
}
