//! The window, and the app without it.

use std::sync::{Mutex, PoisonError};

use tauri::Manager as _;
use tauri::async_runtime::JoinHandle;

/// The app without a window, which ends when its work is done.
#[derive(Default)]
pub(crate) struct Background(Mutex<Option<JoinHandle<()>>>);

impl Background {
    pub fn set(&self, ending: Option<JoinHandle<()>>) {
        let mut before = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = std::mem::replace(&mut *before, ending) {
            before.abort();
        }
    }

    /// Somebody wants the window again: the app stays.
    pub fn stay(&self) {
        self.set(None);
    }
}

/// Brings the window of the running app to the front: when it is started a second time, or a notice is clicked.
pub(crate) fn show(app: &tauri::AppHandle) {
    app.state::<Background>().stay();
    if let Some(window) = app.get_webview_window("main") {
        window.show().ok();
        window.unminimize().ok();
        window.set_focus().ok();
    }
}
