//! The user pool's own settings. Source: Amazon Cognito user pools API Reference, `DescribeUserPool`.

use aws_sdk_cognitoidentityprovider::types::{EmailSendingAccountType, UserPoolType};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::explain::explain;
use super::{DAY_MS, Viewers};
use crate::clock::now_ms;
use crate::{Error, Result};

/// Mails a day that Cognito sends by itself, for all pools of an account. Source: Developer Guide, "Quotas in Amazon
/// Cognito".
const MAILS_A_DAY: u32 = 50;
/// Days that a temporary password is good for where the pool says nothing (`TemporaryPasswordValidityDays`).
const VALIDITY_DAYS: i32 = 7;
/// Attributes that are never written by hand: the pool makes them, or they say that another one was verified.
const NOT_BY_HAND: [&str; 6] =
    ["sub", "email_verified", "phone_number_verified", "identities", "updated_at", "cognito:mfa_enabled"];

/// What of a pool's settings matters to those who invite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PoolFacts {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Accounts in it, an estimate.
    pub estimated_users: i32,
    /// Days that an invitation is good for.
    pub validity_days: i32,
    /// The subject of the invitation; none for Cognito's own.
    pub invitation_subject: Option<String>,
    /// The text of the invitation, which may be HTML; none for Cognito's own.
    pub invitation_text: Option<String>,
    /// Whether mail goes by Cognito's own sender, which is 50 a day, rather than by SES.
    pub has_small_mail_quota: bool,
    /// How many more may go out today, as far as this computer knows; none where no quota is near.
    pub mails_left: Option<u32>,
    /// Who the mail comes from; none for Cognito's own address.
    pub mail_from: Option<String>,
    /// Whether anyone may sign up.
    pub is_open_to_all: bool,
    /// Whether the pool cannot be deleted by mistake.
    pub is_protected: bool,
    /// What people sign in with, as the pool calls it: `email`, `phone_number`, `username` and so on.
    pub sign_in_with: Vec<String>,
    /// `OFF`, `ON` or `OPTIONAL`.
    pub mfa: String,
    /// The password policy in words.
    pub password_policy: String,
    /// The attributes that can be changed, in the pool's order.
    pub attributes: Vec<PoolAttribute>,
}

/// An attribute that viewers can have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PoolAttribute {
    /// Its name; the deployment's own begin with `custom:`.
    pub name: String,
    /// Whether nobody can be without it.
    pub is_required: bool,
}

impl Viewers {
    pub(super) async fn describe(&self) -> Result<UserPoolType> {
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
        Ok(PoolFacts::of(&pool, &self.pool, self.mails_left(&pool).await?))
    }

    /// How many more mails may go out today, as far as this computer knows; none where it is not Cognito that sends them.
    pub(super) async fn mails_left(&self, pool: &UserPoolType) -> Result<Option<u32>> {
        if is_own_mail(pool) {
            return Ok(None);
        }
        let sent = self.log.mails_since(now_ms() - DAY_MS).await?;
        Ok(Some(MAILS_A_DAY.saturating_sub(sent)))
    }
}

impl PoolFacts {
    fn of(pool: &UserPoolType, id: &str, mails_left: Option<u32>) -> Self {
        let invites = pool.admin_create_user_config();
        let template = invites.and_then(|config| config.invite_message_template());
        let text = |text: Option<&str>| text.map(str::to_owned);
        let mail = pool.email_configuration();
        let is_own_mail = is_own_mail(pool);
        let from = mail.and_then(|mail| mail.from().or_else(|| identity(mail.source_arn()?)));
        Self {
            id: id.to_owned(),
            name: pool.name().unwrap_or_default().to_owned(),
            estimated_users: pool.estimated_number_of_users(),
            validity_days: validity_days(pool),
            invitation_subject: text(template.and_then(|template| template.email_subject())),
            invitation_text: text(template.and_then(|template| template.email_message())),
            has_small_mail_quota: !is_own_mail,
            mails_left,
            mail_from: text(from.filter(|_| is_own_mail)),
            is_open_to_all: !invites.is_some_and(|config| config.allow_admin_create_user_only()),
            is_protected: pool.deletion_protection().is_some_and(|one| one.as_str() == "ACTIVE"),
            sign_in_with: sign_in_with(pool),
            mfa: pool.mfa_configuration().map_or("OFF", |mfa| mfa.as_str()).to_owned(),
            password_policy: policy_in_words(pool),
            attributes: attributes(pool),
        }
    }
}

/// Whether mail goes by the account's own Amazon SES, rather than by Cognito.
fn is_own_mail(pool: &UserPoolType) -> bool {
    let mail = pool.email_configuration();
    mail.and_then(|mail| mail.email_sending_account()) == Some(&EmailSendingAccountType::Developer)
}

/// The address or domain of an identity of SES, from its ARN.
fn identity(arn: &str) -> Option<&str> {
    arn.split_once(":identity/").map(|(_, identity)| identity)
}

fn sign_in_with(pool: &UserPoolType) -> Vec<String> {
    let instead = pool.username_attributes().iter().map(|one| one.as_str().to_owned());
    let besides = pool.alias_attributes().iter().map(|one| one.as_str().to_owned());
    match pool.username_attributes() {
        [] => ["username".to_owned()].into_iter().chain(besides).collect(),
        _ => instead.collect(),
    }
}

fn attributes(pool: &UserPoolType) -> Vec<PoolAttribute> {
    let all = pool.schema_attributes().iter().filter(|one| one.mutable().unwrap_or(true));
    let named = all.filter_map(|one| one.name().map(|name| (name, one.required().unwrap_or(false))));
    let by_hand = named.filter(|(name, _)| !NOT_BY_HAND.contains(name) && !name.starts_with("dev:"));
    by_hand.map(|(name, is_required)| PoolAttribute { name: name.to_owned(), is_required }).collect()
}

/// Days that an invitation is good for.
pub(super) fn validity_days(pool: &UserPoolType) -> i32 {
    let policy = pool.policies().and_then(|policies| policies.password_policy());
    // 0 stands for the default.
    policy.map(|policy| policy.temporary_password_validity_days()).filter(|days| *days > 0).unwrap_or(VALIDITY_DAYS)
}

fn policy_in_words(pool: &UserPoolType) -> String {
    let Some(policy) = pool.policies().and_then(|policies| policies.password_policy()) else {
        return "Cognito's own".to_owned();
    };
    let mut words = vec![format!("{} characters at least", policy.minimum_length().unwrap_or(8))];
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
