//! `reelctl`: Reeldesk on the command line.

mod arguments;
mod commands;
mod edits;
mod ingest;
mod jobs;
mod output;
mod sidecars;
mod upload;
mod uploads;
mod videos;
mod viewers;
mod watch;
mod workspace;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    reeldesk_core::log::start_on_stderr("off");
    let json = arguments.json;
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::failed(json, &reeldesk_core::Error::internal(error));
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(commands::run(arguments));
    // A file that is still being read for its checksum is no reason to stay.
    runtime.shutdown_background();
    match ended {
        Ok(code) => code,
        Err(error) => {
            output::failed(json, &error);
            ExitCode::FAILURE
        }
    }
}
