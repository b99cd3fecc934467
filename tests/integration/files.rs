//! Files that are no films, and names that are hard: a sentence or a stream, and nothing left behind.

use reeldesk_sandbox::Sandbox;
use reeldesk_tests::{Reelctl, film, s3};

#[tokio::test]
async fn what_is_no_video_gets_a_sentence_before_a_byte_is_sent() {
    let reelctl = Reelctl::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("text.mp4"), "This is a text, many times over. ".repeat(500)).unwrap();
    std::fs::write(path("zero.mp4"), "").unwrap();
    std::fs::create_dir_all(path("empty folder/inner")).unwrap();
    std::fs::write(path("empty folder/notes.txt"), "x").unwrap();
    let cut = std::fs::read(film()).unwrap();
    std::fs::write(path("cut\noff.mp4"), &cut[..40_000]).unwrap();
    reeldesk_tests::make(&path("sound.mp4"), &["-f", "lavfi", "-i", "sine=d=1"]).unwrap();
    reeldesk_tests::make(&path("picture.jpg"), &["-f", "lavfi", "-i", "testsrc=d=1", "-frames:v", "1"]).unwrap();
    for (name, code) in [
        ("text.mp4", "not-a-video"),
        ("zero.mp4", "not-a-video"),
        ("empty folder", "no-videos"),
        ("missing.mp4", "file-missing"),
        ("cut\noff.mp4", "not-a-video"),
        ("sound.mp4", "not-a-video"),
        ("picture.jpg", "not-a-video"),
    ] {
        let (well, lines) = reelctl.run(&["ingest", path(name).to_str().unwrap(), "--wait"]).unwrap();
        let last = lines.last().unwrap();
        assert!(!well, "{name}");
        assert_eq!((&last["state"], &last["code"]), (&"failed".into(), &code.into()), "{name}: {last:#}");
        let shown = name.replace('\n', "\u{FFFD}");
        assert!(last["message"].as_str().unwrap().contains(&shown), "the sentence names the file: {last:#}");
        assert!(!last["remedy"].as_str().unwrap().is_empty());
    }
    let sandbox = Sandbox::start(&reelctl.data.path().join("sandbox")).await.unwrap();
    let endpoints = sandbox.endpoints();
    let client = s3(&endpoints.api, &endpoints.credentials.access_key_id, &endpoints.credentials.secret_access_key);
    let objects = client.list_objects_v2().bucket(&endpoints.source_bucket).send().await.unwrap();
    let uploads = client.list_multipart_uploads().bucket(&endpoints.source_bucket).send().await.unwrap();
    assert_eq!((objects.contents().len(), uploads.uploads().len()), (0, 0));
    sandbox.stop().await;
}

#[test]
fn hard_names_work_and_become_safe_keys() {
    let reelctl = Reelctl::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let long = format!("{}.mp4", "n".repeat(251));
    let names = [
        "with spaces.MP4",
        "emoji 🎬 épisode.Mp4",
        "quote \"and' more.mp4",
        "new\nline.mp4",
        "-dash.mp4",
        "concat:a.mp4",
        &long,
    ];
    for name in names {
        let file = folder.path().join(name);
        std::fs::copy(film(), &file).unwrap();
    }
    // One folder, all of them at once.
    let (well, lines) = reelctl.run(&["ingest", "--again", folder.path().to_str().unwrap()]).unwrap();
    assert!(well, "{lines:#?}");
    let ended: Vec<_> = lines.iter().filter(|line| line["state"] == "uploaded").collect();
    assert_eq!(ended.len(), names.len());
    for line in ended {
        let key = line["key"].as_str().unwrap();
        assert!(key.starts_with("video/") && key.ends_with(".mp4"), "{key}");
        assert!(key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "/.-".contains(c)), "{key}");
    }
}
