//! `reelctl uploads`: what is being sent, and its steering.

use std::process::ExitCode;

use reeldesk_core::ingest::{Journey, Stage, Wish};
use reeldesk_core::{Code, Error, Result, Session};

use crate::arguments::{Uploads, Which};
use crate::output;

pub(crate) async fn run(session: &Session, command: Uploads, json: bool) -> Result<ExitCode> {
    match command {
        Uploads::List => list(session, json).await,
        Uploads::Pause(which) => steer(session, which, Wish::Pause, Stage::is_being_sent).await,
        Uploads::Resume(which) => steer(session, which, Wish::Resume, |stage| stage == Stage::Paused).await,
        Uploads::Cancel(which) => {
            steer(session, which, Wish::Cancel, |stage| stage.is_being_sent() || stage == Stage::Paused).await
        }
        Uploads::Retry(which) => steer(session, which, Wish::Retry, |stage| stage == Stage::NeedsYou).await,
        Uploads::Orphans { remove } => orphans(session, remove, json).await,
    }
}

async fn list(session: &Session, json: bool) -> Result<ExitCode> {
    let open = |journey: &Journey| journey.stage != Stage::Playable && journey.stage != Stage::Canceled;
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

async fn steer(session: &Session, which: Which, wish: Wish, applies: fn(Stage) -> bool) -> Result<ExitCode> {
    let journeys = session.journeys().await?;
    let ids = if which.all {
        journeys.into_iter().filter(|journey| applies(journey.stage)).map(|journey| journey.id).collect()
    } else {
        if let Some(unknown) = which.ids.iter().find(|id| !journeys.iter().any(|journey| journey.id == **id)) {
            return Err(Error::new(
                Code::NotFound,
                format!("There is no upload {unknown}."),
                "reelctl uploads list shows those that there are.",
            ));
        }
        which.ids
    };
    session.steer(&ids, wish).await?;
    Ok(ExitCode::SUCCESS)
}

async fn orphans(session: &Session, remove: bool, json: bool) -> Result<ExitCode> {
    let orphans = session.orphans().await?;
    let mut rows = Vec::new();
    for orphan in &orphans {
        if remove {
            session.remove_orphan(orphan).await?;
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
    Ok(ExitCode::SUCCESS)
}

fn size(bytes: u64) -> String {
    indicatif::DecimalBytes(bytes).to_string()
}
