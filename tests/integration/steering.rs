//! Uploads steered from another process than the one that sends.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout};

use aws_sdk_s3::types::ChecksumAlgorithm;
use reeldesk_sandbox::SOURCE_BUCKET;
use reeldesk_tests::{Reelctl, film, long_film};
use serde_json::Value;

use crate::server::Server;

/// The lines of a process that sends, one after the other.
pub(crate) struct Sender {
    pub child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Sender {
    pub fn start(reelctl: &Reelctl, arguments: &[&str]) -> Self {
        let mut child = reelctl.start(arguments).unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    pub fn until(&mut self, good: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.lines.next().expect("the process ended early").unwrap();
            let value: Value = serde_json::from_str(&line).unwrap();
            if good(&value) {
                return value;
            }
        }
    }
}

/// A long film that is being sent.
struct OnItsWay {
    server: Server,
    _folder: tempfile::TempDir,
    file: PathBuf,
    sender: Sender,
}

fn on_its_way() -> OnItsWay {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = long_film(folder.path()).unwrap();
    let mut sender = Sender::start(&server.data, &["ingest", file.to_str().unwrap(), "--limit", "12M"]);
    sender.until(|line| line["sent"].as_u64() > Some(4_000_000));
    OnItsWay { server, _folder: folder, file, sender }
}

/// What needs someone goes on in its own row where it is added again.
#[test]
fn added_again_it_goes_on_in_its_own_row() {
    let reelctl = Reelctl::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cut.mp4");
    let bytes = std::fs::read(film()).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 5000]).unwrap();
    let path = file.to_str().unwrap();
    let (well, lines) = reelctl.run(&["ingest", path]).unwrap();
    assert!(!well && lines.last().unwrap()["code"] == "incomplete", "{lines:#?}");
    let before = reelctl.run(&["uploads", "list"]).unwrap().1;
    // It says the same again, and is no second row.
    assert!(!reelctl.run(&["ingest", path]).unwrap().0);
    let after = reelctl.run(&["uploads", "list"]).unwrap().1;
    assert_eq!((after.len(), &after[0]["id"]), (1, &before[0]["id"]));
    // Mended it is sent, and nothing waits any more.
    std::fs::write(&file, &bytes).unwrap();
    let (well, lines) = reelctl.run(&["ingest", path]).unwrap();
    assert!(well, "{lines:#?}");
    assert!(reelctl.run(&["uploads", "list"]).unwrap().1.iter().all(|one| one["stage"] != "needsYou"));
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_resumed_and_canceled_from_elsewhere() {
    let OnItsWay { server, _folder, file, mut sender } = on_its_way();
    let reelctl = &server.data;

    let (_, listed) = reelctl.run(&["uploads", "list"]).unwrap();
    let id = listed[0]["id"].as_str().unwrap().to_owned();
    assert_eq!((listed.len(), &listed[0]["stage"]), (1, &"sending".into()));
    assert!(reelctl.run(&["uploads", "pause", &id]).unwrap().0);
    let paused = sender.until(|line| line["state"] == "paused");
    let (_, listed) = reelctl.run(&["uploads", "list"]).unwrap();
    assert_eq!(listed[0]["stage"], "paused");

    assert!(reelctl.run(&["uploads", "resume", "--all"]).unwrap().0);
    let resumed = sender.until(|line| line["state"] == "sending" && line["sent"].as_u64() > paused["sent"].as_u64());
    assert!(resumed["sent"].as_u64() < Some(std::fs::metadata(&file).unwrap().len()));

    let unfinished = || async {
        let listed = server.client().list_multipart_uploads().bucket(SOURCE_BUCKET).send().await.unwrap();
        listed.uploads().len()
    };
    assert_eq!(unfinished().await, 1);
    assert!(reelctl.run(&["uploads", "cancel", &id]).unwrap().0);
    let last = sender.until(|line| line["state"] == "failed");
    assert_eq!(last["code"], "canceled");
    assert!(!sender.child.wait().unwrap().success());
    assert_eq!(unfinished().await, 0, "nothing is left behind");

    // Nobody drives now: the next one takes up what was wished meanwhile.
    assert!(reelctl.run(&["uploads", "retry", &id]).unwrap().0);
    let (well, lines) = reelctl.run(&["ingest", file.to_str().unwrap()]).unwrap();
    assert!(well && lines.last().unwrap()["state"] == "uploaded", "{:#}", lines.last().unwrap());
    let (well, lines) = reelctl.run(&["uploads", "pause", "nope"]).unwrap();
    assert!(!well && lines[0]["code"] == "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_outlives_the_process() {
    let OnItsWay { server, _folder, file, mut sender } = on_its_way();
    let reelctl = &server.data;
    assert!(reelctl.run(&["uploads", "pause", "--all"]).unwrap().0);
    sender.until(|line| line["state"] == "paused");
    sender.child.kill().unwrap();
    sender.child.wait().unwrap();
    // Another one is sent; the paused one rests.
    let (well, lines) = reelctl.run(&["ingest", film().to_str().unwrap()]).unwrap();
    assert!(well, "{:#?}", lines.last());
    let (_, listed) = reelctl.run(&["uploads", "list"]).unwrap();
    let long = listed.iter().find(|one| one["title"] == "long").unwrap();
    assert_eq!(long["stage"], "paused");
    // To add it again is to want it sent.
    let (well, lines) = reelctl.run(&["ingest", file.to_str().unwrap()]).unwrap();
    assert!(well && lines.last().unwrap()["state"] == "uploaded", "{:#}", lines.last().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_will_finish_is_found_and_removed() {
    let server = Server::start();
    let reelctl = &server.data;
    let client = server.client();
    let begun = client.create_multipart_upload().bucket(SOURCE_BUCKET).key("video/old/film.mp4").send().await.unwrap();
    let upload = begun.upload_id().unwrap();
    let part = client.upload_part().bucket(SOURCE_BUCKET).key("video/old/film.mp4").upload_id(upload);
    let part = part.part_number(1).checksum_algorithm(ChecksumAlgorithm::Crc64Nvme);
    part.body(vec![1; 5000].into()).send().await.unwrap();
    // Another application's.
    client.create_multipart_upload().bucket(SOURCE_BUCKET).key("backup/db").send().await.unwrap();

    let (_, found) = reelctl.run(&["uploads", "orphans"]).unwrap();
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((&found[0]["key"], &found[0]["size"]), (&"video/old/film.mp4".into(), &5000.into()));
    assert!(reelctl.run(&["uploads", "orphans", "--remove", "--older-than", "0"]).unwrap().0);
    let left = client.list_multipart_uploads().bucket(SOURCE_BUCKET).send().await.unwrap();
    assert_eq!(left.uploads().iter().map(|one| one.key()).collect::<Vec<_>>(), [Some("backup/db")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_set_from_elsewhere_and_by_the_time_of_day() {
    let server = Server::start();
    let reelctl = &server.data;
    let folder = tempfile::tempdir().unwrap();
    let file = long_film(folder.path()).unwrap();
    let clock = |offset: &str| {
        let date = std::process::Command::new("date").args(["-d", offset, "+%H:%M"]).output().unwrap();
        String::from_utf8(date.stdout).unwrap().trim().to_owned()
    };
    let now = format!("{}-{}", clock("-2 hours"), clock("+2 hours"));
    let (well, lines) = reelctl.run(&["uploads", "limit", "8K", "--between", &now]).unwrap();
    assert!(well && lines[0]["hours"]["limit"] == 8000, "{lines:#?}");
    let mut sender = Sender::start(reelctl, &["ingest", file.to_str().unwrap()]);
    // At 8 kB/s the 40 MB would take more than an hour: a few steps of it are small.
    let mut sent = 0;
    for _ in 0..4 {
        sent = sender.until(|line| line["sent"].as_u64() > Some(sent))["sent"].as_u64().unwrap();
    }
    assert!(sent < 2_000_000, "{sent}");
    assert!(reelctl.run(&["uploads", "limit", "none"]).unwrap().0);
    let last = sender.until(|line| line["state"] == "uploaded" || line["state"] == "failed");
    assert_eq!(last["state"], "uploaded");
    assert!(sender.child.wait().unwrap().success());
    let (_, lines) = reelctl.run(&["uploads", "limit"]).unwrap();
    assert_eq!(lines[0], serde_json::json!({ "usual": null, "hours": null }));
    let (well, lines) = reelctl.run(&["uploads", "limit", "5M", "--between", "8 to 18"]).unwrap();
    assert!(!well && lines[0]["code"] == "invalid", "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_young_unfinished_upload_is_let_be() {
    let server = Server::start();
    let client = server.client();
    client.create_multipart_upload().bucket(SOURCE_BUCKET).key("video/theirs/a.mp4").send().await.unwrap();
    let (well, lines) = server.data.run(&["uploads", "orphans", "--remove"]).unwrap();
    assert!(well && lines.is_empty(), "{lines:#?}");
    let left = client.list_multipart_uploads().bucket(SOURCE_BUCKET).send().await.unwrap();
    assert_eq!(left.uploads().len(), 1, "another computer may be sending it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_goes_on_where_its_twin_is_canceled() {
    let server = Server::start();
    let reelctl = &server.data;
    let folder = tempfile::tempdir().unwrap();
    let file = long_film(folder.path()).unwrap();
    std::fs::copy(&file, folder.path().join("copy.mp4")).unwrap();
    let mut sender = Sender::start(reelctl, &["ingest", folder.path().to_str().unwrap(), "--limit", "12M"]);
    let twin = sender.until(|line| line["sent"].as_u64() > Some(4_000_000));
    let (_, listed) = reelctl.run(&["uploads", "list"]).unwrap();
    assert_eq!(listed.len(), 1, "the copy is left out: {listed:#?}");
    assert!(reelctl.run(&["uploads", "cancel", listed[0]["id"].as_str().unwrap()]).unwrap().0);
    let copy = sender.until(|line| line["state"] == "sending" && line["path"] != twin["path"]);
    let last =
        sender.until(|line| line["state"] == "uploaded" || line["path"] == copy["path"] && line["code"].is_string());
    assert_eq!((&last["state"], &last["path"]), (&"uploaded".into(), &copy["path"]), "{last:#}");
    let objects = server.client().list_objects_v2().bucket(SOURCE_BUCKET).send().await.unwrap();
    assert_eq!(objects.contents().len(), 1);
}
