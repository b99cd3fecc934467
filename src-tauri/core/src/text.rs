//! Text that comes from outside, as it is shown.

use std::path::Path;

/// Whether a character cannot be shown as it is: control characters, and those that turn the direction of what follows.
pub(crate) fn is_unshown(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A path as it is shown: its last part, control characters, line breaks and turns of direction made visible.
pub(crate) fn shown(path: &Path) -> String {
    let name = path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
    name.chars().map(|c| if is_unshown(c) { '\u{FFFD}' } else { c }).collect()
}
