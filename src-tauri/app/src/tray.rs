//! The icon in the system's tray: a sign that folders are watched, and the way back to the window.

use std::sync::{Mutex, PoisonError};

use reeldesk_core::watch::{self, Condition, WatchedFolder};
use tauri::image::Image;
use tauri::menu::{Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::{TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager as _, Wry};

use crate::desk::Desk;
use crate::quit::{self, How};

const ICON: &[u8] = include_bytes!("../../../icons/tray.png");
/// With a mark.
const WATCHING: &[u8] = include_bytes!("../../../icons/tray-watching.png");

/// The icon and what changes of it.
pub(crate) struct Tray {
    icon: TrayIcon<Wry>,
    state: MenuItem<Wry>,
    pause: MenuItem<Wry>,
    shown: Mutex<Option<Face>>,
}

/// What it shows.
#[derive(PartialEq, Eq)]
struct Face {
    is_seen: bool,
    is_marked: bool,
    is_paused: bool,
    words: Option<String>,
}

/// Makes the icon, unseen yet. A system without a tray is none the worse.
pub(crate) fn make(app: &AppHandle) {
    // Where its library is missing, the one of Linux panics.
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| build(app))) {
        Ok(Ok(tray)) => {
            app.manage(tray);
            renew(app);
        }
        Ok(Err(error)) => tracing::warn!(%error, "there is no tray"),
        Err(_) => tracing::warn!("there is no tray: libayatana-appindicator3 is missing"),
    }
}

fn build(app: &AppHandle) -> tauri::Result<Tray> {
    let state = MenuItem::with_id(app, "state", "Nothing is watched", false, None::<&str>)?;
    let pause = MenuItem::with_id(app, "pause", "Pause watching", false, None::<&str>)?;
    let open = MenuItem::with_id(app, "open", "Open Reeldesk", true, None::<&str>)?;
    let quit = MenuItem::with_id(app, "quit", "Quit", true, None::<&str>)?;
    let lines = [PredefinedMenuItem::separator(app)?, PredefinedMenuItem::separator(app)?];
    let menu = Menu::with_items(app, &[&state, &lines[0], &open, &pause, &lines[1], &quit])?;
    let icon = TrayIconBuilder::with_id("main")
        .icon(Image::from_bytes(ICON)?)
        .tooltip("Reeldesk")
        .menu(&menu)
        .on_menu_event(|app, event| match event.id().as_ref() {
            "open" => crate::show(app),
            "pause" => pause_or_resume(app),
            "quit" => {
                let app = app.clone();
                tauri::async_runtime::spawn(async move {
                    // The question wants a window.
                    if quit::asks(&app) { crate::show(&app) } else { quit::quit(&app, How::Now).await }
                });
            }
            _ => {}
        })
        .on_tray_icon_event(|icon, event| {
            if let TrayIconEvent::DoubleClick { .. } = event {
                crate::show(icon.app_handle());
            }
        })
        .build(app)?;
    icon.set_visible(false)?;
    Ok(Tray { icon, state, pause, shown: Mutex::default() })
}

/// Shows what the watch folders are at; what has not changed is left as it is.
pub(crate) fn tell(app: &AppHandle, folders: &[WatchedFolder]) {
    let Some(tray) = app.try_state::<Tray>() else { return };
    let stays = app.state::<Desk>().settings().habits().unwrap_or_default().stays_in_tray;
    let now = Face::of(folders, stays);
    let mut shown = tray.shown.lock().unwrap_or_else(PoisonError::into_inner);
    if shown.as_ref() == Some(&now) {
        return;
    }
    match tray.show(&now, shown.as_ref()) {
        Ok(()) => *shown = Some(now),
        Err(error) => tracing::warn!(%error, "the tray could not be renewed"),
    }
}

impl Face {
    fn of(folders: &[WatchedFolder], stays: bool) -> Self {
        let words = watch::in_words(folders);
        let is_paused = folders.iter().any(|folder| folder.condition == Condition::Paused);
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

/// The same with what is known.
pub(crate) fn renew(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let folders = app.state::<Desk>().opened().await.map(|open| open.watch.folders());
        tell(&app, &folders.unwrap_or_default());
    });
}

fn pause_or_resume(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let desk = app.state::<Desk>();
        let Ok(open) = desk.opened().await else { return };
        let is_paused = open.watch.folders().iter().any(|folder| folder.condition == Condition::Paused);
        if let Err(error) = open.watch.pause_all(!is_paused).await {
            tracing::warn!(message = error.message, "the watch folders could not be paused");
        }
    });
}
