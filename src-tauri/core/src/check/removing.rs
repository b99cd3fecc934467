//! What deleting videos for good needs, but for the table.

use aws_sdk_cloudfront::error::ProvideErrorMetadata as _;
use aws_sdk_cloudfront::types::{InvalidationBatch, Paths};
use uuid::Uuid;

use super::{Area, Checker, Finding, Outcome, finding};
use crate::explain::explain;
use crate::workspace::policy;
use crate::{Code, Result};

/// No video has its outputs there.
const NOWHERE: &str = ".reeldesk-check/nowhere";

impl Checker<'_> {
    /// Lists a place that is empty, and deletes a version that is not there: no mark of a deletion is left behind.
    pub async fn removing(&self) -> Vec<Finding> {
        let (s3, workspace) = (&self.aws.s3, self.workspace);
        let (source, destination) = (&workspace.source_bucket, &workspace.destination_bucket);
        let list = s3.list_objects_v2().bucket(destination).prefix(NOWHERE).max_keys(1);
        let versions = |bucket: &str| s3.list_object_versions().bucket(bucket).prefix(NOWHERE).max_keys(1);
        let delete = s3.delete_object().bucket(destination).key(NOWHERE).version_id("null");
        let (list, of_source, of_destination, delete) =
            tokio::join!(list.send(), versions(source).send(), versions(destination).send(), delete.send());
        let list = list.map_err(|error| explain("The destination bucket could not be listed", error));
        let unlisted = |bucket: &str| format!("The versions in the {bucket} bucket could not be listed");
        let of_source = of_source.map_err(|error| explain(&unlisted("source"), error));
        let of_destination = of_destination.map_err(|error| explain(&unlisted("destination"), error));
        let delete = delete.map_err(|error| explain("Outputs could not be deleted", error));
        let of = |title, outcome| finding(Area::Catalog, title, outcome);
        let mut findings = vec![
            of("List what a video has", self.outcome(policy::LIST_OUTPUTS, &list, "")),
            of("List versions of sources", self.outcome(policy::LIST_VERSIONS, &of_source, "")),
            of("List versions of outputs", self.outcome(policy::LIST_OUTPUT_VERSIONS, &of_destination, "")),
            of("Delete outputs for good", self.outcome(policy::DELETE_OUTPUT_VERSION, &delete, "")),
        ];
        findings.push(of("Clear the CDN", self.clearing().await));
        findings
    }

    /// Whether the CDN can be made to forget what is deleted for good. It does so by itself in the end.
    async fn clearing(&self) -> Outcome {
        let cloudfront = &self.aws.cloudfront;
        let paths = Paths::builder().quantity(1).items("/.reeldesk-check/nowhere").build();
        let batch = paths.and_then(|paths| {
            InvalidationBatch::builder().paths(paths).caller_reference(Uuid::new_v4().to_string()).build()
        });
        // No distribution has this id: who may do it is told so.
        let create =
            cloudfront.create_invalidation().distribution_id("EREELDESKCHECK").set_invalidation_batch(batch.ok());
        let (list, create) = tokio::join!(cloudfront.list_distributions().max_items(1).send(), create.send());
        let list =
            list.map(drop).map_err(|error| explain("The distributions of CloudFront could not be listed", error));
        let create = match create {
            Err(error) if error.code() == Some("NoSuchDistribution") => Ok(()),
            create => create.map(drop).map_err(|error| explain("CloudFront could not be told to forget", error)),
        };
        let denied = |answer: &Result<()>| answer.as_ref().is_err_and(|error| error.code == Code::AccessDenied);
        let asked = [(policy::LIST_DISTRIBUTIONS, list), (policy::CREATE_INVALIDATION, create)];
        let missing: Vec<_> =
            asked.iter().filter(|(_, answer)| denied(answer)).map(|(action, _)| action.name).collect();
        if !missing.is_empty() {
            return Outcome::Advice {
                message: "The CDN may show copies of what is deleted for good until they expire.".to_owned(),
                remedy: format!("Where that matters, ask your engineer for {}.", missing.join(" and ")),
            };
        }
        // Another endpoint may know no CloudFront.
        if self.workspace.connection.is_elsewhere() && asked.iter().any(|(_, answer)| answer.is_err()) {
            return Outcome::Skipped { reason: "What answers there knows no CloudFront.".to_owned() };
        }
        let wrong = asked.into_iter().find(|(_, answer)| answer.is_err());
        wrong.map_or_else(|| Outcome::works(""), |(action, answer)| self.outcome(action, &answer, ""))
    }
}
