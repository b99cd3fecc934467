//! Uploads: a file in parts to S3, journaled so that it goes on after a kill, verified end to end.
//!
//! Every part is sent with its CRC64NVME; the checksum of the whole is combined from the parts', sent with the
//! completion, and compared with what S3 holds afterwards.

mod adaptive;
mod batch;
mod body;
mod checksum;
mod engine;
mod journal;
mod limit;
mod line;
mod memory;
pub(crate) mod orphans;
mod pieces;
mod plan;
mod progress;
mod readahead;
mod reader;
mod remote;
mod s3;
mod sending;
mod stall;
mod tools;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

pub use self::batch::{BatchEvent, Chosen, Destination, send_all};
pub use self::checksum::Checksum;
use self::engine::Engine;
use self::journal::Journal;
pub(crate) use self::journal::{GivenUp, owners_of_aborts};
pub use self::limit::{Limit, Rate};
pub use self::orphans::Orphan;
pub use self::plan::{PartNumber, PartPlan};
pub use self::progress::Progress;
pub use self::remote::Target;
pub(crate) use self::stall::may_arrive_for;
use crate::store::Store;
use crate::{Code, Error, Result};

/// What is to be sent where. The same `id` again resumes.
#[derive(Clone, Debug)]
pub struct Request {
    /// The name of the upload in the journal.
    pub id: String,
    /// The file.
    pub path: PathBuf,
    /// Where to.
    pub target: Target,
}

/// An object that S3 holds as the file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// Bytes of the file.
    pub size: u64,
    /// The checksum of the whole.
    pub checksum: Checksum,
    /// Requests that it takes to send it.
    pub parts: u64,
    /// Bytes that were given to connections, over all attempts; a piece that a kill broke off counts whole.
    pub sent: u64,
    /// The object was not made before this, in milliseconds since the epoch: when the first request left that could make
    /// it, by this computer's clock, or S3's own time of an object that was there already.
    pub completing_at: i64,
}

/// Sends files. One for all uploads of a workspace, so that they share the line and the memory; those of several
/// workspaces share a limit. Cheap to clone.
#[derive(Clone)]
pub struct Uploader(Engine<s3::S3>);

impl Uploader {
    /// An uploader over these clients and store: one for what is asked, one for the bytes. `owner` names the connection
    /// (the workspace's name; empty for that of the environment): it works off what an earlier one of this name could not
    /// abort.
    #[must_use]
    pub fn new(
        s3: &aws_sdk_s3::Client,
        transfer: &aws_sdk_s3::Client,
        store: Store,
        owner: &str,
        limit: Limit,
    ) -> Self {
        Self(Engine::new(s3::S3::new(s3, transfer), Journal::new(store, owner), limit))
    }

    /// The bandwidth limit that its uploads share.
    #[must_use]
    pub fn limit(&self) -> &Limit {
        &self.0.tools.reader.limit
    }

    /// Whether S3 has answered anything since this uploader was made.
    #[must_use]
    pub fn was_up(&self) -> bool {
        self.0.tools.was_up()
    }

    /// Sends the file, or what is missing of it, and verifies the object.
    ///
    /// # Errors
    /// When the file cannot be read or was changed, S3 refuses or cannot be reached, or the object is not the
    /// file. What was sent stays for the next try, except where the file changed.
    pub async fn send(&self, request: &Request, progress: &Progress, canceled: &CancellationToken) -> Result<Uploaded> {
        self.0.send(request, progress, canceled).await
    }

    /// The checksum of a file of this size, without sending it.
    ///
    /// # Errors
    /// When it cannot be read, or is shorter.
    pub async fn checksum(&self, path: &Path, size: u64) -> Result<Checksum> {
        let whole = reader::Piece { path: path.to_owned(), offset: 0, length: size };
        Ok(self.0.tools.reader.look(whole, &CancellationToken::new()).await?.checksum)
    }

    /// The checksum of an object of this size; `None` where it is not there, or has another size.
    ///
    /// # Errors
    /// When S3 cannot be asked.
    pub(crate) async fn checksum_of_object(&self, bucket: &str, key: &str, size: u64) -> Result<Option<Checksum>> {
        self.0.checksum_of_object(bucket, key, size).await
    }

    /// Bytes that S3 has of each unfinished upload, as the journal knows them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn stored(&self) -> Result<HashMap<String, u64>> {
        self.0.tools.journal.stored().await
    }

    /// Forgets an upload, done or not; what S3 holds of an unfinished one is to be aborted, which [`Self::clean_up`] does.
    /// Answers how far it was, if there was one.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub(crate) async fn give_up(&self, id: &str) -> Result<Option<GivenUp>> {
        self.0.tools.journal.give_up(id).await
    }

    /// Whether anything of an upload may have left this computer.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn has_begun(&self, id: &str) -> Result<bool> {
        self.0.tools.journal.is_known(id).await
    }

    /// Aborts in S3 what was given up; answers with the names of those of which S3 could not be told, and why.
    ///
    /// # Errors
    /// When the store cannot be used.
    pub async fn clean_up(&self) -> Result<Vec<(String, Error)>> {
        Ok(self.0.tools.clean_up().await?.into_iter().map(|(one, error)| (one.id, error)).collect())
    }

    /// Forgets a finished upload.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn forget(&self, id: &str) -> Result<()> {
        self.0.tools.journal.forget(id).await
    }
}

fn canceled() -> Error {
    Error::new(Code::Canceled, "The upload was canceled.", "Retry sends what had not arrived.")
}

/// Whether to stop, as an error that says so.
fn stop_if(canceled_by: &CancellationToken) -> Result<()> {
    if canceled_by.is_cancelled() { Err(canceled()) } else { Ok(()) }
}

/// Says that the file is no longer the one whose upload began.
fn changed(path: &Path) -> Error {
    Error::new(
        Code::FileChanged,
        format!("\"{}\" was changed while it was being sent.", crate::shown(path)),
        "Add it again when it is finished; what was sent of the old version is removed.",
    )
}

/// The same, where S3 had put the object together by then.
fn changed_too_late(path: &Path) -> Error {
    Error::new(
        Code::FileChanged,
        format!("\"{}\" was changed while it was being sent, and S3 has what was read of it.", crate::shown(path)),
        "Send it again when it is finished, and remove the video of the first version.",
    )
}
