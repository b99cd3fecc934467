//! Killed at any moment: each file becomes one object.

use std::collections::BTreeMap;
use std::time::Duration;

use super::scene::{Scene, clip, padded_clip};

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Kills in between every two steps of a few files, by walking through the time that they take.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step() {
    let mut scene = Scene::new(&[]);
    let mut expected = BTreeMap::new();
    for step in 0..12_u32 {
        let film = padded_clip(step, step as usize * 10_000);
        let name = format!("{step}.mp4");
        scene.put(&name, &film);
        expected.insert(name, vec![film]);
        // From before it is seen to after it is sent: it settles for a second.
        std::thread::sleep(Duration::from_millis(u64::from(step) * 180));
        scene.kill();
        scene.start();
    }
    for name in expected.keys() {
        scene.hear_or_be_there("verified", name).await;
    }
    scene.sentinel();
    assert_eq!(scene.sent().await, expected);
}

/// Many files at once, and kills at random: `cargo xtask torture watch` runs it with 5,000 files and 20 rounds.
#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_with_kills() {
    let files = u32::try_from(number("REELDESK_FILES").unwrap_or(120)).unwrap();
    let rounds = number("REELDESK_ROUNDS").unwrap_or(2);
    let seed = number("REELDESK_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("seed {seed}");
    fastrand::seed(seed);
    for round in 0..rounds {
        let mut scene = Scene::new(&[]);
        let began = std::time::Instant::now();
        let mut sizes = BTreeMap::new();
        let writing = {
            let folder = scene.folder.clone();
            let names: Vec<(String, usize)> = (0..files)
                .map(|number| {
                    (
                        format!("{}/{number}.mp4", number % 11),
                        fastrand::usize(10_000..1_000_000) / if files > 500 { 1 } else { 4 },
                    )
                })
                .collect();
            sizes.extend(names.iter().enumerate().map(|(number, (name, size))| (name.clone(), (number as u32, *size))));
            std::thread::spawn(move || {
                for (number, (name, size)) in names.into_iter().enumerate() {
                    let path = folder.join(name);
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    std::fs::write(path, padded_clip(number as u32, size)).unwrap();
                }
            })
        };
        let kills = fastrand::u32(3..8);
        for _ in 0..kills {
            // The moment is the test: any one is as good as another.
            std::thread::sleep(Duration::from_millis(fastrand::u64(200..4_000)));
            scene.kill();
            scene.start();
        }
        writing.join().unwrap();
        scene.until_sent(files as usize).await;
        scene.sentinel();
        let sent = scene.sizes().await;
        let expected: BTreeMap<String, Vec<usize>> = sizes
            .iter()
            .map(|(name, (number, size))| {
                (name.rsplit('/').next().unwrap().to_owned(), vec![clip(*number).len() + size])
            })
            .collect();
        let wrong = expected.iter().filter(|(name, sizes)| sent.get(*name) != Some(sizes)).count();
        println!(
            "round {round}: {files} files, {kills} kills, {} objects, {wrong} wrong, {:?}",
            sent.len(),
            began.elapsed()
        );
        assert_eq!(sent, expected, "round {round} of seed {seed}");
    }
}
