//! Where secrets are kept: in the keyring of the system, or in memory until the app ends. Never in a file of ours.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use keyring::v1::Entry;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{Code, Error, Result};

/// What the keyring lists our entries under.
const SERVICE: &str = "reeldesk";

/// A keyring that is locked asks the person; nobody answers on a machine without a screen.
const PATIENCE: Duration = Duration::from_secs(120);

/// Until when a secret is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Keep {
    /// In the keyring of the system, until it is replaced.
    Keyring,
    /// In memory, until the app ends.
    Session,
}

/// The secrets of this run, by entry.
static SESSION: LazyLock<Mutex<HashMap<Uuid, Zeroizing<String>>>> = LazyLock::new(Mutex::default);

/// Keeps a secret under an entry, in place of what was there.
///
/// # Errors
/// [`Code::NoKeyring`] where it should go to a keyring and there is none.
pub(super) async fn keep(entry: Uuid, secret: Zeroizing<String>, keep: Keep) -> Result<()> {
    match keep {
        Keep::Session => {
            SESSION.lock().unwrap_or_else(PoisonError::into_inner).insert(entry, secret);
            Ok(())
        }
        Keep::Keyring => {
            in_keyring(move || Entry::new(SERVICE, &entry.to_string())?.set_password(&secret)).await?;
            SESSION.lock().unwrap_or_else(PoisonError::into_inner).remove(&entry);
            Ok(())
        }
    }
}

/// The secret of an entry; none where nothing was kept, or the keyring is not there any more.
pub(super) async fn find(entry: Uuid) -> Option<Zeroizing<String>> {
    if let Some(secret) = SESSION.lock().unwrap_or_else(PoisonError::into_inner).get(&entry) {
        return Some(secret.clone());
    }
    match in_keyring(move || Entry::new(SERVICE, &entry.to_string())?.get_password()).await {
        Ok(secret) => Some(Zeroizing::new(secret)),
        Err(error) => {
            tracing::info!(details = error.details, "the keyring has no secret of this workspace");
            None
        }
    }
}

/// Forgets what an entry holds; where there is nothing, nothing happens.
pub(super) async fn forget(entry: Uuid) {
    SESSION.lock().unwrap_or_else(PoisonError::into_inner).remove(&entry);
    if let Err(error) = in_keyring(move || Entry::new(SERVICE, &entry.to_string())?.delete_credential()).await {
        tracing::info!(details = error.details, "nothing to forget in the keyring");
    }
}

/// Whether the system has a keyring that keeps what it is given. Only a write tells: one without a default collection
/// answers a read as if there were no entry.
///
/// # Errors
/// [`Code::NoKeyring`].
pub async fn keyring_works() -> Result<()> {
    let entry = Uuid::new_v4().to_string();
    in_keyring(move || {
        let entry = Entry::new(SERVICE, &entry)?;
        entry.set_password("probe")?;
        entry.delete_credential()
    })
    .await
}

/// Off the async threads: a keyring may ask the person first.
async fn in_keyring<T: Send + 'static>(work: impl FnOnce() -> keyring::Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await;
    match done {
        Ok(Ok(done)) => done.map_err(|error| no_keyring(&error)),
        Ok(Err(error)) => Err(Error::internal(error)),
        Err(_) => Err(no_keyring(&"it did not answer")),
    }
}

fn no_keyring(details: &dyn std::fmt::Display) -> Error {
    Error::new(
        Code::NoKeyring,
        "This computer has no keyring that Reeldesk can keep a secret in.",
        "Unlock or start one (GNOME Keyring, KWallet), or keep the secret only until Reeldesk is closed.",
    )
    .with_details(details)
}
