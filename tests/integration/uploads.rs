//! `reelctl upload` over bad lines, busy servers and kills: the object is the file, and little is sent twice.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Child;
use std::sync::Mutex;
use std::time::Duration;

use aws_sdk_s3::Client;
use reeldesk_sandbox::DESTINATION_BUCKET as BUCKET;
use reeldesk_tests::{Emulator, Fault, FaultyLine, Reelctl, noise, s3};

use crate::server::{ObjectStore, Server, reelctl, reelctl_of_sandbox};
use serde_json::Value;

const MIB: usize = 1024 * 1024;
/// One request carries no more of a file up to 1 GiB.
const PART: u64 = 8 * MIB as u64;

fn place(key: &str) -> String {
    format!("s3://{BUCKET}/{key}")
}

/// Sends a file and answers with its last line, which says `uploaded`.
fn upload(reelctl: &Reelctl, file: &Path, to: &str) -> Value {
    let (well, lines) = reelctl.run(&["upload", file.to_str().unwrap(), "--to", to]).unwrap();
    let last = lines.last().unwrap().clone();
    assert!(well && last["state"] == "uploaded", "{last:#}");
    last
}

async fn object(client: &Client, bucket: &str, key: &str) -> Vec<u8> {
    client.get_object().bucket(bucket).key(key).send().await.unwrap().body.collect().await.unwrap().to_vec()
}

async fn unfinished(client: &Client) -> usize {
    client.list_multipart_uploads().bucket(BUCKET).send().await.unwrap().uploads().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_line_and_a_busy_server() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("master.mov");
    let bytes = noise(&file, 45 * MIB).unwrap();
    // Each third request of the first 60 has a fault, each kind in its turn.
    let line = FaultyLine::before(&server.endpoint, |_, _, number| match number {
        60.. => Fault::None,
        _ => match number % 15 {
            1 => Fault::SlowDown,
            4 => Fault::Reset,
            7 => Fault::LostAnswer,
            10 => Fault::Corrupt,
            13 => Fault::Slow(Duration::from_millis(300)),
            _ => Fault::None,
        },
    });
    let line = line.await.unwrap();
    let last = upload(&reelctl_of_sandbox(&line.endpoint), &file, &place("a.mov"));
    assert!(line.requests() > 10);
    assert!(last["bytesResent"].as_u64() > Some(0), "a part that was lost was sent again: {last:#}");
    assert!(object(&server.client(), BUCKET, "a.mov").await == bytes);
    assert_eq!(unfinished(&server.client()).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lost_answer_to_a_completion() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("master.mov");
    let bytes = noise(&file, 20 * MIB).unwrap();
    let lost = Mutex::new(HashSet::new());
    let line = FaultyLine::before(&server.endpoint, move |method, path, _| {
        let completes = method == "POST" && path.contains("uploadId=");
        // The first one for each key.
        if completes && lost.lock().unwrap().insert(path.to_owned()) { Fault::LostAnswer } else { Fault::None }
    });
    let line = line.await.unwrap();
    let last = upload(&reelctl_of_sandbox(&line.endpoint), &file, &place("b.mov"));
    assert_eq!((&last["bytesResent"], &last["parts"]), (&0.into(), &4.into()));
    assert!(object(&server.client(), BUCKET, "b.mov").await == bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_never_arrive_as_they_left_are_an_error() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let line =
        FaultyLine::before(&server.endpoint, |method, _, _| if method == "PUT" { Fault::Corrupt } else { Fault::None });
    let line = line.await.unwrap();
    for (name, size) in [("small.vtt", MIB), ("large.mov", 20 * MIB)] {
        let file = folder.path().join(name);
        noise(&file, size).unwrap();
        let reelctl = reelctl_of_sandbox(&line.endpoint);
        let (well, lines) = reelctl.run(&["upload", file.to_str().unwrap(), "--to", &place(name)]).unwrap();
        let last = lines.last().unwrap();
        assert!(!well && last["state"] == "failed" && last["code"] == "integrity", "{last:#}");
        assert!(server.client().head_object().bucket(BUCKET).key(name).send().await.is_err(), "nothing is announced");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_said_in_words() {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    let file = folder.path().join("a.vtt");
    noise(&file, 1000).unwrap();
    let failed = |endpoint: &str, to: &str| {
        let (well, lines) = reelctl_of_sandbox(endpoint).run(&["upload", file.to_str().unwrap(), "--to", to]).unwrap();
        assert!(!well, "{lines:#?}");
        lines.last().unwrap().clone()
    };
    let last = failed(&server.endpoint, "s3://nowhere/a.vtt");
    assert_eq!((&last["code"], &last["message"]), (&"not-found".into(), &"There is no bucket \"nowhere\".".into()));
    let last = failed(&server.endpoint, &place(&"a".repeat(1100)));
    assert!(last["message"].as_str().unwrap().contains("longer than the 1,024 bytes"), "{last:#}");
    // Nobody listens there, and nobody tries again.
    let last = failed("http://127.0.0.1:1", &place("a.vtt"));
    assert_eq!(last["code"], "network");
    assert!(last["remedy"].as_str().unwrap().contains("run it again"), "{last:#}");
}

/// One that is not there and one that may not be read stop none of the others, and leave nothing begun in S3.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn one_bad_path_stops_no_other() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    let at = |name: &str| folder.path().join(name);
    let mode = |path: &Path, mode: u32| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    std::fs::create_dir(at("data")).unwrap();
    noise(&at("good.mov"), 9 * MIB).unwrap();
    noise(&at("closed.mov"), 9 * MIB).unwrap();
    for closed in ["season/closed", "season/en/closed"] {
        std::fs::create_dir_all(at(closed)).unwrap();
    }
    noise(&at("season/one.vtt"), 100).unwrap();
    for (name, bits) in
        [(".", 0o777), ("data", 0o777), ("closed.mov", 0o000), ("season/closed", 0o000), ("season/en/closed", 0o000)]
    {
        mode(&at(name), bits);
    }
    let reelctl = reelctl_of_sandbox(&server.endpoint).on(&at("data"));
    let paths = ["missing.mov", "closed.mov", "good.mov", "season"].map(at);
    let paths = paths.each_ref().map(|path| path.to_str().unwrap());
    let mut command = reelctl.command(&[&["upload"][..], &paths, &["--to", &place("in")]].concat()).unwrap();
    // Root may read everything.
    if std::fs::File::open(at("closed.mov")).is_ok() {
        command.uid(65_534).gid(65_534);
    }
    let output = command.output().unwrap();
    ["season/closed", "season/en/closed"].iter().for_each(|closed| mode(&at(closed), 0o755));
    let lines: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = |path: &str| lines.iter().rfind(|line| line["path"] == path).unwrap_or_else(|| panic!("{lines:#?}"));
    assert!(!output.status.success());
    assert_eq!(last(paths[0])["code"], "file-missing");
    assert_eq!((&last(paths[1])["code"], &last(paths[1])["state"]), (&"file-unreadable".into(), &"failed".into()));
    assert_eq!((&last(paths[2])["state"], &last(paths[2])["key"]), (&"uploaded".into(), &"in/good.mov".into()));
    assert_eq!(last(at("season/closed").to_str().unwrap())["code"], "file-unreadable");
    assert_eq!(last(at("season/one.vtt").to_str().unwrap())["state"], "uploaded");
    assert_eq!(unfinished(&server.client()).await, 0, "nothing is begun of a file that may not be read");
}

/// Waits until so much is stored, then kills.
fn kill_at(mut child: Child, stored: u64) {
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let value: Value = serde_json::from_str(&line.unwrap()).unwrap();
        assert_eq!(value["state"], "sending", "{value:#}");
        if value["stored"].as_u64() >= Some(stored) {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Bytes of the only unfinished upload that were on their way at a kill, as the engine wrote it down: what had left, less what S3
/// had taken.
fn on_the_way(reelctl: &Reelctl) -> u64 {
    let db = rusqlite::Connection::open(reelctl.data.path().join("reeldesk.sqlite")).unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?));
    let query = "SELECT sent, (SELECT count(*) FROM parts WHERE upload = uploads.id) * part_size FROM uploads
                 WHERE checksum IS NULL";
    let (left, stored) = db.query_row(query, [], row).unwrap();
    left - stored
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_limit_little_is_on_its_way() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("master.mov");
    noise(&file, 45 * MIB).unwrap();
    let reelctl = reelctl_of_sandbox(&server.endpoint);
    let arguments = ["upload", file.to_str().unwrap(), "--to", &place("e.mov"), "--limit", "5M"];
    kill_at(reelctl.start(&arguments).unwrap(), PART);
    let lost = on_the_way(&reelctl);
    assert!(lost <= 2 * PART, "{lost}");
    let last = upload(&reelctl, &file, &place("e.mov"));
    assert!(last["bytesResent"].as_u64() <= Some(lost), "{last:#}");
}

/// A line is slow, not dead: what takes longer than any deadline for a request arrives, and nothing goes twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_however_slow() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let line =
        FaultyLine::before(
            &server.endpoint,
            |_, path, _| {
                if path.contains("slow") { Fault::Trickle(50_000) } else { Fault::None }
            },
        );
    let line = line.await.unwrap();
    let send = |name: &'static str, size: usize, limit: &'static [&'static str]| {
        let (file, endpoint) = (folder.path().join(name), line.endpoint.clone());
        tokio::task::spawn_blocking(move || {
            let bytes = noise(&file, size).unwrap();
            let to = place(name);
            let arguments = [&["upload", file.to_str().unwrap(), "--to", &to], limit].concat();
            let (well, lines) = reelctl_of_sandbox(&endpoint).run(&arguments).unwrap();
            let last = lines.last().unwrap().clone();
            assert!(well && last["bytesResent"] == 0, "{last:#}");
            (name, bytes)
        })
    };
    // Each takes longer than AWS may take for an answer: one request that is slow inside its body, and parts under a
    // bandwidth limit.
    let sent = [send("slow.mov", 4 * MIB, &[]), send("limited.mov", 9 * MIB, &["--limit", "100K"])];
    for sent in sent {
        let (name, bytes) = sent.await.unwrap();
        assert!(object(&server.client(), BUCKET, name).await == bytes, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_only_what_was_on_its_way_goes_again() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("master.mov");
    let bytes = noise(&file, 150 * MIB).unwrap();
    let reelctl = reelctl_of_sandbox(&server.endpoint);
    let arguments = ["upload", file.to_str().unwrap(), "--to", &place("c.mov"), "--limit", "40M"];
    let mut lost = 0;
    for kill in 1..=3 {
        kill_at(reelctl.start(&arguments).unwrap(), kill * 3 * PART);
        // What was lost before was sent again by now, or counts still.
        lost = lost.max(on_the_way(&reelctl));
    }
    let last = upload(&reelctl, &file, &place("c.mov"));
    let resent = last["bytesResent"].as_u64().unwrap();
    assert!(resent <= lost, "{resent} bytes were sent again after three kills, {lost} were on their way");
    assert!(object(&server.client(), BUCKET, "c.mov").await == bytes);
    assert_eq!(unfinished(&server.client()).await, 0);
    // Once more: it is there.
    let again = upload(&reelctl, &file, &place("c.mov"));
    assert_eq!(again["bytesSent"], last["bytesSent"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_and_comes_back() {
    let mut server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("master.mov");
    let bytes = noise(&file, 100 * MIB).unwrap();
    let reelctl = reelctl_of_sandbox(&server.endpoint);
    let arguments = ["upload", file.to_str().unwrap(), "--to", &place("d.mov"), "--limit", "40M"];
    let mut child = reelctl.start(&arguments).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(|line| {
        let value: Value = serde_json::from_str(&line.unwrap()).unwrap();
        value
    });
    lines.find(|line| line["stored"].as_u64() >= Some(PART)).unwrap();
    server.process.0.kill().unwrap();
    server.process.0.wait().unwrap();
    let waiting = lines.find(|line| line["state"] == "waiting").unwrap();
    assert!(waiting["message"].as_str().unwrap().contains("AWS did not answer"), "{waiting:#}");
    let (process, endpoint) = Server::run(&server.data);
    assert_eq!(endpoint, server.endpoint, "the sandbox keeps its port");
    server.process = process;
    let last = lines.last().unwrap();
    assert_eq!(last["state"], "uploaded", "{last:#}");
    assert!(child.wait().unwrap().success());
    assert!(object(&server.client(), BUCKET, "d.mov").await == bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_small_files_and_folders() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let season = folder.path().join("season");
    std::fs::create_dir_all(season.join("en")).unwrap();
    let mut files = Vec::new();
    for number in 0..60_usize {
        let name = if number % 2 == 0 { format!("{number:02}.jpg") } else { format!("en/{number:02} é.vtt") };
        let bytes = noise(&season.join(&name), number * 3000).unwrap();
        files.push((format!("kit/season/{name}"), bytes));
    }
    let reelctl = reelctl_of_sandbox(&server.endpoint);
    let (well, lines) = reelctl.run(&["upload", season.to_str().unwrap(), "--to", &place("kit")]).unwrap();
    assert!(well, "{:#?}", lines.last());
    assert_eq!(lines.iter().filter(|line| line["state"] == "uploaded").count(), 60);
    for (key, bytes) in &files {
        assert!(object(&server.client(), BUCKET, key).await == *bytes, "{key}");
    }
    let head = server.client().head_object().bucket(BUCKET).key("kit/season/en/01 é.vtt").send().await.unwrap();
    assert_eq!(head.content_type(), Some("text/vtt"));
}

/// Servers that are not ours, and that keep other promises.
#[tokio::test(flavor = "multi_thread")]
async fn against_ministack() {
    let ministack = Emulator::ministack().await.unwrap();
    let client = s3(&ministack.endpoint, "test", "test");
    client.create_bucket().bucket("kit").send().await.unwrap();
    // It knows no CRC64NVME in a header, and says so when it has read all: what was on its way at first goes again.
    small_and_killed(&reelctl(&ministack.endpoint, "test", "test"), &client, "kit", 4 * PART).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn against_garage() {
    let store = ObjectStore::start().unwrap();
    // Where it is installed: `cargo xtask torture uploads --garage` does that.
    if let ObjectStore::Garage(..) = store {
        small_and_killed(&store.reelctl(store.endpoint()), &store.client(), store.bucket(), 0).await;
    }
}

async fn small_and_killed(reelctl: &Reelctl, client: &Client, bucket: &str, refused: u64) {
    let folder = tempfile::tempdir().unwrap();
    let to = format!("s3://{bucket}/");
    for (name, size) in [("poster.jpg", 70_000), ("master.mov", 60 * MIB)] {
        let file = folder.path().join(name);
        let bytes = noise(&file, size).unwrap();
        let mut lost = 0;
        if size > MIB {
            let arguments = ["upload", file.to_str().unwrap(), "--to", &to, "--limit", "30M"];
            kill_at(reelctl.start(&arguments).unwrap(), PART);
            lost = on_the_way(reelctl);
        }
        let last = upload(reelctl, &file, &to);
        let allowed = lost + refused.min(size as u64);
        assert!(last["bytesResent"].as_u64().unwrap() <= allowed, "{lost} were on their way: {last:#}");
        assert!(object(client, bucket, name).await == bytes);
    }
}
