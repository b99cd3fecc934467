//! What S3 is asked to encrypt an object with. Source: PutObject, `x-amz-server-side-encryption`.

use aws_sdk_s3::types::ServerSideEncryption;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The header that goes with each object; a bucket's policy may want one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum EncryptionHeader {
    /// None: the bucket decides.
    #[default]
    None,
    /// `AES256`: with keys of S3.
    Aes256,
    /// `aws:kms`: with a key of KMS.
    Kms,
    /// `aws:kms:dsse`: the same, in two layers.
    KmsDsse,
}

impl std::str::FromStr for EncryptionHeader {
    type Err = String;

    /// As the header has it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "AES256" => Ok(Self::Aes256),
            "aws:kms" => Ok(Self::Kms),
            "aws:kms:dsse" => Ok(Self::KmsDsse),
            _ => Err("AES256, aws:kms and aws:kms:dsse are known".to_owned()),
        }
    }
}

/// What is asked for: the header, and the key where it names one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encryption {
    /// The header.
    pub header: EncryptionHeader,
    /// The id, the ARN or the alias of a key of KMS.
    pub kms_key: Option<String>,
}

impl Encryption {
    /// For `x-amz-server-side-encryption`.
    #[must_use]
    pub fn algorithm(&self) -> Option<ServerSideEncryption> {
        match self.header {
            EncryptionHeader::None => None,
            EncryptionHeader::Aes256 => Some(ServerSideEncryption::Aes256),
            EncryptionHeader::Kms => Some(ServerSideEncryption::AwsKms),
            EncryptionHeader::KmsDsse => Some(ServerSideEncryption::AwsKmsDsse),
        }
    }

    /// For `x-amz-server-side-encryption-aws-kms-key-id`, which S3 takes beside a header of KMS only.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        let is_kms = matches!(self.header, EncryptionHeader::Kms | EncryptionHeader::KmsDsse);
        self.kms_key.clone().filter(|_| is_kms)
    }
}
