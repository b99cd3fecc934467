//! Items of a table whose attributes have names of its own: read as the pipeline would have written them, and written where the
//! workspace says.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;

use super::details::{VideoDetails, VideoField};
use super::mirror::MOST_LETTERS;
use super::table::OWN;
use super::write::PUBLISHED_BEFORE;
use super::{Item, LONGEST_MS, Status, Video};
use crate::clock::now_ms;
use crate::workspace::{DurationUnit, MappedIndex, MappedStatus, TableMapping, Workspace};
use crate::{Code, Error, Result};

/// Other attributes that are shown of an item, and the letters of each.
const MOST_OTHERS: usize = 100;
const MOST_IN_OTHER: usize = 2_000;

type Attributes = HashMap<String, AttributeValue>;

/// The attributes of one table.
pub(super) struct TableAttributes {
    names: TableMapping,
    index: Option<MappedIndex>,
    cdn: String,
    source_bucket: String,
}

impl TableAttributes {
    pub(super) fn new(workspace: &Workspace) -> Self {
        let names = workspace.mapping.clone().unwrap_or_default();
        Self {
            index: names.time_index(&workspace.source_bucket),
            names,
            cdn: workspace.cdn.clone(),
            source_bucket: workspace.source_bucket.clone(),
        }
    }

    /// What the workspace says of them.
    pub(super) fn names(&self) -> &TableMapping {
        &self.names
    }

    /// The index by time, where there is one.
    pub(super) fn index(&self) -> Option<&MappedIndex> {
        self.index.as_ref()
    }

    /// The video of an item, as this table has it; `None` for an item without a key.
    pub(super) fn read(&self, item: &Item) -> Option<Video> {
        let names = &self.names;
        if *names == TableMapping::default() {
            return item.read();
        }
        let mut video = self.as_pipelines(item)?.read()?;
        let text = |name: &Option<String>| match name.as_deref().and_then(|name| value_at(&item.0, name))? {
            AttributeValue::S(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        };
        if let Some(title) = text(&names.title) {
            video.title.clone_from(&title);
            video.details.title = Some(title);
        }
        if let Some(description) = text(&names.description) {
            video.details.description = Some(description);
        }
        if let Some(name) = names.published.as_deref() {
            let now = value_at(&item.0, name).and_then(|value| self.published(value));
            // In the trash it says no, unless another program said otherwise since.
            let before = item.own_map().and_then(|own| own.get(PUBLISHED_BEFORE)).filter(|_| now != Some(true));
            let before = before.filter(|_| video.details.trashed_at.is_some()).and_then(|value| self.published(value));
            video.details.published = before.or(now).or(video.details.published);
        }
        if names.is_of_another_table() && names.status.is_none() {
            let unknown = || Status::Other { word: "unknown".to_owned() };
            video.status = if video.hls_url.is_some() { Status::Complete } else { unknown() };
            video.is_stuck = false;
        }
        if let Some(status) = names.status.as_deref() {
            let word = value_at(&item.0, status).map(shown).unwrap_or_default();
            video.status = self.status(word, item);
            let is_old = video.started_at.is_some_and(|at| now_ms() - at > LONGEST_MS);
            video.is_stuck = is_old && matches!(video.status, Status::Ingest | Status::Encoding);
        }
        if let Some(duration) = names.duration.as_deref().and_then(|name| value_at(&item.0, name)) {
            let count = shown(duration).parse::<f64>().ok().filter(|count| count.is_finite() && *count > 0.0);
            video.duration = count.map(|count| match names.duration_unit {
                DurationUnit::Seconds => count,
                DurationUnit::Milliseconds => count / 1000.0,
            });
        }
        if let Some(sizes) = names.resolutions.as_deref().and_then(|name| value_at(&item.0, name)) {
            let largest = texts(sizes).iter().filter_map(|size| resolution(size)).max_by_key(|size| size.1);
            (video.width, video.height) = largest.map_or((None, None), |(width, height)| (width, Some(height)));
        }
        Some(video)
    }

    /// The attributes that nothing is read of, as text.
    pub(super) fn others(&self, item: &Item) -> BTreeMap<String, String> {
        if !self.names.is_of_another_table() {
            return BTreeMap::new();
        }
        let named: Vec<_> = self.names.attributes().into_iter().filter_map(|path| path.split('.').next()).collect();
        let others = item.0.iter().filter(|(name, _)| *name != OWN && !named.contains(&name.as_str()));
        let others = others.map(|(name, value)| (name.clone(), shown(value).chars().take(MOST_IN_OTHER).collect()));
        others.collect::<BTreeMap<_, _>>().into_iter().take(MOST_OTHERS).collect()
    }

    /// The item with the names that the pipeline gives its attributes.
    fn as_pipelines(&self, item: &Item) -> Option<Item> {
        let names = &self.names;
        // In a table of another key what is not named means something else.
        let mut attributes = match names.is_of_another_table() {
            true => item.0.get(OWN).map(|own| (OWN.to_owned(), own.clone())).into_iter().collect(),
            false => item.0.clone(),
        };
        let key = item.0.get(names.key())?.as_s().ok()?;
        attributes.insert("guid".to_owned(), AttributeValue::S(key.clone()));
        for (to, from) in [
            ("errorMessage", &names.error_message),
            ("startTime", &names.started_at),
            ("endTime", &names.ended_at),
            ("encodeJobId", &names.job),
        ] {
            let Some(value) = from.as_deref().and_then(|from| value_at(&item.0, from)) else { continue };
            attributes.insert(to.to_owned(), value.clone());
        }
        for (to, from) in [("hlsUrl", &names.hls), ("mp4Urls", &names.mp4), ("thumbNailsUrls", &names.thumbnails)] {
            let Some(value) = from.as_deref().and_then(|from| value_at(&item.0, from)) else { continue };
            let addresses = texts(value).into_iter().map(|path| self.address(&path, key));
            let value = match to {
                "hlsUrl" => addresses.map(AttributeValue::S).next(),
                _ => Some(AttributeValue::L(addresses.map(AttributeValue::S).collect())),
            };
            attributes.extend(value.map(|value| (to.to_owned(), value)));
        }
        if let Some(source) = names.source.as_deref().and_then(|from| value_at(&item.0, from)) {
            let source = shown(source);
            let told = source.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
            let (bucket, key) = told.unwrap_or((&self.source_bucket, &source));
            let bucket = AttributeValue::S(bucket.to_owned());
            attributes.insert("srcVideo".to_owned(), AttributeValue::S(key.to_owned()));
            // Where the item names the bucket, that one is meant.
            match told {
                Some(_) => drop(attributes.insert("srcBucket".to_owned(), bucket)),
                None => drop(attributes.entry("srcBucket".to_owned()).or_insert(bucket)),
            }
        }
        Some(Item(attributes))
    }

    /// The address of what may be only a path.
    pub(super) fn address(&self, path: &str, key: &str) -> String {
        if path.contains("://") && !path.starts_with("s3://") {
            return path.to_owned();
        }
        let path = path.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).map_or(path, |(_, path)| path);
        let template = self.names.address.as_deref().unwrap_or("{cdn}/{path}");
        // A template may have the scheme of its own.
        let cdn = match template.contains("://{cdn}") {
            true => self.cdn.split_once("://").map_or(self.cdn.as_str(), |(_, domain)| domain),
            false => &self.cdn,
        };
        template.replace("{cdn}", cdn).replace("{key}", key).replace("{path}", path.trim_start_matches('/'))
    }

    fn status(&self, word: String, item: &Item) -> Status {
        let reason = || {
            let message = self.names.error_message.as_deref().and_then(|name| value_at(&item.0, name));
            message.map(shown).unwrap_or_default()
        };
        match self.names.status_words.get(&word) {
            Some(MappedStatus::Ingest) => Status::Ingest,
            Some(MappedStatus::Encoding) => Status::Encoding,
            Some(MappedStatus::Complete) => Status::Complete,
            Some(MappedStatus::Error) => Status::Error { at: word, message: reason() },
            Some(MappedStatus::Canceled) => Status::Canceled,
            None if word.is_empty() => Status::Other { word: "unknown".to_owned() },
            None => Status::Other { word },
        }
    }

    /// Whether that says published; none where it says neither.
    pub(super) fn published(&self, value: &AttributeValue) -> Option<bool> {
        match (value, &self.names.published_words) {
            (AttributeValue::Bool(flag), _) => Some(*flag),
            (AttributeValue::N(number), _) if number == "1" => Some(true),
            (AttributeValue::N(number), _) if number == "0" => Some(false),
            (AttributeValue::S(word), Some([yes, _])) if word == yes => Some(true),
            (AttributeValue::S(word), Some([_, no])) if word == no => Some(false),
            (AttributeValue::S(word), None) => word.parse().ok(),
            _ => None,
        }
    }

    /// The attribute that a field is written to, where it has one outside of the map.
    pub(super) fn attribute_of(&self, field: &VideoField) -> Option<&str> {
        match field {
            VideoField::Title => self.names.title.as_deref(),
            VideoField::Description => self.names.description.as_deref(),
            VideoField::Published => self.names.published.as_deref(),
            _ => None,
        }
    }

    /// Refuses to write over what is not understood.
    ///
    /// # Errors
    /// [`Code::Invalid`] where the item has something else there.
    pub(super) fn may_replace(&self, field: &VideoField, before: Option<&AttributeValue>) -> Result<()> {
        let is_understood = match (field, before) {
            (_, None | Some(AttributeValue::Null(_))) => true,
            (VideoField::Published, Some(value)) => self.published(value).is_some(),
            (_, Some(value)) => value.is_s(),
        };
        if is_understood {
            return Ok(());
        }
        let name = self.attribute_of(field).unwrap_or_default();
        let says: String = before.map(shown).unwrap_or_default().chars().take(80).collect();
        Err(Error::new(
            Code::Invalid,
            format!(
                "The attribute \"{name}\" of this video says \"{says}\", which Reeldesk does not understand: it stays."
            ),
            "Name its words on the Workspace screen, under Attributes of the table, or ask your engineer.",
        ))
    }

    /// What tells whether someone has changed a video since: its revision, and what other programs may write beside it.
    pub(super) fn version(&self, revision: i64, details: &VideoDetails) -> i64 {
        let names = &self.names;
        let cut = |text: &Option<String>| Some(text.as_deref()?.chars().take(MOST_LETTERS).collect::<String>());
        let outside = (
            names.title.as_ref().and(details.title.as_ref()),
            names.description.as_ref().and_then(|_| cut(&details.description)),
            names.published.as_ref().and(details.published),
        );
        if outside == (None, None, None) {
            return revision;
        }
        let text = serde_json::to_string(&(revision, outside)).unwrap_or_default();
        (crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, text.as_bytes()) >> 1).cast_signed()
    }

    /// Whether the outputs of an item are surely in a folder of its key: an address of them begins with it, as it is stored.
    pub(super) fn has_own_folder(&self, item: &Item, key: &str) -> bool {
        let stored = [&self.names.hls, &self.names.mp4, &self.names.thumbnails];
        let stored = stored.into_iter().filter_map(|name| value_at(&item.0, name.as_deref()?)).flat_map(texts);
        let mut paths = stored.map(|stored| {
            let path =
                stored.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path.to_owned());
            path.unwrap_or_else(|| stored.trim_start_matches('/').to_owned())
        });
        paths.any(|path| path.strip_prefix(key).is_some_and(|rest| rest.starts_with('/')))
    }

    /// A value of such a field, of the type that the item has it in.
    pub(super) fn value_of(&self, field: &VideoField, text: &str, before: Option<&AttributeValue>) -> AttributeValue {
        let is = text == "true";
        match (field, before) {
            (VideoField::Published, Some(AttributeValue::N(_))) => AttributeValue::N(u8::from(is).to_string()),
            (VideoField::Published, Some(AttributeValue::S(_))) => AttributeValue::S(self.published_word(is)),
            (VideoField::Published, Some(AttributeValue::Bool(_))) => AttributeValue::Bool(is),
            (VideoField::Published, _) if self.names.published_words.is_some() => {
                AttributeValue::S(self.published_word(is))
            }
            (VideoField::Published, _) => AttributeValue::Bool(is),
            _ => AttributeValue::S(text.to_owned()),
        }
    }

    fn published_word(&self, is: bool) -> String {
        match &self.names.published_words {
            Some([yes, no]) => if is { yes } else { no }.clone(),
            None => is.to_string(),
        }
    }
}

/// The value at a path of names.
pub(super) fn value_at<'a>(attributes: &'a Attributes, path: &str) -> Option<&'a AttributeValue> {
    match path.split_once('.') {
        None => attributes.get(path),
        Some((name, rest)) => value_at(attributes.get(name)?.as_m().ok()?, rest),
    }
}

/// A value as text: what is no text as JSON.
pub(super) fn shown(value: &AttributeValue) -> String {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.clone(),
        other => json(other).to_string(),
    }
}

fn json(value: &AttributeValue) -> Value {
    let list = |texts: &[String]| Value::Array(texts.iter().cloned().map(Value::String).collect());
    match value {
        AttributeValue::S(text) => Value::String(text.clone()),
        AttributeValue::N(number) => serde_json::from_str(number).unwrap_or_else(|_| Value::String(number.clone())),
        AttributeValue::Bool(flag) => Value::Bool(*flag),
        AttributeValue::L(values) => Value::Array(values.iter().map(json).collect()),
        AttributeValue::M(values) => {
            let sorted: BTreeMap<_, _> = values.iter().collect();
            Value::Object(sorted.into_iter().map(|(name, value)| (name.clone(), json(value))).collect())
        }
        AttributeValue::Ss(texts) | AttributeValue::Ns(texts) => list(texts),
        AttributeValue::B(bytes) => Value::String(format!("{} bytes", bytes.as_ref().len())),
        AttributeValue::Bs(all) => Value::String(format!("{} values of bytes", all.len())),
        _ => Value::Null,
    }
}

/// All texts in a value: a text, a list or set of them, or the values of a map.
fn texts(value: &AttributeValue) -> Vec<String> {
    let mut all = match value {
        AttributeValue::S(text) | AttributeValue::N(text) => vec![text.clone()],
        AttributeValue::Ss(texts) => texts.clone(),
        AttributeValue::L(values) => values.iter().flat_map(texts).collect(),
        AttributeValue::M(values) => values.iter().collect::<BTreeMap<_, _>>().into_values().flat_map(texts).collect(),
        _ => Vec::new(),
    };
    all.retain(|text| !text.is_empty());
    all
}

/// Width, where it is told, and lines of `1920x1080`, `1080p` or `1080`.
fn resolution(text: &str) -> Option<(Option<u32>, u32)> {
    let text = text.trim().to_ascii_lowercase();
    match text.split_once(['x', '×']) {
        Some((width, height)) => Some((Some(width.trim().parse().ok()?), height.trim().parse().ok()?)),
        None => Some((None, text.trim_end_matches(['p', 'i']).parse().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::tests::workspace;

    fn mapping() -> TableMapping {
        let named = |name: &str| Some(name.to_owned());
        TableMapping {
            key: named("videoId"),
            title: named("name"),
            published: named("isPublished"),
            status: named("state"),
            status_words: [("READY", MappedStatus::Complete), ("FAILED", MappedStatus::Error)]
                .map(|(word, status)| (word.to_owned(), status))
                .into(),
            error_message: named("failure"),
            started_at: named("createdAt"),
            duration: named("media.durationMs"),
            duration_unit: DurationUnit::Milliseconds,
            source: named("sourceKey"),
            hls: named("location"),
            thumbnails: named("thumbnails"),
            resolutions: named("resolutions"),
            ..TableMapping::default()
        }
    }

    fn table(names: TableMapping) -> TableAttributes {
        TableAttributes::new(&Workspace { mapping: Some(names), ..workspace("x") })
    }

    fn text(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    fn item(fields: &[(&str, AttributeValue)]) -> Item {
        Item(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    #[test]
    fn read_as_the_workspace_says() {
        let media = HashMap::from([("durationMs".to_owned(), AttributeValue::N("21021".into()))]);
        let item = item(&[
            ("videoId", text("v-1")),
            ("name", text("Night Train")),
            ("state", text("READY")),
            ("createdAt", AttributeValue::N("1700000000".into())),
            ("media", AttributeValue::M(media)),
            ("sourceKey", text("in/night.mov")),
            ("location", text("v-1/hls/night.m3u8")),
            ("thumbnails", AttributeValue::L(vec![text("v-1/a.jpg"), text("https://other.example/b.jpg")])),
            ("resolutions", AttributeValue::Ss(vec!["640x360".into(), "1920x1080".into()])),
            ("isPublished", AttributeValue::Bool(true)),
            ("rating", AttributeValue::N("4.5".into())),
            // Not what the pipeline means by it.
            ("workflowStatus", text("Error")),
        ]);
        let table = table(mapping());
        let video = table.read(&item).unwrap();
        assert_eq!((video.guid.as_str(), &*video.title, &video.status), ("v-1", "Night Train", &Status::Complete));
        assert_eq!((video.duration, video.width, video.height), (Some(21.021), Some(1920), Some(1080)));
        assert_eq!(video.started_at, Some(1_700_000_000_000));
        assert_eq!(video.hls_url.as_deref(), Some("https://d1.example.net/v-1/hls/night.m3u8"));
        assert_eq!(video.thumbnail_url.as_deref(), Some("https://other.example/b.jpg"));
        assert_eq!((video.src_bucket.as_deref(), video.src_video.as_deref()), (Some("src"), Some("in/night.mov")));
        assert_eq!((video.details.published, video.is_playable()), (Some(true), true));
        let others = table.others(&item);
        assert_eq!(
            others.into_iter().collect::<Vec<_>>(),
            [("rating".to_owned(), "4.5".to_owned()), ("workflowStatus".to_owned(), "Error".to_owned())]
        );
    }

    #[test]
    fn strange_items_break_nothing() {
        let table = table(mapping());
        assert!(table.read(&item(&[("videoId", AttributeValue::N("3".into()))])).is_none());
        assert!(table.read(&item(&[("guid", text("x"))])).is_none());
        let odd = AttributeValue::M(HashMap::from([("a".to_owned(), AttributeValue::Null(true))]));
        let names = ["name", "state", "createdAt", "media", "sourceKey", "location", "thumbnails", "resolutions"];
        let fields: Vec<_> =
            names.into_iter().map(|name| (name, odd.clone())).chain([("videoId", text("v"))]).collect();
        let video = table.read(&item(&fields)).unwrap();
        assert_eq!(video.status, Status::Other { word: r#"{"a":null}"#.to_owned() });
        assert_eq!((video.hls_url, video.duration), (None, None));
        let failed = item(&[("videoId", text("v")), ("state", text("FAILED")), ("failure", text("no sound"))]);
        let Status::Error { at, message } = table.read(&failed).unwrap().status else { panic!() };
        assert_eq!((&*at, &*message), ("FAILED", "no sound"));
    }

    #[test]
    fn addresses_of_paths() {
        let with = |template: Option<&str>| table(TableMapping { address: template.map(str::to_owned), ..mapping() });
        assert_eq!(with(None).address("/a/b.m3u8", "k"), "https://d1.example.net/a/b.m3u8");
        assert_eq!(with(Some("https://{cdn}/vod/{key}/{path}")).address("a", "k"), "https://d1.example.net/vod/k/a");
        assert_eq!(with(None).address("s3://dst/a/b.m3u8", "k"), "https://d1.example.net/a/b.m3u8");
        assert_eq!(with(None).address("http://x/y", "k"), "http://x/y");
    }

    #[test]
    fn written_as_the_item_has_it() {
        let words = TableMapping { published_words: Some(["LIVE".into(), "DRAFT".into()]), ..mapping() };
        let (flags, words) = (table(mapping()), table(words));
        let to = |table: &TableAttributes, text: &str, before: Option<AttributeValue>| {
            table.value_of(&VideoField::Published, text, before.as_ref())
        };
        assert_eq!(to(&flags, "true", None), AttributeValue::Bool(true));
        assert_eq!(to(&flags, "false", Some(AttributeValue::N("1".into()))), AttributeValue::N("0".into()));
        assert_eq!(to(&flags, "false", Some(text("true"))), text("false"));
        assert_eq!(to(&words, "false", None), text("DRAFT"));
        assert_eq!(words.published(&text("LIVE")), Some(true));
        assert_eq!(words.published(&text("other")), None);
        for (table, odd) in [(&words, text("UNLISTED")), (&flags, AttributeValue::N("1700000000".into()))] {
            assert_eq!(table.may_replace(&VideoField::Published, Some(&odd)).unwrap_err().code, Code::Invalid);
        }
        let list = AttributeValue::L(Vec::new());
        assert_eq!(flags.may_replace(&VideoField::Title, Some(&list)).unwrap_err().code, Code::Invalid);
    }

    /// The solution's own table, with what the deployment's API serves beside it.
    #[test]
    fn attributes_of_the_deployments_api() {
        let named = |name: &str| Some(name.to_owned());
        let names = TableMapping { title: named("title"), published: named("published"), ..TableMapping::default() };
        let own = AttributeValue::M(HashMap::from([("title".to_owned(), text("In the map"))]));
        let item = item(&[
            ("guid", text("g")),
            ("workflowStatus", text("Complete")),
            ("hlsUrl", text("https://cdn/g/hls/a.m3u8")),
            ("title", text("At the top")),
            ("published", AttributeValue::Bool(false)),
            ("reeldesk", own),
        ]);
        let video = table(names).read(&item).unwrap();
        assert_eq!((&*video.title, video.details.published), ("At the top", Some(false)));
        assert!(video.is_playable());
    }

    #[test]
    fn sizes_in_words() {
        assert_eq!(resolution("1920x1080"), Some((Some(1920), 1080)));
        assert_eq!(resolution("1080p"), Some((None, 1080)));
        assert_eq!(resolution("720"), Some((None, 720)));
        assert_eq!(resolution("large"), None);
    }
}
