//! A workspace as a file that an engineer hands to the admins: everything but secrets.

use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Workspace;
use crate::connection::credentials::CredentialsSource;
use crate::{Code, Error, Result};

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Content {
    version: u32,
    workspace: Workspace,
}

/// Writes a workspace into a file.
///
/// # Errors
/// When it is the sandbox, which is on each computer anyway, or the file cannot be written.
pub async fn export(workspace: &Workspace, to: &Path) -> Result<()> {
    if workspace.is_sandbox() {
        return Err(Error::new(
            Code::Invalid,
            "The sandbox stays on this computer.",
            "Export a workspace of AWS; each Reeldesk has a sandbox of its own.",
        ));
    }
    let mut workspace = workspace.clone();
    if let CredentialsSource::AccessKey { entry } | CredentialsSource::PoolUser { entry, .. } =
        &mut workspace.connection.credentials
    {
        // Where the key is kept on this computer is of no use elsewhere.
        *entry = Uuid::nil();
    }
    let text = toml::to_string_pretty(&Content { version: VERSION, workspace }).map_err(Error::internal)?;
    tokio::fs::write(to, text).await.map_err(|error| {
        Error::new(
            Code::FileUnreadable,
            format!("{} cannot be written.", to.display()),
            "Choose another folder, or free some space.",
        )
        .with_details(error)
    })
}

/// Reads such a file. What it says is put into the settings by [`super::Settings::put`].
///
/// # Errors
/// When the file cannot be read or is no workspace.
pub async fn import(from: &Path) -> Result<Workspace> {
    let text = tokio::fs::read_to_string(from).await.map_err(|error| crate::files::unreadable(from, &error))?;
    let content: Content = toml::from_str(&text).map_err(|error| {
        Error::new(
            Code::Invalid,
            format!("\"{}\" is not the file of a workspace.", crate::shown(from)),
            "Ask for it once more: it is what \"Export\" on the Workspace screen, or reelctl workspace export, writes.",
        )
        .with_details(error)
    })?;
    if content.version > VERSION {
        return Err(Error::new(
            Code::Invalid,
            format!("\"{}\" was written by a newer Reeldesk.", crate::shown(from)),
            "Install the newer version.",
        ));
    }
    let mut workspace = content.workspace.tidied();
    for endpoint in [&workspace.connection.endpoint, &workspace.connection.s3_endpoint].into_iter().flatten() {
        check_endpoint(from, endpoint)?;
    }
    if let CredentialsSource::AccessKey { entry } | CredentialsSource::PoolUser { entry, .. } =
        &mut workspace.connection.credentials
    {
        *entry = Uuid::new_v4();
    }
    workspace.check()?;
    Ok(workspace)
}

/// A file from elsewhere may send what is signed with one's credentials over a line that others can read only to this
/// computer itself.
fn check_endpoint(file: &Path, endpoint: &str) -> Result<()> {
    let url = url::Url::parse(endpoint).ok();
    let is_local = |host: url::Host<&str>| match host {
        url::Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        url::Host::Ipv4(address) => address.is_loopback(),
        url::Host::Ipv6(address) => address.is_loopback(),
    };
    let is_fine =
        url.is_some_and(|url| url.scheme() == "https" || url.scheme() == "http" && url.host().is_some_and(is_local));
    if is_fine {
        return Ok(());
    }
    Err(Error::new(
        Code::Invalid,
        format!("\"{}\" names an endpoint that is not safe: {endpoint}.", crate::shown(file)),
        "An endpoint begins with https://; plain http is for this computer only. Ask whoever made the file.",
    ))
}

#[cfg(test)]
mod tests {
    use super::super::tests::workspace;
    use super::*;

    #[tokio::test]
    async fn handed_over_without_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("production.toml");
        let mut mine = workspace("production");
        export(&mine, &file).await.unwrap();
        assert_eq!(import(&file).await.unwrap(), mine);

        let entry = Uuid::new_v4();
        mine.connection.credentials = CredentialsSource::AccessKey { entry };
        export(&mine, &file).await.unwrap();
        assert!(!std::fs::read_to_string(&file).unwrap().contains(&entry.to_string()));
        assert!(matches!(
            import(&file).await.unwrap().connection.credentials,
            CredentialsSource::AccessKey { entry: other } if other != entry && !other.is_nil()
        ));
    }

    #[tokio::test]
    async fn an_endpoint_that_others_can_listen_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.toml");
        for (endpoint, is_fine) in [
            ("https://minio.example", true),
            ("http://127.0.0.1:9000", true),
            ("http://[::1]:9000", true),
            ("http://localhost:9000", true),
            ("http://minio.example", false),
            ("http://127.0.0.1.example", false),
            ("http://10.0.0.5:9000", false),
            ("ftp://localhost", false),
            ("evil", false),
        ] {
            for is_s3 in [false, true] {
                let mut theirs = workspace("production");
                let of = &mut theirs.connection;
                *(if is_s3 { &mut of.s3_endpoint } else { &mut of.endpoint }) = Some(endpoint.to_owned());
                export(&theirs, &file).await.unwrap();
                let read = import(&file).await;
                assert_eq!(read.is_ok(), is_fine, "{endpoint}: {read:?}");
            }
        }
    }

    #[tokio::test]
    async fn nonsense_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.toml");
        for text in ["", "hello", "version = 1", "version = 1\n[workspace]\nname = 1"] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(import(&file).await.unwrap_err().code, Code::Invalid);
        }
        export(&workspace("a b\nc"), &file).await.unwrap();
        assert!(import(&file).await.unwrap_err().message.contains("name"));
    }
}
