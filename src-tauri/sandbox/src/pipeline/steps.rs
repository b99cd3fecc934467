//! The steps of the three state machines: ingest, process, publish; and the error handler.

use serde_json::{Value, json};

use super::{Pipeline, StepError, in_destination, mediainfo};
use crate::mediaconvert::casing::{to_pascal, to_wire};
use crate::probe::{Media, probe};
use crate::table::TableError;
use crate::time::now;
use crate::{DESTINATION_BUCKET, REGION, ROLE, SOURCE_BUCKET, STACK};

type Step = Result<Result<(), StepError>, TableError>;

fn template_name(height: u32) -> String {
    format!("{STACK}_Ott_{height}p_Avc_Aac_16x9_qvbr_no_preset")
}

impl Pipeline {
    /// Input Validate, MediaInfo, DynamoDB Update: the item appears.
    pub(super) async fn ingest(&self, guid: &str, key: &str) -> Step {
        let media = match self.inspect(key).await {
            Ok(media) => media,
            Err(error) => return Ok(Err(error)),
        };
        let size = media.format.size.as_deref().and_then(|size| size.parse().ok()).unwrap_or(0);
        let item = json!({
            "startTime": now(),
            "workflowTrigger": "Video",
            "workflowStatus": "Ingest",
            "workflowName": STACK,
            "srcBucket": SOURCE_BUCKET,
            "destBucket": DESTINATION_BUCKET,
            "cloudFront": self.cdn,
            "frameCapture": true,
            "archiveSource": "DISABLED",
            "jobTemplate_2160p": template_name(2160),
            "jobTemplate_1080p": template_name(1080),
            "jobTemplate_720p": template_name(720),
            "inputRotate": "AUTO",
            "acceleratedTranscoding": "DISABLED",
            "enableSns": false,
            "enableSqs": false,
            "srcVideo": key,
            "enableMediaPackage": false,
            "srcMediainfo": mediainfo::describe(key, size, &media),
        });
        self.table.set(guid, item).await.map(Ok)
    }

    /// Profiler, Encode Job Submit, DynamoDB Update: the job is on its way.
    pub(super) async fn process(&self, guid: &str, key: &str) -> Step {
        let media = match self.inspect(key).await {
            Ok(media) => media,
            Err(error) => return Ok(Err(error)),
        };
        let Some(video) = media.video() else {
            return Ok(Err(StepError {
                step: "profiler",
                message: "TypeError: Cannot read properties of undefined (reading '0')".into(),
            }));
        };
        let profile =
            [2160_u32, 1080, 720].into_iter().min_by_key(|profile| profile.abs_diff(video.height)).unwrap_or(720);
        let template = template_name(profile);
        let request = match self.job_request(guid, key, &template).await {
            Ok(request) => request,
            Err(message) => return Ok(Err(StepError { step: "encode", message })),
        };
        let job = match self.mediaconvert.create(request.clone()).await {
            Ok(job) => job,
            Err(error) => {
                let message = format!("{}: {}", error.kind, error.message);
                return Ok(Err(StepError { step: "encode", message }));
            }
        };
        let (width, height) = match profile {
            2160 => (3840, 2160),
            1080 => (1920, 1080),
            _ => (1280, 720),
        };
        let mut encoding_job = to_pascal(request);
        if let Some(map) = encoding_job.as_object_mut() {
            map.remove("ClientRequestToken");
        }
        let fields = json!({
            "srcHeight": video.height,
            "srcWidth": video.width,
            "encodingProfile": profile,
            "frameCaptureHeight": height,
            "frameCaptureWidth": width,
            "jobTemplate": template,
            "isCustomTemplate": false,
            "encodingJob": encoding_job,
            "encodeJobId": job["id"],
        });
        self.table.set(guid, fields).await.map(Ok)
    }

    async fn inspect(&self, key: &str) -> Result<Media, StepError> {
        let failed = |message: String| StepError { step: "mediainfo", message };
        let object = self
            .s3
            .object(SOURCE_BUCKET, key)
            .await
            .map_err(|error| failed(format!("NotFound: {}", error.message().unwrap_or_default())))?;
        let file = self.s3.blobs.path(&object.blob);
        probe(&self.ffmpeg()?, &file)
            .await
            .map_err(|reason| failed(format!("Error: {}", reason.replace(&*file.to_string_lossy(), key))))
    }

    /// The job that the encode function makes: the template's groups with this video's destinations, and the
    /// frame capture group.
    async fn job_request(&self, guid: &str, key: &str, template: &str) -> Result<Value, String> {
        let found = self.mediaconvert.template(template).await.map_err(|error| error.message)?;
        let mut groups = found["settings"]["outputGroups"].as_array().cloned().unwrap_or_default();
        for group in &mut groups {
            let settings = &mut group["outputGroupSettings"];
            let (name, folder) = match settings["type"].as_str() {
                Some("HLS_GROUP_SETTINGS") => ("hlsGroupSettings", "hls"),
                Some("FILE_GROUP_SETTINGS") => ("fileGroupSettings", "mp4"),
                other => return Err(format!("the template has a group of type {other:?}")),
            };
            settings[name]["destination"] = json!(in_destination(&format!("{guid}/{folder}/")));
        }
        if self.generation.makes_dash_and_mp4() {
            groups.extend(dash_and_mp4(&groups, guid).into_iter().flatten());
        }
        groups.push(to_wire(frame_capture(guid)));
        Ok(json!({
            "clientRequestToken": guid,
            "jobTemplate": template,
            "role": ROLE,
            "userMetadata": { "guid": guid, "workflow": STACK },
            "tags": { "SolutionId": "SO0021" },
            "settings": {
                "inputs": [{
                    "audioSelectors": { "Audio Selector 1": { "offset": 0, "defaultSelection": "NOT_DEFAULT", "programSelection": 1 } },
                    "videoSelector": { "colorSpace": "FOLLOW", "rotate": "AUTO" },
                    "filterEnable": "AUTO", "psiControl": "USE_PSI", "filterStrength": 0, "deblockFilter": "DISABLED",
                    "denoiseFilter": "DISABLED", "timecodeSource": "EMBEDDED",
                    "fileInput": format!("s3://{SOURCE_BUCKET}/{key}"),
                }],
                "outputGroups": groups,
            },
        }))
    }

    /// Validate Encoding Outputs, DynamoDB Update: the addresses.
    pub(super) async fn publish(&self, guid: &str, event: &Value) -> Result<(), TableError> {
        let mut fields = json!({ "workflowStatus": "Complete", "endTime": now(), "encodingOutput": event });
        let url = |path: &str| {
            let key = path.splitn(4, '/').nth(3).unwrap_or_default();
            format!("http://{}/{key}", self.cdn)
        };
        for group in event["detail"]["outputGroupDetails"].as_array().into_iter().flatten() {
            let kind = if group["type"] == "DASH_ISO_GROUP" { "dash" } else { "hls" };
            if let Some(playlist) = group["playlistFilePaths"][0].as_str() {
                fields[format!("{kind}Playlist")] = json!(playlist);
                fields[format!("{kind}Url")] = json!(url(playlist));
            }
            let files: Vec<&str> = group["outputDetails"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|detail| detail["outputFilePaths"][0].as_str())
                .collect();
            if files.first().is_some_and(|file| file.ends_with(".mp4")) {
                fields["mp4Outputs"] = json!(files);
                fields["mp4Urls"] = files.iter().map(|file| json!(url(file))).collect();
            }
        }
        if let Ok(Some(last)) = self.s3.last_key(DESTINATION_BUCKET, &format!("{guid}/thumbnails/")).await {
            let path = in_destination(&last);
            fields["thumbNailsUrls"] = json!([url(&path)]);
            fields["thumbNails"] = json!([path]);
        }
        self.table.set(guid, fields).await
    }

    /// The error handler, for a job that ended in ERROR: the item keeps the whole event.
    pub(super) async fn encoding_failed(&self, guid: &str, event: &Value) -> Result<(), TableError> {
        let job = event["detail"]["jobId"].as_str().unwrap_or_default();
        let fields = json!({
            "workflowStatus": "Error",
            "workflowErrorAt": "Encoding",
            "errorMessage": event.to_string(),
            "errorDetails": format!("https://console.aws.amazon.com/mediaconvert/home?region={REGION}#/jobs/summary/{job}"),
        });
        self.table.set(guid, fields).await
    }

    /// The error handler, for a step of the workflow.
    pub(super) async fn failed(&self, guid: &str, error: &StepError) -> Result<(), TableError> {
        let function = format!("{STACK}-{}", error.step);
        let fields = json!({
            "workflowStatus": "Error",
            "workflowErrorAt": function,
            "errorMessage": error.message,
            "errorDetails": format!("https://console.aws.amazon.com/cloudwatch/home?region={REGION}#logStream:group=/aws/lambda/{function}"),
        });
        self.table.set(guid, fields).await
    }
}

/// The groups that were made beside the streams until 5.2: one MP4 of the size of the largest, and DASH, with the sound in an
/// output of its own. Source: the job templates of "Video on Demand on AWS" 5.2.
fn dash_and_mp4(groups: &[Value], guid: &str) -> Option<[Value; 2]> {
    let streams = groups.first()?["outputs"].as_array()?;
    let largest = streams.last()?;
    let mp4 = json!({
        "name": "File Group",
        "outputGroupSettings": {
            "type": "FILE_GROUP_SETTINGS",
            "fileGroupSettings": { "destination": in_destination(&format!("{guid}/mp4/")) },
        },
        "outputs": [{
            "nameModifier": "_Mp4_Avc_Aac_16x9",
            "containerSettings": { "container": "MP4", "mp4Settings": {} },
            "videoDescription": largest["videoDescription"],
            "audioDescriptions": largest["audioDescriptions"],
        }],
    });
    let dash = |modifier: Value, kind: &str, description: &Value| json!({ "nameModifier": modifier, "containerSettings": { "container": "MPD" }, kind: description });
    let picture = |stream: &Value| {
        let modifier = stream["nameModifier"].as_str().unwrap_or_default();
        let modifier = modifier.replace("_Hls_Ts_Avc_Aac_", "_Dash_Mp4_Avc_");
        dash(json!(modifier), "videoDescription", &stream["videoDescription"])
    };
    let sound = dash(json!("_Ott_Dash_Mp4_Aac_He_96Kbps"), "audioDescriptions", &largest["audioDescriptions"]);
    let outputs: Vec<Value> = streams.iter().map(picture).chain([sound]).collect();
    let dash = json!({
        "name": "DASH ISO",
        "outputGroupSettings": {
            "type": "DASH_ISO_GROUP_SETTINGS",
            "dashIsoGroupSettings": {
                "destination": in_destination(&format!("{guid}/dash/")),
                "segmentLength": 30, "fragmentLength": 3, "segmentControl": "SEGMENTED_FILES", "hbbtvCompliance": "NONE",
            },
        },
        "outputs": outputs,
    });
    Some([dash, mp4])
}

fn frame_capture(guid: &str) -> Value {
    json!({
        "CustomName": "Frame Capture",
        "Name": "File Group",
        "OutputGroupSettings": {
            "Type": "FILE_GROUP_SETTINGS",
            "FileGroupSettings": { "Destination": in_destination(&format!("{guid}/thumbnails/")) },
        },
        "Outputs": [{
            "NameModifier": "_thumb",
            "ContainerSettings": { "Container": "RAW" },
            "VideoDescription": {
                "ColorMetadata": "INSERT",
                "AfdSignaling": "NONE",
                "Sharpness": 100,
                "RespondToAfd": "NONE",
                "TimecodeInsertion": "DISABLED",
                "CodecSettings": {
                    "Codec": "FRAME_CAPTURE",
                    "FrameCaptureSettings": { "MaxCaptures": 10_000_000, "Quality": 80, "FramerateDenominator": 5, "FramerateNumerator": 1 },
                },
                "DropFrameTimecode": "ENABLED",
            },
        }],
    })
}
