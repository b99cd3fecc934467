//! Listing keys: by prefix, grouped by a delimiter, page by page, in byte order.

use super::{OBJECT_COLUMNS, Object, Result, S3, internal};

/// One page of a listing.
#[derive(Default)]
pub(super) struct Page {
    pub objects: Vec<Object>,
    pub common_prefixes: Vec<String>,
    /// The key or prefix after which the next page begins.
    pub next: Option<String>,
}

const MAX_KEYS: i32 = 1000;

impl S3 {
    pub(super) async fn list(
        &self,
        bucket: &str,
        prefix: String,
        delimiter: Option<String>,
        after: Option<String>,
        max_keys: Option<i32>,
    ) -> Result<(Page, i32)> {
        self.check_bucket(bucket).await?;
        let bucket = bucket.to_owned();
        let limit = max_keys.unwrap_or(MAX_KEYS).clamp(0, MAX_KEYS);
        let page = self
            .db
            .call(move |db| {
                let mut page = Page::default();
                // Past every key of a common prefix that the last page ended with.
                let mut from = after.map_or_else(
                    || prefix.clone(),
                    |after| match &delimiter {
                        Some(delimiter) if after.ends_with(delimiter.as_str()) => {
                            format!("{after}\u{10FFFF}")
                        }
                        _ => format!("{after}\u{0}"),
                    },
                );
                let mut query = db.prepare(&format!(
                    "SELECT {OBJECT_COLUMNS} FROM objects WHERE bucket = ?1 AND key >= ?2 ORDER BY key LIMIT 1000"
                ))?;
                let mut last = None;
                'pages: loop {
                    let rows =
                        query.query_map([&bucket, &from], Object::read)?.collect::<rusqlite::Result<Vec<_>>>()?;
                    let full = rows.len() == 1000;
                    for object in rows {
                        if !object.key.starts_with(&prefix) {
                            if object.key > prefix {
                                break 'pages;
                            }
                            continue;
                        }
                        let group = delimiter.as_deref().filter(|d| !d.is_empty()).and_then(|d| {
                            let rest = &object.key[prefix.len()..];
                            rest.find(d).map(|at| object.key[..prefix.len() + at + d.len()].to_owned())
                        });
                        from = format!("{}\u{0}", object.key);
                        if group.is_some() && page.common_prefixes.last() == group.as_ref() {
                            continue;
                        }
                        if page.objects.len() + page.common_prefixes.len() == limit as usize {
                            page.next = last;
                            break 'pages;
                        }
                        last = Some(group.clone().unwrap_or_else(|| object.key.clone()));
                        match group {
                            Some(group) => page.common_prefixes.push(group),
                            None => page.objects.push(object),
                        }
                    }
                    if !full {
                        break;
                    }
                }
                Ok::<_, rusqlite::Error>(page)
            })
            .await
            .map_err(internal)?;
        Ok((page, limit))
    }
}

impl S3 {
    /// The last key of the first page below a prefix.
    pub(crate) async fn last_key(&self, bucket: &str, prefix: &str) -> Result<Option<String>> {
        let (page, _) = self.list(bucket, prefix.to_owned(), None, None, None).await?;
        Ok(page.objects.into_iter().next_back().map(|object| object.key))
    }
}
