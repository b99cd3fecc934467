//! Looking in the copy of a pool: a page of those that fit, all of them, and how many there are.

use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::super::groups::Group;
use super::super::{DAY_MS, StateKind, Viewer, ViewerState};
use super::Mirror;
use crate::Result;
use crate::clock::now_ms;

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
