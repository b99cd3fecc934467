//! The table and its index.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, ConsumedCapacity, ReturnConsumedCapacity};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::details::{SIDECARS, TAGS};
use super::mapping::TableAttributes;
use super::write::REVISION;
use super::{Guid, Item, Video, VideoDetails, sidecars};
use crate::explain::explain;
use crate::workspace::{MappedIndex, Workspace};
use crate::{Code, Error, Result};

/// The catalog of one workspace; cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    pub(super) dynamodb: aws_sdk_dynamodb::Client,
    pub(super) table: String,
    pub(super) source_bucket: String,
    /// What its attributes are called.
    pub(super) attributes: Arc<TableAttributes>,
    /// What was found of late where there is no index by time.
    found: Arc<Mutex<Option<Found>>>,
    cost: Arc<Mutex<Cost>>,
}

/// What reading lists of videos cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Read request units of DynamoDB.
    pub read_units: f64,
    /// Since when.
    pub since: Instant,
}

/// Videos since a time (milliseconds since the epoch), as all of the table was read.
struct Found {
    since: i64,
    at: Instant,
    videos: Vec<Video>,
}

/// Without an index the whole table is read to find what is new: not more often than this, and not more pages of 1 MB.
const READ_ALL_EVERY: Duration = Duration::from_secs(5);
const MOST_PAGES_OF_ALL: usize = 32;
const PAGE_OF_INDEX: i32 = 100;

/// A page of videos.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// Newest first.
    pub videos: Vec<Video>,
    /// What to ask for the page after this one with.
    pub next: Option<Cursor>,
}

/// Why the catalog could not be read: a table that has another key, or no such index, is not the pipeline's.
pub(super) fn unreadable<E>(error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let is_another = error.code() == Some("ValidationException");
    let error = explain("The catalog could not be read", error);
    if is_another { another_table().with_details(error.details) } else { error }
}

/// The key or the index of a table is not what it is taken for.
pub(super) fn another_table() -> Error {
    let what = "The catalog table has another key or index than \"Video on Demand on AWS\" makes, or than the workspace names.";
    Error::new(Code::Invalid, what, "Name them: Workspace, Edit, Attributes of the table.")
}

/// The map attribute that holds all that the app adds to an item.
pub(super) const OWN: &str = "reeldesk";
/// The bytes of the source, and its CRC-64/NVME in base64: by them another computer knows that it has the same file.
pub(super) const SOURCE_SIZE: &str = "sourceSize";
pub(super) const SOURCE_CHECKSUM: &str = "sourceCrc64nvme";

/// What the app knows of a video, and the pipeline does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// The admin's name for it.
    pub title: String,
    /// What else is said of it, by name.
    pub tags: BTreeMap<String, String>,
    /// The keys of the objects in the source bucket that go with it: subtitles, metadata.
    pub sidecars: Vec<String>,
    /// The bytes of the source, and its CRC-64/NVME in base64.
    pub source: Option<(u64, String)>,
}

impl Description {
    /// As they are in the map: the title always, the others where there are any.
    fn fields(&self) -> HashMap<String, AttributeValue> {
        let text = |text: &String| AttributeValue::S(text.clone());
        let mut fields = HashMap::from([("title".to_owned(), text(&self.title))]);
        if !self.tags.is_empty() {
            let tags = self.tags.iter().map(|(name, value)| (name.clone(), text(value))).collect();
            fields.insert(TAGS.to_owned(), AttributeValue::M(tags));
        }
        if let Some((size, checksum)) = &self.source {
            fields.insert(SOURCE_SIZE.to_owned(), AttributeValue::N(size.to_string()));
            fields.insert(SOURCE_CHECKSUM.to_owned(), text(checksum));
        }
        if !self.sidecars.is_empty() {
            fields.insert(SIDECARS.to_owned(), sidecars::unnamed(&self.sidecars));
        }
        fields
    }
}

/// Where a page ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Cursor {
    guid: String,
    start_time: CursorTime,
}

/// A time as a table has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
enum CursorTime {
    Text(String),
    Number(String),
}

impl Catalog {
    /// The catalog of this workspace.
    #[must_use]
    pub fn new(dynamodb: aws_sdk_dynamodb::Client, workspace: &Workspace) -> Self {
        Self {
            dynamodb,
            table: workspace.table.clone(),
            source_bucket: workspace.source_bucket.clone(),
            attributes: Arc::new(TableAttributes::new(workspace)),
            found: Arc::default(),
            cost: Arc::new(Mutex::new(Cost { read_units: 0.0, since: Instant::now() })),
        }
    }

    /// What reading lists of videos cost, by this process.
    #[must_use]
    pub fn cost(&self) -> Cost {
        *self.cost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what a request cost; answers that.
    pub(super) fn count(&self, consumed: Option<&ConsumedCapacity>) -> f64 {
        let units = consumed.and_then(|consumed| consumed.capacity_units).unwrap_or(0.0);
        self.cost.lock().unwrap_or_else(PoisonError::into_inner).read_units += units;
        units
    }

    /// The name of the partition key.
    pub(super) fn key_name(&self) -> &str {
        self.attributes.names().key()
    }

    /// A video's key, as requests want it.
    pub(super) fn key(&self, guid: &Guid) -> HashMap<String, AttributeValue> {
        HashMap::from([(self.key_name().to_owned(), AttributeValue::S(guid.to_string()))])
    }

    /// What tells whether someone has changed a video since.
    pub(super) fn version(&self, revision: i64, details: &VideoDetails) -> i64 {
        self.attributes.version(revision, details)
    }

    /// The video of an item; `None` for an item without a key.
    pub(super) fn read(&self, item: &Item) -> Option<Video> {
        self.attributes.read(item)
    }

    /// Whether there is an index by time.
    #[must_use]
    pub fn has_index(&self) -> bool {
        self.attributes.index().is_some()
    }

    /// A page of the videos of the source bucket, newest first; none where the table has no index by time.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn page(&self, after: Option<Cursor>, limit: i32) -> Result<Page> {
        let Some(index) = self.attributes.index() else { return Ok(Page { videos: Vec::new(), next: None }) };
        let start = after.map(|cursor| {
            let time = match cursor.start_time {
                CursorTime::Text(text) => AttributeValue::S(text),
                CursorTime::Number(number) => AttributeValue::N(number),
            };
            HashMap::from([
                (self.key_name().to_owned(), AttributeValue::S(cursor.guid)),
                (index.sort_key.clone(), time),
                (index.partition_key.clone(), AttributeValue::S(index.partition_value.clone())),
            ])
        });
        let answer = self
            .dynamodb
            .query()
            .table_name(&self.table)
            .index_name(&index.name)
            .key_condition_expression("#b = :b")
            .expression_attribute_names("#b", &index.partition_key)
            .expression_attribute_values(":b", AttributeValue::S(index.partition_value.clone()))
            .scan_index_forward(false)
            .set_exclusive_start_key(start)
            .limit(limit)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(unreadable)?;
        self.count(answer.consumed_capacity.as_ref());
        let next = answer.last_evaluated_key.and_then(|key| {
            let start_time = match key.get(&index.sort_key)? {
                AttributeValue::S(text) => CursorTime::Text(text.clone()),
                AttributeValue::N(number) => CursorTime::Number(number.clone()),
                _ => return None,
            };
            Some(Cursor { guid: key.get(self.key_name())?.as_s().ok()?.clone(), start_time })
        });
        let items = answer.items.unwrap_or_default();
        let videos = match &self.attributes.names().index {
            None => items.into_iter().filter_map(|item| self.read(&Item(item))).collect(),
            // An index of one's own may not have all attributes of its items.
            Some(_) => {
                let key = |item: &HashMap<String, AttributeValue>| Guid::new(item.get(self.key_name())?.as_s().ok()?);
                let guids: Vec<_> = items.iter().filter_map(key).collect();
                let found = self.by_keys(&guids).await?;
                let mut found: HashMap<_, _> = found.into_iter().map(|video| (video.guid.clone(), video)).collect();
                guids.iter().filter_map(|guid| found.remove(guid)).collect()
            }
        };
        Ok(Page { videos, next })
    }

    /// Some of the newest videos; of a table without an index by time, any.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn some(&self, limit: i32) -> Result<Vec<Video>> {
        if self.has_index() {
            return Ok(self.page(None, limit).await?.videos);
        }
        Ok(self.segment_page(0, 1, None, false).await?.videos)
    }

    /// The videos that the pipeline took since a time (milliseconds since the epoch), oldest first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn since(&self, time_ms: i64) -> Result<Vec<Video>> {
        // What cannot be read as a time is not known to be older.
        let is_since = |video: &Video| video.started_at.is_none_or(|started_at| started_at >= time_ms);
        match self.attributes.index() {
            // Another table may write its times in any way: none can be compared with before they are read.
            Some(index) if self.attributes.names().index.is_none() => self.since_by(index, time_ms, is_since).await,
            Some(_) => {
                let (mut videos, mut next) = (Vec::new(), None);
                loop {
                    let page = self.page(next, PAGE_OF_INDEX).await?;
                    let is_last = !page.videos.iter().any(is_since);
                    videos.extend(page.videos.into_iter().filter(is_since));
                    next = page.next;
                    if is_last || next.is_none() {
                        videos.reverse();
                        return Ok(videos);
                    }
                }
            }
            None => self.since_by_all(time_ms, is_since).await,
        }
    }

    /// By the pipeline's index.
    async fn since_by(
        &self,
        index: &MappedIndex,
        time_ms: i64,
        is_since: impl Fn(&Video) -> bool,
    ) -> Result<Vec<Video>> {
        let time = Timestamp::from_millisecond(time_ms).map_err(Error::internal)?;
        // Items of version 4 write `YYYY-MM-DD HH:mm.S`: what both ways have in common is the day.
        let from = time.strftime("%Y-%m-%d").to_string();
        let mut pages = self
            .dynamodb
            .query()
            .table_name(&self.table)
            .index_name(&index.name)
            .key_condition_expression("#b = :b AND #s >= :s")
            .expression_attribute_names("#b", &index.partition_key)
            .expression_attribute_names("#s", &index.sort_key)
            .expression_attribute_values(":b", AttributeValue::S(index.partition_value.clone()))
            .expression_attribute_values(":s", AttributeValue::S(from))
            .into_paginator()
            .items()
            .send();
        let mut videos = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(unreadable)?;
            videos.extend(self.read(&Item(item)).filter(&is_since));
        }
        Ok(videos)
    }

    /// By all of the table, as it was a few seconds ago at most.
    async fn since_by_all(&self, time_ms: i64, is_since: impl Fn(&Video) -> bool) -> Result<Vec<Video>> {
        if let Some(found) = &*self.found.lock().unwrap_or_else(PoisonError::into_inner)
            && found.since <= time_ms
            && found.at.elapsed() < READ_ALL_EVERY
        {
            return Ok(found.videos.iter().filter(|video| is_since(video)).cloned().collect());
        }
        let at = Instant::now();
        let (mut videos, mut after) = (Vec::new(), None);
        for read in 0.. {
            if read == MOST_PAGES_OF_ALL {
                let what =
                    format!("The table \"{}\" is too large to find new videos in it without an index.", self.table);
                let remedy = "Name an index by time on the Workspace screen, under Attributes of the table.";
                return Err(Error::new(Code::Invalid, what, remedy));
            }
            let page = self.segment_page(0, 1, after, false).await?;
            videos.extend(page.videos.into_iter().filter(&is_since));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        videos.sort_by_key(|video| video.started_at);
        let found = Found { since: time_ms, at, videos: videos.clone() };
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        Ok(videos)
    }

    /// One video.
    ///
    /// # Errors
    /// [`Code::NotFound`] when the table has none of this key.
    pub async fn video(&self, guid: &Guid) -> Result<Video> {
        let item = self.item(guid).await?;
        let read = |item: Item| {
            Some(Video { others: self.attributes.others(&item), media: item.media(), ..self.read(&item)? })
        };
        let video = item.and_then(read);
        video.ok_or_else(|| {
            Error::new(
                Code::NotFound,
                format!("The catalog has no video {guid}."),
                "Check the guid; reelctl videos list shows all of them.",
            )
        })
    }

    /// Writes what the app knows of a video that it sent. All of it lives in the one map `reeldesk`: the pipeline's own update
    /// does not escape names, so any other new attribute could break its next step. What else is in the map stays, and what an
    /// admin has said meanwhile counts more.
    ///
    /// # Errors
    /// When the table cannot be written, or the video is gone.
    pub async fn describe(&self, guid: &Guid, description: &Description) -> Result<()> {
        self.put_own(guid, description.fields()).await?;
        match description.sidecars.is_empty() {
            true => Ok(()),
            // An admin may have added one meanwhile.
            false => self.add_sidecars(guid, &description.sidecars).await,
        }
    }

    /// Writes them where they are not there yet.
    pub(super) async fn put_own(&self, guid: &Guid, fields: HashMap<String, AttributeValue>) -> Result<()> {
        let update = self.dynamodb.update_item().table_name(&self.table).set_key(Some(self.key(guid)));
        let first = update
            .clone()
            .update_expression("SET #own = :own")
            .condition_expression("attribute_exists(#guid) AND attribute_not_exists(#own)")
            .expression_attribute_names("#guid", self.key_name())
            .expression_attribute_names("#own", OWN)
            .expression_attribute_values(":own", AttributeValue::M(fields.clone()));
        match first.send().await {
            Ok(_) => return Ok(()),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => {}
            Err(error) => return Err(explain("The catalog could not be written", error)),
        }
        // The map is there, or the video is not.
        let mut update = update.condition_expression("attribute_exists(#own)").expression_attribute_names("#own", OWN);
        let mut assignments = Vec::new();
        for (index, (name, value)) in fields.into_iter().enumerate() {
            assignments.push(format!("#own.#f{index} = if_not_exists(#own.#f{index}, :f{index})"));
            update = update
                .expression_attribute_names(format!("#f{index}"), name)
                .expression_attribute_values(format!(":f{index}"), value);
        }
        // Who read the map before sees that it is another one.
        let update = update.expression_attribute_names("#revision", REVISION);
        let update = update.expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
        let update = update.update_expression(format!("SET {} ADD #own.#revision :one", assignments.join(", ")));
        update.send().await.map_err(|error| explain("The catalog could not be written", error))?;
        Ok(())
    }
}
