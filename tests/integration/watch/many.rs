//! Many files: a first look at all of them, and what it costs to know them.

use super::scene::{Scene, clip};

/// A folder that is full when it is first watched: nothing of it is taken, and what comes next is.
#[tokio::test(flavor = "multi_thread")]
async fn thousands_that_were_there_before() {
    let own = tempfile::tempdir().unwrap();
    let mut scene = Scene::unwatched(own.path());
    for folder in 0..50 {
        let folder = scene.folder.join(format!("{folder}"));
        std::fs::create_dir(&folder).unwrap();
        for number in 0..100 {
            std::fs::write(folder.join(format!("{number}.mp4")), b"x").unwrap();
        }
    }
    scene.add(&scene.folder.clone(), &[]);
    scene.start();
    scene.until("it works", |said| said.iter().any(|line| line["condition"]["kind"] == "watching"));
    scene.put("new.mp4", &clip(1));
    scene.hear("verified", "new.mp4");
    assert_eq!(scene.count("taken"), 1);
    scene.kill();
    scene.start();
    scene.sentinel();
    assert_eq!(scene.names().await, ["new.mp4"]);
}

/// Five hundred at once are all on their way at once, and the others wait for them in the folder.
#[tokio::test(flavor = "multi_thread")]
async fn hundreds_at_once() {
    let scene = Scene::new(&[]);
    for number in 0..600 {
        scene.put(&format!("{}/{number}.mp4", number % 10), &clip(number));
    }
    scene.until("all are sent", |said| said.iter().filter(|line| line["event"] == "verified").count() == 600);
    assert_eq!(scene.keys().await.len(), 600);
}
