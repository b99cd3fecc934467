//! What CloudFront still shows of a video from its edges, and forgets when it is invalidated.
//! Source: Amazon CloudFront API Reference, `ListDistributions`, `CreateInvalidation`; Developer Guide, "Quotas" (15 invalidations
//! with a wildcard at a time).

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_cloudfront::error::ProvideErrorMetadata as _;
use aws_sdk_cloudfront::types::{DistributionSummary, InvalidationBatch, Paths};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::explain::explain;
use crate::workspace::Workspace;
use crate::{Code, Error, Result};

/// How long it is waited where too many invalidations are in progress, and how often.
const PAUSE: Duration = Duration::from_secs(15);
const PAUSES: u32 = 40;

/// The CDN of a workspace; cheap to clone.
#[derive(Clone)]
pub(in crate::catalog) struct Edge {
    cloudfront: aws_sdk_cloudfront::Client,
    /// The name of the CDN, with a port where it has one of its own.
    host: String,
    /// The id of its distribution; none where CloudFront has none of this name.
    distribution: Arc<OnceCell<Option<String>>>,
}

impl Edge {
    pub fn new(cloudfront: aws_sdk_cloudfront::Client, workspace: &Workspace) -> Self {
        let host = Url::parse(&workspace.cdn).ok().and_then(|url| {
            let host = url.host_str()?.to_ascii_lowercase();
            Some(url.port().map_or(host.clone(), |port| format!("{host}:{port}")))
        });
        Self { cloudfront, host: host.unwrap_or_default(), distribution: Arc::default() }
    }

    /// Where the outputs below a prefix are shown: `d1.cloudfront.net/prefix/*`.
    pub fn place(&self, prefix: &str) -> String {
        format!("{}/{prefix}*", self.host)
    }

    /// The distribution of the workspace's CDN; none where it is no CloudFront of this account.
    pub async fn distribution(&self) -> Result<Option<&str>> {
        let find = || async {
            let mut pages = self.cloudfront.list_distributions().into_paginator().send();
            while let Some(page) = pages.next().await {
                let page =
                    page.map_err(|error| explain("The distributions of CloudFront could not be listed", error))?;
                let list = page.distribution_list.and_then(|list| list.items).unwrap_or_default();
                if let Some(found) = list.into_iter().find(|one| self.is_of(one)) {
                    return Ok(Some(found.id));
                }
            }
            Ok(None)
        };
        self.distribution.get_or_try_init(find).await.map(Option::as_deref)
    }

    fn is_of(&self, distribution: &DistributionSummary) -> bool {
        let names = distribution.aliases.iter().flat_map(|aliases| aliases.items());
        let mut names = names.chain(std::iter::once(&distribution.domain_name));
        !self.host.is_empty() && names.any(|name| name.eq_ignore_ascii_case(&self.host))
    }

    /// Makes it forget what is below a prefix; answers whether it is CloudFront at all. Asked again with the same reference it is
    /// one invalidation.
    pub async fn invalidate(&self, prefix: &str, reference: &str, stop: &CancellationToken) -> Result<bool> {
        let distribution = match self.distribution().await {
            Ok(Some(distribution)) => distribution,
            Err(error) if !matches!(error.code, Code::Internal | Code::NotFound | Code::Invalid) => return Err(error),
            // What answers there knows no CloudFront.
            Ok(None) | Err(_) => return Ok(false),
        };
        let paths = Paths::builder().quantity(1).items(format!("/{prefix}*")).build().map_err(Error::internal)?;
        let batch = InvalidationBatch::builder().paths(paths).caller_reference(reference);
        let batch = batch.build().map_err(Error::internal)?;
        for _ in 0..PAUSES {
            let create = self.cloudfront.create_invalidation().distribution_id(distribution);
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
        Err(Error::new(Code::Throttled, what, "Try this one again in some minutes."))
    }
}
