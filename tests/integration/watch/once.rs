//! Nothing twice: what was ingested is known by content and identity.

use std::fs::File;
use std::io::Write as _;

use super::scene::{Scene, clip, padded_clip};

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_takes_nothing_again() {
    let mut scene = Scene::new(&[]);
    scene.put("film.mp4", &clip(1));
    scene.hear("verified", "film.mp4");
    scene.kill();
    scene.put("while away.mp4", &clip(2));
    scene.start();
    scene.hear("verified", "while away.mp4");
    scene.sentinel();
    assert_eq!(scene.names().await, ["film.mp4", "while away.mp4"]);
    assert_eq!(scene.count("skipped"), 0, "nothing was looked at again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_is_the_same_file() {
    let mut scene = Scene::new(&[]);
    scene.put("film.mp4", &clip(1));
    scene.put("folder/inner.mp4", &clip(2));
    scene.hear("verified", "film.mp4");
    scene.hear("verified", "folder/inner.mp4");
    let to = |name: &str| scene.folder.join(name);
    std::fs::rename(to("film.mp4"), to("other name.mp4")).unwrap();
    std::fs::rename(to("folder"), to("renamed folder")).unwrap();
    scene.sentinel();
    // And while nobody looks.
    scene.kill();
    let to = |name: &str| scene.folder.join(name);
    std::fs::rename(to("other name.mp4"), to("third name.mov")).unwrap();
    scene.start();
    scene.sentinel();
    assert_eq!(scene.names().await, ["film.mp4", "inner.mp4"]);
    assert_eq!(scene.count("skipped"), 0, "it was known without being read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_the_same_content() {
    let scene = Scene::new(&[]);
    scene.put("film.mp4", &clip(1));
    scene.hear("verified", "film.mp4");
    scene.put("copies/film.mp4", &clip(1));
    scene.put("copies/another name.MOV", &clip(1));
    scene.hear("skipped", "copies/film.mp4");
    scene.hear("skipped", "copies/another name.MOV");
    std::fs::hard_link(scene.folder.join("film.mp4"), scene.folder.join("second name.mp4")).unwrap();
    scene.sentinel();
    assert_eq!(scene.names().await, ["film.mp4"]);
    assert_eq!(scene.count("skipped"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_again_with_the_same_content() {
    let scene = Scene::new(&[]);
    scene.put("film.mp4", &clip(1));
    scene.hear("verified", "film.mp4");
    // Another file of the same content takes its place, and then the same one with another time.
    scene.put(".film.mp4.new", &clip(1));
    std::fs::rename(scene.folder.join(".film.mp4.new"), scene.folder.join("film.mp4")).unwrap();
    scene.hear("skipped", "film.mp4");
    scene.put("film.mp4", &clip(1));
    scene.until("it is skipped twice", |said| said.iter().filter(|line| line["event"] == "skipped").count() == 2);
    scene.sentinel();
    assert_eq!(scene.names().await, ["film.mp4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_content_of_the_same_name_elsewhere_is_another_video() {
    let scene = Scene::new(&[]);
    for (folder, number) in [("monday", 1), ("tuesday", 2), ("wednesday", 3)] {
        scene.put(&format!("{folder}/C0001.MP4"), &clip(number));
        scene.hear("verified", &format!("{folder}/C0001.MP4"));
    }
    assert_eq!(scene.sent().await["C0001.MP4"].len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_is_offered() {
    let scene = Scene::new(&[]);
    scene.put("film.mp4", &clip(1));
    scene.hear("verified", "film.mp4");
    scene.put("film.mp4", &padded_clip(2, 10));
    let line = scene.hear("needs-you", "film.mp4");
    assert_eq!(line["error"]["code"], "duplicate");
    assert_eq!(scene.names().await, ["film.mp4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_is_sent_or_left_where_the_rule_says_so() {
    let sends = Scene::new(&["--changed", "send"]);
    let leaves = Scene::new(&["--changed", "leave"]);
    for scene in [&sends, &leaves] {
        scene.put("film.mp4", &clip(1));
        scene.hear("verified", "film.mp4");
        scene.put("film.mp4", &padded_clip(2, 10));
        scene.sentinel();
    }
    sends.until("both are sent", |said| {
        said.iter().filter(|line| line["event"] == "verified" && line["title"] == "film").count() == 2
    });
    assert_eq!(sends.sent().await["film.mp4"].len(), 2);
    assert_eq!(leaves.sent().await["film.mp4"], [clip(1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn replaced_while_it_is_sent() {
    let scene = Scene::new(&[]);
    // Slow enough to be replaced on the way.
    assert!(scene.reelctl(&["uploads", "limit", "4M"]).0);
    let (first, second) = (padded_clip(1, 30_000_000), padded_clip(2, 3_000_000));
    scene.put("film.mp4", &first);
    scene.until_disk("a part of it is stored", || {
        scene.reelctl(&["uploads", "list"]).1.iter().any(|journey| journey["stored"].as_u64() > Some(0))
    });
    scene.put(".new", &second);
    std::fs::rename(scene.folder.join(".new"), scene.folder.join("film.mp4")).unwrap();
    scene.hear("verified", "film.mp4");
    assert!(scene.reelctl(&["uploads", "limit", "none"]).0);
    let sent = &scene.sent().await["film.mp4"];
    assert!(sent == &[second] && !sent.contains(&first), "the one that is there now, once");
}

#[tokio::test(flavor = "multi_thread")]
async fn renamed_while_it_is_sent() {
    let scene = Scene::new(&[]);
    assert!(scene.reelctl(&["uploads", "limit", "4M"]).0);
    let film = padded_clip(1, 24_000_000);
    scene.put("film.mp4", &film);
    scene.hear("taken", "film.mp4");
    std::fs::rename(scene.folder.join("film.mp4"), scene.folder.join("renamed.mp4")).unwrap();
    scene.until("it is sent", |said| said.iter().any(|line| line["event"] == "verified"));
    assert!(scene.reelctl(&["uploads", "limit", "none"]).0);
    scene.sentinel();
    let sent = scene.sent().await;
    assert_eq!(sent.into_values().collect::<Vec<_>>(), [[film]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_film_under_the_name_of_one_that_was_taken_away() {
    let scene = Scene::new(&[]);
    scene.put("export.mp4", &clip(1));
    scene.hear("verified", "export.mp4");
    std::fs::remove_file(scene.folder.join("export.mp4")).unwrap();
    scene.sentinel();
    scene.put("export.mp4", &padded_clip(2, 5));
    scene.until("both are sent", |said| {
        said.iter().filter(|line| line["event"] == "verified" && line["title"] == "export").count() == 2
    });
    assert_eq!(scene.sent().await["export.mp4"].len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn appended_after_it_was_sent() {
    let scene = Scene::new(&["--changed", "send"]);
    let path = scene.put("film.mp4", &clip(1));
    scene.hear("verified", "film.mp4");
    let more = &padded_clip(2, 0)[clip(2).len() - 12..];
    File::options().append(true).open(&path).unwrap().write_all(more).unwrap();
    scene.until("both are sent", |said| {
        said.iter().filter(|line| line["event"] == "verified" && line["title"] == "film").count() == 2
    });
}
