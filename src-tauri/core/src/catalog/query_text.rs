//! A query as one types it on the command line: words, and filters such as `status:error tag:genre=Drama is:draft`.

use serde::de::DeserializeOwned;

use super::item::parse_time;
use super::summary::{Facet, Publication};
use super::{VideoQuery, VideoSort};
use crate::{Code, Error, Result};

impl VideoQuery {
    /// Reads it. Filters are `status:`, `resolution:`, `length:`, `tag:NAME=VALUE`, `template:`, `workflow:`, `bucket:`,
    /// `after:` and `before:` (a day or a time), and `is:` with `hdr`, `captions`, `shorter`, `stuck`, `attention`, `published`, `timed`, `draft`,
    /// `unsaid` or `trash`; a value with blanks stands in quotes. All else is looked for as words.
    ///
    /// # Errors
    /// [`Code::Invalid`] when a filter has no such value.
    pub fn parse(typed: &str) -> Result<Self> {
        let mut query = Self { sort: VideoSort::Started, descending: true, ..Self::default() };
        let mut words = Vec::new();
        for word in split(typed) {
            let Some((name, value)) = word.split_once(':') else {
                words.push(word);
                continue;
            };
            let text = || value.to_owned();
            let facet = match name {
                "status" => Facet::Status(one_of(name, value)?),
                "resolution" => Facet::Resolution(one_of(name, value)?),
                "length" => Facet::Length(one_of(name, value)?),
                "tag" => Facet::Tag(text()),
                "template" => Facet::Template(text()),
                "workflow" => Facet::Workflow(text()),
                "bucket" => Facet::OtherBucket(text()),
                "is" => match value {
                    "hdr" => Facet::Hdr,
                    "captions" => Facet::Captions,
                    "shorter" => Facet::Shorter,
                    "stuck" => Facet::Stuck,
                    "attention" => Facet::Attention,
                    "trash" => Facet::Trashed,
                    other => Facet::Publication(one_of::<Publication>(name, other)?),
                },
                "after" | "before" => {
                    let day = || format!("{value}T00:00:00Z");
                    let at = parse_time(&day()).or_else(|| value.contains('-').then(|| parse_time(value)).flatten());
                    let at = Some(at.ok_or_else(|| unknown(name, value))?);
                    if name == "after" {
                        query.from = at
                    } else {
                        query.until = at
                    }
                    continue;
                }
                _ => {
                    words.push(word);
                    continue;
                }
            };
            query.facets.push(facet);
        }
        query.text = words.join(" ");
        if query.text.is_empty() && query.facets.is_empty() && query.from.is_none() && query.until.is_none() {
            // Quotes alone are no word: they do not mean all there is.
            query.text = typed.trim().to_owned();
        }
        Ok(query)
    }
}

fn unknown(name: &str, value: &str) -> Error {
    let remedy = "reelctl videos search --help lists the filters and their values.";
    Error::new(Code::Invalid, format!("The filter {name}: cannot be \"{value}\"."), remedy)
}

/// A value by the name that it has in JSON.
fn one_of<T: DeserializeOwned>(name: &str, value: &str) -> Result<T> {
    serde_json::from_value(value.into()).map_err(|_| unknown(name, value))
}

/// At its blanks, but for those in quotes.
fn split(typed: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    for c in typed.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            c if c.is_whitespace() && !is_quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Length, StatusKind, VideoResolution};

    #[test]
    fn words_and_filters() {
        let query = VideoQuery::parse(
            "night  status:error tag:\"genre=Science Fiction\" Dune:Part is:draft is:trash after:2026-01-02 \
             before:2026-01-03T04:05:06Z resolution:full-hd length:under-an-hour",
        )
        .unwrap();
        assert_eq!(query.text, "night Dune:Part");
        let facets = [
            Facet::Status(StatusKind::Error),
            Facet::Tag("genre=Science Fiction".into()),
            Facet::Publication(Publication::Draft),
            Facet::Trashed,
            Facet::Resolution(VideoResolution::FullHd),
            Facet::Length(Length::UnderAnHour),
        ];
        assert_eq!(query.facets, facets);
        assert_eq!((query.from, query.until), (Some(1_767_312_000_000), Some(1_767_413_106_000)));
        for typed in ["\"", "\"\""] {
            assert_eq!(VideoQuery::parse(typed).unwrap().text, typed, "it finds nothing");
        }
        assert_eq!(VideoQuery::parse(" ").unwrap().text, "");
        for typed in ["status:fine", "is:nice", "after:yesterday", "before:"] {
            assert_eq!(VideoQuery::parse(typed).unwrap_err().code, Code::Invalid, "{typed}");
        }
    }
}
