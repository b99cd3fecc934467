//! The one list of what the page may ask for. `build.rs` reads it too, and makes from it the permission that the capability
//! `main` grants.

use tauri::Wry;
use tauri::ipc::Invoke;

use crate::commands;

/// Leads each question of the page to its command.
pub(crate) fn handler() -> impl Fn(Invoke<Wry>) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        commands::boot,
        commands::at_work,
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
        commands::sign_in_need,
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
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// The page asks for each command, and for no other: `ui/src/backend.ts` writes down the types of each.
    #[test]
    fn the_page_asks_for_these_commands() {
        let (_, list) = include_str!("handler.rs").split_once("generate_handler![").unwrap();
        let (list, _) = list.split_once(']').unwrap();
        let last = |path: &str| path.trim().rsplit("::").next().map(str::to_owned);
        let handled: BTreeSet<_> = list.split(',').filter_map(last).filter(|name| !name.is_empty()).collect();
        let page = include_str!("../../../ui/src/backend.ts");
        let asked: BTreeSet<_> = page
            .split("invoke")
            .chain(page.split("#call"))
            .filter_map(|after| after.split_once("('"))
            .filter(|(types, _)| {
                types.is_empty() || types.starts_with('<') && types.ends_with('>') && !types.contains('\n')
            })
            .filter_map(|(_, name)| name.split_once('\'').map(|(name, _)| name.to_owned()))
            .collect();
        assert_eq!(asked, handled);
    }
}
