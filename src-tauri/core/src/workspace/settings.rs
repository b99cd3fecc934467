//! The settings: one readable TOML file in the platform's folder for them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{SANDBOX, Workspace};
use crate::folders::{Folders, make_private, open_private};
use crate::{Code, Error, Result};

/// The version of the file that this Reeldesk writes; older ones are read too.
const VERSION: u32 = 1;

/// The settings file; it need not exist.
#[derive(Clone, Debug)]
pub struct Settings {
    folder: PathBuf,
}

/// What is in it.
#[derive(Default, Serialize, Deserialize)]
struct Content {
    version: u32,
    /// The workspace that was open last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<String>,
    #[serde(default)]
    habits: Habits,
    #[serde(default)]
    library: LibraryLayout,
    #[serde(default)]
    view: Vec<SavedView>,
    #[serde(default)]
    workspace: Vec<Workspace>,
}

/// What someone looks for in the Library again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SavedView {
    /// What it is called.
    pub name: String,
    /// Where it leads: what stands behind the `#` of the window's address.
    pub address: String,
}

/// How the Library shows its videos.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct LibraryLayout {
    /// As posters, not as a list.
    pub posters: bool,
    /// The columns of the list, by their names; none for those that are there at first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub columns: Option<Vec<String>>,
}

/// What the app does by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Habits {
    /// It goes on without its window, with an icon in the system's tray.
    pub stays_in_tray: bool,
}

impl Settings {
    /// Those of these folders.
    #[must_use]
    pub fn of(folders: &Folders) -> Self {
        Self { folder: folders.config.clone() }
    }

    /// Where they are.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join("settings.toml")
    }

    /// All workspaces but the sandbox.
    ///
    /// # Errors
    /// When the file cannot be read. One that is broken is kept aside and named in the error; after that there are none.
    pub fn workspaces(&self) -> Result<Vec<Workspace>> {
        Ok(self.read()?.workspace)
    }

    /// The names of all workspaces but the sandbox, for who looks again and again: a file that is broken, or half written by
    /// an editor, stays where it is.
    ///
    /// # Errors
    /// When the file cannot be read or understood.
    pub fn names(&self) -> Result<Vec<String>> {
        let path = self.path();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.unusable("read", &error)),
        };
        let content: Content =
            toml::from_str(&text).map_err(|error| self.unusable("understood", &std::io::Error::other(error)))?;
        Ok(content.workspace.into_iter().map(|workspace| workspace.name).collect())
    }

    /// One by name.
    ///
    /// # Errors
    /// [`Code::NotFound`] with the names that there are.
    pub fn get(&self, name: &str) -> Result<Workspace> {
        let all = self.workspaces()?;
        all.iter().find(|workspace| workspace.name == name).cloned().ok_or_else(|| {
            let mut names: Vec<_> = all.iter().map(|workspace| workspace.name.as_str()).collect();
            names.push(SANDBOX);
            Error::new(
                Code::NotFound,
                format!("There is no workspace \"{name}\"."),
                format!("Use one of these: {}.", names.join(", ")),
            )
        })
    }

    /// Adds a workspace, or puts it in the place of the one of the same name.
    ///
    /// # Errors
    /// When the workspace is not usable, or the file cannot be written.
    pub fn put(&self, workspace: Workspace) -> Result<()> {
        workspace.check()?;
        self.change(|content| match content.workspace.iter_mut().find(|other| other.name == workspace.name) {
            Some(other) => *other = workspace,
            None => content.workspace.push(workspace),
        })
    }

    /// Adds a workspace, unless there is one of its name.
    ///
    /// # Errors
    /// [`Code::Exists`], when the workspace is not usable, or the file cannot be written.
    pub fn put_new(&self, workspace: Workspace) -> Result<()> {
        if self.workspaces()?.iter().any(|other| other.name == workspace.name) {
            return Err(Error::new(
                Code::Exists,
                format!("There is a workspace \"{}\" already.", workspace.name),
                "Choose another name, or remove that one first.",
            ));
        }
        self.put(workspace)
    }

    /// Takes a workspace away; what it sent stays in its account.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn remove(&self, name: &str) -> Result<()> {
        self.change(|content| content.workspace.retain(|workspace| workspace.name != name))
    }

    /// The workspace that was open last.
    ///
    /// # Errors
    /// As [`Settings::workspaces`].
    pub fn last_open(&self) -> Result<Option<String>> {
        Ok(self.read()?.open)
    }

    /// What the app does by itself.
    ///
    /// # Errors
    /// As [`Settings::workspaces`].
    pub fn habits(&self) -> Result<Habits> {
        Ok(self.read()?.habits)
    }

    /// Changes it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_habits(&self, habits: Habits) -> Result<()> {
        self.change(|content| content.habits = habits)
    }

    /// How the Library shows its videos.
    ///
    /// # Errors
    /// As [`Settings::workspaces`].
    pub fn library(&self) -> Result<LibraryLayout> {
        Ok(self.read()?.library)
    }

    /// Changes it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_library(&self, library: LibraryLayout) -> Result<()> {
        self.change(|content| content.library = library)
    }

    /// The views that were saved.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn views(&self) -> Result<Vec<SavedView>> {
        Ok(self.read()?.view)
    }

    /// Saves a view, in place of one of its name; without an address that one goes.
    ///
    /// # Errors
    /// [`Code::Invalid`] when it has no name; when the file cannot be written.
    pub fn save_view(&self, name: &str, address: Option<String>) -> Result<Vec<SavedView>> {
        let name = name.trim().to_owned();
        if name.is_empty() {
            return Err(Error::new(Code::Invalid, "The view has no name.", "Give it one."));
        }
        self.change(|content| {
            content.view.retain(|view| view.name != name);
            content.view.extend(address.map(|address| SavedView { name, address }));
        })?;
        self.views()
    }

    /// Remembers it for the next start.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_last_open(&self, name: &str) -> Result<()> {
        if self.read()?.open.as_deref() == Some(name) {
            return Ok(());
        }
        self.change(|content| content.open = Some(name.to_owned()))
    }

    fn read(&self) -> Result<Content> {
        let path = self.path();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Content::default()),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => return Err(self.keep_aside(&error)),
            Err(error) => return Err(self.unusable("read", &error)),
        };
        // The version first: the rest may be of a shape that is not known here.
        let version = toml::from_str::<toml::Table>(&text).ok().and_then(|table| table.get("version")?.as_integer());
        if version.is_some_and(|version| version > i64::from(VERSION)) {
            return Err(Error::new(
                Code::Invalid,
                format!("The settings, {}, were written by a newer Reeldesk.", path.display()),
                "Install the newer version again. The file is left as it is.",
            ));
        }
        toml::from_str(&text).map_err(|error| self.keep_aside(&error))
    }

    /// Moves a file that cannot be understood out of the way, so that nothing writes over it.
    fn keep_aside(&self, error: &dyn std::fmt::Display) -> Error {
        let path = self.path();
        let now = jiff::Timestamp::now().as_second();
        let aside = self.folder.join(format!("settings.broken-{now}.toml"));
        if let Err(error) = std::fs::rename(&path, &aside) {
            return self.unusable("moved aside, and is broken", &error);
        }
        // `TOML parse error at line 3, column 5`, and at its end the reason.
        let reason = error.to_string();
        let line = reason.lines().find_map(|line| line.strip_prefix("TOML parse error at ")).unwrap_or_default();
        let why = reason.lines().last().unwrap_or_default();
        let at = if line.is_empty() { String::new() } else { format!(" at {line} ({why})") };
        Error::new(
            Code::Invalid,
            format!("The settings, {}, are broken{at}; they were kept as {}.", path.display(), aside.display()),
            "Correct that file and move it back, or connect your workspaces again.",
        )
        .with_details(error)
    }

    /// Reads, changes and writes, with no other process in between; the file is written whole or not at all.
    fn change(&self, change: impl FnOnce(&mut Content)) -> Result<()> {
        make_private(&self.folder).map_err(|error| self.unusable("written", &error))?;
        let lock = open_private(&self.folder.join("settings.lock"))
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|error| self.unusable("written", &error))?;
        let mut content = self.read()?;
        change(&mut content);
        content.version = VERSION;
        let text = toml::to_string_pretty(&content).map_err(Error::internal)?;
        let written = write(&self.folder, &self.path(), &text);
        drop(lock);
        written.map_err(|error| self.unusable("written", &error))
    }

    fn unusable(&self, done: &str, error: &std::io::Error) -> Error {
        let code = match error.kind() {
            std::io::ErrorKind::StorageFull => Code::StorageFull,
            _ => Code::FileUnreadable,
        };
        Error::new(
            code,
            format!("The settings, {}, cannot be {done}.", self.path().display()),
            "Free some space or correct the folder's permissions, then try again.",
        )
        .with_details(error)
    }
}

fn write(folder: &Path, path: &Path, text: &str) -> std::io::Result<()> {
    let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
    fresh.write_all(text.as_bytes())?;
    fresh.as_file().sync_all()?;
    fresh.persist(path).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::super::tests::workspace;
    use super::*;

    fn settings() -> (tempfile::TempDir, Settings) {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::of(&Folders::within(folder.path()));
        (folder, settings)
    }

    #[test]
    fn written_and_read_again() {
        let (_folder, settings) = settings();
        settings.put(workspace("production")).unwrap();
        settings.put(workspace("staging")).unwrap();
        settings.put(workspace("production")).unwrap();
        settings.set_last_open("staging").unwrap();
        assert_eq!(settings.workspaces().unwrap(), [workspace("production"), workspace("staging")]);
        assert_eq!(settings.last_open().unwrap().as_deref(), Some("staging"));
        assert_eq!(settings.get("nope").unwrap_err().remedy, "Use one of these: production, staging, sandbox.");
        let library = LibraryLayout { posters: true, columns: Some(vec!["tags".into()]) };
        settings.set_library(library.clone()).unwrap();
        assert_eq!(settings.library().unwrap(), library);
        settings.remove("production").unwrap();
        assert_eq!(settings.workspaces().unwrap(), [workspace("staging")]);
    }

    #[test]
    fn each_source_of_credentials_is_written_and_read() {
        use crate::connection::credentials::{CredentialsSource, PoolUser};
        let (_folder, settings) = settings();
        let text = |text: &str| text.to_owned();
        let user = PoolUser { user: text("ada"), pool: text("p"), client: text("c"), identity_pool: text("i") };
        for source in [
            CredentialsSource::Environment,
            CredentialsSource::Profile { name: text("media") },
            CredentialsSource::AccessKey { entry: uuid::Uuid::new_v4() },
            CredentialsSource::PoolUser { user, entry: uuid::Uuid::new_v4() },
        ] {
            let mut written = workspace("production");
            written.connection.credentials = source;
            settings.put(written.clone()).unwrap();
            assert_eq!(settings.get("production").unwrap(), written);
        }
    }

    #[test]
    fn a_broken_file_is_kept_aside_and_named() {
        let (folder, settings) = settings();
        let broken = [&b"version = "[..], b"\xff\xfe", b"version = 1\n[[workspace]]\nname = 3\n"];
        for text in broken {
            std::fs::write(settings.path(), text).unwrap();
            let error = settings.put(workspace("production")).unwrap_err();
            let aside = std::fs::read_dir(folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .find(|path| path.to_string_lossy().contains("broken"))
                .unwrap();
            assert!(error.message.contains(&*aside.to_string_lossy()), "{error:?}");
            assert_eq!(std::fs::read(&aside).unwrap(), text);
            assert!(settings.workspaces().unwrap().is_empty());
            std::fs::remove_file(aside).unwrap();
        }
    }

    #[test]
    fn a_file_of_a_newer_version_is_left_alone() {
        let (_folder, settings) = settings();
        let newer = "version = 99\nworkspace = \"what is this\"\n";
        std::fs::write(settings.path(), newer).unwrap();
        assert!(settings.put(workspace("production")).unwrap_err().message.contains("newer"));
        assert_eq!(std::fs::read_to_string(settings.path()).unwrap(), newer);
    }

    #[test]
    fn many_at_once_lose_nothing() {
        let (_folder, settings) = settings();
        std::thread::scope(|scope| {
            for number in 0..16 {
                let settings = &settings;
                scope.spawn(move || settings.put(workspace(&format!("w{number}"))).unwrap());
            }
        });
        assert_eq!(settings.workspaces().unwrap().len(), 16);
    }
}
