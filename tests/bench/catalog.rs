//! What a million videos cost: filling the mirror, searching as one types, filters, sorts, counts, memory and disk.
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on should stop")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use reeldesk_core::catalog::{
    Facet, Item, Length, Mirror, StatusKind, VideoQuery, VideoResolution, VideoSort, VideoSummary,
};
use reeldesk_tests::catalog::item;

/// Typing sequences, each from its first letter on.
const SEQUENCES: u64 = 500;
const PAGE: usize = 100;

#[tokio::main]
async fn main() {
    let count: u64 = std::env::args().nth(1).map_or(1_000_000, |count| count.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    // A file that was named is kept, and not filled again.
    let named = std::env::args().nth(2).map(PathBuf::from);
    let path = named.unwrap_or_else(|| folder.path().join("catalog.sqlite"));
    if !path.exists() {
        fill(&path, count).await;
    }
    let since = Instant::now();
    let mirror = Mirror::open(&path, "table", "vod-source").await.unwrap();
    let first = mirror.find(newest(""), 0, PAGE).await.unwrap();
    assert_eq!(first.videos.len(), PAGE);
    say(&format!("opened again, with its first rows, in {:.0} ms", since.elapsed().as_secs_f64() * 1000.0));
    let (mut rows, mut counts) = (Vec::new(), Vec::new());
    for sequence in 0..SEQUENCES {
        for text in typed(sequence, count) {
            let since = Instant::now();
            mirror.find(newest(&text), 0, PAGE).await.unwrap();
            rows.push((since.elapsed(), text.clone()));
            if sequence % 10 == 0 {
                let since = Instant::now();
                mirror.count(newest(&text)).await.unwrap();
                counts.push(since.elapsed());
            }
        }
    }
    rows.sort_unstable();
    let slowest = rows.iter().rev().take(5).map(|(time, text)| format!("{text:?} in {:.1} ms", ms(*time)));
    let slowest = slowest.collect::<Vec<_>>().join(", ");
    tell("search as one types", rows.into_iter().map(|(time, _)| time).collect());
    say(&format!("  the slowest: {slowest}"));
    tell("counts of the chips as one types", counts);
    let mut all = Vec::new();
    for facet in [
        Facet::Status(StatusKind::Complete),
        Facet::Status(StatusKind::Error),
        Facet::Status(StatusKind::Encoding),
        Facet::Status(StatusKind::Canceled),
        Facet::Resolution(VideoResolution::Uhd),
        Facet::Length(Length::UnderAMinute),
        Facet::Hdr,
        Facet::Captions,
        Facet::Workflow("vod-archive".to_owned()),
        Facet::Tag("genre=Drama".to_owned()),
    ] {
        for sort in [VideoSort::Started, VideoSort::Title, VideoSort::Duration] {
            let query = VideoQuery { facets: vec![facet.clone()], sort, ..newest("") };
            let since = Instant::now();
            mirror.find(query, 0, PAGE).await.unwrap();
            all.push((since.elapsed(), format!("{facet:?} by {sort:?}")));
        }
    }
    let slowest = all.iter().max().unwrap().clone();
    tell("the first page of a filter, sorted", all.into_iter().map(|(time, _)| time).collect());
    say(&format!("  the slowest: {} in {:.1} ms", slowest.1, slowest.0.as_secs_f64() * 1000.0));
    for sort in [VideoSort::Started, VideoSort::Title] {
        let mut all = Vec::new();
        for part in 0..20 {
            let query = VideoQuery { sort, ..newest("") };
            let since = Instant::now();
            mirror.find(query, (count * part / 20) as usize, PAGE).await.unwrap();
            all.push(since.elapsed());
        }
        tell(&format!("a page anywhere, by {sort:?}"), all);
    }
    let mut all = Vec::new();
    for _ in 0..20 {
        let since = Instant::now();
        mirror.count(newest("")).await.unwrap();
        all.push(since.elapsed());
    }
    tell("the counts of all", all);
    say(&format!("memory of the process at its peak: {} MiB, at the end {} MiB", memory("VmHWM"), memory("VmRSS")));
}

async fn fill(path: &Path, count: u64) {
    let mirror = Mirror::open(path, "table", "vod-source").await.unwrap();
    let (began, mut written) = (Instant::now(), Duration::ZERO);
    for first in (0..count).step_by(1000) {
        let videos = (first..count.min(first + 1000)).rev().map(summary).collect();
        let since = Instant::now();
        mirror.put(videos, 1, vec![]).await.unwrap();
        written += since.elapsed();
    }
    say(&format!(
        "filled with {count} in {:.0} s, of which {:.0} s are the mirror's: {:.0} videos/s; {} MB on disk",
        began.elapsed().as_secs_f64(),
        written.as_secs_f64(),
        count as f64 / written.as_secs_f64(),
        size(path),
    ));
}

fn summary(number: u64) -> VideoSummary {
    VideoSummary::from(&Item(item(number)).read().unwrap())
}

fn newest(text: &str) -> VideoQuery {
    VideoQuery { text: text.to_owned(), descending: true, ..VideoQuery::default() }
}

/// What someone types who looks for a video: one to three of its words, letter by letter.
fn typed(sequence: u64, count: u64) -> Vec<String> {
    let mut rng = fastrand::Rng::with_seed(sequence);
    let video = summary(rng.u64(0..count));
    let text = format!("{} {}", video.title, video.details.description.unwrap_or_default());
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut texts = Vec::new();
    let mut text = String::new();
    for _ in 0..rng.usize(1..4) {
        if !text.is_empty() {
            text.push(' ');
        }
        for letter in words[rng.usize(0..words.len())].chars() {
            text.push(letter);
            texts.push(text.clone());
        }
    }
    texts
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| ms(times[((times.len() - 1) as f64 * share) as usize]);
    let (half, most, all) = (at(0.5), at(0.99), at(1.0));
    say(&format!(
        "{what}: {half:.1} ms in the middle, {most:.1} ms of 99 in 100, {all:.1} ms at most ({})",
        times.len()
    ));
}

fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").ok();
}

/// MB of the file and its log.
fn size(path: &Path) -> u64 {
    let of = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        std::fs::metadata(name).map_or(0, |file| file.len())
    };
    (of("") + of("-wal")) / 1_000_000
}

/// MiB of this process.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|text| text.strip_prefix(line)).unwrap();
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse::<u64>().unwrap() / 1024
}
