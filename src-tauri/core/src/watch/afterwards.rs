//! What becomes of a file whose video can be watched: only the very file that was sent is touched.

use std::io;
use std::path::Path;

use super::ledger::Entry;
use super::rules::{Afterwards, DONE};
use crate::files::{self, Away, Identity, regular};
use crate::ingest::Confirmed;
use crate::upload::Checksum;
use crate::{Code, Error, Result};

/// Larger files are not read once more where their disk tells that they are what they were.
const READ_AGAIN: u64 = 256 * 1024 * 1024;

/// Does with a file and what goes with it what the rule wants. One that is gone or is another one by now is left alone.
///
/// # Errors
/// When it cannot be moved or deleted; then it is where it was.
pub(super) fn apply(
    root: &Path,
    afterwards: Afterwards,
    entry: &Entry,
    confirmed: &Confirmed,
    as_known: impl Fn(Identity) -> Identity,
) -> Result<()> {
    let path = root.join(&entry.path);
    let is_it = |path: &Path| regular(path).is_ok_and(|identity| as_known(identity).is_same(&entry.identity));
    if afterwards == Afterwards::Leave || !is_it(&path) {
        return Ok(());
    }
    // What goes with it first: the file is what says that there is something to do.
    for one in &entry.sidecars {
        let from = root.join(one);
        // What was not sent, or was corrected since, stays.
        if let Some((_, checksum)) = confirmed.sidecars.iter().find(|(path, _)| *path == from)
            && regular(&from).is_ok()
        {
            let is_sent = |path: &Path| Ok(read(path)? == *checksum);
            remove(&from, afterwards, &root.join(DONE).join(one), is_sent)?;
        }
    }
    let is_sent = |path: &Path| {
        let may_be_another = entry.identity.file_id.is_empty() || entry.identity.size <= READ_AGAIN;
        Ok(is_it(path) && (!may_be_another || read(path)? == confirmed.checksum))
    };
    remove(&path, afterwards, &root.join(DONE).join(&entry.path), is_sent)
}

fn read(path: &Path) -> io::Result<Checksum> {
    Checksum::of_reader(files::open(path)?)
}

/// Moves or deletes a file if it is the one that is meant.
fn remove(
    from: &Path,
    afterwards: Afterwards,
    done: &Path,
    is_meant: impl Fn(&Path) -> io::Result<bool>,
) -> Result<()> {
    let away = match afterwards {
        Afterwards::Leave => return Ok(()),
        Afterwards::Delete => Away::Deleted,
        Afterwards::Move => Away::MovedTo(done),
    };
    files::take_away(from, away, is_meant).map_err(|error| stays(from, afterwards, &error))
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

    /// What AWS has: the film, and its subtitles where they were sent.
    fn confirmed(folder: &Path, words: Option<&str>) -> Confirmed {
        let sent = words.map(|words| (folder.join("a/film.srt"), Checksum::of_bytes(words.as_bytes())));
        Confirmed { checksum: Checksum::of_bytes(b"film"), sidecars: sent.into_iter().collect() }
    }

    #[test]
    fn moved_and_nothing_overwritten() {
        let (folder, entry) = folder();
        let at = |path: &str| folder.path().join(path);
        std::fs::create_dir_all(at("done/a")).unwrap();
        std::fs::write(at("done/a/film.mp4"), "another").unwrap();
        let confirmed = confirmed(folder.path(), Some("words"));
        apply(folder.path(), Afterwards::Move, &entry, &confirmed, |is| is).unwrap();
        assert_eq!(std::fs::read_to_string(at("done/a/film.mp4")).unwrap(), "another");
        assert_eq!(std::fs::read_to_string(at("done/a/film (2).mp4")).unwrap(), "film");
        assert!(at("done/a/film.srt").exists() && !at("a/film.mp4").exists() && !at("a/film.srt").exists());
        apply(folder.path(), Afterwards::Move, &entry, &confirmed, |is| is).unwrap();
    }

    #[test]
    fn deleted_and_left() {
        let (folder, entry) = folder();
        let confirmed = confirmed(folder.path(), Some("words"));
        apply(folder.path(), Afterwards::Leave, &entry, &confirmed, |is| is).unwrap();
        assert!(folder.path().join("a/film.mp4").exists());
        apply(folder.path(), Afterwards::Delete, &entry, &confirmed, |is| is).unwrap();
        assert_eq!(std::fs::read_dir(folder.path().join("a")).unwrap().count(), 0);
    }

    #[test]
    fn another_file_of_its_path_is_left_alone() {
        for afterwards in [Afterwards::Move, Afterwards::Delete] {
            let (folder, entry) = folder();
            let path = folder.path().join("a/film.mp4");
            std::fs::write(&path, "a new cut").unwrap();
            let confirmed = confirmed(folder.path(), Some("words"));
            apply(folder.path(), afterwards, &entry, &confirmed, |is| is).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "a new cut");
            assert!(folder.path().join("a/film.srt").exists());
        }
    }

    #[test]
    fn what_was_not_sent_as_it_is_stays() {
        for (afterwards, sent) in [
            (Afterwards::Delete, None),
            (Afterwards::Delete, Some("wrods, before they were corrected")),
            (Afterwards::Move, Some("wrods, before they were corrected")),
        ] {
            let (folder, entry) = folder();
            let confirmed = confirmed(folder.path(), sent);
            apply(folder.path(), afterwards, &entry, &confirmed, |is| is).unwrap();
            assert_eq!(std::fs::read_to_string(folder.path().join("a/film.srt")).unwrap(), "words");
            assert!(!folder.path().join("a/film.mp4").exists());
            assert_eq!(std::fs::read_dir(folder.path().join("a")).unwrap().count(), 1, "nothing of ours stays");
        }
        // The same of the film, where size, time and number are what they were.
        let (folder, entry) = folder();
        let other = Confirmed { checksum: Checksum::of_bytes(b"mlif"), ..confirmed(folder.path(), None) };
        apply(folder.path(), Afterwards::Delete, &entry, &other, |is| is).unwrap();
        assert!(folder.path().join("a/film.mp4").exists());
    }
}
