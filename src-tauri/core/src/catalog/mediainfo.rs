//! `srcMediainfo`: a JSON text whose duration is in seconds today and was in milliseconds before version 4.3.

use serde_json::Value;

pub(super) struct MediaInfo(Value);

impl MediaInfo {
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    pub fn size(&self) -> Option<(u32, u32)> {
        let video = &self.0["video"][0];
        let side = |name: &str| video[name].as_f64().map(|number| number as u32);
        Some((side("width")?, side("height")?))
    }

    /// Seconds. Frames over the frame rate tell the unit; without them, a whole number is one of milliseconds.
    pub fn duration(&self) -> Option<f64> {
        let video = &self.0["video"][0];
        let given = &self.0["container"]["duration"];
        let value = given.as_f64().or_else(|| video["duration"].as_f64()).filter(|value| *value > 0.0)?;
        let frames = video["frameCount"].as_f64().zip(video["framerate"].as_f64().filter(|rate| *rate > 0.0));
        let in_milliseconds = match frames {
            Some((count, rate)) => {
                let expected = count / rate;
                (value / 1000.0 - expected).abs() < (value - expected).abs()
            }
            None => given.is_i64() && value > 1000.0,
        };
        Some(if in_milliseconds { value / 1000.0 } else { value })
    }
}
