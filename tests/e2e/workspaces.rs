//! Several workspaces at work at once, whichever the window shows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reeldesk_tests::{Guard, Reelctl, Server, long_film};

use crate::window::Window;
use crate::workspace::{home, open};
use crate::{LONG, SHORT};

/// Shows what the workspaces are at, beside their names.
async fn look_at_switch(window: &Window) {
    window.click("//nav//button[starts-with(@aria-label, 'Workspace:')]").await.unwrap();
}

async fn switch_to(window: &Window, name: &str) {
    look_at_switch(window).await;
    window.click(&format!("//div[@role='menu']//button[contains(., '{name}')]")).await.unwrap();
    let shown = format!("//nav//button[starts-with(@aria-label, 'Workspace: {name}')]");
    window.wait_for(&shown, SHORT).await.unwrap();
    window.click("//nav//button[contains(., 'Ingest')]").await.unwrap();
}

/// Two send at once under one limit; a switch stops nothing, nor does a start anew. The sign-in of one ends: the other
/// goes on to its end meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn two_send_at_once_and_one_waits_for_a_sign_in() {
    let (server, other, home, data) = (Server::start(), Server::start(), home(), tempfile::tempdir().unwrap());
    let has_ended = Arc::new(AtomicBool::new(false));
    let ended = has_ended.clone();
    let refuse =
        move |asked: &str| (asked.starts_with("s3:") && ended.load(Ordering::Relaxed)).then_some("ExpiredToken");
    let guard = Guard::before(&server.endpoint, refuse).await.unwrap();
    let aws = |name: &str| home.path().join(".aws").join(name).to_string_lossy().into_owned();
    let reelctl = Reelctl::at(data.path())
        .with("AWS_CONFIG_FILE", aws("config"))
        .with("AWS_SHARED_CREDENTIALS_FILE", aws("credentials"));
    for (name, endpoint) in [("production", &guard.endpoint), ("staging", &other.endpoint)] {
        let connect = ["workspace", "connect", name, "--stack", reeldesk_sandbox::STACK, "--profile", "media"];
        let (well, lines) = reelctl.run(&[&connect[..], &["--endpoint", endpoint]].concat()).unwrap();
        assert!(well, "{lines:#?}");
    }
    let limit = |limit: &str| assert!(reelctl.run(&["uploads", "limit", limit]).unwrap().0);
    limit("3M");
    let settings = data.path().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("version = 1", "version = 1\nopen = \"production\"")).unwrap();
    let (films, trailers) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let feature = long_film(films.path()).unwrap();
    let trailer = trailers.path().join("trailer.mp4");
    std::fs::copy(&feature, &trailer).unwrap();

    let window = open(data.path(), home.path(), &server.endpoint).await.unwrap();
    window.wait_for("//h1[contains(., 'Library')]", SHORT).await.unwrap();
    window.drop(std::slice::from_ref(&feature)).await.unwrap();
    window.wait_for("//li[@data-stage='sending'][contains(., 'long')]", SHORT).await.unwrap();
    switch_to(&window, "staging").await;
    window.drop(std::slice::from_ref(&trailer)).await.unwrap();
    window.wait_for("//li[@data-stage='sending'][contains(., 'trailer')]", SHORT).await.unwrap();
    look_at_switch(&window).await;
    let beside =
        |name: &str, what: &str| format!("//div[@role='menu']//button[contains(., '{name}')][contains(., '{what}')]");
    window.wait_for(&beside("production", "1 sending"), SHORT).await.unwrap();
    window.wait_for(&beside("staging", "1 sending"), SHORT).await.unwrap();
    window.picture("workspaces-sending").await;
    // Both have parts in S3 that stay.
    let stored = "const b = document.querySelector('.certain'); return b ? parseFloat(b.style.width) : 0;";
    window.until(stored, LONG, |percent| percent.as_f64() > Some(10.0)).await.unwrap();
    window.kill().await;
    let stored = || {
        let (_, uploads) = reelctl.run(&["--workspace", "production", "uploads", "list"]).unwrap();
        uploads[0]["stored"].as_u64().unwrap()
    };
    let before = stored();
    assert!(before > 0, "the one that no window showed was sent too");

    // The one of the window, and the other one without a word.
    let window = open(data.path(), home.path(), &server.endpoint).await.unwrap();
    window.wait_for("//nav//button[starts-with(@aria-label, 'Workspace: staging')]", SHORT).await.unwrap();
    look_at_switch(&window).await;
    window.wait_for(&beside("production", "1 sending"), SHORT).await.unwrap();
    look_at_switch(&window).await;
    assert!(stored() >= before, "what S3 has is not sent again");
    has_ended.store(true, Ordering::Relaxed);
    let needs = "//nav//button[@aria-label='Workspace: staging; another one needs you']";
    window.wait_for(needs, LONG).await.unwrap();
    look_at_switch(&window).await;
    window.wait_for(&beside("production", "sign in"), SHORT).await.unwrap();
    window.picture("workspaces-sign-in").await;
    look_at_switch(&window).await;
    limit("none");
    window.click("//nav//button[contains(., 'Ingest')]").await.unwrap();
    window.wait_for("//li[@data-stage='playable'][contains(., 'trailer')]", LONG).await.unwrap();

    // All of them in one list.
    let scope = window.wait_for("//select[@aria-label='Workspaces in this list']", SHORT).await.unwrap();
    scope.select_by_value("all").await.unwrap();
    window
        .wait_for("//li[@data-stage='sending'][contains(., 'production')][contains(., 'long')]", SHORT)
        .await
        .unwrap();
    window.wait_for("//li[@data-stage='playable'][contains(., 'staging')]", SHORT).await.unwrap();
    window.picture("workspaces-all").await;
    scope.select_by_value("one").await.unwrap();

    has_ended.store(false, Ordering::Relaxed);
    switch_to(&window, "production").await;
    window.click("//button[contains(., 'I have signed in, go on')]").await.unwrap();
    window.wait_for("//li[@data-stage='playable'][contains(., 'long')]", LONG).await.unwrap();

    // What would end with a workspace is said before it is removed.
    let text = films.path().join("text.mp4");
    std::fs::write(&text, "plain text").unwrap();
    window.drop(&[text]).await.unwrap();
    window.wait_for("//li[@data-stage='needsYou'][contains(., 'text')]", SHORT).await.unwrap();
    window.click("//nav//button[normalize-space()='Workspace']").await.unwrap();
    window.click("//button[contains(., 'Remove…')]").await.unwrap();
    window
        .wait_for("//span[@role='group'][contains(., '1 file that is not sent yet is given up')]", SHORT)
        .await
        .unwrap();
    window.script("document.querySelector('span[role=group]').scrollIntoView()").await.unwrap();
    window.picture("workspaces-remove").await;
    window.click("//span[@role='group']//button[normalize-space()='Remove']").await.unwrap();
    window.wait_for("//ul[@aria-label='Your workspaces'][not(contains(., 'production'))]", SHORT).await.unwrap();
    // The other one is none the worse.
    window.click("//button[contains(., 'staging')]").await.unwrap();
    window.click("//nav//button[contains(., 'Ingest')]").await.unwrap();
    window.wait_for("//li[@data-stage='playable'][contains(., 'trailer')]", SHORT).await.unwrap();
    window.close().await;
    let (_, videos) = reelctl.run(&["--workspace", "staging", "videos", "list"]).unwrap();
    assert_eq!(videos.iter().map(|video| video["title"].as_str()).collect::<Vec<_>>(), [Some("trailer")]);
    // Its videos stay in its account, and only its own are there.
    let production = ["workspace", "connect", "production", "--stack", reeldesk_sandbox::STACK, "--profile", "media"];
    assert!(reelctl.run(&[&production[..], &["--endpoint", &guard.endpoint]].concat()).unwrap().0);
    let (_, videos) = reelctl.run(&["--workspace", "production", "videos", "list"]).unwrap();
    assert_eq!(videos.iter().map(|video| video["title"].as_str()).collect::<Vec<_>>(), [Some("long")]);
}
