//! What the app can be started with.

use std::path::PathBuf;

use clap::Parser;
use reeldesk_core::{Folders, Result};

/// The argument that the system starts the app with: without a window.
pub(crate) const HIDDEN: &str = "--hidden";

/// Reeldesk: from a file on your disk to a stream that plays.
#[derive(Parser)]
#[command(name = "reeldesk", version, about)]
pub(crate) struct Arguments {
    /// The folder of Reeldesk's data; a run on a folder of its own stands beside others
    #[arg(long, value_name = "DIR", env = "REELDESK_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// The workspace to open at once; otherwise that of the last run
    #[arg(long, value_name = "NAME", env = "REELDESK_WORKSPACE")]
    workspace: Option<String>,
    /// Start without a window, until someone wants one
    #[arg(long)]
    hidden: bool,
}

/// The options of one run.
pub(crate) struct Options {
    pub folders: Folders,
    /// The workspace to open at once; otherwise the one of the last run, or the welcome screen.
    pub workspace: Option<String>,
    /// Without a window, until someone wants one.
    pub hidden: bool,
    /// A run on a data folder of its own stands beside others.
    pub single_instance: bool,
}

impl Options {
    /// # Errors
    /// When this computer has no place for the data.
    pub fn of(arguments: Arguments) -> Result<Self> {
        let Arguments { data_dir, workspace, hidden } = arguments;
        let single_instance = data_dir.is_none();
        Ok(Self { folders: Folders::choose(data_dir.as_deref())?, workspace, hidden, single_instance })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read() {
        let read = |text: &str| Arguments::try_parse_from(["reeldesk"].into_iter().chain(text.split_whitespace()));
        let options = Options::of(read("--hidden --data-dir /x --workspace sandbox").unwrap()).unwrap();
        assert_eq!(options.workspace.as_deref(), Some("sandbox"));
        assert!(!options.single_instance && options.hidden);
        assert!(read(HIDDEN).unwrap().hidden);
        assert!(read("--workspace").is_err() && read("--nonsense").is_err());
    }
}
