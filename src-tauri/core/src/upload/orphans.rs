//! Unfinished multipart uploads that nobody will finish: they cost money until they are removed.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::s3;
use crate::clock::now_ms;
use crate::explain::explain;
use crate::{Code, Error, Result};

/// An unfinished upload as S3 lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Orphan {
    /// The key that it would have had.
    pub key: String,
    /// S3's name for it.
    pub upload_id: String,
    /// When it began, in milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub began_at: Option<i64>,
    /// When its newest part came, in milliseconds since the epoch; none where it has none.
    #[ts(type = "number | null")]
    pub active_at: Option<i64>,
    /// Bytes of its parts.
    #[ts(type = "number")]
    pub size: u64,
}

impl Orphan {
    /// Whether nothing of it has moved for that long; one of unknown age did. What moves is on its way from another computer.
    #[must_use]
    pub fn is_older_than(&self, age: Duration) -> bool {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let moved_at = self.active_at.max(self.began_at);
        moved_at.is_some_and(|moved_at| now_ms().saturating_sub(moved_at) >= age)
    }
}

/// All unfinished uploads of a bucket below a prefix, with their sizes.
pub(crate) async fn find(client: &aws_sdk_s3::Client, bucket: &str, prefix: &str) -> Result<Vec<Orphan>> {
    let listed = s3::unfinished(client, bucket, prefix).await;
    let listed = listed.map_err(|error| explain("The unfinished uploads could not be listed", error))?;
    let mut found = Vec::new();
    for upload in listed {
        if let (Some(key), Some(upload_id)) = (upload.key, upload.upload_id) {
            let began_at = upload.initiated.and_then(|time| time.to_millis().ok());
            found.push(Orphan { key, upload_id, began_at, active_at: None, size: 0 });
        }
    }
    for orphan in &mut found {
        measure(client, bucket, orphan).await;
    }
    Ok(found)
}

/// Asks how large one is, and when its newest part came.
async fn measure(client: &aws_sdk_s3::Client, bucket: &str, orphan: &mut Orphan) {
    let list = client.list_parts().bucket(bucket).key(&orphan.key).upload_id(&orphan.upload_id);
    let mut pages = list.into_paginator().send();
    while let Some(page) = pages.next().await {
        // One that was finished or removed meanwhile has no size any more.
        let Ok(page) = page else { break };
        for part in page.parts() {
            orphan.size += part.size().map_or(0, i64::unsigned_abs);
            orphan.active_at = orphan.active_at.max(part.last_modified().and_then(|time| time.to_millis().ok()));
        }
    }
}

/// Removes one that is as it was when it was found: where something has moved since, another computer sends it.
///
/// # Errors
/// When it moves, or S3 refuses.
pub(crate) async fn remove(client: &aws_sdk_s3::Client, bucket: &str, orphan: &Orphan) -> Result<()> {
    let mut now = Orphan { size: 0, active_at: None, ..orphan.clone() };
    measure(client, bucket, &mut now).await;
    if now.active_at > orphan.active_at {
        return Err(Error::new(
            Code::InUse,
            format!("\"{}\" is on its way from another computer.", orphan.key),
            "Leave it; look again when it has ended.",
        ));
    }
    let abort = client.abort_multipart_upload().bucket(bucket).key(&orphan.key).upload_id(&orphan.upload_id);
    match abort.send().await {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_upload()) => Ok(()),
        Err(error) => Err::<(), Error>(explain("The unfinished upload could not be removed", error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_is_not_old_however_long_ago_it_began() {
        let hours = |hours: i64| Some(now_ms() - hours * 3_600_000);
        let orphan = |began_at, active_at| Orphan {
            key: "video/a.mp4".into(),
            upload_id: "1".into(),
            began_at,
            active_at,
            size: 0,
        };
        let day = Duration::from_secs(24 * 3600);
        assert!(!orphan(hours(44), hours(0)).is_older_than(day), "a slow line of another computer");
        assert!(orphan(hours(44), hours(25)).is_older_than(day));
        assert!(orphan(hours(44), None).is_older_than(day) && !orphan(hours(3), None).is_older_than(day));
        assert!(!orphan(None, None).is_older_than(day), "of unknown age");
    }
}
