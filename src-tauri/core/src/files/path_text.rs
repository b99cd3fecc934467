//! A path as text that comes back as the same path, also where its name is no text: then the bytes stand in hexadecimal
//! behind the name as it is shown, with a NUL between them, which no path has.

use std::path::{Path, PathBuf};

use serde::{Deserialize as _, Deserializer, Serializer};

const BETWEEN: char = '\0';

/// The text of a path.
pub(crate) fn text(path: &Path) -> String {
    match path.to_str() {
        Some(text) => text.to_owned(),
        None => format!("{}{BETWEEN}{}", path.to_string_lossy(), hex::encode(path.as_os_str().as_encoded_bytes())),
    }
}

/// The path of such a text.
pub(crate) fn path(text: &str) -> PathBuf {
    let raw = text.split_once(BETWEEN).and_then(|(_, bytes)| hex::decode(bytes).ok());
    match raw {
        Some(bytes) => super::path_of_bytes(&bytes),
        None => PathBuf::from(text),
    }
}

pub(crate) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(path))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    Ok(path(&String::deserialize(deserializer)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_comes_back() {
        for plain in ["/films/caf\u{E9}.mp4", "relative", ""] {
            assert_eq!((text(Path::new(plain)), path(plain)), (plain.to_owned(), PathBuf::from(plain)));
        }
        #[cfg(unix)]
        {
            let raw = super::super::path_of_bytes(b"/films/caf\xE9.mp4");
            assert!(text(&raw).starts_with("/films/caf\u{FFFD}.mp4\0"));
            assert_eq!(path(&text(&raw)), raw);
        }
    }
}
