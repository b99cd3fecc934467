//! `reelctl jobs`: the MediaConvert jobs of the workspace, whoever started them.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reeldesk_core::encode::{Job, State};
use reeldesk_core::jobs::JobQuery;
use reeldesk_core::{Result, Session};
use serde_json::json;

use crate::output;

/// Jobs that are asked of the copy at once.
const PAGE: usize = 500;

#[derive(Subcommand)]
pub(crate) enum Jobs {
    /// The jobs, newest first
    List(List),
    /// One job, as MediaConvert has it now
    Show {
        /// Its id
        id: String,
    },
    /// Cancel jobs that have not ended; their videos stay in the catalog without a stream
    Cancel {
        /// Their ids
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Read all jobs that MediaConvert keeps (three months) into this computer's copy
    Sync,
}

#[derive(Args)]
pub(crate) struct List {
    /// Beginnings of words of the source, the id, the template, the queue or the error
    words: Vec<String>,
    /// Only those in one of these states: submitted, progressing, complete, canceled, error
    #[arg(long, value_delimiter = ',', value_parser = state)]
    state: Vec<State>,
    /// Only those of this queue
    #[arg(long)]
    queue: Option<String>,
    /// So many at most
    #[arg(long)]
    limit: Option<usize>,
    /// As this computer knows them, without asking MediaConvert
    #[arg(long)]
    offline: bool,
}

fn state(text: &str) -> std::result::Result<State, String> {
    serde_json::from_value(json!(text))
        .map_err(|_| "choose one of submitted, progressing, complete, canceled, error".to_owned())
}

pub(crate) async fn run(session: &Session, command: Jobs, json: bool) -> Result<ExitCode> {
    match command {
        Jobs::List(list) => self::list(session, list, json).await,
        Jobs::Show { id } => session.jobs.get(&id).await.map(|job| output::value(&job)),
        Jobs::Cancel { ids } => Ok(cancel(session, ids, json).await),
        Jobs::Sync => {
            session.jobs_sync.read_all(|_| {}).await?;
            let count = session.jobs_sync.mirror().await?.count(JobQuery::default()).await?.total;
            if json {
                output::line(&json!({ "state": "read", "jobs": count }));
            } else {
                output::text(&format!("{} in the copy.", output::count(count, "job")));
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn list(session: &Session, list: List, json: bool) -> Result<ExitCode> {
    if !list.offline {
        session.jobs_sync.look().await?;
    }
    let query = JobQuery { text: list.words.join(" "), states: list.state, queue: list.queue, ..JobQuery::default() };
    let (mirror, most) = (session.jobs_sync.mirror().await?, list.limit.unwrap_or(usize::MAX));
    if !mirror.is_whole().await? {
        output::warning("Older jobs are not all read: `reelctl jobs sync` reads them.");
    }
    let (mut rows, mut first) = (Vec::new(), 0);
    while first < most {
        let page = PAGE.min(most - first);
        let jobs = mirror.find(query.clone(), first, page).await?.jobs;
        first += jobs.len();
        let is_last = jobs.len() < page;
        if json {
            jobs.iter().for_each(output::line);
        } else {
            rows.extend(jobs.iter().map(row));
        }
        if is_last {
            break;
        }
    }
    if !json {
        output::table(&["JOB", "STATE", "DONE", "INPUT", "ERROR"], &rows);
    }
    Ok(ExitCode::SUCCESS)
}

fn row(job: &Job) -> Vec<String> {
    let state = json!(job.state).as_str().unwrap_or_default().to_owned();
    let percent = job.percent.map_or_else(String::new, |percent| format!("{percent} %"));
    let error = job.failure.as_ref().map_or_else(String::new, |failure| failure.message.clone());
    vec![job.id.clone(), state, percent, job.input.clone().unwrap_or_default(), error]
}

/// Each by itself: one that has ended holds up no other.
async fn cancel(session: &Session, ids: Vec<String>, json: bool) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for id in ids {
        match session.cancel_job(&id).await {
            Ok(()) if json => output::line(&json!({ "id": id, "state": "canceled" })),
            Ok(()) => output::text(&format!("{id}: canceled.")),
            Err(error) => {
                code = ExitCode::FAILURE;
                output::failed(json, &error);
            }
        }
    }
    code
}
