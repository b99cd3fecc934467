//! `reelctl videos edit` and what else changes videos.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use reeldesk_core::catalog::{
    EditLogEntry, EditOutcome, EditPreview, EditResult, EditSample, EditSummary, Editor, Exported, Guid, ImportPreview,
    ImportProblem, PurgeKind, PurgePart, PurgePlan, VideoField, VideoPatch, VideoQuery, VideoSelection,
};
use reeldesk_core::clock::now_ms;
use reeldesk_core::{Code, Error, Result, Session};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{output, videos};

/// Which videos are meant.
#[derive(Args)]
pub(crate) struct Which {
    /// Their guids
    #[arg(value_name = "GUID", required_unless_present = "query")]
    guids: Vec<String>,
    /// All that this finds: words and filters, as `search` takes them
    #[arg(long, value_name = "QUERY", conflicts_with = "guids")]
    query: Option<String>,
    /// Only tell what would change
    #[arg(long)]
    preview: bool,
}

#[derive(Args)]
pub(crate) struct Edit {
    #[command(flatten)]
    which: Which,
    /// The title; {title}, {file}, {number} and {guid} stand for those of each video, an empty one takes it away
    #[arg(long, value_name = "TITLE")]
    title: Option<String>,
    /// The description; an empty one takes it away
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Add a tag, or give it another value
    #[arg(long = "tag", value_name = "NAME[=VALUE]")]
    tags: Vec<String>,
    /// Take a tag away
    #[arg(long, value_name = "NAME")]
    untag: Vec<String>,
    /// Take all tags away that are not named here
    #[arg(long)]
    clear_tags: bool,
    /// The address of the picture that stands for it; an empty one takes it away
    #[arg(long, value_name = "URL")]
    poster: Option<String>,
}

#[derive(Args)]
pub(crate) struct Publish {
    #[command(flatten)]
    which: Which,
    /// From this time on, such as 2026-12-24T18:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Until this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

#[derive(Args)]
pub(crate) struct Purge {
    /// Their guids
    #[arg(value_name = "GUID", required = true)]
    guids: Vec<String>,
    /// Keep this
    #[arg(long, value_enum, value_name = "PART", value_delimiter = ',')]
    keep: Vec<Part>,
    /// It is meant
    #[arg(long)]
    yes: bool,
}

/// What goes with a video.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Outputs,
    Thumbnails,
    Source,
    Sidecars,
    Versions,
    Edge,
    Item,
}

const PARTS: [(Part, PurgeKind); 7] = [
    (Part::Outputs, PurgeKind::Outputs),
    (Part::Thumbnails, PurgeKind::Thumbnails),
    (Part::Source, PurgeKind::Source),
    (Part::Sidecars, PurgeKind::Sidecars),
    (Part::Versions, PurgeKind::Versions),
    (Part::Edge, PurgeKind::Edge),
    (Part::Item, PurgeKind::Item),
];

pub(crate) async fn edit(session: &Session, edit: Edit, json: bool) -> Result<ExitCode> {
    let mut patch = VideoPatch {
        title: edit.title,
        description: edit.description,
        clear_tags: edit.clear_tags,
        remove_tags: edit.untag,
        poster: edit.poster,
        ..VideoPatch::default()
    };
    for tag in edit.tags {
        // A tag may be a mere name.
        let (name, value) = tag.split_once('=').unwrap_or((&tag, ""));
        patch.set_tags.insert(name.to_owned(), value.to_owned());
    }
    if patch == VideoPatch::default() {
        let what = "Nothing is to be changed.";
        return Err(Error::new(Code::Invalid, what, "Name it: --title, --description, --tag, --untag, --poster."));
    }
    self::patch(session, edit.which, patch, json).await
}

pub(crate) async fn publish(session: &Session, publish: Publish, json: bool) -> Result<ExitCode> {
    let Publish { which, from, until } = publish;
    // Without times it is at once, and for good.
    let patch = VideoPatch {
        published: Some(true),
        publish_from: Some(from.unwrap_or_default()),
        publish_until: Some(until.unwrap_or_default()),
        ..VideoPatch::default()
    };
    self::patch(session, which, patch, json).await
}

pub(crate) async fn patch(session: &Session, which: Which, patch: VideoPatch, json: bool) -> Result<ExitCode> {
    let editor = session.editor().await?;
    let is_query = which.query.is_some();
    let selection = match which.query {
        Some(query) => {
            let query = VideoQuery::parse(&query)?;
            videos::freshen(session).await?;
            VideoSelection::Matching { query }
        }
        None => {
            let guids = which.guids.into_iter().map(videos::key).collect::<Result<Vec<Guid>>>()?;
            // As they are now, those that the mirror does not know too.
            session.see(&guids).await?;
            VideoSelection::These { guids }
        }
    };
    if which.preview {
        let preview = editor.preview(selection, &patch).await?;
        tell_preview(&preview, json);
        let is_well = preview.unknown + preview.refused == 0;
        return Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let stop = stop_when_asked();
    let summary = editor.edit(selection, patch, !is_query, &stop, |result| tell(result, json)).await?;
    Ok(ended(&summary, json))
}

pub(crate) async fn purge(session: &Session, purge: Purge, json: bool) -> Result<ExitCode> {
    let Purge { guids, keep, yes } = purge;
    let guids = guids.into_iter().map(videos::key).collect::<Result<Vec<Guid>>>()?;
    videos::read_if_old(session).await?;
    let editor = session.editor().await?;
    let ticked: BTreeSet<_> = PARTS.iter().filter(|(part, _)| !keep.contains(part)).map(|(_, kind)| *kind).collect();
    if !yes {
        let plans = editor.plan_purge(&guids).await?;
        plans.iter().for_each(|plan| tell_plan(plan, &ticked, json));
        let what = "This deletes what is listed for good.";
        return Err(Error::new(Code::Invalid, what, "Say --yes if that is meant; --keep keeps a part."));
    }
    let told = |result: &EditResult| tell_as("deleted for good", result, json);
    let summary = editor.purge(guids, ticked, &stop_when_asked(), told).await?;
    Ok(ended(&summary, json))
}

fn tell_plan(plan: &PurgePlan, ticked: &BTreeSet<PurgeKind>, json: bool) {
    if json {
        let mut line = json!(plan);
        for (part, told) in plan.parts.iter().zip(line["parts"].as_array_mut().into_iter().flatten()) {
            told["goes"] = (part.why_not.is_none() && ticked.contains(&part.kind)).into();
        }
        return output::line(&line);
    }
    let title = output::plain(&plan.title);
    let others = format!(" (others may count on restoring it until {})", output::time(plan.restorable_until));
    output::text(&format!("{title}{}", if plan.restorable_until > now_ms() { others.as_str() } else { "" }));
    for part in &plan.parts {
        let PurgePart { kind, place, objects, bytes, versions, version_bytes, why_not } = part;
        let size = |count: &usize, bytes: &u64| {
            format!("{}, {}", output::count(*count, "object"), indicatif::DecimalBytes(*bytes))
        };
        let what = match (why_not, ticked.contains(kind)) {
            (Some(error), _) => format!("stays: {}", error.message),
            (None, false) => "stays".to_owned(),
            (None, true) if *kind == PurgeKind::Item => "goes".to_owned(),
            (None, true) if *kind == PurgeKind::Edge => "is invalidated: CloudFront forgets its copies".to_owned(),
            (None, true) if ticked.contains(&PurgeKind::Versions) && *versions != Some(0) => match versions {
                Some(versions) => {
                    format!("goes: {}, and older versions: {}", size(objects, bytes), size(versions, version_bytes))
                }
                None => format!("goes: {}; its older versions may not be listed", size(objects, bytes)),
            },
            (None, true) => format!("goes: {}", size(objects, bytes)),
        };
        output::text(&format!("  {place}: {what}"));
    }
}

/// Stops when the process is asked to end: after the videos that are being written.
pub(crate) fn stop_when_asked() -> CancellationToken {
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        reeldesk_core::asked_to_end().await;
        asked.cancel();
    });
    stop
}

pub(crate) async fn export(session: &Session, file: &Path, query: &str, json: bool) -> Result<ExitCode> {
    let query = VideoQuery::parse(query)?;
    videos::freshen(session).await?;
    let exported = session.editor().await?.export(VideoSelection::Matching { query }, file).await?;
    let Exported { videos, tags_left_out } = exported;
    if json {
        output::line(&json!({ "state": "exported", "videos": videos, "tagsLeftOut": tags_left_out }));
    } else {
        output::text(&format!("In {}: {}.", file.display(), output::count(videos, "video")));
    }
    if tags_left_out > 0 && !json {
        output::warning(&format!("{tags_left_out} tags that few videos have are left out; JSON has all of them."));
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn import(session: &Session, file: &Path, preview: bool, json: bool) -> Result<ExitCode> {
    let list = Editor::list_of(file).await?;
    videos::freshen(session).await?;
    let editor = session.editor().await?;
    let found = editor.preview_import(&list).await?;
    for ImportProblem { line, key, reason } in &found.problems {
        if json {
            output::line(&json!({ "state": "unread", "line": line, "text": key, "reason": reason }));
        } else {
            output::text(&format!("line {line}: \"{}\": {reason}", output::plain(key)));
        }
    }
    if !json {
        if found.unusable > found.problems.len() {
            output::text(&format!("and {} more lines", found.unusable - found.problems.len()));
        }
        if !found.unknown_columns.is_empty() {
            output::warning(&format!("Nobody knows these columns: {}.", found.unknown_columns.join(", ")));
        }
    }
    let is_well = found.problems.is_empty();
    if preview {
        if json {
            output::line(&found);
        } else {
            let ImportPreview { videos, changed, changes, samples, .. } = &found;
            let (videos, changes) = (output::count(*videos, "known video"), output::count(*changes, "change"));
            output::text(&format!("{changed} of {videos} would change, with {changes}."));
            samples.iter().for_each(tell_sample);
        }
        return Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let summary = editor.import(&list, &stop_when_asked(), |result| tell(result, json)).await?;
    let code = ended(&summary, json);
    Ok(if is_well { code } else { ExitCode::FAILURE })
}

pub(crate) async fn undo(session: &Session, run: &str, json: bool) -> Result<ExitCode> {
    let summary = session.editor().await?.undo(run, &stop_when_asked(), |result| tell(result, json)).await?;
    Ok(ended(&summary, json))
}

pub(crate) async fn resume(session: &Session, run: &str, again: bool, json: bool) -> Result<ExitCode> {
    // Only what is deleted for good needs all of it, and says so.
    videos::read_if_old(session).await.ok();
    let editor = session.editor().await?;
    let summary = editor.resume(run, again, &stop_when_asked(), |result| tell(result, json)).await?;
    Ok(ended(&summary, json))
}

pub(crate) async fn changes(session: &Session, limit: usize, json: bool) -> Result<ExitCode> {
    let entries = session.editor().await?.log(None, limit).await?;
    if json {
        entries.iter().for_each(output::line);
        return Ok(ExitCode::SUCCESS);
    }
    let row = |entry: &EditLogEntry| {
        let left = if entry.left > 0 { format!(", {} left", entry.left) } else { String::new() };
        vec![
            entry.run.clone(),
            output::time(entry.at),
            entry.what.clone(),
            format!("{} of {}{left}", entry.done, entry.of),
            entry.title.clone().unwrap_or_default(),
        ]
    };
    output::table(&["CHANGE", "AT", "WHAT", "VIDEOS", "FIRST"], &entries.iter().map(row).collect::<Vec<_>>());
    Ok(ExitCode::SUCCESS)
}

fn tell(result: &EditResult, json: bool) {
    tell_as("changed", result, json);
}

/// `done` says what became of one that went well.
fn tell_as(done: &str, result: &EditResult, json: bool) {
    if json {
        return output::line(&json!({ "guid": result.guid, "title": result.title, "outcome": result.outcome }));
    }
    let title = output::plain(&result.title);
    match &result.outcome {
        EditOutcome::Done => output::text(&format!("{title}: {done}")),
        EditOutcome::Unchanged => output::text(&format!("{title}: was so already")),
        EditOutcome::Aside => {
            output::text(&format!("{title}: someone else changed it meanwhile, and it is left as it is"))
        }
        EditOutcome::Failed { error } => {
            let message = format!("{title} ({}): {}", output::plain(result.guid.as_str()), error.message);
            output::failed(false, &Error { message, ..error.clone() });
        }
    }
}

fn ended(summary: &EditSummary, json: bool) -> ExitCode {
    let is_well = summary.failed + summary.aside + summary.left == 0;
    if json {
        let mut line = json!(summary);
        line["state"] = if is_well { "done" } else { "incomplete" }.into();
        output::line(&line);
    } else {
        if let Some(error) = &summary.error {
            output::failed(false, error);
        }
        if summary.left > 0 {
            let EditSummary { left, run, .. } = summary;
            let left = output::count(*left, "video");
            output::text(&format!("{left} left. Go on with: reelctl videos resume {run}"));
        } else if summary.can_be_undone {
            output::text(&format!("Undo it within 24 hours with: reelctl videos undo {}", summary.run));
        }
    }
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell_preview(preview: &EditPreview, json: bool) {
    if json {
        return output::line(preview);
    }
    let EditPreview { videos, changed, changes, samples, unknown, refused, refusal, .. } = preview;
    let (videos, changes) = (output::count(*videos, "video"), output::count(*changes, "change"));
    output::text(&format!("{changed} of {videos} would change, with {changes}."));
    if *unknown > 0 {
        output::text(&format!("The catalog has no {} of those that are named.", output::count(*unknown, "video")));
    }
    if let Some(refusal) = refusal {
        output::text(&format!("{refused} cannot be changed like this; the first one: {}", refusal.message));
    }
    samples.iter().for_each(tell_sample);
}

fn tell_sample(sample: &EditSample) {
    output::text(&output::plain(&sample.title));
    for change in &sample.changes {
        let shown = |value: &Option<String>| {
            value.as_ref().map_or("nothing".to_owned(), |value| format!("\"{}\"", output::plain(value)))
        };
        let (name, before, after) = (name_of(&change.field), shown(&change.before), shown(&change.after));
        output::text(&format!("  {name}: {before} becomes {after}"));
    }
}

fn name_of(field: &VideoField) -> String {
    match field {
        VideoField::Title => "title".to_owned(),
        VideoField::Description => "description".to_owned(),
        VideoField::Tag(name) => format!("tag {}", output::plain(name)),
        VideoField::Sidecar(key) => format!("file {}", output::plain(key)),
        VideoField::Published => "published".to_owned(),
        VideoField::PublishFrom => "published from".to_owned(),
        VideoField::PublishUntil => "published until".to_owned(),
        VideoField::Poster => "poster".to_owned(),
        VideoField::TrashedAt => "moved to the trash".to_owned(),
    }
}
