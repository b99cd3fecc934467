//! Workspaces: an account, and what of it the pipeline uses.

pub mod discovery;
pub mod handover;
mod mapping;
pub mod policy;
mod sandbox;
mod settings;
pub(crate) mod trigger;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use self::mapping::{DurationUnit, MappedIndex, MappedStatus, TableMapping};
pub use self::sandbox::SandboxEndpoints;
pub use self::settings::{Habits, LibraryLayout, SavedView, Settings};
use crate::aws::{Encryption, EncryptionHeader};
use crate::connection::Connection;
use crate::{Code, Error, Result};

/// The name of the sandbox workspace.
pub const SANDBOX: &str = "sandbox";

/// Everything that the other rooms need to know of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Workspace {
    /// What it is called.
    pub name: String,
    /// The color that it is known by.
    #[serde(default, alias = "colour")]
    pub color: Color,
    /// How its account is reached.
    #[serde(flatten)]
    pub connection: Connection,
    /// The id of the account, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub account: Option<String>,
    /// The CloudFormation stack of the pipeline, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub stack: Option<String>,
    /// The bucket that masters are uploaded to.
    pub source_bucket: String,
    /// The bucket that encodes are written to.
    pub destination_bucket: String,
    /// The catalog table.
    pub table: String,
    /// `https://<CloudFront domain>`, without a slash at the end.
    pub cdn: String,
    /// The id of the user pool of the viewers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub user_pool: Option<String>,
    /// The app client of the pool that viewers sign in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub app_client: Option<String>,
    /// The ARN of the role that MediaConvert works with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub role: Option<String>,
    /// The MediaConvert queue of its jobs; none for the account's default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub queue: Option<String>,
    /// The job template of its jobs; none for the pipeline's own choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub template: Option<String>,
    /// The encryption that the source bucket wants to be asked for.
    #[serde(default)]
    pub encryption: EncryptionHeader,
    /// The key of KMS that the source bucket is encrypted with, where it is a customer's own: its id, ARN or alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub kms_key: Option<String>,
    /// How its streams are read here.
    #[serde(default)]
    pub playback: PlaybackAccess,
    /// What the attributes of the table are called, where they are not only the pipeline's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub mapping: Option<TableMapping>,
    /// Who makes the job.
    pub mode: IngestMode,
}

/// How the streams of a workspace are read by Reeldesk itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum PlaybackAccess {
    /// From the CDN, as anyone reads them.
    #[default]
    Cdn,
    /// Straight from the destination bucket, with the credentials: the CDN shows them to signed viewers only.
    Bucket,
}

/// What a workspace is marked with, so that nobody takes one for another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Color {
    #[default]
    Violet,
    Blue,
    Green,
    Orange,
    Red,
    #[serde(alias = "grey")]
    Gray,
}

/// Who makes the job and the item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum IngestMode {
    /// A server-side workflow, started by the upload.
    #[serde(rename_all = "camelCase")]
    Pipeline {
        /// What starts it.
        #[serde(default)]
        trigger: Trigger,
        /// Whether it takes pictures of the video.
        #[serde(default)]
        frame_capture: bool,
        /// Whether it encodes long videos in pieces at once.
        #[serde(default)]
        acceleration: Acceleration,
    },
}

/// What starts the pipeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Trigger {
    /// The video itself.
    #[default]
    VideoFile,
    /// A JSON file that names the video.
    MetadataFile,
}

/// MediaConvert's accelerated transcoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Acceleration {
    /// Always.
    Enabled,
    /// Never.
    Disabled,
    /// Where the job allows it.
    #[default]
    Preferred,
}

impl Workspace {
    /// Whether this is the sandbox of this computer.
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        self.connection.is_sandbox()
    }

    /// What S3 is asked to encrypt each object with.
    #[must_use]
    pub fn encryption(&self) -> Encryption {
        Encryption { header: self.encryption, kms_key: self.kms_key.clone() }
    }

    /// The address of a path behind the CDN; each segment is percent-encoded.
    ///
    /// # Errors
    /// When the workspace's CDN is no address.
    pub fn cdn_url(&self, key: &str) -> Result<url::Url> {
        let mut url = url::Url::parse(&self.cdn).map_err(|error| self.invalid("CDN domain", &error))?;
        url.path_segments_mut()
            .map_err(|()| self.invalid("CDN domain", &"not an address"))?
            .clear()
            .extend(key.split('/').filter(|segment| !segment.is_empty()));
        Ok(url)
    }

    /// The address that this workspace's CDN has for one of a video's: the path is the catalog's, the domain the
    /// workspace's.
    ///
    /// # Errors
    /// When the workspace's CDN is no address.
    pub fn address(&self, stored: &str) -> Result<url::Url> {
        let key = stored.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or(stored, |(_, key)| key);
        self.cdn_url(key)
    }

    fn invalid(&self, field: &str, reason: &dyn std::fmt::Display) -> Error {
        Error::new(
            Code::Invalid,
            format!("The {field} of the workspace \"{}\" is not usable: {reason}.", self.name),
            "Correct it on the Workspace screen.",
        )
    }

    /// Without spaces around its values, and with a CDN that is an address: people copy both from elsewhere.
    #[must_use]
    pub fn tidied(mut self) -> Self {
        for field in [
            &mut self.name,
            &mut self.connection.region,
            &mut self.source_bucket,
            &mut self.destination_bucket,
            &mut self.table,
            &mut self.cdn,
        ] {
            *field = field.trim().to_owned();
        }
        for field in [
            &mut self.connection.endpoint,
            &mut self.connection.s3_endpoint,
            &mut self.user_pool,
            &mut self.app_client,
            &mut self.role,
            &mut self.queue,
            &mut self.template,
            &mut self.kms_key,
        ] {
            *field = field.take().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        }
        self.mapping = self.mapping.map(TableMapping::tidied).filter(|mapping| *mapping != TableMapping::default());
        self.cdn = self.cdn.trim_end_matches('/').to_owned();
        if !self.cdn.is_empty() && !self.cdn.contains("://") {
            self.cdn = format!("https://{}", self.cdn);
        }
        self
    }

    /// Refuses a workspace that cannot work, naming the field.
    ///
    /// # Errors
    /// [`Code::Invalid`] with the field and what is wrong with it.
    pub fn check(&self) -> Result<()> {
        for (field, value) in [
            ("name", &self.name),
            ("region", &self.connection.region),
            ("source bucket", &self.source_bucket),
            ("destination bucket", &self.destination_bucket),
            ("table", &self.table),
        ] {
            if value.trim().is_empty() {
                return Err(self.invalid(field, &"it is empty"));
            }
            if value.contains(char::is_control) {
                return Err(self.invalid(field, &"it has characters that cannot be shown"));
            }
            if value.contains(char::is_whitespace) && field != "name" {
                return Err(self.invalid(field, &"it has spaces"));
            }
        }
        if self.name == SANDBOX && !self.is_sandbox() {
            return Err(self.invalid("name", &"\"sandbox\" is taken by the sandbox"));
        }
        if self.connection.transfer_acceleration && self.source_bucket.contains('.') {
            return Err(self.invalid("source bucket", &"S3 Transfer Acceleration takes no name with dots"));
        }
        self.cdn_url("")?;
        self.mapping.as_ref().map_or(Ok(()), TableMapping::check)?;
        for (field, endpoint) in
            [("endpoint", &self.connection.endpoint), ("S3 endpoint", &self.connection.s3_endpoint)]
        {
            if let Some(endpoint) = endpoint {
                let url = url::Url::parse(endpoint).map_err(|error| self.invalid(field, &error))?;
                if !url.username().is_empty() || url.password().is_some() {
                    return Err(self.invalid(field, &"it has a name or password in it"));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::connection::credentials::CredentialsSource;

    pub(crate) fn workspace(name: &str) -> Workspace {
        Workspace {
            name: name.into(),
            color: Color::Red,
            connection: Connection {
                region: "eu-central-1".into(),
                credentials: CredentialsSource::Profile { name: "media".into() },
                endpoint: None,
                s3_endpoint: None,
                fips: false,
                dual_stack: false,
                transfer_acceleration: false,
            },
            account: Some("123456789012".into()),
            stack: None,
            source_bucket: "src".into(),
            destination_bucket: "dst".into(),
            table: "vod".into(),
            cdn: "https://d1.example.net".into(),
            user_pool: Some("eu-central-1_pool".into()),
            app_client: None,
            role: None,
            queue: None,
            template: None,
            encryption: EncryptionHeader::None,
            kms_key: None,
            playback: PlaybackAccess::Cdn,
            mapping: None,
            mode: IngestMode::Pipeline {
                trigger: Trigger::VideoFile,
                frame_capture: true,
                acceleration: Acceleration::Preferred,
            },
        }
    }

    #[test]
    fn wrong_fields_are_named() {
        let mut wrong = workspace("production");
        wrong.source_bucket = " ".into();
        assert!(wrong.check().unwrap_err().message.contains("source bucket"));
        let mut wrong = workspace("production");
        wrong.cdn = "d1.example.net".into();
        assert!(wrong.check().unwrap_err().message.contains("CDN domain"));
        let mut wrong = workspace("production");
        wrong.connection.s3_endpoint = Some("localhost".into());
        assert!(wrong.check().unwrap_err().message.contains("S3 endpoint"));
    }

    #[test]
    fn transfer_acceleration_is_of_aws_itself() {
        let refused = |change: fn(&mut Workspace)| {
            let mut one = workspace("production");
            one.connection.transfer_acceleration = true;
            change(&mut one);
            one.connection.check().and_then(|()| one.check()).map_err(|error| error.message)
        };
        assert_eq!(refused(|_| {}), Ok(()));
        assert!(refused(|one| one.connection.s3_endpoint = Some("https://s3.example.net".into())).is_err());
        assert!(refused(|one| one.connection.endpoint = Some("http://127.0.0.1:9000".into())).is_err());
        assert!(refused(|one| one.connection.fips = true).unwrap_err().contains("FIPS"));
        assert!(refused(|one| one.source_bucket = "masters.example".into()).unwrap_err().contains("dots"));
    }

    #[test]
    fn what_people_copy_is_tidied() {
        let mut copied = workspace(" production ");
        copied.cdn = " d1.example.net/ ".into();
        copied.queue = Some("  ".into());
        let tidied = copied.tidied();
        assert_eq!((&*tidied.name, &*tidied.cdn, tidied.queue), ("production", "https://d1.example.net", None));
    }

    #[test]
    fn addresses_are_encoded() {
        let url = workspace("x").cdn_url("guid/hls/my movie#1.m3u8").unwrap();
        assert_eq!(url.as_str(), "https://d1.example.net/guid/hls/my%20movie%231.m3u8");
    }
}
