//! Checking a file before a byte of it is sent: is it there, is it a video, is it in the library already?

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::conflict::{Compared, Conflict, Resolution};
use super::{Ingest, Journey, Stage, naming, probe};
use crate::files;
use crate::{Code, Error, Result};

/// How often a file that went away is looked for.
const LOOK_FOR_FILE_EVERY: Duration = Duration::from_secs(2);

impl Ingest {
    /// Checks the file; answers with the journey if it is to be sent, or `None` if it came to rest.
    pub(super) async fn check(&self, id: &str, token: &CancellationToken) -> Result<Option<Journey>> {
        let journey = self.journey(id)?;
        if journey.key.is_some() {
            self.await_file(&journey, token).await?;
        }
        let path = &self.journey(id)?.path;
        // It may have grown since it was added.
        let size = files::identity(path).await?.size;
        if size != journey.size {
            self.0.journeys.edit(id, |journey| (journey.size, journey.checksum) = (size, None)).await?;
        }
        let media = {
            let _check = tokio::select! {
                check = self.0.checking.permits.acquire() => check.map_err(Error::internal)?,
                () = token.cancelled() => return Ok(None),
            };
            let probed = tokio::select! {
                probed = Box::pin(probe::probe(path, journey.insisted)) => probed,
                () = token.cancelled() => return Ok(None),
            };
            match probed {
                Ok(media) => media,
                // One that goes away meanwhile is missing, and no worse a video for it.
                Err(error) => return Err(files::identity(path).await.err().unwrap_or(error)),
            }
        };
        let Some(extension) = naming::extension(path, &media.container) else {
            return Err(Error::new(
                Code::NotAVideo,
                format!("\"{}\" is a video of a kind that the pipeline does not take.", crate::shown(path)),
                format!("Convert it to one of: {}.", naming::SUFFIXES.join(", ")),
            ));
        };
        let new_key = naming::key(&uuid::Uuid::new_v4().to_string(), path, extension);
        let key = journey.key.clone().unwrap_or(new_key);
        if self.0.pipeline.announcer.is_none() {
            let endings = tokio::select! {
                endings = self.0.pipeline.source.does_not_start(&key) => endings,
                () = token.cancelled() => return Ok(None),
            };
            if let Some(endings) = endings {
                let shown = crate::shown(path);
                return Err(Error::new(
                    Code::Invalid,
                    format!("\"{shown}\" would not start the pipeline, which starts on {} only.", endings.join(", ")),
                    "Convert it, or ask the engineer to update the pipeline, then retry.",
                ));
            }
        }
        let wait = |journey: &mut Journey| {
            journey.media = Some(media);
            journey.key.get_or_insert(key);
        };
        // One that was begun was compared then.
        if journey.key.is_some() {
            return self.0.journeys.enter(id, Stage::Waiting, wait).await;
        }
        loop {
            // Files are read outside of the lock: of two huge twins nobody waits for the other.
            let wanted = {
                let comparing = tokio::select! {
                    comparing = self.0.checking.comparing.lock() => comparing,
                    () = token.cancelled() => return Ok(None),
                };
                let journey = self.journey(id)?;
                let compared = self.insist(&journey, token, || self.conflict(&journey)).await?;
                let passes = match compared {
                    Compared::Wanted(wanted) => Err(wanted),
                    Compared::New => Ok(true),
                    Compared::There(conflict) => Ok(self.resolve_conflict(id, *conflict).await?),
                };
                match passes {
                    Ok(false) => return Ok(None),
                    // It counts as known before the lock is given back.
                    Ok(true) => return self.0.journeys.enter(id, Stage::Waiting, wait).await,
                    Err(wanted) => {
                        drop(comparing);
                        wanted
                    }
                }
            };
            self.read_for(id, &wanted, token).await?;
        }
    }

    /// Whether a file that is in the library already is sent all the same; otherwise it is skipped, or asks.
    async fn resolve_conflict(&self, id: &str, conflict: Conflict) -> Result<bool> {
        let journey = self.journey(id)?;
        match journey.answers.to(&conflict) {
            Some(Resolution::KeepBoth) => return Ok(true),
            Some(Resolution::Skip) => self.skip(id, conflict).await?,
            None => {
                let error = conflict.error(&journey.title);
                let key = conflict.key.clone();
                let ask = |journey: &mut Journey| {
                    (journey.error, journey.conflict) = (Some(error), Some(conflict));
                };
                self.0.journeys.enter(id, Stage::NeedsYou, ask).await?;
                self.propagate_from(&key).await;
            }
        }
        Ok(false)
    }

    /// Waits for a file that was there before: a disk that was unplugged comes back, where someone is there to plug
    /// it in.
    pub(super) async fn await_file(&self, journey: &Journey, token: &CancellationToken) -> Result<()> {
        while let Err(error) = files::identity(&self.journey(&journey.id)?.path).await {
            if error.code != Code::FileMissing || !self.0.driving.waits() {
                return Err(error);
            }
            self.0.journeys.show(&journey.id, |journey| {
                (journey.speed, journey.time_left) = (None, None);
                journey.notice = Some(format!("{} It goes on when the file is back.", error.message));
            });
            tokio::select! {
                () = tokio::time::sleep(LOOK_FOR_FILE_EVERY) => {}
                () = token.cancelled() => return Err(error),
            }
        }
        Ok(())
    }
}
