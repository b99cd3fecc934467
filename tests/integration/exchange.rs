//! The catalog as a table, out and in again: what comes back unchanged changes nothing, and what was changed is.

use std::path::Path;

use aws_sdk_dynamodb::types::AttributeValue;
use reeldesk_tests::Server;
use reeldesk_tests::catalog::{item_in, write};
use serde_json::Value;

const TABLE: &str = reeldesk_sandbox::TABLE;
const BUCKET: &str = reeldesk_sandbox::SOURCE_BUCKET;

struct Videos<'a>(&'a Server);

impl Videos<'_> {
    fn run(&self, arguments: &[&str]) -> (bool, Vec<Value>) {
        self.0.data.run(&[&["videos"], arguments].concat()).unwrap()
    }

    fn well(&self, arguments: &[&str]) -> Vec<Value> {
        let (well, lines) = self.run(arguments);
        assert!(well, "{arguments:?}: {lines:?}");
        lines
    }

    fn import(&self, file: &Path, text: &str) -> (bool, Vec<Value>) {
        std::fs::write(file, text).unwrap();
        self.run(&["import", file.to_str().unwrap()])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn out_and_in_again() {
    let server = Server::start();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let mut items: Vec<_> = (0..120).map(|number| item_in(BUCKET, number)).collect();
    // What is long, what is more than a line, and what would be a formula.
    let times = [("publishFrom", "2026-01-02T03:04:05Z"), ("publishUntil", "2027-01-02T03:04:05.5Z")];
    let own = [("title", "=HYPERLINK(\"http://evil\")"), ("description", &"long, \"and\"\nmore. ".repeat(200))];
    let own = own.into_iter().chain(times).map(|(name, value)| (name.to_owned(), text(value))).collect();
    items[5].insert("reeldesk".into(), AttributeValue::M(own));
    let guid = |number: usize| items[number]["guid"].as_s().unwrap().clone();
    let key = |number: usize| items[number]["srcVideo"].as_s().unwrap().clone();
    write(&server.dynamodb(), TABLE, items.clone().into_iter()).await;
    let videos = Videos(&server);
    let folder = tempfile::tempdir().unwrap();
    let (file, changed) = (folder.path().join("all.csv"), folder.path().join("changed.csv"));
    assert_eq!(videos.well(&["export", file.to_str().unwrap()])[0]["videos"], 120);
    let table = std::fs::read_to_string(&file).unwrap();
    assert!(!table.contains(",=HYPER") && !table.contains("\n=") && table.contains("'=HYPERLINK"), "no formula");
    let preview = videos.well(&["import", "--preview", file.to_str().unwrap()]);
    assert_eq!((preview[0]["videos"].as_u64(), preview[0]["changed"].as_u64()), (Some(120), Some(0)));
    // Both times move, in whichever column they stand.
    for columns in [["publishFrom", "publishUntil"], ["publishUntil", "publishFrom"]] {
        for (from, until) in [("2030-01-01", "2031-01-01"), ("2020-01-01", "2021-01-01")] {
            let cells = columns.map(|column| if column == "publishFrom" { from } else { until });
            let list = format!("guid,{}\n{},{}\n", columns.join(","), guid(5), cells.join(","));
            let (well, lines) = videos.import(&changed, &list);
            assert!(well && lines.last().unwrap()["done"] == 1, "{lines:?}");
        }
    }
    // Someone changed it since it was exported.
    let (well, lines) = videos.run(&["import", "--preview", file.to_str().unwrap()]);
    assert!(!well && lines[0]["reason"].as_str().unwrap().contains("since the list was exported"));
    // As spreadsheets of other countries write it: by semicolons, with a mark, and names of another case.
    let list = format!(
        "\u{feff}SrcVideo;Title;TAG:mood;published\r\n{};Émile;heiter;TRUE\r\n{};Zwei;;\r\nnowhere.mov;x;y;true\r\n{};Drei;a;maybe\r\n{};twice;;\r\n",
        key(1),
        key(2),
        key(3),
        key(1),
    );
    let (well, lines) = videos.import(&changed, &list);
    assert!(!well, "some lines are wrong");
    let unread: Vec<_> = lines.iter().filter(|line| line["state"] == "unread").collect();
    let problems: Vec<_> =
        unread.iter().map(|line| (line["line"].as_u64().unwrap(), line["reason"].as_str().unwrap())).collect();
    assert_eq!(problems.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [4, 5, 6]);
    assert!(problems[0].1.contains("no such video") && problems[1].1.contains("maybe"), "{problems:?}");
    assert_eq!(lines.last().unwrap()["done"], 2);
    let found = videos.well(&["search", "emile", "tag:mood=heiter", "is:published"]);
    assert_eq!((found.len(), found[0]["guid"].as_str()), (1, Some(guid(1).as_str())));
    // An empty cell takes away; a column that is not there stays.
    let (well, lines) = videos.import(&changed, &format!("guid,tag:mood\n{},\n", guid(1)));
    assert!(well, "{lines:?}");
    let found = videos.well(&["search", "emile"]);
    assert!(found[0]["details"]["tags"].get("mood").is_none() && found[0]["details"]["published"] == true, "{found:?}");
    videos.well(&["undo", lines.last().unwrap()["run"].as_str().unwrap()]);
    assert_eq!(videos.well(&["search", "tag:mood=heiter"]).len(), 1);
    // What is no such list has a sentence.
    for (list, words) in [("name,age\nx,1\n", "neither a column"), ("", "neither a column"), ("a\0b", "is no text")] {
        let (well, lines) = videos.import(&changed, list);
        assert!(!well && lines[0]["message"].as_str().unwrap().contains(words), "{list:?}: {lines:?}");
    }
    let json = folder.path().join("some.json");
    assert_eq!(videos.well(&["export", json.to_str().unwrap(), "--query", "emile"])[0]["videos"], 1);
    let all: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!(all[0]["guid"].as_str(), Some(guid(1).as_str()));
    let nowhere = folder.path().join("none/x.csv");
    let (well, lines) = videos.run(&["export", nowhere.to_str().unwrap()]);
    assert!(!well && lines[0]["message"].as_str().unwrap().contains("could not be written"), "{lines:?}");
}

/// One odd item is no trouble for the others: their lines come in again.
#[tokio::test(flavor = "multi_thread")]
async fn odd_items_break_no_list() {
    let server = Server::start();
    let mut items: Vec<_> = (0..20).map(|number| item_in(BUCKET, number)).collect();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let map = |fields: &[(&str, AttributeValue)]| {
        AttributeValue::M(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    };
    // Names with blanks, more tags than one may give, no text at all, times the wrong way round.
    let many = (0..300).map(|number| (format!("tag{number:03}"), text("x"))).collect();
    let times = [("publishFrom", text("2027-01-01T00:00:00Z")), ("publishUntil", text("2026-01-01T00:00:00Z"))];
    let odd = [
        map(&[("tags", map(&[(" lead", text("x")), (" ", text("y"))]))]),
        map(&[("title", text("a\u{0}b\u{1b}[31m\r\nc ")), ("description", text(" \r\n "))]),
        map(&[("tags", AttributeValue::M(many))]),
        map(&[("title", text("'=1")), times[0].clone(), times[1].clone()]),
        map(&[("tags", text("none")), ("title", AttributeValue::N("5".into()))]),
        text("no map"),
    ];
    for (item, own) in items.iter_mut().zip(odd) {
        item.insert("reeldesk".into(), own);
    }
    let guid = |number: usize| items[number]["guid"].as_s().unwrap().clone();
    write(&server.dynamodb(), TABLE, items.clone().into_iter()).await;
    let videos = Videos(&server);
    let folder = tempfile::tempdir().unwrap();
    let (file, changed) = (folder.path().join("all.csv"), folder.path().join("changed.csv"));
    let exported = videos.well(&["export", file.to_str().unwrap()]);
    assert_eq!(exported[0]["videos"], 20);
    assert!(exported[0]["tagsLeftOut"].as_u64() > Some(90), "{exported:?}");
    let preview = videos.well(&["import", "--preview", file.to_str().unwrap()]);
    assert_eq!((preview[0]["changed"].as_u64(), preview[0]["unusable"].as_u64()), (Some(0), Some(0)), "{preview:?}");
    // All of them at once: the one that is no map is told, the others are changed.
    let (well, lines) = videos.run(&["edit", "--query", "", "--description", "Seen"]);
    let summary = lines.last().unwrap();
    assert!(!well && summary["done"] == 19 && summary["failed"] == 1, "{summary}");
    let refused = lines.iter().find(|line| line["outcome"]["kind"] == "failed").unwrap();
    assert!(refused["guid"] == guid(5) && refused.to_string().contains("is no map"), "{refused}");
    // Tags that are none are not overwritten; a title can be given to one whose times are wrong.
    let (well, lines) = videos.run(&["edit", &guid(4), "--tag", "a=b"]);
    assert!(!well && lines[0].to_string().contains("no map of names and values"), "{lines:?}");
    videos.well(&["edit", &guid(3), "--title", "Right"]);
    videos.well(&["edit", &guid(2), "--clear-tags"]);
    // Signs alone are not all of the catalog.
    for query in ["***", "\u{1F3AC}", "%", "\"\"", "\""] {
        let (_, lines) = videos.run(&["trash", "--query", query, "--preview"]);
        assert_eq!(lines[0]["videos"], 0, "{query}: {lines:?}");
    }
    // Columns that are there twice, or that nobody knows.
    let (well, lines) = videos.import(&changed, &format!("guid,title,Title\n{},a,b\n", guid(7)));
    assert!(!well && lines[0]["message"].as_str().unwrap().contains("there twice"), "{lines:?}");
    std::fs::write(&changed, format!("guid,nonsense\n{},a\n", guid(7))).unwrap();
    let preview = videos.well(&["import", "--preview", changed.to_str().unwrap()]);
    assert_eq!(preview[0]["unknownColumns"], serde_json::json!(["nonsense"]));
}
