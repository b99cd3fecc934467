//! What the app can be started with: `--data-dir DIR`, `--workspace NAME` and `--hidden`.

use std::path::PathBuf;

use reeldesk_core::{Code, Error, Folders, Result};

/// The argument that the system starts the app with: without a window.
pub(crate) const HIDDEN: &str = "--hidden";

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
    pub fn read(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut arguments = arguments;
        let mut data_dir = std::env::var_os("REELDESK_DATA_DIR").map(PathBuf::from);
        let mut workspace = std::env::var("REELDESK_WORKSPACE").ok();
        let mut hidden = false;
        while let Some(argument) = arguments.next() {
            if argument == HIDDEN {
                hidden = true;
                continue;
            }
            let value = match argument.as_str() {
                "--data-dir" | "--workspace" => arguments.next(),
                _ => None,
            };
            match (argument.as_str(), value) {
                ("--data-dir", Some(value)) => data_dir = Some(value.into()),
                ("--workspace", Some(value)) => workspace = Some(value),
                _ => {
                    return Err(Error::new(
                        Code::Invalid,
                        format!("\"{argument}\" is not an option, or its value is missing."),
                        "The options are --data-dir DIR, --workspace NAME and --hidden.",
                    ));
                }
            }
        }
        let single_instance = data_dir.is_none();
        Ok(Self { folders: Folders::choose(data_dir.as_deref())?, workspace, hidden, single_instance })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read() {
        let read = |text: &str| Options::read(text.split_whitespace().map(str::to_owned));
        let options = read("--hidden --data-dir /x --workspace sandbox").unwrap();
        assert_eq!(options.workspace.as_deref(), Some("sandbox"));
        assert!(!options.single_instance && options.hidden);
        assert_eq!(read("--workspace").err().map(|error| error.code), Some(Code::Invalid));
    }
}
