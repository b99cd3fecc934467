//! The sign-in of a user of a Cognito pool, for accounts that hand out no keys of IAM: the pool's token buys temporary
//! credentials of an identity pool. The refresh token is kept, the password never. Source: Amazon Cognito API
//! References, `InitiateAuth`, `GetId`, `GetCredentialsForIdentity`.

use std::collections::HashMap;
use std::time::SystemTime;

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_cognitoidentityprovider::types::AuthFlowType;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::super::configuration;
use super::super::secrets::{self, Keep};
use super::{CredentialsSource, entry_of};
use crate::explain::explain;
use crate::{Code, Error, Result};

/// A user of a pool, and what turns the user into an IAM role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PoolUser {
    /// The user's name, often an e-mail address.
    pub user: String,
    /// The id of the user pool, `REGION_...`.
    pub pool: String,
    /// The id of the app client; it has no secret and allows `USER_PASSWORD_AUTH`.
    pub client: String,
    /// The id of the identity pool, `REGION:...`.
    pub identity_pool: String,
}

impl PoolUser {
    /// The region of the pool; its id begins with it.
    fn region(&self) -> Result<&str> {
        let region = self.pool.split_once('_').map(|(region, _)| region).filter(|region| !region.is_empty());
        region.ok_or_else(|| {
            Error::new(
                Code::Invalid,
                format!("\"{}\" is not a user pool.", self.pool),
                "Its id begins with a region, such as eu-central-1_AbCdEfGhI.",
            )
        })
    }

    async fn config(&self, endpoint: Option<&str>) -> Result<SdkConfig> {
        let mut loader = configuration(false).await?.region(Region::new(self.region()?.to_owned())).no_credentials();
        if let Some(endpoint) = endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        Ok(loader.load().await)
    }

    /// The tokens of a sign-in: for the identity pool, and for the next time where there is a new one.
    async fn tokens(
        &self,
        config: &SdkConfig,
        flow: AuthFlowType,
        parameters: [(&str, &str); 2],
    ) -> Result<(Zeroizing<String>, Option<Zeroizing<String>>)> {
        let client = aws_sdk_cognitoidentityprovider::Client::new(config);
        let mut ask = client.initiate_auth().auth_flow(flow).client_id(&self.client);
        for (name, value) in parameters.into_iter().filter(|(name, _)| !name.is_empty()) {
            ask = ask.auth_parameters(name, value);
        }
        let answer = ask.send().await.map_err(|error| {
            let refused = error
                .as_service_error()
                .is_some_and(|error| error.is_not_authorized_exception() || error.is_user_not_found_exception());
            let error = explain("Signing in did not work", error);
            if refused {
                Error {
                    code: Code::SignIn,
                    message: "The name or the password is not right, or the sign-in has ended.".into(),
                    remedy: "Sign in again.".into(),
                    ..error
                }
            } else {
                error
            }
        })?;
        if let Some(challenge) = answer.challenge_name {
            return Err(Error::new(
                Code::SignIn,
                format!("\"{}\" has something to do before signing in here: {}.", self.user, challenge.as_str()),
                "Sign in once where your organization does it, for example to set a password; then come back.",
            ));
        }
        let tokens = answer.authentication_result.ok_or_else(|| Error::internal("Cognito gave no tokens"))?;
        let id = tokens.id_token.ok_or_else(|| Error::internal("Cognito gave no ID token"))?;
        Ok((Zeroizing::new(id), tokens.refresh_token.map(Zeroizing::new)))
    }

    async fn credentials(&self, config: &SdkConfig, id_token: &str) -> Result<Credentials> {
        let client = aws_sdk_cognitoidentity::Client::new(config);
        let logins = || {
            let provider = format!("cognito-idp.{}.amazonaws.com/{}", self.region()?, self.pool);
            Ok::<_, Error>(HashMap::from([(provider, id_token.to_owned())]))
        };
        let doing = "The identity pool gave no credentials";
        let identity = client.get_id().identity_pool_id(&self.identity_pool).set_logins(Some(logins()?)).send().await;
        let identity = identity.map_err(|error| explain(doing, error))?.identity_id;
        let identity = identity.ok_or_else(|| Error::internal("the identity pool gave no identity"))?;
        let given = client.get_credentials_for_identity().identity_id(identity).set_logins(Some(logins()?));
        let given = given.send().await.map_err(|error| explain(doing, error))?.credentials;
        match given.map(|given| (given.access_key_id, given.secret_key, given.session_token, given.expiration)) {
            Some((Some(key), Some(secret), token, ends)) => {
                let ends = ends.and_then(|ends| SystemTime::try_from(ends).ok());
                Ok(Credentials::new(key, secret, token, ends, "Cognito identity pool"))
            }
            _ => Err(Error::internal(doing)),
        }
    }
}

/// Signs a user in with a password, and keeps what the next sign-ins need.
///
/// # Errors
/// [`Code::SignIn`] for a wrong name or password, [`Code::NoKeyring`], and what hinders Cognito.
pub async fn sign_in_user(
    user: PoolUser,
    password: Zeroizing<String>,
    keep: Keep,
    before: Option<&CredentialsSource>,
    endpoint: Option<&str>,
) -> Result<CredentialsSource> {
    let config = user.config(endpoint).await?;
    let parameters = [("USERNAME", &*user.user), ("PASSWORD", &**password)];
    let (id, refresh) = user.tokens(&config, AuthFlowType::UserPasswordAuth, parameters).await?;
    // Before anything is kept: the pool may know the user and the identity pool not.
    user.credentials(&config, &id).await?;
    let refresh = refresh.ok_or_else(|| Error::internal("Cognito gave no refresh token"))?;
    let entry = entry_of(before);
    secrets::keep(entry, refresh, keep).await?;
    Ok(CredentialsSource::PoolUser { user, entry })
}

/// The credentials of a user who has signed in; they are renewed by themselves.
#[derive(Clone, Debug)]
pub(super) struct SignedIn {
    pub user: PoolUser,
    pub entry: Uuid,
    pub endpoint: Option<String>,
}

impl SignedIn {
    async fn credentials(self) -> Result<Credentials> {
        let refresh = secrets::find(self.entry).await.ok_or_else(|| {
            Error::new(Code::SignIn, format!("\"{}\" is not signed in.", self.user.user), "Sign in again.")
        })?;
        let config = self.user.config(self.endpoint.as_deref()).await?;
        let parameters = [("REFRESH_TOKEN", &**refresh), ("", "")];
        let (id, _) = self.user.tokens(&config, AuthFlowType::RefreshTokenAuth, parameters).await?;
        self.user.credentials(&config, &id).await
    }
}

impl ProvideCredentials for SignedIn {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let signed_in = self.clone();
        future::ProvideCredentials::new(
            async move { signed_in.credentials().await.map_err(CredentialsError::not_loaded) },
        )
    }
}
