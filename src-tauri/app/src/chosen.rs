//! The files and folders that a person chose, by a dialog or by dropping them on the window. Paths stay on this side: the
//! page knows a drop by its number, and a dialog by what came of it.

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use reeldesk_core::{Code, Error, Result};
use serde::Serialize;
use tauri::{DragDropEvent, Emitter as _, Manager as _, WebviewWindow, Window};
use tauri_plugin_dialog::{DialogExt as _, FileDialogBuilder, FilePath};
use tokio::sync::oneshot;
use ts_rs::TS;

/// Drops that are kept; the page takes each at once.
const KEPT: usize = 8;

/// What was chosen since the start.
#[derive(Default)]
pub(crate) struct Chosen {
    drops: Mutex<Drops>,
    /// Folders that may become watch folders.
    folders: Mutex<HashSet<PathBuf>>,
}

#[derive(Default)]
struct Drops {
    last: u64,
    kept: VecDeque<(u64, Vec<PathBuf>)>,
}

/// What the page hears of files that are dragged.
#[derive(Clone, Serialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(crate) enum Drag {
    Over,
    Leave,
    /// The names are for the screen; the files are known by the number.
    Drop {
        #[ts(type = "number")]
        drop: u64,
        names: Vec<String>,
    },
}

/// Keeps what is dropped, and tells the page.
pub(crate) fn hear(window: &Window, event: &DragDropEvent) {
    let drag = match event {
        DragDropEvent::Enter { .. } => Drag::Over,
        DragDropEvent::Leave => Drag::Leave,
        DragDropEvent::Drop { paths, .. } => {
            let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let names = paths.iter().map(name).collect();
            Drag::Drop { drop: window.state::<Chosen>().keep_drop(paths.clone()), names }
        }
        _ => return,
    };
    window.emit("drag", drag).ok();
}

impl Chosen {
    fn keep_drop(&self, paths: Vec<PathBuf>) -> u64 {
        let mut drops = self.drops.lock().unwrap_or_else(PoisonError::into_inner);
        drops.last += 1;
        let number = drops.last;
        drops.kept.push_back((number, paths));
        if drops.kept.len() > KEPT {
            drops.kept.pop_front();
        }
        number
    }

    /// The paths of a drop, as their disk has them.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there was no such drop, or it was long ago.
    pub async fn dropped(&self, number: u64) -> Result<Vec<PathBuf>> {
        let paths = {
            let drops = self.drops.lock().unwrap_or_else(PoisonError::into_inner);
            drops.kept.iter().find(|(kept, _)| *kept == number).map(|(_, paths)| paths.clone())
        };
        match paths {
            Some(paths) => Ok(reeldesk_core::on_disk(paths).await),
            None => Err(Error::new(Code::NotFound, "What was dropped is not known any more.", "Drop it again.")),
        }
    }

    /// These may become watch folders.
    pub fn may_be_watched<'a>(&self, paths: impl IntoIterator<Item = &'a Path>) {
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        folders.extend(paths.into_iter().map(Path::to_owned));
    }

    /// Whether someone chose this folder.
    ///
    /// # Errors
    /// [`Code::Invalid`] when nobody did.
    pub fn check_watchable(&self, folder: &Path) -> Result<()> {
        if self.folders.lock().unwrap_or_else(PoisonError::into_inner).contains(folder) {
            return Ok(());
        }
        let message = format!("The folder {} was not chosen in this window.", folder.display());
        Err(Error::new(Code::Invalid, message, "Choose it by \"Watch a folder\", or drop it on the window."))
    }
}

type Dialog = FileDialogBuilder<tauri::Wry>;
type Types = &'static [(&'static str, &'static [&'static str])];

/// What a dialog shows: a list, a spreadsheet, and so on. Dialogs of some systems mind the case of endings.
pub(crate) const VIDEOS: Types = &[
    (
        "Videos",
        &[
            "mp4", "m4v", "mov", "mkv", "webm", "mxf", "mpg", "mpeg", "m2ts", "mts", "ts", "wmv", "h264", "MP4", "M4V",
            "MOV", "MKV", "WEBM", "MXF", "MPG", "MPEG", "M2TS", "MTS", "TS", "WMV", "H264",
        ],
    ),
    ("All files", &["*"]),
];
pub(crate) const SIDECARS: Types = &[
    (
        "Subtitles, texts and pictures",
        &[
            "vtt", "srt", "scc", "ttml", "dfxp", "stl", "itt", "txt", "xml", "pdf", "jpg", "jpeg", "png", "VTT", "SRT",
            "SCC", "TTML", "DFXP", "STL", "ITT", "TXT", "XML", "PDF", "JPG", "JPEG", "PNG",
        ],
    ),
    ("All files", &["*"]),
];
pub(crate) const LISTS: Types = &[("Lists", &["csv", "tsv", "txt"]), ("All files", &["*"])];
pub(crate) const CSV: Types = &[("CSV", &["csv"])];
pub(crate) const TABLES: Types = &[("CSV", &["csv"]), ("JSON", &["json"])];
pub(crate) const WORKSPACES: Types = &[("Workspaces", &["toml"])];

fn dialog(window: &WebviewWindow, title: &str, types: Types) -> Dialog {
    let dialog = window.dialog().file().set_parent(window).set_title(title);
    types.iter().fold(dialog, |dialog, (name, endings)| dialog.add_filter(*name, endings))
}

/// Shows a dialog, and waits until it was closed.
async fn closed<T: Send + 'static>(show: impl FnOnce(Box<dyn FnOnce(Option<T>) + Send>)) -> Option<T> {
    let (tell, told) = oneshot::channel();
    // Nobody hears it where the app has ended meanwhile.
    show(Box::new(move |chosen| drop(tell.send(chosen))));
    told.await.ok().flatten()
}

fn path(chosen: FilePath) -> Option<PathBuf> {
    chosen.into_path().ok()
}

/// Asks for files; none when the dialog was closed.
pub(crate) async fn files(window: &WebviewWindow, title: &str, types: Types) -> Vec<PathBuf> {
    let chosen = closed(|told| dialog(window, title, types).pick_files(told)).await;
    chosen.unwrap_or_default().into_iter().filter_map(path).collect()
}

/// Asks for folders; none when the dialog was closed.
pub(crate) async fn folders(window: &WebviewWindow, title: &str) -> Vec<PathBuf> {
    let chosen = closed(|told| dialog(window, title, &[]).pick_folders(told)).await;
    chosen.unwrap_or_default().into_iter().filter_map(path).collect()
}

/// Asks for one file; none when the dialog was closed.
pub(crate) async fn file(window: &WebviewWindow, title: &str, types: Types) -> Option<PathBuf> {
    closed(|told| dialog(window, title, types).pick_file(told)).await.and_then(path)
}

/// Asks where to write a file, and whether to write over one; none when the dialog was closed.
pub(crate) async fn target(window: &WebviewWindow, title: &str, name: &str, types: Types) -> Option<PathBuf> {
    closed(|told| dialog(window, title, types).set_file_name(name).save_file(told)).await.and_then(path)
}
