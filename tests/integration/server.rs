//! A sandbox to send to, and a command line that sends there.

use std::io::{BufRead as _, BufReader};

use aws_sdk_s3::Client;
use reeldesk_tests::{Ended, Reelctl, s3};
use serde_json::Value;

/// A sandbox of its own process, so that the tests' machines do nothing else.
pub(crate) struct Server {
    pub process: Ended,
    pub data: Reelctl,
    pub endpoint: String,
}

impl Server {
    pub fn start() -> Self {
        let data = Reelctl::new().unwrap();
        let (process, endpoint) = Self::run(&data);
        Self { process, data, endpoint }
    }

    pub fn run(data: &Reelctl) -> (Ended, String) {
        let mut child = data.start(&["sandbox"]).unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let endpoints: Value = serde_json::from_str(&line).unwrap();
        (Ended(child), endpoints["api"].as_str().unwrap().to_owned())
    }

    pub fn client(&self) -> Client {
        s3(&self.endpoint, "REELDESKSANDBOX", "reeldesk-sandbox-local-only")
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
    reelctl(endpoint, "REELDESKSANDBOX", "reeldesk-sandbox-local-only")
}
