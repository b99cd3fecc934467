//! The clients, and how each is asked to send a folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::super::garage::BUCKET;
use super::servers::{Server, upload_floor};
use super::{Load, MIB};
use crate::run::target;

/// Uploads with the transfer manager of boto3 that runs on the CRT. Its client is made here, because the one that boto3 makes
/// speaks TLS to every endpoint, also where that is plain HTTP, and knows no certificates but the system's.
const CRT: &str = "
import os, sys, boto3
from botocore.session import Session
from s3transfer.crt import *
folder, bucket, prefix = sys.argv[1:]
endpoint, region = os.environ['AWS_ENDPOINT_URL'], os.environ['AWS_REGION']
session = Session()
credentials = BotocoreCRTCredentialsWrapper(session.get_credentials()).to_crt_credentials_provider()
verify = {'verify': os.environ['AWS_CA_BUNDLE']} if 'AWS_CA_BUNDLE' in os.environ else {}
client = create_s3_crt_client(region, credentials, use_ssl=endpoint.startswith('https'), **verify)
serializer = BotocoreCRTRequestSerializer(session, {'region_name': region, 'endpoint_url': endpoint})
with CRTTransferManager(client, serializer) as manager:
    sent = [manager.upload(os.path.join(folder, name), bucket, prefix + name) for name in os.listdir(folder)]
    for one in sent:
        one.result()
";

pub(super) enum Client {
    Reelctl,
    /// A bare hyper client with a CRC64NVME of each part: the floor. It sends one file, to the sink.
    Bare,
    S5cmd(PathBuf),
    AwsCli(PathBuf),
    Boto3Crt(PathBuf),
    Rclone,
}

impl Client {
    /// All of them; the others where their folder of programs is given.
    pub fn all(peers: Option<PathBuf>) -> Vec<Self> {
        let mut all = vec![Self::Reelctl, Self::Bare];
        if let Some(folder) = peers {
            let tool = |name: &str| folder.join(name);
            all.extend([Self::S5cmd(tool("s5cmd")), Self::Rclone, Self::AwsCli(tool("aws"))]);
            all.push(Self::Boto3Crt(tool("python")));
        }
        all
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Reelctl => "reelctl",
            Self::Bare => "bare hyper",
            Self::S5cmd(_) => "s5cmd",
            Self::AwsCli(_) => "aws-cli",
            Self::Boto3Crt(_) => "boto3[crt]",
            Self::Rclone => "rclone",
        }
    }

    pub fn is_peer(&self) -> bool {
        !matches!(self, Self::Reelctl | Self::Bare)
    }

    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Reelctl)
    }

    pub fn s5cmd(&self) -> Option<&Path> {
        match self {
            Self::S5cmd(program) => Some(program),
            _ => None,
        }
    }

    /// Whether it can send this there.
    pub fn takes(&self, server: &Server, load: Load) -> bool {
        !matches!(self, Self::Bare) || load.files == 1 && load.bytes > MIB && matches!(server, Server::Sink(_))
    }

    /// Sends all files of a folder below a prefix.
    pub fn command(&self, server: &Server, folder: &Path, prefix: &str, work: &Path) -> Result<Command> {
        let (to, endpoint) = (format!("s3://{BUCKET}/{prefix}"), server.endpoint());
        let mut command = match self {
            Self::Reelctl => {
                let data = work.join("data");
                std::fs::remove_dir_all(&data).ok();
                let mut command = Command::new(target().join("release/reelctl"));
                command.arg("--data-dir").arg(data).args(["--json", "upload"]).arg(folder).args(["--to", &to]);
                command
            }
            Self::Bare => {
                let mut command = Command::new(upload_floor());
                command.arg("send").arg(folder.join("00000.bin")).arg(endpoint).args(server.ca());
                command
            }
            Self::S5cmd(program) => {
                let mut command = Command::new(program);
                command.args(["--endpoint-url", endpoint, "cp", &format!("{}/", folder.display()), &to]);
                command
            }
            Self::AwsCli(program) => {
                let mut command = Command::new(program);
                command.args(["s3", "cp", "--recursive", "--only-show-errors"]).arg(folder).arg(to);
                command
            }
            Self::Boto3Crt(program) => {
                let mut command = Command::new(program);
                command.args(["-c", CRT]).arg(folder).args([BUCKET, prefix]);
                command
            }
            Self::Rclone => {
                let mut command = Command::new("rclone");
                command.args(["copy", "--s3-provider=Other", "--s3-env-auth", "--s3-no-check-bucket", "--transfers=8"]);
                command.arg(format!("--s3-endpoint={endpoint}")).arg(folder).arg(format!(":s3:{BUCKET}/{prefix}"));
                command
            }
        };
        for variable in ["AWS_CA_BUNDLE", "AWS_PROFILE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
            command.env_remove(variable);
        }
        command.envs(server.environment());
        Ok(command)
    }

    /// What it says of its version.
    pub fn version(&self) -> Option<String> {
        let first_line = |mut command: Command| {
            let output = command.output().ok()?;
            Some(String::from_utf8_lossy(&output.stdout).lines().next()?.trim().to_owned())
        };
        let asked = |program: &Path, arguments: &[&str]| {
            let mut command = Command::new(program);
            command.args(arguments);
            first_line(command)
        };
        match self {
            Self::Reelctl => asked(&target().join("release/reelctl"), &["--version"]),
            Self::Bare => None,
            Self::S5cmd(program) => asked(program, &["version"]).map(|version| format!("s5cmd {version}")),
            Self::AwsCli(program) => asked(program, &["--version"]),
            Self::Boto3Crt(program) => {
                let ask = "import boto3, awscrt; print('boto3', boto3.__version__, 'awscrt', awscrt.__version__)";
                asked(program, &["-c", ask])
            }
            Self::Rclone => asked(Path::new("rclone"), &["version"]),
        }
    }
}
