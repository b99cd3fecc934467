//! Each command: one or two calls of the core, and the answer printed.

use std::process::ExitCode;

use reeldesk_core::aws::Encryption;
use reeldesk_core::workspace::SANDBOX;
#[cfg(feature = "sandbox")]
use reeldesk_core::{Code, Error};
use reeldesk_core::{Folders, Instance, Result};
#[cfg(feature = "sandbox")]
use reeldesk_shell::{RunningSandbox, SandboxOptions};

use crate::arguments::{Arguments, Command, Hls};
use crate::{ingest, jobs, output, upload, uploads, videos, viewers, watch, workspace};

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let folders = Folders::choose(arguments.data_dir.as_deref())?;
    let json = arguments.json;
    let workspace = arguments.workspace.clone();
    let named = workspace.as_deref().unwrap_or(SANDBOX);
    if let Command::Hls(Hls::Show { uri }) = &arguments.command {
        output::stream(&reeldesk_core::playback::read_anywhere(uri).await?, json);
        return Ok(ExitCode::SUCCESS);
    }
    #[cfg(feature = "sandbox")]
    if let Command::Sandbox { pipeline, kms, object_lock, catalog, control } = arguments.command {
        return sandbox(&folders, SandboxOptions { pipeline, kms, object_lock, catalog, control }).await;
    }
    if let Command::Upload { paths, to, replace, limit, sse, sse_kms_key_id } = arguments.command {
        let encryption = Encryption { header: sse.unwrap_or_default(), kms_key: sse_kms_key_id };
        let chosen = to.requests(&paths, replace, &encryption)?;
        return upload::run(&folders, chosen, limit, json).await;
    }
    if let Command::Workspace(command) = arguments.command {
        return workspace::run(&folders, command, named, json).await;
    }
    if let Command::Watch(command) = arguments.command {
        return watch::run(&folders, command, workspace.as_deref(), json).await;
    }
    let instance = Instance::on(&folders);
    let session = reeldesk_shell::open(&instance, named).await?;
    let code = match arguments.command {
        Command::Ingest { paths, wait, limit, again, as_is } => {
            let how = ingest::How { wait, limit, again, as_is };
            ingest::run(&instance, &session, paths, how, arguments.data_dir.as_deref(), json).await
        }
        Command::Uploads(command) => uploads::run(&session, command, json).await,
        Command::Viewers(command) => viewers::run(&session, command, json).await,
        Command::Videos(command) => videos::run(&session, command, json).await,
        Command::Jobs(command) => jobs::run(&session, command, json).await,
        #[cfg(feature = "sandbox")]
        Command::Sandbox { .. } => Ok(ExitCode::SUCCESS),
        Command::Hls(_) | Command::Upload { .. } | Command::Workspace(_) | Command::Watch(_) => Ok(ExitCode::SUCCESS),
    };
    session.close().await;
    code
}

#[cfg(feature = "sandbox")]
async fn sandbox(folders: &Folders, options: SandboxOptions) -> Result<ExitCode> {
    let sandbox = RunningSandbox::attach(folders, options).await?;
    if !sandbox.is_own() {
        return Err(Error::new(
            Code::InUse,
            "A sandbox already runs on this data folder.",
            "Use it as it is, or choose another folder with --data-dir.",
        ));
    }
    output::line(&sandbox.endpoints());
    reeldesk_core::asked_to_end().await;
    sandbox.stop().await;
    Ok(ExitCode::SUCCESS)
}
