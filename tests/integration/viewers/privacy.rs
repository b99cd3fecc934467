//! What this computer keeps of viewers, and that it goes.

use reeldesk_sandbox::USER_POOL;
use reeldesk_tests::KEYS;

use super::scene::{ask, has, workspace};
use crate::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_is_searched_and_wiped() {
    let server = Server::start();
    let reelctl = workspace(&server.endpoint, USER_POOL, KEYS);
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.csv");
    std::fs::write(&list, "name,email\nAda Lovelace,ada@example.com\nBob,bob@example.com\n").unwrap();
    assert!(ask(&reelctl, &["invite", "--csv", list.to_str().unwrap()]).0);
    assert!(ask(&reelctl, &["disable", "bob@example.com"]).0);
    let emails = |arguments: &[&str]| {
        let lines = ask(&reelctl, &[&["list"], arguments].concat()).1;
        lines.iter().map(|one| one["email"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(emails(&["--search", "LOVE"]), ["ada@example.com"]);
    assert_eq!(emails(&["--state", "disabled"]), ["bob@example.com"]);
    assert_eq!(emails(&["--offline"]), ["ada@example.com", "bob@example.com"]);
    let kept = reelctl.data.path();
    assert!(has(kept, "ada@example.com") && has(kept, "Lovelace"));
    // A failure names people too.
    assert!(!ask(&reelctl, &["reset", "ada@example.com"]).0);

    // A window that is open keeps the file's write-ahead log alive.
    let window = rusqlite::Connection::open(kept.join("viewers.sqlite")).unwrap();
    let people: i64 = window.query_row("SELECT count(*) FROM viewers", [], |row| row.get(0)).unwrap();
    assert_eq!(people, 2);
    assert!(ask(&reelctl, &["forget"]).0);
    for text in ["ada@example.com", "bob@example.com", "Lovelace"] {
        assert!(!has(kept, text), "{text} is still on the disk");
    }
    assert!(emails(&["--offline"]).is_empty());
    let (_, log) = ask(&reelctl, &["log"]);
    assert!(log.len() == 4 && log.iter().all(|line| line["whom"].is_null() && line["who"].is_string()), "{log:#?}");
    // In the pool nothing has changed.
    assert_eq!(emails(&[]).len(), 2);
}

/// With a workspace goes what was kept of its viewers.
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_takes_it_along() {
    let server = Server::start();
    let reelctl = workspace(&server.endpoint, USER_POOL, KEYS);
    assert!(ask(&reelctl, &["invite", "ada@example.com"]).0 && has(reelctl.data.path(), "ada@example.com"));
    assert!(reelctl.run(&["workspace", "remove", "quiet"]).unwrap().0);
    assert!(!has(reelctl.data.path(), "ada@example.com"));
}
