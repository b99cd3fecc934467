//! How the attributes of the catalog table are called, where they are not those of the "Video on Demand on AWS" solution.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{Code, Error, Result};

/// The key of the solution's table, and its index by source bucket and start time.
const GUID: &str = "guid";
const INDEX: &str = "srcBucket-startTime-index";
/// What admins change.
const WRITTEN: [&str; 3] = ["title", "description", "published"];
/// Attributes that the solution reads or writes itself, some of them: nobody else may.
const OF_SOLUTION: [&str; 24] = [
    "srcVideo",
    "srcBucket",
    "destBucket",
    "workflowStatus",
    "workflowName",
    "workflowErrorAt",
    "workflowTrigger",
    "errorMessage",
    "errorDetails",
    "startTime",
    "endTime",
    "EndTime",
    "srcMediainfo",
    "srcWidth",
    "srcHeight",
    "encodingOutput",
    "encodingJob",
    "encodeJobId",
    "hlsUrl",
    "hlsPlaylist",
    "mp4Urls",
    "thumbNailsUrls",
    "jobTemplate",
    "cloudFront",
];
/// Letters of a name (DynamoDB, service quotas).
const LONGEST_NAME: usize = 255;

/// What the attributes of a table are called. Those without a name are read as the solution writes them, except in a table of
/// another key: there they are none. A dot leads into a map, as in `media.duration`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct TableMapping {
    /// The partition key; none for `guid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub key: Option<String>,
    /// The title. Changes are written there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub title: Option<String>,
    /// The description. Changes are written there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub description: Option<String>,
    /// Whether viewers may see it. Changes are written there, as the item has it: true or false, 1 or 0, or a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub published: Option<String>,
    /// The words for published and not published, where it is a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub published_words: Option<[String; 2]>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub status: Option<String>,
    /// What its words mean; the others are shown as they are.
    pub status_words: BTreeMap<String, MappedStatus>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub error_message: Option<String>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub started_at: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub ended_at: Option<String>,
    /// How long it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub duration: Option<String>,
    /// What that counts.
    pub duration_unit: DurationUnit,
    /// The key of its source in the source bucket, or its `s3://` address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub source: Option<String>,
    /// The MediaConvert job.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub job: Option<String>,
    /// The multivariant playlist of HLS: an address, or a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub hls: Option<String>,
    /// MP4 files: addresses, or paths.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub mp4: Option<String>,
    /// Captured pictures: addresses, or paths.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub thumbnails: Option<String>,
    /// The sizes that there are, such as `1920x1080` or `1080p`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub resolutions: Option<String>,
    /// What makes an address of a path: `{cdn}` is the workspace's CDN, `{path}` the path, `{key}` the video's key. None for
    /// `{cdn}/{path}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub address: Option<String>,
    /// An index by time; without one new videos are found by reading all of the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub index: Option<MappedIndex>,
}

/// A global secondary index whose sort key is a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MappedIndex {
    /// What it is called.
    pub name: String,
    /// Its partition key.
    pub partition_key: String,
    /// The value that all videos have there.
    pub partition_value: String,
    /// Its sort key.
    pub sort_key: String,
}

/// What a word of a status means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum MappedStatus {
    /// The source is looked at.
    Ingest,
    /// It is being encoded, or waits for it.
    Encoding,
    /// It is done.
    Complete,
    /// It failed.
    Error,
    /// It was canceled.
    Canceled,
}

/// What a duration counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum DurationUnit {
    /// Seconds.
    #[default]
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

impl TableMapping {
    /// As it stands in the settings file, below the workspace.
    ///
    /// # Errors
    /// When it cannot be written as TOML.
    pub fn as_settings(&self) -> Result<String> {
        let workspace = BTreeMap::from([("workspace", BTreeMap::from([("mapping", self)]))]);
        toml::to_string_pretty(&workspace).map_err(Error::internal)
    }

    /// The partition key.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key.as_deref().unwrap_or(GUID)
    }

    /// Whether the table is another one than the solution's.
    #[must_use]
    pub fn is_of_another_table(&self) -> bool {
        self.key() != GUID
    }

    /// The index by time, where the table has one: its own, or the solution's.
    #[must_use]
    pub fn time_index(&self, source_bucket: &str) -> Option<MappedIndex> {
        let of_solution = || MappedIndex {
            name: INDEX.to_owned(),
            partition_key: "srcBucket".to_owned(),
            partition_value: source_bucket.to_owned(),
            sort_key: "startTime".to_owned(),
        };
        self.index.clone().or_else(|| (!self.is_of_another_table()).then(of_solution))
    }

    /// All names of attributes.
    fn names(&self) -> impl Iterator<Item = (&'static str, &String)> {
        [
            ("key", &self.key),
            ("title", &self.title),
            ("description", &self.description),
            ("published", &self.published),
            ("status", &self.status),
            ("error message", &self.error_message),
            ("start", &self.started_at),
            ("end", &self.ended_at),
            ("duration", &self.duration),
            ("source", &self.source),
            ("job", &self.job),
            ("HLS", &self.hls),
            ("MP4", &self.mp4),
            ("thumbnails", &self.thumbnails),
            ("resolutions", &self.resolutions),
        ]
        .into_iter()
        .filter_map(|(what, name)| Some((what, name.as_ref()?)))
    }

    /// The attributes that it names, as paths.
    #[must_use]
    pub fn attributes(&self) -> Vec<&str> {
        self.names().map(|(_, name)| name.as_str()).collect()
    }

    /// Without blanks around what people typed, and without what they left empty.
    #[must_use]
    pub fn tidied(mut self) -> Self {
        for name in [
            &mut self.key,
            &mut self.title,
            &mut self.description,
            &mut self.published,
            &mut self.status,
            &mut self.error_message,
            &mut self.started_at,
            &mut self.ended_at,
            &mut self.duration,
            &mut self.source,
            &mut self.job,
            &mut self.hls,
            &mut self.mp4,
            &mut self.thumbnails,
            &mut self.resolutions,
            &mut self.address,
        ] {
            *name = name.take().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        }
        self.published_words = self.published_words.filter(|words| words.iter().any(|word| !word.is_empty()));
        self.index = self.index.filter(|index| !index.name.trim().is_empty());
        if self.status.is_none() {
            self.status_words.clear();
        }
        self
    }

    /// Refuses what cannot work, naming the field.
    ///
    /// # Errors
    /// [`Code::Invalid`].
    pub fn check(&self) -> Result<()> {
        let invalid = |what: String| {
            Error::new(
                Code::Invalid,
                what,
                "Correct [workspace.mapping] in settings.toml, or: Workspace, Edit, Attributes of the table.",
            )
        };
        for (what, name) in self.names() {
            if name.len() > LONGEST_NAME
                || name.split('.').any(|part| part.is_empty() || part.contains(char::is_control))
            {
                return Err(invalid(format!("The attribute for the {what}, \"{name}\", is no name of an attribute.")));
            }
            if name.split('.').next() == Some("reeldesk") {
                return Err(invalid(format!("The attribute for the {what}, \"{name}\", is Reeldesk's own.")));
            }
        }
        if self.key().contains('.') {
            return Err(invalid("The key is an attribute of its own, not one in a map.".to_owned()));
        }
        for (what, one) in self.names().filter(|(what, _)| WRITTEN.contains(what)) {
            let named = self.names().filter(|(other, _)| *other != what).map(|(_, name)| name.as_str());
            let index = self.index.iter().flat_map(|index| [index.partition_key.as_str(), &index.sort_key]);
            let of_solution = OF_SOLUTION.into_iter().filter(|_| !self.is_of_another_table());
            let mut others = named.chain(index).chain([self.key()]).chain(of_solution);
            if let Some(other) = others.find(|other| overlap(one, other)) {
                let what = format!("A change of the {what}, \"{one}\", would overwrite \"{other}\".");
                return Err(invalid(what));
            }
        }
        if let Some([yes, no]) = &self.published_words
            && (yes.is_empty() || no.is_empty() || yes == no)
        {
            return Err(invalid("The words for published and not published have to be two.".to_owned()));
        }
        if let Some(address) = &self.address {
            let example = address.replace("{cdn}", "https://cdn.example").replace("{path}", "a").replace("{key}", "k");
            let is_address = url::Url::parse(&example).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            if !is_address || !address.contains("{path}") || !address.contains("{cdn}") {
                let what = format!("\"{address}\" makes no address of a path.");
                return Err(Error::new(
                    Code::Invalid,
                    what,
                    "Write one with {cdn} and {path} in it, such as {cdn}/{path}.",
                ));
            }
        }
        if let Some(MappedIndex { partition_key, partition_value, sort_key, .. }) = &self.index
            && [partition_key, partition_value, sort_key].iter().any(|text| text.trim().is_empty())
        {
            return Err(invalid("The index has no partition key, no value for it, or no sort key.".to_owned()));
        }
        Ok(())
    }
}

/// Whether one of two paths is the other, or leads through it.
fn overlap(one: &str, other: &str) -> bool {
    let leads =
        |path: &str, to: &str| to.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    leads(one, other) || leads(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Option<String> {
        Some(name.to_owned())
    }

    #[test]
    fn what_cannot_work_is_named() {
        let good = TableMapping { key: named("videoId"), title: named("media.name"), ..TableMapping::default() };
        good.check().unwrap();
        TableMapping::default().check().unwrap();
        for (bad, what) in [
            (TableMapping { title: named("reeldesk.title"), ..good.clone() }, "title"),
            (TableMapping { duration: named("a..b"), ..good.clone() }, "duration"),
            (TableMapping { key: named("a.b"), ..good.clone() }, "key"),
            (TableMapping { published: named("media.name"), ..good.clone() }, "title"),
            (TableMapping { title: named("videoId"), ..good.clone() }, "overwrite"),
            (TableMapping { title: named("videoId.x"), ..good.clone() }, "overwrite"),
            (TableMapping { source: named("media"), ..good.clone() }, "overwrite"),
            (TableMapping { published: named("media"), ..good.clone() }, "overwrite"),
            (TableMapping { title: named("srcVideo"), ..TableMapping::default() }, "srcVideo"),
            (TableMapping { address: named("https://other/{path}"), ..good.clone() }, "address"),
            (TableMapping { address: named("{cdn}/films"), ..good.clone() }, "path"),
            (TableMapping { address: named("{path}"), ..good.clone() }, "address"),
            (TableMapping { published_words: Some(["a".into(), "a".into()]), ..good.clone() }, "two"),
            (TableMapping { index: Some(MappedIndex::default()), ..good.clone() }, "index"),
        ] {
            let error = bad.check().unwrap_err();
            assert!(error.message.contains(what), "{what}: {}", error.message);
        }
    }

    #[test]
    fn left_empty_is_not_named() {
        let typed = TableMapping { key: named(" videoId "), title: named("  "), ..TableMapping::default() };
        let tidied = TableMapping { key: named("videoId"), ..TableMapping::default() };
        assert_eq!(typed.tidied(), tidied);
    }
}
