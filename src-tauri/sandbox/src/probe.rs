//! What a file is, as ffprobe tells it.

use std::path::Path;

use serde::Deserialize;

use crate::ffmpeg::Ffmpeg;

/// A media file: its container and its streams.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Media {
    pub format: Format,
    pub streams: Vec<Stream>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Format {
    pub format_name: String,
    pub format_long_name: String,
    pub duration: Option<String>,
    pub size: Option<String>,
    pub bit_rate: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Stream {
    pub codec_type: String,
    pub codec_name: String,
    pub profile: String,
    pub width: u32,
    pub height: u32,
    pub level: i32,
    pub sample_aspect_ratio: String,
    pub pix_fmt: String,
    pub bits_per_raw_sample: String,
    pub field_order: String,
    pub r_frame_rate: String,
    pub avg_frame_rate: String,
    pub nb_frames: String,
    pub duration: Option<String>,
    pub bit_rate: Option<String>,
    pub channels: u32,
    pub sample_rate: String,
    pub tags: std::collections::HashMap<String, String>,
    pub disposition: Disposition,
    pub side_data_list: Vec<SideData>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Disposition {
    pub attached_pic: u8,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SideData {
    pub rotation: Option<f64>,
}

impl Media {
    /// The picture: the first video stream that is not a cover image.
    pub fn video(&self) -> Option<&Stream> {
        self.streams.iter().find(|stream| stream.codec_type == "video" && stream.disposition.attached_pic == 0)
    }

    pub fn audio(&self) -> impl Iterator<Item = &Stream> {
        self.streams.iter().filter(|stream| stream.codec_type == "audio")
    }

    /// Seconds, where the container or the picture tells.
    pub fn duration(&self) -> Option<f64> {
        let parse = |text: &Option<String>| text.as_ref()?.parse::<f64>().ok();
        parse(&self.format.duration).or_else(|| parse(&self.video()?.duration)).filter(|seconds| *seconds > 0.0)
    }
}

impl Stream {
    /// Pixels' width over height; 1 where the stream does not say.
    pub fn pixel_aspect(&self) -> f64 {
        ratio(&self.sample_aspect_ratio.replace(':', "/")).filter(|ratio| *ratio > 0.0).unwrap_or(1.0)
    }

    /// Degrees by which a player turns the picture, counter-clockwise: 0, 90, 180 or 270.
    pub fn rotation(&self) -> u32 {
        let degrees = self.side_data_list.iter().find_map(|data| data.rotation).unwrap_or(0.0).round();
        (degrees.rem_euclid(360.0)) as u32
    }

    pub fn is_interlaced(&self) -> bool {
        matches!(self.field_order.as_str(), "tt" | "bb" | "tb" | "bt")
    }

    /// Frames a second as a fraction; for a variable rate the standard rate nearest to the average.
    pub fn frame_rate(&self) -> (u32, u32) {
        let average = ratio(&self.avg_frame_rate).filter(|rate| *rate > 0.0);
        let base = ratio(&self.r_frame_rate).filter(|rate| *rate > 0.0);
        match (average, base) {
            (Some(average), Some(base)) if (average - base).abs() / base < 0.001 => {
                fraction(&self.r_frame_rate).unwrap_or((30, 1))
            }
            (Some(rate), _) | (None, Some(rate)) => nearest_standard_rate(rate),
            (None, None) => (30, 1),
        }
    }
}

fn nearest_standard_rate(rate: f64) -> (u32, u32) {
    const STANDARD: [(u32, u32); 10] =
        [(12, 1), (15, 1), (24_000, 1001), (24, 1), (25, 1), (30_000, 1001), (30, 1), (50, 1), (60_000, 1001), (60, 1)];
    let away = |(n, d): (u32, u32)| (f64::from(n) / f64::from(d) - rate).abs();
    STANDARD.into_iter().min_by(|a, b| away(*a).total_cmp(&away(*b))).unwrap_or((30, 1))
}

fn fraction(text: &str) -> Option<(u32, u32)> {
    let (n, d) = text.split_once('/')?;
    let (n, d) = (n.parse().ok()?, d.parse().ok()?);
    (n > 0 && d > 0).then_some((n, d))
}

fn ratio(text: &str) -> Option<f64> {
    let (n, d) = text.split_once('/')?;
    let (n, d): (f64, f64) = (n.parse().ok()?, d.parse().ok()?);
    (d > 0.0).then_some(n / d)
}

/// Reads what the file is; the error is ffprobe's own last line.
pub(crate) async fn probe(ffmpeg: &Ffmpeg, file: &Path) -> Result<Media, String> {
    let output = tokio::process::Command::new(&ffmpeg.ffprobe)
        .args(["-v", "error", "-print_format", "json", "-show_format", "-show_streams", "-i"])
        .arg(file)
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(text.lines().last().unwrap_or("ffprobe could not read it").to_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}
