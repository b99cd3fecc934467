//! The sandbox's MediaConvert through the official SDK: what it runs, what it refuses, and how it fails.

use aws_sdk_mediaconvert::Client;
use aws_sdk_mediaconvert::error::ProvideErrorMetadata as _;
use aws_sdk_mediaconvert::types::builders::OutputGroupSettingsBuilder;
use aws_sdk_mediaconvert::types::{
    AudioSelector, DashIsoGroupSettings, HlsGroupSettings, Job, JobStatus, Order, OutputGroup, OutputGroupSettings,
    OutputGroupType,
};
use reeldesk_tests::film;
use reeldesk_tests::jobs::{self, mp4};

use crate::server::OwnSandbox;

struct Fixture {
    client: Client,
    own: OwnSandbox,
}

async fn fixture() -> Fixture {
    let own = OwnSandbox::start().await;
    let (s3, endpoints) = (own.s3(), &own.endpoints);
    // Below a suffix that the pipeline does not know, so that only the test's own jobs run.
    let put = |key: &'static str, body: Vec<u8>| {
        s3.put_object().bucket(&endpoints.source_bucket).key(key).body(body.into()).send()
    };
    put("film.bin", std::fs::read(film()).unwrap()).await.unwrap();
    put("text.bin", b"no film".to_vec()).await.unwrap();
    Fixture { client: jobs::client(&endpoints.api), own }
}

impl Fixture {
    async fn submit(
        &self,
        key: &str,
        group: OutputGroup,
        selector: Option<AudioSelector>,
    ) -> Result<Job, (String, String)> {
        match jobs::submit(&self.client, &self.own.endpoints.source_bucket, key, group, selector).await {
            Ok(answer) => Ok(answer.job.unwrap()),
            Err(error) => Err((error.code().unwrap_or_default().into(), error.message().unwrap_or_default().into())),
        }
    }

    async fn ended(&self, job: &Job) -> Job {
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
        loop {
            let job = self.client.get_job().id(job.id().unwrap()).send().await.unwrap().job.unwrap();
            if !matches!(job.status(), Some(JobStatus::Submitted | JobStatus::Progressing)) {
                return job;
            }
            assert!(tokio::time::Instant::now() < deadline, "the job does not end: {job:?}");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_mp4_as_the_settings_say() {
    let fixture = fixture().await;
    let job = fixture.submit("film.bin", mp4(&fixture.own.endpoints.destination_bucket, true), None).await.unwrap();
    let job = fixture.ended(&job).await;
    assert_eq!(job.status(), Some(&JobStatus::Complete), "{job:?}");
    let detail = &job.output_group_details()[0].output_details()[0];
    assert_eq!(detail.video_details().and_then(|video| video.width_in_px()), Some(320));
    let probed = reeldesk_tests::ffprobe(&format!("{}/out/clip_small.mp4", fixture.own.endpoints.cdn)).unwrap();
    assert_eq!((&probed["streams"][0]["width"], &probed["streams"][0]["height"]), (&320.into(), &180.into()));
    let listed = fixture
        .client
        .list_jobs()
        .order(Order::Descending)
        .status(JobStatus::Complete)
        .max_results(1)
        .send()
        .await
        .unwrap();
    assert_eq!(listed.jobs()[0].id(), job.id());
    let late = fixture.client.cancel_job().id(job.id().unwrap()).send().await.unwrap_err();
    assert_eq!(late.code(), Some("ConflictException"));
    fixture.own.sandbox.stop().await;
}

#[tokio::test]
async fn jobs_fail_with_mediaconverts_codes() {
    let fixture = fixture().await;
    let explicit = AudioSelector::builder().tracks(3).build();
    for (key, with_video, selector, code) in
        [("gone.bin", true, None, 1404), ("text.bin", true, None, 1010), ("film.bin", true, Some(explicit), 1021)]
    {
        let job =
            fixture.submit(key, mp4(&fixture.own.endpoints.destination_bucket, with_video), selector).await.unwrap();
        let job = fixture.ended(&job).await;
        assert_eq!((job.status(), job.error_code()), (Some(&JobStatus::Error), Some(code)), "{key}: {job:?}");
        assert!(job.error_message().unwrap().contains(key));
    }
    fixture.own.sandbox.stop().await;
}

#[tokio::test]
async fn what_ffmpeg_cannot_do_is_refused_by_the_name_of_the_setting() {
    let fixture = fixture().await;
    let base = mp4(&fixture.own.endpoints.destination_bucket, true);
    let of_type = |settings: OutputGroupSettingsBuilder| {
        OutputGroup::builder().output_group_settings(settings.build()).outputs(base.outputs()[0].clone()).build()
    };
    let cmaf = of_type(OutputGroupSettings::builder().r#type(OutputGroupType::CmafGroupSettings));
    let (code, message) = fixture.submit("film.bin", cmaf, None).await.unwrap_err();
    assert_eq!(code, "BadRequestException");
    assert!(message.starts_with("/settings/outputGroups/0/outputGroupSettings/type:"), "{message}");

    let dash = |length: Option<i32>| {
        let dash = DashIsoGroupSettings::builder().destination("s3://somewhere/x").segment_length(30);
        let dash = dash.set_fragment_length(length).build();
        let dash_iso = OutputGroupSettings::builder().r#type(OutputGroupType::DashIsoGroupSettings);
        of_type(dash_iso.dash_iso_group_settings(dash))
    };
    let (_, message) = fixture.submit("film.bin", dash(None), None).await.unwrap_err();
    assert!(message.contains("should have a segmentLength and a fragmentLength"), "{message}");
    let (_, message) = fixture.submit("film.bin", dash(Some(3)), None).await.unwrap_err();
    assert!(message.starts_with("/settings/outputGroups/0/outputs/0/containerSettings/container:"), "{message}");

    let hls = HlsGroupSettings::builder().destination("https://elsewhere/x").build();
    let nowhere = OutputGroup::builder()
        .output_group_settings(
            OutputGroupSettings::builder().r#type(OutputGroupType::HlsGroupSettings).hls_group_settings(hls).build(),
        )
        .outputs(base.outputs()[0].clone())
        .build();
    let (_, message) = fixture.submit("film.bin", nowhere, None).await.unwrap_err();
    assert!(message.contains("hlsGroupSettings/destination"), "{message}");
    let templates = fixture.client.list_job_templates().send().await.unwrap();
    assert_eq!(templates.job_templates().len(), 3);
    let queues = fixture.client.list_queues().send().await.unwrap();
    assert_eq!(queues.queues()[0].name(), Some("Default"));
    let gone = fixture.client.get_job().id("nope").send().await.unwrap_err();
    assert!(gone.into_service_error().is_not_found_exception());
    fixture.own.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canceled_job_stops() {
    let fixture = fixture().await;
    let long = tempfile::NamedTempFile::with_suffix(".mp4").unwrap();
    let input = ["-f", "lavfi", "-i", "testsrc2=s=1280x720:d=120:r=25", "-c:v", "libx264", "-preset", "ultrafast"];
    reeldesk_tests::make(long.path(), &input).unwrap();
    let s3 = fixture.own.s3();
    let body = std::fs::read(long.path()).unwrap();
    s3.put_object()
        .bucket(&fixture.own.endpoints.source_bucket)
        .key("long.bin")
        .body(body.into())
        .send()
        .await
        .unwrap();
    let running = fixture.submit("long.bin", mp4(&fixture.own.endpoints.destination_bucket, true), None).await.unwrap();
    let waiting = fixture.submit("long.bin", mp4(&fixture.own.endpoints.destination_bucket, true), None).await.unwrap();
    let work = fixture.own.folder.path().join("work").join(running.id().unwrap());
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    while !work.exists() {
        assert!(tokio::time::Instant::now() < deadline, "the job does not begin");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    for job in [&running, &waiting] {
        fixture.client.cancel_job().id(job.id().unwrap()).send().await.unwrap();
        assert_eq!(fixture.ended(job).await.status(), Some(&JobStatus::Canceled));
    }
    assert!(!work.exists(), "what it had made is gone");
    let made = s3.list_objects_v2().bucket(&fixture.own.endpoints.destination_bucket).send().await.unwrap();
    assert!(made.contents().is_empty());
    // The queue goes on.
    let next = fixture.submit("film.bin", mp4(&fixture.own.endpoints.destination_bucket, true), None).await.unwrap();
    assert_eq!(fixture.ended(&next).await.status(), Some(&JobStatus::Complete));
    fixture.own.sandbox.stop().await;
}
