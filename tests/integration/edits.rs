//! Changing videos: only the one map is touched, nobody's change is lost, and a kill, a stop or a lost connection goes on. Against
//! the sandbox, and against an emulator that we did not write.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use reeldesk_core::catalog::{FieldChange, Guid, Saved, VideoField};
use reeldesk_core::{Code, Folders, Instance, Session};
use reeldesk_tests::catalog::{item_in, write};
use reeldesk_tests::{Emulator, Ended, Fault, FaultyLine, Reelctl, Server};
use serde_json::{Value, json};

use crate::ministack::{dynamodb, make_table};

const TABLE: &str = reeldesk_sandbox::TABLE;
const BUCKET: &str = reeldesk_sandbox::SOURCE_BUCKET;

type Attributes = HashMap<String, AttributeValue>;

fn guid_of(bucket: &str, number: u64) -> String {
    item_in(bucket, number)["guid"].as_s().unwrap().clone()
}

async fn stored(client: &Client, table: &str, guid: &str) -> Attributes {
    let key = AttributeValue::S(guid.to_owned());
    client.get_item().table_name(table).key("guid", key).consistent_read(true).send().await.unwrap().item.unwrap()
}

fn own(item: &Attributes) -> &Attributes {
    item["reeldesk"].as_m().unwrap()
}

/// Runs a command that ends well; answers what it told of each video, and of all.
fn told(reelctl: &Reelctl, workspace: &str, arguments: &[&str]) -> (Vec<Value>, Value) {
    let (done, mut lines) = reelctl.run(&[&["--workspace", workspace, "videos"], arguments].concat()).unwrap();
    let summary = lines.pop().unwrap();
    assert!(done, "{arguments:?}: {lines:?} {summary}");
    (lines, summary)
}

/// What all of it holds for, wherever the table is.
async fn changes(reelctl: &Reelctl, workspace: &str, client: &Client, table: &str, bucket: &str) {
    write(client, table, (0..40).map(|number| item_in(bucket, number))).await;
    let told = |arguments: &[&str]| told(reelctl, workspace, arguments);
    // One that has no map yet, and one that has.
    for number in [3, 6] {
        let guid = guid_of(bucket, number);
        let before = stored(client, table, &guid).await;
        let (lines, summary) = told(&[
            "edit",
            &guid,
            "--title",
            "Night Train",
            "--tag",
            "genre=Noir",
            "--tag",
            "odd name=x",
            "--untag",
            "season",
        ]);
        assert_eq!((lines[0]["outcome"]["kind"].as_str(), summary["done"].as_u64()), (Some("done"), Some(1)));
        let after = stored(client, table, &guid).await;
        let others = |item: &Attributes| {
            let mut others = item.clone();
            others.remove("reeldesk");
            others
        };
        assert_eq!(others(&after), others(&before), "nothing else is touched");
        let tags = own(&after)["tags"].as_m().unwrap();
        assert_eq!((tags["genre"].as_s().unwrap().as_str(), tags.len()), ("Noir", 2));
        assert_eq!(
            own(&after).get("description"),
            before.get("reeldesk").and_then(|own| own.as_m().ok()?.get("description"))
        );
        assert_eq!(own(&after)["revision"], AttributeValue::N("1".into()));
        assert_eq!(own(&after)["edits"].as_l().unwrap().len(), 1);
        // Once more it is so already, and nothing is written.
        let (lines, _) = told(&["edit", &guid, "--title", "Night Train", "--tag", "genre=Noir"]);
        assert_eq!(lines[0]["outcome"]["kind"], "unchanged");
        assert_eq!(stored(client, table, &guid).await, after);
        // Found by what it is now, before the table is read again.
        let (found, lines) =
            reelctl.run(&["--workspace", workspace, "videos", "search", "night", "tag:genre=Noir"]).unwrap();
        assert!(found && lines.iter().any(|video| video["guid"] == json!(guid)), "{lines:?}");
        told(&["undo", summary["run"].as_str().unwrap()]);
        let undone = stored(client, table, &guid).await;
        let said = |item: &Attributes| {
            let own = item.get("reeldesk").and_then(|own| own.as_m().ok()).cloned().unwrap_or_default();
            let tags = own.get("tags").and_then(|tags| tags.as_m().ok()).cloned().unwrap_or_default();
            (own.get("title").cloned(), tags)
        };
        assert_eq!(said(&undone), said(&before));
        let (again, lines) =
            reelctl.run(&["--workspace", workspace, "videos", "undo", summary["run"].as_str().unwrap()]).unwrap();
        assert!(!again && lines[0]["code"] == "not-found", "{lines:?}");
    }
    // Many: a title of each its own, published in a time; the trash, and back.
    let (lines, summary) = told(&["edit", "--query", "tag:genre=Drama", "--title", "{number}: {title}"]);
    assert_eq!(Some(lines.len() as u64), summary["of"].as_u64());
    let drama = lines.len();
    let (trashed, summary) = told(&["trash", "--query", "tag:genre=Drama"]);
    assert_eq!(trashed.len(), drama);
    let count = |arguments: &[&str]| {
        let (done, lines) =
            reelctl.run(&[&["--workspace", workspace, "videos", "search"], arguments].concat()).unwrap();
        assert!(done, "{lines:?}");
        lines.len()
    };
    assert_eq!((count(&["is:trash"]), count(&[])), (drama, 40 - drama));
    told(&["undo", summary["run"].as_str().unwrap()]);
    assert_eq!((count(&["is:trash"]), count(&[])), (0, 40));
    let guid = guid_of(bucket, 1);
    told(&["publish", &guid, "--from", "2026-12-24", "--until", "2026-12-27T12:00:00Z"]);
    let published = stored(client, table, &guid).await;
    assert_eq!(own(&published)["published"], AttributeValue::Bool(true));
    assert_eq!(own(&published)["publishFrom"], AttributeValue::S("2026-12-24T00:00:00Z".into()));
    assert_eq!((count(&["is:timed"]), count(&["is:published"])), (1, 0));
    // Without times it is for good.
    told(&["publish", &guid]);
    assert!(!own(&stored(client, table, &guid).await).contains_key("publishUntil"));
    // What is wrong is told, and changes nothing.
    let before = stored(client, table, &guid).await;
    for arguments in [
        &["publish", guid.as_str(), "--from", "soon"][..],
        &["publish", &guid, "--from", "2026-12-24", "--until", "2026-12-23"],
        &["edit", &guid, "--title", &"x".repeat(301)],
        &["edit", &guid, "--tag", "=x"],
        &["edit", "nobody", "--title", "x"],
    ] {
        let (done, lines) = reelctl.run(&[&["--workspace", workspace, "videos"], arguments].concat()).unwrap();
        assert!(!done && lines[0].to_string().contains("message"), "{arguments:?} {lines:?}");
    }
    assert_eq!(stored(client, table, &guid).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_table_of_the_sandbox() {
    let server = Server::start();
    changes(&server.data, "sandbox", &server.dynamodb(), TABLE, BUCKET).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_table_that_is_not_ours() {
    let ministack = Emulator::ministack().await.unwrap();
    let client = dynamodb(&ministack.endpoint, ("test", "test"));
    make_table(&client).await;
    let reelctl = ministack.workspace("mini").unwrap();
    changes(&reelctl, "mini", &client, "vod", "vod-source").await;
}

async fn session(server: &Server) -> Session {
    let folders = Folders::choose(Some(server.data.data.path())).unwrap();
    reeldesk_shell::open(&Instance::on(&folders), "sandbox").await.unwrap()
}

fn change(field: VideoField, before: Option<&str>, after: Option<&str>) -> FieldChange {
    FieldChange { field, before: before.map(str::to_owned), after: after.map(str::to_owned) }
}

/// Of two admins who change the same field, the second one is asked; what they change in different ones stays both.
#[tokio::test(flavor = "multi_thread")]
async fn who_comes_second_is_asked() {
    let server = Server::start();
    write(&server.dynamodb(), TABLE, [item_in(BUCKET, 0)].into_iter()).await;
    let (session, guid) = (session(&server).await, Guid::new(guid_of(BUCKET, 0)).unwrap());
    let editor = session.editor().await.unwrap();
    let title = |before: Option<&str>, after: &str| change(VideoField::Title, before, Some(after));
    let tag = |name: &str, after: &str| change(VideoField::Tag(name.into()), None, Some(after));
    let saved = |saved: &Saved| matches!(saved, Saved::Saved { .. });
    assert!(saved(&editor.save(&guid, vec![title(None, "Ours"), tag("a", "1")]).await.unwrap()));
    // Read before that, too: another field.
    assert!(saved(&editor.save(&guid, vec![tag("b", "2")]).await.unwrap()));
    let conflict = editor.save(&guid, vec![title(None, "Theirs"), tag("c", "3")]).await.unwrap();
    let Saved::Conflict { video, theirs } = conflict else { panic!("{conflict:?}") };
    assert_eq!(theirs, [title(None, "Ours")]);
    assert_eq!(video.details.tags.keys().collect::<Vec<_>>(), ["a", "b"], "nothing of it is saved");
    // What both want is none.
    assert!(saved(&editor.save(&guid, vec![title(None, "Ours")]).await.unwrap()));
    // Who has chosen, on what is there now.
    assert!(saved(&editor.save(&guid, vec![title(Some("Ours"), "Theirs"), tag("c", "3")]).await.unwrap()));
    let video = session.video(&guid).await.unwrap();
    assert_eq!((video.title.as_str(), video.details.tags.len(), video.revision), ("Theirs", 3, 3));
    assert_eq!(video.edits.len(), 3);
    // An undo leaves alone what was changed since.
    let log = editor.log(None, 10).await.unwrap();
    let first = &log.last().unwrap().run;
    let undone = editor.undo(first, &Default::default(), |_| {}).await.unwrap();
    assert_eq!((undone.aside, undone.done), (1, 0));
    let refused = editor.save(&Guid::new("nobody").unwrap(), vec![tag("a", "1")]).await.unwrap_err();
    assert_eq!(refused.code, Code::NotFound);
    session.close().await;
}

/// Admins who change the same video in a loop: each change counts, none is torn.
#[tokio::test(flavor = "multi_thread")]
async fn no_change_is_lost() {
    const ADMINS: usize = 4;
    const ROUNDS: usize = 12;
    let server = Server::start();
    write(&server.dynamodb(), TABLE, [item_in(BUCKET, 0)].into_iter()).await;
    let guid = Guid::new(guid_of(BUCKET, 0)).unwrap();
    let admin = async |number: usize| {
        let session = session(&server).await;
        let editor = session.editor().await.unwrap();
        let field = VideoField::Tag(format!("admin{number}"));
        let mut taken = 0;
        for round in 0..ROUNDS {
            // A field of one's own, and one that all want: both or none.
            let (mine, shared) = (round.to_string(), format!("{number}.{round}"));
            let mut was = session.catalog.video(&guid).await.unwrap().details;
            loop {
                let both = vec![
                    change(field.clone(), was.get(&field).as_deref(), Some(&mine)),
                    change(VideoField::Title, was.title.as_deref(), Some(&shared)),
                ];
                match editor.save(&guid, both).await.unwrap() {
                    Saved::Saved { .. } => break,
                    Saved::Conflict { video, theirs } => {
                        assert!(theirs.iter().all(|change| change.field == VideoField::Title), "{theirs:?}");
                        was = video.details;
                    }
                }
            }
            taken += 1;
        }
        taken
    };
    let taken = futures::future::join_all((0..ADMINS).map(admin)).await;
    assert_eq!(taken, [ROUNDS; ADMINS]);
    let item = stored(&server.dynamodb(), TABLE, guid.as_str()).await;
    assert_eq!(own(&item)["revision"], AttributeValue::N((ADMINS * ROUNDS).to_string()));
    let tags = own(&item)["tags"].as_m().unwrap();
    for number in 0..ADMINS {
        assert_eq!(tags[&format!("admin{number}")], AttributeValue::S((ROUNDS - 1).to_string()));
    }
    // The last title is that of the last write.
    let title = own(&item)["title"].as_s().unwrap();
    assert!(title.ends_with(&format!(".{}", ROUNDS - 1)), "{title}");
    assert_eq!(own(&item)["edits"].as_l().unwrap().len(), 20);
}

/// Those that others changed since they were listed are set aside, and told.
#[tokio::test(flavor = "multi_thread")]
async fn what_others_changed_is_set_aside() {
    let server = Server::start();
    write(&server.dynamodb(), TABLE, (0..10).map(|number| item_in(BUCKET, number))).await;
    told(&server.data, "sandbox", &["sync"]);
    // Another computer changes one that nobody looks at here.
    let elsewhere = server.elsewhere();
    told(&elsewhere, "elsewhere", &["edit", &guid_of(BUCKET, 4), "--title", "Theirs"]);
    let session = session(&server).await;
    let editor = session.editor().await.unwrap();
    let guids = (0..10).map(|number| Guid::new(guid_of(BUCKET, number)).unwrap()).collect();
    let selection = reeldesk_core::catalog::VideoSelection::These { guids };
    let patch = reeldesk_core::catalog::VideoPatch { published: Some(true), ..Default::default() };
    let summary = editor.edit(selection, patch, false, &Default::default(), |_| {}).await.unwrap();
    assert_eq!((summary.done, summary.aside), (9, 1));
    let theirs = session.video(&Guid::new(guid_of(BUCKET, 4)).unwrap()).await.unwrap();
    assert_eq!((theirs.details.published, theirs.title.as_str()), (None, "Theirs"));
    // Now that it was told, it is tried again.
    let again = editor.resume(&summary.run, true, &Default::default(), |_| {}).await.unwrap();
    assert_eq!((again.done, again.aside, again.left), (10, 0, 0));
    session.close().await;
}

/// A change of many that is killed goes on where it was: each video is changed once, and all of it can be undone.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_change_goes_on() {
    const VIDEOS: u64 = 1_500;
    let server = Server::start();
    write(&server.dynamodb(), TABLE, (0..VIDEOS).map(|number| item_in(BUCKET, number))).await;
    told(&server.data, "sandbox", &["sync"]);
    let edit = ["videos", "edit", "--query", "", "--title", "{number} {title}", "--tag", "seen=yes"];
    let editing = Ended(server.data.start(&edit).unwrap());
    let run = || {
        let (_, lines) = server.data.run(&["videos", "changes"]).unwrap();
        lines.into_iter().next().filter(|run| run["done"].as_u64() > Some(50))
    };
    let end = Instant::now() + Duration::from_secs(60);
    while run().is_none() {
        assert!(Instant::now() < end);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(editing);
    let broken = run().unwrap();
    let left = broken["left"].as_u64().unwrap();
    assert!(left > 0 && left < VIDEOS, "it is killed on its way: {broken}");
    let name = broken["run"].as_str().unwrap();
    let (_, summary) = told(&server.data, "sandbox", &["resume", name]);
    assert_eq!((summary["left"].as_u64(), summary["failed"].as_u64()), (Some(0), Some(0)), "{summary}");
    let (_, found) = server.data.run(&["videos", "search", "tag:seen=yes", "--limit", "100000"]).unwrap();
    assert_eq!(found.len() as u64, VIDEOS);
    assert!(found.iter().all(|video| video["revision"] == 1), "each once");
    let titles: std::collections::BTreeSet<_> =
        found.iter().map(|video| video["title"].as_str().unwrap().split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(titles.len() as u64, VIDEOS, "each has its own number");
    let (_, undone) = told(&server.data, "sandbox", &["undo", name]);
    assert_eq!(undone["done"].as_u64(), Some(VIDEOS));
}

/// Answers that are lost on their way make no change twice, and blame nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_no_second_change() {
    let server = Server::start();
    write(&server.dynamodb(), TABLE, (0..24).map(|number| item_in(BUCKET, number))).await;
    let is_bad = Arc::new(AtomicBool::new(false));
    let bad = is_bad.clone();
    let fate =
        move |_: &hyper::Method, _: &str, number: u64| match bad.load(Ordering::SeqCst) && number.is_multiple_of(4) {
            true => Fault::LostAnswer,
            false => Fault::None,
        };
    let line = FaultyLine::before(&server.endpoint, fate).await.unwrap();
    let far = Server::connected(&line.endpoint, "far");
    told(&far, "far", &["sync"]);
    let (_, before) = far.run(&["--workspace", "far", "videos", "search", "--limit", "100"]).unwrap();
    is_bad.store(true, Ordering::SeqCst);
    let guids: Vec<_> = before.iter().map(|video| video["guid"].as_str().unwrap()).collect();
    // One is named twice.
    let edit = [&["edit"], &guids[..], &guids[..1], &["--title", "{number}: {title}"]].concat();
    // Where more of them are lost in a row than are asked for again, it goes on when told to.
    let to_its_end = |arguments: &[&str]| {
        let run = |arguments: &[&str]| {
            let (_, mut lines) = far.run(&[&["--workspace", "far", "videos"], arguments].concat()).unwrap();
            lines.pop().unwrap()
        };
        let mut summary = run(arguments);
        loop {
            assert_eq!((summary["aside"].as_u64(), summary["failed"].as_u64()), (Some(0), Some(0)), "{summary}");
            if summary["left"] == 0 {
                return summary["done"].as_u64().unwrap();
            }
            summary = run(&["resume", summary["run"].as_str().unwrap()]);
        }
    };
    assert_eq!(to_its_end(&edit), 24);
    assert_eq!(to_its_end(&["publish", "--query", ""]), 24);
    is_bad.store(false, Ordering::SeqCst);
    for (number, video) in (1..).zip(&before) {
        let item = stored(&server.dynamodb(), TABLE, video["guid"].as_str().unwrap()).await;
        let title = format!("{number}: {}", video["title"].as_str().unwrap());
        assert_eq!(own(&item)["title"], AttributeValue::S(title));
        assert_eq!(own(&item)["revision"], AttributeValue::N("2".into()));
    }
}
