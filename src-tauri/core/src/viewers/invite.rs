//! Inviting: one or thousands, within the pool's quota, each once.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_cognitoidentityprovider::types::{AttributeType, DeliveryMediumType, MessageActionType};
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::Instant;
use ts_rs::TS;

use super::addresses::Invitee;
use super::explain::explain;
use super::{Viewers, password};
use crate::{Code, Error, Result};

/// Accounts a second: well below the 50 that all programs of an account share (Developer Guide, "Quotas in Amazon
/// Cognito", UserCreation).
const A_SECOND: u32 = 20;
/// Invitations that are on their way at the same time.
const AT_ONCE: usize = 4;
/// How long all wait when Cognito asks to slow down; twice as long each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const TRIES: u32 = 8;

/// How someone is invited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Invitation {
    /// By the pool's own mail.
    Mail,
    /// Without a mail: the temporary password is shown once, to be handed over another way.
    Silent,
}

/// What became of one.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Invited {
    /// The invitation is on its way.
    Sent,
    /// The account is there; this password opens it, and is shown nowhere else.
    HandOver {
        /// The temporary password.
        password: String,
    },
    /// The address was in the pool already, and got nothing.
    WasThere,
    /// It could not be done.
    Failed {
        /// Why.
        error: Error,
    },
}

/// When the next account may be made.
struct Pace(Mutex<Instant>);

impl Pace {
    async fn wait(&self) {
        let at = {
            let mut next = self.0.lock().await;
            let at = (*next).max(Instant::now());
            *next = at + Duration::from_secs(1) / A_SECOND;
            at
        };
        tokio::time::sleep_until(at).await;
    }

    /// All wait: Cognito has asked to slow down.
    async fn hold(&self, wait: Duration) {
        let mut next = self.0.lock().await;
        *next = (*next).max(Instant::now() + wait);
    }
}

impl Viewers {
    /// Invites each of them who is not in the pool, and tells of each as it is done. Broken off and begun again it goes
    /// on: who was invited is in the pool.
    ///
    /// # Errors
    /// When the pool cannot be read; what goes wrong with one of them is told of that one.
    pub async fn invite(
        &self,
        people: &[Invitee],
        invitation: Invitation,
        tell: impl Fn(&Invitee, &Invited),
    ) -> Result<()> {
        let policy = self.describe().await?.policies().and_then(|policies| policies.password_policy().cloned());
        let there = if people.len() > 1 { self.addresses().await? } else { HashSet::new() };
        let pace = Pace(Mutex::new(Instant::now()));
        let one = |invitee: Invitee| {
            let (pace, policy, there) = (&pace, policy.as_ref(), &there);
            async move {
                let password = match invitation {
                    Invitation::Silent => Some(password::temporary(policy)),
                    Invitation::Mail => None,
                };
                let invited = if there.contains(&invitee.address.to_lowercase()) {
                    Ok(Invited::WasThere)
                } else {
                    self.insist(pace, || self.create(&invitee, password.as_deref())).await
                };
                let invited = match (invited, &invitee.group) {
                    (Ok(invited), Some(group)) if invited != Invited::WasThere => {
                        self.insist(pace, || self.add_to_group(&invitee.address, group)).await.map(|()| invited)
                    }
                    (invited, _) => invited,
                };
                (invitee, invited.unwrap_or_else(|error| Invited::Failed { error }))
            }
        };
        let mut done = futures::stream::iter(people.iter().cloned()).map(one).buffer_unordered(AT_ONCE);
        while let Some((invitee, invited)) = done.next().await {
            tell(&invitee, &invited);
        }
        Ok(())
    }

    /// The addresses in the pool, in lower case.
    async fn addresses(&self) -> Result<HashSet<String>> {
        Ok(self.list().await?.into_iter().filter_map(|one| one.email).map(|email| email.to_lowercase()).collect())
    }

    /// Does something within the quota, again where Cognito asks to slow down.
    async fn insist<T, F: Future<Output = Result<T>>>(&self, pace: &Pace, work: impl Fn() -> F) -> Result<T> {
        let mut wait = FIRST_WAIT;
        for _ in 1..TRIES {
            pace.wait().await;
            match work().await {
                Err(error) if matches!(error.code, Code::Throttled | Code::Network) => {
                    pace.hold(wait.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
                    wait *= 2;
                }
                done => return done,
            }
        }
        pace.wait().await;
        work().await
    }

    async fn create(&self, invitee: &Invitee, password: Option<&str>) -> Result<Invited> {
        let attribute =
            |name: &str, value: &str| AttributeType::builder().name(name).value(value).build().map_err(Error::internal);
        let mut create = self
            .client
            .admin_create_user()
            .user_pool_id(&self.pool)
            .username(&invitee.address)
            .user_attributes(attribute("email", &invitee.address)?)
            // The invitation goes there: who signs in with it has the address.
            .user_attributes(attribute("email_verified", "true")?)
            .desired_delivery_mediums(DeliveryMediumType::Email);
        if let Some(name) = &invitee.name {
            create = create.user_attributes(attribute("name", name)?);
        }
        if let Some(password) = password {
            create = create.temporary_password(password).message_action(MessageActionType::Suppress);
        }
        match create.send().await {
            Ok(_) => Ok(password.map_or(Invited::Sent, |password| Invited::HandOver { password: password.to_owned() })),
            // A lost answer looks the same; either way there is one account and one invitation.
            Err(error) if error.as_service_error().is_some_and(|error| error.is_username_exists_exception()) => {
                Ok(Invited::WasThere)
            }
            Err(error) => Err(explain(&format!("{} could not be invited", invitee.address), error)),
        }
    }

    pub(super) async fn send_again(&self, address: &str) -> Result<()> {
        let again = self.client.admin_create_user().user_pool_id(&self.pool).username(address);
        let again = again.message_action(MessageActionType::Resend);
        let sent = again.desired_delivery_mediums(DeliveryMediumType::Email).send().await;
        sent.map(drop).map_err(|error| explain(&format!("The invitation of {address} could not be sent again"), error))
    }
}
