//! What the window and the command line do alike: they open workspaces, where the sandbox is one too.

#[cfg(feature = "sandbox")]
mod sandbox;
mod workspaces;

use reeldesk_core::workspace::SANDBOX;
use reeldesk_core::{Instance, Result, Session};

#[cfg(feature = "sandbox")]
pub use crate::sandbox::{CatalogKind, Generation, RunningSandbox, SandboxOptions};
pub use crate::workspaces::{Open, Removed, Workspaces};

/// Whether the sandbox is part of this program.
pub const HAS_SANDBOX: bool = cfg!(feature = "sandbox");

/// Connects to the workspace of this name; the sandbox is found or started.
///
/// # Errors
/// When the data folder cannot be used, the workspace is not known, or the sandbox does not start or is not part of this
/// program.
pub async fn open(instance: &Instance, workspace: &str) -> Result<Session> {
    if workspace == SANDBOX { open_sandbox(instance).await } else { Session::open(instance, workspace).await }
}

#[cfg(feature = "sandbox")]
async fn open_sandbox(instance: &Instance) -> Result<Session> {
    sandbox::open(instance).await
}

#[cfg(not(feature = "sandbox"))]
async fn open_sandbox(_: &Instance) -> Result<Session> {
    Err(reeldesk_core::Error::new(
        reeldesk_core::Code::Invalid,
        "This Reeldesk was built without the sandbox.",
        "Name a workspace of AWS, or use a Reeldesk that has the sandbox.",
    ))
}
