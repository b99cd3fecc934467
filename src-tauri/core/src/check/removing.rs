//! What deleting videos for good needs, but for the table.

use super::{Area, Checker, Finding, Outcome, finding};
use crate::Code;
use crate::explain::explain;
use crate::workspace::policy;

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
        // No other endpoint is one of CloudFront's.
        if !workspace.connection.is_elsewhere() {
            findings.push(of("Clear the CDN", self.clearing().await));
        }
        findings
    }

    /// Whether the CDN can be made to forget what is deleted for good. It does so by itself in the end.
    async fn clearing(&self) -> Outcome {
        let list = self.aws.cloudfront.list_distributions().max_items(1).send().await;
        match list.map_err(|error| explain("The distributions of CloudFront could not be listed", error)) {
            Err(error) if error.code == Code::AccessDenied => Outcome::Advice {
                message: "The CDN may show copies of what is deleted for good until they expire.".to_owned(),
                remedy: format!(
                    "Where that matters, ask your engineer for {} and {}.",
                    policy::LIST_DISTRIBUTIONS.name,
                    policy::CREATE_INVALIDATION.name
                ),
            },
            list => self.outcome(policy::LIST_DISTRIBUTIONS, &list, ""),
        }
    }
}
