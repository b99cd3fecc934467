//! `reelctl ingest`: the main job without a window.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use reeldesk_core::clock::now_ms;
use reeldesk_core::event::{Event, WorkspaceEvent};
use reeldesk_core::ingest::{Driving, Journey, Resolution, Resolutions, Stage};
use reeldesk_core::upload::Rate;
use reeldesk_core::{Instance, Result, Session};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use crate::output;

/// How the files are sent: as the command's options say.
pub(crate) struct How {
    pub wait: bool,
    pub limit: Option<Rate>,
    pub again: bool,
    pub as_is: bool,
}

pub(crate) async fn run(
    instance: &Instance,
    session: &Session,
    paths: Vec<PathBuf>,
    how: How,
    data_dir: Option<&Path>,
    json: bool,
) -> Result<ExitCode> {
    let How { wait, limit, again, as_is } = how;
    if session.workspace.is_sandbox() {
        reeldesk_core::require_ffmpeg()?;
    }
    let mut events = instance.subscribe();
    let began = now_ms();
    let driver = session.drive(Driving::Command).await?;
    if let Some(Rate(bytes)) = limit {
        driver.ingest.limit_this_run(bytes);
    }
    // Nobody is asked: the same content is skipped, another content of the same name is a video of its own.
    let same_content = if again { Resolution::KeepBoth } else { Resolution::Skip };
    let answers = Resolutions { same_content: Some(same_content), same_name: Some(Resolution::KeepBoth) };
    let added = driver.ingest.add(paths, answers, as_is).await?;
    // The sandbox, and its CDN, end with this command.
    let served_by = session.has_own_sandbox().then(|| serves(data_dir));
    let mut screen = Screen::new(json, &added, served_by.clone());
    let mut open: HashSet<String> = added.iter().map(|journey| journey.id.clone()).collect();
    let mut all_well = true;
    let mut settle = |journey: &Journey, screen: &mut Screen| {
        screen.show(journey);
        let well = is_well(journey, wait);
        let failed = !journey.stage.is_open() && journey.stage != Stage::Skipped;
        if open.contains(&journey.id) && (well || failed) {
            open.remove(&journey.id);
            all_well &= well;
            screen.end(journey);
        }
        open.is_empty()
    };
    // What was told before the subscription, or lost, is read from the list.
    let mut done = false;
    for journey in driver.ingest.list().iter().filter(|journey| added.iter().any(|other| other.id == journey.id)) {
        done = settle(journey, &mut screen);
    }
    let asked_to_end = reeldesk_core::asked_to_end();
    tokio::pin!(asked_to_end);
    while !done {
        tokio::select! {
            event = events.recv() => match event {
                Ok(WorkspaceEvent { event: Event::Journey { journey }, .. }) => done = settle(&journey, &mut screen),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => {
                    for journey in driver.ingest.list() {
                        done = settle(&journey, &mut screen);
                    }
                }
                Err(RecvError::Closed) => break,
            },
            () = &mut asked_to_end => {
                screen.interrupted();
                all_well = false;
                break;
            }
        }
    }
    let ingest = driver.ingest.clone();
    driver.stop().await;
    if !json {
        let ids: HashSet<_> = added.iter().map(|journey| &journey.id).collect();
        let ended: Vec<_> = ingest.list().into_iter().filter(|journey| ids.contains(&journey.id)).collect();
        output::text(&summary(&ended, began));
        if let Some(served_by) = served_by.filter(|_| ended.iter().any(|journey| journey.hls_url.is_some())) {
            output::text(&format!("The sandbox ends with this command: \"{served_by}\" serves its streams."));
        }
    }
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The command that serves the streams of the sandbox of this data folder.
fn serves(data_dir: Option<&Path>) -> String {
    data_dir.map_or("reelctl sandbox".to_owned(), |folder| format!("reelctl --data-dir {} sandbox", folder.display()))
}

/// Whether it has come as far as was asked for; what is skipped comes as far as its twin.
fn is_well(journey: &Journey, wait: bool) -> bool {
    match journey.stage {
        Stage::Playable => true,
        Stage::Verified | Stage::Queued | Stage::Encoding => !wait,
        Stage::Skipped => journey.hls_url.is_some() || (!wait && journey.verified_at.is_some()),
        _ => false,
    }
}

/// What is shown: JSON lines, or a bar for each file.
enum Screen {
    Json {
        ended: HashSet<String>,
        last: HashMap<String, Value>,
        /// The command that serves the streams from then on, where this one did.
        served_by: Option<String>,
    },
    Bars {
        all: MultiProgress,
        bars: HashMap<String, ProgressBar>,
        told: HashMap<String, Option<String>>,
    },
}

impl Screen {
    fn new(json: bool, added: &[Journey], served_by: Option<String>) -> Self {
        if json {
            return Self::Json { ended: HashSet::new(), last: HashMap::new(), served_by };
        }
        let all = MultiProgress::new();
        let style = ProgressStyle::with_template("{prefix:24!} {bar:30} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bars = added
            .iter()
            .map(|journey| {
                let bar = all.add(ProgressBar::new(100).with_style(style.clone()).with_prefix(journey.title.clone()));
                bar.enable_steady_tick(Duration::from_millis(250));
                (journey.id.clone(), bar)
            })
            .collect();
        Self::Bars { all, bars, told: HashMap::new() }
    }

    fn show(&mut self, journey: &Journey) {
        match self {
            Self::Json { ended, last, .. } => {
                if ended.contains(&journey.id) || !journey.stage.is_open() {
                    return;
                }
                let value = json!({
                    "state": journey.stage, "path": journey.path.to_string_lossy(), "bytes": journey.size, "sent": journey.sent,
                    "percent": journey.percent, "notice": journey.notice, "guid": journey.guid, "jobId": journey.job_id,
                });
                if last.get(&journey.id) != Some(&value) {
                    output::line(&value);
                    last.insert(journey.id.clone(), value);
                }
            }
            Self::Bars { all, bars, told } => {
                let Some(bar) = bars.get(&journey.id) else { return };
                // Without a terminal there are no bars: what is worth knowing is a line, once.
                if all.is_hidden() && journey.notice.is_some() && told.get(&journey.id) != Some(&journey.notice) {
                    told.insert(journey.id.clone(), journey.notice.clone());
                    output::text(&format!("{}: {}", journey.title, journey.notice.as_deref().unwrap_or_default()));
                }
                bar.set_position(percent(journey));
                bar.set_message(sentence(journey));
            }
        }
    }

    fn end(&mut self, journey: &Journey) {
        match self {
            Self::Json { ended, served_by, .. } => {
                ended.insert(journey.id.clone());
                let mut line = last_line(journey);
                if journey.hls_url.is_some() {
                    line["servedBy"] = json!(served_by);
                }
                output::line(&line);
            }
            Self::Bars { all, bars, .. } => {
                if let Some(bar) = bars.get(&journey.id) {
                    bar.finish_with_message(sentence(journey));
                }
                if let Some(error) = &journey.error {
                    all.suspend(|| output::text(&format!("{}\n  {}", error.message, error.remedy)));
                }
                if let Some(notice) = &journey.notice {
                    all.suspend(|| output::text(&format!("{}: {notice}", journey.title)));
                }
                if let Some(url) = &journey.hls_url {
                    all.suspend(|| output::text(&format!("{}: {url}", journey.title)));
                }
            }
        }
    }

    fn interrupted(&self) {
        if let Self::Bars { all, .. } = self {
            all.suspend(|| output::text("Stopped. The same command goes on where this one stopped."));
        }
    }
}

/// What came of them since this run began, in milliseconds since the epoch.
fn summary(journeys: &[Journey], began: i64) -> String {
    let count = |stage: Stage| journeys.iter().filter(|journey| journey.stage == stage).count();
    let sent = |one: &&Journey| one.verified_at.is_some() && one.stage != Stage::Skipped;
    let there = journeys.iter().filter(sent);
    let bytes = there.clone().map(|journey| journey.size).sum();
    let first = there.clone().map(|journey| journey.added_at.max(began)).min().unwrap_or(0);
    let last = there.clone().filter_map(|journey| journey.verified_at).max().unwrap_or(first);
    let took = Duration::from_millis((last - first).try_into().unwrap_or(0));
    let mut line = output::sent(there.count(), bytes, took);
    for (stage, words) in [
        (Stage::Playable, "playable"),
        (Stage::Skipped, "skipped: in the library already"),
        (Stage::NeedsYou, "failed"),
        (Stage::Canceled, "canceled"),
    ] {
        if count(stage) > 0 {
            line += &format!(", {} {words}", count(stage));
        }
    }
    line + "."
}

/// The last line of a file: `ready`, `uploaded` (without `--wait`) or `failed`.
fn last_line(journey: &Journey) -> Value {
    let mut line = match (&journey.error, journey.stage) {
        (Some(error), _) => output::failure(error),
        (None, Stage::Playable) => json!({ "state": "ready" }),
        (None, Stage::Skipped) if journey.hls_url.is_some() => json!({ "state": "ready", "skipped": true }),
        (None, Stage::Skipped) => json!({ "state": "uploaded", "skipped": true }),
        (None, Stage::Canceled) => json!({
            "state": "failed", "code": "canceled", "message": "It was canceled.", "remedy": "Run the command again.",
        }),
        (None, _) => json!({ "state": "uploaded" }),
    };
    line["path"] = json!(journey.path.to_string_lossy());
    line["guid"] = json!(journey.guid);
    line["hlsUrl"] = json!(journey.hls_url);
    line["key"] = json!(journey.key);
    line["notice"] = json!(journey.notice);
    line
}

fn percent(journey: &Journey) -> u64 {
    match journey.stage {
        Stage::Sending | Stage::Finalising => (journey.sent * 100).checked_div(journey.size).unwrap_or(0),
        Stage::Encoding => u64::from(journey.percent.unwrap_or(0)),
        Stage::Playable | Stage::Skipped => 100,
        _ => 0,
    }
}

fn sentence(journey: &Journey) -> String {
    let stage = match journey.stage {
        Stage::Paused => "Paused".to_owned(),
        Stage::Checking => "Checking".to_owned(),
        Stage::Waiting => "Waiting".to_owned(),
        Stage::Sending => match (journey.speed, journey.time_left) {
            (Some(speed), Some(left)) => format!("Sending, {:.1} MB/s, about {left} s left", speed / 1e6),
            (Some(speed), None) => format!("Sending, {:.1} MB/s", speed / 1e6),
            _ => "Sending".to_owned(),
        },
        Stage::Finalising => "Finalizing".to_owned(),
        Stage::Verified => "Verified".to_owned(),
        Stage::Queued => "Queued".to_owned(),
        Stage::Encoding => format!("Encoding {} %", journey.percent.unwrap_or(0)),
        Stage::Playable => "Playable".to_owned(),
        Stage::NeedsYou => "Needs you".to_owned(),
        Stage::Skipped => "In the library already".to_owned(),
        Stage::Canceled => "Canceled".to_owned(),
        Stage::Canceling => "Canceling".to_owned(),
    };
    match &journey.notice {
        Some(notice) => format!("{stage}: {notice}"),
        None => stage,
    }
}
