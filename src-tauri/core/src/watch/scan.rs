//! Looking at a folder on the disk: the truth that hints are checked against.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::filter::Filter;
use super::names::Kind;
use super::rules::{self, WatchFolder};
use super::stamp::Stamp;
use super::tracker::{Aside, Tracker};
use crate::Result;
use crate::files::Identity;
use crate::files::regular;
use crate::files::{self, Disk};

/// Larger files are no metadata.
const METADATA: u64 = 1024 * 1024;

/// A folder on its disk.
#[derive(Clone, Debug)]
pub(super) struct Scanner {
    /// As the system names it.
    pub root: PathBuf,
    pub filter: Arc<Filter>,
    pub disk: Disk,
}

impl Scanner {
    /// Of this rule, without the folders inside that are not its own.
    ///
    /// # Errors
    /// When a pattern of the rule is wrong.
    pub async fn of(rule: &WatchFolder, barred: Vec<PathBuf>) -> Result<Self> {
        let root = rules::real(&rule.path).await;
        Ok(Self { filter: Arc::new(Filter::new(rule, barred)?), disk: Disk::of(&root), root })
    }

    /// A path relative to the folder, with `/` between its parts; `None` outside of it, and where it is no text.
    pub fn relative(&self, path: &Path) -> Option<String> {
        let relative = path.strip_prefix(&self.root).ok()?.to_str()?;
        Some(if cfg!(windows) { relative.replace('\\', "/") } else { relative.to_owned() })
    }

    /// What makes a file the one that it was, as far as its disk can tell.
    pub fn identity(&self, identity: Identity) -> Identity {
        if self.disk.keeps_ids { identity } else { Identity { file_id: String::new(), ..identity } }
    }

    /// Looks closely at a file and what goes with it.
    ///
    /// # Errors
    /// When it is not there, is no file, or cannot be read.
    pub fn stamp(&self, relative: &str, sidecars: &[Box<str>]) -> Result<Stamp> {
        let stamp = Stamp::of(&self.root, relative, sidecars)?;
        Ok(Stamp { identity: self.identity(stamp.identity.clone()), ..stamp })
    }

    /// Tells the tracker of all in a folder; answers how many files are news.
    ///
    /// # Errors
    /// When the folder itself cannot be read. One in it that cannot be is left aside.
    pub fn scan(&self, folder: &Path, tracker: &mut Tracker) -> Result<usize> {
        files::can_be_listed(folder)?;
        let aside = Arc::new(Mutex::new(Vec::new()));
        let filter = {
            let (scanner, aside) = (self.clone(), aside.clone());
            move |entry: &ignore::DirEntry| {
                let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
                if is_folder && entry.file_name().to_str().is_some_and(files::is_aside) {
                    aside.lock().unwrap_or_else(PoisonError::into_inner).push(entry.path().to_owned());
                    return false;
                }
                let relative = || scanner.relative(entry.path());
                !is_folder
                    || entry.depth() == 0
                    || relative().is_some_and(|relative| scanner.filter.admits_folder(&relative, entry.path()))
            }
        };
        let walk =
            ignore::WalkBuilder::new(folder).standard_filters(false).follow_links(false).filter_entry(filter).build();
        let mut news = 0;
        for entry in walk {
            match entry {
                Ok(entry) if entry.depth() == 0 => {}
                Ok(entry) => {
                    let Some(kind) = entry.file_type() else { continue };
                    if kind.is_file() {
                        news += usize::from(self.file(entry.path(), tracker));
                    } else if kind.is_symlink() {
                        self.aside(entry.path(), Aside::Link, tracker);
                    }
                }
                Err(error) => self.closed(&error, tracker),
            }
        }
        tracker.put_aside.append(&mut aside.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(news)
    }

    /// Tells the tracker of what is at a path now.
    pub fn look(&self, path: &Path, tracker: &mut Tracker, now: Instant) -> Change {
        let Some(relative) = self.relative(path) else {
            self.aside(path, Aside::Unnamed, tracker);
            return Change::Nothing;
        };
        if !self.filter.admits_folders_of(&self.root, &relative) {
            return Change::Nothing;
        }
        match files::look_at_itself(path) {
            Ok(metadata) if metadata.is_dir() => {
                if relative.is_empty() || self.filter.admits_folder(&relative, path) {
                    return Change::Folder;
                }
            }
            Ok(metadata) if metadata.is_symlink() => self.aside(path, Aside::Link, tracker),
            Ok(_) => {
                if let Some(kind) = self.filter.kind(&relative) {
                    self.file(path, tracker);
                    tracker.touched(&relative, kind, now);
                }
            }
            // Gone only where the folder that it was in says so: a disk that is away says nothing.
            Err(error)
                if error.kind() == std::io::ErrorKind::NotFound
                    && path.parent().is_some_and(|folder| files::can_be_listed(folder).is_ok()) =>
            {
                return Change::Gone(tracker.gone(&relative));
            }
            Err(_) => {}
        }
        Change::Nothing
    }

    /// Answers whether it is news.
    fn file(&self, path: &Path, tracker: &mut Tracker) -> bool {
        let Some(relative) = self.relative(path) else {
            self.aside(path, Aside::Unnamed, tracker);
            return false;
        };
        match self.filter.kind(&relative) {
            Some(Kind::Video) => {
                let Ok(identity) = Identity::of(path) else {
                    tracker.is_there(&relative);
                    return false;
                };
                return tracker.found(&relative, &self.identity(identity), Instant::now());
            }
            Some(Kind::Sidecar) if !tracker.knows_sidecar(&relative) => {
                tracker.found_sidecar(&relative, self.named_video(path, &relative));
            }
            Some(Kind::Temporary) => tracker.found_aside(&relative, Aside::Temporary),
            _ => {}
        }
        false
    }

    fn aside(&self, path: &Path, why: Aside, tracker: &mut Tracker) {
        let relative = path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy();
        if self.filter.kind(&relative) == Some(Kind::Video) {
            tracker.found_aside(&relative, why);
        }
    }

    /// A folder could not be listed, or only in part: what is in it is not gone for that.
    fn closed(&self, error: &ignore::Error, tracker: &mut Tracker) {
        match error {
            ignore::Error::WithDepth { err, .. } => self.closed(err, tracker),
            ignore::Error::WithPath { path, err } => {
                let relative = self.relative(path).unwrap_or_default();
                tracker.unlisted(&relative);
                let is_denied = err.io_error().is_some_and(|err| err.kind() == std::io::ErrorKind::PermissionDenied);
                if is_denied && !relative.is_empty() {
                    tracker.found_aside(&relative, Aside::Closed);
                }
            }
            _ => tracker.unlisted(""),
        }
    }

    /// The video that a metadata file names, which lies beside it.
    fn named_video(&self, path: &Path, relative: &str) -> Option<String> {
        let is_metadata = relative.to_ascii_lowercase().ends_with(".json")
            && regular(path).is_ok_and(|identity| identity.size <= METADATA);
        let text = if is_metadata { files::whole(path).ok()? } else { return None };
        let value: serde_json::Value = serde_json::from_slice(&text).ok()?;
        let name = value.get("srcVideo").or_else(|| value.get("SrcVideo"))?.as_str()?;
        let name = name.rsplit('/').next()?;
        Some(relative.rsplit_once('/').map_or_else(|| name.to_owned(), |(folder, _)| format!("{folder}/{name}")))
    }
}

/// What is at a path, where there is more to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    /// It is to be scanned.
    Folder,
    /// Known files that are gone.
    Gone(Vec<String>),
}
