//! Every MediaConvert job of a workspace, whoever started it: a copy on this computer of what AWS keeps for three months, to
//! search in, and what keeps it true within so many calls an hour. MediaConvert lists 20 at a time, and searches by nothing.

mod mirror;
mod sync;

pub use self::mirror::{FoundJobs, JobCounts, JobMirror, JobQuery, JobStateCount};
pub use self::sync::{JobsSeen, JobsSync};

/// Removes the copy of the jobs of a workspace.
pub(crate) fn forget(folder: &std::path::Path, workspace: &str) {
    crate::store::remove_copy(&crate::store::copy_in(folder, workspace));
}
