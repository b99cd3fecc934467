//! The Viewers screen.

use reeldesk_tests::{Reelctl, film};

use crate::notices::Notices;
use crate::window::Window;
use crate::{LONG, SHORT};

fn row(address: &str, words: &str) -> String {
    format!("//div[contains(@class, 'viewer')][contains(., '{address}')][contains(., '{words}')]")
}

fn more(address: &str, item: &str) -> [String; 2] {
    let viewer = row(address, "");
    [
        format!("{viewer}//button[@aria-haspopup='menu']"),
        format!("{viewer}//button[@role='menuitem'][contains(., '{item}')]"),
    ]
}

async fn open(data: &std::path::Path) -> Window {
    let window = Window::open(data, &["--workspace", "sandbox"]).await.unwrap();
    window.click("//nav//button[contains(., 'Viewers')]").await.unwrap();
    window
}

async fn tab(window: &Window, name: &str) {
    window.click(&format!("//button[@role='tab'][.='{name}']")).await.unwrap();
}

/// Invites by the form; it is open.
async fn send(window: &Window, list: &str, button: &str) {
    window.wait_for("//form//textarea", SHORT).await.unwrap().send_keys(list).await.unwrap();
    window.click(&format!("//form//button[.='{button}'][not(@disabled)]")).await.unwrap();
    window.wait_for("//form//button[.='Done']", SHORT).await.unwrap();
}

#[tokio::test]
async fn a_pasted_list_is_invited_and_someone_let_go() {
    let data = tempfile::tempdir().unwrap();
    let window = open(data.path()).await;
    window.wait_for("//h2[contains(., 'No one has been invited yet')]", SHORT).await.unwrap();
    window.picture("viewers-empty").await;
    window.click("//button[contains(., 'Invite…')]").await.unwrap();
    let list = window.wait_for("//form//textarea", SHORT).await.unwrap();
    list.send_keys("Ada Lovelace <Ada+films@Example.com>; bob@example.com\u{E007}nonsense\u{E007}BOB@example.com")
        .await
        .unwrap();
    window.wait_for("//form//li[contains(., 'Line 2')][contains(., 'it has no @')]", SHORT).await.unwrap();
    window.wait_for("//form//li[contains(., 'Line 3')][contains(., 'in line 1 already')]", SHORT).await.unwrap();
    window.picture("viewers-invite").await;
    window.click("//form//button[.='Invite 2 people'][not(@disabled)]").await.unwrap();
    window.wait_for("//form//li[contains(., 'Ada+films@example.com')][contains(., 'Invited')]", SHORT).await.unwrap();
    window.click("//form//button[.='Done']").await.unwrap();
    window.wait_for(&row("Ada Lovelace", "Invited, expires in 7 days"), SHORT).await.unwrap();

    // Disabled, and that undone.
    for click in more("bob@example.com", "Disable") {
        window.click(&click).await.unwrap();
    }
    window.wait_for(&row("bob@example.com", "Disabled"), SHORT).await.unwrap();
    window.click("//section[@aria-label='What is done']//button[.='Undo']").await.unwrap();
    window.wait_for(&row("bob@example.com", "Invited"), SHORT).await.unwrap();
    // Why there is nothing to reset is said, and nothing happens.
    let [menu, reset] = more("bob@example.com", "Reset the password");
    window.click(&menu).await.unwrap();
    window
        .wait_for(&format!("{reset}[@aria-disabled='true'][contains(., 'Has no password yet')]"), SHORT)
        .await
        .unwrap();
    window.picture("viewers-why-not").await;

    // Edited and removed beside the list.
    window.click(&more("bob@example.com", "Edit…")[1]).await.unwrap();
    let name = window.wait_for("//aside//input[@name='name']", SHORT).await.unwrap();
    name.send_keys("Bob the second").await.unwrap();
    window.click("//aside//button[.='Save']").await.unwrap();
    window.wait_for(&row("bob@example.com", "Bob the second"), SHORT).await.unwrap();
    window.wait_for("//aside//li[contains(., 'changed name')]", SHORT).await.unwrap();
    window.picture("viewers-person").await;
    window.click("//aside//button[.='Remove…']").await.unwrap();
    let confirm = window.wait_for("//aside//form[contains(., 'cannot be undone')]//input", SHORT).await.unwrap();
    let button = "//aside//form//button[.='Remove']";
    assert!(!window.wait_for(button, SHORT).await.unwrap().is_enabled().await.unwrap());
    confirm.send_keys("bob@example.com").await.unwrap();
    window.click(button).await.unwrap();
    let rows = "return document.querySelectorAll('.viewer .address').length";
    window.until(rows, SHORT, |count| count.as_u64() == Some(1)).await.unwrap();

    // Without a mail: the password is there once.
    window.click("//button[contains(., 'Invite…')]").await.unwrap();
    window.wait_for("//form//textarea", SHORT).await.unwrap().send_keys("carol@example.com").await.unwrap();
    window.click("//form//label[contains(., 'Without a mail')]//input").await.unwrap();
    window.click("//form//button[.='Invite'][not(@disabled)]").await.unwrap();
    window.wait_for("//form//li[contains(., 'Temporary password: ')]", SHORT).await.unwrap();
    window.picture("viewers-password").await;
    window.click("//form//button[.='Done']").await.unwrap();
    window.wait_for(&row("carol@example.com", "Invited"), SHORT).await.unwrap();
    let shown = window.script("return document.body.innerText.includes('Temporary password')").await.unwrap();
    assert_eq!(shown, false);
    window.close().await;
}

/// A dropped list, groups, many at once, filters, the log, and nothing left of it on this computer.
#[tokio::test]
async fn a_dropped_list_and_many_at_once() {
    let data = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let window = open(data.path()).await;
    tab(&window, "Groups").await;
    window.click("//button[contains(., 'Make the group \"viewers\"')]").await.unwrap();
    window.wait_for("//li//h2[.='viewers']", SHORT).await.unwrap();
    let list = files.path().join("people.csv");
    let people: String = (0..40).map(|number| format!("viewer{number:02}@example.com;viewers\r\n")).collect();
    std::fs::write(&list, format!("\u{FEFF}email;group\r\n{people}")).unwrap();
    window.drop(&[list]).await.unwrap();
    window.click("//form//button[.='Invite 40 people'][not(@disabled)]").await.unwrap();
    window.click("//form//button[.='Done']").await.unwrap();
    window.wait_for(&row("viewer00@example.com", "viewers"), SHORT).await.unwrap();

    // By the keyboard: down, a range of three, and all.
    window.click("//button[contains(@class, 'open')][contains(., 'viewer00@example.com')]").await.unwrap();
    let key = |key: &str, more: &str| {
        format!(
            "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true, {more} }}))"
        )
    };
    let here = |number: u64| {
        let script =
            "const r = document.activeElement.closest('[data-index]'); return r ? Number(r.dataset.index) : -1";
        (script, move |at: &serde_json::Value| at.as_u64() == Some(number))
    };
    window.script(&key("x", "")).await.unwrap();
    for number in 1..=2 {
        window.script(&key("ArrowDown", "")).await.unwrap();
        let (script, good) = here(number);
        window.until(script, SHORT, good).await.unwrap();
    }
    window.script(&key(" ", "shiftKey: true")).await.unwrap();
    window.wait_for("//strong[.='3 viewers chosen']", SHORT).await.unwrap();
    window.script(&key("End", "")).await.unwrap();
    let (script, good) = here(39);
    window.until(script, SHORT, good).await.unwrap();
    window.script(&key("a", "ctrlKey: true")).await.unwrap();
    window.wait_for("//strong[.='40 viewers chosen']", SHORT).await.unwrap();
    window.picture("viewers-chosen").await;
    window.click("//div[contains(@class, 'bar')]//button[.='Disable']").await.unwrap();
    window.wait_for("//section[@aria-label='What is done'][contains(., '40 done')]", LONG).await.unwrap();
    window.click("//button[@aria-pressed][.='Disabled 40']").await.unwrap();
    window.wait_for(&row("viewer00@example.com", "Disabled"), SHORT).await.unwrap();
    window.picture("viewers-disabled").await;
    window.click("//section[@aria-label='What is done']//button[.='Undo']").await.unwrap();
    window
        .wait_for("//section[@aria-label='What is done'][contains(., 'Undo')][contains(., '40 done')]", LONG)
        .await
        .unwrap();
    window.wait_for("//p[contains(., 'Nobody here fits')]", SHORT).await.unwrap();
    window.click("//button[@aria-pressed][.='All 40']").await.unwrap();
    window.wait_for("//input[@type='search']", SHORT).await.unwrap().send_keys("WER31").await.unwrap();
    let rows = "return [...document.querySelectorAll('.viewer .address')].map((one) => one.innerText)";
    window.until(rows, SHORT, |shown| *shown == serde_json::json!(["viewer31@example.com"])).await.unwrap();

    tab(&window, "Pool").await;
    window.wait_for("//dd[.='Closed: by invitation only']", SHORT).await.unwrap();
    window.wait_for("//pre[contains(., '{####}')]", SHORT).await.unwrap();
    window.picture("viewers-pool").await;
    tab(&window, "Log").await;
    let line = "//tr[contains(., 'viewer31@example.com')][contains(., 'invited')][contains(., 'arn:aws:iam::000000000000:user/sandbox')]";
    window.wait_for(line, SHORT).await.unwrap();
    window.picture("viewers-log").await;
    tab(&window, "Pool").await;
    window.click("//button[contains(., 'Wipe what is kept here')]").await.unwrap();
    window.click("//button[.='Wipe']").await.unwrap();
    tab(&window, "Log").await;
    window.wait_for("//tr[contains(., '(wiped)')]", SHORT).await.unwrap();
    let shown = window.script("return document.body.innerText.includes('viewer31')").await.unwrap();
    assert_eq!(shown, false);
    window.close().await;
}

/// Stopped in the middle, an invitation goes on with those who are left; a closed screen does not end it, and a notice
/// of the system tells when it has ended.
#[tokio::test]
async fn a_long_invitation_is_stopped_and_goes_on() {
    let data = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let notices = Notices::start().unwrap();
    let window = open(data.path()).await;
    window.wait_for("//h2[contains(., 'No one has been invited yet')]", SHORT).await.unwrap();
    let list = files.path().join("people.txt");
    let people: String = (0..150).map(|number| format!("viewer{number:03}@example.com\n")).collect();
    std::fs::write(&list, people).unwrap();
    window.drop(&[list]).await.unwrap();
    window.click("//form//button[.='Invite 150 people'][not(@disabled)]").await.unwrap();
    window.wait_for("//form//li[contains(., 'viewer000')][contains(., 'Invited')]", SHORT).await.unwrap();
    window.click("//form//button[.='Stop']").await.unwrap();
    window.click("//form//button[.='Go on with the others']").await.unwrap();
    window.wait_for("//form//button[.='Stop']", SHORT).await.unwrap();
    window.picture("viewers-inviting").await;
    window.click("//nav//button[contains(., 'Library')]").await.unwrap();
    window.wait_for("//h1[.='Library']", SHORT).await.unwrap();
    window.blur().await.unwrap();
    notices.wait_for_one(LONG).await.unwrap();
    window.click("//nav//button[contains(., 'Viewers')]").await.unwrap();
    window.wait_for("//form//strong[.='150 of 150 done']", LONG).await.unwrap();
    window.click("//form//button[.='Done']").await.unwrap();
    window.wait_for("//button[@aria-pressed][.='All 150']", SHORT).await.unwrap();
    window.close().await;
    // The screen's program for notices may remember those of other tests.
    let mut told = notices.told().unwrap();
    told.retain(|notice| notice.contains("viewers done"));
    assert_eq!(told, ["Sandbox: 150 of 150 viewers done: Nothing failed."]);
}

/// What an invited person sees: the mail, the first sign-in, the videos, and a stream by signed cookies.
#[tokio::test]
async fn signed_in_as_a_viewer() {
    let data = tempfile::tempdir().unwrap();
    let (well, lines) = Reelctl::at(data.path()).run(&["ingest", film().to_str().unwrap(), "--wait"]).unwrap();
    assert!(well, "{lines:#?}");
    let window = open(data.path()).await;
    window.click("//button[contains(., 'Invite…')]").await.unwrap();
    send(&window, "ada@example.com", "Invite").await;
    window.click("//form//button[.='Done']").await.unwrap();
    tab(&window, "Mailbox").await;
    window
        .wait_for("//li[contains(., 'You are invited to watch')][contains(., 'ada@example.com')]", SHORT)
        .await
        .unwrap();
    window.picture("viewers-mailbox").await;
    window.click("//button[.='Sign in as ada@example.com…']").await.unwrap();
    window.wait_for("//h2[.='Sign in as a viewer']", SHORT).await.unwrap();
    let filled = "return document.querySelector('input[type=password]').value.length";
    window.until(filled, SHORT, |length| length.as_u64() > Some(8)).await.unwrap();
    window.click("//button[.='Sign in']").await.unwrap();
    window.wait_for("//h2[.='Choose a password']", SHORT).await.unwrap();
    let fresh = window.wait_for("//input[@type='password']", SHORT).await.unwrap();
    fresh.send_keys("weak").await.unwrap();
    window.click("//button[.='Go on']").await.unwrap();
    window.wait_for("//*[contains(@class, 'trouble')][contains(., 'not long enough')]", SHORT).await.unwrap();
    fresh.send_keys("Abcdef1!").await.unwrap();
    window.click("//button[.='Go on']").await.unwrap();
    window.wait_for("//h2[.='Signed in as ada@example.com']", SHORT).await.unwrap();
    window.click("//li//button[contains(., 'bigbuckbunny')]").await.unwrap();
    let playing = "const v = document.querySelector('video'); return v ? [v.currentTime, v.videoWidth] : [0, 0];";
    window.until(playing, SHORT, |value| value[0].as_f64() > Some(0.5) && value[1].as_u64() > Some(0)).await.unwrap();
    window.picture("viewers-seat").await;

    // She came; and who is disabled is out at once.
    tab(&window, "People").await;
    window.click("//button[@aria-label='Read the pool again']").await.unwrap();
    window.wait_for(&row("ada@example.com", "Active"), SHORT).await.unwrap();
    for click in more("ada@example.com", "Disable") {
        window.click(&click).await.unwrap();
    }
    window.wait_for(&row("ada@example.com", "Disabled"), SHORT).await.unwrap();
    tab(&window, "As a viewer").await;
    window.click("//button[.='Look again']").await.unwrap();
    window.wait_for("//*[contains(@class, 'trouble')][contains(., 'was signed out')]", SHORT).await.unwrap();
    window.close().await;
}
