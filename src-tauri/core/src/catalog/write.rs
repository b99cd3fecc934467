//! Writing what admins say of a video: only in the map `reeldesk` of its item, and only where nobody wrote there since it was
//! read. The pipeline's own update does not escape names, so any other new attribute could break its next step.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::details::{FieldChange, VideoField};
use super::item::parse_time;
use super::table::OWN;
use super::{Catalog, Guid, Item, Video};
use crate::explain::explain;
use crate::{Code, Error, Result};

/// Counts the changes of the map: a write holds only where it is what was read.
pub(super) const REVISION: &str = "revision";
/// When someone began to delete the video for good: it can be restored no longer.
pub(super) const PURGE_BEGAN: &str = "purgeBegan";
/// The newest changes, so that other admins see them.
const EDITS: &str = "edits";
const TAGS: &str = "tags";
/// Tags that are changed one by one in one update.
const MOST_TAG_PATHS: usize = 50;
/// Changes that are kept in the item; the log of the computer where they were made has all of them.
const MOST_EDITS: usize = 20;

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

/// Who changes something, and when (milliseconds since the epoch).
#[derive(Clone, Debug)]
pub(super) struct Author {
    pub who: String,
    pub at: i64,
}

impl Author {
    fn time(&self) -> String {
        Timestamp::from_millisecond(self.at).map(|at| at.to_string()).unwrap_or_default()
    }
}

/// What became of a write.
pub(super) enum Written {
    /// It is so now.
    Done(Box<Video>),
    /// Someone wrote since it was read.
    Overtaken,
}

/// What an update sets and removes, with placeholders for all names and values.
struct Update {
    request: UpdateItemFluentBuilder,
    set: Vec<String>,
    remove: Vec<String>,
    /// Placeholders of names, so that each has one.
    names: HashMap<String, String>,
    values: usize,
}

impl Update {
    fn new(request: UpdateItemFluentBuilder) -> Self {
        Self {
            request: request.expression_attribute_names("#own", OWN),
            set: Vec::new(),
            remove: Vec::new(),
            names: HashMap::new(),
            values: 0,
        }
    }

    /// The path of names within the map.
    fn path(&mut self, names: &[&str]) -> String {
        let mut path = "#own".to_owned();
        for name in names {
            let next = format!("#{}", self.names.len());
            let placeholder = self.names.entry((*name).to_owned()).or_insert(next);
            path.push('.');
            path.push_str(placeholder);
        }
        path
    }

    fn value(&mut self, value: AttributeValue) -> String {
        self.values += 1;
        let placeholder = format!(":{}", self.values);
        self.request = self.request.clone().expression_attribute_values(&placeholder, value);
        placeholder
    }

    fn set(&mut self, names: &[&str], value: AttributeValue) {
        let (path, value) = (self.path(names), self.value(value));
        self.set.push(format!("{path} = {value}"));
    }

    fn remove(&mut self, names: &[&str]) {
        let path = self.path(names);
        self.remove.push(path);
    }

    fn request(self, condition: &str) -> UpdateItemFluentBuilder {
        let mut expression = format!("SET {}", self.set.join(", "));
        if !self.remove.is_empty() {
            expression.push_str(" REMOVE ");
            expression.push_str(&self.remove.join(", "));
        }
        let names = self.names.into_iter();
        let request = names.fold(self.request, |request, (name, at)| request.expression_attribute_names(at, name));
        request.update_expression(expression).condition_expression(condition)
    }
}

impl Catalog {
    /// The whole item of a video, as it is now; none where there is none.
    pub(super) async fn item(&self, guid: &Guid) -> Result<Option<Item>> {
        let key = AttributeValue::S(guid.to_string());
        let get = self.dynamodb.get_item().table_name(&self.table).key("guid", key).consistent_read(true);
        let answer = get.send().await.map_err(|error| explain("The video could not be read", error))?;
        Ok(answer.item.map(Item))
    }

    /// Writes changes of a video whose item was read just now, in one write, or none of them.
    pub(super) async fn write(
        &self,
        guid: &Guid,
        read: &Item,
        changes: &[FieldChange],
        author: &Author,
    ) -> Result<Written> {
        let key = AttributeValue::S(guid.to_string());
        let update = self.dynamodb.update_item().table_name(&self.table).key("guid", key);
        let update = update.return_values(ReturnValue::AllNew);
        let has_other_tags = read.own_map().and_then(|own| own.get(TAGS)).is_some_and(|tags| tags.as_m().is_err());
        if has_other_tags && changes.iter().any(|change| matches!(change.field, VideoField::Tag(_))) {
            return Err(Error::new(
                Code::Invalid,
                format!("The tags of the video {guid} are no map of names and values: another tool wrote them."),
                "Ask your engineer to remove or rename \"tags\" in its map \"reeldesk\".",
            ));
        }
        let request = match (read.own_map(), read.0.contains_key(OWN)) {
            (Some(own), _) => changed(update, own, changes, author),
            (None, false) => begun(update, changes, author),
            (None, true) => {
                return Err(Error::new(
                    Code::Invalid,
                    format!("The attribute \"{OWN}\" of the video {guid} is no map: another tool wrote it."),
                    "Ask your engineer to remove or rename that attribute.",
                ));
            }
        };
        written(request).await
    }

    /// Whether it may be written: a write whose condition cannot hold is refused after the permission was looked at.
    pub(super) async fn may_write(&self) -> Result<()> {
        let update = self.dynamodb.update_item().table_name(&self.table);
        let update = update
            .key("guid", AttributeValue::S("reeldesk-check".to_owned()))
            .update_expression("SET #own = :own")
            .condition_expression("attribute_exists(#guid)")
            .expression_attribute_names("#guid", "guid")
            .expression_attribute_names("#own", OWN)
            .expression_attribute_values(":own", AttributeValue::Bool(true));
        match update.send().await {
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(()),
            answer => answer.map(drop).map_err(|error| explain("Videos cannot be changed", error)),
        }
    }

    /// Marks a video of the trash that is deleted for good from now on.
    pub(super) async fn mark(&self, guid: &Guid, read: &Item, author: &Author) -> Result<Written> {
        let Some(own) = read.own_map() else { return Ok(Written::Overtaken) };
        let key = AttributeValue::S(guid.to_string());
        let update = self.dynamodb.update_item().table_name(&self.table).key("guid", key);
        let mut update = Update::new(update.return_values(ReturnValue::AllNew));
        update.set(&[PURGE_BEGAN], AttributeValue::S(author.time()));
        written(counted(update, own)).await
    }
}

/// Sends an update; answers what is there now.
async fn written(request: UpdateItemFluentBuilder) -> Result<Written> {
    match request.send().await {
        Ok(answer) => {
            let video = answer.attributes.and_then(|item| Item(item).read());
            video.map(|video| Written::Done(Box::new(video))).ok_or_else(|| Error::internal("no item came back"))
        }
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(Written::Overtaken),
        Err(error) => Err(explain("The change could not be saved", error)),
    }
}

/// A line of the history that others see.
fn edit(changes: &[FieldChange], author: &Author) -> AttributeValue {
    let mut fields: Vec<_> = changes.iter().map(|change| change.field.attribute().unwrap_or(TAGS).to_owned()).collect();
    fields.dedup();
    AttributeValue::M(HashMap::from([
        ("at".to_owned(), AttributeValue::S(author.time())),
        ("who".to_owned(), AttributeValue::S(author.who.clone())),
        ("fields".to_owned(), AttributeValue::L(fields.into_iter().map(AttributeValue::S).collect())),
    ]))
}

/// The update of an item that has no map yet: all of it is made.
fn begun(update: UpdateItemFluentBuilder, changes: &[FieldChange], author: &Author) -> UpdateItemFluentBuilder {
    let (mut own, mut tags) = (HashMap::new(), HashMap::new());
    for FieldChange { field, after, .. } in changes {
        let Some(after) = after else { continue };
        match (field.attribute(), field) {
            (Some(name), _) => drop(own.insert(name.to_owned(), field.value(after))),
            (None, VideoField::Tag(name)) => drop(tags.insert(name.clone(), field.value(after))),
            (None, _) => {}
        }
    }
    if !tags.is_empty() {
        own.insert(TAGS.to_owned(), AttributeValue::M(tags));
    }
    own.insert(REVISION.to_owned(), AttributeValue::N("1".to_owned()));
    own.insert(EDITS.to_owned(), AttributeValue::L(vec![edit(changes, author)]));
    update
        .update_expression("SET #own = :own")
        .condition_expression("attribute_exists(#guid) AND attribute_not_exists(#own)")
        .expression_attribute_names("#guid", "guid")
        .expression_attribute_names("#own", OWN)
        .expression_attribute_values(":own", AttributeValue::M(own))
}

/// The update of an item that has a map: what is not changed stays, also what another version of the app wrote.
fn changed(
    update: UpdateItemFluentBuilder,
    own: &HashMap<String, AttributeValue>,
    changes: &[FieldChange],
    author: &Author,
) -> UpdateItemFluentBuilder {
    let mut update = Update::new(update);
    let tag_changes = changes.iter().filter(|change| matches!(change.field, VideoField::Tag(_))).count();
    let before = own.get(TAGS).and_then(|tags| tags.as_m().ok());
    // Many are written as a whole: an expression has 4 KB at most (DynamoDB, service quotas).
    let tags = before.filter(|_| tag_changes <= MOST_TAG_PATHS);
    let mut new_tags = before.filter(|_| tags.is_none()).cloned().unwrap_or_default();
    for FieldChange { field, after, .. } in changes {
        match (field.attribute(), field, after) {
            (Some(name), _, Some(after)) => update.set(&[name], field.value(after)),
            (Some(name), _, None) => update.remove(&[name]),
            (None, VideoField::Tag(name), Some(after)) if tags.is_some() => {
                update.set(&[TAGS, name], field.value(after));
            }
            (None, VideoField::Tag(name), Some(after)) => drop(new_tags.insert(name.clone(), field.value(after))),
            (None, VideoField::Tag(name), None) if tags.is_some() => update.remove(&[TAGS, name]),
            (None, VideoField::Tag(name), None) => drop(new_tags.remove(name)),
            (None, ..) => {}
        }
    }
    if tags.is_none() && (before.is_some() || !new_tags.is_empty()) {
        update.set(&[TAGS], AttributeValue::M(new_tags));
    }
    let mut edits = own.get(EDITS).and_then(|edits| edits.as_l().ok()).cloned().unwrap_or_default();
    edits.push(edit(changes, author));
    edits.drain(..edits.len().saturating_sub(MOST_EDITS));
    update.set(&[EDITS], AttributeValue::L(edits));
    counted(update, own)
}

/// An update that counts, and holds only where nobody has written since the map was read.
fn counted(mut update: Update, own: &HashMap<String, AttributeValue>) -> UpdateItemFluentBuilder {
    let before = own.get(REVISION);
    let number = before.and_then(|before| before.as_n().ok()?.parse::<i64>().ok()).unwrap_or(0);
    update.set(&[REVISION], AttributeValue::N((number + 1).to_string()));
    let revision = update.path(&[REVISION]);
    let condition = match before {
        Some(before) => {
            let before = update.value(before.clone());
            format!("{revision} = {before}")
        }
        None => format!("attribute_exists(#own) AND attribute_not_exists({revision})"),
    };
    update.request(&condition)
}
