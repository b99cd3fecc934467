//! What admins say of a video, field by field: what can be changed, compared and undone. It lives in the map `reeldesk` of the
//! video's item.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::item::parse_time;
use crate::text::is_unshown;
use crate::{Code, Error, Result};

/// Letters of a title, a description, the name of a tag, its value, and how many tags there may be. An item may have 400 KB.
const MOST_IN_TITLE: usize = 300;
const MOST_IN_DESCRIPTION: usize = 10_000;
const MOST_IN_TAG_NAME: usize = 100;
const MOST_IN_TAG: usize = 500;
const MOST_TAGS: usize = 100;
/// Files that go with a video, and letters of the label of one.
const MOST_SIDECARS: usize = 50;
const MOST_IN_LABEL: usize = 100;
/// The map of tags, and that of the files that go with a video, within the app's own map.
pub(super) const TAGS: &str = "tags";
pub(super) const SIDECARS: &str = "sidecars";
/// Videos in the trash can be restored so long, in milliseconds.
pub const IN_TRASH_MS: i64 = 30 * 24 * 3_600_000;

/// What admins say of a video.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VideoDetails {
    /// The title that they gave it; without one its source names it.
    pub title: Option<String>,
    /// What else they say of it.
    pub description: Option<String>,
    /// Tags, and other attributes: name and value.
    pub tags: BTreeMap<String, String>,
    /// The files that go with it, subtitles for one: the key of each in the bucket of its source, and how it is called. It may be
    /// called nothing.
    #[serde(default)]
    pub sidecars: BTreeMap<String, String>,
    /// Whether viewers may see it; none where nobody has said.
    pub published: Option<bool>,
    /// From when on they may, in milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub publish_from: Option<i64>,
    /// Until when they may, in milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub publish_until: Option<i64>,
    /// The address of the picture that stands for it; without one the pipeline's last picture does.
    pub poster: Option<String>,
    /// When it was moved to the trash, in milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub trashed_at: Option<i64>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(tag = "kind", content = "name", rename_all = "camelCase")]
pub enum VideoField {
    /// The title.
    Title,
    /// The description.
    Description,
    /// A tag, by its name.
    Tag(String),
    /// A file that goes with it, by its key; its value is how it is called.
    Sidecar(String),
    /// Whether it is published.
    Published,
    /// From when on.
    PublishFrom,
    /// Until when.
    PublishUntil,
    /// The poster.
    Poster,
    /// When it was moved to the trash.
    TrashedAt,
}

/// A change of one field. Times are texts in ISO 8601, `published` is `true` or `false`; none where there is nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// Which one.
    pub field: VideoField,
    /// What it was.
    pub before: Option<String>,
    /// What it becomes.
    pub after: Option<String>,
}

impl FieldChange {
    /// What undoes it.
    #[must_use]
    pub fn inverse(self) -> Self {
        Self { field: self.field, before: self.after, after: self.before }
    }
}

/// Where a field is in the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// Under a name of its own.
    Attribute(&'static str),
    /// In a map of this name, under a name that somebody gave it.
    Entry(&'static str, &'a str),
}

impl Place<'_> {
    /// The name in the app's own map.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attribute(name) | Self::Entry(name, _) => name,
        }
    }
}

impl VideoField {
    /// Where it is in the map.
    pub(super) fn place(&self) -> Place<'_> {
        Place::Attribute(match self {
            Self::Title => "title",
            Self::Description => "description",
            Self::Published => "published",
            Self::PublishFrom => "publishFrom",
            Self::PublishUntil => "publishUntil",
            Self::Poster => "poster",
            Self::TrashedAt => "trashedAt",
            Self::Tag(name) => return Place::Entry(TAGS, name),
            Self::Sidecar(key) => return Place::Entry(SIDECARS, key),
        })
    }

    /// A value of it as it is stored.
    pub(super) fn value(&self, text: &str) -> AttributeValue {
        match self {
            Self::Published => AttributeValue::Bool(text == "true"),
            _ => AttributeValue::S(text.to_owned()),
        }
    }
}

/// All but the tags and the sidecars.
const FIELDS: [VideoField; 7] = [
    VideoField::Title,
    VideoField::Description,
    VideoField::Published,
    VideoField::PublishFrom,
    VideoField::PublishUntil,
    VideoField::Poster,
    VideoField::TrashedAt,
];

fn time(at: Option<i64>) -> Option<String> {
    at.and_then(|at| Timestamp::from_millisecond(at).ok()).map(|at| at.to_string())
}

impl VideoDetails {
    /// Those of the map.
    pub(super) fn read(own: &HashMap<String, AttributeValue>) -> Self {
        let text = |name: &str| own.get(name)?.as_s().ok().filter(|text| !text.is_empty()).cloned();
        let tags = own.get(TAGS).and_then(|tags| tags.as_m().ok()).into_iter().flatten();
        Self {
            sidecars: Self::sidecars(own.get(SIDECARS)),
            title: text("title"),
            description: text("description"),
            tags: tags.filter_map(|(name, value)| Some((name.clone(), value.as_s().ok()?.clone()))).collect(),
            published: own.get("published").and_then(|published| published.as_bool().ok().copied()),
            publish_from: text("publishFrom").and_then(|text| parse_time(&text)),
            publish_until: text("publishUntil").and_then(|text| parse_time(&text)),
            poster: text("poster"),
            // Whatever another tool writes there: viewers must not see it.
            trashed_at: text("trashedAt").map(|text| parse_time(&text).unwrap_or(0)),
        }
    }

    /// The keys of files and what they are called. Those that were taken off the video are null, and no part of it; the first
    /// version of the app wrote a list of keys.
    fn sidecars(stored: Option<&AttributeValue>) -> BTreeMap<String, String> {
        match stored {
            Some(AttributeValue::M(map)) => {
                map.iter().filter_map(|(key, label)| Some((key.clone(), label.as_s().ok()?.clone()))).collect()
            }
            Some(AttributeValue::L(keys)) => {
                keys.iter().filter_map(|key| Some((key.as_s().ok()?.clone(), String::new()))).collect()
            }
            _ => BTreeMap::new(),
        }
    }

    /// One of them as text.
    #[must_use]
    pub fn get(&self, field: &VideoField) -> Option<String> {
        match field {
            VideoField::Title => self.title.clone(),
            VideoField::Description => self.description.clone(),
            VideoField::Tag(name) => self.tags.get(name).cloned(),
            VideoField::Sidecar(key) => self.sidecars.get(key).cloned(),
            VideoField::Published => self.published.map(|published| published.to_string()),
            VideoField::PublishFrom => time(self.publish_from),
            VideoField::PublishUntil => time(self.publish_until),
            VideoField::Poster => self.poster.clone(),
            VideoField::TrashedAt => time(self.trashed_at),
        }
    }

    /// Sets one of them.
    ///
    /// # Errors
    /// [`Code::Invalid`] when it cannot have this value; nothing is set then.
    pub fn set(&mut self, field: &VideoField, value: Option<&str>) -> Result<()> {
        let mut after = self.clone();
        after.assign(field, value, false)?;
        after.check_times_of([field])?;
        *self = after;
        Ok(())
    }

    /// Whether the time in which viewers may see it begins before it ends, where one of these fields is a part of that.
    pub(super) fn check_times_of<'a>(&self, fields: impl IntoIterator<Item = &'a VideoField>) -> Result<()> {
        let is_time = |field: &VideoField| matches!(field, VideoField::PublishFrom | VideoField::PublishUntil);
        let is_wrong = self.publish_from.zip(self.publish_until).is_some_and(|(from, until)| from >= until);
        if is_wrong && fields.into_iter().any(is_time) {
            return Err(invalid(
                "It would be published until a time before it begins.",
                "Change one of the two times.",
            ));
        }
        Ok(())
    }

    /// Sets one of them; the two times are not compared. `as_it_is` takes what another tool may have written.
    pub(super) fn assign(&mut self, field: &VideoField, value: Option<&str>, as_it_is: bool) -> Result<()> {
        let line = |what: &str, most: usize| match as_it_is {
            true => Ok(value.map(str::to_owned)),
            false => line(value, what, most),
        };
        match field {
            VideoField::Title => self.title = line("The title", MOST_IN_TITLE)?,
            VideoField::Description if as_it_is => self.description = value.map(str::to_owned),
            VideoField::Description => self.description = text(value, "The description", MOST_IN_DESCRIPTION)?,
            VideoField::Tag(name) => {
                let Some(_) = value else {
                    self.tags.remove(name);
                    return Ok(());
                };
                let value = line(&format!("The tag \"{name}\""), MOST_IN_TAG)?.unwrap_or_default();
                if !as_it_is {
                    check_tag(name)?;
                    if self.tags.len() >= MOST_TAGS && !self.tags.contains_key(name) {
                        let what = format!("A video can have {MOST_TAGS} tags.");
                        return Err(invalid(&what, "Take some of the others away first."));
                    }
                }
                self.tags.insert(name.clone(), value);
            }
            VideoField::Sidecar(key) => {
                let Some(_) = value else {
                    self.sidecars.remove(key);
                    return Ok(());
                };
                let label = line("The label of a file", MOST_IN_LABEL)?.unwrap_or_default();
                if !as_it_is && self.sidecars.len() >= MOST_SIDECARS && !self.sidecars.contains_key(key) {
                    let what = format!("{MOST_SIDECARS} files can go with a video.");
                    return Err(invalid(&what, "Take some of the others away first."));
                }
                self.sidecars.insert(key.clone(), label);
            }
            VideoField::Published => {
                self.published = match value {
                    None => None,
                    Some("true") => Some(true),
                    Some("false") => Some(false),
                    Some(other) => {
                        return Err(invalid(&format!("\"{other}\" is neither true nor false."), "Write one of them."));
                    }
                };
            }
            VideoField::PublishFrom => self.publish_from = moment(value)?,
            VideoField::PublishUntil => self.publish_until = moment(value)?,
            VideoField::Poster if as_it_is => self.poster = value.map(str::to_owned),
            VideoField::Poster => self.poster = address(value)?,
            VideoField::TrashedAt => self.trashed_at = moment(value)?,
        }
        Ok(())
    }

    /// What makes the one of the other.
    #[must_use]
    pub fn changes_to(&self, after: &Self) -> Vec<FieldChange> {
        let tags = self.tags.keys().chain(after.tags.keys().filter(|name| !self.tags.contains_key(*name)));
        let sidecars =
            self.sidecars.keys().chain(after.sidecars.keys().filter(|key| !self.sidecars.contains_key(*key)));
        FIELDS
            .into_iter()
            .chain(tags.cloned().map(VideoField::Tag))
            .chain(sidecars.cloned().map(VideoField::Sidecar))
            .map(|field| FieldChange { before: self.get(&field), after: after.get(&field), field })
            .filter(|change| change.before != change.after)
            .collect()
    }

    /// Whether viewers may see it at a time (milliseconds since the epoch); none where nobody has said.
    #[must_use]
    pub fn is_published_at(&self, now: i64) -> Option<bool> {
        if self.trashed_at.is_some() {
            return Some(false);
        }
        let in_time =
            self.publish_from.is_none_or(|from| from <= now) && self.publish_until.is_none_or(|until| now < until);
        self.published.map(|published| published && in_time)
    }
}

fn invalid(message: &str, remedy: &str) -> Error {
    Error::new(Code::Invalid, message, remedy)
}

/// A tag has a name, without blanks around it.
fn check_tag(name: &str) -> Result<()> {
    if line(Some(name), "The name of a tag", MOST_IN_TAG_NAME)?.as_deref() != Some(name) {
        return Err(invalid("The name of a tag is empty, or has blanks around it.", "Give it a name."));
    }
    Ok(())
}

/// A text of one or more lines; none where it is blank.
fn text(value: Option<&str>, what: &str, most: usize) -> Result<Option<String>> {
    let is_kept = |c: &char| matches!(c, '\n' | '\t') || !is_unshown(*c);
    let value: String = value.unwrap_or_default().replace("\r\n", "\n").chars().filter(is_kept).collect();
    let value = value.trim();
    let letters = value.chars().count();
    if letters > most {
        return Err(invalid(&format!("{what} has {letters} letters; {most} are possible."), "Make it shorter."));
    }
    Ok((!value.is_empty()).then(|| value.to_owned()))
}

/// A text of one line; none where it is blank.
fn line(value: Option<&str>, what: &str, most: usize) -> Result<Option<String>> {
    let one = value.map(|value| value.split(['\n', '\r', '\t']).collect::<Vec<_>>().join(" "));
    text(one.as_deref(), what, most)
}

/// A time with its offset from UTC; a day alone is meant as its beginning, in UTC.
fn moment(value: Option<&str>) -> Result<Option<i64>> {
    /// Letters of `2026-12-24`.
    const DAY: usize = 10;
    let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else { return Ok(None) };
    let time = match value.len() {
        DAY => value.parse::<Date>().and_then(|day| day.to_zoned(TimeZone::UTC)).map(|day| day.timestamp()),
        _ => value.parse(),
    };
    let unknown = |_| invalid(&format!("\"{value}\" is no time."), "Write it like 2026-12-24T18:00:00Z or 2026-12-24.");
    time.map(|time: Timestamp| Some(time.as_millisecond())).map_err(unknown)
}

/// An address that a player can load; none where it is blank.
fn address(value: Option<&str>) -> Result<Option<String>> {
    let address = line(value, "The address of the poster", 2_000)?;
    let is_one = |address: &str| {
        url::Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    };
    match address {
        Some(address) if !is_one(&address) => {
            Err(invalid(&format!("\"{address}\" is no address of a picture."), "Write one that begins with https://."))
        }
        address => Ok(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(details: &VideoDetails, field: &VideoField, value: Option<&str>) -> Result<VideoDetails> {
        let mut after = details.clone();
        after.set(field, value).map(|()| after)
    }

    /// Changes lead from any details to any others, and their inverses back.
    #[test]
    fn changes_and_back() {
        let tag = |name: &str| VideoField::Tag(name.into());
        let values = [
            (VideoField::Title, "Night Train"),
            (VideoField::Description, "Two\nlines"),
            (tag("genre"), "Drama"),
            (tag("nothing"), ""),
            (VideoField::Sidecar("films/a.en.vtt".into()), "English"),
            (VideoField::Published, "true"),
            (VideoField::PublishFrom, "2026-01-02T03:04:05Z"),
            (VideoField::Poster, "https://cdn/poster.jpg"),
            (VideoField::TrashedAt, "2026-01-02"),
        ];
        let empty = VideoDetails::default();
        let full =
            values.iter().fold(empty.clone(), |details, (field, value)| set(&details, field, Some(value)).unwrap());
        let changes = empty.changes_to(&full);
        assert_eq!(changes.len(), values.len());
        let apply = |details: &VideoDetails, changes: &[FieldChange]| {
            changes
                .iter()
                .fold(details.clone(), |details, change| set(&details, &change.field, change.after.as_deref()).unwrap())
        };
        assert_eq!(apply(&empty, &changes), full);
        let back: Vec<_> = changes.into_iter().map(FieldChange::inverse).collect();
        assert_eq!(apply(&full, &back), empty);
    }

    #[test]
    fn so_many_files_go_with_a_video() {
        let file = |number: usize| VideoField::Sidecar(format!("films/{number}.vtt"));
        let full = (0..MOST_SIDECARS)
            .fold(VideoDetails::default(), |details, number| set(&details, &file(number), Some("x")).unwrap());
        assert_eq!(set(&full, &file(MOST_SIDECARS), Some("x")).unwrap_err().code, Code::Invalid);
        assert_eq!(set(&full, &file(0), Some("Other")).unwrap().get(&file(0)).as_deref(), Some("Other"));
        assert_eq!(set(&full, &file(0), Some(&"x".repeat(MOST_IN_LABEL + 1))).unwrap_err().code, Code::Invalid);
    }

    #[test]
    fn what_a_field_cannot_be() {
        let (empty, tag) = (VideoDetails::default(), |name: &str| VideoField::Tag(name.into()));
        for (field, value) in [
            (VideoField::Title, "x".repeat(301).as_str()),
            (VideoField::Published, "yes"),
            (VideoField::PublishFrom, "tomorrow"),
            (VideoField::PublishFrom, "2026"),
            (VideoField::PublishFrom, "-5"),
            (VideoField::PublishFrom, "2026-12-24 18:00"),
            (VideoField::PublishFrom, "2026-12-24T18:00:00"),
            (VideoField::Poster, "javascript:alert(1)"),
            (VideoField::Poster, "http://"),
            (tag(""), "x"),
            (tag(" x"), "x"),
        ] {
            assert!(set(&empty, &field, Some(value)).is_err(), "{field:?} {value}");
        }
        let from = set(&empty, &VideoField::PublishFrom, Some("2026-01-02")).unwrap();
        assert!(set(&from, &VideoField::PublishUntil, Some("2026-01-01")).is_err());
        let odd = set(&empty, &VideoField::Title, Some(" a\u{0}\u{202e}b\nc ")).unwrap();
        assert_eq!(odd.title.as_deref(), Some("ab c"));
        assert_eq!(set(&odd, &VideoField::Title, Some("  ")).unwrap().title, None);
    }

    #[test]
    fn published_in_its_time() {
        let details = VideoDetails {
            published: Some(true),
            publish_from: Some(10),
            publish_until: Some(20),
            ..VideoDetails::default()
        };
        assert_eq!([9, 10, 19, 20].map(|now| details.is_published_at(now)), [false, true, true, false].map(Some));
        assert_eq!(VideoDetails { trashed_at: Some(1), ..details }.is_published_at(15), Some(false));
        assert_eq!(VideoDetails::default().is_published_at(15), None);
    }
}
