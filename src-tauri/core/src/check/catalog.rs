//! The catalog table.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableOutput;
use aws_sdk_dynamodb::types::{AttributeValue, KeyType, KeysAndAttributes, ScalarAttributeType};

use super::{Area, Checker, Finding, Outcome, finding};
use crate::explain::explain;
use crate::workspace::{TableMapping, policy};
use crate::{Code, Error};

/// No video has this key: guids are UUIDs.
const NOBODY: &str = "reeldesk-check";

impl Checker<'_> {
    pub async fn table(&self) -> Vec<Finding> {
        let (dynamodb, table) = (&self.aws.dynamodb, &self.workspace.table);
        let nobody = || AttributeValue::S(NOBODY.into());
        let names = self.workspace.mapping.clone().unwrap_or_default();
        let list = async {
            let index = names.time_index(&self.workspace.source_bucket)?;
            let query = dynamodb.query().table_name(table).index_name(index.name).limit(1);
            let query = query.key_condition_expression("#b = :b").expression_attribute_names("#b", index.partition_key);
            let query = query.expression_attribute_values(":b", AttributeValue::S(index.partition_value));
            Some(query.send().await)
        };
        let key_name = names.key();
        let read = dynamodb.get_item().table_name(table).key(key_name, nobody());
        let all = dynamodb.scan().table_name(table).limit(1);
        let describe = dynamodb.describe_table().table_name(table);
        let key = KeysAndAttributes::builder().keys(HashMap::from([(key_name.to_owned(), nobody())])).build();
        let some =
            dynamodb.batch_get_item().set_request_items(key.ok().map(|key| HashMap::from([(table.clone(), key)])));
        // A condition that cannot hold: it is refused before anything is written, and after the permission was looked at.
        let write = dynamodb
            .update_item()
            .table_name(table)
            .key(key_name, nobody())
            .update_expression("SET #r = :t")
            .condition_expression("attribute_exists(#key)")
            .expression_attribute_names("#key", key_name)
            .expression_attribute_names("#r", "reeldesk")
            .expression_attribute_values(":t", AttributeValue::Bool(true));
        let delete = dynamodb.delete_item().table_name(table).key(key_name, nobody());
        let delete = delete.condition_expression("attribute_exists(#key)").expression_attribute_names("#key", key_name);
        let (list, all, describe, read, some, write, delete) =
            tokio::join!(list, all.send(), describe.send(), read.send(), some.send(), write.send(), delete.send());
        let doing = |what: &str| format!("The table \"{table}\" could not be {what}");
        let list = list.map(|list| list.map_err(|error| explain(&doing("read by its index"), error)));
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
        let list = match &list {
            Some(list) => self.outcome(policy::QUERY, list, table),
            None => Outcome::works("It has no index by time: what is new is found by reading all of it."),
        };
        vec![
            finding(Area::Catalog, "The key of the table", key_of(&names, table, describe.as_ref().ok())),
            finding(Area::Catalog, "List the videos", list),
            finding(Area::Catalog, "Search the videos", self.outcome(policy::SCAN, &all, "")),
            finding(Area::Catalog, "Count the videos", self.outcome(policy::DESCRIBE_TABLE, &describe, "")),
            finding(Area::Catalog, "Keep the list fresh", self.outcome(policy::BATCH_GET_ITEM, &some, "")),
            finding(Area::Catalog, "Read a video", self.outcome(policy::GET_ITEM, &read, "")),
            finding(Area::Catalog, "Change a video", self.outcome(policy::UPDATE_ITEM, &write, "")),
            finding(Area::Catalog, "Delete a video for good", self.outcome(policy::DELETE_ITEM, &delete, "")),
        ]
    }
}

/// Whether a table has the key that its workspace names: one, of text.
fn key_of(names: &TableMapping, table: &str, described: Option<&DescribeTableOutput>) -> Outcome {
    let Some(described) = described.and_then(|described| described.table()) else {
        return Outcome::skipped("The table cannot be looked at.");
    };
    let keys = described.key_schema();
    let is_text = |name: &str| {
        let definition =
            described.attribute_definitions().iter().find(|definition| definition.attribute_name() == name);
        definition.is_some_and(|definition| *definition.attribute_type() == ScalarAttributeType::S)
    };
    let wrong = |what: String, remedy: &str| Outcome::Wrong { error: Error::new(Code::Invalid, what, remedy) };
    match keys {
        [key] if key.attribute_name() == names.key() && is_text(names.key()) => Outcome::works(names.key()),
        [key] if key.attribute_name() == names.key() => wrong(
            format!("The key of the table \"{table}\", \"{}\", is no text.", names.key()),
            "Reeldesk needs a table whose key is a text.",
        ),
        [_, ..] if keys.iter().any(|key| *key.key_type() == KeyType::Range) => wrong(
            format!("The table \"{table}\" has a sort key beside its partition key."),
            "Reeldesk needs a table in which the partition key alone names a video.",
        ),
        _ => {
            let key = keys.first().map_or("another one", |key| key.attribute_name());
            wrong(
                format!("The key of the table \"{table}\" is \"{key}\", not \"{}\".", names.key()),
                "Name it on the Workspace screen, under Attributes of the table.",
            )
        }
    }
}
