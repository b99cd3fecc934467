//! What there is in an account: its pipelines, and the names to choose from. Source of the keys: the templates of
//! "Video on Demand on AWS", versions 4 to 6, and of its Foundation variant.

use aws_sdk_cloudformation::types::{Output, Parameter, Stack as Described};
use serde::Serialize;
use ts_rs::TS;

use super::{Acceleration, Color, IngestMode, PlaybackAccess, Trigger, Workspace};
use crate::aws::{Aws, EncryptionHeader};
use crate::connection::Connection;
use crate::explain::explain;
use crate::{Error, Result};

/// Who the credentials belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The id of the account.
    pub account: String,
    /// The ARN of the user or role.
    pub arn: String,
}

/// A stack that looks like a pipeline for video on demand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// The version of the solution, where its description tells.
    pub version: Option<String>,
    /// Why Reeldesk cannot work with it, where it cannot.
    pub unsupported: Option<String>,
    /// The workspace that it makes; fields that it does not tell are empty.
    pub workspace: Workspace,
}

/// The names that there are to choose from, and why there are none where they may not be listed.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Choices {
    /// Buckets.
    pub buckets: Choice,
    /// Tables.
    pub tables: Choice,
    /// User pools, by id.
    pub user_pools: Choice,
}

/// Names of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Choice {
    /// What can be chosen.
    pub names: Vec<String>,
    /// Why nothing is listed.
    pub trouble: Option<Error>,
}

impl From<Result<Vec<String>>> for Choice {
    fn from(listed: Result<Vec<String>>) -> Self {
        match listed {
            Ok(names) => Self { names, trouble: None },
            Err(error) => Self { names: Vec::new(), trouble: Some(error) },
        }
    }
}

/// Asks who the credentials belong to; nobody needs a permission for that.
///
/// # Errors
/// When the credentials are missing or not accepted, or AWS cannot be reached.
pub async fn identity(connection: &Connection) -> Result<Identity> {
    let aws = Aws::connect(connection).await?;
    let caller = aws.sts.get_caller_identity().send().await;
    let caller = caller.map_err(|error| explain("Signing in did not work", error))?;
    Ok(Identity { account: caller.account.unwrap_or_default(), arn: caller.arn.unwrap_or_default() })
}

/// The stacks of an account and region that look like a pipeline, by name.
///
/// # Errors
/// When they may not be listed, or AWS cannot be reached.
pub async fn stacks(connection: &Connection) -> Result<Vec<Stack>> {
    let aws = Aws::connect(connection).await?;
    let mut pages = aws.cloudformation.describe_stacks().into_paginator().items().send();
    let mut stacks = Vec::new();
    while let Some(stack) = pages.next().await {
        let stack = stack.map_err(|error| explain("The CloudFormation stacks could not be listed", error))?;
        stacks.extend(look(connection, &stack));
    }
    // A pool is not part of the solution's stack; where the account has one, it is the viewers'.
    if stacks.iter().any(|stack| stack.workspace.user_pool.is_none())
        && let Ok(pools) = user_pools(&aws).await
        && let [only] = &*pools
    {
        for stack in &mut stacks {
            stack.workspace.user_pool.get_or_insert_with(|| only.clone());
        }
    }
    stacks.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(stacks)
}

/// The names to choose from where there is no stack.
///
/// # Errors
/// When the credentials have to be given first.
pub async fn choices(connection: &Connection) -> Result<Choices> {
    let aws = Aws::connect(connection).await?;
    let (buckets, tables, pools) = tokio::join!(buckets(&aws), tables(&aws), user_pools(&aws));
    Ok(Choices { buckets: buckets.into(), tables: tables.into(), user_pools: pools.into() })
}

async fn buckets(aws: &Aws) -> Result<Vec<String>> {
    let mut pages = aws.s3.list_buckets().into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| explain("The buckets could not be listed", error))?;
        names.extend(page.buckets.unwrap_or_default().into_iter().filter_map(|bucket| bucket.name));
    }
    Ok(names)
}

async fn tables(aws: &Aws) -> Result<Vec<String>> {
    let mut pages = aws.dynamodb.list_tables().into_paginator().items().send();
    let mut names = Vec::new();
    while let Some(name) = pages.next().await {
        names.push(name.map_err(|error| explain("The tables could not be listed", error))?);
    }
    Ok(names)
}

async fn user_pools(aws: &Aws) -> Result<Vec<String>> {
    let mut pages = aws.cognito.list_user_pools().max_results(60).into_paginator().items().send();
    let mut ids = Vec::new();
    while let Some(pool) = pages.next().await {
        let pool = pool.map_err(|error| explain("The user pools could not be listed", error))?;
        ids.extend(pool.id);
    }
    Ok(ids)
}

/// The name of a value: the end of its export's name, which all versions share, and the keys of its output.
struct Named(&'static str, &'static [&'static str]);

const TABLE: Named = Named("DynamoDBTable", &["DynamoDBTableName", "DynamoDBTable"]);
const SOURCE: Named = Named("Source", &["SourceBucketName", "Source"]);
const DESTINATION: Named = Named("Destination", &["DestinationBucketName", "Destination"]);
const CDN: Named = Named("CloudFront", &["CloudFrontDomainName", "CloudFront"]);
/// Not of the solution, but common in what is built around it.
const USER_POOL: Named = Named("UserPoolId", &["UserPoolId", "CognitoUserPoolId", "UserPool"]);
const APP_CLIENT: Named = Named("UserPoolClientId", &["UserPoolClientId", "CognitoUserPoolClientId", "AppClientId"]);
const ROLE: Named = Named("MediaConvertRole", &["MediaConvertRoleArn", "MediaConvertRole"]);

impl Named {
    fn of(&self, stack: &str, outputs: &[Output]) -> Option<String> {
        let export = format!("{stack}:{}", self.0);
        let by_export = outputs.iter().find(|output| output.export_name() == Some(&export));
        let by_key = || {
            self.1.iter().find_map(|key| {
                outputs.iter().find(|output| output.output_key().is_some_and(|own| own.eq_ignore_ascii_case(key)))
            })
        };
        by_export.or_else(by_key)?.output_value.clone().filter(|value| !value.is_empty())
    }
}

/// What a stack is, if it is a pipeline.
fn look(connection: &Connection, stack: &Described) -> Option<Stack> {
    let name = stack.stack_name()?;
    let description = stack.description().unwrap_or_default();
    let outputs = stack.outputs();
    let (table, source, destination, cdn) =
        (TABLE.of(name, outputs), SOURCE.of(name, outputs), DESTINATION.of(name, outputs), CDN.of(name, outputs));
    let is_whole = table.is_some() && source.is_some() && destination.is_some() && cdn.is_some();
    let is_solution = ["(SO0021)", "(SO9674)"].iter().any(|id| description.starts_with(id))
        && description.to_lowercase().contains("video on demand");
    let is_foundation = description.starts_with("(SO0146)");
    if !(is_whole || is_solution || is_foundation) {
        return None;
    }
    let status = stack.stack_status().map_or("", |status| status.as_str());
    let unsupported = if is_foundation {
        Some(
            "This is the Foundation variant. It keeps no catalog table, so Reeldesk cannot follow its videos; \
             deploy \"Video on Demand on AWS\" itself."
                .to_owned(),
        )
    } else if is_whole {
        None
    } else if status.ends_with("_IN_PROGRESS") {
        Some(format!("The stack is being changed at this moment ({status}); look again when it is done."))
    } else {
        Some(format!("The stack does not tell its buckets, table and CDN (it is {status}); ask who deployed it."))
    };
    let parameters = stack.parameters();
    let workspace = Workspace {
        name: name.to_owned(),
        color: Color::default(),
        connection: connection.clone(),
        account: account(stack.stack_id().unwrap_or_default()),
        stack: Some(name.to_owned()),
        source_bucket: source.unwrap_or_default(),
        destination_bucket: destination.unwrap_or_default(),
        table: table.unwrap_or_default(),
        cdn: cdn.unwrap_or_default(),
        user_pool: USER_POOL.of(name, outputs),
        app_client: APP_CLIENT.of(name, outputs),
        role: ROLE.of(name, outputs),
        queue: None,
        template: None,
        encryption: EncryptionHeader::None,
        kms_key: None,
        playback: PlaybackAccess::default(),
        mapping: None,
        mode: IngestMode::Pipeline {
            trigger: match parameter(parameters, "WorkflowTrigger") {
                Some("MetadataFile") => Trigger::MetadataFile,
                _ => Trigger::VideoFile,
            },
            frame_capture: parameter(parameters, "FrameCapture") == Some("Yes"),
            acceleration: match parameter(parameters, "AcceleratedTranscoding") {
                Some("ENABLED") => Acceleration::Enabled,
                Some("DISABLED") => Acceleration::Disabled,
                _ => Acceleration::Preferred,
            },
        },
    };
    Some(Stack { name: name.to_owned(), version: version(description), unsupported, workspace: workspace.tidied() })
}

fn parameter<'a>(parameters: &'a [Parameter], key: &str) -> Option<&'a str> {
    parameters.iter().find(|parameter| parameter.parameter_key() == Some(key))?.parameter_value()
}

/// The account in `arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/ID`.
fn account(arn: &str) -> Option<String> {
    arn.split(':').nth(4).filter(|account| !account.is_empty()).map(str::to_owned)
}

/// `6.1.17` of "... Version v6.1.17."
fn version(description: &str) -> Option<String> {
    description.split_whitespace().find_map(|word| {
        let numbers = word.strip_prefix('v')?.trim_end_matches('.');
        numbers.starts_with(|c: char| c.is_ascii_digit()).then(|| numbers.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::credentials::CredentialsSource;

    fn connection() -> Connection {
        Connection {
            region: "eu-west-1".into(),
            credentials: CredentialsSource::Environment,
            endpoint: None,
            s3_endpoint: None,
            fips: false,
            dual_stack: false,
            transfer_acceleration: false,
        }
    }

    fn stack(name: &str, description: &str, outputs: &[(&str, &str, &str)]) -> Described {
        let mut built = Described::builder()
            .stack_name(name)
            .stack_id(format!("arn:aws:cloudformation:eu-west-1:123456789012:stack/{name}/1"))
            .description(description)
            .creation_time(aws_smithy_types::DateTime::from_secs(0))
            .stack_status(aws_sdk_cloudformation::types::StackStatus::CreateComplete);
        for (key, export, value) in outputs {
            let output = Output::builder().output_key(*key).output_value(*value);
            let export = (!export.is_empty()).then(|| format!("{name}:{export}"));
            built = built.outputs(output.set_export_name(export).build());
        }
        built.build()
    }

    const SIX: &str = "(SO9674) - The Video On Demand on AWS guidance. Version v6.1.17.";

    #[test]
    fn each_generation_is_understood() {
        let generations = [
            stack(
                "six",
                SIX,
                &[
                    ("DynamoDBTableName", "DynamoDBTable", "t"),
                    ("SourceBucketName", "Source", "s"),
                    ("DestinationBucketName", "Destination", "d"),
                    ("CloudFrontDomainName", "CloudFront", "d1.cloudfront.net"),
                ],
            ),
            stack(
                "five",
                "(SO0021) - Video on Demand on AWS workflow. Version v5.3.0",
                &[
                    ("DynamoDBTable", "DynamoDBTable", "t"),
                    ("Source", "Source", "s"),
                    ("Destination", "Destination", "d"),
                    ("CloudFront", "CloudFront", "d1.cloudfront.net"),
                ],
            ),
            // Built after it, with neither its description nor its exports.
            stack(
                "own",
                "our videos",
                &[
                    ("dynamodbtable", "", "t"),
                    ("source", "", "s"),
                    ("Destination", "", "d"),
                    ("CloudFront", "", "https://d1.cloudfront.net/"),
                ],
            ),
        ];
        for described in &generations {
            let found = look(&connection(), described).unwrap();
            let workspace = &found.workspace;
            assert_eq!(found.unsupported, None);
            assert_eq!([&*workspace.table, &workspace.source_bucket, &workspace.destination_bucket], ["t", "s", "d"]);
            assert_eq!(workspace.cdn, "https://d1.cloudfront.net");
            assert_eq!(workspace.account.as_deref(), Some("123456789012"));
            workspace.check().unwrap();
        }
        assert_eq!(look(&connection(), &generations[0]).unwrap().version.as_deref(), Some("6.1.17"));
    }

    #[test]
    fn exports_are_believed_before_keys() {
        let outputs = [
            ("Source", "", "someone else's"),
            ("A", "Source", "s"),
            ("B", "DynamoDBTable", "t"),
            ("C", "Destination", "d"),
            ("D", "CloudFront", "c"),
        ];
        assert_eq!(look(&connection(), &stack("x", "", &outputs)).unwrap().workspace.source_bucket, "s");
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let foundation = stack(
            "f",
            "(SO0146) - Video on Demand on AWS Foundation. Version v1.3.11",
            &[("SourceBucket", "", "s"), ("DestinationBucket", "", "d"), ("CloudFrontDomain", "", "c")],
        );
        assert!(look(&connection(), &foundation).unwrap().unsupported.unwrap().contains("Foundation"));
        assert!(
            look(&connection(), &stack("empty", SIX, &[])).unwrap().unsupported.unwrap().contains("CREATE_COMPLETE")
        );
        assert_eq!(look(&connection(), &stack("shop", "a shop", &[("Source", "", "s")])), None);
    }

    #[test]
    fn parameters_tell_the_trigger() {
        let described = stack("six", SIX, &[]);
        let set = |key: &str, value: &str| Parameter::builder().parameter_key(key).parameter_value(value).build();
        let mut described = described;
        described.parameters = Some(vec![
            set("WorkflowTrigger", "MetadataFile"),
            set("FrameCapture", "Yes"),
            set("AcceleratedTranscoding", "DISABLED"),
        ]);
        let mode = look(&connection(), &described).unwrap().workspace.mode;
        let told = IngestMode::Pipeline {
            trigger: Trigger::MetadataFile,
            frame_capture: true,
            acceleration: Acceleration::Disabled,
        };
        assert_eq!(mode, told);
    }
}
