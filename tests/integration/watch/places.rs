//! Strange places: links, names, permissions, other disks, limits of the system.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::scene::{Scene, clip};

/// A disk that is mounted for a test; it needs root, so on other computers the test passes it by and says so.
pub(super) struct Disk {
    folder: tempfile::TempDir,
    mount: PathBuf,
}

impl Disk {
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self) -> &Path {
        &self.mount
    }

    fn mount(what: &str, program: &str, arguments: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = folder.path().join("disk");
        for name in ["disk", "lower", "upper", "work"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let disk = Self { folder, mount };
        let mounted = disk.again(program, arguments);
        if !mounted {
            println!("no {what} can be had here: passed by");
        }
        mounted.then_some(disk)
    }

    pub fn again(&self, program: &str, arguments: &[&str]) -> bool {
        let within = |argument: &&str| argument.replace("FOLDER", self.folder.path().to_str().unwrap());
        let status = Command::new(program).args(arguments.iter().map(within)).output();
        status.is_ok_and(|output| output.status.success())
    }

    pub fn unmount(&self) -> bool {
        Command::new("umount").arg("-l").arg(&self.mount).output().is_ok_and(|output| output.status.success())
    }

    pub fn tmpfs(options: &str) -> Option<Self> {
        Self::mount("tmpfs", "mount", &["-t", "tmpfs", "-o", options, "tmpfs", "FOLDER/disk"])
    }

    fn overlay() -> Option<Self> {
        // The upper folder of an overlay cannot lie on another overlay, so it lies on a tmpfs.
        let options = "lowerdir=FOLDER/lower,upperdir=FOLDER/upper/u,workdir=FOLDER/upper/w";
        let tmpfs = "mount -t tmpfs tmpfs FOLDER/upper && mkdir FOLDER/upper/u FOLDER/upper/w";
        let script = format!("{tmpfs} && mount -t overlay -o {options} overlay FOLDER/disk");
        Self::mount("overlay", "sh", &["-c", &script])
    }

    pub fn ext4() -> Option<Self> {
        let script =
            "truncate -s 64M FOLDER/image && mkfs.ext4 -q FOLDER/image && mount -o loop FOLDER/image FOLDER/disk";
        Self::mount("ext4", "sh", &["-c", script])
    }

    /// A file system of a program, as those of other computers often are: it tells of nothing that happens below it.
    pub fn fuse() -> Option<Self> {
        Self::mount("FUSE", "bindfs", &["FOLDER/lower", "FOLDER/disk"])
    }

    fn below(&self) -> PathBuf {
        self.folder.path().join("lower")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.unmount();
        self.again("umount", &["-l", "FOLDER/upper"]);
    }
}

/// What has to hold on every disk.
async fn works_on(disk: &Path) {
    let mut scene = Scene::at(disk, &[]);
    scene.put("a/film.mp4", &clip(1));
    scene.hear("verified", "a/film.mp4");
    std::fs::rename(scene.folder.join("a/film.mp4"), scene.folder.join("a/renamed.mp4")).unwrap();
    scene.put(".b.part", &clip(2));
    std::fs::rename(scene.folder.join(".b.part"), scene.folder.join("b.mp4")).unwrap();
    scene.hear("verified", "b.mp4");
    scene.kill();
    scene.put("c.mp4", &clip(3));
    scene.start();
    scene.hear("verified", "c.mp4");
    scene.sentinel();
    assert_eq!(scene.names().await.len(), 3, "{:?}", scene.names().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_tmpfs() {
    if let Some(disk) = Disk::tmpfs("size=64m") {
        works_on(disk.path()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_ext4() {
    if let Some(disk) = Disk::ext4() {
        works_on(disk.path()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_an_overlay() {
    if let Some(disk) = Disk::overlay() {
        works_on(disk.path()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_file_system_of_a_program() {
    if let Some(disk) = Disk::fuse() {
        works_on(disk.path()).await;
    }
}

/// Another computer writes: nothing is told here, and the file is found all the same.
#[tokio::test(flavor = "multi_thread")]
async fn written_behind_its_back() {
    let Some(disk) = Disk::fuse() else { return };
    let scene = Scene::at(disk.path(), &[]);
    scene.until("it is polled", |said| said.iter().any(|line| line["condition"]["kind"] == "polling"));
    std::fs::write(disk.below().join("exports/film.mp4"), clip(1)).unwrap();
    scene.hear("verified", "film.mp4");
}

#[tokio::test(flavor = "multi_thread")]
async fn unplugged_and_back() {
    let Some(disk) = Disk::ext4() else { return };
    let scene = Scene::at(disk.path(), &[]);
    scene.put("film.mp4", &clip(1));
    scene.hear("verified", "film.mp4");
    assert!(disk.unmount());
    scene.until("it is missed", |said| {
        said.iter()
            .any(|line| line["condition"]["kind"] == "trouble" && line["condition"]["error"]["code"] == "file-missing")
    });
    assert!(disk.again("mount", &["-o", "loop", "FOLDER/image", "FOLDER/disk"]));
    scene.put("after.mp4", &clip(2));
    scene.hear("verified", "after.mp4");
    scene.sentinel();
    assert_eq!(scene.names().await, ["after.mp4", "film.mp4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_is_renamed_and_made_anew() {
    let scene = Scene::new(&[]);
    scene.put("film.mp4", &clip(1));
    scene.hear("verified", "film.mp4");
    let aside = scene.folder.with_file_name("aside");
    std::fs::rename(&scene.folder, &aside).unwrap();
    scene.until("it is missed", |said| said.iter().any(|line| line["condition"]["kind"] == "trouble"));
    std::fs::create_dir(&scene.folder).unwrap();
    scene.put("new.mp4", &clip(2));
    scene.hear("verified", "new.mp4");
    std::fs::remove_dir_all(&scene.folder).unwrap();
    std::fs::rename(&aside, &scene.folder).unwrap();
    scene.put("later.mp4", &clip(3));
    scene.hear("verified", "later.mp4");
    scene.sentinel();
    assert_eq!(scene.names().await, ["film.mp4", "later.mp4", "new.mp4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_not_followed() {
    let mut scene = Scene::new(&[]);
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.mp4"), clip(1)).unwrap();
    symlink(outside.path(), scene.folder.join("away")).unwrap();
    symlink(outside.path().join("secret.mp4"), scene.folder.join("link.mp4")).unwrap();
    symlink(&scene.folder, scene.folder.join("loop")).unwrap();
    scene.put("own.mp4", &clip(2));
    scene.hear("verified", "own.mp4");
    // Found by the events so far; now by a look at all of it.
    scene.kill();
    scene.start();
    scene.sentinel();
    scene.sentinel();
    assert_eq!(scene.names().await, ["own.mp4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn hard_names() {
    let scene = Scene::new(&[]);
    let long = format!("{}.mp4", "n".repeat(251));
    // The same letters composed and decomposed, and in other cases, are other files on this disk.
    let names = [
        "new\nline.mp4",
        "\u{e9}.mp4",
        "e\u{301}.mp4",
        "CASE.mp4",
        "case.mp4",
        "-dash.mp4",
        "quote\"'`$(x).mp4",
        "emoji 🎬.mp4",
        "trailing .mp4",
        "[a]{b}*?.mp4",
        &long,
    ];
    for (number, name) in names.iter().enumerate() {
        scene.put(name, &clip(number as u32));
    }
    for name in names {
        scene.hear("verified", name);
    }
    assert_eq!(scene.names().await.len(), names.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_no_text_is_left_aside() {
    use std::os::unix::ffi::OsStrExt as _;
    let scene = Scene::new(&[]);
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.mp4");
    std::fs::write(scene.folder.join(name), clip(1)).unwrap();
    scene.sentinel();
    assert_eq!(scene.count("taken"), 1, "the sentinel alone");
    std::fs::rename(scene.folder.join(name), scene.folder.join("café.mp4")).unwrap();
    scene.hear("verified", "café.mp4");
}

/// As a user who is not root: what may not be read waits until it may.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_waits() {
    let own = tempfile::tempdir().unwrap();
    let mut scene = Scene::unwatched(own.path());
    if !as_somebody("true").status().is_ok_and(|status| status.success()) {
        println!("nobody else can be had here: passed by");
        return;
    }
    let everyone = |path: &Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    let nobody = |path: &Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o000)).unwrap();
    everyone(own.path());
    everyone(&scene.folder);
    let file = scene.put("closed.mp4", &clip(1));
    let inner = scene.put("inner/film.mp4", &clip(2));
    nobody(&file);
    nobody(inner.parent().unwrap());
    scene.add(&scene.folder.clone(), &["--existing", "take"]);
    assert!(Command::new("chmod").args(["-R", "a+rwX"]).arg(scene.reelctl.data.path()).status().unwrap().success());
    scene = scene.started_by(Box::new(by_somebody));
    scene.start();
    scene.put("open.mp4", &clip(3));
    scene.hear("verified", "open.mp4");
    assert_eq!(scene.count("taken"), 1);
    everyone(&file);
    everyone(inner.parent().unwrap());
    scene.hear("verified", "closed.mp4");
    scene.hear("verified", "inner/film.mp4");
}

/// A command as a user without rights.
pub(super) fn as_somebody(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", program]);
    command
}

/// This command as that user.
pub(super) fn by_somebody(command: Command) -> Command {
    let program = command.get_program().to_str().unwrap().to_owned();
    let mut other = as_somebody(&program);
    other.args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            other.env(name, value);
        }
    }
    other
}

/// As few folders may be watched as the system allows: it says so, with what to do, and looks by itself.
#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_watches() {
    let own = tempfile::tempdir().unwrap();
    let mut scene = Scene::unwatched(own.path()).started_by(Box::new(|command| {
        let mut limited = Command::new("unshare");
        let few = "echo 3 > /proc/sys/user/max_inotify_watches && exec \"$0\" \"$@\"";
        limited
            .args(["--user", "--map-root-user", "sh", "-c", few])
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                limited.env(name, value);
            }
        }
        limited
    }));
    if !Command::new("unshare")
        .args(["--user", "--map-root-user", "true"])
        .status()
        .is_ok_and(|status| status.success())
    {
        println!("no user namespace can be had here: passed by");
        return;
    }
    for number in 0..8 {
        std::fs::create_dir(scene.folder.join(format!("{number}"))).unwrap();
    }
    scene.add(&scene.folder.clone(), &[]);
    scene.start();
    scene.until("it is polled, and why", |said| {
        said.iter().any(|line| {
            let why = &line["condition"]["why"];
            line["condition"]["kind"] == "polling"
                && why["message"].as_str().is_some_and(|text| text.contains("fs.inotify.max_user_watches"))
                && why["remedy"].as_str().is_some_and(|text| text.contains("sudo sysctl"))
        })
    });
    scene.put("7/film.mp4", &clip(1));
    scene.hear("verified", "7/film.mp4");
}

/// The system's queue holds two events, and hundreds come: what was lost is found.
#[tokio::test(flavor = "multi_thread")]
async fn the_queue_of_events_overflows() {
    const QUEUE: &str = "/proc/sys/fs/inotify/max_queued_events";
    let own = tempfile::tempdir().unwrap();
    let mut scene = Scene::unwatched(own.path());
    scene.add(&scene.folder.clone(), &[]);
    let usual = std::fs::read_to_string(QUEUE).unwrap();
    if std::fs::write(QUEUE, "2").is_err() {
        println!("the queue cannot be made smaller here: passed by");
        return;
    }
    // Made before, so that nothing but lost events could tell of what comes into them.
    for number in 0..7 {
        std::fs::create_dir(scene.folder.join(format!("{number}"))).unwrap();
    }
    scene.start();
    scene.until("it listens", |said| said.iter().any(|line| line["condition"]["kind"] == "watching"));
    // The queue that is made has its size; others keep theirs.
    std::fs::write(QUEUE, usual).unwrap();
    for number in 0..300 {
        scene.put(&format!("{}/{number}.mp4", number % 7), &clip(number));
    }
    scene.until("all are sent", |said| said.iter().filter(|line| line["event"] == "verified").count() == 300);
    assert_eq!(scene.names().await.len(), 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_watch_folder_inside_another() {
    let own = tempfile::tempdir().unwrap();
    let mut scene = Scene::unwatched(own.path());
    let inner = scene.folder.join("inner");
    std::fs::create_dir(&inner).unwrap();
    scene.add(&scene.folder.clone(), &["--naming", "{outer}/{title}"]);
    scene.add(&inner, &["--naming", "{title}"]);
    scene.start();
    scene.until("both work", |said| said.iter().filter(|line| line["condition"]["kind"] == "watching").count() == 2);
    scene.put("inner/film.mp4", &clip(1));
    scene.put("other/film.mp4", &clip(2));
    assert_eq!(scene.hear("verified", "inner/film.mp4")["tags"], serde_json::json!({}));
    assert_eq!(scene.hear("verified", "other/film.mp4")["tags"], serde_json::json!({ "outer": "other" }));
    scene.sentinel();
    assert_eq!(scene.names().await.len(), 2);
    // Its rule goes, and the outer one has it.
    assert!(scene.reelctl(&["watch", "remove", inner.to_str().unwrap()]).0);
    scene.put("inner/second.mp4", &clip(3));
    assert_eq!(scene.hear("verified", "inner/second.mp4")["tags"], serde_json::json!({ "outer": "inner" }));
}

#[test]
fn what_cannot_be_watched_is_told() {
    let own = tempfile::tempdir().unwrap();
    let scene = Scene::unwatched(own.path());
    let refused = |folder: &Path, code: &str| {
        let (well, lines) = scene.reelctl(&["watch", "add", folder.to_str().unwrap()]);
        let line: &Value = &lines[0];
        assert!(!well && line["code"] == code && !line["remedy"].as_str().unwrap().is_empty(), "{line:#}");
    };
    refused(&scene.reelctl.data.path().join("logs"), "file-missing");
    std::fs::create_dir_all(scene.reelctl.data.path().join("logs")).unwrap();
    refused(&scene.reelctl.data.path().join("logs"), "invalid");
    refused(scene.reelctl.data.path(), "invalid");
    refused(&own.path().join("nowhere"), "file-missing");
    refused(&scene.put("film.mp4", b"x"), "invalid");
    scene.add(&scene.folder.clone(), &[]);
    let link = own.path().join("another way");
    symlink(&scene.folder, &link).unwrap();
    refused(&link, "exists");
}

/// A folder that holds Reeldesk's own data can be watched; what is inside is never taken.
#[tokio::test(flavor = "multi_thread")]
async fn the_home_folder_with_the_data_in_it() {
    let own = tempfile::tempdir().unwrap();
    let mut scene = Scene::unwatched(own.path());
    let home = own.path().join("home");
    let inside = home.join("data");
    std::fs::create_dir_all(&inside).unwrap();
    std::fs::copy(scene.reelctl.data.path().join("settings.toml"), inside.join("settings.toml")).unwrap();
    scene.reelctl = scene.reelctl.on(&inside);
    scene.folder = home.canonicalize().unwrap();
    scene.add(&home, &[]);
    scene.start();
    scene.put("data/sandbox/blob.mp4", &clip(1));
    scene.put("mine.mp4", &clip(2));
    scene.hear("verified", "mine.mp4");
    scene.sentinel();
    assert_eq!(scene.names().await, ["mine.mp4"]);
}
