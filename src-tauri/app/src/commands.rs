//! The commands of the page: each calls one function and hands its answer on.

use std::path::PathBuf;

use reeldesk_core::catalog::Guid;
use reeldesk_core::ingest::{Journey, JourneyCommand, Limits, Resolution, Resolutions, SignInNeed};
use reeldesk_core::jobs::{FoundJobs, JobCounts, JobQuery};
use reeldesk_core::playback::Stream;
use reeldesk_core::upload::Orphan;
use reeldesk_core::workspace::Workspace;
use reeldesk_core::{Code, Error, Result};
use tauri::{AppHandle, State, WebviewWindow};

use crate::chosen::{self, Chosen};
use crate::desk::{AtWork, Boot, Desk};
use crate::opened::Opened;
use crate::quit::{self, How};

pub(crate) mod catalog;
pub(crate) mod viewers;
pub(crate) mod watch;
pub(crate) mod workspace;

/// What the page needs to know first.
#[tauri::command]
pub(crate) async fn boot(desk: State<'_, Desk>) -> Result<Boot> {
    Ok(desk.boot())
}

/// The workspaces at work.
#[tauri::command]
pub(crate) async fn at_work(desk: State<'_, Desk>) -> Result<AtWork> {
    Ok(desk.at_work())
}

/// Opens a workspace for the window, beside those that are open.
#[tauri::command]
pub(crate) async fn open_workspace(desk: State<'_, Desk>, name: String) -> Result<Workspace> {
    desk.show(&name).await
}

/// A page of the journeys, behind a position; an empty one is the end.
#[tauri::command]
pub(crate) async fn journeys(open: Opened, after: i64) -> Result<Vec<Journey>> {
    Ok(open.driver.ingest.list_after(after))
}

/// What someone has to sign in for.
#[tauri::command]
pub(crate) async fn sign_in_need(open: Opened) -> Result<SignInNeed> {
    Ok(open.driver.ingest.sign_in_need())
}

/// Adds files and folders; the page hears of them as events.
async fn add(desk: &Desk, open: &Opened, paths: Vec<PathBuf>) -> Result<()> {
    // It may have been opened anew while someone chose.
    let open = desk.opened(open.name())?;
    open.driver.ingest.add(paths, Resolutions::default(), false).await.map(drop)
}

/// Asks for videos, and adds them.
#[tauri::command]
pub(crate) async fn choose_videos(window: WebviewWindow, desk: State<'_, Desk>, open: Opened) -> Result<()> {
    add(&desk, &open, chosen::files(&window, "Add videos", chosen::VIDEOS).await).await
}

/// Asks for folders of videos, and adds them.
#[tauri::command]
pub(crate) async fn choose_video_folders(window: WebviewWindow, desk: State<'_, Desk>, open: Opened) -> Result<()> {
    add(&desk, &open, chosen::folders(&window, "Add folders of videos").await).await
}

/// Adds what was dropped.
#[tauri::command]
pub(crate) async fn add_dropped(
    desk: State<'_, Desk>,
    open: Opened,
    chosen: State<'_, Chosen>,
    drop: u64,
) -> Result<()> {
    add(&desk, &open, chosen.dropped(drop).await?).await
}

#[tauri::command]
pub(crate) async fn steer(open: Opened, id: String, command: JourneyCommand) -> Result<()> {
    open.driver.ingest.steer(&id, command).await
}

#[tauri::command]
pub(crate) async fn steer_all(open: Opened, command: JourneyCommand) -> Result<()> {
    open.driver.ingest.steer_all(command).await
}

#[tauri::command]
pub(crate) async fn clear_journeys(open: Opened) -> Result<()> {
    open.driver.ingest.clear().await
}

#[tauri::command]
pub(crate) async fn answer(open: Opened, id: String, answer: Resolution, remaining: bool) -> Result<()> {
    open.driver.ingest.answer(&id, answer, remaining).await
}

#[tauri::command]
pub(crate) async fn limits(open: Opened) -> Result<Limits> {
    Ok(open.driver.ingest.limits())
}

#[tauri::command]
pub(crate) async fn set_limits(open: Opened, limits: Limits) -> Result<()> {
    open.driver.ingest.set_limits(limits).await
}

/// Ends the app: at once, when its work is done, or after asking where there is work.
#[tauri::command]
pub(crate) async fn quit(app: AppHandle, how: How) -> Result<()> {
    quit::quit(&app, how);
    Ok(())
}

/// Shows a journey's file in the system's file manager.
#[tauri::command]
pub(crate) async fn reveal(open: Opened, id: String) -> Result<()> {
    let path = open.driver.ingest.journey(&id)?.path;
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
pub(crate) async fn orphans(open: Opened) -> Result<Vec<Orphan>> {
    open.session.orphans().await
}

#[tauri::command]
pub(crate) async fn remove_orphan(open: Opened, orphan: Orphan) -> Result<()> {
    open.session.remove_orphan(&orphan).await
}

#[tauri::command]
pub(crate) async fn dismiss_journey(open: Opened, id: String) -> Result<()> {
    open.driver.ingest.dismiss(&id).await
}

#[tauri::command]
pub(crate) async fn stream(open: Opened, guid: Guid) -> Result<Stream> {
    open.session.stream(&guid).await
}

/// The address, on the loopback proxy, of a video's stream.
#[tauri::command]
pub(crate) async fn play(open: Opened, guid: Guid) -> Result<String> {
    let video = open.session.catalog.video(&guid).await?;
    open.session.proxy().await?.open(&open.session.hls(&video)?)
}

/// The addresses, on the loopback proxy, of pictures; none for one that cannot be shown.
#[tauri::command]
pub(crate) async fn local_urls(open: Opened, stored: Vec<String>) -> Result<Vec<Option<String>>> {
    let proxy = open.session.proxy().await?;
    let local = |address: &String| proxy.open_picture(&open.session.workspace.address(address).ok()?).ok();
    Ok(stored.iter().map(local).collect())
}

#[tauri::command]
pub(crate) async fn find_jobs(open: Opened, query: JobQuery, first: usize, most: usize) -> Result<FoundJobs> {
    open.session.find_jobs(query, first, most).await
}

#[tauri::command]
pub(crate) async fn count_jobs(open: Opened, query: JobQuery) -> Result<JobCounts> {
    open.session.jobs_sync.mirror().await?.count(query).await
}

#[tauri::command]
pub(crate) async fn cancel_job(open: Opened, id: String) -> Result<()> {
    open.session.cancel_job(&id).await
}
