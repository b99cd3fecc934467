//! The CDN.

use reqwest::StatusCode;

use super::{Area, Checker, Finding, Outcome, finding};
use crate::catalog::Catalog;
use crate::{Code, Error, Result};

impl Checker<'_> {
    /// Reads the newest playlist, or where there is none the bare domain.
    pub async fn cdn(&self) -> Vec<Finding> {
        let outcome = match self.newest_playlist().await {
            Ok(Some(playlist)) => self.read(&playlist).await,
            Ok(None) | Err(_) => self.reach().await,
        };
        vec![finding(Area::Playback, "Read from the CDN", outcome)]
    }

    async fn newest_playlist(&self) -> Result<Option<url::Url>> {
        let catalog = Catalog::new(self.aws.dynamodb.clone(), self.workspace);
        let page = catalog.page(None, 20).await?;
        let newest = page.videos.into_iter().find_map(|video| video.hls_url);
        newest.map(|stored| self.workspace.address(&stored)).transpose()
    }

    async fn read(&self, playlist: &url::Url) -> Outcome {
        let answer = match self.http.get(playlist.clone()).send().await {
            Ok(answer) => answer,
            Err(error) => return Outcome::Wrong { error: crate::aws::unreachable(playlist.as_str(), &error) },
        };
        let (status, is_page) = (answer.status(), is_page(&answer));
        let text = answer.text().await.unwrap_or_default();
        let wrong = |message: String, remedy: &str| Outcome::Wrong {
            error: Error::new(Code::Playback, message, remedy).with_details(format!("GET {playlist}: {status}")),
        };
        if text.trim_start_matches('\u{FEFF}').starts_with("#EXTM3U") {
            return Outcome::works("the newest playlist was read");
        }
        match status {
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => wrong(
                "The CDN refuses to show the newest video: it may want signed cookies, which Reeldesk does not send yet."
                    .into(),
                "Ask the engineer whether the distribution restricts viewer access.",
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
            Err(error) => Outcome::Wrong { error: crate::aws::unreachable(base, &error) },
        }
    }
}

fn is_page(answer: &reqwest::Response) -> bool {
    let kind = answer.headers().get(reqwest::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/html"))
}
