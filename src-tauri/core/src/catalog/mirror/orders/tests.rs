use std::collections::BTreeMap;

use super::*;
use crate::catalog::mirror::tests::{mirror, taken};
use crate::catalog::mirror::{Mirror, VideoQuery, VideoSort};
use crate::catalog::{Facet, Length, VideoDetails, VideoSummary};

const MANY: i64 = 5_000;

fn some(rng: &mut fastrand::Rng, number: i64) -> VideoSummary {
    VideoSummary {
        duration: rng.bool().then(|| f64::from(rng.u8(0..120))),
        has_captions: rng.bool(),
        details: VideoDetails {
            tags: [("genre".to_owned(), rng.choice(["Drama", "News"]).unwrap().to_string())].into(),
            trashed_at: (rng.u8(0..20) == 0).then_some(1),
            ..VideoDetails::default()
        },
        ..taken(number, &format!("Film {:03}", rng.u16(0..1000)))
    }
}

/// What a list should show, by the shortest way that there is.
fn sorted(videos: &BTreeMap<i64, VideoSummary>, query: &VideoQuery) -> Vec<String> {
    let has = |video: &&VideoSummary| {
        let of = Facet::of(video, "source");
        video.details.trashed_at.is_none() && query.facets.iter().all(|facet| of.contains(facet))
    };
    let mut found: Vec<_> = videos.values().filter(has).collect();
    found.sort_by(|one, other| {
        let by = match query.sort {
            VideoSort::Title => one.title.cmp(&other.title),
            _ => one.duration.partial_cmp(&other.duration).unwrap(),
        };
        let by = by.then(one.started_at.cmp(&other.started_at));
        // What has none comes last, either way.
        let is_by_duration = query.sort == VideoSort::Duration;
        let none = (is_by_duration && one.duration.is_none()).cmp(&(is_by_duration && other.duration.is_none()));
        none.then(if query.descending { by.reverse() } else { by })
    });
    found.iter().take(100).map(|video| video.guid.to_string()).collect()
}

async fn check(mirror: &Mirror, videos: &BTreeMap<i64, VideoSummary>) {
    for sort in [VideoSort::Title, VideoSort::Duration] {
        for descending in [false, true] {
            for facets in [
                vec![Facet::Captions],
                vec![Facet::Captions, Facet::Length(Length::UnderAMinute)],
                vec![Facet::Tag("genre=Drama".to_owned())],
            ] {
                let query = VideoQuery { sort, descending, facets, ..VideoQuery::default() };
                let found = mirror.find(query.clone(), 0, 100).await.unwrap().videos;
                let found: Vec<_> = found.iter().map(|video| video.guid.to_string()).collect();
                assert_eq!(found, sorted(videos, &query), "{query:?}");
            }
        }
    }
}

/// Whether they are asked now, and not the file.
async fn are_known(mirror: &Mirror) -> bool {
    let orders = mirror.orders.clone();
    let wanted = Wanted { places: (1, i64::MAX), bits: &[], among: None };
    let first = move |db: &mut Connection| Ok(orders.first(db, Column::Title, false, &wanted, 1)?.is_some());
    mirror.reader.call(first).await.unwrap()
}

async fn read(mirror: &Mirror) {
    assert!(mirror.orders.begin());
    let orders = mirror.orders.clone();
    mirror.sorter.call(move |db| orders.read(db)).await.unwrap();
    assert!(are_known(mirror).await);
}

#[tokio::test]
async fn what_has_changed_since_is_sorted_in() {
    let (mirror, _folder) = mirror().await;
    let mut rng = fastrand::Rng::with_seed(1);
    let mut videos: BTreeMap<i64, _> = (0..MANY).map(|number| (number, some(&mut rng, number))).collect();
    mirror.put(videos.values().cloned().collect(), 1, vec![]).await.unwrap();
    read(&mirror).await;
    check(&mirror, &videos).await;
    // What is as it was is no change.
    mirror.put(videos.values().cloned().collect(), 2, vec![]).await.unwrap();
    mirror.remove(Vec::new()).await.unwrap();
    assert!(are_known(&mirror).await);
    for _ in 0..5 {
        let mut changed = Vec::new();
        for _ in 0..100 {
            // Some are new, some were moved to the trash or out of it.
            let number = rng.i64(0..MANY + 100);
            changed.push(VideoSummary { revision: 1, ..some(&mut rng, number) });
            videos.insert(number, changed[changed.len() - 1].clone());
        }
        mirror.put(changed, 1, vec![]).await.unwrap();
        let gone = rng.i64(0..MANY);
        mirror.remove(videos.remove(&gone).map(|video| video.guid).into_iter().collect()).await.unwrap();
        assert!(are_known(&mirror).await);
        check(&mirror, &videos).await;
    }
}

#[tokio::test]
async fn what_changes_while_they_are_read_is_sorted_in() {
    let (mirror, _folder) = mirror().await;
    let mut rng = fastrand::Rng::with_seed(2);
    let mut videos: BTreeMap<i64, _> = (0..MANY).map(|number| (number, some(&mut rng, number))).collect();
    mirror.put(videos.values().cloned().collect(), 1, vec![]).await.unwrap();
    assert!(mirror.orders.begin());
    for number in 0..50 {
        videos.insert(number, some(&mut rng, number));
        mirror.put(vec![videos[&number].clone()], 1, vec![]).await.unwrap();
    }
    let orders = mirror.orders.clone();
    mirror.sorter.call(move |db| orders.read(db)).await.unwrap();
    assert!(are_known(&mirror).await);
    check(&mirror, &videos).await;
}

/// The window and the command line.
#[tokio::test]
async fn what_another_process_changes_is_not_missed() {
    for is_changed_here_too in [false, true] {
        let (mirror, folder) = mirror().await;
        let mut rng = fastrand::Rng::with_seed(3);
        let mut videos: BTreeMap<i64, _> = (0..MANY).map(|number| (number, some(&mut rng, number))).collect();
        mirror.put(videos.values().cloned().collect(), 1, vec![]).await.unwrap();
        read(&mirror).await;
        let other = Mirror::open(&folder.path().join("catalog.sqlite"), "table-1", "source").await.unwrap();
        let mut change = async |mirror: &Mirror, number: i64| {
            videos.insert(number, some(&mut rng, number));
            mirror.put(vec![videos[&number].clone()], 1, vec![]).await.unwrap();
        };
        change(&other, 1).await;
        if is_changed_here_too {
            change(&mirror, 2).await;
        }
        assert!(!are_known(&mirror).await);
        check(&mirror, &videos).await;
    }
}

/// More than a few changes are read again, and lists are right meanwhile.
#[tokio::test]
async fn many_changes_are_read_again() {
    let (mirror, _folder) = mirror().await;
    read(&mirror).await;
    let mut rng = fastrand::Rng::with_seed(4);
    let videos: BTreeMap<i64, _> = (0..MANY).map(|number| (number, some(&mut rng, number))).collect();
    mirror.put(videos.values().cloned().collect(), 1, vec![]).await.unwrap();
    assert!(!are_known(&mirror).await);
    check(&mirror, &videos).await;
}

/// The trash is in no other list, and has its own, however long it is.
#[tokio::test]
async fn a_long_trash_is_sorted() {
    let (mirror, _folder) = mirror().await;
    let trashed = |number: i64| VideoSummary {
        details: VideoDetails { trashed_at: Some(1), ..VideoDetails::default() },
        ..taken(number, &format!("Film {:04}", number * 37 % MANY))
    };
    mirror.put((0..MANY).map(trashed).collect(), 1, vec![]).await.unwrap();
    read(&mirror).await;
    let query = VideoQuery { sort: VideoSort::Title, facets: vec![Facet::Trashed], ..VideoQuery::default() };
    let found = mirror.find(query, 0, 3).await.unwrap().videos;
    assert_eq!(
        found.iter().map(|video| video.title.as_str()).collect::<Vec<_>>(),
        ["Film 0000", "Film 0001", "Film 0002"]
    );
}
