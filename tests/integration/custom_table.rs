//! A catalog table of an operator's own: another key, other names, paths in the place of addresses. All that is done with the
//! solution's is done with it. Against the sandbox, and against an emulator that we did not write.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use reeldesk_core::catalog::{FieldChange, Guid, Saved, VideoField};
use reeldesk_core::{Folders, Instance};
use reeldesk_tests::{Emulator, Reelctl, Server, binary, film};
use serde_json::{Value, json};

use crate::ministack::dynamodb;
use crate::server::KEYS;

const TABLE: &str = reeldesk_sandbox::CUSTOM_TABLE;

type Attributes = HashMap<String, AttributeValue>;

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

async fn stored(client: &Client, table: &str, key: &str) -> Option<Attributes> {
    let get = client.get_item().table_name(table).key("videoId", text(key)).consistent_read(true);
    get.send().await.unwrap().item
}

/// Runs a command on the videos of a workspace; it ends well.
fn videos(reelctl: &Reelctl, workspace: &str, arguments: &[&str]) -> Vec<Value> {
    let (done, lines) = reelctl.run(&[&["--workspace", workspace, "videos"], arguments].concat()).unwrap();
    assert!(done, "{arguments:?}: {lines:#?}");
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_job_in_a_table_of_ones_own() {
    let server = Server::with(&["--catalog", "custom"]);
    let client = server.dynamodb();
    let run = |arguments: &[&str]| videos(&server.data, "sandbox", arguments);
    let (sent, lines) = server.data.run(&["ingest", &film().to_string_lossy(), "--wait"]).unwrap();
    let last = lines.last().unwrap();
    assert!(sent && last["state"] == "ready", "{lines:#?}");
    let key = last["guid"].as_str().unwrap().to_owned();
    // What the pipeline wrote is under other names, and a path.
    let item = stored(&client, TABLE, &key).await.unwrap();
    assert_eq!(item["state"], text("READY"));
    assert_eq!(item["location"], text(&format!("{key}/hls/bigbuckbunny.m3u8")));
    assert!(!item.contains_key("guid") && !item.contains_key("workflowStatus"), "{item:?}");
    let shown = run(&["show", &key]).remove(0)["video"].take();
    assert_eq!((&shown["status"]["kind"], &shown["title"]), (&json!("complete"), &json!("bigbuckbunny")));
    assert!(shown["hlsUrl"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{shown:#?}");
    assert!(shown["height"].as_u64().is_some() && shown["duration"].as_f64().is_some_and(|seconds| seconds > 1.0));
    assert_eq!(shown["others"], json!({ "madeBy": "on-upload" }));

    // What admins say goes where the table has a place for it, and the rest into the map.
    run(&["edit", &key, "--title", "Rabbit Season", "--tag", "genre=Short"]);
    let edited = stored(&client, TABLE, &key).await.unwrap();
    let own = edited["reeldesk"].as_m().unwrap();
    assert_eq!((&edited["name"], own.get("title")), (&text("Rabbit Season"), None));
    assert_eq!(own["tags"].as_m().unwrap()["genre"], text("Short"));
    for name in item.keys().filter(|name| *name != "reeldesk") {
        assert_eq!(edited.get(name), item.get(name), "{name} is left alone");
    }
    assert_eq!(run(&["search", "rabbit", "tag:genre=Short"]).len(), 1);
    // In the trash viewers do not get it, whoever serves them; out of it it is as it was.
    run(&["publish", &key]);
    let published = async || stored(&client, TABLE, &key).await.unwrap()["isPublished"].clone();
    assert_eq!(published().await, AttributeValue::Bool(true));
    run(&["trash", &key]);
    assert_eq!(published().await, AttributeValue::Bool(false));
    run(&["restore", &key]);
    assert_eq!(published().await, AttributeValue::Bool(true));
    assert_eq!(run(&["search", "is:published"]).len(), 1);
    let undo = run(&["unpublish", &key]).pop().unwrap();
    run(&["undo", undo["run"].as_str().unwrap()]);
    assert_eq!(published().await, AttributeValue::Bool(true));
    let gone = run(&["edit", &key, "--title", ""]);
    assert_eq!(gone.last().unwrap()["done"], 1);
    assert!(!stored(&client, TABLE, &key).await.unwrap().contains_key("name"));

    run(&["trash", &key]);
    let purged = run(&["purge", &key, "--yes"]);
    assert_eq!(purged.last().unwrap()["done"], 1, "{purged:#?}");
    assert!(stored(&client, TABLE, &key).await.is_none());
    let objects = server.client().list_objects_v2().bucket(reeldesk_sandbox::DESTINATION_BUCKET).send().await.unwrap();
    assert_eq!(objects.key_count(), Some(0));
}

/// What is found when it is looked at is enough to name all of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_mapped_by_hand() {
    let server = Server::with(&["--catalog", "custom"]);
    let client = server.dynamodb();
    // What began long ago and is not finished would be stuck.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    for (number, state) in ["UPLOADED", "PROCESSING", "READY", "FAILED"].into_iter().enumerate() {
        let item = HashMap::from([
            ("videoId".to_owned(), text(&format!("v-{number}"))),
            ("name".to_owned(), text(&format!("Film {number}"))),
            ("state".to_owned(), text(state)),
            ("createdAt".to_owned(), AttributeValue::N(now.to_string())),
            ("durationMs".to_owned(), AttributeValue::N("61000".into())),
            ("isPublished".to_owned(), AttributeValue::Bool(true)),
            ("location".to_owned(), text(&format!("v-{number}/hls/film.m3u8"))),
            ("failure".to_owned(), text("No sound")),
            ("sourceKey".to_owned(), text(&format!("in/film{number}.mov"))),
        ]);
        client.put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
    }
    let reelctl = server.elsewhere();
    let workspace =
        |arguments: &[&str]| reelctl.run(&[&["--workspace", "elsewhere", "workspace"], arguments].concat()).unwrap();
    // The stack tells of the table, not of its names.
    let (well, findings) = workspace(&["check"]);
    let key = |findings: &[Value]| {
        findings.iter().find(|finding| finding["title"] == "The key of the table").cloned().unwrap()
    };
    let wrong = key(&findings);
    assert!(!well && wrong["error"]["message"].as_str().unwrap().contains("\"videoId\""), "{findings:#?}");

    let (listed, lines) = reelctl.run(&["--workspace", "elsewhere", "videos", "search", "film"]).unwrap();
    assert!(!listed && lines[0]["remedy"].as_str().unwrap().contains("Attributes of the table"), "{lines:#?}");
    let suggest = ["--workspace", "elsewhere", "workspace", "table", "--suggest"];
    let folder = reelctl.data.path().to_string_lossy();
    let mut command = std::process::Command::new(binary("reelctl").unwrap());
    command
        .args(["--data-dir", &folder])
        .args(suggest)
        .envs([("AWS_ACCESS_KEY_ID", KEYS.0), ("AWS_SECRET_ACCESS_KEY", KEYS.1)]);
    let suggested = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(suggested.contains("[workspace.mapping]") && suggested.contains("READY = \"complete\""), "{suggested}");
    let settings = reelctl.data.path().join("settings.toml");
    let mut settings = std::fs::File::options().append(true).open(settings).unwrap();
    write!(settings, "\n{suggested}").unwrap();

    let (_, findings) = workspace(&["check"]);
    assert_eq!(key(&findings)["outcome"], "works", "{findings:#?}");
    let (_, looked) = workspace(&["table"]);
    let statuses: Vec<_> =
        looked[0]["videos"].as_array().unwrap().iter().map(|video| video["status"]["kind"].clone()).collect();
    assert_eq!(statuses.len(), 4, "{looked:#?}");
    let found = |words: &[&str]| videos(&reelctl, "elsewhere", &[&["search"], words].concat());
    let status = |word: &str| found(&[&format!("status:{word}")]).len();
    assert_eq!(["ingest", "encoding", "complete", "error"].map(status), [1; 4]);
    let failed = found(&["status:error"]).remove(0);
    assert_eq!((&failed["status"]["message"], &failed["duration"]), (&json!("No sound"), &json!(61.0)));

    // While it is encoded, what has an attribute of its own waits; the map does not.
    let edit = |arguments: &[&str]| {
        reelctl.run(&[&["--workspace", "elsewhere", "videos", "edit", "v-1"], arguments].concat()).unwrap()
    };
    let (done, lines) = edit(&["--title", "Too soon"]);
    assert!(!done && lines[0]["outcome"]["error"]["code"] == "in-use", "{lines:#?}");
    assert_eq!(stored(&client, TABLE, "v-1").await.unwrap()["name"], text("Film 1"));
    assert!(edit(&["--tag", "season=2"]).0);
}

async fn make_table_with_index(client: &Client) {
    let attribute =
        |name: &str, kind| AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap();
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let index = GlobalSecondaryIndex::builder()
        .index_name("by-time")
        .key_schema(key("kind", KeyType::Hash))
        .key_schema(key("created", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .unwrap();
    let table = client.create_table().table_name("films").billing_mode(BillingMode::PayPerRequest);
    let table = table
        .attribute_definitions(attribute("videoId", ScalarAttributeType::S))
        .attribute_definitions(attribute("kind", ScalarAttributeType::S))
        .attribute_definitions(attribute("created", ScalarAttributeType::N))
        .key_schema(key("videoId", KeyType::Hash))
        .global_secondary_indexes(index);
    table.send().await.unwrap();
}

/// Names in maps, a time as a number, publication as a word, and an index of its own.
#[tokio::test(flavor = "multi_thread")]
async fn in_a_table_that_is_not_ours() {
    let ministack = Emulator::ministack().await.unwrap();
    let client = dynamodb(&ministack.endpoint, ("test", "test"));
    make_table_with_index(&client).await;
    for number in 0..230_i64 {
        let about = HashMap::from([("title".to_owned(), text(&format!("Episode {number}")))]);
        let item = HashMap::from([
            ("videoId".to_owned(), text(&format!("e-{number}"))),
            ("kind".to_owned(), text("film")),
            ("created".to_owned(), AttributeValue::N((1_700_000_000 + number).to_string())),
            ("about".to_owned(), AttributeValue::M(about)),
            ("visibility".to_owned(), text("HIDDEN")),
            ("state".to_owned(), text("done")),
            ("rating".to_owned(), AttributeValue::N("4.5".into())),
        ]);
        client.put_item().table_name("films").set_item(Some(item)).send().await.unwrap();
    }
    // One without the map that the title is in.
    let bare = client.put_item().table_name("films").item("videoId", text("bare")).item("kind", text("film"));
    bare.item("created", AttributeValue::N("5".into())).item("state", text("done")).send().await.unwrap();
    let reelctl = Reelctl::new().unwrap().with("AWS_ACCESS_KEY_ID", "test").with("AWS_SECRET_ACCESS_KEY", "test");
    let settings = format!(
        r#"version = 1
[[workspace]]
name = "mini"
region = "us-east-1"
endpoint = "{}"
sourceBucket = "vod-source"
destinationBucket = "vod-destination"
table = "films"
cdn = "http://127.0.0.1:9"
credentials = {{ kind = "environment" }}
mode = {{ kind = "pipeline" }}
[workspace.mapping]
key = "videoId"
title = "about.title"
status = "state"
statusWords = {{ done = "complete" }}
startedAt = "created"
published = "visibility"
publishedWords = ["SHOWN", "HIDDEN"]
index = {{ name = "by-time", partitionKey = "kind", partitionValue = "film", sortKey = "created" }}
"#,
        ministack.endpoint
    );
    std::fs::write(reelctl.data.path().join("settings.toml"), settings).unwrap();
    let run = |arguments: &[&str]| videos(&reelctl, "mini", arguments);
    assert_eq!(run(&["search", "episode", "status:complete", "is:draft", "--limit", "500"]).len(), 230);
    let newest = run(&["list"]);
    assert_eq!((newest.len(), &newest[0]["title"]), (231, &json!("Episode 229")));
    run(&["edit", "bare", "--title", "Made"]);
    let made = stored(&client, "films", "bare").await.unwrap();
    assert_eq!(made["about"].as_m().unwrap()["title"], text("Made"));
    let (_, logged) = reelctl.run(&["--workspace", "mini", "videos", "changes"]).unwrap();
    run(&["undo", logged[0]["run"].as_str().unwrap()]);
    assert!(stored(&client, "films", "bare").await.unwrap()["about"].as_m().unwrap().is_empty());
    let before = stored(&client, "films", "e-7").await.unwrap();
    run(&["edit", "e-7", "--title", "The Seventh"]);
    run(&["publish", "e-7"]);
    let after = stored(&client, "films", "e-7").await.unwrap();
    assert_eq!(after["about"].as_m().unwrap()["title"], text("The Seventh"));
    assert_eq!((&after["visibility"], &after["rating"]), (&text("SHOWN"), &before["rating"]));
    // Who changes it beside Reeldesk is not overwritten.
    let theirs = client.update_item().table_name("films").key("videoId", text("e-7"));
    let theirs = theirs.update_expression("SET #a.#t = :t").expression_attribute_names("#a", "about");
    let theirs = theirs.expression_attribute_names("#t", "title").expression_attribute_values(":t", text("Theirs"));
    theirs.send().await.unwrap();
    let (_, logged) = reelctl.run(&["--workspace", "mini", "videos", "changes"]).unwrap();
    let edit = logged.iter().find(|run| run["what"] == "edit").unwrap()["run"].as_str().unwrap();
    let (done, lines) = reelctl.run(&["--workspace", "mini", "videos", "undo", edit]).unwrap();
    assert!(!done && lines[0]["outcome"]["kind"] == "aside", "{lines:#?}");
    assert_eq!(stored(&client, "films", "e-7").await.unwrap()["about"].as_m().unwrap()["title"], text("Theirs"));
}

/// What Reeldesk does not understand it does not write over; what is not there yet is made; what never ends can be thrown away.
#[tokio::test(flavor = "multi_thread")]
async fn odd_items_keep_what_they_say() {
    let server = Server::with(&["--catalog", "custom"]);
    let client = server.dynamodb();
    let put = async |key: &str, more: &[(&str, AttributeValue)]| {
        let base = [("videoId", text(key)), ("createdAt", text("2026-01-02T03:04:05Z")), ("state", text("READY"))];
        let item = base.iter().chain(more).map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        client.put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
    };
    let number = |number: &str| AttributeValue::N(number.into());
    let names = AttributeValue::M(HashMap::from([("en".to_owned(), text("Night"))]));
    put("unlisted", &[("isPublished", text("UNLISTED"))]).await;
    put("since", &[("isPublished", number("1700000000"))]).await;
    put("languages", &[("name", names)]).await;
    put("one", &[("isPublished", number("1"))]).await;
    put("bare", &[]).await;
    put("stuck", &[("state", text("PROCESSING")), ("isPublished", AttributeValue::Bool(true))]).await;
    let run = |arguments: &[&str]| server.data.run(&[&["videos"], arguments].concat()).unwrap();
    for (key, arguments) in [("unlisted", ["trash"]), ("since", ["publish"]), ("languages", ["edit"])] {
        let before = stored(&client, TABLE, key).await;
        let title: &[&str] = if arguments == ["edit"] { &["--title", "x"] } else { &[] };
        let (done, lines) = run(&[&arguments, &[key][..], title].concat());
        assert!(!done && lines[0]["outcome"]["error"]["code"] == "invalid", "{lines:#?}");
        assert_eq!(stored(&client, TABLE, key).await, before);
    }
    // A number stays one; what is not there is not made up.
    for key in ["one", "bare", "stuck"] {
        let before = stored(&client, TABLE, key).await.unwrap().get("isPublished").cloned();
        assert!(run(&["trash", key]).0);
        let trashed = stored(&client, TABLE, key).await.unwrap();
        let says = trashed.get("isPublished");
        assert!(says.is_none() || [number("0"), AttributeValue::Bool(false)].contains(says.unwrap()), "{trashed:?}");
        if key == "one" {
            // Who publishes it in the trash has the last word.
            put_flag(&client, key, number("1")).await;
        }
        assert!(run(&["restore", key]).0);
        let restored = stored(&client, TABLE, key).await.unwrap();
        assert_eq!(restored.get("isPublished"), before.as_ref());
        assert!(!restored["reeldesk"].as_m().unwrap().contains_key("publishedBefore"));
    }
    // Neither a change of many nor a list overwrites what another program wrote since.
    let list = server.data.data.path().join("list.csv");
    let file = list.to_string_lossy().into_owned();
    assert!(run(&["export", &file]).0);
    let exported =
        std::fs::read_to_string(&list).unwrap().replace("bare", "BARE").replace("BARE,BARE", "bare,Bare One");
    std::fs::write(&list, exported).unwrap();
    let theirs = client.update_item().table_name(TABLE).key("videoId", text("bare"));
    let theirs = theirs.update_expression("SET #n = :t").expression_attribute_names("#n", "name");
    theirs.expression_attribute_values(":t", text("Theirs")).send().await.unwrap();
    assert!(run(&["sync"]).0);
    let (_, lines) = run(&["import", &file, "--preview"]);
    assert!(format!("{lines:?}").contains("Someone changed this video since"), "{lines:#?}");
    // The folder of a key is its own only where its outputs are stored there.
    put("films", &[("location", text("vod/films/a.m3u8"))]).await;
    let bucket = reeldesk_sandbox::DESTINATION_BUCKET;
    let body = aws_sdk_s3::primitives::ByteStream::from_static(b"x");
    server.client().put_object().bucket(bucket).key("films/somebodys.ts").body(body).send().await.unwrap();
    assert!(run(&["trash", "films"]).0);
    let (_, lines) = run(&["purge", "films"]);
    assert!(format!("{lines:?}").contains("No output of this video is stored"), "{lines:#?}");
    assert!(run(&["purge", "films", "--yes"]).0);
    assert!(stored(&client, TABLE, "films").await.is_none());
    assert!(server.client().head_object().bucket(bucket).key("films/somebodys.ts").send().await.is_ok());
}

async fn put_flag(client: &Client, key: &str, flag: AttributeValue) {
    let update = client.update_item().table_name(TABLE).key("videoId", text(key));
    let update = update.update_expression("SET isPublished = :f").expression_attribute_values(":f", flag);
    update.send().await.unwrap();
}

/// Reeldesk and another program change the same title in a loop: each change follows the one before it, and none is lost.
#[tokio::test(flavor = "multi_thread")]
async fn no_title_is_lost_beside_another_program() {
    const ROUNDS: usize = 40;
    let server = Server::with(&["--catalog", "custom"]);
    let client = server.dynamodb();
    let put = client.put_item().table_name(TABLE).item("videoId", text("v")).item("state", text("READY"));
    put.item("name", text("begin")).send().await.unwrap();
    let is_done = AtomicBool::new(false);
    let theirs = async {
        let mut made = Vec::new();
        // At any moment of what the others do, and until they have done all of it.
        for round in 0.. {
            tokio::time::sleep(Duration::from_millis(fastrand::u64(0..25))).await;
            loop {
                if is_done.load(Ordering::Relaxed) {
                    return made;
                }
                let before = stored(&client, TABLE, "v").await.unwrap()["name"].clone();
                let after = text(&format!("theirs {round}"));
                let update = client.update_item().table_name(TABLE).key("videoId", text("v"));
                let update = update.update_expression("SET #n = :a").condition_expression("#n = :b");
                let update = update.expression_attribute_names("#n", "name");
                let update = update.expression_attribute_values(":a", after.clone());
                if update.expression_attribute_values(":b", before.clone()).send().await.is_ok() {
                    made.push((before.as_s().unwrap().clone(), after.as_s().unwrap().clone()));
                    break;
                }
            }
        }
        made
    };
    let folders = Folders::choose(Some(server.data.data.path())).unwrap();
    let session = reeldesk_shell::open(&Instance::on(&folders), "sandbox").await.unwrap();
    let (editor, guid) = (session.editor().await.unwrap(), Guid::new("v").unwrap());
    let ours = async {
        let mut made = Vec::new();
        for round in 0..ROUNDS {
            loop {
                let before = session.video(&guid).await.unwrap().title;
                let after = format!("ours {round}");
                let change =
                    FieldChange { field: VideoField::Title, before: Some(before.clone()), after: Some(after.clone()) };
                if let Saved::Saved { .. } = editor.save(&guid, vec![change]).await.unwrap() {
                    made.push((before, after));
                    break;
                }
            }
        }
        is_done.store(true, Ordering::Relaxed);
        made
    };
    let (theirs, ours) = tokio::join!(theirs, ours);
    let changes = theirs.len() + ours.len();
    let mut left: HashMap<_, _> = theirs.into_iter().chain(ours).collect();
    assert_eq!(left.len(), changes, "no two changes follow the same one");
    let mut title = "begin".to_owned();
    while let Some(after) = left.remove(&title) {
        title = after;
    }
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(stored(&client, TABLE, "v").await.unwrap()["name"], text(&title));
    session.close().await;
}

/// A mapping that would overwrite what other programs need opens no workspace; a sandbox stays what it was.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_work_writes_nothing() {
    let server = Server::with(&["--catalog", "custom"]);
    let client = server.dynamodb();
    let put = client.put_item().table_name(TABLE).item("videoId", text("v")).item("state", text("READY"));
    put.send().await.unwrap();
    let reelctl = server.elsewhere();
    let mapping = "\n[workspace.mapping]\nkey = \"videoId\"\ntitle = \"state\"\nstatus = \"state\"\n";
    let settings = reelctl.data.path().join("settings.toml");
    let whole = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, whole.clone() + mapping).unwrap();
    let edit = ["--workspace", "elsewhere", "videos", "edit", "v", "--title", "x"];
    let (done, lines) = reelctl.run(&edit).unwrap();
    assert!(!done && lines[0]["message"].as_str().unwrap().contains("would overwrite"), "{lines:#?}");
    assert_eq!(stored(&client, TABLE, "v").await.unwrap()["state"], text("READY"));
    // What is wrong with the file is said, with its line.
    std::fs::write(&settings, whole + "\n[workspace.mapping]\ndurationUnit = \"fortnights\"\n").unwrap();
    let (_, lines) = reelctl.run(&edit).unwrap();
    let message = lines[0]["message"].as_str().unwrap();
    assert!(message.contains("at line ") && message.contains("fortnights"), "{message}");

    let Server { process, data, .. } = server;
    drop(process);
    let (_again, endpoint) = Server::run(&data);
    let there = Server::connected(&endpoint, "again");
    let (_, looked) = there.run(&["--workspace", "again", "workspace", "table"]).unwrap();
    assert_eq!(looked[0]["suggestion"]["key"], json!("videoId"), "{looked:#?}");
}
