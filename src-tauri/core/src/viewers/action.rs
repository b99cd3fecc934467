//! What is done with a viewer, and what undoes it.

use aws_sdk_cognitoidentityprovider::config::Builder;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::types::{DeliveryMediumType, MessageActionType};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Viewers;
use super::audit::{ActionOutcome, Entry};
use super::explain::explain;
use super::profile::{Attribute, Profile};
use super::quota::Quota;
use crate::{Code, Error, Result};

/// What is done with a viewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ViewerAction {
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

impl ViewerAction {
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
    Do(Option<ViewerAction>),
}

impl Viewers {
    /// Does one act with one viewer, and writes it into the log.
    pub(super) async fn act_on(
        &self,
        quota: &Quota,
        run: &str,
        username: &str,
        whom: &str,
        act: &ViewerAction,
    ) -> Result<ActionOutcome> {
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
        if let (ViewerAction::InviteAnew, Ok(before)) = (act, &before)
            && before.is_enabled()
        {
            return self.invite_anew(quota, entry, before).await;
        }
        let id = self.log.begin(&self.who().await, entry).await?;
        let planned = match &before {
            // A new account would be an enabled one.
            Ok(before) if *act == ViewerAction::InviteAnew && !before.is_enabled() => Err(Error::new(
                Code::Invalid,
                format!("{whom} is disabled: a new account could sign in."),
                "Enable the account first, if it is to be invited anew.",
            )),
            Ok(before) => self.try_act(quota, before, whom, act).await,
            Err(error) => Err(error.clone()),
        };
        let (outcome, inverse) = match planned {
            Ok(Plan::Nothing) => (ActionOutcome::Unchanged, None),
            Ok(Plan::Do(inverse)) => (ActionOutcome::Done, inverse),
            Err(error) => (ActionOutcome::Failed { error }, None),
        };
        self.log.end(id, &outcome, inverse.as_ref()).await?;
        if outcome == ActionOutcome::Done && *act == ViewerAction::Remove {
            self.mirror.remove(username).await?;
        } else {
            self.refresh(username).await?;
        }
        Ok(outcome)
    }

    async fn try_act(&self, quota: &Quota, before: &Profile, whom: &str, act: &ViewerAction) -> Result<Plan> {
        let plan = self.plan(before, act, whom).await?;
        if let Plan::Do(_) = plan {
            let username =
                if *act == ViewerAction::Resend { before.invited_as() } else { before.username().to_owned() };
            let call = || self.call(&username, whom, act);
            match act {
                // A second try could be a second mail.
                ViewerAction::Resend | ViewerAction::Reset => quota.insist_once(call).await?,
                _ => quota.insist(call).await?,
            }
        }
        Ok(plan)
    }

    async fn plan(&self, before: &Profile, act: &ViewerAction, whom: &str) -> Result<Plan> {
        Ok(match act {
            ViewerAction::Enable if before.is_enabled() => Plan::Nothing,
            ViewerAction::Enable => Plan::Do(Some(ViewerAction::Disable)),
            ViewerAction::Disable if !before.is_enabled() => Plan::Nothing,
            ViewerAction::Disable => Plan::Do(Some(ViewerAction::Enable)),
            ViewerAction::AddTo { group } => {
                if self.groups_of(before.username(), whom).await?.contains(group) {
                    Plan::Nothing
                } else {
                    Plan::Do(Some(ViewerAction::TakeOut { group: group.clone() }))
                }
            }
            ViewerAction::TakeOut { group } => {
                if self.groups_of(before.username(), whom).await?.contains(group) {
                    Plan::Do(Some(ViewerAction::AddTo { group: group.clone() }))
                } else {
                    Plan::Nothing
                }
            }
            ViewerAction::Edit { attributes } => {
                let changed = attributes.iter().filter(|one| before.value(&one.name) != one.value);
                let inverse: Vec<_> =
                    changed.map(|one| Attribute { name: one.name.clone(), value: before.value(&one.name) }).collect();
                if inverse.is_empty() {
                    Plan::Nothing
                } else {
                    Plan::Do(Some(ViewerAction::Edit { attributes: inverse }))
                }
            }
            ViewerAction::Resend
            | ViewerAction::InviteAnew
            | ViewerAction::SignOut
            | ViewerAction::Reset
            | ViewerAction::Remove => Plan::Do(None),
        })
    }

    /// The one call of an act.
    pub(super) async fn call(&self, username: &str, whom: &str, act: &ViewerAction) -> Result<()> {
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
            ViewerAction::Resend => self.send_again(username, whom).await,
            // Its first half; the second is `make_again`.
            ViewerAction::InviteAnew => call!(client.admin_delete_user(), &format!("{whom} could not be invited anew")),
            ViewerAction::Reset => self.send_code(username, whom).await,
            ViewerAction::Enable => call!(client.admin_enable_user(), &format!("{whom} could not be enabled")),
            ViewerAction::Disable => call!(client.admin_disable_user(), &format!("{whom} could not be disabled")),
            ViewerAction::SignOut => {
                call!(client.admin_user_global_sign_out(), &format!("{whom} could not be signed out"))
            }
            ViewerAction::Remove => call!(client.admin_delete_user(), &format!("{whom} could not be removed")),
            ViewerAction::AddTo { group } => call!(
                client.admin_add_user_to_group().group_name(group),
                &format!("{whom} could not be put into \"{group}\"")
            ),
            ViewerAction::TakeOut { group } => call!(
                client.admin_remove_user_from_group().group_name(group),
                &format!("{whom} could not be taken out of \"{group}\"")
            ),
            ViewerAction::Edit { attributes } => self.write(username, whom, attributes).await,
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
