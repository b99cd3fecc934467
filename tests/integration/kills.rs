//! kill -9 at every stage: the journey ends ready, once, with no second video.

use std::io::{BufRead as _, BufReader};
#[cfg(target_os = "linux")]
use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use reeldesk_tests::{Reelctl, long_film};
use serde_json::Value;

/// Starts the ingest and kills it as soon as a line answers `at`.
fn kill_when(reelctl: &Reelctl, file: &str, at: impl Fn(&Value) -> bool) {
    let mut child = reelctl.start(&["ingest", file, "--wait"]).unwrap();
    let mut seen = false;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let value: Value = serde_json::from_str(&line.unwrap()).unwrap();
        assert_ne!(value["state"], "ready", "it ended before it could be killed");
        if at(&value) {
            seen = true;
            break;
        }
    }
    assert!(seen, "the stage was never seen");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn killed_in_mid_upload_and_in_mid_encode() {
    let reelctl = Reelctl::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = long_film(folder.path()).unwrap();
    let name = file.to_str().unwrap();
    kill_when(&reelctl, name, |line| line["state"] == "sending");
    kill_when(&reelctl, name, |line| line["state"] == "encoding" && line["percent"].as_u64() > Some(0));
    kill_when(&reelctl, name, |line| line["state"] == "encoding");
    let (well, lines) = reelctl.run(&["ingest", name, "--wait"]).unwrap();
    let last = lines.last().unwrap();
    assert!(well && last["state"] == "ready", "{last:#}");
    let (_, videos) = reelctl.run(&["videos", "list"]).unwrap();
    assert_eq!(videos.len(), 1, "one video: {videos:#?}");
    let (_, jobs) = reelctl.run(&["jobs", "list"]).unwrap();
    assert_eq!(jobs.len(), 1, "one job");
}

#[test]
fn two_that_would_drive_one_store() {
    let reelctl = Reelctl::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = long_film(folder.path()).unwrap();
    let name = file.to_str().unwrap();
    let mut first = reelctl.start(&["ingest", name, "--wait"]).unwrap();
    let mut lines = BufReader::new(first.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    let (well, second) = reelctl.run(&["ingest", name]).unwrap();
    assert!(!well);
    assert_eq!(second.last().unwrap()["code"], "in-use");
    // Reading is no driving: it uses the sandbox of the first.
    assert!(reelctl.run(&["videos", "list"]).unwrap().0);
    first.kill().unwrap();
    first.wait().unwrap();
}

/// The encoders that write into a data folder, by their processes.
#[cfg(target_os = "linux")]
fn encoders(data: &Path) -> Vec<String> {
    let output = Command::new("pgrep").args(["-f", &format!("ffmpeg.*{}", data.display())]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// What systemd and CI send, and the end of a terminal: in good order, and nothing encodes on.
#[cfg(target_os = "linux")]
#[test]
fn asked_to_end_in_every_way() {
    for (signal, arguments) in [("TERM", &["sandbox"][..]), ("HUP", &["sandbox"]), ("TERM", &["ingest", "--wait"])] {
        let reelctl = Reelctl::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = long_film(folder.path()).unwrap();
        let name = file.to_str().unwrap();
        let is_sandbox = arguments == ["sandbox"];
        let mut server = if is_sandbox {
            // Whoever runs these tests under nohup has it ignored.
            let command = reelctl.command(arguments).unwrap();
            let mut hears = Command::new("env");
            hears.arg("--default-signal=HUP").arg(command.get_program()).args(command.get_args());
            let mut server = hears.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
            BufReader::new(server.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
            Some(server)
        } else {
            None
        };
        let mut sender = reelctl.start(&["ingest", name, "--wait"]).unwrap();
        let mut lines = BufReader::new(sender.stdout.take().unwrap()).lines().map_while(Result::ok);
        let encodes = |line: String| line.contains("\"encoding\"");
        assert!(lines.any(encodes));
        while encoders(reelctl.data.path()).is_empty() {
            std::thread::sleep(Duration::from_millis(20));
        }
        let asked = server.as_mut().unwrap_or(&mut sender);
        let status = Command::new("kill").args([format!("-{signal}"), asked.id().to_string()]).status().unwrap();
        assert!(status.success());
        let deadline = Instant::now() + Duration::from_secs(60);
        let ended = loop {
            if let Some(ended) = asked.try_wait().unwrap() {
                break ended;
            }
            if Instant::now() > deadline {
                asked.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(ended.code().is_some(), "it ended by itself: {ended}");
        assert_eq!(encoders(reelctl.data.path()), [""; 0], "{signal}: nothing encodes on");
        sender.kill().ok();
        sender.wait().unwrap();
    }
}

/// Nobody can end a child after kill -9; the next start does.
#[cfg(target_os = "linux")]
#[test]
fn an_encoder_that_a_kill_left_behind_is_ended() {
    let reelctl = Reelctl::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = long_film(folder.path()).unwrap();
    let name = file.to_str().unwrap();
    kill_when(&reelctl, name, |line| line["state"] == "encoding" && line["percent"].as_u64() > Some(0));
    let left = encoders(reelctl.data.path());
    assert!(!left.is_empty(), "the kill left an encoder behind");
    assert!(reelctl.run(&["videos", "list"]).unwrap().0);
    // The next start ends what was left.
    let now = encoders(reelctl.data.path());
    assert!(left.iter().all(|pid| !now.contains(pid)), "{left:?} left, {now:?} now");
    let (well, lines) = reelctl.run(&["ingest", name, "--wait"]).unwrap();
    assert!(well, "{:#}", lines.last().unwrap());
    let now = encoders(reelctl.data.path());
    assert!(now.is_empty(), "{left:?} left, {now:?} now");
}
