//! Inviting: one or thousands, within the pool's quota, each once.

use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata as _;
use aws_sdk_cognitoidentityprovider::types::{
    AliasAttributeType, DeliveryMediumType, MessageActionType, PasswordPolicyType, UserPoolType,
};
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};
use tokio_util::sync::CancellationToken;
use ts_rs::TS;

use super::action::ViewerAction;
use super::addresses::Invitee;
use super::audit::{ActionOutcome, Entry, new_run};
use super::explain::explain;
use super::mirror::Account;
use super::profile::{Attribute, Profile, attribute};
use super::quota::Quota;
use super::{Viewers, password};
use crate::clock::now_ms;
use crate::{Code, Error, Result};

/// Invitations that are on their way at the same time.
const AT_ONCE: usize = 4;
/// Accounts a page of a pool's list.
const PAGE: usize = 60;

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
        /// What could not be done besides.
        trouble: Option<Error>,
    },
    /// The address was in the pool already, and got no invitation.
    WasThere,
    /// It could not be done.
    Failed {
        /// Why.
        error: Error,
    },
}

/// How the pool makes accounts.
struct Making {
    naming: Naming,
    policy: Option<PasswordPolicyType>,
}

/// What the user name of a new account is.
enum Naming {
    /// The address.
    Address,
    /// One that is made: the pool knows addresses as aliases, and takes none for a name. The same address gives the
    /// same name, so that an answer that was lost makes no second account.
    Made,
}

impl Making {
    fn of(pool: &UserPoolType) -> Self {
        let has_alias = pool.alias_attributes().contains(&AliasAttributeType::Email);
        let naming = if has_alias && pool.username_attributes().is_empty() { Naming::Made } else { Naming::Address };
        Self { naming, policy: pool.policies().and_then(|policies| policies.password_policy().cloned()) }
    }

    fn username(&self, address: &str) -> String {
        match self.naming {
            Naming::Address => address.to_owned(),
            Naming::Made => {
                let hash = Sha1::digest(address.to_lowercase());
                let mut bytes = [0; 16];
                bytes.copy_from_slice(&hash[..16]);
                uuid::Builder::from_sha1_bytes(bytes).into_uuid().to_string()
            }
        }
    }
}

/// What is kept of an account while it is made anew.
#[derive(Serialize, Deserialize)]
struct Kept {
    address: String,
    attributes: Vec<Attribute>,
    groups: Vec<String>,
}

impl Viewers {
    /// Invites each of them who is not in the pool, and tells of each as it is done. Broken off and begun again it goes
    /// on: who was invited is in the pool. Where the pool may send no more mail today, the others are told so and not
    /// tried: no quota is exceeded to find out.
    ///
    /// # Errors
    /// When the pool cannot be read; what goes wrong with one of them is told of that one.
    pub async fn invite(
        &self,
        people: &[Invitee],
        invitation: Invitation,
        stop: &CancellationToken,
        tell: impl Fn(&Invitee, &Invited),
    ) -> Result<()> {
        let pool = self.describe().await?;
        let making = Making::of(&pool);
        // Asking for each of few costs less than reading all of many.
        let pages = usize::try_from(pool.estimated_number_of_users()).unwrap_or(0) / PAGE;
        let asks_for_each = people.len() <= pages.max(1);
        if !asks_for_each {
            self.read().await?;
        }
        let left = match invitation {
            Invitation::Mail => self.mails_left(&pool).await?,
            Invitation::Silent => None,
        };
        let mails = Mails::of(left);
        let (quota, lists, run) = (Quota::of_invitations(), Quota::of_lists(), new_run());
        let one = |invitee: Invitee| {
            let (quota, lists, making, run, mails) = (&quota, &lists, &making, &run, &mails);
            async move {
                if stop.is_cancelled() {
                    return Ok(None);
                }
                let is_there = match asks_for_each {
                    true => lists.insist(|| self.is_there(making, &invitee.address)).await,
                    false => self.mirror.has_address(&invitee.address).await,
                };
                let invited = match is_there {
                    Ok(true) => self.join(quota, &invitee, Invited::WasThere).await,
                    Ok(false) => match mails.take(&invitee.address) {
                        Ok(()) => self.invite_one(quota, run, making, &invitee, invitation).await?,
                        Err(error) => Invited::Failed { error },
                    },
                    Err(error) => Invited::Failed { error },
                };
                if matches!(&invited, Invited::Failed { error } if error.code == Code::Quota) {
                    mails.end();
                }
                Ok(Some((invitee, invited)))
            }
        };
        let (mut count, mut failed) = (0, 0);
        let mut done = futures::stream::iter(people.iter().cloned()).map(one).buffer_unordered(AT_ONCE);
        while let Some(told) = done.next().await {
            let told: Result<Option<(Invitee, Invited)>> = told;
            if let Some((invitee, invited)) = told? {
                count += 1;
                failed += usize::from(matches!(invited, Invited::Failed { .. }));
                tell(&invitee, &invited);
            }
        }
        self.tell_ended(people.len(), count - failed, failed);
        Ok(())
    }

    async fn invite_one(
        &self,
        quota: &Quota,
        run: &str,
        making: &Making,
        invitee: &Invitee,
        invitation: Invitation,
    ) -> Result<Invited> {
        let entry = Entry {
            run: run.to_owned(),
            what: if invitation == Invitation::Mail { "invite" } else { "invite-silently" },
            username: making.username(&invitee.address),
            whom: invitee.address.clone(),
            detail: invitee.group.clone(),
            keep: None,
        };
        let begun = now_ms();
        let id = self.log.begin(&self.who().await, entry).await?;
        let name = invitee
            .name
            .iter()
            .map(|name| Attribute { name: "name".to_owned(), value: name.clone() })
            .collect::<Vec<_>>();
        let password = (invitation == Invitation::Silent).then(|| password::temporary(making.policy.as_ref()));
        let made = quota.insist(|| self.create(making, &invitee.address, &name, password.as_deref())).await;
        let invited = match made {
            Ok(Some(account)) => {
                self.mirror.put(vec![account], now_ms()).await?;
                let invited = password.map_or(Invited::Sent, |password| Invited::HandOver { password, trouble: None });
                self.join(quota, invitee, invited).await
            }
            Ok(None) => {
                // An answer that was lost looks the same as an account of before: its age tells.
                let asked = self.ask(&making.username(&invitee.address), &invitee.address).await;
                let is_ours = asked.is_ok_and(|account| account.is_younger_than(begun));
                let invited = match password {
                    _ if !is_ours => Invited::WasThere,
                    Some(password) => Invited::HandOver { password, trouble: Some(unsure(&invitee.address)) },
                    None => Invited::Sent,
                };
                self.join(quota, invitee, invited).await
            }
            Err(error) => Invited::Failed { error },
        };
        let outcome = match &invited {
            Invited::Sent | Invited::HandOver { .. } => ActionOutcome::Done,
            Invited::WasThere => ActionOutcome::Unchanged,
            Invited::Failed { error } => ActionOutcome::Failed { error: error.clone() },
        };
        self.log.end(id, &outcome, None).await?;
        Ok(invited)
    }

    /// Into the group that the list names, also those who were there: a run that was broken off may have left one out.
    async fn join(&self, quota: &Quota, invitee: &Invitee, invited: Invited) -> Invited {
        let Some(group) = &invitee.group else { return invited };
        let joined = quota.insist(|| self.add_to_group(&invitee.address, group)).await;
        match (joined, invited) {
            (Ok(()), invited) => {
                // The copy is of no weight here: it is read anew soon enough.
                self.mirror.join(&invitee.address, group).await.ok();
                invited
            }
            // The password is shown once, whatever else went wrong.
            (Err(error), Invited::HandOver { password, .. }) => Invited::HandOver { password, trouble: Some(error) },
            (Err(error), _) => Invited::Failed { error },
        }
    }

    async fn add_to_group(&self, address: &str, group: &str) -> Result<()> {
        let add = self.client.admin_add_user_to_group().user_pool_id(&self.pool).username(address);
        let added = add.group_name(group).send().await;
        added.map(drop).map_err(|error| explain(&format!("{address} could not be put into \"{group}\""), error))
    }

    /// Whether someone in the pool has this address: as the name that an invitation gives, or as an attribute only.
    async fn is_there(&self, making: &Making, address: &str) -> Result<bool> {
        match self.ask(&making.username(address), address).await {
            Ok(_) => return Ok(true),
            Err(error) if error.code == Code::NotFound => {}
            Err(error) => return Err(error),
        }
        let quoted = address.replace('\\', "\\\\").replace('"', "\\\"");
        let list = self.client.list_users().user_pool_id(&self.pool).filter(format!("email = \"{quoted}\"")).limit(1);
        let found = list.send().await.map_err(|error| explain(&format!("{address} could not be looked up"), error))?;
        Ok(!found.users().is_empty())
    }

    /// Makes an account; answers none where there is one already.
    async fn create(
        &self,
        making: &Making,
        address: &str,
        more: &[Attribute],
        password: Option<&str>,
    ) -> Result<Option<Account>> {
        let mut create = self
            .client
            .admin_create_user()
            .user_pool_id(&self.pool)
            .username(making.username(address))
            .user_attributes(attribute("email", address)?)
            // The invitation goes there: who signs in with it has the address.
            .user_attributes(attribute("email_verified", "true")?)
            .desired_delivery_mediums(DeliveryMediumType::Email);
        for Attribute { name, value } in more {
            create = create.user_attributes(attribute(name, value)?);
        }
        if let Some(password) = password {
            create = create.temporary_password(password).message_action(MessageActionType::Suppress);
        }
        match create.send().await {
            Ok(made) => {
                let user = made.user.ok_or_else(|| Error::internal("an account without a user"))?;
                Ok(Some(Account::of(&user)))
            }
            Err(error) if matches!(error.code(), Some("UsernameExistsException" | "AliasExistsException")) => Ok(None),
            Err(error) => Err(explain(&format!("{address} could not be invited"), error)),
        }
    }

    /// Deletes an account that nobody has signed in to, and makes it anew with what it had.
    pub(super) async fn invite_anew(&self, quota: &Quota, mut entry: Entry, before: &Profile) -> Result<ActionOutcome> {
        let (username, whom) = (entry.username.clone(), entry.whom.clone());
        let prepared = self.prepare_anew(before, &whom).await;
        let (making, kept) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return self.failed_anew(entry, error).await,
        };
        // Between the deletion and the new account the person is nowhere else.
        entry.keep = Some(serde_json::to_string(&kept).map_err(Error::internal)?);
        let id = self.log.begin(&self.who().await, entry).await?;
        let removed = quota.insist(|| self.call(&username, &whom, &ViewerAction::InviteAnew)).await;
        if let Err(error) = removed {
            let outcome = ActionOutcome::Failed { error };
            self.log.end(id, &outcome, None).await?;
            return Ok(outcome);
        }
        self.mirror.remove(&username).await?;
        self.make_again(quota, &making, id, &kept).await
    }

    async fn prepare_anew(&self, before: &Profile, whom: &str) -> Result<(Making, Kept)> {
        if before.status() != "FORCE_CHANGE_PASSWORD" {
            let message = format!("{whom} was not invited anew: the account has been used, and would be lost.");
            return Err(Error::new(Code::Invalid, message, "Reset the password instead."));
        }
        if before.value("email").is_empty() {
            let message = format!("{whom} was not invited anew: the account has no address.");
            return Err(Error::new(Code::Invalid, message, "Give it an address first."));
        }
        let groups = self.groups_of(before.username(), whom).await?;
        let making = Making::of(&self.describe().await?);
        let own = before.attributes().into_iter();
        let attributes = own.filter(|one| !matches!(one.name.as_str(), "sub" | "email" | "email_verified")).collect();
        Ok((making, Kept { address: before.value("email"), attributes, groups }))
    }

    async fn failed_anew(&self, entry: Entry, error: Error) -> Result<ActionOutcome> {
        let id = self.log.begin(&self.who().await, entry).await?;
        let outcome = ActionOutcome::Failed { error };
        self.log.end(id, &outcome, None).await?;
        Ok(outcome)
    }

    /// The second half of it. What fails for now stays kept, and is tried again at the next reading of the pool.
    async fn make_again(&self, quota: &Quota, making: &Making, id: i64, kept: &Kept) -> Result<ActionOutcome> {
        let address = &kept.address;
        let outcome = match quota.insist(|| self.create(making, address, &kept.attributes, None)).await {
            Ok(Some(account)) => {
                self.mirror.put(vec![account], now_ms()).await?;
                ActionOutcome::Done
            }
            Ok(None) => ActionOutcome::Unchanged,
            Err(error) => return Ok(ActionOutcome::Failed { error }),
        };
        for group in &kept.groups {
            if let Err(error) = quota.insist(|| self.add_to_group(address, group)).await {
                return Ok(ActionOutcome::Failed { error });
            }
            self.mirror.join(address, group).await?;
        }
        self.log.end(id, &outcome, None).await?;
        Ok(outcome)
    }

    /// Ends what a kill broke off in the middle.
    pub(super) async fn finish_broken(&self) -> Result<()> {
        let broken = self.log.broken().await?;
        if broken.is_empty() {
            return Ok(());
        }
        let (quota, making) = (Quota::of_invitations(), Making::of(&self.describe().await?));
        for one in broken {
            let kept: Kept = serde_json::from_str(&one.keep).map_err(Error::internal)?;
            if let ActionOutcome::Failed { error } = self.make_again(&quota, &making, one.id, &kept).await? {
                return Err(error);
            }
        }
        Ok(())
    }
}

fn unsure(address: &str) -> Error {
    Error::new(
        Code::Network,
        format!("The account of {address} was there when it was asked for once more: an answer of the pool was lost."),
        "If this password does not open it, delete and invite anew.",
    )
}

/// The mails that may still go out.
struct Mails(AtomicU32);

impl Mails {
    fn of(left: Option<u32>) -> Self {
        Self(AtomicU32::new(left.unwrap_or(u32::MAX)))
    }

    /// Takes one of them for someone.
    fn take(&self, address: &str) -> Result<()> {
        let taken = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        taken.map(drop).map_err(|_| {
            Error::new(
                Code::Quota,
                format!("{address} was not invited: the pool may send no more mail today."),
                "Go on tomorrow with the same list, invite without a mail, or let the engineer connect the pool to Amazon SES.",
            )
        })
    }

    /// The pool says that there are none.
    fn end(&self) {
        self.0.store(0, Ordering::SeqCst);
    }
}
