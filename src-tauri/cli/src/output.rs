//! Printing: JSON lines for programs, tables for people.

use std::io::Write as _;
use std::time::Duration;

use reeldesk_core::Error;
use serde::Serialize;
use serde_json::json;

/// One JSON value on a line of its own. A reader that has gone away is no reason to fail.
pub(crate) fn line(value: &impl Serialize) {
    let text = serde_json::to_string(value).unwrap_or_default();
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).ok();
}

/// A line of text.
pub(crate) fn text(text: &str) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{text}").ok();
}

/// The error that ends the command.
pub(crate) fn failed(json: bool, error: &Error) {
    if json {
        line(&failure(error));
    } else {
        let mut stderr = std::io::stderr().lock();
        writeln!(stderr, "{}\n{}", error.message, error.remedy).ok();
        if !error.details.is_empty() {
            writeln!(stderr, "({})", error.details).ok();
        }
    }
}

/// An error as a JSON object with `state`.
pub(crate) fn failure(error: &Error) -> serde_json::Value {
    json!({
        "state": "failed", "code": error.code, "message": error.message, "remedy": error.remedy,
        "details": error.details,
    })
}

/// How many files.
pub(crate) fn files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

/// How much was sent.
pub(crate) fn sent(files: usize, bytes: u64, took: Duration) -> String {
    format!("{} sent, {}, in {}", self::files(files), indicatif::DecimalBytes(bytes), indicatif::HumanDuration(took))
}

/// A time (milliseconds since the epoch), to the second, in UTC.
pub(crate) fn time(milliseconds: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(milliseconds);
    time.map(|time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()).unwrap_or_default()
}

/// Rows under a heading, in columns.
pub(crate) fn table(heading: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column).map(|cell| cell.chars().count()))
            .chain([heading[column].len()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let print = |cells: &[&str]| {
        let line: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text(line.join("  ").trim_end());
    };
    print(heading);
    for row in rows {
        print(&row.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
