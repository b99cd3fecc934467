//! The icon in the system's tray: a sign that folders are watched, and the way back to the window.

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
    Ok(Tray { icon, state, pause })
}

/// Shows what the watch folders are at.
pub(crate) fn tell(app: &AppHandle, folders: &[WatchedFolder]) {
    let Some(tray) = app.try_state::<Tray>() else { return };
    let words = watch::in_words(folders);
    let is_paused = folders.iter().any(|folder| folder.condition == Condition::Paused);
    let stays = app.state::<Desk>().settings().habits().unwrap_or_default().stays_in_tray;
    let picture = Image::from_bytes(if words.is_some() && !is_paused { WATCHING } else { ICON });
    let shown = || -> tauri::Result<()> {
        tray.icon.set_visible(stays || words.is_some())?;
        tray.icon.set_icon(Some(picture?))?;
        tray.icon
            .set_tooltip(Some(words.as_ref().map_or("Reeldesk".to_owned(), |words| format!("Reeldesk: {words}"))))?;
        tray.state.set_text(words.as_deref().unwrap_or("Nothing is watched"))?;
        tray.pause.set_text(if is_paused { "Resume watching" } else { "Pause watching" })?;
        tray.pause.set_enabled(words.is_some())
    };
    if let Err(error) = shown() {
        tracing::warn!(%error, "the tray could not be renewed");
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
