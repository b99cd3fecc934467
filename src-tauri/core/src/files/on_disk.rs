//! Paths that a desktop handed over as text, though their names are none.

use std::path::{Path, PathBuf};

/// Paths as their disks have them. A desktop drops a file whose name is no UTF-8 with U+FFFD in it, which names no file:
/// the one file that is shown by that name is meant. Where none or several are, the path stays as it came.
pub async fn on_disk(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut found = Vec::with_capacity(paths.len());
    for path in paths {
        let as_named = path.to_str().is_some_and(|text| text.contains(char::REPLACEMENT_CHARACTER));
        let meant = match as_named {
            true => super::ask(&path, |path| Ok(shown_as(path))).await.ok().flatten(),
            false => None,
        };
        found.push(meant.unwrap_or(path));
    }
    found
}

/// The one file that is shown by this path.
fn shown_as(path: &Path) -> Option<PathBuf> {
    if path.symlink_metadata().is_ok() {
        return Some(path.to_owned());
    }
    let (parent, name) = (shown_as(path.parent()?)?, path.file_name()?.to_str()?);
    let mut alike = std::fs::read_dir(&parent).ok()?.filter_map(Result::ok).map(|entry| entry.file_name());
    let first = alike.by_ref().find(|other| other.to_string_lossy() == name)?;
    let is_only = alike.all(|other| other.to_string_lossy() != name);
    is_only.then(|| parent.join(first))
}

#[cfg(all(test, unix))]
mod tests {
    use super::super::path_of_bytes;
    use super::*;

    #[tokio::test]
    async fn a_name_that_is_no_text_is_found_again_and_never_guessed() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join(path_of_bytes(b"r\xE9serve"));
        if std::fs::create_dir(&inner).is_err() {
            return; // This file system takes text only.
        }
        let film = inner.join(path_of_bytes(b"caf\xE9.mp4"));
        std::fs::write(&film, b"film").unwrap();
        let plain = folder.path().join("caf\u{E9}.mp4");
        let dropped = vec![folder.path().join("r\u{FFFD}serve/caf\u{FFFD}.mp4"), plain.clone()];
        assert_eq!(on_disk(dropped.clone()).await, [film, plain.clone()]);
        std::fs::write(inner.join(path_of_bytes(b"caf\xE8.mp4")), b"another").unwrap();
        assert_eq!(on_disk(dropped.clone()).await, dropped, "two are shown by that name");
    }
}
