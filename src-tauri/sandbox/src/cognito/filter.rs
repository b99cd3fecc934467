//! The filter of `ListUsers`: one attribute, equal to a value or beginning with it.

use serde_json::Value;

use super::{Refused, invalid};

/// What can be searched.
const SEARCHABLE: [&str; 10] = [
    "username",
    "email",
    "phone_number",
    "name",
    "given_name",
    "family_name",
    "preferred_username",
    "cognito:user_status",
    "status",
    "sub",
];

pub(super) struct Filter {
    attribute: String,
    value: String,
    is_prefix: bool,
}

impl Filter {
    /// Reads `attribute = "value"` or `attribute ^= "value"`.
    pub fn parse(text: &str) -> Result<Option<Self>, Refused> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        if text.chars().count() > 256 {
            return invalid(
                "1 validation error detected: Value at 'filter' failed to satisfy constraint: Member must have length less than or equal to 256",
            );
        }
        let wrong = || {
            Refused(
                "InvalidParameterException",
                "Error while parsing filter: one or more parameters in the filter are invalid.".to_owned(),
            )
        };
        let (left, right) = text.split_once('=').ok_or_else(wrong)?;
        let (left, is_prefix) = left.trim_end().strip_suffix('^').map_or((left, false), |left| (left, true));
        let attribute = left.trim().trim_matches('"').to_owned();
        let quoted = right.trim().strip_prefix('"').and_then(|right| right.strip_suffix('"')).ok_or_else(wrong)?;
        let mut value = String::new();
        let mut letters = quoted.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => value.push(letters.next().ok_or_else(wrong)?),
                '"' => return Err(wrong()),
                letter => value.push(letter),
            }
        }
        if !SEARCHABLE.contains(&attribute.as_str()) {
            return Err(wrong());
        }
        Ok(Some(Self { attribute, value, is_prefix }))
    }

    /// Whether it applies to a user, as `ListUsers` gives it.
    pub fn admits(&self, user: &Value) -> bool {
        let attribute = |name: &str| {
            let all = user["Attributes"].as_array().into_iter().flatten();
            all.filter(|one| one["Name"] == name).find_map(|one| one["Value"].as_str())
        };
        let is = match self.attribute.as_str() {
            "username" => user["Username"].as_str(),
            "cognito:user_status" => user["UserStatus"].as_str(),
            "status" => Some(if user["Enabled"] == true { "Enabled" } else { "Disabled" }),
            name => attribute(name),
        };
        let is_sensitive = matches!(self.attribute.as_str(), "username" | "sub");
        let fold = |text: &str| if is_sensitive { text.to_owned() } else { text.to_lowercase() };
        is.map(fold).is_some_and(|is| {
            let wanted = fold(&self.value);
            if self.is_prefix { is.starts_with(&wanted) } else { is == wanted }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn filters_are_read_and_applied() {
        let user = json!({ "Username": "u-1", "UserStatus": "CONFIRMED", "Enabled": false, "Attributes": [
            { "Name": "email", "Value": "Ada@example.com" }, { "Name": "name", "Value": "Ada \"L\"" } ]});
        let admits = |text: &str| Filter::parse(text).unwrap().unwrap().admits(&user);
        assert!(admits("email = \"ada@example.com\"") && admits("email ^= \"ada\"") && admits("\"email\"^=\"ADA\""));
        assert!(admits("status = \"Disabled\"") && admits("cognito:user_status = \"CONFIRMED\""));
        assert!(admits("name = \"Ada \\\"L\\\"\"") && !admits("username = \"U-1\"") && !admits("email = \"ada\""));
        for wrong in ["email", "email = ada", "email = \"a\" and name = \"b\"", "custom:x = \"1\"", "= \"a\""] {
            assert!(Filter::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Filter::parse("").unwrap().is_none());
    }
}
