//! The key of a source object: `video/<uuid>/<safe name>.<ext>`, lower case, so that no two files collide, every
//! pipeline suffix triggers, and no workflow breaks on a name.

use std::path::Path;

pub(super) use crate::workspace::trigger::VIDEOS as SUFFIXES;

/// Where all keys of source objects begin.
pub const KEY_PREFIX: &str = "video/";

const MAX_NAME: usize = 60;

/// The human name: the file's name without its extension, control characters as spaces.
pub(crate) fn title(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let clean: String = stem.chars().map(|c| if crate::is_unshown(c) { ' ' } else { c }).collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    if clean.is_empty() { "Untitled".to_owned() } else { clean }
}

/// The key for a file whose container goes by `extension`.
pub(super) fn key(id: &str, path: &Path, extension: &str) -> String {
    format!("{KEY_PREFIX}{id}/{}.{extension}", safe_name(&title(path)))
}

fn safe_name(title: &str) -> String {
    let mut name = String::new();
    for letter in title.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            name.push(letter);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
        if name.len() >= MAX_NAME {
            break;
        }
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() { "video".to_owned() } else { name.to_owned() }
}

/// The suffix to use: the file's own where the pipeline knows it, otherwise the one of its container.
pub(super) fn extension(path: &Path, container: &str) -> Option<&'static str> {
    let own = path.extension().map(|extension| extension.to_string_lossy().trim_end().to_ascii_lowercase());
    SUFFIXES
        .into_iter()
        .find(|suffix| own.as_deref() == Some(suffix) && *suffix != "m3u8")
        .or_else(|| container.split(',').find_map(of_container))
}

fn of_container(name: &str) -> Option<&'static str> {
    match name {
        "mp4" | "mov" => Some("mp4"),
        "matroska" => Some("mkv"),
        "webm" => Some("webm"),
        "mpegts" => Some("m2ts"),
        "mpeg" => Some("mpg"),
        "mxf" => Some("mxf"),
        "asf" => Some("wmv"),
        "h264" => Some("h264"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(file: &str, expected: &str) {
        assert_eq!(key("id", Path::new(file), "mp4"), format!("video/id/{expected}.mp4"));
    }

    #[test]
    fn names_become_safe() {
        check("/a/Big Buck Bunny.MP4", "big-buck-bunny");
        check("Épisode 1 – l'été.mov", "pisode-1-l-t");
        check("🎬.mp4", "video");
        check("a\nb\"c'd.mp4", "a-b-c-d");
        check("..mp4", "video");
        check(&format!("{}.mp4", "x".repeat(251)), &"x".repeat(60));
        assert_eq!(title(Path::new("/a/two\nlines  .mov")), "two lines");
    }

    #[test]
    fn every_key_has_a_suffix_that_triggers() {
        assert_eq!(extension(Path::new("a.MOV"), "mov,mp4,m4a"), Some("mov"));
        assert_eq!(extension(Path::new("a.Mp4"), "mov,mp4,m4a"), Some("mp4"));
        assert_eq!(extension(Path::new("a"), "matroska,webm"), Some("mkv"));
        assert_eq!(extension(Path::new("a.ts"), "mpegts"), Some("m2ts"));
        assert_eq!(extension(Path::new("a.avi"), "avi"), None);
    }
}
