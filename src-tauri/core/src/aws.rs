//! The clients of one connection.

mod encryption;

use std::time::Duration;

use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::region::ProfileFileRegionProvider;
use aws_config::{Region, SdkConfig};
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{RequestChecksumCalculation, StalledStreamProtectionConfig};

pub use self::encryption::{Encryption, EncryptionHeader};
use crate::Result;
use crate::connection::credentials::provider;
use crate::connection::{Connection, ProfileFiles, configuration};

/// The clients of one connection; cheap to clone.
#[derive(Clone)]
pub struct Aws {
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// S3, for the bytes of uploads: through Transfer Acceleration where the connection wants that.
    pub transfer: aws_sdk_s3::Client,
    /// DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// MediaConvert.
    pub mediaconvert: aws_sdk_mediaconvert::Client,
    /// Cognito user pools.
    pub cognito: aws_sdk_cognitoidentityprovider::Client,
    /// CloudFormation.
    pub cloudformation: aws_sdk_cloudformation::Client,
    /// CloudFront.
    pub cloudfront: aws_sdk_cloudfront::Client,
    /// The security token service.
    pub sts: aws_sdk_sts::Client,
}

impl Aws {
    /// Makes the clients; asks nothing of AWS yet.
    ///
    /// # Errors
    /// When the credentials have to be given first, or `AWS_CA_BUNDLE` names no file that can be read.
    pub async fn connect(connection: &Connection) -> Result<Self> {
        connection.check()?;
        let mut loader = configuration(connection.is_sandbox())
            .await?
            .region(Region::new(connection.region.clone()))
            .retry_config(RetryConfig::standard().with_max_attempts(4))
            .timeout_config(timeouts());
        // What is not set here may still be by the environment.
        if connection.fips {
            loader = loader.use_fips(true);
        }
        if connection.dual_stack {
            loader = loader.use_dual_stack(true);
        }
        loader = provider(connection, loader).await?;
        if let Some(endpoint) = &connection.endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        let config = loader.load().await;
        let s3 = s3(&config, connection.s3_endpoint.as_deref());
        Ok(Self {
            transfer: if connection.transfer_acceleration { accelerated(&s3) } else { s3.clone() },
            s3,
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            mediaconvert: aws_sdk_mediaconvert::Client::new(&config),
            cognito: aws_sdk_cognitoidentityprovider::Client::new(&config),
            cloudformation: aws_sdk_cloudformation::Client::new(&config),
            cloudfront: aws_sdk_cloudfront::Client::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
        })
    }

    /// An S3 client with what the usual environment of AWS tools says: `AWS_PROFILE`, `AWS_REGION`,
    /// `AWS_ENDPOINT_URL` and so on, and the files that they name. Nothing is asked of AWS yet.
    ///
    /// # Errors
    /// When `AWS_CA_BUNDLE` names no file that can be read.
    pub async fn s3_of_environment() -> Result<aws_sdk_s3::Client> {
        // Not the metadata service of EC2: elsewhere it is a wait for nothing.
        let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
            .or_else(ProfileFileRegionProvider::builder().profile_files(ProfileFiles::read().await.files).build())
            .or_else(Region::new("us-east-1"));
        let config = configuration(false).await?.region(region).timeout_config(timeouts()).load().await;
        Ok(s3(&config, None))
    }
}

/// How long a connection may take.
const CONNECTS_WITHIN: Duration = Duration::from_secs(5);
/// How long AWS may take for the head of an answer. It counts from the request's first byte.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECTS_WITHIN).read_timeout(ANSWERS_WITHIN).build()
}

/// For requests that carry a file's bytes: how long they take is the line's matter.
pub(crate) fn without_deadline() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECTS_WITHIN).disable_read_timeout().build()
}

/// S3 has an endpoint of its own with S3-compatible services. Other endpoints than AWS's know buckets by path only.
fn s3(config: &SdkConfig, endpoint: Option<&str>) -> aws_sdk_s3::Client {
    let is_aws =
        endpoint.is_none() && config.endpoint_url().is_none() && std::env::var_os("AWS_ENDPOINT_URL_S3").is_none();
    let mut s3 = aws_sdk_s3::config::Builder::from(config)
        .force_path_style(!is_aws)
        // The checksums that matter are given by the upload room itself.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .stalled_stream_protection(
            StalledStreamProtectionConfig::enabled().grace_period(Duration::from_secs(20)).build(),
        );
    if let Some(endpoint) = endpoint {
        s3 = s3.endpoint_url(endpoint);
    }
    aws_sdk_s3::Client::from_conf(s3.build())
}

/// The same through Transfer Acceleration.
pub(crate) fn accelerated(s3: &aws_sdk_s3::Client) -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::from_conf(s3.config().to_builder().accelerate(true).build())
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::presigning::PresigningConfig;

    use super::*;
    use crate::connection::credentials::CredentialsSource;

    async fn check(change: impl Fn(&mut Connection), expected: &str) {
        let mut connection = Connection {
            region: "us-east-1".into(),
            credentials: CredentialsSource::Sandbox,
            endpoint: None,
            s3_endpoint: None,
            fips: false,
            dual_stack: false,
            transfer_acceleration: false,
        };
        change(&mut connection);
        let aws = Aws::connect(&connection).await.unwrap();
        let get = aws.s3.get_object().bucket("masters").key("a.mov");
        let signed = get.presigned(PresigningConfig::expires_in(Duration::from_secs(9)).unwrap()).await.unwrap();
        assert!(signed.uri().starts_with(expected), "{}", signed.uri());
    }

    #[tokio::test]
    async fn bytes_go_through_the_accelerated_endpoint() {
        for (dual_stack, expected) in [(false, ""), (true, ".dualstack")] {
            let connection = Connection {
                region: "eu-central-1".into(),
                credentials: CredentialsSource::Sandbox,
                endpoint: None,
                s3_endpoint: None,
                fips: false,
                dual_stack,
                transfer_acceleration: true,
            };
            let aws = Aws::connect(&connection).await.unwrap();
            let signing = || PresigningConfig::expires_in(Duration::from_secs(9)).unwrap();
            let part = aws.transfer.upload_part().bucket("masters").key("a.mov").part_number(1).upload_id("u");
            let part = part.presigned(signing()).await.unwrap();
            let accelerated = format!("https://masters.s3-accelerate{expected}.amazonaws.com/a.mov");
            assert!(part.uri().starts_with(&accelerated), "{}", part.uri());
            // Questions go the short way.
            let head = aws.s3.head_object().bucket("masters").key("a.mov").presigned(signing()).await.unwrap();
            assert!(!head.uri().contains("accelerate"), "{}", head.uri());
        }
    }

    #[tokio::test]
    async fn endpoints_are_those_of_the_connection() {
        check(|_| {}, "https://masters.s3.us-east-1.amazonaws.com/a.mov").await;
        check(|it| it.fips = true, "https://masters.s3-fips.us-east-1.amazonaws.com/a.mov").await;
        check(|it| it.dual_stack = true, "https://masters.s3.dualstack.us-east-1.amazonaws.com/a.mov").await;
        let local = "http://127.0.0.1:9000";
        check(|it| it.endpoint = Some(local.into()), "http://127.0.0.1:9000/masters/a.mov").await;
        check(|it| it.s3_endpoint = Some(local.into()), "http://127.0.0.1:9000/masters/a.mov").await;
    }
}
