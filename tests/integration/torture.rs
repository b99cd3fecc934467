//! Uploads killed at random moments, over a line that breaks at random: `cargo xtask torture uploads --rounds N`.

use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reeldesk_tests::{Fault, FaultyLine, noise};

use crate::server::ObjectStore;

const MIB: u64 = 1024 * 1024;
const PART: u64 = 8 * MIB;
/// Parts that may be on their way at once.
const MOST_ON_THE_WAY: u64 = 24;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// A few rounds are part of every test run; the task runs as many as it is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_over_a_bad_line() {
    let rounds = number("REELDESK_ROUNDS").unwrap_or(4);
    let seed = number("REELDESK_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("seed {seed}");
    fastrand::seed(seed);
    let store = ObjectStore::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = 0;
    for round in 0..rounds {
        let size = match fastrand::u8(0..10) {
            0 => fastrand::u64(0..100_000),
            1 => [0, PART, PART + 1, 10 * MIB, 15 * MIB][fastrand::usize(0..5)],
            _ => fastrand::u64(0..96 * MIB),
        };
        let file = folder.path().join(format!("{round}.mov"));
        let bytes = noise(&file, usize::try_from(size).unwrap()).unwrap();
        let faults = Arc::new(AtomicU64::new(0));
        let counted = faults.clone();
        let random = std::sync::Mutex::new(fastrand::Rng::with_seed(seed ^ round));
        let line = FaultyLine::before(store.endpoint(), move |_, _, _| {
            let fault = match random.lock().unwrap().u8(0..40) {
                0 => Fault::SlowDown,
                1 => Fault::Reset,
                2 => Fault::LostAnswer,
                3 => Fault::Corrupt,
                4 => Fault::Slow(Duration::from_millis(50)),
                _ => return Fault::None,
            };
            counted.fetch_add(1, Ordering::Relaxed);
            fault
        });
        let line = line.await.unwrap();
        let reelctl = store.reelctl(&line.endpoint);
        let key = format!("torture/{round}.mov");
        let bucket = store.bucket();
        let to = format!("s3://{bucket}/{key}");
        let arguments = ["upload", file.to_str().unwrap(), "--to", &to];
        let kills = fastrand::u64(0..5);
        for _ in 0..kills {
            let mut child: Child = reelctl.start(&arguments).unwrap();
            // The moment is the test: any one is as good as another.
            tokio::time::sleep(Duration::from_millis(fastrand::u64(5..900))).await;
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let (well, lines) = reelctl.run(&arguments).unwrap();
        let last = lines.last().unwrap();
        assert!(well && last["state"] == "uploaded", "round {round} of seed {seed}: {last:#}");
        let client = store.client();
        let object = client.get_object().bucket(bucket).key(&key).send().await.unwrap();
        let same = object.body.collect().await.unwrap().to_vec() == bytes;
        wrong += u64::from(!same);
        let resent = last["bytesResent"].as_u64().unwrap();
        let faults = faults.load(Ordering::Relaxed);
        let allowed = (kills * MOST_ON_THE_WAY + faults) * PART.min(size);
        println!("round {round}: {size} bytes, {kills} kills, {faults} faults, {resent} sent again, same: {same}");
        assert!(same, "round {round} of seed {seed}: the object is not the file");
        assert!(resent <= allowed, "round {round} of seed {seed}: {resent} of at most {allowed} sent again");
        client.delete_object().bucket(bucket).key(&key).send().await.unwrap();
        std::fs::remove_file(&file).unwrap();
    }
    let unfinished = store.client().list_multipart_uploads().bucket(store.bucket()).send().await.unwrap();
    assert_eq!(unfinished.uploads().len(), 0, "nothing is left behind");
    println!("{rounds} rounds, {wrong} wrong objects");
}
