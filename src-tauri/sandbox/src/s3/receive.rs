//! Taking a body in: written once, hashed once, and refused when it is not what the client said.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures::stream;
use s3s::dto::StreamingBlob;
use s3s::{S3Error, TrailingHeaders, s3_error};

use super::{Result, S3, internal};
use crate::blobs::Written;
use crate::checksum::Algorithm;

/// What the client claims of the body that it sends.
pub(super) struct Claims {
    pub content_md5: Option<String>,
    pub content_length: Option<i64>,
    /// Checksums of the request's headers.
    pub checksums: Vec<(Algorithm, String)>,
    /// `x-amz-trailer` says that a checksum of this kind follows the body.
    pub trailer: Option<Algorithm>,
    pub trailing_headers: Option<TrailingHeaders>,
}

impl Claims {
    /// The algorithm that the client uses, where it uses one.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.checksums.first().map(|(algorithm, _)| *algorithm).or(self.trailer)
    }
}

/// Reads `x-amz-trailer`.
pub(super) fn announced_trailer(headers: &http::HeaderMap) -> Option<Algorithm> {
    let name = headers.get("x-amz-trailer")?.to_str().ok()?;
    Algorithm::parse(name.trim().strip_prefix("x-amz-checksum-")?)
}

/// The checksum fields that many inputs share, as a list.
macro_rules! claimed_checksums {
    ($input:expr) => {{
        use $crate::checksum::Algorithm::*;
        [
            (Crc64nvme, &$input.checksum_crc64nvme),
            (Crc32, &$input.checksum_crc32),
            (Crc32c, &$input.checksum_crc32c),
            (Sha1, &$input.checksum_sha1),
            (Sha256, &$input.checksum_sha256),
        ]
        .into_iter()
        .filter_map(|(algorithm, value)| value.clone().map(|value| (algorithm, value)))
        .collect::<Vec<_>>()
    }};
}

/// Sets the one checksum field of an output that belongs to the algorithm.
macro_rules! set_checksum {
    ($output:expr, $algorithm:expr, $value:expr) => {{
        use $crate::checksum::Algorithm::*;
        let value = Some($value.to_string());
        match $algorithm {
            Crc64nvme => $output.checksum_crc64nvme = value,
            Crc32 => $output.checksum_crc32 = value,
            Crc32c => $output.checksum_crc32c = value,
            Sha1 => $output.checksum_sha1 = value,
            Sha256 => $output.checksum_sha256 = value,
        }
    }};
}

pub(super) use {claimed_checksums, set_checksum};

impl S3 {
    /// Writes the body and checks every claim; nothing stays behind when one is wrong.
    pub(super) async fn receive(
        &self,
        body: Option<StreamingBlob>,
        claims: Claims,
        algorithm: Algorithm,
    ) -> Result<Written> {
        let body = body.unwrap_or_else(|| StreamingBlob::wrap(stream::empty::<std::io::Result<bytes::Bytes>>()));
        let written = self.blobs.write(body, algorithm).await.map_err(|error| {
            // The disk's errors have a kind of their own; the connection's come wrapped.
            if error.kind() == std::io::ErrorKind::Other { incomplete() } else { internal(error) }
        })?;
        match check(&written, claims, algorithm) {
            Ok(()) => Ok(written),
            Err(error) => {
                self.blobs.remove(&written.blob).await;
                Err(error)
            }
        }
    }
}

fn incomplete() -> S3Error {
    s3_error!(IncompleteBody, "You did not provide the number of bytes specified by the Content-Length HTTP header.")
}

fn check(written: &Written, claims: Claims, algorithm: Algorithm) -> Result<()> {
    if claims.content_length.is_some_and(|length| length != written.size) {
        return Err(incomplete());
    }
    if let Some(claimed) = &claims.content_md5 {
        if BASE64.decode(claimed).map_or(0, |md5| md5.len()) != 16 {
            return Err(s3_error!(InvalidDigest, "The Content-MD5 you specified was invalid."));
        }
        if *claimed != written.md5_base64() {
            return Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received."));
        }
    }
    let mut claimed = claims.checksums;
    if let Some(trailers) = claims.trailing_headers.and_then(|trailers| trailers.take()) {
        for algorithm in Algorithm::ALL {
            if let Some(value) = trailers.get(algorithm.header()) {
                let value = value.to_str().map_err(internal)?;
                claimed.push((algorithm, value.to_owned()));
            }
        }
    }
    for (claimed_algorithm, value) in claimed {
        if claimed_algorithm != algorithm {
            return Err(wrong_type(algorithm, claimed_algorithm));
        }
        if value != written.checksum {
            return Err(s3_error!(
                BadDigest,
                "The {} you specified did not match the calculated checksum.",
                algorithm.name()
            ));
        }
    }
    Ok(())
}

/// A part's checksum is of another kind than its upload's.
pub(super) fn wrong_type(expected: Algorithm, given: Algorithm) -> S3Error {
    s3_error!(
        InvalidRequest,
        "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
        expected.name().to_ascii_lowercase(),
        given.name().to_ascii_lowercase()
    )
}
