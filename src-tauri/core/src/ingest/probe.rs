//! What a file is, before a byte of it is sent.

use std::path::Path;
use std::process::Stdio;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use crate::{Code, Error, Result};

/// A video file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Media {
    /// ffprobe's names of the container.
    pub container: String,
    /// Seconds.
    pub duration: f64,
    /// The video codec.
    pub video_codec: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Degrees that a player turns the picture by.
    pub rotation: i32,
    /// The audio codec; none for a silent film.
    pub audio_codec: Option<String>,
}

/// Formats that ffprobe sees in pictures and in plain text.
fn is_no_film(container: &str) -> bool {
    container.ends_with("_pipe")
        || matches!(container, "image2" | "tty" | "gif" | "ico" | "lrc" | "srt" | "webvtt" | "ass")
}

/// Looks at the file with ffprobe.
///
/// # Errors
/// [`Code::NotAVideo`] with the reason, [`Code::NoFfmpeg`] where ffprobe is missing.
pub(super) async fn probe(path: &Path) -> Result<Media> {
    let shown = crate::shown(path);
    let output = tokio::process::Command::new("ffprobe")
        .args(["-v", "error", "-print_format", "json", "-show_format", "-show_streams", "-i"])
        // A name such as "concat:a" or "-x" is a file here, never a protocol or an option.
        .arg(format!("file:{}", path.display()))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => no_ffmpeg(),
            _ => Error::internal(error),
        })?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if !output.status.success() {
        let reason = if said.contains("moov atom not found") {
            "it is cut off or still being written (its index is missing)"
        } else {
            "no video can be found in it"
        };
        return Err(not_a_video(&shown, reason).with_details(said));
    }
    let value: Value = serde_json::from_slice(&output.stdout).map_err(Error::internal)?;
    read(&value).map_err(|reason| not_a_video(&shown, reason).with_details(said))
}

fn read(value: &Value) -> Result<Media, &'static str> {
    let container = value["format"]["format_name"].as_str().unwrap_or_default();
    let streams = value["streams"].as_array().map_or(&[][..], Vec::as_slice);
    let of = |kind: &str| {
        streams.iter().find(|stream| stream["codec_type"] == kind && stream["disposition"]["attached_pic"] != 1)
    };
    let Some(video) = of("video") else {
        return Err(if of("audio").is_some() {
            "it has sound only, no picture"
        } else {
            "no video can be found in it"
        });
    };
    if is_no_film(container) {
        return Err("it is a picture or a text, not a film");
    }
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<f64>().ok());
    let duration = number(&value["format"]["duration"]).or_else(|| number(&video["duration"])).unwrap_or(0.0);
    let side = |name: &str| video[name].as_u64().and_then(|side| u32::try_from(side).ok()).unwrap_or(0);
    let (width, height) = (side("width"), side("height"));
    if width == 0 || height == 0 {
        return Err("its picture cannot be read");
    }
    if duration <= 0.0 && container != "h264" {
        return Err("it has no duration: it is damaged or still being written");
    }
    let rotation = video["side_data_list"].as_array().into_iter().flatten().find_map(|data| data["rotation"].as_f64());
    Ok(Media {
        container: container.to_owned(),
        duration,
        video_codec: video["codec_name"].as_str().unwrap_or_default().to_owned(),
        width,
        height,
        rotation: rotation.unwrap_or(0.0) as i32,
        audio_codec: of("audio").and_then(|audio| audio["codec_name"].as_str()).map(str::to_owned),
    })
}

fn not_a_video(shown: &str, reason: &str) -> Error {
    Error::new(
        Code::NotAVideo,
        format!("\"{shown}\" is not a video that can be encoded: {reason}."),
        "Check that it plays on this computer, export it again if it does not, then add it.",
    )
}

/// ffmpeg is missing: one sentence with the command that installs it.
pub(crate) fn no_ffmpeg() -> Error {
    let command = if cfg!(target_os = "macos") {
        "brew install ffmpeg"
    } else if cfg!(windows) {
        "winget install ffmpeg"
    } else {
        "sudo apt install ffmpeg"
    };
    Error::new(
        Code::NoFfmpeg,
        "ffmpeg is not installed on this computer.",
        format!("Install it with \"{command}\", then retry."),
    )
}
