//! Reading all of a pool into the copy: the only way to know who came.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Change;
use super::explain::explain;
use super::mirror::Account;
use super::pool::validity_days;
use super::quota::Quota;
use super::{Viewers, milliseconds};
use crate::clock::now_ms;
use crate::{Code, Error, Result};

/// Users a page (`ListUsers`, `Limit`).
const PAGE: i32 = 60;
/// How often the screen is told while a pool is read, in milliseconds.
const BEAT_MS: i64 = 500;

/// How far the reading of a pool has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    /// Accounts that were read.
    pub read: usize,
    /// Accounts that there are, as the pool guesses.
    pub estimated: usize,
}

impl Viewers {
    /// Reads all of the pool: its users, its groups and who is in them. Asked for while it is being read it is not read
    /// twice.
    ///
    /// # Errors
    /// When the pool cannot be read; the copy stays as it was, with its age.
    pub async fn read(&self) -> Result<()> {
        let asked = now_ms();
        let mut last = self.last_read.lock().await;
        if *last >= asked {
            return Ok(());
        }
        let finished = self.finish_broken().await;
        let seen = now_ms();
        let read = self.read_all(seen).await;
        self.set_reading(None);
        if read.is_ok() {
            *last = now_ms();
        }
        read.and(finished)
    }

    async fn read_all(&self, seen: i64) -> Result<()> {
        let pool = self.describe().await?;
        let estimated = usize::try_from(pool.estimated_number_of_users()).unwrap_or(0);
        self.set_reading(Some(Reading { read: 0, estimated }));
        let quota = Quota::of_lists();
        let (mut read, mut token, mut told) = (0, None::<String>, now_ms());
        loop {
            let page = quota.insist(|| async {
                let list = self.client.list_users().user_pool_id(&self.pool).limit(PAGE);
                let page = list.set_pagination_token(token.clone()).send().await;
                page.map_err(|error| explain("The viewers could not be listed", error))
            });
            let page = self.unless_closed(page).await?;
            read += page.users().len();
            self.mirror.put(page.users().iter().map(Account::of).collect(), seen).await?;
            if now_ms() - told > BEAT_MS {
                told = now_ms();
                self.set_reading(Some(Reading { read, estimated: estimated.max(read) }));
            }
            token = page.pagination_token;
            if token.is_none() {
                break;
            }
        }
        let groups = self.groups().await?;
        let names: Vec<String> = groups.iter().map(|group| group.name.clone()).collect();
        self.mirror.put_groups(groups).await?;
        for name in names {
            self.read_members(&quota, &name, seen).await?;
        }
        self.mirror.sweep(seen, validity_days(&pool)).await
    }

    /// What is asked of the pool, while anyone wants to know it.
    async fn unless_closed<T>(&self, asked: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {
                Err(Error::new(Code::Canceled, "The workspace was closed.", "Open it, then read the viewers again."))
            }
            answer = asked => answer,
        }
    }

    async fn read_members(&self, quota: &Quota, group: &str, seen: i64) -> Result<()> {
        let mut token = None::<String>;
        loop {
            let page = quota.insist(|| async {
                let list = self.client.list_users_in_group().user_pool_id(&self.pool).group_name(group).limit(PAGE);
                let page = list.set_next_token(token.clone()).send().await;
                page.map_err(|error| explain(&format!("The members of \"{group}\" could not be listed"), error))
            });
            let page = self.unless_closed(page).await?;
            let usernames = page.users().iter().filter_map(|user| user.username().map(str::to_owned)).collect();
            self.mirror.put_members(group, usernames, seen).await?;
            token = page.next_token;
            if token.is_none() {
                return Ok(());
            }
        }
    }

    fn set_reading(&self, reading: Option<Reading>) {
        *self.reading.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = reading;
        self.tell_changed();
    }

    /// Tells the screen that the copy has changed.
    pub(super) fn tell_changed(&self) {
        let reading = *self.reading.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.changes.tell(Change::Mirror { reading });
    }
}

impl Account {
    /// As `ListUsers` tells it.
    pub(super) fn of(user: &aws_sdk_cognitoidentityprovider::types::UserType) -> Self {
        let attribute = |name: &str| {
            let own = user.attributes().iter().find(|one| one.name() == name).and_then(|one| one.value());
            own.filter(|value| !value.is_empty()).map(str::to_owned)
        };
        Self {
            username: user.username().unwrap_or_default().to_owned(),
            email: attribute("email"),
            name: attribute("name"),
            is_enabled: user.enabled(),
            status: user.user_status().map_or("UNKNOWN", |status| status.as_str()).to_owned(),
            created_at: milliseconds(user.user_create_date()),
            modified_at: milliseconds(user.user_last_modified_date()),
        }
    }
}
