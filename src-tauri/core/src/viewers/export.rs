//! Viewers and the log as CSV for a spreadsheet, which takes no cell of it for a formula.

use std::path::Path;

use super::audit::{ActionOutcome, LogEntry};
use super::mirror::Query;
use super::{Viewer, Viewers};
use crate::clock::now_ms;
use crate::files::sheet::{Fresh, cell};
use crate::{Error, Result};

impl Viewers {
    /// Writes all that a query finds in the copy of the pool into a CSV file.
    ///
    /// # Errors
    /// When the store cannot be read or the file not be written.
    pub async fn export(&self, query: Query, file: &Path) -> Result<()> {
        write(file, csv(&self.find(query, 0, usize::MAX >> 1).await?.viewers)?).await
    }

    /// Writes all of the log into a CSV file, the oldest line first.
    ///
    /// # Errors
    /// When the store cannot be read or the file not be written.
    pub async fn export_log(&self, file: &Path) -> Result<()> {
        let mut entries = self.log(None, usize::MAX >> 1).await?;
        entries.reverse();
        write(file, log_csv(&entries)?).await
    }
}

async fn write(file: &Path, text: String) -> Result<()> {
    let mut fresh = Fresh::begin(file).await?;
    fresh.write(text).await?;
    fresh.end().await
}

/// Viewers as CSV.
fn csv(viewers: &[Viewer]) -> Result<String> {
    let now = now_ms();
    let rows = viewers.iter().map(|one| {
        [
            one.email.clone().unwrap_or_default(),
            one.name.clone().unwrap_or_default(),
            one.state.in_words(now),
            one.groups.join("; "),
            time(one.created_at),
            time(one.modified_at),
            one.username.clone(),
        ]
    });
    table(["email", "name", "state", "groups", "created", "modified", "username"], rows)
}

/// The log as CSV.
fn log_csv(entries: &[LogEntry]) -> Result<String> {
    let rows = entries.iter().map(|one| {
        let (outcome, error) = match &one.outcome {
            None => ("not known", String::new()),
            Some(ActionOutcome::Done) => ("done", String::new()),
            Some(ActionOutcome::Unchanged) => ("unchanged", String::new()),
            Some(ActionOutcome::Failed { error }) => ("failed", error.message.clone()),
        };
        [
            time(Some(one.at)),
            one.who.clone(),
            one.what.clone(),
            one.whom.clone().unwrap_or_default(),
            one.detail.clone().unwrap_or_default(),
            outcome.to_owned(),
            error,
            one.run.clone(),
        ]
    });
    table(["at", "who", "what", "whom", "detail", "outcome", "error", "run"], rows)
}

fn table<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl Iterator<Item = [String; COLUMNS]>,
) -> Result<String> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(header).map_err(Error::internal)?;
    for row in rows {
        table.write_record(row.iter().map(|text| cell(text))).map_err(Error::internal)?;
    }
    String::from_utf8(table.into_inner().map_err(Error::internal)?).map_err(Error::internal)
}

fn time(milliseconds: Option<i64>) -> String {
    let time = milliseconds.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    time.map(|at| at.to_string()).unwrap_or_default()
}
