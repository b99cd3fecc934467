//! The commands of the Workspace screen and of the first run.

use reeldesk_core::catalog::{self, Cost, TablePreview};
use reeldesk_core::check::compare::{Comparison, compare};
use reeldesk_core::check::{self, Finding};
use reeldesk_core::connection::credentials::{self, AccessKey, CredentialsSource, PoolUser, SignIn};
use reeldesk_core::connection::{self, Connection, Keep, Profiles};
use reeldesk_core::workspace::discovery::{self, Choices, Identity, Stack};
use reeldesk_core::workspace::policy::Rights;
use reeldesk_core::workspace::{Workspace, handover, policy};
use reeldesk_core::{Error, Result};
use reeldesk_shell::Removed;
use tauri::ipc::Channel;
use tauri::{State, WebviewWindow};

use crate::chosen;
use crate::desk::{Desk, SignInPage};
use crate::opened::Opened;

#[tauri::command]
pub(crate) async fn workspaces(desk: State<'_, Desk>) -> Result<Vec<Workspace>> {
    desk.settings().workspaces()
}

#[tauri::command]
pub(crate) async fn profiles() -> Result<Profiles> {
    connection::profiles().await
}

#[tauri::command]
pub(crate) async fn identity(connection: Connection) -> Result<Identity> {
    discovery::identity(&connection).await
}

#[tauri::command]
pub(crate) async fn stacks(connection: Connection) -> Result<Vec<Stack>> {
    discovery::stacks(&connection).await
}

#[tauri::command]
pub(crate) async fn choices(connection: Connection) -> Result<Choices> {
    discovery::choices(&connection).await
}

/// Fails where the system has no keyring.
#[tauri::command]
pub(crate) async fn keyring_works() -> Result<()> {
    connection::keyring_works().await
}

/// Keeps an access key, in place of what `source` holds where it is one.
#[tauri::command]
pub(crate) async fn give_access_key(
    key: AccessKey,
    keep: Keep,
    source: Option<CredentialsSource>,
) -> Result<CredentialsSource> {
    credentials::give_access_key(key, keep, source.as_ref()).await
}

/// Forgets what was typed and is not used.
#[tauri::command]
pub(crate) async fn forget_credentials(source: CredentialsSource) -> Result<()> {
    credentials::forget(&source).await;
    Ok(())
}

#[tauri::command]
pub(crate) async fn sign_in_of(connection: Connection) -> Result<SignIn> {
    SignIn::of(&connection).await
}

#[tauri::command]
pub(crate) async fn give_code(connection: Connection, profile: String, code: String) -> Result<()> {
    credentials::give_code(&profile, &connection.region, connection.endpoint.as_deref(), &code).await
}

/// Signs a user of a pool in, in place of who signed in to the connection before where that was one.
#[tauri::command]
pub(crate) async fn give_password(
    user: PoolUser,
    password: String,
    keep: Keep,
    connection: Connection,
) -> Result<CredentialsSource> {
    let Connection { credentials: before, endpoint, .. } = connection;
    credentials::sign_in_user(user, password.into(), keep, Some(&before), endpoint.as_deref()).await
}

/// Opens the browser for a sign-in.
#[tauri::command]
pub(crate) async fn begin_sign_in(desk: State<'_, Desk>, profile: String) -> Result<SignInPage> {
    let page = desk.begin_sign_in(&profile).await?;
    // Where no browser opens, the page shows the address too.
    if let Err(error) = tauri_plugin_opener::open_url(&page.url, None::<&str>) {
        tracing::warn!(%error, "the browser could not be opened");
    }
    Ok(page)
}

/// Waits until it was confirmed there.
#[tauri::command]
pub(crate) async fn finish_sign_in(desk: State<'_, Desk>) -> Result<()> {
    desk.finish_sign_in().await
}

/// Goes on after a sign-in.
#[tauri::command]
pub(crate) async fn signed_in(desk: State<'_, Desk>, name: String) -> Result<()> {
    desk.reopen(&name).await
}

/// Connects to a workspace; one that is not new takes the place of the one of its name.
#[tauri::command]
pub(crate) async fn connect(desk: State<'_, Desk>, workspace: Workspace, is_new: bool) -> Result<Workspace> {
    desk.connect(workspace, is_new).await
}

/// Forgets a workspace; says what S3 may still have of it.
#[tauri::command]
pub(crate) async fn remove_workspace(desk: State<'_, Desk>, name: String) -> Result<Removed> {
    desk.remove(&name).await
}

/// Tries the workspace; each finding is told as it comes.
#[tauri::command]
pub(crate) async fn check_workspace(open: Opened, found: Channel<Finding>) -> Result<Vec<Finding>> {
    let workspace = open.session.workspace.clone();
    // A page that has gone away needs none.
    check::check(&workspace, |finding| drop(found.send(finding.clone()))).await
}

/// Sends 64 MiB to the source bucket of the open workspace straight and through Transfer Acceleration, and removes them.
#[tauri::command]
pub(crate) async fn compare_transfer(open: Opened) -> Result<Comparison> {
    compare(&open.session.workspace, &open.own.begin_comparison()).await
}

/// What the table of a workspace has, and what its videos read like with the names that the workspace gives its attributes.
#[tauri::command]
pub(crate) async fn preview_table(workspace: Workspace) -> Result<TablePreview> {
    catalog::preview_table(&workspace.tidied()).await
}

#[tauri::command]
pub(crate) async fn stop_comparison(open: Opened) -> Result<()> {
    open.own.stop_comparison();
    Ok(())
}

#[tauri::command]
pub(crate) async fn policy_of(workspace: Workspace, rights: Rights) -> Result<String> {
    Ok(policy::policy(&workspace, rights))
}

/// Asks where to write the workspace; where it was written, or none when the dialog was closed.
#[tauri::command]
pub(crate) async fn export_workspace(window: WebviewWindow, open: Opened) -> Result<Option<String>> {
    let workspace = open.session.workspace.clone();
    let name = format!("{}.toml", workspace.name);
    let Some(to) = chosen::target(&window, "Export the workspace", &name, chosen::WORKSPACES).await else {
        return Ok(None);
    };
    handover::export(&workspace, &to).await?;
    Ok(Some(to.display().to_string()))
}

/// Asks for the file of a workspace; none when the dialog was closed.
#[tauri::command]
pub(crate) async fn import_workspace(window: WebviewWindow) -> Result<Option<Workspace>> {
    match chosen::file(&window, "Open a workspace file", chosen::WORKSPACES).await {
        Some(from) => handover::import(&from).await.map(Some),
        None => Ok(None),
    }
}

/// What an engineer asks for first, without secrets.
#[tauri::command]
pub(crate) async fn diagnostics(desk: State<'_, Desk>, open: Opened) -> Result<String> {
    let (folders, workspace) = (desk.folders().clone(), open.session.workspace.clone());
    let text = tauri::async_runtime::spawn_blocking(move || reeldesk_core::diagnostics(&folders, Some(&workspace)));
    let Cost { read_units, since } = open.session.catalog.cost();
    let minutes = since.elapsed().as_secs_f64() / 60.0;
    let cost = format!("Lists of videos cost {read_units:.0} read units of DynamoDB in {minutes:.0} minutes.");
    Ok(format!("{}\n{cost}\n", text.await.map_err(Error::internal)?))
}
