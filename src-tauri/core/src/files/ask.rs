//! Asking a disk with a limit of time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Code, Error, Result};

/// How long a disk may take; one that was asleep needs some ten seconds.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// Questions about one folder at the same time. A question without an answer keeps its thread: this bounds how many a
/// disk that hangs can take.
const AT_ONCE: usize = 4;

/// The questions about one folder.
struct Asked {
    places: Arc<Semaphore>,
    /// How many were answered: while others are, waiting for a place is no sign of a disk that hangs.
    answered: AtomicU64,
}

impl Asked {
    /// Waits for a place for as long as questions are answered; none where the disk hangs.
    async fn place(&self, limit: Duration) -> Option<OwnedSemaphorePermit> {
        loop {
            let before = self.answered.load(Ordering::Relaxed);
            match tokio::time::timeout(limit, self.places.clone().acquire_owned()).await {
                Ok(place) => return place.ok(),
                Err(_) if self.answered.load(Ordering::Relaxed) == before => return None,
                Err(_) => {}
            }
        }
    }
}

/// Each folder that is asked about.
static FOLDERS: LazyLock<Mutex<HashMap<PathBuf, Arc<Asked>>>> = LazyLock::new(Mutex::default);

fn asked_of(folder: &Path) -> Arc<Asked> {
    let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    // Those that nobody asks about now are not kept.
    folders.retain(|_, asked| Arc::strong_count(asked) > 1);
    let new = || Arc::new(Asked { places: Arc::new(Semaphore::new(AT_ONCE)), answered: AtomicU64::new(0) });
    folders.entry(folder.to_owned()).or_insert_with(new).clone()
}

/// Asks a disk something about a path, on a thread that may wait, for a limited time.
///
/// # Errors
/// What `question` answers, and [`Code::FileMissing`] where the disk does not answer in time.
pub(crate) async fn ask<T, F>(path: &Path, question: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(&Path) -> Result<T> + Send + 'static,
{
    ask_within(ANSWERS_WITHIN, path, question).await
}

/// The same for a question that takes longer.
pub(crate) async fn ask_within<T, F>(limit: Duration, path: &Path, question: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(&Path) -> Result<T> + Send + 'static,
{
    let asked = asked_of(path.parent().unwrap_or(path));
    let silent = || {
        Error::new(
            Code::FileMissing,
            format!("The disk with \"{}\" does not answer.", crate::shown(path)),
            "Check the disk, or the connection to the server that it is on, then retry.",
        )
    };
    let place = asked.place(limit).await.ok_or_else(silent)?;
    let path = path.to_owned();
    let answer = tokio::task::spawn_blocking(move || {
        // Given back by the thread, also where nobody waits for it any more; the map keeps what is held.
        let (_place, asked) = (place, asked);
        let answer = question(&path);
        asked.answered.fetch_add(1, Ordering::Relaxed);
        answer
    });
    tokio::time::timeout(limit, answer).await.map_err(|_| silent())?.map_err(Error::internal)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_disk_that_hangs_holds_up_its_own_folder_only_and_few_threads() {
        let hangs = Arc::new(std::sync::Barrier::new(AT_ONCE + 1));
        let asked = Arc::new(Mutex::new(0));
        for _ in 0..AT_ONCE * 2 {
            let (hangs, asked) = (hangs.clone(), asked.clone());
            let hung = ask_within(Duration::from_millis(50), Path::new("/share/film.mov"), move |_| {
                *asked.lock().unwrap() += 1;
                hangs.wait();
                Ok(())
            });
            assert_eq!(hung.await.unwrap_err().code, Code::FileMissing);
        }
        assert_eq!(*asked.lock().unwrap(), AT_ONCE, "no more threads than that");
        assert!(ask(Path::new("/home/film.mov"), |_| Ok(())).await.is_ok());
        // The disk is back.
        hangs.wait();
        ask(Path::new("/share/film.mov"), |_| Ok(())).await.unwrap();
    }

    /// Many may ask about one folder at once: each question has its time, however many were before it.
    #[tokio::test]
    async fn a_slow_disk_that_answers_is_waited_for() {
        let ask = |_| {
            ask_within(Duration::from_secs(2), Path::new("/slow/film.mov"), |_| {
                std::thread::sleep(Duration::from_millis(400));
                Ok(())
            })
        };
        let answers = futures::future::join_all((0..24).map(ask)).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    }
}
