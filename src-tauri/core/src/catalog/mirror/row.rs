//! A video as a row, and back.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use super::terms;
use crate::Result;
use crate::catalog::{Guid, Status, StatusKind, VideoDetails, VideoSummary};

/// Letters of a title that it is sorted by.
pub(super) const SORTED_BY: usize = 48;
/// What stands for the guid in a key or an address, which often has it in it.
const OF_THE_GUID: char = '\u{1}';

/// The key of the source as it is, in SQL.
pub(super) const SRC_VIDEO: &str = "replace(src_video, char(1), guid)";

const HAS_STREAM: u8 = 1;
const HAS_CAPTIONS: u8 = 2;
const IS_HDR: u8 = 4;
const IS_SHORTER: u8 = 8;
const IS_STUCK: u8 = 32;
/// The title is one that admins gave.
const IS_OWN_TITLE: u8 = 16;

/// What admins say of a video, but its title, in few letters.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Own {
    #[serde(rename = "d", skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(rename = "t", skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
    #[serde(rename = "p", skip_serializing_if = "Option::is_none")]
    published: Option<bool>,
    #[serde(rename = "f", skip_serializing_if = "Option::is_none")]
    publish_from: Option<i64>,
    #[serde(rename = "u", skip_serializing_if = "Option::is_none")]
    publish_until: Option<i64>,
    #[serde(rename = "i", skip_serializing_if = "Option::is_none")]
    poster: Option<String>,
    #[serde(rename = "r", skip_serializing_if = "Option::is_none")]
    trashed_at: Option<i64>,
}

/// Writes the row of a video: a new one without a number, or in place of the one that it had. Answers its number.
pub(super) fn write(
    db: &Connection,
    number: Option<i64>,
    place: i64,
    video: &VideoSummary,
    facets: &str,
    digest: i64,
) -> Result<i64> {
    let (error_at, error_message) = match &video.status {
        Status::Error { at, message } => (Some(at), Some(message)),
        Status::Other { word } => (Some(word), None),
        _ => (None, None),
    };
    let VideoDetails {
        title: own_title,
        description,
        tags,
        sidecars: _,
        published,
        publish_from,
        publish_until,
        poster,
        trashed_at,
    } = video.details.clone();
    let elsewhere = (!video.outputs_elsewhere.is_empty()).then(|| serde_json::to_string(&video.outputs_elsewhere));
    let elsewhere = elsewhere.transpose().map_err(crate::Error::internal)?;
    let flag = |is_so: bool, flag: u8| if is_so { flag } else { 0 };
    let flags = flag(video.has_stream, HAS_STREAM)
        | flag(video.has_captions, HAS_CAPTIONS)
        | flag(video.is_hdr, IS_HDR)
        | flag(video.is_shorter, IS_SHORTER)
        | flag(video.is_stuck, IS_STUCK)
        | flag(own_title.is_some(), IS_OWN_TITLE);
    let own = Own { description, tags, published, publish_from, publish_until, poster, trashed_at };
    let own = Some(serde_json::to_string(&own).map_err(crate::Error::internal)?).filter(|own| own != "{}");
    let short = |text: &Option<String>| Some(text.as_deref()?.replace(video.guid.as_str(), &OF_THE_GUID.to_string()));
    db.prepare_cached(
        "INSERT OR REPLACE INTO videos (number, guid, place, title, own, revision, status, error_at, error_message,
           started_at, ended_at, duration, width, height, flags, src_bucket, src_video, thumbnail_url, job_id, workflow,
           job_template, source_size, source_checksum, outputs_elsewhere, title_key, facets, digest)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
           ?24, ?25, ?26, ?27)",
    )?
    .execute(params![
        number,
        video.guid.as_str(),
        place,
        video.title,
        own,
        video.revision,
        StatusKind::from(&video.status) as u8,
        error_at,
        error_message,
        video.started_at,
        video.ended_at,
        video.duration,
        video.width,
        video.height,
        flags,
        name(db, video.src_bucket.as_deref())?,
        short(&video.src_video),
        short(&video.thumbnail_url),
        video.job_id,
        name(db, video.workflow.as_deref())?,
        name(db, video.job_template.as_deref())?,
        video.source_size.and_then(|size| i64::try_from(size).ok()),
        video.source_checksum,
        elsewhere,
        terms::fold(&video.title).chars().take(SORTED_BY).collect::<String>(),
        facets,
        digest,
    ])?;
    Ok(db.last_insert_rowid())
}

/// The id of a name that many have.
fn name(db: &Connection, name: Option<&str>) -> Result<Option<i64>> {
    let Some(name) = name else { return Ok(None) };
    let known =
        db.prepare_cached("SELECT id FROM names WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()?;
    if known.is_some() {
        return Ok(known);
    }
    db.prepare_cached("INSERT INTO names (name) VALUES (?1)")?.execute([name])?;
    Ok(Some(db.last_insert_rowid()))
}

/// The video at a place.
pub(super) fn at(db: &Connection, place: i64) -> Result<Option<VideoSummary>> {
    let at =
        "SELECT guid, title, own, revision, status, error_at, error_message, started_at, ended_at, duration, width,
                height, flags, src_video, thumbnail_url, job_id,
                (SELECT name FROM names WHERE id = src_bucket), (SELECT name FROM names WHERE id = workflow),
                (SELECT name FROM names WHERE id = job_template), source_size, source_checksum, outputs_elsewhere
              FROM places JOIN videos USING (number) WHERE places.place = ?1";
    Ok(db.prepare_cached(at)?.query_row([place], read).optional()?)
}

/// The row of a video.
pub(super) fn of(db: &Connection, guid: &Guid) -> Result<Option<VideoSummary>> {
    let place = "SELECT place FROM videos WHERE guid = ?1";
    let place = db.prepare_cached(place)?.query_row([guid.as_str()], |row| row.get(0)).optional()?;
    place.map_or(Ok(None), |place| at(db, place))
}

fn read(row: &Row<'_>) -> rusqlite::Result<VideoSummary> {
    let guid: String = row.get(0)?;
    let text = |index: usize| row.get::<_, Option<String>>(index).map(Option::unwrap_or_default);
    let long = |index: usize| {
        let short: Option<String> = row.get(index)?;
        Ok::<_, rusqlite::Error>(short.map(|short| short.replace(OF_THE_GUID, &guid)))
    };
    let status = match row.get::<_, u8>(4)? {
        0 => Status::Ingest,
        1 => Status::Encoding,
        2 => Status::Complete,
        3 => Status::Error { at: text(5)?, message: text(6)? },
        4 => Status::Canceled,
        _ => Status::Other { word: text(5)? },
    };
    let flags: u8 = row.get(12)?;
    let (title, own): (String, Option<String>) = (row.get(1)?, row.get(2)?);
    let elsewhere: Option<String> = row.get(21)?;
    let own: Own = own.and_then(|own| serde_json::from_str(&own).ok()).unwrap_or_default();
    let Own { description, tags, published, publish_from, publish_until, poster, trashed_at } = own;
    let own_title = (flags & IS_OWN_TITLE > 0).then(|| title.clone());
    Ok(VideoSummary {
        details: VideoDetails {
            title: own_title,
            description,
            tags,
            sidecars: BTreeMap::new(),
            published,
            publish_from,
            publish_until,
            poster,
            trashed_at,
        },
        title,
        revision: row.get(3)?,
        status,
        started_at: row.get(7)?,
        ended_at: row.get(8)?,
        duration: row.get(9)?,
        width: row.get(10)?,
        height: row.get(11)?,
        is_shorter: flags & IS_SHORTER > 0,
        is_stuck: flags & IS_STUCK > 0,
        has_stream: flags & HAS_STREAM > 0,
        has_captions: flags & HAS_CAPTIONS > 0,
        is_hdr: flags & IS_HDR > 0,
        src_video: long(13)?,
        thumbnail_url: long(14)?,
        job_id: row.get(15)?,
        src_bucket: row.get(16)?,
        workflow: row.get(17)?,
        job_template: row.get(18)?,
        source_size: row.get::<_, Option<i64>>(19)?.and_then(|size| u64::try_from(size).ok()),
        source_checksum: row.get(20)?,
        outputs_elsewhere: elsewhere.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        guid: Guid(guid),
    })
}
