//! Title and tags from where a file lies: `{series}/{title}.mp4`.

use std::collections::BTreeMap;

use regex::Regex;

use crate::{Code, Error, Result};

/// The placeholder that names the video; all others become tags.
const TITLE: &str = "title";

/// A pattern over paths relative to the watch folder. `{name}` stands for one or more characters other than `/`,
/// `*` for any number of them; everything else stands for itself, upper and lower case alike. Without a `.` after its
/// last placeholder any ending fits.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

/// What a path says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The title, where the pattern has one.
    pub title: Option<String>,
    /// Everything else that is named.
    pub tags: BTreeMap<String, String>,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`Code::Invalid`] with what is wrong with it.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |what: String| {
            Error::new(
                Code::Invalid,
                format!("The pattern \"{text}\" cannot be used: {what}."),
                "Write it like {series}/{title}.mp4.",
            )
        };
        let mut regex = "(?i)^".to_owned();
        let mut names: Vec<&str> = Vec::new();
        let mut rest = text.trim().trim_start_matches('/');
        while let Some(letter) = rest.chars().next() {
            rest = &rest[letter.len_utf8()..];
            match letter {
                '{' => {
                    let (name, after) = rest.split_once('}').ok_or_else(|| wrong("a { is not closed".to_owned()))?;
                    let is_name = |name: &str| {
                        let mut letters = name.chars();
                        letters.next().is_some_and(|first| first.is_ascii_alphabetic())
                            && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
                    };
                    if !is_name(name) {
                        return Err(wrong(format!("\"{{{name}}}\" is no name of letters and digits")));
                    }
                    if names.contains(&name) {
                        return Err(wrong(format!("{{{name}}} is in it twice")));
                    }
                    names.push(name);
                    regex += &format!("(?P<{name}>[^/]+?)");
                    rest = after;
                }
                '}' => return Err(wrong("a } has no {".to_owned())),
                '*' => regex += "[^/]*?",
                letter => regex += &regex::escape(letter.encode_utf8(&mut [0; 4])),
            }
        }
        if names.is_empty() {
            return Err(wrong("it names nothing".to_owned()));
        }
        let has_ending = text.rsplit(['}', '*']).next().is_some_and(|end| end.contains('.'));
        regex += if has_ending { "$" } else { r"\.[^./]+$" };
        Regex::new(&regex).map(Self).map_err(|error| wrong("it is too long".to_owned()).with_details(error))
    }

    /// What it says of a path with `/` between its parts; none where it does not fit.
    #[must_use]
    pub fn read(&self, path: &str) -> Option<Reading> {
        let captures = self.0.captures(path)?;
        let mut reading = Reading::default();
        for name in self.0.capture_names().flatten() {
            let words = captures.name(name)?.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
            if words.is_empty() {
                return None;
            }
            if name == TITLE {
                reading.title = Some(words);
            } else {
                reading.tags.insert(name.to_owned(), words);
            }
        }
        Some(reading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, path: &str, expected: Option<(&str, &[(&str, &str)])>) {
        let reading = Pattern::parse(pattern).unwrap().read(path);
        let expected = expected.map(|(title, tags)| Reading {
            title: (!title.is_empty()).then(|| title.to_owned()),
            tags: tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        });
        assert_eq!(reading, expected, "{pattern} on {path}");
    }

    #[test]
    fn paths_are_read() {
        check("{series}/{title}.mp4", "Dark Sea/The Storm.mp4", Some(("The Storm", &[("series", "Dark Sea")])));
        check("{series}/{title}.mp4", "Dark Sea/The Storm.MP4", Some(("The Storm", &[("series", "Dark Sea")])));
        check("{series}/{title}.mp4", "The Storm.mp4", None);
        check("{series}/{title}.mp4", "a/b/c.mp4", None);
        check("{series}/{title}", "Dark Sea/The Storm.v2.mov", Some(("The Storm.v2", &[("series", "Dark Sea")])));
        check(
            "{series} - S{season}E{episode} - {title}",
            "Meer - s01e07 - Sturm - Teil 2.mxf",
            Some(("Sturm - Teil 2", &[("series", "Meer"), ("season", "01"), ("episode", "07")])),
        );
        check("*/{title}.mov", "any/x.mov", Some(("x", &[])));
        check("{year}/*", "2026/x.mov", Some(("", &[("year", "2026")])));
        check("a+b ({title}).mp4", "a+b (c).mp4", Some(("c", &[])));
        check("{series}/{title}.mp4", " \u{a0}/x.mp4", None);
        check("{title}", "two\nlines.mp4", Some(("two lines", &[])));
    }

    #[test]
    fn what_is_no_pattern_is_named() {
        for (text, what) in [
            ("{title", "not closed"),
            ("title}", "has no {"),
            ("{}", "no name"),
            ("{a b}", "no name"),
            ("{title}{title}", "twice"),
            ("x.mp4", "names nothing"),
            ("", "names nothing"),
        ] {
            let error = Pattern::parse(text).unwrap_err();
            assert!(error.code == Code::Invalid && error.message.contains(what), "{text}: {error}");
        }
    }
}
