//! What a file is, before a byte of it is sent.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use ts_rs::TS;

use crate::files::{self, Fault, Incomplete, NoFilm};
use crate::{Code, Error, Result};

/// A video file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Media {
    /// ffprobe's names of the container.
    pub container: String,
    /// Seconds.
    pub duration: f64,
    /// Seconds of the picture, where the sound is longer.
    #[serde(default)]
    pub picture: Option<f64>,
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

/// How long ffprobe may take: of a stream without an index it reads the end too.
const PROBED_WITHIN: Duration = Duration::from_secs(2 * 60);
/// How long the counting of a file without a length may take.
const COUNTED_WITHIN: Duration = Duration::from_secs(30 * 60);

/// Seconds by which sound may outlast the picture unsaid: tracks seldom end in the same moment.
const LATER: f64 = 1.0;

/// Seconds of a picture in most of the world.
const A_PICTURE: f64 = 0.04;

/// Formats that ffprobe sees in pictures and in plain text.
fn is_no_film(container: &str) -> bool {
    container.ends_with("_pipe")
        || matches!(container, "image2" | "tty" | "gif" | "ico" | "lrc" | "srt" | "webvtt" | "ass")
}

/// Codecs of pictures that stand still; with more than one of them they are a film (Motion JPEG).
const STILLS: [&str; 6] = ["mjpeg", "png", "bmp", "gif", "webp", "tiff"];

/// Why a file is no video that can be encoded, and what to do.
#[derive(Debug, PartialEq, Eq)]
struct Reason {
    why: String,
    remedy: &'static str,
}

const EXPORT: &str = "Check that it plays on this computer, export it again if it does not, then add it.";
const DOWNLOAD: &str = "Download the film itself again, then add it.";
const COPY: &str = "Copy or download it again, then add it.";
const REMOVE: &str = "Reeldesk takes video only: take it off the list.";

impl Reason {
    fn new(why: impl Into<String>, remedy: &'static str) -> Self {
        Self { why: why.into(), remedy }
    }

    fn error(self, path: &Path) -> Error {
        let shown = crate::shown(path);
        let message = format!("\"{shown}\" is not a video that can be encoded: {}.", self.why);
        Error::new(Code::NotAVideo, message, self.remedy)
    }
}

impl From<NoFilm> for Reason {
    fn from(what: NoFilm) -> Self {
        match what {
            NoFilm::WebPage => Self::new("it is a web page", DOWNLOAD),
            NoFilm::ServerError(code) if code.is_empty() => Self::new("it is a server's error message", DOWNLOAD),
            NoFilm::ServerError(code) => Self::new(format!("it is a server's error message ({code})"), DOWNLOAD),
            NoFilm::Playlist => Self::new("it is a playlist, which only names films", DOWNLOAD),
            NoFilm::Text => Self::new("it is a text file", REMOVE),
            NoFilm::Picture => Self::new("it is a picture", REMOVE),
            NoFilm::Archive => Self::new("it is an archive", "Unpack it, then add the film that is in it."),
            NoFilm::Document => Self::new("it is a document", REMOVE),
        }
    }
}

/// Says what is missing of a file, which may be a good video otherwise.
fn incomplete(path: &Path, missing: &Incomplete) -> Error {
    let percent = |part: u64, of: u64| (part * 100).checked_div(of).unwrap_or(0);
    let (is, remedy) = match missing {
        Incomplete::Empty => ("is empty".to_owned(), EXPORT),
        Incomplete::NoIndex { index } => (
            format!("is cut off or still being written (its index, {index}, is missing)"),
            "Wait until it is finished, or copy or export it again, then add it.",
        ),
        Incomplete::CutOff { has, wants } => {
            (format!("is cut off: at most {}% of it is there", percent(*has, *wants).min(99)), COPY)
        }
        Incomplete::Zeros { has, size } => {
            let empty = 100 - percent(*has, *size).min(99);
            (format!("is not complete: the last {empty}% of it is empty, as if a copy was interrupted"), COPY)
        }
    };
    Error::new(Code::Incomplete, format!("\"{}\" {is}.", crate::shown(path)), remedy)
}

/// Looks at the file: at its own tables, unless someone wants it as it is, and with ffprobe.
///
/// # Errors
/// [`Code::NotAVideo`] or [`Code::Incomplete`] with the reason, [`Code::NoFfmpeg`] where ffprobe is missing, [`Code::FileMissing`] where the disk
/// does not answer.
pub(super) async fn probe(path: &Path, insisted: bool) -> Result<Media> {
    match files::fault(path).await? {
        Some(Fault::NoFilm(what)) => return Err(Reason::from(what).error(path)),
        Some(Fault::Incomplete(missing)) if !insisted => {
            return Err(incomplete(path, &missing));
        }
        Some(Fault::Incomplete(_)) | None => {}
    }
    let output = described(path).await?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if !output.status.success() {
        return Err(Reason::new("no video can be found in it", EXPORT).error(path).with_details(said));
    }
    let value: Value = serde_json::from_slice(&output.stdout).map_err(Error::internal)?;
    let mut media = read(&value).map_err(|reason| reason.error(path).with_details(said))?;
    if media.duration <= 0.0 {
        media.duration = counted(path).await?;
    }
    Ok(media)
}

/// What ffprobe says of a file's container and its streams.
async fn described(path: &Path) -> Result<std::process::Output> {
    let mut ffprobe = ffprobe(path, &["-print_format", "json", "-show_format", "-show_streams"]);
    let output = tokio::time::timeout(PROBED_WITHIN, ffprobe.output()).await.map_err(|_| slow(path))?;
    output.map_err(unstartable)
}

fn ffprobe(path: &Path, arguments: &[&str]) -> tokio::process::Command {
    let mut ffprobe = tokio::process::Command::new("ffprobe");
    // A name such as "concat:a" or "-x" is a file here, never a protocol or an option; it need not be text.
    let mut file = std::ffi::OsString::from("file:");
    file.push(path);
    ffprobe.args(["-v", "error"]).args(arguments).arg("-i").arg(file).stdin(Stdio::null()).kill_on_drop(true);
    ffprobe
}

fn unstartable(error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => no_ffmpeg(),
        _ => Error::internal(error),
    }
}

fn slow(path: &Path) -> Error {
    Error::new(
        Code::FileMissing,
        format!("The disk with \"{}\" is too slow to read it.", crate::shown(path)),
        "Check the disk, or the connection to the server that it is on, then retry.",
    )
}

/// The length, in seconds, of a film whose container does not tell it: that of its pictures, one after the other.
async fn counted(path: &Path) -> Result<f64> {
    let mut ffprobe = ffprobe(path, &["-select_streams", "v", "-show_entries", "packet=pts_time,duration_time"]);
    let mut child =
        ffprobe.args(["-of", "csv=p=0"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(unstartable)?;
    let Some(stdout) = child.stdout.take() else { return Err(Error::internal("ffprobe has no output")) };
    let mut lines = BufReader::new(stdout).lines();
    let count = async {
        let (mut first, mut end, mut sum, mut pictures) = (f64::INFINITY, 0.0_f64, 0.0_f64, 0_u64);
        while let Some(line) = lines.next_line().await.map_err(Error::internal)? {
            let mut numbers = line.split(',').map(|number| number.trim().parse::<f64>());
            let at = numbers.next().and_then(Result::ok);
            let length = numbers.next().and_then(Result::ok).unwrap_or(0.0);
            sum += length;
            pictures += 1;
            if let Some(at) = at {
                (first, end) = (first.min(at), end.max(at + length));
            }
        }
        // A raw stream has no times, only pictures that last.
        let counted = if first.is_finite() { (end - first).max(0.0) } else { sum };
        // One picture that does not say how long it lasts.
        Ok::<_, Error>(if counted == 0.0 && pictures > 0 { A_PICTURE } else { counted })
    };
    let counted = tokio::time::timeout(COUNTED_WITHIN, count).await.map_err(|_| slow(path))??;
    if counted > 0.0 {
        return Ok(counted);
    }
    Err(Reason::new("its length cannot be found: it is damaged or still being written", EXPORT).error(path))
}

/// The length of a stream in seconds, by its own word or that of its tags (Matroska's `DURATION`).
fn length_of(stream: &Value) -> f64 {
    let own = stream["duration"].as_str().and_then(|text| text.parse::<f64>().ok());
    let tagged = || {
        let mut parts = stream["tags"]["DURATION"].as_str()?.rsplit(':').map(|part| part.parse::<f64>().ok());
        let (seconds, minutes, hours) = (parts.next()??, parts.next()??, parts.next()??);
        Some(hours * 3600.0 + minutes * 60.0 + seconds)
    };
    own.or_else(tagged).filter(|length| length.is_finite()).unwrap_or(0.0)
}

fn frames_of(stream: &Value) -> Option<u64> {
    let count = stream["nb_frames"].as_str().or_else(|| stream["tags"]["NUMBER_OF_FRAMES"].as_str())?;
    count.parse().ok()
}

/// Of the streams of pictures the film: a cover that is not marked as one stands still, or is over at once.
fn film(streams: &[Value]) -> Option<&Value> {
    let is_picture = |stream: &&Value| stream["codec_type"] == "video" && stream["disposition"]["attached_pic"] != 1;
    let pictures = || streams.iter().filter(is_picture);
    let longest = pictures().map(length_of).fold(0.0, f64::max);
    let is_cover = |stream: &Value| {
        let length = length_of(stream);
        let is_still = STILLS.iter().any(|codec| stream["codec_name"] == *codec);
        longest > 1.0 && (frames_of(stream) == Some(1) || is_still && length > 0.0 && length < longest / 4.0)
    };
    pictures().find(|stream| !is_cover(stream)).or_else(|| pictures().next())
}

fn read(value: &Value) -> Result<Media, Reason> {
    let container = value["format"]["format_name"].as_str().unwrap_or_default();
    let streams = value["streams"].as_array().map_or(&[][..], Vec::as_slice);
    let audio = streams.iter().find(|stream| stream["codec_type"] == "audio");
    let Some(video) = film(streams) else {
        return Err(match audio {
            Some(_) => Reason::new("it has sound only, no picture", REMOVE),
            None => Reason::new("no video can be found in it", EXPORT),
        });
    };
    if is_no_film(container) {
        return Err(Reason::new("it is a picture or a text file, not a film", REMOVE));
    }
    // The whole's own word may be 0, or missing, where those of its tracks are good.
    let whole = value["format"]["duration"].as_str().and_then(|text| text.parse::<f64>().ok());
    let whole = whole.filter(|length| *length > 0.0 && length.is_finite());
    let picture = length_of(video);
    let sound = streams.iter().filter(|stream| stream["codec_type"] == "audio").map(length_of).fold(0.0, f64::max);
    let tracks = || streams.iter().map(length_of).fold(0.0, f64::max);
    let side = |name: &str| video[name].as_u64().and_then(|side| u32::try_from(side).ok()).unwrap_or(0);
    let (width, height) = (side("width"), side("height"));
    if width == 0 || height == 0 {
        return Err(Reason::new("its picture cannot be read", EXPORT));
    }
    let rotation = video["side_data_list"].as_array().into_iter().flatten().find_map(|data| data["rotation"].as_f64());
    Ok(Media {
        container: container.to_owned(),
        duration: whole.unwrap_or_else(tracks),
        picture: Some(picture).filter(|picture| *picture > 0.0 && sound - picture > LATER),
        video_codec: video["codec_name"].as_str().unwrap_or_default().to_owned(),
        width,
        height,
        rotation: rotation.unwrap_or(0.0) as i32,
        audio_codec: audio.and_then(|audio| audio["codec_name"].as_str()).map(str::to_owned),
    })
}

/// Refuses to go on without ffmpeg, with the command that installs it.
///
/// # Errors
/// [`Code::NoFfmpeg`] where `ffmpeg` or `ffprobe` is not on the `PATH`.
pub fn require_ffmpeg() -> Result<()> {
    let is_there = |program: &str| {
        let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
        let path = std::env::var_os("PATH");
        path.is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(&name).is_file()))
    };
    if is_there("ffmpeg") && is_there("ffprobe") { Ok(()) } else { Err(no_ffmpeg()) }
}

/// One sentence with the command that installs it.
fn no_ffmpeg() -> Error {
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// A pipe that nobody writes into is like a disk that hangs: ffprobe waits for it for ever. The clock is paused, and
    /// goes to the next limit as soon as nothing else is to be done.
    #[tokio::test(start_paused = true)]
    async fn a_file_that_does_not_come_is_not_waited_for_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("film.mp4");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let began = tokio::time::Instant::now();
        assert_eq!(described(&pipe).await.unwrap_err().code, Code::FileMissing);
        assert_eq!(counted(&pipe).await.unwrap_err().code, Code::FileMissing);
        assert_eq!(began.elapsed().as_secs(), (PROBED_WITHIN + COUNTED_WITHIN).as_secs());
    }
}
