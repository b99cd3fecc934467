//! kill -9 at every stage: the journey ends ready, once, with no second video.

use std::io::{BufRead as _, BufReader};

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
