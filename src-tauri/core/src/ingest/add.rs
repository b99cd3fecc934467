//! Adding files: what was dropped becomes a batch of journeys.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use futures::{StreamExt as _, stream};

use super::conflict::Resolutions;
use super::sources::Found;
use super::{Ingest, Journey, Stage, naming, sources};
use crate::clock::now_ms;
use crate::files::{self, Identity};
use crate::{Error, Result};

impl Ingest {
    /// Adds files and folders, a journey for each file; a path that cannot be taken becomes a journey that says
    /// why. A file whose journey is still open is not taken twice. `answers` says what becomes of those that are in
    /// the library already; what it leaves open is asked.
    ///
    /// `as_is` sends what seems to be cut off too.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn add(&self, paths: Vec<PathBuf>, answers: Resolutions, as_is: bool) -> Result<Vec<Journey>> {
        // Each by itself: a disk that hangs holds up nothing that lies elsewhere.
        let found: Vec<_> = stream::iter(paths).map(look_within).buffered(LOOKS_AT_ONCE).concat().await;
        // What stopped goes on in its own row: a second one would send all of it again.
        let stopped = |one: &Journey| one.stage == Stage::NeedsYou || one.undo.is_some();
        let goes_on = |one: &Journey| one.stage.is_open() && one.stage != Stage::Canceling;
        let mut open = self.0.journeys.paths(|one| goes_on(one) || stopped(one));
        let (mut known, mut new) = (Vec::new(), Vec::new());
        let (first, batch) = (self.0.journeys.next_position(), self.0.journeys.next_batch());
        for (path, size, error) in found {
            if let Some(id) = open.get(&path) {
                known.push((id.clone(), size));
                continue;
            }
            let position = first + new.len() as i64;
            let journey = Journey { batch, answers, insisted: as_is, ..begun(path, size, error, position) };
            open.insert(journey.path.clone(), journey.id.clone());
            new.push(journey);
        }
        self.0.journeys.add(new.clone(), |_| Ok(())).await?;
        for journey in &new {
            if journey.stage.is_open() {
                self.start(journey.id.clone());
            }
        }
        for (id, size) in known {
            let owner = self.owner(&id).await;
            // Whoever adds it again wants it sent.
            if self.journey(&id)?.stage == Stage::NeedsYou {
                let wanted = |journey: &mut Journey| {
                    (journey.answers, journey.insisted, journey.size) = (answers, journey.insisted || as_is, size);
                };
                self.begin_again(&id, wanted).await?;
            } else {
                drop(owner);
                if self.journey(&id)?.undo.is_some() {
                    self.undo_cancel(&id).await?;
                }
                self.unpause(&id).await?;
            }
            new.push(self.journey(&id)?);
        }
        Ok(new)
    }
}

/// Paths that are looked at at the same time.
const LOOKS_AT_ONCE: usize = 16;
/// How long one may take: a folder of a hundred thousand files on a share.
const LOOKED_AT_WITHIN: Duration = Duration::from_secs(2 * 60);

async fn look_within(path: PathBuf) -> Vec<(PathBuf, u64, Option<Error>)> {
    // A disk that hangs is known soon.
    if let Err(error) = files::identity(&path).await {
        return vec![(path, 0, Some(error))];
    }
    let found = files::ask_within(LOOKED_AT_WITHIN, &path, |path| Ok(look(path.to_owned()))).await;
    found.unwrap_or_else(|error| vec![(path, 0, Some(error))])
}

/// What is behind a path: files with their sizes, or why it cannot be taken.
fn look(path: PathBuf) -> Vec<(PathBuf, u64, Option<Error>)> {
    let path = std::path::absolute(&path).unwrap_or(path);
    let size = |path: &PathBuf| Identity::of(path).map_or(0, |identity| identity.size);
    match sources::videos(&path) {
        // A folder in it that cannot be read has a row of its own: nobody knows what it holds.
        Ok(Found { files, closed }) => {
            let files = files.into_iter().map(|file| (file.clone(), size(&file), None));
            files.chain(closed.into_iter().map(|(folder, error)| (folder, 0, Some(error)))).collect()
        }
        Err(error) => vec![(path.clone(), size(&path), Some(error))],
    }
}

/// A journey at its beginning.
pub(super) fn begun(path: PathBuf, size: u64, error: Option<Error>, position: i64) -> Journey {
    let now = now_ms();
    Journey {
        id: uuid::Uuid::new_v4().to_string(),
        position,
        batch: 0,
        answers: Resolutions::default(),
        priority: 0,
        watch_folder: None,
        tags: BTreeMap::new(),
        sidecars: Vec::new(),
        template: None,
        insisted: false,
        sent_sidecars: BTreeMap::new(),
        title: naming::title(&path),
        stage: if error.is_some() { Stage::NeedsYou } else { Stage::Checking },
        size,
        sent: 0,
        stored: 0,
        speed: None,
        time_left: None,
        percent: None,
        notice: None,
        error,
        conflict: None,
        checksum: None,
        unreadable: false,
        media: None,
        key: None,
        guid: None,
        job_id: None,
        hls_url: None,
        added_at: now,
        stage_since: now,
        verified_at: None,
        completing_at: None,
        undo: None,
        deleted_at: None,
        may_arrive_until: None,
        path,
    }
}
