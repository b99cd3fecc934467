//! Adding a file to a video from its page: it is sent to beside the video's source, then listed in its item.

use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::Session;
use crate::catalog::{FieldChange, Guid, Saved, Video, VideoDetails, VideoField, keys_beside, language_of};
use crate::explain::explain;
use crate::store::Store;
use crate::upload::{Progress, Request, Target, Uploader};
use crate::{Code, Error, Result, files};

/// Names that are tried where others are taken.
const MOST_NAMES: usize = 100;
/// What such a file may have, in MiB: it is sent in one request, of which nothing is left behind by a kill.
const LARGEST_MIB: u64 = 8;

/// A file that is to go with a video.
#[derive(Clone, Copy, Debug)]
pub struct NewSidecar<'a> {
    /// The file.
    pub file: &'a Path,
    /// The language tag (RFC 5646); where it is empty that of what it replaces, or what the file's name says, if there is one.
    pub language: &'a str,
    /// What it is called, which may be nothing; none where that stays as it is.
    pub label: Option<&'a str>,
    /// The key of the file whose place it takes.
    pub replaces: Option<&'a str>,
}

impl Session {
    /// Sends a file to beside a video's source, and lists it with the video. Nothing that is there is overwritten: what it
    /// replaces stays in the bucket, so that it can be undone. Answers its key, too: where the same bytes are there under a name
    /// that it may have, that one.
    ///
    /// # Errors
    /// When such a file cannot be added, S3 refuses it, or the table cannot be written. Then the file is not there either.
    pub async fn add_sidecar(
        &self,
        guid: &Guid,
        new: NewSidecar<'_>,
        canceled: &CancellationToken,
    ) -> Result<(String, Saved)> {
        let editor = self.editor().await?;
        if let Some(error) = editor.why_not_edit().await {
            return Err(error);
        }
        let video = self.video(guid).await?;
        let Some((bucket, source)) = video.src_bucket.as_ref().zip(video.src_video.as_ref()) else {
            let what = format!("The source of \"{}\" is not known, and files go beside it.", video.title);
            return Err(Error::new(Code::Invalid, what, "Nothing can be added to this video."));
        };
        if let Some(replaced) = new.replaces.filter(|key| !video.details.sidecars.contains_key(*key)) {
            let what = format!("No file {replaced} goes with \"{}\".", video.title);
            return Err(Error::new(Code::NotFound, what, "Look which ones do: someone may have taken it off."));
        }
        let found = tokio::fs::metadata(new.file).await.map_err(|error| files::unreadable(new.file, &error))?;
        let shown = crate::shown(new.file);
        let why_not = match found.len() {
            _ if !found.is_file() => Some((Code::Invalid, format!("{shown} is no file."))),
            0 => Some((Code::Invalid, format!("{shown} is empty."))),
            size if size > LARGEST_MIB * 1024 * 1024 => {
                Some((Code::TooLarge, format!("{shown} has more than {LARGEST_MIB} MiB.")))
            }
            _ => None,
        };
        if let Some((code, what)) = why_not {
            return Err(Error::new(code, what, "Choose a file with subtitles, a text or a picture."));
        }
        let name = new.file.file_name().unwrap_or_default().to_string_lossy();
        let language = match new.replaces.and_then(language_of) {
            Some(language) if new.language.trim().is_empty() => language,
            _ => new.language,
        };
        for key in keys_beside(source, &name, language)?.take(MOST_NAMES) {
            let changes = changes(&video, &key, new)?;
            let was_there = self.is_there(bucket, &key).await;
            match self.send(bucket, &key, new.file, canceled).await {
                Err(error) if error.code == Code::Exists => continue,
                sent => sent?,
            }
            if changes.is_empty() {
                return Ok((key, Saved::Saved { video: Box::new(video), run: None }));
            }
            let saved = editor.save(guid, changes).await;
            if !was_there && !matches!(saved, Ok(Saved::Saved { .. })) {
                self.take_back(guid, bucket, &key).await;
            }
            return Ok((key, saved?));
        }
        let what = format!("{MOST_NAMES} other files of this kind are beside the source of \"{}\".", video.title);
        Err(Error::new(Code::Exists, what, "Remove some of them from the bucket."))
    }

    /// Whether there is an object; so also where nobody knows.
    async fn is_there(&self, bucket: &str, key: &str) -> bool {
        match self.aws.s3.head_object().bucket(bucket).key(key).send().await {
            Err(error) => !error.as_service_error().is_some_and(|error| error.is_not_found()),
            Ok(_) => true,
        }
    }

    async fn send(&self, bucket: &str, key: &str, file: &Path, canceled: &CancellationToken) -> Result<()> {
        // No journey goes on with it after a kill: its journal is its own.
        let folder = tempfile::tempdir().map_err(|error| files::unreadable(&std::env::temp_dir(), &error))?;
        let journal = folder.path().join("store.sqlite");
        let store = tokio::task::spawn_blocking(move || Store::open(&journal)).await.map_err(Error::internal)??;
        let limit = self.instance.pacer().await?.limit().clone();
        let uploader = Uploader::new(&self.aws.s3, &self.aws.transfer, store, "", limit);
        let request = Request {
            id: key.to_owned(),
            path: file.to_owned(),
            target: Target {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
                metadata: Vec::new(),
                content_type: mime_guess::from_path(file).first_or_octet_stream().to_string(),
                encryption: self.workspace.encryption(),
                replace: false,
            },
        };
        let sent = uploader.send(&request, &Progress::default(), canceled).await;
        if sent.is_err() {
            // What has no end yet costs money.
            uploader.give_up(&request.id).await?;
            uploader.clean_up().await?;
        }
        sent.map(drop)
    }

    /// Removes an object that was sent for a video, unless the video has it after all: the answer may have been lost.
    async fn take_back(&self, guid: &Guid, bucket: &str, key: &str) {
        let is_listed = match self.video(guid).await {
            Ok(video) => video.sidecars.iter().any(|one| one == key),
            Err(error) => error.code != Code::NotFound,
        };
        if is_listed {
            return;
        }
        if let Err(error) = self.aws.s3.delete_object().bucket(bucket).key(key).send().await {
            let error = explain("A file that was sent in vain could not be removed", error);
            tracing::warn!(bucket, key, code = ?error.code, details = error.details, "a file that was sent in vain stays");
        }
    }
}

/// What listing it changes of a video.
fn changes(video: &Video, key: &str, new: NewSidecar<'_>) -> Result<Vec<FieldChange>> {
    let before = &video.details;
    let mut after: VideoDetails = before.clone();
    if let Some(replaced) = new.replaces {
        after.set(&VideoField::Sidecar(replaced.to_owned()), None)?;
    }
    let kept = || before.sidecars.get(key).or_else(|| before.sidecars.get(new.replaces?)).map(String::as_str);
    let label = new.label.or_else(kept).unwrap_or_default();
    after.set(&VideoField::Sidecar(key.to_owned()), Some(label))?;
    Ok(before.changes_to(&after))
}
