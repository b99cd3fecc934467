//! Deleting for good what is in the trash: first it is told exactly what would go, with its bytes; then what was ticked is deleted,
//! the item last. A prefix or key that is not the video's alone is never touched.

mod objects;

use std::collections::BTreeSet;

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use ts_rs::TS;

use self::objects::{Bucket, Counted, Wanted};
use super::table::OWN;
use super::write::{Author, PURGE_BEGAN, Written};
use super::{Catalog, Guid, Item, Mirror, Video};
use crate::explain::explain;
use crate::{Code, Error, Result};

/// What goes with a video; each is a tick of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum PurgeKind {
    /// What the pipeline made, in the destination bucket.
    Outputs,
    /// The captured pictures, in the destination bucket.
    Thumbnails,
    /// The source.
    Source,
    /// What went with the source: subtitles, metadata.
    Sidecars,
    /// Older versions of all of these, where the buckets keep them.
    Versions,
    /// The video's item in the table.
    Item,
}

/// A part of what would go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PurgePart {
    /// What it is.
    pub kind: PurgeKind,
    /// Where it is, such as `s3://bucket/prefix/`.
    pub place: String,
    /// How many objects there are.
    pub objects: usize,
    /// Their bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Older versions of them, and deleted ones that the bucket keeps.
    pub versions: usize,
    /// Their bytes.
    #[ts(type = "number")]
    pub version_bytes: u64,
    /// Why it cannot go; none where it can.
    pub why_not: Option<Error>,
}

/// What would go of a video.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PurgePlan {
    /// Its key.
    pub guid: Guid,
    /// What it is called.
    pub title: String,
    /// Until when it can be restored, in milliseconds since the epoch: others may count on that.
    #[ts(type = "number")]
    pub restorable_until: i64,
    /// All that belongs to it.
    pub parts: Vec<PurgePart>,
}

/// What was deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Purged {
    /// Where it was.
    pub places: Vec<String>,
    /// What was ticked and stays, because it is not this video's alone.
    pub kept: Vec<String>,
    /// How many objects and versions.
    pub objects: usize,
    /// Their bytes.
    #[ts(type = "number")]
    pub bytes: u64,
}

/// Deletes for good; cheap to clone.
#[derive(Clone)]
pub(super) struct Purger {
    pub catalog: Catalog,
    pub s3: aws_sdk_s3::Client,
    pub destination_bucket: String,
}

/// A place in a bucket that belongs to a video, or a reason why not.
struct Place {
    kind: PurgeKind,
    bucket: String,
    wanted: Wanted,
    why_not: Option<Error>,
}

impl Purger {
    /// What would go of a video that is in the trash.
    pub async fn plan(&self, mirror: &Mirror, guid: &Guid) -> Result<PurgePlan> {
        let (item, video) = self.trashed(guid).await?;
        let parts = self.parts(mirror, &item, &video).await?;
        let trashed_at = video.details.trashed_at.unwrap_or_default();
        let restorable_until = trashed_at + super::IN_TRASH_MS;
        Ok(PurgePlan { guid: video.guid, title: video.title, restorable_until, parts })
    }

    /// All that a video holds.
    pub async fn holdings(&self, mirror: &Mirror, guid: &Guid) -> Result<Vec<PurgePart>> {
        let item = self.catalog.item(guid).await?.ok_or_else(|| super::edit::not_found(guid))?;
        let video = item.read().ok_or_else(|| super::edit::not_found(guid))?;
        let mut parts = self.parts(mirror, &item, &video).await?;
        parts.retain(|part| part.kind != PurgeKind::Item);
        Ok(parts)
    }

    async fn parts(&self, mirror: &Mirror, item: &Item, video: &Video) -> Result<Vec<PurgePart>> {
        let mut parts = Vec::new();
        for place in self.places(mirror, item, video).await? {
            let Place { kind, bucket, wanted, why_not } = place;
            let (counted, why_not) = match why_not {
                Some(error) => (Counted::default(), Some(error)),
                None => match Bucket::new(&self.s3, &bucket).count(&wanted).await {
                    Ok(counted) => (counted, None),
                    Err(error) if error.code == Code::Network || error.code == Code::SignIn => return Err(error),
                    Err(error) => (Counted::default(), Some(error)),
                },
            };
            let Counted { objects, bytes, versions, version_bytes } = counted;
            let place = wanted.address(&bucket);
            parts.push(PurgePart { kind, place, objects, bytes, versions, version_bytes, why_not });
        }
        parts.push(PurgePart {
            kind: PurgeKind::Item,
            place: format!("{} / {}", self.catalog.table, video.guid),
            objects: 1,
            bytes: 0,
            versions: 0,
            version_bytes: 0,
            why_not: None,
        });
        Ok(parts)
    }

    /// Deletes what is ticked of a video, the item last. It can be begun again after a kill.
    pub async fn purge(
        &self,
        mirror: &Mirror,
        guid: &Guid,
        ticked: &BTreeSet<PurgeKind>,
        author: &Author,
        stop: &CancellationToken,
    ) -> Result<Purged> {
        let (item, video) = self.trashed(guid).await?;
        // Nobody restores from now on what is half gone.
        if video.purge_began.is_none()
            && let Written::Overtaken = self.catalog.mark(guid, &item, author).await?
        {
            let what = format!("\"{}\" was changed just now.", video.title);
            return Err(Error::new(Code::InUse, what, "Look at it, and try again."));
        }
        let mut purged = Purged::default();
        for Place { kind, bucket, wanted, why_not } in self.places(mirror, &item, &video).await? {
            if !ticked.contains(&kind) {
                continue;
            }
            if why_not.is_some() {
                purged.kept.push(wanted.address(&bucket));
                continue;
            }
            let with_versions = ticked.contains(&PurgeKind::Versions);
            let gone = Bucket::new(&self.s3, &bucket).delete(&wanted, with_versions, stop).await?;
            purged.objects += gone.objects + gone.versions;
            purged.bytes += gone.bytes + gone.version_bytes;
            purged.places.push(wanted.address(&bucket));
        }
        if ticked.contains(&PurgeKind::Item) {
            self.delete_item(guid).await?;
            purged.places.push(format!("{} / {guid}", self.catalog.table));
        }
        Ok(purged)
    }

    /// The item of a video that is in the trash.
    async fn trashed(&self, guid: &Guid) -> Result<(Item, Video)> {
        let item = self.catalog.item(guid).await?.ok_or_else(|| super::edit::not_found(guid))?;
        let video = item.read().ok_or_else(|| super::edit::not_found(guid))?;
        if video.details.trashed_at.is_none() {
            let what = format!("\"{}\" is not in the trash: someone may have restored it.", video.title);
            return Err(Error::new(Code::Invalid, what, "Move it to the trash first."));
        }
        Ok((item, video))
    }

    /// All places that belong to a video.
    async fn places(&self, mirror: &Mirror, item: &Item, video: &Video) -> Result<Vec<Place>> {
        let guid = &video.guid;
        let bucket = item.text_of("destBucket").unwrap_or_else(|| self.destination_bucket.clone());
        let prefix = own_prefix(guid);
        let others = match &prefix {
            Ok(prefix) => mirror.others_below(guid.clone(), prefix.clone()).await?,
            Err(_) => None,
        };
        let shared = |other: Guid| {
            let what = format!("The folder of this video is also used by the video {other}.");
            Error::new(Code::InUse, what, "It stays. Ask your engineer to sort out the two.")
        };
        let why_not = prefix.as_ref().err().cloned().or(others.map(shared));
        let prefix = prefix.unwrap_or_default();
        let thumbnails = format!("{prefix}thumbnails/");
        let place = |kind, bucket: &str, wanted, why_not: Option<Error>| Place {
            kind,
            bucket: bucket.to_owned(),
            wanted,
            why_not,
        };
        let mut places = vec![
            place(
                PurgeKind::Outputs,
                &bucket,
                Wanted::Below { prefix, but: Some(thumbnails.clone()) },
                why_not.clone(),
            ),
            place(PurgeKind::Thumbnails, &bucket, Wanted::Below { prefix: thumbnails, but: None }, why_not),
        ];
        let (Some(src_bucket), Some(src_video)) = (&video.src_bucket, &video.src_video) else { return Ok(places) };
        let other = mirror.others_of_source(guid.clone(), src_bucket.clone(), src_video.clone()).await?;
        let is_shared = other.is_some();
        let why_not = other.map(|other| {
            let what = format!("The source is also that of the video {other}.");
            Error::new(Code::InUse, what, "It stays until that one is purged too.")
        });
        places.push(place(PurgeKind::Source, src_bucket, Wanted::Key(src_video.clone()), why_not));
        // What lies in another folder may belong to others, too.
        let folder = |key: &str| key.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        for key in &video.sidecars {
            let is_beside = folder(key).is_some() && folder(key) == folder(src_video);
            let why_not = (is_shared || !is_beside).then(|| {
                let what = format!("{key} is not in a folder of this video alone.");
                Error::new(Code::InUse, what, "It stays.")
            });
            places.push(place(PurgeKind::Sidecars, src_bucket, Wanted::Key(key.clone()), why_not));
        }
        Ok(places)
    }

    /// Deletes the item, while it is in the trash.
    async fn delete_item(&self, guid: &Guid) -> Result<()> {
        let delete = self.catalog.dynamodb.delete_item().table_name(&self.catalog.table);
        let delete = delete
            .key("guid", AttributeValue::S(guid.to_string()))
            .condition_expression("attribute_exists(#own.#began) AND attribute_exists(#own.#trashed)")
            .expression_attribute_names("#own", OWN)
            .expression_attribute_names("#began", PURGE_BEGAN)
            .expression_attribute_names("#trashed", "trashedAt");
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => {
                let what = format!("The video {guid} is not in the trash any more.");
                Err(Error::new(Code::Invalid, what, "Look at it: its files are gone."))
            }
            Err(error) => Err(explain("The video could not be deleted", error)),
        }
    }
}

/// The folder of a video's outputs in the destination bucket. It is never empty, a slash, or one that leads elsewhere.
fn own_prefix(guid: &Guid) -> Result<String> {
    let name = guid.as_str();
    let is_name = name.chars().any(|c| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    // Outputs of others lie below such names by chance.
    const SHORTEST: usize = 8;
    if !is_name || name.len() < SHORTEST {
        let what = format!("The key \"{name}\" is no name of a folder that is surely this video's alone.");
        return Err(Error::new(Code::Invalid, what, "Its outputs stay. Delete them in the bucket."));
    }
    Ok(format!("{name}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_the_videos_own_or_none() {
        let of = |guid: &str| own_prefix(&Guid::new(guid).unwrap());
        let guid = "3f2a91b0-0000-4abc-8000-deadbeef0000";
        assert_eq!(of(guid).unwrap(), format!("{guid}/"));
        for odd in
            ["/", "//", "a", "hls", "..", "../elsewhere", "a/b/c/d/e/f", " ", "........", "with blank in", "x*y?zzzzz"]
        {
            assert_eq!(of(odd).unwrap_err().code, Code::Invalid, "{odd:?}");
        }
    }
}
