//! `reelctl videos add-sidecar` and `remove-sidecar`: files that go with a video.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use reeldesk_core::catalog::{FieldChange, Saved, VideoField};
use reeldesk_core::{Code, Error, NewSidecar, Result, Session};
use serde_json::json;

use crate::{edits, output, videos};

#[derive(Args)]
pub(crate) struct AddSidecar {
    /// The guid of the video
    guid: String,
    /// The file: subtitles, a text or a picture
    file: PathBuf,
    /// Its language, such as en or pt-BR; without it that of what it replaces, or of the file's name
    #[arg(long, value_name = "TAG", default_value = "")]
    language: String,
    /// What it is called, such as "English"
    #[arg(long, value_name = "LABEL")]
    label: Option<String>,
    /// The key of the file whose place it takes; the object stays in the bucket
    #[arg(long, value_name = "KEY")]
    replace: Option<String>,
}

pub(crate) async fn add(session: &Session, add: AddSidecar, json: bool) -> Result<ExitCode> {
    let AddSidecar { guid, file, language, label, replace } = add;
    let guid = videos::key(guid)?;
    let file: &Path = &file;
    let new = NewSidecar { file, language: &language, label: label.as_deref(), replaces: replace.as_deref() };
    let (key, saved) = session.add_sidecar(&guid, new, &edits::stop_when_asked()).await?;
    told(Some(&key), saved, json)
}

/// Takes a file off a video; its object stays in the bucket.
pub(crate) async fn remove(session: &Session, guid: String, key: String, json: bool) -> Result<ExitCode> {
    let guid = videos::key(guid)?;
    let before = session.video(&guid).await?.details.sidecars.remove(&key);
    if before.is_none() {
        let what = format!("No file {key} goes with this video.");
        return Err(Error::new(Code::NotFound, what, "`reelctl videos show` lists those that do, under \"details\"."));
    }
    let change = FieldChange { field: VideoField::Sidecar(key), before, after: None };
    told(None, session.editor().await?.save(&guid, vec![change]).await?, json)
}

/// What was saved; with the key of what was added.
fn told(added: Option<&str>, saved: Saved, json: bool) -> Result<ExitCode> {
    let Saved::Saved { video, run } = saved else {
        let what = "Someone else changed the same file of this video meanwhile.";
        return Err(Error::new(Code::InUse, what, "Look at it, and try again."));
    };
    if json {
        output::line(&json!({
            "state": if run.is_some() { "saved" } else { "unchanged" },
            "key": added,
            "run": run,
            "sidecars": video.details.sidecars,
        }));
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(key) = added {
        let what = if run.is_some() { "Added" } else { "It was there already" };
        output::text(&format!("{what}, as {}. What goes with the video now:", output::plain(key)));
    }
    if video.details.sidecars.is_empty() {
        output::text("No file goes with this video now.");
    }
    for (key, label) in &video.details.sidecars {
        output::text(&format!("{}  {}", output::plain(key), output::plain(label)));
    }
    Ok(ExitCode::SUCCESS)
}
