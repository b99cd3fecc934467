//! Hearing of changes from the system. What is heard is a hint and never the truth: that is what a look at the disk
//! says.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

use crate::{Code, Error};

/// More paths than this are not kept apart: all is looked at anew.
const MANY: usize = 20_000;

/// What was heard since the last time.
#[derive(Debug, Default)]
pub(super) struct Hints {
    pub paths: HashSet<PathBuf>,
    /// Something was missed.
    pub all: bool,
}

impl Hints {
    fn hear(&mut self, event: notify::Result<Event>) {
        match event {
            Ok(event) if event.need_rescan() => self.all = true,
            // Our own reading is heard too.
            Ok(Event { kind: EventKind::Access(kind), .. }) if kind != AccessKind::Close(AccessMode::Write) => {}
            Ok(event) => self.paths.extend(event.paths),
            Err(error) => {
                tracing::warn!(%error, "what was heard of a watch folder is not complete");
                self.all = true;
            }
        }
        if self.paths.len() > MANY {
            (self.paths, self.all) = (HashSet::new(), true);
        }
    }
}

/// Ears on one folder, for as long as it lives.
pub(super) struct FsEvents {
    _watcher: RecommendedWatcher,
    heard: Arc<(Mutex<Hints>, Notify)>,
}

impl FsEvents {
    /// Begins to listen. A folder with many others in it takes a while.
    ///
    /// # Errors
    /// When the system cannot tell of changes there, or of no more folders; what to do is in the error.
    pub fn open(folder: &Path, recursive: bool) -> Result<Self, Error> {
        let heard = Arc::new((Mutex::new(Hints::default()), Notify::new()));
        let handler = {
            let heard = heard.clone();
            move |event: notify::Result<Event>| {
                heard.0.lock().unwrap_or_else(PoisonError::into_inner).hear(event);
                heard.1.notify_one();
            }
        };
        let mode = if recursive { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
        let config = notify::Config::default().with_follow_symlinks(false);
        let watcher = RecommendedWatcher::new(handler, config).and_then(|mut watcher| {
            watcher.watch(folder, mode)?;
            Ok(watcher)
        });
        watcher.map(|watcher| Self { _watcher: watcher, heard }).map_err(|error| explain(folder, &error))
    }

    /// Waits until something is heard.
    pub async fn wait(&self) {
        self.heard.1.notified().await;
    }

    /// Whether something was heard since the last time.
    pub fn has_heard(&self) -> bool {
        let hints = self.heard.0.lock().unwrap_or_else(PoisonError::into_inner);
        hints.all || !hints.paths.is_empty()
    }

    /// What was heard since the last time.
    pub fn take(&self) -> Hints {
        std::mem::take(&mut self.heard.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Why the system does not tell.
fn explain(folder: &Path, error: &notify::Error) -> Error {
    let name = crate::shown(folder);
    // EMFILE (inotify(7)): as many programs of this user listen as may.
    const TOO_MANY: i32 = 24;
    let limit = match &error.kind {
        notify::ErrorKind::MaxFilesWatch => Some("max_user_watches"),
        notify::ErrorKind::Io(error) if error.raw_os_error() == Some(TOO_MANY) => Some("max_user_instances"),
        _ => None,
    };
    if let Some(limit) = limit.filter(|_| cfg!(target_os = "linux")) {
        let most = std::fs::read_to_string(format!("/proc/sys/fs/inotify/{limit}")).unwrap_or_default();
        let most: u64 = most.trim().parse().unwrap_or(128);
        let more = (most * 4).max(if limit == "max_user_watches" { 524_288 } else { 512 });
        return Error::new(
            Code::WatchLimit,
            format!("The system does not report changes in \"{name}\": its limit fs.inotify.{limit} ({most}) is reached."),
            format!(
                "Files are found all the same, a little later. To raise the limit: sudo sysctl fs.inotify.{limit}={more}, and the same line in /etc/sysctl.d/."
            ),
        )
        .with_details(error);
    }
    Error::new(
        Code::WatchLimit,
        format!("The system does not report changes in \"{name}\"."),
        "Files are found all the same, a little later.",
    )
    .with_details(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{CreateKind, Flag};

    #[test]
    fn a_lost_event_and_too_many_mean_all() {
        let mut hints = Hints::default();
        hints.hear(Ok(Event::new(EventKind::Access(AccessKind::Read))));
        hints.hear(Ok(Event::new(EventKind::Create(CreateKind::File)).add_path("/a".into())));
        assert!(hints.paths.len() == 1 && !hints.all);
        hints.hear(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)));
        assert!(hints.all);
        let mut hints = Hints::default();
        for number in 0..=MANY {
            hints.hear(Ok(Event::new(EventKind::Create(CreateKind::File)).add_path(format!("/{number}").into())));
        }
        assert!(hints.all && hints.paths.is_empty());
    }

    #[test]
    fn the_limits_are_named() {
        let full = notify::Error::new(notify::ErrorKind::MaxFilesWatch);
        let error = explain(Path::new("/exports"), &full);
        assert!(error.message.contains("fs.inotify.max_user_watches"), "{error}");
        assert!(error.remedy.contains("sudo sysctl fs.inotify.max_user_watches="), "{error}");
        let full = notify::Error::io(std::io::Error::from_raw_os_error(24));
        assert!(explain(Path::new("/exports"), &full).message.contains("max_user_instances"));
    }
}
