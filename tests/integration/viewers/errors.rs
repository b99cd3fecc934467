//! Every error of the pool has a sentence and a remedy.

use reeldesk_sandbox::USER_POOL;
use reeldesk_tests::{Guard, KEYS};
use serde_json::Value;

use super::scene::{ask, come, run, workspace};
use crate::server::Server;

/// The sentence of a failure.
fn told(lines: &[Value], code: &str, words: &str) {
    let line = lines.last().unwrap();
    let message = line["message"].as_str().unwrap_or_default();
    assert!(line["code"] == code && message.contains(words), "no {code} with \"{words}\": {line:#}");
    let remedy = line["remedy"].as_str().unwrap();
    assert!(!remedy.is_empty() && !message.contains("Exception") && !remedy.contains("Exception"), "{line:#}");
}

/// As the pool itself refuses.
#[tokio::test(flavor = "multi_thread")]
async fn of_the_pool() {
    let server = Server::start();
    let refused = |arguments: &[&str], code: &str, words: &str| {
        let (well, lines) = run(&server, arguments);
        assert!(!well, "{arguments:?}: {lines:#?}");
        told(&lines, code, words);
    };
    assert!(run(&server, &["invite", "ada@example.com", "bob@example.com"]).0);
    // UserNotFoundException
    for act in ["resend", "disable", "enable", "sign-out", "reset", "invite-anew", "show"] {
        refused(&[act, "nobody@example.com"], "not-found", "there is no such viewer");
    }
    // NotAuthorizedException: in this state there is nothing to reset, and not while disabled.
    refused(&["reset", "ada@example.com"], "invalid", "has not signed in yet");
    come(&server, "bob@example.com").await;
    assert!(run(&server, &["disable", "bob@example.com"]).0);
    refused(&["reset", "bob@example.com"], "invalid", "the viewer is disabled");
    assert!(run(&server, &["enable", "bob@example.com"]).0);
    // UnsupportedUserStateException
    refused(&["resend", "bob@example.com"], "invalid", "has signed in already");
    // AliasExistsException and InvalidParameterException
    refused(&["edit", "ada@example.com", "email=bob@example.com"], "exists", "there is a viewer with this address");
    refused(&["edit", "ada@example.com", "custom:x=1"], "invalid", "does not exist in the schema");
    // UsernameExistsException is no failure: who was there is told so.
    let (well, lines) = run(&server, &["invite", "ADA@example.com"]);
    assert!(well && lines[0]["state"] == "was-there");
}

/// As a proxy refuses in the words of AWS, where the sandbox would not.
#[tokio::test(flavor = "multi_thread")]
async fn of_the_service() {
    let server = Server::start();
    assert!(run(&server, &["invite", "ada@example.com"]).0);
    let (create, reset) = ("cognito-idp:AdminCreateUser", "cognito-idp:AdminResetUserPassword");
    let disable = "cognito-idp:AdminDisableUser";
    for (action, error, arguments, code, words) in [
        (create, "InvalidPasswordException", ["invite", "bob@example.com"], "invalid", "the temporary password"),
        (create, "CodeDeliveryFailureException", ["invite", "bob@example.com"], "delivery", "could not be delivered"),
        (create, "LimitExceededException", ["invite", "bob@example.com"], "quota", "no more mail today"),
        (create, "UserLambdaValidationException", ["invite", "bob@example.com"], "invalid", "the pool's own check"),
        (create, "UnexpectedLambdaException", ["invite", "bob@example.com"], "internal", "Lambda function has failed"),
        (create, "UnsupportedUserStateException", ["resend", "ada@example.com"], "invalid", "has signed in already"),
        (reset, "LimitExceededException", ["reset", "ada@example.com"], "quota", "no more mail today"),
        (reset, "CodeDeliveryFailureException", ["reset", "ada@example.com"], "delivery", "could not be delivered"),
        (
            disable,
            "NotAuthorizedException",
            ["disable", "ada@example.com"],
            "access-denied",
            "not allowed for this viewer",
        ),
        (disable, "AccessDeniedException", ["disable", "ada@example.com"], "access-denied", "may not do this"),
        (disable, "UserNotFoundException", ["disable", "ada@example.com"], "not-found", "no such viewer"),
    ] {
        let guard = Guard::before(&server.endpoint, move |asked| (asked == action).then_some(error)).await.unwrap();
        let reelctl = workspace(&guard.endpoint, USER_POOL, KEYS);
        let (well, lines) = ask(&reelctl, &arguments);
        assert!(!well, "{error}");
        told(&lines, code, words);
    }
}

/// A pool that never stops asking to slow down is given up, with a sentence; nothing is left half done.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_pool_that_is_too_busy() {
    let server = Server::start();
    let refuse = |asked: &str| (asked == "cognito-idp:DescribeUserPool").then_some("TooManyRequestsException");
    let guard = Guard::before(&server.endpoint, refuse).await.unwrap();
    let reelctl = workspace(&guard.endpoint, USER_POOL, KEYS);
    let (well, lines) = ask(&reelctl, &["pool"]);
    assert!(!well);
    told(&lines, "throttled", "slow down");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_pool_that_was_deleted() {
    let server = Server::start();
    let reelctl = workspace(&server.endpoint, "us-east-1_Gone00000", KEYS);
    for arguments in
        [&["list"][..], &["pool"], &["invite", "ada@example.com"], &["disable", "ada@example.com"], &["groups", "list"]]
    {
        let (well, lines) = ask(&reelctl, arguments);
        assert!(!well, "{arguments:?}");
        told(&lines, "not-found", "the user pool does not exist any more");
    }
}
