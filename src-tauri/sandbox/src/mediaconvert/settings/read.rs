//! Reading settings: a field that the sandbox cannot do is refused by its path.

use serde_json::Value;

use super::*;

fn refuse<T>(path: impl Into<String>, reason: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { path: path.into(), reason: reason.into() })
}

impl Plan {
    /// Reads wire-cased `settings` (a template's and the job's, merged).
    pub fn read(settings: &Value) -> Result<Self, Refusal> {
        refuse_keys(
            settings,
            "/settings",
            &["motionImageInserter", "esam", "kantarWatermark", "nielsenNonLinearWatermark"],
        )?;
        let inputs = list(settings, "inputs");
        let [input] = inputs else {
            return refuse(
                "/settings/inputs",
                format!("should have exactly 1 input in the sandbox, but has {}", inputs.len()),
            );
        };
        let path = "/settings/inputs/0";
        refuse_keys(
            input,
            path,
            &[
                "inputClippings",
                "imageInserter",
                "captionSelectors",
                "decryptionSettings",
                "crop",
                "position",
                "audioSelectorGroups",
                "videoOverlays",
                "videoGenerator",
                "supplementalImps",
            ],
        )?;
        let uri = input.get("fileInput").and_then(Value::as_str).unwrap_or_default();
        let Some(source) = S3Uri::parse(uri).filter(|uri| !uri.key.is_empty()) else {
            return refuse(
                format!("{path}/fileInput"),
                format!("should be an object in S3 (s3://bucket/key), but is \"{uri}\""),
            );
        };
        let groups = list(settings, "outputGroups");
        if groups.is_empty() {
            return refuse("/settings/outputGroups", "should have at least 1 output group");
        }
        let groups = groups
            .iter()
            .enumerate()
            .map(|(index, group)| read_group(group, &format!("/settings/outputGroups/{index}"), &source))
            .collect::<Result<Vec<_>, _>>()?;
        let only_captures = groups
            .iter()
            .flat_map(|group| &group.outputs)
            .all(|output| matches!(&output.video, Some(Video { codec: VideoCodec::FrameCapture { .. }, .. })));
        if only_captures {
            return refuse("/settings/outputGroups", "should have at least one output besides frame capture");
        }
        Ok(Self {
            rotate: field(&input["videoSelector"], "rotate", &format!("{path}/videoSelector"))?.unwrap_or_default(),
            audio_track: audio_track(input),
            input: source,
            groups,
        })
    }
}

/// The track that the first audio selector asks for by number, if one does.
fn audio_track(input: &Value) -> Option<usize> {
    let selector = input.get("audioSelectors")?.as_object()?.values().next()?;
    let track = selector.get("tracks")?.as_array()?.first()?.as_u64()?;
    usize::try_from(track).ok()
}

fn read_group(group: &Value, path: &str, source: &S3Uri) -> Result<Group, Refusal> {
    refuse_keys(group, path, &["automatedEncodingSettings"])?;
    let settings = &group["outputGroupSettings"];
    let path_of_settings = format!("{path}/outputGroupSettings");
    let (kind, detail, detail_path) = match settings["type"].as_str().unwrap_or_default() {
        "HLS_GROUP_SETTINGS" => {
            let (hls, path) = (&settings["hlsGroupSettings"], format!("{path_of_settings}/hlsGroupSettings"));
            refuse_keys(
                hls,
                &path,
                &["encryption", "additionalManifests", "captionLanguageMappings", "imageBasedTrickPlaySettings"],
            )?;
            only(hls, "segmentControl", &["SEGMENTED_FILES"], &path)?;
            only(hls, "directoryStructure", &["SINGLE_DIRECTORY"], &path)?;
            only(hls, "outputSelection", &["MANIFESTS_AND_SEGMENTS"], &path)?;
            only(hls, "imageBasedTrickPlay", &["NONE"], &path)?;
            let kind = GroupKind::Hls {
                segment_seconds: number(hls, "segmentLength", &path)?.unwrap_or(10).max(1),
                integer_durations: hls["manifestDurationFormat"] == "INTEGER",
            };
            (kind, hls, path)
        }
        "FILE_GROUP_SETTINGS" => {
            (GroupKind::File, &settings["fileGroupSettings"], format!("{path_of_settings}/fileGroupSettings"))
        }
        "DASH_ISO_GROUP_SETTINGS" => {
            let (dash, path) = (&settings["dashIsoGroupSettings"], format!("{path_of_settings}/dashIsoGroupSettings"));
            refuse_keys(dash, &path, &["encryption", "additionalManifests"])?;
            only(dash, "segmentControl", &["SEGMENTED_FILES"], &path)?;
            only(dash, "hbbtvCompliance", &["NONE"], &path)?;
            only(dash, "imageBasedTrickPlay", &["NONE"], &path)?;
            let length = number(dash, "segmentLength", &path)?;
            let (Some(segment_seconds), Some(_)) = (length, number(dash, "fragmentLength", &path)?) else {
                return refuse(path, "should have a segmentLength and a fragmentLength");
            };
            (GroupKind::Dash { segment_seconds: segment_seconds.max(1) }, dash, path)
        }
        other => {
            return refuse(
                format!("{path_of_settings}/type"),
                format!(
                    "the sandbox makes HLS_GROUP_SETTINGS, DASH_ISO_GROUP_SETTINGS and FILE_GROUP_SETTINGS, not \"{other}\""
                ),
            );
        }
    };
    let destination = detail["destination"].as_str().unwrap_or_default();
    let Some(mut destination) = S3Uri::parse(destination) else {
        return refuse(
            format!("{detail_path}/destination"),
            format!("should be a place in S3 (s3://bucket/path/), but is \"{destination}\""),
        );
    };
    if destination.key.is_empty() || destination.key.ends_with('/') {
        destination.key.push_str(source.base_name());
    }
    let outputs = list(group, "outputs");
    if outputs.is_empty() {
        return refuse(format!("{path}/outputs"), "should have at least 1 output");
    }
    let outputs: Vec<Output> = outputs
        .iter()
        .enumerate()
        .map(|(index, output)| read_output(output, &format!("{path}/outputs/{index}"), &kind))
        .collect::<Result<_, _>>()?;
    for (index, output) in outputs.iter().enumerate() {
        if outputs[..index].iter().any(|other| other.name_modifier == output.name_modifier) {
            return refuse(
                format!("{path}/outputs/{index}/nameModifier"),
                "should be different for each output of a group",
            );
        }
    }
    Ok(Group { destination, kind, outputs })
}

fn read_output(output: &Value, path: &str, group: &GroupKind) -> Result<Output, Refusal> {
    refuse_keys(output, path, &["captionDescriptions", "preset"])?;
    let container = output["containerSettings"]["container"].as_str().unwrap_or_default();
    let video = match &output["videoDescription"] {
        Value::Null => None,
        video => Some(read_video(video, &format!("{path}/videoDescription"))?),
    };
    let captures = matches!(video, Some(Video { codec: VideoCodec::FrameCapture { .. }, .. }));
    let fits = match group {
        GroupKind::Hls { .. } => container == "M3U8" && !captures,
        GroupKind::Dash { .. } => container == "MPD" && !captures,
        GroupKind::File => container == if captures { "RAW" } else { "MP4" },
    };
    if !fits {
        return refuse(
            format!("{path}/containerSettings/container"),
            format!(
                "the sandbox makes M3U8 in HLS groups, MPD in DASH groups, MP4 and (for frame capture) RAW in file groups, not \"{container}\" here"
            ),
        );
    }
    let audio = match list(output, "audioDescriptions") {
        [] => None,
        [audio] => Some(read_audio(audio, &format!("{path}/audioDescriptions/0"))?),
        more => {
            return refuse(
                format!("{path}/audioDescriptions"),
                format!("the sandbox makes one audio track an output, not {}", more.len()),
            );
        }
    };
    if video.is_none() && audio.is_none() {
        return refuse(path, "should have a videoDescription or audioDescriptions");
    }
    if matches!(group, GroupKind::Dash { .. }) && video.is_some() && audio.is_some() {
        return refuse(path, "should have a videoDescription or audioDescriptions, not both, in a DASH group");
    }
    Ok(Output { name_modifier: output["nameModifier"].as_str().unwrap_or_default().to_owned(), video, audio })
}

fn read_video(video: &Value, path: &str) -> Result<Video, Refusal> {
    refuse_keys(video, path, &["crop", "position"])?;
    if let Some(preprocessors) = video.get("videoPreprocessors").and_then(Value::as_object)
        && let Some(name) = preprocessors.keys().find(|name| *name != "deinterlacer")
    {
        return refuse(format!("{path}/videoPreprocessors/{name}"), "the sandbox has no such preprocessor");
    }
    let codec = &video["codecSettings"];
    let codec_path = format!("{path}/codecSettings");
    let codec = match codec["codec"].as_str().unwrap_or_default() {
        "H_264" => VideoCodec::H264(read_h264(&codec["h264Settings"], &format!("{codec_path}/h264Settings"))?),
        "FRAME_CAPTURE" => {
            let (capture, path) = (&codec["frameCaptureSettings"], format!("{codec_path}/frameCaptureSettings"));
            VideoCodec::FrameCapture {
                numerator: number(capture, "framerateNumerator", &path)?.unwrap_or(1).max(1),
                denominator: number(capture, "framerateDenominator", &path)?.unwrap_or(5).max(1),
                max: u64::from(number(capture, "maxCaptures", &path)?.unwrap_or(10_000_000)),
                quality: number(capture, "quality", &path)?.unwrap_or(80).clamp(1, 100),
            }
        }
        other => {
            return refuse(
                format!("{codec_path}/codec"),
                format!("the sandbox encodes H_264 and FRAME_CAPTURE, not \"{other}\""),
            );
        }
    };
    Ok(Video {
        width: number(video, "width", path)?,
        height: number(video, "height", path)?,
        scaling: field(video, "scalingBehavior", path)?.unwrap_or_default(),
        codec,
    })
}

fn read_h264(h264: &Value, path: &str) -> Result<H264, Refusal> {
    let profile = match h264["codecProfile"].as_str().unwrap_or("HIGH") {
        "BASELINE" => "baseline",
        "MAIN" => "main",
        "HIGH" => "high",
        other => {
            return refuse(
                format!("{path}/codecProfile"),
                format!("the sandbox encodes BASELINE, MAIN and HIGH, not \"{other}\""),
            );
        }
    };
    only(h264, "interlaceMode", &["PROGRESSIVE"], path)?;
    let max = number(h264, "maxBitrate", path)?;
    let bitrate = number(h264, "bitrate", path)?;
    let buffer = number(h264, "hrdBufferSize", path)?;
    let need = |value: Option<u32>, key: &str| {
        value.map_or_else(|| refuse(format!("{path}/{key}"), "should be set for this rateControlMode"), Ok)
    };
    let rate = match h264["rateControlMode"].as_str().unwrap_or("VBR") {
        "QVBR" => {
            let max = need(max, "maxBitrate")?;
            let qvbr_path = format!("{path}/qvbrSettings");
            let level = number(&h264["qvbrSettings"], "qvbrQualityLevel", &qvbr_path)?.unwrap_or(7).clamp(1, 10);
            Rate::Qvbr { level, max, buffer: buffer.unwrap_or(max.saturating_mul(2)) }
        }
        "CBR" => {
            let bitrate = need(bitrate, "bitrate")?;
            Rate::Cbr { bitrate, buffer: buffer.unwrap_or(bitrate.saturating_mul(2)) }
        }
        "VBR" => {
            let bitrate = need(bitrate, "bitrate")?;
            let max = max.unwrap_or(bitrate.saturating_mul(3) / 2);
            Rate::Vbr { bitrate, max, buffer: buffer.unwrap_or(max.saturating_mul(2)) }
        }
        other => {
            return refuse(format!("{path}/rateControlMode"), format!("should be QVBR, VBR or CBR, not \"{other}\""));
        }
    };
    let size = h264["gopSize"].as_f64().filter(|size| *size > 0.0);
    let gop = match (h264["gopSizeUnits"].as_str(), size) {
        (Some("SECONDS"), Some(size)) => Gop::Seconds(size),
        (Some("FRAMES") | None, Some(size)) => Gop::Frames(size),
        _ => Gop::Seconds(2.0),
    };
    let frame_rate = if h264["framerateControl"] == "SPECIFIED" {
        let numerator = need(number(h264, "framerateNumerator", path)?, "framerateNumerator")?;
        let denominator = need(number(h264, "framerateDenominator", path)?, "framerateDenominator")?;
        Some((numerator.max(1), denominator.max(1)))
    } else {
        None
    };
    Ok(H264 { profile, rate, gop, frame_rate })
}

fn read_audio(audio: &Value, path: &str) -> Result<Audio, Refusal> {
    let codec = &audio["codecSettings"];
    let path = format!("{path}/codecSettings");
    only(codec, "codec", &["AAC"], &path)?;
    let (aac, path) = (&codec["aacSettings"], format!("{path}/aacSettings"));
    let channels = match aac["codingMode"].as_str().unwrap_or("CODING_MODE_2_0") {
        "CODING_MODE_1_0" => 1,
        "CODING_MODE_2_0" => 2,
        "CODING_MODE_5_1" => 6,
        other => {
            return refuse(
                format!("{path}/codingMode"),
                format!("the sandbox makes mono, stereo and 5.1, not \"{other}\""),
            );
        }
    };
    Ok(Audio {
        bitrate: number(aac, "bitrate", &path)?.unwrap_or(96_000).max(6_000),
        sample_rate: number(aac, "sampleRate", &path)?.unwrap_or(48_000),
        channels,
        wants_he_aac: matches!(aac["codecProfile"].as_str(), Some("HEV1" | "HEV2")),
    })
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    }
}

/// Settings that would change what is seen or heard, and that the sandbox does not have.
fn refuse_keys(value: &Value, path: &str, keys: &[&str]) -> Result<(), Refusal> {
    match keys.iter().find(|key| value.get(**key).is_some_and(is_set)) {
        None => Ok(()),
        Some(key) => refuse(
            format!("{path}/{key}"),
            "the sandbox's encoder (ffmpeg) does not do this; remove it to run the job here",
        ),
    }
}

fn only(value: &Value, key: &str, allowed: &[&str], path: &str) -> Result<(), Refusal> {
    match value.get(key).and_then(Value::as_str) {
        Some(given) if !allowed.contains(&given) => {
            refuse(format!("{path}/{key}"), format!("the sandbox does {}, not \"{given}\"", allowed.join(", ")))
        }
        _ => Ok(()),
    }
}

fn number(value: &Value, key: &str, path: &str) -> Result<Option<u32>, Refusal> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(given) => match given.as_u64().and_then(|number| u32::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => refuse(format!("{path}/{key}"), format!("should be a whole number, but is {given}")),
        },
    }
}

fn field<T: serde::de::DeserializeOwned>(value: &Value, key: &str, path: &str) -> Result<Option<T>, Refusal> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(given) => match T::deserialize(given) {
            Ok(parsed) => Ok(Some(parsed)),
            Err(_) => refuse(format!("{path}/{key}"), format!("has a value that MediaConvert does not know: {given}")),
        },
    }
}
