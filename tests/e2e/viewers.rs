//! The Viewers screen.

use crate::SHORT;
use crate::window::Window;

fn row(address: &str, words: &str) -> String {
    format!("//div[contains(@class, 'row')][contains(., '{address}')][contains(., '{words}')]")
}

#[tokio::test]
async fn a_pasted_list_is_invited_and_someone_let_go() {
    let data = tempfile::tempdir().unwrap();
    let window = Window::open(data.path(), &["--workspace", "sandbox"]).await.unwrap();
    window.click("//nav//button[contains(., 'Viewers')]").await.unwrap();
    window.wait_for("//h2[contains(., 'Nobody is invited yet')]", SHORT).await.unwrap();
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

    let bob = row("bob@example.com", "");
    window.click(&format!("{bob}//button[@aria-haspopup='menu']")).await.unwrap();
    window.click(&format!("{bob}//button[@role='menuitem'][.='Disable']")).await.unwrap();
    window.wait_for(&row("bob@example.com", "Disabled"), SHORT).await.unwrap();
    window.picture("viewers").await;
    window.click(&format!("{bob}//button[@aria-haspopup='menu']")).await.unwrap();
    window.click(&format!("{bob}//button[@role='menuitem'][.='Remove…']")).await.unwrap();
    let typed = window.wait_for(&format!("{bob}//form//input"), SHORT).await.unwrap();
    assert!(
        !window.wait_for(&format!("{bob}//form//button[.='Remove']"), SHORT).await.unwrap().is_enabled().await.unwrap()
    );
    typed.send_keys("bob@example.com").await.unwrap();
    window.click(&format!("{bob}//form//button[.='Remove']")).await.unwrap();
    let rows = "return document.querySelectorAll('li .row .address').length";
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
