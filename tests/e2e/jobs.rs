//! The jobs: found, read, and canceled.

use fantoccini::key::Key;
use reeldesk_tests::Server;
use reeldesk_tests::jobs::{client, mp4, submit};

use crate::window::Window;
use crate::{LONG, SHORT};

const ROWS: &str = "//*[@role='grid'][@aria-label='Jobs']//*[@data-index]";
const PANEL: &str = "//aside[@aria-label='Job']";
const SEARCH: &str = "//label[.='Search jobs']/input";

async fn submitted(server: &Server, key: &str, count: usize) {
    let client = client(&server.endpoint);
    for _ in 0..count {
        let group = mp4(reeldesk_sandbox::DESTINATION_BUCKET, true);
        submit(&client, reeldesk_sandbox::SOURCE_BUCKET, key, group, None).await.unwrap();
    }
}

async fn rows(window: &Window, count: usize) {
    let rows = "return document.querySelector('[role=grid]')?.getAttribute('aria-rowcount') ?? '1';";
    window.until(rows, LONG, |value| *value == (count + 1).to_string().as_str()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_ones_are_found_and_explained() {
    let server = Server::start();
    let window = Window::open(server.data.data.path(), &["--workspace", "sandbox"]).await.unwrap();
    window.click("//nav//button[contains(., 'Jobs')]").await.unwrap();
    window.wait_for("//h2[.='No encode jobs yet']", LONG).await.unwrap();
    window.picture("jobs-empty").await;
    // While the screen is shown, whoever starts them.
    submitted(&server, "masters/gone-with-the-wind.mov", 24).await;
    let put = server.client().put_object().bucket(reeldesk_sandbox::SOURCE_BUCKET).key("masters/notes.bin");
    put.body(b"no film".to_vec().into()).send().await.unwrap();
    submitted(&server, "masters/notes.bin", 3).await;
    window.wait_for("//button[.='Failed 27']", LONG).await.unwrap();
    rows(&window, 27).await;
    window.picture("jobs-failed").await;
    window.is_accessible("jobs").await;
    window.wait_for(SEARCH, SHORT).await.unwrap().send_keys("notes 1010").await.unwrap();
    rows(&window, 3).await;
    window.wait_for("//*[@role='status'][.='3 found']", SHORT).await.unwrap();
    window.click(&format!("{ROWS}[@data-index='0']//button")).await.unwrap();
    window.wait_for(&format!("{PANEL}[contains(., 'MediaConvert could not open the source')]"), SHORT).await.unwrap();
    window.wait_for(&format!("{PANEL}//dd[contains(., 'masters/notes.bin')]"), SHORT).await.unwrap();
    window.picture("job-failed").await;
    window.is_accessible("job").await;
    window.client.active_element().await.unwrap().send_keys(&Key::Escape.to_string()).await.unwrap();
    window
        .until("return document.querySelector('aside[aria-label=Job]') === null;", SHORT, |gone| *gone == true)
        .await
        .unwrap();
    // By keyboard alone: to the third row, and into it.
    window.script("document.querySelector('[role=grid] .open').focus();").await.unwrap();
    let at = "return document.activeElement.closest('[data-index]')?.dataset.index;";
    for row in ["1", "2"] {
        window.client.active_element().await.unwrap().send_keys("j").await.unwrap();
        // Keys go to the row that has the focus: it moves in the next frames.
        window.until(at, SHORT, |index| *index == row).await.unwrap();
    }
    // Who stands in the list keeps the rows under the hand; what is new waits.
    submitted(&server, "masters/notes.bin", 2).await;
    window.wait_for("//button[.='2 new']", LONG).await.unwrap();
    rows(&window, 3).await;
    window.picture("jobs-new").await;
    window.until(at, SHORT, |index| *index == "2").await.unwrap();
    window.client.active_element().await.unwrap().send_keys(&Key::Enter.to_string()).await.unwrap();
    window.wait_for(PANEL, SHORT).await.unwrap();
    window.click("//button[.='2 new']").await.unwrap();
    rows(&window, 5).await;
    window.wait_for(SEARCH, SHORT).await.unwrap().send_keys(" nothing").await.unwrap();
    window.wait_for("//p[contains(., 'No job fits. This computer knows 29')]", SHORT).await.unwrap();
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_runs_is_canceled_after_a_question() {
    let server = Server::start();
    let long = tempfile::NamedTempFile::with_suffix(".mp4").unwrap();
    let input = ["-f", "lavfi", "-i", "testsrc2=s=1280x720:d=300:r=25", "-c:v", "libx264", "-preset", "ultrafast"];
    reeldesk_tests::make(long.path(), &input).unwrap();
    let put = server.client().put_object().bucket(reeldesk_sandbox::SOURCE_BUCKET).key("masters/long.bin");
    put.body(std::fs::read(long.path()).unwrap().into()).send().await.unwrap();
    let window = Window::open(server.data.data.path(), &["--workspace", "sandbox"]).await.unwrap();
    window.click("//nav//button[contains(., 'Jobs')]").await.unwrap();
    submitted(&server, "masters/long.bin", 1).await;
    window.wait_for(&format!("{ROWS}//*[@data-state='progressing']"), LONG).await.unwrap();
    window.click(&format!("{ROWS}[@data-index='0']//button")).await.unwrap();
    window.click(&format!("{PANEL}//button[.='Cancel…']")).await.unwrap();
    window
        .wait_for(&format!("{PANEL}//*[@role='group'][contains(., 'Cancel the encode of “long.bin”')]"), SHORT)
        .await
        .unwrap();
    window.picture("job-cancel").await;
    window.click(&format!("{PANEL}//button[.='Cancel the encode']")).await.unwrap();
    window.wait_for(&format!("{ROWS}//*[@data-state='canceled']"), LONG).await.unwrap();
    window.wait_for(&format!("{PANEL}//p[contains(., 'Canceled')]"), SHORT).await.unwrap();
    window.close().await;
}
