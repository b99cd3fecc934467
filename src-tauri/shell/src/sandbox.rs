//! The sandbox of a data folder: the one that runs, or one of our own.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reeldesk_core::workspace::{DurationUnit, MappedStatus, SandboxEndpoints, TableMapping};
use reeldesk_core::{Code, Error, Folders, Instance, Result, Session, folder_within};
pub use reeldesk_sandbox::{CatalogKind, Generation, Options as SandboxOptions};
use reeldesk_sandbox::{Endpoints, Sandbox, StartError};

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
    pub async fn attach(folders: &Folders, options: SandboxOptions) -> Result<Self> {
        let folder = folder_within(folders, "sandbox")?;
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

    /// Stops it in good order where it is ours.
    pub async fn stop(&self) {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sandbox) = own {
            sandbox.stop().await;
        }
    }
}

/// Opens the sandbox of this data folder.
pub(crate) async fn open(instance: &Instance) -> Result<Session> {
    let mut tries = 3;
    loop {
        let sandbox = RunningSandbox::attach(instance.folders(), SandboxOptions::default()).await?;
        let Endpoints { api, site, region, stack, app_client, catalog, .. } = sandbox.endpoints().clone();
        let mapping = (catalog == CatalogKind::Custom).then(mapping_of_custom);
        let endpoints = SandboxEndpoints { api, site, region, stack, app_client, mapping };
        let is_own = sandbox.is_own();
        let ends = is_own.then_some(async move { sandbox.stop().await });
        tries -= 1;
        match Session::open_sandbox(instance, endpoints, ends).await {
            // The process that it was found in is ending: the next one is found, or started here.
            Err(error) if error.code == Code::Network && !is_own && tries > 0 => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            opened => return opened,
        }
    }
}

/// What the attributes of the sandbox's own table are called, where it is not the solution's.
fn mapping_of_custom() -> TableMapping {
    let named = |name: &str| Some(name.to_owned());
    let words = [
        ("UPLOADED", MappedStatus::Ingest),
        ("PROCESSING", MappedStatus::Encoding),
        ("READY", MappedStatus::Complete),
        ("FAILED", MappedStatus::Error),
    ];
    TableMapping {
        key: named("videoId"),
        title: named("name"),
        published: named("isPublished"),
        status: named("state"),
        status_words: words.map(|(word, status)| (word.to_owned(), status)).into(),
        error_message: named("failure"),
        started_at: named("createdAt"),
        ended_at: named("finishedAt"),
        duration: named("durationMs"),
        duration_unit: DurationUnit::Milliseconds,
        source: named("sourceKey"),
        job: named("jobId"),
        hls: named("location"),
        mp4: named("files"),
        thumbnails: named("thumbnails"),
        resolutions: named("resolutions"),
        ..TableMapping::default()
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
    use reeldesk_core::workspace::SANDBOX;

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
        let instance = Instance::on(&Folders::within(data.path()));
        let (opened, ()) = tokio::join!(open(&instance), ends);
        let session = opened.unwrap();
        assert!(session.has_own_sandbox());
        assert_eq!(session.workspace.name, SANDBOX);
        session.close().await;
        // It has ended by now: another one can be started on the folder at once.
        let next = Sandbox::start_with(&folder, SandboxOptions::default()).await.unwrap();
        next.stop().await;
    }
}
