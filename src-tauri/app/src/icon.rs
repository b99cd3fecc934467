//! What the icon in the system's tray shows of the watch folders.

use std::sync::{Mutex, PoisonError};

use reeldesk_core::watch::{self, Condition, WatchedFolder};
use reeldesk_core::workspace::Habits;
use tauri::image::Image;
use tauri::menu::MenuItem;
use tauri::tray::TrayIcon;
use tauri::{AppHandle, Manager as _, Wry};

pub(crate) const ICON: &[u8] = include_bytes!("../../../icons/tray.png");
/// With a mark.
const WATCHING: &[u8] = include_bytes!("../../../icons/tray-watching.png");

/// The icon and what changes of it.
pub(crate) struct Tray {
    pub icon: TrayIcon<Wry>,
    pub state: MenuItem<Wry>,
    pub pause: MenuItem<Wry>,
    pub shown: Mutex<Option<Face>>,
}

/// What it shows.
#[derive(PartialEq, Eq)]
pub(crate) struct Face {
    is_seen: bool,
    is_marked: bool,
    is_paused: bool,
    words: Option<String>,
}

/// Shows what the watch folders are at; what has not changed is left as it is. Where nothing is watched, the icon is seen only
/// if the app stays in the tray without its window.
pub(crate) fn tell(app: &AppHandle, folders: &[WatchedFolder], habits: Habits) {
    let Some(tray) = app.try_state::<Tray>() else { return };
    let now = Face::of(folders, habits.stays_in_tray);
    let mut shown = tray.shown.lock().unwrap_or_else(PoisonError::into_inner);
    if shown.as_ref() == Some(&now) {
        return;
    }
    match tray.show(&now, shown.as_ref()) {
        Ok(()) => *shown = Some(now),
        Err(error) => tracing::warn!(%error, "the tray could not be renewed"),
    }
}

/// Whether all folders are paused, so that the menu offers to resume them.
pub(crate) fn is_paused(folders: &[WatchedFolder]) -> bool {
    !folders.is_empty() && folders.iter().all(|folder| folder.condition == Condition::Paused)
}

impl Face {
    fn of(folders: &[WatchedFolder], stays: bool) -> Self {
        let words = watch::in_words(folders);
        let is_paused = is_paused(folders);
        Self { is_seen: stays || words.is_some(), is_marked: words.is_some() && !is_paused, is_paused, words }
    }
}

impl Tray {
    fn show(&self, now: &Face, before: Option<&Face>) -> tauri::Result<()> {
        // On Linux each picture is written into a file for the desktop.
        if before.is_none_or(|before| before.is_marked != now.is_marked) {
            self.icon.set_icon(Some(Image::from_bytes(if now.is_marked { WATCHING } else { ICON })?))?;
        }
        let words = now.words.as_deref();
        self.icon.set_visible(now.is_seen)?;
        self.icon.set_tooltip(Some(words.map_or("Reeldesk".to_owned(), |words| format!("Reeldesk: {words}"))))?;
        self.state.set_text(words.unwrap_or("Nothing is watched"))?;
        self.pause.set_text(if now.is_paused { "Resume watching" } else { "Pause watching" })?;
        self.pause.set_enabled(words.is_some())
    }
}
