//! Workspaces: who we talk to.

mod sandbox;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use self::sandbox::RunningSandbox;
use crate::{Code, Error, Result};

/// The name of the sandbox workspace.
pub const SANDBOX: &str = "sandbox";

/// One connection: everything that the other rooms need to know of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Workspace {
    /// What it is called.
    pub name: String,
    /// The AWS region.
    pub region: String,
    /// Where the credentials come from.
    pub credentials: CredentialsSource,
    /// An endpoint of all services instead of AWS's own.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The bucket that masters are uploaded to.
    pub source_bucket: String,
    /// The bucket that encodes are written to.
    pub destination_bucket: String,
    /// The catalog table.
    pub table: String,
    /// `https://<CloudFront domain>`, without a slash at the end.
    pub cdn: String,
    /// Who makes the job.
    pub mode: IngestMode,
}

/// Where a workspace's credentials come from. No secret is ever part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum CredentialsSource {
    /// The sandbox's own access key.
    Sandbox,
    /// A profile of the AWS configuration files.
    Profile {
        /// Its name.
        name: String,
    },
}

/// Who makes the job and the item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum IngestMode {
    /// A server-side workflow, started by the upload.
    Pipeline,
}

impl Workspace {
    /// Whether this is the sandbox of this computer.
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        self.credentials == CredentialsSource::Sandbox
    }

    /// The address of a path behind the CDN; each segment is percent-encoded.
    ///
    /// # Errors
    /// When the workspace's CDN is no address.
    pub fn cdn_url(&self, key: &str) -> Result<url::Url> {
        let mut url = url::Url::parse(&self.cdn).map_err(|error| self.invalid("CDN domain", &error))?;
        url.path_segments_mut()
            .map_err(|()| self.invalid("CDN domain", &"not an address"))?
            .clear()
            .extend(key.split('/').filter(|segment| !segment.is_empty()));
        Ok(url)
    }

    fn invalid(&self, field: &str, reason: &dyn std::fmt::Display) -> Error {
        Error::new(
            Code::Invalid,
            format!("The {field} of the workspace \"{}\" is not usable: {reason}.", self.name),
            "Correct it on the Workspace screen.",
        )
    }

    /// Refuses a workspace that cannot work, naming the field.
    ///
    /// # Errors
    /// [`Code::Invalid`] with the field and what is wrong with it.
    pub fn check(&self) -> Result<()> {
        for (field, value) in [
            ("name", &self.name),
            ("region", &self.region),
            ("source bucket", &self.source_bucket),
            ("destination bucket", &self.destination_bucket),
            ("table", &self.table),
        ] {
            if value.trim().is_empty() {
                return Err(self.invalid(field, &"it is empty"));
            }
            if value.contains(char::is_whitespace) && field != "name" {
                return Err(self.invalid(field, &"it has spaces"));
            }
        }
        if self.name == SANDBOX && !self.is_sandbox() {
            return Err(self.invalid("name", &"\"sandbox\" is taken by the sandbox"));
        }
        self.cdn_url("")?;
        Ok(())
    }
}

/// The workspaces that were set up: one TOML file in the data folder.
#[derive(Clone)]
pub struct Workspaces(PathBuf);

#[derive(Default, Serialize, Deserialize)]
struct File {
    version: u32,
    #[serde(default)]
    workspace: Vec<Workspace>,
}

impl Workspaces {
    /// The file of this data folder; it need not exist.
    #[must_use]
    pub fn of(data_dir: &Path) -> Self {
        Self(data_dir.join("workspaces.toml"))
    }

    fn broken(&self, error: &dyn std::fmt::Display) -> Error {
        Error::new(
            Code::Invalid,
            format!("The file of the workspaces, {}, cannot be read.", self.0.display()),
            "Correct it, or move it away and connect again. Reeldesk leaves it as it is.",
        )
        .with_details(error)
    }

    /// All workspaces but the sandbox.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn list(&self) -> Result<Vec<Workspace>> {
        match std::fs::read_to_string(&self.0) {
            Ok(text) => toml::from_str::<File>(&text).map(|file| file.workspace).map_err(|error| self.broken(&error)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(self.broken(&error)),
        }
    }

    /// One by name.
    ///
    /// # Errors
    /// [`Code::NotFound`] with the names that there are.
    pub fn get(&self, name: &str) -> Result<Workspace> {
        let all = self.list()?;
        all.iter().find(|workspace| workspace.name == name).cloned().ok_or_else(|| {
            let mut names: Vec<_> = all.iter().map(|workspace| workspace.name.as_str()).collect();
            names.push(SANDBOX);
            Error::new(
                Code::NotFound,
                format!("There is no workspace \"{name}\"."),
                format!("Use one of these: {}.", names.join(", ")),
            )
        })
    }

    /// Adds a workspace, or replaces the one of the same name; the file is written whole or not at all.
    ///
    /// # Errors
    /// When the workspace is not usable, or the file cannot be written.
    pub fn put(&self, workspace: Workspace) -> Result<()> {
        workspace.check()?;
        let mut all = self.list()?;
        all.retain(|other| other.name != workspace.name);
        all.push(workspace);
        let text = toml::to_string_pretty(&File { version: 1, workspace: all }).map_err(Error::internal)?;
        let fresh = self.0.with_extension("toml.new");
        std::fs::write(&fresh, text)
            .and_then(|()| std::fs::rename(&fresh, &self.0))
            .map_err(|error| self.broken(&error))
    }
}

/// The names of the profiles in `~/.aws/config` and `~/.aws/credentials`, in their order.
#[must_use]
pub fn profiles() -> Vec<String> {
    let home = directories::UserDirs::new().map(|dirs| dirs.home_dir().join(".aws"));
    let file = |variable: &str, name: &str| {
        std::env::var_os(variable).map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(name)))
    };
    let mut names: Vec<String> = Vec::new();
    for path in [file("AWS_CONFIG_FILE", "config"), file("AWS_SHARED_CREDENTIALS_FILE", "credentials")] {
        let text = path.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        for line in text.lines() {
            let Some(section) = line.trim().strip_prefix('[').and_then(|line| line.strip_suffix(']')) else {
                continue;
            };
            let section = section.trim();
            if section.starts_with("sso-session ") || section.starts_with("services ") {
                continue;
            }
            let name = section.strip_prefix("profile ").unwrap_or(section).trim().to_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// The workspace that was open last.
#[must_use]
pub fn last_used(data_dir: &Path) -> Option<String> {
    let name = std::fs::read_to_string(data_dir.join("last-workspace")).ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Remembers it for the next start; a folder that cannot be written only costs the memory of it.
pub fn remember_last_used(data_dir: &Path, name: &str) {
    if let Err(error) = std::fs::write(data_dir.join("last-workspace"), name) {
        tracing::warn!(%error, "the workspace of this run could not be remembered");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(name: &str) -> Workspace {
        Workspace {
            name: name.into(),
            region: "eu-central-1".into(),
            credentials: CredentialsSource::Profile { name: "media".into() },
            endpoint: None,
            source_bucket: "src".into(),
            destination_bucket: "dst".into(),
            table: "vod".into(),
            cdn: "https://d1.example.net".into(),
            mode: IngestMode::Pipeline,
        }
    }

    #[test]
    fn written_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let all = Workspaces::of(folder.path());
        all.put(workspace("production")).unwrap();
        all.put(workspace("staging")).unwrap();
        all.put(workspace("staging")).unwrap();
        assert_eq!(all.list().unwrap(), [workspace("production"), workspace("staging")]);
        assert_eq!(all.get("nope").unwrap_err().remedy, "Use one of these: production, staging, sandbox.");
    }

    #[test]
    fn a_broken_file_is_named_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("workspaces.toml");
        std::fs::write(&path, "version = ").unwrap();
        let all = Workspaces::of(folder.path());
        assert!(all.put(workspace("production")).unwrap_err().message.contains("workspaces.toml"));
        assert_eq!(std::fs::read_to_string(path).unwrap(), "version = ");
    }

    #[test]
    fn wrong_fields_are_named() {
        let mut wrong = workspace("production");
        wrong.source_bucket = " ".into();
        assert!(wrong.check().unwrap_err().message.contains("source bucket"));
        let mut wrong = workspace("production");
        wrong.cdn = "d1.example.net".into();
        assert!(wrong.check().unwrap_err().message.contains("CDN domain"));
    }

    #[test]
    fn addresses_are_encoded() {
        let url = workspace("x").cdn_url("guid/hls/my movie#1.m3u8").unwrap();
        assert_eq!(url.as_str(), "https://d1.example.net/guid/hls/my%20movie%231.m3u8");
    }
}
