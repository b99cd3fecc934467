//! What an engineer asks for first: versions, places, the workspace and the end of the log. No secrets.

use std::fmt::Write as _;

use crate::folders::Folders;
use crate::log;
use crate::workspace::Workspace;

/// Lines of the log that are told.
const LINES: usize = 200;

/// The variables that change how AWS is reached; only whether they are set is told, for a proxy may have a password.
const VARIABLES: [&str; 8] = [
    "AWS_PROFILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_ENDPOINT_URL",
    "AWS_CA_BUNDLE",
    "HTTPS_PROXY",
    "NO_PROXY",
];

/// The text to send. It reads files, so it is not for the async threads.
#[must_use]
pub fn diagnostics(folders: &Folders, workspace: Option<&Workspace>) -> String {
    let mut text =
        format!("Reeldesk {} on {} ({})\n", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH);
    let _ = writeln!(text, "data {}", folders.data.display());
    let _ = writeln!(text, "settings {}", folders.config.display());
    let _ = writeln!(text, "ffmpeg {}", if crate::require_ffmpeg().is_ok() { "is there" } else { "is missing" });
    let set: Vec<_> = VARIABLES.into_iter().filter(|name| std::env::var_os(name).is_some()).collect();
    let _ = writeln!(text, "set: {}", if set.is_empty() { "none".to_owned() } else { set.join(", ") });
    if let Some(workspace) = workspace {
        let _ = writeln!(text, "\n[workspace]\n{}", toml::to_string(workspace).unwrap_or_default());
    }
    let log = log::newest(folders).and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<_> = log.lines().collect();
    let _ = writeln!(text, "[log]\n{}", lines[lines.len().saturating_sub(LINES)..].join("\n"));
    log::redact(&text).into_owned()
}
