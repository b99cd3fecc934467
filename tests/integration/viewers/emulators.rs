//! The same against pools that we did not write.

use aws_sdk_cognitoidentityprovider::types::UsernameAttributeType;
use reeldesk_tests::{Emulator, Reelctl};
use serde_json::Value;

use super::scene::{ask, workspace};

async fn pool(emulator: &Emulator) -> Reelctl {
    let client = crate::cognito::client_with(&emulator.endpoint, "test", "test");
    let pool = client.create_user_pool().pool_name("viewers").username_attributes(UsernameAttributeType::Email);
    let pool = pool.send().await.unwrap().user_pool.unwrap().id.unwrap();
    workspace(&emulator.endpoint, &pool, ("test", "test"))
}

/// From the invitation to the end.
fn the_whole_way(reelctl: &Reelctl) {
    let run = |arguments: &[&str]| ask(reelctl, arguments);
    let did = |arguments: &[&str]| {
        let (well, lines) = run(arguments);
        assert!(well, "{arguments:?}: {lines:#?}");
        lines
    };
    let kind = |address: &str| {
        let lines = did(&["list", "--search", address]);
        lines[0]["state"]["kind"].as_str().unwrap().to_owned()
    };
    let invited = did(&["invite", "ada@example.com", "bob@example.com"]);
    assert!(invited.iter().all(|line| line["state"] == "invited"), "{invited:#?}");
    assert_eq!(did(&["invite", "ada@example.com"])[0]["state"], "was-there");
    assert_eq!(kind("ada@example.com"), "invited");
    did(&["disable", "bob@example.com"]);
    assert_eq!(kind("bob@example.com"), "disabled");
    did(&["enable", "bob@example.com"]);
    assert_eq!(kind("bob@example.com"), "invited");
    did(&["edit", "bob@example.com", "name=Bob"]);
    did(&["groups", "create", "viewers"]);
    did(&["groups", "add", "viewers", "ada@example.com"]);
    let members = did(&["list", "--group", "viewers"]);
    let emails: Vec<&Value> = members.iter().map(|one| &one["email"]).collect();
    assert_eq!(emails, ["ada@example.com"]);
    did(&["groups", "take", "viewers", "ada@example.com"]);
    assert!(did(&["list", "--group", "viewers"]).is_empty());
    did(&["sign-out", "ada@example.com"]);
    did(&["groups", "delete", "viewers"]);
    let facts = did(&["pool"]);
    assert!(facts[0]["validityDays"] == 7 && facts[0]["signInWith"][0] == "email", "{facts:#?}");
    did(&["remove", "bob@example.com", "--yes"]);
    assert_eq!(run(&["remove", "bob@example.com", "--yes"]).1[0]["code"], "not-found");
    let left = did(&["list"]);
    assert_eq!(left.len(), 1, "{left:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ministack() {
    let emulator = Emulator::ministack().await.unwrap();
    let reelctl = pool(&emulator).await;
    the_whole_way(&reelctl);
    assert!(ask(&reelctl, &["resend", "ada@example.com"]).0);
    assert_eq!(ask(&reelctl, &["list"]).1.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn moto() {
    let emulator = Emulator::moto().await.unwrap();
    let reelctl = pool(&emulator).await;
    the_whole_way(&reelctl);
    // It takes addresses only, as the pool was made, but then makes a second account instead of a second mail.
    let (well, lines) = ask(&reelctl, &["resend", "ada@example.com"]);
    assert!(well, "{lines:#?}");
}
