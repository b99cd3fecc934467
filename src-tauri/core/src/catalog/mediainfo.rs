//! `srcMediainfo`: a JSON text whose duration is in seconds today and was in milliseconds before version 4.3.

use serde_json::Value;

pub(super) struct MediaInfo(Value);

/// Tracks that are told of in words.
const MOST_LINES: usize = 20;

/// Bits a second, in words.
fn bitrate(bits: f64) -> String {
    if bits >= 1e6 { format!("{:.1} Mb/s", bits / 1e6) } else { format!("{:.0} kb/s", bits / 1e3) }
}

impl MediaInfo {
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    pub fn size(&self) -> Option<(u32, u32)> {
        let video = &self.0["video"][0];
        let side = |name: &str| video[name].as_f64().map(|number| number as u32);
        Some((side("width")?, side("height")?))
    }

    /// Seconds of the whole.
    pub fn duration(&self) -> Option<f64> {
        let video = &self.0["video"][0];
        let given = self.0["container"]["duration"].as_f64().or_else(|| video["duration"].as_f64());
        self.seconds(given?)
    }

    /// Seconds of the picture, which may be less than those of the sound.
    pub fn picture_duration(&self) -> Option<f64> {
        self.seconds(self.0["video"][0]["duration"].as_f64()?)
    }

    /// Whether it has tracks of text.
    pub fn has_captions(&self) -> bool {
        self.0["text"].as_array().is_some_and(|tracks| !tracks.is_empty())
    }

    /// Whether its picture has a high dynamic range: PQ (SMPTE ST 2084), HLG, or what is made of them.
    pub fn is_hdr(&self) -> bool {
        const WORDS: [&str; 5] = ["2084", "PQ", "HLG", "HDR", "Dolby Vision"];
        let Some(video) = self.0["video"][0].as_object() else { return false };
        video.values().filter_map(Value::as_str).any(|text| WORDS.iter().any(|word| text.contains(word)))
    }

    /// In words: the container, and each track.
    pub fn in_words(&self) -> Vec<String> {
        let text = |of: &Value, name: &str| of[name].as_str().map(str::to_owned);
        let rate = |of: &Value, name: &str| of[name].as_f64().filter(|rate| *rate > 0.0).map(bitrate);
        let join = |parts: Vec<Option<String>>| parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let container = &self.0["container"];
        let mut lines = vec![join(vec![text(container, "format"), rate(container, "totalBitrate")])];
        let tracks = |name: &str| self.0[name].as_array().cloned().unwrap_or_default();
        for video in tracks("video") {
            let codec = join(vec![text(&video, "codec"), text(&video, "profile")]).replace(", ", " ");
            let size = video["width"].as_u64().zip(video["height"].as_u64());
            lines.push(join(vec![
                Some(codec).filter(|codec| !codec.is_empty()),
                size.map(|(width, height)| format!("{width} × {height}")),
                video["framerate"].as_f64().map(|rate| format!("{rate} fps")),
                text(&video, "scanType").map(|scan| scan.to_lowercase()),
                video["bitDepth"].as_u64().map(|bits| format!("{bits} bit")),
                text(&video, "colorSpace"),
                rate(&video, "bitrate"),
            ]));
        }
        for audio in tracks("audio") {
            let channels = |count: u64| format!("{count} {}", if count == 1 { "channel" } else { "channels" });
            lines.push(join(vec![
                text(&audio, "codec"),
                audio["channels"].as_u64().map(channels),
                audio["samplingRate"].as_f64().map(|rate| format!("{} kHz", rate / 1000.0)),
                rate(&audio, "bitrate"),
                text(&audio, "language"),
            ]));
        }
        lines.extend(tracks("text").iter().map(|track| join(vec![text(track, "format"), text(track, "language")])));
        lines.retain(|line| !line.is_empty());
        lines.truncate(MOST_LINES);
        lines
    }

    /// Frames over the frame rate tell the unit; without them, a large whole number is one of milliseconds.
    fn seconds(&self, value: f64) -> Option<f64> {
        let video = &self.0["video"][0];
        let frames = video["frameCount"].as_f64().zip(video["framerate"].as_f64().filter(|rate| *rate > 0.0));
        let expected = frames.map(|(count, rate)| count / rate).filter(|seconds| *seconds > 0.0);
        let in_milliseconds = match expected {
            // By how many times it is off: sound that is longer than the picture is still of the same unit.
            Some(expected) => (value / 1000.0 / expected).ln().abs() < (value / expected).ln().abs(),
            None => value.fract() == 0.0 && value > 1000.0 && self.0["container"]["duration"].is_i64(),
        };
        (value > 0.0).then(|| if in_milliseconds { value / 1000.0 } else { value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_and_dynamic_range() {
        let of = |text: &str| MediaInfo::parse(text).map(|info| (info.has_captions(), info.is_hdr()));
        assert_eq!(of(r#"{"video":[{"colorSpace":"YUV 4:2:0"}],"text":[]}"#), Some((false, false)));
        assert_eq!(of(r#"{"video":[{"transfer":"SMPTE ST 2084"}],"text":[{"format":"EIA-608"}]}"#), Some((true, true)));
        assert_eq!(of(r#"{"video":7,"text":"none"}"#), Some((false, false)));
    }

    #[test]
    fn told_in_words() {
        let info = MediaInfo::parse(
            r#"{"container":{"format":"MPEG-4","totalBitrate":1600000},
                "video":[{"codec":"AVC","profile":"High","width":1280,"height":720,"framerate":25.0,"scanType":"Progressive"}],
                "audio":[{"codec":"AAC","channels":1,"samplingRate":44100,"bitrate":96000}, 5, {}],
                "text":"none"}"#,
        );
        let words =
            ["MPEG-4, 1.6 Mb/s", "AVC High, 1280 × 720, 25 fps, progressive", "AAC, 1 channel, 44.1 kHz, 96 kb/s"];
        assert_eq!(info.unwrap().in_words(), words);
        assert_eq!(MediaInfo::parse("[1]").unwrap().in_words(), [""; 0]);
    }

    #[test]
    fn units_are_told_by_the_frames() {
        let of = |whole: f64, picture: f64| {
            let video = serde_json::json!([{ "duration": picture, "frameCount": 50, "framerate": 25.0 }]);
            let info = serde_json::json!({ "container": { "duration": whole }, "video": video }).to_string();
            let info = MediaInfo::parse(&info).unwrap();
            (info.duration().unwrap(), info.picture_duration().unwrap())
        };
        assert_eq!(of(2.0, 2.0), (2.0, 2.0));
        assert_eq!(of(2000.0, 2000.0), (2.0, 2.0));
        assert_eq!(of(6.0, 2.0), (6.0, 2.0), "sound that is longer");
        assert_eq!(of(6000.0, 2000.0), (6.0, 2.0));
    }
}
