//! The sandbox as a workspace: the one that runs on the data folder, or one of our own.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reeldesk_sandbox::{Endpoints, Sandbox, StartError};
pub use reeldesk_sandbox::{Generation, Options as SandboxOptions};

use super::credentials::CredentialsSource;
use super::{Connection, SANDBOX, Workspace, discovery};
use crate::folders::make_private;
use crate::{Code, Error, Result};

/// A sandbox that answers: ours, or another process's.
pub struct RunningSandbox {
    endpoints: Endpoints,
    is_own: bool,
    /// None once it was stopped, and where it is another process's.
    own: Mutex<Option<Sandbox>>,
}

impl RunningSandbox {
    /// Finds the sandbox of this data folder, or starts it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn attach(data_dir: &Path, options: SandboxOptions) -> Result<Self> {
        let folder = data_dir.join("sandbox");
        make_private(&folder).map_err(|error| crate::files::unreadable(&folder, &error))?;
        // Another process may be starting or stopping it just now.
        for _ in 0..50 {
            match Sandbox::start_with(&folder, options).await {
                Ok(sandbox) => {
                    let endpoints = sandbox.endpoints().clone();
                    return Ok(Self { endpoints, is_own: true, own: Mutex::new(Some(sandbox)) });
                }
                Err(StartError::AlreadyRunning(_)) => {
                    let found = reeldesk_sandbox::find_running(&folder).map_err(Error::internal)?;
                    if let Some(endpoints) = found
                        && answers(&endpoints.cdn).await
                    {
                        return Ok(Self { endpoints, is_own: false, own: Mutex::default() });
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => return Err(refused(&error)),
            }
        }
        Err(refused(&StartError::AlreadyRunning(folder)))
    }

    /// The sandbox of this data folder, and the workspace to use it through.
    ///
    /// # Errors
    /// When it cannot be started, or does not answer.
    pub async fn open(data_dir: &Path, options: SandboxOptions) -> Result<(Self, Workspace)> {
        let mut tries = 3;
        loop {
            let sandbox = Self::attach(data_dir, options).await?;
            tries -= 1;
            match sandbox.workspace().await {
                Ok(workspace) => return Ok((sandbox, workspace)),
                // The process that it was found in is ending: the next one is found, or started here.
                Err(error) if error.code == Code::Network && !sandbox.is_own && tries > 0 => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether it runs in this process.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.is_own
    }

    /// Where it listens and what it holds.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The workspace to use it through, found as that of any other account is.
    async fn workspace(&self) -> Result<Workspace> {
        let connection = Connection {
            region: self.endpoints.region.clone(),
            credentials: CredentialsSource::Sandbox,
            endpoint: Some(self.endpoints.api.clone()),
            s3_endpoint: None,
            fips: false,
            dual_stack: false,
            transfer_acceleration: false,
        };
        let stacks = discovery::stacks(&connection).await?;
        let found = stacks.into_iter().find(|stack| stack.name == self.endpoints.stack);
        let workspace = found.ok_or_else(|| Error::internal("the sandbox has no stack"))?.workspace;
        Ok(Workspace { name: SANDBOX.into(), ..workspace })
    }

    /// Stops it in good order where it is ours.
    pub async fn stop(&self) {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sandbox) = own {
            sandbox.stop().await;
        }
    }
}

async fn answers(cdn: &str) -> bool {
    let address = cdn.trim_start_matches("http://").to_owned();
    tokio::net::TcpStream::connect(address).await.is_ok()
}

fn refused(error: &StartError) -> Error {
    let (code, message, remedy) = match error {
        StartError::AlreadyRunning(_) => (
            Code::InUse,
            "Another Reeldesk uses this sandbox and does not answer.".to_owned(),
            "Close it, then try again.",
        ),
        StartError::Folder { folder, source } => (
            if source.kind() == std::io::ErrorKind::StorageFull { Code::StorageFull } else { Code::FileUnreadable },
            format!("The sandbox cannot use its folder {}: {source}.", folder.display()),
            "Free some space or correct the folder's permissions, then try again.",
        ),
        StartError::Part { part, .. } => (
            Code::Internal,
            format!("The sandbox's {part} did not start."),
            "Try again; if it happens again, copy the details and send them to us.",
        ),
    };
    Error::new(code, message, remedy).with_details(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process that stops: its CDN still answers, nothing else does, and then it lets go of the folder.
    #[tokio::test]
    async fn a_sandbox_that_ends_while_it_is_found_is_followed_by_the_next() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("sandbox");
        std::fs::create_dir(&folder).unwrap();
        let lock = std::fs::File::create(folder.join("running.lock")).unwrap();
        lock.try_lock().unwrap();
        let cdn = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ports = serde_json::json!({ "api": 1, "cdn": cdn.local_addr().unwrap().port(), "site": 0 });
        std::fs::write(folder.join("ports.json"), ports.to_string()).unwrap();
        let ends = async {
            let _asked = cdn.accept().await.unwrap();
            drop((lock, cdn));
        };
        let (opened, ()) = tokio::join!(RunningSandbox::open(data.path(), SandboxOptions::default()), ends);
        let (sandbox, workspace) = opened.unwrap();
        assert!(sandbox.is_own());
        assert_eq!(workspace.name, SANDBOX);
        sandbox.stop().await;
    }
}
