//! AWS as it is: older pipelines, stricter buckets, and bad days.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumMode;
use reeldesk_sandbox::{KMS_KEY, SOURCE_BUCKET, TABLE};
use reeldesk_tests::{Reelctl, ffprobe, film, long_film, make};
use serde_json::{Value, json};

use crate::ministack::dynamodb;
use crate::server::{KEYS, Server};
use crate::workspaces::connected;

const WORKSPACE: [&str; 2] = ["--workspace", "production"];

fn run(reelctl: &Reelctl, arguments: &[&str]) -> (bool, Vec<Value>) {
    reelctl.run(&[&WORKSPACE, arguments].concat()).unwrap()
}

#[track_caller]
fn well(reelctl: &Reelctl, arguments: &[&str]) -> Vec<Value> {
    let (well, lines) = run(reelctl, arguments);
    assert!(well, "{arguments:?}: {lines:#?}");
    lines
}

fn ready(lines: &[Value]) -> &Value {
    lines.iter().find(|line| line["state"] == "ready").unwrap_or_else(|| panic!("{lines:#?}"))
}

fn finding<'a>(lines: &'a [Value], title: &str) -> &'a Value {
    lines.iter().find(|line| line["title"] == title).unwrap_or_else(|| panic!("{lines:#?}"))
}

/// In front of the other fields, as TOML wants it.
fn with_key(text: String, header: &str) -> String {
    let text = text.replace("encryption = \"none\"", &format!("encryption = \"{header}\"\nkmsKey = \"{KMS_KEY}\""));
    assert!(text.contains(KMS_KEY), "{text}");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_wants_its_key_to_be_asked_for() {
    let server = Server::with(&["--kms", "--control"]);
    let folder = tempfile::tempdir().unwrap();
    let long = long_film(folder.path()).unwrap();

    // Nobody told the workspace: the check says what is wanted, and an upload fails in words.
    let reelctl = connected(&server.endpoint, |text| text);
    let (is_well, lines) = run(&reelctl, &["workspace", "check"]);
    assert!(!is_well);
    let sent = finding(&lines, "Send a file");
    assert_eq!(sent["outcome"], "wrong", "{sent:#}");
    assert!(sent["error"]["remedy"].as_str().unwrap().contains("Encryption header"), "{sent:#}");
    let (is_well, lines) = run(&reelctl, &["ingest", long.to_str().unwrap()]);
    assert!(!is_well && lines.last().unwrap()["code"] == "access-denied", "{lines:#?}");

    // Parts, small files and subtitles go up with the header.
    let reelctl = connected(&server.endpoint, |text| with_key(text, "kms"));
    let lines = well(&reelctl, &["workspace", "check"]);
    assert_eq!(finding(&lines, "Send a file")["note"], format!("encrypted with {KMS_KEY}"));
    assert_eq!(finding(&lines, "Send a file in parts")["outcome"], "works");
    let policy = reelctl.command(&[&WORKSPACE[..], &["workspace", "policy"]].concat()).unwrap().output().unwrap();
    let policy = String::from_utf8(policy.stdout).unwrap();
    assert!(policy.contains(KMS_KEY) && policy.contains("kms:Decrypt"), "{policy}");
    for file in [&long, &film()] {
        let lines = well(&reelctl, &["ingest", file.to_str().unwrap(), "--wait"]);
        let guid = ready(&lines)["guid"].as_str().unwrap().to_owned();
        assert!(ready(&lines)["servedBy"].is_null(), "an account's CDN stays");
        let video = well(&reelctl, &["videos", "show", &guid])[0]["video"].clone();
        let key = video["srcVideo"].as_str().unwrap().to_owned();
        let head = server.client().head_object().bucket(SOURCE_BUCKET).key(key).checksum_mode(ChecksumMode::Enabled);
        let head = head.send().await.unwrap();
        assert_eq!(head.ssekms_key_id(), Some(KMS_KEY));
        assert!(head.checksum_crc64_nvme().is_some());
    }

    // Any files, too.
    let environment = Reelctl::new().unwrap().with("AWS_ENDPOINT_URL", server.endpoint.as_str());
    let environment = environment.with("AWS_ACCESS_KEY_ID", KEYS.0).with("AWS_SECRET_ACCESS_KEY", KEYS.1);
    let to = format!("s3://{SOURCE_BUCKET}/kit/");
    let upload = ["upload", long.to_str().unwrap(), "--to", &to];
    assert!(!environment.run(&upload).unwrap().0);
    let (is_well, lines) =
        environment.run(&[&upload[..], &["--sse", "aws:kms", "--sse-kms-key-id", KMS_KEY]].concat()).unwrap();
    assert!(is_well, "{lines:#?}");

    // The account may not use the key: S3 says so of a part only.
    let message =
        format!("User: arn:aws:iam::000000000000:user/x is not authorized to perform: kms:Decrypt on {KMS_KEY}");
    let refuse =
        json!([{ "on": "UploadPart", "kind": "refuse", "status": 403, "code": "AccessDenied", "message": message }]);
    server.order(refuse).await;
    let (is_well, lines) = run(&reelctl, &["workspace", "check"]);
    let parts = finding(&lines, "Send a file in parts");
    assert!(!is_well && parts["outcome"] == "denied", "{parts:#}");
    assert_eq!(
        (&parts["missing"]["action"], &parts["missing"]["resources"][0]),
        (&json!("kms:Decrypt"), &json!(KMS_KEY))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_with_object_lock() {
    let server = Server::with(&["--object-lock"]);
    let client = server.client();
    // Harsh as S3 is: without a checksum nothing is taken, and a version stays.
    let plain = aws_sdk_s3::Client::from_conf(
        client
            .config()
            .to_builder()
            .request_checksum_calculation(aws_sdk_s3::config::RequestChecksumCalculation::WhenRequired)
            .build(),
    );
    let put = plain.put_object().bucket(SOURCE_BUCKET).key("x").body(ByteStream::from_static(b"x")).send().await;
    assert_eq!(put.unwrap_err().code(), Some("InvalidRequest"));

    let folder = tempfile::tempdir().unwrap();
    let (long, small) = (long_film(folder.path()).unwrap(), folder.path().join("small.mp4"));
    std::fs::copy(film(), &small).unwrap();
    std::fs::write(folder.path().join("small.en.srt"), "1\n00:00:00,000 --> 00:00:01,000\nHi\n").unwrap();
    let reelctl = connected(&server.endpoint, |text| text);
    let lines = well(&reelctl, &["workspace", "check"]);
    let kept = finding(&lines, "Remove it again");
    assert_eq!(kept["outcome"], "advice", "{kept:#}");
    assert!(kept["message"].as_str().unwrap().contains("Object Lock"), "{kept:#}");
    let lines = well(&reelctl, &["ingest", long.to_str().unwrap(), small.to_str().unwrap(), "--wait"]);
    assert_eq!(lines.iter().filter(|line| line["state"] == "ready").count(), 2, "{lines:#?}");

    // A pipeline that is told by a metadata file is told.
    let reelctl = connected(&server.endpoint, |text| text.replace("videoFile", "metadataFile"));
    let film = folder.path().join("told.mp4");
    make(&film, &["-i", small.to_str().unwrap(), "-c", "copy", "-t", "1"]).unwrap();
    well(&reelctl, &["ingest", film.to_str().unwrap()]);
    let listed = server.client().list_objects_v2().bucket(SOURCE_BUCKET).send().await.unwrap();
    let keys: Vec<_> = listed.contents().iter().filter_map(|object| object.key()).collect();
    assert!(keys.iter().any(|key| key.ends_with("told.json")), "{keys:?}");
}

/// The streams of the DASH presentation that an item names, as an independent reader finds them.
async fn dash_of(server: &Server, guid: &str) -> Vec<String> {
    let item = dynamodb(&server.endpoint, KEYS).get_item().table_name(TABLE);
    let item = item.key("guid", AttributeValue::S(guid.to_owned())).send().await.unwrap().item.unwrap();
    let Some(manifest) = item.get("dashPlaylist").map(|value| value.as_s().unwrap()) else { return Vec::new() };
    let url = item["dashUrl"].as_s().unwrap();
    assert!(manifest.ends_with(".mpd") && url.ends_with(manifest.splitn(4, '/').nth(3).unwrap()), "{item:#?}");
    assert_eq!(reqwest::get(url).await.unwrap().headers()["content-type"], "application/dash+xml");
    let probed = ffprobe(url).unwrap();
    probed["streams"].as_array().unwrap().iter().map(|stream| stream["codec_type"].as_str().unwrap().into()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelines_of_each_generation() {
    for (version, has_mp4) in [("4.3", true), ("5.2", true), ("6.1", false)] {
        let server = Server::with(&["--pipeline", version]);
        // Found by its stack, whose outputs had other names.
        let reelctl = connected(&server.endpoint, |text| text);
        let folder = tempfile::tempdir().unwrap();
        let film = folder.path().join("film.mp4");
        let sources = ["-f", "lavfi", "-i", "testsrc2=s=320x180:d=2:r=25", "-f", "lavfi", "-i", "sine=d=2"];
        make(&film, &[&sources[..], &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"]].concat()).unwrap();
        let lines = well(&reelctl, &["ingest", film.to_str().unwrap(), "--wait"]);
        let guid = ready(&lines)["guid"].as_str().unwrap().to_owned();
        let video = well(&reelctl, &["videos", "show", &guid])[0]["video"].clone();
        assert_eq!(video["status"]["kind"], "complete", "{version}: {video:#}");
        assert_eq!(!video["mp4Urls"].as_array().unwrap().is_empty(), has_mp4, "{version}: {video:#}");
        assert!(
            video["jobId"].is_string() && video["endedAt"].is_number() && video["thumbnailUrl"].is_string(),
            "{video:#}"
        );
        assert!(video["startedAt"].is_number(), "{video:#}");
        let expected = if has_mp4 { vec!["video", "video", "video", "video", "audio"] } else { Vec::new() };
        assert_eq!(dash_of(&server, &guid).await, expected, "{version}");

        // What does not start it is not sent, and says so.
        let other = folder.path().join("other.mkv");
        make(&other, &["-i", film.to_str().unwrap(), "-c", "copy"]).unwrap();
        let (is_well, lines) = run(&reelctl, &["ingest", other.to_str().unwrap(), "--wait"]);
        assert_eq!(is_well, version == "6.1", "{version}: {lines:#?}");
        if !is_well {
            assert!(lines.last().unwrap()["message"].as_str().unwrap().contains("mkv"), "{lines:#?}");
        }
    }
}

/// The bad days of a completion, and of all that is asked.
#[tokio::test(flavor = "multi_thread")]
async fn bad_days_end_in_a_video() {
    let server = Server::with(&["--control"]);
    let reelctl = connected(&server.endpoint, |text| text);
    let folder = tempfile::tempdir().unwrap();
    let days = [
        ("slow", json!([{ "on": "CompleteMultipartUpload", "times": 1, "kind": "blanks", "milliseconds": 8000 }])),
        (
            "inside",
            json!([{ "on": "CompleteMultipartUpload", "times": 2, "kind": "errorInside", "code": "InternalError" }]),
        ),
        (
            "conflict",
            json!([{ "on": "CompleteMultipartUpload", "times": 1, "kind": "refuse", "status": 409,
            "code": "ConditionalRequestConflict" }]),
        ),
        ("gone", json!([{ "on": "UploadPart", "times": 1, "kind": "refuse", "status": 404, "code": "NoSuchUpload" }])),
        ("throttled", json!([{ "times": 12, "kind": "throttle" }])),
        (
            "catalog",
            json!([{ "on": "Query", "times": 3, "kind": "throttle" }, { "on": "GetItem", "times": 3, "kind": "throttle" }]),
        ),
    ];
    for (number, (name, faults)) in days.into_iter().enumerate() {
        let film = folder.path().join(format!("{name}.mp4"));
        // Above the size that goes up in one request, and each of its own content.
        let noise = format!("nullsrc=s=640x360:d=3.{number}:r=25,geq=random(1)*255:128:128");
        make(&film, &["-f", "lavfi", "-i", &noise, "-c:v", "libx264", "-b:v", "30M", "-pix_fmt", "yuv420p"]).unwrap();
        assert!(film.metadata().unwrap().len() > 6 << 20, "{}", film.metadata().unwrap().len());
        server.order(faults).await;
        let lines = well(&reelctl, &["ingest", film.to_str().unwrap(), "--wait"]);
        ready(&lines);
        assert_eq!(server.ordered().await, json!([]), "{name}: it never happened");
    }
    let videos = well(&reelctl, &["videos", "list"]);
    assert_eq!(videos.len(), 6, "each is there once: {videos:#?}");
}

/// Credentials that expire in mid-upload are waited for, and an event that is lost ends in words.
#[tokio::test(flavor = "multi_thread")]
async fn expired_credentials_and_a_lost_event() {
    let server = Server::with(&["--control"]);
    let reelctl = connected(&server.endpoint, |text| text);
    let folder = tempfile::tempdir().unwrap();
    let long = long_film(folder.path()).unwrap();
    server.order(json!([{ "on": "UploadPart", "times": 3, "kind": "expiredCredentials" }])).await;
    let lines = well(&reelctl, &["ingest", long.to_str().unwrap(), "--wait"]);
    let waited = |line: &Value| line["notice"].as_str().is_some_and(|notice| notice.contains("sign-in"));
    assert!(lines.iter().any(waited), "{lines:#?}");
    ready(&lines);

    // The pipeline never hears of it: the object is there, no video comes of it, and the row waits on.
    server.order(json!([{ "on": "ObjectCreated", "times": 1, "kind": "lose" }])).await;
    let small = folder.path().join("small.mp4");
    std::fs::copy(film(), &small).unwrap();
    let arguments = [&WORKSPACE[..], &["ingest", small.to_str().unwrap(), "--wait"]].concat();
    let mut sender = crate::steering::Sender::start(&reelctl, &arguments);
    sender.until(|line| line["state"] == "verified");
    while server.ordered().await != json!([]) {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // Another one after it goes its way: what was lost is lost, and not late.
    let other = folder.path().join("other.mp4");
    make(&other, &["-i", small.to_str().unwrap(), "-c", "copy", "-t", "1"]).unwrap();
    let elsewhere = connected(&server.endpoint, |text| text);
    ready(&well(&elsewhere, &["ingest", other.to_str().unwrap(), "--wait"]));
    sender.child.kill().unwrap();
    let waiting = well(&reelctl, &["uploads", "list"]);
    let own = waiting.iter().find(|line| line["path"] == small.to_str().unwrap()).unwrap();
    assert_eq!((&own["stage"], &own["guid"]), (&json!("verified"), &Value::Null), "{own:#}");
    assert_eq!(well(&reelctl, &["videos", "list"]).len(), 2, "that of the first film, and of the other");
    // Hours later it does not wait any more: someone has to see to it.
    let store = rusqlite::Connection::open(reelctl.data.path().join("reeldesk.sqlite")).unwrap();
    let hours_ago =
        "UPDATE journeys SET body = json_set(body, '$.verifiedAt', body ->> '$.verifiedAt' - 4 * 3600 * 1000)
                     WHERE id = ?1";
    assert_eq!(store.execute(hours_ago, [own["id"].as_str().unwrap()]).unwrap(), 1);
    let (ended, lines) = run(&reelctl, &["ingest", small.to_str().unwrap(), "--wait"]);
    let last = lines.last().unwrap();
    assert!(!ended && last["code"] == "pipeline-failed", "{lines:#?}");
    assert!(last["message"].as_str().unwrap().contains("No video of \"small\" came into the catalog"), "{last:#}");
}

/// One that S3 does not remove is told, and the others are removed.
#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_upload_that_stays_holds_up_no_other() {
    let server = Server::with(&["--control"]);
    let client = server.client();
    for name in ["a", "b", "c"] {
        let key = format!("video/theirs/{name}.mp4");
        client.create_multipart_upload().bucket(SOURCE_BUCKET).key(key).send().await.unwrap();
    }
    let refuse =
        json!({ "on": "AbortMultipartUpload", "times": 1, "kind": "refuse", "status": 403, "code": "AccessDenied" });
    server.order(json!([refuse])).await;
    let (all, lines) = server.data.run(&["uploads", "orphans", "--remove", "--older-than", "0"]).unwrap();
    let refused: Vec<_> = lines.iter().filter(|line| line["code"] == "access-denied").collect();
    assert!(!all && lines.len() == 3 && refused.len() == 1, "{lines:#?}");
    let left = client.list_multipart_uploads().bucket(SOURCE_BUCKET).send().await.unwrap();
    let left: Vec<_> = left.uploads().iter().filter_map(|upload| upload.key()).collect();
    assert_eq!(left, [refused[0]["key"].as_str().unwrap()]);
    assert!(refused[0]["uploadId"].is_string());
}

/// The clock of AWS may be another one than the computer's: what it began is found all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_finds_its_video() {
    for seconds in [-600, 600] {
        let server = Server::with(&["--control"]);
        let reelctl = connected(&server.endpoint, |text| text);
        server.move_clock(seconds).await;
        let (_, findings) = run(&reelctl, &["workspace", "check"]);
        let clock = finding(&findings, "Clock");
        assert!(clock["error"]["message"].as_str().is_some_and(|text| text.contains("off by")), "{clock:#}");
        let lines = well(&reelctl, &["ingest", film().to_str().unwrap(), "--wait"]);
        ready(&lines);
    }
}

#[test]
fn an_order_without_control_is_refused() {
    let server = Server::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let ordered = runtime.block_on(http.put(format!("{}/-/faults", server.endpoint)).body("[]").send()).unwrap();
    assert!(!ordered.status().is_success());
}

/// A key that is none is said at once: waiting makes no key.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_does_not_exist() {
    let server = Server::with(&["--kms"]);
    let reelctl = connected(&server.endpoint, |text| with_key(text, "kms").replace(KMS_KEY, "alias/nobody"));
    for arguments in [&["workspace", "check"][..], &["ingest", film().to_str().unwrap()]] {
        let (is_well, lines) = run(&reelctl, arguments);
        let said = lines.iter().map(Value::to_string).collect::<String>();
        assert!(!is_well && said.contains("the KMS key cannot be used: Key 'alias/nobody' does not exist"), "{said}");
    }
}
