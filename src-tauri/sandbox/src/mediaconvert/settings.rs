//! Job settings: the part of MediaConvert's that the sandbox can encode, read into types; everything
//! that it cannot is refused with the path of the setting, as MediaConvert words its refusals.
//!
//! Source: MediaConvert API Reference, `JobSettings`.

mod read;

use serde::Deserialize;

/// A refusal: the path of the setting and what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub(crate) struct Refusal {
    path: String,
    reason: String,
}

/// A place in S3: a bucket and a key or the beginning of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct S3Uri {
    pub bucket: String,
    pub key: String,
}

impl S3Uri {
    pub fn parse(text: &str) -> Option<Self> {
        let (bucket, key) = text.strip_prefix("s3://")?.split_once('/')?;
        (!bucket.is_empty()).then(|| Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    /// The file name without its extension.
    pub fn base_name(&self) -> &str {
        let name = self.key.rsplit('/').next().unwrap_or(&self.key);
        name.rsplit_once('.').map_or(name, |(base, _)| base)
    }
}

impl std::fmt::Display for S3Uri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// What a job makes of one input.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub input: S3Uri,
    pub rotate: Rotate,
    /// A track that an audio selector asks for by its number (from 1).
    pub audio_track: Option<usize>,
    pub groups: Vec<Group>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Rotate {
    #[default]
    #[serde(rename = "DEGREE_0")]
    None,
    #[serde(rename = "DEGREES_90")]
    Quarter,
    #[serde(rename = "DEGREES_180")]
    Half,
    #[serde(rename = "DEGREES_270")]
    ThreeQuarters,
    Auto,
}

#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Where its files go: folder and base name.
    pub destination: S3Uri,
    pub kind: GroupKind,
    pub outputs: Vec<Output>,
}

impl Group {
    /// The beginning of the names of its files.
    pub fn base(&self) -> &str {
        self.destination.key.rsplit('/').next().unwrap_or_default()
    }
}

#[derive(Clone, Debug)]
pub(crate) enum GroupKind {
    Hls {
        segment_seconds: u32,
        integer_durations: bool,
    },
    File,
    /// One manifest over all outputs, each of which is one stream.
    Dash {
        segment_seconds: u32,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub name_modifier: String,
    pub video: Option<Video>,
    pub audio: Option<Audio>,
}

#[derive(Clone, Debug)]
pub(crate) struct Video {
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub scaling: Scaling,
    pub codec: VideoCodec,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Scaling {
    #[default]
    Default,
    StretchToOutput,
    Fit,
    FitNoUpscale,
    Fill,
}

#[derive(Clone, Debug)]
pub(crate) enum VideoCodec {
    H264(H264),
    /// One JPEG every `denominator / numerator` seconds.
    FrameCapture {
        numerator: u32,
        denominator: u32,
        max: u64,
        quality: u32,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct H264 {
    pub profile: &'static str,
    pub rate: Rate,
    pub gop: Gop,
    /// Frames a second, where the settings fix them.
    pub frame_rate: Option<(u32, u32)>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Rate {
    /// Constant quality under a ceiling, bits a second.
    Qvbr {
        level: u32,
        max: u32,
        buffer: u32,
    },
    Vbr {
        bitrate: u32,
        max: u32,
        buffer: u32,
    },
    Cbr {
        bitrate: u32,
        buffer: u32,
    },
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Gop {
    Seconds(f64),
    Frames(f64),
}

#[derive(Clone, Debug)]
pub(crate) struct Audio {
    /// Bits a second.
    pub bitrate: u32,
    pub sample_rate: u32,
    pub channels: u32,
    /// The settings ask for HE-AAC, which ffmpeg's own encoder does not make.
    pub wants_he_aac: bool,
}
