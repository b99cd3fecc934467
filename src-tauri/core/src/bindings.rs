//! The TypeScript of every type that crosses to the window, as one file.

use ts_rs::{Config, TS};

use crate::{
    aws, catalog, check, connection, encode, error, event, files, ingest, playback, upload, viewers, watch, workspace,
};

/// The text of `ui/src/bindings.ts`.
#[must_use]
pub fn typescript() -> String {
    let config = Config::default();
    let mut text = String::from("// Generated from the Rust types by `cargo xtask bindings`. Do not edit.\n");
    macro_rules! declare {
        ($($type:ty),* $(,)?) => {
            $(text.push_str(&format!("\nexport {}\n", <$type as TS>::decl(&config)));)*
        };
    }
    declare!(
        error::Code,
        error::Error,
        connection::credentials::PoolUser,
        connection::credentials::CredentialsSource,
        connection::credentials::AccessKey,
        connection::credentials::SignIn,
        connection::Keep,
        connection::Connection,
        workspace::Color,
        workspace::Trigger,
        workspace::Acceleration,
        workspace::PlaybackAccess,
        workspace::IngestMode,
        aws::EncryptionHeader,
        workspace::Workspace,
        workspace::Habits,
        connection::ProfileKind,
        connection::Profile,
        connection::Profiles,
        workspace::discovery::Identity,
        workspace::discovery::Stack,
        workspace::discovery::Choice,
        workspace::discovery::Choices,
        workspace::policy::Missing,
        check::Area,
        check::Outcome,
        check::Finding,
        check::compare::Comparison,
        catalog::Guid,
        catalog::Status,
        catalog::Video,
        catalog::Cursor,
        catalog::Page,
        encode::State,
        encode::Phase,
        encode::Job,
        ingest::Stage,
        ingest::Undo,
        ingest::Media,
        ingest::Journey,
        ingest::JourneyCommand,
        ingest::SignInNeed,
        ingest::Conflict,
        ingest::Resolution,
        ingest::Resolutions,
        ingest::BatchSummary,
        ingest::Limits,
        ingest::Hours,
        upload::Orphan,
        playback::Rendition,
        playback::Stream,
        viewers::ViewerState,
        viewers::StateKind,
        viewers::Viewer,
        viewers::Sort,
        viewers::Query,
        viewers::Found,
        viewers::Group,
        viewers::StateCount,
        viewers::GroupCount,
        viewers::Census,
        viewers::Reading,
        viewers::PoolAttribute,
        viewers::PoolFacts,
        viewers::Attribute,
        viewers::Person,
        viewers::ViewerAction,
        viewers::Selection,
        viewers::ActionOutcome,
        viewers::ActionResult,
        viewers::RunSummary,
        viewers::LogEntry,
        viewers::Mail,
        viewers::Watchable,
        viewers::Step,
        viewers::Invitee,
        viewers::Problem,
        viewers::Invitees,
        viewers::Invitation,
        viewers::Invited,
        watch::Existing,
        watch::Afterwards,
        watch::Changed,
        watch::WatchFolder,
        watch::Ending,
        files::Incomplete,
        watch::Condition,
        watch::FileState,
        watch::WatchedFile,
        watch::WatchedFolder,
        watch::PreviewFile,
        watch::Preview,
        event::Event,
    );
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_file_of_the_window_is_fresh() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/bindings.ts");
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(written == super::typescript(), "ui/src/bindings.ts is stale: run `cargo xtask bindings`");
    }
}
