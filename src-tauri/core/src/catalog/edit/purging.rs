//! Deleting videos of the trash for good, as a run: what would go, and what goes.

use std::collections::BTreeSet;

use futures::{StreamExt as _, TryStreamExt as _};
use tokio_util::sync::CancellationToken;

use super::log::{Line, NewLine, Work};
use super::run::{AT_ONCE, Running};
use super::{EditOutcome, EditResult, EditSummary, Editor, not_found};
use crate::Result;
use crate::catalog::purge::{PurgeKind, PurgePart, PurgePlan};
use crate::catalog::{Guid, Mirror};
use crate::clock::now_ms;

/// A reading of the whole table is good so long for telling what would go, in milliseconds.
const KNOWN_FOR_MS: i64 = 10 * 60_000;

impl Editor {
    /// What would go of videos that are in the trash, were they deleted for good.
    ///
    /// # Errors
    /// When one of them is not in the trash, or the table cannot be read.
    pub async fn plan_purge(&self, guids: &[Guid]) -> Result<Vec<PurgePlan>> {
        let mirror = self.whole_mirror(now_ms() - KNOWN_FOR_MS, &CancellationToken::new()).await?;
        let plans = futures::stream::iter(guids.to_vec());
        plans
            .map(|guid| async move { self.purger.plan(mirror, &guid, guids).await })
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    /// What a video holds in the buckets, with its bytes.
    ///
    /// # Errors
    /// When AWS cannot be asked.
    pub async fn holdings(&self, guid: &Guid) -> Result<Vec<PurgePart>> {
        self.purger.holdings(self.sync.mirror().await?, guid).await
    }

    /// Deletes for good what is ticked of each of these videos, which are in the trash, and tells of each as it is done.
    ///
    /// # Errors
    /// When the table cannot be read, or the store not be used; what goes wrong with one of them is told of that one.
    pub async fn purge(
        &self,
        guids: Vec<Guid>,
        ticked: BTreeSet<PurgeKind>,
        stop: &CancellationToken,
        tell: impl Fn(&EditResult),
    ) -> Result<EditSummary> {
        let known = self.sync.mirror().await?.by_keys(guids.clone()).await?;
        let title = |guid: &Guid| known.iter().find(|video| video.guid == *guid).map(|video| video.title.clone());
        let line = |guid: Guid| NewLine {
            title: title(&guid).unwrap_or_else(|| guid.to_string()),
            expected: None,
            work: None,
            undoes: None,
            guid,
        };
        let lines = guids.into_iter().map(line).collect();
        self.begin("purge", Some(Work::Purge(ticked)), lines, stop, tell).await
    }

    /// The mirror, where it knows who else uses a folder or a source: all of the table was read since this time, in milliseconds
    /// since the epoch, or is read now.
    async fn whole_mirror(&self, since: i64, stop: &CancellationToken) -> Result<&Mirror> {
        // One that was begun before is only ended by the first: what it read then is not what is there now.
        for _ in 0..2 {
            if self.sync.age().await?.swept_at.is_none_or(|at| at < since) {
                self.sync.sweep_at_once(stop, |_| {}).await?;
            }
        }
        self.sync.mirror().await
    }

    /// Reads all of the table: nothing is deleted for good before it is known to be nobody else's.
    pub(super) async fn prove_alone(&self, stop: &CancellationToken) -> Result<()> {
        self.whole_mirror(now_ms(), stop).await.map(drop)
    }

    pub(super) async fn purge_one(
        &self,
        running: &Running<'_>,
        line: &Line,
        ticked: &BTreeSet<PurgeKind>,
    ) -> Result<EditOutcome> {
        let (guid, mirror) = (&line.guid, self.sync.mirror().await?);
        if self.catalog.item(guid).await?.is_none() {
            mirror.remove(vec![guid.clone()]).await?;
            // It went, and nobody heard of it.
            return if line.was_begun { Ok(EditOutcome::Done) } else { Err(not_found(guid)) };
        }
        self.log.purging(line.id).await?;
        let with_versions = ticked.contains(&PurgeKind::Versions);
        let mut objects = 0;
        for place in self.purger.begin(mirror, guid, ticked, running.author).await? {
            let reference = format!("reeldesk-{}-{guid}", running.run);
            let gone = self.purger.delete(&place, with_versions, &reference, running.stop).await?;
            objects += gone.objects;
            self.log.purged(line.id, gone).await?;
        }
        if ticked.contains(&PurgeKind::Item) {
            self.log.purged(line.id, self.purger.end(guid).await?).await?;
            mirror.remove(vec![guid.clone()]).await?;
        }
        tracing::info!(run = running.run, guid = guid.as_str(), objects, "a video was deleted for good");
        Ok(EditOutcome::Done)
    }
}
