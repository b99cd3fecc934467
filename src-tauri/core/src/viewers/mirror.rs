//! What this computer knows of a pool: a copy in the store, to search and sort in, with the age of its last reading. The
//! API filters by one attribute only, gives 60 users at a time and sorts by nothing.

use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::groups::Group;
use super::{DAY_MS, StateKind, Viewer, ViewerState};
use crate::event::now_ms;
use crate::store::WorkspaceStore;
use crate::{Error, Result};

/// Which viewers, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Query {
    /// Part of an address, a name or a user name; empty for all.
    pub text: String,
    /// Only those in this state.
    pub state: Option<StateKind>,
    /// Only those in this group.
    pub group: Option<String>,
    /// By what they are sorted.
    pub sort: Sort,
    /// Whether the last comes first.
    pub descending: bool,
}

/// What viewers are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Sort {
    #[default]
    Address,
    Created,
    Modified,
}

/// Some of the viewers that were asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// Those of the window that was asked for.
    pub viewers: Vec<Viewer>,
    /// How many there are in all.
    pub total: usize,
}

/// What the copy holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Census {
    /// All viewers.
    pub total: usize,
    /// How many are in each state; states that nobody is in are left out.
    pub states: Vec<StateCount>,
    /// The groups, by name, and how many are in each.
    pub groups: Vec<GroupCount>,
    /// When all of the pool was last read, in milliseconds since the epoch; none if it never was.
    #[ts(type = "number | null")]
    pub read_at: Option<i64>,
}

/// How many are in a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StateCount {
    pub state: StateKind,
    pub count: usize,
}

/// How many are in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[expect(missing_docs, reason = "the names say it")]
pub struct GroupCount {
    pub group: Group,
    pub count: usize,
}

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

const COLUMNS: &str = "username, email, name, enabled, status, created_at, modified_at";

/// The rows in a state, in the words of SQL: what [`ViewerState::of`] says, which a test compares.
fn of_state(state: StateKind) -> &'static str {
    match state {
        StateKind::Disabled => "enabled = 0",
        StateKind::Invited => {
            "enabled = 1 AND status = 'FORCE_CHANGE_PASSWORD' AND coalesce(modified_at, :now) + :validity > :now"
        }
        StateKind::InvitationExpired => {
            "enabled = 1 AND status = 'FORCE_CHANGE_PASSWORD' AND coalesce(modified_at, :now) + :validity <= :now"
        }
        StateKind::Active => "enabled = 1 AND status = 'CONFIRMED'",
        StateKind::MustReset => "enabled = 1 AND status = 'RESET_REQUIRED'",
        StateKind::External => "enabled = 1 AND status = 'EXTERNAL_PROVIDER'",
        StateKind::Unconfirmed => "enabled = 1 AND status = 'UNCONFIRMED'",
        StateKind::Unknown => {
            "enabled = 1 AND status NOT IN
             ('FORCE_CHANGE_PASSWORD', 'CONFIRMED', 'RESET_REQUIRED', 'EXTERNAL_PROVIDER', 'UNCONFIRMED')"
        }
    }
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

    /// Those that a query asks for, from one on.
    pub async fn find(&self, query: Query, first: usize, most: usize) -> Result<Found> {
        self.store
            .call(move |db, workspace| {
                let validity = validity(db, workspace)?;
                let wanted = Wanted::of(&query, workspace, validity);
                let total = wanted.count(db)?;
                let page = format!(
                    "SELECT {COLUMNS} FROM viewers {} ORDER BY {} LIMIT :most OFFSET :first",
                    wanted.condition, wanted.order
                );
                let [most, first] = [most, first].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
                let mut named = wanted.named();
                named.extend([(":most", &most as &dyn ToSql), (":first", &first as &dyn ToSql)]);
                let mut statement = db.prepare_cached(&page)?;
                let rows = statement.query_map(named.as_slice(), |row| viewer(row, validity))?;
                let mut viewers = rows.collect::<rusqlite::Result<Vec<_>>>()?;
                let mut groups = db.prepare_cached(
                    "SELECT name FROM viewer_members WHERE workspace = ?1 AND username = ?2 ORDER BY name",
                )?;
                for viewer in &mut viewers {
                    let names = groups.query_map([workspace, &viewer.username], |row| row.get(0))?;
                    viewer.groups = names.collect::<rusqlite::Result<_>>()?;
                }
                Ok(Found { viewers, total })
            })
            .await
    }

    /// Who a query asks for: the user name and the address of each.
    pub async fn who(&self, query: Query) -> Result<Vec<(String, String)>> {
        self.store
            .call(move |db, workspace| {
                let wanted = Wanted::of(&query, workspace, validity(db, workspace)?);
                let all = format!(
                    "SELECT username, coalesce(email, username) FROM viewers {} ORDER BY {}",
                    wanted.condition, wanted.order
                );
                let mut statement = db.prepare(&all)?;
                let rows = statement.query_map(wanted.named().as_slice(), |row| Ok((row.get(0)?, row.get(1)?)))?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
            .await
    }

    /// The addresses of these user names, where they are known.
    pub async fn addresses(&self, usernames: Vec<String>) -> Result<Vec<(String, String)>> {
        self.store
            .call(move |db, workspace| {
                let mut one = db.prepare_cached(
                    "SELECT coalesce(email, username) FROM viewers WHERE workspace = ?1 AND username = ?2",
                )?;
                let mut all = Vec::with_capacity(usernames.len());
                for username in usernames {
                    let address = one.query_row([workspace, &username], |row| row.get(0)).optional()?;
                    all.push((username.clone(), address.unwrap_or(username)));
                }
                Ok(all)
            })
            .await
    }

    /// Whether someone has this address.
    pub async fn has_address(&self, address: &str) -> Result<bool> {
        let address = address.to_lowercase();
        self.store
            .call(move |db, workspace| {
                let one = "SELECT 1 FROM viewers WHERE workspace = ?1 AND address = ?2 LIMIT 1";
                Ok(db.prepare_cached(one)?.query_row([workspace, &address], |_| Ok(())).optional()?.is_some())
            })
            .await
    }

    /// How many there are, and when that was so.
    pub async fn census(&self) -> Result<Census> {
        self.store
            .call(|db, workspace| {
                let validity = validity(db, workspace)?;
                let mut counts = Vec::new();
                for state in StateKind::ALL {
                    let wanted = Wanted::of(&Query { state: Some(state), ..Query::default() }, workspace, validity);
                    let count = wanted.count(db)?;
                    if count > 0 {
                        counts.push(StateCount { state, count });
                    }
                }
                let pool = "SELECT read_at, groups FROM viewer_pools WHERE workspace = ?1";
                let read = |row: &Row<'_>| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<String>>(1)?));
                let (read_at, groups) = db.query_row(pool, [workspace], read).optional()?.unwrap_or_default();
                let groups: Vec<Group> = groups.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
                let mut of_group =
                    db.prepare_cached("SELECT count(*) FROM viewer_members WHERE workspace = ?1 AND name = ?2")?;
                let mut members = Vec::with_capacity(groups.len());
                for group in groups {
                    let count: i64 = of_group.query_row([workspace, &group.name], |row| row.get(0))?;
                    members.push(GroupCount { group, count: usize::try_from(count).unwrap_or(0) });
                }
                let total = counts.iter().map(|one| one.count).sum();
                Ok(Census { total, states: counts, groups: members, read_at })
            })
            .await
    }

    /// Forgets all of it, so that its bytes are in no file of ours.
    pub async fn wipe(&self) -> Result<()> {
        self.store.call(|db, workspace| wiped(db, |db| empty(db, workspace))).await
    }
}

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
    let transaction = db.transaction()?;
    for table in ["viewers", "viewer_members", "viewer_pools"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE workspace = ?1"), [workspace])?;
    }
    Ok(transaction.commit()?)
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

/// How long an invitation is good for, in milliseconds, as the pool last said.
fn validity(db: &Connection, workspace: &str) -> Result<i64> {
    let days = "SELECT validity_days FROM viewer_pools WHERE workspace = ?1";
    let days: Option<Option<i64>> = db.prepare_cached(days)?.query_row([workspace], |row| row.get(0)).optional()?;
    Ok(days.flatten().unwrap_or(7) * DAY_MS)
}

fn viewer(row: &Row<'_>, validity: i64) -> rusqlite::Result<Viewer> {
    let (is_enabled, status): (bool, String) = (row.get(3)?, row.get(4)?);
    let modified_at: Option<i64> = row.get(6)?;
    Ok(Viewer {
        username: row.get(0)?,
        email: row.get(1)?,
        name: row.get(2)?,
        state: ViewerState::of(&status, is_enabled, modified_at, validity, now_ms()),
        created_at: row.get(5)?,
        modified_at,
        groups: Vec::new(),
    })
}

/// A query in the words of SQL.
struct Wanted {
    condition: String,
    order: String,
    values: Vec<(&'static str, Box<dyn ToSql>)>,
}

impl Wanted {
    fn of(query: &Query, workspace: &str, validity: i64) -> Self {
        let mut condition = "WHERE workspace = :workspace".to_owned();
        let mut values: Vec<(&'static str, Box<dyn ToSql>)> = vec![(":workspace", Box::new(workspace.to_owned()))];
        let text = query.text.trim().to_lowercase();
        if !text.is_empty() {
            condition += " AND instr(sought, :text) > 0";
            values.push((":text", Box::new(text)));
        }
        if let Some(state) = query.state {
            condition += &format!(" AND {}", of_state(state));
            if matches!(state, StateKind::Invited | StateKind::InvitationExpired) {
                values.push((":now", Box::new(now_ms())));
                values.push((":validity", Box::new(validity)));
            }
        }
        if let Some(group) = &query.group {
            condition +=
                " AND username IN (SELECT username FROM viewer_members WHERE workspace = :workspace AND name = :group)";
            values.push((":group", Box::new(group.clone())));
        }
        let column = match query.sort {
            Sort::Address => "address",
            Sort::Created => "created_at",
            Sort::Modified => "modified_at",
        };
        // Both the same way, as an index has them.
        let direction = if query.descending { "DESC" } else { "ASC" };
        Self { condition, order: format!("{column} {direction}, username {direction}"), values }
    }

    fn named(&self) -> Vec<(&str, &dyn ToSql)> {
        self.values.iter().map(|(name, value)| (*name, &**value)).collect()
    }

    fn count(&self, db: &Connection) -> Result<usize> {
        let count = format!("SELECT count(*) FROM viewers {}", self.condition);
        let count: i64 = db.prepare_cached(&count)?.query_row(self.named().as_slice(), |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
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
        let store = Store::open(&folder.path().join("reeldesk.sqlite")).unwrap();
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
