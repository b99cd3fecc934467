//! The user pool: who may watch, as Amazon Cognito keeps it, on disk. Source: Amazon Cognito user pools API Reference and
//! Developer Guide; error messages as the service writes them.
//!
//! Its users sign in by e-mail address, are made by admins only, and get their invitation into a mailbox of the sandbox.
//! Not there on purpose: SRP, MFA, sign-up, Lambda triggers, custom attributes, other mediums than e-mail.

mod filter;
mod groups;
mod mail;
mod password;
mod sign_in;
mod users;

use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use rusqlite::{Connection, OptionalExtension as _};
use serde_json::{Value, json};

use crate::db::Db;
use crate::{ACCOUNT, APP_CLIENT, REGION, STACK, USER_POOL};

/// The beginning of the `X-Amz-Target` of Cognito's requests.
pub(crate) const TARGET: &str = "AWSCognitoIdentityProviderService.";

/// Operations that viewers call: nobody signs them.
const UNSIGNED: [&str; 4] = ["InitiateAuth", "RespondToAuthChallenge", "ConfirmForgotPassword", "GetUser"];

/// Tables of the pool.
pub(crate) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS pool_users (
  position INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT NOT NULL UNIQUE, email TEXT NOT NULL UNIQUE,
  attributes TEXT NOT NULL, enabled INTEGER NOT NULL, status TEXT NOT NULL, created INTEGER NOT NULL,
  modified INTEGER NOT NULL, password TEXT NOT NULL, password_set INTEGER NOT NULL, code TEXT,
  signed_out INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS pool_groups (
  name TEXT PRIMARY KEY, description TEXT, role TEXT, precedence INTEGER, created INTEGER NOT NULL,
  modified INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pool_members (
  username TEXT NOT NULL REFERENCES pool_users(username) ON DELETE CASCADE,
  name TEXT NOT NULL REFERENCES pool_groups(name) ON DELETE CASCADE, PRIMARY KEY (username, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pool_mails (
  id INTEGER PRIMARY KEY AUTOINCREMENT, recipient TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL,
  sent INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS pool_mail_secrets (mail INTEGER PRIMARY KEY REFERENCES pool_mails(id), secret TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS pool_settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
";

/// An error of the service: its name and its message.
#[derive(Debug)]
pub(crate) struct Refused(&'static str, String);

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "the pool could not be read or written");
        Self("InternalErrorException", "Something went wrong.".to_owned())
    }
}

type Said = Result<Value, Refused>;

fn refused<T>(kind: &'static str, message: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(kind, message.into()))
}

fn invalid<T>(message: impl Into<String>) -> Result<T, Refused> {
    refused("InvalidParameterException", message)
}

/// Whether an operation wants the signature of an admin.
pub(crate) fn is_signed(operation: &str) -> bool {
    !UNSIGNED.contains(&operation)
}

/// Answers one operation of the JSON 1.1 protocol.
pub(crate) async fn answer(db: &Db, operation: &str, request: Value) -> Response<Body> {
    let name = operation.to_owned();
    match db.call(move |db| act(db, &name, &request)).await {
        Ok(body) => respond(StatusCode::OK, None, &body),
        Err(Refused(kind, message)) => {
            respond(StatusCode::BAD_REQUEST, Some(kind), &json!({ "__type": kind, "message": message }))
        }
    }
}

/// The newest mails that the pool would have sent, as JSON.
pub(crate) async fn mailbox(db: &Db) -> Response<Body> {
    match db.call(|db| Ok::<_, Refused>(mail::newest(db)?)).await {
        Ok(mails) => respond(StatusCode::OK, None, &json!({ "mails": mails })),
        Err(Refused(_, message)) => respond(StatusCode::INTERNAL_SERVER_ERROR, None, &json!({ "message": message })),
    }
}

/// Whether an access token is one of this pool's that is still good.
pub(crate) fn is_signed_in(db: &Connection, token: &str) -> Result<(), Refused> {
    sign_in::of_token(db, token, "access").map(drop)
}

fn act(db: &mut Connection, operation: &str, request: &Value) -> Said {
    match operation {
        "ListUserPools" => return list(request),
        "InitiateAuth" => return sign_in::initiate(db, request),
        "RespondToAuthChallenge" => return sign_in::respond(db, request),
        "ConfirmForgotPassword" => return sign_in::confirm_reset(db, request),
        "GetUser" => return sign_in::get_user(db, request),
        _ => {}
    }
    let id = request["UserPoolId"].as_str().unwrap_or_default();
    if id != USER_POOL {
        return refused("ResourceNotFoundException", format!("User pool {id} does not exist."));
    }
    match operation {
        "DescribeUserPool" => describe(db),
        "UpdateUserPool" => update(db, request),
        "ListUserPoolClients" => Ok(json!({ "UserPoolClients": [
            { "ClientId": APP_CLIENT, "UserPoolId": USER_POOL, "ClientName": "viewers" }
        ]})),
        "AdminCreateUser" => users::create(db, request),
        "AdminGetUser" => users::get(db, request),
        "ListUsers" => users::list(db, request),
        "AdminUpdateUserAttributes" => users::update(db, request),
        "AdminDisableUser" => users::enable(db, request, false),
        "AdminEnableUser" => users::enable(db, request, true),
        "AdminDeleteUser" => users::delete(db, request),
        "AdminResetUserPassword" => users::reset_password(db, request),
        "AdminSetUserPassword" => users::set_password(db, request),
        "AdminUserGlobalSignOut" => users::sign_out(db, request),
        "CreateGroup" => groups::create(db, request),
        "GetGroup" => groups::get(db, request),
        "DeleteGroup" => groups::delete(db, request),
        "ListGroups" => groups::list(db, request),
        "AdminAddUserToGroup" => groups::add(db, request),
        "AdminRemoveUserFromGroup" => groups::remove(db, request),
        "AdminListGroupsForUser" => groups::of_user(db, request),
        "ListUsersInGroup" => groups::members(db, request),
        other => refused("UnknownOperationException", format!("The sandbox's Cognito does not know {other}.")),
    }
}

fn list(request: &Value) -> Said {
    match request["MaxResults"].as_u64() {
        Some(1..=60) => Ok(json!({ "UserPools": [{ "Id": USER_POOL, "Name": STACK, "LambdaConfig": {} }] })),
        given => invalid(format!(
            "1 validation error detected: Value '{given:?}' at 'maxResults' should be between 1 and 60"
        )),
    }
}

/// The settings that can be changed.
fn settings(db: &Connection) -> Result<Value, Refused> {
    let kept: Option<String> =
        db.query_row("SELECT value FROM pool_settings WHERE name = 'pool'", [], |row| row.get(0)).optional()?;
    Ok(kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_else(|| {
        json!({
            "DeletionProtection": "ACTIVE",
            "AutoVerifiedAttributes": ["email"],
            "AdminCreateUserConfig": {
                "AllowAdminCreateUserOnly": true,
                "InviteMessageTemplate": {
                    "EmailSubject": "You are invited to watch",
                    "EmailMessage": "You may watch our videos. Sign in as {username} with the password {####}",
                },
            },
            // Mail goes by one's own SES: the small daily quota of Cognito's own does not apply.
            "EmailConfiguration": {
                "EmailSendingAccount": "DEVELOPER",
                "SourceArn": format!("arn:aws:ses:{REGION}:{ACCOUNT}:identity/example.com"),
            },
            "Policies": { "PasswordPolicy": {
                "MinimumLength": 8, "RequireUppercase": true, "RequireLowercase": true, "RequireNumbers": true,
                "RequireSymbols": true, "TemporaryPasswordValidityDays": 7,
            }},
        })
    }))
}

fn describe(db: &Connection) -> Said {
    let mut pool = settings(db)?;
    let users: u64 = db.query_row("SELECT count(*) FROM pool_users", [], |row| row.get(0))?;
    pool["Id"] = USER_POOL.into();
    pool["Name"] = STACK.into();
    pool["Arn"] = format!("arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{USER_POOL}").into();
    pool["UsernameAttributes"] = json!(["email"]);
    pool["UsernameConfiguration"] = json!({ "CaseSensitive": false });
    pool["MfaConfiguration"] = "OFF".into();
    pool["SchemaAttributes"] = users::schema();
    pool["EstimatedNumberOfUsers"] = users.into();
    Ok(json!({ "UserPool": pool }))
}

/// Each of these that is given takes the place of what was there.
fn update(db: &Connection, request: &Value) -> Said {
    let mut pool = settings(db)?;
    for name in
        ["DeletionProtection", "AutoVerifiedAttributes", "AdminCreateUserConfig", "EmailConfiguration", "Policies"]
    {
        if !request[name].is_null() {
            pool[name] = request[name].clone();
        }
    }
    db.execute("INSERT OR REPLACE INTO pool_settings (name, value) VALUES ('pool', ?1)", [pool.to_string()])?;
    Ok(json!({}))
}

/// Milliseconds since the epoch.
fn now() -> i64 {
    let now = crate::time::utc().unix_timestamp_nanos() / 1_000_000;
    i64::try_from(now).unwrap_or(i64::MAX)
}

/// A time as the protocol writes it: seconds with a fraction.
fn seconds(milliseconds: i64) -> Value {
    json!(milliseconds as f64 / 1000.0)
}

/// The page that is asked for: its first row and its size, 60 at most.
fn page(request: &Value, token: &str, limit: &str) -> Result<(i64, i64), Refused> {
    let size = match &request[limit] {
        Value::Null => 60,
        given => match given.as_i64() {
            // 0 means the default.
            Some(0) => 60,
            Some(size @ 1..=60) => size,
            _ => {
                return invalid(format!(
                    "1 validation error detected: Value '{given}' at '{limit}' failed to satisfy constraint: Member must have value less than or equal to 60"
                ));
            }
        },
    };
    let first = match request[token].as_str() {
        None => 0,
        Some(text) => match text.strip_prefix("page-").and_then(|text| text.parse().ok()) {
            Some(first) => first,
            None => return invalid("Invalid pagination token."),
        },
    };
    Ok((first, size))
}

fn next(first: i64) -> Value {
    format!("page-{first}").into()
}

fn respond(status: StatusCode, kind: Option<&str>, body: &Value) -> Response<Body> {
    let mut response = Response::builder().status(status).header(header::CONTENT_TYPE, "application/x-amz-json-1.1");
    if let Some(kind) = kind {
        response = response.header("x-amzn-errortype", kind);
    }
    response.body(Body::from(body.to_string())).unwrap_or_default()
}
