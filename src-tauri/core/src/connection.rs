//! Who we talk to, and how one signs in: the account of a workspace, before anything is known of what is in it.

pub mod credentials;
mod profile_files;
mod profiles;
mod secrets;

use aws_config::{BehaviorVersion, ConfigLoader};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use self::credentials::CredentialsSource;
pub(crate) use self::profile_files::ProfileFiles;
pub use self::profiles::{Profile, ProfileKind, Profiles, find as profile, profiles};
pub use self::secrets::{Keep, keyring_works};
use crate::{Code, Error, Result, http};

/// How an account is reached: what is needed before anything is known of what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// The AWS region.
    pub region: String,
    /// Where the credentials come from.
    pub credentials: CredentialsSource,
    /// An endpoint of all services instead of AWS's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub endpoint: Option<String>,
    /// An endpoint of S3 alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub s3_endpoint: Option<String>,
    /// Whether to use the endpoints that are validated for FIPS 140.
    #[serde(default)]
    pub fips: bool,
    /// Whether to use the endpoints that have IPv6 too.
    #[serde(default)]
    pub dual_stack: bool,
    /// Whether the bytes of uploads go through S3 Transfer Acceleration. Source: S3 User Guide, "Configuring fast, secure
    /// file transfers using Amazon S3 Transfer Acceleration".
    #[serde(default)]
    pub transfer_acceleration: bool,
}

impl Connection {
    /// Refuses a connection that can lead nowhere, before AWS is asked.
    ///
    /// # Errors
    /// [`Code::Invalid`] with the field and what is wrong with it.
    pub fn check(&self) -> Result<()> {
        let invalid = |message: String, remedy: &str| Err(Error::new(Code::Invalid, message, remedy));
        let is_region = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if self.region.is_empty() || !is_region(&self.region) {
            return invalid(
                format!("\"{}\" is no region.", self.region),
                "Name one such as eu-central-1, without quotes.",
            );
        }
        for endpoint in [&self.endpoint, &self.s3_endpoint].into_iter().flatten() {
            let is_address = |url: &url::Url| matches!(url.scheme(), "http" | "https") && url.has_host();
            if !url::Url::parse(endpoint).is_ok_and(|url| is_address(&url)) {
                return invalid(
                    format!("\"{endpoint}\" is no address of a service."),
                    "Begin it with https:// or http://, or leave it out for AWS itself.",
                );
            }
        }
        if self.transfer_acceleration && self.is_elsewhere() {
            return invalid(
                "S3 Transfer Acceleration works with AWS's own endpoints only.".to_owned(),
                "Turn it off, or leave the endpoints of the workspace empty.",
            );
        }
        if self.transfer_acceleration && self.fips {
            return invalid(
                "S3 Transfer Acceleration has no FIPS 140 endpoints.".to_owned(),
                "Turn one of the two off.",
            );
        }
        Ok(())
    }

    /// Whether its S3 is none of AWS's own.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.endpoint.is_some() || self.s3_endpoint.is_some()
    }

    /// Whether it leads to the sandbox of this computer.
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        self.credentials == CredentialsSource::Sandbox
    }

    /// What the whole is called in ARNs: `aws`, `aws-cn` or `aws-us-gov`.
    #[must_use]
    pub fn partition(&self) -> &'static str {
        match self.region.as_str() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }
}

/// The SDK's defaults, by way of the environment's proxy unless AWS is stood in for on this computer.
///
/// # Errors
/// When `AWS_CA_BUNDLE` names no file that can be read.
pub(crate) async fn configuration(local: bool) -> Result<ConfigLoader> {
    let defaults = aws_config::defaults(BehaviorVersion::latest()).profile_files(ProfileFiles::read().await.files);
    Ok(match http::client(local)? {
        Some(client) => defaults.http_client(client),
        None => defaults,
    })
}
