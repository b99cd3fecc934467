//! `cargo xtask bench watch`: what it costs to watch 100,000 files, and how soon a finished file is taken.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::run::{command, root, run, target};
use crate::setup;

const FOLDERS: usize = 1000;
const FILES: usize = 100;
/// How long a file settles here, in seconds.
const SETTLE: u64 = 2;
/// How long the idle process is measured.
const IDLE: Duration = Duration::from_secs(90);
const ROUNDS: usize = 5;

pub(crate) fn run_rounds() -> Result<()> {
    setup::for_start()?;
    super::build()?;
    let work = target().join("bench/watch");
    std::fs::remove_dir_all(&work).ok();
    let (empty, full) = (work.join("empty"), work.join("full"));
    std::fs::create_dir_all(&empty)?;
    for folder in 0..FOLDERS {
        let folder = full.join(folder.to_string());
        std::fs::create_dir_all(&folder)?;
        for file in 0..FILES {
            std::fs::write(folder.join(format!("a film of some length {file}.mp4")), "x")?;
        }
    }
    let before = measure(&work.join("data-empty"), &empty, false)?;
    let after = measure(&work.join("data-full"), &full, true)?;
    println!("100,000 files take {} MiB more", (after.saturating_sub(before)) / 1024);
    Ok(())
}

/// The peak of the process's memory, in KiB.
fn measure(data: &Path, folder: &Path, is_full: bool) -> Result<u64> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let began = Instant::now();
    run(reelctl(data)
        .args(["watch", "add"])
        .arg(folder)
        .args(["--settle", &SETTLE.to_string()])
        .stdout(Stdio::null()))?;
    println!("{name}: added in {:.2} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    let mut child = reelctl(data).args(["watch", "run"]).stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
    let mut wait = |words: &str| -> Result<()> {
        for line in lines.by_ref() {
            if line?.contains(words) {
                return Ok(());
            }
        }
        bail!("it ended before it said {words}")
    };
    wait("\"watching\"")?;
    println!("{name}: watched after {:.2} s", began.elapsed().as_secs_f64());
    let measured = || -> Result<u64> {
        let cpu = cpu_seconds(&child)?;
        std::thread::sleep(IDLE);
        let share = (cpu_seconds(&child)? - cpu) / IDLE.as_secs_f64() * 100.0;
        let memory = status(&child, "VmHWM:")?;
        println!("{name}: idle CPU {share:.2} %, memory {} MiB at its peak", memory / 1024);
        Ok(memory)
    };
    let memory = measured()?;
    if is_full {
        let film = std::fs::read(root().join("tests/media/bigbuckbunny.mp4"))?;
        for round in 0..ROUNDS {
            let path = folder.join(format!("{round}/new {round}.mp4"));
            let mut file = std::fs::File::create(&path)?;
            for part in film.chunks(film.len() / 10) {
                file.write_all(part)?;
                std::thread::sleep(Duration::from_millis(200));
            }
            // No two are alike.
            file.write_all(&[0, 0, 0, 9, b'f', b'r', b'e', b'e', u8::try_from(round)?])?;
            drop(file);
            let written = Instant::now();
            wait("\"taken\"")?;
            let after = written.elapsed().as_secs_f64() - SETTLE as f64;
            println!("taken {after:.2} s after it had settled");
        }
    }
    run(command("kill").args(["-TERM", &child.id().to_string()]))?;
    ensure!(child.wait()?.success(), "it did not end in good order");
    Ok(memory)
}

fn reelctl(data: &Path) -> std::process::Command {
    let mut reelctl = command(target().join("release/reelctl"));
    reelctl.arg("--data-dir").arg(data).arg("--json");
    reelctl
}

/// User and system time of a process (proc(5), fields 14 and 15), in seconds.
fn cpu_seconds(child: &Child) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id()))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok()).context("no times");
    // 100 ticks a second, as on all Linux of today.
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

fn status(child: &Child, field: &str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).context("no memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
