//! The commands of the Watch folders screen.

use std::path::{Component, Path, PathBuf};

use reeldesk_core::watch::{Preview, WatchFolder, WatchedFolder};
use reeldesk_core::workspace::Habits;
use reeldesk_core::{Code, Error, Result};
use tauri::{AppHandle, State, WebviewWindow};
use uuid::Uuid;

use crate::chosen::{self, Chosen};
use crate::desk::Open;
use crate::habits::{self, HabitsShown};
use crate::opened::Opened;

#[tauri::command]
pub(crate) async fn watched_folders(open: Opened) -> Result<Vec<WatchedFolder>> {
    Ok(open.watch.folders())
}

/// Rules for those of these paths that are folders; nothing is watched yet.
async fn rules_for(open: &Opened, chosen: &Chosen, paths: Vec<PathBuf>) -> Result<Vec<WatchFolder>> {
    let rules = WatchFolder::of_folders(open.name(), &paths).await;
    chosen.may_be_watched(rules.iter().map(|rule| rule.path.as_path()));
    Ok(rules)
}

/// Asks for folders to watch.
#[tauri::command]
pub(crate) async fn choose_watch_folders(
    window: WebviewWindow,
    open: Opened,
    chosen: State<'_, Chosen>,
) -> Result<Vec<WatchFolder>> {
    rules_for(&open, &chosen, chosen::folders(&window, "Watch folders").await).await
}

/// Rules for the folders among what was dropped.
#[tauri::command]
pub(crate) async fn watch_dropped(open: Opened, chosen: State<'_, Chosen>, drop: u64) -> Result<Vec<WatchFolder>> {
    rules_for(&open, &chosen, chosen.dropped(drop).await?).await
}

/// A rule is of a folder that was chosen, or that it watches already.
fn check(open: &Open, chosen: &Chosen, rule: &WatchFolder) -> Result<()> {
    let known =
        open.watch.folders().into_iter().any(|folder| folder.rule.id == rule.id && folder.rule.path == rule.path);
    if known { Ok(()) } else { chosen.check_watchable(&rule.path) }
}

#[tauri::command]
pub(crate) async fn put_watch_folder(
    open: Opened,
    chosen: State<'_, Chosen>,
    rule: WatchFolder,
) -> Result<WatchFolder> {
    check(&open, &chosen, &rule)?;
    open.watch.put(rule).await
}

/// Takes the disk that is there now for the one of a folder.
#[tauri::command]
pub(crate) async fn accept_disk(open: Opened, id: Uuid) -> Result<()> {
    open.watch.accept(id).await
}

#[tauri::command]
pub(crate) async fn remove_watch_folder(open: Opened, id: Uuid) -> Result<()> {
    open.watch.remove(id).await
}

#[tauri::command]
pub(crate) async fn preview_watch_folder(
    open: Opened,
    chosen: State<'_, Chosen>,
    rule: WatchFolder,
) -> Result<Preview> {
    check(&open, &chosen, &rule)?;
    open.watch.preview(rule).await
}

/// Takes a file as it is.
#[tauri::command]
pub(crate) async fn insist(open: Opened, id: Uuid, path: String) -> Result<()> {
    open.watch.insist(id, path)
}

/// Shows a folder, or a file in it, in the system's file manager.
#[tauri::command]
pub(crate) async fn reveal_watched(open: Opened, id: Uuid, path: String) -> Result<()> {
    let folder = open.watch.rules().find(&id.to_string()).await?.path;
    // Nothing outside of it is shown.
    if !Path::new(&path).components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(Error::new(Code::Invalid, format!("{path} is not in this folder."), "Choose a file of the list."));
    }
    super::show_in_file_manager(folder.join(path)).await
}

#[tauri::command]
pub(crate) async fn habits(app: AppHandle) -> Result<HabitsShown> {
    habits::read(&app)
}

#[tauri::command]
pub(crate) async fn set_habits(app: AppHandle, habits: Habits, starts_with_session: bool) -> Result<()> {
    habits::change(&app, habits, starts_with_session)
}
