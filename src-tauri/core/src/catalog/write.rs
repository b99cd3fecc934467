//! Writing what admins say of a video: only in the map `reeldesk` of its item, and only where nobody wrote there since it was
//! read. The pipeline's own update does not escape names, so any other new attribute could break its next step.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::Timestamp;

use super::details::{FieldChange, Place, SIDECARS, TAGS, VideoField};
use super::mapping::value_at;
use super::past_edit::EDITS;
use super::sidecars::entries_of;
use super::table::OWN;
use super::{Catalog, Guid, Item, Status, Video};
use crate::explain::explain;
use crate::{Code, Error, Result};

/// Counts the changes of the map: a write holds only where it is what was read.
pub(super) const REVISION: &str = "revision";
/// When someone began to delete the video for good: it can be restored no longer.
pub(super) const PURGE_BEGAN: &str = "purgeBegan";
/// In the trash: whether it was published, where that stands in an attribute of its own.
pub(super) const PUBLISHED_BEFORE: &str = "publishedBefore";
/// Entries of a map, tags for one, that are changed one by one in one update.
const MOST_ENTRY_PATHS: usize = 50;
/// Changes that are kept in the item; the log of the computer where they were made has all of them.
const MOST_EDITS: usize = 20;

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

/// What is written in the map.
#[derive(Default)]
struct Within {
    changes: Vec<FieldChange>,
    /// Others of its attributes; none for those that go.
    own: Vec<(&'static str, Option<AttributeValue>)>,
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
    conditions: Vec<String>,
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
            conditions: Vec::new(),
            names: HashMap::new(),
            values: 0,
        }
    }

    /// The path of names within the map.
    fn path(&mut self, names: &[&str]) -> String {
        let names: Vec<_> = names.iter().map(|name| self.name(name)).collect();
        format!("#own.{}", names.join("."))
    }

    /// The path of an attribute of the item, where a dot leads into a map.
    fn attribute(&mut self, path: &str) -> String {
        path.split('.').map(|name| self.name(name)).collect::<Vec<_>>().join(".")
    }

    fn name(&mut self, name: &str) -> String {
        let next = format!("#{}", self.names.len());
        self.names.entry(name.to_owned()).or_insert(next).clone()
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

    /// Only where an attribute is what was read.
    fn only_if(&mut self, path: &str, is: Option<&AttributeValue>) {
        let condition = match is {
            Some(is) => {
                let is = self.value(is.clone());
                format!("{path} = {is}")
            }
            None => format!("attribute_not_exists({path})"),
        };
        self.conditions.push(condition);
    }

    fn request(mut self, condition: &str) -> UpdateItemFluentBuilder {
        self.conditions.insert(0, condition.to_owned());
        let mut expression = format!("SET {}", self.set.join(", "));
        if !self.remove.is_empty() {
            expression.push_str(" REMOVE ");
            expression.push_str(&self.remove.join(", "));
        }
        let names = self.names.into_iter();
        let request = names.fold(self.request, |request, (name, at)| request.expression_attribute_names(at, name));
        request.update_expression(expression).condition_expression(self.conditions.join(" AND "))
    }
}

impl Catalog {
    /// The whole item of a video, as it is now; none where there is none.
    pub(super) async fn item(&self, guid: &Guid) -> Result<Option<Item>> {
        let get = self.dynamodb.get_item().table_name(&self.table).set_key(Some(self.key(guid))).consistent_read(true);
        let answer = get.send().await.map_err(|error| explain("The video could not be read", error))?;
        Ok(answer.item.map(Item))
    }

    /// Writes changes of a video whose item was read just now, in one write, or none of them. `is_ended`: the pipeline works on it no
    /// longer, whatever its item says.
    pub(super) async fn write(
        &self,
        guid: &Guid,
        read: &Item,
        changes: &[FieldChange],
        author: &Author,
        is_ended: bool,
    ) -> Result<Written> {
        let update = self.dynamodb.update_item().table_name(&self.table).set_key(Some(self.key(guid)));
        let update = update.return_values(ReturnValue::AllNew);
        if let Some(name) = read.own_map().and_then(|own| unusable_map(own, changes)) {
            return Err(unusable(guid, name));
        }
        let mut update = Update::new(update);
        let within = self.put_attributes(&mut update, guid, read, changes, is_ended)?;
        let request = match (read.own_map(), read.0.contains_key(OWN)) {
            (Some(own), _) => changed(update, own, changes, within, author),
            (None, false) => begun(update, self.key_name(), changes, within, author),
            (None, true) => {
                return Err(Error::new(
                    Code::Invalid,
                    format!("The attribute \"{OWN}\" of the video {guid} is no map: another tool wrote it."),
                    "Ask your engineer to remove or rename that attribute.",
                ));
            }
        };
        self.written(request).await
    }

    /// Writes those that have an attribute outside of the map; answers what is left for the map.
    fn put_attributes(
        &self,
        update: &mut Update,
        guid: &Guid,
        read: &Item,
        changes: &[FieldChange],
        is_ended: bool,
    ) -> Result<Within> {
        let mut within = Within::default();
        let is_outside = |field: &VideoField| self.attributes.attribute_of(field).is_some();
        let (outside, inside): (Vec<_>, Vec<_>) = changes.iter().cloned().partition(|change| is_outside(&change.field));
        within.changes = inside;
        let mut values = Vec::with_capacity(outside.len());
        for FieldChange { field, after, .. } in outside {
            let before = self.attribute(read, &field);
            self.attributes.may_replace(&field, before)?;
            let after = after.map(|after| self.attributes.value_of(&field, &after, before));
            values.push((field, after));
        }
        self.shut_in_trash(read, changes, &mut values, &mut within)?;
        // What was said in the map before the attribute was named would be said again.
        within.own.extend(values.iter().map(|(field, _)| (field.place().name(), None)));
        values.retain(|(field, after)| self.attribute(read, field) != after.as_ref());
        if values.is_empty() {
            return Ok(within);
        }
        if !is_ended && matches!(self.read(read).map(|video| video.status), Some(Status::Ingest | Status::Encoding)) {
            // Its next step writes the item, and does not escape names.
            return Err(Error::new(
                Code::InUse,
                format!("The video {guid} is being encoded: what stands in attributes of its own waits for that."),
                "Try again when it has ended.",
            ));
        }
        let mut fresh: BTreeMap<String, HashMap<String, AttributeValue>> = BTreeMap::new();
        for (field, after) in values {
            let Some(name) = self.attributes.attribute_of(&field) else { continue };
            let before = self.attribute(read, &field);
            match (after, name.split_once('.')) {
                // The map that it is in is not there: it is made, with all that goes into it.
                (Some(after), Some((first, rest))) if !read.0.contains_key(first) && !rest.contains('.') => {
                    fresh.entry(first.to_owned()).or_default().insert(rest.to_owned(), after);
                }
                (Some(after), _) => {
                    let (path, value) = (update.attribute(name), update.value(after));
                    update.set.push(format!("{path} = {value}"));
                    update.only_if(&path, before);
                }
                (None, _) => {
                    let path = update.attribute(name);
                    update.remove.push(path.clone());
                    update.only_if(&path, before);
                }
            }
        }
        for (name, map) in fresh {
            let (path, value) = (update.attribute(&name), update.value(AttributeValue::M(map)));
            update.set.push(format!("{path} = {value}"));
            update.only_if(&path, None);
        }
        Ok(within)
    }

    /// What an item has in the attribute of a field.
    fn attribute<'a>(&self, read: &'a Item, field: &VideoField) -> Option<&'a AttributeValue> {
        value_at(&read.0, self.attributes.attribute_of(field)?)
    }

    /// Who reads the attribute of publication knows nothing of the trash: there it says no, and the map keeps what it said.
    fn shut_in_trash(
        &self,
        read: &Item,
        changes: &[FieldChange],
        values: &mut Vec<(VideoField, Option<AttributeValue>)>,
        within: &mut Within,
    ) -> Result<()> {
        const PUBLISHED: VideoField = VideoField::Published;
        let Some(details) = self.read(read).map(|video| video.details) else { return Ok(()) };
        let trashed = changes.iter().find(|change| change.field == VideoField::TrashedAt);
        let was_trashed = details.trashed_at.is_some();
        let is_trashed = trashed.map_or(was_trashed, |change| change.after.is_some());
        let asked = values.iter().position(|(field, _)| *field == PUBLISHED);
        let is_meant = asked.is_some() || trashed.is_some();
        if !is_meant || self.attributes.attribute_of(&PUBLISHED).is_none() || !was_trashed && !is_trashed {
            return Ok(());
        }
        let now = self.attribute(read, &PUBLISHED);
        let asked = asked.map(|at| values.remove(at).1);
        if is_trashed {
            self.attributes.may_replace(&PUBLISHED, now)?;
            let says_yes = now.is_some_and(|now| self.attributes.published(now) == Some(true));
            if says_yes {
                values.push((PUBLISHED, Some(self.attributes.value_of(&PUBLISHED, "false", now))));
            }
            match asked {
                Some(asked) => within.own.push((PUBLISHED_BEFORE, asked)),
                None if says_yes => within.own.push((PUBLISHED_BEFORE, now.cloned())),
                None => {}
            }
            return Ok(());
        }
        // Out of it, it says what it said, unless another program has said something since.
        let kept = read.own_map().and_then(|own| own.get(PUBLISHED_BEFORE));
        let is_shut = now.is_none_or(|now| self.attributes.published(now) == Some(false));
        match (asked, kept) {
            (Some(asked), _) => values.push((PUBLISHED, asked)),
            (None, Some(kept)) if is_shut => values.push((PUBLISHED, Some(kept.clone()))),
            (None, _) => {}
        }
        within.own.push((PUBLISHED_BEFORE, None));
        Ok(())
    }

    /// Whether it may be written: a write whose condition cannot hold is refused after the permission was looked at.
    pub(super) async fn may_write(&self) -> Result<()> {
        let update = self.dynamodb.update_item().table_name(&self.table);
        let update = update
            .key(self.key_name(), AttributeValue::S("reeldesk-check".to_owned()))
            .update_expression("SET #own = :own")
            .condition_expression("attribute_exists(#guid)")
            .expression_attribute_names("#guid", self.key_name())
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
        let update = self.dynamodb.update_item().table_name(&self.table).set_key(Some(self.key(guid)));
        let mut update = Update::new(update.return_values(ReturnValue::AllNew));
        update.set(&[PURGE_BEGAN], AttributeValue::S(author.time()));
        self.written(counted(update, own)).await
    }

    /// Replaces a map of names and values of a video that was read just now.
    pub(super) async fn put_map(
        &self,
        guid: &Guid,
        own: &HashMap<String, AttributeValue>,
        name: &str,
        map: HashMap<String, AttributeValue>,
    ) -> Result<Written> {
        let update = self.dynamodb.update_item().table_name(&self.table).set_key(Some(self.key(guid)));
        let mut update = Update::new(update.return_values(ReturnValue::AllNew));
        update.set(&[name], AttributeValue::M(map));
        self.written(counted(update, own)).await
    }

    /// Sends an update; answers what is there now.
    async fn written(&self, request: UpdateItemFluentBuilder) -> Result<Written> {
        match request.send().await {
            Ok(answer) => {
                let video = answer.attributes.and_then(|item| self.read(&Item(item)));
                video.map(|video| Written::Done(Box::new(video))).ok_or_else(|| Error::internal("no item came back"))
            }
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(Written::Overtaken),
            Err(error) => Err(explain("The change could not be saved", error)),
        }
    }
}

/// A line of the history that others see.
fn edit(changes: &[FieldChange], author: &Author) -> AttributeValue {
    let mut fields: Vec<_> = changes.iter().map(|change| change.field.place().name().to_owned()).collect();
    fields.dedup();
    AttributeValue::M(HashMap::from([
        ("at".to_owned(), AttributeValue::S(author.time())),
        ("who".to_owned(), AttributeValue::S(author.who.clone())),
        ("fields".to_owned(), AttributeValue::L(fields.into_iter().map(AttributeValue::S).collect())),
    ]))
}

/// The update of an item that has no map yet: all of it is made.
fn begun(
    mut update: Update,
    key: &str,
    changes: &[FieldChange],
    within: Within,
    author: &Author,
) -> UpdateItemFluentBuilder {
    let mut own = HashMap::new();
    let mut maps: BTreeMap<_, HashMap<_, _>> = BTreeMap::new();
    own.extend(within.own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    for FieldChange { field, after, .. } in &within.changes {
        let Some(after) = after else { continue };
        match field.place() {
            Place::Attribute(name) => drop(own.insert(name.to_owned(), field.value(after))),
            Place::Entry(map, name) => drop(maps.entry(map).or_default().insert(name.to_owned(), field.value(after))),
        }
    }
    own.extend(maps.into_iter().map(|(name, map)| (name.to_owned(), AttributeValue::M(map))));
    own.insert(REVISION.to_owned(), AttributeValue::N("1".to_owned()));
    own.insert(EDITS.to_owned(), AttributeValue::L(vec![edit(changes, author)]));
    let own = update.value(AttributeValue::M(own));
    update.set.push(format!("#own = {own}"));
    let key = update.name(key);
    update.request(&format!("attribute_exists({key}) AND attribute_not_exists(#own)"))
}

/// The update of an item that has a map: what is not changed stays, also what another version of the app wrote.
fn changed(
    mut update: Update,
    own: &HashMap<String, AttributeValue>,
    changes: &[FieldChange],
    within: Within,
    author: &Author,
) -> UpdateItemFluentBuilder {
    for (name, value) in within.own {
        match value {
            Some(value) => update.set(&[name], value),
            None if own.contains_key(name) => update.remove(&[name]),
            None => {}
        }
    }
    for FieldChange { field, after, .. } in &within.changes {
        match (field.place(), after) {
            (Place::Attribute(name), Some(after)) => update.set(&[name], field.value(after)),
            (Place::Attribute(name), None) => update.remove(&[name]),
            (Place::Entry(..), _) => {}
        }
    }
    put_entries(&mut update, own, TAGS, &within.changes);
    put_entries(&mut update, own, SIDECARS, &within.changes);
    let mut edits = own.get(EDITS).and_then(|edits| edits.as_l().ok()).cloned().unwrap_or_default();
    edits.push(edit(changes, author));
    edits.drain(..edits.len().saturating_sub(MOST_EDITS));
    update.set(&[EDITS], AttributeValue::L(edits));
    counted(update, own)
}

pub(super) fn unusable(guid: &Guid, name: &str) -> Error {
    Error::new(
        Code::Invalid,
        format!("\"{name}\" of the video {guid} is no map of names and values: another tool wrote it."),
        format!("Ask your engineer to remove or rename \"{name}\" in its map \"{OWN}\"."),
    )
}

/// A map within the map that changes would go to, and that is none.
fn unusable_map(own: &HashMap<String, AttributeValue>, changes: &[FieldChange]) -> Option<&'static str> {
    changes.iter().map(|change| change.field.place()).find_map(|place| match (place, own.get(place.name())) {
        (Place::Attribute(_), _) | (_, None | Some(AttributeValue::M(_))) => None,
        (Place::Entry(SIDECARS, _), Some(AttributeValue::L(_))) => None,
        (Place::Entry(name, _), Some(_)) => Some(name),
    })
}

/// Writes what changes within a map of names and values.
fn put_entries(update: &mut Update, own: &HashMap<String, AttributeValue>, map: &'static str, changes: &[FieldChange]) {
    let entry = |change: &FieldChange| match change.field.place() {
        Place::Entry(of, name) if of == map => {
            let after = change.after.as_ref().map(|after| change.field.value(after));
            // A file that is taken off the video stays known: it goes when the video is deleted for good.
            Some((name.to_owned(), after.or((map == SIDECARS).then_some(AttributeValue::Null(true)))))
        }
        _ => None,
    };
    let entries: Vec<_> = changes.iter().filter_map(entry).collect();
    let before = own.get(map);
    // Many are written as a whole: an expression has 4 KB at most (DynamoDB, service quotas).
    if matches!(before, Some(AttributeValue::M(_))) && entries.len() <= MOST_ENTRY_PATHS {
        for (name, after) in entries {
            match after {
                Some(after) => update.set(&[map, &name], after),
                None => update.remove(&[map, &name]),
            }
        }
        return;
    }
    let mut all = entries_of(before);
    for (name, after) in &entries {
        match after {
            Some(after) => drop(all.insert(name.clone(), after.clone())),
            None => drop(all.remove(name)),
        }
    }
    if entries.is_empty() || before.is_none() && all.is_empty() {
        return;
    }
    update.set(&[map], AttributeValue::M(all));
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
