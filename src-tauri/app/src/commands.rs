//! The commands of the page: each calls one function and hands its answer on.

use std::path::PathBuf;

use reeldesk_core::Result;
use reeldesk_core::catalog::{Cursor, Guid, Page, Video};
use reeldesk_core::encode::Job;
use reeldesk_core::ingest::{Journey, Wish};
use reeldesk_core::playback::Stream;
use reeldesk_core::upload::Orphan;
use reeldesk_core::workspace::Workspace;
use tauri::{AppHandle, State};

use crate::desk::{Boot, Desk};

#[tauri::command]
pub(crate) async fn boot(desk: State<'_, Desk>) -> Result<Boot> {
    Ok(desk.boot())
}

#[tauri::command]
pub(crate) async fn open_workspace(app: AppHandle, desk: State<'_, Desk>, name: String) -> Result<Workspace> {
    desk.open(&app, &name).await
}

#[tauri::command]
pub(crate) async fn connect(app: AppHandle, desk: State<'_, Desk>, workspace: Workspace) -> Result<Workspace> {
    desk.connect(&app, workspace).await
}

#[tauri::command]
pub(crate) async fn journeys(desk: State<'_, Desk>) -> Result<Vec<Journey>> {
    Ok(desk.opened().await?.driver.ingest.list())
}

#[tauri::command]
pub(crate) async fn add_paths(desk: State<'_, Desk>, paths: Vec<PathBuf>) -> Result<()> {
    // The page hears of them as events.
    desk.opened().await?.driver.ingest.add(paths).await.map(drop)
}

#[tauri::command]
pub(crate) async fn steer(desk: State<'_, Desk>, id: String, wish: Wish) -> Result<()> {
    desk.opened().await?.driver.ingest.steer(&id, wish).await
}

#[tauri::command]
pub(crate) async fn steer_all(desk: State<'_, Desk>, wish: Wish) -> Result<()> {
    desk.opened().await?.driver.ingest.steer_all(wish).await
}

#[tauri::command]
pub(crate) async fn clear_journeys(desk: State<'_, Desk>) -> Result<()> {
    desk.opened().await?.driver.ingest.clear().await
}

#[tauri::command]
pub(crate) async fn signed_in(desk: State<'_, Desk>) -> Result<()> {
    desk.opened().await?.driver.ingest.signed_in();
    Ok(())
}

#[tauri::command]
pub(crate) async fn upload_limit(desk: State<'_, Desk>) -> Result<Option<u64>> {
    Ok(desk.opened().await?.driver.ingest.limit())
}

#[tauri::command]
pub(crate) async fn set_upload_limit(desk: State<'_, Desk>, bytes_per_second: Option<u64>) -> Result<()> {
    desk.opened().await?.driver.ingest.set_limit(bytes_per_second).await
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
    desk.opened().await?.session.catalog.page(after, 100).await
}

#[tauri::command]
pub(crate) async fn video(desk: State<'_, Desk>, guid: Guid) -> Result<Video> {
    desk.opened().await?.session.catalog.video(&guid).await
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
    let local = |address: &String| open.proxy.open(&open.session.address(address).ok()?).ok();
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
