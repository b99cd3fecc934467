//! A local stand-in for the part of AWS that Reeldesk works with: S3, DynamoDB, a Cognito user
//! pool, MediaConvert over ffmpeg, the "Video on Demand on AWS" pipeline, and a CDN. It listens on loopback only and keeps everything in one folder.
//!
//! It knows nothing of the application: it is what the application is tried against.

mod blobs;
mod cdn;
mod checksum;
mod cloudfront;
mod cognito;
mod cookies;
mod db;
mod endpoints;
mod faults;
mod ffmpeg;
mod front_door;
mod mediaconvert;
mod names;
mod options;
mod pipeline;
mod placeholders;
mod probe;
mod query;
mod s3;
mod site;
mod start;
mod table;
mod time;

pub use endpoints::{Endpoints, find_running};
pub use ffmpeg::ffmpeg_is_installed;
pub(crate) use names::ACCOUNT;
pub use names::{
    APP_CLIENT, CUSTOM_TABLE, Credentials, DESTINATION_BUCKET, KMS_KEY, REGION, ROLE, SOURCE_BUCKET, STACK, TABLE,
    TABLE_INDEX, USER_POOL,
};
pub use options::{CatalogKind, Generation, Options};
pub use start::{Sandbox, StartError};
