//! Viewers on the command line: invited once, told in words, let go.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_cognitoidentityprovider::types::{
    AdminCreateUserConfigType, EmailConfigurationType, EmailSendingAccountType, MessageTemplateType,
};
use reeldesk_sandbox::USER_POOL;
use reeldesk_tests::{KEYS, Ministack, Reelctl};
use serde_json::Value;

use crate::server::Server;

fn run(server: &Server, arguments: &[&str]) -> (bool, Vec<Value>) {
    server.data.run(&[&["viewers"], arguments].concat()).unwrap()
}

/// The mails that the pool would have sent, the newest first.
async fn mails(server: &Server) -> Vec<Value> {
    let signed = format!("AWS4-HMAC-SHA256 Credential={}/x", KEYS.0);
    let url = format!("{}/-/mails", server.endpoint);
    let answer = reqwest::Client::new().get(url).header("authorization", signed).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["mails"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn invited_listed_and_let_go() {
    let server = Server::start();
    let (well, lines) = run(&server, &["invite", "Ada+films@Example.com", "bob@example.com"]);
    assert!(well && lines.iter().all(|line| line["state"] == "invited"), "{lines:#?}");
    assert_eq!(mails(&server).await.len(), 2);
    // Again, and in other letters: nobody gets a second mail.
    let (well, lines) = run(&server, &["invite", "ada+FILMS@example.com"]);
    assert!(well && lines[0]["state"] == "was-there", "{lines:#?}");
    assert_eq!(mails(&server).await.len(), 2);
    assert!(run(&server, &["resend", "bob@example.com"]).0);
    assert_eq!(mails(&server).await.len(), 3);

    let (_, all) = run(&server, &["list"]);
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|one| one["state"]["kind"] == "invited"), "{all:#?}");
    assert!(run(&server, &["disable", "bob@example.com"]).0);
    let state = |all: &[Value]| all.iter().find(|one| one["email"] == "bob@example.com").unwrap()["state"].clone();
    assert_eq!(state(&run(&server, &["list"]).1)["kind"], "disabled");
    assert!(run(&server, &["enable", "bob@example.com"]).0);

    let (well, lines) = run(&server, &["remove", "bob@example.com"]);
    assert!(!well && lines[0]["code"] == "invalid");
    assert!(run(&server, &["remove", "bob@example.com", "--yes"]).0);
    assert_eq!(run(&server, &["list"]).1.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_and_an_export() {
    let server = Server::start();
    assert!(run(&server, &["groups", "create", "viewers", "--description", "may watch"]).0);
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.csv");
    let text = "\u{FEFF}name;email;group\r\n\"=HYPERLINK(\"\"x\"\")\";ada@example.com;viewers\r\nBob;bob@example.com;\r\nBob;BOB@example.com;\r\nNo;nonsense;\r\n";
    std::fs::write(&list, text).unwrap();
    let (well, lines) = run(&server, &["invite", "--csv", list.to_str().unwrap()]);
    assert!(!well, "two lines cannot be read");
    let unread: Vec<_> =
        lines.iter().filter(|line| line["state"] == "unread").map(|line| line["line"].as_u64()).collect();
    assert_eq!(unread, [Some(4), Some(5)]);
    assert_eq!(lines.iter().filter(|line| line["state"] == "invited").count(), 2);
    let (_, members) = run(&server, &["list", "--group", "viewers"]);
    assert_eq!(members.iter().map(|one| one["email"].as_str()).collect::<Vec<_>>(), [Some("ada@example.com")]);
    assert!(run(&server, &["groups", "add", "viewers", "bob@example.com"]).0);
    assert!(run(&server, &["groups", "take", "viewers", "ada@example.com"]).0);
    assert_eq!(run(&server, &["list", "--group", "viewers"]).1[0]["email"], "bob@example.com");
    let file = folder.path().join("export.csv");
    assert!(run(&server, &["export", file.to_str().unwrap()]).0);
    let exported = std::fs::read_to_string(file).unwrap();
    assert!(
        exported.contains("ada@example.com,\"'=HYPERLINK(\"\"x\"\")\",\"invited, expires in 7 days\""),
        "{exported}"
    );
}

/// What Cognito refuses has a sentence and a remedy.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_told() {
    let server = Server::start();
    assert!(run(&server, &["invite", "ada@example.com"]).0);
    let refused = |arguments: &[&str], code: &str, words: &str| {
        let (well, lines) = run(&server, arguments);
        let line = lines.last().unwrap();
        let message = line["message"].as_str().unwrap_or_default();
        assert!(!well && line["code"] == code && message.contains(words), "{arguments:?}: {line:#}");
        assert!(!line["remedy"].as_str().unwrap().is_empty() && !message.contains("Exception"));
    };
    refused(&["resend", "nobody@example.com"], "not-found", "there is no such viewer");
    refused(&["reset", "ada@example.com"], "invalid", "has not signed in yet");
    refused(&["groups", "delete", "nope"], "not-found", "no such group");
    assert!(run(&server, &["groups", "create", "viewers"]).0);
    refused(&["groups", "create", "viewers"], "exists", "a group of this name");
    refused(&["invite", "bob@example.com", "--group", "nope"], "not-found", "no such group");

    // A template that names no password cannot be delivered.
    let client = crate::cognito::client_of(&server.endpoint);
    let template = MessageTemplateType::builder().email_message("Welcome").email_subject("Welcome").build();
    let invites = AdminCreateUserConfigType::builder().invite_message_template(template).build();
    client.update_user_pool().user_pool_id(USER_POOL).admin_create_user_config(invites).send().await.unwrap();
    refused(&["invite", "carol@example.com"], "delivery", "could not be delivered");
    let facts = &run(&server, &["pool"]).1[0];
    assert!(facts["isOpenToAll"] == true && facts["validityDays"] == 7, "{facts:#}");
}

/// Cognito's own mail is 50 a day: the 51st is told, and can be invited tomorrow.
#[tokio::test(flavor = "multi_thread")]
async fn the_quota_of_mail_is_used_up() {
    let server = Server::start();
    let client = crate::cognito::client_of(&server.endpoint);
    let own = EmailConfigurationType::builder().email_sending_account(EmailSendingAccountType::CognitoDefault).build();
    client.update_user_pool().user_pool_id(USER_POOL).email_configuration(own).send().await.unwrap();
    assert_eq!(run(&server, &["pool"]).1[0]["hasSmallMailQuota"], true);
    let addresses: Vec<String> = (0..51).map(|number| format!("viewer{number}@example.com")).collect();
    let arguments: Vec<&str> = ["invite"].into_iter().chain(addresses.iter().map(String::as_str)).collect();
    let (well, lines) = run(&server, &arguments);
    let refused: Vec<_> = lines.iter().filter(|line| line["state"] == "failed").collect();
    assert!(!well && refused.len() == 1 && refused[0]["code"] == "quota", "{refused:#?}");
    assert_eq!(run(&server, &["list"]).1.len(), 50);
}

/// The temporary password is printed once, opens the account, and is in no file of Reeldesk's.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_mail() {
    let server = Server::start();
    let (well, lines) = run(&server, &["invite", "--silent", "ada@example.com"]);
    assert!(well && mails(&server).await.is_empty());
    let password = lines[0]["temporaryPassword"].as_str().unwrap();
    let client = crate::cognito::client_of(&server.endpoint);
    let begun = client.initiate_auth().client_id(reeldesk_sandbox::APP_CLIENT);
    let begun = begun.auth_flow(aws_sdk_cognitoidentityprovider::types::AuthFlowType::UserPasswordAuth);
    let begun = begun.auth_parameters("USERNAME", "ada@example.com").auth_parameters("PASSWORD", password).send().await;
    assert_eq!(begun.unwrap().challenge_name.unwrap().as_str(), "NEW_PASSWORD_REQUIRED");
    for entry in walk(server.data.data.path()) {
        let bytes = std::fs::read(&entry).unwrap();
        let found = bytes.windows(password.len()).any(|at| at == password.as_bytes());
        assert!(!found, "{} has the password", entry.display());
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// Killed at random moments and begun again: each has one account and one invitation.
#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_invitation_with_kills() {
    let people: usize = std::env::var("REELDESK_PEOPLE").ok().and_then(|text| text.parse().ok()).unwrap_or(150);
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.txt");
    let text: String = (0..people).map(|number| format!("viewer{number}@example.com\n")).collect();
    std::fs::write(&list, text).unwrap();
    let arguments = ["viewers", "invite", "--csv", list.to_str().unwrap()];
    for _ in 0..5 {
        let mut child = Reelctl::at(server.data.data.path()).start(&arguments).unwrap();
        // The moment is the test: any one is as good as another.
        tokio::time::sleep(Duration::from_millis(fastrand::u64(100..(people as u64 * 10)))).await;
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (well, lines) = server.data.run(&arguments).unwrap();
    assert!(well && lines.len() == people, "{:#?}", lines.last());
    let all = run(&server, &["list"]).1;
    let accounts: HashSet<_> = all.iter().map(|one| one["email"].as_str().unwrap().to_owned()).collect();
    assert_eq!((all.len(), accounts.len()), (people, people));
    let database = server.data.data.path().join("sandbox/sandbox.sqlite");
    let mails: (usize, usize) = rusqlite::Connection::open(database)
        .unwrap()
        .query_row("SELECT count(*), count(DISTINCT recipient) FROM pool_mails", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(mails, (people, people), "one invitation each");
}

/// The same against a Cognito that is not ours.
#[tokio::test(flavor = "multi_thread")]
async fn against_ministack() {
    let stack = Ministack::start().await.unwrap();
    let client = crate::cognito::client_with(&stack.endpoint, "test", "test");
    let pool = client.create_user_pool().pool_name("viewers");
    let pool = pool.username_attributes(aws_sdk_cognitoidentityprovider::types::UsernameAttributeType::Email);
    let pool = pool.send().await.unwrap().user_pool.unwrap().id.unwrap();
    let server = Server::start();
    let reelctl = crate::server::reelctl(&stack.endpoint, "test", "test");
    // The names of the sandbox's stack; only the pool is asked for anything.
    let helper = crate::server::reelctl_of_sandbox(&server.endpoint);
    let stack_of =
        ["workspace", "connect", "quiet", "--stack", reeldesk_sandbox::STACK, "--endpoint", &server.endpoint];
    assert!(helper.run(&stack_of).unwrap().0);
    let text = std::fs::read_to_string(helper.data.path().join("settings.toml")).unwrap();
    let text = text.replace(&server.endpoint, &stack.endpoint).replace(USER_POOL, &pool);
    std::fs::write(reelctl.data.path().join("settings.toml"), text).unwrap();
    let run = |arguments: &[&str]| reelctl.run(&[&["--workspace", "quiet", "viewers"], arguments].concat()).unwrap();
    let (well, lines) = run(&["invite", "ada@example.com", "bob@example.com"]);
    assert!(well && lines.iter().all(|line| line["state"] == "invited"), "{lines:#?}");
    assert_eq!(run(&["invite", "ada@example.com"]).1[0]["state"], "was-there");
    let (_, all) = run(&["list"]);
    assert!(all.len() == 2 && all.iter().all(|one| one["state"]["kind"] == "invited"), "{all:#?}");
    assert!(run(&["disable", "bob@example.com"]).0);
    assert!(run(&["groups", "create", "viewers"]).0 && run(&["groups", "add", "viewers", "ada@example.com"]).0);
    assert_eq!(run(&["list", "--group", "viewers"]).1.len(), 1);
    assert!(run(&["remove", "bob@example.com", "--yes"]).0);
    assert_eq!(run(&["remove", "bob@example.com", "--yes"]).1[0]["code"], "not-found");
}
