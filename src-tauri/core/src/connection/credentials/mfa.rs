//! Roles that want the code of a device. The SDK for Rust does not know `mfa_serial`, so the role is assumed here.
//! Source: AWS STS API Reference, `AssumeRole`.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::Region;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};

use super::super::profile_files::encoded;
use super::super::{ProfileFiles, configuration};
use super::super::{ProfileKind, profiles};
use crate::explain::explain;
use crate::{Code, Error, Result};

/// The credentials that codes were given for, by profile; they are never written.
static ASSUMED: LazyLock<Mutex<HashMap<String, Credentials>>> = LazyLock::new(Mutex::default);

/// Credentials that end so soon are asked for anew.
const ENDS_SOON: Duration = Duration::from_secs(60);

/// The role of a profile, once a code was given for it.
#[derive(Clone, Debug)]
pub(super) struct Role {
    profile: String,
}

impl Role {
    pub fn of(profile: &str) -> Self {
        Self { profile: profile.to_owned() }
    }

    fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let assumed = ASSUMED.lock().unwrap_or_else(PoisonError::into_inner);
        let soon = SystemTime::now() + ENDS_SOON;
        assumed
            .get(&self.profile)
            .filter(|credentials| credentials.expiry().is_none_or(|expiry| expiry > soon))
            .cloned()
            .ok_or_else(|| CredentialsError::not_loaded("the profile wants the code of its device"))
    }
}

impl ProvideCredentials for Role {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(self.credentials())
    }
}

/// When the credentials of a profile's role end, where a code was given for it.
pub(super) fn ends(profile: &str) -> Option<SystemTime> {
    ASSUMED.lock().unwrap_or_else(PoisonError::into_inner).get(profile)?.expiry()
}

/// Assumes the role of a profile with the code that its device shows.
///
/// # Errors
/// [`Code::Invalid`] for what is no code, [`Code::SignIn`] for a wrong one, and what hinders STS.
pub async fn give_code(profile: &str, region: &str, endpoint: Option<&str>, code: &str) -> Result<()> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if code.len() != 6 || !code.chars().all(|c| c.is_ascii_digit()) {
        return Err(Error::new(
            Code::Invalid,
            "The code has six digits.",
            "Type the one that your device shows at this moment.",
        ));
    }
    let ProfileKind::RoleWithMfa { device, role, source, external_id, duration, session } =
        profiles::find(profile).await?.kind
    else {
        return Err(Error::new(
            Code::Invalid,
            format!("The profile \"{profile}\" does not ask for a code."),
            "Connect with it as it is.",
        ));
    };
    let mut loader = configuration(false).await?.region(Region::new(region.to_owned())).credentials_provider(
        ProfileFileCredentialsProvider::builder()
            .profile_files(ProfileFiles::read().await.files)
            .profile_name(encoded(&source))
            .build(),
    );
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    let assumed = aws_sdk_sts::Client::new(&loader.load().await)
        .assume_role()
        .role_arn(role)
        .role_session_name(session.unwrap_or_else(|| "reeldesk".to_owned()))
        .set_duration_seconds(duration)
        .serial_number(device)
        .token_code(code)
        .set_external_id(external_id)
        .send()
        .await
        .map_err(|error| explain("The role could not be assumed with this code", error))?;
    let given = assumed.credentials.ok_or_else(|| Error::internal("STS gave no credentials"))?;
    let credentials = Credentials::new(
        given.access_key_id,
        given.secret_access_key,
        Some(given.session_token),
        SystemTime::try_from(given.expiration).ok(),
        "AssumeRole with a code",
    );
    ASSUMED.lock().unwrap_or_else(PoisonError::into_inner).insert(profile.to_owned(), credentials);
    Ok(())
}
