//! Taking a file away. It is put aside first, where nobody writes it, then compared, then moved or deleted; what a kill leaves
//! aside is put back. Nothing is overwritten.

use std::io;
use std::path::{Path, PathBuf};

use super::writers;

/// The folder beside a file that it is put into while it is compared. A kill leaves it there: [`recover`] puts back what
/// is in it.
const ASIDE: &str = ".reeldesk-";

/// What becomes of a file that is taken away.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Away<'a> {
    /// It is deleted.
    Deleted,
    /// It is moved here, or beside it where the name is taken.
    MovedTo(&'a Path),
}

/// Moves or deletes a file if it is the one that is meant.
///
/// # Errors
/// When it cannot be, or a program has it open for writing; then it is where it was.
pub(crate) fn take_away(from: &Path, away: Away<'_>, is_meant: impl Fn(&Path) -> io::Result<bool>) -> io::Result<()> {
    let (Some(parent), Some(name)) = (from.parent(), from.file_name()) else { return Ok(()) };
    let folder = parent.join(format!("{ASIDE}{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder)?;
    let aside = folder.join(name);
    let done = std::fs::rename(from, &aside).and_then(|()| {
        let ended = match is_meant(&aside) {
            // What a program writes just now is not what was compared.
            Ok(true) if !writers::held(std::slice::from_ref(&aside)).is_empty() => {
                Err(io::Error::other("a program has it open for writing"))
            }
            Ok(false) => put(&aside, from).map(drop),
            Ok(true) => match away {
                Away::Deleted => std::fs::remove_file(&aside),
                Away::MovedTo(to) => {
                    to.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| put(&aside, to).map(drop))
                }
            },
            Err(error) => Err(error),
        };
        // Back to where it was, whatever failed.
        ended.inspect_err(|_| drop(put(&aside, from)))
    });
    std::fs::remove_dir(&folder).ok();
    done
}

/// Puts back what a kill left aside in a folder of ours.
pub(crate) fn recover(folder: &Path) {
    let Some(parent) = folder.parent() else { return };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match put(&entry.path(), &parent.join(entry.file_name())) {
            Ok(path) => tracing::info!(path = %path.display(), "a file that was put aside is back"),
            Err(error) => tracing::warn!(path = %entry.path().display(), %error, "a file cannot be put back"),
        }
    }
    std::fs::remove_dir(folder).ok();
}

/// Whether a folder is one of those that files are put aside in.
pub(crate) fn is_aside(name: &str) -> bool {
    name.strip_prefix(ASIDE).is_some_and(|rest| uuid::Uuid::parse_str(rest).is_ok())
}

/// Moves a file on its disk; where its new name is taken, it gets a number. Answers the name.
fn put(from: &Path, to: &Path) -> io::Result<PathBuf> {
    let stem = to.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let ending = to.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    let numbered = |number: u32| -> PathBuf {
        if number == 1 { to.to_owned() } else { to.with_file_name(format!("{stem} ({number}){ending}")) }
    };
    for number in 1..10_000 {
        let free = numbered(number);
        // A link takes no name that is there; not every disk has links.
        match std::fs::hard_link(from, &free) {
            Ok(()) => return std::fs::remove_file(from).map(|()| free),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(_) if std::fs::exists(&free)? => {}
            Err(_) => return std::fs::rename(from, &free).map(|()| free),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_kill_left_aside_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("a")).unwrap();
        std::fs::write(folder.path().join("a/film.mp4"), "film").unwrap();
        let aside = folder.path().join("a").join(format!("{ASIDE}{}", uuid::Uuid::new_v4()));
        assert!(is_aside(aside.file_name().unwrap().to_str().unwrap()) && !is_aside(".reeldesk-films"));
        std::fs::create_dir(&aside).unwrap();
        std::fs::rename(folder.path().join("a/film.mp4"), aside.join("film.mp4")).unwrap();
        std::fs::write(folder.path().join("a/film.mp4"), "a new one").unwrap();
        recover(&aside);
        assert!(!aside.exists());
        assert_eq!(std::fs::read_to_string(folder.path().join("a/film (2).mp4")).unwrap(), "film");
        assert_eq!(std::fs::read_to_string(folder.path().join("a/film.mp4")).unwrap(), "a new one");
    }
}
