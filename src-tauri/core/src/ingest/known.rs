//! What this workspace has made videos of, by content and by name. It outlives the list of journeys.

use std::path::Path;

use rusqlite::params;

use super::{Conflict, Journey};
use crate::Result;
use crate::catalog::{Guid, VideoSummary};
use crate::store::Store;
use crate::upload::Checksum;

/// A source that was sent before, or is on its way.
pub(super) struct Sent {
    pub key: String,
    /// As [`name`] gives it.
    pub name: String,
    pub title: String,
    pub size: u64,
    /// None while it is on its way and was not read yet.
    pub checksum: Option<Checksum>,
    pub guid: Option<Guid>,
    pub hls_url: Option<String>,
    pub sent_at: Option<i64>,
}

impl Sent {
    /// Of a journey.
    pub fn of(journey: &Journey) -> Self {
        Self {
            key: journey.key.clone().unwrap_or_default(),
            name: name(&journey.path),
            title: journey.title.clone(),
            size: journey.size,
            checksum: journey.checksum.as_deref().and_then(Checksum::parse),
            guid: journey.guid.clone(),
            hls_url: journey.hls_url.clone(),
            sent_at: journey.verified_at,
        }
    }

    /// Of a video that another computer sent, where its item has what its content is known by. Its name is not known.
    pub fn elsewhere(video: VideoSummary) -> Option<Self> {
        let checksum = Some(Checksum::parse(&video.source_checksum?)?);
        Some(Self {
            key: video.src_video?,
            name: String::new(),
            title: video.title,
            size: video.source_size?,
            checksum,
            guid: Some(video.guid),
            hls_url: None,
            sent_at: video.started_at,
        })
    }

    pub fn conflict(&self, same_content: bool) -> Conflict {
        Conflict {
            same_content,
            key: self.key.clone(),
            title: self.title.clone(),
            size: self.size,
            sent_at: self.sent_at,
            guid: self.guid.clone(),
            hls_url: self.hls_url.clone(),
        }
    }
}

/// The name of a file as names are compared: `A.mov` and `a.MOV` are one on most disks.
pub(super) fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// Whether two files have one name, without making it: most differ in their first letters.
pub(super) fn is_same_name(one: &Path, other: &Path) -> bool {
    let (Some(one), Some(other)) = (one.file_name(), other.file_name()) else { return false };
    let (one, other) = (one.to_string_lossy(), other.to_string_lossy());
    one.chars().flat_map(char::to_lowercase).eq(other.chars().flat_map(char::to_lowercase))
}

/// The table of what was sent; cheap to clone.
#[derive(Clone)]
pub(super) struct Known {
    store: Store,
    workspace: String,
}

impl Known {
    pub fn new(store: Store, workspace: &str) -> Self {
        Self { store, workspace: workspace.to_owned() }
    }

    /// What has the size of this journey's file, or its name; the newest first.
    pub async fn like(&self, journey: &Journey) -> Result<Vec<Sent>> {
        let (workspace, size, name) = (self.workspace.clone(), journey.size, name(&journey.path));
        self.store
            .call(move |db| {
                let mut found = db.prepare_cached(
                    "SELECT key, name, title, size, checksum, guid, hls_url, sent_at FROM sources
                     WHERE workspace = ?1 AND (size = ?2 OR name = ?3) ORDER BY sent_at DESC LIMIT 50",
                )?;
                let found = found.query_map(params![workspace, size, name], |row| {
                    Ok(Sent {
                        key: row.get(0)?,
                        name: row.get(1)?,
                        title: row.get(2)?,
                        size: row.get(3)?,
                        checksum: Checksum::parse(&row.get::<_, String>(4)?),
                        guid: Guid::new(row.get::<_, String>(5)?),
                        hls_url: row.get(6)?,
                        sent_at: row.get(7)?,
                    })
                })?;
                Ok(found.collect::<rusqlite::Result<_>>()?)
            })
            .await
    }

    /// Remembers a journey that became a video.
    pub async fn remember(&self, journey: &Journey) -> Result<()> {
        let (Some(guid), Some(checksum)) = (journey.guid.clone(), journey.checksum.clone()) else { return Ok(()) };
        let (workspace, sent) = (self.workspace.clone(), Sent::of(journey));
        self.store
            .call(move |db| {
                db.prepare_cached(
                    "INSERT OR REPLACE INTO sources
                     (workspace, key, name, title, size, checksum, guid, hls_url, sent_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                )?
                .execute(params![
                    workspace,
                    sent.key,
                    sent.name,
                    sent.title,
                    sent.size,
                    checksum,
                    guid.to_string(),
                    sent.hls_url,
                    sent.sent_at
                ])?;
                Ok(())
            })
            .await
    }

    /// Forgets what the catalog no longer has.
    pub async fn forget(&self, key: &str) -> Result<()> {
        let (workspace, key) = (self.workspace.clone(), key.to_owned());
        self.store
            .call(move |db| {
                db.execute("DELETE FROM sources WHERE workspace = ?1 AND key = ?2", [workspace, key])?;
                Ok(())
            })
            .await
    }
}
