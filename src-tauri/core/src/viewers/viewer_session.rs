//! A viewer's session: signing in as an invited person does, and seeing what that person sees. Nothing of it uses the
//! credentials of the workspace. Tokens and cookies stay here; the page gets none of them.

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata as _;
use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, AuthenticationResultType, ChallengeNameType};
use reqwest::header::{AUTHORIZATION, SET_COOKIE};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use ts_rs::TS;
use url::Url;
use zeroize::Zeroizing;

use super::explain::explain;
use crate::aws::Aws;
use crate::explain::unreachable;
use crate::http::plain_client;
use crate::playback::{Access, Proxy};
use crate::workspace::SandboxEndpoints;
use crate::{Code, Error, Result};

/// What comes next for someone who signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Step {
    /// A password of one's own in place of the temporary one.
    NewPassword,
    /// A new password, with the code that came by mail.
    Code,
    /// This can be watched.
    In {
        /// Newest first.
        videos: Vec<Watchable>,
    },
}

/// A video as the viewers' site tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Watchable {
    /// Its key.
    pub guid: String,
    /// What it is called.
    pub title: String,
    /// Its multivariant playlist.
    pub hls_url: String,
}

#[derive(Deserialize)]
struct Videos {
    videos: Vec<Watchable>,
}

/// Where one person signs in; it is left when dropped.
pub struct ViewerSession {
    client: Client,
    app_client: String,
    site: Url,
    http: reqwest::Client,
    state: Mutex<State>,
}

enum State {
    Away,
    Challenged { address: String, session: Zeroizing<String> },
    MustReset { address: String },
    In { token: Zeroizing<String>, proxy: Proxy },
}

impl ViewerSession {
    pub(crate) fn new(aws: &Aws, sandbox: &SandboxEndpoints) -> Result<Self> {
        Ok(Self {
            client: aws.cognito.clone(),
            app_client: sandbox.app_client.clone(),
            site: Url::parse(&sandbox.site).map_err(Error::internal)?,
            http: plain_client(true)?,
            state: Mutex::new(State::Away),
        })
    }

    /// Signs in with an address and a password.
    ///
    /// # Errors
    /// When one of them is wrong, the viewer is disabled, or the invitation has expired.
    pub async fn sign_in(&self, address: &str, password: &str) -> Result<Step> {
        let mut state = self.state.lock().await;
        *state = State::Away;
        let begun = self.client.initiate_auth().client_id(&self.app_client).auth_flow(AuthFlowType::UserPasswordAuth);
        let begun = begun.auth_parameters("USERNAME", address).auth_parameters("PASSWORD", password).send().await;
        let begun = match begun {
            Ok(begun) => begun,
            Err(error) if error.code() == Some("PasswordResetRequiredException") => {
                *state = State::MustReset { address: address.to_owned() };
                return Ok(Step::Code);
            }
            Err(error) => return Err(explain(&format!("{address} could not sign in"), error)),
        };
        match begun.challenge_name {
            Some(ChallengeNameType::NewPasswordRequired) => {
                let session = Zeroizing::new(begun.session.unwrap_or_default());
                *state = State::Challenged { address: address.to_owned(), session };
                Ok(Step::NewPassword)
            }
            Some(other) => Err(Error::internal(format!("a challenge of the kind {}", other.as_str()))),
            None => self.enter(&mut state, begun.authentication_result).await,
        }
    }

    /// Chooses a password in place of the temporary one.
    ///
    /// # Errors
    /// When the pool's policy does not allow it, or nobody was asked for one.
    pub async fn choose_password(&self, password: &str) -> Result<Step> {
        let mut state = self.state.lock().await;
        let State::Challenged { address, session } = &*state else { return Err(not_asked()) };
        let answer = self.client.respond_to_auth_challenge().client_id(&self.app_client).session(session.as_str());
        let answer = answer.challenge_name(ChallengeNameType::NewPasswordRequired);
        let answer = answer.challenge_responses("USERNAME", address).challenge_responses("NEW_PASSWORD", password);
        let answered = answer.send().await;
        let answered = answered.map_err(|error| explain("The new password was not taken", error))?;
        self.enter(&mut state, answered.authentication_result).await
    }

    /// Chooses a password with the code that came by mail, and signs in with it.
    ///
    /// # Errors
    /// When the code is wrong, the pool's policy does not allow the password, or nobody was asked for one.
    pub async fn give_code(&self, code: &str, password: &str) -> Result<Step> {
        let address = match &*self.state.lock().await {
            State::MustReset { address } => address.clone(),
            _ => return Err(not_asked()),
        };
        let confirm = self.client.confirm_forgot_password().client_id(&self.app_client).username(&address);
        let confirmed = confirm.confirmation_code(code).password(password).send().await;
        confirmed.map_err(|error| explain("The new password was not taken", error))?;
        self.sign_in(&address, password).await
    }

    /// The cookies that come with the token, and what can be watched with them.
    async fn enter(&self, state: &mut State, result: Option<AuthenticationResultType>) -> Result<Step> {
        let token = Zeroizing::new(result.and_then(|result| result.access_token).unwrap_or_default());
        let answer = self.get("api/keys", &token).await?;
        let set = answer.headers().get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        let cookies: Vec<&str> = set.filter_map(|cookie| cookie.split(';').next()).collect();
        let access = Access::of_viewer(self.http.clone(), self.site.clone(), &cookies.join("; "))?;
        let videos = self.videos(&token).await?;
        *state = State::In { token, proxy: Proxy::start(access).await? };
        Ok(Step::In { videos })
    }

    /// What can be watched now.
    ///
    /// # Errors
    /// When nobody has signed in, or the session was ended.
    pub async fn look_again(&self) -> Result<Vec<Watchable>> {
        match &*self.state.lock().await {
            State::In { token, .. } => self.videos(token).await,
            _ => Err(signed_out()),
        }
    }

    /// The address to give to a player for a video, on a loopback proxy that has the viewer's cookies.
    ///
    /// # Errors
    /// When nobody has signed in.
    pub async fn play(&self, video: &Watchable) -> Result<String> {
        match &*self.state.lock().await {
            State::In { proxy, .. } => proxy.open(&Url::parse(&video.hls_url).map_err(Error::internal)?),
            _ => Err(signed_out()),
        }
    }

    /// Leaves: tokens and cookies are forgotten.
    pub async fn leave(&self) {
        *self.state.lock().await = State::Away;
    }

    async fn videos(&self, token: &str) -> Result<Vec<Watchable>> {
        let answer: Videos = self.get("api/videos", token).await?.json().await.map_err(Error::internal)?;
        Ok(answer.videos)
    }

    async fn get(&self, path: &str, token: &str) -> Result<reqwest::Response> {
        let url = self.site.join(path).map_err(Error::internal)?;
        let asked = self.http.get(url.clone()).header(AUTHORIZATION, format!("Bearer {token}")).send().await;
        let answer = asked.map_err(|error| unreachable(url.as_str(), &error))?;
        match answer.status().as_u16() {
            401 | 403 => Err(signed_out()),
            _ => answer.error_for_status().map_err(Error::internal),
        }
    }
}

fn signed_out() -> Error {
    Error::new(Code::SignIn, "The viewer was signed out, so the session has ended.", "Sign in once more.")
}

fn not_asked() -> Error {
    Error::new(Code::Invalid, "The sign-in is not at that step.", "Start it again.")
}
