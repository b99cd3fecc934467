//! The table's items: plain JSON in the steps, DynamoDB's attribute values on the wire.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value};

use super::{Pipeline, TableError};
use crate::TABLE;
use crate::options::Generation;
use crate::time::now_v4;

fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(flag) => AttributeValue::Bool(*flag),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text.clone()),
        Value::Array(items) => AttributeValue::L(items.iter().map(attribute).collect()),
        Value::Object(map) => {
            AttributeValue::M(map.iter().map(|(key, value)| (key.clone(), attribute(value))).collect())
        }
    }
}

/// Fields as version 4 of the pipeline has them: other names, other times, and without what came later.
fn as_v4(fields: Value) -> Value {
    let Value::Object(fields) = fields else { return fields };
    let renamed = fields.into_iter().filter_map(|(name, value)| {
        Some(match name.as_str() {
            "inputRotate" | "acceleratedTranscoding" | "enableSns" | "enableSqs" | "enableMediaPackage" => return None,
            "startTime" => (name, now_v4().into()),
            "endTime" => ("EndTime".to_owned(), now_v4().into()),
            "encodeJobId" => ("ecodeJobId".to_owned(), value),
            "thumbNails" => ("thumbNail".to_owned(), value),
            "thumbNailsUrls" => ("thumbNailUrl".to_owned(), value),
            "archiveSource" => (name, false.into()),
            _ => (name, value),
        })
    });
    Value::Object(renamed.collect())
}

impl Pipeline {
    pub(super) async fn get(&self, guid: &str) -> Result<Option<HashMap<String, AttributeValue>>, TableError> {
        let answer = self
            .dynamodb
            .get_item()
            .table_name(TABLE)
            .key("guid", AttributeValue::S(guid.to_owned()))
            .consistent_read(true)
            .send()
            .await?;
        Ok(answer.item)
    }

    /// Writes fields of one item and leaves its other fields as they are.
    pub(super) async fn set(&self, guid: &str, fields: Value) -> Result<(), TableError> {
        let fields = match self.generation {
            Generation::V4_3 => as_v4(fields),
            Generation::V5_2 | Generation::V6_1 => fields,
        };
        let fields = match fields {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        let mut update = self.dynamodb.update_item().table_name(TABLE).key("guid", AttributeValue::S(guid.to_owned()));
        let mut assignments = Vec::new();
        for (index, (name, value)) in fields.iter().enumerate() {
            assignments.push(format!("#{index} = :{index}"));
            update = update
                .expression_attribute_names(format!("#{index}"), name)
                .expression_attribute_values(format!(":{index}"), attribute(value));
        }
        update.update_expression(format!("SET {}", assignments.join(", "))).send().await?;
        Ok(())
    }
}
