//! A sandbox to send to, and a command line that sends there.

use std::path::Path;

use aws_sdk_s3::Client;
use reeldesk_sandbox::{DESTINATION_BUCKET, Endpoints, Sandbox};
use reeldesk_tests::garage::{self, Garage};
pub(crate) use reeldesk_tests::{KEYS, Server};
use reeldesk_tests::{Reelctl, s3};

/// A sandbox within the test's process, for what goes on inside it.
pub(crate) struct OwnSandbox {
    pub sandbox: Sandbox,
    pub endpoints: Endpoints,
    pub folder: tempfile::TempDir,
}

impl OwnSandbox {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::start(folder.path()).await.unwrap();
        Self { endpoints: sandbox.endpoints().clone(), sandbox, folder }
    }

    pub fn s3(&self) -> Client {
        s3(&self.endpoints.api, KEYS.0, KEYS.1)
    }
}

/// An S3 to torture: Garage where the tests are told of one, otherwise the sandbox.
pub(crate) enum ObjectStore {
    Sandbox(Server),
    Garage(Garage, #[expect(dead_code, reason = "it goes when the server has gone")] tempfile::TempDir),
}

impl ObjectStore {
    pub fn start() -> anyhow::Result<Self> {
        let Some(program) = std::env::var_os("REELDESK_GARAGE") else { return Ok(Self::Sandbox(Server::start())) };
        let folder = tempfile::tempdir()?;
        Ok(Self::Garage(Garage::start(Path::new(&program), folder.path())?, folder))
    }

    pub fn endpoint(&self) -> &str {
        match self {
            Self::Sandbox(server) => &server.endpoint,
            Self::Garage(garage, _) => &garage.endpoint,
        }
    }

    pub fn bucket(&self) -> &str {
        match self {
            Self::Sandbox(_) => DESTINATION_BUCKET,
            Self::Garage(..) => garage::BUCKET,
        }
    }

    fn keys(&self) -> (&str, &str) {
        match self {
            Self::Sandbox(_) => KEYS,
            Self::Garage(garage, _) => (&garage.key, &garage.secret),
        }
    }

    pub fn client(&self) -> Client {
        s3(self.endpoint(), self.keys().0, self.keys().1)
    }

    /// A command line that reaches it through this endpoint.
    pub fn reelctl(&self, endpoint: &str) -> Reelctl {
        reelctl(endpoint, self.keys().0, self.keys().1)
    }
}

/// A command line with the environment of this endpoint.
pub(crate) fn reelctl(endpoint: &str, key: &str, secret: &str) -> Reelctl {
    Reelctl::new()
        .unwrap()
        .with("AWS_ENDPOINT_URL", endpoint)
        .with("AWS_ACCESS_KEY_ID", key)
        .with("AWS_SECRET_ACCESS_KEY", secret)
        .with("AWS_REGION", "us-east-1")
        .with("AWS_CONFIG_FILE", "/nonexistent")
}

pub(crate) fn reelctl_of_sandbox(endpoint: &str) -> Reelctl {
    reelctl(endpoint, KEYS.0, KEYS.1)
}
