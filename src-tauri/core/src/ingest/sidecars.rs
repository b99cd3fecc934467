//! What goes with a video: subtitles and metadata, put beside it in the source bucket.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::{Ingest, Journey};
use crate::files::{self, path_text};
use crate::upload::{Checksum, Progress, Request, Target};
use crate::{Code, Result};

/// The name of a metadata file's field that the app writes itself; the pipeline takes it with a capital too.
const SOURCE: [&str; 2] = ["srcVideo", "SrcVideo"];

/// The keys of a journey's sidecars, beside its object: the video's key, with their endings.
pub(super) fn keys(journey: &Journey) -> Vec<(PathBuf, String)> {
    let Some(key) = &journey.key else { return Vec::new() };
    let key = key.rsplit_once('.').map_or(key.as_str(), |(stem, _)| stem);
    let video = journey.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let key = |sidecar: &PathBuf| {
        let name = sidecar.file_name()?.to_string_lossy().into_owned();
        // `film.en.srt` keeps its language.
        let ending = match name.strip_prefix(&video) {
            Some(ending) if ending.starts_with('.') => ending.to_owned(),
            _ => format!(".{}", sidecar.extension()?.to_string_lossy()),
        };
        Some((sidecar.clone(), format!("{key}{}", ending.to_lowercase())))
    };
    journey.sidecars.iter().filter_map(key).collect()
}

fn is_metadata(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
}

/// The fields of a journey's metadata file without the name of the video, and the file that they were read from; none where
/// there is no such file, or it is no JSON object.
pub(super) async fn metadata(journey: &Journey) -> Option<(Map<String, Value>, PathBuf, Checksum)> {
    let path = journey.sidecars.iter().find(|path| is_metadata(path))?;
    let text = files::ask(path, files::whole).await.ok()?;
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(&text) else { return None };
    fields.retain(|name, _| !SOURCE.contains(&name.as_str()));
    Some((fields, path.clone(), Checksum::of_bytes(&text)))
}

impl Ingest {
    /// Sends them before the video, which is what starts the pipeline. Where a metadata file starts it, the
    /// announcement takes that one's place. One that went away is left out.
    ///
    /// # Errors
    /// When one cannot be read, or S3 refuses it.
    pub(super) async fn send_sidecars(&self, journey: &Journey, token: &CancellationToken) -> Result<()> {
        for number in 0..keys(journey).len() {
            // The key is this journey's own.
            self.insist(journey, token, || self.send_sidecar(journey, number, true, token)).await?;
        }
        Ok(())
    }

    /// Sends one of them beside the key that this journey names, with one try. `replace` says whether what is there may be
    /// replaced.
    ///
    /// # Errors
    /// As [`Self::send_sidecars`]; where it may not be replaced also [`Code::Exists`], if another file is there.
    pub(super) async fn send_sidecar(
        &self,
        journey: &Journey,
        number: usize,
        replace: bool,
        token: &CancellationToken,
    ) -> Result<()> {
        let Some((path, key)) = keys(journey).into_iter().nth(number) else { return Ok(()) };
        // The announcement takes its place.
        if self.is_announced(&path) {
            return Ok(());
        }
        let request = Request {
            id: sidecar_id(&journey.id, number),
            target: Target {
                bucket: self.0.pipeline.workspace.source_bucket.clone(),
                key,
                metadata: Vec::new(),
                encryption: self.0.pipeline.workspace.encryption(),
                content_type: mime_guess::from_path(&path).first_or_octet_stream().to_string(),
                replace,
            },
            path: path.clone(),
        };
        match self.0.sending.uploader.send(&request, &Progress::default(), token).await {
            // Left out if it is gone by itself; where the whole disk is away, it is waited for with its video.
            Err(error) if error.code == Code::FileMissing => {
                files::identity(&self.journey(&journey.id)?.path).await?;
            }
            sent => self.was_sent(&journey.id, &path, sent?.checksum).await?,
        }
        self.0.sending.uploader.forget(&request.id).await
    }

    /// Whether a sidecar is what the pipeline's own metadata file is made of, and is not sent itself.
    pub(super) fn is_announced(&self, path: &Path) -> bool {
        self.0.pipeline.announcer.is_some() && is_metadata(path)
    }

    pub(super) async fn was_sent(&self, id: &str, path: &Path, checksum: Checksum) -> Result<()> {
        let (path, checksum) = (path_text::text(path), checksum.to_string());
        self.0.journeys.edit(id, |journey| drop(journey.sent_sidecars.insert(path, checksum))).await
    }
}

/// The names of their uploads in the journal.
pub(super) fn ids(journey: &Journey) -> impl Iterator<Item = String> + '_ {
    (0..journey.sidecars.len()).map(|number| sidecar_id(&journey.id, number))
}

/// Whether an upload of this name is a journey's, or of what goes with it.
pub(super) fn is_of(upload: &str, journey: &str) -> bool {
    upload.split('/').next() == Some(journey)
}

fn sidecar_id(journey: &str, number: usize) -> String {
    format!("{journey}/{number}")
}
