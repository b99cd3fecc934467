//! The sandbox's mailbox: the mails that its user pool would have sent.

use reqwest::header::AUTHORIZATION;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::connection::credentials::SANDBOX_KEY;
use crate::explain::unreachable;
use crate::http::plain_client;
use crate::workspace::SandboxEndpoints;
use crate::{Error, Result};

/// A mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// Its number; later ones are higher.
    #[ts(type = "number")]
    pub id: i64,
    /// Who it is to.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
    /// What is secret in it: the temporary password, or the code.
    pub secret: String,
    /// When it was sent, in milliseconds since the epoch.
    #[ts(type = "number")]
    pub sent_at: i64,
}

#[derive(Deserialize)]
struct Mailbox {
    mails: Vec<Mail>,
}

/// The mails, the newest first.
pub(crate) async fn read(sandbox: &SandboxEndpoints) -> Result<Vec<Mail>> {
    let url = format!("{}/-/mails", sandbox.api);
    // The sandbox looks at whose key it is, and not at the signature.
    let signed = format!("AWS4-HMAC-SHA256 Credential={}/mailbox", SANDBOX_KEY.0);
    let asked = plain_client(true)?.get(&url).header(AUTHORIZATION, signed).send().await;
    let answer = asked.map_err(|error| unreachable(&url, &error))?;
    let mailbox: Mailbox = answer.json().await.map_err(Error::internal)?;
    Ok(mailbox.mails)
}
