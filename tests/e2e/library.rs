//! The Library: found as one types, filtered and sorted by hand and by keyboard, and nothing moves under the pointer.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use fantoccini::key::Key;
use reeldesk_tests::{KEYS, Server, catalog, film};
use serde_json::json;

use crate::window::Window;
use crate::{LONG, SHORT};

const VIDEOS: u64 = 1_000;
const NOTE: &str = "//header[.//h1='Library']/p";

/// The item of a number, as one of the sandbox's source bucket.
fn here(number: u64) -> HashMap<String, AttributeValue> {
    catalog::item_in(reeldesk_sandbox::SOURCE_BUCKET, number)
}

/// The titles in sight, from above.
const TITLES: &str = "return [...document.querySelectorAll('[data-guid] .title')].map((one) => one.textContent);";

#[tokio::test(flavor = "multi_thread")]
async fn a_video_is_found_among_a_thousand() {
    let server = Server::start();
    catalog::write(&server.dynamodb(), reeldesk_sandbox::TABLE, (0..VIDEOS).map(here)).await;
    let window = Window::open(server.data.data.path(), &["--workspace", "sandbox"]).await.unwrap();
    window.wait_for(&format!("{NOTE}[contains(., 'videos, checked')]"), LONG).await.unwrap();
    let rows = "return document.querySelector('.videos')?.getAttribute('aria-rowcount');";
    window.until(rows, SHORT, |rows| rows == "1001").await.unwrap();
    window.picture("library-full").await;
    window.is_accessible("library").await;

    // As one types: the two that have both words, the beginnings marked.
    let text = |item: &HashMap<String, AttributeValue>, name: &str| {
        item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
    };
    let sought = catalog::item(321);
    let key = text(&sought, "srcVideo");
    let title = key.rsplit('/').next().unwrap().replace('_', " ");
    let typed: Vec<String> = title.split(' ').take(2).map(|word| word.chars().take(4).collect()).collect();
    let search = window.wait_for("//input[@type='search'][@placeholder]", SHORT).await.unwrap();
    search.send_keys(&typed.join(" ")).await.unwrap();
    let marked =
        "return [...document.querySelectorAll('[data-guid] mark')].map((one) => one.textContent.toLowerCase());";
    let first = typed[0].to_lowercase();
    window.until(marked, SHORT, |marks| marks.as_array().unwrap().iter().any(|mark| *mark == first)).await.unwrap();
    let guid = format!("//*[@data-guid='{}']", text(&sought, "guid"));
    window.wait_for(&guid, SHORT).await.unwrap();
    window.wait_for("//*[@role='status'][contains(., ' of 1')]", SHORT).await.unwrap();
    window.picture("library-search").await;
    search.send_keys("qqqq").await.unwrap();
    window.wait_for("//h2[contains(., 'Nothing is found')]", SHORT).await.unwrap();
    window.picture("library-nothing").await;
    window.click("//button[contains(., 'Show all videos')]").await.unwrap();
    window.until(rows, SHORT, |rows| rows == "1001").await.unwrap();

    // A view, then a filter beside it; each says how many there are.
    window.click("//button[.='Failed']").await.unwrap();
    window.wait_for("//*[@role='status'][starts-with(normalize-space(.), '10 of 1')]", SHORT).await.unwrap();
    window.click("//button[contains(., 'Filter')]").await.unwrap();
    window.picture("library-filter").await;
    window.click("//div[@role='dialog']//label[contains(., 'UHD')]").await.unwrap();
    let states = "return [...document.querySelectorAll('[data-guid]')].map((row) => \
                  [row.querySelector('.status').textContent.trim(), row.querySelector('.size').textContent]);";
    let are_failed_and_large = |rows: &serde_json::Value| {
        let rows = rows.as_array().unwrap();
        !rows.is_empty() && rows.iter().all(|row| *row == json!(["Failed", "3840 × 2160"]))
    };
    window.until(states, SHORT, are_failed_and_large).await.unwrap();
    window.client.active_element().await.unwrap().send_keys(&Key::Escape.to_string()).await.unwrap();
    window.click("//button[.='All']").await.unwrap();
    window.until(rows, SHORT, |rows| rows == "1001").await.unwrap();

    // Saved as a view, it is there again.
    window.script("history.back()").await.unwrap();
    window.click("//button[.='Save view…']").await.unwrap();
    let name = window.wait_for("//input[@aria-label='Name of the view']", SHORT).await.unwrap();
    name.send_keys("Failed in UHD").await.unwrap();
    window.click("//button[.='Save']").await.unwrap();
    window.click("//button[.='All']").await.unwrap();
    window.until(rows, SHORT, |rows| rows == "1001").await.unwrap();
    window.click("//button[.='Failed in UHD']").await.unwrap();
    window.until(states, SHORT, are_failed_and_large).await.unwrap();
    window.picture("library-views").await;
    window.click("//button[.='All']").await.unwrap();
    window.until(rows, SHORT, |rows| rows == "1001").await.unwrap();
    // Back to the filter, and forth again.
    window.script("history.back()").await.unwrap();
    window.until(rows, SHORT, |rows| rows != "1001").await.unwrap();
    window.wait_for("//button[contains(@aria-label, 'Remove the filter UHD')]", SHORT).await.unwrap();
    window.script("history.forward()").await.unwrap();
    window.until(rows, SHORT, |rows| rows == "1001").await.unwrap();

    // By keyboard: the title's head sorts, End leads to the last row, Enter opens it beside the list.
    window.click("//*[@role='columnheader']/button[starts-with(., 'Title')]").await.unwrap();
    window.wait_for("//*[@role='columnheader'][@aria-sort='ascending'][contains(., 'Title')]", SHORT).await.unwrap();
    let first = "//*[@role='row'][@data-index='0']//button";
    window.click(first).await.unwrap();
    window.wait_for("//aside[@aria-label='Video']", SHORT).await.unwrap();
    window.client.active_element().await.unwrap().send_keys(&Key::End.to_string()).await.unwrap();
    let at = "return document.activeElement?.closest('[data-index]')?.getAttribute('data-index');";
    window.until(at, SHORT, |at| at == "999").await.unwrap();
    window.picture("library-last").await;
    window.close().await;
}

/// What another admin adds is told, and put in where nobody's pointer is; what one changes is shown where it is.
#[tokio::test(flavor = "multi_thread")]
async fn what_others_change_is_shown_and_moves_nothing() {
    let server = Server::start();
    let (dynamodb, table) = (server.dynamodb(), reeldesk_sandbox::TABLE);
    catalog::write(&dynamodb, table, (0..50).map(here)).await;
    let window = Window::open(server.data.data.path(), &["--workspace", "sandbox"]).await.unwrap();
    window.wait_for(&format!("{NOTE}[contains(., '50 videos, checked')]"), LONG).await.unwrap();
    // The rows follow the count.
    let newest: Vec<_> = (0..6).map(|number| catalog::item(49 - number)["guid"].as_s().unwrap().clone()).collect();
    let guids = "return [...document.querySelectorAll('[data-guid]')].slice(0, 6).map((row) => row.dataset.guid);";
    window.until(guids, SHORT, |guids| *guids == json!(newest)).await.unwrap();
    window.click("//*[@role='row'][@data-index='2']//button").await.unwrap();
    window.wait_for("//aside[@aria-label='Video']", SHORT).await.unwrap();
    let before = window.script(TITLES).await.unwrap();
    catalog::write(&dynamodb, table, (60..63).map(here)).await;
    window.wait_for("//button[.='3 new']", LONG).await.unwrap();
    let after = window.script(TITLES).await.unwrap();
    assert_eq!(after.as_array().unwrap()[..6], before.as_array().unwrap()[..6], "nothing moved");
    window.picture("library-new").await;
    window.click("//button[.='3 new']").await.unwrap();
    window.wait_for("//*[@role='row'][@data-index='0'][not(.//*[@aria-current='true'])]", SHORT).await.unwrap();
    let newest = catalog::item(62)["guid"].as_s().unwrap().clone();
    window.wait_for(&format!("//*[@role='row'][@data-index='0']//*[@data-guid='{newest}']"), SHORT).await.unwrap();
    // One in sight is renamed elsewhere: read by its key, within seconds.
    catalog::rename(&dynamodb, table, 48, "Renamed by someone else").await;
    let renamed = catalog::item(48)["guid"].as_s().unwrap().clone();
    let row = format!("//*[@data-guid='{renamed}'][contains(., 'Renamed by someone else')]");
    window.wait_for(&row, LONG).await.unwrap();
    window.close().await;
}

/// On a narrow window, and with large text, nothing is cut off to the side.
#[tokio::test(flavor = "multi_thread")]
async fn narrow_and_large() {
    let server = Server::start();
    catalog::write(&server.dynamodb(), reeldesk_sandbox::TABLE, (0..30).map(here)).await;
    let window = Window::open(server.data.data.path(), &["--workspace", "sandbox"]).await.unwrap();
    window.wait_for(&format!("{NOTE}[contains(., '30 videos, checked')]"), LONG).await.unwrap();
    // What reaches over the right edge, and is not scrolled into sight by its own box.
    let cut = "const width = document.documentElement.clientWidth; \
               return [...document.querySelectorAll('main *')].filter((one) => one.getClientRects().length > 0 \
                 && !one.closest('.unseen, .scroll, table, pre, video') && one.getBoundingClientRect().right > width + 1) \
                 .map((one) => one.outerHTML.slice(0, 200));";
    for (name, width, size) in [("narrow", 400, "16px"), ("large", 1180, "32px")] {
        window.client.set_window_size(width, 760).await.unwrap();
        window.script(&format!("document.documentElement.style.fontSize = '{size}';")).await.unwrap();
        window.picture(&format!("library-{name}")).await;
        window.until(cut, SHORT, |cut| *cut == json!([])).await.unwrap();
        window.click("//*[@role='row'][@data-index='1']//input[@type='checkbox']").await.unwrap();
        window.click("//*[@aria-label='Selected videos']//button[.='Edit…']").await.unwrap();
        window.wait_for("//aside[@aria-label='Edit the chosen videos']", SHORT).await.unwrap();
        window.picture(&format!("bulk-{name}")).await;
        window.until(cut, SHORT, |cut| *cut == json!([])).await.unwrap();
        // Escape closes the panel, wherever in it one stands.
        window.client.active_element().await.unwrap().send_keys(&Key::Escape.to_string()).await.unwrap();
        let closed = "return document.querySelector('aside') === null;";
        window.until(closed, SHORT, |closed| *closed == true).await.unwrap();
        window.click("//button[@aria-label='Choose none']").await.unwrap();
        window.click("//*[@role='row'][@data-index='1']//button").await.unwrap();
        window.wait_for("//aside[@aria-label='Video']//input[@name='title']", SHORT).await.unwrap();
        window.picture(&format!("page-{name}")).await;
        window.until(cut, SHORT, |cut| *cut == json!([])).await.unwrap();
        window.click("//button[@aria-label='Close the video']").await.unwrap();
    }
    window.close().await;
}

/// Without a line the window opens on what is known, with its age; what cannot be saved stays typed.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_line() {
    let server = Server::start();
    catalog::write(&server.dynamodb(), reeldesk_sandbox::TABLE, (0..40).map(here)).await;
    let far = server.elsewhere();
    assert!(far.run(&["--workspace", "elsewhere", "videos", "sync"]).unwrap().0);
    drop(server);
    let keys = [("AWS_ACCESS_KEY_ID", KEYS.0), ("AWS_SECRET_ACCESS_KEY", KEYS.1)];
    let window = Window::open_in(far.data.path(), &["--workspace", "elsewhere"], &keys).await.unwrap();
    let rows = "return document.querySelector('.videos')?.getAttribute('aria-rowcount');";
    window.until(rows, LONG, |rows| rows == "41").await.unwrap();
    window.wait_for(&format!("{NOTE}[contains(., '40 videos, checked')]"), SHORT).await.unwrap();
    window.wait_for("//*[contains(@class, 'trouble')][contains(., 'AWS did not answer')]", LONG).await.unwrap();
    window.picture("library-offline").await;
    let search = window.wait_for("//input[@type='search'][@placeholder]", SHORT).await.unwrap();
    search.send_keys("s0").await.unwrap();
    window.wait_for("//*[@role='status'][contains(., ' of 40')]", SHORT).await.unwrap();
    window.close().await;
}

/// Posters beside each other, columns of one's choice, a look at a video in short, and filters by day: by keyboard, too.
#[tokio::test(flavor = "multi_thread")]
async fn shown_as_one_likes() {
    let server = Server::start();
    let (sent, lines) = server.data.run(&["ingest", &film().to_string_lossy(), "--wait"]).unwrap();
    assert!(sent, "{lines:?}");
    catalog::write(&server.dynamodb(), reeldesk_sandbox::TABLE, (0..300).map(here)).await;
    let window = Window::open(server.data.data.path(), &["--workspace", "sandbox"]).await.unwrap();
    window.wait_for(&format!("{NOTE}[contains(., '301 videos, checked')]"), LONG).await.unwrap();
    window.wait_for("//*[@role='grid'][@aria-rowcount='302']", SHORT).await.unwrap();

    // Space looks at it in short: the strip, and the picture moves. Escape leads back to the row.
    let first = "//*[@role='row'][@data-index='0']//button";
    window.wait_for(&format!("{first}[contains(., 'bigbuckbunny')]//img"), SHORT).await.unwrap();
    let press = async |key: &str| window.client.active_element().await.unwrap().send_keys(key).await.unwrap();
    window.script("document.querySelector('[data-index=\"0\"] .opener').focus()").await.unwrap();
    press(" ").await;
    window.wait_for("//dialog[@open][contains(., 'bigbuckbunny')]//div[@role='img']/img", SHORT).await.unwrap();
    let at = "return document.querySelector('dialog video')?.currentTime ?? 0;";
    window.until(at, LONG, |at| at.as_f64().is_some_and(|at| at > 0.3)).await.unwrap();
    window.is_accessible("preview").await;
    window.picture("library-preview").await;
    press(&Key::Down.to_string()).await;
    window.wait_for("//dialog[@open][not(contains(., 'bigbuckbunny'))]", SHORT).await.unwrap();
    // Enter opens the one that is looked at.
    let title = "return document.querySelector('dialog h2')?.textContent;";
    let looked_at = window.script(title).await.unwrap();
    press(&Key::Enter.to_string()).await;
    let opened = "return document.querySelector('aside h2')?.textContent;";
    window.until(opened, SHORT, |opened| *opened == looked_at).await.unwrap();
    window.click("//button[@aria-label='Close the video']").await.unwrap();
    window.script("document.querySelector('[data-index=\"0\"] .opener').focus()").await.unwrap();
    press(" ").await;
    window.wait_for("//dialog[@open][contains(., 'bigbuckbunny')]//video", SHORT).await.unwrap();
    press(&Key::Down.to_string()).await;
    window.wait_for("//dialog[@open][not(contains(., 'bigbuckbunny'))]", SHORT).await.unwrap();
    press(&Key::Escape.to_string()).await;
    assert_eq!(window.script("return document.querySelector('aside')").await.unwrap(), serde_json::Value::Null);
    let focused = "return document.querySelector('dialog') === null \
                   && document.activeElement?.closest('[data-index]')?.getAttribute('data-index');";
    window.until(focused, SHORT, |at| at == "1").await.unwrap();

    // Columns of one's own are there again after a start.
    window.click("//button[@aria-label='Columns']").await.unwrap();
    window.click("//div[@role='dialog']//label[contains(., 'File')]").await.unwrap();
    window.click("//div[@role='dialog']//label[contains(., 'Size')]").await.unwrap();
    window.wait_for("//*[@role='columnheader'][.='File']", SHORT).await.unwrap();
    window.picture("library-columns").await;
    let heads = "return [...document.querySelectorAll('.head [role=columnheader]')].map((one) => one.textContent.trim().replace(/ .$/, ''));";
    let chosen = |heads: &serde_json::Value| *heads == json!(["", "Title", "State", "Duration", "Added", "File"]);
    window.until(heads, SHORT, chosen).await.unwrap();
    window.script("location.reload()").await.unwrap();
    window.until(heads, LONG, chosen).await.unwrap();

    // Posters: as many lines as screen readers are told, and arrows in both directions.
    window.click("//button[@aria-label='Posters']").await.unwrap();
    window.wait_for("//*[@role='gridcell'][@data-index='0']//img", SHORT).await.unwrap();
    let shape = "const grid = document.querySelector('.videos'); \
                 return [Number(grid.getAttribute('aria-rowcount')), Number(grid.getAttribute('aria-colcount'))];";
    let told = window.script(shape).await.unwrap();
    let (lines, beside) = (told[0].as_u64().unwrap(), told[1].as_u64().unwrap());
    assert!(beside > 2 && lines == 301_u64.div_ceil(beside), "{told}");
    window.is_accessible("posters").await;
    window.picture("library-posters").await;
    window.script("document.querySelector('[data-index=\"0\"] .opener').focus()").await.unwrap();
    let index = "return document.activeElement?.closest('[data-index]')?.getAttribute('data-index');";
    press(&Key::Right.to_string()).await;
    window.until(index, SHORT, |at| at == "1").await.unwrap();
    press(&Key::Down.to_string()).await;
    window.until(index, SHORT, |at| *at == json!((1 + beside).to_string())).await.unwrap();
    press(&Key::End.to_string()).await;
    window.until(index, SHORT, |at| at == "300").await.unwrap();
    press("x").await;
    window
        .wait_for("//*[@role='toolbar' or @role='group' or @role='region'][contains(., '1 video')]", SHORT)
        .await
        .unwrap();
    window.click("//button[@aria-label='List']").await.unwrap();

    // A page of its own, with the tracks of the source in words, and back beside the list.
    // One stands where one stood.
    window.wait_for("//*[@role='row'][@data-index='300']//button[@tabindex='0']", SHORT).await.unwrap();
    window.script("document.querySelector('[data-index=\"300\"] .opener').focus()").await.unwrap();
    press(&Key::Home.to_string()).await;
    window.picture("library-home").await;
    window.until(index, SHORT, |at| at == "0").await.unwrap();
    window.click(first).await.unwrap();
    window
        .wait_for("//aside[@aria-label='Video']//dd[contains(., 'AVC') and contains(., '1280 × 720')]", SHORT)
        .await
        .unwrap();
    window.click("//button[@aria-label='Show the video alone']").await.unwrap();
    let place = "return document.querySelector('.videos')?.getClientRects().length ?? 0;";
    window.until(place, SHORT, |shown| shown == 0).await.unwrap();
    window.is_accessible("page").await;
    window.picture("page-alone").await;
    window.click("//button[@aria-label='Show the list beside it']").await.unwrap();
    window.until(place, SHORT, |shown| shown != 0).await.unwrap();
    window.click("//button[@aria-label='Close the video']").await.unwrap();

    // The film of today, by its day; without the day there are all again.
    window.click("//button[contains(., 'Filter')]").await.unwrap();
    let day = "const field = document.querySelector('#video-filters input[type=date]'); \
               const now = new Date(); field.value = `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, '0')}-${String(now.getDate()).padStart(2, '0')}`; \
               field.dispatchEvent(new Event('change', { bubbles: true }));";
    window.script(day).await.unwrap();
    window.wait_for("//*[@role='grid'][@aria-rowcount='2']", SHORT).await.unwrap();
    window.picture("library-dates").await;
    press(&Key::Escape.to_string()).await;
    window.click("//button[@aria-label='Remove the first day']").await.unwrap();
    window.wait_for("//*[@role='grid'][@aria-rowcount='302']", SHORT).await.unwrap();
    // What was begun long ago and never ended is stuck, and needs attention.
    window.click("//button[.='Needs attention']").await.unwrap();
    window.wait_for("//*[@data-guid]//*[contains(@class, 'status')][contains(., 'Stuck')]", SHORT).await.unwrap();
    window.picture("library-attention").await;
    window.close().await;
}

/// Whatever stands in an item is text: it is listed, found and opened, and nothing of it runs.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_items_are_text() {
    let server = Server::start();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let own = |fields: &[(&str, AttributeValue)]| {
        AttributeValue::M(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    };
    let script = "<img src=x onerror=\"window.ran = true\"><script>window.ran = true</script>";
    let tags = AttributeValue::M((0..10_000).map(|number| (format!("tag{number}"), text("x"))).collect());
    let odd = AttributeValue::L(vec![AttributeValue::Bool(true), AttributeValue::Null(true), text(script)]);
    let numbers = AttributeValue::N("9e99".into());
    let owns = [
        own(&[("title", text(script)), ("description", text(script)), ("tags", own(&[(script, text(script))]))]),
        own(&[("title", text("left \u{202e}thgir\u{0} and \u{2066}more"))]),
        own(&[("title", text("Four hundred")), ("description", text(&"huge words ".repeat(32_000)))]),
        own(&[("title", text("Ten thousand")), ("tags", tags)]),
        own(&[
            ("title", odd.clone()),
            ("description", numbers.clone()),
            ("tags", odd.clone()),
            ("sidecars", odd.clone()),
        ]),
        odd.clone(),
    ];
    let items = owns.into_iter().enumerate().map(|(number, own)| {
        let mut item = here(number as u64);
        item.insert("reeldesk".into(), own);
        if number > 3 {
            for name in
                ["hlsUrl", "mp4Urls", "srcMediainfo", "endTime", "encodingOutput", "thumbNailsUrls", "workflowStatus"]
            {
                item.insert(name.into(), if number == 4 { odd.clone() } else { numbers.clone() });
            }
        }
        item
    });
    let items: Vec<_> = items.collect();
    let guids: Vec<_> = items.iter().map(|item| item["guid"].as_s().unwrap().clone()).collect();
    catalog::write(&server.dynamodb(), reeldesk_sandbox::TABLE, items.into_iter()).await;
    let window = Window::open(server.data.data.path(), &["--workspace", "sandbox"]).await.unwrap();
    window.wait_for(&format!("{NOTE}[contains(., '6 videos, checked')]"), LONG).await.unwrap();
    let search = window.wait_for("//input[@type='search'][@placeholder]", SHORT).await.unwrap();
    for (typed, found) in [("onerror", 0), ("thgir", 1), ("huge", 2), ("tag77", 3)] {
        search.clear().await.unwrap();
        search.send_keys(typed).await.unwrap();
        window.wait_for(&format!("//*[@data-guid='{}']", guids[found]), SHORT).await.unwrap();
        window.wait_for("//*[@role='status'][contains(., '1 of 6')]", SHORT).await.unwrap();
    }
    // As by hand: clearing by WebDriver tells the page nothing.
    search.send_keys(&format!("{}a{}{}", Key::Control, Key::Null, Key::Backspace)).await.unwrap();
    for (number, guid) in guids.iter().enumerate() {
        window.click(&format!("//*[@data-guid='{guid}']//button")).await.unwrap();
        window.wait_for(&format!("//aside[@aria-label='Video']//dd[.='{guid}']"), LONG).await.unwrap();
        window.picture(&format!("hostile-{number}")).await;
    }
    let titles = window.script(TITLES).await.unwrap();
    assert!(titles.as_array().unwrap().iter().any(|title| *title == script), "{titles}");
    assert_eq!(window.script("return window.ran ?? null;").await.unwrap(), json!(null));
    window.close().await;
}
