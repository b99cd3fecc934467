//! What a rule would do with the files that are there, before anyone makes it.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::rules::WatchFolder;
use super::scan::Scanner;
use super::tracker::Tracker;
use crate::{Error, Result};

/// Files that are shown.
const SHOWN: usize = 8;

/// What a rule would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Videos that are there and that the rule is about.
    pub videos: usize,
    /// Those of them that the naming does not fit.
    pub unfit: usize,
    /// The first ones.
    pub files: Vec<PreviewFile>,
}

/// A file that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PreviewFile {
    /// Relative to the folder.
    pub path: String,
    /// The title that it would get.
    pub title: String,
    /// The tags.
    pub tags: BTreeMap<String, String>,
    /// Whether the naming fits it.
    pub fits: bool,
}

/// Looks at the folder and changes nothing.
///
/// # Errors
/// When a field of the rule is wrong, or the folder cannot be read.
pub async fn preview(rule: WatchFolder, barred: Vec<PathBuf>) -> Result<Preview> {
    let rule = rule.tidied();
    rule.check()?;
    let scanner = Scanner::of(&rule, barred).await?;
    let look = move || {
        let mut tracker = Tracker::new(Duration::ZERO, HashMap::new());
        scanner.scan(&scanner.root, &mut tracker)?;
        let pattern = rule.pattern();
        let mut preview = Preview { videos: 0, unfit: 0, files: Vec::new() };
        for path in tracker.take_waiting() {
            let reading = pattern.as_ref().map(|pattern| pattern.read(&path));
            let fits = !matches!(reading, Some(None));
            preview.videos += 1;
            preview.unfit += usize::from(!fits);
            if preview.files.len() < SHOWN {
                let reading = reading.flatten().unwrap_or_default();
                let title = reading.title.unwrap_or_else(|| crate::ingest::title(scanner.root.join(&*path).as_path()));
                preview.files.push(PreviewFile { path: path.into(), title, tags: reading.tags, fits });
            }
        }
        Ok(preview)
    };
    tokio::task::spawn_blocking(look).await.map_err(Error::internal)?
}
