//! Tauri's code generation. The commands are named here so that the capability has to grant each one.

fn main() {
    const COMMANDS: &[&str] = &[
        "boot",
        "open_workspace",
        "connect",
        "workspaces",
        "profiles",
        "identity",
        "stacks",
        "choices",
        "keyring_works",
        "give_access_key",
        "forget_credentials",
        "sign_in_of",
        "give_code",
        "give_password",
        "begin_sign_in",
        "finish_sign_in",
        "remove_workspace",
        "check_workspace",
        "policy_of",
        "export_workspace",
        "import_workspace",
        "diagnostics",
        "journeys",
        "add_paths",
        "steer",
        "steer_all",
        "clear_journeys",
        "signed_in",
        "answer",
        "limits",
        "set_limits",
        "quit",
        "reveal",
        "orphans",
        "remove_orphan",
        "dismiss_journey",
        "library",
        "video",
        "stream",
        "play",
        "local_urls",
        "jobs",
        "cancel_job",
        "watched_folders",
        "rules_for",
        "put_watch_folder",
        "remove_watch_folder",
        "preview_watch_folder",
        "insist",
        "reveal_watched",
        "habits",
        "set_habits",
    ];
    let attributes =
        tauri_build::Attributes::new().capabilities_path_pattern("src-tauri/app/capabilities/**/*").app_manifest(
            tauri_build::AppManifest::new()
                .commands(COMMANDS)
                .permissions_path_pattern("src-tauri/app/permissions/**/*.toml"),
        );
    if let Err(error) = tauri_build::try_build(attributes) {
        println!("cargo::error={error:#}");
    }
}
