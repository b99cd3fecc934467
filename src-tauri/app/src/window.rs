//! The window, and the app without it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tauri::Manager as _;
use tauri::async_runtime::JoinHandle;

/// Whether somebody looks at the app, and what ends it where nobody does.
#[derive(Default)]
pub(crate) struct Background {
    /// Ends the app when its work is done.
    ending: Mutex<Option<JoinHandle<()>>>,
    is_looked_at: AtomicBool,
}

impl Background {
    pub fn set(&self, ending: Option<JoinHandle<()>>) {
        let mut before = self.ending.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = std::mem::replace(&mut *before, ending) {
            before.abort();
        }
    }

    /// The window has the focus, or has lost it. It is not asked for: the main thread, which would answer, may be closing
    /// the workspaces.
    pub fn set_looked_at(&self, is_looked_at: bool) {
        self.is_looked_at.store(is_looked_at, Ordering::Relaxed);
    }

    pub fn is_looked_at(&self) -> bool {
        self.is_looked_at.load(Ordering::Relaxed)
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
