//! Everything that Reeldesk does, without a window. Each module is a room of the house; ARCHITECTURE.md has the
//! map. Shells open a [`Session`] and call it.

pub mod aws;
pub mod catalog;
mod diagnostics;
pub mod encode;
pub mod error;
pub mod event;
pub mod files;
pub mod folders;
pub mod ingest;
pub mod live;
pub mod log;
pub mod notice;
pub mod playback;
pub mod session;
mod signals;
pub mod store;
pub mod upload;
pub mod viewers;
pub mod watch;
pub mod workspace;

mod bindings;

use std::path::Path;

pub use bindings::typescript;
pub use diagnostics::diagnostics;
pub use error::{Code, Error, Result};
pub use files::on_disk;
pub use folders::Folders;
pub use session::{Driver, Session, forget_viewers, uploader_of_environment, watch_rules};
pub use signals::asked_to_end;

/// Whether a character cannot be shown as it is: control characters, and those that turn the direction of what follows.
pub(crate) fn is_unshown(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A path as it is shown: its last part, control characters, line breaks and turns of direction made visible.
pub(crate) fn shown(path: &Path) -> String {
    let name = path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
    name.chars().map(|c| if is_unshown(c) { '\u{FFFD}' } else { c }).collect()
}

/// Refuses to go on without ffmpeg, with the command that installs it.
///
/// # Errors
/// [`Code::NoFfmpeg`].
pub fn require_ffmpeg() -> Result<()> {
    if reeldesk_sandbox::ffmpeg_is_installed() { Ok(()) } else { Err(ingest::no_ffmpeg()) }
}
