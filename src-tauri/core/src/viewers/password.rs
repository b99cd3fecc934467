//! A temporary password for handing over another way than by mail.

use aws_sdk_cognitoidentityprovider::types::PasswordPolicyType;

/// Letters and digits that nobody takes for one another.
const PLAIN: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A random one that the policy allows: 16 letters at least, one of each kind.
pub(super) fn temporary(policy: Option<&PasswordPolicyType>) -> String {
    let least = policy.and_then(PasswordPolicyType::minimum_length).unwrap_or(8);
    let length = usize::try_from(least).unwrap_or(8).clamp(16, 99) - 4;
    let mut password = String::from("aA7!");
    while password.len() < length + 4 {
        // 122 random bits each.
        let random = uuid::Uuid::new_v4().into_bytes();
        let usable = random.iter().enumerate().filter(|(at, byte)| {
            // Not those that carry the version; and none that would make some letters likelier.
            *at != 6 && *at != 8 && usize::from(**byte) < 256 / PLAIN.len() * PLAIN.len()
        });
        password.extend(usable.map(|(_, byte)| char::from(PLAIN[usize::from(*byte) % PLAIN.len()])));
    }
    password.truncate(length + 4);
    password
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike() {
        let long = PasswordPolicyType::builder().minimum_length(20).build();
        let all: std::collections::HashSet<String> = (0..200).map(|_| temporary(Some(&long))).collect();
        assert!(all.len() == 200 && all.iter().all(|one| one.len() == 20));
        assert_eq!(temporary(None).len(), 16);
    }
}
