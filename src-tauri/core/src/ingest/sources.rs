//! What was dropped: files, and the videos in folders.

use std::path::{Path, PathBuf};

use super::naming::SUFFIXES;
use crate::files::{self, unreadable};
use crate::{Code, Error, Result};

/// Suffixes that are taken from a folder: the pipeline's, and those whose container it takes under another name.
const ALSO: [&str; 4] = ["ts", "mts", "qt", "asf"];

/// What is behind a path.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Itself, or the videos in the folder, sorted.
    pub files: Vec<PathBuf>,
    /// Folders in it that cannot be read, and why.
    pub closed: Vec<(PathBuf, Error)>,
}

/// The files behind a path.
///
/// # Errors
/// When the path is not there, cannot be read, is nothing to read from, or is a folder without videos.
pub(super) fn videos(path: &Path) -> Result<Found> {
    // Where names are bytes they are taken as they are.
    if cfg!(not(unix)) && path.to_str().is_none() {
        return Err(Error::new(
            Code::Invalid,
            format!("The name of \"{}\" is not readable text.", crate::shown(path)),
            "Rename it, then add it.",
        ));
    }
    let metadata = files::look(path)?;
    if metadata.is_file() {
        files::open(path).map_err(|error| unreadable(path, &error))?;
        return if metadata.len() == 0 {
            Err(Error::new(
                Code::NotAVideo,
                format!("\"{}\" is empty.", crate::shown(path)),
                "Export it again, then add it.",
            ))
        } else {
            Ok(Found { files: vec![path.to_owned()], closed: Vec::new() })
        };
    }
    if !metadata.is_dir() {
        return Err(Error::new(
            Code::NotAVideo,
            format!("\"{}\" is neither a file nor a folder.", crate::shown(path)),
            "Add a video file or a folder of videos.",
        ));
    }
    files::can_be_listed(path)?;
    let mut found = Found::default();
    let walk = ignore::WalkBuilder::new(path).standard_filters(false).hidden(true).follow_links(false).build();
    for entry in walk {
        match entry {
            Ok(entry) if !entry.file_type().is_some_and(|kind| kind.is_file()) => {}
            Ok(entry) if is_named_like_a_video(entry.path()) => found.files.push(entry.into_path()),
            Ok(_) => {}
            Err(error) => match (place_of(&error), error.io_error()) {
                (Some(place), Some(io)) => found.closed.push((place.to_owned(), unreadable(place, io))),
                _ => tracing::debug!(%error, "something in a folder cannot be looked at"),
            },
        }
    }
    found.files.sort();
    if found.files.is_empty() && found.closed.is_empty() {
        return Err(Error::new(
            Code::NoVideos,
            format!("The folder \"{}\" has no videos.", crate::shown(path)),
            format!("Add files that end in one of: {}.", SUFFIXES.join(", ")),
        ));
    }
    Ok(found)
}

/// What an error of a walk is about.
fn place_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => place_of(err),
        _ => None,
    }
}

/// Whether the file's name ends as a video's does.
pub(crate) fn is_named_like_a_video(file: &Path) -> bool {
    let extension = file.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    extension.is_some_and(|extension| {
        // A space behind it, which nobody sees.
        let extension = extension.trim_end().to_owned();
        (SUFFIXES.contains(&extension.as_str()) && extension != "m3u8") || ALSO.contains(&extension.as_str())
    })
}
