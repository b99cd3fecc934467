//! The event stream, handed to the page in batches, so that ten thousand changes are a few messages.

use std::time::Duration;

use reeldesk_core::event::Event;
use reeldesk_core::workspace::Settings;
use tauri::{AppHandle, Emitter as _, async_runtime};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::icon;

const BATCH: Duration = Duration::from_millis(100);
const MOST: usize = 512;

pub(crate) fn forward(
    app: AppHandle,
    settings: Settings,
    mut events: Receiver<Event>,
) -> async_runtime::JoinHandle<()> {
    async_runtime::spawn(async move {
        loop {
            let mut batch = match events.recv().await {
                Ok(event) => vec![event],
                Err(RecvError::Lagged(_)) => vec![Event::Resync],
                Err(RecvError::Closed) => return,
            };
            tokio::time::sleep(BATCH).await;
            while batch.len() < MOST
                && let Ok(event) = events.try_recv()
            {
                batch.push(event);
            }
            if let Some(Event::Watch { folders }) = batch.iter().rfind(|event| matches!(event, Event::Watch { .. })) {
                icon::tell(&app, folders, &settings);
            }
            if let Err(error) = app.emit("core", batch) {
                tracing::warn!(%error, "the page did not take an event");
            }
        }
    })
}
