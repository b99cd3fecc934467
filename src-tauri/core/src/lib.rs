//! Everything that Reeldesk does, without a window. Each module is a room of the house; ARCHITECTURE.md has the
//! map. Shells open a [`Session`] and call it.

pub mod aws;
pub mod catalog;
mod changes;
pub mod check;
pub mod clock;
pub mod connection;
mod diagnostics;
pub mod encode;
pub mod error;
pub mod event;
mod explain;
pub mod files;
pub mod folders;
mod http;
pub mod ingest;
pub mod jobs;
pub mod live;
pub mod log;
pub mod notice;
pub mod playback;
pub mod session;
mod signals;
pub mod store;
mod text;
pub mod upload;
pub mod viewers;
pub mod watch;
pub mod workspace;

mod bindings;

pub use bindings::typescript;
pub use diagnostics::diagnostics;
pub use error::{Code, Error, Result};
pub use files::on_disk;
pub use folders::Folders;
pub use ingest::require_ffmpeg;
pub use session::{
    Driver, DrivingLock, Instance, NewSidecar, Session, folder_within, forget_workspace, pause_watching,
    uploader_of_environment, watch_rules,
};
pub use signals::asked_to_end;
pub(crate) use text::{is_unshown, shown};
