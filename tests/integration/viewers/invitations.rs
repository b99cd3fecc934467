//! Invitations: each once, whatever comes between.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_cognitoidentityprovider::types::{
    AdminCreateUserConfigType, AliasAttributeType, AuthFlowType, EmailConfigurationType, EmailSendingAccountType,
    MessageTemplateType,
};
use reeldesk_sandbox::USER_POOL;
use reeldesk_tests::{Emulator, Fault, FaultyLine, KEYS, Reelctl};
use serde_json::Value;

use super::scene::{ask, has, mails, run, workspace};
use crate::server::Server;

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

/// Addresses as people have them, and as they come out of other programs.
#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_all_kinds() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.csv");
    let longest = format!("{}@{}.example.com", "l".repeat(64), "d".repeat(51));
    assert_eq!(longest.len(), 128);
    let too_long = format!("{}@{}.{}.{}.com", "a".repeat(64), "b".repeat(61), "c".repeat(61), "d".repeat(61));
    assert_eq!(too_long.len(), 254);
    let rows = [
        "\u{200B} Ada+films@Example.COM\u{a0}",
        "\"\"\"Ada,Lovelace\"\"@example.com\"",
        "gr\u{fc}n@b\u{fc}cher.example",
        &longest,
        &too_long,
        "ADA+films@example.com",
    ];
    std::fs::write(&list, format!("\u{FEFF}E-Mail\r\n{}\r\n", rows.join("\r\n"))).unwrap();
    let (well, lines) = run(&server, &["invite", "--csv", list.to_str().unwrap()]);
    let of = |state: &str| {
        let found = lines.iter().filter(|line| line["state"] == state);
        found.map(|line| line["line"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert!(!well && of("unread") == [6, 7], "{lines:#?}");
    let mut invited: Vec<_> =
        lines.iter().filter(|line| line["state"] == "invited").map(|line| line["address"].as_str().unwrap()).collect();
    invited.sort_unstable();
    let mut expected =
        vec!["Ada+films@example.com", "\"Ada,Lovelace\"@example.com", "gr\u{fc}n@xn--bcher-kva.example", &longest];
    expected.sort_unstable();
    assert_eq!(invited, expected);
    // Each is found again, and gets nothing twice.
    for address in expected {
        let (well, lines) = run(&server, &["invite", address]);
        assert!(well && lines[0]["state"] == "was-there", "{address}: {lines:#?}");
    }
    assert_eq!(mails(&server).await.len(), 4);
}

/// The account is made and the answer is lost: the person was invited once, and that is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer() {
    let server = Server::start();
    // Asked before: the pool, the name, the address, and who asks.
    let lose = |_: &_, _: &str, number: u64| if number == 4 { Fault::LostAnswer } else { Fault::None };
    let line = FaultyLine::before(&server.endpoint, lose).await.unwrap();
    let (well, lines) = ask(&workspace(&line.endpoint, USER_POOL, KEYS), &["invite", "ada@example.com"]);
    assert!(well && lines[0]["state"] == "invited", "{lines:#?}");
    assert_eq!(mails(&server).await.len(), 1);

    let line = FaultyLine::before(&server.endpoint, lose).await.unwrap();
    let (well, lines) = ask(&workspace(&line.endpoint, USER_POOL, KEYS), &["invite", "--silent", "bob@example.com"]);
    assert!(well && lines[0]["trouble"]["code"] == "network", "{lines:#?}");
    let password = lines[0]["temporaryPassword"].as_str().unwrap();
    let client = crate::cognito::client_of(&server.endpoint);
    let begun =
        client.initiate_auth().client_id(reeldesk_sandbox::APP_CLIENT).auth_flow(AuthFlowType::UserPasswordAuth);
    let begun = begun.auth_parameters("USERNAME", "bob@example.com").auth_parameters("PASSWORD", password);
    assert!(begun.send().await.unwrap().challenge_name.is_some());
}

/// Sent again, and the answer lost: that is told, and there is no third mail.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_to_sending_again() {
    let server = Server::start();
    assert!(run(&server, &["invite", "ada@example.com"]).0);
    // Asked before: the account, and who asks.
    let lose = |_: &_, _: &str, number: u64| if number == 2 { Fault::LostAnswer } else { Fault::None };
    let line = FaultyLine::before(&server.endpoint, lose).await.unwrap();
    let (well, lines) = ask(&workspace(&line.endpoint, USER_POOL, KEYS), &["resend", "ada@example.com"]);
    assert!(!well && lines[0]["code"] == "network", "{lines:#?}");
    assert_eq!(mails(&server).await.len(), 2);
}

/// A run that broke off before the group: the next one puts in who was there.
#[tokio::test(flavor = "multi_thread")]
async fn groups_of_those_who_were_there() {
    let server = Server::start();
    assert!(run(&server, &["invite", "ada@example.com"]).0);
    // Nobody gets a password that is then lost to a missing group.
    let (well, lines) = run(&server, &["invite", "--silent", "bob@example.com", "--group", "viewers"]);
    assert!(well && lines[0]["temporaryPassword"].is_string(), "{lines:#?}");
    assert_eq!(lines[0]["trouble"]["code"], "not-found");
    assert!(run(&server, &["groups", "create", "viewers"]).0);
    let (well, lines) = run(&server, &["invite", "ada@example.com", "bob@example.com", "--group", "viewers"]);
    assert!(well && lines.iter().all(|line| line["state"] == "was-there"), "{lines:#?}");
    assert_eq!(run(&server, &["list", "--group", "viewers"]).1.len(), 2);
    assert_eq!(mails(&server).await.len(), 1);
}

/// A pool that knows addresses as aliases takes none for a user name, and has each person once all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_pool_with_aliases() {
    let emulator = Emulator::moto().await.unwrap();
    let client = crate::cognito::client_with(&emulator.endpoint, "test", "test");
    let pool = client.create_user_pool().pool_name("aliases").alias_attributes(AliasAttributeType::Email);
    let pool = pool.send().await.unwrap().user_pool.unwrap().id.unwrap();
    let reelctl = workspace(&emulator.endpoint, &pool, ("test", "test"));
    let (well, lines) = ask(&reelctl, &["invite", "ada@example.com"]);
    assert!(well && lines[0]["state"] == "invited", "{lines:#?}");
    let (_, all) = ask(&reelctl, &["list"]);
    assert_eq!((all.len(), &all[0]["email"]), (1, &"ada@example.com".into()));
    let username = all[0]["username"].as_str().unwrap();
    assert!(username.len() == 36 && !username.contains('@'), "{username}");
    assert_eq!(ask(&reelctl, &["invite", "ADA@example.com"]).1[0]["state"], "was-there");
    assert_eq!(ask(&reelctl, &["list"]).1.len(), 1);
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
    assert_eq!(run(&server, &["pool"]).1[0]["mailsLeft"], 0);
    // The one that is too many was not even asked for.
    let log = run(&server, &["log", "--most", "1000"]).1;
    assert_eq!(log.iter().filter(|line| line["what"] == "invite").count(), 50);
    // Without a mail there is no such quota.
    assert!(run(&server, &["invite", "--silent", "late@example.com"]).0);
    assert_eq!(run(&server, &["pool"]).1[0]["mailsLeft"], 0);
}

/// The temporary password is printed once, opens the account, and is in no file of Reeldesk's.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_mail() {
    let server = Server::start();
    let (well, lines) = run(&server, &["invite", "--silent", "ada@example.com"]);
    assert!(well && mails(&server).await.is_empty());
    let password = lines[0]["temporaryPassword"].as_str().unwrap();
    // Also where everything is logged, it is in the answer and nowhere else.
    let told = server.data.on(server.data.data.path()).with("REELDESK_LOG", "trace");
    let output = told.command(&["viewers", "invite", "--silent", "bob@example.com"]).unwrap().output().unwrap();
    let line: Value = serde_json::from_slice(output.stdout.trim_ascii()).unwrap();
    let (log, other) = (String::from_utf8_lossy(&output.stderr), line["temporaryPassword"].as_str().unwrap());
    assert!(log.contains("AdminCreateUser") && !log.contains(other));
    assert!(!has(server.data.data.path(), other));
    let client = crate::cognito::client_of(&server.endpoint);
    let begun = client.initiate_auth().client_id(reeldesk_sandbox::APP_CLIENT);
    let begun = begun.auth_flow(AuthFlowType::UserPasswordAuth);
    let begun = begun.auth_parameters("USERNAME", "ada@example.com").auth_parameters("PASSWORD", password).send().await;
    assert_eq!(begun.unwrap().challenge_name.unwrap().as_str(), "NEW_PASSWORD_REQUIRED");
    assert!(!has(server.data.data.path(), password), "a file has the password");
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
