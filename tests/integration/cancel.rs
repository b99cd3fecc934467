//! Canceling, pausing and retrying at the worst moments: what the row says is what AWS has.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::ChecksumAlgorithm;
use reeldesk_sandbox::{DESTINATION_BUCKET, SOURCE_BUCKET, TABLE};
use reeldesk_tests::{Fault, FaultyLine, KEYS, Reelctl, film, long_film, make};
use serde_json::{Value, json};

use crate::ministack::dynamodb;
use crate::server::Server;
use crate::steering::Sender;
use crate::workspaces::connected;

const WORKSPACE: [&str; 2] = ["--workspace", "production"];

/// A sandbox behind a line, and a command line that reaches it as an account.
struct Behind {
    server: Server,
    line: FaultyLine,
    reelctl: Reelctl,
    folder: tempfile::TempDir,
}

impl Behind {
    async fn line(fate: impl Fn(&str, &str) -> Fault + Send + Sync + 'static) -> Self {
        let server = Server::start();
        let line = FaultyLine::before(&server.endpoint, move |method, path, _| fate(method.as_str(), path));
        let line = line.await.unwrap();
        let reelctl = connected(&line.endpoint, |text| text);
        Self { server, line, reelctl, folder: tempfile::tempdir().unwrap() }
    }

    fn run(&self, arguments: &[&str]) -> Vec<Value> {
        let (well, lines) = self.reelctl.run(&[&WORKSPACE, arguments].concat()).unwrap();
        assert!(well, "{arguments:?}: {lines:#?}");
        lines
    }

    fn ingest(&self, more: &[&str]) -> Sender {
        let file = long_film(self.folder.path()).unwrap();
        Sender::start(&self.reelctl, &[&WORKSPACE, &["ingest", file.to_str().unwrap()], more].concat())
    }

    /// Waits until S3 has put an object together.
    async fn object_is_there(&self) {
        while objects(&self.server.client()).await == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn objects(client: &Client) -> usize {
    client.list_objects_v2().bucket(SOURCE_BUCKET).send().await.unwrap().contents().len()
}

async fn unfinished(client: &Client) -> usize {
    client.list_multipart_uploads().bucket(SOURCE_BUCKET).send().await.unwrap().uploads().len()
}

fn completes(method: &str, path: &str) -> bool {
    method == "POST" && path.contains("uploadId=")
}

/// S3 cannot be told: the row says so, across a kill, and S3 is told when it answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_while_s3_is_down() {
    for is_killed in [false, true] {
        let down = Arc::new(AtomicBool::new(false));
        let is_down = down.clone();
        let behind = Behind::line(move |_, _| if is_down.load(Ordering::Relaxed) { Fault::Reset } else { Fault::None });
        let behind = behind.await;
        let mut sender = behind.ingest(&["--limit", "12M"]);
        sender.until(|line| line["sent"].as_u64() > Some(4_000_000));
        let client = behind.server.client();
        assert_eq!(unfinished(&client).await, 1);
        down.store(true, Ordering::Relaxed);
        behind.run(&["uploads", "cancel", "--all"]);
        let told = sender.until(|line| line["state"] == "canceling" && line["notice"].is_string());
        assert!(told["notice"].as_str().unwrap().contains("when AWS answers"), "{told:#}");
        if is_killed {
            sender.child.kill().unwrap();
            sender.child.wait().unwrap();
            assert_eq!(behind.run(&["uploads", "list"])[0]["stage"], "canceling");
            down.store(false, Ordering::Relaxed);
            behind.run(&["ingest", film().to_str().unwrap(), "--wait"]);
        } else {
            down.store(false, Ordering::Relaxed);
            let last = sender.until(|line| line["state"] == "failed");
            assert_eq!(last["code"], "canceled");
            sender.child.wait().unwrap();
        }
        assert_eq!(unfinished(&client).await, 0, "nothing is left behind");
    }
}

/// A wish of the window, which alone cancels so that it can be undone.
fn cancel_with_undo(reelctl: &Reelctl, id: &str) {
    let store = rusqlite::Connection::open(reelctl.data.path().join("reeldesk.sqlite")).unwrap();
    store.busy_timeout(Duration::from_secs(10)).unwrap();
    store.execute("INSERT INTO wishes (journey, wish) VALUES (?1, 'cancel-with-undo')", [id]).unwrap();
}

/// AWS never heard of what waits for its turn: it is canceled after the seconds of its undo, and can be added again.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_of_what_waits_and_adding_it_again() {
    let behind = Behind::line(|_, _| Fault::None).await;
    let copies = behind.folder.path().join("copies");
    std::fs::create_dir(&copies).unwrap();
    for number in 0..60_u32 {
        let mut copy = std::fs::read(film()).unwrap();
        copy.extend([0, 0, 0, 12]);
        copy.extend(b"free");
        copy.extend(number.to_be_bytes());
        std::fs::write(copies.join(format!("{number}.mp4")), copy).unwrap();
    }
    let mut sender = behind.ingest(&[copies.to_str().unwrap(), "--limit", "50K"]);
    let row = loop {
        let listed = behind.run(&["uploads", "list"]);
        if let Some(row) = listed.into_iter().find(|row| row["stage"] == "waiting") {
            break row;
        }
        sender.until(|line| line["state"] != "checking");
    };
    let (id, path) = (row["id"].as_str().unwrap(), row["path"].as_str().unwrap());
    cancel_with_undo(&behind.reelctl, id);
    let last = sender.until(|line| line["path"] == path && line["code"].is_string());
    assert_eq!(last["code"], "canceled", "{last:#}");
    sender.child.kill().unwrap();
    sender.child.wait().unwrap();
    behind.run(&["uploads", "limit", "none"]);
    let lines = behind.run(&["ingest", path]);
    assert!(lines.iter().any(|line| line["state"] == "uploaded"), "{lines:#?}");
}

/// The object is there and its encode has begun, and nobody here knows it yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_between_the_completion_and_its_answer() {
    let behind =
        Behind::line(
            |method, path| {
                if completes(method, path) { Fault::LateAnswer(Duration::from_secs(20)) } else { Fault::None }
            },
        );
    let behind = behind.await;
    let mut sender = behind.ingest(&["--wait"]);
    behind.object_is_there().await;
    behind.run(&["uploads", "cancel", "--all"]);
    let last = sender.until(|line| line["state"] == "failed" || line["state"] == "ready");
    assert_eq!(last["code"], "canceled", "{last:#}");
    // What was canceled is canceled: no job works on, and no stream comes of it.
    let jobs = behind.run(&["jobs", "list"]);
    assert!(jobs.iter().all(|job| job["state"] == "canceled"), "{jobs:#?}");
    let videos = behind.run(&["videos", "list"]);
    assert!(videos.iter().all(|video| video["hlsUrl"].is_null()), "{videos:#?}");
    assert!(!jobs.is_empty() || objects(&behind.server.client()).await == 0);
}

/// S3 goes on with a completion whose client went away: what comes of it is taken back too.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_while_s3_puts_it_together() {
    let server = Server::with(&["--control"]);
    let slow = json!([{ "on": "CompleteMultipartUpload", "times": 1, "kind": "blanks", "milliseconds": 2000 }]);
    server.order(slow).await;
    let folder = tempfile::tempdir().unwrap();
    let file = long_film(folder.path()).unwrap();
    // The workspace of the sandbox waits for seconds where an account's waits for minutes.
    let reelctl = Reelctl::at(server.data.data.path());
    let mut sender = Sender::start(&reelctl, &["ingest", file.to_str().unwrap(), "--wait"]);
    while server.ordered().await != json!([]) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(reelctl.run(&["uploads", "cancel", "--all"]).unwrap().0);
    let last = sender.until(|line| line["state"] == "failed" || line["state"] == "ready");
    assert_eq!(last["code"], "canceled", "{last:#}");
    let (_, jobs) = reelctl.run(&["jobs", "list"]).unwrap();
    assert!(jobs.iter().all(|job| job["state"] == "canceled"), "{jobs:#?}");
    // It did arrive: it is gone again, or its job was canceled.
    assert!(!jobs.is_empty() || objects(&server.client()).await == 0);
    assert_eq!(unfinished(&server.client()).await, 0);
}

/// The object is there, and nothing has started on it: it would be encoded by whoever looks at the bucket next.
#[tokio::test(flavor = "multi_thread")]
async fn what_arrived_without_a_video_is_deleted() {
    let late = |method: &str, path: &str| {
        if completes(method, path) { Fault::LateAnswer(Duration::from_secs(20)) } else { Fault::None }
    };
    let mut behind = Behind::line(late).await;
    // No pipeline starts on what is put into this bucket.
    behind.reelctl = connected(&behind.line.endpoint, |text| text.replace(SOURCE_BUCKET, DESTINATION_BUCKET));
    let mut sender = behind.ingest(&["--wait"]);
    let client = behind.server.client();
    let there = async || {
        let listed = client.list_objects_v2().bucket(DESTINATION_BUCKET).prefix("video/").send().await;
        listed.unwrap().contents().len()
    };
    while there().await == 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    behind.run(&["uploads", "cancel", "--all"]);
    let last = sender.until(|line| line["state"] == "failed" || line["state"] == "ready");
    assert_eq!(last["code"], "canceled", "{last:#}");
    assert_eq!(there().await, 0);
}

/// Canceled when its video is complete already, and nobody here knows it yet: it is too late, and the row says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_after_its_video_is_complete() {
    let down = Arc::new(AtomicBool::new(false));
    let is_down = down.clone();
    // DynamoDB answers at the root.
    let behind = Behind::line(move |method, path| {
        if method == "POST" && path == "/" && is_down.load(Ordering::Relaxed) { Fault::SlowDown } else { Fault::None }
    });
    let behind = behind.await;
    let mut sender = behind.ingest(&["--wait"]);
    sender.until(|line| line["state"] == "verified");
    down.store(true, Ordering::Relaxed);
    let catalog = dynamodb(&behind.server.endpoint, KEYS);
    let is_complete = async || {
        let items = catalog.scan().table_name(TABLE).send().await.unwrap().items.unwrap_or_default();
        items.iter().any(|item| item.get("workflowStatus").is_some_and(|is| is.as_s().is_ok_and(|is| is == "Complete")))
    };
    let completes = async {
        while !is_complete().await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), completes).await.expect("the pipeline comes to its end");
    let listed = behind.run(&["uploads", "list"]);
    behind.run(&["uploads", "cancel", listed[0]["id"].as_str().unwrap()]);
    sender.until(|line| line["state"] == "canceling");
    down.store(false, Ordering::Relaxed);
    let last = sender.until(|line| line["state"] == "ready" || line["state"] == "failed");
    assert_eq!(last["state"], "ready", "{last:#}");
    assert_eq!(last["notice"], "It was too late to cancel it.");
    assert_eq!(objects(&behind.server.client()).await, 1, "its source is there");
}

/// Paused at the moment of its completion it is not sent a second time, nor encoded twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_pause_between_the_completion_and_its_answer() {
    let behind =
        Behind::line(
            |method, path| {
                if completes(method, path) { Fault::LateAnswer(Duration::from_secs(3)) } else { Fault::None }
            },
        );
    let behind = behind.await;
    let mut sender = behind.ingest(&[]);
    behind.object_is_there().await;
    let listed = behind.run(&["uploads", "list"]);
    let id = listed[0]["id"].as_str().unwrap();
    behind.run(&["uploads", "pause", id]);
    behind.run(&["uploads", "resume", id]);
    let last = sender.until(|line| line["state"] == "uploaded" || line["state"] == "failed");
    assert_eq!(last["state"], "uploaded", "{last:#}");
    assert!(sender.child.wait().unwrap().success());
    assert_eq!(objects(&behind.server.client()).await, 1);
    assert_eq!(behind.run(&["videos", "list"]).len(), 1, "one completion, one video");
}

/// A retry while S3 is still being told of the cancel.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_and_a_retry_at_once() {
    let behind = Behind::line(|method, path| {
        if method == "DELETE" && path.contains("uploadId=") { Fault::Slow(Duration::from_secs(4)) } else { Fault::None }
    });
    let behind = behind.await;
    // Another one keeps the process going when the first is canceled.
    let other = behind.folder.path().join("other.mp4");
    std::fs::copy(film(), &other).unwrap();
    let mut sender = behind.ingest(&[other.to_str().unwrap(), "--limit", "12M", "--wait"]);
    let first = sender.until(|line| line["sent"].as_u64() > Some(4_000_000));
    let listed = behind.run(&["uploads", "list"]);
    let id = listed.iter().find(|one| one["path"] == first["path"]).unwrap()["id"].as_str().unwrap();
    behind.run(&["uploads", "cancel", id]);
    behind.run(&["uploads", "retry", id]);
    sender.child.wait().unwrap();
    behind.run(&["uploads", "retry", id]);
    behind.run(&["ingest", behind.folder.path().join("long.mp4").to_str().unwrap()]);
    let client = behind.server.client();
    assert_eq!(unfinished(&client).await, 0, "no upload that no journal knows");
    let listed = behind.run(&["uploads", "list"]);
    assert!(listed.iter().all(|one| one["error"].is_null()), "{listed:#?}");
}

/// Another connection holds the store for longer than SQLite's usual patience.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_busy_stops_no_upload() {
    let behind = Behind::line(|_, _| Fault::None).await;
    let mut sender = behind.ingest(&["--limit", "12M"]);
    sender.until(|line| line["sent"].as_u64() > Some(2_000_000));
    let store = rusqlite::Connection::open(behind.reelctl.data.path().join("reeldesk.sqlite")).unwrap();
    store.busy_timeout(Duration::from_secs(5)).unwrap();
    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    tokio::time::sleep(Duration::from_secs(8)).await;
    store.execute_batch("COMMIT").unwrap();
    let last = sender.until(|line| line["state"] == "uploaded" || line["state"] == "failed");
    assert_eq!(last["state"], "uploaded", "{last:#}");
}

/// The lid was closed in the moment of the completion, and is opened in the morning: the pipeline began in the night. Old
/// pipelines write their times in another way.
#[tokio::test(flavor = "multi_thread")]
async fn a_completion_that_is_known_hours_later() {
    for format in ["+%Y-%m-%dT%H:%M:%S.123Z", "+%Y-%m-%d %H:%M.7"] {
        let behind = Behind::line(|method, path| {
            if completes(method, path) { Fault::LateAnswer(Duration::from_secs(60)) } else { Fault::None }
        });
        let behind = behind.await;
        let mut sender = behind.ingest(&[]);
        behind.object_is_there().await;
        sender.child.kill().unwrap();
        sender.child.wait().unwrap();
        // Eight hours pass.
        let date = std::process::Command::new("date").args(["-u", "-d", "-8 hours", format]).output().unwrap();
        behind.server.set_start_time(String::from_utf8(date.stdout).unwrap().trim()).await;
        let store = rusqlite::Connection::open(behind.reelctl.data.path().join("reeldesk.sqlite")).unwrap();
        let eight_hours = "UPDATE uploads SET completing_at = completing_at - 8 * 3600 * 1000";
        assert_eq!(store.execute(eight_hours, []).unwrap(), 1);
        let file = behind.folder.path().join("long.mp4");
        let ready = behind.run(&["ingest", file.to_str().unwrap(), "--wait"]);
        assert_eq!(ready.last().unwrap()["state"], "ready", "{format}");
        assert_eq!(behind.run(&["videos", "list"]).len(), 1);
    }
}

/// A job that someone cancels in MediaConvert: one truth on every screen, though the pipeline writes none.
#[tokio::test(flavor = "multi_thread")]
async fn an_encode_that_is_canceled_elsewhere() {
    let behind = Behind::line(|_, _| Fault::None).await;
    let mut sender = behind.ingest(&["--wait"]);
    let job = sender.until(|line| line["state"] == "encoding" && line["jobId"].is_string());
    let config = aws_sdk_mediaconvert::Config::builder()
        .behavior_version(aws_sdk_mediaconvert::config::BehaviorVersion::latest())
        .region(aws_sdk_mediaconvert::config::Region::new("us-east-1"))
        .endpoint_url(&behind.server.endpoint)
        .credentials_provider(aws_credential_types::Credentials::from_keys(KEYS.0, KEYS.1, None))
        .build();
    let console = aws_sdk_mediaconvert::Client::from_conf(config);
    console.cancel_job().id(job["jobId"].as_str().unwrap()).send().await.unwrap();
    let last = sender.until(|line| line["state"] == "failed");
    assert_eq!(last["code"], "canceled", "{last:#}");
    assert_eq!(behind.run(&["jobs", "list"])[0]["state"], "canceled");
    assert_eq!(behind.run(&["videos", "list"])[0]["status"]["kind"], "canceled");
    let guid = last["guid"].as_str().unwrap();
    assert_eq!(behind.run(&["videos", "show", guid])[0]["video"]["status"]["kind"], "canceled");
}

/// A film that is shorter than it says becomes a video, and never just *Playable*.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_is_shorter_than_its_source() {
    let behind = Behind::line(|_, _| Fault::None).await;
    let file = behind.folder.path().join("longer.mkv");
    make(&file, &["-i", film().to_str().unwrap(), "-c", "copy"]).unwrap();
    // The length of the whole (RFC 9559, 5.1.2.10), and those of its tracks, say twice of what is there.
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes.windows(3).position(|id| id == [0x44, 0x89, 0x88]).unwrap() + 3;
    let length = f64::from_be_bytes(bytes[at..at + 8].try_into().unwrap());
    bytes[at..at + 8].copy_from_slice(&(length * 2.0).to_be_bytes());
    std::fs::write(&file, bytes).unwrap();
    let ready = behind.run(&["ingest", file.to_str().unwrap(), "--wait"]);
    let last = ready.last().unwrap();
    assert!(
        last["notice"].as_str().is_some_and(|notice| notice.contains("Shorter than its source: 5 s of 11 s")),
        "{last:#}"
    );
    let videos = behind.run(&["videos", "list"]);
    assert_eq!(videos[0]["isShorter"], true, "{videos:#?}");
    // A whole one is not.
    let ready = behind.run(&["ingest", film().to_str().unwrap(), "--wait"]);
    assert!(ready.last().unwrap()["notice"].is_null(), "{ready:#?}");
    assert_eq!(behind.run(&["videos", "list"])[0]["isShorter"], false);
}

/// What another workspace of this computer sends, or another computer that is at it just now, is nobody's orphan.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_its_way_is_no_orphan() {
    let behind = Behind::line(|_, _| Fault::None).await;
    let mut sender = behind.ingest(&["--limit", "12M"]);
    sender.until(|line| line["sent"].as_u64() > Some(4_000_000));
    sender.child.kill().unwrap();
    sender.child.wait().unwrap();
    let settings = behind.reelctl.data.path().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let second = text.split("[[workspace]]").nth(1).unwrap().replace("\"production\"", "\"staging\"");
    std::fs::write(&settings, format!("{text}\n[[workspace]]{second}")).unwrap();
    let (well, found) = behind.reelctl.run(&["--workspace", "staging", "uploads", "orphans"]).unwrap();
    assert!(well && found.is_empty(), "{found:#?}");

    // Another computer's, which sends a part between the look and the removal.
    let client = behind.server.client();
    let key = "video/theirs/a.mp4";
    let begun = client.create_multipart_upload().bucket(SOURCE_BUCKET).key(key).send().await.unwrap();
    let folders = reeldesk_core::Folders::within(behind.server.data.data.path());
    let session = reeldesk_shell::open(&reeldesk_core::Instance::on(&folders), "sandbox").await.unwrap();
    let found = session.orphans().await.unwrap();
    let theirs = found.iter().find(|orphan| orphan.key == key).unwrap();
    let part = client.upload_part().bucket(SOURCE_BUCKET).key(key).upload_id(begun.upload_id().unwrap());
    let part = part.part_number(1).checksum_algorithm(ChecksumAlgorithm::Crc64Nvme);
    part.body(vec![1; 5000].into()).send().await.unwrap();
    assert_eq!(session.remove_orphan(theirs).await.unwrap_err().code, reeldesk_core::Code::InUse);
    assert_eq!(unfinished(&client).await, 2);
}
