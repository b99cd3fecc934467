//! Reading items. Tolerant of what is missing, extra or of another type; the fields of the old generations are
//! read where the new ones are missing (`EndTime`, `ecodeJobId`, `thumbNailUrl`).

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::details::SIDECARS;
use super::mediainfo::MediaInfo;
use super::past_edit::PastEdit;
use super::sidecars::{entries_of, is_captions};
use super::table::{OWN, SOURCE_CHECKSUM, SOURCE_SIZE};
use super::write::{PURGE_BEGAN, REVISION};
use super::{Guid, LONGEST_MS, Output, Status, Video, VideoDetails};
use crate::clock::now_ms;

/// An item of the table, as the SDK gives it.
pub struct Item(pub HashMap<String, AttributeValue>);

impl Item {
    fn text(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.0.get(*name)?.as_s().ok().filter(|text| !text.is_empty()).cloned())
    }

    fn texts(&self, names: &[&str]) -> Vec<String> {
        let Some(value) = names.iter().find_map(|name| self.0.get(*name)) else { return Vec::new() };
        match value {
            AttributeValue::L(items) => items.iter().filter_map(|item| item.as_s().ok().cloned()).collect(),
            AttributeValue::Ss(items) => items.clone(),
            AttributeValue::S(text) => vec![text.clone()],
            _ => Vec::new(),
        }
    }

    fn number(&self, name: &str) -> Option<u32> {
        match self.0.get(name)? {
            AttributeValue::N(text) | AttributeValue::S(text) => text.parse::<f64>().ok().map(|number| number as u32),
            _ => None,
        }
    }

    /// Milliseconds since the epoch.
    fn time(&self, names: &[&str]) -> Option<i64> {
        names.iter().find_map(|name| match self.0.get(*name)? {
            AttributeValue::S(text) | AttributeValue::N(text) => parse_time(text),
            _ => None,
        })
    }

    /// What the app itself wrote.
    fn own(&self, name: &str) -> Option<&AttributeValue> {
        self.own_map()?.get(name)
    }

    /// All that the app wrote; none where there is nothing, or something else.
    pub(super) fn own_map(&self) -> Option<&HashMap<String, AttributeValue>> {
        self.0.get(OWN)?.as_m().ok()
    }

    /// The keys of all files that go with it or went with it.
    fn sidecars(&self) -> Vec<String> {
        let is_one = |label: &AttributeValue| label.is_s() || label.is_null();
        let all = entries_of(self.own(SIDECARS)).into_iter().filter(|(_, label)| is_one(label));
        let mut keys: Vec<_> = all.map(|(key, _)| key).collect();
        keys.sort_unstable();
        keys
    }

    /// Seconds of the longest stream or film that was made, as the event of the job's end has it. Captured pictures have a
    /// length too: that of the source.
    fn made_duration(&self) -> Option<f64> {
        let detail = self.0.get("encodingOutput")?.as_m().ok()?.get("detail")?.as_m().ok()?;
        let groups = detail.get("outputGroupDetails")?.as_l().ok()?.iter().filter_map(|group| group.as_m().ok());
        let outputs = groups.filter_map(|group| group.get("outputDetails")?.as_l().ok()).flatten();
        let length = |output: &AttributeValue| {
            let output = output.as_m().ok()?;
            let is_picture = |path: &AttributeValue| path.as_s().is_ok_and(|path| path.ends_with(".jpg"));
            if output.get("outputFilePaths").and_then(|paths| paths.as_l().ok()?.first()).is_some_and(is_picture) {
                return None;
            }
            match output.get("durationInMs")? {
                AttributeValue::N(text) | AttributeValue::S(text) => text.parse::<f64>().ok(),
                _ => None,
            }
        };
        outputs.filter_map(length).reduce(f64::max).filter(|length| *length > 0.0).map(|length| length / 1000.0)
    }

    /// How often admins have changed what they say of it.
    fn revision(&self) -> i64 {
        self.own(REVISION).and_then(|revision| revision.as_n().ok()?.parse().ok()).unwrap_or(0)
    }

    /// A text that it has under this name.
    pub(super) fn text_of(&self, name: &str) -> Option<String> {
        self.text(&[name])
    }

    /// When someone began to delete it for good, in milliseconds since the epoch.
    fn purge_began(&self) -> Option<i64> {
        self.own(PURGE_BEGAN)?.as_s().ok().and_then(|at| parse_time(at))
    }

    /// The video; `None` for an item without a key.
    #[must_use]
    pub fn read(&self) -> Option<Video> {
        let guid = Guid::new(self.text(&["guid"])?)?;
        let info = self.text(&["srcMediainfo"]).and_then(|text| MediaInfo::parse(&text));
        let src_video = self.text(&["srcVideo"]);
        let job_id = self.text(&["encodeJobId", "ecodeJobId"]);
        let size = info.as_ref().and_then(MediaInfo::size);
        let details = self.own_map().map(VideoDetails::read).unwrap_or_default();
        let title = details.title.clone().or_else(|| self.text(&["title"])).or_else(|| {
            let key = src_video.as_ref()?;
            Some(key.rsplit('/').next().unwrap_or(key).to_owned()).filter(|name| !name.is_empty())
        });
        let video = Video {
            title: title.unwrap_or_else(|| guid.to_string()),
            edits: self.own_map().map(PastEdit::all).unwrap_or_default(),
            revision: self.revision(),
            purge_began: self.purge_began(),
            outputs: Output::all(&self.0),
            has_captions: info.as_ref().is_some_and(MediaInfo::has_captions)
                || details.sidecars.keys().any(|key| is_captions(key)),
            is_hdr: info.as_ref().is_some_and(MediaInfo::is_hdr),
            sidecars: self.sidecars(),
            status: self.status(job_id.is_some()),
            started_at: self.time(&["startTime"]),
            ended_at: self.time(&["endTime", "EndTime"]),
            duration: info.as_ref().and_then(MediaInfo::duration),
            made_duration: self.made_duration(),
            width: self.number("srcWidth").or(size.map(|size| size.0)),
            height: self.number("srcHeight").or(size.map(|size| size.1)),
            src_bucket: self.text(&["srcBucket"]),
            source_size: self.own(SOURCE_SIZE).and_then(|size| size.as_n().ok()?.parse().ok()),
            source_checksum: self.own(SOURCE_CHECKSUM).and_then(|sum| sum.as_s().ok().cloned()),
            hls_url: self.text(&["hlsUrl", "cmafHlsUrl"]),
            mp4_urls: self.texts(&["mp4Urls"]),
            thumbnail_url: details.poster.clone().or_else(|| self.texts(&["thumbNailsUrls", "thumbNailUrl"]).pop()),
            details,
            workflow: self.text(&["workflowName"]),
            job_template: self.text(&["jobTemplate"]),
            guid,
            src_video,
            job_id,
            is_shorter: false,
            is_stuck: false,
            others: BTreeMap::new(),
            media: Vec::new(),
        };
        // Sound may go on behind the picture, which is what a stream is of.
        let picture = info.as_ref().and_then(MediaInfo::picture_duration).or(video.duration);
        let source = video.duration.zip(picture).map(|(whole, picture)| whole.min(picture));
        let is_shorter = source.is_some_and(|source| video.is_shorter_than(source));
        let is_old = video.started_at.is_some_and(|at| now_ms() - at > LONGEST_MS);
        let is_stuck = is_old && matches!(video.status, Status::Ingest | Status::Encoding);
        Some(Video { is_shorter, is_stuck, ..video })
    }

    /// What the pipeline says of its source, in words.
    pub(super) fn media(&self) -> Vec<String> {
        let info = self.text(&["srcMediainfo"]).and_then(|text| MediaInfo::parse(&text));
        info.map(|info| info.in_words()).unwrap_or_default()
    }

    fn status(&self, has_job: bool) -> Status {
        match self.text(&["workflowStatus", "status"]).as_deref() {
            Some("Complete") => Status::Complete,
            Some("Error") => Status::Error {
                at: self.text(&["workflowErrorAt"]).unwrap_or_default(),
                message: self.text(&["errorMessage"]).map(|text| error_line(&text)).unwrap_or_default(),
            },
            Some("Ingest") | None if has_job => Status::Encoding,
            // Not what a pipeline begins with.
            None if !self.0.contains_key("srcVideo") => Status::Other { word: "unknown".to_owned() },
            Some("Ingest") | None => Status::Ingest,
            Some(word) => Status::Other { word: word.to_owned() },
        }
    }
}

/// An error is plain text, or for a failed job the whole EventBridge event.
fn error_line(text: &str) -> String {
    let Ok(event) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
    let detail = &event["detail"];
    match (detail["errorCode"].as_i64(), detail["errorMessage"].as_str()) {
        (Some(code), Some(message)) => format!("{message} (MediaConvert error {code})"),
        (None, Some(message)) => message.to_owned(),
        _ => text.to_owned(),
    }
}

/// ISO 8601, the `YYYY-MM-DD HH:mm.S` of the first generations, or a number as other tools write it (seconds or milliseconds
/// since the epoch); milliseconds since the epoch.
pub(super) fn parse_time(text: &str) -> Option<i64> {
    /// In seconds it is the year 5138, in milliseconds 1973.
    const MILLISECONDS_FROM: f64 = 1e11;
    if let Some(number) = text.parse::<f64>().ok().filter(|number| number.is_finite()) {
        let number = if number.abs() < MILLISECONDS_FROM { number * 1000.0 } else { number };
        return (number.abs() < 1e18).then_some(number as i64);
    }
    let old = || DateTime::strptime("%Y-%m-%d %H:%M.%S", text)?.to_zoned(TimeZone::UTC).map(|time| time.timestamp());
    text.parse::<Timestamp>().or_else(|_| old()).ok().map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(value: &Value) -> AttributeValue {
        match value {
            Value::Null => AttributeValue::Null(true),
            Value::Bool(flag) => AttributeValue::Bool(*flag),
            Value::Number(number) => AttributeValue::N(number.to_string()),
            Value::String(text) => AttributeValue::S(text.clone()),
            Value::Array(items) => AttributeValue::L(items.iter().map(attribute).collect()),
            Value::Object(map) => {
                AttributeValue::M(map.iter().map(|(key, value)| (key.clone(), attribute(value))).collect())
            }
        }
    }

    fn video(file: &str) -> Video {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/items").join(file);
        let value: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let map = value.as_object().unwrap();
        Item(map.iter().map(|(key, value)| (key.clone(), attribute(value))).collect()).read().unwrap()
    }

    #[test]
    fn each_step_of_today() {
        assert_eq!(video("ddb_item_after_ingest.json").status, Status::Ingest);
        assert_eq!(video("ddb_item_after_process.json").status, Status::Encoding);
        let done = video("ddb_item_after_publish.json");
        assert_eq!(done.status, Status::Complete);
        assert_eq!((done.duration, done.has_captions, done.is_hdr), (Some(21.021), false, false));
        assert_eq!((done.width, done.height), (Some(1920), Some(1080)));
        assert_eq!(done.started_at, Some(1_768_471_200_123));
        assert!(done.hls_url.unwrap().ends_with("/hls/movie.m3u8"));
        assert!(done.thumbnail_url.unwrap().ends_with("movie_thumb.0000004.jpg"));
    }

    #[test]
    fn the_first_generation() {
        let old = video("ddb_item_legacy_pre4.3_complete.json");
        assert_eq!(old.status, Status::Complete);
        // 21,021 here are milliseconds: frames over frame rate say so.
        assert_eq!(old.duration, Some(21.021));
        assert_eq!(old.job_id.as_deref(), Some("1515368087458-qnoxtd"));
        assert_eq!(old.started_at, Some(1_547_546_405_000));
        assert_eq!(old.ended_at, Some(1_547_546_551_000));
        assert!(old.thumbnail_url.unwrap().ends_with("movie_thumb.0000004.jpg"));
        assert_eq!(old.mp4_urls.len(), 1);
    }

    #[test]
    fn errors() {
        let Status::Error { at, message } = video("ddb_item_error_encoding.json").status else { panic!() };
        assert_eq!(at, "Encoding");
        assert!(message.contains("MediaConvert error"), "{message}");
        let Status::Error { at, message } = video("ddb_item_error_stub_only.json").status else { panic!() };
        assert_eq!(at, "vod-input-validate");
        assert!(message.starts_with("Error: srcVideo is not defined"));
    }

    /// See `tests/data/SOURCES.md`.
    #[test]
    fn items_of_other_accounts() {
        let old = video("02-complete-v4-old-names.json");
        assert_eq!((old.status, old.ended_at), (Status::Complete, Some(1_576_238_580_000)), "2019-12-13 12:03");
        assert_eq!(old.job_id.as_deref(), Some("1576238400000-old"));
        let Status::Error { at, message } = video("03-error-encoding-json-message.json").status else { panic!() };
        assert_eq!(at, "Encoding");
        assert_eq!(message, "Example: the settings do not fit this input (MediaConvert error 1040)");
        // What became of its job decides, which the item does not say ([`crate::live`]).
        let canceled = video("05-ingest-for-three-days.json");
        assert_eq!((canceled.is_stuck, canceled.job_id.is_some()), (true, true));
        assert_eq!(canceled.status, Status::Encoding);
        let portrait = video("07-portrait-native-1080x1920.json");
        assert_eq!((portrait.width, portrait.height), (Some(1080), Some(1920)));
        assert!(video("09-cmaf-and-mediapackage.json").hls_url.is_some_and(|url| url.contains("cmaf")));
        let strange = video("10-strange-values.json");
        assert_eq!(strange.status, Status::Other { word: "Publish".into() });
        assert_eq!((strange.started_at, strange.ended_at), (Some(1_758_621_600_000), None));
        assert_eq!((strange.height, strange.duration), (Some(1080), None));
        assert!(strange.title.starts_with("Ünï"), "{}", strange.title);
        let bare = video("11-only-guid.json");
        assert_eq!((bare.title, bare.started_at), (bare.guid.to_string(), None));
        assert_eq!(bare.status, Status::Other { word: "unknown".into() });
    }

    /// What lists read of an item is all that they show of it.
    #[test]
    fn lists_read_what_they_show() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/items");
        let read: Vec<_> = super::super::scan::READ.iter().filter_map(|path| path.split('.').next()).collect();
        let mut seen = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let value: Value = serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
            let mut map = value.as_object().unwrap().clone();
            map.insert("title".into(), "A title of one's own".into());
            let item = |map: &serde_json::Map<String, Value>| {
                Item(map.iter().map(|(key, value)| (key.clone(), attribute(value))).collect()).read().unwrap()
            };
            let whole = crate::catalog::VideoSummary::from(&item(&map));
            map.retain(|name, _| read.contains(&name.as_str()));
            assert_eq!(crate::catalog::VideoSummary::from(&item(&map)), whole);
            seen += 1;
        }
        assert!(seen > 10);
    }

    #[test]
    fn strange_items() {
        let item = |fields: &[(&str, AttributeValue)]| {
            Item(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()).read()
        };
        assert!(item(&[]).is_none());
        let key = ("guid", AttributeValue::S("g".into()));
        let odd =
            item(&[key, ("workflowStatus", AttributeValue::N("3".into())), ("hlsUrl", AttributeValue::Bool(true))]);
        assert_eq!(
            odd.map(|video| (video.status, video.hls_url)),
            Some((Status::Other { word: "unknown".into() }, None))
        );
    }
}
