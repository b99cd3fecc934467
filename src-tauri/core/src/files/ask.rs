//! Asking a disk with a limit of time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::{Code, Error, Result};

/// How long a disk may take; one that was asleep needs some ten seconds.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// Questions about one folder at the same time. A question without an answer keeps its thread: this bounds how many a
/// disk that hangs can take.
const AT_ONCE: usize = 4;

/// The places of each folder that is asked about.
static PLACES: LazyLock<Mutex<HashMap<PathBuf, Arc<Semaphore>>>> = LazyLock::new(Mutex::default);

fn places(folder: &Path) -> Arc<Semaphore> {
    let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    // Those that nobody asks about now are not kept.
    places.retain(|_, places| Arc::strong_count(places) > 1);
    places.entry(folder.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))).clone()
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
    let places = places(path.parent().unwrap_or(path));
    let asked = async {
        let place = places.clone().acquire_owned().await.map_err(Error::internal)?;
        let path = path.to_owned();
        let answer = tokio::task::spawn_blocking(move || {
            // Given back by the thread, also where nobody waits for it any more; the map keeps what is held.
            let _place = (place, places);
            question(&path)
        });
        answer.await.map_err(Error::internal)?
    };
    match tokio::time::timeout(limit, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::new(
            Code::FileMissing,
            format!("The disk with \"{}\" does not answer.", crate::shown(path)),
            "Check the disk, or the connection to the server that it is on, then retry.",
        )),
    }
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
}
