//! Viewers signing in: with a password, with a temporary one that has to be changed, with a code after a reset.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use rusqlite::{Connection, OptionalExtension as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::users::{CONFIRMED, INVITED, RESET, User, policy};
use super::{Refused, Said, groups, invalid, now, password, refused};
use crate::{APP_CLIENT, REGION, USER_POOL};

const HOUR: i64 = 60 * 60 * 1000;
const DAY: i64 = 24 * HOUR;

fn wrong<T>() -> Result<T, Refused> {
    refused("NotAuthorizedException", "Incorrect username or password.")
}

fn client(request: &Value) -> Result<(), Refused> {
    let id = request["ClientId"].as_str().unwrap_or_default();
    if id == APP_CLIENT {
        Ok(())
    } else {
        refused("ResourceNotFoundException", format!("User pool client {id} does not exist."))
    }
}

/// The user of a password that is right.
fn user(db: &Connection, name: &str, given: &str) -> Result<User, Refused> {
    let Some(user) = User::find(db, name)? else { return wrong() };
    if !user.enabled {
        return refused("NotAuthorizedException", "User is disabled.");
    }
    if user.status == RESET {
        return refused("PasswordResetRequiredException", "Password reset required for the user");
    }
    if !password::is_right(&user.password, given) {
        return wrong();
    }
    // 0 is the default of 7 days.
    let days = policy(db)?["TemporaryPasswordValidityDays"].as_i64().filter(|days| *days > 0).unwrap_or(7);
    if user.status == INVITED && now() - user.password_set > days * DAY {
        return refused(
            "NotAuthorizedException",
            "Temporary password has expired and must be reset by an administrator.",
        );
    }
    Ok(user)
}

pub(super) fn initiate(db: &Connection, request: &Value) -> Said {
    client(request)?;
    let given = &request["AuthParameters"];
    let text = |name: &str| given[name].as_str().unwrap_or_default();
    match request["AuthFlow"].as_str().unwrap_or_default() {
        "USER_PASSWORD_AUTH" => {
            let user = user(db, text("USERNAME"), text("PASSWORD"))?;
            if user.status == INVITED {
                return Ok(json!({
                    "ChallengeName": "NEW_PASSWORD_REQUIRED",
                    "Session": token(db, &user, "session", HOUR / 20)?,
                    "ChallengeParameters": {
                        "USER_ID_FOR_SRP": user.username, "requiredAttributes": "[]",
                        "userAttributes": json!({ "email": user.email() }).to_string(),
                    },
                }));
            }
            tokens(db, &user)
        }
        "REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN" => {
            let user = of_token(db, text("REFRESH_TOKEN"), "refresh")?;
            tokens(db, &user)
        }
        other => invalid(format!("{other} flow not enabled for this client")),
    }
}

pub(super) fn respond(db: &Connection, request: &Value) -> Said {
    client(request)?;
    if request["ChallengeName"] != "NEW_PASSWORD_REQUIRED" {
        return invalid("Challenge response is not supported.");
    }
    let mut user = of_token(db, request["Session"].as_str().unwrap_or_default(), "session")?;
    let new = request["ChallengeResponses"]["NEW_PASSWORD"].as_str().unwrap_or_default();
    password::check(&policy(db)?, new)?;
    (user.password, user.password_set) = (password::kept(new), now());
    user.status = CONFIRMED.to_owned();
    // The invitation came by mail: the address is the user's own.
    user.set_attribute("email_verified", "true");
    user.keep(db)?;
    tokens(db, &user)
}

pub(super) fn confirm_reset(db: &Connection, request: &Value) -> Said {
    client(request)?;
    let name = request["Username"].as_str().unwrap_or_default();
    let Some(mut user) = User::find(db, name)? else {
        return refused("UserNotFoundException", "Username/client id combination not found.");
    };
    let code = request["ConfirmationCode"].as_str();
    if user.code.is_none() || user.code.as_deref() != code {
        return refused("CodeMismatchException", "Invalid verification code provided, please try again.");
    }
    let new = request["Password"].as_str().unwrap_or_default();
    password::check(&policy(db)?, new)?;
    (user.password, user.password_set, user.code) = (password::kept(new), now(), None);
    user.status = CONFIRMED.to_owned();
    user.keep(db)?;
    Ok(json!({}))
}

pub(super) fn get_user(db: &Connection, request: &Value) -> Said {
    let user = of_token(db, request["AccessToken"].as_str().unwrap_or_default(), "access")?;
    let attributes: Vec<Value> =
        user.attributes.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
    Ok(json!({ "Username": user.username, "UserAttributes": attributes }))
}

fn tokens(db: &Connection, user: &User) -> Said {
    Ok(json!({ "AuthenticationResult": {
        "AccessToken": token(db, user, "access", HOUR)?, "IdToken": token(db, user, "id", HOUR)?,
        "RefreshToken": token(db, user, "refresh", 30 * DAY)?, "ExpiresIn": 3600, "TokenType": "Bearer",
    }, "ChallengeParameters": {} }))
}

/// A token in the form of a JWT. Its signature is good for this sandbox only.
fn token(db: &Connection, user: &User, kind: &str, valid_for: i64) -> Result<String, Refused> {
    let mut claims = json!({
        "sub": user.username, "token_use": kind, "iss": format!("https://cognito-idp.{REGION}.amazonaws.com/{USER_POOL}"),
        "iat": now() / 1000, "exp": (now() + valid_for) / 1000, "made": now(), "jti": uuid::Uuid::new_v4(),
        "cognito:groups": groups::names(db, &user.username)?,
    });
    match kind {
        "id" => {
            claims["aud"] = APP_CLIENT.into();
            claims["cognito:username"] = user.username.as_str().into();
            claims["email"] = user.email().into();
        }
        _ => {
            claims["client_id"] = APP_CLIENT.into();
            claims["username"] = user.username.as_str().into();
        }
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(&claims));
    Ok(format!("{signed}.{}", signature(db, &signed)?))
}

/// The user of a token that this pool made and that is still good.
pub(super) fn of_token(db: &Connection, token: &str, kind: &str) -> Result<User, Refused> {
    let bad = || {
        Refused(
            "NotAuthorizedException",
            format!("Invalid {} Token", if kind == "refresh" { "Refresh" } else { "Access" }),
        )
    };
    let (signed, given) = token.rsplit_once('.').ok_or_else(bad)?;
    if signature(db, signed)? != given {
        return Err(bad());
    }
    let claims = signed.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).ok_or_else(bad)?;
    let claims: Value = serde_json::from_slice(&claims).map_err(|_| bad())?;
    let is_good = claims["token_use"] == kind && claims["exp"].as_i64().is_some_and(|end| end > now() / 1000);
    let user = User::find(db, claims["sub"].as_str().unwrap_or_default())?.filter(|_| is_good).ok_or_else(bad)?;
    if claims["made"].as_i64().unwrap_or(0) <= user.signed_out {
        return refused("NotAuthorizedException", "Access Token has been revoked");
    }
    if !user.enabled {
        return refused("NotAuthorizedException", "User is disabled.");
    }
    Ok(user)
}

fn signature(db: &Connection, text: &str) -> Result<String, Refused> {
    let read = || db.query_row("SELECT value FROM pool_settings WHERE name = 'key'", [], |row| row.get::<_, String>(0));
    let key = match read().optional()? {
        Some(key) => key,
        None => {
            let key = uuid::Uuid::new_v4().to_string() + &uuid::Uuid::new_v4().to_string();
            db.execute("INSERT OR IGNORE INTO pool_settings (name, value) VALUES ('key', ?1)", [&key])?;
            read()?
        }
    };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return refused("InternalErrorException", "Something went wrong.");
    };
    mac.update(text.as_bytes());
    Ok(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}
