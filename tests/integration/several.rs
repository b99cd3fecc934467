//! Several workspaces of one data folder at once.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use reeldesk_tests::{Ended, Reelctl, film, long_film};
use serde_json::Value;

use crate::server::{KEYS, Server};
use crate::workspaces::with_profile;

fn connect(reelctl: &Reelctl, name: &str, server: &Server) {
    let stack = ["workspace", "connect", name, "--stack", reeldesk_sandbox::STACK, "--profile", "media"];
    let (well, lines) = reelctl.run(&[&stack[..], &["--endpoint", &server.endpoint]].concat()).unwrap();
    assert!(well, "{lines:#?}");
}

/// Writes another workspace of the same parts whose profile nobody has.
fn break_copy(reelctl: &Reelctl, of: &str, name: &str) {
    let settings = reelctl.data.path().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let (before, own) = text.split_once("[[workspace]]").unwrap();
    let broken = own.replace(&format!("\"{of}\""), &format!("\"{name}\"")).replace("\"media\"", "\"theirs\"");
    std::fs::write(&settings, format!("{before}[[workspace]]{own}\n[[workspace]]{broken}")).unwrap();
}

/// `reelctl watch run`, and what it says.
struct Serving {
    lines: mpsc::Receiver<Value>,
    _process: Ended,
}

impl Serving {
    fn start(reelctl: &Reelctl) -> Self {
        let mut process = Ended(reelctl.start(&["watch", "run"]).unwrap());
        let stdout = BufReader::new(process.0.stdout.take().unwrap());
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let mut lines = stdout.lines().map_while(Result::ok);
            lines.try_for_each(|line| tell.send(serde_json::from_str::<Value>(&line).unwrap()))
        });
        Self { lines, _process: process }
    }

    /// Waits until it says this of a workspace.
    fn until(&self, event: &str, workspace: &str) -> Value {
        self.until_one_of(&[event], workspace)
    }

    fn until_one_of(&self, events: &[&str], workspace: &str) -> Value {
        let end = Instant::now() + Duration::from_secs(120);
        loop {
            let line = self.lines.recv_timeout(end.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|error| panic!("{events:?} {workspace}: {error}"));
            let is_it = events.iter().any(|event| line["event"] == *event);
            if is_it && line["workspace"] == workspace {
                return line;
            }
        }
    }
}

#[tokio::test]
async fn a_server_serves_all_workspaces_and_one_that_does_not_open_stops_none() {
    let (production, staging) = (Server::start(), Server::start());
    let reelctl = with_profile(KEYS.0, KEYS.1);
    connect(&reelctl, "production", &production);
    break_copy(&reelctl, "production", "broken");
    connect(&reelctl, "staging", &staging);
    let folders = tempfile::tempdir().unwrap();
    let watch = |name: &str| {
        let folder = folders.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        let film_of = folder.join(format!("{name}.mp4"));
        std::fs::copy(film(), film_of).unwrap();
        let add =
            ["--workspace", name, "watch", "add", folder.to_str().unwrap(), "--settle", "1", "--existing", "take"];
        let (well, lines) = reelctl.run(&add).unwrap();
        assert!(well, "{lines:#?}");
    };
    ["production", "broken"].iter().for_each(|name| watch(name));
    let serving = Serving::start(&reelctl);
    let broken = serving.until("not-opened", "broken");
    assert!(broken["error"]["message"].as_str().unwrap().contains("\"theirs\""), "{broken:#}");
    serving.until("playable", "production");
    // One that gets its first folder while the server runs.
    watch("staging");
    serving.until("playable", "staging");
    for (name, title) in [("production", "production"), ("staging", "staging")] {
        let (_, videos) = reelctl.run(&["--workspace", name, "videos", "list"]).unwrap();
        let titles: BTreeSet<_> = videos.iter().filter_map(|video| video["title"].as_str()).collect();
        assert_eq!(titles, BTreeSet::from([title]), "{name}");
    }
    // All of the folder is driven by it, also what it does not serve.
    let (well, lines) = reelctl.run(&["--workspace", "staging", "ingest", film().to_str().unwrap()]).unwrap();
    assert!(!well && lines[0]["code"] == "in-use", "{lines:#?}");
}

async fn unfinished(server: &Server) -> usize {
    let all = server.client().list_multipart_uploads().bucket(reeldesk_sandbox::SOURCE_BUCKET).send().await.unwrap();
    all.uploads().len()
}

/// A workspace of which a file is being sent, until the process is dropped.
async fn sending(files: &Path) -> (Server, Reelctl, Ended) {
    let server = Server::start();
    let reelctl = with_profile(KEYS.0, KEYS.1);
    connect(&reelctl, "production", &server);
    let file = long_film(files).unwrap();
    let ingest = ["--workspace", "production", "ingest", file.to_str().unwrap(), "--limit", "2M"];
    let sending = Ended(reelctl.start(&ingest).unwrap());
    let begun = async {
        while unfinished(&server).await == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), begun).await.expect("it is sent");
    (server, reelctl, sending)
}

/// What a workspace has not finished goes with it: from S3, and from the list of one that gets its name.
#[tokio::test]
async fn a_workspace_that_is_removed_leaves_nothing_unfinished() {
    let files = tempfile::tempdir().unwrap();
    let (server, reelctl, sending) = sending(files.path()).await;
    // Not while another process sends it.
    let (well, lines) = reelctl.run(&["workspace", "remove", "production"]).unwrap();
    assert!(!well && lines[0]["code"] == "in-use", "{lines:#?}");
    drop(sending);
    assert_eq!(unfinished(&server).await, 1);
    let (well, lines) = reelctl.run(&["workspace", "remove", "production"]).unwrap();
    assert!(well && lines[0]["left"]["unfinished"] == 0, "{lines:#?}");
    assert_eq!(unfinished(&server).await, 0);
    connect(&reelctl, "production", &server);
    let (_, listed) = reelctl.run(&["--workspace", "production", "uploads", "list"]).unwrap();
    assert!(listed.is_empty(), "{listed:#?}");
}

/// Without its credentials nothing can be removed from S3: that is said, and found by whoever looks for it later.
#[tokio::test]
async fn what_a_removed_workspace_leaves_in_s3_is_counted_and_found() {
    let files = tempfile::tempdir().unwrap();
    let (server, reelctl, sending) = sending(files.path()).await;
    drop(sending);
    let settings = reelctl.data.path().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("\"media\"", "\"theirs\"")).unwrap();
    let (well, lines) = reelctl.run(&["workspace", "remove", "production"]).unwrap();
    assert!(well && lines[0]["left"]["unfinished"] == 1, "{lines:#?}");
    connect(&reelctl, "production", &server);
    let (_, orphans) = reelctl.run(&["--workspace", "production", "uploads", "orphans"]).unwrap();
    assert_eq!(orphans.len(), 1, "{orphans:#?}");
}

/// A settings file that is broken is told, not served as if it were empty; and at the next start, without it, each workspace
/// that has work and is not known any more.
#[tokio::test]
async fn broken_settings_serve_nobody() {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    let reelctl = with_profile(KEYS.0, KEYS.1);
    connect(&reelctl, "production", &server);
    let add = ["--workspace", "production", "watch", "add", folder.path().to_str().unwrap()];
    assert!(reelctl.run(&add).unwrap().0);
    // Whoever names another workspace means another folder.
    let pause = ["--workspace", "sandbox", "watch", "pause", folder.path().to_str().unwrap()];
    let (well, lines) = reelctl.run(&pause).unwrap();
    assert!(!well && lines[0]["message"].as_str().unwrap().contains("for the workspace \"production\""), "{lines:#?}");
    std::fs::write(reelctl.data.path().join("settings.toml"), "version = 1\n[[workspace]\n").unwrap();
    let (well, lines) = reelctl.run(&["watch", "run"]).unwrap();
    assert!(!well && lines[0]["message"].as_str().unwrap().contains("are broken"), "{lines:#?}");
    let unknown = Serving::start(&reelctl).until("not-opened", "production");
    assert!(unknown["error"]["message"].as_str().unwrap().contains("no workspace \"production\""), "{unknown:#?}");
}

/// Keys that AWS does not know are asked for once, take nothing out of the way of the others, and are read anew.
#[tokio::test]
async fn keys_that_are_corrected_are_taken_up() {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    let reelctl = with_profile(KEYS.0, KEYS.1);
    connect(&reelctl, "production", &server);
    let add = ["--workspace", "production", "watch", "add", folder.path().to_str().unwrap(), "--settle", "1"];
    assert!(reelctl.run(&add).unwrap().0);
    let credentials = reelctl.data.path().join("aws-credentials");
    let right = std::fs::read_to_string(&credentials).unwrap();
    std::fs::write(&credentials, right.replace(KEYS.0, "AKIAEXAMPLEUNKNOWN00")).unwrap();
    let serving = Serving::start(&reelctl);
    serving.until("started", "production");
    std::fs::copy(film(), folder.path().join("film.mp4")).unwrap();
    let asked = serving.until("sign-in", "production");
    assert!(asked["error"]["message"].as_str().unwrap().contains("does not know this access key"), "{asked:#?}");
    // Longer than it takes until the same keys are tried again.
    tokio::time::sleep(Duration::from_secs(35)).await;
    std::fs::write(&credentials, right).unwrap();
    let next = serving.until_one_of(&["signed-in", "needs-you", "sign-in"], "production");
    assert_eq!(next["event"], "signed-in", "{next:#?}");
    serving.until("playable", "production");
}
