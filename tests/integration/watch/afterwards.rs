//! What becomes of a file once its video can be watched.

use super::scene::{Scene, clip};

#[tokio::test(flavor = "multi_thread")]
async fn moved_with_what_goes_with_it() {
    let scene = Scene::encoding(&["--afterwards", "move"]);
    scene.put("series/film.srt", b"1\n");
    scene.put("series/film.mp4", &clip(1));
    scene.hear("playable", "series/film.mp4");
    scene.put("series/copy.mp4", &clip(1));
    let gone = |name: &str| {
        let (from, to) = (scene.folder.join(name), scene.folder.join("done").join(name));
        scene.until_disk(&format!("{name} is moved"), || !from.exists() && to.exists());
    };
    gone("series/film.mp4");
    gone("series/film.srt");
    // The copy's content is there too.
    gone("series/copy.mp4");
    // Its place is free for another film.
    scene.put("series/film.mp4", &clip(2));
    scene.until("the second one is playable", |said| {
        said.iter().filter(|line| line["event"] == "playable" && line["title"] == "film").count() == 2
    });
    let second = scene.folder.join("done/series/film (2).mp4");
    scene.until_disk("it is moved beside the first", || second.exists());
    assert_eq!(std::fs::read(scene.folder.join("done/series/film.mp4")).unwrap(), clip(1));
    assert_eq!(std::fs::read(second).unwrap(), clip(2));
    let (_, videos) = scene.reelctl(&["videos", "list"]);
    assert_eq!(videos.len(), 2);
    assert!(videos.iter().any(|video| video["sidecars"].as_array().unwrap().len() == 1), "{videos:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_only_when_it_can_be_watched() {
    let scene = Scene::encoding(&["--afterwards", "delete", "--naming", "{series}/{title}"]);
    let film = scene.put("Dark Sea/film.mp4", &clip(1));
    let text = scene.put("Dark Sea/text.mp4", b"no film at all");
    scene.hear("verified", "Dark Sea/film.mp4");
    let line = scene.hear("playable", "Dark Sea/film.mp4");
    scene.until_disk("the film is deleted", || !film.exists());
    scene.hear("needs-you", "Dark Sea/text.mp4");
    assert!(text.exists());
    let (_, shown) = scene.reelctl(&["videos", "show", line["guid"].as_str().unwrap()]);
    assert_eq!(shown[0]["video"]["title"], "film");
    assert_eq!(shown[0]["video"]["details"]["tags"], serde_json::json!({ "series": "Dark Sea" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_it_could_be_moved() {
    let mut scene = Scene::encoding(&["--afterwards", "move"]);
    scene.put("film.mp4", &clip(1));
    scene.hear("verified", "film.mp4");
    scene.kill();
    scene.start();
    scene.hear("playable", "film.mp4");
    let moved = scene.folder.join("done/film.mp4");
    scene.until_disk("it is moved", || moved.exists());
    assert_eq!(scene.keys().await.len(), 1);
}
