//! People's files: what makes one the one that it was, where it lies, whether it is complete, and why it cannot be read.
//! Disks are asked off the async workers and never waited for without end ([`ask`]): a share whose server went away
//! answers neither yes nor no.

mod ask;
mod container;
mod identity;
mod place;

use std::path::Path;

pub(crate) use self::ask::ask;
pub use self::container::Incomplete;
pub(crate) use self::container::missing;
pub use self::identity::{Identity, Likeness};
pub(crate) use self::identity::{regular, unreadable};
pub(crate) use self::place::Place;
use crate::Result;

/// The identity of a file, off the async workers.
///
/// # Errors
/// [`crate::Code::FileMissing`], also where its disk does not answer, or [`crate::Code::FileUnreadable`].
pub(crate) async fn identity(path: &Path) -> Result<Identity> {
    ask(path, Identity::of).await
}
