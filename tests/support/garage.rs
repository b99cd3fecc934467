//! Garage, a real S3 server that is not ours, as a process of its own with one bucket. The benchmarks use this file too.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

/// Its bucket.
pub const BUCKET: &str = "bench";

/// One that runs until it is dropped.
pub struct Garage {
    /// Its endpoint.
    pub endpoint: String,
    /// The access key of the bucket.
    pub key: String,
    /// Its secret.
    pub secret: String,
    program: PathBuf,
    settings: PathBuf,
    server: Child,
}

impl Drop for Garage {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

impl Garage {
    /// Starts one on a fresh folder.
    ///
    /// # Errors
    /// When it does not start, or does not do what it is asked.
    pub fn start(program: &Path, folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let (rpc, api) = (free_port()?, free_port()?);
        let settings = folder.join("garage.toml");
        let text = format!(
            "metadata_dir = {:?}\ndata_dir = {:?}\ndb_engine = \"sqlite\"\nreplication_factor = 1\n\
             rpc_bind_addr = \"127.0.0.1:{rpc}\"\nrpc_public_addr = \"127.0.0.1:{rpc}\"\nrpc_secret = \"{}\"\n\
             [s3_api]\ns3_region = \"us-east-1\"\napi_bind_addr = \"127.0.0.1:{api}\"\nroot_domain = \".s3.localhost\"\n",
            folder.join("meta"),
            folder.join("data"),
            "ab".repeat(32),
        );
        std::fs::write(&settings, text)?;
        let log = std::fs::File::create(folder.join("log"))?;
        let server =
            Command::new(program).arg("-c").arg(&settings).arg("server").stdout(Stdio::null()).stderr(log).spawn()?;
        let mut garage = Self {
            endpoint: format!("http://127.0.0.1:{api}"),
            key: String::new(),
            secret: String::new(),
            program: program.to_owned(),
            settings,
            server,
        };
        let deadline = Instant::now() + Duration::from_secs(30);
        let node = loop {
            match garage.ask(&["node", "id", "-q"]) {
                Ok(node) if garage.ask(&["status"]).is_ok() => break node,
                _ if Instant::now() > deadline => bail!("Garage did not start; see {}", folder.join("log").display()),
                _ => std::thread::sleep(Duration::from_millis(100)),
            }
        };
        let node = node.get(..16).context("Garage has no node id")?.to_owned();
        garage.ask(&["layout", "assign", "-z", "here", "-c", "50G", &node])?;
        garage.ask(&["layout", "apply", "--version", "1"])?;
        let key = garage.ask(&["key", "create", BUCKET])?;
        let field = |name: &str| {
            let line = key.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().last().map(str::to_owned)
        };
        garage.key = field("Key ID").context("Garage gave no key")?;
        garage.secret = field("Secret key").context("Garage gave no secret")?;
        garage.ask(&["bucket", "create", BUCKET])?;
        garage.ask(&["bucket", "allow", "--read", "--write", "--owner", BUCKET, "--key", BUCKET])?;
        Ok(garage)
    }

    /// The id of its process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.server.id()
    }

    fn ask(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(&self.program).arg("-c").arg(&self.settings).args(arguments).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// A port that nobody listens on just now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
