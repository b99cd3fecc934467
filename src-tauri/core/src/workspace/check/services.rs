//! MediaConvert and Cognito.

use aws_sdk_mediaconvert::error::ProvideErrorMetadata as _;

use super::super::policy;
use super::{Area, Checker, Finding, Outcome, finding};
use crate::aws::explain;

/// No job has this id.
const NO_JOB: &str = "1000000000000-reelde";

impl Checker<'_> {
    pub async fn jobs(&self) -> Vec<Finding> {
        let mediaconvert = &self.aws.mediaconvert;
        let (list, get, cancel) = tokio::join!(
            mediaconvert.list_jobs().max_results(1).send(),
            mediaconvert.get_job().id(NO_JOB).send(),
            mediaconvert.cancel_job().id(NO_JOB).send(),
        );
        // A job that is not there is found missing only by those who may look for it.
        let is_missing = |code: Option<&str>| matches!(code, Some("NotFoundException" | "BadRequestException"));
        let list = list.map_err(|error| explain("The jobs could not be listed", error));
        let get = match get {
            Err(error) if is_missing(error.code()) => Ok(()),
            answer => answer.map(drop).map_err(|error| explain("A job could not be looked at", error)),
        };
        let cancel = match cancel {
            Err(error) if is_missing(error.code()) => Ok(()),
            answer => answer.map(drop).map_err(|error| explain("A job could not be canceled", error)),
        };
        vec![
            finding(Area::Encoding, "List the jobs", self.outcome(policy::LIST_JOBS, &list, "")),
            finding(Area::Encoding, "Look at a job", self.outcome(policy::GET_JOB, &get, "")),
            finding(Area::Encoding, "Cancel a job", self.outcome(policy::CANCEL_JOB, &cancel, "")),
        ]
    }

    pub async fn viewers(&self) -> Vec<Finding> {
        let outcome = match &self.workspace.user_pool {
            None => Outcome::skipped("The workspace names no user pool, so it has no viewers."),
            Some(pool) => {
                let list = self.aws.cognito.list_users().user_pool_id(pool).limit(1).send().await;
                let list = list.map_err(|error| explain(&format!("The user pool {pool} could not be read"), error));
                self.outcome(policy::LIST_USERS, &list, pool)
            }
        };
        vec![finding(Area::Viewers, "List the viewers", outcome)]
    }
}
