//! What the black-box tests share: the binaries, made media, servers that are not ours.

mod aws_names;
pub mod catalog;
mod far;
mod faults;
pub mod garage;
mod guard;
mod identity_center;
pub mod jobs;
mod server;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

pub use aws_names::AwsNames;
pub use far::Far;
pub use faults::{Fault, FaultyLine};
pub use guard::Guard;
pub use identity_center::identity_center;
pub use server::{KEYS, Server};

/// A binary of the workspace, built by `cargo xtask test` before the tests run.
///
/// # Errors
/// When it is not there.
pub fn binary(name: &str) -> Result<PathBuf> {
    let mut folder = std::env::current_exe()?;
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    ensure!(path.is_file(), "{} is missing: run the tests with `cargo xtask test`", path.display());
    Ok(path)
}

/// The 5 s of film that comes with the tests.
#[must_use]
pub fn film() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("media/bigbuckbunny.mp4")
}

/// A data folder.
pub enum Data {
    /// It goes with its owner.
    Own(tempfile::TempDir),
    /// It stays.
    Theirs(PathBuf),
}

impl Data {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Own(folder) => folder.path(),
            Self::Theirs(path) => path,
        }
    }
}

/// A command line on a data folder of its own.
pub struct Reelctl {
    /// The data folder, where it is its own.
    pub data: Data,
    environment: Vec<(String, String)>,
}

impl Reelctl {
    /// On a fresh folder.
    ///
    /// # Errors
    /// When no temporary folder can be made.
    pub fn new() -> Result<Self> {
        Ok(Self { data: Data::Own(tempfile::tempdir()?), environment: Vec::new() })
    }

    /// On the folder of someone else.
    #[must_use]
    pub fn at(data: &Path) -> Self {
        Self { data: Data::Theirs(data.to_owned()), environment: Vec::new() }
    }

    /// The same on the folder of someone else.
    #[must_use]
    pub fn on(&self, data: &Path) -> Self {
        Self { data: Data::Theirs(data.to_owned()), environment: self.environment.clone() }
    }

    /// With an environment variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// The command, ready to run.
    ///
    /// # Errors
    /// When the binary is missing.
    pub fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(binary("reelctl")?);
        command
            .arg("--data-dir")
            .arg(self.data.path())
            .arg("--json")
            .args(arguments)
            .envs(self.environment.clone())
            .stdin(Stdio::null());
        Ok(command)
    }

    /// Runs it to its end: success or not, and the JSON lines it printed.
    ///
    /// # Errors
    /// When it cannot be run or prints something else.
    pub fn run(&self, arguments: &[&str]) -> Result<(bool, Vec<Value>)> {
        let Output { status, stdout, stderr } = self.command(arguments)?.output()?;
        let text = String::from_utf8(stdout)?;
        let lines = text.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>();
        let lines = lines.with_context(|| format!("{text}\n{}", String::from_utf8_lossy(&stderr)))?;
        Ok((status.success(), lines))
    }

    /// Starts it with its output to be read.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self, arguments: &[&str]) -> Result<Child> {
        Ok(self.command(arguments)?.stdout(Stdio::piped()).spawn()?)
    }
}

/// A file of so many bytes that no two places of it are alike.
///
/// # Errors
/// When it cannot be written.
pub fn noise(path: &Path, bytes: usize) -> Result<Vec<u8>> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ bytes as u64;
    let mut noise = Vec::with_capacity(bytes + 8);
    while noise.len() < bytes {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend_from_slice(&state.to_le_bytes());
    }
    noise.truncate(bytes);
    std::fs::write(path, &noise)?;
    Ok(noise)
}

/// Makes a file with ffmpeg; `arguments` are between the program and the file.
///
/// # Errors
/// When ffmpeg fails.
pub fn make(file: &Path, arguments: &[&str]) -> Result<()> {
    let output = Command::new("ffmpeg").args(["-v", "error", "-nostdin", "-y"]).args(arguments).arg(file).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// A film that takes a while: 20 s of noise, some 40 MB in several parts.
///
/// # Errors
/// When ffmpeg fails.
pub fn long_film(folder: &Path) -> Result<PathBuf> {
    let file = folder.join("long.mp4");
    let noise = "testsrc2=s=1280x720:d=20:r=25,noise=alls=60:allf=t";
    let h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-b:v", "16M", "-pix_fmt", "yuv420p"];
    make(&file, &[&["-f", "lavfi", "-i", noise][..], &h264].concat())?;
    Ok(file)
}

/// What ffprobe says of a file or an address.
///
/// # Errors
/// When it cannot be read.
pub fn ffprobe(target: &str) -> Result<Value> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-print_format", "json", "-show_streams", "-show_format", "-i", target])
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A process that ends with its test.
pub struct Ended(pub Child);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// An emulator of AWS that is not ours.
pub struct Emulator {
    /// Its endpoint.
    pub endpoint: String,
    _process: Ended,
}

impl Emulator {
    /// Starts MiniStack on a free port and waits until it answers.
    ///
    /// # Errors
    /// When it is not installed or does not answer.
    pub async fn ministack() -> Result<Self> {
        let port = garage::free_port()?;
        let mut command = Command::new(Self::program("REELDESK_MINISTACK")?);
        command.env("GATEWAY_PORT", port.to_string()).env("BIND_HOST", "127.0.0.1");
        Self::run(command, port).await
    }

    /// Starts moto in its place.
    ///
    /// # Errors
    /// When it is not installed or does not answer.
    pub async fn moto() -> Result<Self> {
        let port = garage::free_port()?;
        let mut command = Command::new(Self::program("REELDESK_MOTO")?);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        Self::run(command, port).await
    }

    /// A `reelctl` with a workspace of this name on it, whose buckets are `vod-source` and `vod-destination`, and whose table is
    /// `vod`.
    ///
    /// # Errors
    /// When no data folder can be made.
    pub fn workspace(&self, name: &str) -> Result<Reelctl> {
        let reelctl = Reelctl::new()?.with("AWS_ACCESS_KEY_ID", "test").with("AWS_SECRET_ACCESS_KEY", "test");
        let workspace = format!(
            r#"version = 1
[[workspace]]
name = "{name}"
region = "us-east-1"
endpoint = "{}"
sourceBucket = "vod-source"
destinationBucket = "vod-destination"
table = "vod"
cdn = "http://127.0.0.1:9"
credentials = {{ kind = "environment" }}
mode = {{ kind = "pipeline" }}
"#,
            self.endpoint
        );
        std::fs::write(reelctl.data.path().join("settings.toml"), workspace)?;
        Ok(reelctl)
    }

    fn program(name: &str) -> Result<String> {
        std::env::var(name).context("run the tests with `cargo xtask test`, which installs the emulators")
    }

    async fn run(mut command: Command, port: u16) -> Result<Self> {
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let endpoint = format!("http://127.0.0.1:{port}");
        let started = Self { endpoint: endpoint.clone(), _process: Ended(process) };
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        let http = reqwest::Client::builder().no_proxy().build()?;
        while std::time::Instant::now() < deadline {
            if http.get(&endpoint).send().await.is_ok() {
                return Ok(started);
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        bail!("the emulator does not answer on {endpoint}")
    }
}

/// An S3 client with these keys.
#[must_use]
pub fn s3(endpoint: &str, key: &str, secret: &str) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .region(aws_sdk_s3::config::Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .credentials_provider(aws_credential_types::Credentials::from_keys(key, secret, None))
        .build();
    aws_sdk_s3::Client::from_conf(config)
}
