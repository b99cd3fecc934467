//! What becomes of a file whose video can be watched. Nothing is overwritten, and only the very file that was sent is
//! touched.

use std::io;
use std::path::{Path, PathBuf};

use super::ledger::Entry;
use super::rules::{Afterwards, DONE};
use crate::files::Identity;
use crate::files::regular;
use crate::{Code, Error, Result};

/// Does with a file and what goes with it what the rule wants. One that is gone or is another one by now is left alone.
///
/// # Errors
/// When it cannot be moved or deleted; then it is where it was.
pub(super) fn apply(
    root: &Path,
    afterwards: Afterwards,
    entry: &Entry,
    as_known: impl Fn(Identity) -> Identity,
) -> Result<()> {
    let path = root.join(&entry.path);
    let is_it = |identity: Identity| as_known(identity).is_same(&entry.identity);
    if afterwards == Afterwards::Leave || !regular(&path).is_ok_and(is_it) {
        return Ok(());
    }
    // What goes with it first: the file is what says that there is something to do.
    for one in entry.sidecars.iter().chain([&entry.path]) {
        let from = root.join(one);
        if regular(&from).is_err() {
            continue;
        }
        let done = match afterwards {
            Afterwards::Delete => std::fs::remove_file(&from),
            _ => move_to(&from, &root.join(DONE).join(one)),
        };
        done.map_err(|error| stays(&from, afterwards, &error))?;
    }
    Ok(())
}

/// Moves a file; where its new name is taken, it gets a number.
fn move_to(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let stem = to.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let ending = to.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    let numbered = |number: u32| -> PathBuf {
        if number == 1 { to.to_owned() } else { to.with_file_name(format!("{stem} ({number}){ending}")) }
    };
    for number in 1..10_000 {
        let free = numbered(number);
        if !std::fs::exists(&free)? {
            return std::fs::rename(from, free);
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn stays(path: &Path, afterwards: Afterwards, error: &io::Error) -> Error {
    let (what, remedy) = match afterwards {
        Afterwards::Delete => ("deleted", "Give your user write permission on its folder; it is tried again."),
        _ => ("moved to \"done\"", "Give your user write permission on the folder; it is tried again."),
    };
    let message = format!("The video of \"{}\" is ready, but the file could not be {what}.", crate::shown(path));
    Error::new(Code::FileUnreadable, message, remedy).with_details(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Entry) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("a")).unwrap();
        std::fs::write(folder.path().join("a/film.mp4"), "film").unwrap();
        std::fs::write(folder.path().join("a/film.srt"), "words").unwrap();
        let entry = Entry {
            path: "a/film.mp4".into(),
            identity: regular(&folder.path().join("a/film.mp4")).unwrap(),
            journey: None,
            ending: None,
            gone: false,
            sidecars: vec!["a/film.srt".into(), "a/gone.vtt".into()],
            taken_at: 0,
        };
        (folder, entry)
    }

    #[test]
    fn moved_and_nothing_overwritten() {
        let (folder, entry) = folder();
        let at = |path: &str| folder.path().join(path);
        std::fs::create_dir_all(at("done/a")).unwrap();
        std::fs::write(at("done/a/film.mp4"), "another").unwrap();
        apply(folder.path(), Afterwards::Move, &entry, |is| is).unwrap();
        assert_eq!(std::fs::read_to_string(at("done/a/film.mp4")).unwrap(), "another");
        assert_eq!(std::fs::read_to_string(at("done/a/film (2).mp4")).unwrap(), "film");
        assert!(at("done/a/film.srt").exists() && !at("a/film.mp4").exists() && !at("a/film.srt").exists());
        apply(folder.path(), Afterwards::Move, &entry, |is| is).unwrap();
    }

    #[test]
    fn deleted_and_left() {
        let (folder, entry) = folder();
        apply(folder.path(), Afterwards::Leave, &entry, |is| is).unwrap();
        assert!(folder.path().join("a/film.mp4").exists());
        apply(folder.path(), Afterwards::Delete, &entry, |is| is).unwrap();
        assert_eq!(std::fs::read_dir(folder.path().join("a")).unwrap().count(), 0);
    }

    #[test]
    fn another_file_of_its_path_is_left_alone() {
        for afterwards in [Afterwards::Move, Afterwards::Delete] {
            let (folder, entry) = folder();
            let path = folder.path().join("a/film.mp4");
            std::fs::write(&path, "a new cut").unwrap();
            apply(folder.path(), afterwards, &entry, |is| is).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "a new cut");
            assert!(folder.path().join("a/film.srt").exists());
        }
    }
}
