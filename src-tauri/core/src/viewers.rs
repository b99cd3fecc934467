//! Viewers: the people in the Cognito user pool who may watch. Source: Amazon Cognito user pools API Reference.
//!
//! The pool is the truth: who was invited is asked of it, so that a bulk invitation that was broken off goes on without
//! inviting anyone twice.

mod addresses;
mod explain;
mod invite;
mod password;

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, EmailSendingAccountType, UserPoolType, UserStatusType, UserType,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use self::addresses::{Invitee, Invitees, Problem};
use self::explain::explain;
pub use self::invite::{Invitation, Invited};
use crate::aws::Aws;
use crate::event::now_ms;
use crate::workspace::Workspace;
use crate::{Code, Error, Result};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Days that a temporary password is good for where the pool says nothing (`TemporaryPasswordValidityDays`).
const VALIDITY_DAYS: i32 = 7;

/// A viewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Viewer {
    /// The pool's own name for the account.
    pub username: String,
    /// The address; none for accounts that have none.
    pub email: Option<String>,
    /// What the person is called.
    pub name: Option<String>,
    /// Where the account stands.
    pub state: ViewerState,
    /// When it was made, in milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub created_at: Option<i64>,
    /// When it was last changed.
    #[ts(type = "number | null")]
    pub modified_at: Option<i64>,
}

/// Where an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ViewerState {
    /// Invited, and not come yet.
    Invited {
        /// When the temporary password ends, in milliseconds since the epoch.
        #[ts(type = "number")]
        expires_at: i64,
    },
    /// The temporary password has ended.
    InvitationExpired,
    /// May sign in.
    Active,
    /// Has to choose a new password.
    MustReset,
    /// May not sign in.
    Disabled,
    /// Signs in with an identity provider.
    External,
    /// Signed up by oneself, and has not confirmed it.
    Unconfirmed,
    /// A state that is not known here.
    Unknown,
}

/// What of a pool's settings matters to those who invite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PoolFacts {
    /// Its name.
    pub name: String,
    /// Accounts in it, an estimate.
    pub estimated_users: i32,
    /// Days that an invitation is good for.
    pub validity_days: i32,
    /// The subject of the invitation; none for Cognito's own.
    pub invitation_subject: Option<String>,
    /// The text of the invitation; none for Cognito's own.
    pub invitation_text: Option<String>,
    /// Whether mail goes by Cognito's own sender, which is 50 a day, rather than by SES.
    pub has_small_mail_quota: bool,
    /// Whether anyone may sign up.
    pub is_open_to_all: bool,
    /// Whether the pool cannot be deleted by mistake.
    pub is_protected: bool,
    /// What people sign in with.
    pub sign_in_with: Vec<String>,
    /// `OFF`, `ON` or `OPTIONAL`.
    pub mfa: String,
    /// The password policy in words.
    pub password_policy: String,
}

/// A group of viewers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
}

/// The viewers of one workspace; cheap to clone.
#[derive(Clone)]
pub struct Viewers {
    client: Client,
    pool: String,
}

impl Viewers {
    /// Those of this workspace.
    ///
    /// # Errors
    /// When it names no user pool.
    pub(crate) fn of(workspace: &Workspace, aws: &Aws) -> Result<Self> {
        let pool = workspace.user_pool.clone().ok_or_else(|| {
            Error::new(
                Code::NotFound,
                format!("The workspace \"{}\" names no user pool, so it has no viewers.", workspace.name),
                "Name the pool in the workspace.",
            )
        })?;
        Ok(Self { client: aws.cognito.clone(), pool })
    }

    /// All viewers, in the order in which the pool tells them.
    ///
    /// # Errors
    /// When the pool cannot be read.
    pub async fn list(&self) -> Result<Vec<Viewer>> {
        let validity = validity(&self.describe().await?);
        let mut pages = self.client.list_users().user_pool_id(&self.pool).into_paginator().send();
        let mut viewers = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| explain("The viewers could not be listed", error))?;
            viewers.extend(page.users().iter().map(|user| Viewer::of(user, validity)));
        }
        Ok(viewers)
    }

    async fn describe(&self) -> Result<UserPoolType> {
        let described = self.client.describe_user_pool().user_pool_id(&self.pool).send().await;
        let pool = described.map_err(|error| explain("The user pool could not be read", error))?.user_pool;
        pool.ok_or_else(|| Error::internal("a user pool without a description"))
    }

    /// The pool's settings that matter.
    ///
    /// # Errors
    /// When the pool cannot be read.
    pub async fn facts(&self) -> Result<PoolFacts> {
        let pool = self.describe().await?;
        let invites = pool.admin_create_user_config();
        let template = invites.and_then(|config| config.invite_message_template());
        let text = |text: Option<&str>| text.map(str::to_owned);
        let sender = pool.email_configuration().and_then(|mail| mail.email_sending_account());
        Ok(PoolFacts {
            name: pool.name().unwrap_or_default().to_owned(),
            estimated_users: pool.estimated_number_of_users(),
            validity_days: validity(&pool),
            invitation_subject: text(template.and_then(|template| template.email_subject())),
            invitation_text: text(template.and_then(|template| template.email_message())),
            has_small_mail_quota: sender != Some(&EmailSendingAccountType::Developer),
            is_open_to_all: !invites.is_some_and(|config| config.allow_admin_create_user_only()),
            is_protected: pool.deletion_protection().is_some_and(|one| one.as_str() == "ACTIVE"),
            sign_in_with: pool.username_attributes().iter().map(|one| one.as_str().to_owned()).collect(),
            mfa: pool.mfa_configuration().map_or("OFF", |mfa| mfa.as_str()).to_owned(),
            password_policy: policy_in_words(&pool),
        })
    }

    /// Sends the invitation again, with a new temporary password, and answers how long that is good for, in days.
    ///
    /// # Errors
    /// When the viewer has come already, or is not there, or the mail cannot be sent.
    pub async fn resend(&self, address: &str) -> Result<()> {
        self.send_again(address).await
    }

    /// Lets a viewer sign in again.
    ///
    /// # Errors
    /// When the viewer is not there.
    pub async fn enable(&self, address: &str) -> Result<()> {
        let enabled = self.client.admin_enable_user().user_pool_id(&self.pool).username(address).send().await;
        enabled.map(drop).map_err(|error| explain(&format!("{address} could not be enabled"), error))
    }

    /// Lets a viewer sign in no longer; who is signed in is signed out within the hour.
    ///
    /// # Errors
    /// When the viewer is not there.
    pub async fn disable(&self, address: &str) -> Result<()> {
        let disabled = self.client.admin_disable_user().user_pool_id(&self.pool).username(address).send().await;
        disabled.map(drop).map_err(|error| explain(&format!("{address} could not be disabled"), error))
    }

    /// Signs a viewer out everywhere.
    ///
    /// # Errors
    /// When the viewer is not there.
    pub async fn sign_out(&self, address: &str) -> Result<()> {
        let out = self.client.admin_user_global_sign_out().user_pool_id(&self.pool).username(address).send().await;
        out.map(drop).map_err(|error| explain(&format!("{address} could not be signed out"), error))
    }

    /// Has a viewer choose a new password, with a code that is sent by mail.
    ///
    /// # Errors
    /// When the viewer has not come yet, is disabled or not there, or the mail cannot be sent.
    pub async fn reset(&self, address: &str) -> Result<()> {
        let reset = self.client.admin_reset_user_password().user_pool_id(&self.pool).username(address).send().await;
        reset.map(drop).map_err(|error| explain(&format!("The password of {address} could not be reset"), error))
    }

    /// Deletes an account, for good.
    ///
    /// # Errors
    /// When the viewer is not there.
    pub async fn remove(&self, address: &str) -> Result<()> {
        let removed = self.client.admin_delete_user().user_pool_id(&self.pool).username(address).send().await;
        removed.map(drop).map_err(|error| explain(&format!("{address} could not be removed"), error))
    }

    /// Changes what a viewer is called.
    ///
    /// # Errors
    /// When the viewer is not there, or the pool's schema has no name.
    pub async fn rename(&self, address: &str, name: &str) -> Result<()> {
        let attribute = AttributeType::builder().name("name").value(name).build().map_err(Error::internal)?;
        let update = self.client.admin_update_user_attributes().user_pool_id(&self.pool).username(address);
        let updated = update.user_attributes(attribute).send().await;
        updated.map(drop).map_err(|error| explain(&format!("{address} could not be changed"), error))
    }

    /// All groups.
    ///
    /// # Errors
    /// When the pool cannot be read.
    pub async fn groups(&self) -> Result<Vec<Group>> {
        let mut pages = self.client.list_groups().user_pool_id(&self.pool).into_paginator().send();
        let mut groups = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| explain("The groups could not be listed", error))?;
            groups.extend(page.groups().iter().map(|group| Group {
                name: group.group_name().unwrap_or_default().to_owned(),
                description: group.description().map(str::to_owned),
            }));
        }
        Ok(groups)
    }

    /// Makes a group.
    ///
    /// # Errors
    /// When there is one of its name.
    pub async fn create_group(&self, name: &str, description: Option<&str>) -> Result<()> {
        let create = self.client.create_group().user_pool_id(&self.pool).group_name(name);
        let created = create.set_description(description.map(str::to_owned)).send().await;
        created.map(drop).map_err(|error| explain(&format!("The group \"{name}\" could not be made"), error))
    }

    /// Deletes a group; its members stay.
    ///
    /// # Errors
    /// When there is none of its name.
    pub async fn delete_group(&self, name: &str) -> Result<()> {
        let deleted = self.client.delete_group().user_pool_id(&self.pool).group_name(name).send().await;
        deleted.map(drop).map_err(|error| explain(&format!("The group \"{name}\" could not be deleted"), error))
    }

    /// Puts a viewer into a group.
    ///
    /// # Errors
    /// When one of them is not there.
    pub async fn add_to_group(&self, address: &str, group: &str) -> Result<()> {
        let add = self.client.admin_add_user_to_group().user_pool_id(&self.pool).username(address);
        let added = add.group_name(group).send().await;
        added.map(drop).map_err(|error| explain(&format!("{address} could not be put into \"{group}\""), error))
    }

    /// Takes a viewer out of a group.
    ///
    /// # Errors
    /// When one of them is not there.
    pub async fn remove_from_group(&self, address: &str, group: &str) -> Result<()> {
        let remove = self.client.admin_remove_user_from_group().user_pool_id(&self.pool).username(address);
        let removed = remove.group_name(group).send().await;
        removed.map(drop).map_err(|error| explain(&format!("{address} could not be taken out of \"{group}\""), error))
    }

    /// The members of a group.
    ///
    /// # Errors
    /// When there is none of its name.
    pub async fn members(&self, group: &str) -> Result<Vec<Viewer>> {
        let validity = validity(&self.describe().await?);
        let members = self.client.list_users_in_group().user_pool_id(&self.pool).group_name(group);
        let mut pages = members.into_paginator().send();
        let mut viewers = Vec::new();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| explain(&format!("The members of \"{group}\" could not be listed"), error))?;
            viewers.extend(page.users().iter().map(|user| Viewer::of(user, validity)));
        }
        Ok(viewers)
    }
}

impl Viewer {
    fn of(user: &UserType, validity_days: i32) -> Self {
        let attribute = |name: &str| {
            let own = user.attributes().iter().find(|one| one.name() == name).and_then(|one| one.value());
            own.filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let milliseconds = |time: Option<&aws_smithy_types::DateTime>| time.and_then(|time| time.to_millis().ok());
        let modified_at = milliseconds(user.user_last_modified_date());
        Self {
            username: user.username().unwrap_or_default().to_owned(),
            email: attribute("email"),
            name: attribute("name"),
            state: ViewerState::of(user.user_status(), user.enabled(), modified_at, validity_days, now_ms()),
            created_at: milliseconds(user.user_create_date()),
            modified_at,
        }
    }
}

impl ViewerState {
    /// The pool does not tell that an invitation has ended: it is a matter of days.
    fn of(
        status: Option<&UserStatusType>,
        enabled: bool,
        modified_at: Option<i64>,
        validity_days: i32,
        now: i64,
    ) -> Self {
        if !enabled {
            return Self::Disabled;
        }
        match status {
            Some(UserStatusType::ForceChangePassword) => {
                let expires_at = modified_at.unwrap_or(now) + i64::from(validity_days) * DAY_MS;
                if expires_at <= now { Self::InvitationExpired } else { Self::Invited { expires_at } }
            }
            Some(UserStatusType::Confirmed) => Self::Active,
            Some(UserStatusType::ResetRequired) => Self::MustReset,
            Some(UserStatusType::ExternalProvider) => Self::External,
            Some(UserStatusType::Unconfirmed) => Self::Unconfirmed,
            _ => Self::Unknown,
        }
    }

    /// In words, as of a time in milliseconds since the epoch.
    #[must_use]
    pub fn in_words(&self, now: i64) -> String {
        match self {
            Self::Invited { expires_at } => match (expires_at - now + DAY_MS - 1) / DAY_MS {
                1 => "invited, expires within a day".to_owned(),
                days => format!("invited, expires in {days} days"),
            },
            Self::InvitationExpired => "invitation expired".to_owned(),
            Self::Active => "active".to_owned(),
            Self::MustReset => "must reset".to_owned(),
            Self::Disabled => "disabled".to_owned(),
            Self::External => "from an identity provider".to_owned(),
            Self::Unconfirmed => "has not confirmed".to_owned(),
            Self::Unknown => "of a state that is not known here".to_owned(),
        }
    }
}

/// Viewers as CSV for a spreadsheet, which takes no cell of it for a formula.
///
/// # Errors
/// When it cannot be written.
pub fn csv(viewers: &[Viewer]) -> Result<String> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["email", "name", "state", "created", "username"]).map_err(Error::internal)?;
    let now = now_ms();
    for one in viewers {
        let created = one.created_at.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
        let cells = [
            one.email.clone().unwrap_or_default(),
            one.name.clone().unwrap_or_default(),
            one.state.in_words(now),
            created.map(|at| at.to_string()).unwrap_or_default(),
            one.username.clone(),
        ];
        table.write_record(cells.iter().map(|text| addresses::cell(text))).map_err(Error::internal)?;
    }
    String::from_utf8(table.into_inner().map_err(Error::internal)?).map_err(Error::internal)
}

fn validity(pool: &UserPoolType) -> i32 {
    let policy = pool.policies().and_then(|policies| policies.password_policy());
    // 0 stands for the default.
    policy.map(|policy| policy.temporary_password_validity_days()).filter(|days| *days > 0).unwrap_or(VALIDITY_DAYS)
}

fn policy_in_words(pool: &UserPoolType) -> String {
    let Some(policy) = pool.policies().and_then(|policies| policies.password_policy()) else {
        return "Cognito's own".to_owned();
    };
    let mut words = vec![format!("{} letters at least", policy.minimum_length().unwrap_or(8))];
    for (is_wanted, what) in [
        (policy.require_uppercase(), "upper case"),
        (policy.require_lowercase(), "lower case"),
        (policy.require_numbers(), "digits"),
        (policy.require_symbols(), "symbols"),
    ] {
        if is_wanted {
            words.push(what.to_owned());
        }
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_in_words() {
        let state = |status: UserStatusType, enabled, age_days: i64| {
            ViewerState::of(Some(&status), enabled, Some(-age_days * DAY_MS), 7, 0).in_words(0)
        };
        assert_eq!(state(UserStatusType::ForceChangePassword, true, 4), "invited, expires in 3 days");
        assert_eq!(state(UserStatusType::ForceChangePassword, true, 7), "invitation expired");
        assert_eq!(state(UserStatusType::ForceChangePassword, false, 0), "disabled");
        assert_eq!(state(UserStatusType::Confirmed, true, 900), "active");
        assert_eq!(state(UserStatusType::ResetRequired, true, 0), "must reset");
        assert_eq!(state(UserStatusType::ExternalProvider, true, 0), "from an identity provider");
    }
}
