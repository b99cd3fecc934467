//! The desktop shell: the window, the commands and the events; no logic of its own.

#[cfg(test)]
mod bindings;
mod chosen;
mod commands;
mod desk;
mod events;
mod habits;
mod handler;
mod icon;
mod notices;
mod opened;
mod options;
mod quit;
mod runs;
mod tray;
mod window;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use tauri::Manager as _;

use crate::chosen::Chosen;
use crate::desk::Desk;
use crate::options::{Arguments, HIDDEN, Options};
use crate::window::{Background, show};

/// Runs the app until its window is closed.
#[must_use]
pub fn run() -> ExitCode {
    let options = match Options::of(Arguments::parse()) {
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
            tauri::WindowEvent::Focused(has_focus) => window.state::<Background>().set_looked_at(*has_focus),
            _ => {}
        })
        .setup(|app| {
            tray::make(app.handle());
            work(app.handle());
            let handle = app.handle().clone();
            tauri::async_runtime::spawn(async move {
                reeldesk_core::asked_to_end().await;
                handle.exit(0);
            });
            let desk = app.state::<Desk>();
            // Without a workspace that was used before, someone has to choose one.
            if !(desk.is_hidden() && desk.boot().opens_one()) {
                show(app.handle());
            }
            Ok(())
        })
        .invoke_handler(handler::handler())
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
        tauri::RunEvent::Exit => tauri::async_runtime::block_on(app.state::<Desk>().close_all()),
        _ => {}
    });
    ExitCode::SUCCESS
}

/// What goes on without anyone's word.
fn work(app: &tauri::AppHandle) {
    let desk = app.state::<Desk>();
    tauri::async_runtime::spawn(events::forward(app.clone(), desk.instance().subscribe()));
    tauri::async_runtime::spawn(notices::show(app.clone(), desk.instance().subscribe()));
    tauri::async_runtime::spawn(events::tell_at_work(app.clone()));
    let app = app.clone();
    tauri::async_runtime::spawn(async move { app.state::<Desk>().open_those_at_work().await });
}
