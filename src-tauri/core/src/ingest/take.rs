//! Taking what a watch folder hands over: files with what is known of them from where they lie.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Transaction;

use super::conflict::Resolutions;
use super::{Ingest, Journey, Stage, add};
use crate::{Code, Result};

/// A file that is handed over.
#[derive(Clone, Debug)]
pub(crate) struct Handover {
    pub path: PathBuf,
    pub size: u64,
    /// None takes the file's name.
    pub title: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub sidecars: Vec<PathBuf>,
    pub template: Option<String>,
    /// Someone wants it taken as it is.
    pub insisted: bool,
    pub answers: Resolutions,
}

impl Ingest {
    /// Makes a journey of each file and calls `record` with the ids, in the order of the files, in the transaction that
    /// writes them: what it writes stands or falls with the journeys. A file that is on its way to S3 keeps its journey.
    ///
    /// # Errors
    /// When the store cannot be written, or `record` fails; then nothing was taken.
    pub(crate) async fn take<F>(&self, folder: &str, files: Vec<Handover>, record: F) -> Result<()>
    where
        F: FnOnce(&Transaction<'_>, &[String]) -> Result<()> + Send + 'static,
    {
        let journeys = &self.0.journeys;
        let open = journeys.paths(|one| one.stage.is_being_sent() || one.stage == Stage::Paused);
        let (first, batch) = (journeys.next_position(), journeys.batch_of(folder));
        let (mut ids, mut new) = (Vec::new(), Vec::new());
        for file in files {
            if let Some(id) = open.get(&file.path) {
                ids.push(id.clone());
                continue;
            }
            let mut journey = add::begun(file.path, file.size, None, first + new.len() as i64);
            journey.title = file.title.unwrap_or(journey.title);
            (journey.tags, journey.sidecars, journey.template) = (file.tags, file.sidecars, file.template);
            (journey.batch, journey.answers, journey.insisted) = (batch, file.answers, file.insisted);
            journey.watch_folder = Some(folder.to_owned());
            ids.push(journey.id.clone());
            new.push(journey);
        }
        journeys.add(new.clone(), move |transaction| record(transaction, &ids)).await?;
        for journey in new {
            self.start(journey.id);
        }
        Ok(())
    }

    /// Files of a watch folder that are on their way to S3.
    pub(crate) fn sending_of(&self, folder: &str) -> usize {
        let own = |one: &Journey| one.watch_folder.as_deref() == Some(folder) && one.stage.is_being_sent();
        self.0.journeys.count(own)
    }

    /// A file has another path now: what is on its way goes on from there.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub(crate) async fn moved(&self, id: &str, path: &Path) -> Result<()> {
        self.0.journeys.edit(id, |journey| path.clone_into(&mut journey.path)).await?;
        let was_missed = |journey: &Journey| {
            journey.stage == Stage::NeedsYou
                && journey.error.as_ref().is_some_and(|error| error.code == Code::FileMissing)
        };
        if self.journey(id).is_ok_and(|journey| was_missed(&journey)) { self.retry(id).await } else { Ok(()) }
    }

    /// Sends a file that could not be sent as it was, and is another one by now.
    ///
    /// # Errors
    /// When S3 cannot be told to forget what it has of it, or the store cannot be written.
    pub(crate) async fn retry_changed(&self, id: &str, size: u64) -> Result<()> {
        self.0.sending.uploader.give_up(id).await?;
        self.0.taking_back.due.notify_one();
        let _owner = self.owner(id).await;
        self.begin_again(id, |journey| journey.size = size).await
    }

    /// Takes the oldest ended journeys of watch folders off the list when there are more than `most`.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub(crate) async fn keep_newest(&self, most: usize) -> Result<()> {
        let ended = |one: &Journey| {
            one.watch_folder.is_some() && matches!(one.stage, Stage::Playable | Stage::Skipped | Stage::Canceled)
        };
        if self.0.journeys.count(ended) <= most + most / 10 {
            return Ok(());
        }
        let ended: Vec<_> = self.list().into_iter().filter(ended).map(|journey| journey.id).collect();
        let too_many = ended.len().saturating_sub(most);
        self.0.journeys.remove(ended.into_iter().take(too_many).collect()).await
    }
}
