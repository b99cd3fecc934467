//! The checksums that S3 knows, over one object, one part, or a whole made of parts.
//!
//! Source: S3 User Guide, "Checking object integrity in Amazon S3".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crc_fast::CrcAlgorithm;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

/// A checksum algorithm, by its S3 name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub const ALL: [Self; 5] = [Self::Crc64nvme, Self::Crc32, Self::Crc32c, Self::Sha1, Self::Sha256];

    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The lower-case name of the header that carries a checksum of this kind.
    pub fn header(self) -> String {
        format!("x-amz-checksum-{}", self.name().to_ascii_lowercase())
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    fn crc(self) -> Option<(CrcAlgorithm, usize)> {
        match self {
            Self::Crc32 => Some((CrcAlgorithm::Crc32IsoHdlc, 4)),
            Self::Crc32c => Some((CrcAlgorithm::Crc32Iscsi, 4)),
            Self::Crc64nvme => Some((CrcAlgorithm::Crc64Nvme, 8)),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    /// Whether a multipart object can carry one checksum of the whole.
    pub fn can_be_full_object(self) -> bool {
        self.crc().is_some()
    }

    /// Whether a multipart object can carry a checksum of its parts' checksums.
    pub fn can_be_composite(self) -> bool {
        self != Self::Crc64nvme
    }

    /// The checksum of the whole from those of its parts (base64) and their sizes in bytes.
    /// `None` when a part's checksum is not one of this algorithm.
    pub fn full_object(self, parts: &[(String, i64)]) -> Option<String> {
        let (algorithm, width) = self.crc()?;
        let mut whole = None;
        for (checksum, size) in parts {
            let value = number(&BASE64.decode(checksum).ok()?);
            whole = Some(match whole {
                None => value,
                Some(before) => crc_fast::checksum_combine(algorithm, before, value, u64::try_from(*size).ok()?),
            });
        }
        Some(BASE64.encode(&whole?.to_be_bytes()[8 - width..]))
    }

    /// The checksum of the parts' checksums, with their count, as S3 writes it (`<base64>-<n>`).
    pub fn composite(self, parts: &[(String, i64)]) -> Option<String> {
        let mut hasher = Hasher::new(self);
        for (checksum, _) in parts {
            hasher.update(&BASE64.decode(checksum).ok()?);
        }
        Some(format!("{}-{}", hasher.finish(), parts.len()))
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// One pass over the bytes.
pub(crate) enum Hasher {
    Crc(crc_fast::Digest, usize),
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
}

impl Hasher {
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm.crc() {
            Some((crc, width)) => Self::Crc(crc_fast::Digest::new(crc), width),
            None if algorithm == Algorithm::Sha1 => Self::Sha1(sha1::Sha1::new()),
            None => Self::Sha256(sha2::Sha256::new()),
        }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(digest, _) => digest.update(bytes),
            Self::Sha1(digest) => digest.update(bytes),
            Self::Sha256(digest) => digest.update(bytes),
        }
    }

    /// The checksum, base64 of its big-endian bytes.
    pub fn finish(self) -> String {
        match self {
            Self::Crc(digest, width) => BASE64.encode(&digest.finalize().to_be_bytes()[8 - width..]),
            Self::Sha1(digest) => BASE64.encode(digest.finalize()),
            Self::Sha256(digest) => BASE64.encode(digest.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(algorithm: Algorithm, bytes: &[u8]) -> String {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// The check values of the CRC catalogue for `123456789`, and FIPS 180's for `abc`.
    #[test]
    fn published_check_values() {
        let base64 = |hex: &str| BASE64.encode(hex::decode(hex).unwrap());
        assert_eq!(of(Algorithm::Crc32, b"123456789"), base64("cbf43926"));
        assert_eq!(of(Algorithm::Crc32c, b"123456789"), base64("e3069283"));
        assert_eq!(of(Algorithm::Crc64nvme, b"123456789"), base64("ae8b14860a799888"));
        assert_eq!(of(Algorithm::Sha1, b"abc"), base64("a9993e364706816aba3e25717850c26c9cd0d89d"));
    }

    #[test]
    fn the_whole_from_its_parts() {
        let (a, b, c) = (vec![7_u8; 5_000], vec![9_u8; 3], vec![1_u8; 70_000]);
        let whole = [a.clone(), b.clone(), c.clone()].concat();
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64nvme] {
            let parts: Vec<_> = [&a, &b, &c].map(|part| (of(algorithm, part), part.len() as i64)).to_vec();
            assert_eq!(algorithm.full_object(&parts), Some(of(algorithm, &whole)));
        }
        assert_eq!(Algorithm::Sha256.full_object(&[]), None);
    }
}
