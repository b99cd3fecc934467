//! The sign-in to IAM Identity Center by device authorization (RFC 8628). Its token goes where the AWS tools keep
//! theirs, so that this sign-in is one for all of them. Source: IAM Identity Center OIDC API Reference,
//! `RegisterClient`, `StartDeviceAuthorization`, `CreateToken`; AWS SDKs and Tools Reference Guide, "IAM Identity Center
//! credential provider".

use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_config::Region;
use aws_sdk_ssooidc::Client;
use aws_sdk_ssooidc::error::SdkError;
use aws_sdk_ssooidc::operation::create_token::{CreateTokenError, CreateTokenOutput};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::json;
use sha1::{Digest as _, Sha1};

use super::super::configuration;
use super::super::{ProfileKind, profiles};
use crate::explain::explain;
use crate::{Code, Error, Result};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What the answer counts from, where it names no interval (RFC 8628, 3.2), and what a request to slow down adds (3.5).
const INTERVAL: Duration = Duration::from_secs(5);

/// A sign-in that waits for the person.
pub struct DeviceSignIn {
    /// The page to confirm it on; it has the code in it.
    pub url: String,
    /// The code that the page shows, to compare.
    pub code: String,
    client: Client,
    client_id: String,
    client_secret: String,
    registration_ends: i64,
    device_code: String,
    interval: Duration,
    ends: SystemTime,
    session: Option<String>,
    start_url: String,
    region: String,
}

/// Begins the sign-in of a profile.
///
/// # Errors
/// When the profile has no Identity Center, or it refuses or cannot be reached.
pub async fn begin(profile: &str) -> Result<DeviceSignIn> {
    let ProfileKind::Sso { session, start_url, region } = profiles::find(profile).await?.kind else {
        return Err(Error::new(
            Code::Invalid,
            format!("The profile \"{profile}\" does not sign in with IAM Identity Center."),
            "Connect with it as it is.",
        ));
    };
    let config = configuration(false).await?.region(Region::new(region.clone())).no_credentials().load().await;
    let client = Client::new(&config);
    let doing = "The sign-in could not begin";
    let registered = client
        .register_client()
        .client_name("Reeldesk")
        .client_type("public")
        .scopes("sso:account:access")
        .send()
        .await
        .map_err(|error| explain(doing, error))?;
    let missing = || Error::internal("the Identity Center left out a part of its answer");
    let client_id = registered.client_id.ok_or_else(missing)?;
    let client_secret = registered.client_secret.ok_or_else(missing)?;
    let begun = client
        .start_device_authorization()
        .client_id(&client_id)
        .client_secret(&client_secret)
        .start_url(&start_url)
        .send()
        .await
        .map_err(|error| explain(doing, error))?;
    let interval = u64::try_from(begun.interval).ok().filter(|seconds| *seconds > 0);
    Ok(DeviceSignIn {
        url: begun.verification_uri_complete.or(begun.verification_uri).ok_or_else(missing)?,
        code: begun.user_code.ok_or_else(missing)?,
        client,
        client_id,
        client_secret,
        registration_ends: registered.client_secret_expires_at,
        device_code: begun.device_code.ok_or_else(missing)?,
        interval: interval.map_or(INTERVAL, Duration::from_secs),
        ends: SystemTime::now() + Duration::from_secs(u64::try_from(begun.expires_in).unwrap_or(0)),
        session,
        start_url,
        region,
    })
}

impl DeviceSignIn {
    /// Waits until the person has confirmed it, and keeps the token.
    ///
    /// # Errors
    /// [`Code::SignIn`] when the person refused or took too long, and what hinders the Identity Center.
    pub async fn finish(mut self) -> Result<()> {
        loop {
            tokio::time::sleep(self.interval).await;
            let answer = self
                .client
                .create_token()
                .client_id(&self.client_id)
                .client_secret(&self.client_secret)
                .grant_type(GRANT)
                .device_code(&self.device_code)
                .send()
                .await;
            match answer {
                Ok(token) => return self.keep(&token),
                Err(error) => self.go_on_after(error)?,
            }
        }
    }

    fn go_on_after(&mut self, error: SdkError<CreateTokenError>) -> Result<()> {
        let not = |what: &str| Err(Error::new(Code::SignIn, what, "Begin the sign-in again."));
        match error.as_service_error() {
            Some(CreateTokenError::AuthorizationPendingException(_)) if SystemTime::now() < self.ends => Ok(()),
            Some(CreateTokenError::SlowDownException(_)) if SystemTime::now() < self.ends => {
                self.interval += INTERVAL;
                Ok(())
            }
            Some(
                CreateTokenError::AuthorizationPendingException(_)
                | CreateTokenError::SlowDownException(_)
                | CreateTokenError::ExpiredTokenException(_),
            ) => not("Nobody confirmed the sign-in in time."),
            Some(CreateTokenError::AccessDeniedException(_)) => not("The sign-in was refused in the browser."),
            _ => Err(explain("The sign-in could not be finished", error)),
        }
    }

    /// Writes the token where the SDK looks for it.
    fn keep(&self, token: &CreateTokenOutput) -> Result<()> {
        let Some(access_token) = &token.access_token else {
            return Err(Error::internal("the Identity Center gave no token"));
        };
        let now = DateTime::from(SystemTime::now()).secs();
        let date = |seconds: i64| DateTime::from_secs(seconds).fmt(Format::DateTime).map_err(Error::internal);
        let mut content = json!({
            "accessToken": access_token,
            "expiresAt": date(now + i64::from(token.expires_in))?,
            "clientId": self.client_id,
            "clientSecret": self.client_secret,
            "registrationExpiresAt": date(self.registration_ends)?,
            "region": self.region,
            "startUrl": self.start_url,
        });
        if let Some(refresh_token) = &token.refresh_token {
            content["refreshToken"] = refresh_token.as_str().into();
        }
        let path = self.token_path()?;
        let folder = path.parent().ok_or_else(|| Error::internal("the token has no folder"))?;
        let write = || {
            std::fs::create_dir_all(folder)?;
            // A temporary file is readable by its owner alone, and stays so under its new name.
            let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
            fresh.write_all(content.to_string().as_bytes())?;
            fresh.persist(&path).map(drop).map_err(|error| error.error)
        };
        write().map_err(|error: std::io::Error| {
            Error::new(
                Code::FileUnreadable,
                format!("The sign-in could not be kept in {}.", folder.display()),
                "Correct the permissions of that folder, then sign in again.",
            )
            .with_details(error)
        })
    }

    /// `~/.aws/sso/cache/<SHA-1 of the session's name, or of the start URL>.json`.
    fn token_path(&self) -> Result<PathBuf> {
        let home = directories::UserDirs::new().map(|dirs| dirs.home_dir().to_owned()).ok_or_else(|| {
            Error::new(Code::Invalid, "This user has no home folder.", "Sign in as a user who has one.")
        })?;
        let name = hex::encode(Sha1::digest(self.session.as_ref().unwrap_or(&self.start_url)));
        Ok(home.join(".aws/sso/cache").join(format!("{name}.json")))
    }
}
