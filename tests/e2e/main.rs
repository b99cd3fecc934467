//! The real window under Xvfb, driven through WebDriver, with real X11 drops.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should stop")]

mod window;

use std::time::Duration;

use fantoccini::Locator;
use reeldesk_tests::{film, long_film};
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
    window.wait_for("//li[@data-state='complete']", SHORT).await.unwrap();
    window.picture("jobs").await;
    window.close().await;
}

#[tokio::test]
async fn an_unreadable_file_says_so() {
    let data = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let text = files.path().join("not a film.mp4");
    std::fs::write(&text, "plain text").unwrap();
    let window = Window::open(data.path(), &["--workspace", "sandbox"]).await.unwrap();
    window.wait_for("//h1[contains(., 'Library')]", SHORT).await.unwrap();
    window.drop(&[text]).await.unwrap();
    window
        .wait_for("//li[@data-stage='needsYou']//p[contains(., '\"not a film.mp4\" is not a video')]", SHORT)
        .await
        .unwrap();
    window.wait_for("//li[@data-stage='needsYou']//button[contains(., 'Retry')]", SHORT).await.unwrap();
    window.picture("ingest-needs-you").await;
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
    window.wait_for("//ul[@class and contains(@class, 'videos')]/li", SHORT).await.unwrap();
    assert_eq!(window.client.find_all(Locator::XPath("//ul[contains(@class, 'videos')]/li")).await.unwrap().len(), 1);
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
    window.wait_for("//li[@data-stage='canceled']", SHORT).await.unwrap();
    window.close().await;
}
