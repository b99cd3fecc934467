//! What must not be taken is not taken, and what must not be deleted is not deleted: disks that are away, folders that cannot
//! be listed, subtitles that were never sent, an AWS that cannot be asked.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use reeldesk_core::ingest::Driving;
use reeldesk_core::watch::{Condition, WatchFolder};
use reeldesk_core::{Folders, Instance};
use reeldesk_sandbox::{SOURCE_BUCKET, TABLE};
use reeldesk_tests::{Fault, FaultyLine, KEYS, Server};
use serde_json::{Value, json};

use super::places::{Disk, as_somebody, by_somebody};
use super::scene::{Scene, clip};
use crate::ministack::dynamodb;

fn is_other_disk(line: &Value) -> bool {
    line["condition"]["error"]["code"] == "other-disk"
}

/// An archive on a disk that is mounted at the very folder's place: where the disk is away the folder is there, and empty.
fn archive(disk: &Disk) -> Scene {
    let scene = Scene::unwatched(disk.path());
    for number in 1..=3 {
        scene.put(&format!("series {number}/archive.mp4"), &clip(number));
    }
    scene.add(&scene.folder.clone(), &[]);
    scene
}

fn away(disk: &Disk, scene: &Scene) {
    assert!(disk.unmount());
    std::fs::create_dir_all(&scene.folder).unwrap();
}

fn back(disk: &Disk, scene: &Scene) {
    std::fs::remove_dir(&scene.folder).unwrap();
    assert!(disk.again("mount", &["-o", "loop", "FOLDER/image", "FOLDER/disk"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_mount_point_at_one_start_makes_nothing_new() {
    let Some(disk) = Disk::ext4() else { return };
    let mut scene = archive(&disk);
    scene.start();
    scene.sentinel();
    scene.kill();
    away(&disk, &scene);
    scene.start();
    scene.until("it says that another disk is there", |said| said.iter().any(is_other_disk));
    scene.kill();
    back(&disk, &scene);
    scene.start();
    scene.sentinel();
    assert_eq!(scene.names().await, [""; 0], "what was left out stays left out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_away_for_a_while_makes_nothing_new() {
    let Some(disk) = Disk::ext4() else { return };
    let mut scene = archive(&disk);
    scene.start();
    scene.sentinel();
    away(&disk, &scene);
    scene.until("it says that another disk is there", |said| said.iter().any(is_other_disk));
    back(&disk, &scene);
    scene.sentinel();
    assert_eq!(scene.names().await, [""; 0]);
    // A copy of the archive on a larger disk, with the times of its files: it is used when someone says so.
    let Some(larger) = Disk::ext4() else { return };
    let copied = Command::new("cp").arg("-a").arg(&scene.folder).arg(larger.path()).status().unwrap();
    assert!(copied.success() && disk.unmount());
    let image = larger.folder().join("image");
    assert!(larger.unmount());
    let there = Command::new("mount").args(["-o", "loop"]).arg(image).arg(disk.path()).status().unwrap();
    assert!(there.success());
    scene.until("it says so again", |said| said.iter().filter(|line| is_other_disk(line)).count() >= 2);
    let (well, lines) = scene.reelctl(&["watch", "accept", scene.folder.to_str().unwrap()]);
    assert!(well, "{lines:#?}");
    scene.sentinel();
    assert_eq!(scene.names().await, [""; 0], "the same files under other numbers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_listed_for_one_look_makes_nothing_new() {
    let own = tempfile::tempdir().unwrap();
    let mut scene = Scene::unwatched(own.path());
    if !as_somebody("true").status().is_ok_and(|status| status.success()) {
        println!("nobody else can be had here: passed by");
        return;
    }
    let mode = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let inner = scene.put("inner/archive.mp4", &clip(1)).parent().unwrap().to_owned();
    for path in [own.path(), &scene.folder, &inner] {
        mode(path, 0o777);
    }
    scene.add(&scene.folder.clone(), &[]);
    assert!(Command::new("chmod").args(["-R", "a+rwX"]).arg(scene.reelctl.data.path()).status().unwrap().success());
    scene = scene.started_by(Box::new(by_somebody));
    // Closed for the first look of a start, open for the next.
    mode(&inner, 0o000);
    scene.start();
    scene.sentinel();
    scene.kill();
    mode(&inner, 0o777);
    scene.start();
    scene.sentinel();
    assert_eq!(scene.names().await, [""; 0], "what was left out stays left out");
}

/// A film that is in the library already, dropped again with new subtitles: they go to its twin before anything is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn new_subtitles_of_a_copy_are_sent_before_they_are_deleted() {
    let scene = Scene::encoding(&["--afterwards", "delete"]);
    let film = scene.put("film.mp4", &clip(1));
    scene.hear("playable", "film.mp4");
    scene.until_disk("the film is deleted", || !film.exists());
    let words = scene.put("again/film.de.srt", b"1\n00:00:00,000 --> 00:00:01,000\nHallo\n");
    let copy = scene.put("again/film.mp4", &clip(1));
    scene.until_disk("the copy is deleted", || !copy.exists());
    assert!(!words.exists());
    let (_, videos) = scene.reelctl(&["videos", "list"]);
    assert_eq!(videos.len(), 1);
    let sent = videos[0]["sidecars"].as_array().unwrap();
    assert_eq!(sent.len(), 1, "{videos:#?}");
    let object = scene.object(sent[0].as_str().unwrap()).await;
    assert!(String::from_utf8(object).unwrap().contains("Hallo"));
    // Other words in their place are nobody's to replace: they stay, with the film, and it is told.
    let others = scene.put("third/film.de.srt", b"1\n00:00:00,000 --> 00:00:01,000\nServus\n");
    let third = scene.put("third/film.mp4", &clip(1));
    scene.hear("skipped", "third/film.mp4");
    scene.sentinel();
    assert!(others.exists() && third.exists(), "{:#?}", scene.said());
}

/// Subtitles that someone corrects while the film is encoded are not what was sent.
#[tokio::test(flavor = "multi_thread")]
async fn corrected_subtitles_stay() {
    let scene = Scene::encoding(&["--afterwards", "delete"]);
    let words = scene.put("film.srt", b"1\nwrods\n");
    let film = scene.put("film.mp4", &clip(1));
    scene.hear("verified", "film.mp4");
    std::fs::write(&words, b"1\nwords\n").unwrap();
    scene.until_disk("the film is deleted", || !film.exists());
    scene.sentinel();
    assert_eq!(std::fs::read_to_string(&words).unwrap(), "1\nwords\n");
}

/// A catalog that cannot be asked has not said that the video is there: nothing is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_deletes_nothing() {
    let (down, in_vain) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (is_down, asked_in_vain) = (down.clone(), in_vain.clone());
    let mut scene = Scene::encoding(&["--afterwards", "delete"]);
    scene.kill();
    // DynamoDB answers at the root; S3, which is up, at paths.
    let line = FaultyLine::before(scene.endpoint(), move |method, path, _| {
        let is_catalog = method == "POST" && path == "/";
        if !is_catalog || !is_down.load(Ordering::Relaxed) {
            return Fault::None;
        }
        asked_in_vain.fetch_add(1, Ordering::Relaxed);
        Fault::SlowDown
    });
    let line = line.await.unwrap();
    scene.reach_by(&line.endpoint);
    scene.start();
    let film = scene.put("film.mp4", &clip(1));
    scene.until_disk("the film is deleted", || !film.exists());
    down.store(true, Ordering::Relaxed);
    let copy = scene.put("copy.mp4", &clip(1));
    scene.hear("taken", "copy.mp4");
    // Far more often than the tries of one question: whoever gives up has done so.
    let before = in_vain.load(Ordering::Relaxed);
    scene.until_disk("the catalog is asked in vain", || {
        in_vain.load(Ordering::Relaxed) >= before + 20 || !copy.exists()
    });
    assert!(copy.exists(), "{:#?}", scene.said());
    down.store(false, Ordering::Relaxed);
    scene.until_disk("the copy is deleted", || !copy.exists());
}

/// Its video can be watched, and the proof that is asked for before the file is deleted does not come: it stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_does_not_come_deletes_nothing() {
    for (number, operation) in ["GetItem", "HeadObject"].into_iter().enumerate() {
        let mut scene = Scene::encoding_on(Server::with(&["--control"]), &["--afterwards", "delete"]);
        let folder = scene.folder.to_str().unwrap().to_owned();
        let name = format!("film {number}.mp4");
        let film = scene.put(&name, &clip(7_000 + u32::try_from(number).unwrap()));
        scene.hear("taken", &name);
        // Nobody looks at the folder while it becomes playable.
        assert!(scene.reelctl(&["watch", "pause", &folder]).0);
        scene.hear("playable", &name);
        scene.server.order(json!([{ "on": operation, "kind": "throttle" }])).await;
        assert!(scene.reelctl(&["watch", "resume", &folder]).0);
        let waits = scene.hear("waits", &name);
        assert!(waits["why"].as_str().unwrap().contains("tries again by itself"), "{operation}: {waits:#}");
        assert!(film.exists(), "{operation}");
        scene.server.order(json!([])).await;
        // Sooner than the next regular look.
        scene.kill();
        scene.start();
        scene.until_disk("the film is deleted", || !film.exists());
        scene.hear("deleted", &name);
    }
}

/// A rule is paused again and again while files are handed over: each is sent once, none is forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_is_changed_while_files_are_handed_over() {
    let scene = Scene::new(&["--settle", "1"]);
    for round in 0..6_u32 {
        for number in 0..20 {
            scene.put(&format!("{round}/{number}.mp4"), &clip(round * 100 + number));
        }
        tokio::time::sleep(Duration::from_millis(700 + 150 * u64::from(round))).await;
        for what in ["pause", "resume"] {
            let (well, lines) = scene.reelctl(&["watch", what, scene.folder.to_str().unwrap()]);
            assert!(well, "{lines:#?}");
            tokio::time::sleep(Duration::from_millis(600)).await;
        }
    }
    scene.until_sent(120).await;
    scene.sentinel();
    let sent = scene.sent().await;
    assert_eq!(sent.values().map(Vec::len).sum::<usize>(), 120, "each once");
    // What was handed over is followed: nothing waits for ever.
    let (_, listed) = scene.reelctl(&["watch", "list"]);
    assert!(!listed.is_empty());
}

/// A rule ends in the middle of a handover, whose transaction waits for another process: what was written is sent, and not
/// at the next start only.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_handed_over_while_its_rule_ends_is_sent() {
    let (data, films) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let session = reeldesk_shell::open(&Instance::on(&Folders::within(data.path())), "sandbox").await.unwrap();
    let driver = session.drive(Driving::Server).await.unwrap();
    let watch = driver.watch();
    watch.put(WatchFolder { settle_seconds: 1, ..WatchFolder::of("sandbox", films.path()) }).await.unwrap();
    let until = async |what: &str, is_so: &dyn Fn() -> bool| {
        let waits = async {
            while !is_so() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), waits).await.expect(what);
    };
    let is_watched = || watch.folders().first().is_some_and(|folder| folder.condition == Condition::Watching);
    until("the folder is watched", &is_watched).await;
    let other = rusqlite::Connection::open(data.path().join("reeldesk.sqlite")).unwrap();
    other.busy_timeout(Duration::from_secs(10)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::fs::write(films.path().join("film.mp4"), clip(1)).unwrap();
    // The first thing that is to be written now is the handover: who waits for the right to write keeps all others waiting.
    let asked = async {
        while tokio::time::timeout(Duration::from_secs(1), watch.rules().all()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asked).await.expect("the file is handed over");
    let committed = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        other.execute_batch("COMMIT").unwrap();
    };
    tokio::join!(watch.stop(), committed);
    let is_sent = || driver.ingest.list().first().is_some_and(|journey| journey.verified_at.is_some());
    until("the film is sent", &is_sent).await;
    driver.stop().await;
    session.close().await;
}

/// A share whose server hangs answers neither yes nor no: what lies elsewhere goes on, its own row says it, and the process
/// ends when it is asked to.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_hangs_holds_up_nothing_else() {
    let Some(disk) = Disk::fuse() else { return };
    let own = tempfile::tempdir().unwrap();
    std::fs::write(disk.path().join("hung.mp4"), clip(1)).unwrap();
    let film = own.path().join("film.mp4");
    std::fs::write(&film, clip(2)).unwrap();
    let signal = |name: &str| {
        let pattern = format!("bindfs.*{}", disk.path().display());
        assert!(Command::new("pkill").args([&format!("-{name}"), "-f", &pattern]).status().unwrap().success());
    };
    signal("STOP");
    let reelctl = reeldesk_tests::Reelctl::new().unwrap();
    let hung = disk.path().join("hung.mp4");
    let (well, lines) = reelctl.run(&["ingest", hung.to_str().unwrap(), film.to_str().unwrap()]).unwrap();
    let of = |name: &str| lines.iter().rfind(|line| line["path"].as_str().is_some_and(|path| path.ends_with(name)));
    let (sent, waits) = (of("film.mp4").unwrap(), of("hung.mp4").unwrap());
    // Before anything is asserted: a disk that hangs cannot be unmounted.
    signal("CONT");
    assert_eq!(sent["state"], "uploaded", "{lines:#?}");
    assert!(!well && waits["message"].as_str().unwrap().contains("does not answer"), "{waits:#}");
}

/// Its video could be watched, and since then its object is gone or is another one, or the catalog says otherwise: the file
/// may be the last copy, and stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_proof_against_it_deletes_nothing() {
    let mut scene = Scene::encoding_on(Server::with(&[]), &["--afterwards", "delete"]);
    scene.kill();
    let down = Arc::new(AtomicBool::new(false));
    let is_down = down.clone();
    let line = FaultyLine::before(scene.endpoint(), move |method, path, _| {
        let is_catalog = method == "POST" && path == "/";
        if is_catalog && is_down.load(Ordering::Relaxed) { Fault::SlowDown } else { Fault::None }
    });
    let line = line.await.unwrap();
    scene.reach_by(&line.endpoint);
    scene.start();
    // Without the catalog nothing becomes playable.
    down.store(true, Ordering::Relaxed);
    let folder = scene.folder.to_str().unwrap().to_owned();
    let films: Vec<_> = (0..3_u32).map(|n| (format!("film {n}.mp4"), clip(7_100 + n))).collect();
    let paths: Vec<_> = films.iter().map(|(name, bytes)| scene.put(name, bytes)).collect();
    films.iter().for_each(|(name, _)| drop(scene.hear("taken", name)));
    // Nobody looks at the folder while they become playable.
    assert!(scene.reelctl(&["watch", "pause", &folder]).0);
    down.store(false, Ordering::Relaxed);
    films.iter().for_each(|(name, _)| drop(scene.hear("playable", name)));
    let (_, videos) = scene.reelctl(&["videos", "list"]);
    let of = |n: usize, field: &str| {
        let title = films[n].0.trim_end_matches(".mp4");
        let video = videos.iter().find(|video| video["title"] == title).unwrap_or_else(|| panic!("{videos:#?}"));
        video[field].as_str().unwrap().to_owned()
    };
    let client = scene.server.client();
    client.delete_object().bucket(SOURCE_BUCKET).key(of(0, "srcVideo")).send().await.unwrap();
    let mut other = films[1].1.clone();
    *other.last_mut().unwrap() ^= 1;
    client.put_object().bucket(SOURCE_BUCKET).key(of(1, "srcVideo")).body(other.into()).send().await.unwrap();
    let catalog = dynamodb(scene.endpoint(), KEYS);
    let status = catalog.update_item().table_name(TABLE).key("guid", AttributeValue::S(of(2, "guid")));
    let status = status.update_expression("SET workflowStatus = :s");
    status.expression_attribute_values(":s", AttributeValue::S("Ingest".into())).send().await.unwrap();
    assert!(scene.reelctl(&["watch", "resume", &folder]).0);
    for (name, _) in &films {
        let waits = scene.hear("waits", name);
        assert!(waits["why"].as_str().unwrap().contains("stays where it is"), "{waits:#}");
    }
    assert!(paths.iter().all(|path| path.exists()), "{:#?}", scene.said());
}
