//! `cargo xtask bench ingest`: from a file to ready, against one bare ffmpeg command that makes the same ladder from
//! the same file. What counts is the ratio of one run.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::run::{command, root, run, target};
use crate::setup;

/// Seconds of the clip that is looped from the test film.
const CLIP: &str = "60";
const ROUNDS: usize = 3;
/// The 720p template: size, ceiling in kb/s, quality, sound in kb/s.
const LADDER: [(&str, &str, &str, &str); 4] = [
    ("480:270", "400k", "22.5", "64k"),
    ("640:360", "1500k", "22.5", "64k"),
    ("960:540", "3500k", "21", "96k"),
    ("1280:720", "6000k", "21", "96k"),
];

pub(crate) fn run_rounds() -> Result<()> {
    setup::for_start()?;
    super::build()?;
    let work = target().join("bench");
    std::fs::remove_dir_all(&work).ok();
    std::fs::create_dir_all(&work)?;
    let clip = work.join("clip.mp4");
    run(command("ffmpeg")
        .args(["-v", "error", "-stream_loop", "-1", "-i"])
        .arg(root().join("tests/media/bigbuckbunny.mp4"))
        .args(["-t", CLIP, "-c", "copy"])
        .arg(&clip))?;
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let bare = timed(|| bare(&clip, &work.join(format!("bare{round}"))))?;
        let ours = timed(|| ours(&clip, &work.join(format!("data{round}"))))?;
        let ratio = ours.as_secs_f64() / bare.as_secs_f64();
        println!("ffmpeg {:.1} s, reelctl {:.1} s, ratio {ratio:.2}", bare.as_secs_f64(), ours.as_secs_f64());
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2} (goal: at most 1.30)", ratios[ROUNDS / 2]);
    Ok(())
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}

fn ours(clip: &Path, data: &Path) -> Result<()> {
    let reelctl = target().join("release/reelctl");
    run(command(reelctl)
        .arg("--data-dir")
        .arg(data)
        .args(["--json", "ingest"])
        .arg(clip)
        .arg("--wait")
        .stdout(std::process::Stdio::null()))
}

fn bare(clip: &Path, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut graph = String::from("[0:v]split=5[v0][v1][v2][v3][t];[t]fps=1/5[thumbs]");
    for (index, (size, ..)) in LADDER.iter().enumerate() {
        graph.push_str(&format!(";[v{index}]scale={size}[o{index}]"));
    }
    let mut ffmpeg = command("ffmpeg");
    ffmpeg.args(["-v", "error", "-nostdin", "-y", "-i"]).arg(clip).args(["-filter_complex", &graph]);
    for (index, (_, max, crf, sound)) in LADDER.iter().enumerate() {
        ffmpeg.args(["-map", &format!("[o{index}]"), "-map", "0:a"]);
        ffmpeg.args(["-c:v", "libx264", "-preset", "veryfast", "-crf", crf, "-maxrate", max, "-bufsize", max]);
        ffmpeg.args(["-g", "75", "-sc_threshold", "0", "-c:a", "aac", "-b:a", sound, "-ac", "2", "-f", "hls"]);
        ffmpeg.args(["-hls_time", "3", "-hls_playlist_type", "vod"]).arg(folder.join(format!("{index}.m3u8")));
    }
    ffmpeg.args(["-map", "[thumbs]", "-q:v", "8"]).arg(folder.join("%07d.jpg"));
    run(&mut ffmpeg)
}
