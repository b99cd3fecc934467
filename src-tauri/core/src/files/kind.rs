//! What a file is that is no film, by its first bytes.

/// Something that is no film.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoFilm {
    /// A page for a browser: what a download gives that wanted a sign-in.
    WebPage,
    /// What a server answers instead of a file; its own code, where it says one (`AccessDenied`).
    ServerError(String),
    /// Words.
    Text,
    /// A playlist of HLS: it names films, and is none.
    Playlist,
    /// A picture that stands still.
    Picture,
    /// An archive.
    Archive,
    /// A document.
    Document,
}

/// Bytes that are looked at.
pub(crate) const HEAD: usize = 4096;

/// First bytes of what is no film.
const MAGIC: [(&[u8], NoFilm); 9] = [
    (b"\xFF\xD8\xFF", NoFilm::Picture),
    (b"\x89PNG\r\n\x1A\n", NoFilm::Picture),
    (b"GIF8", NoFilm::Picture),
    (b"II*\0", NoFilm::Picture),
    (b"MM\0*", NoFilm::Picture),
    (b"PK\x03\x04", NoFilm::Archive),
    (b"Rar!", NoFilm::Archive),
    (b"\x1F\x8B", NoFilm::Archive),
    (b"%PDF-", NoFilm::Document),
];

impl NoFilm {
    /// What a file that begins so is; `None` where it may be a film.
    pub fn of(head: &[u8]) -> Option<Self> {
        if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
            return Some(what.clone());
        }
        // HEIF begins as films do, with another brand (ISO/IEC 23008-12).
        if head.get(4..8) == Some(b"ftyp")
            && head.get(8..12).is_some_and(|brand| [&b"heic"[..], b"heix", b"mif1", b"avif"].contains(&brand))
        {
            return Some(Self::Picture);
        }
        let text = text_of(head)?;
        let start = text.trim_start_matches(['\u{FEFF}', ' ', '\t', '\r', '\n']).to_lowercase();
        Some(if start.starts_with("<!doctype html") || start.starts_with("<html") || start.contains("<html") {
            Self::WebPage
        } else if start.contains("<error>") && start.contains("<code>") {
            let code = between(&text, "<Code>", "</Code>").unwrap_or_default();
            Self::ServerError(code.to_owned())
        } else if start.starts_with("#extm3u") {
            Self::Playlist
        } else {
            Self::Text
        })
    }
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(from)?;
    rest.split_once(to).map(|(found, _)| found)
}

/// The text that these bytes are: UTF-8 (perhaps cut off in a letter), or UTF-16 with its mark, without what no text has.
fn text_of(head: &[u8]) -> Option<String> {
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
        return Some(encoding_rs::UTF_16LE.decode(head).0.into_owned()).filter(|text| is_text(text));
    }
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    (!text.is_empty() && is_text(text)).then(|| text.to_owned())
}

fn is_text(text: &str) -> bool {
    text.chars().all(|letter| !letter.is_control() || matches!(letter, '\t' | '\r' | '\n' | '\u{C}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_film_and_what_may_be() {
        for (head, what) in [
            (&b"<!DOCTYPE html><html><body>404</body></html>"[..], Some(NoFilm::WebPage)),
            (b"\xEF\xBB\xBF\n <HTML lang=en>", Some(NoFilm::WebPage)),
            (
                b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>x</Message></Error>",
                Some(NoFilm::ServerError("AccessDenied".into())),
            ),
            (b"#EXTM3U\n#EXT-X-VERSION:3\n", Some(NoFilm::Playlist)),
            ("Ein Text, mit \u{FC}".as_bytes(), Some(NoFilm::Text)),
            (b"\xFF\xFEa\0b\0c\0", Some(NoFilm::Text)),
            (b"\x89PNG\r\n\x1A\n", Some(NoFilm::Picture)),
            (b"\0\0\0\x18ftypheic", Some(NoFilm::Picture)),
            (b"PK\x03\x04", Some(NoFilm::Archive)),
            (b"\0\0\0\x18ftypisom\0\0\0\0", None),
            (b"\x1A\x45\xDF\xA3", None),
            (b"G@\x11\x10\0B", None),
            (b"", None),
            (b"\x80\x81\x82random", None),
        ] {
            assert_eq!(NoFilm::of(head), what, "{}", String::from_utf8_lossy(head));
        }
    }
}
