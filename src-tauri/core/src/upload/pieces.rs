//! Sending one piece of a file until S3 has taken it as it is.

use std::sync::Arc;

use super::body::PartBody;
use super::checksum::Checksum;
use super::progress::Flight;
use super::reader::{Piece, Reading, Way};
use super::remote::{Held, Refusal, Remote, Taken};
use super::sending::{Sending, wrong};
use super::tools::TRIES;
use super::{canceled, stall, stop_if};
use crate::Result;

/// Tries of a piece whose bytes do not arrive as they left.
const DAMAGED_TRIES: u32 = 4;

impl<R: Remote> Sending<'_, R> {
    async fn unless_canceled<T>(&self, future: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            done = future => Ok(done),
            () = self.canceled.cancelled() => Err(canceled()),
        }
    }

    /// Reads a piece of the file that does not go now.
    async fn look(&self, offset: u64, length: u64) -> Result<Reading> {
        stop_if(self.canceled)?;
        let piece = Piece { path: self.request.path.clone(), offset, length };
        self.unless_canceled(self.tools.reader.look(piece, self.canceled)).await?
    }

    /// The checksum of a piece of the file, as it is now.
    pub(super) async fn own(&self, offset: u64, length: u64) -> Result<Checksum> {
        Ok(self.look(offset, length).await?.checksum)
    }

    /// Sends a piece of the file until S3 has taken it as it is; answers with the checksum of what was read. The
    /// first try may be counted in the journal already.
    pub(super) async fn tries<T: Took, F>(
        &self,
        line: u64,
        offset: u64,
        length: u64,
        mut is_counted: bool,
        send: impl Fn(PartBody) -> F,
    ) -> Result<Result<(T, Checksum, Arc<Flight>), Refusal>>
    where
        F: Future<Output = Result<T, Refusal>>,
    {
        let tried = self.tries_counting(line, offset, length, &mut is_counted, send).await;
        if is_counted {
            // It never left.
            self.tools.journal.stayed(&self.request.id, length).await?;
        }
        tried
    }

    /// The same; `is_counted` while the journal counts it as sent and nothing of it has left.
    async fn tries_counting<T: Took, F>(
        &self,
        line: u64,
        offset: u64,
        length: u64,
        is_counted: &mut bool,
        send: impl Fn(PartBody) -> F,
    ) -> Result<Result<(T, Checksum, Arc<Flight>), Refusal>>
    where
        F: Future<Output = Result<T, Refusal>>,
    {
        let (mut busy, mut damaged) = (0, 0);
        let (mut first, mut other): (Option<Reading>, Option<Way>) = (None, None);
        loop {
            let way = other.unwrap_or_else(|| self.tools.reader.way(length, &self.readahead));
            let place = match (way, first) {
                (Way::Twice, None) => {
                    let place = self.unless_canceled(self.readahead.place()).await??;
                    first = Some(self.look(offset, length).await?);
                    Some(place)
                }
                _ => None,
            };
            let turn = self.unless_canceled(self.tools.line.turn(line, length)).await?;
            drop(place);
            if !*is_counted {
                self.tools.journal.leaving(&self.request.id, length).await?;
                *is_counted = true;
            }
            let piece = Piece { path: self.request.path.clone(), offset, length };
            let flight = self.progress.flight(self.tools.line.meter());
            let (body, outcome) =
                self.unless_canceled(self.tools.reader.body(piece, way, first, flight.clone())).await??;
            *is_counted = false;
            let answer = tokio::select! {
                answer = send(body) => Some(answer),
                stalled = stall::given_up(&flight) => Some(Err(Refusal::Busy(stalled))),
                () = self.canceled.cancelled() => None,
            };
            let stayed = length.saturating_sub(flight.sent());
            if !matches!(answer, Some(Ok(_))) && stayed > 0 {
                self.tools.journal.stayed(&self.request.id, stayed).await?;
            }
            let answer = answer.ok_or_else(canceled)?;
            let read = outcome.get().transpose()?;
            if let (Way::Twice, Some(before), Some(read), 0) = (way, first, read, busy + damaged) {
                self.readahead.measured(length, before.took, read.took);
            }
            let own = read.map(|read| read.checksum);
            let refusal = match (answer, own) {
                (Ok(taken), Some(own)) if taken.checksum().is_none_or(|checksum| checksum == own) => {
                    turn.arrived();
                    self.tools.is_up();
                    if other.is_some() {
                        self.tools.reader.wants(way);
                    }
                    return Ok(Ok((taken, own, flight)));
                }
                (Ok(taken), own) => Refusal::Damaged(
                    wrong(self.target()).with_details(format!("S3 took {:?}, sent {own:?}", taken.checksum())),
                ),
                (Err(refusal), _) => refusal,
            };
            match &refusal {
                Refusal::Header(error) if other.is_none() => {
                    tracing::info!(details = error.details, ?way, "the checksum is sent in another way");
                    other = Some(self.tools.reader.other(way, length));
                }
                Refusal::Busy(error) | Refusal::Conflict(error) if busy + 1 < TRIES => {
                    busy += 1;
                    tracing::debug!(%error, details = error.details, offset, busy, "a piece did not arrive");
                    turn.refused();
                    self.tools.wait(busy, self.canceled).await?;
                }
                Refusal::Damaged(error) if damaged + 1 < DAMAGED_TRIES => {
                    damaged += 1;
                    tracing::warn!(%error, details = error.details, offset, damaged, "a piece arrived damaged");
                }
                _ => return Ok(Err(refusal)),
            }
        }
    }
}

/// An answer that may say what S3 computed.
pub(super) trait Took {
    fn checksum(&self) -> Option<Checksum>;
}

impl Took for Taken {
    fn checksum(&self) -> Option<Checksum> {
        self.checksum
    }
}

impl Took for Held {
    fn checksum(&self) -> Option<Checksum> {
        self.checksum
    }
}
