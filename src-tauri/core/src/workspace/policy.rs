//! The IAM actions that Reeldesk uses: the one list from which the policy, the checks and the documentation are made.
//! Source: Service Authorization Reference.

use serde::{Deserialize, Serialize};
use serde_json::json;
use ts_rs::TS;

use super::{PlaybackAccess, Workspace};

/// What an action is allowed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    /// Nothing smaller than the account.
    Everything,
    /// The source bucket.
    SourceBucket,
    /// The objects of the source bucket.
    SourceObjects,
    /// The key that the source bucket is encrypted with.
    SourceKey,
    /// The destination bucket.
    DestinationBucket,
    /// The objects of the destination bucket.
    DestinationObjects,
    /// The catalog table and its index.
    Table,
    /// The distributions of CloudFront.
    Distributions,
    /// The jobs of MediaConvert.
    Jobs,
    /// The user pool.
    UserPool,
}

/// An action, such as `s3:PutObject`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its name in policies.
    pub name: &'static str,
    /// What it is allowed on.
    pub on: On,
    /// Who needs it.
    pub rights: Rights,
    /// What Reeldesk does with it.
    pub why: &'static str,
}

/// What an admin may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Rights {
    /// Look at all there is.
    Look,
    /// Look, and change it.
    Change,
}

macro_rules! actions {
    ($($constant:ident $name:literal $on:ident $rights:ident $why:literal;)*) => {
        $(#[doc = $why] pub const $constant: Action = Action { name: $name, on: On::$on, rights: Rights::$rights, why: $why };)*
        /// All of them.
        pub const ACTIONS: &[Action] = &[$($constant),*];
    };
}

actions! {
    DESCRIBE_STACKS "cloudformation:DescribeStacks" Everything Look "Finds the pipeline and its names";
    LIST_ALL_MY_BUCKETS "s3:ListAllMyBuckets" Everything Look "Lists buckets to choose from";
    LIST_TABLES "dynamodb:ListTables" Everything Look "Lists tables to choose from";
    LIST_USER_POOLS "cognito-idp:ListUserPools" Everything Look "Lists user pools to choose from";
    LIST_BUCKET "s3:ListBucket" SourceBucket Look "Tells an object that is not there from one that may not be seen";
    LIST_UPLOADS "s3:ListBucketMultipartUploads" SourceBucket Look "Finds unfinished uploads";
    LIST_VERSIONS "s3:ListBucketVersions" SourceBucket Look "Tells which versions a source has, before it is deleted for good";
    GET_NOTIFICATION "s3:GetBucketNotification" SourceBucket Look "Checks which files start the pipeline";
    GET_LIFECYCLE "s3:GetLifecycleConfiguration" SourceBucket Look "Checks that unfinished uploads are removed";
    GET_ACCELERATE "s3:GetAccelerateConfiguration" SourceBucket Look "Checks whether uploads may go through Transfer Acceleration";
    PUT_OBJECT "s3:PutObject" SourceObjects Change "Sends videos";
    GET_OBJECT "s3:GetObject" SourceObjects Look "Verifies what was sent";
    LIST_PARTS "s3:ListMultipartUploadParts" SourceObjects Look "Resumes uploads";
    ABORT_UPLOAD "s3:AbortMultipartUpload" SourceObjects Change "Cancels uploads";
    DELETE_OBJECT "s3:DeleteObject" SourceObjects Change "Deletes what was canceled, the source of a video that is deleted for good, and the tiny object of the workspace check";
    DELETE_VERSION "s3:DeleteObjectVersion" SourceObjects Change "The same, where the bucket keeps versions";
    GENERATE_DATA_KEY "kms:GenerateDataKey" SourceKey Change "Sends videos into a bucket that is encrypted with your own key";
    DECRYPT "kms:Decrypt" SourceKey Change "Sends them in parts, and reads them back";
    GET_CORS "s3:GetBucketCORS" DestinationBucket Look "Checks that web players may read the streams";
    LIST_OUTPUTS "s3:ListBucket" DestinationBucket Look "Tells what a video has, before it is deleted for good";
    LIST_OUTPUT_VERSIONS "s3:ListBucketVersions" DestinationBucket Look "The same, where the bucket keeps versions";
    READ_OUTPUT "s3:GetObject" DestinationObjects Look "Plays the streams, where they are read from the bucket";
    DELETE_OUTPUT "s3:DeleteObject" DestinationObjects Change "Deletes videos for good";
    DELETE_OUTPUT_VERSION "s3:DeleteObjectVersion" DestinationObjects Change "The same, where the bucket keeps versions";
    LIST_DISTRIBUTIONS "cloudfront:ListDistributions" Everything Change "Finds the CDN that shows copies of what is deleted for good";
    CREATE_INVALIDATION "cloudfront:CreateInvalidation" Distributions Change "Makes the CDN forget them";
    QUERY "dynamodb:Query" Table Look "Reads the newest videos of the catalog";
    SCAN "dynamodb:Scan" Table Look "Reads all of the catalog, to search in it";
    DESCRIBE_TABLE "dynamodb:DescribeTable" Table Look "Says how far the reading has come";
    GET_ITEM "dynamodb:GetItem" Table Look "Reads a video";
    BATCH_GET_ITEM "dynamodb:BatchGetItem" Table Look "Reads the videos that are shown or not finished";
    UPDATE_ITEM "dynamodb:UpdateItem" Table Change "Changes what is said of a video, moves it to the trash";
    DELETE_ITEM "dynamodb:DeleteItem" Table Change "Deletes a video for good";
    LIST_JOBS "mediaconvert:ListJobs" Everything Look "Follows the encoding";
    GET_JOB "mediaconvert:GetJob" Jobs Look "Shows a job";
    CANCEL_JOB "mediaconvert:CancelJob" Jobs Change "Cancels a job";
    LIST_USERS "cognito-idp:ListUsers" UserPool Look "Lists the viewers";
    DESCRIBE_POOL "cognito-idp:DescribeUserPool" UserPool Look "Reads how invitations go out and how long they are good for";
    GET_USER "cognito-idp:AdminGetUser" UserPool Look "Reads all of a viewer";
    LIST_GROUPS_OF_USER "cognito-idp:AdminListGroupsForUser" UserPool Look "Lists the groups of a viewer";
    CREATE_USER "cognito-idp:AdminCreateUser" UserPool Change "Invites viewers";
    UPDATE_USER "cognito-idp:AdminUpdateUserAttributes" UserPool Change "Changes names, addresses and other attributes of viewers";
    DISABLE_USER "cognito-idp:AdminDisableUser" UserPool Change "Disables viewers";
    ENABLE_USER "cognito-idp:AdminEnableUser" UserPool Change "Enables viewers";
    SIGN_OUT_USER "cognito-idp:AdminUserGlobalSignOut" UserPool Change "Signs viewers out";
    RESET_USER "cognito-idp:AdminResetUserPassword" UserPool Change "Resets passwords";
    DELETE_USER "cognito-idp:AdminDeleteUser" UserPool Change "Removes viewers";
    LIST_GROUPS "cognito-idp:ListGroups" UserPool Look "Lists the groups of viewers";
    LIST_MEMBERS "cognito-idp:ListUsersInGroup" UserPool Look "Lists who is in a group";
    CREATE_GROUP "cognito-idp:CreateGroup" UserPool Change "Makes groups";
    DELETE_GROUP "cognito-idp:DeleteGroup" UserPool Change "Deletes groups";
    ADD_TO_GROUP "cognito-idp:AdminAddUserToGroup" UserPool Change "Puts viewers into groups";
    REMOVE_FROM_GROUP "cognito-idp:AdminRemoveUserFromGroup" UserPool Change "Takes viewers out of groups";
}

impl Action {
    /// The ARNs of what it is allowed on, in a workspace. An account that is not known is any.
    #[must_use]
    pub fn resources(self, workspace: &Workspace) -> Vec<String> {
        let connection = &workspace.connection;
        let partition = connection.partition();
        let account = workspace.account.as_deref().unwrap_or("*");
        let arn =
            |service: &str, rest: &str| format!("arn:{partition}:{service}:{}:{account}:{rest}", connection.region);
        let bucket = |name: &str| format!("arn:{partition}:s3:::{name}");
        match self.on {
            On::Everything => vec!["*".to_owned()],
            On::SourceBucket => vec![bucket(&workspace.source_bucket)],
            On::SourceObjects => vec![format!("{}/*", bucket(&workspace.source_bucket))],
            On::SourceKey => vec![match workspace.kms_key.as_deref() {
                // What an alias stands for is not known: a condition names it.
                Some(key) if key.starts_with("arn:") => match key.split_once(":alias/") {
                    Some((account, _)) => format!("{account}:key/*"),
                    None => key.to_owned(),
                },
                Some(key) if alias(key).is_none() => arn("kms", &format!("key/{key}")),
                _ => arn("kms", "key/*"),
            }],
            On::DestinationBucket => vec![bucket(&workspace.destination_bucket)],
            On::DestinationObjects => vec![format!("{}/*", bucket(&workspace.destination_bucket))],
            On::Table => {
                let table = format!("table/{}", workspace.table);
                vec![arn("dynamodb", &table), arn("dynamodb", &format!("{table}/index/*"))]
            }
            // It has no region.
            On::Distributions => vec![format!("arn:{partition}:cloudfront::{account}:distribution/*")],
            On::Jobs => vec![arn("mediaconvert", "jobs/*")],
            On::UserPool => {
                let pool = workspace.user_pool.as_deref().unwrap_or("*");
                vec![arn("cognito-idp", &format!("userpool/{pool}"))]
            }
        }
    }

    /// An action that is missing, with what to ask the engineer for.
    #[must_use]
    pub fn missing(self, workspace: &Workspace) -> Missing {
        Missing { action: self.name.to_owned(), resources: self.resources(workspace), why: self.why.to_owned() }
    }
}

/// An action that the credentials may not do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Missing {
    /// Such as `s3:PutObject`.
    pub action: String,
    /// The ARNs to allow it on.
    pub resources: Vec<String>,
    /// What it is for.
    pub why: String,
}

/// The alias that a key is named by, if it is.
fn alias(key: &str) -> Option<&str> {
    let is_alias = key.starts_with("alias/") || (key.starts_with("arn:") && key.contains(":alias/"));
    is_alias.then(|| key.find("alias/").map_or(key, |at| &key[at..]))
}

/// The policy that lets someone do what Reeldesk does in a workspace, all of it or only what looks, and no more; JSON for the IAM
/// console.
#[must_use]
pub fn policy(workspace: &Workspace, rights: Rights) -> String {
    let is_needed = |action: &Action| {
        action.rights <= rights && (*action != READ_OUTPUT || workspace.playback == PlaybackAccess::Bucket)
    };
    let actions: Vec<_> = ACTIONS.iter().filter(|action| is_needed(action)).collect();
    let mut places: Vec<On> = actions.iter().map(|action| action.on).collect();
    places.sort_unstable();
    places.dedup();
    places.retain(|place| match place {
        On::UserPool => workspace.user_pool.is_some(),
        On::SourceKey => workspace.kms_key.is_some(),
        _ => true,
    });
    let statements: Vec<_> = places
        .into_iter()
        .map(|place| {
            let here: Vec<_> = actions.iter().filter(|action| action.on == place).collect();
            let resources = here.first().map(|action| action.resources(workspace)).unwrap_or_default();
            let mut statement = json!({
                "Sid": format!("Reeldesk{place:?}"),
                "Effect": "Allow",
                "Action": here.iter().map(|action| action.name).collect::<Vec<_>>(),
                "Resource": resources,
            });
            if let (On::SourceKey, Some(alias)) = (place, workspace.kms_key.as_deref().and_then(alias)) {
                statement["Condition"] = json!({ "ForAnyValue:StringEquals": { "kms:ResourceAliases": alias } });
            }
            statement
        })
        .collect();
    let policy = json!({ "Version": "2012-10-17", "Statement": statements });
    serde_json::to_string_pretty(&policy).unwrap_or_default()
}

/// The same list as a table for people, in Markdown.
#[must_use]
pub fn table() -> String {
    let on = |on| match on {
        On::Everything => "everything",
        On::SourceBucket => "the source bucket",
        On::SourceObjects => "its objects",
        On::SourceKey => "the key of the source bucket",
        On::DestinationBucket => "the destination bucket",
        On::DestinationObjects => "its objects",
        On::Table => "the table and its index",
        On::Distributions => "its distributions",
        On::Jobs => "the jobs",
        On::UserPool => "the user pool",
    };
    let rights = |action: &Action| match action.rights {
        Rights::Look => "look",
        Rights::Change => "change",
    };
    let row =
        |action: &Action| format!("| `{}` | {} | {} | {} |\n", action.name, on(action.on), rights(action), action.why);
    let rows: String = ACTIONS.iter().map(row).collect();
    format!("| action | on | to | what for |\n| --- | --- | --- | --- |\n{rows}")
}

#[cfg(test)]
mod tests {
    use super::super::tests::workspace;
    use super::*;

    #[test]
    fn the_policy_names_this_workspace_and_every_action_once() {
        let mut whole = workspace("production");
        whole.playback = PlaybackAccess::Bucket;
        whole.kms_key = Some("1234abcd-12ab-34cd-56ef-1234567890ab".into());
        let text = policy(&whole, Rights::Change);
        for action in ACTIONS {
            let places = ACTIONS.iter().filter(|other| other.name == action.name).count();
            assert_eq!(text.matches(&format!("\"{}\"", action.name)).count(), places, "{}", action.name);
        }
        assert!(text.contains("\"arn:aws:s3:::dst/*\""));
        for arn in [
            "\"arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab\"",
            "\"arn:aws:s3:::src/*\"",
            "\"arn:aws:dynamodb:eu-central-1:123456789012:table/vod/index/*\"",
            "\"arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_pool\"",
        ] {
            assert!(text.contains(arn), "{arn} in {text}");
        }
        let mut without = workspace("production");
        without.user_pool = None;
        // Streams are read from the CDN, and deleted in the bucket.
        let text = policy(&without, Rights::Change);
        assert!(text.contains("s3:DeleteObject\"") && text.matches("\"s3:GetObject\"").count() == 1, "{text}");
        let look = policy(&whole, Rights::Look);
        for action in ACTIONS {
            let is_there = look.contains(&format!("\"{}\"", action.name));
            assert_eq!(is_there, action.rights == Rights::Look, "{}", action.name);
        }
        for change in ["Put", "Delete", "Update", "Abort", "Cancel", "AdminCreate"] {
            assert!(!look.contains(change), "{change} in {look}");
        }
        assert!(!policy(&without, Rights::Change).contains("ListUsers\""));
        assert!(!policy(&without, Rights::Change).contains("kms:"));
        for (key, resource) in [
            ("alias/films", "\"arn:aws:kms:eu-central-1:123456789012:key/*\""),
            ("arn:aws:kms:eu-west-1:210987654321:alias/films", "\"arn:aws:kms:eu-west-1:210987654321:key/*\""),
            ("arn:aws:kms:eu-west-1:210987654321:key/mrk-1", "\"arn:aws:kms:eu-west-1:210987654321:key/mrk-1\""),
        ] {
            without.kms_key = Some(key.into());
            let text = policy(&without, Rights::Change);
            assert!(text.contains(resource), "{text}");
            assert_eq!(text.contains("\"kms:ResourceAliases\": \"alias/films\""), key.contains("alias/"), "{text}");
        }
        let mut china = workspace("production");
        china.connection.region = "cn-north-1".into();
        assert!(policy(&china, Rights::Change).contains("arn:aws-cn:s3:::src"));
    }

    #[test]
    fn the_readme_has_the_list() {
        let readme = include_str!("../../../../README.md");
        assert!(readme.contains(&table()), "README.md lacks this table:\n{}", table());
    }
}
