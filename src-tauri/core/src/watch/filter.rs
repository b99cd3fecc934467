//! What of a folder is looked at: its files and folders, without those that a rule excludes and those that are not its
//! own.

use std::path::{Path, PathBuf};

use ignore::gitignore::Gitignore;

use super::names::Kind;
use super::rules::{self, Afterwards, DONE, WatchFolder};
use crate::Result;

#[derive(Clone, Debug)]
pub(super) struct Filter {
    include: Option<Gitignore>,
    exclude: Gitignore,
    recursive: bool,
    moves: bool,
    /// Folders inside that are not its own: other watch folders, and Reeldesk's data.
    barred: Vec<PathBuf>,
}

impl Filter {
    pub fn new(rule: &WatchFolder, barred: Vec<PathBuf>) -> Result<Self> {
        let include = (!rule.include.is_empty()).then(|| rules::lines(&rule.include)).transpose()?;
        Ok(Self {
            include,
            exclude: rules::lines(&rule.exclude)?,
            recursive: rule.recursive,
            moves: rule.afterwards == Afterwards::Move,
            barred,
        })
    }

    /// Whether to look into a folder; `relative` with `/` between its parts, `path` as the system names it.
    pub fn admits_folder(&self, relative: &str, path: &Path) -> bool {
        let name = relative.rsplit('/').next().unwrap_or_default();
        let is_done = self.moves && relative == DONE;
        let is_barred = is_done || self.barred.iter().any(|barred| barred == path);
        let is_excluded = || self.exclude.matched_path_or_any_parents(relative, true).is_ignore();
        self.recursive && !name.starts_with('.') && !is_barred && !is_excluded()
    }

    /// What a file is, if the rule is about it.
    pub fn kind(&self, relative: &str) -> Option<Kind> {
        let kind = Kind::of(relative.rsplit('/').next().unwrap_or_default());
        if kind == Kind::Other || self.exclude.matched_path_or_any_parents(relative, false).is_ignore() {
            return None;
        }
        let is_included = kind == Kind::Sidecar
            || self.include.as_ref().is_none_or(|include| {
                // What is still called otherwise counts by the name that it will have.
                let name = if kind == Kind::Temporary {
                    relative.rsplit_once('.').map_or(relative, |(stem, _)| stem)
                } else {
                    relative
                };
                include.matched_path_or_any_parents(name, false).is_ignore()
            });
        is_included.then_some(kind)
    }

    /// Whether all folders above a path are looked into.
    pub fn admits_folders_of(&self, root: &Path, relative: &str) -> bool {
        let mut at = 0;
        while let Some(next) = relative[at..].find('/') {
            let folder = &relative[..at + next];
            if !self.admits_folder(folder, &root.join(folder)) {
                return false;
            }
            at += next + 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(change: impl FnOnce(&mut WatchFolder)) -> Filter {
        let mut rule = WatchFolder::of("sandbox", Path::new("/exports"));
        change(&mut rule);
        Filter::new(&rule, vec![PathBuf::from("/exports/inner")]).unwrap()
    }

    #[test]
    fn files_are_sifted() {
        let all = filter(|_| {});
        assert_eq!(all.kind("a/b.MP4"), Some(Kind::Video));
        assert_eq!(all.kind("a/b.txt"), None);
        let some = filter(|rule| {
            rule.include = vec!["*.mov".into(), "/final/".into()];
            rule.exclude = vec!["*_draft.*".into(), "proxies/".into()];
        });
        assert_eq!(some.kind("a/b.MOV"), Some(Kind::Video));
        assert_eq!(some.kind("a/b.mp4"), None);
        assert_eq!(some.kind("final/b.mp4"), Some(Kind::Video));
        assert_eq!(some.kind("a/final/b.mp4"), None);
        assert_eq!(some.kind("final/b_draft.mp4"), None);
        assert_eq!(some.kind("a/proxies/b.mov"), None);
        assert_eq!(some.kind("a/b.mov.part"), Some(Kind::Temporary));
        assert_eq!(some.kind("a/b.srt"), Some(Kind::Sidecar));
    }

    #[test]
    fn folders_are_sifted() {
        let root = Path::new("/exports");
        let admits = |filter: &Filter, relative: &str| filter.admits_folders_of(root, &format!("{relative}/x.mp4"));
        let all = filter(|_| {});
        assert!(admits(&all, "a/b") && admits(&all, "done"));
        assert!(!admits(&all, "a/.cache/b") && !admits(&all, "inner") && admits(&all, "a/inner"));
        let moving = filter(|rule| rule.afterwards = Afterwards::Move);
        assert!(!admits(&moving, "done/2026") && admits(&moving, "a/done"));
        let flat = filter(|rule| rule.recursive = false);
        assert!(!admits(&flat, "a") && flat.admits_folders_of(root, "x.mp4"));
    }
}
