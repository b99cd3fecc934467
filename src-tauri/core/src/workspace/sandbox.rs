//! The sandbox as a workspace: a shell starts it, and hands over where it listens.

use super::{SANDBOX, TableMapping, Workspace, discovery};
use crate::connection::Connection;
use crate::connection::credentials::CredentialsSource;
use crate::{Error, Result};

/// Where a sandbox listens, and what of it is not found as that of any other account is.
#[derive(Clone, Debug)]
pub struct SandboxEndpoints {
    /// The endpoint of AWS: `http://127.0.0.1:<port>`.
    pub api: String,
    /// The site of the viewers: `http://127.0.0.1:<port>`.
    pub site: String,
    /// The region to sign for.
    pub region: String,
    /// The stack of its pipeline.
    pub stack: String,
    /// The app client of its pool that viewers sign in with.
    pub app_client: String,
    /// What the attributes of its table are called, where it was made with other ones than the solution's.
    pub mapping: Option<TableMapping>,
}

impl Workspace {
    /// The workspace to use a sandbox through, found as that of any other account is.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn of_sandbox(sandbox: &SandboxEndpoints) -> Result<Self> {
        let connection = Connection {
            region: sandbox.region.clone(),
            credentials: CredentialsSource::Sandbox,
            endpoint: Some(sandbox.api.clone()),
            s3_endpoint: None,
            fips: false,
            dual_stack: false,
            transfer_acceleration: false,
        };
        let stacks = discovery::stacks(&connection).await?;
        let found = stacks.into_iter().find(|stack| stack.name == sandbox.stack);
        let workspace = found.ok_or_else(|| Error::internal("the sandbox has no stack"))?.workspace;
        Ok(Self { name: SANDBOX.into(), mapping: sandbox.mapping.clone(), ..workspace })
    }
}
