//! From nothing to a connected workspace, and what is kept where on the way.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::types::BucketAccelerateStatus;
use fantoccini::Locator;
use reeldesk_tests::{Emulator, Ended, Far, Guard, KEYS, Reelctl, Server, film, identity_center};

use crate::window::Window;
use crate::{LONG, SHORT};

/// A home whose AWS files have a profile of the sandbox's keys.
pub(crate) fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let aws = home.path().join(".aws");
    std::fs::create_dir(&aws).unwrap();
    std::fs::write(aws.join("config"), "[profile media]\nregion = us-east-1\n").unwrap();
    let keys = format!("[media]\naws_access_key_id = {}\naws_secret_access_key = {}\n", KEYS.0, KEYS.1);
    std::fs::write(aws.join("credentials"), keys).unwrap();
    home
}

/// The app on this home, with the sandbox in the place of AWS.
pub(crate) async fn open(data: &Path, home: &Path, endpoint: &str) -> Result<Window> {
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    let environment = [
        ("AWS_CONFIG_FILE", text(home.join(".aws/config"))),
        ("AWS_SHARED_CREDENTIALS_FILE", text(home.join(".aws/credentials"))),
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("REELDESK_LOG", "info".to_owned()),
    ];
    let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Window::open_in(data, &[], &environment).await
}

#[tokio::test]
async fn from_nothing_to_a_workspace_in_four_clicks() {
    let (server, home, data) = (Server::start(), home(), tempfile::tempdir().unwrap());
    let window = open(data.path(), home.path(), &server.endpoint).await.unwrap();
    window.click("//button[contains(., 'Connect to AWS')]").await.unwrap();
    window.wait_for("//button[contains(., 'media')]", SHORT).await.unwrap();
    window.picture("connect-who").await;
    window.click("//button[contains(., 'media')]").await.unwrap();
    window.wait_for("//p[contains(., 'Signed in to account 000000000000')]", SHORT).await.unwrap();
    window.picture("connect-what").await;
    window.click("//button[contains(., 'reeldesk-sandbox')]").await.unwrap();
    window.wait_for("//h2[contains(., 'The workspace')]", SHORT).await.unwrap();
    window.picture("connect-names").await;
    window.click("//button[normalize-space()='Connect']").await.unwrap();
    window.wait_for("//nav//button[@aria-label='Workspace: reeldesk-sandbox']", SHORT).await.unwrap();

    window.click("//button[contains(., 'Check everything')]").await.unwrap();
    window.wait_for("//h2[contains(., 'Everything works')]", SHORT).await.unwrap();
    assert!(
        window
            .client
            .find_all(Locator::XPath("//li[@class='works' or starts-with(@class, 'works ')]"))
            .await
            .unwrap()
            .len()
            > 15
    );
    window.picture("workspace-check").await;

    // The main job in it, then the sandbox beside it: each has its own videos.
    window.drop(&[film()]).await.unwrap();
    window.wait_for("//li[@data-stage='playable']", LONG).await.unwrap();
    window.click("//nav//button[starts-with(@aria-label, 'Workspace:')]").await.unwrap();
    window.picture("workspace-switch").await;
    window.click("//div[@role='menu']//button[normalize-space()='Sandbox']").await.unwrap();
    window.wait_for("//h2[contains(., 'library is empty')] | //p[contains(., 'Nothing')] | //section[.//h1='Ingest'][not(.//li[@data-stage])]", SHORT).await.unwrap();
    window.click("//nav//button[starts-with(@aria-label, 'Workspace:')]").await.unwrap();
    window.click("//div[@role='menu']//button[normalize-space()='reeldesk-sandbox']").await.unwrap();
    window.click("//nav//button[contains(., 'Ingest')]").await.unwrap();
    window.wait_for("//li[@data-stage='playable']", SHORT).await.unwrap();

    // What is changed by hand is kept, and what is wrong with it is said.
    window.click("//nav//button[normalize-space()='Workspace']").await.unwrap();
    window.click("//button[contains(., 'Edit')]").await.unwrap();
    let table = window.wait_for("//label[contains(., 'Catalog table')]/input", SHORT).await.unwrap();
    table.clear().await.unwrap();
    table.send_keys("nowhere").await.unwrap();
    window.picture("workspace-edit").await;
    window.click("//button[normalize-space()='Save']").await.unwrap();
    window.wait_for("//dd[.='nowhere']", SHORT).await.unwrap();
    window.click("//button[contains(., 'Check everything')]").await.unwrap();
    window.wait_for("//li[contains(., 'The table \"nowhere\" could not be read')]", SHORT).await.unwrap();
    window.picture("workspace-wrong").await;

    window.click("//button[contains(., 'Remove…')]").await.unwrap();
    window.click("//span[@role='group']//button[normalize-space()='Remove']").await.unwrap();
    window.wait_for("//button[contains(., 'Connect to AWS')]", SHORT).await.unwrap();
    let settings = std::fs::read_to_string(data.path().join("settings.toml")).unwrap();
    assert!(!settings.contains("reeldesk-sandbox-source"), "{settings}");
    window.close().await;
}

/// A workspace that came from another computer names a profile that is not on this one: it is mended in place.
#[tokio::test]
async fn a_workspace_that_does_not_open_is_mended() {
    let (server, home, data) = (Server::start(), home(), tempfile::tempdir().unwrap());
    let aws = |name: &str| home.path().join(".aws").join(name).to_string_lossy().into_owned();
    let reelctl = Reelctl::at(data.path())
        .with("AWS_CONFIG_FILE", aws("config"))
        .with("AWS_SHARED_CREDENTIALS_FILE", aws("credentials"));
    let connect = ["workspace", "connect", "production", "--stack", reeldesk_sandbox::STACK, "--profile", "media"];
    let connect = [&connect[..], &["--endpoint", &server.endpoint]].concat();
    assert!(reelctl.run(&connect).unwrap().0);
    let settings = data.path().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap().replace("name = \"media\"", "name = \"theirs\"");
    std::fs::write(&settings, text.replace("version = 1", "version = 1\nopen = \"production\"")).unwrap();

    let window = open(data.path(), home.path(), &server.endpoint).await.unwrap();
    window.wait_for("//p[contains(., 'There is no AWS profile \"theirs\" on this computer')]", SHORT).await.unwrap();
    window.picture("workspace-mend").await;
    let profile = window.wait_for("//label[contains(., 'Signs in with')]/select", SHORT).await.unwrap();
    profile.select_by_value("media").await.unwrap();
    window.click("//button[normalize-space()='Connect']").await.unwrap();
    window.wait_for("//nav//button[@aria-label='Workspace: production']", SHORT).await.unwrap();
    window.click("//button[contains(., 'Check everything')]").await.unwrap();
    window.wait_for("//h2[contains(., 'Everything works')]", SHORT).await.unwrap();
    window.close().await;
}

/// Both ways to a bucket that is far away are tried, and the faster one is used.
#[tokio::test]
async fn the_ways_to_the_bucket_are_compared() {
    let is_slow = |host: &str| Duration::from_millis(if host == Far::ACCELERATED { 1000 } else { 0 });
    let far = Far::start(is_slow).await.unwrap();
    far.set(BucketAccelerateStatus::Enabled).await.unwrap();
    let data = far.reelctl.data.path();
    let settings = data.join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("version = 1", "version = 1\nopen = \"far\"")).unwrap();
    let environment = Far::environment(&far.names);
    let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let window = Window::open_in(data, &[], &environment).await.unwrap();
    window.click("//nav//button[normalize-space()='Workspace']").await.unwrap();
    window.wait_for("//dd[.='uploads use it']", SHORT).await.unwrap();
    window.click("//button[contains(., 'Check everything')]").await.unwrap();
    window.click("//li[contains(., 'Transfer Acceleration')]//button[normalize-space()='Compare']").await.unwrap();
    window.wait_for("//button[normalize-space()='Stop']", SHORT).await.unwrap();
    window.wait_for("//p[contains(., 'times as fast without it')]", LONG).await.unwrap();
    window.picture("workspace-compared").await;
    assert_eq!(far.left().await.unwrap(), (0, 0));
    window.click("//button[normalize-space()='Stop using it']").await.unwrap();
    window.wait_for("//dl[not(contains(., 'uploads use it'))]", SHORT).await.unwrap();
    window.close().await;
    assert!(!std::fs::read_to_string(&settings).unwrap().contains("transferAcceleration = true"));
}

/// The sign-in ends in the middle of the work: it is asked for once, and all goes on.
#[tokio::test]
async fn a_sign_in_that_ends_is_asked_for_once() {
    let (server, home, data) = (Server::start(), home(), tempfile::tempdir().unwrap());
    let has_ended = Arc::new(AtomicBool::new(false));
    let ended = has_ended.clone();
    let refuse =
        move |asked: &str| (asked.starts_with("s3:") && ended.load(Ordering::Relaxed)).then_some("ExpiredToken");
    let guard = Guard::before(&server.endpoint, refuse).await.unwrap();
    let window = open(data.path(), home.path(), &guard.endpoint).await.unwrap();
    window.click("//button[contains(., 'Connect to AWS')]").await.unwrap();
    window.click("//button[contains(., 'media')]").await.unwrap();
    window.click("//button[contains(., 'reeldesk-sandbox')]").await.unwrap();
    window.click("//button[normalize-space()='Connect']").await.unwrap();
    window.wait_for("//nav//button[@aria-label='Workspace: reeldesk-sandbox']", SHORT).await.unwrap();

    has_ended.store(true, Ordering::Relaxed);
    window.drop(&[film()]).await.unwrap();
    window.wait_for("//p[contains(., 'the sign-in has expired')]", SHORT).await.unwrap();
    window.wait_for("//p[contains(., 'All uploads of this workspace wait, and lose nothing')]", SHORT).await.unwrap();
    window.picture("sign-in-expired").await;
    has_ended.store(false, Ordering::Relaxed);
    window.click("//button[contains(., 'I have signed in, go on')]").await.unwrap();
    window.wait_for("//li[@data-stage='playable']", LONG).await.unwrap();
    let asks =
        window.client.find_all(Locator::XPath("//p[contains(., 'All uploads of this workspace wait')]")).await.unwrap();
    assert!(asks.is_empty(), "it is asked no more");
    window.close().await;
}

/// IAM Identity Center: the window shows the code, and goes on when the browser has confirmed it.
#[tokio::test]
async fn identity_center_in_the_browser() {
    let (server, center, data) = (Server::start(), identity_center().await, tempfile::tempdir().unwrap());
    let home = tempfile::tempdir().unwrap();
    let aws = home.path().join(".aws");
    std::fs::create_dir(&aws).unwrap();
    let config = "[profile admin]\nregion = us-east-1\nsso_session = corp\nsso_account_id = 000000000000\n\
                  sso_role_name = Admins\n[sso-session corp]\nsso_region = us-east-1\n\
                  sso_start_url = https://example.awsapps.com/start\n";
    std::fs::write(aws.join("config"), config).unwrap();
    let home_path = home.path().to_string_lossy().into_owned();
    let environment = [
        ("HOME", &*home_path),
        ("AWS_ENDPOINT_URL", &*server.endpoint),
        ("AWS_ENDPOINT_URL_SSO_OIDC", &*center),
        ("AWS_ENDPOINT_URL_SSO", &*center),
    ];
    let window = Window::open_in(data.path(), &[], &environment).await.unwrap();
    window.click("//button[contains(., 'Connect to AWS')]").await.unwrap();
    window.click("//button[contains(., 'IAM Identity Center')]").await.unwrap();
    window.click("//button[normalize-space()='Sign in with the browser']").await.unwrap();
    window.wait_for("//p[.='ABCD-EFGH']", SHORT).await.unwrap();
    window.picture("sign-in-browser").await;
    window.wait_for("//p[contains(., 'Signed in to account 000000000000')]", SHORT).await.unwrap();
    window.wait_for("//button[contains(., 'reeldesk-sandbox')]", SHORT).await.unwrap();
    window.close().await;
}

/// A role that wants a code: typed in the window, nowhere else.
#[tokio::test]
async fn a_role_that_wants_a_code() {
    let (ministack, data) = (Emulator::ministack().await.unwrap(), tempfile::tempdir().unwrap());
    let home = tempfile::tempdir().unwrap();
    let aws = home.path().join(".aws");
    std::fs::create_dir(&aws).unwrap();
    let config = "[profile admin]\nregion = us-east-1\nrole_arn = arn:aws:iam::000000000000:role/admin\n\
                  source_profile = me\nmfa_serial = arn:aws:iam::000000000000:mfa/me\n[profile me]\nregion = us-east-1\n";
    std::fs::write(aws.join("config"), config).unwrap();
    std::fs::write(aws.join("credentials"), "[me]\naws_access_key_id = test\naws_secret_access_key = test\n").unwrap();
    let window = open(data.path(), home.path(), &ministack.endpoint).await.unwrap();
    window.click("//button[contains(., 'Connect to AWS')]").await.unwrap();
    window.click("//button[contains(., 'role, with a code')]").await.unwrap();
    let code = window.wait_for("//label[contains(., 'The code that your device shows')]/input", SHORT).await.unwrap();
    window.picture("sign-in-code").await;
    code.send_keys("12345").await.unwrap();
    window.click("//button[normalize-space()='Sign in']").await.unwrap();
    window.wait_for("//p[contains(., 'The code has six digits')]", SHORT).await.unwrap();
    code.send_keys("6").await.unwrap();
    window.click("//button[normalize-space()='Sign in']").await.unwrap();
    window.wait_for("//p[contains(., 'assumed-role/admin/reeldesk')]", SHORT).await.unwrap();
    window.wait_for("//li[contains(., 'No stack in us-east-1 looks like a video pipeline')]", SHORT).await.unwrap();
    window.click("//button[contains(., 'Name the parts myself')]").await.unwrap();
    window.wait_for("//label[contains(., 'Source bucket')]/input", SHORT).await.unwrap();
    window.picture("connect-by-hand").await;
    window.close().await;
}

/// A Secret Service with a keyring that is open, in place of what the session has.
fn keyring(folder: &Path) -> Result<Ended> {
    let mut daemon = Command::new("gnome-keyring-daemon")
        .args(["--foreground", "--unlock", "--replace", "--components=secrets"])
        .env("XDG_DATA_HOME", folder)
        .env("XDG_RUNTIME_DIR", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    daemon.stdin.take().context("no way in")?.write_all(b"a password")?;
    Ok(Ended(daemon))
}

async fn type_key(window: &Window) {
    window.click("//button[contains(., 'Connect to AWS')]").await.unwrap();
    window.click("//button[contains(., 'An access key')]").await.unwrap();
    for (label, text) in [("Region", "us-east-1"), ("Access key id", KEYS.0), ("Secret access key", KEYS.1)] {
        let field = window.wait_for(&format!("//label[contains(., '{label}')]/input"), SHORT).await.unwrap();
        field.send_keys(text).await.unwrap();
    }
}

async fn connect_with_key(window: &Window) {
    window.click("//button[normalize-space()='Sign in']").await.unwrap();
    window.click("//button[contains(., 'reeldesk-sandbox')]").await.unwrap();
    window.click("//button[normalize-space()='Connect']").await.unwrap();
    window.wait_for("//nav//button[@aria-label='Workspace: reeldesk-sandbox']", SHORT).await.unwrap();
}

/// Nothing of the key is in what the app wrote, or on its page.
async fn nothing_is_left(window: &Window, data: &Path) {
    let page = window.client.source().await.unwrap();
    assert!(!page.contains(KEYS.1), "the secret is on the page");
    let told = "const done = arguments[0]; window.__TAURI_INTERNALS__.invoke('diagnostics', { workspace: 'reeldesk-sandbox' }).then(done, done);";
    let told = window.client.execute_async(told, Vec::new()).await.unwrap();
    let told = told.as_str().unwrap();
    assert!(told.contains("[workspace]") && told.contains("[log]"), "{told}");
    assert!(!told.contains(KEYS.0) && !told.contains(KEYS.1), "{told}");
    let mut folders = vec![data.to_owned()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            seen += 1;
            for mark in [KEYS.0, KEYS.1] {
                assert!(!bytes.windows(mark.len()).any(|window| window == mark.as_bytes()), "{}", path.display());
            }
        }
    }
    assert!(seen >= 3, "the app wrote less than it should");
}

#[tokio::test]
async fn an_access_key_goes_to_the_keyring_and_nowhere_else() {
    let (server, home, data) = (Server::start(), home(), tempfile::tempdir().unwrap());
    let secrets = tempfile::tempdir().unwrap();
    let _keyring = keyring(secrets.path()).unwrap();
    let window = open(data.path(), home.path(), &server.endpoint).await.unwrap();
    type_key(&window).await;
    window.picture("connect-key").await;
    connect_with_key(&window).await;
    nothing_is_left(&window, data.path()).await;
    window.kill().await;

    // The next start has it from the keyring.
    let window = open(data.path(), home.path(), &server.endpoint).await.unwrap();
    window.wait_for("//nav//button[@aria-label='Workspace: reeldesk-sandbox']", SHORT).await.unwrap();
    window.click("//nav//button[normalize-space()='Workspace']").await.unwrap();
    window.click("//button[contains(., 'Check everything')]").await.unwrap();
    window.wait_for("//h2[contains(., 'Everything works')]", SHORT).await.unwrap();
    window.close().await;
}

#[tokio::test]
async fn without_a_keyring_the_key_is_kept_until_the_end() {
    let (server, home, data) = (Server::start(), home(), tempfile::tempdir().unwrap());
    // The service is there, and nobody can open it.
    let locked = tempfile::tempdir().unwrap();
    let daemon = Command::new("gnome-keyring-daemon")
        .args(["--foreground", "--replace", "--components=secrets"])
        .env("XDG_DATA_HOME", locked.path())
        .env("XDG_RUNTIME_DIR", locked.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _daemon = Ended(daemon.unwrap());
    let window = open(data.path(), home.path(), &server.endpoint).await.unwrap();
    type_key(&window).await;
    window
        .wait_for("//p[contains(., 'no keyring that Reeldesk can keep a secret in')]", Duration::from_secs(60))
        .await
        .unwrap();
    window.wait_for("//label[contains(., 'in the keyring')]/input[@disabled]", SHORT).await.unwrap();
    window.picture("connect-no-keyring").await;
    connect_with_key(&window).await;
    nothing_is_left(&window, data.path()).await;
    window.kill().await;

    // The next start asks for it, and then goes on as before.
    let window = open(data.path(), home.path(), &server.endpoint).await.unwrap();
    window.wait_for("//h1[contains(., 'Sign in to reeldesk-sandbox')]", SHORT).await.unwrap();
    window.picture("sign-in-again").await;
    for (label, text) in [("Access key id", KEYS.0), ("Secret access key", KEYS.1)] {
        let field = window.wait_for(&format!("//label[contains(., '{label}')]/input"), SHORT).await.unwrap();
        field.send_keys(text).await.unwrap();
    }
    window.wait_for("//label[contains(., 'in the keyring')]/input[@disabled]", Duration::from_secs(60)).await.unwrap();
    window.click("//button[normalize-space()='Sign in']").await.unwrap();
    window.wait_for("//nav//button[@aria-label='Workspace: reeldesk-sandbox']", SHORT).await.unwrap();
    window.close().await;
}

/// A table that other software writes is read, named with two clicks, and its videos are in the Library.
#[tokio::test]
async fn a_table_of_ones_own_is_named() {
    let (server, home, data) = (Server::with(&["--catalog", "custom"]), home(), tempfile::tempdir().unwrap());
    for (number, state) in ["READY", "READY", "FAILED"].into_iter().enumerate() {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let put = server.dynamodb().put_item().table_name(reeldesk_sandbox::CUSTOM_TABLE);
        let put = put.item("videoId", text(&format!("film-{number}"))).item("name", text(&format!("Film {number}")));
        let put = put.item("state", text(state)).item("createdAt", text("2026-01-02T03:04:05Z"));
        let put = put.item("location", text(&format!("film-{number}/hls/film.m3u8")));
        put.item("rating", AttributeValue::N("4.5".into())).send().await.unwrap();
    }
    let aws = |name: &str| home.path().join(".aws").join(name).to_string_lossy().into_owned();
    let reelctl = Reelctl::at(data.path())
        .with("AWS_CONFIG_FILE", aws("config"))
        .with("AWS_SHARED_CREDENTIALS_FILE", aws("credentials"));
    let connect = ["workspace", "connect", "films", "--stack", reeldesk_sandbox::STACK, "--profile", "media"];
    assert!(reelctl.run(&[&connect[..], &["--endpoint", &server.endpoint]].concat()).unwrap().0);
    let settings = data.path().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("version = 1", "version = 1\nopen = \"films\"")).unwrap();

    let window = open(data.path(), home.path(), &server.endpoint).await.unwrap();
    window.click("//nav//button[normalize-space()='Workspace']").await.unwrap();
    window.click("//button[contains(., 'Edit')]").await.unwrap();
    window.click("//summary[.='Attributes of the table']").await.unwrap();
    window.click("//button[normalize-space()='Read the table']").await.unwrap();
    window.wait_for("//caption[contains(., 'No item reads as a video')]", SHORT).await.unwrap();
    window.click("//button[normalize-space()='Fill in what fits']").await.unwrap();
    window.wait_for("//tr[contains(., 'Film 2')]/td[.='Failed']", SHORT).await.unwrap();
    window.is_accessible("attributes of the table").await;
    window.picture("workspace-attributes").await;
    // Another word for the same: the preview follows.
    window.click("//label[contains(., 'FAILED')]//option[.='Canceled']").await.unwrap();
    window.wait_for("//tr[contains(., 'Film 2')]/td[.='Canceled']", SHORT).await.unwrap();
    window.click("//button[normalize-space()='Save']").await.unwrap();
    window.wait_for("//dd[contains(., 'the key is videoId')]", SHORT).await.unwrap();
    window.click("//nav//button[contains(., 'Library')]").await.unwrap();
    window.click("//*[@data-guid='film-1']//button").await.unwrap();
    window.wait_for("//aside[@aria-label='Video']//dd[.='4.5']", SHORT).await.unwrap();
    window.picture("library-custom").await;
    window.close().await;
}
