//! Text that comes from outside, as it is shown.

use std::path::Path;

/// Whether a character cannot be shown as it is: control characters, and those that turn the direction of what follows.
pub(crate) fn is_unshown(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether a text is a language tag: a language of two or three letters, then subtags of up to eight letters and digits (RFC 5646,
/// section 2.1, without extended languages and private ones).
pub(crate) fn is_language(tag: &str) -> bool {
    let mut subtags = tag.split('-');
    let is_language = |tag: &str| (2..=3).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_subtag = |tag: &str| (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric());
    subtags.next().is_some_and(is_language) && subtags.all(is_subtag)
}

/// A language tag in its usual case: `pt-BR`, `zh-Hans` (RFC 5646, section 2.1.1).
pub(crate) fn usual_language(tag: &str) -> String {
    let subtag = |(place, subtag): (usize, &str)| match subtag.len() {
        2 if place > 0 => subtag.to_ascii_uppercase(),
        4 if place > 0 => subtag[..1].to_ascii_uppercase() + &subtag[1..].to_ascii_lowercase(),
        _ => subtag.to_ascii_lowercase(),
    };
    tag.split('-').enumerate().map(subtag).collect::<Vec<_>>().join("-")
}

/// A path as it is shown: its last part, control characters, line breaks and turns of direction made visible.
pub(crate) fn shown(path: &Path) -> String {
    let name = path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
    name.chars().map(|c| if is_unshown(c) { '\u{FFFD}' } else { c }).collect()
}
