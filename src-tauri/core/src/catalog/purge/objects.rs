//! Counting and deleting objects of a bucket, with their versions where the bucket keeps them.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use tokio_util::sync::CancellationToken;

use crate::explain::explain;
use crate::{Code, Error, Result};

/// What is wanted of a bucket.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// All below a prefix, but what is below another one.
    Below { prefix: String, but: Option<String> },
    /// One key.
    Key(String),
}

impl Wanted {
    /// What S3 is asked to list by.
    pub fn prefix(&self) -> &str {
        match self {
            Self::Below { prefix, .. } => prefix,
            Self::Key(key) => key,
        }
    }

    fn includes(&self, key: &str) -> bool {
        match self {
            Self::Below { prefix, but } => {
                key.starts_with(prefix.as_str()) && !but.as_ref().is_some_and(|but| key.starts_with(but.as_str()))
            }
            Self::Key(only) => key == only,
        }
    }

    /// Where it is, as people read it.
    pub fn address(&self, bucket: &str) -> String {
        format!("s3://{bucket}/{}", self.prefix())
    }
}

/// What there is, or what went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    pub objects: usize,
    pub bytes: u64,
    /// Those that are not the newest, and the marks of deleted ones; none where they may not be listed.
    pub versions: Option<usize>,
    pub version_bytes: u64,
}

impl Default for Counted {
    fn default() -> Self {
        Self { objects: 0, bytes: 0, versions: Some(0), version_bytes: 0 }
    }
}

impl Counted {
    fn add(&mut self, found: &Found) {
        if found.is_object {
            self.objects += 1;
            self.bytes += found.bytes;
        } else {
            self.versions = self.versions.map(|versions| versions + 1);
            self.version_bytes += found.bytes;
        }
    }
}

/// An object, or a version of one.
struct Found {
    key: String,
    /// None where the bucket is listed without versions.
    version: Option<String>,
    bytes: u64,
    /// It is what a reader gets.
    is_object: bool,
}

/// Where a listing goes on.
#[derive(Clone)]
enum After {
    Version { key: Option<String>, version: Option<String> },
    Token(String),
}

pub(super) struct Bucket<'a> {
    s3: &'a aws_sdk_s3::Client,
    name: &'a str,
}

impl<'a> Bucket<'a> {
    pub fn new(s3: &'a aws_sdk_s3::Client, name: &'a str) -> Self {
        Self { s3, name }
    }

    /// What there is.
    pub async fn count(&self, wanted: &Wanted) -> Result<Counted> {
        let (mut counted, mut after) = (Counted::default(), None);
        loop {
            let (found, next) = self.page(wanted, after, false).await?;
            found.iter().for_each(|found| counted.add(found));
            if matches!(next, Some(After::Token(_))) || found.iter().any(|found| found.version.is_none()) {
                counted.versions = None;
            }
            after = next;
            if after.is_none() {
                return Ok(counted);
            }
        }
    }

    /// Whether it can be listed.
    pub async fn look(&self, wanted: &Wanted, with_versions: bool) -> Result<()> {
        self.page(wanted, None, with_versions).await.map(drop)
    }

    /// Deletes it, page by page; with versions nothing of it is left, without them a bucket that keeps versions keeps them.
    pub async fn delete(&self, wanted: &Wanted, with_versions: bool, stop: &CancellationToken) -> Result<Counted> {
        let (mut counted, mut after) = (Counted::default(), None);
        loop {
            if stop.is_cancelled() {
                return Err(Error::new(Code::Canceled, "It was stopped.", "Go on when you like."));
            }
            let (found, next) = self.page(wanted, after, with_versions).await?;
            let found: Vec<_> = found.into_iter().filter(|found| with_versions || found.is_object).collect();
            if !found.is_empty() {
                self.delete_page(&found, with_versions).await?;
            }
            found.iter().for_each(|found| counted.add(found));
            after = next;
            if after.is_none() {
                return Ok(counted);
            }
        }
    }

    async fn delete_page(&self, found: &[Found], with_versions: bool) -> Result<()> {
        let identifier = |found: &Found| {
            let version = found.version.clone().filter(|_| with_versions);
            ObjectIdentifier::builder().key(&found.key).set_version_id(version).build()
        };
        let objects = found.iter().map(identifier).collect::<Result<Vec<_>, _>>().map_err(Error::internal)?;
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build().map_err(Error::internal)?;
        let answer = self.s3.delete_objects().bucket(self.name).delete(delete).send().await;
        let answer =
            answer.map_err(|error| explain(&format!("Objects of {} could not be deleted", self.name), error))?;
        // Some may stay although the request went well: what is locked, or may not be deleted.
        let Some(first) = answer.errors.unwrap_or_default().into_iter().next() else { return Ok(()) };
        let key = first.key().unwrap_or_default();
        let (code, remedy) = match first.code() {
            Some("AccessDenied") => {
                (Code::Invalid, "It may be locked (Object Lock), or you may not delete it: ask your engineer.")
            }
            Some("SlowDown" | "InternalError" | "ServiceUnavailable") => (Code::Throttled, "Try again."),
            _ => (Code::Invalid, "Ask your engineer with the details."),
        };
        let details = format!("{} {}", first.code().unwrap_or_default(), first.message().unwrap_or_default());
        let what = format!("s3://{}/{key} could not be deleted.", self.name);
        Err(Error::new(code, what, remedy).with_details(details))
    }

    /// A page, with versions where they may be listed; where they are wanted they have to be.
    async fn page(
        &self,
        wanted: &Wanted,
        after: Option<After>,
        with_versions: bool,
    ) -> Result<(Vec<Found>, Option<After>)> {
        match after {
            Some(After::Token(token)) => self.objects(wanted, Some(token)).await,
            None => match self.versions(wanted, None, None).await {
                Err(Unlisted::Denied(error)) if with_versions => Err(error),
                Err(Unlisted::Versions | Unlisted::Denied(_)) => self.objects(wanted, None).await,
                Err(Unlisted::Failed(error)) => Err(error),
                Ok(page) => Ok(page),
            },
            Some(After::Version { key, version }) => match self.versions(wanted, key, version).await {
                Err(Unlisted::Versions) => Err(Error::internal("versions could be listed, and then not")),
                Err(Unlisted::Denied(error) | Unlisted::Failed(error)) => Err(error),
                Ok(page) => Ok(page),
            },
        }
    }

    async fn versions(
        &self,
        wanted: &Wanted,
        key: Option<String>,
        version: Option<String>,
    ) -> Result<(Vec<Found>, Option<After>), Unlisted> {
        let list = self.s3.list_object_versions().bucket(self.name).prefix(wanted.prefix());
        let answer =
            list.set_key_marker(key).set_version_id_marker(version).send().await.map_err(|error| {
                match error.code() {
                    Some("NotImplemented" | "MethodNotAllowed") => Unlisted::Versions,
                    Some("AccessDenied") => Unlisted::Denied(explain(
                        &format!(
                            "The versions in {} could not be listed; without that right only the newest can go",
                            self.name
                        ),
                        error,
                    )),
                    _ => Unlisted::Failed(explain(&format!("The bucket {} could not be listed", self.name), error)),
                }
            })?;
        let next = answer.is_truncated.unwrap_or(false).then(|| After::Version {
            key: answer.next_key_marker.clone(),
            version: answer.next_version_id_marker.clone(),
        });
        let versions = answer.versions.unwrap_or_default().into_iter().filter_map(|version| {
            let bytes = u64::try_from(version.size.unwrap_or(0)).unwrap_or(0);
            let is_object = version.is_latest.unwrap_or(true);
            Some(Found { key: version.key?, version: version.version_id, bytes, is_object })
        });
        let markers = answer.delete_markers.unwrap_or_default().into_iter().filter_map(|marker| {
            Some(Found { key: marker.key?, version: marker.version_id, bytes: 0, is_object: false })
        });
        Ok((versions.chain(markers).filter(|found| wanted.includes(&found.key)).collect(), next))
    }

    async fn objects(&self, wanted: &Wanted, token: Option<String>) -> Result<(Vec<Found>, Option<After>)> {
        let list = self.s3.list_objects_v2().bucket(self.name).prefix(wanted.prefix());
        let answer = list.set_continuation_token(token).send().await;
        let answer =
            answer.map_err(|error| explain(&format!("The bucket {} could not be listed", self.name), error))?;
        let next = answer.next_continuation_token.map(After::Token);
        let objects = answer.contents.unwrap_or_default().into_iter().filter_map(|object| {
            let bytes = u64::try_from(object.size.unwrap_or(0)).unwrap_or(0);
            Some(Found { key: object.key?, version: None, bytes, is_object: true })
        });
        Ok((objects.filter(|found| wanted.includes(&found.key)).collect(), next))
    }
}

/// Why versions were not listed.
enum Unlisted {
    /// The server does not know them.
    Versions,
    /// They may not be listed.
    Denied(Error),
    Failed(Error),
}
