//! The servers that are sent to, each a process of its own.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};

use super::super::garage::{BUCKET, Garage};
use super::clients::Client;
use super::{To, cost};
use crate::run::{run, target};
use crate::setup;

pub(super) enum Server {
    Garage(Garage),
    Sink(Sink),
}

impl Server {
    pub fn start(to: To, work: &Path) -> Result<Self> {
        if to != To::Garage {
            return Ok(Self::Sink(Sink::start(None, "127.0.0.1", (to == To::Tls).then(|| work.join("ca.pem")))?));
        }
        let (program, store) = (setup::garage()?, work.join("garage"));
        std::fs::remove_dir_all(&store).ok();
        Ok(Self::Garage(Garage::start(&program, &store)?))
    }

    pub fn endpoint(&self) -> &str {
        match self {
            Self::Garage(garage) => &garage.endpoint,
            Self::Sink(sink) => &sink.endpoint,
        }
    }

    /// Its certificate, where it speaks TLS.
    pub fn ca(&self) -> Option<&Path> {
        match self {
            Self::Garage(_) => None,
            Self::Sink(sink) => sink.ca.as_deref(),
        }
    }

    /// Seconds of CPU that it has used.
    pub fn cpu(&self) -> Result<f64> {
        cost::cpu_of(match self {
            Self::Garage(garage) => garage.process(),
            Self::Sink(sink) => sink.process.id(),
        })
    }

    /// What every client reads.
    pub fn environment(&self) -> BTreeMap<&'static str, String> {
        let (key, secret) = match self {
            Self::Garage(garage) => (garage.key.as_str(), garage.secret.as_str()),
            Self::Sink(_) => ("key", "secret"),
        };
        let mut environment: BTreeMap<_, _> = [
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_ACCESS_KEY_ID", key),
            ("AWS_SECRET_ACCESS_KEY", secret),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_CONFIG_FILE", "/nonexistent"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into();
        if let Some(ca) = self.ca() {
            // The second is what programs in Go read.
            for name in ["AWS_CA_BUNDLE", "SSL_CERT_FILE"] {
                environment.insert(name, ca.to_string_lossy().into_owned());
            }
        }
        environment
    }

    /// Removes what was sent: the disk is not for all of them at once.
    pub fn empty(&self, prefix: &str, clients: &[Client]) -> Result<()> {
        let Some(s5cmd) = clients.iter().find_map(Client::s5cmd).filter(|_| matches!(self, Self::Garage(_))) else {
            return Ok(());
        };
        let everything = format!("s3://{BUCKET}/{prefix}*");
        let mut remove = Command::new(s5cmd);
        remove.args(["--endpoint-url", self.endpoint(), "rm", &everything]);
        // There is nothing where the client failed.
        run(remove.envs(self.environment()).stdout(Stdio::null()).stderr(Stdio::null())).or(Ok(()))
    }
}

/// One that discards.
pub(super) struct Sink {
    process: Child,
    endpoint: String,
    ca: Option<PathBuf>,
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

pub(super) fn upload_floor() -> PathBuf {
    target().join("release/upload-floor")
}

impl Sink {
    /// In a network namespace, or in that of everybody.
    pub fn start(namespace: Option<&str>, address: &str, ca: Option<PathBuf>) -> Result<Self> {
        let mut sink = within(namespace, &upload_floor());
        let mut process = sink.args(["sink", address]).args(&ca).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("the sink has no output")?).read_line(&mut line)?;
        Ok(Self { process, endpoint: line.trim().to_owned(), ca })
    }
}

/// A command that runs in a network namespace.
pub(super) fn within(namespace: Option<&str>, program: &Path) -> Command {
    let Some(namespace) = namespace else { return Command::new(program) };
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace]).arg(program);
    command
}
