//! What DynamoDB refuses and the local one takes: names and values of expressions that no expression uses.
//! Source: Amazon DynamoDB Developer Guide, "Expression attribute names"; the sentences are those of the service.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;

/// The parts of a request that have placeholders.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Expressions {
    update_expression: Option<String>,
    condition_expression: Option<String>,
    projection_expression: Option<String>,
    filter_expression: Option<String>,
    key_condition_expression: Option<String>,
    expression_attribute_names: BTreeMap<String, IgnoredAny>,
    expression_attribute_values: BTreeMap<String, IgnoredAny>,
}

/// A request, and those within it.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Asked {
    #[serde(flatten)]
    whole: Expressions,
    /// Those of `BatchGetItem`, by table.
    request_items: Option<BTreeMap<String, Part>>,
}

/// A list is one of `BatchWriteItem`, which has no expressions.
#[derive(Deserialize)]
#[serde(untagged)]
enum Part {
    Get(Expressions),
    Write(IgnoredAny),
}

/// Why a request is refused; none where all of its placeholders are used.
pub(crate) fn refusal(body: &[u8]) -> Option<String> {
    const MARK: &[u8] = b"\"ExpressionAttribute";
    // Most bodies have none, and may be large.
    if !body.windows(MARK.len()).any(|part| part == MARK) {
        return None;
    }
    let asked: Asked = serde_json::from_slice(body).ok()?;
    let parts = asked.request_items.into_iter().flat_map(BTreeMap::into_values).filter_map(|part| match part {
        Part::Get(expressions) => Some(expressions),
        Part::Write(_) => None,
    });
    std::iter::once(asked.whole).chain(parts).find_map(|part| unused(&part))
}

fn unused(part: &Expressions) -> Option<String> {
    let texts = [
        &part.update_expression,
        &part.condition_expression,
        &part.projection_expression,
        &part.filter_expression,
        &part.key_condition_expression,
    ];
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '#' | ':');
    let words = texts.into_iter().flatten().flat_map(|text| text.split(|c| !is_part(c)));
    let used: BTreeSet<&str> = words.collect();
    let first = |given: &BTreeMap<String, IgnoredAny>| given.keys().find(|name| !used.contains(name.as_str())).cloned();
    let told = |what: &str, name: String| {
        format!("Value provided in ExpressionAttribute{what} unused in expressions: keys: {{{name}}}")
    };
    let names = first(&part.expression_attribute_names).map(|name| told("Names", name));
    names.or_else(|| first(&part.expression_attribute_values).map(|name| told("Values", name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_expression_uses_is_refused() {
        let used = br##"{"UpdateExpression":"SET #a.#b = :v REMOVE #c","ConditionExpression":"attribute_exists(#d)",
            "ExpressionAttributeNames":{"#a":"x","#b":"x","#c":"x","#d":"x"},"ExpressionAttributeValues":{":v":{"S":"x"}}}"##;
        assert_eq!(refusal(used), None);
        let more = br##"{"UpdateExpression":"SET #ab = :v","ExpressionAttributeNames":{"#ab":"x","#a":"x"},
            "ExpressionAttributeValues":{":v":{"S":"x"}}}"##;
        assert!(refusal(more).is_some_and(|told| told.contains("ExpressionAttributeNames") && told.contains("{#a}")));
        let values = br##"{"FilterExpression":"#a = :v","ExpressionAttributeNames":{"#a":"x"},
            "ExpressionAttributeValues":{":v":{"S":"x"},":w":{"S":"x"}}}"##;
        assert!(refusal(values).is_some_and(|told| told.contains("{:w}")));
        let batch = br##"{"RequestItems":{"t":{"Keys":[],"ProjectionExpression":"#a","ExpressionAttributeNames":{"#a":"x","#b":"x"}}}}"##;
        assert!(refusal(batch).is_some_and(|told| told.contains("{#b}")));
    }
}
