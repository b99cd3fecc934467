//! `cargo xtask test`: everything that says whether the project is well.

use std::process::Command;

use anyhow::Result;

use crate::run::{cargo, command, npm, run, target};
use crate::setup;

/// Installs, builds, checks and tests all of it.
pub(crate) fn test() -> Result<()> {
    setup::for_test()?;
    let emulators = setup::emulators()?;
    let driver = setup::cargo_tool("tauri-driver", "^2")?;

    run(cargo().args(["fmt", "--all", "--check"]))?;
    for task in ["build", "check", "lint", "test"] {
        run(npm().args(["run", "--silent", task]))?;
    }
    run(workspace("clippy").args(["--all-targets", "--", "-D", "warnings"]))?;
    // Without the sandbox: another choice of features, so all dependencies are checked again, which takes a minute.
    let without = ["--no-default-features", "-p", "reelctl", "-p", "reeldesk-shell", "--", "-D", "warnings"];
    run(cargo().arg("clippy").args(without))?;
    // The binaries that the black-box tests run, the window with its page inside.
    run(workspace("build").arg("--all-targets"))?;
    run(workspace("test").args(["--lib", "--bins"]))?;
    let garage = target().join("tools/bin/garage");
    let mut integration = workspace("test");
    integration.args(["--test", "integration"]).env("REELDESK_MINISTACK", emulators.join("ministack"));
    integration.env("REELDESK_MOTO", emulators.join("moto_server"));
    if garage.is_file() {
        integration.env("REELDESK_GARAGE", garage);
    }
    run(&mut integration)?;
    window_tests(&driver, &emulators.join("ministack"))
}

/// Uploads killed at random, `rounds` times, to the sandbox or to a Garage.
pub(crate) fn torture_uploads(rounds: u32, seed: Option<u64>, to_garage: bool) -> Result<()> {
    setup::for_test()?;
    run(workspace("build").arg("--all-targets"))?;
    let mut torture = workspace("test");
    torture.args(["--test", "integration", "killed_at_random", "--", "--nocapture"]);
    torture.env("REELDESK_ROUNDS", rounds.to_string()).env_remove("REELDESK_GARAGE");
    if to_garage {
        torture.env("REELDESK_GARAGE", setup::garage()?);
    }
    if let Some(seed) = seed {
        torture.env("REELDESK_SEED", seed.to_string());
    }
    run(&mut torture)
}

/// Files that come at once into a watch folder, and kills.
pub(crate) fn torture_watch(rounds: u32, files: u32, seed: Option<u64>) -> Result<()> {
    setup::for_test()?;
    run(workspace("build").arg("--all-targets"))?;
    let mut torture = workspace("test");
    torture.args(["--test", "integration", "many_at_once_with_kills", "--", "--nocapture"]);
    torture.env("REELDESK_ROUNDS", rounds.to_string()).env("REELDESK_FILES", files.to_string());
    if let Some(seed) = seed {
        torture.env("REELDESK_SEED", seed.to_string());
    }
    run(&mut torture)
}

/// One choice of packages and features for every step: another one would build the dependencies again.
fn workspace(task: &str) -> Command {
    let mut cargo = cargo();
    cargo.args([task, "--workspace", "--features", "reeldesk/custom-protocol"]);
    cargo
}

/// Test machines have no sound card. Without these GStreamer tries each in turn, and a film may stand still on the way;
/// with none left it plays to its silent sink.
const NO_SOUND_CARD: &str =
    "openalsink:NONE,alsasink:NONE,pulsesink:NONE,jackaudiosink:NONE,osssink:NONE,oss4sink:NONE";

/// The tests of the real window, on a screen and a session bus of their own.
fn window_tests(driver: &std::path::Path, ministack: &std::path::Path) -> Result<()> {
    let pictures = target().join("pictures");
    std::fs::create_dir_all(&pictures)?;
    run(command("xvfb-run")
        .args(["-a", "-s", "-screen 0 1440x900x24", "dbus-run-session", "--"])
        .arg(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["test", "--workspace", "--features", "reeldesk/custom-protocol"])
        .args(["--test", "e2e", "--", "--test-threads", "1"])
        .env("REELDESK_TAURI_DRIVER", driver)
        .env("REELDESK_MINISTACK", ministack)
        .env("REELDESK_PICTURES", pictures)
        .env("GST_PLUGIN_FEATURE_RANK", NO_SOUND_CARD)
        .env("NO_AT_BRIDGE", "1"))
}

/// Writes the page's types.
pub(crate) fn write_bindings() -> Result<()> {
    run(workspace("test").args(["--quiet", "--lib", "bindings"]).env("UPDATE_EXPECT", "1"))
}

/// Checks the dependencies. The advisories are fetched from the network.
pub(crate) fn deny() -> Result<()> {
    let deny = setup::cargo_tool("cargo-deny", "^0.20")?;
    run(command(deny).args(["--all-features", "check"]))
}
