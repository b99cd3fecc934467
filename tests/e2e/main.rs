//! The real window under Xvfb, driven through WebDriver, with real X11 drops.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should stop")]

mod edits;
mod jobs;
mod library;
mod notices;
mod viewers;
mod watch;
mod window;
mod workspace;
mod workspaces;

use std::path::Path;
use std::time::Duration;

use fantoccini::Locator;
use notices::Notices;
use reeldesk_tests::{Reelctl, film, long_film, make};
use window::Window;

const LONG: Duration = Duration::from_secs(120);
const SHORT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn drop_a_film_and_watch_it() {
    let data = tempfile::tempdir().unwrap();
    let window = Window::open(data.path(), &[]).await.unwrap();
    window.picture("welcome").await;
    window.click("//button[contains(., 'Try it in the sandbox')]").await.unwrap();
    window.wait_for("//h2[contains(., 'library is empty')]", SHORT).await.unwrap();
    window.picture("library-empty").await;

    window.drop(&[film()]).await.unwrap();
    window.wait_for("//li[@data-stage]", SHORT).await.unwrap();
    window.picture("ingest-working").await;
    window.wait_for("//li[@data-stage='playable']", LONG).await.unwrap();
    window.picture("ingest-playable").await;
    window.click("//li[@data-stage='playable']//button[contains(., 'Play')]").await.unwrap();

    let script = "const v = document.querySelector('video'); return v ? [v.currentTime, v.videoWidth] : [0, 0];";
    window.until(script, SHORT, |value| value[0].as_f64() > Some(0.3) && value[1].as_u64() > Some(0)).await.unwrap();
    let first = window.picture_of("video").await.unwrap();
    let time = window.script(script).await.unwrap()[0].as_f64();
    window.until(script, SHORT, |value| value[0].as_f64() > time.map(|time| time + 1.0)).await.unwrap();
    let second = window.picture_of("video").await.unwrap();
    assert!(first != second, "the picture does not change");
    window.picture("player").await;
    let qualities = window.client.find_all(Locator::XPath("//aside//tbody/tr")).await.unwrap();
    assert_eq!(qualities.len(), 4);
    let thumbnail = "const i = document.querySelector('.videos img'); return i ? i.naturalWidth : 0;";
    window.until(thumbnail, SHORT, |value| value.as_u64() > Some(0)).await.unwrap();
    window.click("//nav//button[contains(., 'Jobs')]").await.unwrap();
    window.wait_for("//*[@role='grid'][@aria-label='Jobs']//*[@data-state='complete']", SHORT).await.unwrap();
    window.picture("jobs").await;
    window.click("//*[@role='grid'][@aria-label='Jobs']//*[@data-index='0']//button").await.unwrap();
    window.click("//aside[@aria-label='Job']//button[.='Open the video']").await.unwrap();
    window.wait_for("//aside[@aria-label='Video']", SHORT).await.unwrap();
    window.picture("jobs-video").await;
    window.close().await;
}

#[tokio::test]
async fn an_unreadable_file_says_so() {
    let data = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let (text, cut) = (files.path().join("not a film.mp4"), files.path().join("cut.mp4"));
    std::fs::write(&text, "plain text").unwrap();
    let video =
        ["-f", "lavfi", "-i", "testsrc2=s=320x180:d=8:r=25", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "25"];
    make(&cut, &[&video[..], &["-movflags", "+faststart"]].concat()).unwrap();
    let whole = std::fs::metadata(&cut).unwrap().len();
    std::fs::File::options().write(true).open(&cut).unwrap().set_len(whole / 2).unwrap();
    let window = Window::open(data.path(), &["--workspace", "sandbox"]).await.unwrap();
    window.wait_for("//h1[contains(., 'Library')]", SHORT).await.unwrap();
    window.drop(&[text, cut]).await.unwrap();
    let of_text = "//li[@data-stage='needsYou'][contains(., '\"not a film.mp4\" is not a video')]";
    window.wait_for(of_text, SHORT).await.unwrap();
    // It is what it is: to try again is not offered.
    assert_eq!(window.script(&format!("return {}", count("//button[.='Retry']"))).await.unwrap(), 0);
    let of_cut = "//li[@data-stage='needsYou'][contains(., '\"cut.mp4\" is cut off: at most')]";
    window.wait_for(of_cut, SHORT).await.unwrap();
    window.picture("ingest-needs-you").await;
    window.click(&format!("{of_cut}//button[.='Send anyway']")).await.unwrap();
    window.wait_for("//li[@data-stage='playable'][contains(., 'Shorter than its source')]", LONG).await.unwrap();
    window.picture("ingest-shorter").await;
    // A name that is no text, dropped by itself.
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let raw = files.path().join(std::ffi::OsStr::from_bytes(b"caf\xE9 noir.mp4"));
        short_film(&files.path().join("short.mp4"));
        std::fs::rename(files.path().join("short.mp4"), &raw).unwrap();
        window.drop(&[raw]).await.unwrap();
        window.wait_for("//li[@data-stage='playable'][contains(., 'caf\u{FFFD} noir')]", LONG).await.unwrap();
    }
    window.click(&format!("{of_text}//button[@title='Take off the list']")).await.unwrap();
    window.until(&format!("return {}", count(of_text)), SHORT, |count| *count == 0).await.unwrap();
    window.close().await;
}

#[tokio::test]
async fn a_restart_in_mid_journey_goes_on() {
    let data = tempfile::tempdir().unwrap();
    let window = Window::open(data.path(), &["--workspace", "sandbox"]).await.unwrap();
    window.wait_for("//h1[contains(., 'Library')]", SHORT).await.unwrap();
    window.drop(&[film()]).await.unwrap();
    window
        .wait_for("//li[@data-stage='encoding' or @data-stage='queued' or @data-stage='verified']", LONG)
        .await
        .unwrap();
    window.kill().await;

    // No argument: the workspace of the last run is opened again.
    let window = Window::open(data.path(), &[]).await.unwrap();
    window.click("//nav//button[contains(., 'Ingest')]").await.unwrap();
    window.wait_for("//li[@data-stage='playable']", LONG).await.unwrap();
    window.click("//nav//button[contains(., 'Library')]").await.unwrap();
    window.wait_for("//*[@data-guid]", SHORT).await.unwrap();
    assert_eq!(window.client.find_all(Locator::XPath("//*[@data-guid]")).await.unwrap().len(), 1);
    window.close().await;
}

#[tokio::test]
async fn an_upload_is_paused_and_goes_on() {
    let data = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let long = long_film(files.path()).unwrap();
    let window = Window::open(data.path(), &["--workspace", "sandbox"]).await.unwrap();
    window.wait_for("//h1[contains(., 'Library')]", SHORT).await.unwrap();
    // A file that ends at once brings the steering to the screen.
    let text = files.path().join("text.mp4");
    std::fs::write(&text, "plain text").unwrap();
    window.drop(&[text]).await.unwrap();
    let limit = window.wait_for("//div[@role='toolbar']//select", SHORT).await.unwrap();
    limit.select_by_value("2000000").await.unwrap();
    window.drop(std::slice::from_ref(&long)).await.unwrap();

    let value = "const b = document.querySelector('[role=progressbar]'); return b ? Number(b.ariaValueNow) : null;";
    window.wait_for("//li[@data-stage='sending']", SHORT).await.unwrap();
    window.until(value, SHORT, |value| value.as_f64() > Some(5.0)).await.unwrap();
    window.picture("ingest-sending").await;
    window.click("//li[@data-stage='sending']//button[@title='Pause']").await.unwrap();
    window.wait_for("//li[@data-stage='paused']", SHORT).await.unwrap();
    window.picture("ingest-paused").await;
    // A cancel can be undone for some seconds: nothing that was sent is lost.
    let sent = "return document.querySelector('li[data-stage=paused] .name p').textContent";
    let before = window.script(sent).await.unwrap();
    window.click("//li[@data-stage='paused']//button[@title='Cancel']").await.unwrap();
    window.wait_for("//li[@data-stage='canceling']//button[.='Undo']", SHORT).await.unwrap();
    window.picture("ingest-undo").await;
    assert_eq!(window.script("return document.activeElement.textContent").await.unwrap(), "Undo");
    window.click("//li[@data-stage='canceling']//button[.='Undo']").await.unwrap();
    window.wait_for("//li[@data-stage='paused']", SHORT).await.unwrap();
    assert_eq!(window.script(sent).await.unwrap(), before);
    limit.select_by_value("").await.unwrap();
    // The disk is unplugged meanwhile.
    let aside = files.path().join("unplugged.mp4");
    std::fs::rename(&long, &aside).unwrap();
    window.click("//button[contains(., 'Resume the paused one')]").await.unwrap();
    window.wait_for("//li[contains(., 'It goes on when the file is back')]", SHORT).await.unwrap();
    window.picture("ingest-unplugged").await;
    std::fs::rename(&aside, &long).unwrap();
    let verified = "//li[@data-stage='verified' or @data-stage='queued' or @data-stage='encoding']";
    window.wait_for(verified, LONG).await.unwrap();
    // Steered away: nothing goes on in the next test's time.
    window.click("//button[@title='Cancel']").await.unwrap();
    window.wait_for("//button[.='Cancel it']", SHORT).await.unwrap();
    window.picture("ingest-cancel").await;
    // The keyboard is on the harmless answer, and Escape is one.
    let focused = "return document.activeElement.textContent";
    assert_eq!(window.script(focused).await.unwrap(), "Keep it");
    window.client.active_element().await.unwrap().send_keys("\u{E00C}").await.unwrap();
    window.until("return document.activeElement.title", SHORT, |title| title == "Cancel").await.unwrap();
    window.click("//button[@title='Cancel']").await.unwrap();
    window.click("//button[.='Cancel it']").await.unwrap();
    window.wait_for("//li[@data-stage='canceled']", SHORT).await.unwrap();
    window.picture("ingest-canceled").await;

    // One that nobody undoes is canceled, also after a kill.
    limit.select_by_value("2000000").await.unwrap();
    let again = files.path().join("again.mp4");
    std::fs::copy(&long, &again).unwrap();
    let grown = std::fs::File::options().append(true).open(&again).unwrap();
    std::io::Write::write_all(&mut &grown, &[b"\0\0\0\x10free".as_slice(), &[0; 8]].concat()).unwrap();
    window.drop(std::slice::from_ref(&again)).await.unwrap();
    window.wait_for("//li[@data-stage='sending']", SHORT).await.unwrap();
    window.until(value, SHORT, |value| value.as_f64() > Some(5.0)).await.unwrap();
    window.click("//li[@data-stage='sending']//button[@title='Cancel']").await.unwrap();
    window.click("//li[@data-stage='canceling']//button[.='Undo']").await.unwrap();
    // It goes on where it was, and so does one that is dropped again instead.
    window.wait_for("//li[@data-stage='sending']", SHORT).await.unwrap();
    window.until(value, SHORT, |value| value.as_f64() > Some(10.0)).await.unwrap();
    window.click("//li[@data-stage='sending']//button[@title='Cancel']").await.unwrap();
    window.wait_for("//li[@data-stage='canceling']//button[.='Undo']", SHORT).await.unwrap();
    window.drop(std::slice::from_ref(&again)).await.unwrap();
    window.wait_for("//li[@data-stage='sending']", SHORT).await.unwrap();
    window.until(value, SHORT, |value| value.as_f64() > Some(15.0)).await.unwrap();
    assert_eq!(window.script(&format!("return {}", count("//li[contains(., 'again')]"))).await.unwrap(), 1);
    window.click("//li[@data-stage='sending']//button[@title='Cancel']").await.unwrap();
    window.wait_for("//li[@data-stage='canceling']//button[.='Undo']", SHORT).await.unwrap();
    window.kill().await;
    let window = Window::open(data.path(), &[]).await.unwrap();
    window.click("//nav//button[contains(., 'Ingest')]").await.unwrap();
    window.wait_for("//li[@data-stage='canceled'][contains(., 'again')]", SHORT).await.unwrap();
    let sandbox = Reelctl::at(data.path());
    window.close().await;
    let (well, left) = sandbox.run(&["uploads", "orphans"]).unwrap();
    assert!(well && left.is_empty(), "{left:#?}");
}

/// A film of a second.
fn short_film(file: &Path) {
    make(file, &["-f", "lavfi", "-i", "testsrc2=s=320x180:d=1:r=25", "-c:v", "libx264", "-pix_fmt", "yuv420p"])
        .unwrap();
}

#[tokio::test]
async fn what_is_there_already_asks_and_a_drop_ends_in_a_summary() {
    let data = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let first = files.path().join("first.mp4");
    short_film(&first);
    let window = Window::open(data.path(), &["--workspace", "sandbox"]).await.unwrap();
    window.wait_for("//h1[contains(., 'Library')]", SHORT).await.unwrap();
    window.drop(std::slice::from_ref(&first)).await.unwrap();
    window.wait_for("//section[@aria-label='Transfers'][contains(., '\"first\": playable')]", LONG).await.unwrap();
    window.picture("ingest-summary").await;

    let copies = files.path().join("copies");
    std::fs::create_dir(&copies).unwrap();
    for name in ["one.mp4", "two.mp4"] {
        std::fs::copy(&first, copies.join(name)).unwrap();
    }
    std::fs::write(copies.join("text.mp4"), "plain text").unwrap();
    window.drop(&[copies]).await.unwrap();
    let asks = "//li[@data-stage='needsYou'][contains(., 'in the library already as \"first\"')]";
    window.until(&format!("return {}", count(asks)), LONG, |count| count.as_u64() == Some(2)).await.unwrap();
    window.picture("ingest-conflict").await;
    window.click(&format!("({asks})[1]//input[@type='checkbox']")).await.unwrap();
    window.click(&format!("({asks})[1]//button[contains(., 'Skip this file')]")).await.unwrap();
    let skipped = "//li[@data-stage='skipped'][contains(., 'In the library')]";
    window.until(&format!("return {}", count(skipped)), SHORT, |count| count.as_u64() == Some(2)).await.unwrap();

    let summary = "//section[@aria-label='Transfers']//button[contains(., '3 files: 2 skipped, 1 needs you')]";
    window.click(summary).await.unwrap();
    window
        .wait_for("//div[@id='tray-rows'][contains(., '3 files from copies')]//*[@title][.='text']", SHORT)
        .await
        .unwrap();
    window.picture("ingest-tray").await;
    window.click("//button[@title='Dismiss']").await.unwrap();
    window.until(&format!("return {}", count(summary)), SHORT, |count| count.as_u64() == Some(0)).await.unwrap();
    window.click("//nav//button[contains(., 'Library')]").await.unwrap();
    window.wait_for("//*[@data-guid]", SHORT).await.unwrap();
    assert_eq!(window.client.find_all(Locator::XPath("//*[@data-guid]")).await.unwrap().len(), 1);
    window.close().await;
}

/// JavaScript that counts what an XPath finds.
fn count(xpath: &str) -> String {
    format!("document.evaluate(`count({xpath})`, document, null, XPathResult.NUMBER_TYPE).numberValue")
}

#[tokio::test]
async fn quitting_with_work_in_hand_asks_and_nothing_is_lost() {
    let data = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let long = long_film(files.path()).unwrap();
    let reelctl = Reelctl::at(data.path());
    let window = Window::open(data.path(), &["--workspace", "sandbox"]).await.unwrap();
    window.wait_for("//h1[contains(., 'Library')]", SHORT).await.unwrap();
    assert!(reelctl.run(&["uploads", "limit", "6M"]).unwrap().0);
    window.drop(std::slice::from_ref(&long)).await.unwrap();
    // A part is there for good.
    let stored = "const b = document.querySelector('.certain'); return b ? parseFloat(b.style.width) : 0;";
    window.until(stored, LONG, |percent| percent.as_f64() > Some(10.0)).await.unwrap();
    window.ask_to_close().await.unwrap();
    window.wait_for("//dialog[@open][contains(., 'A file is on the way')]", SHORT).await.unwrap();
    window.picture("quit").await;
    window.click("//dialog//button[.='Go back']").await.unwrap();
    window.until(stored, LONG, |percent| percent.as_f64() > Some(30.0)).await.unwrap();
    window.ask_to_close().await.unwrap();
    // The app may be gone before it has answered the driver.
    window.click("//dialog//button[.='Pause and quit']").await.ok();
    window.ended(SHORT).await.unwrap();

    // It goes on before the page is there.
    assert!(reelctl.run(&["uploads", "limit", "1M"]).unwrap().0);
    let window = Window::open(data.path(), &[]).await.unwrap();
    window.wait_for("//p[@role='status'][starts-with(., 'Continued 1 upload from ')]", SHORT).await.unwrap();
    window.picture("continued").await;
    window.ask_to_close().await.unwrap();
    window.click("//dialog//button[.='Keep sending in the background']").await.ok();
    assert!(reelctl.run(&["uploads", "limit", "none"]).unwrap().0);
    // It closes when all is done, and all is done then.
    window.ended(LONG).await.unwrap();
    let (_, open) = reelctl.run(&["uploads", "list"]).unwrap();
    assert!(open.is_empty(), "{open:#?}");
    let (_, videos) = reelctl.run(&["videos", "list"]).unwrap();
    assert_eq!(videos.iter().map(|video| video["title"].as_str()).collect::<Vec<_>>(), [Some("long")]);
}

#[tokio::test]
async fn a_notice_leads_to_the_row() {
    let data = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let notices = Notices::start().unwrap();
    let window = Window::open(data.path(), &["--workspace", "sandbox"]).await.unwrap();
    window.wait_for("//h1[contains(., 'Library')]", SHORT).await.unwrap();
    let text = files.path().join("text.mp4");
    std::fs::write(&text, "plain text").unwrap();
    window.blur().await.unwrap();
    window.drop(&[text]).await.unwrap();
    window.wait_for("//li[@data-stage='needsYou']", SHORT).await.unwrap();
    window.click("//nav//button[contains(., 'Library')]").await.unwrap();
    notices.wait_for_one(SHORT).await.unwrap();
    window.picture("notice").await;
    notices.click().unwrap();
    window.wait_for("//h1[contains(., 'Ingest')]", SHORT).await.unwrap();
    window.wait_for("//li[@data-stage='needsYou']//div[contains(@class, 'sought')]", SHORT).await.unwrap();
    window.close().await;
    let told = notices.told().unwrap();
    assert!(told.len() == 1 && told[0].contains("is not a video"), "{told:#?}");
}

#[tokio::test]
async fn videos_are_chosen_in_the_dialog_of_the_system() {
    let data = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let film = files.path().join("chosen.mp4");
    short_film(&film);
    let window = Window::open(data.path(), &["--workspace", "sandbox"]).await.unwrap();
    window.click("//nav//button[contains(., 'Ingest')]").await.unwrap();
    window.click("//button[contains(., 'Add videos')]").await.unwrap();
    window.choose("Add videos", &film).await.unwrap();
    window.wait_for("//li[@data-stage='playable'][contains(., 'chosen')]", SHORT).await.unwrap();
    window.close().await;
}
