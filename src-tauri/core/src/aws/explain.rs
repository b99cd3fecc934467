//! The clients, and what their errors mean.

use std::path::Path;
use std::time::{Duration, SystemTime};

use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::region::ProfileFileRegionProvider;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{RequestChecksumCalculation, StalledStreamProtectionConfig};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use crate::workspace::{CredentialsSource, Workspace};
use crate::{Code, Error, Result};

/// The clients of one workspace; cheap to clone.
#[derive(Clone)]
pub struct Aws {
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// MediaConvert.
    pub mediaconvert: aws_sdk_mediaconvert::Client,
}

impl Aws {
    /// Makes the clients; asks nothing of AWS yet.
    ///
    /// # Errors
    /// When `AWS_CA_BUNDLE` names no file that can be read.
    pub async fn connect(workspace: &Workspace) -> Result<Self> {
        let mut loader = configuration()?
            .region(Region::new(workspace.region.clone()))
            .retry_config(RetryConfig::standard().with_max_attempts(4))
            .timeout_config(timeouts());
        loader = match &workspace.credentials {
            CredentialsSource::Sandbox => {
                let keys = reeldesk_sandbox::Credentials::default();
                loader.credentials_provider(aws_credential_types::Credentials::from_keys(
                    keys.access_key_id,
                    keys.secret_access_key,
                    None,
                ))
            }
            CredentialsSource::Profile { name } => loader.profile_name(name),
        };
        if let Some(endpoint) = &workspace.endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        Ok(Self::with(&loader.load().await, workspace.endpoint.is_some()))
    }

    /// An S3 client with what the usual environment of AWS tools says: `AWS_PROFILE`, `AWS_REGION`,
    /// `AWS_ENDPOINT_URL` and so on, and the files that they name. Nothing is asked of AWS yet.
    ///
    /// # Errors
    /// When `AWS_CA_BUNDLE` names no file that can be read.
    pub async fn s3_of_environment() -> Result<aws_sdk_s3::Client> {
        // Not the metadata service of EC2: elsewhere it is a wait for nothing.
        let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
            .or_else(ProfileFileRegionProvider::new())
            .or_else(Region::new("us-east-1"));
        let config = configuration()?.region(region).timeout_config(timeouts()).load().await;
        let own_endpoint = config.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
        Ok(s3(&config, own_endpoint))
    }

    fn with(config: &SdkConfig, path_style: bool) -> Self {
        Self {
            s3: s3(config, path_style),
            dynamodb: aws_sdk_dynamodb::Client::new(config),
            mediaconvert: aws_sdk_mediaconvert::Client::new(config),
        }
    }
}

/// The defaults, and the certificates of `AWS_CA_BUNDLE` beside those of the system: the SDK for Rust does not read it.
fn configuration() -> Result<ConfigLoader> {
    let defaults = aws_config::defaults(BehaviorVersion::latest());
    let Some(path) = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) else { return Ok(defaults) };
    let pem = std::fs::read(&path).map_err(|error| {
        Error::new(
            Code::Invalid,
            format!("The certificates of AWS_CA_BUNDLE cannot be read: {}.", Path::new(&path).display()),
            "Name a PEM file that is there, or take the variable away.",
        )
        .with_details(error)
    })?;
    let trusted = TrustStore::default().with_pem_certificate(pem);
    let tls = TlsContext::builder().with_trust_store(trusted).build().map_err(Error::internal)?;
    let client = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(tls)
        .build_https();
    Ok(defaults.http_client(client))
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(Duration::from_secs(5)).read_timeout(Duration::from_secs(60)).build()
}

fn s3(config: &SdkConfig, path_style: bool) -> aws_sdk_s3::Client {
    let s3 = aws_sdk_s3::config::Builder::from(config)
        .force_path_style(path_style)
        // The checksums that matter are given by the upload room itself.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .stalled_stream_protection(
            StalledStreamProtectionConfig::enabled().grace_period(Duration::from_secs(20)).build(),
        )
        .build();
    aws_sdk_s3::Client::from_conf(s3)
}

/// A clock that is off by less is none to blame. AWS bears 5 minutes with most services, 15 with S3.
const CLOCK_MAY_BE_OFF: Duration = Duration::from_secs(5 * 60);

/// Whether this computer's clock is far from that of the server.
fn clock_is_off(response: &HttpResponse) -> bool {
    let told = response.headers().get("date").and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
    let Some(told) = told.and_then(|told| SystemTime::try_from(told).ok()) else { return false };
    let now = SystemTime::now();
    now.duration_since(told).or_else(|_| told.duration_since(now)).is_ok_and(|off| off > CLOCK_MAY_BE_OFF)
}

/// What an answer without a body means, as those to HEAD are.
fn code_of_status(status: u16) -> &'static str {
    match status {
        403 => "AccessDenied",
        404 => "NotFound",
        _ => "",
    }
}

/// Whether there is an error of this kind behind an error.
fn has_cause<C: std::error::Error + 'static>(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<C>())
}

/// Says what an SDK error means, `doing` something (as in "The file could not be sent").
pub fn explain<E>(doing: &str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let response = error.raw_response();
    let clock_is_off = response.is_some_and(clock_is_off);
    let of_status = response.map_or("", |response| code_of_status(response.status().as_u16()));
    let code = error.code().unwrap_or(of_status).to_owned();
    let said = error.message().unwrap_or_default().to_owned();
    let offline = match &error {
        // An answer that is cut off is none.
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        // Missing credentials are a failure to dispatch too, but none of a kind that passes.
        SdkError::DispatchFailure(failure) => failure.is_io() || failure.is_timeout() || failure.as_other().is_some(),
        _ => false,
    };
    let no_credentials = has_cause::<CredentialsError>(&error);
    let details = DisplayErrorContext(error).to_string();
    let clock = || {
        (
            Code::Clock,
            "this computer's clock is wrong by minutes".to_owned(),
            "Set the clock right; what waits goes on by itself.",
        )
    };
    let (class, reason, remedy) = match code.as_str() {
        _ if offline && !no_credentials => (
            Code::Network,
            "AWS did not answer".to_owned(),
            "Check the network connection; the work goes on by itself when AWS answers again.",
        ),
        "RequestTimeTooSkewed" => clock(),
        // What a wrong clock looks like elsewhere.
        "AccessDenied" | "InvalidSignatureException" | "SignatureDoesNotMatch" if clock_is_off => clock(),

        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException"
        | "InvalidSignatureException" => (
            Code::SignIn,
            "AWS did not accept the credentials".to_owned(),
            "Sign in again (for a profile: aws sso login, or new keys), then retry.",
        ),
        "AccessDenied" | "AccessDeniedException" | "ForbiddenException" | "AllAccessDisabled" => (
            Code::AccessDenied,
            "your AWS account may not do this".to_owned(),
            "Send the details to the engineer who set up the account.",
        ),
        "NoSuchBucket" | "NoSuchKey" | "NotFound" | "ResourceNotFoundException" | "NotFoundException" => (
            Code::NotFound,
            "it does not exist in this AWS account and region".to_owned(),
            "Check the names in the workspace.",
        ),
        "SlowDown" | "TooManyRequestsException" | "ThrottlingException" | "ProvisionedThroughputExceededException" => {
            (Code::Throttled, "AWS asked to slow down".to_owned(), "Reeldesk waits and tries again by itself.")
        }
        "InternalError"
        | "InternalFailure"
        | "InternalServerErrorException"
        | "ServiceUnavailable"
        | "RequestTimeout" => {
            (Code::Throttled, "AWS failed for a moment".to_owned(), "Reeldesk waits and tries again by itself.")
        }
        "BadDigest" | "InvalidDigest" | "XAmzContentChecksumMismatch" | "IncompleteBody" => (
            Code::Integrity,
            "the bytes did not arrive as they left".to_owned(),
            "Retry; if it happens again, a device on the line (a proxy, a VPN) changes what passes.",
        ),
        _ if no_credentials => (
            Code::SignIn,
            "there are no AWS credentials".to_owned(),
            "Choose a profile in the workspace, or sign in, then retry.",
        ),
        _ => (
            Code::Internal,
            if said.is_empty() { "AWS refused it".to_owned() } else { said },
            "Retry; if it happens again, send the details to the engineer who set up the account.",
        ),
    };
    Error::new(class, format!("{doing}: {reason}."), remedy).with_details(details)
}
