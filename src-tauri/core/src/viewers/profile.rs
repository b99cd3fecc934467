//! One viewer: all that the pool knows, and what can be changed of it.

use aws_sdk_cognitoidentityprovider::operation::admin_get_user::AdminGetUserOutput;
use aws_sdk_cognitoidentityprovider::types::AttributeType;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::explain::explain;
use super::mirror::Account;
use super::pool::validity_days;
use super::{CLOCKS_MS, DAY_MS, Viewer, ViewerState, Viewers, milliseconds};
use crate::clock::now_ms;
use crate::{Code, Error, Result};

/// A group page of one viewer (`AdminListGroupsForUser`, `Limit`).
const PAGE: i32 = 60;

/// An attribute of a viewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its value; empty where there is none.
    pub value: String,
}

/// One viewer with all attributes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// As in the list.
    pub viewer: Viewer,
    /// All attributes, as the pool tells them.
    pub attributes: Vec<Attribute>,
}

/// An account as `AdminGetUser` tells it.
pub(super) struct Profile(AdminGetUserOutput);

impl Profile {
    pub fn username(&self) -> &str {
        self.0.username()
    }

    /// The user name that it is invited by: where the pool makes the names itself (they are the `sub` then), it is told
    /// the address.
    pub fn invited_as(&self) -> String {
        let email = self.value("email");
        if self.username() == self.value("sub") && !email.is_empty() { email } else { self.username().to_owned() }
    }

    pub fn is_enabled(&self) -> bool {
        self.0.enabled()
    }

    /// Whether it was made since a time, as far as two clocks can tell.
    pub fn is_younger_than(&self, time: i64) -> bool {
        milliseconds(self.0.user_create_date()).is_some_and(|made| made > time - CLOCKS_MS)
    }

    /// The pool's word for where it stands.
    pub fn status(&self) -> &str {
        self.0.user_status().map_or("UNKNOWN", |status| status.as_str())
    }

    /// The value of an attribute; empty where there is none.
    pub fn value(&self, name: &str) -> String {
        let own = self.0.user_attributes().iter().find(|one| one.name() == name);
        own.and_then(|one| one.value()).unwrap_or_default().to_owned()
    }

    pub fn attributes(&self) -> Vec<Attribute> {
        let all = self.0.user_attributes().iter();
        all.map(|one| Attribute { name: one.name().to_owned(), value: one.value().unwrap_or_default().to_owned() })
            .collect()
    }

    fn account(&self) -> Account {
        let given = |name| Some(self.value(name)).filter(|value| !value.is_empty());
        Account {
            username: self.username().to_owned(),
            email: given("email"),
            name: given("name"),
            is_enabled: self.is_enabled(),
            status: self.status().to_owned(),
            created_at: milliseconds(self.0.user_create_date()),
            modified_at: milliseconds(self.0.user_last_modified_date()),
        }
    }
}

impl Viewers {
    /// Asks the pool for one.
    pub(super) async fn ask(&self, username: &str, whom: &str) -> Result<Profile> {
        let asked = self.client.admin_get_user().user_pool_id(&self.pool).username(username).send().await;
        asked.map(Profile).map_err(|error| explain(&format!("{whom} could not be looked up"), error))
    }

    /// The names of the groups that one is in.
    pub(super) async fn groups_of(&self, username: &str, whom: &str) -> Result<Vec<String>> {
        let (mut names, mut token) = (Vec::new(), None);
        loop {
            let list = self.client.admin_list_groups_for_user().user_pool_id(&self.pool).username(username);
            let page = list.limit(PAGE).set_next_token(token).send().await;
            let page = page.map_err(|error| explain(&format!("The groups of {whom} could not be listed"), error))?;
            names.extend(page.groups().iter().filter_map(|group| group.group_name().map(str::to_owned)));
            token = page.next_token;
            if token.is_none() {
                return Ok(names);
            }
        }
    }

    /// Brings the copy of one viewer up to date, as far as the pool can be asked just now.
    pub(super) async fn refresh(&self, username: &str) -> Result<()> {
        match self.ask(username, username).await {
            Ok(profile) => {
                if let Ok(groups) = self.groups_of(profile.username(), username).await {
                    self.mirror.put_groups_of(profile.username(), groups).await?;
                }
                self.mirror.put(vec![profile.account()], now_ms()).await
            }
            Err(error) if error.code == Code::NotFound => self.mirror.remove(username).await,
            // The next reading of the whole pool will tell.
            Err(_) => Ok(()),
        }
    }

    /// One viewer with all that the pool knows.
    ///
    /// # Errors
    /// When the viewer is not there.
    pub async fn person(&self, username: &str) -> Result<Person> {
        let known = self.mirror.addresses(vec![username.to_owned()]).await?;
        let whom = known.first().map_or(username, |(_, address)| address);
        let profile = match self.ask(username, whom).await {
            Err(error) if error.code == Code::NotFound => {
                // Gone from the list too.
                self.mirror.remove(username).await?;
                self.tell_changed();
                return Err(error);
            }
            asked => asked?,
        };
        let groups = self.groups_of(profile.username(), whom).await?;
        let validity = i64::from(validity_days(&self.describe().await?)) * DAY_MS;
        let Account { username, email, name, is_enabled, status, created_at, modified_at } = profile.account();
        let state = ViewerState::of(&status, is_enabled, modified_at, validity, now_ms());
        let viewer = Viewer { username, email, name, state, created_at, modified_at, groups };
        Ok(Person { viewer, attributes: profile.attributes() })
    }

    /// Writes attributes of one.
    pub(super) async fn write(&self, username: &str, whom: &str, attributes: &[Attribute]) -> Result<()> {
        let mut update = self.client.admin_update_user_attributes().user_pool_id(&self.pool).username(username);
        for Attribute { name, value } in attributes {
            update = update.user_attributes(attribute(name, value)?);
            if name == "email" && !value.is_empty() {
                // The admin says that it is the viewer's: otherwise no code could be sent there.
                update = update.user_attributes(attribute("email_verified", "true")?);
            }
        }
        update.send().await.map(drop).map_err(|error| explain(&format!("{whom} could not be changed"), error))
    }
}

pub(super) fn attribute(name: &str, value: &str) -> Result<AttributeType> {
    AttributeType::builder().name(name).value(value).build().map_err(Error::internal)
}
