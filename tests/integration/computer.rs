//! What is wrong with this computer is named: its clock, its disk, the certificates it is given.

use std::path::Path;
use std::process::{Command, Stdio};

use reeldesk_sandbox::DESTINATION_BUCKET as BUCKET;
use reeldesk_tests::{Reelctl, noise};
use serde_json::Value;

use crate::server::{Server, reelctl_of_sandbox};

const MIB: usize = 1024 * 1024;

/// The last line of a command that is run by another one.
fn last_line(mut wrapper: Command, command: &Command) -> Value {
    wrapper.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            wrapper.env(name, value);
        }
    }
    let output = wrapper.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let last = text.lines().last().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(last).unwrap()
}

/// A command on a disk of so many KiB of its own, where its data is.
fn on_a_small_disk(reelctl: &Reelctl, kib: u32) -> Command {
    let mut unshare = Command::new("unshare");
    let script = r#"mount -t tmpfs -o size="$1"k none "$2" && shift 2 && exec "$@""#;
    unshare.args(["--map-root-user", "--mount", "sh", "-c", script, "sh", &kib.to_string()]);
    unshare.arg(reelctl.data.path());
    unshare
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    // One request for the small file; the large one begins with a question whose answer has no body.
    for (name, size) in [("small.bin", 1000), ("large.bin", 20 * MIB)] {
        let file = folder.path().join(name);
        noise(&file, size).unwrap();
        let reelctl = reelctl_of_sandbox(&server.endpoint);
        let to = format!("s3://{BUCKET}/");
        let command = reelctl.command(&["upload", file.to_str().unwrap(), "--to", &to]).unwrap();
        for off in ["+2h", "-2h"] {
            let mut faketime = Command::new("faketime");
            faketime.args(["-m", "--exclude-monotonic", "-f", off]);
            let last = last_line(faketime, &command);
            assert_eq!((&last["state"], &last["code"]), (&"failed".into(), &"clock".into()), "{last:#}");
        }
        // Set right, the same command goes on.
        let (well, lines) = reelctl.run(&["upload", file.to_str().unwrap(), "--to", &to]).unwrap();
        assert!(well, "{:#}", lines.last().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_the_upload_with_a_sentence_and_loses_nothing() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("many");
    std::fs::create_dir(&files).unwrap();
    for number in 0..400 {
        std::fs::write(files.join(format!("{number:03}.vtt")), format!("WEBVTT {number}")).unwrap();
    }
    let reelctl = reelctl_of_sandbox(&server.endpoint);
    let to = format!("s3://{BUCKET}/");
    let arguments = ["upload", files.to_str().unwrap(), "--to", &to];
    let last = last_line(on_a_small_disk(&reelctl, 180), &reelctl.command(&arguments).unwrap());
    assert_eq!((&last["state"], &last["code"]), (&"failed".into(), &"storage-full".into()), "{last:#}");
    // With room again, all of them get there, and each is what it should be.
    let (well, lines) = reelctl.run(&arguments).unwrap();
    assert!(well && lines.iter().filter(|line| line["state"] == "uploaded").count() == 400);
    let client = server.client();
    for number in [0, 200, 399] {
        let key = format!("many/{number:03}.vtt");
        let object = client.get_object().bucket(BUCKET).key(&key).send().await.unwrap();
        assert_eq!(object.body.collect().await.unwrap().to_vec(), format!("WEBVTT {number}").into_bytes());
    }
}

/// A store that something has written over is not used, and not thrown away: the sentence says which file it is.
#[test]
fn a_damaged_store_is_named() {
    let reelctl = Reelctl::new().unwrap();
    let store = reelctl.data.path().join("reeldesk.sqlite");
    let junk = "no database".repeat(1000);
    std::fs::write(&store, &junk).unwrap();
    let (well, lines) = reelctl.run(&["ingest", reeldesk_tests::film().to_str().unwrap()]).unwrap();
    let last = lines.last().unwrap();
    assert!(!well && last["code"] == "file-unreadable", "{last:#}");
    assert!(
        last["message"].as_str().unwrap().contains("reeldesk.sqlite")
            && last["remedy"].as_str().unwrap().contains("keep them")
    );
    assert_eq!(std::fs::read_to_string(&store).unwrap(), junk);
}

#[test]
fn certificates_that_are_not_there() {
    let reelctl = reelctl_of_sandbox("https://127.0.0.1:1").with("AWS_CA_BUNDLE", "/nowhere/ca.pem");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let (well, lines) = reelctl.run(&["upload", file.to_str().unwrap(), "--to", "s3://kit/"]).unwrap();
    let last = lines.last().unwrap();
    assert!(!well && last["code"] == "invalid", "{last:#}");
    assert!(last["message"].as_str().unwrap().contains("/nowhere/ca.pem"));
}

#[test]
fn no_credentials_anywhere() {
    // Nothing answers there, as nothing answers for the metadata of a machine that is none of EC2.
    let reelctl = Reelctl::new()
        .unwrap()
        .with("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        .with("AWS_CONFIG_FILE", "/nonexistent")
        .with("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        .with("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let (well, lines) = reelctl.run(&["upload", file.to_str().unwrap(), "--to", "s3://kit/"]).unwrap();
    let last = lines.last().unwrap();
    assert!(!well && last["code"] == "sign-in", "{last:#}");
    assert!(last["message"].as_str().unwrap().contains("there are no AWS credentials"));
}

/// Names and addresses of viewers, what was logged, and what is locked are for nobody else on this computer.
#[cfg(unix)]
#[test]
fn what_is_kept_is_for_its_user_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    // A store of an earlier version, open to all.
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("reeldesk.sqlite"), b"").unwrap();
    for (path, mode) in [(data.clone(), 0o755), (data.join("reeldesk.sqlite"), 0o644)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let reelctl = Reelctl::at(&data);
    let (well, lines) = reelctl.run(&["ingest", reeldesk_tests::film().to_str().unwrap()]).unwrap();
    assert!(well, "{lines:#?}");
    let (well, lines) = reelctl.run(&["viewers", "invite", "ada@example.com"]).unwrap();
    assert!(well, "{lines:#?}");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o755, "a folder that someone made may be shared on purpose");
    let own = Reelctl::at(&folder.path().join("new/data"));
    assert!(own.run(&["videos", "list"]).unwrap().0);
    assert_eq!(mode(own.data.path()), 0o700);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&data).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        assert_eq!(mode(&entry.path()), 0o600, "{}", entry.path().display());
        files.push(entry.file_name().into_string().unwrap());
    }
    assert!(
        files.iter().any(|name| name == "reeldesk.sqlite") && files.iter().any(|name| name.ends_with(".lock")),
        "{files:?}"
    );
}

/// A page of another site that makes its own name lead here (DNS rebinding) reads nothing of the sandbox.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_was_rebound_is_refused() {
    let sandbox = crate::server::OwnSandbox::start().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for endpoint in [&sandbox.endpoints.api, &sandbox.endpoints.cdn, &sandbox.endpoints.site] {
        for (host, is_ours) in [("evil.example", false), ("127.0.0.1.evil.example:80", false), ("localhost:1", true)] {
            let answer = http.get(format!("{endpoint}/x/y.m3u8")).header("Host", host).send().await.unwrap();
            let text = answer.text().await.unwrap();
            assert_eq!(text.contains("sandbox answers"), !is_ours, "{endpoint} as {host}: {text}");
        }
    }
    sandbox.sandbox.stop().await;
}
