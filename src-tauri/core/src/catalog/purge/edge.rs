//! What CloudFront still shows of a video from its edges, and forgets when it is invalidated.
//! Source: Amazon CloudFront API Reference, `ListDistributions`, `CreateInvalidation`; Developer Guide, "Quotas" (15 paths with a
//! wildcard at a time).

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_cloudfront::error::ProvideErrorMetadata as _;
use aws_sdk_cloudfront::types::{DistributionSummary, InvalidationBatch, Paths};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::explain::explain;
use crate::workspace::Workspace;
use crate::{Code, Error, Result};

/// How long it is waited where too many invalidations are in progress, and how often.
const PAUSE: Duration = Duration::from_secs(15);
const PAUSES: u32 = 40;
/// How long an answer holds for the other videos.
const KNOWN_FOR: Duration = Duration::from_secs(60);

/// When it was asked for the distribution, and what it answered.
type Known = Option<(Instant, Result<Option<String>>)>;

/// The CDN of a workspace; cheap to clone.
#[derive(Clone)]
pub(in crate::catalog) struct Edge {
    cloudfront: aws_sdk_cloudfront::Client,
    /// The name of the CDN, with a port where it has one of its own.
    host: String,
    /// What answers is no endpoint of AWS: it may know no CloudFront.
    is_elsewhere: bool,
    known: Arc<Mutex<Known>>,
}

impl Edge {
    pub fn new(cloudfront: aws_sdk_cloudfront::Client, workspace: &Workspace) -> Self {
        let host = Url::parse(&workspace.cdn).ok().and_then(|url| host_of(&url)).unwrap_or_default();
        let is_elsewhere = workspace.connection.endpoint.is_some();
        Self { cloudfront, host, is_elsewhere, known: Arc::default() }
    }

    /// The path of an address of this CDN, without the slash at its beginning; none for any other address.
    pub fn path_of(&self, address: &str) -> Option<String> {
        let url = Url::parse(address).ok().filter(|url| host_of(url).is_some_and(|host| host == self.host))?;
        Some(url.path().trim_start_matches('/').to_owned()).filter(|path| !path.is_empty())
    }

    /// Where what is below a path is shown: `d1.cloudfront.net/path/*`.
    pub fn place(&self, path: &str) -> String {
        format!("{}/{path}*", self.host)
    }

    /// The id of the distribution of the workspace's CDN; none where it is no CloudFront of this account.
    pub async fn distribution(&self) -> Result<Option<String>> {
        let mut known = self.known.lock().await;
        if let Some((_, answer)) = known.as_ref().filter(|(at, _)| at.elapsed() < KNOWN_FOR) {
            return answer.clone();
        }
        let answer = match self.find().await {
            Err(error) if self.is_elsewhere && error.code != Code::AccessDenied => Ok(None),
            answer => answer,
        };
        *known = Some((Instant::now(), answer.clone()));
        answer
    }

    async fn find(&self) -> Result<Option<String>> {
        let mut pages = self.cloudfront.list_distributions().into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| explain("The distributions of CloudFront could not be listed", error))?;
            let list = page.distribution_list.and_then(|list| list.items).unwrap_or_default();
            if let Some(found) = list.into_iter().find(|one| self.is_of(one)) {
                return Ok(Some(found.id));
            }
        }
        Ok(None)
    }

    fn is_of(&self, distribution: &DistributionSummary) -> bool {
        let names = distribution.aliases.iter().flat_map(|aliases| aliases.items());
        let mut names = names.chain(std::iter::once(&distribution.domain_name));
        !self.host.is_empty() && names.any(|name| is_name_of(name, &self.host))
    }

    /// Makes it forget what is below a path; answers whether there was a CloudFront to tell. Asked again with the same reference
    /// it is one invalidation.
    pub async fn invalidate(&self, path: &str, reference: &str, stop: &CancellationToken) -> Result<bool> {
        let Some(distribution) = self.distribution().await? else { return Ok(false) };
        let paths = Paths::builder().quantity(1).items(format!("/{path}*")).build().map_err(Error::internal)?;
        let batch = InvalidationBatch::builder().paths(paths).caller_reference(reference);
        let batch = batch.build().map_err(Error::internal)?;
        for _ in 0..PAUSES {
            let create = self.cloudfront.create_invalidation().distribution_id(&distribution);
            let error = match create.invalidation_batch(batch.clone()).send().await {
                Ok(_) => return Ok(true),
                Err(error) => error,
            };
            match error.code() {
                Some("InvalidationBatchAlreadyExists") => return Ok(true),
                Some("TooManyInvalidationsInProgress") => {}
                _ => return Err(explain("CloudFront could not be told to forget the video", error)),
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.cancelled() => return Err(Error::new(Code::Canceled, "It was stopped.", "Go on when you like.")),
            }
        }
        let what = "CloudFront has too many invalidations in progress.";
        Err(Error::new(Code::Throttled, what, "It forgets by itself in the end."))
    }
}

fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?.to_ascii_lowercase();
    Some(url.port().map_or(host.clone(), |port| format!("{host}:{port}")))
}

/// Whether a name of a distribution is that of a host; `*` stands for its first label.
fn is_name_of(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(domain) => host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(domain)),
        None => name.eq_ignore_ascii_case(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_distribution() {
        for (name, host, is_so) in [
            ("d1.cloudfront.net", "d1.cloudfront.net", true),
            ("Media.Example.com", "media.example.com", true),
            ("*.example.com", "media.example.com", true),
            ("*.example.com", "a.media.example.com", false),
            ("*.example.com", "example.com", false),
            ("d2.cloudfront.net", "d1.cloudfront.net", false),
        ] {
            assert_eq!(is_name_of(name, host), is_so, "{name} {host}");
        }
    }
}
