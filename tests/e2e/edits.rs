//! Changing videos by hand: on a video's page, with someone else in between, many at once, into the trash and back, and for good.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use fantoccini::key::Key;
use reeldesk_tests::{Server, catalog};

use crate::window::Window;
use crate::{LONG, SHORT};

const TABLE: &str = reeldesk_sandbox::TABLE;
const NOTE: &str = "//header[.//h1='Library']/p";
const PAGE: &str = "//aside[@aria-label='Video']";

async fn opened(server: &Server, videos: u64) -> Window {
    let items = (0..videos).map(|number| catalog::item_in(reeldesk_sandbox::SOURCE_BUCKET, number));
    catalog::write(&server.dynamodb(), TABLE, items).await;
    let window = Window::open(server.data.data.path(), &["--workspace", "sandbox"]).await.unwrap();
    window.wait_for(&format!("{NOTE}[contains(., '{videos} videos, checked')]"), LONG).await.unwrap();
    window
}

async fn own(server: &Server, guid: &str) -> HashMap<String, AttributeValue> {
    let key = AttributeValue::S(guid.to_owned());
    let get = server.dynamodb().get_item().table_name(TABLE).key("guid", key).consistent_read(true);
    let item = get.send().await.unwrap().item.unwrap();
    item.get("reeldesk").and_then(|own| own.as_m().ok()).cloned().unwrap_or_default()
}

fn guid(number: u64) -> String {
    catalog::item(number)["guid"].as_s().unwrap().clone()
}

async fn write(window: &Window, field: &str, text: &str) {
    let field = window.wait_for(field, SHORT).await.unwrap();
    field.clear().await.unwrap();
    field.send_keys(text).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_is_changed_and_someone_else_is_first() {
    let server = Server::start();
    let window = opened(&server, 12).await;
    let guid = guid(10);
    window.click(&format!("//*[@data-guid='{guid}']//button")).await.unwrap();
    let title = &format!("{PAGE}//input[@name='title']");
    write(&window, title, "Night Train").await;
    window.click(&format!("{PAGE}//button[.='Add a tag']")).await.unwrap();
    write(&window, &format!("{PAGE}//li[last()]/input[@aria-label='Name of the tag']"), "mood").await;
    write(&window, &format!("{PAGE}//li[last()]/input[2]"), "Noir").await;
    window.picture("edit-typed").await;
    window.is_accessible("page").await;
    window.click(&format!("{PAGE}//button[.='Save']")).await.unwrap();
    window.wait_for(&format!("{PAGE}//*[@role='status'][.='Saved.']"), SHORT).await.unwrap();
    window.wait_for(&format!("//*[@data-guid='{guid}'][contains(., 'Night Train')]"), SHORT).await.unwrap();
    let saved = own(&server, &guid).await;
    assert_eq!(saved["title"].as_s().unwrap(), "Night Train");
    assert_eq!(saved["tags"].as_m().unwrap()["mood"].as_s().unwrap(), "Noir");
    window.picture("edit-saved").await;

    // What is typed stays while another video is looked at; someone else changes the title meanwhile.
    write(&window, title, "Mine").await;
    window.click(&format!("//*[@data-guid='{}']//button", self::guid(9))).await.unwrap();
    window.wait_for(&format!("{PAGE}//dd[.='{}']", self::guid(9)), SHORT).await.unwrap();
    let elsewhere = server.elsewhere();
    let edit = ["--workspace", "elsewhere", "videos", "edit", &guid, "--title", "Theirs", "--tag", "year=1984"];
    assert!(elsewhere.run(&edit).unwrap().0);
    window.click(&format!("//*[@data-guid='{guid}']//button")).await.unwrap();
    window
        .until("return document.querySelector('[name=title]')?.value;", SHORT, |title| title == "Mine")
        .await
        .unwrap();
    window.click(&format!("{PAGE}//button[.='Save']")).await.unwrap();
    window.wait_for(&format!("{PAGE}//*[@role='alert'][contains(., 'Someone else changed')]"), SHORT).await.unwrap();
    window.picture("edit-conflict").await;
    window.is_accessible("conflict").await;
    assert_eq!(own(&server, &guid).await["title"].as_s().unwrap(), "Theirs");
    window.click(&format!("{PAGE}//*[@role='group'][@aria-label='Title']/button[contains(., 'Mine')]")).await.unwrap();
    window.click(&format!("{PAGE}//button[.='Save'][not(@disabled)]")).await.unwrap();
    window.wait_for(&format!("{PAGE}//*[@role='status'][.='Saved.']"), SHORT).await.unwrap();
    let saved = own(&server, &guid).await;
    assert_eq!(saved["title"].as_s().unwrap(), "Mine");
    assert!(saved["tags"].as_m().unwrap().contains_key("year"), "what they changed elsewhere stays");
    // Undone from Activity, where it is listed.
    window.click("//nav//button[contains(., 'Activity')]").await.unwrap();
    window.wait_for("(//ol/li)[1][contains(., 'Theirs → Mine')]", SHORT).await.unwrap();
    window.picture("activity").await;
    window.is_accessible("activity").await;
    window.click("(//ol/li)[1]//button[.='Undo']").await.unwrap();
    window.wait_for("(//ol/li)[1][contains(., 'Undid changes')]", SHORT).await.unwrap();
    assert_eq!(own(&server, &guid).await["title"].as_s().unwrap(), "Theirs");
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_changed_and_go_through_the_trash() {
    let server = Server::start();
    let window = opened(&server, 30).await;
    let place = format!("return document.querySelector(\"[data-guid='{}']\").getBoundingClientRect().top;", guid(29));
    let before = window.script(&place).await.unwrap();
    window.click(&format!("//*[@data-guid='{}']//input[@type='checkbox']", guid(29))).await.unwrap();
    window.wait_for("//*[@aria-label='Selected videos'][contains(., '1 video chosen')]", SHORT).await.unwrap();
    assert_eq!(window.script(&place).await.unwrap(), before, "the rows stay under the pointer");
    let control_a = format!("{}a{}", Key::Control, Key::Null);
    window.client.active_element().await.unwrap().send_keys(&control_a).await.unwrap();
    window.wait_for("//*[@aria-label='Selected videos'][contains(., '30 videos chosen')]", SHORT).await.unwrap();
    window.click("//*[@aria-label='Selected videos']//button[.='Edit…']").await.unwrap();
    let panel = "//aside[@aria-label='Edit the chosen videos']";
    window.wait_for(&format!("{panel}//input[@placeholder='Mixed']"), SHORT).await.unwrap();
    window.click(&format!("{panel}//button[.='Add a tag']")).await.unwrap();
    write(&window, &format!("{panel}//li[last()]/input[1]"), "season").await;
    write(&window, &format!("{panel}//li[last()]/input[2]"), "winter").await;
    window
        .wait_for(&format!("{panel}//strong[contains(., '30 videos of 30 would change, 30 changes')]"), SHORT)
        .await
        .unwrap();
    window.picture("bulk").await;
    window.is_accessible("bulk").await;
    window.click(&format!("{panel}//button[.='Apply']")).await.unwrap();
    let run = "//section[@aria-label='What is done']";
    window.wait_for(&format!("{run}[contains(., '30 done')]"), LONG).await.unwrap();
    for number in [0, 17, 29] {
        assert_eq!(own(&server, &guid(number)).await["tags"].as_m().unwrap()["season"].as_s().unwrap(), "winter");
    }
    window.picture("bulk-done").await;
    window.click(&format!("{run}//button[.='Undo']")).await.unwrap();
    window.wait_for(&format!("{run}[contains(., 'Undo: ')][contains(., '30 done')]"), LONG).await.unwrap();
    assert_ne!(own(&server, &guid(17)).await["tags"].as_m().unwrap()["season"].as_s().unwrap(), "winter");

    // Two go to the trash, from a range; one comes back, the other one goes for good.
    let rows = "return document.querySelector('.videos')?.getAttribute('aria-rowcount');";
    window.click(&format!("//*[@data-guid='{}']//input[@type='checkbox']", guid(20))).await.unwrap();
    window.wait_for("//button[@aria-label='More with 1 video']", SHORT).await.unwrap();
    window.click(&format!("//*[@data-guid='{}']//input[@type='checkbox']", guid(21))).await.unwrap();
    window.click("//button[@aria-label='More with 2 videos']").await.unwrap();
    window.click("//button[@role='menuitem'][contains(., 'Move to trash')]").await.unwrap();
    window.until(rows, LONG, |rows| rows == "29").await.unwrap();
    assert!(own(&server, &guid(20)).await.contains_key("trashedAt"));
    window.click("//button[.='Trash']").await.unwrap();
    window.until(rows, LONG, |rows| rows == "3").await.unwrap();
    window.click(&format!("//*[@data-guid='{}']//input[@type='checkbox']", guid(20))).await.unwrap();
    window.click("//*[@aria-label='Selected videos']//button[.='Restore']").await.unwrap();
    window.until(rows, LONG, |rows| rows == "2").await.unwrap();
    assert!(!own(&server, &guid(20)).await.contains_key("trashedAt"));
    window.click(&format!("//*[@data-guid='{}']//input[@type='checkbox']", guid(21))).await.unwrap();
    window.click("//*[@aria-label='Selected videos']//button[contains(., 'Delete for good')]").await.unwrap();
    let purge = "//aside[@aria-label='Delete for good']";
    write(&window, &format!("{purge}//input[not(@type='checkbox')]"), "delete 1 video").await;
    window.picture("purge").await;
    window.is_accessible("purge").await;
    window.click(&format!("{purge}//button[.='Delete for good'][not(@disabled)]")).await.unwrap();
    window.wait_for("//h2[contains(., 'The trash is empty')]", LONG).await.unwrap();
    window.picture("purged").await;
    let gone = AttributeValue::S(guid(21));
    let get = server.dynamodb().get_item().table_name(TABLE).key("guid", gone);
    assert!(get.send().await.unwrap().item.is_none());
    window.click("//button[.='All']").await.unwrap();
    window.until(rows, LONG, |rows| rows == "30").await.unwrap();
    window.close().await;
}

/// Captions are added from a file, keep what else is typed, and come off with an undo.
#[tokio::test(flavor = "multi_thread")]
async fn captions_are_added_and_taken_off() {
    let server = Server::start();
    let window = opened(&server, 12).await;
    let guid = guid(10);
    let stem = catalog::item_in(reeldesk_sandbox::SOURCE_BUCKET, 10)["srcVideo"].as_s().unwrap().clone();
    let key = format!("{}.en.vtt", stem.rsplit_once('.').unwrap().0);
    let file = server.data.data.path().join("captions.vtt");
    std::fs::write(&file, "WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n").unwrap();
    window.click(&format!("//*[@data-guid='{guid}']//button")).await.unwrap();
    write(&window, &format!("{PAGE}//input[@name='title']"), "Still typed").await;
    window.click(&format!("{PAGE}//button[.='Add captions or a file…']")).await.unwrap();
    write(&window, &format!("{PAGE}//label[span='Language']/input"), "en").await;
    window.picture("captions-typed").await;
    window.is_accessible("captions-typed").await;
    window.click(&format!("{PAGE}//button[.='Choose the file…']")).await.unwrap();
    window.choose("Add a file", &file).await.unwrap();
    let label = format!("{PAGE}//input[contains(@aria-label, '.en.vtt')]");
    window.wait_for(&label, LONG).await.unwrap();
    let typed = "return document.querySelector('[name=title]').value;";
    assert_eq!(window.script(typed).await.unwrap(), "Still typed");
    let said = |own: &HashMap<String, AttributeValue>| own["sidecars"].as_m().unwrap()[&key].clone();
    assert_eq!(said(&own(&server, &guid).await), AttributeValue::S("English".into()));
    let head = server.client().head_object().bucket(reeldesk_sandbox::SOURCE_BUCKET).key(&key).send().await.unwrap();
    assert_eq!(head.content_type(), Some("text/vtt"));
    let form = "document.querySelector('form.fields fieldset:last-of-type').scrollIntoView({ block: 'center' });";
    window.script(form).await.unwrap();
    window.picture("captions-added").await;
    window.is_accessible("captions-added").await;

    // The label is saved with what else is typed; taken off, it comes back by an undo.
    write(&window, &label, "English (SDH)").await;
    let save = format!("{PAGE}//button[.='Save'][not(@disabled)]");
    window.click(&save).await.unwrap();
    window.wait_for(&format!("{PAGE}//*[@role='status'][.='Saved.']"), SHORT).await.unwrap();
    assert_eq!(said(&own(&server, &guid).await), AttributeValue::S("English (SDH)".into()));
    assert_eq!(own(&server, &guid).await["title"].as_s().unwrap(), "Still typed");
    window.click(&format!("{PAGE}//button[@title='Remove'][contains(@aria-label, '.en.vtt')]")).await.unwrap();
    window.click(&save).await.unwrap();
    window.wait_for(&format!("{PAGE}//*[@role='status'][.='Saved.']"), SHORT).await.unwrap();
    assert_eq!(said(&own(&server, &guid).await), AttributeValue::Null(true));
    window.click(&format!("{PAGE}//form//button[.='Undo']")).await.unwrap();
    window.wait_for(&label, LONG).await.unwrap();
    assert_eq!(said(&own(&server, &guid).await), AttributeValue::S("English (SDH)".into()));
    window.close().await;
}

/// What is listed goes into a file, is changed there, and comes back after a look at what it would change.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_goes_out_and_comes_back() {
    let server = Server::start();
    let window = opened(&server, 12).await;
    let file = server.data.data.path().join("videos.csv");
    let more = "//button[@aria-label='More of the library']";
    window.click(more).await.unwrap();
    window.click("//button[@role='menuitem'][contains(., 'Export what is listed')]").await.unwrap();
    window.choose("Export", &file).await.unwrap();
    window.wait_for("//*[@role='status'][contains(., '12 videos are in the file')]", LONG).await.unwrap();
    let exported = std::fs::read_to_string(&file).unwrap();
    let guid = guid(7);
    let rows = exported.lines().map(|line| match line.strip_prefix(&format!("{guid},")) {
        Some(rest) => format!("{guid},Night Train,{}", rest.split_once(',').unwrap().1),
        None => line.to_owned(),
    });
    let columns = exported.lines().next().unwrap().split(',').count();
    let nobody = format!("nobody-knows-it,Film{}", ",".repeat(columns - 2));
    let list = rows.chain([nobody]).collect::<Vec<_>>().join("\n");
    std::fs::write(&file, list).unwrap();
    window.click(more).await.unwrap();
    window.click("//button[@role='menuitem'][contains(., 'Import a list')]").await.unwrap();
    window.choose("Import a list of videos", &file).await.unwrap();
    let panel = "//aside[@aria-label='Import a list']";
    window
        .wait_for(&format!("{panel}//strong[contains(., '1 video of 12 would change, 1 change')]"), LONG)
        .await
        .unwrap();
    window.wait_for(&format!("{panel}//li[contains(., 'Line 14, \"nobody-knows-it\"')]"), SHORT).await.unwrap();
    window.picture("import").await;
    window.is_accessible("import").await;
    let title = async || own(&server, &guid).await["title"].as_s().cloned().unwrap_or_default();
    assert_ne!(title().await, "Night Train", "nothing is changed by looking");
    window.click(&format!("{panel}//button[.='Apply']")).await.unwrap();
    window.wait_for("//section[@aria-label='What is done'][contains(., 'Import 1 video: done')]", LONG).await.unwrap();
    assert_eq!(title().await, "Night Train");
    window.close().await;
}
