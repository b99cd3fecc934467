//! Where credentials come from, and what a person does to get them.

mod cognito;
mod mfa;
mod sso;

use std::time::SystemTime;

use aws_config::ConfigLoader;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_credential_types::Credentials;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;
use zeroize::Zeroizing;

pub use self::cognito::{PoolUser, sign_in_user};
pub use self::mfa::give_code;
pub use self::sso::{DeviceSignIn, begin as begin_sso};
use super::profile_files::encoded;
use super::secrets::{self, Keep};
use super::{Connection, ProfileKind, profiles};
use crate::{Code, Error, Result};

/// The access key of a sandbox. It opens nothing but the one of this computer, so it is no secret.
pub(crate) const SANDBOX_KEY: (&str, &str) = ("REELDESKSANDBOX", "reeldesk-sandbox-local-only");

/// Where a workspace's credentials come from. No secret is ever part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum CredentialsSource {
    /// The sandbox's own access key.
    Sandbox,
    /// A profile of the AWS configuration files.
    Profile {
        /// Its name.
        name: String,
    },
    /// `AWS_ACCESS_KEY_ID` and its like.
    Environment,
    /// An access key that was typed in.
    AccessKey {
        /// The entry that holds it, in the keyring or in memory.
        #[ts(type = "string")]
        entry: Uuid,
    },
    /// A user of a Cognito pool.
    PoolUser {
        /// Who.
        #[serde(flatten)]
        user: PoolUser,
        /// The entry that holds the refresh token, in the keyring or in memory.
        #[ts(type = "string")]
        entry: Uuid,
    },
}

/// An access key as it is typed in.
#[derive(Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AccessKey {
    /// `AKIA...`, or `ASIA...` for a temporary one.
    pub access_key_id: String,
    /// The secret part.
    pub secret_access_key: String,
    /// Only temporary keys have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub session_token: Option<String>,
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessKey")
    }
}

impl Drop for AccessKey {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.secret_access_key);
        zeroize::Zeroize::zeroize(&mut self.session_token);
    }
}

impl AccessKey {
    /// Without what a copy from a page or a mail brings along.
    ///
    /// # Errors
    /// [`Code::Invalid`] with the field that cannot be right.
    fn tidied(&self) -> Result<Self> {
        let tidied = Self {
            access_key_id: self.access_key_id.trim().to_owned(),
            secret_access_key: self.secret_access_key.trim().to_owned(),
            session_token: self
                .session_token
                .as_deref()
                .map(str::trim)
                .filter(|token| !token.is_empty())
                .map(str::to_owned),
        };
        let wrong = |field: &str, reason: &str| {
            Err(Error::new(Code::Invalid, format!("The {field} {reason}."), "Copy it again, all of it."))
        };
        if tidied.access_key_id.is_empty() || !tidied.access_key_id.chars().all(|c| c.is_ascii_alphanumeric()) {
            return wrong("access key id", "has only capital letters and digits, such as AKIAIOSFODNN7EXAMPLE");
        }
        if tidied.secret_access_key.is_empty() || tidied.secret_access_key.contains(char::is_whitespace) {
            return wrong("secret access key", "is empty or has spaces");
        }
        if tidied.access_key_id.starts_with("ASIA") && tidied.session_token.is_none() {
            return wrong("session token", "is missing: keys that begin with ASIA are temporary and have one");
        }
        Ok(tidied)
    }
}

/// The entry of a source that has one, otherwise a new one.
fn entry_of(source: Option<&CredentialsSource>) -> Uuid {
    match source {
        Some(CredentialsSource::AccessKey { entry } | CredentialsSource::PoolUser { entry, .. }) => *entry,
        _ => Uuid::new_v4(),
    }
}

/// Keeps an access key, under a new entry or in place of what the source before holds.
///
/// # Errors
/// [`Code::Invalid`] for a key that cannot be one, [`Code::NoKeyring`].
pub async fn give_access_key(
    key: AccessKey,
    keep: Keep,
    before: Option<&CredentialsSource>,
) -> Result<CredentialsSource> {
    let entry = entry_of(before);
    let secret = Zeroizing::new(serde_json::to_string(&key.tidied()?).map_err(Error::internal)?);
    secrets::keep(entry, secret, keep).await?;
    Ok(CredentialsSource::AccessKey { entry })
}

/// Forgets the secrets of a source that is no longer used.
pub async fn forget(source: &CredentialsSource) {
    if let CredentialsSource::AccessKey { entry } | CredentialsSource::PoolUser { entry, .. } = source {
        secrets::forget(*entry).await;
    }
}

/// What a person does to get credentials of a source that has none, or none any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum SignIn {
    /// Types the access key again.
    AccessKey {
        /// Where it will be kept.
        #[ts(type = "string")]
        entry: Uuid,
    },
    /// Types the code of a device.
    MfaCode {
        /// The profile.
        profile: String,
        /// The ARN or serial number of the device.
        device: String,
    },
    /// Signs in to IAM Identity Center in the browser.
    Sso {
        /// The profile.
        profile: String,
    },
    /// Types the password of a user of a pool.
    Password {
        /// Who.
        #[serde(flatten)]
        user: PoolUser,
        /// Where the refresh token will be kept.
        #[ts(type = "string")]
        entry: Uuid,
    },
    /// Runs a command of the AWS tools, or mends what gives the credentials.
    Elsewhere {
        /// What to do, as a sentence.
        remedy: String,
    },
}

impl SignIn {
    /// How it is done for this connection.
    ///
    /// # Errors
    /// When the AWS configuration files cannot be read or lack the profile.
    pub async fn of(connection: &Connection) -> Result<Self> {
        let elsewhere = |remedy: String| Ok(Self::Elsewhere { remedy });
        match &connection.credentials {
            CredentialsSource::Sandbox => elsewhere("Start the sandbox again.".into()),
            CredentialsSource::Environment => {
                elsewhere("Start Reeldesk again with fresh AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.".into())
            }
            CredentialsSource::AccessKey { entry } => Ok(Self::AccessKey { entry: *entry }),
            CredentialsSource::PoolUser { user, entry } => Ok(Self::Password { user: user.clone(), entry: *entry }),
            CredentialsSource::Profile { name } => match profiles::find(name).await?.kind {
                ProfileKind::RoleWithMfa { device, .. } => Ok(Self::MfaCode { profile: name.clone(), device }),
                ProfileKind::Sso { .. } => Ok(Self::Sso { profile: name.clone() }),
                ProfileKind::Login => elsewhere(format!("Run aws login --profile {name}, then go on.")),
                ProfileKind::Process => elsewhere(format!(
                    "The program that gives the credentials of the profile \"{name}\" failed: ask who set it up."
                )),
                ProfileKind::AccessKey | ProfileKind::Role | ProfileKind::Other => {
                    elsewhere(format!("Put valid keys into the profile \"{name}\" (aws configure), then go on."))
                }
            },
        }
    }
}

/// When the credentials of a connection end, where it is known and nothing but a person renews them.
pub(crate) fn ends(connection: &Connection) -> Option<SystemTime> {
    match &connection.credentials {
        CredentialsSource::Profile { name } => mfa::ends(name),
        _ => None,
    }
}

/// Adds the credentials of a connection to a configuration.
///
/// # Errors
/// [`Code::SignIn`] where a secret or a code has to be given first, [`Code::NotFound`] for a profile that is not there.
pub(crate) async fn provider(connection: &Connection, loader: ConfigLoader) -> Result<ConfigLoader> {
    Ok(match &connection.credentials {
        CredentialsSource::Sandbox => {
            let (id, secret) = SANDBOX_KEY;
            loader.credentials_provider(Credentials::from_keys(id, secret, None))
        }
        CredentialsSource::Environment => loader.credentials_provider(EnvironmentVariableCredentialsProvider::new()),
        CredentialsSource::Profile { name } => match profiles::find(name).await?.kind {
            ProfileKind::RoleWithMfa { .. } => loader.credentials_provider(mfa::Role::of(name)),
            _ => loader.profile_name(encoded(name)),
        },
        CredentialsSource::PoolUser { user, entry } => loader.credentials_provider(cognito::SignedIn {
            user: user.clone(),
            entry: *entry,
            endpoint: connection.endpoint.clone(),
        }),
        CredentialsSource::AccessKey { entry } => {
            let secret = secrets::find(*entry).await.ok_or_else(key_is_missing)?;
            let key: AccessKey = serde_json::from_str(&secret).map_err(|_| key_is_missing())?;
            loader.credentials_provider(Credentials::from_keys(
                key.access_key_id.clone(),
                key.secret_access_key.clone(),
                key.session_token.clone(),
            ))
        }
    })
}

fn key_is_missing() -> Error {
    Error::new(
        Code::SignIn,
        "The access key of this workspace is not on this computer.",
        "Enter it again: it is kept in the keyring, or until Reeldesk is closed.",
    )
}
