//! A look at a table whose attributes are to be named: what its items have, and what they read like with the names so far.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::operation::describe_table::DescribeTableOutput;
use aws_sdk_dynamodb::types::{AttributeValue, KeyType};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::mapping::{TableAttributes, shown, value_at};
use super::table::OWN;
use super::{Item, Video};
use crate::Result;
use crate::aws::Aws;
use crate::explain::explain;
use crate::workspace::{DurationUnit, MappedIndex, MappedStatus, TableMapping, Workspace};

/// Items that are looked at, and those that are shown.
const LOOKED_AT: i32 = 50;
const SHOWN: usize = 5;
/// Letters of an example.
const MOST_IN_EXAMPLE: usize = 80;
/// Attributes that are told of, and words of a status.
const MOST_ATTRIBUTES: usize = 200;
const MOST_WORDS: usize = 20;

/// What a table has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TablePreview {
    /// Its attributes, as the items have them that were looked at.
    pub attributes: Vec<FoundAttribute>,
    /// The words that are in the attribute of the status.
    pub status_words: Vec<String>,
    /// Its indexes that have a sort key.
    pub indexes: Vec<MappedIndex>,
    /// What its attributes may be called, by their names.
    pub suggestion: TableMapping,
    /// Some of its videos, read by the names that the workspace has now.
    pub videos: Vec<Video>,
}

/// An attribute of items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FoundAttribute {
    /// Its name; in a map, the names that lead to it, with dots between them.
    pub name: String,
    /// A value that it has.
    pub example: String,
}

/// Looks at the table of a workspace. Nothing is written.
///
/// # Errors
/// When the names cannot work, or the table cannot be read.
pub async fn preview_table(workspace: &Workspace) -> Result<TablePreview> {
    workspace.mapping.as_ref().map_or(Ok(()), TableMapping::check)?;
    let dynamodb = Aws::connect(&workspace.connection).await?.dynamodb;
    let doing = format!("The table \"{}\" could not be read", workspace.table);
    let described = dynamodb.describe_table().table_name(&workspace.table).send();
    let items = dynamodb.scan().table_name(&workspace.table).limit(LOOKED_AT).send();
    let (described, items) = tokio::join!(described, items);
    let items = items.map_err(|error| explain(&doing, error))?.items.unwrap_or_default();
    // Who may not ask names the key and the index.
    let described = described.ok();
    let items: Vec<_> = items.into_iter().map(Item).collect();
    let attributes = TableAttributes::new(workspace);
    let words = attributes.names().status.as_deref().map(|name| words(&items, name)).unwrap_or_default();
    let found = found(&items);
    Ok(TablePreview {
        suggestion: suggestion(&found, described.as_ref(), &items),
        indexes: described.as_ref().map(|described| indexes(described, &items)).unwrap_or_default(),
        status_words: words,
        videos: items
            .iter()
            .filter_map(|item| Some(Video { others: attributes.others(item), ..attributes.read(item)? }))
            .take(SHOWN)
            .collect(),
        attributes: found,
    })
}

/// The attributes of items, the most frequent first.
fn found(items: &[Item]) -> Vec<FoundAttribute> {
    let mut all: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for item in items {
        for (name, value) in item.0.iter().filter(|(name, _)| *name != OWN && !name.contains('.')) {
            match value {
                AttributeValue::M(values) => {
                    for (inner, value) in values.iter().filter(|(inner, _)| !inner.contains('.')) {
                        note(&mut all, format!("{name}.{inner}"), value);
                    }
                }
                value => note(&mut all, name.clone(), value),
            }
        }
    }
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let all = all.into_iter().take(MOST_ATTRIBUTES);
    all.map(|(name, (_, example))| FoundAttribute { name, example }).collect()
}

fn note(all: &mut BTreeMap<String, (usize, String)>, name: String, value: &AttributeValue) {
    let (count, example) = all.entry(name).or_default();
    *count += 1;
    if example.is_empty() {
        *example = shown(value).chars().take(MOST_IN_EXAMPLE).collect();
    }
}

/// The words that are at an attribute.
fn words(items: &[Item], name: &str) -> Vec<String> {
    let words = items.iter().filter_map(|item| match value_at(&item.0, name)? {
        AttributeValue::S(word) => Some(word.clone()),
        _ => None,
    });
    words.collect::<BTreeSet<_>>().into_iter().take(MOST_WORDS).collect()
}

/// The indexes that may be ones by time, with the value that their partition key has most often.
fn indexes(described: &DescribeTableOutput, items: &[Item]) -> Vec<MappedIndex> {
    let indexes = described.table().map(|table| table.global_secondary_indexes()).unwrap_or_default();
    let index = |index: &aws_sdk_dynamodb::types::GlobalSecondaryIndexDescription| {
        let of = |kind: KeyType| {
            let key = index.key_schema().iter().find(|key| *key.key_type() == kind);
            key.map(|key| key.attribute_name().to_owned())
        };
        let (partition_key, sort_key) = (of(KeyType::Hash)?, of(KeyType::Range)?);
        let values = words(items, &partition_key);
        let most = |value: &&String| {
            let is = |item: &&Item| item.0.get(&partition_key).is_some_and(|is| shown(is) == **value);
            items.iter().filter(is).count()
        };
        let partition_value = values.iter().max_by_key(most).cloned().unwrap_or_default();
        Some(MappedIndex { name: index.index_name()?.to_owned(), partition_key, partition_value, sort_key })
    };
    indexes.iter().filter_map(index).collect()
}

/// What attributes may be called, in small letters and without signs; the first one that is there is meant.
const TITLES: &[&str] = &["title", "name", "displayname", "videoname", "videotitle"];
const DESCRIPTIONS: &[&str] = &["description", "summary", "synopsis"];
const PUBLISHED: &[&str] = &["ispublished", "published", "visible", "ispublic", "public", "live"];
const STATUSES: &[&str] = &["status", "state", "workflowstatus", "videostatus", "jobstatus", "encodingstatus"];
const ERRORS: &[&str] = &["errormessage", "error", "failure", "failurereason", "reason"];
const STARTS: &[&str] =
    &["createdat", "starttime", "startedat", "created", "createdon", "uploadedat", "timestamp", "date"];
const ENDS: &[&str] = &["finishedat", "endtime", "endedat", "completedat", "updatedat"];
const DURATIONS: &[&str] = &[
    "durationms",
    "duration",
    "durationseconds",
    "durationsec",
    "length",
    "runtime",
    "mediadurationms",
    "mediaduration",
];
const SOURCES: &[&str] = &["sourcekey", "srcvideo", "source", "inputkey", "input", "s3key", "filename", "file"];
const JOBS: &[&str] = &["jobid", "encodejobid", "mediaconvertjobid", "job"];
const HLS: &[&str] = &["hlsurl", "hls", "location", "playlist", "playbackurl", "streamurl", "manifest", "url", "path"];
const MP4: &[&str] = &["mp4urls", "mp4", "files", "mp4url"];
const THUMBNAILS: &[&str] = &["thumbnails", "thumbnail", "thumbnailsurls", "thumbnailurl", "poster", "images"];
const RESOLUTIONS: &[&str] = &["resolutions", "resolution", "renditions", "qualities"];

fn suggestion(found: &[FoundAttribute], described: Option<&DescribeTableOutput>, items: &[Item]) -> TableMapping {
    let plain = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let pick = |names: &[&str]| {
        let of = |name: &&str| found.iter().find(|attribute| plain(&attribute.name) == **name);
        names.iter().find_map(of).map(|attribute| attribute.name.clone())
    };
    let keys = described.and_then(|described| described.table()).map(|table| table.key_schema()).unwrap_or_default();
    let key = keys.iter().find(|key| *key.key_type() == KeyType::Hash).map(|key| key.attribute_name().to_owned());
    let (status, duration) = (pick(STATUSES), pick(DURATIONS));
    let meaning = |word: &String| {
        let meant = match plain(word).as_str() {
            "ready" | "complete" | "completed" | "done" | "success" | "succeeded" | "published" | "live" => {
                MappedStatus::Complete
            }
            "processing" | "encoding" | "transcoding" | "inprogress" | "running" | "submitted" | "progressing" => {
                MappedStatus::Encoding
            }
            "failed" | "error" | "failure" | "errored" => MappedStatus::Error,
            "uploaded" | "ingest" | "ingesting" | "queued" | "pending" | "created" | "new" => MappedStatus::Ingest,
            "canceled" | "cancelled" => MappedStatus::Canceled,
            _ => return None,
        };
        Some((word.clone(), meant))
    };
    let status_words = status.as_deref().map(|name| words(items, name)).unwrap_or_default();
    TableMapping {
        key,
        title: pick(TITLES),
        description: pick(DESCRIPTIONS),
        published: pick(PUBLISHED),
        published_words: None,
        status_words: status_words.iter().filter_map(meaning).collect(),
        status,
        error_message: pick(ERRORS),
        started_at: pick(STARTS),
        ended_at: pick(ENDS),
        duration_unit: match duration.as_deref().map(plain) {
            Some(name) if name.ends_with("ms") => DurationUnit::Milliseconds,
            _ => DurationUnit::Seconds,
        },
        duration,
        source: pick(SOURCES),
        job: pick(JOBS),
        hls: pick(HLS),
        mp4: pick(MP4),
        thumbnails: pick(THUMBNAILS),
        resolutions: pick(RESOLUTIONS),
        address: None,
        index: None,
    }
    .tidied()
}
