//! Object tags. Source: S3 User Guide, "Categorizing your objects using tags" (10 tags, key 128, value 256).

use percent_encoding::percent_decode_str;
use rusqlite::params;
use s3s::s3_error;

use super::{Fault, Result, S3, Tags, require_bucket, to_json};

/// Reads the `x-amz-tagging` header, a URL query string.
pub(super) fn parse_header(header: &str) -> Result<Tags> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().map(|text| text.into_owned());
    let tags = header
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(key)?, decode(value)?))
        })
        .collect::<Result<Tags, std::str::Utf8Error>>()
        .map_err(|_| s3_error!(InvalidArgument, "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates."))?;
    check(tags)
}

/// Refuses what S3 refuses in a set of tags.
pub(super) fn check(tags: Tags) -> Result<Tags> {
    if tags.len() > 10 {
        return Err(s3_error!(InvalidTag, "Object tags cannot be greater than 10"));
    }
    for (index, (key, value)) in tags.iter().enumerate() {
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(s3_error!(InvalidTag, "The tag you have provided is invalid: '{key}'"));
        }
        if tags[..index].iter().any(|(other, _)| other == key) {
            return Err(s3_error!(InvalidTag, "Cannot provide multiple Tags with the same key"));
        }
    }
    Ok(tags)
}

impl S3 {
    pub(super) async fn set_tags(&self, bucket: &str, key: &str, tags: Tags) -> Result<()> {
        let tags = check(tags)?;
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        Ok(self
            .db
            .call(move |db| {
                require_bucket(db, &bucket)?;
                let rows = db.execute(
                    "UPDATE objects SET tags = ?3 WHERE bucket = ?1 AND key = ?2",
                    params![bucket, key, to_json(&tags)],
                )?;
                if rows == 0 {
                    return Err(s3_error!(NoSuchKey, "The specified key does not exist.").into());
                }
                Ok::<_, Fault>(())
            })
            .await?)
    }
}
