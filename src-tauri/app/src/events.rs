//! The event stream, handed to the page in batches, so that ten thousand changes are a few messages.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reeldesk_core::event::{Event, WorkspaceEvent};
use serde::Serialize;
use tauri::{AppHandle, Emitter as _, Manager as _};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use ts_rs::TS;

use crate::desk::Desk;
use crate::tray;

const BATCH: Duration = Duration::from_millis(100);
const MOST: usize = 512;

/// Events of one workspace.
#[derive(Clone, Serialize, TS)]
pub(crate) struct EventBatch {
    workspace: Arc<str>,
    events: Vec<Event>,
}

/// Hands the events of all workspaces on; never ends.
pub(crate) async fn forward(app: AppHandle, mut events: Receiver<WorkspaceEvent>) {
    loop {
        let first = match events.recv().await {
            Ok(event) => event,
            Err(RecvError::Lagged(_)) => {
                for open in app.state::<Desk>().all() {
                    emit(&app, open.name().into(), vec![Event::Resync]);
                }
                continue;
            }
            Err(RecvError::Closed) => return,
        };
        tokio::time::sleep(BATCH).await;
        let mut batches = BTreeMap::from([(first.workspace, vec![first.event])]);
        for _ in 0..MOST {
            match events.try_recv() {
                Ok(WorkspaceEvent { workspace, event }) => batches.entry(workspace).or_default().push(event),
                Err(TryRecvError::Lagged(_)) => {
                    for open in app.state::<Desk>().all() {
                        batches.entry(open.name().into()).or_default().push(Event::Resync);
                    }
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        if batches.values().flatten().any(|event| matches!(event, Event::Watch { .. })) {
            tray::renew(&app);
        }
        for (workspace, events) in batches {
            emit(&app, workspace, events);
        }
    }
}

/// Tells the page which workspaces are at work, and the tray, whenever that changes; never ends.
pub(crate) async fn tell_at_work(app: AppHandle) {
    let mut changes = app.state::<Desk>().changes();
    while changes.changed().await.is_ok() {
        tray::renew(&app);
        if let Err(error) = app.emit("at-work", app.state::<Desk>().at_work()) {
            tracing::warn!(%error, "the page did not take an event");
        }
    }
}

fn emit(app: &AppHandle, workspace: Arc<str>, events: Vec<Event>) {
    if let Err(error) = app.emit("core", EventBatch { workspace, events }) {
        tracing::warn!(%error, "the page did not take an event");
    }
}
