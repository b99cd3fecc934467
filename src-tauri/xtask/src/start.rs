//! `cargo xtask start` and `cargo xtask package`.

use anyhow::{Result, ensure};

use crate::run::{cargo, command, npm, root, run, target};
use crate::setup;

/// Builds the app and opens its window on the sandbox.
pub(crate) fn start() -> Result<()> {
    setup::for_start()?;
    setup::build_page()?;
    // The tests' choice of packages and features, so that neither builds the dependencies of the other again.
    run(cargo().args(["build", "--workspace", "--bins", "--features", "reeldesk/custom-protocol"]))?;
    let app = target().join("debug").join(format!("reeldesk{}", std::env::consts::EXE_SUFFIX));
    let has_display = cfg!(not(target_os = "linux"))
        || std::env::var_os("DISPLAY").is_some()
        || std::env::var_os("WAYLAND_DISPLAY").is_some();
    if has_display {
        return run(command(app).args(["--workspace", "sandbox"]));
    }
    println!("There is no display: the window runs under Xvfb, and a picture of it is kept.");
    let folder = root().join("artifacts");
    std::fs::create_dir_all(&folder)?;
    let picture = folder.join("window.png");
    std::fs::remove_file(&picture).ok();
    // The window is there when X has one of that name; the page is drawn a moment after.
    let script = r#"
        "$1" --workspace sandbox & app=$!
        for _ in $(seq 200); do
            import -window root "$2" 2>/dev/null && [ "$(convert "$2" -unique-colors -format %w info:)" -gt 16 ] && shown=1 && break
            sleep 0.1
        done
        sleep 1
        import -window root "$2"
        kill $app
        [ -n "$shown" ]"#;
    run(command("xvfb-run")
        .args(["-a", "-s", "-screen 0 1280x800x24", "dbus-run-session", "--", "bash", "-c", script, "bash"])
        .arg(app)
        .arg(&picture))?;
    ensure!(picture.is_file(), "the window did not open");
    println!("The window opened; its picture is {}", picture.display());
    Ok(())
}

/// Makes the installers of this platform.
pub(crate) fn package() -> Result<()> {
    setup::for_start()?;
    run(npm().args([
        "exec",
        "--yes",
        "--package",
        "@tauri-apps/cli@2",
        "--",
        "tauri",
        "build",
        "--config",
        "../tauri.conf.json",
    ]))
}
