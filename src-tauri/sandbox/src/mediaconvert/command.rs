//! One ffmpeg command for a whole job: one decode, every output.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::geometry::{Fit, Picture, fit};
use super::settings::{Audio, Gop, Group, GroupKind, H264, Output, Plan, Rate, Rotate, Video, VideoCodec};
use crate::probe::{Media, Stream};

/// What the command makes, in the order of the plan.
pub(crate) struct Command {
    pub arguments: Vec<OsString>,
    pub groups: Vec<MadeGroup>,
}

pub(crate) struct MadeGroup {
    /// The folder, below the work folder, that the group's files are written to.
    pub folder: PathBuf,
    pub outputs: Vec<Made>,
}

/// One output, as it will be found on disk.
#[derive(Clone)]
pub(crate) struct Made {
    /// `<base><modifier>`: the beginning of all its file names.
    pub stem: String,
    pub extension: &'static str,
    pub picture: Option<Picture>,
    pub frame_rate: (u32, u32),
    pub has_audio: bool,
    pub captures: bool,
}

/// Builds the command that runs `plan` on a file of this kind; outputs go below `work`.
pub(crate) fn build(plan: &Plan, media: &Media, file: &Path, work: &Path) -> Command {
    let mut filters = Vec::new();
    let mut outputs: Vec<OsString> = Vec::new();
    let mut groups = Vec::new();
    let video = media.video();
    let has_audio = media.audio().next().is_some();
    let audio_stream = plan.audio_track.map_or(0, |track| track.saturating_sub(1));
    for (index, group) in plan.groups.iter().enumerate() {
        let folder = work.join(index.to_string());
        let mut made: Vec<Made> = Vec::new();
        for output in &group.outputs {
            let label = format!("v{}", filters.len());
            let picture = video.zip(output.video.as_ref()).map(|(stream, wanted)| {
                filters.push(filter(wanted, fit(Picture::of(stream, plan.rotate), wanted), stream));
                outputs.extend(["-map".into(), format!("[o{label}]").into()]);
                fit(Picture::of(stream, plan.rotate), wanted).frame
            });
            let audio = output.audio.as_ref().filter(|_| has_audio);
            if audio.is_some() {
                outputs.extend(["-map".into(), format!("0:a:{audio_stream}").into()]);
            }
            let described = describe(group, output, picture, video, audio);
            // All outputs of a DASH group are streams of one target of ffmpeg, and are told apart by their numbers.
            let is_shared = matches!(group.kind, GroupKind::Dash { .. });
            let like = |other: &&Made| other.has_audio == described.has_audio;
            let stream = if is_shared { format!(":{}", made.iter().filter(like).count()) } else { String::new() };
            encode(&mut outputs, output, audio, described.frame_rate, &stream);
            if !is_shared {
                target(&mut outputs, group, &described, &folder);
            }
            made.push(described);
        }
        if let GroupKind::Dash { segment_seconds } = group.kind {
            manifest(&mut outputs, group, segment_seconds, &made, &folder);
        }
        groups.push(MadeGroup { folder, outputs: made });
    }
    let mut arguments: Vec<OsString> =
        ["-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y", "-progress", "pipe:1"]
            .map(OsString::from)
            .to_vec();
    if plan.rotate != Rotate::Auto {
        arguments.push("-noautorotate".into());
    }
    arguments.extend(["-i".into(), file.into()]);
    if !filters.is_empty() {
        arguments.extend(["-filter_complex".into(), graph(plan.rotate, video, &filters).into()]);
    }
    arguments.extend(["-map_metadata".into(), "-1".into()]);
    arguments.extend(outputs);
    Command { arguments, groups }
}

/// One decoded picture, split to all outputs.
fn graph(rotate: Rotate, video: Option<&Stream>, filters: &[String]) -> String {
    let mut head = Vec::new();
    if video.is_some_and(Stream::is_interlaced) {
        head.push("yadif=deint=interlaced");
    }
    match rotate {
        Rotate::Quarter => head.push("transpose=clock"),
        Rotate::Half => head.push("hflip,vflip"),
        Rotate::ThreeQuarters => head.push("transpose=cclock"),
        Rotate::None | Rotate::Auto => {}
    }
    let split = format!("split={}", filters.len());
    head.push(&split);
    let pads: String = (0..filters.len()).map(|n| format!("[v{n}]")).collect();
    let mut graph = format!("[0:V:0]{}{pads}", head.join(","));
    for (n, filter) in filters.iter().enumerate() {
        graph.push_str(&format!(";[v{n}]{filter}[ov{n}]"));
    }
    graph
}

fn filter(video: &Video, fit: Fit, stream: &Stream) -> String {
    match &video.codec {
        VideoCodec::H264(h264) => {
            let (n, d) = h264.frame_rate.unwrap_or_else(|| stream.frame_rate());
            format!("fps={n}/{d},{},format=yuv420p", fit.filters())
        }
        // The first frame, then one each time the interval has passed.
        VideoCodec::FrameCapture { numerator, denominator, .. } => format!(
            "select='isnan(prev_selected_t)+gte(t-prev_selected_t\\,{denominator}/{numerator})',{},format=yuvj420p",
            fit.filters()
        ),
    }
}

fn describe(
    group: &Group,
    output: &Output,
    picture: Option<Picture>,
    video: Option<&Stream>,
    audio: Option<&Audio>,
) -> Made {
    let captures = matches!(&output.video, Some(Video { codec: VideoCodec::FrameCapture { .. }, .. }));
    let frame_rate = match &output.video {
        Some(Video { codec: VideoCodec::H264(H264 { frame_rate: Some(rate), .. }), .. }) => *rate,
        _ => video.map_or((30, 1), Stream::frame_rate),
    };
    Made {
        stem: format!("{}{}", group.base(), output.name_modifier),
        extension: match group.kind {
            GroupKind::Hls { .. } => "m3u8",
            GroupKind::Dash { .. } => "mpd",
            GroupKind::File if captures => "jpg",
            GroupKind::File => "mp4",
        },
        picture,
        frame_rate,
        has_audio: audio.is_some(),
        captures,
    }
}

/// How one output is encoded; `stream` is its number among the streams of its kind in the target, as in `:2`, where there are
/// several.
fn encode(arguments: &mut Vec<OsString>, output: &Output, audio: Option<&Audio>, frame_rate: (u32, u32), stream: &str) {
    let mut add = |option: &str, kind: &str, value: &str| {
        arguments.extend([format!("-{option}:{kind}{stream}").into(), value.into()]);
    };
    let mut video = |option: &str, value: &str| add(option, "v", value);
    match output.video.as_ref().map(|video| &video.codec) {
        None => {}
        Some(VideoCodec::FrameCapture { quality, max, .. }) => {
            // ffmpeg's scale for JPEG runs from 2 (best) to 31.
            let scale = 2 + (100 - quality) * 29 / 99;
            video("c", "mjpeg");
            video("q", &scale.to_string());
            video("fps_mode", "passthrough");
            video("frames", &max.min(&1_000_000).to_string());
        }
        Some(VideoCodec::H264(h264)) => {
            let frames_per_second = f64::from(frame_rate.0) / f64::from(frame_rate.1);
            let (seconds, frames) = match h264.gop {
                Gop::Seconds(seconds) => (seconds, (seconds * frames_per_second).round()),
                Gop::Frames(frames) => (frames / frames_per_second, frames),
            };
            video("c", "libx264");
            video("preset", "veryfast");
            video("profile", h264.profile);
            video("g", &frames.max(1.0).to_string());
            video("sc_threshold", "0");
            video("force_key_frames", &format!("expr:gte(t,n_forced*{seconds})"));
            let mut rate = |max: u32, buffer: u32| {
                video("maxrate", &max.to_string());
                video("bufsize", &buffer.to_string());
            };
            match h264.rate {
                Rate::Qvbr { level, max, buffer } => {
                    rate(max, buffer);
                    video("crf", &(33.0 - 1.5 * f64::from(level)).to_string());
                }
                Rate::Vbr { bitrate, max, buffer } => {
                    rate(max, buffer);
                    video("b", &bitrate.to_string());
                }
                Rate::Cbr { bitrate, buffer } => {
                    rate(bitrate, buffer);
                    video("b", &bitrate.to_string());
                    video("minrate", &bitrate.to_string());
                    video("x264-params", "nal-hrd=cbr");
                }
            }
        }
    }
    if let Some(audio) = audio {
        let mut sound = |option: &str, value: &str| add(option, "a", value);
        sound("c", "aac");
        sound("b", &audio.bitrate.to_string());
        sound("ar", &audio.sample_rate.to_string());
        sound("ac", &audio.channels.to_string());
    }
}

/// Names the file (or the pattern of names) that ffmpeg writes for one output, and its kind.
fn target(arguments: &mut Vec<OsString>, group: &Group, made: &Made, folder: &Path) {
    let mut add = |items: &[&str]| arguments.extend(items.iter().map(OsString::from));
    // A percent sign in a name would be read as a pattern.
    let stem = made.stem.replace('%', "%%");
    match group.kind {
        GroupKind::Hls { segment_seconds, .. } => {
            add(&["-f", "hls", "-hls_time", &segment_seconds.to_string(), "-hls_playlist_type", "vod"]);
            add(&["-hls_list_size", "0", "-start_number", "1", "-hls_segment_filename"]);
            arguments.push(folder.join(format!("{stem}_%05d.ts")).into());
            arguments.push(folder.join(format!("{}.m3u8", made.stem)).into());
        }
        GroupKind::File if made.captures => {
            add(&["-f", "image2", "-start_number", "0"]);
            arguments.push(folder.join(format!("{stem}.%07d.jpg")).into());
        }
        GroupKind::File | GroupKind::Dash { .. } => {
            add(&["-f", "mp4", "-movflags", "+faststart"]);
            arguments.push(folder.join(format!("{}.mp4", made.stem)).into());
        }
    }
}

/// Names the manifest of a DASH group, and what ffmpeg writes beside it.
fn manifest(arguments: &mut Vec<OsString>, group: &Group, segment_seconds: u32, made: &[Made], folder: &Path) {
    let kinds = [("v", made.iter().any(|made| made.picture.is_some())), ("a", made.iter().any(|made| made.has_audio))];
    let sets = kinds.iter().filter(|(_, is_there)| *is_there).enumerate();
    let sets: Vec<_> = sets.map(|(id, (kind, _))| format!("id={id},streams={kind}")).collect();
    let mut add = |items: &[&str]| arguments.extend(items.iter().map(OsString::from));
    add(&["-f", "dash", "-seg_duration", &segment_seconds.to_string(), "-adaptation_sets", &sets.join(" ")]);
    add(&["-init_seg_name", "$RepresentationID$init.mp4", "-media_seg_name", "$RepresentationID$_$Number%09d$.mp4"]);
    arguments.push(folder.join(format!("{}.mpd", group.base())).into());
}
