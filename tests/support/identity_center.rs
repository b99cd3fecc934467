//! IAM Identity Center, as far as the sign-in by device authorization goes (RFC 8628), and its portal. No emulator has it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::KEYS;

/// An Identity Center that wants two looks before it believes that someone confirmed, and its portal.
///
/// # Panics
/// When no port can be had, or it is asked what it does not know.
pub async fn identity_center() -> String {
    async fn token(State(looks): State<Arc<AtomicU32>>, Json(asked): Json<Value>) -> axum::response::Response {
        assert_eq!(asked["grantType"], "urn:ietf:params:oauth:grant-type:device_code");
        assert_eq!((&asked["clientId"], &asked["deviceCode"]), (&"client".into(), &"device".into()));
        if looks.fetch_add(1, Ordering::Relaxed) == 0 {
            let headers = [("x-amzn-errortype", "AuthorizationPendingException")];
            return (StatusCode::BAD_REQUEST, headers, Json(json!({ "error": "authorization_pending" })))
                .into_response();
        }
        Json(json!({ "accessToken": "the-token", "tokenType": "Bearer", "expiresIn": 3600, "refreshToken": "again" }))
            .into_response()
    }
    async fn credentials(headers: HeaderMap, Query(asked): Query<Value>) -> axum::response::Response {
        if headers.get("x-amz-sso_bearer_token").is_none_or(|token| token != "the-token") {
            let headers = [("x-amzn-errortype", "UnauthorizedException")];
            return (StatusCode::UNAUTHORIZED, headers, Json(json!({ "message": "Session token not found" })))
                .into_response();
        }
        assert_eq!((&asked["account_id"], &asked["role_name"]), (&"000000000000".into(), &"Admins".into()));
        let ends = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
        let ends = ends.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
        Json(json!({ "roleCredentials": {
            "accessKeyId": KEYS.0, "secretAccessKey": KEYS.1, "sessionToken": "session", "expiration": ends,
        }}))
        .into_response()
    }
    let register = || async {
        Json(
            json!({ "clientId": "client", "clientSecret": "secret", "clientIdIssuedAt": 0, "clientSecretExpiresAt": 4_000_000_000_i64 }),
        )
    };
    let begin = |Json(asked): Json<Value>| async move {
        assert_eq!(asked["startUrl"], "https://example.awsapps.com/start");
        Json(json!({
            "deviceCode": "device", "userCode": "ABCD-EFGH", "expiresIn": 600, "interval": 1,
            "verificationUri": "https://device.sso.us-east-1.amazonaws.com/",
            "verificationUriComplete": "https://device.sso.us-east-1.amazonaws.com/?user_code=ABCD-EFGH",
        }))
    };
    let router = Router::new()
        .route("/client/register", post(register))
        .route("/device_authorization", post(begin))
        .route("/token", post(token))
        .route("/federation/credentials", get(credentials))
        .with_state(Arc::new(AtomicU32::new(0)));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}
