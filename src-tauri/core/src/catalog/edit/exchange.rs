//! The catalog as a table, out and in again: what was changed in a spreadsheet is compared with what is known, and applied as a
//! change of many.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use ts_rs::TS;

use super::log::{NewLine, Work};
use super::{EditResult, EditSample, EditSummary, Editor, VideoSelection};
use crate::catalog::details::{FieldChange, VideoDetails, VideoField};
use crate::catalog::mirror::MOST_LETTERS;
use crate::catalog::{Guid, VideoSummary};
use crate::files::sheet::{Fresh, cell, text, uncell};
use crate::{Code, Error, Result};

/// Columns of what can be changed, beside the tags.
const FIELDS: [(&str, VideoField); 5] = [
    ("title", VideoField::Title),
    ("description", VideoField::Description),
    ("published", VideoField::Published),
    ("publishFrom", VideoField::PublishFrom),
    ("publishUntil", VideoField::PublishUntil),
];
/// Columns that only tell.
const READ_ONLY: [&str; 7] = ["status", "started", "seconds", "width", "height", "srcVideo", "trashed"];
/// The column that tells whether someone changed the video since it was written into the list.
const REVISION: &str = "revision";
/// What its values begin with: a spreadsheet takes none of them for a number.
const VERSION: &str = "v-";
/// What begins the name of a column of a tag.
const TAG: &str = "tag:";
/// The most tags that have a column.
const MOST_TAGS: usize = 200;
/// The largest list, in bytes.
const LARGEST: u64 = 32 * 1024 * 1024;
/// Problems that are told.
const MOST_PROBLEMS: usize = 1_000;

/// What a list would change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ImportPreview {
    /// Lines of videos that are known.
    pub videos: usize,
    /// Those of them that would change.
    pub changed: usize,
    /// Fields that would change, over all of them.
    pub changes: usize,
    /// The first of them that would change, and how.
    pub samples: Vec<EditSample>,
    /// The first lines that cannot be used, and why.
    pub problems: Vec<ImportProblem>,
    /// Lines that cannot be used, all of them.
    pub unusable: usize,
    /// Columns that nobody knows: they change nothing.
    pub unknown_columns: Vec<String>,
}

/// A line that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ImportProblem {
    /// Its number, from 1; the first one has the names of the columns.
    pub line: usize,
    /// Which video it names.
    pub key: String,
    /// Why.
    pub reason: String,
}

/// What was written into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Exported {
    /// How many videos.
    pub videos: usize,
    /// Tags that have no column, because there are too many.
    pub tags_left_out: usize,
}

/// A list that was read, and compared.
struct Import {
    preview: ImportPreview,
    lines: Vec<NewLine>,
}

impl Editor {
    /// Writes the selected videos into a file: JSON where its name ends in `.json`, otherwise CSV, in which no cell is a formula.
    /// Answers how many they are, and which of their tags are too many to have a column.
    ///
    /// # Errors
    /// When the mirror cannot be read or the file not be written; there is no half of one then.
    pub async fn export(&self, selection: VideoSelection, file: &Path) -> Result<Exported> {
        let is_json = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        let guids = self.selected(selection).await?;
        let (tags, left_out) = if is_json { Default::default() } else { self.tags_of(&guids).await? };
        let mut fresh = Fresh::begin(file).await?;
        fresh.write(if is_json { "[".to_owned() } else { csv(std::iter::once(header(&tags)))? }).await?;
        let mut written = 0;
        for some in guids.chunks(super::PAGE) {
            let videos = self.whole(self.sync.mirror().await?.by_keys(some.to_vec()).await?).await?;
            let piece = match is_json {
                true => json(&videos, written == 0)?,
                false => csv(videos
                    .iter()
                    .map(|video| row(video, self.catalog.version(video.revision, &video.details), &tags)))?,
            };
            written += videos.len();
            fresh.write(piece).await?;
        }
        if is_json {
            fresh.write("\n]\n".to_owned()).await?;
        }
        fresh.end().await?;
        Ok(Exported { videos: written, tags_left_out: left_out })
    }

    /// The names of the tags that most videos have, in the order of the alphabet, and how many others there are.
    async fn tags_of(&self, guids: &[Guid]) -> Result<(Vec<String>, usize)> {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for some in guids.chunks(super::PAGE) {
            let videos = self.sync.mirror().await?.by_keys(some.to_vec()).await?;
            for name in videos.into_iter().flat_map(|video| video.details.tags.into_keys()) {
                *counts.entry(name).or_default() += 1;
            }
        }
        let mut names: Vec<_> = counts.into_iter().collect();
        names.sort_unstable_by(|(one, count), (other, others)| others.cmp(count).then_with(|| one.cmp(other)));
        let left_out = names.len().saturating_sub(MOST_TAGS);
        let mut names: Vec<_> = names.into_iter().take(MOST_TAGS).map(|(name, _)| name).collect();
        names.sort_unstable();
        Ok((names, left_out))
    }

    /// Videos with all of their descriptions: the mirror cuts long ones.
    async fn whole(&self, mut videos: Vec<VideoSummary>) -> Result<Vec<VideoSummary>> {
        let is_cut = |video: &VideoSummary| {
            video.details.description.as_ref().is_some_and(|text| text.chars().count() >= MOST_LETTERS)
        };
        let cut: Vec<_> = videos.iter().filter(|video| is_cut(video)).map(|video| video.guid.clone()).collect();
        if cut.is_empty() {
            return Ok(videos);
        }
        let read = self.catalog.by_keys(&cut).await?;
        let mut read: HashMap<_, _> = read.into_iter().map(|video| (video.guid.clone(), video.details)).collect();
        for video in &mut videos {
            if let Some(details) = read.remove(&video.guid) {
                video.details = details;
            }
        }
        Ok(videos)
    }

    /// The text of a list.
    ///
    /// # Errors
    /// When the file cannot be read, is too large, or is no text.
    pub async fn list_of(path: &Path) -> Result<String> {
        text(path, "list of videos", LARGEST).await
    }

    /// What a list would change. Its first line names the columns: `guid` or `srcVideo`, and of `title`, `description`,
    /// `published`, `publishFrom`, `publishUntil` and `tag:NAME` those that may change. An empty cell takes the value away; a
    /// column that is not there changes nothing. With the column `revision`, as an export has it, a video that someone changed
    /// since is left out.
    ///
    /// # Errors
    /// When the columns name no video, or the mirror cannot be read; what is wrong with a line is told of that line.
    pub async fn preview_import(&self, list: &str) -> Result<ImportPreview> {
        self.read(list).await.map(|import| import.preview)
    }

    /// Changes the videos of a list, each as it says, and tells of each as it is done. Lines that cannot be used are left out.
    ///
    /// # Errors
    /// As [`Editor::preview_import`]; what goes wrong with one video is told of that one.
    pub async fn import(
        &self,
        list: &str,
        stop: &CancellationToken,
        tell: impl Fn(&EditResult),
    ) -> Result<EditSummary> {
        let Import { lines, .. } = self.read(list).await?;
        self.begin("import", None, lines, stop, tell).await
    }

    async fn read(&self, list: &str) -> Result<Import> {
        const SAMPLES: usize = 20;
        let mut import = Import { preview: ImportPreview::default(), lines: Vec::new() };
        let mut problems = Vec::new();
        let text = list.to_owned();
        let read = tokio::task::spawn_blocking(move || {
            let mut problems = Vec::new();
            Table::read(&text, &mut problems).map(|table| (table, problems))
        });
        let (Table { columns, key, by_guid, revision, unknown, rows }, found) =
            read.await.map_err(Error::internal)??;
        problems.extend(found);
        import.preview.unknown_columns = unknown;
        let mirror = self.sync.mirror().await?;
        // A key may begin with a blank; where there is none of that, the blank is the spreadsheet's.
        let exact: Vec<_> =
            rows.iter().filter_map(|(_, row)| Guid::new(uncell(&row[key])).filter(|_| by_guid)).collect();
        let mut there = BTreeSet::new();
        for some in exact.chunks(super::PAGE) {
            there.extend(mirror.by_keys(some.to_vec()).await?.into_iter().map(|video| video.guid.to_string()));
        }
        let key_of = |cell: &str| match uncell(cell) {
            exact if there.contains(exact) => exact.to_owned(),
            _ => uncell(cell.trim()).to_owned(),
        };
        let keys: Vec<String> = rows.iter().map(|(_, row)| key_of(&row[key])).collect();
        let guids: HashMap<String, Guid> = match by_guid {
            true => keys.iter().filter_map(|key| Some((key.clone(), Guid::new(key)?))).collect(),
            false => mirror.guids_of_sources(keys.clone()).await?.into_iter().collect(),
        };
        let wanted: BTreeSet<Guid> = guids.values().cloned().collect();
        let mut known = HashMap::new();
        for some in wanted.into_iter().collect::<Vec<_>>().chunks(super::PAGE) {
            let videos = self.whole(mirror.by_keys(some.to_vec()).await?).await?;
            known.extend(videos.into_iter().map(|video| (video.guid.clone(), video)));
        }
        let mut seen = BTreeSet::new();
        for ((line, row), key) in rows.into_iter().zip(keys) {
            let mut problem = |reason: String| problems.push(ImportProblem { line, key: key.clone(), reason });
            let Some(video) = guids.get(&key).and_then(|guid| known.get(guid)) else {
                problem("The catalog has no such video.".to_owned());
                continue;
            };
            if !seen.insert(video.guid.clone()) {
                problem("A line before it is of the same video.".to_owned());
                continue;
            }
            let told = revision.and_then(|column| row.get(column)).map(|text| uncell(text.trim())).unwrap_or_default();
            let seen_as = told.strip_prefix(VERSION).and_then(|hex| i64::from_str_radix(hex, 16).ok());
            if seen_as.is_none() && !told.is_empty() {
                problem(format!("The revision \"{told}\" is none that an export writes: another program changed it."));
                continue;
            }
            if seen_as.is_some_and(|seen| seen != self.catalog.version(video.revision, &video.details)) {
                problem("Someone changed this video since the list was exported.".to_owned());
                continue;
            }
            let changes = match changes(video, &columns, &row) {
                Ok(changes) => changes,
                Err(error) => {
                    problem(error.message);
                    continue;
                }
            };
            import.preview.videos += 1;
            if changes.is_empty() {
                continue;
            }
            import.preview.changed += 1;
            import.preview.changes += changes.len();
            let (guid, title) = (video.guid.clone(), video.title.clone());
            if import.preview.samples.len() < SAMPLES {
                import.preview.samples.push(EditSample {
                    guid: guid.clone(),
                    title: title.clone(),
                    changes: changes.clone(),
                });
            }
            let work = Some(Work::Fields(changes));
            import.lines.push(NewLine { guid, title, expected: None, work, undoes: None });
        }
        problems.sort_by_key(|problem| problem.line);
        import.preview.unusable = problems.len();
        problems.truncate(MOST_PROBLEMS);
        import.preview.problems = problems;
        Ok(import)
    }
}

/// The lines of a list.
struct Table {
    /// What each column is; none for one that changes nothing.
    columns: Vec<Option<VideoField>>,
    /// The column that names the video.
    key: usize,
    /// Whether it does so by its guid, or by the key of its source.
    by_guid: bool,
    /// The column that has its revision, where there is one.
    revision: Option<usize>,
    /// Columns that nobody knows.
    unknown: Vec<String>,
    rows: Vec<(usize, csv::StringRecord)>,
}

impl Table {
    fn read(list: &str, problems: &mut Vec<ImportProblem>) -> Result<Self> {
        let list = &list.trim_start_matches('\u{FEFF}').replace("\r\n", "\n");
        let first = list.lines().next().unwrap_or_default();
        let count = |delimiter: &u8| first.bytes().filter(|byte| byte == delimiter).count();
        let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(count).unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(list.as_bytes());
        let header = reader.headers().map_err(Error::internal)?.clone();
        let name = |column: &str| uncell(column.trim()).to_owned();
        let is = |wanted: &str| header.iter().position(|column| name(column).eq_ignore_ascii_case(wanted));
        let (key, by_guid) = match (is("guid"), is("srcVideo")) {
            (Some(guid), _) => (guid, true),
            (None, Some(source)) => (source, false),
            (None, None) => {
                let what = "The first line names neither a column \"guid\" nor one \"srcVideo\".";
                return Err(Error::new(Code::Invalid, what, "Export a list, change that, and import it again."));
            }
        };
        let field = |column: &str| {
            // Another tool may have given a tag a name with blanks around it.
            let whole = uncell(column.trim_start());
            if whole.get(..TAG.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(TAG)) {
                return Some(VideoField::Tag(whole[TAG.len()..].to_owned()));
            }
            let column = name(column);
            FIELDS.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(&column)).map(|(_, field)| field)
        };
        let columns: Vec<_> = header.iter().map(field).collect();
        let mut names = BTreeSet::new();
        if let Some(twice) = header.iter().map(name).find(|column| !names.insert(column.to_lowercase())) {
            let what = format!("The column \"{twice}\" is there twice.");
            return Err(Error::new(Code::Invalid, what, "Remove one of the two."));
        }
        let told = READ_ONLY.iter().chain(&["guid", REVISION]);
        let told: BTreeSet<_> = told.map(|name| name.to_lowercase()).collect();
        let is_unknown = |(column, field): (&str, &Option<VideoField>)| {
            (field.is_none() && !told.contains(&name(column).to_lowercase())).then(|| name(column))
        };
        let unknown = header.iter().zip(&columns).filter_map(is_unknown).collect();
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    let line = error.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
                    problems.push(ImportProblem {
                        line,
                        key: String::new(),
                        reason: "It is no line of CSV.".to_owned(),
                    });
                    continue;
                }
            };
            let line = record.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
            if record.len() != columns.len() {
                let reason = format!("It has {} cells, and the first line {}.", record.len(), columns.len());
                problems.push(ImportProblem { line, key: record.get(key).unwrap_or_default().to_owned(), reason });
                continue;
            }
            rows.push((line, record));
        }
        Ok(Self { columns, key, by_guid, revision: is(REVISION), unknown, rows })
    }
}

/// What a line changes of a video.
fn changes(video: &VideoSummary, columns: &[Option<VideoField>], row: &csv::StringRecord) -> Result<Vec<FieldChange>> {
    let before = &video.details;
    let mut after = before.clone();
    for (field, value) in columns.iter().zip(row) {
        let Some(field) = field else { continue };
        let value = uncell(value);
        // What comes back as it went out changes nothing, blanks around it neither; the title that is shown may be that of the
        // source.
        let shown = (*field == VideoField::Title).then(|| video.title.clone()).or_else(|| before.get(field));
        if shown.is_some_and(|shown| told(&shown) == value) {
            continue;
        }
        let value = Some(value).filter(|value| !value.trim().is_empty());
        let value = match field {
            VideoField::Published => value.map(|value| value.trim().to_lowercase()),
            _ => value.map(str::to_owned),
        };
        after.assign(field, value.as_deref(), false)?;
    }
    let changes = before.changes_to(&after);
    after.check_times_of(changes.iter().map(|change| &change.field))?;
    Ok(changes)
}

fn header(tags: &[String]) -> Vec<String> {
    let mut names: Vec<String> =
        std::iter::once("guid").chain(FIELDS.iter().map(|(name, _)| *name)).map(str::to_owned).collect();
    names.extend(READ_ONLY.map(str::to_owned));
    names.push(REVISION.to_owned());
    names.extend(tags.iter().map(|name| format!("{TAG}{name}")));
    names
}

fn row(video: &VideoSummary, version: i64, tags: &[String]) -> Vec<String> {
    let said = |details: &VideoDetails, field: &VideoField| details.get(field).unwrap_or_default();
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let time = |at: Option<i64>| {
        at.and_then(|at| jiff::Timestamp::from_millisecond(at).ok()).map(|at| at.to_string()).unwrap_or_default()
    };
    let status = serde_json::to_value(crate::catalog::StatusKind::from(&video.status));
    let mut cells = vec![video.guid.to_string(), video.title.clone()];
    cells.extend(FIELDS.iter().skip(1).map(|(_, field)| said(&video.details, field)));
    cells.extend([
        status.ok().and_then(|status| status.as_str().map(str::to_owned)).unwrap_or_default(),
        time(video.started_at),
        video.duration.map(|seconds| seconds.to_string()).unwrap_or_default(),
        number(video.width),
        number(video.height),
        video.src_video.clone().unwrap_or_default(),
        said(&video.details, &VideoField::TrashedAt),
        format!("{VERSION}{version:x}"),
    ]);
    cells.extend(tags.iter().map(|name| said(&video.details, &VideoField::Tag(name.clone()))));
    cells
}

/// As a list has it: without what is no text, and with one kind of line ends.
fn told(value: &str) -> String {
    value.replace('\0', "\u{FFFD}").replace("\r\n", "\n")
}

fn csv(rows: impl Iterator<Item = Vec<String>>) -> Result<String> {
    let mut table = csv::Writer::from_writer(Vec::new());
    for row in rows {
        table.write_record(row.iter().map(|text| cell(&told(text)))).map_err(Error::internal)?;
    }
    String::from_utf8(table.into_inner().map_err(Error::internal)?).map_err(Error::internal)
}

fn json(videos: &[VideoSummary], are_first: bool) -> Result<String> {
    let mut text = String::new();
    for (index, video) in videos.iter().enumerate() {
        text.push_str(if are_first && index == 0 { "\n" } else { ",\n" });
        text.push_str(&serde_json::to_string(video).map_err(Error::internal)?);
    }
    Ok(text)
}
