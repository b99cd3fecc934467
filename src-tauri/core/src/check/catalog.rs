//! The catalog table.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

use super::{Area, Checker, Finding, finding};
use crate::catalog::INDEX;
use crate::explain::explain;
use crate::workspace::policy;

/// No video has this key: guids are UUIDs.
const NOBODY: &str = "reeldesk-check";

impl Checker<'_> {
    pub async fn table(&self) -> Vec<Finding> {
        let (dynamodb, table) = (&self.aws.dynamodb, &self.workspace.table);
        let nobody = || AttributeValue::S(NOBODY.into());
        let list = dynamodb
            .query()
            .table_name(table)
            .index_name(INDEX)
            .key_condition_expression("srcBucket = :b")
            .expression_attribute_values(":b", AttributeValue::S(self.workspace.source_bucket.clone()))
            .limit(1);
        let read = dynamodb.get_item().table_name(table).key("guid", nobody());
        let all = dynamodb.scan().table_name(table).limit(1);
        let describe = dynamodb.describe_table().table_name(table);
        let key = KeysAndAttributes::builder().keys(HashMap::from([("guid".to_owned(), nobody())])).build();
        let some =
            dynamodb.batch_get_item().set_request_items(key.ok().map(|key| HashMap::from([(table.clone(), key)])));
        // A condition that cannot hold: it is refused before anything is written, and after the permission was looked at.
        let write = dynamodb
            .update_item()
            .table_name(table)
            .key("guid", nobody())
            .update_expression("SET #r = :t")
            .condition_expression("attribute_exists(guid)")
            .expression_attribute_names("#r", "reeldesk")
            .expression_attribute_values(":t", AttributeValue::Bool(true));
        let delete = dynamodb.delete_item().table_name(table).key("guid", nobody());
        let delete = delete.condition_expression("attribute_exists(guid)");
        let (list, all, describe, read, some, write, delete) = tokio::join!(
            list.send(),
            all.send(),
            describe.send(),
            read.send(),
            some.send(),
            write.send(),
            delete.send()
        );
        let doing = |what: &str| format!("The table \"{table}\" could not be {what}");
        let list = list.map_err(|error| explain(&doing("read by its index"), error));
        let all = all.map_err(|error| explain(&doing("read through"), error));
        let describe = describe.map_err(|error| explain(&doing("looked at"), error));
        let some = some.map_err(|error| explain(&doing("read by its keys"), error));
        let read = read.map_err(|error| explain(&doing("read"), error));
        let write = match write {
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(()),
            answer => answer.map(drop).map_err(|error| explain(&doing("written"), error)),
        };
        let delete = match delete {
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(()),
            answer => answer.map(drop).map_err(|error| explain(&doing("deleted from"), error)),
        };
        vec![
            finding(Area::Catalog, "List the videos", self.outcome(policy::QUERY, &list, table)),
            finding(Area::Catalog, "Search the videos", self.outcome(policy::SCAN, &all, "")),
            finding(Area::Catalog, "Count the videos", self.outcome(policy::DESCRIBE_TABLE, &describe, "")),
            finding(Area::Catalog, "Keep the list fresh", self.outcome(policy::BATCH_GET_ITEM, &some, "")),
            finding(Area::Catalog, "Read a video", self.outcome(policy::GET_ITEM, &read, "")),
            finding(Area::Catalog, "Change a video", self.outcome(policy::UPDATE_ITEM, &write, "")),
            finding(Area::Catalog, "Delete a video for good", self.outcome(policy::DELETE_ITEM, &delete, "")),
        ]
    }
}
