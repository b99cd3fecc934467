//! The commands of the page: each calls one function and hands its answer on.

use std::path::PathBuf;

use reeldesk_core::catalog::{Cursor, Guid, Page, Video};
use reeldesk_core::encode::Job;
use reeldesk_core::ingest::{Journey, JourneyCommand, Limits, Resolution, Resolutions};
use reeldesk_core::playback::Stream;
use reeldesk_core::upload::Orphan;
use reeldesk_core::workspace::Workspace;
use reeldesk_core::{Code, Error, Result};
use tauri::{AppHandle, State, WebviewWindow};

use crate::chosen::{self, Chosen};
use crate::desk::{Boot, Desk};
use crate::quit::{self, How};

pub(crate) mod viewers;
pub(crate) mod watch;
pub(crate) mod workspace;

#[tauri::command]
pub(crate) async fn boot(desk: State<'_, Desk>) -> Result<Boot> {
    Ok(desk.boot())
}

#[tauri::command]
pub(crate) async fn open_workspace(app: AppHandle, desk: State<'_, Desk>, name: String) -> Result<Workspace> {
    desk.open(&app, &name).await
}

#[tauri::command]
pub(crate) async fn journeys(desk: State<'_, Desk>, after: i64) -> Result<Vec<Journey>> {
    Ok(desk.opened().await?.driver.ingest.list_after(after))
}

/// Adds files and folders; the page hears of them as events.
async fn add(desk: &Desk, paths: Vec<PathBuf>) -> Result<()> {
    desk.opened().await?.driver.ingest.add(paths, Resolutions::default(), false).await.map(drop)
}

/// Asks for videos, and adds them.
#[tauri::command]
pub(crate) async fn choose_videos(window: WebviewWindow, desk: State<'_, Desk>) -> Result<()> {
    add(&desk, chosen::files(&window, "Add videos", chosen::VIDEOS).await).await
}

/// Asks for folders of videos, and adds them.
#[tauri::command]
pub(crate) async fn choose_video_folders(window: WebviewWindow, desk: State<'_, Desk>) -> Result<()> {
    add(&desk, chosen::folders(&window, "Add folders of videos").await).await
}

/// Adds what was dropped.
#[tauri::command]
pub(crate) async fn add_dropped(desk: State<'_, Desk>, chosen: State<'_, Chosen>, drop: u64) -> Result<()> {
    add(&desk, chosen.dropped(drop).await?).await
}

#[tauri::command]
pub(crate) async fn steer(desk: State<'_, Desk>, id: String, command: JourneyCommand) -> Result<()> {
    desk.opened().await?.driver.ingest.steer(&id, command).await
}

#[tauri::command]
pub(crate) async fn steer_all(desk: State<'_, Desk>, command: JourneyCommand) -> Result<()> {
    desk.opened().await?.driver.ingest.steer_all(command).await
}

#[tauri::command]
pub(crate) async fn clear_journeys(desk: State<'_, Desk>) -> Result<()> {
    desk.opened().await?.driver.ingest.clear().await
}

#[tauri::command]
pub(crate) async fn answer(desk: State<'_, Desk>, id: String, answer: Resolution, remaining: bool) -> Result<()> {
    desk.opened().await?.driver.ingest.answer(&id, answer, remaining).await
}

#[tauri::command]
pub(crate) async fn limits(desk: State<'_, Desk>) -> Result<Limits> {
    Ok(desk.opened().await?.driver.ingest.limits())
}

#[tauri::command]
pub(crate) async fn set_limits(desk: State<'_, Desk>, limits: Limits) -> Result<()> {
    desk.opened().await?.driver.ingest.set_limits(limits).await
}

#[tauri::command]
pub(crate) async fn quit(app: AppHandle, how: How) -> Result<()> {
    quit::quit(&app, how).await;
    Ok(())
}

/// Shows a journey's file in the system's file manager.
#[tauri::command]
pub(crate) async fn reveal(desk: State<'_, Desk>, id: String) -> Result<()> {
    let path = desk.opened().await?.driver.ingest.journey(&id)?.path;
    show_in_file_manager(path).await
}

async fn show_in_file_manager(path: PathBuf) -> Result<()> {
    let shown = tauri::async_runtime::spawn_blocking(move || tauri_plugin_opener::reveal_item_in_dir(path)).await;
    shown.map_err(Error::internal)?.map_err(|error| {
        Error::new(Code::Internal, "The file manager could not be opened.", "Look for the file by its path.")
            .with_details(error)
    })
}

#[tauri::command]
pub(crate) async fn orphans(desk: State<'_, Desk>) -> Result<Vec<Orphan>> {
    desk.opened().await?.session.orphans().await
}

#[tauri::command]
pub(crate) async fn remove_orphan(desk: State<'_, Desk>, orphan: Orphan) -> Result<()> {
    desk.opened().await?.session.remove_orphan(&orphan).await
}

#[tauri::command]
pub(crate) async fn dismiss_journey(desk: State<'_, Desk>, id: String) -> Result<()> {
    desk.opened().await?.driver.ingest.dismiss(&id).await
}

#[tauri::command]
pub(crate) async fn library(desk: State<'_, Desk>, after: Option<Cursor>) -> Result<Page> {
    desk.opened().await?.session.videos(after, 100).await
}

#[tauri::command]
pub(crate) async fn video(desk: State<'_, Desk>, guid: Guid) -> Result<Video> {
    desk.opened().await?.session.video(&guid).await
}

#[tauri::command]
pub(crate) async fn stream(desk: State<'_, Desk>, guid: Guid) -> Result<Stream> {
    desk.opened().await?.session.stream(&guid).await
}

/// The address, on the loopback proxy, of a video's stream.
#[tauri::command]
pub(crate) async fn play(desk: State<'_, Desk>, guid: Guid) -> Result<String> {
    let open = desk.opened().await?;
    let video = open.session.catalog.video(&guid).await?;
    open.proxy.open(&open.session.hls(&video)?)
}

/// The addresses, on the loopback proxy, of pictures; none for one that cannot be shown.
#[tauri::command]
pub(crate) async fn local_urls(desk: State<'_, Desk>, stored: Vec<String>) -> Result<Vec<Option<String>>> {
    let open = desk.opened().await?;
    let local = |address: &String| open.proxy.open_picture(&open.session.workspace.address(address).ok()?).ok();
    Ok(stored.iter().map(local).collect())
}

#[tauri::command]
pub(crate) async fn jobs(desk: State<'_, Desk>) -> Result<Vec<Job>> {
    desk.opened().await?.session.jobs.newest().await
}

#[tauri::command]
pub(crate) async fn cancel_job(desk: State<'_, Desk>, id: String) -> Result<()> {
    desk.opened().await?.session.jobs.cancel(&id).await
}
