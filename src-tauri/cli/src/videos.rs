//! `reelctl videos`: the catalog as the table has it, and the search in this computer's mirror of it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use reeldesk_core::catalog::{
    CatalogSync, Facet, Guid, Status, StatusKind, Video, VideoPatch, VideoQuery, VideoSort, VideoSummary,
};
use reeldesk_core::clock::now_ms;
use reeldesk_core::{Code, Error, Result, Session};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{edits, output, sidecars};

/// Videos that are asked of the mirror at once.
const PAGE: usize = 500;
/// Titles that are offered where nothing is found.
const NEAREST: usize = 5;

#[derive(Subcommand)]
pub(crate) enum Videos {
    /// All videos, newest first
    List,
    /// One video
    Show {
        /// Its guid
        guid: String,
    },
    /// Videos whose titles, file names, tags, descriptions or guids have words that begin like this
    Search(Search),
    /// Read all of the catalog into this computer's mirror, where `search` and the window look
    Sync,
    /// Change what is said of videos
    Edit(edits::Edit),
    /// Add a file that goes with a video, subtitles for one
    AddSidecar(sidecars::AddSidecar),
    /// Take a file off a video; its object stays in the bucket
    RemoveSidecar {
        /// The guid of the video
        guid: String,
        /// The key of the file, as `show` tells it
        key: String,
    },
    /// Let viewers see videos
    Publish(edits::Publish),
    /// Let viewers see them no longer
    Unpublish(edits::Which),
    /// Move videos to the trash: nothing is deleted, and they can be restored for 30 days
    Trash(edits::Which),
    /// Take videos out of the trash
    Restore(edits::Which),
    /// Delete videos of the trash for good, with their files; without --yes it only tells what would go
    Purge(edits::Purge),
    /// Write videos into a file: JSON where its name ends in .json, otherwise CSV
    Export {
        /// The file
        file: PathBuf,
        /// Only those that this finds: words and filters, as `search` takes them
        #[arg(long, value_name = "QUERY", default_value = "")]
        query: String,
    },
    /// Change videos as a CSV says: guid or srcVideo, and of title, description, published, publishFrom, publishUntil and
    /// tag:NAME those that may change; an empty cell takes the value away
    Import {
        /// The file
        file: PathBuf,
        /// Only tell what would change
        #[arg(long)]
        preview: bool,
    },
    /// What was changed from this computer, the newest first
    Changes {
        /// So many at most
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        limit: usize,
    },
    /// Undo a change of the last 24 hours
    Undo {
        /// The change, as `changes` lists it
        run: String,
    },
    /// Go on with a change that was stopped or broke off
    Resume {
        /// The change, as `changes` lists it
        run: String,
        /// Also try those again that failed, or that someone else changed
        #[arg(long)]
        again: bool,
    },
}

/// What is looked for.
#[derive(Args)]
pub(crate) struct Search {
    /// Beginnings of words, in any order, and filters: status:error, tag:genre=Drama, template:NAME, workflow:NAME,
    /// bucket:NAME, resolution:full-hd, length:under-an-hour, after:2026-01-31, before:2026-01-31, is:draft (published, timed,
    /// unsaid, hdr, captions, shorter, stuck, attention, trash); without any all videos are meant
    text: Vec<String>,
    /// Only those in this state; more than one may be named
    #[arg(long, value_name = "STATE")]
    status: Vec<State>,
    /// Only those with this tag
    #[arg(long, value_name = "NAME=VALUE")]
    tag: Vec<String>,
    /// Only those with this job template
    #[arg(long, value_name = "NAME")]
    template: Vec<String>,
    /// Only those of this workflow
    #[arg(long, value_name = "NAME")]
    workflow: Vec<String>,
    /// Only those with captions
    #[arg(long)]
    captions: bool,
    /// Only those with a high dynamic range
    #[arg(long)]
    hdr: bool,
    /// By what they are sorted: the newest first, titles from A to Z, the shortest first, or the best match first
    #[arg(long, value_enum, default_value_t = Sort::Started)]
    sort: Sort,
    /// The other way round
    #[arg(long)]
    reverse: bool,
    /// So many at most
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum State {
    Ingest,
    Encoding,
    Complete,
    Error,
    Canceled,
    Other,
}

#[derive(Clone, Copy, ValueEnum)]
enum Sort {
    Started,
    Title,
    Duration,
    Match,
}

pub(crate) async fn run(session: &Session, command: Videos, json: bool) -> Result<ExitCode> {
    match command {
        Videos::List => list(session, json).await,
        Videos::Show { guid } => show(session, guid, json).await,
        Videos::Search(search) => find(session, search, json).await,
        Videos::Sync => {
            sweep(&session.sync).await?;
            let count = session.sync.mirror().await?.count_all().await?;
            if json {
                output::line(&json!({ "state": "read", "videos": count }));
            } else {
                output::text(&format!("{count} videos are in the mirror."));
            }
            Ok(ExitCode::SUCCESS)
        }
        Videos::Edit(edit) => edits::edit(session, edit, json).await,
        Videos::AddSidecar(add) => sidecars::add(session, add, json).await,
        Videos::RemoveSidecar { guid, key } => sidecars::remove(session, guid, key, json).await,
        Videos::Publish(publish) => edits::publish(session, publish, json).await,
        Videos::Unpublish(which) => {
            edits::patch(session, which, VideoPatch { published: Some(false), ..VideoPatch::default() }, json).await
        }
        Videos::Trash(which) => {
            edits::patch(session, which, VideoPatch { trashed: Some(true), ..VideoPatch::default() }, json).await
        }
        Videos::Restore(which) => {
            edits::patch(session, which, VideoPatch { trashed: Some(false), ..VideoPatch::default() }, json).await
        }
        Videos::Purge(purge) => edits::purge(session, purge, json).await,
        Videos::Export { file, query } => edits::export(session, &file, &query, json).await,
        Videos::Import { file, preview } => edits::import(session, &file, preview, json).await,
        Videos::Changes { limit } => edits::changes(session, limit, json).await,
        Videos::Undo { run } => edits::undo(session, &run, json).await,
        Videos::Resume { run, again } => edits::resume(session, &run, again, json).await,
    }
}

/// Reads all of the table, unless the process is asked to end.
async fn sweep(sync: &CatalogSync) -> Result<()> {
    let stop = CancellationToken::new();
    let sweep = sync.sweep_at_once(&stop, |_| {});
    tokio::pin!(sweep);
    tokio::select! {
        done = &mut sweep => done,
        () = reeldesk_core::asked_to_end() => {
            stop.cancel();
            sweep.await
        }
    }
}

impl Search {
    fn query(self) -> Result<VideoQuery> {
        let typed = VideoQuery::parse(&self.text.join(" "))?;
        let status = |state: State| {
            Facet::Status(match state {
                State::Ingest => StatusKind::Ingest,
                State::Encoding => StatusKind::Encoding,
                State::Complete => StatusKind::Complete,
                State::Error => StatusKind::Error,
                State::Canceled => StatusKind::Canceled,
                State::Other => StatusKind::Other,
            })
        };
        let mut facets = typed.facets;
        facets.extend(self.status.into_iter().map(status));
        facets.extend(self.tag.into_iter().map(Facet::Tag));
        facets.extend(self.template.into_iter().map(Facet::Template));
        facets.extend(self.workflow.into_iter().map(Facet::Workflow));
        facets.extend(self.captions.then_some(Facet::Captions));
        facets.extend(self.hdr.then_some(Facet::Hdr));
        let (sort, descending) = match self.sort {
            Sort::Started => (VideoSort::Started, true),
            Sort::Title => (VideoSort::Title, false),
            Sort::Duration => (VideoSort::Duration, false),
            Sort::Match => (VideoSort::Match, true),
        };
        let descending = descending != self.reverse;
        Ok(VideoQuery { text: typed.text, facets, from: typed.from, until: typed.until, sort, descending })
    }
}

/// Brings the mirror up to date, as far as AWS answers.
pub(crate) async fn freshen(session: &Session) -> Result<()> {
    let sync = &session.sync;
    let age = sync.age().await?;
    let fresh = match age.swept_at {
        None => match sweep(sync).await {
            // Without the right to read it through, the newest are there all the same.
            Err(error) if error.code == Code::AccessDenied => session.look().await.and(Err(error)),
            read => read,
        },
        Some(_) => session.look().await,
    };
    if let Err(error) = fresh {
        // What this computer knows is better than nothing, where it knows something.
        if sync.mirror().await?.count_all().await? == 0 {
            return Err(error);
        }
        output::warning(&format!("{} This is what is known.", error.message));
    }
    Ok(())
}

/// Reads all of the table where that was not done for hours: what is deleted for good must be known to be nobody else's.
pub(crate) async fn read_if_old(session: &Session) -> Result<()> {
    const OLD_MS: i64 = 6 * 3_600_000;
    let swept_at = session.sync.age().await?.swept_at;
    if swept_at.is_none_or(|at| now_ms() - at > OLD_MS) { sweep(&session.sync).await } else { session.look().await }
}

async fn find(session: &Session, search: Search, json: bool) -> Result<ExitCode> {
    let (sync, limit, query) = (&session.sync, search.limit, search.query()?);
    freshen(session).await?;
    let mirror = sync.mirror().await?;
    let mut rows = Vec::new();
    let mut shown = 0;
    while shown < limit {
        let found = mirror.find(query.clone(), shown, PAGE.min(limit - shown)).await?.videos;
        if found.is_empty() {
            break;
        }
        shown += found.len();
        for video in found {
            if json {
                output::line(&video);
            } else {
                let VideoSummary { guid, status, duration, title, .. } = video;
                rows.push(vec![guid.to_string(), word(&status), output::clock(duration), title]);
            }
        }
    }
    if !json {
        output::table(&["GUID", "STATUS", "DURATION", "TITLE"], &rows);
        if rows.is_empty() {
            let nearest = mirror.nearest(query, NEAREST).await?;
            nearest
                .iter()
                .for_each(|video| output::text(&format!("Did you mean \"{}\"?", output::plain(&video.title))));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(session: &Session, json: bool) -> Result<ExitCode> {
    let mut rows = Vec::new();
    let mut tell = |video: Video| match json {
        true => output::line(&video),
        false => {
            let Video { guid, status, duration, title, .. } = video;
            rows.push(vec![guid.to_string(), word(&status), output::clock(duration), title]);
        }
    };
    if session.catalog.has_index() {
        let mut next = None;
        loop {
            let page = session.videos(next, 100).await?;
            page.videos.into_iter().for_each(&mut tell);
            next = page.next;
            if next.is_none() {
                break;
            }
        }
    } else {
        list_all(session, tell).await?;
    }
    if !json {
        output::table(&["GUID", "STATUS", "DURATION", "TITLE"], &rows);
    }
    Ok(ExitCode::SUCCESS)
}

/// Without an index by time the order is that of the mirror.
async fn list_all(session: &Session, mut tell: impl FnMut(Video)) -> Result<()> {
    sweep(&session.sync).await?;
    let newest = VideoQuery { descending: true, ..VideoQuery::default() };
    for first in (0..).step_by(100) {
        let found = session.sync.mirror().await?.find(newest.clone(), first, 100).await?.videos;
        if found.is_empty() {
            break;
        }
        let guids: Vec<_> = found.into_iter().map(|video| video.guid).collect();
        let videos = session.catalog.by_keys(&guids).await?;
        let mut videos: HashMap<_, _> = videos.into_iter().map(|video| (video.guid.clone(), video)).collect();
        guids.iter().filter_map(|guid| videos.remove(guid)).for_each(&mut tell);
    }
    Ok(())
}

async fn show(session: &Session, guid: String, json: bool) -> Result<ExitCode> {
    let guid = key(guid)?;
    let video: Video = session.video(&guid).await?;
    let stream = if video.is_playable() { session.stream(&guid).await.map(Some) } else { Ok(None) };
    // What is known of it is shown, whatever its stream is like.
    let (stream, error) = stream.map_or_else(|error| (None, Some(error)), |stream| (stream, None));
    if json {
        output::line(&json!({ "video": video, "stream": stream, "streamError": error }));
    } else {
        output::value(&video);
        stream.iter().for_each(|stream| output::stream(stream, false));
        error.iter().for_each(|error| output::failed(false, error));
    }
    Ok(if error.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The key of a video.
pub(crate) fn key(guid: String) -> Result<Guid> {
    Guid::new(guid).ok_or_else(|| Error::new(Code::Invalid, "The guid is empty.", "Give one."))
}

pub(crate) fn word(status: &Status) -> String {
    match status {
        Status::Ingest => "Ingest".into(),
        Status::Encoding => "Encoding".into(),
        Status::Canceled => "Canceled".into(),
        Status::Complete => "Complete".into(),
        Status::Error { .. } => "Error".into(),
        Status::Other { word } => word.clone(),
    }
}
