//! The copy of the jobs: it ends in the truth, within so many calls.

use std::collections::BTreeMap;
use std::time::Duration;

use reeldesk_core::encode::{Job, Jobs, State};
use reeldesk_core::jobs::{JobQuery, JobsSync};
use reeldesk_core::workspace::Workspace;
use reeldesk_sandbox::{DESTINATION_BUCKET, SOURCE_BUCKET};
use reeldesk_tests::jobs::{client, mp4, submit};
use reeldesk_tests::{Server, film};
use serde_json::json;

struct Fixture {
    server: Server,
    jobs: Jobs,
    sync: JobsSync,
    copies: tempfile::TempDir,
}

/// A copy of the jobs of a sandbox, which is asked as seldom as AWS (`environment`), or as often as a sandbox (`sandbox`).
async fn fixture(credentials: &str) -> Fixture {
    let server = Server::with(&["--control"]);
    let put = server.client().put_object().bucket(SOURCE_BUCKET).key("text.bin");
    put.body(b"no film".to_vec().into()).send().await.unwrap();
    let jobs = Jobs::new(client(&server.endpoint));
    let copies = tempfile::tempdir().unwrap();
    let sync = JobsSync::new(jobs.clone(), &workspace(&server, credentials), copies.path());
    Fixture { server, jobs, sync, copies }
}

fn workspace(server: &Server, credentials: &str) -> Workspace {
    let workspace = json!({
        "name": "jobs", "region": "us-east-1", "endpoint": server.endpoint, "sourceBucket": SOURCE_BUCKET,
        "destinationBucket": DESTINATION_BUCKET, "table": "vod", "cdn": "http://127.0.0.1:9", "credentials": { "kind": credentials },
        "mode": { "kind": "pipeline" },
    });
    serde_json::from_value(workspace).unwrap()
}

impl Fixture {
    async fn submit(&self, key: &str, count: usize) {
        let client = client(&self.server.endpoint);
        for _ in 0..count {
            submit(&client, SOURCE_BUCKET, key, mp4(DESTINATION_BUCKET, true), None).await.unwrap();
        }
    }

    async fn wait_for_ends(&self) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(120);
        while self.truth().await.values().any(|state| matches!(state, State::Submitted | State::Progressing)) {
            assert!(tokio::time::Instant::now() < deadline, "the jobs do not end");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// What MediaConvert has.
    async fn truth(&self) -> BTreeMap<String, State> {
        let (mut all, mut next) = (BTreeMap::new(), None);
        loop {
            let page = self.jobs.page(None, next).await.unwrap();
            all.extend(page.jobs.into_iter().map(|job| (job.id, job.state)));
            next = page.next;
            if next.is_none() {
                return all;
            }
        }
    }

    async fn known(&self) -> Vec<Job> {
        self.sync.mirror().await.unwrap().find(JobQuery::default(), 0, 10_000).await.unwrap().jobs
    }

    async fn states(&self) -> BTreeMap<String, State> {
        self.known().await.into_iter().map(|job| (job.id, job.state)).collect()
    }

    /// Looks until nothing is open any more, and all of the past is known.
    async fn settle(&self) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(120);
        loop {
            let seen = self.sync.look().await.unwrap();
            let is_whole = self.sync.mirror().await.unwrap().is_whole().await.unwrap();
            if is_whole && seen.is_some_and(|seen| !seen.has_open) {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "{:?}", self.states().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// More jobs than a page are open at once, and end one after another, far behind the newest.
#[tokio::test(flavor = "multi_thread")]
async fn the_copy_ends_in_the_truth() {
    let fixture = fixture("sandbox").await;
    fixture.submit("text.bin", 45).await;
    fixture.sync.look().await.unwrap();
    fixture.settle().await;
    let truth = fixture.truth().await;
    assert_eq!((truth.len(), fixture.states().await), (45, truth));
    // The newest first.
    let times: Vec<_> = fixture.known().await.iter().map(|job| job.submitted_at).collect();
    assert!(times.is_sorted_by(|one, next| one >= next));
    // What comes and ends while nobody looks is found, too: more than a look reads of it.
    fixture.submit("gone.bin", 125).await;
    fixture.wait_for_ends().await;
    fixture.settle().await;
    let truth = fixture.truth().await;
    assert_eq!((truth.len(), fixture.states().await), (170, truth));
    let query = JobQuery { text: "gone 1404".into(), states: vec![State::Error], ..JobQuery::default() };
    let mirror = fixture.sync.mirror().await.unwrap();
    assert_eq!(mirror.find(query.clone(), 0, 1000).await.unwrap().jobs.len(), 125);
    let counts = mirror.count(query).await.unwrap();
    assert_eq!((counts.found, counts.total, counts.is_whole), (125, 170, true));
    // Who has read all of them does not read the past again.
    let all =
        JobsSync::new(fixture.jobs.clone(), &workspace(&fixture.server, "sandbox"), &fixture.copies.path().join("all"));
    std::fs::create_dir(fixture.copies.path().join("all")).unwrap();
    all.read_all(|_| {}).await.unwrap();
    all.look().await.unwrap();
    assert!(all.mirror().await.unwrap().is_whole().await.unwrap());
    // Another start knows all of it without a call.
    let calls = fixture.jobs.calls_last_hour();
    let again = JobsSync::new(fixture.jobs.clone(), &workspace(&fixture.server, "sandbox"), fixture.copies.path());
    assert_eq!(again.mirror().await.unwrap().count(JobQuery::default()).await.unwrap().total, 170);
    assert_eq!(fixture.jobs.calls_last_hour(), calls);
}

/// However often it looks, MediaConvert is not asked more often than that.
#[tokio::test(flavor = "multi_thread")]
async fn calls_are_bounded() {
    let fixture = fixture("environment").await;
    fixture.submit("text.bin", 45).await;
    let mut refused = 0;
    for _ in 0..200 {
        refused += usize::from(fixture.sync.look().await.unwrap().is_none());
    }
    // 20 may be saved up; and 1,200 an hour are one in three seconds.
    let calls = fixture.jobs.calls_last_hour();
    assert!((15..30).contains(&calls) && refused > 150, "{calls} calls, {refused} refused");
}

/// Who may list jobs and not read one: all ends in the truth, by the lists alone.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_to_read_one() {
    let fixture = fixture("sandbox").await;
    let refusal = json!({ "on": "GetJob", "kind": "refuse", "status": 403, "code": "AccessDeniedException" });
    fixture.server.order(json!([refusal])).await;
    fixture.submit("text.bin", 45).await;
    fixture.sync.look().await.unwrap();
    fixture.settle().await;
    let truth = fixture.truth().await;
    assert_eq!((truth.len(), fixture.states().await), (45, truth));
}

#[test]
fn on_the_command_line() {
    let server = Server::start();
    let ingested = server.data.run(&["ingest", film().to_str().unwrap(), "--wait"]).unwrap();
    assert!(ingested.0, "{ingested:?}");
    let jobs = |more: &[&str]| server.data.run(&[&["jobs"], more].concat()).unwrap();
    let (_, all) = jobs(&["list"]);
    assert_eq!((all.len(), &all[0]["state"], &all[0]["failure"]), (1, &json!("complete"), &json!(null)));
    let id = all[0]["id"].as_str().unwrap();
    let is_found = |more: &[&str]| jobs(&[&["list", "--offline"], more].concat()).1.len();
    assert_eq!(is_found(&[&id[..8]]), 1);
    assert_eq!((is_found(&["--state", "complete,error"]), is_found(&["--state", "error"])), (1, 0));
    assert_eq!((is_found(&["--queue", "Default"]), is_found(&["--queue", "Other"])), (1, 0));
    assert_eq!(is_found(&["nothing", "like", "this"]), 0);
    let (is_well, lines) = jobs(&["cancel", id]);
    assert!(!is_well && lines[0]["state"] == "failed", "{lines:?}");
    let (is_well, lines) = jobs(&["list", "--state", "done"]);
    assert!(!is_well, "{lines:?}");
    assert_eq!(jobs(&["sync"]).1[0], json!({ "state": "read", "jobs": 1 }));
}
