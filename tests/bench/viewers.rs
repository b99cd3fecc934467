//! What 100,000 viewers cost: reading the pool once, then searching, counting and scrolling in the copy.
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on should stop")]

use std::io::Write as _;
use std::time::{Duration, Instant};

use reeldesk_core::viewers::{Query, Sort, StateKind, Viewers};
use reeldesk_core::{Folders, Instance};

const VIEWERS: u32 = 100_000;
const ROUNDS: usize = 200;

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let session =
        reeldesk_shell::open(&Instance::on(&Folders::choose(Some(folder.path())).unwrap()), "sandbox").await.unwrap();
    seed(&folder.path().join("sandbox/sandbox.sqlite"));
    let viewers = session.viewers().await.unwrap();
    let before = peak();
    let began = Instant::now();
    viewers.read().await.unwrap();
    let census = viewers.census().await.unwrap();
    assert_eq!(census.total, VIEWERS as usize);
    say(&format!(
        "read in {:.0} s, at the pace that leaves half of the quota; {} MiB more memory at its peak",
        began.elapsed().as_secs_f64(),
        (peak() - before) / 1024
    ));
    let texts: Vec<String> = (0..ROUNDS).map(|round| format!("wer0{:02}", round * 7 % 100)).collect();
    measure("search as one types", &viewers, |round| (Query { text: texts[round].clone(), ..Query::default() }, 0))
        .await;
    measure("a page anywhere", &viewers, |round| (Query::default(), round * 499)).await;
    measure("a page anywhere, newest change first", &viewers, |round| {
        (Query { sort: Sort::Modified, descending: true, ..Query::default() }, round * 499)
    })
    .await;
    measure("those in a state", &viewers, |_| (Query { state: Some(StateKind::Disabled), ..Query::default() }, 0))
        .await;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        viewers.census().await.unwrap();
        times.push(began.elapsed());
    }
    tell("the counts", times);
    session.close().await;
}

async fn measure(what: &str, viewers: &Viewers, query: impl Fn(usize) -> (Query, usize)) {
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let (query, first) = query(round);
        let began = Instant::now();
        let found = viewers.find(query, first, 100).await.unwrap();
        times.push(began.elapsed());
        assert!(!found.viewers.is_empty(), "{what}");
    }
    tell(what, times);
}

fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let ms = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    say(&format!("{what}: {:.1} ms in the middle, {:.1} ms of 99 in 100", ms(0.5), ms(0.99)));
}

fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").ok();
}

/// Puts them into the sandbox's pool, past its interface.
fn seed(database: &std::path::Path) {
    let mut db = rusqlite::Connection::open(database).unwrap();
    let transaction = db.transaction().unwrap();
    let insert = "INSERT INTO pool_users (username, email, attributes, enabled, status, created, modified, password, password_set)
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, '', ?7)";
    for number in 0..VIEWERS {
        let (username, email) =
            (format!("{number:08x}-0000-4000-8000-000000000000"), format!("viewer{number:06}@example.com"));
        let attributes = format!(r#"[["sub","{username}"],["email","{email}"],["name","Viewer Number {number}"]]"#);
        let status = if number % 3 == 0 { "FORCE_CHANGE_PASSWORD" } else { "CONFIRMED" };
        let time = 1_700_000_000_000_i64 + i64::from(number.wrapping_mul(2_654_435_761) % 80_000_000) * 1000;
        let values = rusqlite::params![username, email, attributes, number % 50 != 0, status, time, time];
        transaction.execute(insert, values).unwrap();
    }
    transaction.commit().unwrap();
}

/// The peak of this process's memory, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
