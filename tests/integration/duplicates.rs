//! A file that is in the library already is not sent twice, however it is called.

use std::collections::HashSet;

use reeldesk_sandbox::SOURCE_BUCKET;
use reeldesk_tests::{Reelctl, film, make};
use serde_json::Value;

use crate::server::Server;

/// The last lines of the files, by their names.
fn ended(lines: &[Value]) -> Vec<&Value> {
    lines.iter().filter(|line| line["hlsUrl"].is_string() || line["code"].is_string()).collect()
}

async fn sources(server: &Server) -> usize {
    let listed = server.client().list_objects_v2().bucket(SOURCE_BUCKET).send().await.unwrap();
    listed.contents().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_one_video() {
    let server = Server::start();
    let reelctl: &Reelctl = &server.data;
    let folder = tempfile::tempdir().unwrap();
    for name in ["one.mp4", "a copy.mp4", "another.MP4"] {
        std::fs::copy(film(), folder.path().join(name)).unwrap();
    }
    // All at once: one is sent, the others wait for what becomes of it.
    let (well, lines) = reelctl.run(&["ingest", folder.path().to_str().unwrap(), "--wait"]).unwrap();
    let all = ended(&lines);
    assert!(well && all.len() == 3 && all.iter().all(|line| line["state"] == "ready"), "{all:#?}");
    let guids: HashSet<_> = all.iter().map(|line| line["guid"].as_str().unwrap().to_owned()).collect();
    assert_eq!((guids.len(), sources(&server).await), (1, 1));
    assert_eq!(all.iter().filter(|line| line["skipped"] == true).count(), 2);

    // Later, under another name.
    let renamed = folder.path().join("renamed.mov");
    std::fs::copy(film(), &renamed).unwrap();
    let (well, lines) = reelctl.run(&["ingest", renamed.to_str().unwrap()]).unwrap();
    let last = lines.last().unwrap();
    assert!(well && last["state"] == "ready" && last["skipped"] == true, "{last:#}");
    assert_eq!((last["guid"].as_str(), sources(&server).await), (guids.iter().next().map(String::as_str), 1));
    // Unless someone wants it.
    let (well, lines) = reelctl.run(&["ingest", renamed.to_str().unwrap(), "--again"]).unwrap();
    assert!(well && lines.last().unwrap()["state"] == "uploaded", "{:#}", lines.last().unwrap());
    assert_eq!(sources(&server).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_content_of_the_same_name_or_size_is_a_video_of_its_own() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("episode.mp4");
    make(&file, &["-f", "lavfi", "-i", "testsrc2=s=320x180:d=1:r=25", "-c:v", "libx264", "-pix_fmt", "yuv420p"])
        .unwrap();
    let send = || server.data.run(&["ingest", file.to_str().unwrap(), "--wait"]).unwrap();
    assert_eq!(send().1.last().unwrap()["state"], "ready");
    // As long as it was, and one byte differs.
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let (_, lines) = send();
    assert!(lines.last().unwrap()["skipped"].is_null(), "{:#}", lines.last().unwrap());
    assert_eq!(sources(&server).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_from_the_catalog_may_come_again() {
    let server = Server::start();
    let send = || server.data.run(&["ingest", film().to_str().unwrap(), "--wait"]).unwrap().1;
    let first = send();
    let first = first.last().unwrap();
    server.delete_video(first["guid"].as_str().unwrap()).await;
    let again = send();
    let again = again.last().unwrap();
    assert!(again["state"] == "ready" && again["skipped"].is_null() && again["guid"] != first["guid"], "{again:#}");
}

/// What another computer sent is known by its content, where its video says it.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_computer_sent_is_not_sent_again() {
    let server = Server::start();
    let (well, lines) = server.data.run(&["ingest", film().to_str().unwrap(), "--wait"]).unwrap();
    assert!(well, "{lines:#?}");
    let guid = lines.last().unwrap()["guid"].clone();
    let elsewhere = server.elsewhere();
    let run = |arguments: &[&str]| elsewhere.run(&[&["--workspace", "elsewhere"], arguments].concat()).unwrap();
    assert!(run(&["videos", "sync"]).0);
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("renamed.mov");
    std::fs::copy(film(), &copy).unwrap();
    let (well, lines) = run(&["ingest", copy.to_str().unwrap()]);
    let last = lines.last().unwrap();
    assert!(well && last["skipped"] == true && last["guid"] == guid && last["hlsUrl"].is_string(), "{last:#}");
    assert_eq!(sources(&server).await, 1);
    // Its video is in the trash: it is sent.
    assert!(run(&["videos", "trash", guid.as_str().unwrap()]).0);
    let (well, lines) = run(&["ingest", copy.to_str().unwrap()]);
    assert!(well && lines.last().unwrap()["state"] == "uploaded", "{:#}", lines.last().unwrap());
    assert_eq!(sources(&server).await, 2);
}
