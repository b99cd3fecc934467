//! Unfinished multipart uploads that nobody will finish: they cost money until they are removed.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::aws::explain;
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

/// All unfinished uploads of a bucket below a prefix, with their sizes.
pub(crate) async fn find(s3: &aws_sdk_s3::Client, bucket: &str, prefix: &str) -> Result<Vec<Orphan>> {
    let doing = "The unfinished uploads could not be listed";
    let mut found = Vec::new();
    let mut markers = (None, None);
    loop {
        let page = s3
            .list_multipart_uploads()
            .bucket(bucket)
            .prefix(prefix)
            .set_key_marker(markers.0.take())
            .set_upload_id_marker(markers.1.take())
            .send()
            .await
            .map_err(|error| explain(doing, error))?;
        for upload in page.uploads.unwrap_or_default() {
            if let (Some(key), Some(upload_id)) = (upload.key, upload.upload_id) {
                let began_at = upload.initiated.and_then(|time| time.to_millis().ok());
                found.push(Orphan { key, upload_id, began_at, size: 0 });
            }
        }
        if page.is_truncated != Some(true) || page.next_key_marker.is_none() {
            break;
        }
        markers = (page.next_key_marker, page.next_upload_id_marker);
    }
    for orphan in &mut found {
        let list = s3.list_parts().bucket(bucket).key(&orphan.key).upload_id(&orphan.upload_id);
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
pub(crate) async fn remove(s3: &aws_sdk_s3::Client, bucket: &str, orphan: &Orphan) -> Result<()> {
    let aborted = s3.abort_multipart_upload().bucket(bucket).key(&orphan.key).upload_id(&orphan.upload_id).send().await;
    match aborted {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_upload()) => Ok(()),
        Err(error) => Err::<(), Error>(explain("The unfinished upload could not be removed", error)),
    }
}
