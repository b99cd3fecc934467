use std::collections::BTreeMap;

use super::*;
use crate::catalog::{Item, Length, StatusKind, VideoDetails, VideoResolution};

fn video(guid: &str, title: &str) -> VideoSummary {
    let item = Item([("guid".to_owned(), aws_sdk_dynamodb::types::AttributeValue::S(guid.into()))].into());
    let mut video = VideoSummary::from(&item.read().unwrap());
    video.title = title.to_owned();
    video.status = Status::Complete;
    video
}

/// As the pipeline takes them: one a minute, the first at the epoch's billionth second.
pub(super) fn taken(number: i64, title: &str) -> VideoSummary {
    let started_at = Some((1_000_000_000 + number * 60) * 1000);
    VideoSummary { started_at, ..video(&format!("guid-{number}"), title) }
}

pub(super) async fn mirror() -> (Mirror, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Mirror::open(&folder.path().join("catalog.sqlite"), "table-1", "source").await.unwrap(), folder)
}

async fn titles(mirror: &Mirror, query: VideoQuery) -> Vec<String> {
    mirror.find(query, 0, 100).await.unwrap().videos.into_iter().map(|video| video.title).collect()
}

fn newest(text: &str, facets: Vec<Facet>) -> VideoQuery {
    VideoQuery { text: text.to_owned(), facets, descending: true, ..VideoQuery::default() }
}

#[tokio::test]
async fn what_is_put_is_found_as_it_was() {
    let (mirror, _folder) = mirror().await;
    let all = VideoSummary {
        details: VideoDetails {
            title: Some("Bück".into()),
            description: Some("Of a rabbit".into()),
            tags: [("genre".to_owned(), "Animation".to_owned())].into(),
            sidecars: BTreeMap::new(),
            published: Some(true),
            publish_from: Some(7),
            publish_until: Some(8),
            poster: Some("https://cdn/p.jpg".into()),
            trashed_at: None,
        },
        revision: 3,
        status: Status::Error { at: "Encoding".into(), message: "No".into() },
        ended_at: Some(5),
        duration: Some(59.9),
        width: Some(1080),
        height: Some(1920),
        is_shorter: true,
        has_stream: true,
        has_captions: true,
        is_hdr: true,
        src_bucket: Some("other".into()),
        src_video: Some("a/big_buck_bunny.mov".into()),
        outputs_elsewhere: vec!["https://cdn/films/x.m3u8".into()],
        source_size: Some(5),
        source_checksum: Some("AAAAAAAAAAA=".into()),
        thumbnail_url: Some("https://cdn/x.jpg".into()),
        job_id: Some("1-a".into()),
        workflow: Some("vod".into()),
        job_template: Some("hd".into()),
        ..taken(1, "Bück")
    };
    assert_eq!(mirror.put(vec![all.clone()], 1, vec![]).await.unwrap(), 1);
    for text in ["", "buck", "BÜCK", "rabb", "anim", "genre", "bunny.mov", "guid 1", "bunn of"] {
        assert_eq!(mirror.find(newest(text, vec![]), 0, 9).await.unwrap().videos, std::slice::from_ref(&all), "{text}");
    }
    assert_eq!(titles(&mirror, newest("rabbits", vec![])).await, [""; 0]);
    assert_eq!(mirror.of_source_size(5).await.unwrap(), std::slice::from_ref(&all));
    assert_eq!(mirror.of_source_size(6).await.unwrap(), []);
    let counts = mirror.count(VideoQuery::default()).await.unwrap();
    assert_eq!((counts.found, counts.total, counts.facets.len()), (1, 1, 12));
    for FacetCount { facet, count } in counts.facets {
        assert_eq!((titles(&mirror, newest("", vec![facet.clone()])).await.len(), count), (1, 1), "{facet:?}");
    }
    // Once more it is no change; and what is changed is found by what it is now.
    assert_eq!(mirror.put(vec![all.clone()], 1, vec![]).await.unwrap(), 0);
    let details = VideoDetails { title: Some("Sintel".into()), ..all.details.clone() };
    let renamed = VideoSummary { title: "Sintel".into(), details, status: Status::Complete, ..all };
    assert_eq!(mirror.put(vec![renamed.clone()], 1, vec![]).await.unwrap(), 1);
    assert_eq!(
        mirror.find(newest("sint", vec![Facet::Status(StatusKind::Complete)]), 0, 9).await.unwrap().videos,
        [renamed]
    );
    assert_eq!(titles(&mirror, newest("bück", vec![Facet::Status(StatusKind::Error)])).await, [""; 0]);
    let counts = mirror.count(VideoQuery::default()).await.unwrap();
    assert!(!counts.facets.iter().any(|one| one.facet == Facet::Status(StatusKind::Error)), "{counts:?}");
}

#[tokio::test]
async fn the_newest_come_first_whenever_they_were_put() {
    let (mirror, _folder) = mirror().await;
    for number in [5, 1, 9, 3, 7] {
        mirror.put(vec![taken(number, &format!("Video {number}"))], 1, vec![]).await.unwrap();
    }
    mirror.put(vec![video("without", "Without a time")], 1, vec![]).await.unwrap();
    let all = ["Video 9", "Video 7", "Video 5", "Video 3", "Video 1", "Without a time"];
    assert_eq!(titles(&mirror, newest("", vec![])).await, all);
    let second = mirror.find(newest("vid", vec![]), 1, 2).await.unwrap().videos;
    assert_eq!(second.into_iter().map(|video| video.title).collect::<Vec<_>>(), ["Video 7", "Video 5"]);
    let at = |number: i64| Some((1_000_000_000 + number * 60) * 1000);
    let within = VideoQuery { from: at(3), until: at(7), ..newest("", vec![]) };
    assert_eq!(titles(&mirror, within.clone()).await, ["Video 5", "Video 3"]);
    assert_eq!(mirror.count(within).await.unwrap().found, 2);
    // One that begins anew is the newest.
    mirror.put(vec![VideoSummary { started_at: at(10), ..taken(1, "Video 1") }], 1, vec![]).await.unwrap();
    assert_eq!(titles(&mirror, newest("", vec![])).await[0], "Video 1");
}

#[tokio::test]
async fn a_job_that_was_canceled_stays_so_until_there_is_another() {
    let (mirror, _folder) = mirror().await;
    let of = |status, job: &str, title: &str| VideoSummary { status, job_id: Some(job.into()), ..taken(1, title) };
    let status = async || mirror.find(newest("", vec![]), 0, 1).await.unwrap().videos.remove(0);
    mirror.put(vec![of(Status::Encoding, "a", "One")], 1, vec![]).await.unwrap();
    mirror.put(vec![of(Status::Canceled, "a", "One")], 1, vec![]).await.unwrap();
    mirror.put(vec![of(Status::Encoding, "a", "Two")], 1, vec![]).await.unwrap();
    assert_eq!((status().await.status, status().await.title), (Status::Canceled, "Two".to_owned()));
    mirror.put(vec![of(Status::Encoding, "b", "Two")], 1, vec![]).await.unwrap();
    assert_eq!(status().await.status, Status::Encoding);
}

#[tokio::test]
async fn many_that_began_at_once_have_a_place_each() {
    let (mirror, _folder) = mirror().await;
    let many = (0..2_000).map(|number| VideoSummary { guid: Guid(format!("g{number}")), ..taken(1, "Same") }).collect();
    mirror.put(many, 1, vec![]).await.unwrap();
    let until = taken(1, "").started_at.map(|at| at + 1000);
    let same = VideoQuery { until, ..newest("same", vec![]) };
    assert_eq!(mirror.count(same).await.unwrap().found, 2_000, "none of them is later than it began");
}

#[tokio::test]
async fn of_one_kind_any_is_enough_and_each_kind_is_meant() {
    let (mirror, _folder) = mirror().await;
    let made = |number, status, duration| VideoSummary { status, duration: Some(duration), ..taken(number, "Film") };
    let error = || Status::Error { at: String::new(), message: String::new() };
    let all = vec![
        made(1, Status::Complete, 30.0),
        made(2, Status::Complete, 5000.0),
        made(3, error(), 30.0),
        made(4, Status::Encoding, 5000.0),
    ];
    mirror.put(all, 1, vec![]).await.unwrap();
    let found = async |facets: Vec<Facet>| -> Vec<String> {
        let found = mirror.find(newest("film", facets), 0, 9).await.unwrap().videos;
        found.into_iter().map(|video| video.guid.to_string()).collect()
    };
    let status = Facet::Status;
    assert_eq!(found(vec![status(StatusKind::Complete)]).await, ["guid-2", "guid-1"]);
    let both = vec![status(StatusKind::Complete), status(StatusKind::Error)];
    assert_eq!(found(both.clone()).await, ["guid-3", "guid-2", "guid-1"]);
    let short = [both.clone(), vec![Facet::Length(Length::UnderAMinute)]].concat();
    assert_eq!(found(short.clone()).await, ["guid-3", "guid-1"]);
    assert_eq!(found(vec![Facet::Resolution(VideoResolution::Hd)]).await, [""; 0]);
    // A facet is counted as if it stood in place of those of its kind.
    let counts = mirror.count(newest("", short)).await.unwrap();
    let of = |facet: Facet| counts.facets.iter().find(|one| one.facet == facet).unwrap().count;
    assert_eq!((counts.found, counts.total), (2, 4));
    assert_eq!((of(status(StatusKind::Complete)), of(status(StatusKind::Encoding))), (1, 0));
    assert_eq!(of(Facet::Length(Length::AnHourAndMore)), 1);
    assert_eq!(mirror.open_ones(9).await.unwrap(), [Guid("guid-4".into())]);
}

#[tokio::test]
async fn sorted_by_what_is_asked_for() {
    let (mirror, _folder) = mirror().await;
    // More than are sorted at once, so that both ways are gone.
    let count = 9_000_i64;
    let many = (0..count).map(|number| VideoSummary {
        duration: Some(f64::from(u32::try_from(number * 7919 % count).unwrap())),
        is_hdr: number % 3 > 0,
        has_captions: number % 9 == 0,
        ..taken(number, &format!("É{:05}", number * 7919 % count))
    });
    mirror.put(many.collect(), 1, vec![]).await.unwrap();
    let expected = |facet: Option<i64>, descending: bool| {
        let fits = |number: &i64| match facet {
            Some(3) => number % 3 > 0,
            Some(_) => number % 9 == 0,
            None => true,
        };
        let mut keys: Vec<i64> = (0..count).filter(fits).map(|number| number * 7919 % count).collect();
        keys.sort_unstable();
        if descending {
            keys.reverse();
        }
        keys.into_iter().skip(5).take(3).map(|key| format!("É{key:05}")).collect::<Vec<_>>()
    };
    let without = VideoSummary { is_hdr: true, has_captions: true, ..taken(count, "É99999") };
    mirror.put(vec![without], 1, vec![]).await.unwrap();
    for sort in [VideoSort::Duration] {
        let query = VideoQuery { sort, facets: vec![Facet::Captions], ..VideoQuery::default() };
        let last = mirror.find(query.clone(), 1_000, 9).await.unwrap().videos;
        assert_eq!((last.len(), last[0].duration), (1, None), "what has no duration comes last");
        let query = VideoQuery { facets: vec![], ..query };
        assert_eq!(mirror.find(query, usize::try_from(count).unwrap(), 9).await.unwrap().videos[0].duration, None);
    }
    mirror.remove(vec![Guid(format!("guid-{count}"))]).await.unwrap();
    for sort in [VideoSort::Title, VideoSort::Duration] {
        for descending in [false, true] {
            for (number, facets) in [(None, vec![]), (Some(3), vec![Facet::Hdr]), (Some(9), vec![Facet::Captions])] {
                // With a date the way is another one.
                for from in [None, Some(1)] {
                    let query = VideoQuery { facets: facets.clone(), sort, descending, from, ..VideoQuery::default() };
                    let found = mirror.find(query, 5, 3).await.unwrap().videos;
                    let found: Vec<_> = found.into_iter().map(|video| video.title).collect();
                    assert_eq!(found, expected(number, descending), "{sort:?} {descending} {number:?} {from:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_gone_is_found_by_the_sweep() {
    let (mirror, folder) = mirror().await;
    mirror.put(vec![taken(1, "One"), taken(2, "Two")], 1, vec![("sweep".into(), "1".into())]).await.unwrap();
    mirror.put(vec![taken(2, "Two"), taken(3, "Three")], 2, vec![]).await.unwrap();
    let unseen = mirror.unseen(2, 9).await.unwrap();
    assert_eq!(unseen, [Guid("guid-1".into())]);
    mirror.remove(unseen).await.unwrap();
    assert_eq!(titles(&mirror, newest("", vec![])).await, ["Three", "Two"]);
    assert_eq!(mirror.count(VideoQuery::default()).await.unwrap().facets[0].count, 2);
    assert_eq!(mirror.states().await.unwrap()["sweep"], "1");
    // It is there at the next start; another table's copy is not.
    let path = folder.path().join("catalog.sqlite");
    let again = Mirror::open(&path, "table-1", "source").await.unwrap();
    assert_eq!(titles(&again, newest("two", vec![])).await, ["Two"]);
    let other = Mirror::open(&path, "table-2", "source").await.unwrap();
    assert_eq!(other.count(VideoQuery::default()).await.unwrap(), VideoCounts { found: 0, total: 0, facets: vec![] });
    assert!(!other.states().await.unwrap().contains_key("sweep"));
}

#[tokio::test]
async fn filters_without_a_bit_are_counted_too() {
    let (mirror, _folder) = mirror().await;
    let tag = |number: i64| ("tag".to_owned(), format!("{}", number % 90));
    let tagged = |number| VideoDetails { tags: [tag(number)].into(), ..VideoDetails::default() };
    let many = (0..180).map(|number| VideoSummary { details: tagged(number), ..taken(number, "Film") });
    mirror.put(many.collect(), 1, vec![]).await.unwrap();
    let chosen = Facet::Tag("tag=89".to_owned());
    let counts = mirror.count(newest("film", vec![chosen.clone()])).await.unwrap();
    // Twenty-two of the 64 bits are always taken; the chosen one comes last of 90.
    let tags = counts.facets.iter().filter(|one| matches!(one.facet, Facet::Tag(_))).count();
    assert!(tags > 64 - 22 + 1, "{tags}");
    let of = |facet: &Facet| counts.facets.iter().find(|one| one.facet == *facet).map(|one| one.count);
    assert_eq!((counts.found, of(&chosen)), (2, Some(2)));
    assert!(counts.facets.iter().all(|one| one.count == 2 || !matches!(one.facet, Facet::Tag(_))), "{counts:?}");
}

#[tokio::test]
async fn a_damaged_one_is_made_anew_at_the_next_start() {
    let (mirror, folder) = mirror().await;
    mirror.put(vec![taken(1, "One")], 1, vec![]).await.unwrap();
    let damaged: Result<()> = Err(Error::internal("database disk image is malformed"));
    mirror.unless_damaged(damaged).unwrap_err();
    drop(mirror);
    let path = folder.path().join("catalog.sqlite");
    // The process ends, which the next start follows: the last connection takes the log with it.
    while folder.path().join("catalog.sqlite-wal").exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for _ in 0..2 {
        let anew = Mirror::open(&path, "table-1", "source").await.unwrap();
        assert_eq!(anew.count_all().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn hostile_items_are_text() {
    let (mirror, _folder) = mirror().await;
    let tags = (0..10_000).map(|number| (format!("tag{number}"), "\u{0}\"OR\"".to_owned()));
    let hostile = VideoSummary {
        details: VideoDetails {
            description: Some("x ".repeat(200_000)),
            tags: tags.collect(),
            ..VideoDetails::default()
        },
        ..taken(1, "<script>alert(1)</script>\u{202e}\u{0}'; DROP TABLE videos; --")
    };
    mirror.put(vec![hostile.clone(), taken(2, "")], 1, vec![]).await.unwrap();
    for text in ["script", "alert(1)", "drop table", "tag77"] {
        assert_eq!(titles(&mirror, newest(text, vec![])).await, std::slice::from_ref(&hostile.title), "{text}");
    }
    for text in ["\"", "* OR *", "(", "NEAR(a b)", "words:x", "-", "a\u{0}b", "'", "^x"] {
        mirror.find(newest(text, vec![]), 0, 9).await.unwrap();
        mirror.count(newest(text, vec![])).await.unwrap();
    }
}

/// What is in the trash is found there, and nowhere else.
#[tokio::test]
async fn the_trash_is_apart() {
    let (mirror, _folder) = mirror().await;
    let trashed = |number| {
        let video = taken(number, "Film");
        VideoSummary { details: VideoDetails { trashed_at: Some(1), ..VideoDetails::default() }, ..video }
    };
    mirror.put((0..9).map(|number| taken(number, "Film")).collect(), 1, vec![]).await.unwrap();
    mirror.put(vec![trashed(3), trashed(5)], 1, vec![]).await.unwrap();
    let guids = async |query: VideoQuery| {
        let found = mirror.find(query, 0, 100).await.unwrap().videos;
        found.into_iter().map(|video| video.guid.to_string()).collect::<Vec<_>>()
    };
    for sort in [VideoSort::Started, VideoSort::Title, VideoSort::Duration] {
        for text in ["", "film"] {
            let query = VideoQuery { sort, ..newest(text, vec![]) };
            assert_eq!(guids(query.clone()).await.len(), 7, "{sort:?} {text}");
            let trash = VideoQuery { facets: vec![Facet::Trashed], ..query.clone() };
            assert_eq!(guids(trash.clone()).await.len(), 2, "{sort:?} {text}");
            for (query, found) in [(query, 7), (trash, 2)] {
                let counts = mirror.count(query).await.unwrap();
                assert_eq!((counts.found, counts.total), (found, 7), "{sort:?} {text}");
                let of = |facet: &Facet| counts.facets.iter().find(|one| one.facet == *facet).map(|one| one.count);
                assert_eq!(of(&Facet::Trashed), Some(2));
            }
        }
    }
    let trash = newest("", vec![Facet::Trashed]);
    assert_eq!(guids(trash.clone()).await, ["guid-5", "guid-3"], "the newest first");
    let began = |number: i64| Some((1_000_000_000 + number * 60) * 1000);
    assert_eq!(guids(VideoQuery { from: began(4), ..trash.clone() }).await, ["guid-5"]);
    assert_eq!(guids(VideoQuery { until: began(4), ..trash }).await, ["guid-3"]);
    // Back again.
    mirror.put(vec![taken(3, "Film")], 1, vec![]).await.unwrap();
    assert_eq!(guids(newest("", vec![])).await[4], "guid-3");
}

/// Many that are found are sorted on their way through an index: as few of them would be.
#[tokio::test]
async fn many_are_sorted_as_few() {
    let (mirror, _folder) = mirror().await;
    let lasts = |number: i64| [Some(30.0), Some(59.0), Some(60.0), Some(-1.0), None][(number % 5) as usize];
    let videos = (0..7_000).map(|number| {
        let of_all =
            VideoSummary { duration: lasts(number), ..taken(number, &format!("Film {:04}", number * 37 % 7_000)) };
        VideoSummary { has_captions: number % 3 > 0, ..of_all }
    });
    mirror.put(videos.collect(), 1, vec![]).await.unwrap();
    for sort in [VideoSort::Title, VideoSort::Duration] {
        for descending in [false, true] {
            for facets in [vec![Facet::Captions], vec![Facet::Length(Length::UnderAMinute)]] {
                let query = VideoQuery { sort, descending, facets, ..VideoQuery::default() };
                let many = mirror.find(query, 0, 7_000).await.unwrap().videos;
                assert!(many.len() > 4_000, "{}", many.len());
                let ordered = |pair: &[VideoSummary]| {
                    let [one, next] = pair else { return true };
                    let (one, next) = if descending { (next, one) } else { (one, next) };
                    match sort {
                        VideoSort::Title => one.title <= next.title,
                        // What has none is last, either way.
                        _ => match (one.duration, next.duration) {
                            (Some(one), Some(next)) => one <= next,
                            (None, Some(_)) => descending,
                            (Some(_), None) => !descending,
                            (None, None) => true,
                        },
                    }
                };
                assert!(many.windows(2).all(ordered), "{sort:?} {descending}");
            }
        }
    }
}

/// However many tags there are, the trash is counted.
#[tokio::test]
async fn the_trash_is_counted_beside_many_tags() {
    let (mirror, _folder) = mirror().await;
    let details = |number: i64| VideoDetails {
        tags: [("tag".to_owned(), format!("{}", number / 2))].into(),
        trashed_at: (number == 3).then_some(1),
        ..VideoDetails::default()
    };
    let many = (0..600).map(|number| VideoSummary { details: details(number), ..taken(number, "Film") });
    mirror.put(many.collect(), 1, vec![]).await.unwrap();
    let counts = mirror.count(VideoQuery::default()).await.unwrap();
    assert_eq!((counts.found, counts.total), (599, 599));
    assert!(counts.facets.contains(&FacetCount { facet: Facet::Trashed, count: 1 }), "{:?}", counts.facets.len());
}

/// What was changed from here is not what a read that is late says; what others do after it counts.
#[tokio::test]
async fn a_late_read_takes_nothing_back() {
    let (mirror, _folder) = mirror().await;
    let at = |revision: i64, title: &str| VideoSummary { revision, ..taken(1, title) };
    mirror.put(vec![at(0, "Before")], 1, vec![]).await.unwrap();
    mirror.put_now(vec![at(1, "Changed")], 1).await.unwrap();
    mirror.put(vec![at(0, "Before")], 1, vec![]).await.unwrap();
    assert_eq!(titles(&mirror, newest("", vec![])).await, ["Changed"]);
    mirror.put(vec![at(2, "By others")], 1, vec![]).await.unwrap();
    assert_eq!(titles(&mirror, newest("", vec![])).await, ["By others"]);
}

/// Where nothing is found, what is one mistake away is.
#[tokio::test]
async fn the_nearest_titles() {
    let (mirror, _folder) = mirror().await;
    let films = ["Nosferatu", "Metropolis", "The Night Train", "Поезд", "東京物語", "S01E02 Pilot"];
    let videos = (0..).zip(films).map(|(number, title)| taken(number, title));
    mirror.put(videos.collect(), 1, vec![]).await.unwrap();
    let nearest = async |text: &str| {
        let found = mirror.nearest(newest(text, vec![]), 5).await.unwrap();
        found.into_iter().map(|video| video.title).collect::<Vec<_>>()
    };
    for (typed, title) in [
        ("nosfreatu", "Nosferatu"),
        ("nosferatX", "Nosferatu"),
        ("mtropolis", "Metropolis"),
        ("metrropolis", "Metropolis"),
        ("nihgt train", "The Night Train"),
        ("nigt trian", "The Night Train"),
        ("паезд", "Поезд"),
        ("s01e02 pilat", "S01E02 Pilot"),
    ] {
        assert_eq!(nearest(typed).await, [title], "{typed}");
    }
    for typed in ["", "qqqqqq", "xy", "night qqqqqq", "京都", "\" OR *"] {
        assert_eq!(nearest(typed).await, [""; 0], "{typed}");
    }
    let failed = newest("nosfreatu", vec![Facet::Status(StatusKind::Error)]);
    assert_eq!(mirror.nearest(failed, 5).await.unwrap().len(), 0, "the filters hold");
}

/// Titles that begin like what was typed come first; all that is found is there once, page by page.
#[tokio::test]
async fn the_best_match_comes_first() {
    let (mirror, _folder) = mirror().await;
    let mut videos: Vec<_> = (0..300).map(|number| taken(number, &format!("A long night {number}"))).collect();
    videos.push(taken(5, "Night Train"));
    videos.last_mut().unwrap().guid = Guid("train".into());
    videos.push(taken(2, "Ñight"));
    videos.last_mut().unwrap().guid = Guid("exact".into());
    mirror.put(videos, 1, vec![]).await.unwrap();
    let query = VideoQuery { sort: VideoSort::Match, ..newest("night", vec![]) };
    let mut seen = Vec::new();
    for first in (0..400).step_by(7) {
        let page = mirror.find(query.clone(), first, 7).await.unwrap().videos;
        seen.extend(page.into_iter().map(|video| video.guid.to_string()));
    }
    assert_eq!(seen[..3], ["exact", "train", "guid-299"]);
    let all: BTreeSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), all.len()), (302, 302));
    // Without words it is the order of the starts.
    let query = VideoQuery { text: String::new(), ..query };
    assert_eq!(mirror.find(query, 0, 1).await.unwrap().videos[0].guid.as_str(), "guid-299");
}

/// What someone has to look at is one filter, whatever it is.
#[tokio::test]
async fn what_needs_attention() {
    let (mirror, _folder) = mirror().await;
    let of = |number: i64, status: Status| VideoSummary { status, ..taken(number, "x") };
    let failed = Status::Error { at: "a".into(), message: "b".into() };
    let videos = vec![
        of(1, Status::Complete),
        of(2, failed),
        VideoSummary { is_stuck: true, ..of(3, Status::Encoding) },
        VideoSummary { is_shorter: true, ..of(4, Status::Complete) },
        // It was found out after it was read.
        VideoSummary { is_stuck: true, ..of(5, Status::Canceled) },
        of(6, Status::Ingest),
    ];
    mirror.put(videos, 1, vec![]).await.unwrap();
    let guids = async |facet: Facet| {
        let found = mirror.find(newest("", vec![facet]), 0, 9).await.unwrap().videos;
        found.into_iter().map(|video| video.guid.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(guids(Facet::Attention).await, ["guid-5", "guid-4", "guid-3", "guid-2"]);
    assert_eq!(guids(Facet::Stuck).await, ["guid-3"]);
}
