//! Signed cookies, with a custom policy. Source: Amazon CloudFront Developer Guide, "Set signed cookies using a custom
//! policy".

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::{Connection, OptionalExtension as _};
use serde_json::{Value, json};

use crate::time::epoch_seconds;

/// The id of the public key in the distribution's key group.
const KEY_PAIR_ID: &str = "KREELDESKSANDBOX";
/// Seconds that cookies are good for.
const GOOD_FOR: i64 = 60 * 60;

/// Why a request may not have a file: what CloudFront calls it, and its sentence.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub &'static str, pub &'static str);

const MISSING: Refused = Refused("MissingKey", "Missing Key-Pair-Id query parameter or cookie value");
const DENIED: Refused = Refused("AccessDenied", "Access denied");

/// The key pair of the distribution: made once, kept with the pool's settings.
pub(crate) fn key(db: &Connection) -> Result<KeyPair, String> {
    let read =
        || db.query_row("SELECT value FROM pool_settings WHERE name = 'cdn-key'", [], |row| row.get::<_, String>(0));
    let kept = match read().optional().map_err(|error| error.to_string())? {
        Some(kept) => kept,
        None => {
            let made = KeyPair::generate(KeySize::Rsa2048).map_err(|error| error.to_string())?;
            let der: Pkcs8V1Der<'_> = made.as_der().map_err(|error| error.to_string())?;
            let insert = "INSERT OR IGNORE INTO pool_settings (name, value) VALUES ('cdn-key', ?1)";
            db.execute(insert, [STANDARD.encode(der.as_ref())]).map_err(|error| error.to_string())?;
            read().map_err(|error| error.to_string())?
        }
    };
    let der = STANDARD.decode(kept).map_err(|error| error.to_string())?;
    KeyPair::from_pkcs8(&der).map_err(|error| error.to_string())
}

/// The cookies that open all below an address, as `Set-Cookie` headers.
pub(crate) fn sign(key: &KeyPair, site: &str) -> Result<[String; 4], String> {
    let policy = json!({ "Statement": [{
        "Resource": format!("{site}/*"),
        "Condition": { "DateLessThan": { "AWS:EpochTime": epoch_seconds() + GOOD_FOR } },
    }]});
    let policy = policy.to_string();
    let mut signed = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), policy.as_bytes(), &mut signed)
        .map_err(|error| error.to_string())?;
    let cookie = |name: &str, value: &str| format!("CloudFront-{name}={value}; Path=/; HttpOnly");
    Ok([
        cookie("Policy", &encode(policy.as_bytes())),
        cookie("Signature", &encode(&signed)),
        cookie("Key-Pair-Id", KEY_PAIR_ID),
        cookie("Hash-Algorithm", "SHA256"),
    ])
}

/// Whether the cookies of a request open an address.
pub(crate) fn check(key: &KeyPair, headers: &HeaderMap, address: &str) -> Result<(), Refused> {
    let cookie = |wanted: &str| {
        let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find_map(|(name, value)| (name.strip_prefix("CloudFront-") == Some(wanted)).then(|| value.to_owned()))
    };
    if cookie("Key-Pair-Id").ok_or(MISSING)? != KEY_PAIR_ID || cookie("Hash-Algorithm").as_deref() != Some("SHA256") {
        return Err(DENIED);
    }
    let policy = cookie("Policy").and_then(|text| decode(&text)).ok_or(DENIED)?;
    let signed = cookie("Signature").and_then(|text| decode(&text)).ok_or(DENIED)?;
    let public = signature::UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref());
    public.verify(&policy, &signed).map_err(|_| DENIED)?;
    let policy: Value = serde_json::from_slice(&policy).map_err(|_| DENIED)?;
    let statement = &policy["Statement"][0];
    let resource = statement["Resource"].as_str().unwrap_or_default();
    let ends = statement["Condition"]["DateLessThan"]["AWS:EpochTime"].as_i64().unwrap_or(0);
    // Our own policies end in the one wildcard that they have.
    let opens = resource.strip_suffix('*').is_some_and(|prefix| address.starts_with(prefix));
    if opens && epoch_seconds() < ends { Ok(()) } else { Err(DENIED) }
}

/// Base64 without the letters that cookies and queries do not take.
fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes).replace('+', "-").replace('=', "_").replace('/', "~")
}

fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.replace('-', "+").replace('_', "=").replace('~', "/")).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_what_was_signed_opens_and_only_below_its_site() {
        let (key, other) = (KeyPair::generate(KeySize::Rsa2048).unwrap(), KeyPair::generate(KeySize::Rsa2048).unwrap());
        let site = "http://127.0.0.1:4000";
        let ask = |cookies: &[String], address: &str, key: &KeyPair| {
            let pairs: Vec<_> = cookies.iter().map(|cookie| cookie.split(';').next().unwrap()).collect();
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_str(&pairs.join("; ")).unwrap());
            check(key, &headers, address)
        };
        let cookies = sign(&key, site).unwrap();
        assert_eq!(ask(&cookies, "http://127.0.0.1:4000/guid/hls/a.m3u8", &key), Ok(()));
        assert_eq!(ask(&cookies, "http://127.0.0.1:4001/guid/hls/a.m3u8", &key), Err(DENIED));
        assert_eq!(ask(&cookies, "http://127.0.0.1:4000/guid/hls/a.m3u8", &other), Err(DENIED));
        assert_eq!(ask(&[], "http://127.0.0.1:4000/a", &key), Err(MISSING));
        let mut forged = cookies;
        let late = json!({ "Statement": [{ "Resource": format!("{site}/*"),
            "Condition": { "DateLessThan": { "AWS:EpochTime": epoch_seconds() * 2 } } }]});
        forged[0] = format!("CloudFront-Policy={}", encode(late.to_string().as_bytes()));
        assert_eq!(ask(&forged, "http://127.0.0.1:4000/a", &key), Err(DENIED));
    }
}
