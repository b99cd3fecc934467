//! Deleting for good: exactly what was listed and ticked goes, the item last, and nothing of another video. Against the sandbox, and
//! a bucket with versions that is not ours.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_sdk_cloudfront::types::{
    DefaultCacheBehavior, Distribution, DistributionConfig, InvalidationBatch, Origin, Origins, Paths, S3OriginConfig,
    ViewerProtocolPolicy,
};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use reeldesk_tests::catalog::{item_in, write};
use reeldesk_tests::{Emulator, Ended, Guard, Reelctl, Server};
use serde_json::Value;

use crate::ministack::{dynamodb, make_table};

const TABLE: &str = reeldesk_sandbox::TABLE;
const SOURCE: &str = reeldesk_sandbox::SOURCE_BUCKET;
const DESTINATION: &str = reeldesk_sandbox::DESTINATION_BUCKET;

/// A video with its source, subtitles, and outputs.
struct Made {
    guid: String,
    keys: Vec<(String, String)>,
}

/// Where videos are made.
struct At<'a> {
    s3: &'a aws_sdk_s3::Client,
    dynamodb: &'a aws_sdk_dynamodb::Client,
    table: &'a str,
    source: &'a str,
    destination: &'a str,
}

impl At<'_> {
    async fn put(&self, bucket: &str, key: &str) {
        let body = ByteStream::from_static(b"0123456789");
        self.s3.put_object().bucket(bucket).key(key).body(body).send().await.unwrap();
    }

    async fn make(&self, number: u64) -> Made {
        let mut item = item_in(self.source, number);
        let guid = item["guid"].as_s().unwrap().clone();
        let text = |text: String| AttributeValue::S(text);
        let source = item["srcVideo"].as_s().unwrap().clone();
        let subtitles = format!("{guid}/film.en.srt");
        item.insert("destBucket".into(), text(self.destination.into()));
        let own = HashMap::from([("sidecars".to_owned(), AttributeValue::L(vec![text(subtitles.clone())]))]);
        item.insert("reeldesk".into(), AttributeValue::M(own));
        write(self.dynamodb, self.table, [item].into_iter()).await;
        let mut keys = vec![(self.source.to_owned(), source), (self.source.to_owned(), subtitles)];
        for name in ["hls/movie.m3u8", "hls/movie_1.ts", "thumbnails/movie.0000000.jpg"] {
            keys.push((self.destination.to_owned(), format!("{guid}/{name}")));
        }
        for (bucket, key) in &keys {
            self.put(bucket, key).await;
        }
        Made { guid, keys }
    }

    async fn is_there(&self, (bucket, key): &(String, String)) -> bool {
        self.s3.head_object().bucket(bucket).key(key).send().await.is_ok()
    }

    async fn has_all(&self, made: &Made) -> bool {
        for place in &made.keys {
            if !self.is_there(place).await {
                return false;
            }
        }
        true
    }

    async fn item(&self, guid: &str) -> Option<HashMap<String, AttributeValue>> {
        let key = AttributeValue::S(guid.to_owned());
        let get = self.dynamodb.get_item().table_name(self.table).key("guid", key).consistent_read(true);
        get.send().await.unwrap().item
    }
}

struct In<'a>(&'a Reelctl, &'a str);

impl In<'_> {
    fn run(&self, arguments: &[&str]) -> (bool, Vec<Value>) {
        self.0.run(&[&["--workspace", self.1, "videos"], arguments].concat()).unwrap()
    }

    fn well(&self, arguments: &[&str]) -> Vec<Value> {
        let (well, lines) = self.run(arguments);
        assert!(well, "{arguments:?}: {lines:?}");
        lines
    }
}

fn in_sandbox<'a>(s3: &'a aws_sdk_s3::Client, dynamodb: &'a aws_sdk_dynamodb::Client) -> At<'a> {
    At { s3, dynamodb, table: TABLE, source: SOURCE, destination: DESTINATION }
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_what_is_listed_goes() {
    let server = Server::start();
    let (s3, dynamodb) = (server.client(), server.dynamodb());
    let at = in_sandbox(&s3, &dynamodb);
    let (gone, kept, stays) = (at.make(1).await, at.make(2).await, at.make(3).await);
    // Names that only look as if they were below the video's folder.
    let near = format!("{}-2/hls/movie.m3u8", gone.guid);
    at.put(DESTINATION, &near).await;
    at.put(DESTINATION, &format!("x/{}/movie.m3u8", gone.guid)).await;
    let reelctl = In(&server.data, "sandbox");
    reelctl.well(&["sync"]);
    let purge = ["purge", gone.guid.as_str(), "--yes"];
    let (well, lines) = reelctl.run(&purge);
    assert!(!well && lines[0].to_string().contains("is not in the trash"), "{lines:?}");
    assert!(at.has_all(&gone).await, "nothing goes that is not in the trash");
    reelctl.well(&["trash", &gone.guid, &kept.guid]);
    assert!(at.has_all(&gone).await, "the trash deletes nothing");
    let (well, lines) = reelctl.run(&["purge", &gone.guid]);
    assert!(!well && at.has_all(&gone).await, "without a word nothing goes");
    let parts = lines[0]["parts"].as_array().unwrap();
    let counted = |kind: &str| {
        let of_kind = parts.iter().filter(|part| part["kind"] == kind);
        of_kind.map(|part| (part["objects"].as_u64().unwrap(), part["bytes"].as_u64().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!((counted("outputs"), counted("thumbnails")), (vec![(2, 20)], vec![(1, 10)]));
    assert_eq!((counted("source"), counted("sidecars")), (vec![(1, 10)], vec![(1, 10)]));
    reelctl.well(&purge);
    for place in &gone.keys {
        assert!(!at.is_there(place).await, "{place:?}");
    }
    assert!(at.item(&gone.guid).await.is_none());
    assert!(at.is_there(&(DESTINATION.into(), near)).await);
    assert!(at.is_there(&(DESTINATION.into(), format!("x/{}/movie.m3u8", gone.guid))).await);
    assert!(at.has_all(&kept).await && at.has_all(&stays).await);
    // A tick that is not set keeps its part.
    reelctl.well(&["purge", &kept.guid, "--keep", "source,sidecars", "--yes"]);
    assert!(at.is_there(&kept.keys[0]).await && at.is_there(&kept.keys[1]).await);
    assert!(!at.is_there(&kept.keys[2]).await && at.item(&kept.guid).await.is_none());
    // It stays in what is told of changes, and is found no longer.
    let changes = reelctl.well(&["changes"]);
    let purged = &changes[1]["purged"];
    assert_eq!((purged["objects"].as_u64(), purged["bytes"].as_u64()), (Some(5), Some(50)), "{changes:?}");
    assert_eq!(changes[1]["canBeUndone"], false);
    assert_eq!(reelctl.well(&["search", "is:trash"]).len(), 0);
}

/// What another video uses too stays.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_shared_stays() {
    let server = Server::start();
    let (s3, dynamodb) = (server.client(), server.dynamodb());
    let at = in_sandbox(&s3, &dynamodb);
    let made = at.make(1).await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    // Another video plays what is in the folder of this one.
    let lent = at.make(2).await;
    let playing = AttributeValue::L(vec![text(&format!("https://cdn.example.com/{}/mp4/film.mp4", lent.guid))]);
    let playing = [("guid", text("playing-0001")), ("mp4Urls", playing)];
    let playing = playing.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    write(&dynamodb, TABLE, std::iter::once(playing)).await;
    // Another video of the same source, one below its folder, one whose key is the bucket's root.
    let twin = [("guid", "twin-0001"), ("srcBucket", SOURCE), ("srcVideo", made.keys[0].1.as_str())];
    let below = format!("{}/cut", made.guid);
    for attributes in [&twin[..], &[("guid", below.as_str())], &[("guid", "/")], &[("guid", "hls")]] {
        let item = attributes.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect();
        write(&dynamodb, TABLE, std::iter::once(item)).await;
    }
    at.put(DESTINATION, "hls/movie.m3u8").await;
    let reelctl = In(&server.data, "sandbox");
    reelctl.well(&["sync"]);
    reelctl.well(&["trash", &lent.guid]);
    reelctl.well(&["purge", &lent.guid, "--keep", "source", "--yes"]);
    assert!(at.is_there(&lent.keys[2]).await && at.item(&lent.guid).await.is_none());
    reelctl.well(&["trash", &made.guid, "/", "hls"]);
    let (_, lines) = reelctl.run(&["purge", &made.guid, "/", "hls"]);
    let why = |plan: usize, kind: &str| {
        let parts = lines[plan]["parts"].as_array().unwrap();
        parts.iter().find(|part| part["kind"] == kind).unwrap()["whyNot"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert!(why(0, "outputs").contains("/cut") && why(0, "source").contains("twin-0001"), "{lines:?}");
    assert!(why(1, "outputs").contains("no name of a folder") && why(2, "outputs").contains("no name of a folder"));
    reelctl.well(&["purge", &made.guid, "/", "hls", "--yes"]);
    assert!(at.has_all(&made).await);
    let cloudfront = cloudfront(&server.endpoint, reeldesk_tests::KEYS);
    assert_eq!(invalidated(&cloudfront, "E1SANDBOX").await.len(), 0, "what stays is not forgotten");
    assert!(at.is_there(&(DESTINATION.into(), "hls/movie.m3u8".into())).await);
    assert!(at.item(&made.guid).await.is_none() && at.item("/").await.is_none());
}

/// Killed in the middle it goes on where it was, and the item is there until all else is gone; nobody restores it meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_purge_goes_on() {
    let server = Server::start();
    let (s3, dynamodb) = (server.client(), server.dynamodb());
    let at = in_sandbox(&s3, &dynamodb);
    let made = at.make(1).await;
    let more = (0..2_500).map(|number| format!("{}/hls/segment_{number:05}.ts", made.guid));
    futures::StreamExt::for_each_concurrent(futures::stream::iter(more), 16, async |key| {
        at.put(DESTINATION, &key).await;
    })
    .await;
    // Each batch takes its time.
    let slow = Guard::before(&server.endpoint, |asked| {
        if asked.starts_with("s3:DeleteObject") {
            std::thread::sleep(Duration::from_millis(400));
        }
        None
    });
    let slow = slow.await.unwrap();
    let far = Server::connected(&slow.endpoint, "far");
    let reelctl = In(&far, "far");
    reelctl.well(&["sync"]);
    reelctl.well(&["trash", &made.guid]);
    let purging = Ended(far.start(&["--workspace", "far", "videos", "purge", &made.guid, "--yes"]).unwrap());
    let first = (DESTINATION.to_owned(), format!("{}/hls/movie.m3u8", made.guid));
    let end = Instant::now() + Duration::from_secs(60);
    while at.is_there(&first).await {
        assert!(Instant::now() < end);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(purging);
    let last = (DESTINATION.to_owned(), format!("{}/hls/segment_02499.ts", made.guid));
    assert!(at.is_there(&last).await, "it is killed on its way");
    assert!(at.item(&made.guid).await.is_some());
    let (well, lines) = reelctl.run(&["restore", &made.guid]);
    assert!(!well && lines[0].to_string().contains("is being deleted for good"), "{lines:?}");
    let changes = reelctl.well(&["changes"]);
    let run = changes.iter().find(|run| run["what"] == "purge").unwrap();
    assert_eq!(run["left"], 1);
    reelctl.well(&["resume", run["run"].as_str().unwrap()]);
    assert!(!at.is_there(&last).await && !at.is_there(&made.keys[0]).await && at.item(&made.guid).await.is_none());
}

fn cloudfront(endpoint: &str, keys: (&str, &str)) -> aws_sdk_cloudfront::Client {
    let config = aws_sdk_cloudfront::Config::builder()
        .behavior_version(aws_sdk_cloudfront::config::BehaviorVersion::latest())
        .region(aws_sdk_cloudfront::config::Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(aws_credential_types::Credentials::from_keys(keys.0, keys.1, None))
        .build();
    aws_sdk_cloudfront::Client::from_conf(config)
}

/// A distribution as a deployment has one.
async fn distribution(cloudfront: &aws_sdk_cloudfront::Client) -> Distribution {
    let origin = S3OriginConfig::builder().origin_access_identity("").build();
    let origin =
        Origin::builder().id("bucket").domain_name("vod-destination.s3.amazonaws.com").s3_origin_config(origin);
    let origins = Origins::builder().quantity(1).items(origin.build().unwrap()).build().unwrap();
    let behavior = DefaultCacheBehavior::builder().target_origin_id("bucket");
    let behavior = behavior.viewer_protocol_policy(ViewerProtocolPolicy::RedirectToHttps).build().unwrap();
    let config = DistributionConfig::builder().caller_reference("1").comment("").enabled(true).origins(origins);
    let config = config.default_cache_behavior(behavior).build().unwrap();
    cloudfront.create_distribution().distribution_config(config).send().await.unwrap().distribution.unwrap()
}

/// The paths that a distribution was made to forget, the newest first.
async fn invalidated(cloudfront: &aws_sdk_cloudfront::Client, distribution: &str) -> Vec<String> {
    let list = cloudfront.list_invalidations().distribution_id(distribution).send().await.unwrap();
    let mut paths = Vec::new();
    for one in list.invalidation_list.unwrap().items.unwrap_or_default() {
        let one = cloudfront.get_invalidation().distribution_id(distribution).id(one.id).send().await.unwrap();
        paths.extend(one.invalidation.unwrap().invalidation_batch.unwrap().paths.unwrap().items.unwrap_or_default());
    }
    paths
}

/// What the CDN shows of a video is forgotten where that is ticked and allowed; a busy CloudFront is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn the_cdn_forgets_what_goes() {
    let server = Server::with(&["--control"]);
    let (s3, dynamodb) = (server.client(), server.dynamodb());
    let at = in_sandbox(&s3, &dynamodb);
    let (first, kept, late) = (at.make(1).await, at.make(2).await, at.make(3).await);
    let (refused, unlisted, failing) = (at.make(4).await, at.make(5).await, at.make(6).await);
    let guids = [&first, &kept, &late, &refused, &unlisted, &failing].map(|made| made.guid.as_str());
    let reelctl = In(&server.data, "sandbox");
    reelctl.well(&["sync"]);
    reelctl.well(&[&["trash"], &guids[..]].concat());
    let cloudfront = cloudfront(&server.endpoint, reeldesk_tests::KEYS);
    let (_, lines) = reelctl.run(&["purge", &first.guid]);
    let parts = lines[0]["parts"].as_array().unwrap();
    let edge = parts.iter().find(|part| part["kind"] == "edge").unwrap();
    assert!(edge["place"].as_str().unwrap().ends_with(&format!("/{}/*", first.guid)), "{edge}");
    reelctl.well(&["purge", &first.guid, "--yes"]);
    // What is kept would be shown again at once.
    reelctl.well(&["purge", &kept.guid, "--keep", "outputs,thumbnails,item", "--yes"]);
    reelctl.well(&["purge", &kept.guid, "--keep", "edge", "--yes"]);
    assert_eq!(invalidated(&cloudfront, "E1SANDBOX").await, [format!("/{}/*", first.guid)]);

    // Without the right, or where CloudFront fails, all else goes, and it is told.
    for (made, action, code) in [
        (&refused, "cloudfront:CreateInvalidation", "AccessDenied"),
        (&unlisted, "cloudfront:ListDistributions", "AccessDenied"),
        (&failing, "cloudfront:CreateInvalidation", "InternalFailure"),
    ] {
        let guard = Guard::before(&server.endpoint, move |asked| (asked == action).then_some(code)).await.unwrap();
        let far = Server::connected(&guard.endpoint, "far");
        let reelctl = In(&far, "far");
        reelctl.well(&["sync"]);
        let (_, lines) = reelctl.run(&["purge", &made.guid]);
        let parts = lines[0]["parts"].as_array().unwrap();
        let edge = parts.iter().find(|part| part["kind"] == "edge").unwrap();
        assert_eq!(edge["whyNot"].is_null(), action != "cloudfront:ListDistributions", "{edge}");
        reelctl.well(&["purge", &made.guid, "--yes"]);
        assert!(at.item(&made.guid).await.is_none());
        let changes = reelctl.well(&["changes"]);
        let kept = changes[0]["purged"]["kept"][0].as_str().unwrap();
        assert!(kept.ends_with(&format!("/{}/*", made.guid)), "{changes:?}");
    }

    // Fifteen are in progress: the next one waits for its turn.
    for number in 0..15 {
        let paths = Paths::builder().quantity(1).items(format!("/{number}/*")).build().unwrap();
        let batch = InvalidationBatch::builder().paths(paths).caller_reference(format!("{number}")).build().unwrap();
        let create = cloudfront.create_invalidation().distribution_id("E1SANDBOX").invalidation_batch(batch);
        if create.send().await.is_err() {
            // The one above counts.
            assert_eq!(number, 14);
        }
    }
    let guard = Guard::before(&server.endpoint, |_| None).await.unwrap();
    let far = Server::connected(&guard.endpoint, "far");
    In(&far, "far").well(&["sync"]);
    let mut purging = Ended(far.start(&["--workspace", "far", "videos", "purge", &late.guid, "--yes"]).unwrap());
    let end = Instant::now() + Duration::from_secs(60);
    while !guard.asked().contains("cloudfront:CreateInvalidation") {
        assert!(Instant::now() < end);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!at.is_there(&late.keys[0]).await && !at.is_there(&late.keys[2]).await);
    assert!(at.item(&late.guid).await.is_some(), "the item is the last, and waits");
    server.move_clock(60).await;
    assert!(purging.0.wait().unwrap().success());
    assert!(at.item(&late.guid).await.is_none());
    assert_eq!(invalidated(&cloudfront, "E1SANDBOX").await[0], format!("/{}/*", late.guid));
}

/// Where the bucket keeps versions, they go where they are ticked, and stay where they are not.
#[tokio::test(flavor = "multi_thread")]
async fn versions_are_a_tick_of_their_own() {
    let moto = Emulator::moto().await.unwrap();
    let (s3, dynamodb) =
        (reeldesk_tests::s3(&moto.endpoint, "test", "test"), dynamodb(&moto.endpoint, ("test", "test")));
    make_table(&dynamodb).await;
    for bucket in ["vod-source", "vod-destination"] {
        s3.create_bucket().bucket(bucket).send().await.unwrap();
        let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        s3.put_bucket_versioning().bucket(bucket).versioning_configuration(enabled).send().await.unwrap();
    }
    let at = At { s3: &s3, dynamodb: &dynamodb, table: "vod", source: "vod-source", destination: "vod-destination" };
    let (hidden, gone) = (at.make(1).await, at.make(2).await);
    for made in [&hidden, &gone] {
        // Another version of each.
        for (bucket, key) in &made.keys {
            at.put(bucket, key).await;
        }
    }
    let far = moto.workspace("moto").unwrap();
    let cloudfront = cloudfront(&moto.endpoint, ("test", "test"));
    let distribution = distribution(&cloudfront).await;
    let settings = far.data.path().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let cdn = format!("https://{}", distribution.domain_name);
    std::fs::write(&settings, text.replace("http://127.0.0.1:9", &cdn)).unwrap();
    let reelctl = In(&far, "moto");
    reelctl.well(&["sync"]);
    reelctl.well(&["trash", &hidden.guid, &gone.guid]);
    let (_, lines) = reelctl.run(&["purge", &gone.guid]);
    assert_eq!(
        (lines[0]["parts"][0]["objects"].as_u64(), lines[0]["parts"][0]["versions"].as_u64()),
        (Some(2), Some(2))
    );
    reelctl.well(&["purge", &hidden.guid, "--keep", "versions", "--yes"]);
    reelctl.well(&["purge", &gone.guid, "--yes"]);
    let versions = async |made: &Made| {
        let (bucket, key) = &made.keys[0];
        let listed = s3.list_object_versions().bucket(bucket).prefix(key).send().await.unwrap();
        listed.versions.unwrap_or_default().len()
    };
    assert!(!at.is_there(&hidden.keys[0]).await && !at.is_there(&gone.keys[0]).await);
    assert_eq!((versions(&hidden).await, versions(&gone).await), (2, 0));
    let both = [&gone, &hidden].map(|made| format!("/{}/*", made.guid));
    let mut forgotten = invalidated(&cloudfront, &distribution.id).await;
    forgotten.sort_unstable_by_key(|path| *path != both[0]);
    assert_eq!(forgotten, both);
}

/// Of two videos of one source that go together the source goes too; one alone leaves it to the other.
#[tokio::test(flavor = "multi_thread")]
async fn twins_that_go_together_leave_nothing() {
    let server = Server::start();
    let (s3, dynamodb) = (server.client(), server.dynamodb());
    let at = in_sandbox(&s3, &dynamodb);
    let made = at.make(1).await;
    let mut twin = at.item(&made.guid).await.unwrap();
    let other = "0f8fad5b-d9cb-469f-a165-70867728950e";
    twin.insert("guid".into(), AttributeValue::S(other.into()));
    twin.remove("hlsUrl");
    twin.remove("thumbNailsUrls");
    write(&dynamodb, TABLE, [twin].into_iter()).await;
    let reelctl = In(&server.data, "sandbox");
    reelctl.well(&["sync"]);
    reelctl.well(&["trash", &made.guid, other]);
    let source = |lines: &[Value], plan: usize| lines[plan]["parts"].as_array().unwrap()[2].clone();
    let (_, lines) = reelctl.run(&["purge", &made.guid]);
    assert!(source(&lines, 0)["whyNot"]["message"].as_str().unwrap().contains(other), "{lines:?}");
    let (_, lines) = reelctl.run(&["purge", &made.guid, other]);
    assert!((0..2).all(|plan| source(&lines, plan)["whyNot"].is_null()), "{lines:?}");
    reelctl.well(&["purge", &made.guid, other, "--yes"]);
    assert!(!at.is_there(&made.keys[0]).await && !at.is_there(&made.keys[2]).await);
}

/// What cannot be done is refused before anything is deleted, and one that stays holds up no other.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_go_stays_whole() {
    let server = Server::with(&["--object-lock"]);
    let (s3, dynamodb) = (server.client(), server.dynamodb());
    let at = in_sandbox(&s3, &dynamodb);
    let (locked, open, free) = (at.make(1).await, at.make(2).await, at.make(3).await);
    let mut item = at.item(&open.guid).await.unwrap();
    let now = (std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).to_string();
    item.insert("workflowStatus".into(), AttributeValue::S("Ingest".into()));
    item.insert("startTime".into(), AttributeValue::S(now));
    write(&dynamodb, TABLE, [item].into_iter()).await;
    let reelctl = In(&server.data, "sandbox");
    reelctl.well(&["sync"]);
    reelctl.well(&["trash", &locked.guid, &open.guid, &free.guid]);
    let (well, lines) = reelctl.run(&["purge", &open.guid, "--yes"]);
    assert!(!well && lines[0].to_string().contains("still works on"), "{lines:?}");
    let only_versions = ["--keep", "outputs,thumbnails,source,sidecars,item", "--yes"];
    let (well, lines) = reelctl.run(&[&["purge", free.guid.as_str()], &only_versions[..]].concat());
    assert!(!well && lines[0].to_string().contains("Nothing is ticked"), "{lines:?}");
    reelctl.well(&["restore", &free.guid]);
    reelctl.well(&["trash", &free.guid]);
    // The versions of the sources are locked; without its source the other one goes.
    let (well, lines) = reelctl.run(&["purge", &locked.guid, "--yes"]);
    assert!(!well && lines[0].to_string().contains("locked"), "{lines:?}");
    assert!(at.item(&locked.guid).await.is_some() && at.has_all(&open).await);
    let (well, lines) = reelctl.run(&["purge", &locked.guid, &free.guid, "--keep", "source,sidecars", "--yes"]);
    assert!(well, "{lines:?}");
    assert!(at.item(&free.guid).await.is_none() && at.is_there(&free.keys[0]).await);
}

/// Another tool gives a video that nobody here has seen yet the same source, with any start: it is found before anything goes.
#[tokio::test(flavor = "multi_thread")]
async fn what_came_since_the_list_was_read_counts() {
    let server = Server::start();
    let (s3, dynamodb) = (server.client(), server.dynamodb());
    let at = in_sandbox(&s3, &dynamodb);
    let made = at.make(1).await;
    // More than are looked at as the newest.
    write(&dynamodb, TABLE, (10..310).map(|number| item_in(SOURCE, number))).await;
    let reelctl = In(&server.data, "sandbox");
    reelctl.well(&["sync"]);
    reelctl.well(&["trash", &made.guid]);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let late = [("guid", "late-0001"), ("startTime", "2010-06-01T00:00:00.000Z"), ("srcVideo", &made.keys[0].1)];
    let late = late.into_iter().chain([("srcBucket", SOURCE)]);
    write(&dynamodb, TABLE, std::iter::once(late.map(|(name, value)| (name.to_owned(), text(value))).collect())).await;
    let lines = reelctl.well(&["purge", &made.guid, "--yes"]);
    assert_eq!(lines.last().unwrap()["done"], 1);
    assert!(at.is_there(&made.keys[0]).await && !at.is_there(&made.keys[2]).await);
    let kept = reelctl.well(&["changes"])[0]["purged"]["kept"].to_string();
    assert!(kept.contains(&made.keys[0].1), "{kept}");
}

/// Who may not list versions cannot delete them, and loses nothing else by trying.
#[tokio::test(flavor = "multi_thread")]
async fn versions_that_may_not_be_listed_are_told() {
    let server = Server::start();
    let (s3, dynamodb) = (server.client(), server.dynamodb());
    let at = in_sandbox(&s3, &dynamodb);
    let made = at.make(1).await;
    let refuse = |asked: &str| (asked == "s3:ListBucketVersions").then_some("AccessDenied");
    let guard = Guard::before(&server.endpoint, refuse).await.unwrap();
    let far = Server::connected(&guard.endpoint, "far");
    let reelctl = In(&far, "far");
    reelctl.well(&["sync"]);
    reelctl.well(&["trash", &made.guid]);
    let (_, lines) = reelctl.run(&["purge", &made.guid]);
    assert!(lines[0]["parts"][0]["versions"].is_null() && lines[0]["parts"][0]["objects"] == 2, "{lines:?}");
    let (well, lines) = reelctl.run(&["purge", &made.guid, "--yes"]);
    assert!(!well && lines.last().unwrap()["error"]["code"] == "access-denied", "{lines:?}");
    assert!(at.has_all(&made).await, "nothing is half gone");
    reelctl.well(&["purge", &made.guid, "--keep", "versions", "--yes"]);
    assert!(!at.is_there(&made.keys[0]).await && at.item(&made.guid).await.is_none());
}

/// A first reading that was broken off long ago is no proof: all of the table is read again.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_reading_is_no_proof() {
    let server = Server::start();
    let (s3, dynamodb) = (server.client(), server.dynamodb());
    let at = in_sandbox(&s3, &dynamodb);
    let made = at.make(1).await;
    write(&dynamodb, TABLE, (10..310).map(|number| item_in(SOURCE, number))).await;
    let reelctl = In(&server.data, "sandbox");
    reelctl.well(&["sync"]);
    reelctl.well(&["trash", &made.guid]);
    // As if it had been broken off an hour ago, just before its end.
    let db = rusqlite::Connection::open(server.data.data.path().join("catalogs/sandbox.sqlite")).unwrap();
    db.execute_batch(
        "DELETE FROM state WHERE name = 'swept_at'; UPDATE state SET value = 'read' WHERE name LIKE 'segment %';
         UPDATE state SET value = CAST(value - 3600000 AS TEXT) WHERE name = 'began_at';",
    )
    .unwrap();
    drop(db);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let late = [("guid", "late-0001"), ("startTime", "2010-06-01T00:00:00.000Z"), ("srcVideo", &made.keys[0].1)];
    let late = late.into_iter().chain([("srcBucket", SOURCE)]);
    write(&dynamodb, TABLE, std::iter::once(late.map(|(name, value)| (name.to_owned(), text(value))).collect())).await;
    let folders = reeldesk_core::Folders::choose(Some(server.data.data.path())).unwrap();
    let session = reeldesk_shell::open(&reeldesk_core::Instance::on(&folders), "sandbox").await.unwrap();
    let editor = session.editor().await.unwrap();
    let guid = reeldesk_core::catalog::Guid::new(made.guid.clone()).unwrap();
    let ticked = [reeldesk_core::catalog::PurgeKind::Source].into();
    let summary = editor.purge(vec![guid], ticked, &Default::default(), |_| {}).await.unwrap();
    assert_eq!(summary.done, 1);
    assert!(at.is_there(&made.keys[0]).await, "another video has it");
    session.close().await;
}
