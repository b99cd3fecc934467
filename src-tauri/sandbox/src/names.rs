//! What the sandbox calls its own.

/// The region that the sandbox says it is in.
pub const REGION: &str = "us-east-1";
/// The name of the pipeline's stack.
pub const STACK: &str = "reeldesk-sandbox";
/// The bucket that starts the pipeline.
pub const SOURCE_BUCKET: &str = "reeldesk-sandbox-source";
/// The bucket that encodes are written to and that the CDN serves.
pub const DESTINATION_BUCKET: &str = "reeldesk-sandbox-destination";
/// The catalog table.
pub const TABLE: &str = "reeldesk-sandbox";
/// The catalog table of an operator's own, where there is one ([`crate::CatalogKind::Custom`]).
pub const CUSTOM_TABLE: &str = "reeldesk-sandbox-videos";
/// The index of the catalog by source bucket and start time.
pub const TABLE_INDEX: &str = "srcBucket-startTime-index";
/// The role that jobs are submitted with.
pub const ROLE: &str = "arn:aws:iam::000000000000:role/reeldesk-sandbox-mediaconvert";

/// The key of KMS that the source bucket is encrypted with, where it is ([`crate::Options::kms`]).
pub const KMS_KEY: &str = "arn:aws:kms:us-east-1:000000000000:key/0e3d5d6c-5f0a-4f6b-9a44-7d4a8a3c2b10";

/// The user pool of the viewers.
pub const USER_POOL: &str = "us-east-1_Reeldesk0";

/// The app client of the pool that viewers sign in with.
pub const APP_CLIENT: &str = "reeldesksandboxviewers0000";

/// The id of the account.
pub(crate) const ACCOUNT: &str = "000000000000";

/// The access key of the sandbox. It opens nothing but the sandbox of this computer, so it is no secret.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
}

impl Default for Credentials {
    fn default() -> Self {
        Self { access_key_id: "REELDESKSANDBOX".into(), secret_access_key: "reeldesk-sandbox-local-only".into() }
    }
}
