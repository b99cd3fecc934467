//! The groups of the pool and who is in them.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::{Value, json};

use super::users::User;
use super::{Refused, Said, next, now, page, refused, seconds};
use crate::USER_POOL;

fn group(row: &Row<'_>) -> rusqlite::Result<Value> {
    Ok(json!({
        "UserPoolId": USER_POOL, "GroupName": row.get::<_, String>(0)?, "Description": row.get::<_, Option<String>>(1)?,
        "RoleArn": row.get::<_, Option<String>>(2)?, "Precedence": row.get::<_, Option<i64>>(3)?,
        "CreationDate": seconds(row.get(4)?), "LastModifiedDate": seconds(row.get(5)?),
    }))
}

const COLUMNS: &str = "name, description, role, precedence, created, modified";

fn find(db: &Connection, request: &Value) -> Result<Value, Refused> {
    let name = request["GroupName"].as_str().unwrap_or_default();
    let one = format!("SELECT {COLUMNS} FROM pool_groups WHERE name = ?1");
    match db.query_row(&one, [name], group).optional()? {
        Some(found) => Ok(found),
        None => refused("ResourceNotFoundException", "Group not found."),
    }
}

pub(super) fn create(db: &Connection, request: &Value) -> Said {
    let made = db.execute(
        "INSERT OR IGNORE INTO pool_groups (name, description, role, precedence, created, modified)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
        params![
            request["GroupName"].as_str().unwrap_or_default(),
            request["Description"].as_str(),
            request["RoleArn"].as_str(),
            request["Precedence"].as_i64(),
            now()
        ],
    )?;
    if made == 0 {
        return refused("GroupExistsException", "A group with the name already exists.");
    }
    get(db, request)
}

pub(super) fn get(db: &Connection, request: &Value) -> Said {
    Ok(json!({ "Group": find(db, request)? }))
}

pub(super) fn delete(db: &Connection, request: &Value) -> Said {
    let found = find(db, request)?;
    db.execute("DELETE FROM pool_groups WHERE name = ?1", [found["GroupName"].as_str()])?;
    Ok(json!({}))
}

pub(super) fn list(db: &Connection, request: &Value) -> Said {
    let (first, size) = page(request, "NextToken", "Limit")?;
    let all = format!("SELECT {COLUMNS} FROM pool_groups ORDER BY name LIMIT ?1 OFFSET ?2");
    let mut groups: Vec<Value> =
        db.prepare_cached(&all)?.query_map([size + 1, first], group)?.collect::<rusqlite::Result<_>>()?;
    paged("Groups", &mut groups, first, size)
}

/// A page of which one row more was read.
fn paged(name: &str, rows: &mut Vec<Value>, first: i64, size: i64) -> Said {
    let has_more = rows.len() as i64 > size;
    rows.truncate(usize::try_from(size).unwrap_or(60));
    let mut answer = json!({ name: rows });
    if has_more {
        answer["NextToken"] = next(first + size);
    }
    Ok(answer)
}

pub(super) fn add(db: &Connection, request: &Value) -> Said {
    let (user, found) = (User::named(db, request)?, find(db, request)?);
    db.execute(
        "INSERT OR IGNORE INTO pool_members (username, name) VALUES (?1, ?2)",
        params![user.username, found["GroupName"].as_str()],
    )?;
    Ok(json!({}))
}

pub(super) fn remove(db: &Connection, request: &Value) -> Said {
    let (user, found) = (User::named(db, request)?, find(db, request)?);
    db.execute(
        "DELETE FROM pool_members WHERE username = ?1 AND name = ?2",
        params![user.username, found["GroupName"].as_str()],
    )?;
    Ok(json!({}))
}

pub(super) fn of_user(db: &Connection, request: &Value) -> Said {
    let (first, size) = page(request, "NextToken", "Limit")?;
    let user = User::named(db, request)?;
    let own = format!(
        "SELECT {COLUMNS} FROM pool_groups WHERE name IN (SELECT name FROM pool_members WHERE username = ?1)
         ORDER BY name LIMIT ?2 OFFSET ?3"
    );
    let rows = db
        .prepare_cached(&own)?
        .query_map(params![user.username, size + 1, first], group)?
        .collect::<Result<Vec<_>, _>>();
    paged("Groups", &mut rows?, first, size)
}

/// The names of a user's groups, for the claims of its tokens.
pub(super) fn names(db: &Connection, username: &str) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached("SELECT name FROM pool_members WHERE username = ?1 ORDER BY name")?
        .query_map([username], |row| row.get(0))?
        .collect()
}

pub(super) fn members(db: &Connection, request: &Value) -> Said {
    let (first, size) = page(request, "NextToken", "Limit")?;
    let found = find(db, request)?;
    let names: Vec<String> = db
        .prepare_cached(
            "SELECT username FROM pool_members JOIN pool_users USING (username) WHERE name = ?1
             ORDER BY position LIMIT ?2 OFFSET ?3",
        )?
        .query_map(params![found["GroupName"].as_str(), size + 1, first], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut users = Vec::new();
    for name in &names {
        users.extend(User::find(db, name)?.map(|user| user.listed()));
    }
    paged("Users", &mut users, first, size)
}
