//! The rules: which folders are watched, and how. They are kept in the store, so that a command changes what a window
//! or a server does.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rusqlite::params;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use super::ledger::{self, Entry, Ledger};
use super::pattern::Pattern;
use super::scan::Scanner;
use super::tracker::Tracker;
use crate::files::{self, Root, regular};
use crate::folders::Folders;
use crate::store::Store;
use crate::{Code, Error, Result};

/// The folder inside a watch folder that taken files are moved to.
pub const DONE: &str = "done";

/// A watch folder: a local folder whose settled files are ingested by this rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WatchFolder {
    /// Its own id.
    #[ts(type = "string")]
    pub id: Uuid,
    /// The workspace that its videos go to.
    pub workspace: String,
    /// The folder.
    #[ts(type = "string")]
    pub path: PathBuf,
    /// Whether folders in it are watched too.
    pub recursive: bool,
    /// Which files, as lines of gitignore; none means all videos.
    pub include: Vec<String>,
    /// Which ones not, as lines of gitignore.
    pub exclude: Vec<String>,
    /// Seconds that a file must be still before it is taken: 1 to 3600.
    pub settle_seconds: u32,
    /// What titles and tags are read from, such as `{series}/{title}.mp4`; none takes the file's name as title.
    pub naming: Option<String>,
    /// The MediaConvert job template, where the pipeline starts on metadata files; none leaves it to the pipeline.
    pub template: Option<String>,
    /// What becomes of files that were there before.
    pub existing: Existing,
    /// What becomes of a file once its video can be watched.
    pub afterwards: Afterwards,
    /// What becomes of a file that changed after it was sent.
    pub changed: Changed,
    /// Whether it rests.
    pub paused: bool,
}

/// What becomes of files that were there before their folder was watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Existing {
    /// They are taken too.
    Take,
    /// They are left out, until they change.
    LeaveOut,
}

/// What becomes of a file once its object was verified and its video can be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Afterwards {
    /// It stays.
    Leave,
    /// It is moved to [`DONE`].
    Move,
    /// It is deleted.
    Delete,
}

/// What becomes of a file whose content changed after it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Changed {
    /// It is offered as a new version.
    Ask,
    /// It is sent as a video of its own.
    Send,
    /// It is left alone.
    Leave,
}

impl WatchFolder {
    /// The rule of a folder as most want it: everything in it, from now on, left where it is.
    #[must_use]
    pub fn of(workspace: &str, path: &Path) -> Self {
        Self {
            id: Uuid::new_v4(),
            workspace: workspace.to_owned(),
            path: path.to_owned(),
            recursive: true,
            include: Vec::new(),
            exclude: Vec::new(),
            settle_seconds: 5,
            naming: None,
            template: None,
            existing: Existing::LeaveOut,
            afterwards: Afterwards::Leave,
            changed: Changed::Ask,
            paused: false,
        }
    }

    /// The same for those of these paths that are folders.
    pub async fn of_folders(workspace: &str, paths: &[PathBuf]) -> Vec<Self> {
        let is_folder = |path: &Path| Ok(path.is_dir());
        let mut rules = Vec::new();
        for path in paths {
            if files::ask(path, is_folder).await.unwrap_or(false) {
                rules.push(Self::of(workspace, path));
            }
        }
        rules
    }

    /// What it is called on the screen: the folder's own name.
    #[must_use]
    pub fn name(&self) -> String {
        crate::shown(&self.path)
    }

    /// Without what stands for nothing: empty lines, spaces around.
    #[must_use]
    pub fn tidied(mut self) -> Self {
        for lines in [&mut self.include, &mut self.exclude] {
            *lines = lines.iter().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
        }
        for text in [&mut self.naming, &mut self.template] {
            *text = text.take().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        }
        self.path = std::path::absolute(&self.path).unwrap_or(self.path);
        self
    }

    /// Checks what can be checked without the folder.
    ///
    /// # Errors
    /// [`Code::Invalid`] with the field that is wrong.
    pub fn check(&self) -> Result<()> {
        if !(1..=3600).contains(&self.settle_seconds) {
            return Err(Error::new(
                Code::Invalid,
                format!("A file cannot settle for {} s.", self.settle_seconds),
                "Choose a time from 1 to 3600 s.",
            ));
        }
        lines(&self.include)?;
        lines(&self.exclude)?;
        self.naming.as_deref().map(Pattern::parse).transpose()?;
        Ok(())
    }

    /// What its titles and tags are read from.
    pub(super) fn pattern(&self) -> Option<Pattern> {
        self.naming.as_deref().and_then(|text| Pattern::parse(text).ok())
    }
}

/// Lines of gitignore as one matcher.
///
/// # Errors
/// [`Code::Invalid`] with the line that is wrong.
pub(super) fn lines(lines: &[String]) -> Result<Gitignore> {
    let mut builder = GitignoreBuilder::new("");
    // As on most disks of editors.
    builder.case_insensitive(true).map_err(Error::internal)?;
    for line in lines {
        builder.add_line(None, line).map_err(|error| {
            Error::new(
                Code::Invalid,
                format!("The pattern \"{line}\" cannot be used."),
                "Write it as in a .gitignore file, such as *.mov or /drafts/.",
            )
            .with_details(error)
        })?;
    }
    builder.build().map_err(Error::internal)
}

/// A path as the system names it, where it can and its disk answers.
pub(super) async fn real(path: &Path) -> PathBuf {
    let ask = |path: &Path| {
        // Windows' canonical paths begin with `\\?\`, which many programs refuse.
        let canonical = if cfg!(windows) { std::path::absolute(path) } else { path.canonicalize() };
        Ok(canonical.unwrap_or_else(|_| path.to_owned()))
    };
    files::ask(path, ask).await.unwrap_or_else(|_| path.to_owned())
}

/// The same of many, in their order.
pub(super) async fn real_all(paths: impl Iterator<Item = &Path>) -> Vec<PathBuf> {
    futures::future::join_all(paths.map(real)).await
}

/// Whether nothing but plain names lies between two paths.
pub(super) fn is_inside(inner: &Path, outer: &Path) -> bool {
    inner.strip_prefix(outer).is_ok_and(|rest| rest.components().all(|part| matches!(part, Component::Normal(_))))
}

/// All rules of a store.
#[derive(Clone)]
pub struct Rules {
    store: Store,
    folders: Folders,
}

impl Rules {
    pub(crate) fn new(store: Store, folders: Folders) -> Self {
        Self { store, folders }
    }

    /// The rules of all workspaces, by their folders.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn all(&self) -> Result<Vec<WatchFolder>> {
        let bodies: Vec<String> = self
            .store
            .call(|db| {
                let rows = db
                    .prepare("SELECT body FROM watch_folders")?
                    .query_map([], |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()?;
                Ok(rows)
            })
            .await?;
        let mut all: Vec<WatchFolder> = bodies
            .iter()
            .filter_map(|body| {
                let read = serde_json::from_str(body);
                read.inspect_err(|error| tracing::error!(%error, "a watch folder in the store cannot be read")).ok()
            })
            .collect();
        all.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(all)
    }

    /// One by its id, or by its path.
    ///
    /// # Errors
    /// [`Code::NotFound`] with the folders that there are.
    pub async fn find(&self, which: &str) -> Result<WatchFolder> {
        let all = self.all().await?;
        let path = real(Path::new(which)).await;
        let paths = real_all(all.iter().map(|rule| rule.path.as_path())).await;
        let mut known = all.iter().zip(paths);
        let found = known.find(|(rule, real)| rule.id.to_string() == which || *real == path).map(|(rule, _)| rule);
        found.cloned().ok_or_else(|| {
            let paths: Vec<_> = all.iter().map(|rule| rule.path.display().to_string()).collect();
            let remedy = if paths.is_empty() {
                "Watch it first.".to_owned()
            } else {
                format!("Use one of these: {}.", paths.join(", "))
            };
            Error::new(Code::NotFound, format!("The folder \"{which}\" is not watched."), remedy)
        })
    }

    /// Adds a rule, or puts it in the place of the one with its id.
    ///
    /// # Errors
    /// When the folder cannot be read, is watched already, or is Reeldesk's own, or a field is wrong.
    pub async fn put(&self, rule: WatchFolder) -> Result<WatchFolder> {
        let rule = rule.tidied();
        rule.check()?;
        let path = real(&rule.path).await;
        let old = self.all().await?.into_iter().find(|other| other.id == rule.id);
        let (is_new, is_elsewhere) = (old.is_none(), old.is_none_or(|old| old.path != rule.path));
        // A rule whose disk is away can still be changed.
        if is_new {
            let list = |path: &Path| match files::look(path) {
                Ok(there) if there.is_file() => Err(Error::new(
                    Code::Invalid,
                    format!("\"{}\" is a file.", crate::shown(path)),
                    "Choose the folder that it lies in.",
                )),
                _ => files::can_be_listed(path),
            };
            files::ask(&path, list).await?;
        }
        if let Some(own) = self.own().await.into_iter().find(|own| path == *own || is_inside(&path, own)) {
            return Err(Error::new(
                Code::Invalid,
                format!("\"{}\" is where Reeldesk keeps its own data.", own.display()),
                "Choose a folder of yours.",
            ));
        }
        for other in self.all().await? {
            if other.id != rule.id && real(&other.path).await == path {
                return Err(Error::new(
                    Code::Exists,
                    format!("\"{}\" is watched already, for the workspace \"{}\".", rule.name(), other.workspace),
                    "Change that watch folder, or remove it first.",
                ));
            }
        }
        // What comes while this is looked at is new.
        let before =
            if is_new && rule.existing == Existing::LeaveOut { self.present(&rule).await? } else { Vec::new() };
        // The same path may lead to another disk tomorrow.
        let root = if is_elsewhere { files::ask(&path, Root::of).await.ok() } else { None };
        let body = serde_json::to_string(&rule).map_err(Error::internal)?;
        let (id, existing) = (rule.id, rule.existing);
        self.store
            .call_durably(move |db| {
                let transaction = db.transaction()?;
                transaction.execute(
                    "INSERT INTO watch_folders (id, body) VALUES (?1, ?2)
                     ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                    params![id.to_string(), body],
                )?;
                if is_elsewhere {
                    let volume = root.map(|root| root.volume);
                    let set = "UPDATE watch_folders SET volume = ?2 WHERE id = ?1";
                    transaction.execute(set, params![id.to_string(), volume])?;
                }
                ledger::enter(&transaction, id, &before)?;
                if existing == Existing::Take {
                    ledger::forget_before(&transaction, id)?;
                }
                Ok(transaction.commit()?)
            })
            .await?;
        Ok(rule)
    }

    /// Takes the disk that is there now for the one that a rule means.
    ///
    /// # Errors
    /// When it cannot be read, or the store cannot be written.
    pub async fn accept(&self, rule: &WatchFolder) -> Result<()> {
        let root = files::ask(&rule.path, Root::of).await?;
        Ledger::new(self.store.clone(), rule.id).set_volume(root.volume).await
    }

    /// The videos in a folder at this moment.
    async fn present(&self, rule: &WatchFolder) -> Result<Vec<Entry>> {
        let scanner = Scanner::of(rule, self.barred(rule).await?).await?;
        let look = move || {
            let mut tracker = Tracker::new(Duration::ZERO, HashMap::new());
            scanner.scan(&scanner.root, &mut tracker)?;
            let found = tracker.take_waiting().into_iter().filter_map(|path| {
                let identity = regular(&scanner.root.join(&*path)).ok()?;
                Some(Entry::before(path.into(), scanner.identity(identity)))
            });
            Ok(found.collect())
        };
        tokio::task::spawn_blocking(look).await.map_err(Error::internal)?
    }

    /// Forgets a rule and what it took; files and videos stay. Where the folder lies in a watch folder of another workspace,
    /// that one leaves it out from now on, by a line of its rule: nobody's files go to another account by themselves.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn remove(&self, id: Uuid) -> Result<()> {
        let heir = match self.without_folder_of(id).await? {
            Some(rule) => Some((rule.id, serde_json::to_string(&rule).map_err(Error::internal)?)),
            None => None,
        };
        self.store
            .call_durably(move |db| {
                let transaction = db.transaction()?;
                transaction.execute("DELETE FROM watch_folders WHERE id = ?1", [id.to_string()])?;
                if let Some((heir, body)) = heir {
                    let change = "UPDATE watch_folders SET body = ?2 WHERE id = ?1";
                    transaction.execute(change, params![heir.to_string(), body])?;
                }
                Ok(transaction.commit()?)
            })
            .await
    }

    /// Forgets the rules of a workspace that is removed.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn remove_of(&self, workspace: &str) -> Result<()> {
        for rule in self.all().await?.into_iter().filter(|rule| rule.workspace == workspace) {
            self.remove(rule.id).await?;
        }
        Ok(())
    }

    /// Where Reeldesk keeps its own things: nothing there is ever taken.
    pub(super) async fn own(&self) -> Vec<PathBuf> {
        let Folders { data, config, logs } = &self.folders;
        real_all([data, config, logs].into_iter().map(PathBuf::as_path)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> (tempfile::TempDir, Rules) {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let store = Store::open(&data.join("reeldesk.sqlite")).unwrap();
        (folder, Rules::new(store, Folders::within(&data)))
    }

    #[tokio::test]
    async fn kept_changed_and_removed() {
        let (folder, rules) = rules();
        let path = folder.path().join("exports");
        std::fs::create_dir(&path).unwrap();
        let rule = rules.put(WatchFolder::of("sandbox", &path)).await.unwrap();
        assert_eq!(rules.all().await.unwrap(), std::slice::from_ref(&rule));
        let twice = rules.put(WatchFolder::of("production", &path.join("../exports"))).await.unwrap_err();
        assert!(twice.code == Code::Exists && twice.message.contains("sandbox"), "{twice}");
        // Its disk is away, and it is paused all the same.
        std::fs::remove_dir(&path).unwrap();
        rules.put(WatchFolder { paused: true, exclude: vec!["  ".into(), " x ".into()], ..rule }).await.unwrap();
        let changed = rules.find(path.to_str().unwrap()).await.unwrap();
        assert!(changed.paused && changed.exclude == ["x"]);
        assert_eq!(rules.find("nope").await.unwrap_err().code, Code::NotFound);
        rules.remove(changed.id).await.unwrap();
        assert!(rules.all().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_cannot_be_watched_is_named() {
        let (folder, rules) = rules();
        let file = folder.path().join("file");
        std::fs::write(&file, "x").unwrap();
        let inner = folder.path().join("data/sandbox");
        std::fs::create_dir(&inner).unwrap();
        let ok = WatchFolder::of("sandbox", folder.path());
        for (rule, words) in [
            (WatchFolder::of("sandbox", &file), "is a file"),
            (WatchFolder::of("sandbox", &folder.path().join("none")), "is not there"),
            (WatchFolder::of("sandbox", &inner), "its own data"),
            (WatchFolder::of("sandbox", &folder.path().join("data")), "its own data"),
            (WatchFolder { settle_seconds: 0, ..ok.clone() }, "0 s"),
            (WatchFolder { include: vec!["a{".into()], ..ok.clone() }, "a{"),
            (WatchFolder { naming: Some("{x".into()), ..ok.clone() }, "{x"),
        ] {
            let error = rules.put(rule).await.unwrap_err();
            assert!(error.message.contains(words) && !error.remedy.is_empty(), "{words}: {error}");
        }
        rules.put(ok).await.unwrap();
    }
}
