//! What the errors of AWS mean.

use std::time::{Duration, SystemTime};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use crate::{Code, Error};

/// A clock that is off by less is none to blame. AWS bears 5 minutes with most services, 15 with S3.
const CLOCK_MAY_BE_OFF: Duration = Duration::from_secs(5 * 60);

/// How far this computer's clock is from a date header.
pub fn clock_offset(date: &str) -> Option<Duration> {
    let told = SystemTime::try_from(DateTime::from_str(date, Format::HttpDate).ok()?).ok()?;
    let now = SystemTime::now();
    now.duration_since(told).or_else(|_| told.duration_since(now)).ok()
}

fn clock_is_off(response: &HttpResponse) -> bool {
    response.headers().get("date").and_then(clock_offset).is_some_and(|off| off > CLOCK_MAY_BE_OFF)
}

/// Whether a page for people answered: a proxy, or the sign-in page of a network.
fn is_page(response: &HttpResponse) -> bool {
    response.headers().get("content-type").is_some_and(|kind| kind.starts_with("text/html"))
}

/// Says that an address which is no AWS service could not be read.
pub fn unreachable(address: &str, error: &reqwest::Error) -> Error {
    let host = url::Url::parse(address).ok().and_then(|url| url.host_str().map(str::to_owned));
    Error::new(
        Code::Network,
        format!("{} did not answer.", host.as_deref().unwrap_or(address)),
        "Check the network connection, and HTTPS_PROXY if you use a proxy.",
    )
    .with_details(DisplayErrorContext(error))
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

/// What the first cause of an error says, in a line; none where it says no more than that there is one.
fn deepest(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let causes: Vec<_> = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect();
    let why = causes.last()?.lines().next()?.trim_end_matches('.').to_owned();
    // That the chain of providers has none says no more.
    (causes.len() > 2 && !why.is_empty() && !why.contains("chain")).then_some(why)
}

/// Says what an SDK error means, `doing` something (as in "The file could not be sent").
pub fn explain<E>(doing: &str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let response = error.raw_response();
    let clock_is_off = response.is_some_and(clock_is_off);
    let is_page = response.is_some_and(is_page);
    let of_status = response.map_or("", |response| code_of_status(response.status().as_u16()));
    let code = error.code().unwrap_or(of_status).to_owned();
    let said = error.message().unwrap_or_default().to_owned();
    // What it does not know (501, 505) it will not know the next time.
    let is_down = response.is_some_and(|response| matches!(response.status().as_u16(), 500 | 502..=504 | 506..));
    let offline = match &error {
        // An answer that is cut off is none.
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        // Missing credentials are a failure to dispatch too, but none of a kind that passes.
        SdkError::DispatchFailure(failure) => failure.is_io() || failure.is_timeout() || failure.as_other().is_some(),
        _ => false,
    };
    let no_credentials = has_cause::<CredentialsError>(&error);
    let why_none = deepest(&error).map(|why| format!(" ({why})")).unwrap_or_default();
    let details = DisplayErrorContext(error).to_string();
    let clock = || {
        (
            Code::Clock,
            "this computer's clock is wrong by minutes".to_owned(),
            "Set the clock right; what waits goes on by itself.",
        )
    };
    let (class, reason, remedy) = match code.as_str() {
        _ if is_page => (
            Code::Network,
            "instead of AWS a page answered, as proxies and sign-in pages of networks do".to_owned(),
            "Sign in to the network, or name its proxy in HTTPS_PROXY and its certificates in AWS_CA_BUNDLE.",
        ),
        _ if offline && !no_credentials => (
            Code::Network,
            "AWS did not answer".to_owned(),
            "Check the network connection; the work goes on by itself when AWS answers again.",
        ),
        "RequestTimeTooSkewed" => clock(),
        // What a wrong clock looks like elsewhere.
        "AccessDenied" | "InvalidSignatureException" | "SignatureDoesNotMatch" if clock_is_off => clock(),

        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
            (Code::SignIn, "the sign-in has expired".to_owned(), "Sign in again; what waits goes on where it stopped.")
        }
        "InvalidClientTokenId" | "InvalidAccessKeyId" | "UnrecognizedClientException" | "InvalidToken" => (
            Code::SignIn,
            "AWS does not know this access key".to_owned(),
            "Check that the key is still active and of this part of AWS, or sign in again.",
        ),
        "SignatureDoesNotMatch" | "InvalidSignatureException" => (
            Code::SignIn,
            "the secret access key does not belong to the access key".to_owned(),
            "Copy both once more from where they were made, or sign in again.",
        ),
        "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => (
            Code::Invalid,
            "the bucket is in another region than the workspace".to_owned(),
            "Check the workspace: it tells which region is the right one.",
        ),
        // S3 hands on what KMS says of the key.
        _ if code.starts_with("KMS.") => (
            Code::Invalid,
            format!("the KMS key cannot be used: {}", said.trim_end_matches('.')),
            "Correct the KMS key of the workspace (Edit, More), or ask the engineer to enable it.",
        ),
        "AccessDenied" if said.contains("explicit deny") && said.contains("s3:PutObject") => (
            Code::AccessDenied,
            "a policy of the bucket refuses it".to_owned(),
            "If the bucket wants encryption to be asked for, choose the header in the workspace: Edit, More, Encryption header.",
        ),
        // S3 says it of the key that the bucket is encrypted with.
        "AccessDenied" if said.contains("kms:") => (
            Code::AccessDenied,
            "your AWS account may not use the key that the bucket is encrypted with".to_owned(),
            "Ask the engineer to allow kms:GenerateDataKey and kms:Decrypt on that key.",
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
        "SlowDown"
        | "Throttling"
        | "TooManyRequestsException"
        | "ThrottlingException"
        | "ProvisionedThroughputExceededException" => {
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
        // In whatever words: a proxy before AWS has its own.
        _ if is_down => {
            (Code::Throttled, "AWS failed for a moment".to_owned(), "Reeldesk waits and tries again by itself.")
        }
        _ if no_credentials => (
            Code::SignIn,
            format!("there are no AWS credentials{why_none}"),
            "Choose a profile in the workspace, correct it in ~/.aws/config, or sign in, then retry.",
        ),
        _ => (
            Code::Internal,
            if said.is_empty() { "AWS refused it".to_owned() } else { said },
            "Retry; if it happens again, send the details to the engineer who set up the account.",
        ),
    };
    Error::new(class, format!("{doing}: {reason}."), remedy).with_details(details)
}
