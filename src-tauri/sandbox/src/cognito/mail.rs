//! The mailbox: what the pool would have sent.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::{Refused, now, refused, settings};

/// Mails a day that Cognito sends by itself. Source: Developer Guide, "Quotas in Amazon Cognito".
const A_DAY: i64 = 50;
/// Mails of the mailbox that are shown.
const SHOWN: i64 = 500;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Sends the invitation with the temporary password.
pub(super) fn invite(db: &Connection, email: &str, password: &str) -> Result<(), Refused> {
    let settings = settings(db)?;
    let template = &settings["AdminCreateUserConfig"]["InviteMessageTemplate"];
    let text = |name: &str, usual: &str| template[name].as_str().unwrap_or(usual).to_owned();
    let body = text("EmailMessage", "Your username is {username} and temporary password is {####}");
    if !body.contains("{####}") {
        return refused("CodeDeliveryFailureException", "The message template does not contain {####}.");
    }
    let body = body.replace("{username}", email).replace("{####}", password);
    send(db, &settings, email, &text("EmailSubject", "Your temporary password"), &body, password)
}

/// Sends the code to choose a new password with.
pub(super) fn reset(db: &Connection, email: &str, code: &str) -> Result<(), Refused> {
    let settings = settings(db)?;
    let body = format!("Your password reset code is {code}");
    send(db, &settings, email, "Your verification code", &body, code)
}

fn send(db: &Connection, settings: &Value, to: &str, subject: &str, body: &str, secret: &str) -> Result<(), Refused> {
    if settings["EmailConfiguration"]["EmailSendingAccount"] != "DEVELOPER" {
        let today: i64 =
            db.query_row("SELECT count(*) FROM pool_mails WHERE sent > ?1", [now() - DAY], |row| row.get(0))?;
        if today >= A_DAY {
            return refused(
                "LimitExceededException",
                "Exceeded daily email limit for the operation or the account. If a higher limit is required, please configure your user pool to use your own Amazon SES configuration for sending email.",
            );
        }
    }
    db.execute(
        "INSERT INTO pool_mails (recipient, subject, body, sent) VALUES (?1, ?2, ?3, ?4)",
        params![to, subject, body, now()],
    )?;
    let mail = db.last_insert_rowid();
    db.execute("INSERT INTO pool_mail_secrets (mail, secret) VALUES (?1, ?2)", params![mail, secret])?;
    Ok(())
}

/// The newest mails, the newest first.
pub(super) fn newest(db: &Connection) -> rusqlite::Result<Vec<Value>> {
    let newest = "SELECT id, recipient, subject, body, sent, coalesce(secret, '') FROM pool_mails
                  LEFT JOIN pool_mail_secrets ON mail = id ORDER BY id DESC LIMIT ?1";
    db.prepare(newest)?
        .query_map([SHOWN], |row| {
            Ok(json!({
                "id": row.get::<_, i64>(0)?, "to": row.get::<_, String>(1)?, "subject": row.get::<_, String>(2)?,
                "body": row.get::<_, String>(3)?, "sentAt": row.get::<_, i64>(4)?,
                "secret": row.get::<_, String>(5)?,
            }))
        })?
        .collect()
}
