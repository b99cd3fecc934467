//! The CRC64NVME that guards every part and the whole. Source: S3 User Guide, "Checking object integrity".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crc_fast::CrcAlgorithm::Crc64Nvme;

/// A CRC64NVME; shown as S3 writes it: base64 of its 8 bytes, the highest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Checksum(u64);

impl Checksum {
    /// The checksum that is this number.
    #[must_use]
    pub fn of_value(value: u64) -> Self {
        Self(value)
    }

    /// The checksum of these bytes.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(crc_fast::checksum(Crc64Nvme, bytes))
    }

    /// The checksum of all that a reader gives.
    ///
    /// # Errors
    /// What the reader answers.
    pub fn of_reader(mut reader: impl std::io::Read) -> std::io::Result<Self> {
        let (mut digest, mut bytes) = (crc_fast::Digest::new(Crc64Nvme), vec![0; 256 * 1024]);
        loop {
            match reader.read(&mut bytes)? {
                0 => return Ok(Self::of_value(digest.finalize())),
                read => digest.update(&bytes[..read]),
            }
        }
    }

    /// As S3 writes it; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(u64::from_be_bytes(BASE64.decode(text).ok()?.try_into().ok()?)))
    }

    /// The checksum of these bytes and, behind them, `length` bytes with the checksum `next`.
    #[must_use]
    pub fn followed_by(self, next: Self, length: u64) -> Self {
        Self(crc_fast::checksum_combine(Crc64Nvme, self.0, next.0, length))
    }
}

impl std::fmt::Display for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&BASE64.encode(self.0.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_is_combined_from_its_parts() {
        let bytes: Vec<u8> = (0..2_000_003_u32).map(|n| ((n * 31) >> 3) as u8).collect();
        let parts = bytes.chunks(700_000).map(|part| (Checksum::of_bytes(part), part.len() as u64));
        let whole = parts.reduce(|(whole, _), (part, length)| (whole.followed_by(part, length), length)).unwrap().0;
        assert_eq!(whole, Checksum::of_bytes(&bytes));
        assert_eq!(Checksum::parse(&whole.to_string()), Some(whole));
    }

    #[test]
    fn as_s3_writes_it() {
        // Check value of CRC-64/NVME over "123456789": AE8B14860A799888.
        assert_eq!(Checksum::of_bytes(b"123456789").to_string(), "rosUhgp5mIg=");
        assert_eq!(Checksum::parse("rosUhgp5mIg"), None);
        assert_eq!(Checksum::parse("AAAA"), None);
    }
}
