//! The catalog table: the solution's, or one of an operator's own, with other names, an API beside it and no index.
//! Plain JSON in the steps of the pipeline, DynamoDB's attribute values on the wire.

use std::collections::HashMap;

use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use serde_json::{Map, Value, json};

use crate::endpoints::Endpoints;
use crate::options::{CatalogKind, Generation};
use crate::time::now_v4;
use crate::{CUSTOM_TABLE, REGION, SOURCE_BUCKET, TABLE, TABLE_INDEX};

/// The error of a call to the table.
pub(crate) type TableError = aws_sdk_dynamodb::Error;

/// An item, as the SDK gives it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The table; cheap to clone.
#[derive(Clone)]
pub(crate) struct Table {
    dynamodb: aws_sdk_dynamodb::Client,
    kind: CatalogKind,
    generation: Generation,
}

/// A video as viewers are told of it.
pub(crate) struct Playable {
    pub key: String,
    pub title: Option<String>,
    /// Behind the CDN: an address, or a path.
    pub hls: String,
}

impl Table {
    pub fn of(endpoints: &Endpoints, generation: Generation) -> Self {
        let credentials = &endpoints.credentials;
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(&endpoints.api)
            .credentials_provider(aws_credential_types::Credentials::from_keys(
                &credentials.access_key_id,
                &credentials.secret_access_key,
                None,
            ))
            .build();
        let dynamodb = aws_sdk_dynamodb::Client::from_conf(config);
        Self { dynamodb, kind: endpoints.catalog, generation }
    }

    fn name(&self) -> &'static str {
        match self.kind {
            CatalogKind::Solution => TABLE,
            CatalogKind::Custom => CUSTOM_TABLE,
        }
    }

    fn key(&self) -> &'static str {
        match self.kind {
            CatalogKind::Solution => "guid",
            CatalogKind::Custom => "videoId",
        }
    }

    /// Makes it where it is not there.
    pub async fn create(&self) -> Result<(), String> {
        if self.dynamodb.describe_table().table_name(self.name()).send().await.is_ok() {
            return Ok(());
        }
        let attribute = |name: &str| {
            let definition = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
            definition.build().map_err(|error| error.to_string())
        };
        let key = |name: &str, kind| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(|error| error.to_string())
        };
        let table = self.dynamodb.create_table().table_name(self.name()).billing_mode(BillingMode::PayPerRequest);
        let table = table.attribute_definitions(attribute(self.key())?).key_schema(key(self.key(), KeyType::Hash)?);
        let table = match self.kind {
            CatalogKind::Custom => table,
            // By source bucket and start time.
            CatalogKind::Solution => {
                let index = GlobalSecondaryIndex::builder()
                    .index_name(TABLE_INDEX)
                    .key_schema(key("srcBucket", KeyType::Hash)?)
                    .key_schema(key("startTime", KeyType::Range)?)
                    .projection(Projection::builder().projection_type(ProjectionType::All).build())
                    .build()
                    .map_err(|error| error.to_string())?;
                let table = table.attribute_definitions(attribute("srcBucket")?);
                table.attribute_definitions(attribute("startTime")?).global_secondary_indexes(index)
            }
        };
        match table.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_in_use_exception()) => Ok(()),
            Err(error) => Err(DisplayErrorContext(error).to_string()),
        }
    }

    /// An item, as it is now.
    pub async fn get(&self, guid: &str) -> Result<Option<Item>, TableError> {
        let get = self.dynamodb.get_item().table_name(self.name()).key(self.key(), text(guid));
        Ok(get.consistent_read(true).send().await?.item)
    }

    /// Whether an item says that there is a job.
    pub fn has_job(&self, item: &Item) -> bool {
        ["encodeJobId", "ecodeJobId", "jobId"].iter().any(|name| item.contains_key(*name))
    }

    /// Writes fields of one item, under the names that this table has for them, and leaves its other fields as they are.
    pub async fn set(&self, guid: &str, fields: Value) -> Result<(), TableError> {
        let fields = match (self.kind, self.generation) {
            (CatalogKind::Custom, _) => as_custom(&fields),
            (CatalogKind::Solution, Generation::V4_3) => as_v4(fields),
            (CatalogKind::Solution, Generation::V5_2 | Generation::V6_1) => fields,
        };
        self.update(guid, fields, false).await
    }

    /// What the viewers' API changes of a video that is there.
    pub async fn patch(&self, guid: &str, title: Option<&str>, published: Option<bool>) -> Result<(), TableError> {
        let [of_title, of_published] = self.names_of_api();
        let mut fields = Map::new();
        fields.extend(title.map(|title| (of_title.to_owned(), json!(title))));
        fields.extend(published.map(|published| (of_published.to_owned(), json!(published))));
        if fields.is_empty() {
            return Ok(());
        }
        self.update(guid, Value::Object(fields), true).await
    }

    /// The attributes of the title and of whether it is published, as the viewers' API serves them.
    fn names_of_api(&self) -> [&'static str; 2] {
        match self.kind {
            CatalogKind::Solution => ["title", "published"],
            CatalogKind::Custom => ["name", "isPublished"],
        }
    }

    async fn update(&self, guid: &str, fields: Value, is_there: bool) -> Result<(), TableError> {
        let fields = match fields {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        let mut update = self.dynamodb.update_item().table_name(self.name()).key(self.key(), text(guid));
        if is_there {
            update =
                update.condition_expression("attribute_exists(#key)").expression_attribute_names("#key", self.key());
        }
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

    /// The videos that viewers can watch: the newest first, where the table has an index.
    pub async fn playable(&self) -> Result<Vec<Playable>, TableError> {
        let mut items = match self.kind {
            CatalogKind::Solution => {
                let query = self.dynamodb.query().table_name(TABLE).index_name(TABLE_INDEX);
                let query = query.key_condition_expression("srcBucket = :b").scan_index_forward(false);
                query.expression_attribute_values(":b", text(SOURCE_BUCKET)).into_paginator().items().send()
            }
            CatalogKind::Custom => return self.playable_of_custom().await,
        };
        let mut videos = Vec::new();
        while let Some(item) = items.next().await {
            let item = item?;
            let text = |name: &str| item.get(name)?.as_s().ok().cloned();
            let is_hidden = item.get("published").and_then(|flag| flag.as_bool().ok()) == Some(&false);
            if text("workflowStatus").as_deref() != Some("Complete") || is_hidden {
                continue;
            }
            let described = item.get("reeldesk").and_then(|map| map.as_m().ok());
            let title = described.and_then(|map| map.get("title")?.as_s().ok().cloned());
            let source = text("srcVideo").and_then(|key| key.rsplit('/').next().map(str::to_owned));
            let video = text("guid").zip(text("hlsUrl"));
            videos.extend(video.map(|(key, hls)| Playable { key, title: text("title").or(title).or(source), hls }));
        }
        Ok(videos)
    }

    async fn playable_of_custom(&self) -> Result<Vec<Playable>, TableError> {
        let mut items = self.dynamodb.scan().table_name(CUSTOM_TABLE).into_paginator().items().send();
        let mut videos = Vec::new();
        while let Some(item) = items.next().await {
            let item = item?;
            let text = |name: &str| item.get(name)?.as_s().ok().cloned();
            let is_published = item.get("isPublished").and_then(|flag| flag.as_bool().ok()) == Some(&true);
            if text("state").as_deref() == Some("READY") && is_published {
                let video = text("videoId").zip(text("location"));
                videos.extend(video.map(|(key, hls)| Playable { key, title: text("name"), hls }));
            }
        }
        Ok(videos)
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

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

/// Fields as the Lambda of an operator's own table writes them: other names, and of addresses only the paths.
fn as_custom(fields: &Value) -> Value {
    let path = |url: &Value| {
        let url = url.as_str().unwrap_or_default();
        json!(url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or(url, |(_, path)| path))
    };
    let paths = |urls: &Value| Value::Array(urls.as_array().into_iter().flatten().map(path).collect());
    let mut custom = Map::new();
    for (name, value) in fields.as_object().into_iter().flatten() {
        let (name, value) = match name.as_str() {
            "startTime" => ("createdAt", value.clone()),
            "endTime" => ("finishedAt", value.clone()),
            "srcVideo" => ("sourceKey", value.clone()),
            "encodeJobId" => {
                custom.insert("state".to_owned(), json!("PROCESSING"));
                ("jobId", value.clone())
            }
            "workflowStatus" => match value.as_str() {
                Some("Complete") => ("state", json!("READY")),
                Some("Error") => ("state", json!("FAILED")),
                _ => {
                    custom.insert("isPublished".to_owned(), json!(false));
                    custom.insert("madeBy".to_owned(), json!("on-upload"));
                    ("state", json!("UPLOADED"))
                }
            },
            "errorMessage" => ("failure", value.clone()),
            "hlsUrl" => ("location", path(value)),
            "mp4Urls" => ("files", paths(value)),
            "thumbNailsUrls" => ("thumbnails", paths(value)),
            "srcMediainfo" => {
                let info: Value = serde_json::from_str(value.as_str().unwrap_or_default()).unwrap_or_default();
                let seconds = info["container"]["duration"].as_f64().unwrap_or_default();
                ("durationMs", json!((seconds * 1000.0).round()))
            }
            "encodingOutput" => ("resolutions", resolutions(value)),
            _ => continue,
        };
        custom.insert(name.to_owned(), value);
    }
    Value::Object(custom)
}

/// The sizes of the pictures that a job made, as its event has them.
fn resolutions(event: &Value) -> Value {
    let groups = event["detail"]["outputGroupDetails"].as_array().into_iter().flatten();
    let outputs = groups.filter(|group| group["type"] == "HLS_GROUP");
    let outputs = outputs.flat_map(|group| group["outputDetails"].as_array().into_iter().flatten());
    let size = |output: &Value| {
        let details = &output["videoDetails"];
        Some(json!(format!("{}x{}", details["widthInPx"].as_u64()?, details["heightInPx"].as_u64()?)))
    };
    Value::Array(outputs.filter_map(size).collect())
}
