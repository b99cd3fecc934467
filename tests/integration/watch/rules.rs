//! What a rule says is what happens.

use std::path::Path;

use super::scene::{Scene, clip};

#[tokio::test(flavor = "multi_thread")]
async fn titles_and_tags_come_from_the_path() {
    let scene = Scene::new(&["--naming", "{series}/S{season}/{title}.mp4"]);
    scene.put("Dark Sea/S02/The Storm.mp4", &clip(1));
    scene.put("loose.mp4", &clip(2));
    let line = scene.hear("verified", "Dark Sea/S02/The Storm.mp4");
    assert_eq!(line["title"], "The Storm");
    assert_eq!(line["tags"], serde_json::json!({ "season": "02", "series": "Dark Sea" }));
    let line = scene.hear("verified", "loose.mp4");
    assert_eq!((&line["title"], &line["tags"]), (&"loose".into(), &serde_json::json!({})));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_chosen_by_patterns() {
    let scene =
        Scene::new(&["--include", "*.mov", "--include", "/final/", "--exclude", "*_proxy.*", "--exclude", "trash/"]);
    for (number, name) in
        ["a.mov", "a.mp4", "final/b.mp4", "final/b_proxy.mp4", "trash/c.mov", "deep/er/d.MOV", "notes.txt"]
            .iter()
            .enumerate()
    {
        scene.put(name, &clip(number as u32));
    }
    for name in ["a.mov", "final/b.mp4", "deep/er/d.MOV"] {
        scene.hear("verified", name);
    }
    scene.put("last.mov", &clip(99));
    scene.hear("verified", "last.mov");
    assert_eq!(scene.names().await, ["a.mov", "b.mp4", "d.MOV", "last.mov"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flat_folder_and_what_was_there_before() {
    let own = tempfile::tempdir().unwrap();
    let mut scene = Scene::unwatched(own.path());
    scene.put("before.mp4", &clip(1));
    scene.add(&scene.folder.clone(), &["--flat"]);
    scene.start();
    scene.until("it works", |said| said.iter().any(|line| line["condition"]["kind"] == "watching"));
    scene.put("inner/deep.mp4", &clip(2));
    scene.put("after.mp4", &clip(3));
    scene.hear("verified", "after.mp4");
    scene.sentinel();
    assert_eq!(scene.names().await, ["after.mp4"]);
    // It was left out, until it changes.
    scene.put("before.mp4", &clip(4));
    scene.hear("verified", "before.mp4");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_before_is_taken_where_the_rule_says_so() {
    let own = tempfile::tempdir().unwrap();
    let mut scene = Scene::unwatched(own.path());
    scene.put("before.mp4", &clip(1));
    scene.put("deep/before.mp4", &clip(2));
    scene.add(&scene.folder.clone(), &["--existing", "take"]);
    scene.start();
    scene.hear("verified", "before.mp4");
    scene.hear("verified", "deep/before.mp4");
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_resumed_and_removed_from_another_process() {
    let scene = Scene::new(&[]);
    let folder = scene.folder.to_str().unwrap();
    assert!(scene.reelctl(&["watch", "pause", folder]).0);
    scene.until("it is paused", |said| said.iter().any(|line| line["condition"]["kind"] == "paused"));
    scene.put("film.mp4", &clip(1));
    let other = tempfile::tempdir().unwrap();
    scene.add(other.path(), &["--existing", "take"]);
    std::fs::write(other.path().join("other.mp4"), clip(2)).unwrap();
    scene.until("the other one goes on", |said| said.iter().any(|line| line["event"] == "verified"));
    assert_eq!(scene.count("taken"), 1);
    assert!(scene.reelctl(&["watch", "resume", folder]).0);
    scene.hear("verified", "film.mp4");
    assert!(scene.reelctl(&["watch", "remove", folder]).0);
    let (_, left) = scene.reelctl(&["watch", "list"]);
    assert_eq!(left.len(), 1);
    let (well, lines) = scene.reelctl(&["watch", "pause", folder]);
    assert!(!well && lines[0]["code"] == "not-found", "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_moved_in() {
    let scene = Scene::new(&[]);
    let beside = scene.folder.with_file_name("prepared");
    for (number, name) in ["a.mp4", "b/c.mp4", "b/d/e.mp4"].iter().enumerate() {
        let path = beside.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, clip(number as u32)).unwrap();
    }
    std::fs::rename(&beside, scene.folder.join("moved")).unwrap();
    for name in ["moved/a.mp4", "moved/b/c.mp4", "moved/b/d/e.mp4"] {
        scene.hear("verified", name);
    }
    // And out again: nothing is there to take.
    std::fs::rename(scene.folder.join("moved"), Path::new(&beside)).unwrap();
    scene.put("moved/b/new.mp4", &clip(50));
    scene.hear("verified", "moved/b/new.mp4");
    assert_eq!(scene.names().await.len(), 4);
}

/// A pipeline that starts on metadata: its file names the rule's template and has what the admin's own one says.
#[tokio::test(flavor = "multi_thread")]
async fn a_template_for_a_pipeline_that_starts_on_metadata() {
    let own = tempfile::tempdir().unwrap();
    let mut scene = Scene::unwatched(own.path());
    let settings = scene.reelctl.data.path().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("trigger = \"videoFile\"", "trigger = \"metadataFile\"")).unwrap();
    scene.add(&scene.folder.clone(), &["--template", "house-style"]);
    scene.start();
    scene.put("film.json", br#"{ "srcVideo": "film.mp4", "archiveSource": "GLACIER" }"#);
    scene.put("film.mp4", &clip(1));
    let line = scene.hear("verified", "film.mp4");
    let key = line["key"].as_str().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&scene.object(&key.replace(".mp4", ".json")).await).unwrap();
    let expected = serde_json::json!({ "archiveSource": "GLACIER", "jobTemplate": "house-style", "srcVideo": key });
    assert_eq!(told, expected);
    assert_eq!(scene.keys().await.len(), 2);
}
