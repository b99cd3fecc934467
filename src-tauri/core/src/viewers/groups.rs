//! Groups: what the pool's tokens say of viewers, and what a deployment may decide access by.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Viewers;
use super::audit::Entry;
use super::explain::explain;
use super::quota::Quota;
use crate::Result;

/// Groups a page (`ListGroups`, `Limit`).
const PAGE: i32 = 60;

/// A group of viewers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The ARN of the IAM role that the tokens of its members name, where it has one.
    pub role: Option<String>,
    /// Which role a member of several groups gets: the lowest number wins.
    pub precedence: Option<i32>,
}

impl Viewers {
    /// All groups.
    ///
    /// # Errors
    /// When the pool cannot be read.
    pub async fn groups(&self) -> Result<Vec<Group>> {
        let quota = Quota::of_lists();
        let (mut groups, mut token) = (Vec::new(), None);
        loop {
            let page = quota.insist(|| async {
                let list = self.client.list_groups().user_pool_id(&self.pool).limit(PAGE);
                let page = list.set_next_token(token.clone()).send().await;
                page.map_err(|error| explain("The groups could not be listed", error))
            });
            let page = page.await?;
            groups.extend(page.groups().iter().map(|group| Group {
                name: group.group_name().unwrap_or_default().to_owned(),
                description: group.description().map(str::to_owned),
                role: group.role_arn().map(str::to_owned),
                precedence: group.precedence(),
            }));
            token = page.next_token;
            if token.is_none() {
                return Ok(groups);
            }
        }
    }

    /// Makes a group.
    ///
    /// # Errors
    /// When there is one of its name.
    pub async fn create_group(&self, name: &str, description: Option<&str>) -> Result<()> {
        let made = self.logged(Entry::of_group("create-group", name), async {
            let create = self.client.create_group().user_pool_id(&self.pool).group_name(name);
            let created = create.set_description(description.map(str::to_owned)).send().await;
            created.map(drop).map_err(|error| explain(&format!("The group \"{name}\" could not be made"), error))
        });
        made.await?;
        self.reread_groups().await
    }

    /// Deletes a group; its members stay.
    ///
    /// # Errors
    /// When there is none of its name.
    pub async fn delete_group(&self, name: &str) -> Result<()> {
        let deleted = self.logged(Entry::of_group("delete-group", name), async {
            let deleted = self.client.delete_group().user_pool_id(&self.pool).group_name(name).send().await;
            deleted.map(drop).map_err(|error| explain(&format!("The group \"{name}\" could not be deleted"), error))
        });
        deleted.await?;
        self.reread_groups().await
    }

    async fn reread_groups(&self) -> Result<()> {
        self.mirror.put_groups(self.groups().await?).await?;
        self.tell_changed();
        Ok(())
    }
}
