//! What the app does by itself: it stays in the tray when its window is closed, and starts with the session.

use reeldesk_core::workspace::Habits;
use reeldesk_core::{Code, Error, Result};
use serde::Serialize;
use tauri::{AppHandle, Manager as _};
use tauri_plugin_autostart::ManagerExt as _;
use ts_rs::TS;

use crate::desk::Desk;
use crate::tray;

/// What the page shows of them.
#[derive(Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HabitsShown {
    habits: Habits,
    /// As the system has it.
    starts_with_session: bool,
}

pub(crate) fn read(app: &AppHandle) -> Result<HabitsShown> {
    let habits = app.state::<Desk>().settings().habits()?;
    Ok(HabitsShown { habits, starts_with_session: app.autolaunch().is_enabled().unwrap_or(false) })
}

pub(crate) fn change(app: &AppHandle, habits: Habits, starts_with_session: bool) -> Result<()> {
    app.state::<Desk>().settings().set_habits(habits)?;
    tray::renew(app);
    let starter = app.autolaunch();
    let is_on = starter.is_enabled().unwrap_or(false);
    let changed = match starts_with_session {
        true if !is_on => starter.enable(),
        false if is_on => starter.disable(),
        _ => Ok(()),
    };
    changed.map_err(|error| {
        let what = "The system does not let Reeldesk start with the session.";
        Error::new(Code::Internal, what, "Add it to the programs that start with your session yourself.")
            .with_details(error)
    })
}
