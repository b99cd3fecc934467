//! Notices of the system, while nobody looks at the window.

use notify_rust::Notification;
use reeldesk_core::event::WorkspaceEvent;
use reeldesk_core::notice::{self, Notice};
use tauri::{AppHandle, Manager as _};
use tokio::sync::broadcast::Receiver;

#[cfg(all(unix, not(target_os = "macos")))]
use crate::window;
use crate::window::Background;

/// Shows what is worth one in any workspace; never ends.
pub(crate) async fn show(app: AppHandle, events: Receiver<WorkspaceEvent>) {
    notice::gather(events, move |notice| {
        if !app.state::<Background>().is_looked_at() {
            let app = app.clone();
            // A thread of its own: on Linux it waits for a click.
            std::thread::spawn(move || tell(&app, &notice));
        }
    })
    .await;
}

fn tell(app: &AppHandle, notice: &Notice) {
    let mut notification = Notification::new();
    notification.appname("Reeldesk").summary(&notice.title).body(&notice.body).action("default", "Show");
    match notification.show() {
        #[cfg(all(unix, not(target_os = "macos")))]
        Ok(shown) => shown.wait_for_action(|action| {
            if action == "default" {
                window::show(app);
                tauri::Emitter::emit(app, "show", (&notice.workspace, &notice.journey)).ok();
            }
        }),
        #[cfg(not(all(unix, not(target_os = "macos"))))]
        Ok(_) => {
            // There a click brings the app to the front by itself.
            let _ = app;
        }
        Err(error) => tracing::info!(%error, "the system shows no notices"),
    }
}
