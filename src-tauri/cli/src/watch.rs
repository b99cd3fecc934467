//! `reelctl watch`: watch folders, and the server that ingests from them.

use std::collections::{BTreeSet, HashMap};
use std::process::ExitCode;

use reeldesk_core::event::{Event, WorkspaceEvent};
use reeldesk_core::ingest::{Driving, Journey, Stage};
use reeldesk_core::watch::{Afterwards, Condition, Rules, WatchFolder, WatchedFile, WatchedFolder};
use reeldesk_core::workspace::{SANDBOX, Settings};
use reeldesk_core::{Code, Error, Folders, Instance, Result, watch_rules};
use reeldesk_shell::Workspaces;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use crate::arguments::{Rule, Watching};
use crate::output;

pub(crate) async fn run(folders: &Folders, command: Watching, workspace: Option<&str>, json: bool) -> Result<ExitCode> {
    let rules = watch_rules(folders)?;
    match command {
        Watching::Add(rule) => add(folders, &rules, rule, workspace.unwrap_or(SANDBOX), json).await,
        Watching::List => list(&rules, json).await,
        Watching::Pause { folder } => pause(&rules, &find(&rules, &folder, workspace).await?, true).await,
        Watching::Resume { folder } => pause(&rules, &find(&rules, &folder, workspace).await?, false).await,
        Watching::Accept { folder } => {
            rules.accept(&find(&rules, &folder, workspace).await?).await?;
            Ok(ExitCode::SUCCESS)
        }
        Watching::Remove { folder } => {
            rules.remove(find(&rules, &folder, workspace).await?.id).await?;
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

/// A watch folder, of this workspace where one is named.
async fn find(rules: &Rules, folder: &str, workspace: Option<&str>) -> Result<WatchFolder> {
    let rule = rules.find(folder).await?;
    match workspace.filter(|workspace| *workspace != rule.workspace) {
        Some(_) => Err(Error::new(
            Code::Invalid,
            format!("\"{}\" is watched for the workspace \"{}\".", rule.path.display(), rule.workspace),
            "Name that workspace, or none.",
        )),
        None => Ok(rule),
    }
}

async fn pause(rules: &Rules, rule: &WatchFolder, paused: bool) -> Result<ExitCode> {
    rules.put(WatchFolder { paused, ..rule.clone() }).await?;
    Ok(ExitCode::SUCCESS)
}

/// Ingests from the watch folders of this workspace, or of all, until it is told to stop.
async fn serve(folders: &Folders, workspace: Option<&str>, json: bool) -> Result<ExitCode> {
    if workspace == Some(SANDBOX) {
        reeldesk_core::require_ffmpeg()?;
    }
    // Settings that cannot be read serve nobody.
    Settings::of(folders).workspaces()?;
    let instance = Instance::on(folders);
    let _lock = instance.claim().await?;
    let mut events = instance.subscribe();
    let workspaces: Workspaces<()> = Workspaces::of(instance, Driving::Server);
    let mut changes = workspaces.changes();
    let mut server = Server {
        json,
        is_one: workspace.is_some(),
        workspaces: &workspaces,
        logs: HashMap::new(),
        failed: BTreeSet::new(),
        early: HashMap::new(),
    };
    let at_work = async {
        match workspace {
            Some(name) => workspaces.open(name).await.map(drop),
            None => {
                workspaces.open_those_at_work().await;
                Ok(())
            }
        }
    };
    let stopped = reeldesk_core::asked_to_end();
    tokio::pin!(at_work, stopped);
    let (mut ended, mut is_opening) = (Ok(()), true);
    if !server.is_one {
        server.say_of_all(json!({ "event": "serving" }), "serving all workspaces");
    }
    loop {
        tokio::select! {
            // What was opened is known before what it tells.
            biased;
            () = &mut stopped => break,
            opened = &mut at_work, if is_opening => {
                is_opening = false;
                ended = opened;
                if ended.is_err() {
                    break;
                }
            }
            Ok(()) = changes.changed() => server.look(),
            event = events.recv() => match event {
                Ok(event) => server.hear(event),
                Err(RecvError::Lagged(_)) => server.catch_up(),
                Err(RecvError::Closed) => break,
            },
        }
    }
    workspaces.close_all().await;
    ended?;
    server.say_of_all(json!({ "event": "stopped" }), "stopped; the next start goes on");
    Ok(ExitCode::SUCCESS)
}

/// The workspaces that are served, and what was said of each.
struct Server<'a> {
    json: bool,
    /// Nothing but one workspace is served: nothing has to say which.
    is_one: bool,
    workspaces: &'a Workspaces<()>,
    logs: HashMap<String, Log>,
    failed: BTreeSet<String>,
    /// What workspaces told while they were being opened.
    early: HashMap<String, Vec<Event>>,
}

impl Server<'_> {
    /// Takes in what was opened, and says what could not be.
    fn look(&mut self) {
        for open in self.workspaces.all() {
            if !self.logs.contains_key(open.name()) {
                let prefix = if self.is_one { String::new() } else { format!("{}: ", open.name()) };
                let mut log = Log { workspace: open.name().to_owned(), prefix, json: self.json, ..Log::default() };
                // What is there already is no news.
                log.stages = open.driver.ingest.list().into_iter().map(|journey| (journey.id, journey.stage)).collect();
                log.say(json!({ "event": "started" }), "started");
                if open.session.workspace.is_sandbox()
                    && let Err(error) = reeldesk_core::require_ffmpeg()
                {
                    log.error("no-encoder", &error);
                }
                self.early.remove(open.name()).into_iter().flatten().for_each(|event| log.hear(event));
                self.logs.insert(open.name().to_owned(), log);
            }
        }
        for (workspace, error) in self.workspaces.failed() {
            if self.failed.insert(workspace.clone()) {
                Log { prefix: format!("{workspace}: "), workspace, json: self.json, ..Log::default() }
                    .error("not-opened", &error);
            }
        }
        self.failed.retain(|workspace| self.workspaces.get(workspace).is_none());
    }

    fn hear(&mut self, heard: WorkspaceEvent) {
        self.look();
        match (heard.event, self.logs.get_mut(&*heard.workspace)) {
            (Event::Resync, _) => self.catch_up(),
            (event, Some(log)) => log.hear(event),
            // Its journeys are read from the list.
            (Event::Journey { .. }, None) => {}
            (event, None) => self.early.entry(heard.workspace.to_string()).or_default().push(event),
        }
    }

    fn catch_up(&mut self) {
        for open in self.workspaces.all() {
            if let Some(log) = self.logs.get_mut(open.name()) {
                open.driver.ingest.list().iter().for_each(|journey| log.journey(journey));
            }
        }
    }

    fn say_of_all(&self, line: Value, words: &str) {
        if self.json { output::line(&line) } else { output::text(words) }
    }
}

/// One line for each thing that happens in a workspace, without a time: whoever keeps the log adds it.
#[derive(Default)]
struct Log {
    json: bool,
    workspace: String,
    /// What each line of text begins with.
    prefix: String,
    stages: HashMap<String, Stage>,
    conditions: HashMap<String, Condition>,
    /// What the files of each folder wait for, as it was said last.
    waiting: HashMap<String, HashMap<String, String>>,
    /// A sign-in was asked for.
    is_signed_out: bool,
    /// What holds files up on their way, as it was said last.
    delayed: HashMap<String, String>,
}

impl Log {
    fn hear(&mut self, event: Event) {
        match event {
            Event::Journey { journey } => self.journey(&journey),
            Event::Watch { folders } => folders.iter().for_each(|folder| self.folder(folder)),
            Event::Away { path, done } => self.went(&path, done),
            // Asked for once, however often it is tried.
            Event::SignIn { error: Some(error) } => {
                if !std::mem::replace(&mut self.is_signed_out, true) {
                    self.error("sign-in", &error);
                }
            }
            Event::SignInEnds { error: Some(error) } => self.error("sign-in", &error),
            Event::SignIn { error: None } => self.signed_in(),
            Event::Unreachable { error: Some(error) } => self.error("unreachable", &error),
            Event::BatchEnded { .. }
            | Event::Catalog { .. }
            | Event::CatalogFilling { .. }
            | Event::Edited
            | Event::Jobs { .. }
            | Event::Viewers { .. }
            | Event::RunEnded { .. }
            | Event::Limits { .. }
            | Event::SignInEnds { error: None }
            | Event::Unreachable { error: None }
            | Event::Resync => {}
        }
    }

    fn signed_in(&mut self) {
        self.is_signed_out = false;
        self.say(json!({ "event": "signed-in" }), "signed in: all goes on");
    }

    fn journey(&mut self, journey: &Journey) {
        self.delay(journey);
        let before = self.stages.insert(journey.id.clone(), journey.stage);
        let path = journey.path.display();
        let event = match (before, journey.stage) {
            (None, stage) if stage.is_being_sent() => "taken",
            (Some(before), stage) if before == stage => return,
            (_, Stage::Verified) => {
                // With keys that were corrected it was opened anew, and nothing waited any more.
                if self.is_signed_out {
                    self.signed_in();
                }
                "verified"
            }
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

    /// Says what holds a file up on its way, once, and that it goes on.
    fn delay(&mut self, journey: &Journey) {
        let path = journey.path.to_string_lossy();
        // How long it is until the next try is no news.
        let why = journey.notice.as_deref().filter(|_| journey.stage.is_being_sent());
        let why = why.map(|why| why.split(" Retrying in ").next().unwrap_or(why).to_owned());
        let before = match &why {
            Some(why) => self.delayed.insert(journey.id.clone(), why.clone()),
            None => self.delayed.remove(&journey.id),
        };
        match (before, why) {
            (before, Some(why)) if before.as_ref() != Some(&why) => {
                self.say(json!({ "event": "delayed", "path": path, "why": why }), &format!("delayed {path}: {why}"));
            }
            (Some(_), None) if journey.stage.is_being_sent() => {
                self.say(json!({ "event": "goes-on", "path": path }), &format!("goes on {path}"));
            }
            _ => {}
        }
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
            Condition::Starting => return,
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

    fn say(&self, mut line: Value, words: &str) {
        if self.json {
            line["workspace"] = json!(self.workspace);
            output::line(&line);
        } else {
            // A path may hold anything; a line of the log is one line.
            let words: String = words.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
            output::text(&format!("{}{words}", self.prefix));
        }
    }
}
