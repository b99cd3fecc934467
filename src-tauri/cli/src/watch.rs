//! `reelctl watch`: watch folders, and the server that ingests from them.

use std::collections::HashMap;
use std::process::ExitCode;

use reeldesk_core::event::Event;
use reeldesk_core::ingest::{Driving, Journey, Stage};
use reeldesk_core::watch::{Afterwards, Condition, Rules, WatchFolder, WatchedFile, WatchedFolder};
use reeldesk_core::workspace::{SANDBOX, Settings};
use reeldesk_core::{Driver, Error, Folders, Result, watch_rules};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use crate::arguments::{Rule, Watching};
use crate::output;

pub(crate) async fn run(folders: &Folders, command: Watching, workspace: &str, json: bool) -> Result<ExitCode> {
    let rules = watch_rules(folders)?;
    match command {
        Watching::Add(rule) => add(folders, &rules, rule, workspace, json).await,
        Watching::List => list(&rules, json).await,
        Watching::Pause { folder } => pause(&rules, &folder, true).await,
        Watching::Resume { folder } => pause(&rules, &folder, false).await,
        Watching::Accept { folder } => {
            rules.accept(&rules.find(&folder).await?).await?;
            Ok(ExitCode::SUCCESS)
        }
        Watching::Remove { folder } => {
            rules.remove(rules.find(&folder).await?.id).await?;
            Ok(ExitCode::SUCCESS)
        }
        Watching::Run => serve(folders, workspace, json).await,
    }
}

async fn add(folders: &Folders, rules: &Rules, rule: Rule, workspace: &str, json: bool) -> Result<ExitCode> {
    if workspace != SANDBOX {
        Settings::of(folders).get(workspace)?;
    }
    let added = rules
        .put(WatchFolder {
            recursive: !rule.flat,
            include: rule.include,
            exclude: rule.exclude,
            settle_seconds: rule.settle,
            naming: rule.naming,
            template: rule.template,
            existing: rule.existing,
            afterwards: rule.afterwards,
            changed: rule.changed,
            ..WatchFolder::of(workspace, &rule.folder)
        })
        .await?;
    if json {
        output::line(&added);
    } else {
        output::text(&format!("{} is watched for the workspace \"{workspace}\".", added.path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(rules: &Rules, json: bool) -> Result<ExitCode> {
    let all = rules.all().await?;
    if json {
        all.iter().for_each(output::line);
    } else {
        let rows: Vec<_> = all
            .iter()
            .map(|rule| {
                let state = if rule.paused { "paused" } else { "on" };
                vec![state.to_owned(), rule.workspace.clone(), rule.path.display().to_string()]
            })
            .collect();
        output::table(&["STATE", "WORKSPACE", "FOLDER"], &rows);
    }
    Ok(ExitCode::SUCCESS)
}

async fn pause(rules: &Rules, folder: &str, paused: bool) -> Result<ExitCode> {
    let rule = rules.find(folder).await?;
    rules.put(WatchFolder { paused, ..rule }).await?;
    Ok(ExitCode::SUCCESS)
}

/// Ingests from the workspace's watch folders until it is told to stop.
async fn serve(folders: &Folders, workspace: &str, json: bool) -> Result<ExitCode> {
    let session = reeldesk_shell::open(folders, workspace).await?;
    if session.workspace.is_sandbox() {
        reeldesk_core::require_ffmpeg()?;
    }
    let mut events = session.events.subscribe();
    let driver = session.drive(Driving::Server).await?;
    let watch = driver.watch();
    let mut log = Log { json, stages: HashMap::new(), conditions: HashMap::new(), waiting: HashMap::new() };
    log.begin(&driver);
    let stopped = reeldesk_core::asked_to_end();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Ok(event) => log.hear(event, &driver),
                Err(RecvError::Lagged(_)) => log.catch_up(&driver),
                Err(RecvError::Closed) => break,
            },
            () = &mut stopped => break,
        }
    }
    watch.stop().await;
    driver.stop().await;
    session.close().await;
    log.say(json!({ "event": "stopped" }), "stopped; the next start goes on");
    Ok(ExitCode::SUCCESS)
}

/// One line for each thing that happens, without a time: whoever keeps the log adds it.
struct Log {
    json: bool,
    stages: HashMap<String, Stage>,
    conditions: HashMap<String, Condition>,
    /// What the files of each folder wait for, as it was said last.
    waiting: HashMap<String, HashMap<String, String>>,
}

impl Log {
    /// What is there already is no news.
    fn begin(&mut self, driver: &Driver) {
        self.stages = driver.ingest.list().into_iter().map(|journey| (journey.id, journey.stage)).collect();
        self.say(json!({ "event": "started" }), "started");
    }

    fn hear(&mut self, event: Event, driver: &Driver) {
        match event {
            Event::Journey { journey } => self.journey(&journey),
            Event::Watch { folders } => folders.iter().for_each(|folder| self.folder(folder)),
            Event::Away { path, done } => self.went(&path, done),
            Event::Resync => self.catch_up(driver),
            Event::SignIn { error: Some(error) } | Event::SignInEnds { error } => self.error("sign-in", &error),
            Event::SignIn { error: None } => self.say(json!({ "event": "signed-in" }), "signed in: all goes on"),
            Event::Unreachable { error } => self.error("unreachable", &error),
            Event::BatchEnded { .. }
            | Event::Library { .. }
            | Event::Jobs { .. }
            | Event::Viewers { .. }
            | Event::RunEnded { .. } => {}
        }
    }

    fn catch_up(&mut self, driver: &Driver) {
        for journey in driver.ingest.list() {
            self.journey(&journey);
        }
    }

    fn journey(&mut self, journey: &Journey) {
        let before = self.stages.insert(journey.id.clone(), journey.stage);
        let path = journey.path.display();
        let event = match (before, journey.stage) {
            (None, stage) if stage.is_being_sent() => "taken",
            (Some(before), stage) if before == stage => return,
            (_, Stage::Verified) => "verified",
            (_, Stage::Playable) => "playable",
            (_, Stage::Skipped) => "skipped",
            (_, Stage::Canceled) => "canceled",
            (_, Stage::NeedsYou) => "needs-you",
            _ => return,
        };
        let line = json!({
            "event": event, "path": journey.path.to_string_lossy(), "title": journey.title, "tags": journey.tags, "bytes": journey.size,
            "journey": journey.id, "key": journey.key, "guid": journey.guid, "hlsUrl": journey.hls_url,
            "error": journey.error,
        });
        let more = match (&journey.error, &journey.hls_url) {
            (Some(error), _) => format!(": {} {}", error.message, error.remedy),
            (None, Some(url)) => format!(": {url}"),
            (None, None) => String::new(),
        };
        self.say(line, &format!("{event} {path}{more}"));
    }

    fn folder(&mut self, folder: &WatchedFolder) {
        let path = folder.rule.path.display().to_string();
        let before = self.waiting.remove(&path).unwrap_or_default();
        let waits = |file: &WatchedFile| Some((file.path.clone(), file.state.waits_for()?));
        let waiting: HashMap<_, _> = folder.files.iter().filter_map(waits).collect();
        for (file, why) in waiting.iter().filter(|(file, why)| before.get(*file) != Some(why)) {
            let file = folder.rule.path.join(file);
            let line = json!({ "event": "waits", "path": file.to_string_lossy(), "why": why });
            self.say(line, &format!("waits {}: {why}", file.display()));
        }
        self.waiting.insert(path.clone(), waiting);
        if self.conditions.insert(path.clone(), folder.condition.clone()).as_ref() == Some(&folder.condition) {
            return;
        }
        let words = match &folder.condition {
            Condition::Starting | Condition::Elsewhere => return,
            Condition::Paused => "paused".to_owned(),
            Condition::Watching => "watching".to_owned(),
            Condition::Polling { why: None } => "looking again and again".to_owned(),
            Condition::Polling { why: Some(error) } => {
                format!("looking again and again: {} {}", error.message, error.remedy)
            }
            Condition::Trouble { error } => format!("waiting: {} {}", error.message, error.remedy),
        };
        self.say(
            json!({ "event": "folder", "path": path, "condition": folder.condition }),
            &format!("{path}: {words}"),
        );
    }

    /// Says what was moved or deleted.
    fn went(&self, path: &str, done: Afterwards) {
        let event = if done == Afterwards::Move { "moved" } else { "deleted" };
        self.say(json!({ "event": event, "path": path }), &format!("{event} {path}"));
    }

    fn error(&self, event: &str, error: &Error) {
        self.say(json!({ "event": event, "error": error }), &format!("{event}: {} {}", error.message, error.remedy));
    }

    fn say(&self, line: Value, words: &str) {
        if self.json {
            output::line(&line);
        } else {
            // A path may hold anything; a line of the log is one line.
            let words: String = words.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
            output::text(&words);
        }
    }
}
