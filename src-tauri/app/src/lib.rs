//! The desktop shell: the window, the commands and the events; no logic of its own.

mod chosen;
mod commands;
mod desk;
mod events;
mod habits;
mod icon;
mod notices;
mod options;
mod quit;
mod tray;
mod window;

use std::io::Write as _;
use std::process::ExitCode;

use tauri::Manager as _;

use crate::chosen::Chosen;
use crate::desk::Desk;
use crate::options::{HIDDEN, Options};
use crate::window::{Background, show};

/// Runs the app until its window is closed.
#[must_use]
pub fn run() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            writeln!(std::io::stderr(), "{error}").ok();
            return ExitCode::FAILURE;
        }
    };
    let _log = reeldesk_core::log::start(&options.folders, "warn");
    let mut builder = tauri::Builder::default();
    if options.single_instance {
        builder = builder.plugin(tauri_plugin_single_instance::init(|app, _, _| show(app)));
    }
    let app = builder
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_autostart::Builder::new().arg(HIDDEN).app_name("Reeldesk").build())
        .manage(Desk::new(options))
        .manage(Background::default())
        .manage(Chosen::default())
        .on_window_event(|window, event| match event {
            tauri::WindowEvent::CloseRequested { api, .. }
                if quit::stays(window.app_handle()) || quit::asks(window.app_handle()) =>
            {
                api.prevent_close();
            }
            tauri::WindowEvent::DragDrop(event) => chosen::hear(window, event),
            _ => {}
        })
        .setup(|app| {
            tray::make(app.handle());
            let handle = app.handle().clone();
            tauri::async_runtime::spawn(async move {
                reeldesk_core::asked_to_end().await;
                handle.exit(0);
            });
            let desk = app.state::<Desk>();
            // Without a workspace to open there is nothing to do unseen.
            if !(desk.is_hidden() && desk.boot().opens_one()) {
                show(app.handle());
            }
            Ok(())
        })
        .invoke_handler(tauri::generate_handler![
            commands::boot,
            commands::open_workspace,
            commands::workspace::workspaces,
            commands::workspace::profiles,
            commands::workspace::identity,
            commands::workspace::stacks,
            commands::workspace::choices,
            commands::workspace::keyring_works,
            commands::workspace::give_access_key,
            commands::workspace::forget_credentials,
            commands::workspace::sign_in_of,
            commands::workspace::give_code,
            commands::workspace::give_password,
            commands::workspace::begin_sign_in,
            commands::workspace::finish_sign_in,
            commands::workspace::signed_in,
            commands::workspace::connect,
            commands::workspace::remove_workspace,
            commands::workspace::check_workspace,
            commands::workspace::compare_transfer,
            commands::workspace::stop_comparison,
            commands::workspace::policy_of,
            commands::workspace::export_workspace,
            commands::workspace::import_workspace,
            commands::workspace::diagnostics,
            commands::journeys,
            commands::choose_videos,
            commands::choose_video_folders,
            commands::add_dropped,
            commands::steer,
            commands::steer_all,
            commands::clear_journeys,
            commands::answer,
            commands::limits,
            commands::set_limits,
            commands::quit,
            commands::reveal,
            commands::orphans,
            commands::remove_orphan,
            commands::dismiss_journey,
            commands::library,
            commands::video,
            commands::stream,
            commands::play,
            commands::local_urls,
            commands::jobs,
            commands::cancel_job,
            commands::viewers::census,
            commands::viewers::find_viewers,
            commands::viewers::read_viewers,
            commands::viewers::pool_facts,
            commands::viewers::person,
            commands::viewers::read_invitees,
            commands::viewers::choose_list,
            commands::viewers::read_dropped,
            commands::viewers::invite,
            commands::viewers::act_on_viewers,
            commands::viewers::undo_run,
            commands::viewers::stop_run,
            commands::viewers::viewer_log,
            commands::viewers::history_of,
            commands::viewers::export_viewers,
            commands::viewers::export_viewer_log,
            commands::viewers::forget_viewers,
            commands::viewers::create_group,
            commands::viewers::delete_group,
            commands::viewers::mails,
            commands::viewers::sign_in_as,
            commands::viewers::choose_password_as,
            commands::viewers::give_code_as,
            commands::viewers::look_again_as,
            commands::viewers::play_as,
            commands::viewers::leave_viewer_session,
            commands::watch::watched_folders,
            commands::watch::choose_watch_folders,
            commands::watch::watch_dropped,
            commands::watch::put_watch_folder,
            commands::watch::accept_disk,
            commands::watch::remove_watch_folder,
            commands::watch::preview_watch_folder,
            commands::watch::insist,
            commands::watch::reveal_watched,
            commands::watch::habits,
            commands::watch::set_habits,
        ])
        .build(tauri::generate_context!());
    let app = match app {
        Ok(app) => app,
        Err(error) => {
            tracing::error!(%error, "the window could not be opened");
            return ExitCode::FAILURE;
        }
    };
    app.run(|app, event| match event {
        // The menu of the system; no code means that nobody has decided yet.
        tauri::RunEvent::ExitRequested { code: None, api, .. } if quit::asks(app) => api.prevent_exit(),
        tauri::RunEvent::Exit => tauri::async_runtime::block_on(app.state::<Desk>().close()),
        _ => {}
    });
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    /// What is between quotation marks.
    fn quoted(text: &str) -> impl Iterator<Item = &str> {
        text.split('"').skip(1).step_by(2)
    }

    #[test]
    fn each_command_is_named_and_granted() {
        let (_, handled) = include_str!("lib.rs").split_once("generate_handler![").unwrap();
        let (handled, _) = handled.split_once("])").unwrap();
        let name = |line: &str| line.trim().trim_end_matches(',').rsplit_once("::").map(|(_, name)| name.to_owned());
        let mut handled: Vec<String> = handled.lines().filter_map(name).collect();
        handled.sort();

        let (named, _) = include_str!("../build.rs").split_once("];").unwrap();
        let mut named: Vec<_> = quoted(named).map(str::to_owned).collect();
        named.sort();
        assert_eq!(handled, named, "build.rs names the commands");

        let granted = quoted(include_str!("../capabilities/main.json"));
        let mut granted: Vec<_> =
            granted.filter_map(|one| one.strip_prefix("allow-")).map(|one| one.replace('-', "_")).collect();
        granted.sort();
        assert_eq!(handled, granted, "the capability grants them");
    }
}
