//! Quitting with work in hand asks first: go on without a window, or stop and go on at the next start.

use serde::Deserialize;
use tauri::{AppHandle, Emitter as _, Manager as _};
use ts_rs::TS;

use crate::desk::Desk;
use crate::window::Background;

/// How the app is to end.
#[derive(Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum How {
    /// At once; what is unfinished goes on at the next start.
    Now,
    /// When nothing is in hand any more, without a window until then.
    WhenDone,
    /// After asking, where there is work in hand.
    Ask,
}

pub(crate) fn quit(app: &AppHandle, how: How) {
    match how {
        How::WhenDone => when_done(app),
        How::Ask if asks(app) => {}
        How::Now | How::Ask => app.exit(0),
    }
}

/// Whether the app goes on in the tray without its window, which is hidden then.
pub(crate) fn stays(app: &AppHandle) -> bool {
    let habits = app.state::<Desk>().settings().habits().unwrap_or_default();
    let window = app.get_webview_window("main");
    habits.stays_in_tray && window.is_some_and(|window| window.hide().is_ok())
}

/// Whether there is work in hand; then the page asks what to do with it.
pub(crate) fn asks(app: &AppHandle) -> bool {
    let in_hand = app.state::<Desk>().in_hand();
    in_hand > 0 && app.emit("quit-asked", in_hand).is_ok()
}

/// Goes on without a window, and ends when nothing is in hand any more.
fn when_done(app: &AppHandle) {
    if let Some(window) = app.get_webview_window("main") {
        window.hide().ok();
    }
    let ending = tauri::async_runtime::spawn({
        let app = app.clone();
        async move {
            app.state::<Desk>().done().await;
            app.exit(0);
        }
    });
    app.state::<Background>().set(Some(ending));
}
