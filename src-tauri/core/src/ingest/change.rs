//! What this room tells.

use super::Journey;
use super::batch::BatchSummary;
use crate::Error;
use crate::catalog::Video;
use crate::encode::Job;

/// Something of the journeys, or of what is followed for them, has changed.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A journey, as it is now.
    Journey { journey: Box<Journey> },
    /// All of a batch has ended.
    BatchEnded { summary: BatchSummary },
    /// The newest videos of the catalog, as read at this time (milliseconds since the epoch).
    Library { videos: Vec<Video>, read_at: i64 },
    /// The newest jobs, as read at this time (milliseconds since the epoch).
    Jobs { jobs: Vec<Job>, read_at: i64 },
    /// AWS could not be asked.
    Unreachable { error: Error },
    /// The credentials are no longer accepted; none when they are again.
    SignIn { error: Option<Error> },
    /// The credentials end soon.
    SignInEnds { error: Error },
    /// More changed than is told.
    Resync,
}
