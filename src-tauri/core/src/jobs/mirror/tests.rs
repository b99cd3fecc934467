use proptest::prelude::*;

use super::*;

fn job(number: i64, state: State) -> Job {
    Job {
        id: format!("{}-{number:06x}", 1_700_000_000_000 + number),
        state,
        phase: None,
        percent: None,
        guid: None,
        input: Some(format!("s3://source/masters/Film_{number:03}.mov")),
        template: Some("vod_1080p".to_owned()),
        queue: Some(if number % 2 == 0 { "Default" } else { "Night shift" }.to_owned()),
        submitted_at: Some(1_700_000_000_000 + number / 40 * 1000),
        started_at: None,
        finished_at: None,
        duration: None,
        priority: Some(0),
        error_code: (state == State::Error).then_some(1010),
        error_message: (state == State::Error).then(|| "Unable to open input file".to_owned()),
        failure: None,
        warnings: Vec::new(),
    }
}

async fn mirror() -> (JobMirror, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (JobMirror::open(&folder.path().join("jobs.sqlite"), "account").await.unwrap(), folder)
}

async fn ids(mirror: &JobMirror, query: JobQuery) -> Vec<String> {
    mirror.find(query, 0, 1000).await.unwrap().jobs.into_iter().map(|job| job.id).collect()
}

#[tokio::test]
async fn the_newest_come_first_and_are_found() {
    let (mirror, _folder) = mirror().await;
    let all: Vec<_> = (0..200).map(|number| job(number, STATES[(number % 5) as usize])).collect();
    assert_eq!(mirror.put(all.clone(), 1).await.unwrap(), 200);
    // 40 were submitted at the same time: each has its place.
    let found = mirror.find(JobQuery::default(), 0, 1000).await.unwrap().jobs;
    assert_eq!(found.len(), 200);
    assert!(found.is_sorted_by(|one, next| one.submitted_at >= next.submitted_at));
    assert_eq!(mirror.find(JobQuery::default(), 150, 20).await.unwrap().jobs, found[150..170]);
    let of = |text: &str| JobQuery { text: text.to_owned(), ..JobQuery::default() };
    assert_eq!(ids(&mirror, of("film 017")).await, [all[17].id.clone()]);
    assert_eq!(ids(&mirror, of(&all[17].id)).await, [all[17].id.clone()]);
    assert_eq!(ids(&mirror, of("unable open 1010 night")).await.len(), 20);
    assert_eq!(ids(&mirror, of("nothing")).await.len(), 0);
    let failed = JobQuery { states: vec![State::Error, State::Canceled], ..JobQuery::default() };
    assert_eq!(ids(&mirror, failed.clone()).await.len(), 80);
    let night = JobQuery { queue: Some("Night shift".into()), ..failed };
    let counts = mirror.count(night.clone()).await.unwrap();
    assert_eq!((counts.found, counts.total, ids(&mirror, night).await.len()), (40, 200, 40));
    assert_eq!(counts.states.iter().map(|state| state.count).collect::<Vec<_>>(), [20; 5]);
    assert_eq!(counts.queues, ["Default", "Night shift"]);
    let times = JobQuery { from: Some(1_700_000_001_000), until: Some(1_700_000_003_000), ..JobQuery::default() };
    // Each time has 40 of them, all or none.
    let mut of_times = ids(&mirror, times).await;
    of_times.sort_unstable();
    let mut wanted: Vec<_> = all[40..120].iter().map(|job| job.id.clone()).collect();
    wanted.sort_unstable();
    assert_eq!(of_times, wanted);
}

#[tokio::test]
async fn a_copy_of_another_account_is_made_anew() {
    let (mirror, folder) = mirror().await;
    mirror.put(vec![job(1, State::Complete)], 1).await.unwrap();
    let other = JobMirror::open(&folder.path().join("jobs.sqlite"), "another").await.unwrap();
    assert_eq!(other.count(JobQuery::default()).await.unwrap().total, 0);
    assert!(ids(&other, JobQuery { text: "film".into(), ..JobQuery::default() }).await.is_empty());
}

#[tokio::test]
async fn hostile_words_are_words() {
    let (mirror, _folder) = mirror().await;
    let input = Some("s3://b/<b>\u{202e}\" OR * ' \u{0}.mov".to_owned());
    mirror.put(vec![Job { input, ..job(1, State::Error) }], 1).await.unwrap();
    for text in ["\" OR *", "<b>", "' --", "NEAR("] {
        let query = JobQuery { text: text.into(), queue: Some("\"'".into()), ..JobQuery::default() };
        assert!(ids(&mirror, query).await.is_empty());
    }
    assert_eq!(ids(&mirror, JobQuery { text: "\" OR".into(), ..JobQuery::default() }).await.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is shuffled, told twice or lost, a state never goes back, and a look at the end ends in the truth.
    #[test]
    fn any_order_ends_in_the_truth(
        ends in prop::collection::vec(0_usize..5, 1..20),
        told in prop::collection::vec((0_usize..20, 0_usize..3), 0..80),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mirror, _folder) = mirror().await;
            let mut furthest = vec![0; ends.len()];
            for (number, step) in told {
                let Some(end) = ends.get(number) else { continue };
                let state = [0, 1, *end][step].min(*end);
                mirror.put(vec![job(number as i64, STATES[state])], 1).await.unwrap();
                furthest[number] = state.max(furthest[number]);
                let known = mirror.job(&job(number as i64, State::Error).id).await.unwrap().unwrap();
                assert_eq!(number_of(known.state), furthest[number]);
            }
            let truth: Vec<_> = (0..).zip(&ends).map(|(number, end)| job(number, STATES[*end])).collect();
            mirror.put(truth.clone(), 2).await.unwrap();
            let counts = mirror.count(JobQuery::default()).await.unwrap();
            for (index, count) in counts.states.iter().enumerate() {
                assert_eq!(count.count, ends.iter().filter(|end| **end == index).count());
            }
        });
    }
}
