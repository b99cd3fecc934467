//! HLS playlists as MediaConvert writes them. Source: RFC 8216 sections 4.3.4.2 (EXT-X-STREAM-INF) and
//! 4.3.2.1 (EXTINF); RFC 6381 for CODECS.

use std::io;
use std::path::Path;

use super::command::Made;

/// One rendition, measured.
pub(crate) struct Rendition {
    pub playlist: String,
    /// Peak bits a second.
    pub bandwidth: u64,
    pub average_bandwidth: u64,
    pub codecs: String,
    pub resolution: Option<(u32, u32)>,
    pub frame_rate: (u32, u32),
    /// Seconds.
    pub duration: f64,
    pub segments: Vec<String>,
}

/// Reads what ffmpeg wrote: its playlist, the sizes of the segments, the stream's own parameters.
pub(crate) fn measure(folder: &Path, made: &Made) -> io::Result<Rendition> {
    let playlist = format!("{}.m3u8", made.stem);
    let text = std::fs::read_to_string(folder.join(&playlist))?;
    let segments: Vec<(String, f64)> = segments(&text);
    let mut sizes = Vec::new();
    for (name, _) in &segments {
        sizes.push(std::fs::metadata(folder.join(name))?.len());
    }
    let durations: Vec<f64> = segments.iter().map(|(_, duration)| *duration).collect();
    let duration: f64 = durations.iter().sum();
    let target = durations.iter().fold(0.0_f64, |longest, one| longest.max(one.round())).max(1.0);
    let total: u64 = sizes.iter().sum();
    let average = (total as f64 * 8.0 / duration.max(0.001)).ceil() as u64;
    let mut codecs = Vec::new();
    if made.picture.is_some()
        && let Some((first, _)) = segments.first()
        && let Some(avc) = avc_codec(&std::fs::read(folder.join(first))?)
    {
        codecs.push(avc);
    }
    if made.has_audio {
        codecs.push("mp4a.40.2".to_owned());
    }
    Ok(Rendition {
        bandwidth: peak(&sizes, &durations, target).max(average),
        average_bandwidth: average,
        codecs: codecs.join(","),
        resolution: made.picture.map(|picture| (picture.width, picture.height)),
        frame_rate: made.frame_rate,
        duration,
        segments: segments.into_iter().map(|(name, _)| name).collect(),
        playlist,
    })
}

fn segments(text: &str) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    let mut duration = 0.0;
    for line in text.lines() {
        if let Some(info) = line.strip_prefix("#EXTINF:") {
            duration = info.split(',').next().and_then(|number| number.parse().ok()).unwrap_or(0.0);
        } else if !line.starts_with('#') && !line.is_empty() {
            found.push((line.to_owned(), duration));
        }
    }
    found
}

/// The peak segment bit rate: the largest of any run of segments whose duration is between half and one
/// and a half times the target duration (RFC 8216 section 4.1).
fn peak(sizes: &[u64], durations: &[f64], target: f64) -> u64 {
    let mut peak = 0.0_f64;
    for start in 0..sizes.len() {
        let (mut bytes, mut seconds) = (0, 0.0);
        for (size, duration) in sizes[start..].iter().zip(&durations[start..]) {
            bytes += size;
            seconds += duration;
            if seconds > target * 1.5 {
                break;
            }
            if seconds >= target * 0.5 {
                peak = peak.max(bytes as f64 * 8.0 / seconds);
            }
        }
    }
    peak.ceil() as u64
}

/// `avc1.PPCCLL` from the first sequence parameter set of a transport stream.
fn avc_codec(stream: &[u8]) -> Option<String> {
    const NAL_SPS: u8 = 7;
    stream
        .windows(7)
        .find(|bytes| bytes[..3] == [0, 0, 1] && bytes[3] & 0x1f == NAL_SPS)
        .map(|bytes| format!("avc1.{:02x}{:02x}{:02x}", bytes[4], bytes[5], bytes[6]))
}

/// The multivariant playlist.
pub(crate) fn multivariant(renditions: &[Rendition]) -> String {
    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    for rendition in renditions {
        text.push_str(&format!(
            "#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={}",
            rendition.bandwidth, rendition.average_bandwidth
        ));
        if !rendition.codecs.is_empty() {
            text.push_str(&format!(",CODECS=\"{}\"", rendition.codecs));
        }
        if let Some((width, height)) = rendition.resolution {
            let rate = f64::from(rendition.frame_rate.0) / f64::from(rendition.frame_rate.1);
            text.push_str(&format!(",RESOLUTION={width}x{height},FRAME-RATE={rate:.3}"));
        }
        text.push_str(&format!("\n{}\n", rendition.playlist));
    }
    text
}

/// The media playlist as MediaConvert writes it: no segment and no target lasts 0 s, also where a clip is shorter than half a
/// second (RFC 8216 section 4.3.3.1: the target is at least as long as each segment, in whole seconds). `are_whole`: durations in
/// whole seconds (`manifestDurationFormat` INTEGER).
pub(crate) fn with_durations(text: &str, are_whole: bool) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let duration = line.strip_prefix("#EXTINF:").filter(|_| are_whole);
        let target = line.strip_prefix("#EXT-X-TARGETDURATION:");
        lines.push(match (duration, target) {
            (Some(info), _) => {
                let seconds: f64 = info.split(',').next().and_then(|number| number.parse().ok()).unwrap_or(0.0);
                format!("#EXTINF:{},", seconds.round().max(1.0))
            }
            (None, Some("0")) => "#EXT-X-TARGETDURATION:1".to_owned(),
            _ => line.to_owned(),
        });
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_tail_does_not_make_the_peak() {
        // 3 s at 1 Mb/s, then 0.2 s at 4 Mb/s: the tail alone is shorter than half the target.
        let found = peak(&[375_000, 375_000, 100_000], &[3.0, 3.0, 0.2], 3.0);
        assert_eq!(found, ((375_000.0 + 100_000.0) * 8.0 / 3.2_f64).ceil() as u64);
    }

    #[test]
    fn codec_of_a_sequence_parameter_set() {
        assert_eq!(avc_codec(&[9, 0, 0, 0, 1, 0x67, 0x64, 0x00, 0x1f, 0xac]), Some("avc1.64001f".into()));
        assert_eq!(avc_codec(&[0, 0, 1, 0x65, 1, 2, 3, 4]), None);
    }

    #[test]
    fn durations_are_rounded_and_never_zero() {
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:2.960000,\na.ts\n#EXTINF:0.280000,\nb.ts\n";
        let whole = "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\na.ts\n#EXTINF:1,\nb.ts\n";
        assert_eq!((with_durations(text, true).as_str(), with_durations(text, false).as_str()), (whole, text));
        let short = "#EXTM3U\n#EXT-X-TARGETDURATION:0\n#EXTINF:0.300000,\na.ts\n";
        assert_eq!(with_durations(short, true), "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n");
        assert_eq!(with_durations(short, false), "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.300000,\na.ts\n");
    }
}
