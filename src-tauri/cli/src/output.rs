//! Printing: JSON lines for programs, tables for people.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use reeldesk_core::Error;
use reeldesk_core::playback::Stream;
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

/// Text from outside on one line of a terminal: nothing in it moves the cursor or turns the direction.
pub(crate) fn plain(text: &str) -> String {
    let is_unshown = |c: char| c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if is_unshown(c) { '\u{FFFD}' } else { c }).collect()
}

/// A cell of a table: a long one is cut.
fn cell(text: &str) -> String {
    const LONGEST: usize = 120;
    let text = plain(text);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// How many of something.
pub(crate) fn count(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// The error that ends the command.
pub(crate) fn failed(json: bool, error: &Error) {
    if json {
        line(&failure(error));
    } else {
        let mut stderr = std::io::stderr().lock();
        // What an engineer wants to know is in the answer of --json.
        writeln!(stderr, "{}\n{}", plain(&error.message), error.remedy).ok();
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
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|text| cell(text)).collect()).collect();
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
    for row in &rows {
        print(&row.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// A value as indented JSON.
pub(crate) fn value(value: &impl Serialize) -> ExitCode {
    text(&serde_json::to_string_pretty(value).unwrap_or_default());
    ExitCode::SUCCESS
}

/// What the playlists of a video say.
pub(crate) fn stream(stream: &Stream, json: bool) {
    if json {
        line(stream);
        return;
    }
    let rows: Vec<_> = stream
        .renditions
        .iter()
        .map(|rendition| {
            let size = rendition.width.zip(rendition.height).map_or_else(String::new, |(w, h)| format!("{w}x{h}"));
            let rate = |bits: Option<u64>| bits.map_or_else(String::new, |bits| format!("{} kb/s", bits / 1000));
            vec![
                size,
                rate(rendition.bandwidth),
                rate(rendition.average_bandwidth),
                rendition.codecs.clone().unwrap_or_default(),
                clock(Some(rendition.duration)),
                rendition.segments.to_string(),
            ]
        })
        .collect();
    table(&["SIZE", "PEAK", "AVERAGE", "CODECS", "DURATION", "SEGMENTS"], &rows);
}

/// Seconds as a clock shows them.
pub(crate) fn clock(seconds: Option<f64>) -> String {
    seconds.map_or_else(String::new, |seconds| {
        let whole = seconds.round() as u64;
        format!("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
    })
}

/// Something that ends nothing.
pub(crate) fn warning(text: &str) {
    writeln!(std::io::stderr().lock(), "{text}").ok();
}
