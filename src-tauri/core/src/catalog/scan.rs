//! Reading many items: a segment of the table at a time, or by their keys.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnConsumedCapacity};

use super::table::{OWN, another_table, unreadable};
use super::{Catalog, Guid, Item, Video};
use crate::explain::explain;
use crate::workspace::TableMapping;
use crate::{Code, Error, Result};

/// What of an item is read in lists: the rest is read when a video is opened. Names of a path are apart by a dot.
pub(super) const READ: [&str; 29] = [
    "guid",
    "title",
    "srcVideo",
    "srcBucket",
    "workflowStatus",
    "status",
    "workflowErrorAt",
    "errorMessage",
    "startTime",
    "endTime",
    "EndTime",
    "srcMediainfo",
    "srcWidth",
    "srcHeight",
    "encodingOutput.detail.outputGroupDetails",
    "hlsUrl",
    "cmafHlsUrl",
    "dashUrl",
    "cmafDashUrl",
    "mssUrl",
    "mp4Urls",
    "egressEndpoints",
    "thumbNailsUrls",
    "thumbNailUrl",
    "encodeJobId",
    "ecodeJobId",
    "workflowName",
    "jobTemplate",
    "reeldesk",
];
/// Keys of one `BatchGetItem` (Amazon DynamoDB API reference).
const KEYS_AT_ONCE: usize = 100;
/// How often keys that were left over are asked for again.
const MOST_TRIES: u32 = 8;

/// A page of a segment.
pub(super) struct SegmentPage {
    pub videos: Vec<Video>,
    /// The key to go on behind; none at the end of the segment.
    pub next: Option<String>,
    /// Read request units.
    pub units: f64,
}

/// What is read of an item as an expression, and its names.
fn projection(names_of: &TableMapping) -> (String, HashMap<String, String>) {
    let mut names = HashMap::new();
    let of_pipeline = READ.iter().copied().filter(|_| !names_of.is_of_another_table());
    let all: BTreeSet<_> = of_pipeline.chain(names_of.attributes()).chain([names_of.key(), OWN]).collect();
    // Two paths of an expression may not overlap (DynamoDB, projection expressions).
    let is_in_another = |path: &str| path.match_indices('.').any(|(at, _)| all.contains(&path[..at]));
    let paths = all.iter().filter(|path| !is_in_another(path)).map(|path| {
        let parts = path.split('.').map(|name| {
            let at = format!("#{}", names.len());
            names.entry(name.to_owned()).or_insert(at).clone()
        });
        parts.collect::<Vec<_>>().join(".")
    });
    let expression = paths.collect::<Vec<_>>().join(", ");
    (expression, names.into_iter().map(|(name, placeholder)| (placeholder, name)).collect())
}

impl Catalog {
    /// About how many items the table has: DynamoDB counts them every six hours.
    pub(super) async fn estimate(&self) -> Result<usize> {
        let answer = self.dynamodb.describe_table().table_name(&self.table).send().await;
        let answer = answer.map_err(|error| explain("The table could not be looked at", error))?;
        let count = answer.table().and_then(|table| table.item_count()).unwrap_or(0);
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// A page of one of the segments of the whole table, in no order.
    pub(super) async fn segment_page(
        &self,
        segment: i32,
        segments: i32,
        after: Option<String>,
        is_consistent: bool,
    ) -> Result<SegmentPage> {
        let (expression, names) = projection(self.attributes.names());
        let key = self.key_name();
        let start = after.map(|guid| HashMap::from([(key.to_owned(), AttributeValue::S(guid))]));
        let scan = self.dynamodb.scan().table_name(&self.table).segment(segment).total_segments(segments);
        let scan = scan.consistent_read(is_consistent);
        let scan = scan.projection_expression(expression).set_expression_attribute_names(Some(names));
        let scan = scan.set_exclusive_start_key(start).return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = scan.send().await.map_err(unreadable)?;
        let items = answer.items.unwrap_or_default();
        // Each item has the key, as a text: otherwise it is another one.
        if items.iter().any(|item| !item.get(key).is_some_and(AttributeValue::is_s)) {
            return Err(another_table());
        }
        let guid = |last: &HashMap<String, AttributeValue>| last.get(key)?.as_s().ok().cloned();
        Ok(SegmentPage {
            next: answer.last_evaluated_key.as_ref().and_then(guid),
            units: self.count(answer.consumed_capacity.as_ref()),
            videos: items.into_iter().filter_map(|item| self.read(&Item(item))).collect(),
        })
    }

    /// The videos of these keys; those that are not there are left out.
    ///
    /// # Errors
    /// When some of them could not be read.
    pub async fn by_keys(&self, guids: &[Guid]) -> Result<Vec<Video>> {
        let mut videos = Vec::with_capacity(guids.len());
        for some in guids.chunks(KEYS_AT_ONCE) {
            let (expression, names) = projection(self.attributes.names());
            let keys = KeysAndAttributes::builder().set_keys(Some(some.iter().map(|guid| self.key(guid)).collect()));
            let keys = keys.projection_expression(expression).set_expression_attribute_names(Some(names));
            let keys = keys.build().map_err(Error::internal)?;
            let mut left = Some(HashMap::from([(self.table.clone(), keys)]));
            for tried in 0.. {
                let Some(keys) = left.take().filter(|keys| !keys.is_empty()) else { break };
                if tried == MOST_TRIES {
                    let what = "DynamoDB gives fewer items than it is asked for.";
                    return Err(Error::new(Code::Throttled, what, "Reeldesk waits and tries again by itself."));
                }
                if tried > 0 {
                    tokio::time::sleep(Duration::from_millis(50 << tried)).await;
                }
                let get = self.dynamodb.batch_get_item().set_request_items(Some(keys));
                let answer = get.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await;
                let answer = answer.map_err(unreadable)?;
                for consumed in answer.consumed_capacity() {
                    self.count(Some(consumed));
                }
                let items = answer.responses.into_iter().flatten().flat_map(|(_, items)| items);
                videos.extend(items.filter_map(|item| self.read(&Item(item))));
                left = answer.unprocessed_keys;
            }
        }
        Ok(videos)
    }
}
