//! A bucket of AWS that is far away: an emulator under the names of AWS, with Transfer Acceleration.

use std::time::Duration;

use anyhow::{Result, ensure};
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{AccelerateConfiguration, BucketAccelerateStatus};

use crate::{AwsNames, Emulator, Reelctl, s3};

const BUCKET: &str = "masters";
/// The workspace `far`.
const WORKSPACE: &str = "version = 1
[workspace]
name = \"far\"
region = \"us-east-1\"
sourceBucket = \"masters\"
destinationBucket = \"masters\"
table = \"videos\"
cdn = \"https://d1.example.net\"
transferAcceleration = true
credentials = { kind = \"environment\" }
mode = { kind = \"pipeline\" }
";

/// The bucket, and a data folder with the workspace `far`, whose uploads are accelerated.
pub struct Far {
    /// A client of the bucket, straight to the emulator.
    pub client: Client,
    /// Who was sent how much.
    pub names: AwsNames,
    /// A command line that reaches AWS by its names.
    pub reelctl: Reelctl,
    _emulator: Emulator,
    _folder: tempfile::TempDir,
}

impl Far {
    /// The host of the bucket.
    pub const STRAIGHT: &str = "masters.s3.us-east-1.amazonaws.com";
    /// The one of its Transfer Acceleration.
    pub const ACCELERATED: &str = "masters.s3-accelerate.amazonaws.com";

    /// Starts it; each request to a host waits for so long.
    ///
    /// # Errors
    /// When the emulator does not start, or the workspace is not taken.
    pub async fn start(delay: impl Fn(&str) -> Duration + Send + Sync + 'static) -> Result<Self> {
        let (emulator, folder) = (Emulator::ministack().await?, tempfile::tempdir()?);
        let client = s3(&emulator.endpoint, "test", "test");
        client.create_bucket().bucket(BUCKET).send().await?;
        let names = AwsNames::before(&emulator.endpoint, folder.path(), delay).await?;
        let reelctl = Reelctl::new()?;
        let reelctl = Self::environment(&names).into_iter().fold(reelctl, |one, (name, value)| one.with(name, value));
        let file = folder.path().join("far.toml");
        std::fs::write(&file, WORKSPACE)?;
        let (well, lines) = reelctl.run(&["workspace", "import", &file.to_string_lossy()])?;
        ensure!(well, "{lines:#?}");
        Ok(Self { client, names, reelctl, _emulator: emulator, _folder: folder })
    }

    /// What leads to it.
    #[must_use]
    pub fn environment(names: &AwsNames) -> [(&'static str, String); 5] {
        [
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_CA_BUNDLE", names.ca.to_string_lossy().into_owned()),
            ("HTTPS_PROXY", names.proxy.clone()),
            ("NO_PROXY", String::new()),
        ]
    }

    /// Sets its Transfer Acceleration.
    ///
    /// # Errors
    /// When the emulator refuses.
    pub async fn set(&self, status: BucketAccelerateStatus) -> Result<()> {
        let configuration = AccelerateConfiguration::builder().status(status).build();
        let put = self.client.put_bucket_accelerate_configuration().bucket(BUCKET);
        put.accelerate_configuration(configuration).send().await?;
        Ok(())
    }

    /// Objects and unfinished uploads in it.
    ///
    /// # Errors
    /// When the emulator refuses.
    pub async fn left(&self) -> Result<(usize, usize)> {
        let objects = self.client.list_objects_v2().bucket(BUCKET).send().await?;
        let uploads = self.client.list_multipart_uploads().bucket(BUCKET).send().await?;
        Ok((objects.contents().len(), uploads.uploads().len()))
    }
}
