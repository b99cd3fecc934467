//! Integration: the command line and the SDKs against real servers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should stop")]

mod acceleration;
mod cancel;
mod catalog;
mod cognito;
mod computer;
mod custom_table;
mod duplicates;
mod edits;
mod exchange;
mod files;
mod ingest;
mod jobs;
mod kills;
mod mediaconvert;
mod ministack;
mod purge;
mod rooms;
mod s3;
mod server;
mod several;
mod sidecars;
mod sign_in;
mod steering;
mod strict;
mod torture;
mod uploads;
mod viewers;
mod watch;
mod workspaces;
