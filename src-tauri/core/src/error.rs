//! One error for the shells: a stable code, a sentence for the admin, what to do, and the details for an engineer.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What class of trouble it is; the shells decide by this, never by text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The file is no video that can be encoded.
    NotAVideo,
    /// The file is a video, and a part of it is missing.
    Incomplete,
    /// The path does not exist, or went away.
    FileMissing,
    /// The file or folder cannot be read.
    FileUnreadable,
    /// The file is not what it was when its upload began.
    FileChanged,
    /// A folder holds no video.
    NoVideos,
    /// The file is too large for S3.
    TooLarge,
    /// ffmpeg or ffprobe is missing.
    NoFfmpeg,
    /// The disk is full.
    StorageFull,
    /// AWS did not answer.
    Network,
    /// The credentials are missing or have expired.
    SignIn,
    /// The system has no keyring that works.
    NoKeyring,
    /// The credentials may not do this.
    AccessDenied,
    /// A bucket, table, job or video does not exist.
    NotFound,
    /// There is another object of this name.
    Exists,
    /// The object in S3 is not the file.
    Integrity,
    /// The encoder refused or failed.
    EncodeFailed,
    /// The server-side pipeline failed at a step.
    PipelineFailed,
    /// Someone canceled the job or the upload.
    Canceled,
    /// The same file is in the library already, or one of its name.
    Duplicate,
    /// This computer's clock is wrong.
    Clock,
    /// Another process works on the same data.
    InUse,
    /// A value that was typed or passed is wrong.
    Invalid,
    /// The playlist or its segments cannot be read.
    Playback,
    /// Another disk is where a watched folder was.
    OtherDisk,
    /// The system does not tell of changes in a folder.
    WatchLimit,
    /// A mail could not be delivered.
    Delivery,
    /// A quota of AWS is used up.
    Quota,
    /// AWS asks to slow down.
    Throttled,
    /// Anything of ours.
    Internal,
}

/// The error that crosses to the shells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, thiserror::Error)]
#[error("{message} {remedy}")]
pub struct Error {
    /// Its class.
    pub code: Code,
    /// What happened, and to which file or field.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// For the engineer: request ids, the service's own words. May be empty.
    pub details: String,
}

impl Error {
    /// An error without details.
    pub fn new(code: Code, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code, message: message.into(), remedy: remedy.into(), details: String::new() }
    }

    /// The same with the details for an engineer.
    #[must_use]
    pub fn with_details(mut self, details: impl std::fmt::Display) -> Self {
        self.details = details.to_string();
        self
    }

    /// Anything of ours that should not happen.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        Self::new(
            Code::Internal,
            "Something inside Reeldesk failed.",
            "Try again; if it happens again, copy the details and send them to us.",
        )
        .with_details(error)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{CannotOpen, DatabaseCorrupt, DiskFull, NotADatabase, PermissionDenied, ReadOnly};
        let told = match error.sqlite_error_code() {
            Some(DiskFull) => Self::new(
                Code::StorageFull,
                "The disk that holds Reeldesk's data is full.",
                "Free some space; the work goes on where it stopped.",
            ),
            Some(DatabaseCorrupt | NotADatabase) => Self::new(
                Code::FileUnreadable,
                "The file reeldesk.sqlite in Reeldesk's data folder is damaged.",
                "Quit Reeldesk, then move reeldesk.sqlite and the files whose names begin with it to another folder, and \
                 keep them. The next start makes a new one. Workspaces and the catalog are not in it. Add unfinished \
                 uploads and watch folders again; the log of changes to viewers starts empty. reelctl uploads orphans \
                 shows what unfinished uploads left in S3.",
            ),
            Some(CannotOpen | PermissionDenied | ReadOnly) => Self::new(
                Code::FileUnreadable,
                "Reeldesk cannot write into its data folder.",
                "Check that the folder is there, and that your user may write into it and into reeldesk.sqlite in it, then \
                 try again.",
            ),
            _ => return Self::internal(error),
        };
        told.with_details(error)
    }
}

/// The result of nearly everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn what_the_store_says_is_told_in_words() {
        for (said, code, message) in [
            (ffi::SQLITE_FULL, Code::StorageFull, "is full"),
            (ffi::SQLITE_CORRUPT, Code::FileUnreadable, "is damaged"),
            (ffi::SQLITE_NOTADB, Code::FileUnreadable, "is damaged"),
            (ffi::SQLITE_CANTOPEN, Code::FileUnreadable, "cannot write"),
            (ffi::SQLITE_READONLY, Code::FileUnreadable, "cannot write"),
            (ffi::SQLITE_MISUSE, Code::Internal, "Something inside"),
        ] {
            let error = Error::from(rusqlite::Error::SqliteFailure(ffi::Error::new(said), None));
            assert_eq!(error.code, code);
            assert!(error.message.contains(message) && !error.details.is_empty(), "{error:?}");
        }
    }
}
