//! What was dropped: files, and the videos in folders.

use std::path::{Path, PathBuf};

use super::naming::SUFFIXES;
use crate::files::unreadable;
use crate::{Code, Error, Result};

/// Suffixes that are taken from a folder: the pipeline's, and those whose container it takes under another name.
const ALSO: [&str; 4] = ["ts", "mts", "qt", "asf"];

/// The files behind a path: itself, or the videos in the folder, sorted.
///
/// # Errors
/// When the path is not there, cannot be read, is nothing to read from, or is a folder without videos.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>> {
    // Where names are bytes they are taken as they are.
    if cfg!(not(unix)) && path.to_str().is_none() {
        return Err(Error::new(
            Code::Invalid,
            format!("The name of \"{}\" is not readable text.", crate::shown(path)),
            "Rename it, then add it.",
        ));
    }
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if metadata.is_file() {
        std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
        return if metadata.len() == 0 {
            Err(Error::new(
                Code::NotAVideo,
                format!("\"{}\" is empty.", crate::shown(path)),
                "Export it again, then add it.",
            ))
        } else {
            Ok(vec![path.to_owned()])
        };
    }
    if !metadata.is_dir() {
        return Err(Error::new(
            Code::NotAVideo,
            format!("\"{}\" is neither a file nor a folder.", crate::shown(path)),
            "Add a video file or a folder of videos.",
        ));
    }
    let mut found: Vec<PathBuf> = ignore::WalkBuilder::new(path)
        .standard_filters(false)
        .hidden(true)
        .follow_links(false)
        .build()
        .filter_map(|entry| entry.ok().filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file())))
        .map(ignore::DirEntry::into_path)
        .filter(|file| is_named_like_a_video(file))
        .collect();
    found.sort();
    if found.is_empty() {
        return Err(Error::new(
            Code::NoVideos,
            format!("The folder \"{}\" has no videos.", crate::shown(path)),
            format!("Add files that end in one of: {}.", SUFFIXES.join(", ")),
        ));
    }
    Ok(found)
}

/// Whether the file's name ends as a video's does.
pub(crate) fn is_named_like_a_video(file: &Path) -> bool {
    let extension = file.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    extension.is_some_and(|extension| {
        (SUFFIXES.contains(&extension.as_str()) && extension != "m3u8") || ALSO.contains(&extension.as_str())
    })
}
