//! What is done with a viewer, and what undoes it.

use aws_sdk_cognitoidentityprovider::config::Builder;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::types::{DeliveryMediumType, MessageActionType};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Viewers;
use super::audit::{ActOutcome, Entry};
use super::explain::explain;
use super::pace::Pace;
use super::profile::{Attribute, Profile};
use crate::{Code, Error, Result};

/// What is done with a viewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Act {
    /// Sends the invitation again, with a new temporary password.
    Resend,
    /// Deletes an account that nobody has signed in to, and invites its owner once more.
    InviteAnew,
    /// Lets the viewer sign in again.
    Enable,
    /// Lets the viewer sign in no longer.
    Disable,
    /// Ends the viewer's sessions on all devices.
    SignOut,
    /// Has the viewer choose a new password, with a code that comes by mail.
    Reset,
    /// Deletes the account for good.
    Remove,
    /// Puts the viewer into a group.
    AddTo {
        /// Its name.
        group: String,
    },
    /// Takes the viewer out of a group.
    TakeOut {
        /// Its name.
        group: String,
    },
    /// Changes attributes.
    Edit {
        /// Those that change; an empty value takes the attribute away.
        attributes: Vec<Attribute>,
    },
}

impl Act {
    fn name(&self) -> &'static str {
        match self {
            Self::Resend => "resend",
            Self::InviteAnew => "invite-anew",
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::SignOut => "sign-out",
            Self::Reset => "reset",
            Self::Remove => "remove",
            Self::AddTo { .. } => "add-to-group",
            Self::TakeOut { .. } => "take-out-of-group",
            Self::Edit { .. } => "edit",
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Self::AddTo { group } | Self::TakeOut { group } => Some(group.clone()),
            // What the attributes hold is nobody's business later.
            Self::Edit { attributes } => {
                Some(attributes.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", "))
            }
            _ => None,
        }
    }
}

/// What an act means for a viewer as it stands.
enum Plan {
    /// It is so already.
    Nothing,
    /// It is to be done, and this undoes it.
    Do(Option<Act>),
}

impl Viewers {
    /// Does one act with one viewer, and writes it into the log.
    pub(super) async fn act_on(
        &self,
        pace: &Pace,
        run: &str,
        username: &str,
        whom: &str,
        act: &Act,
    ) -> Result<ActOutcome> {
        let before = self.reads.insist(|| self.ask(username, whom)).await;
        // The pool answers to addresses too; the log and the copy go by the one name that stays.
        let username = before.as_ref().map_or(username, Profile::username);
        let entry = Entry {
            run: run.to_owned(),
            what: act.name(),
            username: username.to_owned(),
            whom: whom.to_owned(),
            detail: act.detail(),
            keep: None,
        };
        if let (Act::InviteAnew, Ok(before)) = (act, &before)
            && before.is_enabled()
        {
            return self.invite_anew(pace, entry, before).await;
        }
        let id = self.log.begin(&self.who().await, entry).await?;
        let planned = match &before {
            // A new account would be an enabled one.
            Ok(before) if *act == Act::InviteAnew && !before.is_enabled() => Err(Error::new(
                Code::Invalid,
                format!("{whom} is disabled: a new account could sign in."),
                "Enable the account first, if it is to be invited anew.",
            )),
            Ok(before) => self.try_act(pace, before, whom, act).await,
            Err(error) => Err(error.clone()),
        };
        let (outcome, inverse) = match planned {
            Ok(Plan::Nothing) => (ActOutcome::Unchanged, None),
            Ok(Plan::Do(inverse)) => (ActOutcome::Done, inverse),
            Err(error) => (ActOutcome::Failed { error }, None),
        };
        self.log.end(id, &outcome, inverse.as_ref()).await?;
        if outcome == ActOutcome::Done && *act == Act::Remove {
            self.mirror.remove(username).await?;
        } else {
            self.refresh(username).await?;
        }
        Ok(outcome)
    }

    async fn try_act(&self, pace: &Pace, before: &Profile, whom: &str, act: &Act) -> Result<Plan> {
        let plan = self.plan(before, act, whom).await?;
        if let Plan::Do(_) = plan {
            let username = if *act == Act::Resend { before.invited_as() } else { before.username().to_owned() };
            let call = || self.call(&username, whom, act);
            match act {
                // A second try could be a second mail.
                Act::Resend | Act::Reset => pace.insist_once(call).await?,
                _ => pace.insist(call).await?,
            }
        }
        Ok(plan)
    }

    async fn plan(&self, before: &Profile, act: &Act, whom: &str) -> Result<Plan> {
        Ok(match act {
            Act::Enable if before.is_enabled() => Plan::Nothing,
            Act::Enable => Plan::Do(Some(Act::Disable)),
            Act::Disable if !before.is_enabled() => Plan::Nothing,
            Act::Disable => Plan::Do(Some(Act::Enable)),
            Act::AddTo { group } => {
                if self.groups_of(before.username(), whom).await?.contains(group) {
                    Plan::Nothing
                } else {
                    Plan::Do(Some(Act::TakeOut { group: group.clone() }))
                }
            }
            Act::TakeOut { group } => {
                if self.groups_of(before.username(), whom).await?.contains(group) {
                    Plan::Do(Some(Act::AddTo { group: group.clone() }))
                } else {
                    Plan::Nothing
                }
            }
            Act::Edit { attributes } => {
                let changed = attributes.iter().filter(|one| before.value(&one.name) != one.value);
                let inverse: Vec<_> =
                    changed.map(|one| Attribute { name: one.name.clone(), value: before.value(&one.name) }).collect();
                if inverse.is_empty() { Plan::Nothing } else { Plan::Do(Some(Act::Edit { attributes: inverse })) }
            }
            Act::Resend | Act::InviteAnew | Act::SignOut | Act::Reset | Act::Remove => Plan::Do(None),
        })
    }

    /// The one call of an act.
    pub(super) async fn call(&self, username: &str, whom: &str, act: &Act) -> Result<()> {
        let client = &self.client;
        // Each operation has types of its own.
        macro_rules! call {
            ($request:expr, $failed:expr) => {
                $request
                    .user_pool_id(&self.pool)
                    .username(username)
                    .send()
                    .await
                    .map(drop)
                    .map_err(|error| explain($failed, error))
            };
        }
        match act {
            Act::Resend => self.send_again(username, whom).await,
            // Its first half; the second is `make_again`.
            Act::InviteAnew => call!(client.admin_delete_user(), &format!("{whom} could not be invited anew")),
            Act::Reset => self.send_code(username, whom).await,
            Act::Enable => call!(client.admin_enable_user(), &format!("{whom} could not be enabled")),
            Act::Disable => call!(client.admin_disable_user(), &format!("{whom} could not be disabled")),
            Act::SignOut => call!(client.admin_user_global_sign_out(), &format!("{whom} could not be signed out")),
            Act::Remove => call!(client.admin_delete_user(), &format!("{whom} could not be removed")),
            Act::AddTo { group } => call!(
                client.admin_add_user_to_group().group_name(group),
                &format!("{whom} could not be put into \"{group}\"")
            ),
            Act::TakeOut { group } => call!(
                client.admin_remove_user_from_group().group_name(group),
                &format!("{whom} could not be taken out of \"{group}\"")
            ),
            Act::Edit { attributes } => self.write(username, whom, attributes).await,
        }
    }

    async fn send_again(&self, username: &str, whom: &str) -> Result<()> {
        let again = self.client.admin_create_user().user_pool_id(&self.pool).username(username);
        let again = again.message_action(MessageActionType::Resend).desired_delivery_mediums(DeliveryMediumType::Email);
        let sent = again.customize().config_override(once()).send().await;
        sent.map(drop).map_err(|error| explain(&format!("The invitation of {whom} could not be sent again"), error))
    }

    async fn send_code(&self, username: &str, whom: &str) -> Result<()> {
        let reset = self.client.admin_reset_user_password().user_pool_id(&self.pool).username(username);
        let sent = reset.customize().config_override(once()).send().await;
        sent.map(drop).map_err(|error| explain(&format!("The password of {whom} could not be reset"), error))
    }
}

/// Without the SDK's own second tries.
fn once() -> Builder {
    Builder::default().retry_config(RetryConfig::disabled())
}
