//! Passwords: the pool's policy, temporary ones, and how they are kept.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Refused, refused};

/// The symbols that count as such. Source: Developer Guide, "Adding user pool password requirements".
const SYMBOLS: &str = "^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+- ";

/// Refuses what the policy does not allow.
pub(super) fn check(policy: &Value, password: &str) -> Result<(), Refused> {
    let wants = |name: &str| policy[name].as_bool().unwrap_or(false);
    let has = |is: fn(char) -> bool| password.chars().any(is);
    let least = policy["MinimumLength"].as_u64().unwrap_or(8);
    let reason = if (password.chars().count() as u64) < least {
        "Password not long enough"
    } else if wants("RequireUppercase") && !has(|letter| letter.is_ascii_uppercase()) {
        "Password must have uppercase characters"
    } else if wants("RequireLowercase") && !has(|letter| letter.is_ascii_lowercase()) {
        "Password must have lowercase characters"
    } else if wants("RequireNumbers") && !has(|letter| letter.is_ascii_digit()) {
        "Password must have numeric characters"
    } else if wants("RequireSymbols") && !has(|letter| SYMBOLS.contains(letter)) {
        "Password must have symbol characters"
    } else {
        return Ok(());
    };
    refused("InvalidPasswordException", format!("Password did not conform with password policy: {reason}"))
}

/// A temporary password that every policy allows.
pub(super) fn temporary(policy: &Value) -> String {
    let length = policy["MinimumLength"].as_u64().unwrap_or(8).clamp(12, 99);
    let random = uuid::Uuid::new_v4().simple().to_string().repeat(4);
    let length = usize::try_from(length).unwrap_or(12);
    format!("{}aA7!", &random[..length - 4])
}

/// How a password is kept: salted and hashed.
pub(super) fn kept(password: &str) -> String {
    let salt = uuid::Uuid::new_v4().simple().to_string();
    format!("{salt}:{}", hash(&salt, password))
}

pub(super) fn is_right(kept: &str, password: &str) -> bool {
    kept.split_once(':').is_some_and(|(salt, hashed)| hash(salt, password) == hashed)
}

fn hash(salt: &str, password: &str) -> String {
    hex::encode(Sha256::digest(format!("{salt}:{password}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_policy_is_kept() {
        let policy = json!({ "MinimumLength": 8, "RequireUppercase": true, "RequireLowercase": true,
            "RequireNumbers": true, "RequireSymbols": true });
        for (password, reason) in [
            ("Aa1!", "not long enough"),
            ("abcdef1!", "uppercase"),
            ("ABCDEF1!", "lowercase"),
            ("Abcdefg!", "numeric"),
            ("Abcdefg1", "symbol"),
        ] {
            let Refused(kind, message) = check(&policy, password).unwrap_err();
            assert!(kind == "InvalidPasswordException" && message.contains(reason), "{password}: {message}");
        }
        check(&policy, "Abcdef1!").unwrap();
        for _ in 0..50 {
            check(&policy, &temporary(&policy)).unwrap();
        }
        let kept = kept("Abcdef1!");
        assert!(is_right(&kept, "Abcdef1!") && !is_right(&kept, "Abcdef1?") && !kept.contains("Abcdef"));
    }
}
