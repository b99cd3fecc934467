//! What this room tells.

use super::batch::BatchSummary;
use super::{Journey, Limits};
use crate::Error;

/// Something of the journeys, or of the sign-in that they wait for, has changed.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A journey, as it is now.
    Journey { journey: Box<Journey> },
    /// All of a batch has ended.
    BatchEnded { summary: BatchSummary },
    /// The credentials are no longer accepted; none when they are again.
    SignIn { error: Option<Error> },
    /// The credentials end soon; none when they do not any more.
    SignInEnds { error: Option<Error> },
    /// The bandwidth limits, as they are set now.
    Limits { limits: Limits },
    /// More changed than is told.
    Resync,
}
