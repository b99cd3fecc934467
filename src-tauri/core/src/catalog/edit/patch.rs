//! The same change for many videos: only what it names is touched.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Result;
use crate::catalog::details::{FieldChange, VideoDetails, VideoField};
use crate::catalog::{Guid, Video, VideoSummary};

/// What is to be changed of a video; all that is none stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct VideoPatch {
    /// The title. `{title}`, `{file}` (the source's name without its ending), `{number}` (1, 2, ... in the order of the
    /// selection) and `{guid}` stand for what they are of each video; an empty one takes the title away.
    pub title: Option<String>,
    /// The description; an empty one takes it away.
    pub description: Option<String>,
    /// Whether the tags that are not named here go.
    pub clear_tags: bool,
    /// Tags that are added, or get another value.
    pub set_tags: BTreeMap<String, String>,
    /// Tags that go.
    pub remove_tags: Vec<String>,
    /// Whether it is published.
    pub published: Option<bool>,
    /// From when on, in ISO 8601; an empty one takes it away.
    pub publish_from: Option<String>,
    /// Until when, in ISO 8601; an empty one takes it away.
    pub publish_until: Option<String>,
    /// The address of the poster; an empty one takes it away.
    pub poster: Option<String>,
    /// Moves it to the trash, or out of it.
    pub trashed: Option<bool>,
}

/// A video that is to be changed.
pub(super) struct Subject<'a> {
    guid: &'a Guid,
    title: &'a str,
    src_video: Option<&'a str>,
    details: &'a VideoDetails,
}

impl<'a> From<&'a Video> for Subject<'a> {
    fn from(video: &'a Video) -> Self {
        let Video { guid, title, src_video, details, .. } = video;
        Self { guid, title, src_video: src_video.as_deref(), details }
    }
}

impl<'a> From<&'a VideoSummary> for Subject<'a> {
    fn from(video: &'a VideoSummary) -> Self {
        let VideoSummary { guid, title, src_video, details, .. } = video;
        Self { guid, title, src_video: src_video.as_deref(), details }
    }
}

impl VideoPatch {
    /// What it changes of a video; `number` is the video's place in the selection, `now` the time in milliseconds since the
    /// epoch.
    ///
    /// # Errors
    /// [`crate::Code::Invalid`] when a field cannot have its value.
    pub(super) fn changes(&self, of: &Subject<'_>, number: usize, now: i64) -> Result<Vec<FieldChange>> {
        let before = of.details;
        let mut after = before.clone();
        if let Some(title) = &self.title {
            after.set(&VideoField::Title, Some(&filled(title, of, number)))?;
        }
        if let Some(description) = &self.description {
            after.set(&VideoField::Description, Some(description))?;
        }
        if self.clear_tags {
            after.tags.retain(|name, _| self.set_tags.contains_key(name));
        }
        for name in &self.remove_tags {
            after.tags.remove(name);
        }
        for (name, value) in &self.set_tags {
            after.set(&VideoField::Tag(name.clone()), Some(value))?;
        }
        if let Some(published) = self.published {
            after.published = Some(published);
        }
        let times = [VideoField::PublishFrom, VideoField::PublishUntil];
        for (field, value) in times.iter().zip([&self.publish_from, &self.publish_until]) {
            if let Some(value) = value {
                after.assign(field, Some(value), false)?;
            }
        }
        if self.publish_from.is_some() || self.publish_until.is_some() {
            after.check_times_of(&times)?;
        }
        if let Some(poster) = &self.poster {
            after.set(&VideoField::Poster, Some(poster))?;
        }
        match self.trashed {
            Some(true) => after.trashed_at = before.trashed_at.or(Some(now)),
            Some(false) => after.trashed_at = None,
            None => {}
        }
        Ok(before.changes_to(&after))
    }

    /// What it is called in the log.
    pub(super) fn name(&self) -> &'static str {
        let is_only = |less: Self| Self::default() == less;
        match self {
            Self { trashed: Some(trashed), .. } if is_only(Self { trashed: None, ..self.clone() }) => match trashed {
                true => "trash",
                false => "restore",
            },
            Self { published: Some(published), .. }
                if is_only(Self { published: None, publish_from: None, publish_until: None, ..self.clone() }) =>
            {
                match published {
                    true => "publish",
                    false => "unpublish",
                }
            }
            _ => "edit",
        }
    }
}

/// A title with what its placeholders stand for; what is none stays as it was typed.
fn filled(pattern: &str, of: &Subject<'_>, number: usize) -> String {
    let file = of.src_video.unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let file = file.rsplit_once('.').map_or(file, |(name, _)| name);
    let number = number.to_string();
    let stands = [("{title}", of.title), ("{file}", file), ("{number}", &number), ("{guid}", of.guid.as_str())];
    let (mut title, mut rest) = (String::new(), pattern);
    while let Some(at) = rest.find('{') {
        title.push_str(&rest[..at]);
        rest = &rest[at..];
        let (typed, means) = stands.iter().find(|(name, _)| rest.starts_with(name)).copied().unwrap_or(("{", "{"));
        title.push_str(means);
        rest = &rest[typed.len()..];
    }
    title + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(details: &VideoDetails, patch: &VideoPatch) -> Vec<FieldChange> {
        let guid = Guid::new("g-1").unwrap();
        let of = Subject { guid: &guid, title: "Dune {number}", src_video: Some("a/b/Dune.final.mov"), details };
        patch.changes(&of, 7, 1_000).unwrap()
    }

    #[test]
    fn titles_are_filled_once() {
        let title = |pattern: &str| {
            let patch = VideoPatch { title: Some(pattern.into()), ..VideoPatch::default() };
            changed(&VideoDetails::default(), &patch)[0].after.clone().unwrap()
        };
        assert_eq!(title("{number}. {title} {x} {"), "7. Dune {number} {x} {");
        assert_eq!(title("{file}{guid}"), "Dune.finalg-1");
    }

    #[test]
    fn only_what_is_named_changes() {
        let tags = |all: &[(&str, &str)]| all.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let details = VideoDetails {
            title: Some("T".into()),
            tags: tags(&[("a", "1"), ("b", "2"), ("c", "3")]),
            publish_from: Some(9_000_000),
            publish_until: Some(9_500_000),
            ..VideoDetails::default()
        };
        assert_eq!(changed(&details, &VideoPatch::default()), []);
        let patch = VideoPatch { clear_tags: true, set_tags: tags(&[("a", "1"), ("d", "4")]), ..VideoPatch::default() };
        let fields: Vec<_> = changed(&details, &patch).into_iter().map(|change| (change.field, change.after)).collect();
        let tag = |name: &str| VideoField::Tag(name.into());
        assert_eq!(fields, [(tag("b"), None), (tag("c"), None), (tag("d"), Some("4".into()))]);
        // Both times move at once, whichever way.
        for (from, until) in
            [("1970-01-01T05:00:00Z", "1970-01-01T06:00:00Z"), ("1970-01-01T01:00:00Z", "1970-01-01T02:00:00Z")]
        {
            let patch = VideoPatch {
                publish_from: Some(from.into()),
                publish_until: Some(until.into()),
                ..VideoPatch::default()
            };
            assert_eq!(changed(&details, &patch).len(), 2);
        }
        let trash = VideoPatch { trashed: Some(true), ..VideoPatch::default() };
        let once = changed(&details, &trash);
        assert_eq!(once[0].after.as_deref(), Some("1970-01-01T00:00:01Z"));
        let trashed = VideoDetails { trashed_at: Some(5), ..details };
        assert_eq!(changed(&trashed, &trash), [], "the first time counts");
        assert_eq!((trash.name(), patch.name()), ("trash", "edit"));
        let for_good = VideoPatch { publish_from: Some(String::new()), published: Some(true), ..VideoPatch::default() };
        assert_eq!(for_good.name(), "publish");
    }
}
