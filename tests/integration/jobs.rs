//! The copy of the jobs: it ends in the truth, within so many calls.

use std::collections::BTreeMap;
use std::time::Duration;

use reeldesk_core::connection::credentials::CredentialsSource;
use reeldesk_core::encode::{Job, Jobs, State};
use reeldesk_core::jobs::{JobQuery, JobsSync};
use reeldesk_core::workspace::{SandboxEndpoints, Workspace};
use reeldesk_tests::jobs::{client, mp4, submit};
use reeldesk_tests::{Server, film};
use serde_json::json;

use crate::server::OwnSandbox;

struct Fixture {
    own: OwnSandbox,
    jobs: Jobs,
    sync: JobsSync,
    copies: tempfile::TempDir,
}

/// A copy of the jobs of a sandbox, which is asked as seldom as AWS, or as often as a sandbox.
async fn fixture(is_aws: bool) -> Fixture {
    let own = OwnSandbox::start().await;
    let put = own.s3().put_object().bucket(&own.endpoints.source_bucket).key("text.bin");
    put.body(b"no film".to_vec().into()).send().await.unwrap();
    let jobs = Jobs::new(client(&own.endpoints.api));
    let copies = tempfile::tempdir().unwrap();
    let sync = JobsSync::new(jobs.clone(), &workspace(&own, is_aws).await, copies.path());
    Fixture { own, jobs, sync, copies }
}

async fn workspace(own: &OwnSandbox, is_aws: bool) -> Workspace {
    let endpoints = SandboxEndpoints {
        api: own.endpoints.api.clone(),
        site: own.endpoints.site.clone(),
        region: own.endpoints.region.clone(),
        stack: own.endpoints.stack.clone(),
        app_client: own.endpoints.app_client.clone(),
        mapping: None,
    };
    let mut workspace = Workspace::of_sandbox(&endpoints).await.unwrap();
    if is_aws {
        workspace.connection.credentials = CredentialsSource::Environment;
    }
    workspace
}

impl Fixture {
    async fn submit(&self, key: &str, count: usize) {
        let client = client(&self.own.endpoints.api);
        for _ in 0..count {
            let group = mp4(&self.own.endpoints.destination_bucket, true);
            submit(&client, &self.own.endpoints.source_bucket, key, group, None).await.unwrap();
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
    let fixture = fixture(false).await;
    fixture.submit("text.bin", 45).await;
    fixture.sync.look().await.unwrap();
    fixture.settle().await;
    let truth = fixture.truth().await;
    assert_eq!((truth.len(), fixture.states().await), (45, truth));
    // The newest first.
    let times: Vec<_> = fixture.known().await.iter().map(|job| job.submitted_at).collect();
    assert!(times.is_sorted_by(|one, next| one >= next));
    // What comes while nobody looks is found, too: more than a page of it.
    fixture.submit("gone.bin", 25).await;
    fixture.settle().await;
    let truth = fixture.truth().await;
    assert_eq!((truth.len(), fixture.states().await), (70, truth));
    let query = JobQuery { text: "gone 1404".into(), states: vec![State::Error], ..JobQuery::default() };
    let mirror = fixture.sync.mirror().await.unwrap();
    assert_eq!(mirror.find(query.clone(), 0, 100).await.unwrap().jobs.len(), 25);
    let counts = mirror.count(query).await.unwrap();
    assert_eq!((counts.found, counts.total, counts.is_whole), (25, 70, true));
    // Another start knows all of it without a call.
    let calls = fixture.jobs.calls_last_hour();
    let again = JobsSync::new(fixture.jobs.clone(), &workspace(&fixture.own, false).await, fixture.copies.path());
    assert_eq!(again.mirror().await.unwrap().count(JobQuery::default()).await.unwrap().total, 70);
    assert_eq!(fixture.jobs.calls_last_hour(), calls);
    fixture.own.sandbox.stop().await;
}

/// However often it looks, MediaConvert is not asked more often than that.
#[tokio::test(flavor = "multi_thread")]
async fn calls_are_bounded() {
    let fixture = fixture(true).await;
    fixture.submit("text.bin", 45).await;
    let mut refused = 0;
    for _ in 0..200 {
        refused += usize::from(fixture.sync.look().await.unwrap().is_none());
    }
    // 20 may be saved up; and 1,200 an hour are one in three seconds.
    let calls = fixture.jobs.calls_last_hour();
    assert!((15..30).contains(&calls) && refused > 150, "{calls} calls, {refused} refused");
    fixture.own.sandbox.stop().await;
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
