//! Watch folders inside each other: the inner one's rule holds, and when it goes, its files go to no other workspace.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::rules::{Rules, WatchFolder, is_inside, real, real_all};
use crate::Result;

impl Rules {
    /// The folders inside a watch folder that are not its own: of two rules the inner one holds.
    pub(super) async fn barred(&self, rule: &WatchFolder) -> Result<Vec<PathBuf>> {
        let root = real(&rule.path).await;
        let all = self.all().await?;
        let others = all.iter().filter(|other| other.id != rule.id).map(|other| other.path.as_path());
        let others = real_all(others).await.into_iter();
        let inside: BTreeSet<PathBuf> =
            others.chain(self.own().await).filter(|path| *path != root && is_inside(path, &root)).collect();
        Ok(inside.into_iter().collect())
    }

    /// The rule of another workspace that would take the files of this one when it goes, changed so that it does not.
    pub(super) async fn without_folder_of(&self, id: Uuid) -> Result<Option<WatchFolder>> {
        let all = self.all().await?;
        let Some(gone) = all.iter().find(|rule| rule.id == id) else { return Ok(None) };
        let path = real(&gone.path).await;
        let roots = real_all(all.iter().map(|rule| rule.path.as_path())).await;
        let around = all.iter().zip(&roots).filter(|(_, root)| **root != path && is_inside(&path, root));
        let nearest = around.max_by_key(|(_, root)| root.components().count());
        let Some((heir, root)) = nearest.filter(|(heir, _)| heir.workspace != gone.workspace) else { return Ok(None) };
        let line = path.strip_prefix(root).ok().map(ignore_line);
        let line = line.filter(|line| !heir.exclude.contains(line));
        Ok(line.map(|line| WatchFolder { exclude: [heir.exclude.clone(), vec![line]].concat(), ..heir.clone() }))
    }
}

/// The line of gitignore that means this folder, which is relative to the watch folder.
fn ignore_line(folder: &Path) -> String {
    let mut line = String::new();
    for part in folder.components() {
        line.push('/');
        for letter in part.as_os_str().to_string_lossy().chars() {
            if matches!(letter, '\\' | '*' | '?' | '[' | ']' | ' ') {
                line.push('\\');
            }
            line.push(letter);
        }
    }
    line + "/"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folders::Folders;
    use crate::store::Store;
    use crate::watch::filter::Filter;

    #[tokio::test]
    async fn what_another_workspace_watched_is_not_inherited() {
        let folder = tempfile::tempdir().unwrap();
        let (data, outer) = (folder.path().join("data"), folder.path().join("outer"));
        let inner = outer.join("a [b]");
        std::fs::create_dir_all(inner.join("own")).unwrap();
        std::fs::create_dir(&data).unwrap();
        let store = Store::open(&data.join("reeldesk.sqlite")).unwrap();
        let rules = Rules::new(store, Folders::within(&data));
        let of = |workspace: &str, path: &Path| rules.put(WatchFolder::of(workspace, path));
        of("production", &outer).await.unwrap();
        let theirs = of("theirs", &inner).await.unwrap();
        let own = of("theirs", &inner.join("own")).await.unwrap();
        // Its nearest is of the same workspace.
        rules.remove(own.id).await.unwrap();
        assert!(rules.all().await.unwrap().iter().all(|rule| rule.exclude.is_empty()));
        rules.remove(theirs.id).await.unwrap();
        let left = rules.all().await.unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].exclude, ["/a\\ \\[b\\]/"]);
        let filter = Filter::new(&left[0], Vec::new()).unwrap();
        assert!(!filter.admits_folder("a [b]", &inner) && filter.admits_folder("a b", &outer.join("a b")));
    }
}
