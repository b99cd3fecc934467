//! How large a picture becomes, and how it gets there.
//!
//! Source: MediaConvert User Guide, "Scaling behavior".

use super::settings::{Rotate, Scaling, Video};
use crate::probe::Stream;

/// The source as a viewer sees it: square pixels, turned the right way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    pub width: u32,
    pub height: u32,
}

/// What the scaler has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fit {
    /// The size that the picture is scaled to.
    pub scaled: Picture,
    /// The size of the frame: larger than `scaled` where bars are added, smaller where it is cropped.
    pub frame: Picture,
}

impl Picture {
    pub fn of(stream: &Stream, rotate: Rotate) -> Self {
        let width = (f64::from(stream.width) * stream.pixel_aspect()).round() as u32;
        let turned = match rotate {
            Rotate::Auto => stream.rotation() % 180 == 90,
            Rotate::Quarter | Rotate::ThreeQuarters => true,
            Rotate::None | Rotate::Half => false,
        };
        if turned { Self { width: stream.height, height: width } } else { Self { width, height: stream.height } }
    }

    fn even(width: f64, height: f64) -> Self {
        let even = |length: f64| (((length / 2.0).round() as u32) * 2).max(2);
        Self { width: even(width), height: even(height) }
    }

    fn scaled_by(self, factor: f64) -> Self {
        Self::even(f64::from(self.width) * factor, f64::from(self.height) * factor)
    }
}

/// The fit of `source` into what the settings ask for.
pub(crate) fn fit(source: Picture, video: &Video) -> Fit {
    let exactly = |picture| Fit { scaled: picture, frame: picture };
    let (width, height) = (f64::from(source.width.max(1)), f64::from(source.height.max(1)));
    let frame = match (video.width, video.height) {
        (None, None) => return exactly(source.scaled_by(1.0)),
        (Some(w), None) => return exactly(Picture::even(f64::from(w), f64::from(w) * height / width)),
        (None, Some(h)) => return exactly(Picture::even(f64::from(h) * width / height, f64::from(h))),
        (Some(w), Some(h)) => Picture::even(f64::from(w), f64::from(h)),
    };
    let (across, down) = (f64::from(frame.width) / width, f64::from(frame.height) / height);
    match video.scaling {
        Scaling::StretchToOutput => exactly(frame),
        Scaling::Fit => exactly(source.scaled_by(across.min(down))),
        Scaling::FitNoUpscale => exactly(source.scaled_by(across.min(down).min(1.0))),
        Scaling::Default => {
            let scaled = source.scaled_by(across.min(down));
            let scaled = Picture { width: scaled.width.min(frame.width), height: scaled.height.min(frame.height) };
            Fit { scaled, frame }
        }
        Scaling::Fill => {
            let scaled = source.scaled_by(across.max(down));
            let scaled = Picture { width: scaled.width.max(frame.width), height: scaled.height.max(frame.height) };
            Fit { scaled, frame }
        }
    }
}

impl Fit {
    /// The filters that do it, in ffmpeg's notation.
    pub fn filters(self) -> String {
        let Self { scaled, frame } = self;
        let mut filters = format!("scale={}:{}:flags=bicubic", scaled.width, scaled.height);
        if scaled.width > frame.width || scaled.height > frame.height {
            filters.push_str(&format!(",crop={}:{}", frame.width, frame.height));
        } else if scaled != frame {
            filters.push_str(&format!(",pad={}:{}:(ow-iw)/2:(oh-ih)/2", frame.width, frame.height));
        }
        filters + ",setsar=1"
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::{Gop, H264, Rate, VideoCodec};
    use super::*;

    fn video(width: Option<u32>, height: Option<u32>, scaling: Scaling) -> Video {
        let rate = Rate::Cbr { bitrate: 1, buffer: 1 };
        let codec = VideoCodec::H264(H264 { profile: "high", rate, gop: Gop::Seconds(2.0), frame_rate: None });
        Video { width, height, scaling, codec }
    }

    #[track_caller]
    fn check(
        source: (u32, u32),
        asked: (Option<u32>, Option<u32>),
        scaling: Scaling,
        scaled: (u32, u32),
        frame: (u32, u32),
    ) {
        let picture = |(width, height)| Picture { width, height };
        let found = fit(picture(source), &video(asked.0, asked.1, scaling));
        assert_eq!(found, Fit { scaled: picture(scaled), frame: picture(frame) });
    }

    #[test]
    fn pictures_fit() {
        let full = (Some(1280), Some(720));
        check((1920, 1080), full, Scaling::Default, (1280, 720), (1280, 720));
        // Portrait gets bars at its sides, and is cropped or shrunk where the settings say so.
        check((1080, 1920), full, Scaling::Default, (406, 720), (1280, 720));
        check((1080, 1920), full, Scaling::Fit, (406, 720), (406, 720));
        check((1080, 1920), full, Scaling::Fill, (1280, 2276), (1280, 720));
        check((1080, 1920), full, Scaling::StretchToOutput, (1280, 720), (1280, 720));
        // A small source grows only where the settings ask.
        check((320, 180), full, Scaling::Default, (1280, 720), (1280, 720));
        check((320, 180), full, Scaling::FitNoUpscale, (320, 180), (320, 180));
        // Odd sizes become even; a missing side follows the aspect.
        check((321, 181), (None, None), Scaling::Default, (322, 182), (322, 182));
        check((1920, 1080), (Some(640), None), Scaling::Default, (640, 360), (640, 360));
        check((1920, 1080), (None, Some(540)), Scaling::Default, (960, 540), (960, 540));
    }
}
