//! Running one job: probe, transcode, upload the outputs.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::command::{Command, Made, MadeGroup, build};
use super::playlist::{Rendition, measure, multivariant, with_durations};
use super::settings::{GroupKind, Plan};
use super::strays;
use crate::checksum::Algorithm;
use crate::ffmpeg::Ffmpeg;
use crate::probe::{Media, probe};
use crate::s3::{Content, NewObject, S3};

/// Why a job ended in ERROR. Source of the codes: MediaConvert User Guide, "Error codes".
#[derive(Debug)]
pub(crate) struct Failure {
    pub code: i32,
    pub message: String,
}

impl Failure {
    fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Phase {
    Probing,
    Transcoding { percent: u8 },
    Uploading,
}

impl Phase {
    /// Writes what `GetJob` tells of it; the upload is the last hundredth.
    pub fn write(self, job: &mut Value) {
        let (name, percent) = match self {
            Self::Probing => ("PROBING", 0),
            Self::Transcoding { percent } => ("TRANSCODING", percent),
            Self::Uploading => ("UPLOADING", 99),
        };
        job["currentPhase"] = json!(name);
        job["jobPercentComplete"] = json!(percent);
    }
}

/// What a finished job made: the groups as `GetJob` tells them, and as the COMPLETE event does.
pub(crate) struct Finished {
    pub for_job: Value,
    pub for_event: Value,
}

pub(crate) enum Outcome {
    Complete(Finished),
    Failed(Failure),
    Canceled,
}

pub(crate) struct Runner {
    pub ffmpeg: Option<Ffmpeg>,
    pub s3: S3,
    pub work: PathBuf,
}

impl Runner {
    /// Runs `plan` to its end, telling each step; nothing is left in the work folder.
    pub async fn run(&self, plan: &Plan, canceled: &CancellationToken, tell: watch::Sender<Phase>) -> Outcome {
        let outcome = tokio::select! {
            () = canceled.cancelled() => Outcome::Canceled,
            result = self.steps(plan, &tell) => match result {
                Ok(finished) => Outcome::Complete(finished),
                Err(failure) => Outcome::Failed(failure),
            },
        };
        tokio::fs::remove_dir_all(&self.work).await.ok();
        outcome
    }

    async fn steps(&self, plan: &Plan, tell: &watch::Sender<Phase>) -> Result<Finished, Failure> {
        tell.send_replace(Phase::Probing);
        let Some(ffmpeg) = &self.ffmpeg else {
            return Err(Failure::new(1999, "The sandbox cannot encode: ffmpeg is not installed on this computer."));
        };
        let input = &plan.input;
        let object = self.s3.object(&input.bucket, &input.key).await.map_err(|_| {
            Failure::new(1404, format!("Unable to open input file [{input}]: [Failed probe/open: [Can't read input stream: [Failed to read data: HeadObject failed with 404]]]"))
        })?;
        let file = self.s3.blobs.path(&object.blob);
        let media = probe(ffmpeg, &file).await.map_err(|reason| {
            let reason = reason.replace(&*file.to_string_lossy(), &input.to_string());
            Failure::new(1010, format!("Unable to open input file [{input}]: [Failed probe/open: [{reason}]]"))
        })?;
        require_streams(plan, &media)?;
        for index in 0..plan.groups.len() {
            tokio::fs::create_dir_all(self.work.join(index.to_string())).await.map_err(disk)?;
        }
        let command = build(plan, &media, &file, &self.work);
        tell.send_replace(Phase::Transcoding { percent: 0 });
        transcode(ffmpeg, &self.work, &command, media.duration(), tell).await?;
        tell.send_replace(Phase::Uploading);
        self.upload(plan, &command.groups, ffmpeg, &media).await
    }

    async fn upload(
        &self,
        plan: &Plan,
        made: &[MadeGroup],
        ffmpeg: &Ffmpeg,
        media: &Media,
    ) -> Result<Finished, Failure> {
        let (mut for_job, mut for_event) = (Vec::new(), Vec::new());
        for (group, made) in plan.groups.iter().zip(made) {
            let place = OutputPrefix {
                s3: &self.s3,
                bucket: &group.destination.bucket,
                prefix: group.destination.key.rsplit_once('/').map_or("", |(folder, _)| folder),
            };
            let details = match group.kind {
                GroupKind::Hls { integer_durations, .. } => {
                    upload_hls(&place, made, group.base(), integer_durations).await?
                }
                GroupKind::Dash { .. } => upload_dash(&place, made, group.base()).await?,
                GroupKind::File => upload_files(&place, made, ffmpeg, media).await?,
            };
            for_job.push(details.for_job());
            for_event.push(details.for_event());
        }
        Ok(Finished { for_job: Value::Array(for_job), for_event: Value::Array(for_event) })
    }
}

fn disk(error: std::io::Error) -> Failure {
    let code = if error.kind() == std::io::ErrorKind::StorageFull { 1507 } else { 1999 };
    Failure::new(code, format!("The sandbox could not write its outputs: {error}"))
}

/// A job whose outputs need what the input does not have cannot be run.
fn require_streams(plan: &Plan, media: &Media) -> Result<(), Failure> {
    let outputs = || plan.groups.iter().flat_map(|group| &group.outputs);
    if media.video().is_none() && outputs().any(|output| output.video.is_some()) {
        return Err(Failure::new(
            1020,
            format!("No video found in the input [{}], and an output needs it", plan.input),
        ));
    }
    let tracks = media.audio().count();
    let sound_alone = outputs().any(|output| output.video.is_none());
    if plan.audio_track.is_some_and(|track| track > tracks) || (tracks == 0 && sound_alone) {
        return Err(Failure::new(
            1021,
            format!("No audio found in the input [{}] for the audio selector, and an output needs it", plan.input),
        ));
    }
    Ok(())
}

/// Runs ffmpeg, telling the progress that it reports itself.
async fn transcode(
    ffmpeg: &Ffmpeg,
    work: &Path,
    command: &Command,
    duration: Option<f64>,
    tell: &watch::Sender<Phase>,
) -> Result<(), Failure> {
    let mut encoder = tokio::process::Command::new(&ffmpeg.ffmpeg);
    encoder.args(&command.arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        strays::spawn(encoder).map_err(|error| Failure::new(1999, format!("ffmpeg could not be started: {error}")))?;
    strays::note(work, child.id());
    let errors = child.stderr().take().map(|mut stderr| {
        tokio::spawn(async move {
            let mut text = Vec::new();
            stderr.read_to_end(&mut text).await.ok();
            String::from_utf8_lossy(&text).into_owned()
        })
    });
    if let Some(stdout) = child.stdout().take() {
        let mut lines = BufReader::new(stdout).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let time = line.strip_prefix("out_time_us=").and_then(|text| text.parse::<f64>().ok());
            if let (Some(microseconds), Some(duration)) = (time, duration) {
                let percent = (microseconds / 10_000.0 / duration).clamp(0.0, 99.0);
                tell.send_replace(Phase::Transcoding { percent: percent as u8 });
            }
        }
    }
    let status = child.wait().await.map_err(|error| Failure::new(1999, error.to_string()))?;
    let errors = match errors {
        Some(task) => task.await.unwrap_or_default(),
        None => String::new(),
    };
    if status.success() {
        return Ok(());
    }
    tracing::warn!(%errors, "ffmpeg failed");
    let last = errors.lines().last().unwrap_or("ffmpeg ended without a word").to_owned();
    let code = match () {
        () if errors.contains("No space left") => 1507,
        () if errors.contains("Invalid data") => 1076,
        () => 1999,
    };
    Err(Failure::new(code, format!("The input could not be transcoded: {last}")))
}

/// Where a group's files go.
struct OutputPrefix<'a> {
    s3: &'a S3,
    bucket: &'a str,
    prefix: &'a str,
}

impl OutputPrefix<'_> {
    fn key(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", self.prefix) }
    }

    fn uri(&self, name: &str) -> String {
        format!("s3://{}/{}", self.bucket, self.key(name))
    }

    async fn put(&self, file: &Path, name: &str) -> Result<(), Failure> {
        let written = self.s3.blobs.copy_of(file, Algorithm::Crc64nvme).await.map_err(disk)?;
        let mut new = NewObject::whole(self.bucket, &self.key(name), written, Algorithm::Crc64nvme);
        new.content = Content { content_type: Some(content_type(name).to_owned()), ..Content::default() };
        self.s3.commit(new).await.map_err(|error| {
            let code = if error.code() == &s3s::S3ErrorCode::NoSuchBucket { 1404 } else { 1401 };
            Failure::new(
                code,
                format!(
                    "Unable to write to output file [{}]: [{}]",
                    self.uri(name),
                    error.message().unwrap_or_default()
                ),
            )
        })
    }
}

/// The content types that MediaConvert gives its outputs.
fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("m3u8") => "application/vnd.apple.mpegurl",
        Some("mpd") => "application/dash+xml",
        Some("ts") => "video/MP2T",
        Some("mp4") => "video/mp4",
        Some("jpg") => "image/jpeg",
        _ => "application/octet-stream",
    }
}

struct Details {
    kind: &'static str,
    playlists: Vec<String>,
    outputs: Vec<OutputDetail>,
}

struct OutputDetail {
    paths: Vec<String>,
    duration_ms: u64,
    size: Option<(u32, u32)>,
    average_bitrate: Option<u64>,
}

impl Details {
    /// `GetJob` tells no paths.
    fn for_job(&self) -> Value {
        let outputs: Vec<Value> = self.outputs.iter().map(|output| output.value(false)).collect();
        json!({ "outputDetails": outputs })
    }

    fn for_event(&self) -> Value {
        let outputs: Vec<Value> = self.outputs.iter().map(|output| output.value(true)).collect();
        let mut group = json!({ "outputDetails": outputs, "type": self.kind });
        if !self.playlists.is_empty() {
            group["playlistFilePaths"] = json!(self.playlists);
        }
        group
    }
}

impl OutputDetail {
    fn value(&self, for_event: bool) -> Value {
        let mut detail = json!({ "durationInMs": self.duration_ms });
        if let Some((width, height)) = self.size {
            detail["videoDetails"] = json!({ "widthInPx": width, "heightInPx": height });
            if let Some(bitrate) = self.average_bitrate.filter(|_| for_event) {
                detail["videoDetails"]["averageBitrate"] = json!(bitrate);
            }
        }
        if for_event && !self.paths.is_empty() {
            detail["outputFilePaths"] = json!(self.paths);
        }
        detail
    }
}

async fn upload_hls(
    place: &OutputPrefix<'_>,
    made: &MadeGroup,
    base: &str,
    integer_durations: bool,
) -> Result<Details, Failure> {
    let mut renditions: Vec<Rendition> = Vec::new();
    for output in &made.outputs {
        let rendition = measure(&made.folder, output).map_err(disk)?;
        for segment in &rendition.segments {
            place.put(&made.folder.join(segment), segment).await?;
        }
        let playlist = made.folder.join(&rendition.playlist);
        let text = tokio::fs::read_to_string(&playlist).await.map_err(disk)?;
        tokio::fs::write(&playlist, with_durations(&text, integer_durations)).await.map_err(disk)?;
        place.put(&playlist, &rendition.playlist).await?;
        renditions.push(rendition);
    }
    let name = format!("{base}.m3u8");
    let top = made.folder.join("multivariant");
    tokio::fs::write(&top, multivariant(&renditions)).await.map_err(disk)?;
    place.put(&top, &name).await?;
    Ok(Details {
        kind: "HLS_GROUP",
        playlists: vec![place.uri(&name)],
        outputs: renditions
            .iter()
            .map(|rendition| OutputDetail {
                paths: vec![place.uri(&rendition.playlist)],
                duration_ms: (rendition.duration * 1000.0).round() as u64,
                size: rendition.resolution,
                average_bitrate: Some(rendition.average_bandwidth),
            })
            .collect(),
    })
}

/// The event names the manifest, and no files. Source: MediaConvert User Guide, "COMPLETE event", DASH ISO output groups.
async fn upload_dash(place: &OutputPrefix<'_>, made: &MadeGroup, base: &str) -> Result<Details, Failure> {
    let manifest = format!("{base}.mpd");
    let mut names = tokio::fs::read_dir(&made.folder).await.map_err(disk)?;
    while let Some(entry) = names.next_entry().await.map_err(disk)? {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != manifest {
            place.put(&entry.path(), &name).await?;
        }
    }
    let path = made.folder.join(&manifest);
    place.put(&path, &manifest).await?;
    let seconds = presentation_seconds(&tokio::fs::read_to_string(&path).await.map_err(disk)?).unwrap_or(0.0);
    let detail = |output: &Made| OutputDetail {
        paths: Vec::new(),
        duration_ms: (seconds * 1000.0).round() as u64,
        size: output.picture.map(|picture| (picture.width, picture.height)),
        average_bitrate: None,
    };
    Ok(Details {
        kind: "DASH_ISO_GROUP",
        playlists: vec![place.uri(&manifest)],
        outputs: made.outputs.iter().map(detail).collect(),
    })
}

/// How long a presentation is, by its manifest (`PT1H2M3.4S`). Source: ISO/IEC 23009-1, `MPD@mediaPresentationDuration`.
fn presentation_seconds(manifest: &str) -> Option<f64> {
    let (_, rest) = manifest.split_once("mediaPresentationDuration=\"PT")?;
    let mut left = rest.split_once('"')?.0;
    let mut seconds = 0.0;
    for (unit, each) in [('H', 3600.0), ('M', 60.0), ('S', 1.0)] {
        if let Some((number, after)) = left.split_once(unit) {
            seconds += number.parse::<f64>().ok()? * each;
            left = after;
        }
    }
    Some(seconds)
}

async fn upload_files(
    place: &OutputPrefix<'_>,
    made: &MadeGroup,
    ffmpeg: &Ffmpeg,
    media: &Media,
) -> Result<Details, Failure> {
    let mut outputs = Vec::new();
    for output in &made.outputs {
        let names = files_of(&made.folder, output).map_err(disk)?;
        for name in &names {
            place.put(&made.folder.join(name), name).await?;
        }
        // Of many captures the event names the last one only.
        let paths = names.last().map(|name| place.uri(name)).into_iter().collect();
        // Of captures it is the source's length; a film is measured: its source may have said too much.
        let made = match names.last().filter(|name| !name.ends_with(".jpg")) {
            Some(name) => probe(ffmpeg, &made.folder.join(name)).await.ok().and_then(|made| made.duration()),
            None => None,
        };
        let seconds = made.or_else(|| media.duration()).unwrap_or(0.0);
        outputs.push(OutputDetail {
            paths,
            duration_ms: (seconds * 1000.0).round() as u64,
            size: output.picture.map(|picture| (picture.width, picture.height)),
            average_bitrate: None,
        });
    }
    Ok(Details { kind: "FILE_GROUP", playlists: Vec::new(), outputs })
}

fn files_of(folder: &Path, made: &Made) -> std::io::Result<Vec<String>> {
    let start = format!("{}.", made.stem);
    let mut names: Vec<String> = std::fs::read_dir(folder)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(&start) && name.ends_with(made.extension))
        .collect();
    names.sort();
    Ok(names)
}
