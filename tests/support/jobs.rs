//! Jobs for MediaConvert, as an engineer submits them.

use aws_sdk_mediaconvert::Client;
use aws_sdk_mediaconvert::error::SdkError;
use aws_sdk_mediaconvert::operation::create_job::{CreateJobError, CreateJobOutput};
use aws_sdk_mediaconvert::types::{
    AacCodingMode, AacSettings, AudioCodec, AudioCodecSettings, AudioDescription, AudioSelector, ContainerSettings,
    ContainerType, FileGroupSettings, H264RateControlMode, H264Settings, Input, JobSettings, Output, OutputGroup,
    OutputGroupSettings, OutputGroupType, VideoCodec, VideoCodecSettings, VideoDescription,
};

use crate::KEYS;

/// A client of the sandbox's MediaConvert.
#[must_use]
pub fn client(endpoint: &str) -> Client {
    let config = aws_sdk_mediaconvert::Config::builder()
        .behavior_version(aws_sdk_mediaconvert::config::BehaviorVersion::latest())
        .region(aws_sdk_mediaconvert::config::Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(aws_credential_types::Credentials::from_keys(KEYS.0, KEYS.1, None))
        .build();
    Client::from_conf(config)
}

/// One small MP4, in a bucket.
#[must_use]
pub fn mp4(bucket: &str, with_video: bool) -> OutputGroup {
    let h264 = H264Settings::builder().rate_control_mode(H264RateControlMode::Cbr).bitrate(400_000).build();
    let video = VideoDescription::builder()
        .width(320)
        .height(180)
        .codec_settings(VideoCodecSettings::builder().codec(VideoCodec::H264).h264_settings(h264).build())
        .build();
    let aac =
        AacSettings::builder().bitrate(64_000).sample_rate(48_000).coding_mode(AacCodingMode::CodingMode20).build();
    let audio = AudioDescription::builder()
        .codec_settings(AudioCodecSettings::builder().codec(AudioCodec::Aac).aac_settings(aac).build())
        .build();
    let output = Output::builder()
        .name_modifier("_small")
        .container_settings(ContainerSettings::builder().container(ContainerType::Mp4).build())
        .set_video_description(with_video.then_some(video))
        .audio_descriptions(audio)
        .build();
    let destination = format!("s3://{bucket}/out/clip");
    let settings = FileGroupSettings::builder().destination(destination).build();
    OutputGroup::builder()
        .output_group_settings(
            OutputGroupSettings::builder()
                .r#type(OutputGroupType::FileGroupSettings)
                .file_group_settings(settings)
                .build(),
        )
        .outputs(output)
        .build()
}

/// Submits a job that reads an object.
///
/// # Errors
/// When MediaConvert refuses it.
pub async fn submit(
    client: &Client,
    bucket: &str,
    key: &str,
    group: OutputGroup,
    selector: Option<AudioSelector>,
) -> Result<CreateJobOutput, SdkError<CreateJobError>> {
    let input = Input::builder().file_input(format!("s3://{bucket}/{key}"));
    let input = match selector {
        Some(selector) => input.audio_selectors("Audio Selector 1", selector),
        None => input,
    };
    let settings = JobSettings::builder().inputs(input.build()).output_groups(group).build();
    client
        .create_job()
        .role("arn:aws:iam::000000000000:role/reeldesk-sandbox-mediaconvert")
        .settings(settings)
        .send()
        .await
}
