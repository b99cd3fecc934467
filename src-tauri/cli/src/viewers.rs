//! `reelctl viewers`: the people who may watch.

use std::cell::Cell;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use reeldesk_core::clock::now_ms;
use reeldesk_core::viewers::{
    self, ActionOutcome, ActionResult, Invitation, Invited, Invitee, Invitees, LogEntry, Query, Selection, Viewer,
    ViewerAction, Viewers,
};
use reeldesk_core::{Code, Error, Result, Session};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::arguments::{Groups, People};
use crate::output;

/// More viewers than any pool has.
const ALL: usize = usize::MAX >> 1;

pub(crate) async fn run(session: &Session, command: People, json: bool) -> Result<ExitCode> {
    let pool = session.viewers().await?;
    let many = |addresses, act| each(&pool, addresses, act, json);
    match command {
        People::List { group, state, search, offline } => {
            if !offline {
                pool.read().await?;
            }
            let query = Query { text: search, state, group, ..Query::default() };
            show(&pool.find(query, 0, ALL).await?.viewers, json);
            Ok(ExitCode::SUCCESS)
        }
        People::Show { address } => Ok(value(&pool.person(&address).await?, json)),
        People::Pool => Ok(value(&pool.facts().await?, json)),
        People::Invite { addresses, csv, group, silent } => {
            invite(&pool, &addresses, csv.as_deref(), group, silent, json).await
        }
        People::Resend(who) => many(who.addresses, ViewerAction::Resend).await,
        People::InviteAnew(who) => many(who.addresses, ViewerAction::InviteAnew).await,
        People::Disable(who) => many(who.addresses, ViewerAction::Disable).await,
        People::Enable(who) => many(who.addresses, ViewerAction::Enable).await,
        People::SignOut(who) => many(who.addresses, ViewerAction::SignOut).await,
        People::Reset(who) => many(who.addresses, ViewerAction::Reset).await,
        People::Edit { address, attributes } => many(vec![address], ViewerAction::Edit { attributes }).await,
        People::Remove { addresses, yes } => {
            if !yes {
                return Err(Error::new(
                    Code::Invalid,
                    format!("This deletes {} for good, with all that Cognito knows of them.", addresses.join(", ")),
                    "Say --yes if that is meant; disable keeps the account.",
                ));
            }
            many(addresses, ViewerAction::Remove).await
        }
        People::Groups(command) => groups(&pool, command, json).await,
        People::Export { file } => {
            pool.read().await?;
            pool.export(Query::default(), &file).await?;
            Ok(ExitCode::SUCCESS)
        }
        People::Log { csv: Some(file), .. } => pool.export_log(&file).await.map(|()| ExitCode::SUCCESS),
        People::Log { csv: None, most } => {
            let mut lines = pool.log(None, most).await?;
            lines.reverse();
            show_log(&lines, json);
            Ok(ExitCode::SUCCESS)
        }
        People::Undo { run } => {
            let summary = pool.undo(&run, &CancellationToken::new(), |acted| tell_acted(acted, "undone", json)).await?;
            if summary.of == 0 {
                let message = format!("Nothing of the run {run} can be undone.");
                return Err(Error::new(Code::NotFound, message, "Look at the log: what was undone once is done."));
            }
            Ok(if summary.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        People::Forget => pool.forget().await.map(|()| ExitCode::SUCCESS),
    }
}

fn value(value: &impl serde::Serialize, json: bool) -> ExitCode {
    if json {
        output::line(value);
    } else {
        output::text(&serde_json::to_string_pretty(value).unwrap_or_default());
    }
    ExitCode::SUCCESS
}

fn show(all: &[Viewer], json: bool) {
    if json {
        all.iter().for_each(output::line);
        return;
    }
    let now = now_ms();
    let row = |one: &Viewer| {
        let email = one.email.clone().unwrap_or_else(|| one.username.clone());
        vec![email, one.state.in_words(now), one.name.clone().unwrap_or_default(), one.groups.join(", ")]
    };
    output::table(&["VIEWER", "STATE", "NAME", "GROUPS"], &all.iter().map(row).collect::<Vec<_>>());
}

fn show_log(lines: &[LogEntry], json: bool) {
    if json {
        lines.iter().for_each(output::line);
        return;
    }
    let row = |one: &LogEntry| {
        let outcome = match &one.outcome {
            None => "not known",
            Some(ActionOutcome::Done) => "done",
            Some(ActionOutcome::Unchanged) => "unchanged",
            Some(ActionOutcome::Failed { .. }) => "failed",
        };
        let whom = one.whom.clone().unwrap_or_default();
        let what = [Some(one.what.clone()), one.detail.clone()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        vec![output::time(one.at), one.who.clone(), what, whom, outcome.to_owned(), one.run.clone()]
    };
    output::table(&["AT", "WHO", "WHAT", "WHOM", "OUTCOME", "RUN"], &lines.iter().map(row).collect::<Vec<_>>());
}

async fn invite(
    pool: &Viewers,
    addresses: &[String],
    csv: Option<&Path>,
    group: Option<String>,
    silent: bool,
    json: bool,
) -> Result<ExitCode> {
    let text: Result<String> = match csv {
        Some(path) if path == Path::new("-") => {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.map(|_| text).map_err(|error| {
                let message = "The list on standard input cannot be read.";
                Error::new(Code::FileUnreadable, message, "Check that it is text in UTF-8.").with_details(error)
            })
        }
        Some(path) => Invitees::text_of(path).await,
        None => Ok(addresses.join("\n")),
    };
    let mut list = Invitees::parse(&text?);
    for one in &mut list.people {
        one.group = one.group.take().or_else(|| group.clone());
    }
    for problem in &list.problems {
        if json {
            output::line(&json!({
                "state": "unread", "line": problem.line, "text": problem.text, "reason": problem.reason,
            }));
        } else {
            output::text(&format!("line {}: \"{}\": {}", problem.line, problem.text, problem.reason));
        }
    }
    let all_well = Cell::new(list.problems.is_empty());
    let tell = |one: &Invitee, invited: &Invited| {
        all_well.set(all_well.get() && !matches!(invited, Invited::Failed { .. }));
        tell(one, invited, json);
    };
    let invitation = if silent { Invitation::Silent } else { Invitation::Mail };
    pool.invite(&list.people, invitation, &CancellationToken::new(), tell).await?;
    Ok(if all_well.get() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(one: &Invitee, invited: &Invited, json: bool) {
    let address = &one.address;
    if json {
        let mut line = match invited {
            Invited::Sent => json!({ "state": "invited" }),
            Invited::HandOver { password, trouble } => {
                json!({ "state": "invited", "temporaryPassword": password, "trouble": trouble })
            }
            Invited::WasThere => json!({ "state": "was-there" }),
            Invited::Failed { error } => output::failure(error),
        };
        line["address"] = address.as_str().into();
        line["line"] = one.line.into();
        return output::line(&line);
    }
    output::text(&match invited {
        Invited::Sent => format!("{address}: invited"),
        Invited::HandOver { password, trouble } => {
            let trouble = trouble.as_ref().map(|error| format!(" ({})", error.message)).unwrap_or_default();
            format!("{address}: the temporary password is {password}{trouble}")
        }
        Invited::WasThere => format!("{address}: is there already, and got no invitation"),
        Invited::Failed { error } => format!("{} {}", error.message, error.remedy),
    });
}

/// Does the same with each; what fails with one is told of that one.
async fn each(pool: &Viewers, usernames: Vec<String>, act: ViewerAction, json: bool) -> Result<ExitCode> {
    let done = match &act {
        ViewerAction::Resend | ViewerAction::InviteAnew => "invited again",
        ViewerAction::Enable => "enabled",
        ViewerAction::Disable => "disabled",
        ViewerAction::SignOut => "signed out",
        ViewerAction::Reset => "reset",
        ViewerAction::Remove => "removed",
        ViewerAction::AddTo { .. } => "added",
        ViewerAction::TakeOut { .. } => "taken out",
        ViewerAction::Edit { .. } => "changed",
    };
    let tell = |acted: &ActionResult| tell_acted(acted, done, json);
    let summary = pool.act(Selection::These { usernames }, &act, &CancellationToken::new(), tell).await?;
    if json && summary.can_be_undone {
        output::line(&json!({ "state": "can-be-undone", "run": summary.run }));
    }
    Ok(if summary.failed == 0 && summary.done + summary.unchanged == summary.of {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn tell_acted(acted: &ActionResult, done: &str, json: bool) {
    let whom = &acted.whom;
    match (&acted.outcome, json) {
        (ActionOutcome::Done, true) => output::line(&json!({ "state": "done", "address": whom })),
        (ActionOutcome::Done, false) => output::text(&format!("{whom}: {done}")),
        (ActionOutcome::Unchanged, true) => output::line(&json!({ "state": "unchanged", "address": whom })),
        (ActionOutcome::Unchanged, false) => output::text(&format!("{whom}: was so already")),
        (ActionOutcome::Failed { error }, true) => {
            let mut line = output::failure(error);
            line["address"] = whom.as_str().into();
            output::line(&line);
        }
        (ActionOutcome::Failed { error }, false) => output::failed(false, error),
    }
}

async fn groups(pool: &Viewers, command: Groups, json: bool) -> Result<ExitCode> {
    match command {
        Groups::List => {
            let all = pool.groups().await?;
            if json {
                all.iter().for_each(output::line);
            } else {
                let row = |one: &viewers::Group| vec![one.name.clone(), one.description.clone().unwrap_or_default()];
                output::table(&["GROUP", "DESCRIPTION"], &all.iter().map(row).collect::<Vec<_>>());
            }
            Ok(ExitCode::SUCCESS)
        }
        Groups::Create { name, description } => {
            pool.create_group(&name, description.as_deref()).await?;
            Ok(ExitCode::SUCCESS)
        }
        Groups::Delete { name } => {
            pool.delete_group(&name).await?;
            Ok(ExitCode::SUCCESS)
        }
        Groups::Add { name, addresses } => each(pool, addresses, ViewerAction::AddTo { group: name }, json).await,
        Groups::Take { name, addresses } => each(pool, addresses, ViewerAction::TakeOut { group: name }, json).await,
    }
}
