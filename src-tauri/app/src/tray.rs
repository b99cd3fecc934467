//! The icon in the system's tray and its menu: a sign that folders are watched, and the way back to the window.

use std::sync::Mutex;

use tauri::image::Image;
use tauri::menu::{Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::{TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager as _};

use crate::desk::Desk;
use crate::icon::{self, ICON, Tray};
use crate::quit::{self, How};
use crate::window;

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
            "open" => window::show(app),
            "pause" => pause_or_resume(app),
            "quit" => {
                let app = app.clone();
                tauri::async_runtime::spawn(async move {
                    // The question wants a window.
                    if quit::asks(&app) { window::show(&app) } else { quit::quit(&app, How::Now) }
                });
            }
            _ => {}
        })
        .on_tray_icon_event(|icon, event| {
            if let TrayIconEvent::DoubleClick { .. } = event {
                window::show(icon.app_handle());
            }
        })
        .build(app)?;
    icon.set_visible(false)?;
    Ok(Tray { icon, state, pause, shown: Mutex::default() })
}

/// The same with what is known.
pub(crate) fn renew(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let desk = app.state::<Desk>();
        let (folders, habits) = (desk.watched(), desk.settings().habits().unwrap_or_default());
        let shown_by = app.clone();
        // Not waited for: the main thread may be closing the workspaces, which wait for this one.
        app.run_on_main_thread(move || icon::tell(&shown_by, &folders, habits)).ok();
    });
}

fn pause_or_resume(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let desk = app.state::<Desk>();
        if let Err(error) = reeldesk_core::pause_watching(desk.folders(), !icon::is_paused(&desk.watched())).await {
            tracing::warn!(%error, "the watch folders could not be paused");
        }
    });
}
