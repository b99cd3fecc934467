//! A pasted or dropped list of people: CSV with a header, or any text with addresses in it.

use std::collections::HashMap;
use std::path::Path;

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Result;
use crate::files::sheet::{is_formula, text};

/// The longest user name that Cognito takes (`AdminCreateUser`, `Username`).
const LONGEST: usize = 128;
/// The largest list, in bytes: more people than any pool has.
const LARGEST: u64 = 10 * 1024 * 1024;
/// Names of the columns, as they are found in the field.
const ADDRESS: [&str; 8] =
    ["email", "e-mail", "mail", "address", "email address", "e-mail address", "username", "user"];
const NAME: [&str; 5] = ["name", "full name", "display name", "viewer", "person"];
const GROUP: [&str; 3] = ["group", "groups", "role"];

/// A person to invite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Invitee {
    /// The line of the list, from 1.
    pub line: usize,
    /// The address, its domain in lower-case ASCII.
    pub address: String,
    /// What the person is called, if that is given.
    pub name: Option<String>,
    /// The group to be in, if one is given.
    pub group: Option<String>,
}

/// What a list holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Invitees {
    /// Those that can be invited, each once.
    pub people: Vec<Invitee>,
    /// What cannot be.
    pub problems: Vec<Problem>,
}

/// A line that nobody can be invited by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The line of the list, from 1.
    pub line: usize,
    /// What stands there.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Invitees {
    /// The text of a list in a file: UTF-8, UTF-16 with its mark, or what spreadsheets on Windows write.
    ///
    /// # Errors
    /// When it cannot be read, is too large to be a list of people, or is no text.
    pub async fn text_of(path: &Path) -> Result<String> {
        text(path, "list of people", LARGEST).await
    }

    /// Reads a list.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim_start_matches('\u{FEFF}').replace("\r\n", "\n").replace('\r', "\n") + "\n";
        let mut invitees = Self::default();
        let mut seen = HashMap::new();
        for (line, found) in of_table(&text).unwrap_or_else(|| of_text(&text)) {
            let Found { address, name, group } = found;
            match normal(&address) {
                Ok(address) => match seen.get(&address.to_lowercase()) {
                    Some(first) => invitees.problems.push(Problem {
                        line,
                        text: address,
                        reason: format!("it is in line {first} already"),
                    }),
                    None => {
                        seen.insert(address.to_lowercase(), line);
                        invitees.people.push(Invitee { line, address, name, group });
                    }
                },
                Err(reason) => invitees.problems.push(Problem { line, text: address, reason }),
            }
        }
        invitees
    }
}

struct Found {
    address: String,
    name: Option<String>,
    group: Option<String>,
}

/// Without what cannot be seen: spaces of all kinds around, marks of direction and joints anywhere.
fn visible(text: &str) -> String {
    let is_seen = |letter: &char| !matches!(letter, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}');
    text.chars().filter(is_seen).collect::<String>().trim().to_owned()
}

/// The address as Cognito is told it, or what is wrong with it.
fn normal(text: &str) -> Result<String, String> {
    let text = visible(text);
    let text = text.strip_prefix("mailto:").unwrap_or(&text);
    let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
    let read = EmailAddress::parse_with_options(text, options).map_err(|error| match error {
        email_address::Error::MissingSeparator => "it has no @".to_owned(),
        email_address::Error::DomainTooFew => "its domain has no dot".to_owned(),
        other => other.to_string().to_lowercase(),
    })?;
    // A domain in another script goes by its ASCII form.
    let domain = match url::Host::parse(read.domain()) {
        Ok(url::Host::Domain(domain)) => domain,
        _ => return Err("its domain is none".to_owned()),
    };
    let address = format!("{}@{domain}", read.local_part());
    let length = address.chars().count();
    if length > LONGEST {
        return Err(format!("it has {length} letters, and Cognito takes {LONGEST}"));
    }
    Ok(address)
}

/// The rows of a CSV whose header names a column of addresses.
fn of_table(text: &str) -> Option<Vec<(usize, Found)>> {
    let first = text.lines().next()?;
    let delimiter = [';', '\t', ','].into_iter().max_by_key(|delimiter| first.matches(*delimiter).count())?;
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter as u8).flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().ok()?.clone();
    let column = |names: &[&str]| {
        header.iter().position(|title| names.contains(&visible(title).trim_matches('"').to_lowercase().as_str()))
    };
    let (address, name, group) = (column(&ADDRESS)?, column(&NAME), column(&GROUP));
    let (mut found, mut record) = (Vec::new(), csv::StringRecord::new());
    while reader.read_record(&mut record).ok()? {
        // The reader stands behind the record; empty lines before it count too.
        let inner: usize = record.iter().map(|cell| cell.matches('\n').count()).sum();
        let line = usize::try_from(reader.position().line()).unwrap_or(0).saturating_sub(1 + inner);
        let cell = |column: Option<usize>| {
            column.and_then(|column| record.get(column)).map(plain).filter(|text| !text.is_empty())
        };
        let (name, group) = (cell(name), cell(group));
        match cell(Some(address)) {
            Some(address) => found.push((line, Found { address, name, group })),
            None if record.iter().all(|cell| visible(cell).is_empty()) => {}
            None => found.push((line, Found { address: String::new(), name, group })),
        }
    }
    Some(found)
}

/// A cell as text: spreadsheets mark text that looks like a formula with an apostrophe.
fn plain(cell: &str) -> String {
    let cell = visible(cell);
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(is_formula) => rest.to_owned(),
        _ => cell,
    }
}

/// Addresses anywhere in a text, with the name before those in angle brackets.
fn of_text(text: &str) -> Vec<(usize, Found)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for part in split(line) {
            let (name, address) = match (part.rfind('<'), part.rfind('>')) {
                (Some(open), Some(close)) if open < close => (&part[..open], &part[open + 1..close]),
                _ => ("", part.as_str()),
            };
            let name = visible(name).trim_matches('"').trim().to_owned();
            let name = (!name.is_empty()).then_some(name);
            let address = visible(address);
            let words: Vec<&str> = address.split_whitespace().collect();
            // Words around addresses are no addresses; a part without any is told whole.
            if !address.starts_with('"') && words.len() > 1 && address.contains('@') {
                let addresses = words.into_iter().filter(|word| word.contains('@'));
                let found_here = addresses.map(|address| {
                    let address = address.trim_matches(|letter: char| "()[]{}:.!?\"'".contains(letter)).to_owned();
                    (number + 1, Found { address, name: None, group: None })
                });
                found.extend(found_here);
            } else if !address.is_empty() {
                found.push((number + 1, Found { address, name, group: None }));
            }
        }
    }
    found
}

/// Splits at commas and semicolons that are not in quotes.
fn split(line: &str) -> Vec<String> {
    let (mut parts, mut is_quoted) = (vec![String::new()], false);
    for letter in line.chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            ',' | ';' if !is_quoted => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts.retain(|part| !visible(part).is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;
    use crate::files::sheet::cell;

    fn addresses(text: &str) -> Vec<String> {
        Invitees::parse(text).people.into_iter().map(|one| one.address).collect()
    }

    #[test]
    fn a_table_with_a_header() {
        let text = "\u{FEFF}Name;E-Mail;Group\r\nAda; Ada+films@Example.COM ;viewers\r\n\r\n\"Bob; the second\";\u{200B}bob@example.com\u{a0};\r\nNobody;;viewers\r\n";
        let read = Invitees::parse(text);
        let one = |line, address: &str, name: &str, group: Option<&str>| Invitee {
            line,
            address: address.into(),
            name: Some(name.into()),
            group: group.map(str::to_owned),
        };
        assert_eq!(
            read.people,
            [
                one(2, "Ada+films@example.com", "Ada", Some("viewers")),
                one(4, "bob@example.com", "Bob; the second", None)
            ]
        );
        assert_eq!((read.problems.len(), read.problems[0].line), (1, 5));
    }

    #[test]
    fn any_text() {
        let text =
            "Please invite Ada <ada@example.com>, bob@example.com;\nand (carol@example.com).\nmailto:dan@example.com";
        assert_eq!(addresses(text), ["ada@example.com", "bob@example.com", "carol@example.com", "dan@example.com"]);
        assert_eq!(addresses("\"a,b\"@example.com"), ["\"a,b\"@example.com"]);
        assert_eq!(addresses("ünï@bücher.example"), ["ünï@xn--bcher-kva.example"]);
        assert_eq!(addresses("\u{202A}x@example.com\u{202C}"), ["x@example.com"]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let long = format!("{}@{}.com", "a".repeat(64), "b".repeat(60));
        let longest = format!("{}@{}.{}.{}.com", "a".repeat(64), "b".repeat(61), "c".repeat(61), "d".repeat(61));
        assert_eq!(longest.len(), 254);
        let text =
            format!("a@example.com\nA@EXAMPLE.com\nno address\nx@localhost\n{long}\n{longest}\n@example.com\na@@b.com");
        let read = Invitees::parse(&text);
        assert_eq!(read.people.len(), 1);
        let said: Vec<_> = read.problems.iter().map(|one| (one.line, one.reason.as_str())).collect();
        assert_eq!(said[0], (2, "it is in line 1 already"));
        assert_eq!((said[1], said[2]), ((3, "it has no @"), (4, "its domain has no dot")));
        assert_eq!(said[3], (5, "it has 129 letters, and Cognito takes 128"));
        assert_eq!(said[4].1, "it has 254 letters, and Cognito takes 128");
        assert_eq!(said.len(), 7);
    }

    #[tokio::test]
    async fn files_of_every_spreadsheet() {
        let folder = tempfile::tempdir().unwrap();
        let list = "name;email\nZoë;zoe@example.com\n";
        let wide: Vec<u8> = ["\u{FEFF}", list].concat().encode_utf16().flat_map(u16::to_le_bytes).collect();
        let narrow = encoding_rs::WINDOWS_1252.encode(list).0.into_owned();
        for bytes in [list.into(), ["\u{FEFF}", list].concat().into_bytes(), wide, narrow] {
            let path = folder.path().join("list.csv");
            std::fs::write(&path, bytes).unwrap();
            let read = Invitees::parse(&Invitees::text_of(&path).await.unwrap());
            assert_eq!((read.people.len(), read.people[0].name.as_deref()), (1, Some("Zoë")));
        }
        let film = folder.path().join("film.mp4");
        std::fs::write(&film, [0, 0, 0, 0x20, 0xFF]).unwrap();
        assert!(Invitees::text_of(&film).await.unwrap_err().message.contains("film.mp4 is no text"));
        assert_eq!(Invitees::text_of(&folder.path().join("none")).await.unwrap_err().code, Code::FileMissing);
    }

    #[test]
    fn formulas_are_not_written_back() {
        for text in ["=1+1", "+ada@example.com", "-x", "@x"] {
            assert_eq!(cell(text), format!("'{text}"));
            assert_eq!(plain(&cell(text)), text);
        }
        assert_eq!(cell("ada@example.com"), "ada@example.com");
        assert_eq!(addresses("email\n'+ada@example.com"), ["+ada@example.com"]);
    }
}
