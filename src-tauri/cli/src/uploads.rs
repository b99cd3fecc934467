//! `reelctl uploads`: what is being sent, and its steering.

use std::process::ExitCode;
use std::time::Duration;

use reeldesk_core::ingest::{Hours, Journey, JourneyCommand, Limits, Stage};
use reeldesk_core::upload::Rate;
use reeldesk_core::{Code, Error, Result, Session};

use crate::arguments::{Uploads, Which};
use crate::output;

pub(crate) async fn run(session: &Session, command: Uploads, json: bool) -> Result<ExitCode> {
    match command {
        Uploads::List => list(session, json).await,
        Uploads::Pause(which) => steer(session, which, JourneyCommand::Pause, json).await,
        Uploads::Resume(which) => steer(session, which, JourneyCommand::Resume, json).await,
        Uploads::Cancel(which) => steer(session, which, JourneyCommand::Cancel, json).await,
        Uploads::Retry(which) => steer(session, which, JourneyCommand::Retry, json).await,
        Uploads::First { ids } => steer(session, Which { ids, all: false }, JourneyCommand::First, json).await,
        Uploads::Limit { rate, between } => limit(session, rate.as_deref(), between.as_deref(), json).await,
        Uploads::Orphans { remove, older_than } => {
            let age = remove.then(|| Duration::from_secs(older_than.saturating_mul(3600)));
            orphans(session, age, json).await
        }
    }
}

async fn limit(session: &Session, rate: Option<&str>, between: Option<&str>, json: bool) -> Result<ExitCode> {
    let mut limits = session.limits().await?;
    if let Some(rate) = rate {
        let bytes = if rate == "none" { None } else { Some(rate.parse::<Rate>()?.0) };
        limits = match between {
            Some(hours) => Limits { hours: Some(Hours::parse(hours, bytes)?), ..limits },
            None => Limits { usual: bytes, hours: limits.hours.filter(|_| bytes.is_some()) },
        };
        session.set_limits(limits).await?;
    }
    if json {
        output::line(&limits);
        return Ok(ExitCode::SUCCESS);
    }
    let words = |limit: Option<u64>| limit.map_or("no limit".to_owned(), |bytes| format!("{}/s", size(bytes)));
    output::text(&format!("Usually {}", words(limits.usual)));
    if let Some(hours) = limits.hours {
        output::text(&format!("{hours} {}", words(hours.limit)));
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(session: &Session, json: bool) -> Result<ExitCode> {
    let open = |journey: &Journey| journey.stage.is_open() || journey.stage == Stage::NeedsYou;
    let journeys: Vec<_> = session.journeys().await?.into_iter().filter(open).collect();
    if json {
        journeys.iter().for_each(output::line);
    } else {
        let rows: Vec<_> = journeys
            .iter()
            .map(|one| vec![one.id.clone(), format!("{:?}", one.stage), size(one.size), one.title.clone()])
            .collect();
        output::table(&["ID", "STAGE", "SIZE", "TITLE"], &rows);
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether a command changes anything of an upload; of all of them a cancel and a retry mean fewer than of one that is named.
fn applies(command: JourneyCommand, journey: &Journey, of_all: bool) -> bool {
    let stage = journey.stage;
    let is_sent = stage.is_being_sent() || stage == Stage::Paused || journey.undo.is_some();
    match command {
        JourneyCommand::Pause => stage.is_being_sent(),
        JourneyCommand::Resume => stage == Stage::Paused,
        JourneyCommand::Cancel | JourneyCommand::CancelWithUndo => is_sent || !of_all && stage.is_followed(),
        JourneyCommand::UndoCancel => journey.undo.is_some(),
        JourneyCommand::Retry | JourneyCommand::Insist => journey.is_worth_a_retry() || !of_all && !stage.is_open(),
        JourneyCommand::First => stage.is_being_sent(),
    }
}

/// Steers those that were named, or all that it makes sense for, in the process that drives them.
async fn steer(session: &Session, which: Which, command: JourneyCommand, json: bool) -> Result<ExitCode> {
    let mut journeys = session.journeys().await?;
    if !which.all {
        if let Some(unknown) = which.ids.iter().find(|id| !journeys.iter().any(|journey| journey.id == **id)) {
            return Err(Error::new(
                Code::NotFound,
                format!("There is no upload {unknown}."),
                "reelctl uploads list shows those that there are.",
            ));
        }
        journeys.retain(|journey| which.ids.contains(&journey.id));
    }
    journeys.retain(|journey| applies(command, journey, which.all));
    let ids: Vec<_> = journeys.into_iter().map(|journey| journey.id).collect();
    let is_driven = session.steer(&ids, command).await?;
    if !json {
        let what = match command {
            JourneyCommand::Pause => "paused",
            JourneyCommand::Resume => "resumed",
            JourneyCommand::Cancel | JourneyCommand::CancelWithUndo => "canceled",
            JourneyCommand::UndoCancel => "kept",
            JourneyCommand::Retry | JourneyCommand::Insist => "to be tried again",
            JourneyCommand::First => "to be sent first",
        };
        let count = if ids.len() == 1 { "1 upload".to_owned() } else { format!("{} uploads", ids.len()) };
        output::text(&match (ids.is_empty(), is_driven) {
            (true, _) => "There is nothing to do.".to_owned(),
            (false, true) => format!("{count} {what}, by the Reeldesk that runs."),
            (false, false) => {
                format!("{count} {what}. It shows when Reeldesk runs: in the window, or by reelctl ingest.")
            }
        });
    }
    Ok(ExitCode::SUCCESS)
}

/// Lists them, or removes those of this age.
async fn orphans(session: &Session, remove: Option<Duration>, json: bool) -> Result<ExitCode> {
    let (mut rows, mut well) = (Vec::new(), true);
    for orphan in &session.orphans().await? {
        if let Some(age) = remove {
            if !orphan.is_older_than(age) {
                continue;
            }
            // One that stays stops none of the others.
            if let Err(error) = session.remove_orphan(orphan).await {
                well = false;
                // Then the others would wait for nothing.
                if matches!(error.code, Code::Network | Code::SignIn | Code::Clock) {
                    return Err(error);
                }
                if json {
                    let mut line = output::failure(&error);
                    (line["key"], line["uploadId"]) = (orphan.key.clone().into(), orphan.upload_id.clone().into());
                    output::line(&line);
                } else {
                    output::text(&format!("{}\n  {}", error.message, error.remedy));
                }
                continue;
            }
        }
        if json {
            output::line(orphan);
        } else {
            rows.push(vec![orphan.upload_id.clone(), size(orphan.size), orphan.key.clone()]);
        }
    }
    if !json {
        output::table(&["UPLOAD", "SIZE", "KEY"], &rows);
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn size(bytes: u64) -> String {
    indicatif::DecimalBytes(bytes).to_string()
}
