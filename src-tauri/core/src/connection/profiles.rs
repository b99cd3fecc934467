//! The profiles of the AWS configuration files. Source: AWS SDKs and Tools Reference Guide, "Shared config and
//! credentials files".

use aws_config::profile::ProfileSet;
use aws_types::os_shim_internal::{Env, Fs};
use serde::Serialize;
use ts_rs::TS;

use super::profile_files::{ProfileFiles, decoded};
use crate::{Code, Error, Result};

/// A profile as it is chosen from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The region that it names.
    pub region: Option<String>,
    /// How it gets its credentials.
    pub kind: ProfileKind,
}

/// How a profile gets its credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum ProfileKind {
    /// An access key in the file.
    AccessKey,
    /// A role that another profile assumes, without a code.
    Role,
    /// A role that wants the code of a device for multi-factor authentication.
    #[serde(rename_all = "camelCase")]
    RoleWithMfa {
        /// The ARN or serial number of the device.
        device: String,
        /// The ARN of the role.
        role: String,
        /// The profile that assumes it.
        source: String,
        /// What the role's owner wants to be told, where they do.
        external_id: Option<String>,
        /// Seconds that the credentials are to be good for (`duration_seconds`); none for STS's own hour.
        duration: Option<i32>,
        /// What the session is called in CloudTrail (`role_session_name`).
        session: Option<String>,
    },
    /// IAM Identity Center.
    #[serde(rename_all = "camelCase")]
    Sso {
        /// The name of the session, as the file has it; none for a profile of the older kind.
        session: Option<String>,
        /// Where people sign in.
        start_url: String,
        /// The region of the Identity Center.
        region: String,
    },
    /// `aws login`.
    Login,
    /// A program that prints them.
    Process,
    /// Something else that the SDK may know.
    Other,
}

/// The profiles of this computer, and what of its files cannot be understood.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Profiles {
    /// By name, `default` first.
    pub profiles: Vec<Profile>,
    /// With file and line.
    pub troubles: Vec<Error>,
}

/// All profiles of the files that `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE` name, or of `~/.aws`.
///
/// # Errors
/// [`Code::Invalid`] where the files cannot be understood at all.
pub async fn profiles() -> Result<Profiles> {
    let read = ProfileFiles::read().await;
    let loaded = aws_config::profile::load(&Fs::real(), &Env::real(), &read.files, None).await;
    let set = loaded.map_err(|error| {
        Error::new(
            Code::Invalid,
            "The AWS configuration files of this computer cannot be understood.",
            "Correct the line that the details name in ~/.aws/config or ~/.aws/credentials.",
        )
        .with_details(aws_smithy_types::error::display::DisplayErrorContext(error))
    })?;
    let mut all: Vec<_> = set.profiles().filter_map(|name| profile(&set, name)).collect();
    all.sort_by_key(|profile| (profile.name != "default", profile.name.to_lowercase()));
    Ok(Profiles { profiles: all, troubles: read.troubles })
}

/// One of them.
///
/// # Errors
/// As [`profiles`]; [`Code::NotFound`] where there is none of this name.
pub async fn find(name: &str) -> Result<Profile> {
    let Profiles { profiles, troubles } = profiles().await?;
    profiles.iter().find(|profile| profile.name == name).cloned().ok_or_else(|| {
        let names: Vec<_> = profiles.iter().map(|profile| profile.name.as_str()).collect();
        let remedy = match (troubles.first(), names.is_empty()) {
            (Some(trouble), _) => format!("{} {}", trouble.message, trouble.remedy),
            (None, true) => "Run aws configure, or choose another way to sign in.".to_owned(),
            (None, false) => format!("Choose one of these: {}.", names.join(", ")),
        };
        Error::new(Code::NotFound, format!("There is no AWS profile \"{name}\" on this computer."), remedy)
    })
}

fn profile(set: &ProfileSet, name: &str) -> Option<Profile> {
    let profile = set.get_profile(name)?;
    let text = |key| profile.get(key).map(str::to_owned);
    let sso = |session: Option<&str>| {
        let of = |key| match session {
            Some(session) => set.sso_session(session)?.get(key).map(str::to_owned),
            None => text(key),
        };
        Some(ProfileKind::Sso {
            session: session.map(str::to_owned),
            start_url: of("sso_start_url")?,
            region: of("sso_region")?,
        })
    };
    let kind = if let (Some(role), Some(source), Some(device)) =
        (text("role_arn"), text("source_profile"), text("mfa_serial"))
    {
        ProfileKind::RoleWithMfa {
            device,
            role,
            source: decoded(&source),
            external_id: text("external_id"),
            duration: text("duration_seconds").and_then(|text| text.parse().ok()),
            session: text("role_session_name"),
        }
    } else if profile.get("role_arn").is_some() {
        ProfileKind::Role
    } else if let Some(session) = profile.get("sso_session") {
        sso(Some(session)).unwrap_or(ProfileKind::Other)
    } else if profile.get("sso_start_url").is_some() {
        sso(None).unwrap_or(ProfileKind::Other)
    } else if profile.get("login_session").is_some() {
        ProfileKind::Login
    } else if profile.get("credential_process").is_some() {
        ProfileKind::Process
    } else if profile.get("aws_access_key_id").is_some() {
        ProfileKind::AccessKey
    } else {
        ProfileKind::Other
    };
    Some(Profile { name: decoded(name), region: text("region"), kind })
}
