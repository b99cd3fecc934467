//! The commands of the Library: finding videos, and changing what is said of them.

use reeldesk_core::catalog::{
    EditLogEntry, EditPreview, EditResult, EditSummary, Editor, Exported, FieldChange, FoundVideos, Guid,
    ImportPreview, MirrorAge, PurgeKind, PurgePart, PurgePlan, Saved, Video, VideoCounts, VideoPatch, VideoQuery,
    VideoSelection,
};
use reeldesk_core::workspace::{LibraryLayout, SavedView};
use reeldesk_core::{Error, NewSidecar, Result};
use tauri::ipc::Channel;
use tauri::{State, WebviewWindow};
use tokio_util::sync::CancellationToken;

use crate::chosen;
use crate::desk::Desk;
use crate::opened::Opened;

/// Titles that are offered where nothing is found.
const NEAREST: usize = 5;
/// Lines of the log that are shown at once.
const LINES: usize = 200;

/// Some of the videos that a query finds in the mirror, from one on.
#[tauri::command]
pub(crate) async fn find_videos(open: Opened, query: VideoQuery, first: usize, most: usize) -> Result<FoundVideos> {
    open.session.sync.mirror().await?.find(query, first, most).await
}

/// How many videos a query finds in the mirror, and how many with each facet.
#[tauri::command]
pub(crate) async fn count_videos(open: Opened, query: VideoQuery) -> Result<VideoCounts> {
    open.session.sync.mirror().await?.count(query).await
}

/// Titles that are like what is looked for, where nothing has its words.
#[tauri::command]
pub(crate) async fn nearest_titles(open: Opened, query: VideoQuery) -> Result<Vec<String>> {
    let nearest = open.session.sync.mirror().await?.nearest(query, NEAREST).await?;
    Ok(nearest.into_iter().map(|video| video.title).collect())
}

/// How old the mirror is.
#[tauri::command]
pub(crate) async fn mirror_age(open: Opened) -> Result<MirrorAge> {
    open.session.sync.age().await
}

/// These videos are in sight: what others change of them is shown within seconds.
#[tauri::command]
pub(crate) async fn set_in_sight(open: Opened, guids: Vec<Guid>) -> Result<()> {
    open.driver.ingest.set_in_sight(guids);
    Ok(())
}

#[tauri::command]
pub(crate) async fn video(open: Opened, guid: Guid) -> Result<Video> {
    open.session.video(&guid).await
}

/// Saves what was changed of a video on its page.
#[tauri::command]
pub(crate) async fn save_video(open: Opened, guid: Guid, changes: Vec<FieldChange>) -> Result<Saved> {
    open.session.editor().await?.save(&guid, changes).await
}

/// Asks for a file that is to go with a video, and adds it; none when the dialog was closed.
#[tauri::command]
pub(crate) async fn add_sidecar(
    window: WebviewWindow,
    open: Opened,
    guid: Guid,
    language: String,
    label: String,
    replaces: Option<String>,
) -> Result<Option<Saved>> {
    let Some(file) = chosen::file(&window, "Add a file", chosen::SIDECARS).await else { return Ok(None) };
    let new = NewSidecar {
        file: &file,
        language: &language,
        label: Some(&*label).filter(|label| !label.is_empty()),
        replaces: replaces.as_deref(),
    };
    open.session.add_sidecar(&guid, new, &CancellationToken::new()).await.map(|(_, saved)| Some(saved))
}

/// What a patch would do to the selected videos.
#[tauri::command]
pub(crate) async fn preview_edit(open: Opened, selection: VideoSelection, patch: VideoPatch) -> Result<EditPreview> {
    open.session.editor().await?.preview(selection, &patch).await
}

/// Changes the selected videos alike; each is told as it is done.
#[tauri::command]
pub(crate) async fn edit_videos(
    open: Opened,
    selection: VideoSelection,
    patch: VideoPatch,
    told: Channel<EditResult>,
) -> Result<EditSummary> {
    let (editor, run) = (open.session.editor().await?, open.own.videos.begin("videos")?);
    // A page that has gone away needs none.
    editor.edit(selection, patch, false, &run.stop, |result| drop(told.send(result.clone()))).await
}

#[tauri::command]
pub(crate) async fn undo_edit(open: Opened, run: String, told: Channel<EditResult>) -> Result<EditSummary> {
    let (editor, running) = (open.session.editor().await?, open.own.videos.begin("videos")?);
    editor.undo(&run, &running.stop, |result| drop(told.send(result.clone()))).await
}

/// Goes on with a change that was stopped or broke off; `again` also tries those that failed or were set aside.
#[tauri::command]
pub(crate) async fn resume_edit(
    open: Opened,
    run: String,
    again: bool,
    told: Channel<EditResult>,
) -> Result<EditSummary> {
    let (editor, running) = (open.session.editor().await?, open.own.videos.begin("videos")?);
    editor.resume(&run, again, &running.stop, |result| drop(told.send(result.clone()))).await
}

/// Gives up what is left of a change.
#[tauri::command]
pub(crate) async fn give_up_edit(open: Opened, run: String) -> Result<()> {
    open.session.editor().await?.give_up(&run).await
}

/// Ends the change that is going on, after the videos that are on their way.
#[tauri::command]
pub(crate) async fn stop_edit(open: Opened) -> Result<()> {
    open.own.videos.stop();
    Ok(())
}

/// The newest changes, before one where one is named.
#[tauri::command]
pub(crate) async fn edit_log(open: Opened, before: Option<i64>) -> Result<Vec<EditLogEntry>> {
    open.session.editor().await?.log(before, LINES).await
}

/// The newest changes of one video that were made here.
#[tauri::command]
pub(crate) async fn video_history(open: Opened, guid: Guid) -> Result<Vec<EditLogEntry>> {
    open.session.editor().await?.history(&guid, LINES).await
}

/// Why the videos cannot be changed; none where they can.
#[tauri::command]
pub(crate) async fn why_not_edit(open: Opened) -> Result<Option<Error>> {
    Ok(open.session.editor().await?.why_not_edit().await)
}

/// What would go of videos of the trash, were they deleted for good.
#[tauri::command]
pub(crate) async fn plan_purge(open: Opened, guids: Vec<Guid>) -> Result<Vec<PurgePlan>> {
    open.session.editor().await?.plan_purge(&guids).await
}

/// Deletes for good what is ticked of videos of the trash; each is told as it is done.
#[tauri::command]
pub(crate) async fn purge_videos(
    open: Opened,
    guids: Vec<Guid>,
    ticked: Vec<PurgeKind>,
    told: Channel<EditResult>,
) -> Result<EditSummary> {
    let (editor, run) = (open.session.editor().await?, open.own.videos.begin("videos")?);
    editor.purge(guids, ticked.into_iter().collect(), &run.stop, |result| drop(told.send(result.clone()))).await
}

/// What a video holds in the buckets, with its bytes.
#[tauri::command]
pub(crate) async fn holdings(open: Opened, guid: Guid) -> Result<Vec<PurgePart>> {
    open.session.editor().await?.holdings(&guid).await
}

/// Asks where to write the selected videos, and writes them; how many they are, or none when the dialog was closed.
#[tauri::command]
pub(crate) async fn export_videos(
    window: WebviewWindow,
    open: Opened,
    selection: VideoSelection,
) -> Result<Option<Exported>> {
    let editor = open.session.editor().await?;
    match chosen::target(&window, "Export", "videos.csv", chosen::TABLES).await {
        Some(to) => editor.export(selection, &to).await.map(Some),
        None => Ok(None),
    }
}

/// Asks for a list of videos; its text, or none when the dialog was closed.
#[tauri::command]
pub(crate) async fn choose_video_list(window: WebviewWindow) -> Result<Option<String>> {
    match chosen::file(&window, "Import a list of videos", chosen::LISTS).await {
        Some(path) => Editor::list_of(&path).await.map(Some),
        None => Ok(None),
    }
}

/// What a list would change.
#[tauri::command]
pub(crate) async fn preview_import(open: Opened, list: String) -> Result<ImportPreview> {
    open.session.editor().await?.preview_import(&list).await
}

/// Changes the videos of a list, each as it says; each is told as it is done.
#[tauri::command]
pub(crate) async fn import_videos(open: Opened, list: String, told: Channel<EditResult>) -> Result<EditSummary> {
    let (editor, run) = (open.session.editor().await?, open.own.videos.begin("videos")?);
    editor.import(&list, &run.stop, |result| drop(told.send(result.clone()))).await
}

/// How the Library shows its videos.
#[tauri::command]
pub(crate) async fn library_layout(desk: State<'_, Desk>) -> Result<LibraryLayout> {
    desk.settings().library()
}

/// Changes how the Library shows its videos.
#[tauri::command]
pub(crate) async fn set_library_layout(desk: State<'_, Desk>, layout: LibraryLayout) -> Result<()> {
    desk.settings().set_library(layout)
}

/// The views of the Library that were saved.
#[tauri::command]
pub(crate) async fn views(desk: State<'_, Desk>) -> Result<Vec<SavedView>> {
    desk.settings().views()
}

/// Saves a view, in place of one of its name; without an address that one goes. Answers all of them.
#[tauri::command]
pub(crate) async fn save_view(desk: State<'_, Desk>, name: String, address: Option<String>) -> Result<Vec<SavedView>> {
    desk.settings().save_view(&name, address)
}
