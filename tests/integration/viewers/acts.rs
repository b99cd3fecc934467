//! What is done with viewers: with many at once, and back again, with a line of the log for each.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reeldesk_sandbox::USER_POOL;
use reeldesk_tests::{Guard, KEYS, Reelctl};
use serde_json::{Value, json};

use super::scene::{ask, come, mails, run, state, workspace};
use crate::server::Server;

fn states(lines: &[Value]) -> Vec<&str> {
    lines.iter().filter_map(|line| line["state"].as_str()).collect()
}

fn run_of(lines: &[Value]) -> &str {
    lines.iter().find(|line| line["state"] == "can-be-undone").unwrap()["run"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_and_undone() {
    let server = Server::start();
    let all = ["ada@example.com", "bob@example.com", "carol@example.com"];
    assert!(run(&server, &[&["invite"][..], &all].concat()).0);
    assert!(run(&server, &["disable", "bob@example.com"]).0);
    let (well, lines) = run(&server, &[&["disable"][..], &all].concat());
    assert!(well && states(&lines).iter().filter(|state| **state == "unchanged").count() == 1, "{lines:#?}");
    assert_eq!(run(&server, &["list", "--state", "disabled"]).1.len(), 3);
    // Bob was disabled before: undoing the second run leaves him so.
    let undo = run_of(&lines).to_owned();
    assert!(run(&server, &["undo", &undo]).0);
    let disabled = run(&server, &["list", "--state", "disabled"]).1;
    assert_eq!(disabled.iter().map(|one| one["email"].as_str()).collect::<Vec<_>>(), [Some("bob@example.com")]);
    // What was undone once is done.
    assert_eq!(run(&server, &["undo", &undo]).1[0]["code"], "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_and_attributes_are_undone() {
    let server = Server::start();
    assert!(run(&server, &["groups", "create", "viewers"]).0);
    assert!(run(&server, &["invite", "ada@example.com", "bob@example.com", "--group", "viewers"]).0);
    let (well, lines) = run(&server, &["groups", "take", "viewers", "ada@example.com"]);
    assert!(well && run(&server, &["list", "--group", "viewers"]).1.len() == 1);
    assert!(run(&server, &["undo", run_of(&lines)]).0);
    assert_eq!(run(&server, &["list", "--group", "viewers"]).1.len(), 2);
    assert_eq!(states(&run(&server, &["groups", "add", "viewers", "ada@example.com"]).1), ["unchanged"]);

    let edit = ["edit", "ada@example.com", "name=Ada Lovelace", "given_name=Ada"];
    let (well, lines) = run(&server, &edit);
    assert!(well, "{lines:#?}");
    let attributes = || run(&server, &["show", "ada@example.com"]).1[0]["attributes"].clone();
    let of = |name: &str| attributes().as_array().unwrap().iter().find(|one| one["name"] == name).cloned();
    assert_eq!(of("name").unwrap()["value"], "Ada Lovelace");
    assert_eq!(states(&run(&server, &edit).1), ["unchanged"]);
    assert!(run(&server, &["undo", run_of(&lines)]).0);
    assert!(of("name").is_none() && of("given_name").is_none(), "{:#}", attributes());

    // A new address counts as verified: it is the admin who says so.
    assert!(run(&server, &["edit", "ada@example.com", "email=lovelace@example.com"]).0);
    let shown = run(&server, &["show", "lovelace@example.com"]).1[0].clone();
    let verified = shown["attributes"].as_array().unwrap().iter().find(|one| one["name"] == "email_verified").unwrap();
    assert_eq!(verified["value"], "true");
    assert_eq!(shown["viewer"]["groups"], json!(["viewers"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn reset_and_signed_out() {
    let server = Server::start();
    assert!(run(&server, &["invite", "ada@example.com"]).0);
    come(&server, "ada@example.com").await;
    assert_eq!(state(&server, "ada@example.com"), "active");
    assert!(run(&server, &["sign-out", "ada@example.com"]).0);
    assert!(run(&server, &["reset", "ada@example.com"]).0);
    assert_eq!(state(&server, "ada@example.com"), "mustReset");
    assert!(mails(&server).await[0]["body"].as_str().unwrap().contains("reset code"));
}

/// A stale account is made anew with its name and groups; one that is used is not.
#[tokio::test(flavor = "multi_thread")]
async fn invited_anew() {
    let server = Server::start();
    assert!(run(&server, &["groups", "create", "viewers"]).0);
    assert!(run(&server, &["invite", "ada@example.com", "bob@example.com", "--group", "viewers"]).0);
    assert!(run(&server, &["edit", "ada@example.com", "name=Ada"]).0);
    let before = run(&server, &["show", "ada@example.com"]).1[0]["viewer"]["username"].clone();
    assert!(run(&server, &["invite-anew", "ada@example.com"]).0);
    let after = run(&server, &["show", "ada@example.com"]).1[0]["viewer"].clone();
    assert_ne!(after["username"], before);
    assert_eq!((&after["name"], &after["groups"]), (&"Ada".into(), &json!(["viewers"])));
    assert_eq!(mails(&server).await.iter().filter(|mail| mail["to"] == "ada@example.com").count(), 2);
    come(&server, "bob@example.com").await;
    let (well, lines) = run(&server, &["invite-anew", "bob@example.com"]);
    assert!(!well && lines[0]["message"].as_str().unwrap().contains("has been used"), "{lines:#?}");
    assert_eq!(state(&server, "bob@example.com"), "active");
}

/// Broken off between the deletion and the new account, it is ended by the next reading of the pool.
#[tokio::test(flavor = "multi_thread")]
async fn invited_anew_survives_a_break() {
    let server = Server::start();
    assert!(run(&server, &["invite", "ada@example.com"]).0);
    let refuse = |asked: &str| (asked == "cognito-idp:AdminCreateUser").then_some("AccessDenied");
    let guard = Guard::before(&server.endpoint, refuse).await.unwrap();
    let reelctl = workspace(&guard.endpoint, USER_POOL, KEYS);
    let (well, lines) = ask(&reelctl, &["invite-anew", "ada@example.com"]);
    assert!(!well && lines[0]["code"] == "access-denied", "{lines:#?}");
    assert!(run(&server, &["list"]).1.is_empty(), "she is nowhere now");
    drop(guard);
    let settings = reelctl.data.path().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let dead = text.lines().find_map(|line| line.strip_prefix("endpoint = ")).unwrap().to_owned();
    std::fs::write(&settings, text.replace(&dead, &format!("\"{}\"", server.endpoint))).unwrap();
    let (well, lines) = ask(&reelctl, &["list"]);
    assert!(well && lines.len() == 1 && lines[0]["email"] == "ada@example.com", "{lines:#?}");
    let log = ask(&reelctl, &["log"]).1;
    assert_eq!(log.last().unwrap()["outcome"]["kind"], "done");
}

/// Cognito asks to slow down: it is waited for, and nothing is done twice.
#[tokio::test(flavor = "multi_thread")]
async fn asked_to_slow_down() {
    let server = Server::start();
    // More than the tries of the SDK itself, which are four for each of them.
    static LEFT: AtomicUsize = AtomicUsize::new(10);
    let refuse = |asked: &str| {
        let is_refused = asked == "cognito-idp:AdminCreateUser"
            && LEFT.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        is_refused.then_some("TooManyRequestsException")
    };
    let guard = Guard::before(&server.endpoint, refuse).await.unwrap();
    let reelctl = workspace(&guard.endpoint, USER_POOL, KEYS);
    let (well, lines) = ask(&reelctl, &["invite", "ada@example.com", "bob@example.com"]);
    assert!(well && states(&lines) == ["invited", "invited"], "{lines:#?}");
    assert_eq!(LEFT.load(Ordering::SeqCst), 0);
    assert_eq!(mails(&server).await.len(), 2);
}

/// Who, what, when: of every act, in order, also of those that failed; and as CSV.
#[tokio::test(flavor = "multi_thread")]
async fn the_log() {
    let server = Server::start();
    assert!(run(&server, &["invite", "ada@example.com"]).0);
    assert!(run(&server, &["groups", "create", "=cmd()"]).0);
    assert!(run(&server, &["groups", "add", "=cmd()", "ada@example.com"]).0);
    assert!(!run(&server, &["reset", "ada@example.com"]).0);
    assert!(run(&server, &["remove", "ada@example.com", "--yes"]).0);
    let (_, lines) = run(&server, &["log"]);
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            (line["what"].as_str().unwrap(), line["whom"].as_str().unwrap(), line["outcome"]["kind"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("invite", "ada@example.com", "done"),
            ("create-group", "=cmd()", "done"),
            ("add-to-group", "ada@example.com", "done"),
            ("reset", "ada@example.com", "failed"),
            ("remove", "ada@example.com", "done"),
        ]
    );
    assert!(lines.iter().all(|line| line["who"] == "arn:aws:iam::000000000000:user/sandbox"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.csv");
    assert!(run(&server, &["log", "--csv", file.to_str().unwrap()]).0);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().count(), 6);
    assert!(text.contains(",'=cmd(),") && !text.contains(",=cmd()"), "{text}");
}

/// A kill in the middle of an act leaves its line, which says that its end is not known.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_leaves_no_act_without_a_line() {
    let server = Server::start();
    let addresses: Vec<String> = (0..40).map(|number| format!("viewer{number}@example.com")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    assert!(run(&server, &[&["invite"][..], &addresses].concat()).0);
    let arguments = [&["viewers", "disable"][..], &addresses].concat();
    for _ in 0..3 {
        let mut child = Reelctl::at(server.data.data.path()).start(&arguments).unwrap();
        // The moment is the test: any one is as good as another.
        tokio::time::sleep(Duration::from_millis(fastrand::u64(200..2000))).await;
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let disabled: Vec<String> = run(&server, &["list", "--state", "disabled"])
        .1
        .iter()
        .map(|one| one["email"].as_str().unwrap().to_owned())
        .collect();
    let (_, log) = run(&server, &["log", "--most", "10000"]);
    for address in disabled {
        let has_line = log.iter().any(|line| line["what"] == "disable" && line["whom"] == address.as_str());
        assert!(has_line, "{address} was disabled and no line says so");
    }
}

/// A new account is an enabled one: a disabled person gets none.
#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_person_is_not_invited_anew() {
    let server = Server::start();
    assert!(run(&server, &["invite", "ada@example.com"]).0);
    assert!(run(&server, &["disable", "ada@example.com"]).0);
    let before = run(&server, &["show", "ada@example.com"]).1[0].clone();
    let (well, lines) = run(&server, &["invite-anew", "ada@example.com"]);
    assert!(!well, "{lines:#?}");
    let line = lines.iter().find(|line| line["state"] == "failed").unwrap();
    assert!(line.to_string().contains("is disabled"), "{line:#}");
    let after = run(&server, &["show", "ada@example.com"]).1[0].clone();
    assert_eq!(before["viewer"], after["viewer"], "the same account, disabled as it was");
    assert_eq!(run(&server, &["list", "--state", "disabled"]).1.len(), 1);
}
