//! Deleting for good what is in the trash: first it is told exactly what would go, with its bytes; then what was ticked is deleted,
//! the item last. A prefix or key that is not the video's alone is never touched.

mod edge;
mod objects;

use std::collections::BTreeSet;

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use ts_rs::TS;

pub(super) use self::edge::Edge;
use self::objects::{Bucket, Counted, Wanted};
use super::table::OWN;
use super::write::{Author, PURGE_BEGAN, Written};
use super::{Catalog, Guid, Item, LONGEST_MS, Mirror, Status, Video};
use crate::clock::now_ms;
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
    /// What CloudFront still shows from its edges.
    Edge,
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
    /// Older versions of them, and deleted ones that the bucket keeps; none where they may not be listed.
    pub versions: Option<usize>,
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

impl Purged {
    /// What was deleted of the same, too.
    pub fn add(&mut self, more: Self) {
        self.places.extend(more.places);
        self.kept.extend(more.kept);
        self.objects += more.objects;
        self.bytes += more.bytes;
    }
}

/// Deletes for good; cheap to clone.
#[derive(Clone)]
pub(super) struct Purger {
    pub catalog: Catalog,
    pub s3: aws_sdk_s3::Client,
    pub destination_bucket: String,
    pub edge: Edge,
}

/// A place in a bucket that belongs to a video, or a reason why not.
pub(super) struct Place {
    pub kind: PurgeKind,
    bucket: String,
    wanted: Wanted,
    why_not: Option<Error>,
}

impl Purger {
    /// What would go of a video that is in the trash.
    ///
    /// `with` are those that go with it: what it shares with them goes.
    pub async fn plan(&self, mirror: &Mirror, guid: &Guid, with: &[Guid]) -> Result<PurgePlan> {
        let (item, video) = self.trashed(mirror, guid).await?;
        let parts = self.parts(mirror, &item, &video, with, true).await?;
        let trashed_at = video.details.trashed_at.unwrap_or_default();
        let restorable_until = trashed_at + super::IN_TRASH_MS;
        Ok(PurgePlan { guid: video.guid, title: video.title, restorable_until, parts })
    }

    /// All that a video holds.
    pub async fn holdings(&self, mirror: &Mirror, guid: &Guid) -> Result<Vec<PurgePart>> {
        let item = self.catalog.item(guid).await?.ok_or_else(|| super::edit::not_found(guid))?;
        let video = self.catalog.read(&item).ok_or_else(|| super::edit::not_found(guid))?;
        let mut parts = self.parts(mirror, &item, &video, &[], false).await?;
        parts.retain(|part| part.kind != PurgeKind::Item);
        Ok(parts)
    }

    async fn parts(
        &self,
        mirror: &Mirror,
        item: &Item,
        video: &Video,
        with: &[Guid],
        with_edge: bool,
    ) -> Result<Vec<PurgePart>> {
        let mut parts = Vec::new();
        for place in self.places(mirror, item, video, with).await? {
            if place.kind == PurgeKind::Edge {
                if with_edge {
                    parts.extend(self.edge_part(&place).await);
                }
                continue;
            }
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
            versions: Some(0),
            version_bytes: 0,
            why_not: None,
        });
        Ok(parts)
    }

    /// What CloudFront would forget, where the CDN is one, and why it cannot be told, where that is so.
    async fn edge_part(&self, place: &Place) -> Option<PurgePart> {
        let why_not = match self.edge.distribution().await {
            Ok(distribution) => {
                distribution?;
                None
            }
            Err(error) => Some(error),
        };
        Some(PurgePart {
            kind: PurgeKind::Edge,
            place: self.edge.place(place.wanted.prefix()),
            objects: 0,
            bytes: 0,
            versions: Some(0),
            version_bytes: 0,
            why_not,
        })
    }

    /// Begins to delete a video of the trash, and says what is to go: nobody restores it from now on. It can be begun again after
    /// a kill.
    pub async fn begin(
        &self,
        mirror: &Mirror,
        guid: &Guid,
        ticked: &BTreeSet<PurgeKind>,
        author: &Author,
    ) -> Result<Vec<Place>> {
        if ticked.iter().all(|kind| matches!(kind, PurgeKind::Versions | PurgeKind::Edge)) {
            let what = "Nothing is ticked that could go: versions and copies go with what they are of.";
            return Err(Error::new(Code::Invalid, what, "Tick what is to go."));
        }
        let (item, video) = self.trashed(mirror, guid).await?;
        let mut places = self.places(mirror, &item, &video, &[]).await?;
        // What stays would be shown again at once.
        let goes = ticked.contains(&PurgeKind::Outputs) || ticked.contains(&PurgeKind::Thumbnails);
        places.retain(|place| ticked.contains(&place.kind) && (place.kind != PurgeKind::Edge || goes));
        // What cannot be listed cannot be deleted, and was told to stay: that is found out before anything goes.
        let with_versions = ticked.contains(&PurgeKind::Versions);
        for place in places.iter_mut().filter(|place| place.kind != PurgeKind::Edge && place.why_not.is_none()) {
            match Bucket::new(&self.s3, &place.bucket).look(&place.wanted, with_versions).await {
                Err(error) if error.code == Code::NotFound => place.why_not = Some(error),
                looked => looked?,
            }
        }
        if video.purge_began.is_none()
            && let Written::Overtaken = self.catalog.mark(guid, &item, author).await?
        {
            let what = format!("\"{}\" was changed just now.", video.title);
            return Err(Error::new(Code::InUse, what, "Look at it, and try again."));
        }
        Ok(places)
    }

    /// Deletes what is in a place, or says that it stays. `reference` is the same each time that it is tried.
    pub async fn delete(
        &self,
        place: &Place,
        with_versions: bool,
        reference: &str,
        stop: &CancellationToken,
    ) -> Result<Purged> {
        if place.kind == PurgeKind::Edge {
            return self.clear(place, reference, stop).await;
        }
        let address = place.wanted.address(&place.bucket);
        if place.why_not.is_some() {
            return Ok(Purged { kept: vec![address], ..Purged::default() });
        }
        let gone = Bucket::new(&self.s3, &place.bucket).delete(&place.wanted, with_versions, stop).await?;
        let objects = gone.objects + gone.versions.unwrap_or(0);
        Ok(Purged { places: vec![address], kept: Vec::new(), objects, bytes: gone.bytes + gone.version_bytes })
    }

    /// Makes CloudFront forget what is gone. Where it cannot be told, what is gone is gone nevertheless, and it is told.
    async fn clear(&self, place: &Place, reference: &str, stop: &CancellationToken) -> Result<Purged> {
        let path = place.wanted.prefix();
        match self.edge.invalidate(path, reference, stop).await {
            Ok(true) => Ok(Purged { places: vec![self.edge.place(path)], ..Purged::default() }),
            Ok(false) => Ok(Purged::default()),
            Err(error) if error.code == Code::Canceled => Err(error),
            Err(error) => {
                tracing::warn!(code = ?error.code, details = error.details, "CloudFront was not told to forget a video");
                Ok(Purged { kept: vec![self.edge.place(path)], ..Purged::default() })
            }
        }
    }

    /// Deletes the item at last.
    pub async fn end(&self, guid: &Guid) -> Result<Purged> {
        self.delete_item(guid).await?;
        let item = format!("{} / {guid}", self.catalog.table);
        Ok(Purged { places: vec![item], ..Purged::default() })
    }

    /// The item of a video that is in the trash.
    async fn trashed(&self, mirror: &Mirror, guid: &Guid) -> Result<(Item, Video)> {
        let item = self.catalog.item(guid).await?.ok_or_else(|| super::edit::not_found(guid))?;
        let video = self.catalog.read(&item).ok_or_else(|| super::edit::not_found(guid))?;
        if video.details.trashed_at.is_none() {
            let what = format!("\"{}\" is not in the trash: someone may have restored it.", video.title);
            return Err(Error::new(Code::Invalid, what, "Move it to the trash first."));
        }
        // Its next step would write the item anew. What never ends was ended by someone.
        let is_open = matches!(video.status, Status::Ingest | Status::Encoding);
        let is_new = video.started_at.is_some_and(|at| now_ms() - at < LONGEST_MS);
        if is_open && is_new && video.purge_began.is_none() {
            let known = mirror.by_keys(vec![guid.clone()]).await?;
            if !known.iter().any(|video| video.status == Status::Canceled) {
                let what = format!("The pipeline still works on \"{}\".", video.title);
                return Err(Error::new(Code::InUse, what, "Wait until it has ended, or cancel its job first."));
            }
        }
        Ok((item, video))
    }

    /// All places that belong to a video; what it shares with videos other than these stays.
    async fn places(&self, mirror: &Mirror, item: &Item, video: &Video, with: &[Guid]) -> Result<Vec<Place>> {
        let guid = &video.guid;
        let is_another = |other: &Guid| !with.contains(other);
        let is_of_solution = !self.catalog.attributes.names().is_of_another_table();
        let named = item.text_of("destBucket").filter(|_| is_of_solution);
        let bucket = named.unwrap_or_else(|| self.destination_bucket.clone());
        let own = own_prefix(video).and_then(|prefix| {
            if is_of_solution || self.catalog.attributes.has_own_folder(item, guid.as_str()) {
                return Ok(prefix);
            }
            let what = format!("No output of this video is stored in a folder \"{prefix}\".");
            Err(Error::new(Code::Invalid, what, "Its outputs stay. Delete them in the bucket."))
        });
        let (prefix, why_not) = match own {
            Err(error) => (String::new(), Some(error)),
            Ok(prefix) if bucket == self.catalog.source_bucket || video.src_bucket.as_ref() == Some(&bucket) => {
                let what = "The outputs of this video are in the bucket of sources.";
                (prefix, Some(Error::new(Code::InUse, what, "They stay. Delete them in the bucket.")))
            }
            Ok(prefix) => {
                let mut others = mirror.others_below(guid.clone(), prefix.clone()).await?;
                others.extend(mirror.others_in_folder(guid.clone(), bucket.clone(), prefix.clone()).await?);
                let other = others.into_iter().find(is_another).map(|other| {
                    let what = format!("The folder of this video is also used by the video {other}.");
                    Error::new(Code::InUse, what, "It stays. Ask your engineer to sort out the two.")
                });
                (prefix, other)
            }
        };
        let thumbnails = format!("{prefix}thumbnails/");
        let below = |kind, prefix: &str, but: Option<&str>| Place {
            kind,
            bucket: bucket.clone(),
            wanted: Wanted::Below { prefix: prefix.to_owned(), but: but.map(str::to_owned) },
            why_not: why_not.clone(),
        };
        let mut places = vec![
            below(PurgeKind::Outputs, &prefix, Some(&thumbnails)),
            below(PurgeKind::Thumbnails, &thumbnails, None),
        ];
        // Only what is surely this video's is forgotten.
        let path = self.edge.path_of(&self.catalog.attributes.address(&prefix, guid.as_str()));
        let edge = path.filter(|_| why_not.is_none()).map(|path| below(PurgeKind::Edge, &path, None));
        let (Some(src_bucket), Some(src_video)) = (&video.src_bucket, &video.src_video) else {
            places.extend(edge);
            return Ok(places);
        };
        let key = |kind, key: &str, why_not| Place {
            kind,
            bucket: src_bucket.clone(),
            wanted: Wanted::Key(key.to_owned()),
            why_not,
        };
        let others = mirror.others_of_source(guid.clone(), src_bucket.clone(), src_video.clone()).await?;
        let why_not = others.into_iter().find(is_another).map(|other| {
            let what = format!("The source is also that of the video {other}.");
            Error::new(Code::InUse, what, "It stays until that one is deleted for good, too.")
        });
        places.push(key(PurgeKind::Source, src_video, why_not));
        // What lies in a folder of others, too, may belong to them.
        let folder = src_video.rsplit_once('/').map(|(folder, _)| format!("{folder}/"));
        let neighbors = match &folder {
            Some(folder) if !video.sidecars.is_empty() => {
                mirror.others_in_folder(guid.clone(), src_bucket.clone(), folder.clone()).await?
            }
            _ => Vec::new(),
        };
        let is_alone = folder.is_some() && !neighbors.iter().any(is_another);
        for sidecar in video.sidecars.iter().filter(|key| !key.is_empty()) {
            let is_beside = folder.as_ref().is_some_and(|folder| {
                sidecar.strip_prefix(folder.as_str()).is_some_and(|name| !name.is_empty() && !name.contains('/'))
            });
            let why_not = (!is_alone || !is_beside || sidecar == src_video).then(|| {
                let what = format!("{sidecar} is not in a folder of this video alone.");
                Error::new(Code::InUse, what, "It stays.")
            });
            places.push(key(PurgeKind::Sidecars, sidecar, why_not));
        }
        places.extend(edge);
        Ok(places)
    }

    /// Deletes the item, while it is in the trash.
    async fn delete_item(&self, guid: &Guid) -> Result<()> {
        let delete = self.catalog.dynamodb.delete_item().table_name(&self.catalog.table);
        let delete = delete
            .set_key(Some(self.catalog.key(guid)))
            .condition_expression("attribute_exists(#own.#began) AND attribute_exists(#own.#trashed)")
            .expression_attribute_names("#own", OWN)
            .expression_attribute_names("#began", PURGE_BEGAN)
            .expression_attribute_names("#trashed", "trashedAt");
        match delete.send().await {
            Ok(_) => Ok(()),
            // The answer to the one before may have been lost.
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => {
                if self.catalog.item(guid).await?.is_none() {
                    return Ok(());
                }
                let what = format!("The video {guid} is not in the trash any more.");
                Err(Error::new(Code::Invalid, what, "Look at it: its files are gone."))
            }
            Err(error) => Err(explain("The video could not be deleted", error)),
        }
    }
}

/// The folder of a video's outputs in the destination bucket: its key, as the pipeline makes it. A key that is no UUID has to be
/// in an address of the video's own outputs. It is never empty, a slash, or one that leads elsewhere.
fn own_prefix(video: &Video) -> Result<String> {
    let name = video.guid.as_str();
    let is_name = name.chars().any(|c| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let folder = format!("/{name}/");
    let is_own = uuid::Uuid::try_parse(name).is_ok() || video.outputs.iter().any(|output| output.url.contains(&folder));
    if !is_name || !is_own {
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
        use aws_sdk_dynamodb::types::AttributeValue;
        let of = |guid: &str, url: &str| {
            let attributes = [("guid", guid), ("hlsUrl", url)];
            let attributes = attributes.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())));
            own_prefix(&Item(attributes.into()).read().unwrap())
        };
        let guid = "3f2a91b0-0000-4abc-8000-deadbeef0000";
        assert_eq!(of(guid, "x").unwrap(), format!("{guid}/"));
        assert_eq!(of("film-1", "https://cdn/film-1/hls/a.m3u8").unwrap(), "film-1/");
        for odd in
            ["/", "//", "a", "hls", "..", "../elsewhere", "a/b/c/d/e/f", " ", "........", "with blank in", "x*y?zzzzz"]
        {
            assert_eq!(of(odd, "https://cdn/films/a.m3u8").unwrap_err().code, Code::Invalid, "{odd:?}");
        }
        assert!(of("metadata", "https://cdn/films/a.m3u8").is_err());
        assert!(of("a/b", "https://cdn/a/b/c.m3u8").is_err());
    }
}
