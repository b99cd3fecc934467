//! The check of a workspace: each thing that Reeldesk does is tried with its least harmful real call.

mod buckets;
mod catalog;
mod cdn;
pub mod compare;
mod removing;
mod services;
mod trigger;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_sts::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_sts::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sts::error::BoxError;
use futures::stream::{FuturesUnordered, StreamExt as _};
use serde::Serialize;
use ts_rs::TS;

use crate::aws::Aws;
use crate::explain::{clock_offset, explain};
use crate::http::plain_client;
use crate::playback::Access;
use crate::workspace::Workspace;
use crate::workspace::policy::{self, Action, Missing};
use crate::{Code, Error, Result};

/// Where checks write into the source bucket: no pipeline starts, because the keys have no suffix of a video or of metadata.
pub(super) const FOLDER: &str = ".reeldesk-check";

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Area {
    /// The credentials.
    SignIn,
    /// The source bucket.
    Upload,
    /// What starts the pipeline.
    Pipeline,
    /// MediaConvert.
    Encoding,
    /// The catalog table.
    Catalog,
    /// The CDN and the destination bucket.
    Playback,
    /// The user pool.
    Viewers,
}

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it is about.
    pub area: Area,
    /// What was tried, such as "Send a file".
    pub title: String,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub enum Outcome {
    /// It works.
    Works {
        /// What there is to know; may be empty.
        note: String,
    },
    /// It works, and something about it should be better.
    Advice {
        /// What it is.
        message: String,
        /// What to do.
        remedy: String,
    },
    /// The credentials may not do it.
    Denied {
        /// What to ask the engineer for.
        missing: Missing,
        /// What AWS said.
        details: String,
    },
    /// Something is wrong.
    Wrong {
        /// What, and what to do.
        error: Error,
    },
    /// It was not tried.
    Skipped {
        /// Why.
        reason: String,
    },
}

impl Outcome {
    /// Whether someone has to do something before all of Reeldesk works.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        matches!(self, Self::Denied { .. } | Self::Wrong { .. })
    }

    fn works(note: impl Into<String>) -> Self {
        Self::Works { note: note.into() }
    }

    fn skipped(reason: impl Into<String>) -> Self {
        Self::Skipped { reason: reason.into() }
    }
}

/// What the tries have in common.
struct Checker<'a> {
    workspace: &'a Workspace,
    aws: Aws,
    http: reqwest::Client,
    access: Access,
}

impl Checker<'_> {
    /// What an answer to a call says of the action that the call needs.
    fn outcome<T>(&self, action: Action, answer: &Result<T>, note: impl Into<String>) -> Outcome {
        match answer {
            Ok(_) => Outcome::works(note),
            Err(error) => self.failed(action, error),
        }
    }

    fn failed(&self, action: Action, error: &Error) -> Outcome {
        if error.code == Code::AccessDenied && action == policy::PUT_OBJECT && error.details.contains("explicit deny") {
            let error = Error {
                message: format!("A policy refuses {}, whatever else allows it.", action.name),
                remedy:
                    "Ask the engineer for its condition. If the bucket wants encryption to be asked for, choose it in \
                         the workspace: Edit, More, Encryption header."
                        .to_owned(),
                ..error.clone()
            };
            Outcome::Wrong { error }
        } else if error.code == Code::AccessDenied {
            // S3 refuses in its own name what KMS refuses it.
            let of_key = [policy::GENERATE_DATA_KEY, policy::DECRYPT];
            let refused = of_key.into_iter().find(|one| error.details.contains(one.name)).unwrap_or(action);
            Outcome::Denied { missing: refused.missing(self.workspace), details: error.details.clone() }
        } else {
            Outcome::Wrong { error: error.clone() }
        }
    }
}

fn finding(area: Area, title: &str, outcome: Outcome) -> Finding {
    Finding { area, title: title.to_owned(), outcome }
}

/// Tries everything, telling each finding as it comes; answers with all of them in their order.
///
/// # Errors
/// When the credentials have to be given first. What AWS refuses is a finding.
pub async fn check(workspace: &Workspace, tell: impl Fn(&Finding)) -> Result<Vec<Finding>> {
    workspace.check()?;
    let aws = Aws::connect(&workspace.connection).await?;
    let checker = Checker {
        workspace,
        access: Access::of(workspace, &aws.s3)?,
        aws,
        http: plain_client(workspace.is_sandbox())?,
    };
    let mut found = Vec::new();
    let mut note = |finding: Finding| {
        tell(&finding);
        found.push(finding);
    };
    let signed_in = checker.sign_in().await;
    // With these wrong, all the rest would say the same, or something misleading.
    let goes_on = !signed_in.iter().any(|finding| finding.outcome.is_bad());
    signed_in.into_iter().for_each(&mut note);
    if goes_on {
        let mut running: FuturesUnordered<futures::future::BoxFuture<'_, Vec<Finding>>> = FuturesUnordered::new();
        running.push(Box::pin(checker.source_bucket()));
        running.push(Box::pin(checker.trigger()));
        running.push(Box::pin(checker.destination_bucket()));
        running.push(Box::pin(checker.table()));
        running.push(Box::pin(checker.removing()));
        running.push(Box::pin(checker.jobs()));
        running.push(Box::pin(checker.viewers()));
        running.push(Box::pin(checker.cdn()));
        while let Some(findings) = running.next().await {
            findings.into_iter().for_each(&mut note);
        }
    }
    found.sort_by_key(|finding| finding.area);
    Ok(found)
}

/// How far the clock is from that of AWS before it is told: with more, S3 refuses what is signed.
const CLOCK_MAY_BE_OFF: Duration = Duration::from_secs(5 * 60);

impl Checker<'_> {
    /// Asks who the credentials belong to, and on the way what time it is.
    async fn sign_in(&self) -> [Finding; 2] {
        let heard = HeardTime::default();
        let asked = self.aws.sts.get_caller_identity().customize().interceptor(heard.clone()).send().await;
        let identity = asked.map_err(|error| explain("Signing in did not work", error));
        let outcome = match identity {
            Ok(identity) => {
                let (account, arn) = (identity.account.unwrap_or_default(), identity.arn.unwrap_or_default());
                match &self.workspace.account {
                    Some(wanted) if *wanted != account => Outcome::Wrong {
                        error: Error::new(
                            Code::Invalid,
                            format!("The credentials are of the account {account}, the workspace of {wanted}."),
                            "Choose the profile of the right account, or correct the account of the workspace.",
                        )
                        .with_details(arn),
                    },
                    _ => Outcome::works(arn),
                }
            }
            Err(error) if self.workspace.connection.s3_endpoint.is_some() && error.code == Code::Internal => {
                Outcome::skipped("This endpoint does not tell who the credentials belong to.")
            }
            Err(error) => Outcome::Wrong { error },
        };
        let clock = match heard.offset() {
            // AWS refuses what is signed at another time than its own.
            Some(offset) if offset > CLOCK_MAY_BE_OFF => Outcome::Wrong {
                error: Error::new(
                    Code::Clock,
                    format!("This computer's clock is off by {} minutes.", offset.as_secs() / 60),
                    "Set the clock right, best by itself from the network.",
                ),
            },
            Some(_) => Outcome::works("right to within a few seconds"),
            None => Outcome::skipped("Nobody told the time."),
        };
        [finding(Area::SignIn, "Sign in", outcome), finding(Area::SignIn, "Clock", clock)]
    }
}

/// Hears what time it is where an answer comes from.
#[derive(Clone, Debug, Default)]
struct HeardTime(Arc<Mutex<Option<Duration>>>);

impl HeardTime {
    fn offset(&self) -> Option<Duration> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for HeardTime {
    fn name(&self) -> &'static str {
        "HeardTime"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date") {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = clock_offset(date);
        }
        Ok(())
    }
}
