//! `srcMediainfo`: what MediaInfo would say of a file, from what ffprobe says.

use serde_json::{Map, Value, json};

use crate::probe::{Media, Stream};

/// The JSON text of the attribute.
pub(crate) fn describe(key: &str, size: i64, media: &Media) -> String {
    let duration = media.duration();
    let info = json!({
        "filename": key,
        "container": tidy(json!({
            "format": container_name(media),
            "fileSize": size,
            "duration": duration,
            "totalBitrate": media.format.bit_rate.as_deref().and_then(integer),
        })),
        "video": media.video().into_iter().map(|stream| video(stream, duration)).collect::<Vec<_>>(),
        "audio": media.audio().map(|stream| audio(stream, duration)).collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&info).unwrap_or_default()
}

fn container_name(media: &Media) -> &str {
    match media.format.format_name.split(',').next() {
        Some("mov") => "MPEG-4",
        Some("matroska") => "Matroska",
        Some("mpegts") => "MPEG-TS",
        _ => &media.format.format_long_name,
    }
}

fn video(stream: &Stream, duration: Option<f64>) -> Value {
    let (numerator, denominator) = stream.frame_rate();
    let aspect = f64::from(stream.width) * stream.pixel_aspect() / f64::from(stream.height.max(1));
    tidy(json!({
        "codec": if stream.codec_name == "h264" { "AVC" } else { &stream.codec_name },
        "profile": (!stream.profile.is_empty()).then_some(&stream.profile),
        "bitrate": stream.bit_rate.as_deref().and_then(integer),
        "duration": stream.duration.as_deref().and_then(|text| text.parse::<f64>().ok()).or(duration),
        "frameCount": integer(&stream.nb_frames),
        "width": stream.width,
        "height": stream.height,
        "framerate": (f64::from(numerator) / f64::from(denominator) * 1000.0).round() / 1000.0,
        "scanType": if stream.is_interlaced() { "Interlaced" } else { "Progressive" },
        "aspectRatio": format!("{aspect:.3}"),
        "bitDepth": integer(&stream.bits_per_raw_sample).unwrap_or(8),
        "colorSpace": if stream.pix_fmt.starts_with("yuv420") { Some("YUV 4:2:0") } else { None },
    }))
}

fn audio(stream: &Stream, duration: Option<f64>) -> Value {
    tidy(json!({
        "codec": stream.codec_name.to_uppercase(),
        "bitrate": stream.bit_rate.as_deref().and_then(integer),
        "duration": stream.duration.as_deref().and_then(|text| text.parse::<f64>().ok()).or(duration),
        "frameCount": integer(&stream.nb_frames),
        "language": stream.tags.get("language").filter(|language| *language != "und"),
        "channels": stream.channels,
        "samplingRate": integer(&stream.sample_rate),
    }))
}

fn integer(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// MediaInfo leaves out what it does not know.
fn tidy(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            Value::Object(map.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
        }
        other => other,
    }
}
