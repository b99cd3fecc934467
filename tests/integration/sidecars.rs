//! Files that go with a video: added beside its source, replaced without losing what was there, taken off with an undo, and known
//! until the video goes for good. Against the sandbox, and against servers that are not ours.

use std::collections::HashMap;
use std::path::PathBuf;

use aws_sdk_dynamodb::types::AttributeValue;
use reeldesk_core::catalog::{Description, Guid};
use reeldesk_core::{Folders, Instance};
use reeldesk_tests::catalog::{item_in, write};
use reeldesk_tests::{Emulator, Guard, Reelctl, Server};
use serde_json::{Value, json};

use crate::ministack::{dynamodb, make_table};

const TABLE: &str = reeldesk_sandbox::TABLE;
const SOURCE: &str = reeldesk_sandbox::SOURCE_BUCKET;

struct At<'a> {
    reelctl: &'a Reelctl,
    workspace: &'a str,
    s3: aws_sdk_s3::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    table: &'a str,
    bucket: &'a str,
}

impl At<'_> {
    fn run(&self, arguments: &[&str]) -> (bool, Vec<Value>) {
        self.reelctl.run(&[&["--workspace", self.workspace, "videos"], arguments].concat()).unwrap()
    }

    /// What goes with a video after a command that ends well.
    fn told(&self, arguments: &[&str]) -> Value {
        let (well, mut lines) = self.run(arguments);
        assert!(well, "{arguments:?}: {lines:?}");
        lines.pop().unwrap()["sidecars"].take()
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.reelctl.data.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    /// A video; what its map has beside, where there is one.
    async fn make(&self, number: u64, own: Option<(&str, AttributeValue)>) -> (String, String) {
        let mut item = item_in(self.bucket, number);
        item.remove("reeldesk");
        if let Some((name, value)) = own {
            item.insert("reeldesk".into(), AttributeValue::M(HashMap::from([(name.to_owned(), value)])));
        }
        let text = |name: &str| item[name].as_s().unwrap().clone();
        let (guid, source) = (text("guid"), text("srcVideo"));
        write(&self.dynamodb, self.table, [item].into_iter()).await;
        (guid, source.rsplit_once('.').unwrap().0.to_owned())
    }

    async fn object(&self, key: &str) -> Option<(String, String)> {
        let object = self.s3.get_object().bucket(self.bucket).key(key).send().await.ok()?;
        let kind = object.content_type.clone().unwrap_or_default();
        let bytes = object.body.collect().await.unwrap().into_bytes();
        Some((kind, String::from_utf8(bytes.to_vec()).unwrap()))
    }

    async fn own(&self, guid: &str) -> HashMap<String, AttributeValue> {
        let get = self.dynamodb.get_item().table_name(self.table).key("guid", AttributeValue::S(guid.to_owned()));
        get.consistent_read(true).send().await.unwrap().item.unwrap()["reeldesk"].as_m().unwrap().clone()
    }

    async fn all_of_it(&self) {
        // A map is made, or a list of another version is taken over.
        let (guid, stem) = self.make(1, None).await;
        let (en, two) = (self.file("a.vtt", "WEBVTT one"), self.file("b.en.vtt", "WEBVTT two"));
        let (en, two) = (en.to_str().unwrap(), two.to_str().unwrap());
        let key = format!("{stem}.en.vtt");
        let english = self.told(&["add-sidecar", &guid, en, "--language", "en", "--label", "English"]);
        assert_eq!(english, json!({ &key: "English" }));
        assert_eq!(self.object(&key).await.unwrap(), ("text/vtt".to_owned(), "WEBVTT one".to_owned()));

        // The same again changes nothing, nor does it forget what the file is called.
        let (_, same) = self.run(&["add-sidecar", &guid, en, "--language", "EN"]);
        assert_eq!((&same[0]["state"], &same[0]["key"]), (&json!("unchanged"), &json!(key)), "{same:?}");
        assert_eq!(same[0]["sidecars"], english);

        // Another file never takes the place of an object: it has a name of its own, and the list has it instead.
        let second = format!("{stem}.2.en.vtt");
        let other = self.file("c.vtt", "WEBVTT two");
        let replaced = self.told(&["add-sidecar", &guid, other.to_str().unwrap(), "--replace", &key]);
        assert_eq!(replaced, json!({ &second: "English" }));
        assert_eq!(self.object(&key).await.unwrap().1, "WEBVTT one");
        let (_, changes) = self.run(&["changes", "--limit", "1"]);
        let run = changes[0]["run"].as_str().unwrap();
        assert!(self.run(&["undo", run]).0);
        let (_, shown) = self.run(&["show", &guid]);
        assert_eq!(shown[0]["video"]["details"]["sidecars"], json!({ &key: "English" }));

        // What was taken off stays known, until the video goes for good.
        assert_eq!(self.told(&["remove-sidecar", &guid, &key]), json!({}));
        assert!(!self.run(&["remove-sidecar", &guid, &key]).0);
        let (_, shown) = self.run(&["show", &guid]);
        assert_eq!(shown[0]["video"]["sidecars"], json!([&second, &key]));

        let listed = AttributeValue::L(vec![AttributeValue::S("films/old.srt".into())]);
        let (guid, stem) = self.make(2, Some(("sidecars", listed))).await;
        let both = self.told(&["add-sidecar", &guid, two]);
        assert_eq!(both, json!({ "films/old.srt": "", format!("{stem}.en.vtt"): "" }));

        // What cannot be added is not sent, and what is sent in vain does not stay.
        let (guid, stem) = self.make(3, None).await;
        let film = self.file("film.json", "{}");
        for refused in [&["--language", "en"][..], &["--language", "english please"]] {
            let file = if refused[1] == "en" { film.to_str().unwrap() } else { en };
            let (well, lines) = self.run(&[&["add-sidecar", &guid, file], refused].concat());
            assert_eq!((well, &lines[0]["code"]), (false, &json!("invalid")), "{lines:?}");
        }
        let (empty, folder) = (self.file("empty.vtt", ""), self.reelctl.data.path().join("folder.vtt"));
        std::fs::create_dir(&folder).unwrap();
        for refused in [empty, folder] {
            let (well, lines) = self.run(&["add-sidecar", &guid, refused.to_str().unwrap()]);
            assert_eq!((well, &lines[0]["code"]), (false, &json!("invalid")), "{lines:?}");
        }
        let (well, lines) = self.run(&["add-sidecar", &guid, en, "--replace", "films/nobody-knows-it.vtt"]);
        assert_eq!((well, &lines[0]["code"]), (false, &json!("not-found")), "{lines:?}");
        let began = AttributeValue::S("2026-01-01T00:00:00Z".into());
        let (going, going_stem) = self.make(4, Some(("purgeBegan", began))).await;
        let (well, lines) = self.run(&["add-sidecar", &going, two]);
        assert!(!well, "{lines:?}");
        for stem in [stem, going_stem] {
            let left = self.s3.list_objects_v2().bucket(self.bucket).prefix(&stem).send().await.unwrap();
            assert_eq!(left.key_count, Some(0), "{stem}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_the_source() {
    let server = Server::start();
    let (s3, dynamodb) = (server.client(), server.dynamodb());
    At { reelctl: &server.data, workspace: "sandbox", s3, dynamodb, table: TABLE, bucket: SOURCE }.all_of_it().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_the_source_of_a_bucket_that_is_not_ours() {
    let ministack = Emulator::ministack().await.unwrap();
    let (s3, dynamodb) =
        (reeldesk_tests::s3(&ministack.endpoint, "test", "test"), dynamodb(&ministack.endpoint, ("test", "test")));
    make_table(&dynamodb).await;
    s3.create_bucket().bucket("vod-source").send().await.unwrap();
    let reelctl = &ministack.workspace("mini").unwrap();
    At { reelctl, workspace: "mini", s3, dynamodb, table: "vod", bucket: "vod-source" }.all_of_it().await;
}

/// What a journey sends is added to what an admin has, and does not bring back what one took off.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_off_stays_off() {
    let server = Server::start();
    let (s3, dynamodb) = (server.client(), server.dynamodb());
    let at = At { reelctl: &server.data, workspace: "sandbox", s3, dynamodb, table: TABLE, bucket: SOURCE };
    let (guid, _) = at.make(1, None).await;
    let folders = Folders::choose(Some(server.data.data.path())).unwrap();
    let session = reeldesk_shell::open(&Instance::on(&folders), "sandbox").await.unwrap();
    let of = Guid::new(guid.clone()).unwrap();
    let keys = ["x/a.srt".to_owned(), "x/b.srt".to_owned()];
    session.catalog.add_sidecars(&of, &keys[..1]).await.unwrap();
    assert_eq!(at.told(&["remove-sidecar", &guid, "x/a.srt"]), json!({}));
    session.catalog.add_sidecars(&of, &keys).await.unwrap();
    let sidecars = at.own(&guid).await["sidecars"].as_m().unwrap().clone();
    assert_eq!(sidecars["x/a.srt"], AttributeValue::Null(true));
    assert_eq!(sidecars["x/b.srt"], AttributeValue::S(String::new()));

    let (guid, stem) = at.make(2, None).await;
    let file = at.file("a.en.vtt", "WEBVTT");
    at.told(&["add-sidecar", &guid, file.to_str().unwrap(), "--label", "English"]);
    let description = Description { title: "Film".into(), sidecars: keys.to_vec(), ..Description::default() };
    session.catalog.describe(&Guid::new(guid.clone()).unwrap(), &description).await.unwrap();
    let (_, shown) = at.run(&["show", &guid]);
    let all = json!({ &keys[0]: "", &keys[1]: "", format!("{stem}.en.vtt"): "English" });
    assert_eq!(shown[0]["video"]["details"]["sidecars"], all);
}

/// A table that keeps asking to slow down holds nobody for ever: it is said, and what was sent is taken back.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_takes_nothing_is_given_up() {
    let server = Server::start();
    let (s3, dynamodb) = (server.client(), server.dynamodb());
    let refuse = |asked: &str| (asked == "dynamodb:UpdateItem").then_some("ThrottlingException");
    let guard = Guard::before(&server.endpoint, refuse).await.unwrap();
    let far = Server::connected(&guard.endpoint, "far");
    let at = At { reelctl: &far, workspace: "far", s3, dynamodb, table: TABLE, bucket: SOURCE };
    let (guid, stem) = at.make(1, None).await;
    let file = at.file("a.en.vtt", "WEBVTT");
    let (well, lines) = at.run(&["add-sidecar", &guid, file.to_str().unwrap()]);
    assert_eq!((well, &lines[0]["code"]), (false, &json!("throttled")), "{lines:?}");
    assert!(at.object(&format!("{stem}.en.vtt")).await.is_none());
    let (_, changes) = at.run(&["changes"]);
    assert!(changes.iter().all(|change| change["left"] == 0), "{changes:?}");
}
