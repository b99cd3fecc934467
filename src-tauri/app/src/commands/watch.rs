//! The commands of the Watch folders screen.

use std::path::PathBuf;

use reeldesk_core::Result;
use reeldesk_core::watch::{Preview, WatchFolder, WatchedFolder};
use reeldesk_core::workspace::Habits;
use tauri::{AppHandle, State};
use uuid::Uuid;

use crate::desk::Desk;
use crate::habits;

#[tauri::command]
pub(crate) async fn watched_folders(desk: State<'_, Desk>) -> Result<Vec<WatchedFolder>> {
    Ok(desk.opened().await?.watch.folders())
}

/// Rules for those of these paths that are folders.
#[tauri::command]
pub(crate) async fn rules_for(desk: State<'_, Desk>, paths: Vec<PathBuf>) -> Result<Vec<WatchFolder>> {
    let workspace = desk.opened().await?.session.workspace.name.clone();
    Ok(WatchFolder::of_folders(&workspace, &paths).await)
}

#[tauri::command]
pub(crate) async fn put_watch_folder(desk: State<'_, Desk>, rule: WatchFolder) -> Result<WatchFolder> {
    desk.opened().await?.watch.put(rule).await
}

/// Takes the disk that is there now for the one of a folder.
#[tauri::command]
pub(crate) async fn accept_disk(desk: State<'_, Desk>, id: Uuid) -> Result<()> {
    desk.opened().await?.watch.accept(id).await
}

#[tauri::command]
pub(crate) async fn remove_watch_folder(desk: State<'_, Desk>, id: Uuid) -> Result<()> {
    desk.opened().await?.watch.remove(id).await
}

#[tauri::command]
pub(crate) async fn preview_watch_folder(desk: State<'_, Desk>, rule: WatchFolder) -> Result<Preview> {
    desk.opened().await?.watch.preview(rule).await
}

/// Takes a file as it is.
#[tauri::command]
pub(crate) async fn insist(desk: State<'_, Desk>, id: Uuid, path: String) -> Result<()> {
    desk.opened().await?.watch.insist(id, path)
}

/// Shows a folder, or a file in it, in the system's file manager.
#[tauri::command]
pub(crate) async fn reveal_watched(desk: State<'_, Desk>, id: Uuid, path: String) -> Result<()> {
    let folder = desk.opened().await?.watch.rules().find(&id.to_string()).await?.path;
    super::show_in_file_manager(folder.join(path)).await
}

#[tauri::command]
pub(crate) async fn habits(app: AppHandle) -> Result<habits::Shown> {
    habits::read(&app)
}

#[tauri::command]
pub(crate) async fn set_habits(app: AppHandle, habits: Habits, starts_with_session: bool) -> Result<()> {
    habits::change(&app, habits, starts_with_session)
}
