//! `reelctl viewers`: the people who may watch.

use std::cell::Cell;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use reeldesk_core::event::now_ms;
use reeldesk_core::viewers::{self, Invitation, Invited, Invitee, Invitees, Viewer, Viewers};
use reeldesk_core::{Code, Error, Result, Session};
use serde_json::json;

use crate::arguments::{Groups, People};
use crate::output;

pub(crate) async fn run(session: &Session, command: People, json: bool) -> Result<ExitCode> {
    let pool = session.viewers()?;
    match command {
        People::List { group } => {
            let all = match &group {
                Some(group) => pool.members(group).await?,
                None => pool.list().await?,
            };
            show(&all, json);
            Ok(ExitCode::SUCCESS)
        }
        People::Pool => {
            let facts = pool.facts().await?;
            if json {
                output::line(&facts);
            } else {
                output::text(&serde_json::to_string_pretty(&facts).unwrap_or_default());
            }
            Ok(ExitCode::SUCCESS)
        }
        People::Invite { addresses, csv, group, silent } => {
            invite(&pool, &addresses, csv.as_deref(), group, silent, json).await
        }
        People::Resend(who) => each(&who.addresses, json, "invited again", |one| pool.resend(one)).await,
        People::Disable(who) => each(&who.addresses, json, "disabled", |one| pool.disable(one)).await,
        People::Enable(who) => each(&who.addresses, json, "enabled", |one| pool.enable(one)).await,
        People::SignOut(who) => each(&who.addresses, json, "signed out", |one| pool.sign_out(one)).await,
        People::Reset(who) => each(&who.addresses, json, "reset", |one| pool.reset(one)).await,
        People::Remove { addresses, yes } => {
            if !yes {
                return Err(Error::new(
                    Code::Invalid,
                    format!("This deletes {} for good, with all that Cognito knows of them.", addresses.join(", ")),
                    "Say --yes if that is meant; disable keeps the account.",
                ));
            }
            each(&addresses, json, "removed", |one| pool.remove(one)).await
        }
        People::Groups(command) => groups(&pool, command, json).await,
        People::Export { file } => {
            let text = viewers::csv(&pool.list().await?)?;
            std::fs::write(&file, text).map_err(|error| {
                let message = format!("{} could not be written.", file.display());
                Error::new(Code::FileUnreadable, message, "Choose another place.").with_details(error)
            })?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn show(all: &[Viewer], json: bool) {
    if json {
        all.iter().for_each(output::line);
        return;
    }
    let now = now_ms();
    let row = |one: &Viewer| {
        let email = one.email.clone().unwrap_or_else(|| one.username.clone());
        vec![email, one.state.in_words(now), one.name.clone().unwrap_or_default()]
    };
    output::table(&["VIEWER", "STATE", "NAME"], &all.iter().map(row).collect::<Vec<_>>());
}

async fn invite(
    pool: &Viewers,
    addresses: &[String],
    csv: Option<&Path>,
    group: Option<String>,
    silent: bool,
    json: bool,
) -> Result<ExitCode> {
    let text = match csv {
        Some(path) if path == Path::new("-") => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        Some(path) => std::fs::read_to_string(path),
        None => Ok(addresses.join("\n")),
    };
    let text = text.map_err(|error| {
        Error::new(Code::FileUnreadable, "The list cannot be read.", "Check its path, and that it is text in UTF-8.")
            .with_details(error)
    })?;
    let mut list = Invitees::parse(&text);
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
    pool.invite(&list.people, invitation, tell).await?;
    Ok(if all_well.get() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(one: &Invitee, invited: &Invited, json: bool) {
    let address = &one.address;
    if json {
        let mut line = match invited {
            Invited::Sent => json!({ "state": "invited" }),
            Invited::HandOver { password } => json!({ "state": "invited", "temporaryPassword": password }),
            Invited::WasThere => json!({ "state": "was-there" }),
            Invited::Failed { error } => output::failure(error),
        };
        line["address"] = address.as_str().into();
        line["line"] = one.line.into();
        return output::line(&line);
    }
    output::text(&match invited {
        Invited::Sent => format!("{address}: invited"),
        Invited::HandOver { password } => format!("{address}: the temporary password is {password}"),
        Invited::WasThere => format!("{address}: is there already, and got nothing"),
        Invited::Failed { error } => format!("{} {}", error.message, error.remedy),
    });
}

/// Does the same with each; what fails with one is told of that one.
async fn each<'a, F>(addresses: &'a [String], json: bool, done: &str, work: impl Fn(&'a str) -> F) -> Result<ExitCode>
where
    F: Future<Output = Result<()>>,
{
    let mut all_well = true;
    for address in addresses {
        let ended = work(address).await;
        all_well &= ended.is_ok();
        match (ended, json) {
            (Ok(()), true) => output::line(&json!({ "state": "done", "address": address })),
            (Ok(()), false) => output::text(&format!("{address}: {done}")),
            (Err(error), true) => {
                let mut line = output::failure(&error);
                line["address"] = address.as_str().into();
                output::line(&line);
            }
            (Err(error), false) => output::failed(false, &error),
        }
    }
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
        Groups::Add { name, addresses } => each(&addresses, json, "added", |one| pool.add_to_group(one, &name)).await,
        Groups::Take { name, addresses } => {
            each(&addresses, json, "taken out", |one| pool.remove_from_group(one, &name)).await
        }
    }
}
