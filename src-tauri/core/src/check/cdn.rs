//! The CDN.

use reqwest::{Method, StatusCode};

use super::{Area, Checker, Finding, Outcome, finding};
use crate::catalog::Catalog;
use crate::workspace::{PlaybackAccess, policy};
use crate::{Code, Error, Result};

impl Checker<'_> {
    /// Reads the newest playlist, or where there is none the bare domain.
    pub async fn cdn(&self) -> Vec<Finding> {
        let outcome = match self.newest_playlist().await {
            Ok(Some(playlist)) => self.read(&playlist).await,
            Ok(None) | Err(_) => self.reach().await,
        };
        let title = match self.workspace.playback {
            PlaybackAccess::Cdn => "Read from the CDN",
            PlaybackAccess::Bucket => "Read from the destination bucket",
        };
        vec![finding(Area::Playback, title, outcome)]
    }

    async fn newest_playlist(&self) -> Result<Option<url::Url>> {
        let catalog = Catalog::new(self.aws.dynamodb.clone(), self.workspace);
        let newest = catalog.some(20).await?.into_iter().find_map(|video| video.hls_url);
        newest.map(|stored| self.workspace.address(&stored)).transpose()
    }

    async fn read(&self, playlist: &url::Url) -> Outcome {
        let answer = match self.access.get(Method::GET, playlist, None).await {
            Ok(answer) => answer,
            Err(error) => return Outcome::Wrong { error },
        };
        let (status, is_page) = (answer.status(), is_page(&answer));
        let text = answer.text().await.unwrap_or_default();
        let wrong = |message: String, remedy: &str| Outcome::Wrong {
            error: Error::new(Code::Playback, message, remedy).with_details(format!("GET {playlist}: {status}")),
        };
        if text.trim_start_matches('\u{FEFF}').starts_with("#EXTM3U") {
            return Outcome::works("the newest playlist was read");
        }
        let from_bucket = self.workspace.playback == PlaybackAccess::Bucket;
        match status {
            StatusCode::FORBIDDEN if from_bucket => {
                Outcome::Denied { missing: policy::READ_OUTPUT.missing(self.workspace), details: text }
            }
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => wrong(
                "The CDN refuses to show the newest video: it may show videos to signed viewers only.".into(),
                "Set \"Play from\" of the workspace to the destination bucket.",
            ),
            StatusCode::NOT_FOUND => wrong(
                "The CDN does not know the newest video of the catalog.".into(),
                "Check the CDN domain of the workspace: it may be that of another stack.",
            ),
            _ if is_page => wrong(
                "Instead of the CDN a page answered, as sign-in pages of networks and proxies do.".into(),
                "Sign in to the network, or name its proxy in HTTPS_PROXY.",
            ),
            _ => wrong(
                format!("The CDN did not answer with a playlist ({status})."),
                "Check the CDN domain of the workspace.",
            ),
        }
    }

    async fn reach(&self) -> Outcome {
        let base = self.workspace.cdn.as_str();
        match self.http.get(base).send().await {
            // CloudFront answers 403 or 404 to a bare domain.
            Ok(_) => Outcome::works("it answers; there is no video yet to read"),
            Err(error) => Outcome::Wrong { error: crate::explain::unreachable(base, &error) },
        }
    }
}

fn is_page(answer: &reqwest::Response) -> bool {
    let kind = answer.headers().get(reqwest::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/html"))
}
