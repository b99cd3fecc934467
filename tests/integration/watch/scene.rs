//! A folder, a server that watches it, and a bucket that shows what was sent.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant};

use reeldesk_sandbox::{DESTINATION_BUCKET, SOURCE_BUCKET, STACK};
use reeldesk_tests::{Ended, Reelctl, Server, make};
use serde_json::Value;

/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(120);

/// A film of a few kilobytes that is no other's: `number` is in its bytes.
pub(crate) fn clip(number: u32) -> Vec<u8> {
    padded_clip(number, 0)
}

/// The same with so many more bytes.
pub(crate) fn padded_clip(number: u32, bytes: usize) -> Vec<u8> {
    static BASE: OnceLock<Vec<u8>> = OnceLock::new();
    let base = BASE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("base.mp4");
        let source = "testsrc2=s=64x64:d=0.2:r=10";
        make(&file, &["-f", "lavfi", "-i", source, "-c:v", "libx264", "-pix_fmt", "yuv420p"]).unwrap();
        std::fs::read(file).unwrap()
    });
    let mut film = base.clone();
    film.extend(u32::try_from(12 + bytes).unwrap().to_be_bytes());
    film.extend(b"free");
    film.extend(number.to_be_bytes());
    film.resize(film.len() + bytes, 0x5A);
    film
}

/// What the server said, as it says it.
#[derive(Clone, Default)]
struct Heard(Arc<(Mutex<Vec<Value>>, Condvar)>);

/// Ways to start the server.
pub(crate) type Start = Box<dyn Fn(Command) -> Command + Send>;

pub(crate) struct Scene {
    pub folder: PathBuf,
    _own: Option<tempfile::TempDir>,
    pub server: Server,
    pub reelctl: Reelctl,
    pub workspace: &'static str,
    heard: Heard,
    run: Option<Ended>,
    start: Start,
}

impl Scene {
    /// A fresh folder that is watched with these arguments of `reelctl watch add`. What is sent lies in a bucket and is
    /// not encoded.
    pub fn new(arguments: &[&str]) -> Self {
        let own = tempfile::tempdir().unwrap();
        let mut scene = Self::at(own.path(), arguments);
        scene._own = Some(own);
        scene
    }

    /// The same in a folder on a disk of one's choice.
    pub fn at(disk: &Path, arguments: &[&str]) -> Self {
        let mut scene = Self::unwatched(disk);
        scene.add(&scene.folder.clone(), arguments);
        scene.start();
        scene
    }

    /// The same, with nothing watched and nothing running yet.
    pub fn unwatched(disk: &Path) -> Self {
        let folder = disk.join("exports");
        std::fs::create_dir_all(&folder).unwrap();
        let server = Server::start();
        let reelctl = crate::server::reelctl_of_sandbox(&server.endpoint);
        let connect = ["workspace", "connect", "quiet", "--stack", STACK, "--endpoint", &server.endpoint];
        let (well, lines) = reelctl.run(&connect).unwrap();
        assert!(well, "{lines:#?}");
        // Nothing encodes what is put there.
        let settings = reelctl.data.path().join("settings.toml");
        let text = std::fs::read_to_string(&settings).unwrap();
        std::fs::write(&settings, text.replace(SOURCE_BUCKET, DESTINATION_BUCKET)).unwrap();
        Self {
            folder: folder.canonicalize().unwrap(),
            _own: None,
            server,
            reelctl,
            workspace: "quiet",
            heard: Heard::default(),
            run: None,
            start: Box::new(|command| command),
        }
    }

    /// A folder whose files become videos in the sandbox.
    pub fn encoding(arguments: &[&str]) -> Self {
        Self::encoding_on(Server::start(), arguments)
    }

    /// The same on a sandbox of one's choice.
    pub fn encoding_on(server: Server, arguments: &[&str]) -> Self {
        let own = tempfile::tempdir().unwrap();
        let folder = own.path().join("exports");
        std::fs::create_dir_all(&folder).unwrap();
        let mut scene = Self {
            folder: folder.canonicalize().unwrap(),
            _own: Some(own),
            reelctl: Reelctl::at(server.data.data.path()),
            server,
            workspace: "sandbox",
            heard: Heard::default(),
            run: None,
            start: Box::new(|command| command),
        };
        scene.add(&scene.folder.clone(), arguments);
        scene.start();
        scene
    }

    /// Starts the server in another way from now on.
    pub fn started_by(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Where AWS is stood in for.
    pub fn endpoint(&self) -> &str {
        &self.server.endpoint
    }

    /// Reaches it by another way, as an account whose files become videos.
    pub fn reach_by(&mut self, endpoint: &str) {
        self.reelctl = crate::server::reelctl_of_sandbox(endpoint);
        self.workspace = "account";
        let connect = ["workspace", "connect", "account", "--stack", STACK, "--endpoint", endpoint];
        let (well, lines) = self.reelctl.run(&connect).unwrap();
        assert!(well, "{lines:#?}");
        self.add(&self.folder.clone(), &["--afterwards", "delete"]);
    }

    /// Watches one more folder; files settle for a second unless the arguments say otherwise.
    pub fn add(&self, folder: &Path, arguments: &[&str]) -> Value {
        let settle: &[&str] = if arguments.contains(&"--settle") { &[] } else { &["--settle", "1"] };
        let (well, lines) = self.reelctl(&[&["watch", "add", folder.to_str().unwrap()], arguments, settle].concat());
        assert!(well, "{lines:#?}");
        lines[0].clone()
    }

    /// Runs a command in the scene's workspace.
    pub fn reelctl(&self, arguments: &[&str]) -> (bool, Vec<Value>) {
        self.reelctl.run(&[&["--workspace", self.workspace], arguments].concat()).unwrap()
    }

    /// Starts the server; returns when it has begun.
    pub fn start(&mut self) {
        let command = self.reelctl.command(&["--workspace", self.workspace, "watch", "run"]).unwrap();
        let mut command = (self.start)(command);
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let (heard, stdout) = (self.heard.clone(), child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or_else(|_| Value::String(line));
                heard.0.0.lock().unwrap().push(value);
                heard.0.1.notify_all();
            }
        });
        let before = self.count("started");
        self.run = Some(Ended(child));
        self.until("it has started", |said| said.iter().filter(|line| line["event"] == "started").count() > before);
    }

    /// As a power cut would.
    pub fn kill(&mut self) {
        self.run = None;
    }

    /// A file in the folder, written at once.
    pub fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Waits until what was said so far is as it should be.
    #[track_caller]
    pub fn until(&self, what: &str, is_so: impl Fn(&[Value]) -> bool) {
        let end = Instant::now() + PATIENCE;
        let mut said = self.heard.0.0.lock().unwrap();
        while !is_so(&said) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "in vain: {what}\n{:#?}", *said);
            said = self.heard.0.1.wait_timeout(said, left).unwrap().0;
        }
    }

    /// Waits until this was said of a file, and answers the line.
    #[track_caller]
    pub fn hear(&self, event: &str, name: &str) -> Value {
        let path = self.folder.join(name);
        let path = path.to_str().unwrap();
        let is_it = |line: &Value| line["event"] == event && line["path"] == path;
        self.until(&format!("{event} {name}"), |said| said.iter().any(is_it));
        self.said().into_iter().rfind(is_it).unwrap()
    }

    /// Waits until a file of its own was sent: what settled before it has been decided by then.
    #[track_caller]
    pub fn sentinel(&self) -> String {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(900_000);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("zz sentinel {number}.mp4");
        self.put(&name, &clip(number));
        self.hear("verified", &name);
        name
    }

    /// The same of a file that may have been sent while nobody listened.
    pub async fn hear_or_be_there(&self, event: &str, name: &str) {
        if !self.names().await.iter().any(|sent| sent == name) {
            self.hear(event, name);
        }
    }

    /// Waits until so many videos are in the bucket, for as long as more of them come.
    pub async fn until_sent(&self, count: usize) {
        let (mut there, mut since) = (0, Instant::now());
        while there < count {
            let now = self.keys().await.len();
            if now > there {
                (there, since) = (now, Instant::now());
            }
            assert!(since.elapsed() < PATIENCE, "{there} of {count} are sent, and no more come");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Waits until the disk is as it should be.
    #[track_caller]
    pub fn until_disk(&self, what: &str, is_so: impl Fn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(Instant::now() < end, "in vain: {what}\n{:#?}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn said(&self) -> Vec<Value> {
        self.heard.0.0.lock().unwrap().clone()
    }

    pub fn count(&self, event: &str) -> usize {
        self.said().iter().filter(|line| line["event"] == event).count()
    }

    /// The titles and contents of the videos in the bucket, without the sentinels.
    pub async fn sent(&self) -> BTreeMap<String, Vec<Vec<u8>>> {
        let client = self.server.client();
        let mut sent: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        for key in self.keys().await {
            let object = client.get_object().bucket(self.bucket()).key(&key).send().await.unwrap();
            let name = object.metadata().and_then(|of| of.get("reeldesk-name").cloned()).unwrap_or(key);
            let name = percent(&name);
            if !name.starts_with("zz sentinel") {
                sent.entry(name).or_default().push(object.body.collect().await.unwrap().to_vec());
            }
        }
        sent
    }

    /// Names and sizes of the videos in the bucket, without the sentinels.
    pub async fn sizes(&self) -> BTreeMap<String, Vec<usize>> {
        let client = self.server.client();
        let mut sizes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for key in self.keys().await {
            let object = client.head_object().bucket(self.bucket()).key(&key).send().await.unwrap();
            let name = object.metadata().and_then(|of| of.get("reeldesk-name").cloned()).unwrap_or(key);
            let name = percent(&name);
            if !name.starts_with("zz sentinel") {
                sizes.entry(name).or_default().push(usize::try_from(object.content_length().unwrap()).unwrap());
            }
        }
        sizes
    }

    /// The names that were sent, one for each object.
    pub async fn names(&self) -> Vec<String> {
        self.sent().await.into_iter().flat_map(|(name, objects)| vec![name; objects.len()]).collect()
    }

    /// The keys in the bucket.
    pub async fn keys(&self) -> Vec<String> {
        let mut pages = self.server.client().list_objects_v2().bucket(self.bucket()).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            keys.extend(page.unwrap().contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        }
        keys.retain(|key| key.starts_with("video/"));
        keys
    }

    pub async fn object(&self, key: &str) -> Vec<u8> {
        let object = self.server.client().get_object().bucket(self.bucket()).key(key).send().await.unwrap();
        object.body.collect().await.unwrap().to_vec()
    }

    fn bucket(&self) -> &'static str {
        if self.workspace == "quiet" { DESTINATION_BUCKET } else { SOURCE_BUCKET }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // Before the server that it talks to.
        self.run = None;
    }
}

fn percent(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte = escaped.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
