//! `reelctl workspace`.

use std::process::ExitCode;

use reeldesk_core::catalog;
use reeldesk_core::check::{self, Finding, Outcome, compare};
use reeldesk_core::connection::credentials::{CredentialsSource, begin_sso, give_code};
use reeldesk_core::connection::{self, Connection, ProfileKind, Profiles};
use reeldesk_core::ingest::Driving;
use reeldesk_core::workspace::discovery::{self, Choices, Stack};
use reeldesk_core::workspace::policy::Rights;
use reeldesk_core::workspace::{self, Settings, Workspace, handover, policy};
use reeldesk_core::{Code, Error, Folders, Instance, Result, Session};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::arguments::{Account, Workspaces};
use crate::output;

pub(crate) async fn run(folders: &Folders, command: Workspaces, name: &str, json: bool) -> Result<ExitCode> {
    let settings = Settings::of(folders);
    match command {
        Workspaces::List => list(&settings.workspaces()?, json),
        Workspaces::Profiles => profiles(json).await?,
        Workspaces::SignIn { profile } => sign_in(&profile, json).await?,
        Workspaces::Stacks(account) => stacks(&discovery::stacks(&connection(account).await?).await?, json),
        Workspaces::Names(account) => names(&discovery::choices(&connection(account).await?).await?, json),
        Workspaces::Connect { name, stack, account } => connect(&settings, name, &stack, account, json).await?,
        Workspaces::Compare => compare(&settings, name, json).await?,
        Workspaces::Table { suggest } => table(folders, name, suggest, json).await?,
        Workspaces::Check => return check_all(folders, name, json).await,
        Workspaces::Policy { read_only } => {
            let rights = if read_only { Rights::Look } else { Rights::Change };
            output::text(&policy::policy(&with_sandbox(folders, name).await?, rights));
        }
        Workspaces::Export { file } => handover::export(&settings.get(name)?, &file).await?,
        Workspaces::Import { file } => import(&settings, handover::import(&file).await?, json)?,
        Workspaces::Remove { name } => remove(folders, &name, json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn remove(folders: &Folders, name: &str, json: bool) -> Result<()> {
    let workspaces = reeldesk_shell::Workspaces::<()>::of(Instance::on(folders), Driving::Command);
    let removed = workspaces.remove(name).await?;
    if json {
        output::line(&json!({ "workspace": name, "left": removed }));
        return Ok(());
    }
    if removed.unfinished > 0 {
        output::text(&format!(
            "What S3 has of unfinished uploads could not be deleted ({}). Connect the workspace again and run reelctl \
             uploads orphans --remove, or let a lifecycle rule of the bucket do it.",
            removed.unfinished
        ));
    }
    if removed.may_arrive > 0 {
        output::text(&format!(
            "All of some files had been sent: their videos may still appear ({}).",
            removed.may_arrive
        ));
    }
    Ok(())
}

/// The workspace of this name, or that of a sandbox that runs for as long as this takes.
async fn with_sandbox(folders: &Folders, name: &str) -> Result<Workspace> {
    if name != workspace::SANDBOX {
        return Settings::of(folders).get(name);
    }
    let session = reeldesk_shell::open(&Instance::on(folders), name).await?;
    let workspace = session.workspace.clone();
    session.close().await;
    Ok(workspace)
}

fn list(all: &[Workspace], json: bool) {
    if json {
        all.iter().for_each(output::line);
        return;
    }
    let rows: Vec<_> = all
        .iter()
        .map(|one| vec![one.name.clone(), one.connection.region.clone(), one.source_bucket.clone(), one.table.clone()])
        .collect();
    output::table(&["NAME", "REGION", "SOURCE BUCKET", "TABLE"], &rows);
}

async fn profiles(json: bool) -> Result<()> {
    let Profiles { profiles: all, troubles } = connection::profiles().await?;
    if json {
        all.iter().for_each(output::line);
        troubles.iter().for_each(|trouble| output::line(&json!({ "trouble": trouble })));
        return Ok(());
    }
    let kind = |kind: &ProfileKind| match kind {
        ProfileKind::AccessKey => "access key",
        ProfileKind::Role => "role",
        ProfileKind::RoleWithMfa { .. } => "role with a code",
        ProfileKind::Sso { .. } => "IAM Identity Center",
        ProfileKind::Login => "aws login",
        ProfileKind::Process => "program",
        ProfileKind::Other => "other",
    };
    let rows: Vec<_> = all
        .iter()
        .map(|one| vec![one.name.clone(), one.region.clone().unwrap_or_default(), kind(&one.kind).to_owned()])
        .collect();
    output::table(&["PROFILE", "REGION", "KIND"], &rows);
    troubles.iter().for_each(|trouble| output::text(&format!("{} {}", trouble.message, trouble.remedy)));
    Ok(())
}

async fn sign_in(profile: &str, json: bool) -> Result<()> {
    let begun = begin_sso(profile).await?;
    if json {
        output::line(&json!({ "url": begun.url, "code": begun.code }));
    } else {
        output::text(&format!("Open {} and confirm the code {}", begun.url, begun.code));
    }
    begun.finish().await?;
    if json {
        output::line(&json!({ "state": "signed-in" }));
    } else {
        output::text("Signed in.");
    }
    Ok(())
}

/// The connection that the options ask for; a code that is given is used at once.
async fn connection(account: Account) -> Result<Connection> {
    let region = match (account.region, &account.profile) {
        (Some(region), _) => Some(region),
        (None, Some(name)) => connection::profile(name).await?.region,
        (None, None) => None,
    };
    let region = region.ok_or_else(|| {
        Error::new(Code::Invalid, "No region is named.", "Name one with --region, for example eu-central-1.")
    })?;
    if let (Some(code), Some(profile)) = (&account.code, &account.profile) {
        give_code(profile, &region, account.endpoint.as_deref(), code).await?;
    }
    Ok(Connection {
        region,
        credentials: match account.profile {
            Some(name) => CredentialsSource::Profile { name },
            None => CredentialsSource::Environment,
        },
        endpoint: account.endpoint,
        s3_endpoint: None,
        fips: false,
        dual_stack: false,
        transfer_acceleration: false,
    })
}

fn stacks(all: &[Stack], json: bool) {
    if json {
        all.iter().for_each(output::line);
        return;
    }
    let rows: Vec<_> = all
        .iter()
        .map(|one| {
            let version = one.version.clone().unwrap_or_default();
            vec![one.name.clone(), version, one.unsupported.clone().unwrap_or_else(|| "can be connected".to_owned())]
        })
        .collect();
    output::table(&["STACK", "VERSION", ""], &rows);
}

fn names(choices: &Choices, json: bool) {
    if json {
        output::line(choices);
        return;
    }
    for (what, choice) in [("bucket", &choices.buckets), ("table", &choices.tables), ("user pool", &choices.user_pools)]
    {
        match &choice.trouble {
            Some(trouble) => output::text(&format!("{what:<10} {trouble}")),
            None => choice.names.iter().for_each(|name| output::text(&format!("{what:<10} {name}"))),
        }
    }
}

async fn connect(settings: &Settings, name: String, stack: &str, account: Account, json: bool) -> Result<()> {
    let all = discovery::stacks(&connection(account).await?).await?;
    let found = all.iter().find(|one| one.name == stack).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|one| one.name.as_str()).collect();
        let remedy = if names.is_empty() {
            "There is none that looks like a pipeline in this account and region.".to_owned()
        } else {
            format!("Use one of these: {}.", names.join(", "))
        };
        Error::new(Code::NotFound, format!("There is no stack \"{stack}\" that Reeldesk can work with."), remedy)
    })?;
    if let Some(why) = &found.unsupported {
        return Err(Error::new(Code::Invalid, format!("The stack \"{stack}\" cannot be connected."), why));
    }
    import(settings, Workspace { name, ..found.workspace.clone() }, json)
}

fn import(settings: &Settings, workspace: Workspace, json: bool) -> Result<()> {
    settings.put_new(workspace.clone())?;
    if json {
        output::line(&workspace);
    } else {
        output::text(&format!("The workspace \"{}\" is there; use it with --workspace.", workspace.name));
    }
    Ok(())
}

async fn compare(settings: &Settings, name: &str, json: bool) -> Result<()> {
    if name == workspace::SANDBOX {
        return Err(Error::new(
            Code::Invalid,
            "The sandbox has no Transfer Acceleration.",
            "Name a workspace of AWS with --workspace.",
        ));
    }
    let workspace = settings.get(name)?;
    let stop = CancellationToken::new();
    let compared = {
        let comparing = compare::compare(&workspace, &stop);
        tokio::pin!(comparing);
        tokio::select! {
            compared = &mut comparing => compared,
            () = reeldesk_core::asked_to_end() => {
                stop.cancel();
                // What was sent is removed.
                comparing.await
            }
        }
    }?;
    if json {
        output::line(&compared);
    } else {
        let speed = |bytes: f64| format!("{:.2} MB/s", bytes / 1e6);
        output::text(&format!("Straight to the bucket: {}", speed(compared.straight)));
        output::text(&format!("Transfer Acceleration:  {}", speed(compared.accelerated)));
    }
    Ok(())
}

/// A workspace, and the sandbox where it is that: it has to run while it is tried.
async fn running(folders: &Folders, name: &str) -> Result<(Workspace, Option<Session>)> {
    if name == workspace::SANDBOX {
        let session = reeldesk_shell::open(&Instance::on(folders), name).await?;
        return Ok((session.workspace.clone(), Some(session)));
    }
    Ok((Settings::of(folders).get(name)?, None))
}

async fn table(folders: &Folders, name: &str, suggest: bool, json: bool) -> Result<()> {
    let (workspace, sandbox) = running(folders, name).await?;
    let looked = catalog::preview_table(&workspace).await;
    if let Some(session) = sandbox {
        session.close().await;
    }
    let preview = looked?;
    if json {
        output::line(&preview);
        return Ok(());
    }
    if suggest {
        output::text(&preview.suggestion.as_settings()?);
        return Ok(());
    }
    let rows: Vec<_> = preview.attributes.into_iter().map(|found| vec![found.name, found.example]).collect();
    output::table(&["ATTRIBUTE", "SUCH AS"], &rows);
    output::text("");
    let rows: Vec<_> = preview
        .videos
        .into_iter()
        .map(|video| {
            let address = video.hls_url.unwrap_or_default();
            vec![video.guid.to_string(), video.title, super::videos::word(&video.status), address]
        })
        .collect();
    output::table(&["KEY", "TITLE", "STATUS", "HLS"], &rows);
    Ok(())
}

async fn check_all(folders: &Folders, name: &str, json: bool) -> Result<ExitCode> {
    let (workspace, sandbox) = running(folders, name).await?;
    let tell = |finding: &Finding| {
        if json {
            output::line(finding);
        }
    };
    let findings = check::check(&workspace, tell).await;
    if let Some(session) = sandbox {
        session.close().await;
    }
    let findings = findings?;
    let bad = findings.iter().filter(|finding| finding.outcome.is_bad()).count();
    if json {
        output::line(&json!({ "workspace": name, "works": bad == 0 }));
    } else {
        findings.iter().for_each(show);
    }
    Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(finding: &Finding) {
    let (word, text) = match &finding.outcome {
        Outcome::Works { note } => ("works", note.clone()),
        Outcome::Advice { message, remedy } => ("advice", format!("{message} {remedy}")),
        Outcome::Denied { missing, .. } => {
            ("denied", format!("Ask for {} on {}.", missing.action, missing.resources.join(" and ")))
        }
        Outcome::Wrong { error } => ("wrong", error.to_string()),
        Outcome::Skipped { reason } => ("skipped", reason.clone()),
    };
    output::text(format!("{word:<8} {:<32} {text}", finding.title).trim_end());
}
