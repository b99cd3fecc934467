//! Encoders that a kill of the sandbox left behind would encode for nobody, for ever. On Windows they are in a job object
//! that ends with this process, by whatever means that does; elsewhere they are found and ended at the next start.

use std::path::Path;
use std::process::Command;

use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop};

/// Where a job's folder keeps the number of its encoder's process.
const FILE: &str = "encoder.pid";

/// Starts an encoder that does not outlive this process.
pub(super) fn spawn(command: tokio::process::Command) -> std::io::Result<Box<dyn ChildWrapper>> {
    let mut command = CommandWrap::from(command);
    command.wrap(KillOnDrop);
    #[cfg(windows)]
    command.wrap(process_wrap::tokio::JobObject);
    command.spawn()
}

/// Writes down the process that encodes in a job's folder.
pub(super) fn note(job: &Path, pid: Option<u32>) {
    if let Some(pid) = pid
        && let Err(error) = std::fs::write(job.join(FILE), pid.to_string())
    {
        tracing::warn!(%error, "the encoder could not be written down");
    }
}

/// Ends those that an earlier run left in these jobs' folders.
pub(super) fn end(work: &Path) {
    for job in std::fs::read_dir(work).into_iter().flatten().flatten() {
        let pid = std::fs::read_to_string(job.path().join(FILE)).ok().and_then(|text| text.trim().parse::<u32>().ok());
        // The number may be another process's by now: one that writes into this folder is ours.
        if let Some(pid) = pid.filter(|pid| is_at_work_in(*pid, &job.path())) {
            tracing::info!(pid, "an encoder of an earlier run is ended");
            Command::new("kill").args(["-9", &pid.to_string()]).status().ok();
        }
    }
}

#[cfg(unix)]
fn is_at_work_in(pid: u32, folder: &Path) -> bool {
    let output = Command::new("ps").args(["-ww", "-o", "command=", "-p", &pid.to_string()]).output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(&*folder.to_string_lossy()))
}

/// The job object has ended it.
#[cfg(not(unix))]
fn is_at_work_in(_: u32, _: &Path) -> bool {
    false
}
