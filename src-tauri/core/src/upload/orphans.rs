//! Unfinished multipart uploads that nobody will finish: they cost money until they are removed.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::s3;
use crate::aws::explain;
use crate::event::now_ms;
use crate::{Error, Result};

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
    /// Bytes of its parts.
    #[ts(type = "number")]
    pub size: u64,
}

impl Orphan {
    /// Whether it began longer ago than that; one of unknown age did not. A young one may be on its way from another
    /// computer.
    #[must_use]
    pub fn is_older_than(&self, age: Duration) -> bool {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        self.began_at.is_some_and(|began_at| now_ms().saturating_sub(began_at) >= age)
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
            found.push(Orphan { key, upload_id, began_at, size: 0 });
        }
    }
    for orphan in &mut found {
        let list = client.list_parts().bucket(bucket).key(&orphan.key).upload_id(&orphan.upload_id);
        let mut pages = list.into_paginator().send();
        while let Some(page) = pages.next().await {
            // One that was finished or removed meanwhile has no size any more.
            let Ok(page) = page else { break };
            let sizes = page.parts().iter().filter_map(|part| part.size());
            orphan.size += sizes.map(i64::unsigned_abs).sum::<u64>();
        }
    }
    Ok(found)
}

/// Removes one.
pub(crate) async fn remove(client: &aws_sdk_s3::Client, bucket: &str, orphan: &Orphan) -> Result<()> {
    let abort = client.abort_multipart_upload().bucket(bucket).key(&orphan.key).upload_id(&orphan.upload_id);
    match abort.send().await {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_upload()) => Ok(()),
        Err(error) => Err::<(), Error>(explain("The unfinished upload could not be removed", error)),
    }
}
