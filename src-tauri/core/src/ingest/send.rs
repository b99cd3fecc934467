//! Sending a file that was checked: it waits its turn, goes to S3, and is handed over to the follower.

use std::path::Path;
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio_util::sync::CancellationToken;

use super::estimate::Estimate;
use super::{Ingest, Journey, Stage};
use crate::clock::now_ms;
use crate::upload::{Progress, Request, Target, Uploaded};
use crate::{Code, Error, Result};

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(250);
/// The longest wait between two tries.
const MAX_WAIT: Duration = Duration::from_secs(60);

impl Ingest {
    /// The way of one journey, from wherever it stands to the pipeline.
    pub(super) async fn drive(&self, id: &str, token: &CancellationToken) -> Result<()> {
        let journeys = &self.0.journeys;
        let Some(journey) = self.check(id, token).await? else { return Ok(()) };
        let _place = tokio::select! {
            place = self.0.sending.queue.place(id) => place,
            () = token.cancelled() => return Ok(()),
        };
        if journeys.enter(id, Stage::Sending, |_| {}).await?.is_none() {
            return Ok(());
        }
        // Boxed, so that the thousands that wait are small.
        Box::pin(self.send_sidecars(&journey, token)).await?;
        let uploaded = Box::pin(self.send(&journey, token)).await?;
        if let Some(announcer) = &self.0.pipeline.announcer {
            let taken = self.insist(&journey, token, || announcer.announce(&journey)).await?;
            if let Some((path, checksum)) = taken {
                self.was_sent(id, &path, checksum).await?;
            }
        }
        let verified = |journey: &mut Journey| {
            (journey.sent, journey.stored) = (journey.size, journey.size);
            (journey.speed, journey.time_left) = (None, None);
            journey.checksum = Some(uploaded.checksum.to_string());
            (journey.verified_at, journey.completing_at) = (Some(now_ms()), Some(uploaded.completing_at));
        };
        if let Some(journey) = journeys.enter(id, Stage::Verified, verified).await? {
            self.propagate_outcome(&journey).await;
        }
        self.0.sending.uploader.forget(id).await?;
        self.0.live.wake();
        Ok(())
    }

    /// Sends until it is there.
    async fn send(&self, journey: &Journey, token: &CancellationToken) -> Result<Uploaded> {
        let target = Target {
            bucket: self.0.pipeline.workspace.source_bucket.clone(),
            key: journey.key.clone().unwrap_or_default(),
            metadata: metadata(&journey.path),
            content_type: "application/octet-stream".into(),
            encryption: self.0.pipeline.workspace.encryption(),
            // The key is this journey's own.
            replace: true,
        };
        self.insist(journey, token, || async {
            // The file may have been renamed since the last try.
            let path = self.journey(&journey.id)?.path;
            let request = Request { id: journey.id.clone(), path, target: target.clone() };
            let progress = Progress::default();
            let told = self.tell(&journey.id, &progress);
            tokio::select! {
                sent = self.0.sending.uploader.send(&request, &progress, token) => sent,
                never = told => match never {},
            }
        })
        .await
    }

    /// Does something until it is done; what AWS, the network or the disk refuse for the moment is tried again.
    pub(super) async fn insist<T, F>(
        &self,
        journey: &Journey,
        token: &CancellationToken,
        attempt: impl Fn() -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let mut wait = Duration::from_secs(1);
        loop {
            match attempt().await {
                Ok(done) => {
                    self.0.sign_in.accepted();
                    return Ok(done);
                }
                Err(error)
                    if error.code == Code::SignIn && self.0.sign_in.is_awaited(self.0.sending.uploader.was_up()) =>
                {
                    self.0.journeys.show(&journey.id, |journey| {
                        (journey.speed, journey.time_left) = (None, None);
                        journey.notice = Some("Waiting for a sign-in.".to_owned());
                    });
                    tokio::select! {
                        () = self.0.sign_in.wait(error.clone()) => {}
                        () = token.cancelled() => return Err(error),
                    }
                }
                Err(error) if error.code == Code::FileMissing && self.0.driving.waits() => {
                    self.await_file(journey, token).await?
                }
                Err(error) if self.passes(&error) => {
                    self.0.journeys.show(&journey.id, |journey| {
                        (journey.speed, journey.time_left) = (None, None);
                        journey.notice = Some(format!("{} Retrying in {} s.", error.message, wait.as_secs()));
                    });
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = token.cancelled() => return Err(error),
                    }
                    wait = (wait * 2).min(MAX_WAIT);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether what is in the way goes away: by itself, or because someone before the window sees to it.
    fn passes(&self, error: &Error) -> bool {
        match error.code {
            Code::Network | Code::Throttled => true,
            Code::StorageFull | Code::Clock => self.0.driving.waits(),
            _ => false,
        }
    }

    /// Shows the progress of one sending, for as long as it is awaited.
    async fn tell(&self, id: &str, progress: &Progress) -> std::convert::Infallible {
        let mut estimate: Option<Estimate> = None;
        let mut beat = tokio::time::interval(TELL_EVERY);
        loop {
            beat.tick().await;
            let ((stored, in_flight), kept) = (progress.bytes(), progress.kept());
            let now = Instant::now();
            let estimate = estimate.get_or_insert_with(|| Estimate::start(now, 0));
            let stage = if progress.is_finalising() { Stage::Finalising } else { Stage::Sending };
            let show = |journey: &mut Journey| {
                // Paused or canceled meanwhile: what is on its way no longer counts. Until S3 was asked what it has, what was
                // known before is shown.
                if journey.stage != stage || stored + in_flight == 0 {
                    return;
                }
                let sent = (stored + in_flight).min(journey.size);
                // What was there before is neither sent nor to be sent.
                let (speed, left) = estimate.update(now, sent.saturating_sub(kept), journey.size.saturating_sub(kept));
                (journey.sent, journey.stored) = (sent, stored.min(journey.size));
                (journey.speed, journey.time_left) =
                    if stage == Stage::Finalising { (None, None) } else { (speed, left) };
                if in_flight > 0 {
                    journey.notice = None;
                }
            };
            if self.journey(id).is_ok_and(|journey| journey.stage == stage) {
                self.0.journeys.show(id, show);
            } else if let Err(error) = self.0.journeys.enter(id, stage, show).await {
                tracing::warn!(id, %error, "the stage could not be recorded");
            }
        }
    }
}

/// The admin's own name for the file, which is not in the key; percent-encoded, as metadata is ASCII.
fn metadata(path: &Path) -> Vec<(String, String)> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    vec![("reeldesk-name".to_owned(), utf8_percent_encode(&name, NON_ALPHANUMERIC).to_string())]
}
