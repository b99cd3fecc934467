//! S3 Transfer Acceleration: the bytes of uploads go through its endpoint, and what is asked does not.

use std::time::Duration;

use aws_sdk_s3::types::BucketAccelerateStatus;
use reeldesk_tests::{Far, film};
use serde_json::Value;

fn run(far: &Far, arguments: &[&str]) -> (bool, Vec<Value>) {
    far.reelctl.run(&[&["--workspace", "far"], arguments].concat()).unwrap()
}

/// What the check says of it, if it does.
fn told_of_it(far: &Far) -> Option<Value> {
    let (_, lines) = run(far, &["workspace", "check"]);
    lines.into_iter().find(|line| line["title"] == "Transfer Acceleration")
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_go_through_it_and_the_bucket_must_have_it() {
    let far = Far::start(|_| Duration::ZERO).await.unwrap();
    far.set(BucketAccelerateStatus::Enabled).await.unwrap();
    assert_eq!(told_of_it(&far).unwrap()["outcome"], "works");
    let size = std::fs::metadata(film()).unwrap().len();
    assert_eq!(far.left().await.unwrap(), (0, 0), "the check leaves nothing");
    let before = far.names.sent_to(Far::STRAIGHT);
    let (well, lines) = run(&far, &["ingest", film().to_str().unwrap()]);
    assert!(well, "{lines:#?}");
    assert_eq!(far.left().await.unwrap(), (1, 0));
    assert!(far.names.sent_to(Far::ACCELERATED) >= size, "{}", far.names.sent_to(Far::ACCELERATED));
    assert!(far.names.sent_to(Far::STRAIGHT) - before < 100_000);

    // One that lost it is told, with what to do; the workspace that does not use it is told of one that has it.
    far.set(BucketAccelerateStatus::Suspended).await.unwrap();
    let finding = told_of_it(&far).unwrap();
    assert_eq!(finding["outcome"], "wrong");
    assert!(finding["error"]["remedy"].as_str().unwrap().contains("Turn it off"), "{finding:#}");
    let (well, lines) = run(&far, &["workspace", "compare"]);
    assert!(!well && lines[0]["message"].as_str().unwrap().contains("does not have"), "{lines:#?}");
    let settings = far.reelctl.data.path().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("transferAcceleration = true", "transferAcceleration = false")).unwrap();
    assert_eq!(told_of_it(&far), None);
    far.set(BucketAccelerateStatus::Enabled).await.unwrap();
    let finding = told_of_it(&far).unwrap();
    assert_eq!(finding["outcome"], "advice");
    assert!(finding["remedy"].as_str().unwrap().contains("Compare"), "{finding:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_faster_way_is_told_and_nothing_stays() {
    for slow in [Far::STRAIGHT, Far::ACCELERATED] {
        // Each request of the slow way waits: seconds more in all than any other load on this computer makes of the other.
        let is_slow = move |host: &str| Duration::from_millis(if host == slow { 1500 } else { 0 });
        let far = Far::start(is_slow).await.unwrap();
        far.set(BucketAccelerateStatus::Enabled).await.unwrap();
        let (well, lines) = run(&far, &["workspace", "compare"]);
        assert!(well, "{lines:#?}");
        let speed = |way: &str| lines[0][way].as_f64().unwrap();
        assert_eq!(speed("straight") < speed("accelerated"), slow == Far::STRAIGHT, "{lines:#?}");
        for host in [Far::STRAIGHT, Far::ACCELERATED] {
            assert!(far.names.sent_to(host) >= 64 * 1024 * 1024, "{host}: {}", far.names.sent_to(host));
        }
        assert_eq!(far.left().await.unwrap(), (0, 0));
    }
}
