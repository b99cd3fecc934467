//! What this computer knows of a pool: a copy in a file of its own, to search and sort in, with the age of its last reading. The
//! API filters by one attribute only, gives 60 users at a time and sorts by nothing. Here it is written; `search` reads it.

mod search;

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

pub use self::search::{Census, Found, GroupCount, Query, Sort, StateCount};
use super::groups::Group;
use crate::clock::now_ms;
use crate::store::WorkspaceStore;
use crate::{Error, Result};

/// The tables of the copy.
pub(crate) const SCHEMA: &str = include_str!("mirror/schema.sql");

/// An account as the pool tells it.
pub(super) struct Account {
    pub username: String,
    pub email: Option<String>,
    pub name: Option<String>,
    pub is_enabled: bool,
    /// The pool's word (`UserStatusType`).
    pub status: String,
    pub created_at: Option<i64>,
    pub modified_at: Option<i64>,
}

/// The copy of one workspace's pool; cheap to clone.
#[derive(Clone)]
pub(super) struct Mirror {
    store: WorkspaceStore,
    pool: String,
}

impl Mirror {
    /// That of a workspace. One that was made of another pool is emptied.
    pub async fn open(store: WorkspaceStore, pool: &str) -> Result<Self> {
        let mirror = Self { store, pool: pool.to_owned() };
        let pool = mirror.pool.clone();
        let emptied = mirror.store.call(move |db, workspace| {
            let other = "SELECT 1 FROM viewer_pools WHERE workspace = ?1 AND pool <> ?2";
            let is_of_another = db.query_row(other, [workspace, &pool], |_| Ok(())).optional()?.is_some();
            if is_of_another { empty(db, workspace) } else { Ok(()) }
        });
        emptied.await?;
        Ok(mirror)
    }

    /// Takes accounts as they were seen at a time.
    pub async fn put(&self, accounts: Vec<Account>, seen: i64) -> Result<()> {
        self.store
            .call(move |db, workspace| {
                let transaction = db.transaction()?;
                for account in accounts {
                    put(&transaction, workspace, &account, seen)?;
                }
                Ok(transaction.commit()?)
            })
            .await
    }

    /// Takes who is in a group, as it was seen at a time.
    pub async fn put_members(&self, group: &str, usernames: Vec<String>, seen: i64) -> Result<()> {
        let group = group.to_owned();
        self.store
            .call(move |db, workspace| {
                let transaction = db.transaction()?;
                for username in usernames {
                    transaction
                        .prepare_cached("INSERT OR REPLACE INTO viewer_members VALUES (?1, ?2, ?3, ?4)")?
                        .execute(params![workspace, group, username, seen])?;
                }
                Ok(transaction.commit()?)
            })
            .await
    }

    /// Takes that the viewer of an address is in a group.
    pub async fn join(&self, address: &str, group: &str) -> Result<()> {
        let (address, group) = (address.to_lowercase(), group.to_owned());
        self.store
            .call(move |db, workspace| {
                let join = "INSERT OR REPLACE INTO viewer_members (workspace, name, username, seen)
                        SELECT workspace, ?2, username, ?4 FROM viewers WHERE workspace = ?1 AND address = ?3";
                db.execute(join, params![workspace, group, address, now_ms()])?;
                Ok(())
            })
            .await
    }

    /// Takes the groups of one viewer.
    pub async fn put_groups_of(&self, username: &str, groups: Vec<String>) -> Result<()> {
        let username = username.to_owned();
        self.store
            .call(move |db, workspace| {
                let transaction = db.transaction()?;
                let gone = "DELETE FROM viewer_members WHERE workspace = ?1 AND username = ?2";
                transaction.execute(gone, params![workspace, username])?;
                for group in groups {
                    let one = params![workspace, group, username, now_ms()];
                    transaction.execute("INSERT INTO viewer_members VALUES (?1, ?2, ?3, ?4)", one)?;
                }
                Ok(transaction.commit()?)
            })
            .await
    }

    /// Takes the groups that there are.
    pub async fn put_groups(&self, groups: Vec<Group>) -> Result<()> {
        let pool = self.pool.clone();
        let groups = serde_json::to_string(&groups).map_err(Error::internal)?;
        self.store
            .call(move |db, workspace| {
                let put = "INSERT INTO viewer_pools (workspace, pool, groups) VALUES (?1, ?2, ?3)
                       ON CONFLICT (workspace) DO UPDATE SET groups = excluded.groups";
                db.execute(put, params![workspace, pool, groups])?;
                let gone = "DELETE FROM viewer_members WHERE workspace = ?1 AND name NOT IN
                        (SELECT json_extract(value, '$.name') FROM json_each(?2))";
                db.execute(gone, params![workspace, groups])?;
                Ok(())
            })
            .await
    }

    /// Lets go of a viewer who is in the pool no longer.
    pub async fn remove(&self, username: &str) -> Result<()> {
        let username = username.to_owned();
        self.store
            .call(move |db, workspace| {
                for table in ["viewers", "viewer_members"] {
                    let gone = format!("DELETE FROM {table} WHERE workspace = ?1 AND username = ?2");
                    db.execute(&gone, params![workspace, username])?;
                }
                Ok(())
            })
            .await
    }

    /// All of the pool was read since a time: what was not seen is gone.
    pub async fn sweep(&self, seen: i64, validity_days: i32) -> Result<()> {
        let pool = self.pool.clone();
        self.store.call(move |db, workspace| {
            let transaction = db.transaction()?;
            for table in ["viewers", "viewer_members"] {
                let gone = format!("DELETE FROM {table} WHERE workspace = ?1 AND seen < ?2");
                transaction.execute(&gone, params![workspace, seen])?;
            }
            let read = "INSERT INTO viewer_pools (workspace, pool, read_at, validity_days) VALUES (?1, ?2, ?3, ?4)
                        ON CONFLICT (workspace) DO UPDATE SET read_at = excluded.read_at, validity_days = excluded.validity_days";
            transaction.execute(read, params![workspace, pool, now_ms(), validity_days])?;
            Ok(transaction.commit()?)
        })
        .await
    }

    /// Forgets all of it, so that its bytes are in no file of ours.
    pub async fn wipe(&self) -> Result<()> {
        self.store.call(|db, workspace| wiped(db, |db| empty(db, workspace))).await
    }
}

/// Rows that are deleted at once, and the rest after them.
const PIECE: usize = 2_000;
const BETWEEN_PIECES: Duration = Duration::from_millis(20);

/// Deletes so that the bytes are gone: overwritten in the file, and not left in the log before it.
pub(super) fn wiped(db: &mut Connection, delete: impl FnOnce(&mut Connection) -> Result<()>) -> Result<()> {
    db.pragma_update(None, "secure_delete", true)?;
    let deleted = delete(db);
    db.pragma_update(None, "secure_delete", false)?;
    deleted?;
    // Another process that reads just now keeps its view of the log until it is done; the next checkpoint ends it.
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

/// Without any of this workspace.
pub(super) fn empty(db: &mut Connection, workspace: &str) -> Result<()> {
    delete_in_pieces(db, "viewers", "rowid", workspace)?;
    delete_in_pieces(db, "viewer_members", "name, username", workspace)?;
    db.execute("DELETE FROM viewer_pools WHERE workspace = ?1", [workspace])?;
    Ok(())
}

/// Deletes all rows of a workspace, some at a time: uploads write their journal in between. `key` is what tells the rows
/// of a workspace apart.
pub(super) fn delete_in_pieces(db: &mut Connection, table: &str, key: &str, workspace: &str) -> Result<()> {
    let delete = format!(
        "DELETE FROM {table} WHERE workspace = ?1 AND ({key}) IN
         (SELECT {key} FROM {table} WHERE workspace = ?1 LIMIT {PIECE})"
    );
    while db.execute(&delete, [workspace])? > 0 {
        // Whoever waits for the right to write looks now and then only.
        std::thread::sleep(BETWEEN_PIECES);
    }
    Ok(())
}

fn put(db: &Connection, workspace: &str, account: &Account, seen: i64) -> Result<()> {
    let address = account.email.as_deref().unwrap_or(&account.username).to_lowercase();
    let sought =
        format!("{address}\n{}\n{}", account.name.as_deref().unwrap_or_default(), account.username).to_lowercase();
    db.prepare_cached(
        "INSERT INTO viewers (workspace, username, email, name, enabled, status, created_at, modified_at, address, sought, seen)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (workspace, username) DO UPDATE SET email = excluded.email, name = excluded.name,
           enabled = excluded.enabled, status = excluded.status, created_at = excluded.created_at,
           modified_at = excluded.modified_at, address = excluded.address, sought = excluded.sought, seen = excluded.seen",
    )?
    .execute(params![
        workspace,
        account.username,
        account.email,
        account.name,
        account.is_enabled,
        account.status,
        account.created_at,
        account.modified_at,
        address,
        sought,
        seen
    ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::DAY_MS;
    use super::*;
    use crate::store::Store;

    fn account(username: &str, email: &str, status: &str, is_enabled: bool, modified_at: i64) -> Account {
        Account {
            username: username.into(),
            email: Some(email.into()),
            name: Some(format!("Name of {username}")),
            is_enabled,
            status: status.into(),
            created_at: Some(modified_at),
            modified_at: Some(modified_at),
        }
    }

    async fn mirror() -> (Mirror, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_copy(&folder.path().join("viewers.sqlite"), SCHEMA).unwrap();
        (Mirror::open(WorkspaceStore::of(store, "production"), "pool-1").await.unwrap(), folder)
    }

    /// SQL and Rust say the same of every status, at every age.
    #[tokio::test]
    async fn states_are_counted_as_they_are_shown() {
        let (mirror, _folder) = mirror().await;
        let now = now_ms();
        let words =
            ["FORCE_CHANGE_PASSWORD", "CONFIRMED", "RESET_REQUIRED", "EXTERNAL_PROVIDER", "UNCONFIRMED", "COMPROMISED"];
        let mut accounts = Vec::new();
        for word in words {
            for is_enabled in [true, false] {
                for age in [0, 6, 8] {
                    let username = format!("{word}-{is_enabled}-{age}");
                    accounts.push(account(&username, &username, word, is_enabled, now - age * DAY_MS));
                }
            }
        }
        let all = accounts.len();
        mirror.put(accounts, now).await.unwrap();
        mirror.sweep(now, 7).await.unwrap();
        let census = mirror.census().await.unwrap();
        assert_eq!((census.total, census.states.len()), (all, 8));
        for StateCount { state, count } in census.states {
            let query = Query { state: Some(state), ..Query::default() };
            let found = mirror.find(query, 0, 100).await.unwrap();
            assert_eq!((found.total, found.viewers.len()), (count, count));
            assert!(found.viewers.iter().all(|viewer| viewer.state.kind() == state), "{state:?}");
        }
    }

    #[tokio::test]
    async fn found_sorted_and_swept() {
        let (mirror, _folder) = mirror().await;
        let people = vec![
            account("u1", "Zoe@example.com", "CONFIRMED", true, 10),
            account("u2", "ada@example.com", "CONFIRMED", true, 30),
            account("u3", "Bob_100%@example.com", "CONFIRMED", true, 20),
        ];
        mirror.put(people, 1).await.unwrap();
        mirror
            .put_groups(vec![Group { name: "viewers".into(), description: None, role: None, precedence: None }])
            .await
            .unwrap();
        mirror.put_members("viewers", vec!["u3".into(), "u1".into()], 1).await.unwrap();
        let names = async |query: Query| -> Vec<String> {
            mirror.find(query, 0, 9).await.unwrap().viewers.into_iter().map(|one| one.username).collect()
        };
        assert_eq!(names(Query::default()).await, ["u2", "u3", "u1"]);
        assert_eq!(
            names(Query { sort: Sort::Created, descending: true, ..Query::default() }).await,
            ["u2", "u3", "u1"]
        );
        assert_eq!(names(Query { text: " ZOE@".into(), ..Query::default() }).await, ["u1"]);
        assert_eq!(names(Query { text: "_100%".into(), ..Query::default() }).await, ["u3"]);
        assert_eq!(names(Query { text: "name of u2".into(), ..Query::default() }).await, ["u2"]);
        assert_eq!(names(Query { group: Some("viewers".into()), ..Query::default() }).await, ["u3", "u1"]);
        let second = mirror.find(Query::default(), 1, 1).await.unwrap();
        assert_eq!((second.total, second.viewers[0].groups.clone()), (3, vec!["viewers".to_owned()]));
        // Seen once more: u2 and its like.
        mirror.put(vec![account("u2", "ada@example.com", "CONFIRMED", true, 30)], 2).await.unwrap();
        mirror.sweep(2, 7).await.unwrap();
        assert_eq!(names(Query::default()).await, ["u2"]);
        assert_eq!(mirror.census().await.unwrap().groups[0].count, 0);
        // Another pool: nothing of this one is shown.
        let other = Mirror::open(mirror.store.clone(), "pool-2").await.unwrap();
        assert_eq!(other.census().await.unwrap().total, 0);
    }
}
