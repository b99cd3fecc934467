//! How the files of a stream are read: from the CDN, or straight from the destination bucket.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use percent_encoding::percent_decode_str;
use reqwest::Method;
use reqwest::header::{COOKIE, HeaderValue, RANGE};
use url::Url;

use crate::http::plain_client;
use crate::workspace::{PlaybackAccess, Workspace};
use crate::{Code, Error, Result};

/// A request that was signed for one file is good for so long.
const SIGNED_FOR: Duration = Duration::from_secs(60);

/// Reads what addresses name; cheap to clone.
#[derive(Clone)]
pub struct Access {
    http: reqwest::Client,
    bucket: Option<Bucket>,
    cookies: Option<Cookies>,
}

/// Signed cookies, and where they are for.
#[derive(Clone)]
struct Cookies {
    site: Url,
    header: HeaderValue,
}

/// A bucket in the place of the CDN before it.
#[derive(Clone)]
struct Bucket {
    s3: aws_sdk_s3::Client,
    name: String,
    cdn: Url,
}

impl Access {
    /// As the web gives them, to anyone.
    #[must_use]
    pub fn of_web(http: reqwest::Client) -> Self {
        Self { http, bucket: None, cookies: None }
    }

    /// As a site gives them to those who have its signed cookies (`name=value; name=value`).
    ///
    /// # Errors
    /// When they are no cookies.
    pub(crate) fn of_viewer(http: reqwest::Client, site: Url, cookies: &str) -> Result<Self> {
        let mut header = HeaderValue::from_str(cookies).map_err(Error::internal)?;
        header.set_sensitive(true);
        Ok(Self { http, bucket: None, cookies: Some(Cookies { site, header }) })
    }

    /// As a workspace says.
    ///
    /// # Errors
    /// When the workspace's CDN is no address, or `AWS_CA_BUNDLE` names no file that can be read.
    pub fn of(workspace: &Workspace, s3: &aws_sdk_s3::Client) -> Result<Self> {
        let bucket = match workspace.playback {
            PlaybackAccess::Cdn => None,
            PlaybackAccess::Bucket => {
                Some(Bucket { s3: s3.clone(), name: workspace.destination_bucket.clone(), cdn: workspace.cdn_url("")? })
            }
        };
        Ok(Self { http: plain_client(workspace.is_sandbox())?, bucket, cookies: None })
    }

    /// Asks for a file, or a range of it.
    ///
    /// # Errors
    /// [`Code::Network`] when nobody answers; an answer that refuses is an answer.
    pub async fn get(&self, method: Method, url: &Url, range: Option<&HeaderValue>) -> Result<reqwest::Response> {
        let signed = match &self.bucket {
            Some(bucket) if bucket.cdn.origin() == url.origin() => bucket.sign(&method, url).await?,
            _ => url.clone(),
        };
        let mut request = self.http.request(method, signed);
        if let Some(cookies) = self.cookies.as_ref().filter(|cookies| cookies.site.origin() == url.origin()) {
            request = request.header(COOKIE, cookies.header.clone());
        }
        if let Some(range) = range {
            request = request.header(RANGE, range);
        }
        // The address that was asked is signed, and no one's business.
        request.send().await.map_err(|error| crate::explain::unreachable(url.as_str(), &error.without_url()))
    }
}

impl Bucket {
    /// The address of the object that the CDN has at this one.
    async fn sign(&self, method: &Method, url: &Url) -> Result<Url> {
        let key = percent_decode_str(url.path().trim_start_matches('/')).decode_utf8_lossy();
        let ends = PresigningConfig::expires_in(SIGNED_FOR).map_err(Error::internal)?;
        let signed = match *method {
            Method::HEAD => {
                let head = self.s3.head_object().bucket(&self.name).key(&*key).presigned(ends).await;
                head.map_err(|error| refused(&error))?
            }
            _ => {
                let get = self.s3.get_object().bucket(&self.name).key(&*key).presigned(ends).await;
                get.map_err(|error| refused(&error))?
            }
        };
        Url::parse(signed.uri()).map_err(Error::internal)
    }
}

/// Nothing was asked yet: only the credentials can be missing.
fn refused(error: &dyn std::error::Error) -> Error {
    Error::new(Code::SignIn, "The video cannot be read without a sign-in.", "Sign in again.")
        .with_details(aws_smithy_types::error::display::DisplayErrorContext(error))
}
