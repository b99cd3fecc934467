//! The mirror of the catalog: all of the table is in it, what others change of it too, and a kill loses nothing. Against the
//! sandbox, and against an emulator that we did not write.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use reeldesk_tests::catalog::{item, item_in, rename, write};
use reeldesk_tests::{Emulator, Ended, Guard, Reelctl, Server};
use serde_json::Value;

use crate::ministack::{dynamodb, make_table};

type Attributes = HashMap<String, AttributeValue>;

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// An item of nothing but these attributes.
fn bare(attributes: &[(&str, &str)]) -> Attributes {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect()
}

/// The command line, in a workspace.
struct In<'a>(&'a Reelctl, &'a str);

impl In<'_> {
    fn run(&self, arguments: &[&str]) -> (bool, Vec<Value>) {
        self.0.run(&[&["--workspace", self.1], arguments].concat()).unwrap()
    }
}

fn read(reelctl: &In<'_>) -> u64 {
    let (done, lines) = reelctl.run(&["videos", "sync"]);
    assert!(done, "{lines:?}");
    lines[0]["videos"].as_u64().unwrap()
}

fn found(reelctl: &In<'_>, arguments: &[&str]) -> Vec<Value> {
    let (done, videos) = reelctl.run(&[&["videos", "search"], arguments].concat());
    assert!(done, "{videos:?}");
    videos
}

/// What all of it holds for, wherever the table is.
async fn follows(reelctl: &In<'_>, client: &Client, table: &str, bucket: &str) {
    write(client, table, (0..300).map(|number| item_in(bucket, number))).await;
    // A failure before the first step of the pipeline, and an item of another bucket.
    write(client, table, [bare(&[("guid", "stub-1"), ("workflowStatus", "Error")])].into_iter()).await;
    let elsewhere = [("guid", "elsewhere-1"), ("srcBucket", "archive"), ("srcVideo", "Nosferatu.mov")];
    write(client, table, [bare(&elsewhere)].into_iter()).await;
    assert_eq!(read(reelctl), 302);
    let nosferatu = found(reelctl, &["nosf"]);
    assert_eq!((nosferatu.len(), nosferatu[0]["srcBucket"].as_str()), (1, Some("archive")));
    assert_eq!(found(reelctl, &["stub"])[0]["status"]["kind"], "error");
    assert_eq!(found(reelctl, &["--status", "error"]).len(), 4, "three of the 300, and the stub");
    // What the window shows first is what the generator made last.
    let newest = found(reelctl, &["--limit", "1"]);
    assert_eq!(newest[0]["guid"].as_str(), item(299)["guid"].as_s().ok().map(String::as_str));
    // Far more than a page of them come while nobody looks: the next look finds them all, by the index.
    write(client, table, (300..650).map(|number| item_in(bucket, number))).await;
    assert_eq!(found(reelctl, &["--limit", "1000"]).len(), 652);
    // Others rename one and delete one.
    let renamed = item(7)["guid"].clone();
    rename(client, table, 7, "Zabriskie Point").await;
    let deleted = item(8)["guid"].clone();
    client.delete_item().table_name(table).key("guid", deleted.clone()).send().await.unwrap();
    assert_eq!(found(reelctl, &[deleted.as_s().unwrap()]).len(), 1, "nobody has told yet");
    assert_eq!(read(reelctl), 651);
    assert_eq!(found(reelctl, &[deleted.as_s().unwrap()]).len(), 0);
    let zabriskie = found(reelctl, &["point", "ZABR"]);
    assert_eq!(zabriskie[0]["guid"].as_str(), renamed.as_s().ok().map(String::as_str));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mirror_follows_the_table_of_the_sandbox() {
    let server = Server::start();
    follows(&In(&server.data, "sandbox"), &server.dynamodb(), reeldesk_sandbox::TABLE, reeldesk_sandbox::SOURCE_BUCKET)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mirror_follows_a_table_that_is_not_ours() {
    let ministack = Emulator::ministack().await.unwrap();
    let client = dynamodb(&ministack.endpoint, ("test", "test"));
    make_table(&client).await;
    let reelctl = ministack.workspace("mini").unwrap();
    let mini = In(&reelctl, "mini");
    follows(&mini, &client, "vod", "vod-source").await;
    // The table answers no more: what is known is shown, and said to be old.
    drop(ministack);
    assert_eq!(found(&mini, &["zabriskie"]).len(), 1);
}

/// Who may not read the table through still finds what the index has, and is told what is missing.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_to_scan_the_index_is_read() {
    let server = Server::start();
    let bucket = reeldesk_sandbox::SOURCE_BUCKET;
    let items = (0..250).map(|number| item_in(bucket, number));
    write(&server.dynamodb(), reeldesk_sandbox::TABLE, items.chain([bare(&[("guid", "stub-1")])])).await;
    let refuse = |asked: &str| (asked == "dynamodb:Scan").then_some("AccessDeniedException");
    let guard = Guard::before(&server.endpoint, refuse).await.unwrap();
    let reelctl = Server::connected(&guard.endpoint, "guarded");
    let guarded = In(&reelctl, "guarded");
    let (done, lines) = guarded.run(&["videos", "sync"]);
    assert!(!done && lines[0]["code"] == "access-denied", "{lines:?}");
    assert!(lines[0]["message"].as_str().unwrap().contains("dynamodb:Scan"), "{lines:?}");
    assert_eq!(found(&guarded, &["--limit", "1000"]).len(), 250, "all of the bucket, and no stub");
}

/// A reading that is killed goes on where it was: nothing is there twice, nothing is missing.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_reading_goes_on() {
    const ITEMS: u64 = 4_000;
    let server = Server::start();
    // Large ones, so that there are many pages.
    let padded = |number| {
        let mut item = item(number);
        item.insert("padding".to_owned(), text(&"x".repeat(20_000)));
        item
    };
    write(&server.dynamodb(), reeldesk_sandbox::TABLE, (0..ITEMS).map(padded)).await;
    let folder = server.data.data.path().join("catalogs");
    for segments in [2, 5, 8] {
        let mut reading = Ended(server.data.start(&["videos", "sync"]).unwrap());
        let end = Instant::now() + Duration::from_secs(60);
        while begun(&folder) < segments {
            assert!(Instant::now() < end, "{} segments", begun(&folder));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(reading.0.try_wait().unwrap().is_none(), "it is killed on its way");
        drop(reading);
    }
    assert!(begun(&folder) >= 8, "what was read is known");
    assert_eq!(read(&In(&server.data, "sandbox")), ITEMS);
    let (done, counted) = server.data.run(&["videos", "search", "--limit", "100000"]).unwrap();
    assert!(done);
    let guids: std::collections::BTreeSet<_> = counted.iter().map(|video| video["guid"].to_string()).collect();
    assert_eq!((counted.len() as u64, guids.len() as u64), (ITEMS, ITEMS));
}

/// How many segments were begun or read to their end, of the copy in this folder.
fn begun(folder: &std::path::Path) -> u64 {
    let Some(Ok(file)) = std::fs::read_dir(folder).ok().and_then(|files| {
        files
            .into_iter()
            .find(|file| file.as_ref().is_ok_and(|file| file.path().extension() == Some("sqlite".as_ref())))
    }) else {
        return 0;
    };
    let read_only = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let db = rusqlite::Connection::open_with_flags(file.path(), read_only);
    // It may be just being made.
    let count = "SELECT count(*) FROM state WHERE name LIKE 'segment %' AND value <> ''";
    db.and_then(|db| db.query_row(count, [], |row| row.get(0))).unwrap_or(0)
}

/// Answers a refusal for some of the requests of an action: those whose turn the pattern says.
fn refusing(
    action: &'static str,
    code: &'static str,
    is_refused: impl Fn(usize) -> bool + Send + Sync + 'static,
) -> impl Fn(&str) -> Option<&'static str> + Send + Sync + 'static {
    let asked = AtomicUsize::new(0);
    move |of: &str| {
        let turn = if of == action { asked.fetch_add(1, Ordering::SeqCst) } else { return None };
        is_refused(turn).then_some(code)
    }
}

/// A table that gives less than it is asked for is read at its own pace, and changed at its own pace; nothing is left out.
#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_table_is_read_and_changed_to_its_end() {
    let server = Server::start();
    let bucket = reeldesk_sandbox::SOURCE_BUCKET;
    write(&server.dynamodb(), reeldesk_sandbox::TABLE, (0..200).map(|number| item_in(bucket, number))).await;
    // More in a row than the SDK asks again by itself.
    let scans = refusing("dynamodb:Scan", "ProvisionedThroughputExceededException", |turn| turn % 12 < 9);
    let guard = Guard::before(&server.endpoint, scans).await.unwrap();
    let reelctl = Server::connected(&guard.endpoint, "guarded");
    assert_eq!(read(&In(&reelctl, "guarded")), 200);
    let writes = refusing("dynamodb:UpdateItem", "ThrottlingException", |turn| (20..36).contains(&turn));
    let guard = Guard::before(&server.endpoint, writes).await.unwrap();
    let reelctl = Server::connected(&guard.endpoint, "guarded");
    let guarded = In(&reelctl, "guarded");
    assert_eq!(read(&guarded), 200);
    let (done, lines) = guarded.run(&["videos", "publish", "--query", ""]);
    assert!(done && lines.last().unwrap()["done"] == 200, "{:?}", lines.last());
}

/// A sign-in that ends in the middle of a reading, or of a change, says so; signed in again, it goes on where it was.
#[tokio::test(flavor = "multi_thread")]
async fn an_expired_sign_in_loses_nothing() {
    let server = Server::start();
    let bucket = reeldesk_sandbox::SOURCE_BUCKET;
    write(&server.dynamodb(), reeldesk_sandbox::TABLE, (0..300).map(|number| item_in(bucket, number))).await;
    let (is_signed_in, ends_after) =
        (Arc::new(AtomicBool::new(false)), |turns: usize, is_signed_in: &Arc<AtomicBool>| {
            let is_signed_in = is_signed_in.clone();
            move |turn: usize| turn >= turns && !is_signed_in.load(Ordering::SeqCst)
        });
    let scans = refusing("dynamodb:Scan", "ExpiredTokenException", ends_after(5, &is_signed_in));
    let guard = Guard::before(&server.endpoint, scans).await.unwrap();
    let reelctl = Server::connected(&guard.endpoint, "guarded");
    let guarded = In(&reelctl, "guarded");
    let (done, lines) = guarded.run(&["videos", "sync"]);
    assert!(!done && lines[0]["code"] == "sign-in", "{lines:?}");
    let known = begun(&reelctl.data.path().join("catalogs"));
    assert!(known > 0 && known < 16, "some of it is read: {known}");
    is_signed_in.store(true, Ordering::SeqCst);
    assert_eq!(read(&guarded), 300);
    is_signed_in.store(false, Ordering::SeqCst);
    let writes = refusing("dynamodb:UpdateItem", "ExpiredTokenException", ends_after(100, &is_signed_in));
    let guard = Guard::before(&server.endpoint, writes).await.unwrap();
    let reelctl = Server::connected(&guard.endpoint, "guarded");
    let guarded = In(&reelctl, "guarded");
    assert_eq!(read(&guarded), 300);
    let (done, lines) = guarded.run(&["videos", "edit", "--query", "", "--tag", "seen=yes"]);
    let summary = lines.last().unwrap();
    assert!(!done && summary["error"]["code"] == "sign-in", "{summary}");
    let (changed, left) = (summary["done"].as_u64().unwrap(), summary["left"].as_u64().unwrap());
    assert!(changed >= 90 && changed + left == 300, "{summary}");
    is_signed_in.store(true, Ordering::SeqCst);
    let (done, lines) = guarded.run(&["videos", "resume", summary["run"].as_str().unwrap()]);
    assert!(done && lines.last().unwrap()["done"] == 300, "{:?}", lines.last());
    assert_eq!(found(&guarded, &["tag:seen=yes", "--limit", "1000"]).len(), 300);
}

/// A table that is deleted under the app is named, what is known stays to be seen; made anew, it is what counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_deleted_and_made_anew() {
    let ministack = Emulator::ministack().await.unwrap();
    let client = dynamodb(&ministack.endpoint, ("test", "test"));
    make_table(&client).await;
    let reelctl = ministack.workspace("mini").unwrap();
    let mini = In(&reelctl, "mini");
    write(&client, "vod", (0..60).map(item)).await;
    assert_eq!(read(&mini), 60);
    client.delete_table().table_name("vod").send().await.unwrap();
    let (done, lines) = mini.run(&["videos", "sync"]);
    assert!(!done && lines[0]["code"] == "not-found", "{lines:?}");
    let (done, lines) = mini.run(&["videos", "publish", "--query", ""]);
    assert!(!done, "{lines:?}");
    assert_eq!(found(&mini, &["--limit", "100"]).len(), 60, "what is known is shown");
    make_table(&client).await;
    write(&client, "vod", (50..70).map(item)).await;
    assert_eq!(read(&mini), 20);
}

/// What it costs, in calls: a search after the first reading asks for the newest, and a change reads and writes once.
#[tokio::test(flavor = "multi_thread")]
async fn what_it_costs_is_bounded() {
    let server = Server::start();
    let bucket = reeldesk_sandbox::SOURCE_BUCKET;
    write(&server.dynamodb(), reeldesk_sandbox::TABLE, (0..2_000).map(|number| item_in(bucket, number))).await;
    let calls: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let counted = calls.clone();
    let count = move |asked: &str| {
        *counted.lock().unwrap().entry(asked.to_owned()).or_default() += 1;
        None
    };
    let guard = Guard::before(&server.endpoint, count).await.unwrap();
    let reelctl = Server::connected(&guard.endpoint, "guarded");
    let guarded = In(&reelctl, "guarded");
    let took = |arguments: &[&str]| {
        calls.lock().unwrap().clear();
        let (done, lines) = guarded.run(arguments);
        assert!(done, "{lines:?}");
        let calls = calls.lock().unwrap();
        ["Scan", "Query", "BatchGetItem", "GetItem", "UpdateItem"]
            .map(|action| calls.get(&format!("dynamodb:{action}")).copied().unwrap_or(0))
    };
    let [scans, ..] = took(&["videos", "sync"]);
    // Pages of 1 MB, of items of about 1 KB, in 16 segments.
    assert!((16..=32).contains(&scans), "{scans}");
    assert_eq!(took(&["videos", "search", "night"]), [0, 1, 1, 0, 0]);
    let guid = item(7)["guid"].as_s().unwrap().clone();
    assert_eq!(took(&["videos", "edit", &guid, "--title", "Once"]), [0, 0, 1, 1, 1]);
    // Many are read and written once each, however many they are; the newest are looked at as far back as they were known.
    let [scans, queries, _, reads, writes] = took(&["videos", "publish", "--query", "tag:genre=Drama"]);
    assert!(reads > 20 && reads == writes && scans == 0 && queries <= 2, "{scans} {queries} {reads} {writes}");
}
