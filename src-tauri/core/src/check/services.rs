//! MediaConvert and Cognito.

use aws_sdk_cognitoidentityprovider::config::http::HttpResponse;
use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cognitoidentityprovider::types::{AttributeType, MessageActionType};

use super::{Area, Checker, Finding, Outcome, finding};
use crate::Error;
use crate::explain::explain;
use crate::workspace::policy;

/// No job has this id.
const NO_JOB: &str = "1000000000000-reelde";
/// Nobody has this address: the domain is reserved (RFC 2606).
const NOBODY: &str = "reeldesk-check@nobody.invalid";
/// No group has this name.
const NO_GROUP: &str = "reeldesk-check-no-such-group";

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
        let Some(pool) = &self.workspace.user_pool else {
            let none = Outcome::skipped("The workspace names no user pool, so it has no viewers.");
            return vec![finding(Area::Viewers, "List the viewers", none)];
        };
        let client = &self.aws.cognito;
        let list = client.list_users().user_pool_id(pool).limit(1).send().await;
        let list = list.map_err(|error| explain(&format!("The user pool {pool} could not be read"), error));
        let mut findings =
            vec![finding(Area::Viewers, "List the viewers", self.outcome(policy::LIST_USERS, &list, pool))];
        if list.is_err() && !findings.iter().any(|one| matches!(one.outcome, Outcome::Denied { .. })) {
            // What is wrong with the pool is wrong with all of it.
            return findings;
        }
        // Nobody has this address and no group this name: that is found only by those who may look.
        macro_rules! of_nobody {
            ($title:literal, $action:expr, $call:expr) => {
                let tried = harmless($title, $call.send().await);
                findings.push(finding(Area::Viewers, $title, self.outcome($action, &tried, pool)));
            };
        }
        let again = MessageActionType::Resend;
        let address = AttributeType::builder().name("name").value("Nobody").build().map_err(Error::internal);
        of_nobody!("Read the pool's settings", policy::DESCRIBE_POOL, client.describe_user_pool().user_pool_id(pool));
        of_nobody!("Look at a viewer", policy::GET_USER, client.admin_get_user().user_pool_id(pool).username(NOBODY));
        of_nobody!(
            "List the groups of a viewer",
            policy::LIST_GROUPS_OF_USER,
            client.admin_list_groups_for_user().user_pool_id(pool).username(NOBODY).limit(1)
        );
        of_nobody!(
            "Invite viewers",
            policy::CREATE_USER,
            client.admin_create_user().user_pool_id(pool).username(NOBODY).message_action(again)
        );
        if let Ok(name) = address {
            of_nobody!(
                "Change viewers",
                policy::UPDATE_USER,
                client.admin_update_user_attributes().user_pool_id(pool).username(NOBODY).user_attributes(name)
            );
        }
        of_nobody!(
            "Disable viewers",
            policy::DISABLE_USER,
            client.admin_disable_user().user_pool_id(pool).username(NOBODY)
        );
        of_nobody!(
            "Enable viewers",
            policy::ENABLE_USER,
            client.admin_enable_user().user_pool_id(pool).username(NOBODY)
        );
        of_nobody!(
            "Sign viewers out",
            policy::SIGN_OUT_USER,
            client.admin_user_global_sign_out().user_pool_id(pool).username(NOBODY)
        );
        of_nobody!(
            "Reset passwords",
            policy::RESET_USER,
            client.admin_reset_user_password().user_pool_id(pool).username(NOBODY)
        );
        of_nobody!(
            "Remove viewers",
            policy::DELETE_USER,
            client.admin_delete_user().user_pool_id(pool).username(NOBODY)
        );
        of_nobody!("List the groups", policy::LIST_GROUPS, client.list_groups().user_pool_id(pool).limit(1));
        of_nobody!(
            "List who is in a group",
            policy::LIST_MEMBERS,
            client.list_users_in_group().user_pool_id(pool).group_name(NO_GROUP).limit(1)
        );
        of_nobody!(
            "Delete groups",
            policy::DELETE_GROUP,
            client.delete_group().user_pool_id(pool).group_name(NO_GROUP)
        );
        of_nobody!(
            "Put viewers into groups",
            policy::ADD_TO_GROUP,
            client.admin_add_user_to_group().user_pool_id(pool).username(NOBODY).group_name(NO_GROUP)
        );
        of_nobody!(
            "Take viewers out of groups",
            policy::REMOVE_FROM_GROUP,
            client.admin_remove_user_from_group().user_pool_id(pool).username(NOBODY).group_name(NO_GROUP)
        );
        findings
    }
}

/// What a try with nobody means: that nobody was found says that one may look.
fn harmless<T, E>(title: &str, tried: Result<T, SdkError<E, HttpResponse>>) -> Result<(), Error>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match tried {
        Err(error) if matches!(error.code(), Some("UserNotFoundException" | "ResourceNotFoundException")) => Ok(()),
        tried => tried.map(drop).map_err(|error| explain(&format!("\"{title}\" did not work"), error)),
    }
}
