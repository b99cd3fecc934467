//! From the PascalCase of consoles and template files to the camelCase of the wire.
//!
//! Every object key changes its first letter, except the keys of maps whose keys the user chose.

use serde_json::Value;

const USER_KEYED: [&str; 6] =
    ["userMetadata", "tags", "audioSelectors", "audioSelectorGroups", "captionSelectors", "dynamicAudioSelectors"];

/// The same document with wire names; a document with wire names is left as it is.
pub(crate) fn to_wire(value: Value) -> Value {
    recase(value, lower_first)
}

/// The same document with the names of consoles and Lambda code.
pub(crate) fn to_pascal(value: Value) -> Value {
    recase(value, upper_first)
}

fn recase(value: Value, rename: fn(&str) -> String) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| {
                    let value = match value {
                        Value::Object(inner) if USER_KEYED.contains(&lower_first(&key).as_str()) => {
                            inner.into_iter().map(|(k, v)| (k, recase(v, rename))).collect()
                        }
                        other => recase(other, rename),
                    };
                    (rename(&key), value)
                })
                .collect(),
        ),
        Value::Array(items) => items.into_iter().map(|item| recase(item, rename)).collect(),
        other => other,
    }
}

fn lower_first(key: &str) -> String {
    let mut letters = key.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn upper_first(key: &str) -> String {
    let mut letters = key.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_change_but_those_of_user_maps_do_not() {
        let file = json!({"Settings": {"Inputs": [{"AudioSelectors": {"Audio Selector 1": {"DefaultSelection": "DEFAULT"}}}]},
            "UserMetadata": {"Guid": "x"}});
        let wire = json!({"settings": {"inputs": [{"audioSelectors": {"Audio Selector 1": {"defaultSelection": "DEFAULT"}}}]},
            "userMetadata": {"Guid": "x"}});
        assert_eq!(to_wire(file.clone()), wire);
        assert_eq!(to_pascal(wire), file);
    }
}
