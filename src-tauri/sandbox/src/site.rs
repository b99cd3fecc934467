//! What viewers get: a site of their own, as a deployment has one beside the pipeline. Who has signed in to the user
//! pool is told which videos there are, and gets the signed cookies that open them; without these the files are shut.

use aws_sdk_dynamodb::types::AttributeValue;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use axum::middleware;
use axum::routing::get;
use serde_json::{Value, json};

use crate::db::Db;
use crate::front_door::refuse_other_names;
use crate::s3::S3;
use crate::{SOURCE_BUCKET, TABLE, TABLE_INDEX, cdn, cognito, cookies};

#[derive(Clone)]
pub(crate) struct Site {
    pub db: Db,
    pub s3: S3,
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// `http://127.0.0.1:<port>`.
    pub address: String,
}

pub(crate) fn router(site: Site) -> Router {
    let site =
        Router::new().route("/api/videos", get(videos)).route("/api/keys", get(keys)).fallback(file).with_state(site);
    site.layer(middleware::from_fn(refuse_other_names))
}

/// The videos that can be watched, newest first.
async fn videos(State(site): State<Site>, headers: HeaderMap) -> Response<Body> {
    if let Err(refusal) = signed_in(&site, &headers).await {
        return refusal;
    }
    let query =
        site.dynamodb.query().table_name(TABLE).index_name(TABLE_INDEX).key_condition_expression("srcBucket = :b");
    let query = query.expression_attribute_values(":b", AttributeValue::S(SOURCE_BUCKET.to_owned()));
    let mut items = query.scan_index_forward(false).into_paginator().items().send();
    let mut videos = Vec::new();
    while let Some(item) = items.next().await {
        let Ok(item) = item else {
            return said(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "message": "Internal server error" }));
        };
        videos.extend(video(&site, &item));
    }
    said(StatusCode::OK, &json!({ "videos": videos }))
}

fn video(site: &Site, item: &std::collections::HashMap<String, AttributeValue>) -> Option<Value> {
    let text = |name: &str| item.get(name)?.as_s().ok().cloned();
    if text("workflowStatus").as_deref() != Some("Complete") {
        return None;
    }
    // The catalog names the public CDN; the path is the same here.
    let own = |stored: String| {
        let (_, path) = stored.split_once("://")?.1.split_once('/')?;
        Some(format!("{}/{path}", site.address))
    };
    let described = item.get("reeldesk").and_then(|map| map.as_m().ok());
    let title = described.and_then(|map| map.get("title")?.as_s().ok().cloned());
    let source = text("srcVideo").and_then(|key| key.rsplit('/').next().map(str::to_owned));
    Some(json!({
        "guid": text("guid")?, "title": title.or(source), "hlsUrl": text("hlsUrl").and_then(own)?,
    }))
}

/// The cookies that open the files.
async fn keys(State(site): State<Site>, headers: HeaderMap) -> Response<Body> {
    if let Err(refusal) = signed_in(&site, &headers).await {
        return refusal;
    }
    let address = site.address.clone();
    let signed = site
        .db
        .call(move |db| Ok::<_, rusqlite::Error>(cookies::key(db).and_then(|key| cookies::sign(&key, &address))));
    let Ok(Ok(cookies)) = signed.await else {
        return said(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "message": "Internal server error" }));
    };
    let mut response = said(StatusCode::OK, &json!({}));
    for cookie in cookies {
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// A file of the destination bucket, for those with cookies.
async fn file(State(site): State<Site>, request: Request<Body>) -> Response<Body> {
    let address = format!("{}{}", site.address, request.uri().path());
    let headers = request.headers().clone();
    let checked = site
        .db
        .call(move |db| Ok::<_, rusqlite::Error>(cookies::key(db).map(|key| cookies::check(&key, &headers, &address))));
    match checked.await {
        Ok(Ok(Ok(()))) => cdn::serve(State(site.s3), request).await,
        Ok(Ok(Err(cookies::Refused(code, message)))) => {
            let text = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
            );
            let mut response = Response::new(Body::from(text));
            *response.status_mut() = StatusCode::FORBIDDEN;
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
            response
        }
        _ => said(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "message": "Internal server error" })),
    }
}

/// As an API Gateway with a Cognito authorizer refuses those who have no token that is good.
async fn signed_in(site: &Site, headers: &HeaderMap) -> Result<(), Response<Body>> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = given.strip_prefix("Bearer ").unwrap_or(given).to_owned();
    match site.db.call(move |db| cognito::is_signed_in(db, &token)).await {
        Ok(()) => Ok(()),
        Err(_) => Err(said(StatusCode::UNAUTHORIZED, &json!({ "message": "Unauthorized" }))),
    }
}

fn said(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
