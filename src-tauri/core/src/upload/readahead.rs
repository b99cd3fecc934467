//! Reading the parts of one upload for their checksums before their turn: while those before them are on the line, so that
//! the line never waits. They go out of the file cache then. Where that does not serve (a share, memory that is full), which
//! shows in how long the second reading takes, files are read once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{Error, Result};

/// Parts of one upload that were read and wait for their turn, at most.
const AHEAD: usize = 2;
/// Bytes of a part that is read twice, at most: the file cache may not keep more until it goes.
const MOST: u64 = 128 * 1024 * 1024;
/// Bytes a second that a file cache gives even on a busy machine.
const CACHED: f64 = 300e6;
/// Slow second readings, one after the other, that are believed.
const BELIEVED: u32 = 3;

/// Folders whose files do not come out of the file cache the second time, with how often that was seen in a row. Cheap to
/// clone.
#[derive(Clone, Default)]
pub(super) struct SlowFolders(Arc<Mutex<HashMap<PathBuf, u32>>>);

impl SlowFolders {
    fn all(&self) -> MutexGuard<'_, HashMap<PathBuf, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The readahead of one upload.
pub(super) struct Readahead {
    places: Semaphore,
    folder: PathBuf,
    slow: SlowFolders,
}

impl Readahead {
    pub fn new(path: &Path, slow: SlowFolders) -> Self {
        Self { places: Semaphore::new(AHEAD), folder: path.parent().unwrap_or(path).to_owned(), slow }
    }

    /// Whether parts of so many bytes are read twice.
    pub fn serves(&self, bytes: u64) -> bool {
        bytes <= MOST && self.slow_of(&self.slow.all()) < BELIEVED
    }

    /// Waits for a place, which is held until the part has its turn.
    pub async fn place(&self) -> Result<SemaphorePermit<'_>> {
        self.places.acquire().await.map_err(Error::internal)
    }

    /// Takes in how long both readings of a part took.
    pub fn measured(&self, bytes: u64, first: Duration, second: Duration) {
        let is_slow = (bytes as f64) < CACHED * second.as_secs_f64() && second * 2 > first;
        let mut all = self.slow.all();
        if is_slow {
            let slow = all.entry(self.folder.clone()).or_default();
            *slow += 1;
            if *slow == BELIEVED {
                let folder = self.folder.display();
                tracing::info!(%folder, bytes, ?first, ?second, "the file cache does not serve: parts are read once");
            }
        } else if self.slow_of(&all) < BELIEVED {
            // What is believed stays so.
            all.remove(&self.folder);
        }
    }

    fn slow_of(&self, all: &HashMap<PathBuf, u32>) -> u32 {
        all.get(&self.folder).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: u64 = 8 * 1024 * 1024;
    const SLOW: Duration = Duration::from_millis(80);
    const FAST: Duration = Duration::from_millis(2);

    fn of(path: &str, slow: &SlowFolders) -> Readahead {
        Readahead::new(Path::new(path), slow.clone())
    }

    #[test]
    fn a_second_reading_from_the_disk_shows() {
        let slow = SlowFolders::default();
        let readahead = of("/share/a.mov", &slow);
        assert!(readahead.serves(PART) && !readahead.serves(MOST + 1));
        // Once or twice it is something else.
        for second in [SLOW, SLOW, FAST, SLOW, SLOW, FAST] {
            readahead.measured(PART, SLOW, second);
        }
        assert!(readahead.serves(PART));
        for _ in 0..BELIEVED {
            readahead.measured(PART, SLOW, SLOW);
        }
        assert!(!readahead.serves(PART));
        assert!(!of("/share/b.mov", &slow).serves(PART), "of all files of the folder");
        assert!(of("/disk/b.mov", &slow).serves(PART), "and of no others");
        readahead.measured(PART, SLOW, FAST);
        assert!(!readahead.serves(PART), "what is on its way yet does not change that");
    }

    #[test]
    fn a_disk_that_is_much_slower_than_a_slow_cache_is_read_twice() {
        let readahead = of("/share/a.mov", &SlowFolders::default());
        for _ in 0..10 {
            readahead.measured(PART, SLOW * 10, SLOW);
        }
        assert!(readahead.serves(PART));
    }
}
