//! The AWS configuration files, as the AWS CLI takes them: the SDK refuses all of a file for one line that it cannot read,
//! and profiles whose names have spaces. Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files";
//! the CLI reads them with Python's `configparser`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::{Code, Error};

/// What the SDK takes in a profile's name.
const NAME: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'/').remove(b'.').remove(b'@').remove(b':').remove(b'+');

/// A profile's name as the SDK takes it.
pub(crate) fn encoded(name: &str) -> Cow<'_, str> {
    utf8_percent_encode(name, NAME).into()
}

/// The name that people know.
pub(crate) fn decoded(name: &str) -> String {
    percent_decode_str(name).decode_utf8_lossy().into_owned()
}

/// Both files in words that the SDK understands.
pub(crate) struct ProfileFiles {
    /// For its providers.
    pub files: EnvConfigFiles,
    /// What was left out, with file and line.
    pub troubles: Vec<Error>,
}

impl ProfileFiles {
    /// Those that `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE` name, or of `~/.aws`. One that is not there is empty.
    #[must_use]
    pub async fn read() -> Self {
        let mut troubles = Vec::new();
        let mut files = EnvConfigFiles::builder();
        let places = [
            (EnvConfigFileKind::Config, "AWS_CONFIG_FILE", "config"),
            (EnvConfigFileKind::Credentials, "AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        ];
        for (kind, variable, name) in places {
            let Some(path) = path(variable, name) else { continue };
            let text = match tokio::fs::read(&path).await {
                Ok(bytes) => {
                    // UTF-16 too, by the mark that it begins with.
                    let text = encoding_rs::UTF_8.decode(&bytes).0.replace("\r\n", "\n").replace('\r', "\n");
                    if text.contains('\0') {
                        troubles.push(no_text(&path));
                    }
                    text
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && std::env::var_os(variable).is_none() => {
                    String::new()
                }
                Err(error) => {
                    troubles.push(crate::files::unreadable(&path, &error));
                    String::new()
                }
            };
            let tidied = tidied(&text, matches!(kind, EnvConfigFileKind::Config));
            troubles.extend(tidied.broken.into_iter().map(|(line, what)| broken(&path, line, what)));
            files = files.with_contents(kind, tidied.text);
        }
        Self { files: files.build(), troubles }
    }
}

fn path(variable: &str, name: &str) -> Option<PathBuf> {
    match std::env::var_os(variable) {
        Some(path) => match Path::new(&path).strip_prefix("~") {
            Ok(rest) => std::env::home_dir().map(|home| home.join(rest)),
            Err(_) => Some(path.into()),
        },
        None => std::env::home_dir().map(|home| home.join(".aws").join(name)),
    }
}

fn no_text(path: &Path) -> Error {
    let message = format!("{} is no text that can be understood.", path.display());
    Error::new(Code::Invalid, message, "Save it as UTF-8.")
}

fn broken(path: &Path, line: usize, what: &str) -> Error {
    let message = format!("Line {line} of {} cannot be understood: {what}.", path.display());
    Error::new(Code::Invalid, message, "Correct that line; the other profiles can be used as they are.")
}

/// A file that the SDK takes, and the lines that it does not have.
#[derive(Debug, Default)]
struct Tidied {
    text: String,
    broken: Vec<(usize, &'static str)>,
}

/// Where the last line of a section that was read leads to.
enum Position {
    /// Nowhere: before the first section.
    Outside,
    /// Into one whose name cannot be read.
    Broken,
    /// Into a section, so far without properties.
    Section,
    /// Below a property that stands at this column, and may have no value of its own.
    Property { at: usize, is_empty: bool },
}

const NO_PROPERTY: &str = "it is no name with a value behind an equals sign";

/// A value without the comment behind it.
fn uncommented(value: &str) -> &str {
    let comment = value
        .char_indices()
        .find(|&(at, c)| matches!(c, '#' | ';') && (at == 0 || value[..at].ends_with(char::is_whitespace)));
    comment.map_or(value, |(at, _)| value[..at].trim_end())
}

fn tidied(text: &str, is_config: bool) -> Tidied {
    let mut tidied = Tidied::default();
    let mut place = Position::Outside;
    for (number, raw) in text.trim_start_matches('\u{FEFF}').lines().enumerate() {
        let line = raw.trim();
        let column = raw.len() - raw.trim_start().len();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            place = match rest.split_once(']') {
                Some((name, _)) => {
                    let _ = writeln!(tidied.text, "[{}]", section(name, is_config));
                    Position::Section
                }
                None => {
                    tidied.broken.push((number + 1, "the name of the profile does not end with ]"));
                    Position::Broken
                }
            };
            continue;
        }
        match (&place, line.split_once('=')) {
            (Position::Broken, _) => {}
            (Position::Outside, _) => tidied.broken.push((number + 1, "it belongs to no profile")),
            // What stands further to the right belongs to the property before it: names and values where that has none.
            (Position::Property { at, is_empty }, sub) if column > *at => match sub {
                None if *is_empty => tidied.broken.push((number + 1, NO_PROPERTY)),
                _ => {
                    let _ = writeln!(tidied.text, "  {line}");
                }
            },
            (_, Some((key, value))) if !key.trim().is_empty() => {
                let (key, value) = (key.trim(), value.trim());
                let names_one =
                    matches!(key.to_ascii_lowercase().as_str(), "source_profile" | "sso_session" | "services");
                let written = if names_one { encoded(unquoted(uncommented(value))) } else { Cow::Borrowed(value) };
                let _ = writeln!(tidied.text, "{key} = {written}");
                place = Position::Property { at: column, is_empty: uncommented(value).is_empty() };
            }
            _ => tidied.broken.push((number + 1, NO_PROPERTY)),
        }
    }
    tidied
}

/// The name of a section, such as `profile studio`.
fn section(name: &str, is_config: bool) -> String {
    let name = name.trim();
    match name.split_once(char::is_whitespace) {
        Some((kind @ ("profile" | "sso-session" | "services"), name)) if is_config => {
            format!("{kind} {}", encoded(unquoted(name.trim())))
        }
        _ => encoded(unquoted(name)).into_owned(),
    }
}

fn unquoted(name: &str) -> &str {
    let within = |quote: char| name.strip_prefix(quote)?.strip_suffix(quote);
    within('"').or_else(|| within('\'')).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_cli_takes_the_sdk_takes() {
        let text = "\u{FEFF}[profile studio]\r\n region = eu-west-1\r\n output = json\r\n# a comment\n\
                    [profile 'My Studio Mac']\nregion=us-east-1\nsource_profile = \"two words\" ; keys\n\
                    [profile \"two words\"]\ns3 =\n  max_concurrent_requests = 20\nregion = eu-west-1 # here\n";
        let tidied = tidied(text, true);
        assert!(tidied.broken.is_empty(), "{tidied:?}");
        assert_eq!(
            tidied.text,
            "[profile studio]\nregion = eu-west-1\noutput = json\n[profile My%20Studio%20Mac]\nregion = us-east-1\n\
             source_profile = two%20words\n[profile two%20words]\ns3 = \n  max_concurrent_requests = 20\nregion = eu-west-1 # here\n"
        );
        assert_eq!(decoded("My%20Studio%20Mac"), "My Studio Mac");
    }

    #[test]
    fn a_broken_line_breaks_its_own_profile_only() {
        let text = "[profile ok]\nregion = eu-west-1\n[profile broken\nregion = x\nthis line has no equals\n[default]\nno\nregion = y\ns3 =\n  foo\n";
        let tidied = tidied(text, true);
        assert_eq!(tidied.text, "[profile ok]\nregion = eu-west-1\n[default]\nregion = y\ns3 = \n");
        assert_eq!(tidied.broken.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 7, 10]);
    }
}
