//! The users of the pool, and what admins do with them.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::{Value, json};

use super::filter::Filter;
use super::{Refused, Said, invalid, mail, next, now, page, password, refused, seconds, settings};

/// Attributes of OpenID Connect that every pool has. Source: Developer Guide, "Working with user attributes".
const STANDARD: [&str; 19] = [
    "address",
    "birthdate",
    "email",
    "email_verified",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "phone_number_verified",
    "picture",
    "preferred_username",
    "profile",
    "updated_at",
    "website",
    "zoneinfo",
];

/// The attributes as `DescribeUserPool` tells them.
pub(super) fn schema() -> Value {
    let attribute = |name: &str| {
        let kind = match name {
            "email_verified" | "phone_number_verified" => "Boolean",
            "updated_at" => "Number",
            _ => "String",
        };
        json!({ "Name": name, "AttributeDataType": kind, "Mutable": true, "Required": name == "email" })
    };
    let sub = json!({ "Name": "sub", "AttributeDataType": "String", "Mutable": false, "Required": true });
    [sub].into_iter().chain(STANDARD.iter().copied().map(attribute)).collect()
}

pub(super) const INVITED: &str = "FORCE_CHANGE_PASSWORD";
pub(super) const CONFIRMED: &str = "CONFIRMED";
pub(super) const RESET: &str = "RESET_REQUIRED";

/// A user as kept.
pub(super) struct User {
    pub position: i64,
    pub username: String,
    pub attributes: Vec<(String, String)>,
    pub enabled: bool,
    pub status: String,
    pub created: i64,
    pub modified: i64,
    pub password: String,
    /// When it was set.
    pub password_set: i64,
    /// The code that a new password is chosen with.
    pub code: Option<String>,
    /// Tokens of before are worth nothing.
    pub signed_out: i64,
}

const COLUMNS: &str =
    "position, username, attributes, enabled, status, created, modified, password, password_set, code, signed_out";

impl User {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let attributes: String = row.get(2)?;
        Ok(Self {
            position: row.get(0)?,
            username: row.get(1)?,
            attributes: serde_json::from_str(&attributes).unwrap_or_default(),
            enabled: row.get(3)?,
            status: row.get(4)?,
            created: row.get(5)?,
            modified: row.get(6)?,
            password: row.get(7)?,
            password_set: row.get(8)?,
            code: row.get(9)?,
            signed_out: row.get(10)?,
        })
    }

    /// By its user name, or by its address.
    pub fn find(db: &Connection, name: &str) -> Result<Option<Self>, Refused> {
        let one = format!("SELECT {COLUMNS} FROM pool_users WHERE username = ?1 OR email = ?2");
        Ok(db.prepare_cached(&one)?.query_row([name, &name.to_lowercase()], Self::read).optional()?)
    }

    pub fn named(db: &Connection, request: &Value) -> Result<Self, Refused> {
        let name = request["Username"].as_str().unwrap_or_default();
        match Self::find(db, name)? {
            Some(user) => Ok(user),
            None => refused("UserNotFoundException", "User does not exist."),
        }
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub fn email(&self) -> &str {
        self.attribute("email").unwrap_or_default()
    }

    pub fn set_attribute(&mut self, name: &str, value: &str) {
        match self.attributes.iter_mut().find(|(own, _)| own == name) {
            Some((_, own)) => value.clone_into(own),
            None => self.attributes.push((name.to_owned(), value.to_owned())),
        }
        // A blank value takes the attribute away (`AdminUpdateUserAttributes`).
        self.attributes.retain(|(_, value)| !value.is_empty());
    }

    pub fn keep(&mut self, db: &Connection) -> Result<(), Refused> {
        self.modified = now();
        let attributes = serde_json::to_string(&self.attributes).unwrap_or_default();
        db.execute(
            "UPDATE pool_users SET email = ?2, attributes = ?3, enabled = ?4, status = ?5, modified = ?6, password = ?7,
             password_set = ?8, code = ?9, signed_out = ?10 WHERE username = ?1",
            params![
                self.username,
                self.email().to_lowercase(),
                attributes,
                self.enabled,
                self.status,
                self.modified,
                self.password,
                self.password_set,
                self.code,
                self.signed_out
            ],
        )?;
        Ok(())
    }

    fn json(&self, attributes: &str) -> Value {
        let own: Vec<Value> =
            self.attributes.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
        json!({
            "Username": self.username, "Enabled": self.enabled, "UserStatus": self.status,
            "UserCreateDate": seconds(self.created), "UserLastModifiedDate": seconds(self.modified), attributes: own,
        })
    }

    /// As lists give it.
    pub fn listed(&self) -> Value {
        self.json("Attributes")
    }
}

pub(super) fn policy(db: &Connection) -> Result<Value, Refused> {
    Ok(settings(db)?["Policies"]["PasswordPolicy"].clone())
}

/// The attributes of a request that the pool's schema knows.
fn attributes(request: &Value) -> Result<Vec<(String, String)>, Refused> {
    let mut all = Vec::new();
    for one in request["UserAttributes"].as_array().into_iter().flatten() {
        let (name, value) = (one["Name"].as_str().unwrap_or_default(), one["Value"].as_str().unwrap_or_default());
        if name == "sub" {
            return invalid("Cannot modify the non-mutable attribute sub");
        }
        if !STANDARD.contains(&name) {
            return invalid(format!(
                "Attributes did not conform to the schema: {name}: Attribute does not exist in the schema.\n"
            ));
        }
        // To submit a blank value takes an attribute away; nobody is without an address.
        if name == "email" && !is_address(value) {
            return invalid("Invalid email address format.");
        }
        all.push((name.to_owned(), value.to_owned()));
    }
    Ok(all)
}

fn is_address(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    let no_space = !text.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    no_space
        && parts.is_some_and(|(name, host)| {
            !name.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
        })
}

pub(super) fn create(db: &mut Connection, request: &Value) -> Said {
    let name = request["Username"].as_str().unwrap_or_default();
    if name.is_empty() || name.chars().count() > 128 {
        return invalid(
            "1 validation error detected: Value at 'username' failed to satisfy constraint: Member must have length between 1 and 128",
        );
    }
    let policy = policy(db)?;
    let given = request["TemporaryPassword"].as_str();
    let password = given.map_or_else(|| password::temporary(&policy), str::to_owned);
    let transaction = db.transaction()?;
    let is_resend = request["MessageAction"] == "RESEND";
    let known = User::find(&transaction, name)?;
    let user = match (known, is_resend) {
        (None, true) => return refused("UserNotFoundException", "User does not exist."),
        (Some(_), false) => return refused("UsernameExistsException", "User account already exists"),
        (Some(user), true) if user.status != INVITED => {
            return refused(
                "UnsupportedUserStateException",
                format!("Resend not possible. {} status is not {INVITED}", user.username),
            );
        }
        (Some(mut user), true) => {
            password::check(&policy, &password)?;
            (user.password, user.password_set) = (password::kept(&password), now());
            user.keep(&transaction)?;
            user
        }
        (None, false) => {
            if !is_address(name) {
                return invalid("Username should be an email.");
            }
            password::check(&policy, &password)?;
            let sub = uuid::Uuid::new_v4().to_string();
            let mut own = vec![("sub".to_owned(), sub.clone())];
            own.extend(attributes(request)?);
            if !own.iter().any(|(name, _)| name == "email") {
                own.push(("email".to_owned(), name.to_owned()));
            }
            let text = serde_json::to_string(&own).unwrap_or_default();
            let email = own.iter().find(|(name, _)| name == "email").map_or(name, |(_, value)| value.as_str());
            let made = transaction.execute(
                "INSERT OR IGNORE INTO pool_users
                 (username, email, attributes, enabled, status, created, modified, password, password_set)
                 VALUES (?1, ?2, ?3, 1, ?4, ?5, ?5, ?6, ?5)",
                params![sub, email.to_lowercase(), text, INVITED, now(), password::kept(&password)],
            )?;
            if made == 0 {
                return refused("UsernameExistsException", "An account with the given email already exists.");
            }
            User::find(&transaction, &sub)?.ok_or_else(|| Refused("InternalErrorException", String::new()))?
        }
    };
    if request["MessageAction"] != "SUPPRESS" {
        mail::invite(&transaction, user.email(), &password)?;
    }
    transaction.commit()?;
    Ok(json!({ "User": user.listed() }))
}

pub(super) fn get(db: &Connection, request: &Value) -> Said {
    Ok(User::named(db, request)?.json("UserAttributes"))
}

pub(super) fn list(db: &Connection, request: &Value) -> Said {
    let (first, size) = page(request, "PaginationToken", "Limit")?;
    let filter = Filter::parse(request["Filter"].as_str().unwrap_or_default())?;
    let wanted = request["AttributesToGet"].as_array();
    let mut users = Vec::new();
    let mut statement =
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM pool_users WHERE position > ?1 ORDER BY position"))?;
    let mut rows = statement.query([first])?;
    let mut last = first;
    while let Some(row) = rows.next()? {
        let user = User::read(row)?;
        let mut listed = user.listed();
        if filter.as_ref().is_none_or(|filter| filter.admits(&listed)) {
            if users.len() as i64 == size {
                return Ok(json!({ "Users": users, "PaginationToken": next(last) }));
            }
            if let (Some(wanted), Some(own)) = (wanted, listed["Attributes"].as_array_mut()) {
                own.retain(|one| wanted.contains(&one["Name"]));
            }
            users.push(listed);
        }
        last = user.position;
    }
    Ok(json!({ "Users": users }))
}

pub(super) fn update(db: &Connection, request: &Value) -> Said {
    let mut user = User::named(db, request)?;
    let changes = attributes(request)?;
    for (name, value) in &changes {
        if name == "email" {
            if User::find(db, value)?.is_some_and(|other| other.username != user.username) {
                return refused("AliasExistsException", "An account with the given email already exists.");
            }
            // A new address is not verified, unless the same request says so.
            if user.email() != value {
                user.set_attribute("email_verified", "false");
            }
        }
        user.set_attribute(name, value);
    }
    // In whatever order they came.
    if let Some((_, value)) = changes.iter().find(|(name, _)| name == "email_verified") {
        user.set_attribute("email_verified", value);
    }
    user.keep(db)?;
    Ok(json!({}))
}

pub(super) fn enable(db: &Connection, request: &Value, enabled: bool) -> Said {
    let mut user = User::named(db, request)?;
    user.enabled = enabled;
    if !enabled {
        user.signed_out = now();
    }
    user.keep(db)?;
    Ok(json!({}))
}

pub(super) fn delete(db: &Connection, request: &Value) -> Said {
    let user = User::named(db, request)?;
    db.execute("DELETE FROM pool_users WHERE username = ?1", [user.username])?;
    Ok(json!({}))
}

pub(super) fn reset_password(db: &mut Connection, request: &Value) -> Said {
    let transaction = db.transaction()?;
    let mut user = User::named(&transaction, request)?;
    if user.status == INVITED {
        return refused("NotAuthorizedException", "User password cannot be reset in the current state.");
    }
    if !user.enabled {
        return refused("NotAuthorizedException", "User is disabled.");
    }
    if user.attribute("email_verified") != Some("true") {
        return invalid("Cannot reset password for the user as there is no registered/verified email or phone_number");
    }
    let code = format!("{:06}", uuid::Uuid::new_v4().as_u128() % 1_000_000);
    mail::reset(&transaction, user.email(), &code)?;
    user.status = RESET.to_owned();
    user.code = Some(code);
    user.keep(&transaction)?;
    transaction.commit()?;
    Ok(json!({}))
}

pub(super) fn set_password(db: &Connection, request: &Value) -> Said {
    let mut user = User::named(db, request)?;
    let password = request["Password"].as_str().unwrap_or_default();
    password::check(&policy(db)?, password)?;
    (user.password, user.password_set) = (password::kept(password), now());
    user.status = if request["Permanent"] == true { CONFIRMED } else { INVITED }.to_owned();
    user.keep(db)?;
    Ok(json!({}))
}

pub(super) fn sign_out(db: &Connection, request: &Value) -> Said {
    let mut user = User::named(db, request)?;
    user.signed_out = now();
    user.keep(db)?;
    Ok(json!({}))
}
