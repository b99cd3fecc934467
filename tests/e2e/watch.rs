//! The Watch folders screen, and the app without its window.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reeldesk_tests::{Ended, Reelctl, binary, make};
use serde_json::Value;

use crate::window::{Window, on_the_screen};
use crate::{LONG, SHORT};

fn film(file: &Path, seconds: u32) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let source = format!("testsrc2=s=320x180:d={seconds}:r=25");
    make(file, &["-f", "lavfi", "-i", &source, "-c:v", "libx264", "-pix_fmt", "yuv420p"]).unwrap();
}

fn row(path: &str, words: &str) -> String {
    format!("//ul[contains(@class, 'files')]/li[contains(., '{path}')][contains(., '{words}')]")
}

/// A file system that is mounted for as long as this lives.
struct Mounted<'a>(&'a Path);

impl<'a> Mounted<'a> {
    /// None where this user may not mount.
    fn tmpfs(folder: &'a Path) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"]).arg(folder).status();
        let mounted = mounted.is_ok_and(|status| status.success());
        if !mounted {
            eprintln!("no disk can be mounted here: not tried");
        }
        mounted.then_some(Self(folder))
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        Command::new("umount").args(["-l"]).arg(self.0).status().ok();
    }
}

#[tokio::test]
async fn a_dropped_folder_is_watched() {
    let data = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let folder = files.path().join("Exports");
    film(&folder.join("Dark Sea/The Calm.mp4"), 1);
    film(&folder.join("loose.mp4"), 1);
    let window = Window::open(data.path(), &["--workspace", "sandbox"]).await.unwrap();
    window.click("//nav//button[contains(., 'Watch folders')]").await.unwrap();
    window.wait_for("//h2[contains(., 'Drop a folder here')]", SHORT).await.unwrap();
    window.picture("watch-empty").await;

    window.drop(std::slice::from_ref(&folder)).await.unwrap();
    window.wait_for("//section[@aria-label='Preview'][contains(., '2 videos are there')]", SHORT).await.unwrap();
    let naming = window.wait_for("//label[contains(., 'Title and tags')]//input", SHORT).await.unwrap();
    naming.send_keys("{series").await.unwrap();
    window.wait_for("//form//p[contains(., 'a { is not closed')]", SHORT).await.unwrap();
    naming.send_keys("}/{title}.mp4").await.unwrap();
    window.wait_for("//tr[contains(., 'The Calm')][contains(., 'series: Dark Sea')]", SHORT).await.unwrap();
    window.wait_for("//section[@aria-label='Preview'][contains(., '1 does not fit')]", SHORT).await.unwrap();
    let settle = window.wait_for("//label[contains(., 'Unchanged for')]//input", SHORT).await.unwrap();
    settle.clear().await.unwrap();
    settle.send_keys("3").await.unwrap();
    window.picture("watch-form").await;
    window.click("//form//button[.='Watch this folder']").await.unwrap();
    window.wait_for("//section[@data-condition='watching']", SHORT).await.unwrap();
    // What was there before is left out.
    window.wait_for("//section[@data-condition='watching'][contains(., '2 left out')]", SHORT).await.unwrap();

    let whole = files.path().join("whole.mp4");
    film(&whole, 3);
    let bytes = std::fs::read(&whole).unwrap();
    std::fs::write(folder.join("cut off.mp4"), &bytes[..bytes.len() - 5000]).unwrap();
    std::fs::write(folder.join("download.mp4.crdownload"), &bytes).unwrap();
    std::fs::write(folder.join("text.mp4"), "no film at all").unwrap();
    std::fs::copy(&whole, folder.join("Dark Sea/The Storm.mp4")).unwrap();
    window.wait_for(&row("The Storm", "Settling"), SHORT).await.unwrap();
    window.wait_for(&row("cut off", "Cut off"), SHORT).await.unwrap();
    window.wait_for(&row("download", "A temporary name"), SHORT).await.unwrap();
    window.wait_for(&row("text", "Needs you"), SHORT).await.unwrap();
    window.picture("watch-working").await;
    window.wait_for(&row("The Storm", "Playable"), LONG).await.unwrap();
    window.picture("watch-done").await;

    // A file that is not whole is taken if someone wants it; this one still cannot be read as a film.
    window.click(&format!("{}//button[contains(., 'Take anyway')]", row("cut off", "Cut off"))).await.unwrap();
    window.wait_for(&row("cut off", "Needs you"), SHORT).await.unwrap();
    window.click("//button[@title='Pause']").await.unwrap();
    window.wait_for("//section[@data-condition='paused']", SHORT).await.unwrap();
    window.click("//button[@title='Resume']").await.unwrap();
    window.wait_for("//section[@data-condition='watching']", SHORT).await.unwrap();

    // Another disk in its place is not taken for it, until someone says so.
    if let Some(disk) = Mounted::tmpfs(&folder) {
        window.wait_for("//button[.='Use this disk']", LONG).await.unwrap();
        window.picture("watch-another-disk").await;
        window.click("//button[.='Use this disk']").await.unwrap();
        window.wait_for("//section[@data-condition='watching']", SHORT).await.unwrap();
        drop(disk);
        window.click("//button[.='Use this disk']").await.unwrap();
        window.wait_for("//section[@data-condition='watching']", SHORT).await.unwrap();
    }
    window.click(&format!("{}//button[contains(., 'Show why')]", row("text", "Needs you"))).await.unwrap();
    window.wait_for("//li[@data-stage='needsYou']//div[contains(@class, 'sought')]", SHORT).await.unwrap();

    window.click("//nav//button[contains(., 'Library')]").await.unwrap();
    window.click("//*[@data-guid]//button[contains(., 'The Storm')]").await.unwrap();
    let tags =
        "return [...document.querySelectorAll('aside[aria-label=Video] fieldset li input')].map((one) => one.value);";
    window.until(tags, SHORT, |tags| *tags == serde_json::json!(["series", "Dark Sea"])).await.unwrap();
    window.close().await;
}

/// A tray that icons are put into.
struct SystemTray {
    said: Arc<Mutex<Vec<Value>>>,
    clicks: ChildStdin,
    _process: Ended,
}

impl SystemTray {
    fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("support/tray.py");
        // Debian's Python is the one that has GLib.
        let mut child =
            Command::new("/usr/bin/python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (clicks, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = said.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                heard.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        let tray = Self { said, clicks, _process: Ended(child) };
        tray.until(|now| now["ready"] == true);
        tray
    }

    /// Waits until the icon is as it should be.
    #[track_caller]
    fn until(&self, is_so: impl Fn(&Value) -> bool) {
        let end = Instant::now() + LONG;
        while !self.said.lock().unwrap().last().is_some_and(&is_so) {
            assert!(Instant::now() < end, "in vain: {:#?}", self.said.lock().unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn click(&mut self, label: &str) {
        writeln!(self.clicks, "{label}").unwrap();
    }
}

fn first(now: &Value) -> &str {
    now["menu"][0].as_str().unwrap_or_default()
}

#[tokio::test]
async fn it_goes_on_in_the_tray() {
    let data = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let folder = files.path().join("Exports");
    std::fs::create_dir(&folder).unwrap();
    let mut tray = SystemTray::start();
    let reelctl = Reelctl::at(data.path());
    let config = tempfile::tempdir().unwrap();
    let environment = [("HOME", config.path().to_str().unwrap())];
    let window = Window::open_in(data.path(), &["--workspace", "sandbox"], &environment).await.unwrap();
    window.click("//nav//button[contains(., 'Watch folders')]").await.unwrap();
    // From another process: the window knows it at once.
    assert!(reelctl.run(&["watch", "add", folder.to_str().unwrap(), "--settle", "1"]).unwrap().0);
    window.wait_for("//section[@data-condition='watching']", SHORT).await.unwrap();
    tray.until(|now| now["status"] == "Active" && first(now) == "Watching 1 folder");
    window.click("//label[contains(., 'Keep watching')]//input").await.unwrap();
    let kept = data.path().join("settings.toml");
    window
        .until("return 1", SHORT, |_| std::fs::read_to_string(&kept).unwrap_or_default().contains("staysInTray = true"))
        .await
        .unwrap();
    window.click("//label[contains(., 'Start with my session')]//input").await.unwrap();
    let entry = config.path().join(".config/autostart/Reeldesk.desktop");
    window.until("return 1", SHORT, |_| entry.exists()).await.unwrap();
    assert!(std::fs::read_to_string(&entry).unwrap().contains("--hidden"));
    window.picture("watch-habits").await;
    window.ask_to_close().await.unwrap();
    window.is_hidden(SHORT).await.unwrap();

    film(&folder.join("unseen.mp4"), 1);
    let videos = || reelctl.run(&["videos", "list"]).unwrap().1;
    let end = Instant::now() + LONG;
    while !videos().iter().any(|video| video["title"] == "unseen" && video["status"]["kind"] == "complete") {
        assert!(Instant::now() < end, "{:#?}", videos());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    tray.click("Pause watching");
    tray.until(|now| first(now) == "Watch folders are paused");
    tray.click("Resume watching");
    tray.until(|now| first(now).starts_with("Watching 1 folder"));
    tray.click("Open Reeldesk");
    window.is_shown(SHORT).await.unwrap();
    // With a file still in hand it would ask.
    window.wait_for(&row("unseen.mp4", "Playable"), SHORT).await.unwrap();
    tray.click("Quit");
    window.ended(SHORT).await.unwrap();

    // As the session starts it: at work, and not on the screen.
    let mut command = Command::new(binary("reeldesk").unwrap());
    let _unseen = Ended(command.arg("--data-dir").arg(data.path()).arg("--hidden").spawn().unwrap());
    tray.until(|now| first(now) == "Watching 1 folder");
    assert!(!on_the_screen().unwrap(), "it starts without its window");
    tray.click("Open Reeldesk");
    let end = Instant::now() + SHORT;
    while !on_the_screen().unwrap() {
        assert!(Instant::now() < end, "the window does not come");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
