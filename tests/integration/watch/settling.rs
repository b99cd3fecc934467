//! Settled means settled: what is still being written is not taken, however it is written.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::scene::{Scene, clip, padded_clip};

/// A writer's pause between two bursts; shorter than a file settles for.
const BURST: Duration = Duration::from_millis(60);

fn taken(scene: &Scene, name: &str) -> usize {
    let path = scene.folder.join(name);
    let path = path.to_str().unwrap();
    scene.said().iter().filter(|line| line["event"] == "taken" && line["path"] == path).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_copy_in_fifty_bursts() {
    let scene = Scene::new(&[]);
    let film = padded_clip(1, 500_000);
    let path = scene.folder.join("slow.mp4");
    for burst in film.chunks(film.len().div_ceil(50)) {
        // Opened and closed each time: nobody holds it in between.
        File::options().create(true).append(true).open(&path).unwrap().write_all(burst).unwrap();
        std::thread::sleep(BURST);
    }
    scene.hear("verified", "slow.mp4");
    assert_eq!(scene.sent().await["slow.mp4"], [film]);
    assert_eq!(taken(&scene, "slow.mp4"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_rests_and_keeps_the_file_open() {
    let scene = Scene::new(&[]);
    let film = clip(1);
    let (first, second) = film.split_at(film.len() - 20);
    let mut file = File::create(scene.folder.join("held.mp4")).unwrap();
    file.write_all(first).unwrap();
    scene.sentinel();
    scene.sentinel();
    assert_eq!(taken(&scene, "held.mp4"), 0);
    assert_eq!(scene.hear("waits", "held.mp4")["why"], "a program holds it open for writing");
    file.write_all(second).unwrap();
    drop(file);
    scene.hear("verified", "held.mp4");
    assert_eq!(scene.sent().await["held.mp4"], [film]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_and_a_rename() {
    let scene = Scene::new(&[]);
    let path = scene.put(".film.mp4.Xy12ab", &clip(1));
    scene.put("browser.mp4.crdownload", &clip(2));
    scene.put("winscp.mp4.filepart", &clip(3));
    scene.put("encoder.tmp.mp4", &clip(4));
    scene.put("~$office.mp4", &clip(5));
    scene.sentinel();
    assert_eq!(scene.count("taken"), 1, "the sentinel alone");
    std::fs::rename(path, scene.folder.join("film.mp4")).unwrap();
    std::fs::rename(scene.folder.join("browser.mp4.crdownload"), scene.folder.join("browser.mp4")).unwrap();
    std::fs::rename(scene.folder.join("winscp.mp4.filepart"), scene.folder.join("winscp.mp4")).unwrap();
    std::fs::rename(scene.folder.join("encoder.tmp.mp4"), scene.folder.join("encoder.mp4")).unwrap();
    for name in ["film.mp4", "browser.mp4", "winscp.mp4", "encoder.mp4"] {
        scene.hear("verified", name);
    }
    scene.sentinel();
    assert_eq!(scene.names().await, ["browser.mp4", "encoder.mp4", "film.mp4", "winscp.mp4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_keeps_a_file_beside_it() {
    let scene = Scene::new(&[]);
    let beside = scene.put("film.mp4.aria2", b"x");
    scene.put("film.mp4", &clip(1));
    scene.sentinel();
    assert_eq!(taken(&scene, "film.mp4"), 0);
    std::fs::remove_file(beside).unwrap();
    scene.hear("verified", "film.mp4");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editor_that_writes_twice() {
    let scene = Scene::new(&["--settle", "4"]);
    scene.put("twice.mp4", &clip(1));
    std::thread::sleep(Duration::from_millis(900));
    scene.put("twice.mp4", &clip(2));
    scene.hear("verified", "twice.mp4");
    scene.sentinel();
    assert_eq!(scene.sent().await["twice.mp4"], [clip(2)]);
    assert_eq!(taken(&scene, "twice.mp4"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_its_full_size_that_is_filled_in_place() {
    let scene = Scene::new(&[]);
    let film = padded_clip(1, 400_000);
    let path = scene.folder.join("allocated.mp4");
    let mut file = File::create(&path).unwrap();
    file.set_len(film.len() as u64).unwrap();
    for (number, part) in film.chunks(20_000).enumerate().collect::<Vec<_>>().into_iter().rev() {
        file.seek(SeekFrom::Start(number as u64 * 20_000)).unwrap();
        file.write_all(part).unwrap();
        std::thread::sleep(BURST);
    }
    drop(file);
    scene.hear("verified", "allocated.mp4");
    assert_eq!(scene.sent().await["allocated.mp4"], [film]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ffmpeg_writes_slowly() {
    let scene = Scene::new(&[]);
    let path = scene.folder.join("render.mp4");
    // As slow as it plays, and its index comes last.
    let mut ffmpeg = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "testsrc2=s=320x180:d=4:r=25"])
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"])
        .arg(&path)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    scene.sentinel();
    assert!(ffmpeg.try_wait().unwrap().is_none(), "it still writes");
    assert_eq!(taken(&scene, "render.mp4"), 0);
    assert!(ffmpeg.wait().unwrap().success());
    scene.hear("verified", "render.mp4");
    scene.sentinel();
    assert_eq!(scene.sent().await["render.mp4"], [std::fs::read(path).unwrap()]);
    assert_eq!(taken(&scene, "render.mp4"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_mp4_without_its_index_waits_for_it() {
    let scene = Scene::new(&[]);
    let film = clip(1);
    // The index of this film is behind its media.
    let moov = film.windows(4).position(|at| at == b"moov").unwrap() - 4;
    scene.put("late.mp4", &film[..moov]);
    scene.put("empty.mp4", b"");
    scene.put("cut.mp4", &film[..film.len() - 3]);
    scene.sentinel();
    assert_eq!(scene.count("taken"), 1, "the sentinel alone");
    assert_eq!(scene.hear("waits", "late.mp4")["why"], "it has no moov yet");
    assert_eq!(scene.hear("waits", "empty.mp4")["why"], "it is empty");
    assert!(scene.hear("waits", "cut.mp4")["why"].as_str().unwrap().starts_with("it is cut off: "));
    File::options().append(true).open(scene.folder.join("late.mp4")).unwrap().write_all(&film[moov..]).unwrap();
    scene.hear("verified", "late.mp4");
    scene.put("cut.mp4", &clip(2));
    scene.hear("verified", "cut.mp4");
    scene.put("empty.mp4", &clip(3));
    scene.hear("verified", "empty.mp4");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_with_the_name_of_a_film_needs_someone_until_it_is_one() {
    let scene = Scene::new(&[]);
    scene.put("text.mp4", "This is no film. ".repeat(100).as_bytes());
    let line = scene.hear("needs-you", "text.mp4");
    assert_eq!(line["error"]["code"], "not-a-video");
    scene.put("text.mp4", &clip(1));
    scene.hear("verified", "text.mp4");
    assert_eq!(scene.sent().await["text.mp4"], [clip(1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_with_a_video() {
    let scene = Scene::new(&[]);
    scene.put("a/film.srt", b"1\n00:00:00,000 --> 00:00:01,000\nHello\n");
    scene.put("a/film.pt-BR.vtt", b"WEBVTT\n");
    scene.put("a/film 2.srt", b"not its own");
    scene.put("a/order 7.json", br#"{ "srcVideo": "film.mp4", "archiveSource": "GLACIER" }"#);
    scene.put("a/film.mp4", &clip(1));
    let line = scene.hear("verified", "a/film.mp4");
    let key = line["key"].as_str().unwrap();
    let beside = |ending: &str| key.replace(".mp4", ending);
    assert_eq!(scene.object(&beside(".pt-br.vtt")).await, b"WEBVTT\n");
    assert!(scene.object(&beside(".srt")).await.ends_with(b"Hello\n"));
    let order: Value = serde_json::from_slice(&scene.object(&beside(".json")).await).unwrap();
    assert_eq!(order["archiveSource"], "GLACIER");
    assert_eq!(scene.keys().await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn subtitles_that_are_still_written_hold_the_film_back() {
    let scene = Scene::new(&["--settle", "2"]);
    scene.put("film.mp4", &clip(1));
    let mut subtitles = Vec::new();
    for number in 0..30 {
        subtitles.extend(format!("{number}\n").into_bytes());
        scene.put("film.srt", &subtitles);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(taken(&scene, "film.mp4"), 0);
    let line = scene.hear("verified", "film.mp4");
    let key = line["key"].as_str().unwrap().replace(".mp4", ".srt");
    assert_eq!(scene.object(&key).await, subtitles);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disk_is_full_in_mid_copy() {
    let Some(disk) = super::places::Disk::tmpfs("size=1m") else { return };
    let scene = Scene::at(disk.path(), &[]);
    let film = padded_clip(1, 3_000_000);
    let path = scene.folder.join("large.mp4");
    let full = File::create(&path).unwrap().write_all(&film).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    let cut = std::fs::metadata(&path).unwrap().len();
    assert!(cut > 0 && cut < film.len() as u64);
    // Somewhere else, as this disk is full.
    let other = tempfile::tempdir().unwrap();
    scene.add(other.path(), &["--existing", "take"]);
    std::fs::write(other.path().join("small.mp4"), clip(2)).unwrap();
    let small = other.path().canonicalize().unwrap().join("small.mp4");
    scene.until("the small one is sent", |said| {
        said.iter().any(|line| line["event"] == "verified" && line["path"] == small.to_str().unwrap())
    });
    assert_eq!(taken(&scene, "large.mp4"), 0);
    std::fs::remove_file(&path).unwrap();
    scene.put("fits.mp4", &clip(3));
    scene.hear("verified", "fits.mp4");
}
