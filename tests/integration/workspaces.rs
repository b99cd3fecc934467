//! Workspaces: found in the account, checked, handed over; and what is wrong with one has its own sentence.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use reeldesk_core::workspace::policy::{ACTIONS, Rights};
use reeldesk_tests::{Guard, Reelctl, film};
use serde_json::Value;

use crate::server::{KEYS, Server};

const STACK: &str = reeldesk_sandbox::STACK;

/// A command line with a profile of these keys, and nothing else of AWS.
pub(crate) fn with_profile(key: &str, secret: &str) -> Reelctl {
    let reelctl = Reelctl::new().unwrap();
    let folder = reelctl.data.path().to_owned();
    let credentials = folder.join("aws-credentials");
    std::fs::write(&credentials, format!("[media]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"))
        .unwrap();
    let config = folder.join("aws-config");
    std::fs::write(&config, "[profile media]\nregion = us-east-1\n").unwrap();
    reelctl
        .with("AWS_SHARED_CREDENTIALS_FILE", credentials.to_string_lossy())
        .with("AWS_CONFIG_FILE", config.to_string_lossy())
        .with("AWS_EC2_METADATA_DISABLED", "true")
}

fn connect(reelctl: &Reelctl, endpoint: &str) -> (bool, Vec<Value>) {
    let arguments =
        ["workspace", "connect", "production", "--stack", STACK, "--profile", "media", "--endpoint", endpoint];
    reelctl.run(&arguments).unwrap()
}

/// A workspace that is connected, whose settings are then changed.
pub(crate) fn connected(endpoint: &str, change: impl Fn(String) -> String) -> Reelctl {
    let reelctl = with_profile(KEYS.0, KEYS.1);
    let (well, lines) = connect(&reelctl, endpoint);
    assert!(well, "{lines:#?}");
    let settings = reelctl.data.path().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, change(text)).unwrap();
    reelctl
}

fn check(reelctl: &Reelctl) -> (bool, Vec<Value>) {
    reelctl.run(&["--workspace", "production", "workspace", "check"]).unwrap()
}

fn is_bad(finding: &Value) -> bool {
    finding["outcome"] == "wrong" || finding["outcome"] == "denied"
}

#[track_caller]
fn says(lines: &[Value], code: &str, words: &str) {
    let bad: Vec<_> = lines.iter().filter(|line| line["outcome"] == "wrong").collect();
    let found = bad.iter().any(|line| {
        let message = line["error"]["message"].as_str().unwrap();
        line["error"]["code"] == code
            && message.contains(words)
            && !line["error"]["remedy"].as_str().unwrap().is_empty()
    });
    assert!(found, "no {code} with \"{words}\" in {lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_and_a_stack_are_a_workspace_that_works() {
    let server = Server::start();
    let reelctl = with_profile(KEYS.0, KEYS.1);
    let (well, profiles) = reelctl.run(&["workspace", "profiles"]).unwrap();
    assert!(well && profiles.len() == 1 && profiles[0]["region"] == "us-east-1", "{profiles:#?}");

    let (well, stacks) =
        reelctl.run(&["workspace", "stacks", "--profile", "media", "--endpoint", &server.endpoint]).unwrap();
    assert!(well, "{stacks:#?}");
    assert_eq!((&stacks[0]["name"], &stacks[0]["version"]), (&STACK.into(), &"6.1.17".into()));

    let (well, made) = connect(&reelctl, &server.endpoint);
    assert!(well, "{made:#?}");
    assert_eq!(made[0]["mode"]["trigger"], "videoFile");
    assert_eq!(made[0]["mode"]["frameCapture"], true);
    assert_eq!(made[0]["mode"]["acceleration"], "disabled");
    assert_eq!(made[0]["userPool"], "us-east-1_Reeldesk0");
    assert_eq!(made[0]["account"], "000000000000");

    let (well, lines) = check(&reelctl);
    assert!(well, "{lines:#?}");
    assert!(lines.len() > 15 && lines.last().unwrap()["works"] == true);

    let (well, lines) =
        reelctl.run(&["--workspace", "production", "ingest", film().to_str().unwrap(), "--wait"]).unwrap();
    assert!(well && lines.last().unwrap()["state"] == "ready", "{:#}", lines.last().unwrap());

    // A second one of the name is none.
    let (well, lines) = connect(&reelctl, &server.endpoint);
    assert!(!well && lines[0]["code"] == "exists", "{lines:#?}");
    let (well, lines) = reelctl
        .run(&["workspace", "connect", "x", "--stack", "nope", "--profile", "media", "--endpoint", &server.endpoint])
        .unwrap();
    assert!(!well && lines[0]["remedy"].as_str().unwrap().contains(STACK), "{lines:#?}");
}

/// A CDN that shows its videos to signed viewers only: they are read from the bucket instead.
#[tokio::test(flavor = "multi_thread")]
async fn a_private_cdn() {
    let server = Server::start();
    let private = answering("403 Forbidden", "application/xml", "<Error><Code>MissingKey</Code></Error>").await;
    let reelctl = connected(&server.endpoint, |text| {
        let cdn = text.lines().find(|line| line.starts_with("cdn = ")).unwrap();
        text.replace(cdn, &format!("cdn = \"{private}\""))
    });
    let run = |arguments: &[&str]| reelctl.run(&[&["--workspace", "production"], arguments].concat()).unwrap();
    let (well, lines) = run(&["ingest", film().to_str().unwrap(), "--wait"]);
    assert!(well, "{lines:#?}");
    let guid = lines.last().unwrap()["guid"].as_str().unwrap().to_owned();
    assert!(!run(&["videos", "show", &guid]).0);
    let (well, lines) = run(&["workspace", "check"]);
    assert!(!well);
    says(&lines, "playback", "to signed viewers only");

    let settings = reelctl.data.path().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("playback = \"cdn\"", "playback = \"bucket\"")).unwrap();
    let (well, lines) = run(&["videos", "show", &guid]);
    assert!(well, "{lines:#?}");
    assert_eq!(lines[0]["stream"]["renditions"].as_array().unwrap().len(), 4);
    let (well, lines) = run(&["workspace", "check"]);
    assert!(well, "{lines:#?}");
    assert!(lines.iter().any(|line| line["title"] == "Read from the destination bucket" && line["outcome"] == "works"));
}

/// A pipeline that starts on metadata gets its file beside the video, once.
#[tokio::test(flavor = "multi_thread")]
async fn a_metadata_file_is_put_beside_the_video() {
    let server = Server::start();
    let reelctl =
        connected(&server.endpoint, |text| text.replace("trigger = \"videoFile\"", "trigger = \"metadataFile\""));
    let (well, lines) = reelctl.run(&["--workspace", "production", "ingest", film().to_str().unwrap()]).unwrap();
    assert!(well, "{lines:#?}");
    let key = lines.last().unwrap()["key"].as_str().unwrap().to_owned();
    let metadata = key.replace(".mp4", ".json");
    let get = server.client().get_object().bucket(reeldesk_sandbox::SOURCE_BUCKET).key(&metadata).send();
    let bytes = get.await.unwrap().body.collect().await.unwrap().to_vec();
    let told: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(told, serde_json::json!({ "srcVideo": key }));
}

#[tokio::test(flavor = "multi_thread")]
async fn handed_over_in_a_file() {
    let server = Server::start();
    let engineer = connected(&server.endpoint, |text| text);
    let file = engineer.data.path().join("handed-over.toml");
    let file = file.to_str().unwrap();
    assert!(engineer.run(&["--workspace", "production", "workspace", "export", file]).unwrap().0);
    let text = std::fs::read_to_string(file).unwrap();
    assert!(!text.contains(KEYS.0) && !text.contains(KEYS.1), "{text}");

    let admin = with_profile(KEYS.0, KEYS.1);
    assert!(admin.run(&["workspace", "import", file]).unwrap().0);
    let (well, lines) = check(&admin);
    assert!(well, "{lines:#?}");
    assert!(admin.run(&["workspace", "remove", "production"]).unwrap().0);
    assert!(admin.run(&["workspace", "list"]).unwrap().1.is_empty());

    let (well, lines) = admin.run(&["--workspace", "sandbox", "workspace", "export", file]).unwrap();
    assert!(!well && lines[0]["code"] == "not-found" || lines[0]["code"] == "invalid", "{lines:#?}");
}

/// Each action is refused in turn: the check names that one, with what it has to be allowed on.
#[tokio::test(flavor = "multi_thread")]
async fn the_check_names_the_permission_that_is_missing() {
    let server = Server::start();
    // What only looking for names needs, and what only a bucket with versions needs, is not tried.
    let untried = [
        "cloudformation:DescribeStacks",
        "s3:ListAllMyBuckets",
        "dynamodb:ListTables",
        "cognito-idp:ListUserPools",
        "s3:DeleteObjectVersion",
        // S3 asks KMS for them.
        "kms:GenerateDataKey",
        "kms:Decrypt",
        // A workspace that does not use it works without.
        "s3:GetAccelerateConfiguration",
        "cloudfront:ListDistributions",
        "cloudfront:CreateInvalidation",
        // No harmless call can tell.
        "cognito-idp:CreateGroup",
    ];
    for action in ACTIONS.iter().map(|action| action.name).filter(|name| !untried.contains(name)) {
        let guard =
            Guard::before(&server.endpoint, move |asked| (asked == action).then_some("AccessDenied")).await.unwrap();
        let reelctl = connected(&guard.endpoint, |text| text);
        let (well, lines) = check(&reelctl);
        assert!(!well && lines.last().unwrap()["works"] == false);
        let bad: Vec<_> = lines.iter().filter(|line| is_bad(line)).collect();
        assert!(!bad.is_empty(), "{action}: {lines:#?}");
        for bad in bad {
            let told = (&bad["outcome"], &bad["missing"]["action"]);
            assert_eq!(told, (&"denied".into(), &action.into()), "{bad:#}");
            let resource = bad["missing"]["resources"][0].as_str().unwrap();
            assert!(resource == "*" || resource.starts_with("arn:aws:"), "{resource}");
        }
    }
}

/// What deleting for good can do without is no fault.
#[tokio::test(flavor = "multi_thread")]
async fn the_check_advises_about_the_cdn() {
    let server = Server::start();
    for action in ["cloudfront:ListDistributions", "cloudfront:CreateInvalidation"] {
        let guard =
            Guard::before(&server.endpoint, move |asked| (asked == action).then_some("AccessDenied")).await.unwrap();
        let (_, lines) = check(&connected(&guard.endpoint, |text| text));
        let clear = lines.iter().find(|line| line["title"] == "Clear the CDN").unwrap();
        assert_eq!(clear["outcome"], "advice", "{clear}");
        assert!(clear["remedy"].as_str().unwrap().contains(action), "{clear}");
    }
}

/// The main job and all that is around it, with the actions of the policy and no more.
#[tokio::test(flavor = "multi_thread")]
async fn the_policy_is_enough_and_not_too_much() {
    let server = Server::start();
    let allowed: BTreeSet<String> = ACTIONS.iter().map(|action| action.name.to_owned()).collect();
    let policy = allowed.clone();
    let refuse =
        move |asked: &str| (asked != "sts:GetCallerIdentity" && !policy.contains(asked)).then_some("AccessDenied");
    let guard = Guard::before(&server.endpoint, refuse).await.unwrap();
    let reelctl = connected(&guard.endpoint, |text| text);
    let run = |arguments: &[&str]| {
        let (well, lines) = reelctl.run(&[&["--workspace", "production"], arguments].concat()).unwrap();
        assert!(well, "{arguments:?}: {lines:#?}");
        lines
    };
    let names = run(&["workspace", "names", "--profile", "media", "--endpoint", &guard.endpoint]);
    assert!(names[0]["buckets"]["names"].as_array().unwrap().contains(&reeldesk_sandbox::SOURCE_BUCKET.into()));
    let folder = tempfile::tempdir().unwrap();
    let long = reeldesk_tests::long_film(folder.path()).unwrap();
    let ready = run(&["ingest", long.to_str().unwrap(), film().to_str().unwrap(), "--wait"]);
    let guid = ready.iter().find(|line| line["state"] == "ready").unwrap()["guid"].as_str().unwrap().to_owned();
    run(&["videos", "list"]);
    run(&["videos", "show", &guid]);
    run(&["videos", "sync"]);
    run(&["videos", "trash", &guid]);
    run(&["jobs", "list"]);
    run(&["uploads", "list"]);
    run(&["uploads", "orphans"]);
    run(&["viewers", "groups", "create", "viewers"]);
    run(&["viewers", "invite", "ada@example.com", "--group", "viewers"]);
    run(&["viewers", "list", "--group", "viewers"]);
    run(&["videos", "purge", &guid, "--yes"]);
    run(&["workspace", "check"]);
    let mut asked = guard.asked();
    asked.remove("sts:GetCallerIdentity");
    let unused: Vec<_> = allowed.difference(&asked).collect();
    assert_eq!(unused, ["kms:Decrypt", "kms:GenerateDataKey"], "the policy allows what nobody needs");
    assert!(asked.is_subset(&allowed), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_have_their_own_sentences() {
    let server = Server::start();
    let (well, lines) = connect(&with_profile("AKIANOBODYKNOWSTHIS0", "x"), &server.endpoint);
    assert!(!well && lines[0]["code"] == "sign-in", "{lines:#?}");
    assert!(lines[0]["message"].as_str().unwrap().contains("does not know this access key"), "{lines:#?}");

    for (code, words) in [
        ("ExpiredToken", "the sign-in has expired"),
        ("SignatureDoesNotMatch", "the secret access key does not belong to the access key"),
    ] {
        let guard = Guard::before(&server.endpoint, move |asked| (asked == "sts:GetCallerIdentity").then_some(code));
        let reelctl = connected(&guard.await.unwrap().endpoint, |text| text);
        let guard = Guard::before(&server.endpoint, move |asked| (asked == "sts:GetCallerIdentity").then_some(code));
        let guard = guard.await.unwrap();
        let settings = reelctl.data.path().join("settings.toml");
        let text = std::fs::read_to_string(&settings).unwrap();
        let endpoint = text.lines().find(|line| line.starts_with("endpoint")).unwrap();
        std::fs::write(&settings, text.replace(endpoint, &format!("endpoint = \"{}\"", guard.endpoint))).unwrap();
        let (well, lines) = check(&reelctl);
        assert!(!well);
        says(&lines, "sign-in", words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_names_have_their_own_sentences() {
    let server = Server::start();
    let with = |old: &'static str, new: &'static str| {
        let reelctl = connected(&server.endpoint, |text| {
            assert!(text.contains(old), "{text}");
            text.replace(old, new)
        });
        let (well, lines) = check(&reelctl);
        assert!(!well, "{lines:#?}");
        lines
    };
    let lines = with("region = \"us-east-1\"", "region = \"eu-west-1\"");
    says(&lines, "invalid", "is in us-east-1, the workspace in eu-west-1");
    let lines = with("table = \"reeldesk-sandbox\"", "table = \"nowhere\"");
    says(&lines, "not-found", "The table \"nowhere\"");
    let lines = with("sourceBucket = \"reeldesk-sandbox-source\"", "sourceBucket = \"nowhere-at-all\"");
    says(&lines, "not-found", "There is no bucket \"nowhere-at-all\"");
    let lines = with("userPool = \"us-east-1_Reeldesk0\"", "userPool = \"us-east-1_Nobody\"");
    says(&lines, "not-found", "us-east-1_Nobody");
    let lines = with("trigger = \"videoFile\"", "trigger = \"metadataFile\"");
    says(&lines, "invalid", "The pipeline starts on videos");
    let lines = with("account = \"000000000000\"", "account = \"111111111111\"");
    says(&lines, "invalid", "The credentials are of the account 000000000000");
}

/// The bucket is there and may be used, and is someone else's: nothing is sent to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_another_account_gets_nothing() {
    let server = Server::start();
    // An endpoint without STS, so that nothing but the bucket tells the account.
    let no_sts = |asked: &str| (asked == "sts:GetCallerIdentity").then_some("InvalidAction");
    let guard = Guard::before(&server.endpoint, no_sts).await.unwrap();
    let reelctl = connected(&server.endpoint, |text| {
        let s3 = format!("s3Endpoint = \"{}\"\naccount = \"222222222222\"", guard.endpoint);
        text.replace("account = \"000000000000\"", &s3).replace(&server.endpoint, &guard.endpoint)
    });
    let (well, lines) = check(&reelctl);
    assert!(!well);
    says(&lines, "invalid", "belongs to another account");
    assert!(!lines.iter().any(|line| line["title"] == "Send a file"), "{lines:#?}");
    assert!(!guard.asked().contains("s3:PutObject"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_none_has_its_own_sentence() {
    let server = Server::start();
    let reelctl = connected(&server.endpoint, |text| text);
    let settings = reelctl.data.path().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace(&server.endpoint, "http://127.0.0.1:1")).unwrap();
    let (well, lines) = check(&reelctl);
    assert!(!well);
    says(&lines, "network", "AWS did not answer");

    // A sign-in page of a network, where the proxy should be.
    let page = page_for_people().await;
    let elsewhere = text.replace(&server.endpoint, "http://aws.example.com");
    std::fs::write(&settings, elsewhere).unwrap();
    let reelctl = reelctl.with("HTTP_PROXY", page);
    let (well, lines) = check(&reelctl);
    assert!(!well);
    says(&lines, "network", "instead of AWS a page answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off() {
    let server = Server::start();
    let reelctl = connected(&server.endpoint, |text| text);
    let command = reelctl.command(&["--workspace", "production", "workspace", "check"]).unwrap();
    let mut faketime = Command::new("faketime");
    faketime.args(["-m", "--exclude-monotonic", "-f", "+2h"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        faketime.env(name, value.unwrap_or_default());
    }
    let output = faketime.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    says(&lines, "clock", "This computer's clock is off by 1");
    // What else a wrong clock breaks is not told as if it were something else.
    assert!(!lines.iter().any(|line| line["area"] == "upload"), "{lines:#?}");
}

#[test]
fn settings_that_are_broken_are_kept() {
    let reelctl = with_profile(KEYS.0, KEYS.1);
    let settings = reelctl.data.path().join("settings.toml");
    std::fs::write(&settings, "version = 1\n[[workspace]]\nname = \"half").unwrap();
    let (well, lines) = reelctl.run(&["workspace", "list"]).unwrap();
    assert!(!well && lines[0]["code"] == "invalid", "{lines:#?}");
    let message = lines[0]["message"].as_str().unwrap();
    let aside = message.split_once("kept as ").unwrap().1.trim_end_matches('.');
    assert!(std::fs::read_to_string(aside).unwrap().ends_with("\"half"));
    assert!(reelctl.run(&["workspace", "list"]).unwrap().0);
}

/// A server that answers everything with a page.
async fn page_for_people() -> String {
    answering("200 OK", "text/html", "<html><title>Welcome to the airport</title></html>").await
}

/// A server that gives everyone the same answer.
async fn answering(status: &'static str, kind: &'static str, body: &'static str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                // All that matters of the request is that there is one.
                let Ok(1..) = stream.read(&mut [0; 8192]).await else { return };
                let length = body.len();
                let head = format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n");
                stream.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes()).await.ok();
            });
        }
    });
    address
}

/// Whether the secrets of a run are in anything that it wrote.
#[test]
fn no_secret_is_written() {
    let server = Server::start();
    let reelctl = connected(&server.endpoint, |text| text).with("REELDESK_LOG", "trace");
    let output = reelctl.command(&["--workspace", "production", "workspace", "check"]).unwrap().output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(log.len() > 10_000, "the log is not as long as it should be");
    assert!(!log.contains(KEYS.1), "the secret is in the log");
    assert!(!String::from_utf8_lossy(&output.stdout).contains(KEYS.1));
    for path in files(reelctl.data.path()).filter(|path| !path.ends_with("aws-credentials")) {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(KEYS.1.len()).any(|window| window == KEYS.1.as_bytes()), "{}", path.display());
    }
}

fn files(folder: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.into_iter()
}

/// Who may only look sees all there is, and changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_policy_of_who_may_only_look() {
    let server = Server::start();
    let item = reeldesk_tests::catalog::item_in(reeldesk_sandbox::SOURCE_BUCKET, 1);
    let guid = item["guid"].as_s().unwrap().clone();
    reeldesk_tests::catalog::write(&server.dynamodb(), reeldesk_sandbox::TABLE, [item].into_iter()).await;
    let look: BTreeSet<String> =
        ACTIONS.iter().filter(|action| action.rights == Rights::Look).map(|action| action.name.to_owned()).collect();
    let refuse =
        move |asked: &str| (asked != "sts:GetCallerIdentity" && !look.contains(asked)).then_some("AccessDenied");
    let guard = Guard::before(&server.endpoint, refuse).await.unwrap();
    let reelctl = connected(&guard.endpoint, |text| text);
    let run = |arguments: &[&str]| reelctl.run(&[&["--workspace", "production"], arguments].concat()).unwrap();
    for arguments in
        [&["videos", "sync"][..], &["videos", "list"], &["jobs", "list"], &["viewers", "list"], &["videos", "search"]]
    {
        let (well, lines) = run(arguments);
        assert!(well, "{arguments:?}: {lines:#?}");
    }
    let (well, lines) = run(&["videos", "trash", &guid]);
    let summary = lines.last().unwrap();
    assert!(!well && summary["error"]["code"] == "access-denied", "{lines:#?}");
    assert_eq!((summary["done"].as_u64(), summary["left"].as_u64()), (Some(0), Some(1)));
    let policy = reelctl.command(&["--workspace", "production", "workspace", "policy", "--read-only"]).unwrap();
    let policy = String::from_utf8({ policy }.output().unwrap().stdout).unwrap();
    assert!(
        policy.contains("dynamodb:Scan") && !policy.contains("UpdateItem") && !policy.contains("PutObject"),
        "{policy}"
    );
}
