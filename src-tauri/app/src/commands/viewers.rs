//! The commands of the Viewers screen.

use reeldesk_core::Result;
use reeldesk_core::viewers::{
    ActionResult, Census, Found, Invitation, Invited, Invitee, Invitees, LogEntry, Mail, Person, PoolFacts, Query,
    RunSummary, Selection, Step, ViewerAction, Viewers, Watchable,
};
use serde::Serialize;
use tauri::ipc::Channel;
use tauri::{State, WebviewWindow};
use ts_rs::TS;

use crate::chosen::{self, Chosen};
use crate::opened::Opened;

/// Lines of the log that are shown at once.
const LINES: usize = 200;

async fn pool(open: &Opened) -> Result<Viewers> {
    open.session.viewers().await
}

#[tauri::command]
pub(crate) async fn census(open: Opened) -> Result<Census> {
    pool(&open).await?.census().await
}

#[tauri::command]
pub(crate) async fn find_viewers(open: Opened, query: Query, first: usize, most: usize) -> Result<Found> {
    pool(&open).await?.find(query, first, most).await
}

/// Reads all of the pool; the page hears of it as events.
#[tauri::command]
pub(crate) async fn read_viewers(open: Opened) -> Result<()> {
    pool(&open).await?.read().await
}

#[tauri::command]
pub(crate) async fn pool_facts(open: Opened) -> Result<PoolFacts> {
    pool(&open).await?.facts().await
}

#[tauri::command]
pub(crate) async fn person(open: Opened, username: String) -> Result<Person> {
    pool(&open).await?.person(&username).await
}

/// What a pasted list holds.
#[tauri::command]
pub(crate) async fn read_invitees(text: String) -> Result<Invitees> {
    Ok(Invitees::parse(&text))
}

/// Asks for a list of people; its text, or none when the dialog was closed.
#[tauri::command]
pub(crate) async fn choose_list(window: WebviewWindow) -> Result<Option<String>> {
    match chosen::file(&window, "Open a list of people", chosen::LISTS).await {
        Some(path) => Invitees::text_of(&path).await.map(Some),
        None => Ok(None),
    }
}

/// The text of the lists that were dropped.
#[tauri::command]
pub(crate) async fn read_dropped(chosen: State<'_, Chosen>, drop: u64) -> Result<String> {
    let mut texts = Vec::new();
    for path in chosen.dropped(drop).await? {
        texts.push(Invitees::text_of(&path).await?);
    }
    Ok(texts.join("\n"))
}

/// What became of one of them.
#[derive(Clone, Serialize, TS)]
pub(crate) struct InviteProgress {
    address: String,
    invited: Invited,
}

/// Invites them; each is told as it is done.
#[tauri::command]
pub(crate) async fn invite(
    open: Opened,
    people: Vec<Invitee>,
    invitation: Invitation,
    told: Channel<InviteProgress>,
) -> Result<()> {
    let (viewers, run) = (pool(&open).await?, open.own.viewers.begin("viewers")?);
    // A page that has gone away needs none.
    let tell = |one: &Invitee, invited: &Invited| {
        drop(told.send(InviteProgress { address: one.address.clone(), invited: invited.clone() }));
    };
    viewers.invite(&people, invitation, &run.stop, tell).await
}

/// Does the same with each of them; each is told as it is done.
#[tauri::command]
pub(crate) async fn act_on_viewers(
    open: Opened,
    selection: Selection,
    act: ViewerAction,
    told: Channel<ActionResult>,
) -> Result<RunSummary> {
    let (viewers, run) = (pool(&open).await?, open.own.viewers.begin("viewers")?);
    viewers.act(selection, &act, &run.stop, |acted| drop(told.send(acted.clone()))).await
}

#[tauri::command]
pub(crate) async fn undo_run(open: Opened, run: String, told: Channel<ActionResult>) -> Result<RunSummary> {
    let (viewers, running) = (pool(&open).await?, open.own.viewers.begin("viewers")?);
    viewers.undo(&run, &running.stop, |acted| drop(told.send(acted.clone()))).await
}

/// Ends the invitation or act that is going on, after those that are on their way.
#[tauri::command]
pub(crate) async fn stop_run(open: Opened) -> Result<()> {
    open.own.viewers.stop();
    Ok(())
}

#[tauri::command]
pub(crate) async fn viewer_log(open: Opened, before: Option<i64>) -> Result<Vec<LogEntry>> {
    pool(&open).await?.log(before, LINES).await
}

#[tauri::command]
pub(crate) async fn history_of(open: Opened, username: String) -> Result<Vec<LogEntry>> {
    pool(&open).await?.history(&username, LINES).await
}

/// Asks where to write the viewers that a query finds, and writes them.
#[tauri::command]
pub(crate) async fn export_viewers(window: WebviewWindow, open: Opened, query: Query) -> Result<()> {
    let viewers = pool(&open).await?;
    match chosen::target(&window, "Export", "viewers.csv", chosen::CSV).await {
        Some(to) => viewers.export(query, &to).await,
        None => Ok(()),
    }
}

/// Asks where to write the log, and writes it.
#[tauri::command]
pub(crate) async fn export_viewer_log(window: WebviewWindow, open: Opened) -> Result<()> {
    let viewers = pool(&open).await?;
    match chosen::target(&window, "Export", "viewer-log.csv", chosen::CSV).await {
        Some(to) => viewers.export_log(&to).await,
        None => Ok(()),
    }
}

#[tauri::command]
pub(crate) async fn forget_viewers(open: Opened) -> Result<()> {
    pool(&open).await?.forget().await
}

#[tauri::command]
pub(crate) async fn create_group(open: Opened, name: String, description: Option<String>) -> Result<()> {
    pool(&open).await?.create_group(&name, description.as_deref()).await
}

#[tauri::command]
pub(crate) async fn delete_group(open: Opened, name: String) -> Result<()> {
    pool(&open).await?.delete_group(&name).await
}

#[tauri::command]
pub(crate) async fn mails(open: Opened) -> Result<Vec<Mail>> {
    open.session.mails().await
}

#[tauri::command]
pub(crate) async fn sign_in_as(open: Opened, address: String, password: String) -> Result<Step> {
    open.session.viewer_session()?.sign_in(&address, &password).await
}

#[tauri::command]
pub(crate) async fn choose_password_as(open: Opened, password: String) -> Result<Step> {
    open.session.viewer_session()?.choose_password(&password).await
}

#[tauri::command]
pub(crate) async fn give_code_as(open: Opened, code: String, password: String) -> Result<Step> {
    open.session.viewer_session()?.give_code(&code, &password).await
}

#[tauri::command]
pub(crate) async fn look_again_as(open: Opened) -> Result<Vec<Watchable>> {
    open.session.viewer_session()?.look_again().await
}

#[tauri::command]
pub(crate) async fn play_as(open: Opened, video: Watchable) -> Result<String> {
    open.session.viewer_session()?.play(&video).await
}

#[tauri::command]
pub(crate) async fn leave_viewer_session(open: Opened) -> Result<()> {
    open.session.viewer_session()?.leave().await;
    Ok(())
}
