//! What an item tells of the changes that admins made.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::item::parse_time;

/// The newest changes, so that other admins see them.
pub(super) const EDITS: &str = "edits";

/// A change of what admins say of a video, as its item tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PastEdit {
    /// When, in milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub at: Option<i64>,
    /// The ARN of who did it.
    pub who: String,
    /// What was changed: `title`, `tags`, ...
    pub fields: Vec<String>,
}

impl PastEdit {
    /// Those of a map, the last one first.
    pub(super) fn all(own: &HashMap<String, AttributeValue>) -> Vec<Self> {
        let edits = own.get(EDITS).and_then(|edits| edits.as_l().ok()).into_iter().flatten().rev();
        let edits = edits.filter_map(|edit| {
            let edit = edit.as_m().ok()?;
            let text = |name: &str| edit.get(name)?.as_s().ok().cloned();
            let fields = edit.get("fields").and_then(|fields| fields.as_l().ok()).into_iter().flatten();
            Some(Self {
                at: text("at").and_then(|at| parse_time(&at)),
                who: text("who").unwrap_or_default(),
                fields: fields.filter_map(|field| field.as_s().ok().cloned()).collect(),
            })
        });
        edits.collect()
    }
}
