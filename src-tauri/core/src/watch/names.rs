//! What a name says: a video, something that is still being made, or something that belongs to a video.

use std::path::Path;

use crate::ingest::is_named_like_a_video;
use crate::text::is_language;

/// What a file is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Video,
    /// A video that a program is still making, under a name that it will lose.
    Temporary,
    /// Goes with a video.
    Sidecar,
    Other,
}

/// Endings that browsers, copiers and transfer programs give what is not finished.
const UNFINISHED: [&str; 15] = [
    "part",
    "partial",
    "crdownload",
    "download",
    "opdownload",
    "filepart",
    "tmp",
    "temp",
    "!ut",
    "!qb",
    "bc!",
    "unfinished",
    "incomplete",
    "inprogress",
    "uploading",
];

/// Files that programs keep beside one that they have not finished.
pub(super) const BESIDE_UNFINISHED: [&str; 2] = ["aria2", "st"];

/// Subtitles and metadata.
const SIDECARS: [&str; 3] = ["srt", "vtt", "json"];

impl Kind {
    pub fn of(name: &str) -> Self {
        if name.starts_with('.') || name.starts_with("~$") {
            // Also what macOS keeps beside each file on foreign disks (`._name`).
            return Self::Other;
        }
        let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
        let ending = ending.to_ascii_lowercase();
        if UNFINISHED.contains(&ending.as_str()) {
            return if is_named_like_a_video(Path::new(stem)) { Self::Temporary } else { Self::Other };
        }
        if is_named_like_a_video(Path::new(name)) {
            // `film.tmp.mp4`, `film.part.mp4`: the ending is there for the program that writes it.
            let inner = stem.rsplit_once('.').map(|(_, inner)| inner.to_ascii_lowercase());
            let is_unfinished = inner.is_some_and(|inner| UNFINISHED.contains(&inner.as_str()));
            return if is_unfinished || name.starts_with('~') { Self::Temporary } else { Self::Video };
        }
        if SIDECARS.contains(&ending.as_str()) { Self::Sidecar } else { Self::Other }
    }
}

/// Whether a sidecar is a video's own, by its name: `film.srt`, `film.en.srt` and `film.mp4.srt` are `film.mp4`'s.
pub(super) fn belongs(sidecar: &str, video: &str) -> bool {
    let stem = |name: &'_ str| name.rfind('.').unwrap_or(name.len());
    let (sidecar, stem) = (&sidecar[..stem(sidecar)], &video[..stem(video)]);
    if is_named_like_a_video(Path::new(sidecar)) {
        return sidecar == video;
    }
    sidecar == stem || without_language(sidecar) == Some(stem)
}

/// A stem without the language (RFC 5646) at its end: `film.pt-BR` is `film`.
fn without_language(stem: &str) -> Option<&str> {
    let (stem, tag) = stem.rsplit_once('.')?;
    is_language(tag).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        for (kind, names) in [
            (Kind::Video, &["a.mp4", "A.MOV", "a b.MXF", "x.part2.mp4", "episode.mts", "-x.mkv", "download.mp4"][..]),
            (
                Kind::Temporary,
                &["a.mp4.part", "a.mp4.crdownload", "a.mov.filepart", "a.tmp.mp4", "a.mp4.tmp", "~a.mp4", "a.part.mkv"],
            ),
            (Kind::Sidecar, &["a.srt", "a.en.vtt", "a.JSON"]),
            (
                Kind::Other,
                &[".a.mp4", "._a.mp4", "~$a.mp4", ".a.mp4.Xy12", "a.txt", "a", "notes.part", "a.jpg", "a.m3u8"],
            ),
        ] {
            for name in names {
                assert_eq!(Kind::of(name), kind, "{name}");
            }
        }
    }

    #[test]
    fn sidecars_know_their_video() {
        assert!(belongs("film.srt", "film.mp4") && belongs("film.en.srt", "film.mp4"));
        assert!(belongs("film.pt-BR.vtt", "film.mov") && belongs("a.b.srt", "a.b.mp4"));
        assert!(belongs("film.mp4.json", "film.mp4") && !belongs("film.mp4.json", "film.mov"));
        assert!(!belongs("film2.srt", "film.mp4") && !belongs("film.part 2.srt", "film.mp4"));
    }
}
