//! The log: a file a day in the platform's place for logs, and standard error. Nothing that looks like a secret gets
//! into either.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::LazyLock;

use regex::Regex;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

use crate::folders::{Folders, make_private, restrict};

/// The variable that says how much is logged, for example `info` or `reeldesk_core=debug`.
const VARIABLE: &str = "REELDESK_LOG";

/// Days that are kept.
const DAYS: usize = 7;

/// The files begin so.
const PREFIX: &str = "reeldesk";

/// What is named as a secret, and how AWS writes keys and tokens that stand alone.
static SECRETS: LazyLock<[Option<Regex>; 3]> = LazyLock::new(|| {
    let named = "authorization|x-amz-security-token|security[_-]?token|x-amz-signature|signature|secret[_-]?access[_-]?key\
                 |session[_-]?token|access[_-]?token|refresh[_-]?token|id[_-]?token|client[_-]?secret|password|token[_-]?code";
    [
        Regex::new(&format!(r#"(?i)({named})\b(["']?\s*[:=]\s*(?:Some\()?["']?)([^\s"',&}})]+)"#)).ok(),
        Regex::new(r"\b(A(?:KIA|SIA|ROA|IDA)())[A-Z0-9]{8,}\b").ok(),
        Regex::new(r"\b(eyJ())[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+)+").ok(),
    ]
});

/// A text without what looks like a secret.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for pattern in SECRETS.iter().flatten() {
        if pattern.is_match(&text) {
            text = Cow::Owned(pattern.replace_all(&text, "$1$2[redacted]").into_owned());
        }
    }
    text
}

/// A writer that lets no secret through; the log writes an entry at once.
struct Redacting<W>(W);

impl<W: Write> Write for Redacting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(redact(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Makes such writers.
struct Redacted<M>(M);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Redacted<M> {
    type Writer = Redacting<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Redacting(self.0.make_writer())
    }
}

fn filter(default: &str) -> EnvFilter {
    EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| default.into())
}

/// Begins to log to standard error, at this level unless `REELDESK_LOG` says otherwise.
pub fn start_on_stderr(level: &str) {
    let stderr = fmt::layer().with_writer(Redacted(io::stderr)).with_filter(filter(level));
    // Only a second beginning is refused.
    tracing_subscriber::registry().with(stderr).try_init().ok();
}

/// Begins to log to a file too. What is given back writes the rest of it when it is dropped; where the folder cannot be
/// used there is no file.
#[must_use]
pub fn start(folders: &Folders, level: &str) -> Option<WorkerGuard> {
    let made = make_private(&folders.logs);
    let file = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix(PREFIX)
        .filename_suffix("log")
        .max_log_files(DAYS)
        .build(&folders.logs);
    let file = match made.and(file.map_err(io::Error::other)) {
        Ok(file) => file,
        Err(error) => {
            start_on_stderr(level);
            tracing::warn!(%error, folder = %folders.logs.display(), "there is no log file");
            return None;
        }
    };
    logs(folders).for_each(|log| restrict(&log, 0o600));
    let (file, guard) = tracing_appender::non_blocking(file);
    let file = fmt::layer().with_ansi(false).with_writer(Redacted(file)).with_filter(filter("warn,reeldesk=info"));
    let stderr = fmt::layer().with_writer(Redacted(io::stderr)).with_filter(filter(level));
    tracing_subscriber::registry().with(file).with(stderr).try_init().ok();
    Some(guard)
}

/// The newest log file, if there is one.
pub(crate) fn newest(folders: &Folders) -> Option<PathBuf> {
    // The date is in the name.
    logs(folders).max()
}

fn logs(folders: &Folders) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(&folders.logs).into_iter().flatten().flatten();
    let is_log = |path: &PathBuf| {
        path.file_name().is_some_and(|name| {
            let name = name.to_string_lossy();
            name.starts_with(PREFIX) && name.ends_with(".log")
        })
    };
    entries.map(|entry| entry.path()).filter(is_log)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_does_not_pass() {
        let secret = "pLanTed/Secret+0123456789abcdef";
        for line in [
            format!("aws_secret_access_key = {secret}"),
            format!(r#"{{"SecretAccessKey":"{secret}","x":1}}"#),
            format!("secret_access_key: Some(\"{secret}\")"),
            format!("x-amz-security-token: {secret}"),
            format!("https://b.s3.amazonaws.com/k?X-Amz-Signature={secret}&x=1"),
            format!("Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1, Signature={secret}"),
            format!("\"refreshToken\" : \"{secret}\""),
            format!("password={secret}"),
        ] {
            let told = redact(&line);
            assert!(!told.contains(secret), "{told}");
            assert!(!told.contains("IOSFODNN7EXAMPLE"), "{told}");
        }
        let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJyZWVsZGVzayJ9.c2lnbmF0dXJl";
        assert_eq!(redact(&format!("got {token}.")), "got eyJ[redacted].");
        assert_eq!(redact("a video of 3 parts was sent"), "a video of 3 parts was sent");
    }

    #[test]
    fn what_is_written_is_redacted() {
        let mut written = Vec::new();
        Redacting(&mut written).write_all(b"password: hunter2hunter2\n").unwrap();
        assert_eq!(written, b"password: [redacted]\n");
    }
}
