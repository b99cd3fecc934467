//! Taking: what becomes of each settled file, and handing it over to ingest.

use super::super::ledger::{self, Ending, Entry};
use super::super::rules::{Afterwards, Changed};
use super::super::settled::{self, Decision, Settled};
use super::super::tracker::State;
use super::{Folder, ROOM};
use crate::clock::now_ms;
use crate::ingest::{Handover, Resolution, Resolutions};
use crate::{Error, Result};

impl Folder {
    /// Decides about each settled file and hands over what is to be sent.
    pub(super) async fn take(&mut self, settled: Vec<Settled>) -> Result<()> {
        let files = settled.iter().map(|one| (one.path.clone(), one.stamp.identity.clone())).collect();
        let found = self.ledger.find(files).await?;
        let mut room = ROOM.saturating_sub(self.ingest.sending_of(&self.rule.id.to_string()));
        let mut taken = Vec::new();
        for (settled, (at_path, same_file)) in settled.into_iter().zip(found) {
            let journey = at_path.as_ref().and_then(|entry| entry.journey.as_deref());
            let stage = journey.and_then(|id| self.ingest.journey(id).ok()).map(|journey| journey.stage);
            let decision = {
                let takes_away = self.rule.afterwards != Afterwards::Leave;
                settled::decide(at_path.as_ref(), &settled.stamp.identity, stage, takes_away)
            };
            if let (Decision::Known, Some(before)) = (&decision, &at_path) {
                self.is_known(settled, before.clone()).await?;
                continue;
            }
            if let Some(before) = same_file
                && self.was_moved(&settled, before).await?
            {
                continue;
            }
            match decision {
                Decision::Later => self.tracker.set(&settled.path, State::Sending),
                Decision::Again(journey) => self.send_again(settled, journey).await?,
                Decision::Version if self.rule.changed == Changed::Leave => {
                    let entry = self.entry(settled, journey.map(str::to_owned), Some(Ending::LeftOut));
                    self.ledger.enter(vec![entry.clone()]).await?;
                    self.tracker.entered(&entry.path, entry.identity.clone());
                    self.show_ended(entry);
                }
                decision if room > 0 => {
                    room -= 1;
                    taken.push((settled, decision == Decision::Version));
                }
                _ => self.tracker.set(&settled.path, State::Settled),
            }
        }
        if taken.is_empty() { Ok(()) } else { self.hand_over(taken).await }
    }

    async fn hand_over(&mut self, taken: Vec<(Settled, bool)>) -> Result<()> {
        let mut handovers = Vec::new();
        let mut entries = Vec::new();
        for (settled, is_version) in taken {
            let reading = self.pattern.as_ref().and_then(|pattern| pattern.read(&settled.path)).unwrap_or_default();
            let asks = is_version && self.rule.changed == Changed::Ask;
            handovers.push(Handover {
                path: self.scanner.root.join(&settled.path),
                size: settled.stamp.identity.size,
                title: reading.title,
                tags: reading.tags,
                sidecars: settled.stamp.sidecars.iter().map(|(path, _)| self.scanner.root.join(&**path)).collect(),
                template: self.rule.template.clone(),
                insisted: settled.insisted,
                // Another folder's file of the same name is another video; what changed is offered.
                answers: Resolutions {
                    same_content: Some(Resolution::Skip),
                    same_name: (!asks).then_some(Resolution::KeepBoth),
                },
            });
            entries.push(self.entry(settled, None, None));
        }
        let (folder, mut recorded) = (self.rule.id, entries.clone());
        let (tell, told) = tokio::sync::oneshot::channel();
        let record = move |transaction: &rusqlite::Transaction<'_>, ids: &[String]| {
            for (entry, id) in recorded.iter_mut().zip(ids) {
                entry.journey = Some(id.clone());
            }
            ledger::enter(transaction, folder, &recorded)?;
            tell.send(recorded).ok();
            Ok(())
        };
        self.ingest.take(&folder.to_string(), handovers, record).await?;
        for entry in told.await.map_err(Error::internal)? {
            self.tracker.entered(&entry.path, entry.identity.clone());
            if let Some(journey) = entry.journey.clone() {
                self.open.insert(journey, entry);
            }
        }
        self.counts = self.ledger.counts().await?;
        // Some may have ended before they were known here.
        self.recheck().await
    }

    fn entry(&self, settled: Settled, journey: Option<String>, ending: Option<Ending>) -> Entry {
        Entry {
            path: settled.path,
            identity: settled.stamp.identity,
            journey,
            ending,
            gone: false,
            sidecars: settled.stamp.sidecars.into_iter().map(|(path, _)| path.into()).collect(),
            taken_at: now_ms(),
        }
    }

    /// A file is the one that was entered: its entry learns under which number it is there now.
    async fn is_known(&mut self, settled: Settled, before: Entry) -> Result<()> {
        let entry = Entry { identity: settled.stamp.identity, gone: false, ..before };
        self.ledger.enter(vec![entry.clone()]).await?;
        self.tracker.entered(&entry.path, entry.identity.clone());
        if let (Some(journey), None) = (entry.journey.clone(), entry.ending) {
            self.open.insert(journey, entry);
        }
        Ok(())
    }

    /// A file that was known under another path is the same one; answers whether it is.
    async fn was_moved(&mut self, settled: &Settled, before: Entry) -> Result<bool> {
        let from = self.scanner.root.join(&before.path);
        let there =
            tokio::task::spawn_blocking(move || crate::files::regular(&from).ok()).await.map_err(Error::internal)?;
        let entry = Entry {
            path: settled.path.clone(),
            gone: false,
            sidecars: settled.stamp.sidecars.iter().map(|(path, _)| path.to_string()).collect(),
            ..before.clone()
        };
        if there.is_some_and(|there| there.is_same(&before.identity)) {
            // Two names of one file: it is the other one's journey that counts.
            let twin = Entry { journey: None, ending: Some(Ending::Skipped), ..entry };
            self.ledger.enter(vec![twin.clone()]).await?;
            self.tracker.entered(&twin.path, twin.identity.clone());
            return Ok(true);
        }
        self.ledger.moved(&before.path, entry.clone()).await?;
        self.tracker.forget(&before.path);
        self.tracker.entered(&entry.path, entry.identity.clone());
        if let Some(journey) = &entry.journey {
            self.ingest.moved(journey, &self.scanner.root.join(&entry.path)).await?;
            if entry.ending.is_none() {
                self.open.insert(journey.clone(), entry);
            }
        }
        Ok(true)
    }

    /// What could not be sent as it was is sent as it is now.
    async fn send_again(&mut self, settled: Settled, journey: String) -> Result<()> {
        let entry = self.entry(settled, Some(journey.clone()), None);
        self.ledger.enter(vec![entry.clone()]).await?;
        self.tracker.entered(&entry.path, entry.identity.clone());
        self.ingest.retry_changed(&journey, entry.identity.size).await?;
        self.open.insert(journey, entry);
        Ok(())
    }
}
