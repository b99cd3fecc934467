//! What viewers get: a site of their own, as a deployment has one beside the pipeline. Who has signed in to the user
//! pool is told which videos there are, and gets the signed cookies that open them; without these the files are shut.

use axum::Router;
use axum::body::Body;
use axum::extract::{Json, Path, State};
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use axum::middleware;
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::db::Db;
use crate::front_door::refuse_other_names;
use crate::s3::S3;
use crate::table::{Playable, Table};
use crate::{cdn, cognito, cookies};

#[derive(Clone)]
pub(crate) struct Site {
    pub db: Db,
    pub s3: S3,
    pub table: Table,
    /// `http://127.0.0.1:<port>`.
    pub address: String,
}

pub(crate) fn router(site: Site) -> Router {
    let api = Router::new().route("/api/videos", get(videos)).route("/api/videos/{guid}", axum::routing::patch(patch));
    let site = api.route("/api/keys", get(keys)).fallback(file).with_state(site);
    site.layer(middleware::from_fn(refuse_other_names))
}

/// The videos that can be watched.
async fn videos(State(site): State<Site>, headers: HeaderMap) -> Response<Body> {
    if let Err(refusal) = signed_in(&site, &headers).await {
        return refusal;
    }
    let Ok(videos) = site.table.playable().await else {
        return said(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "message": "Internal server error" }));
    };
    // The catalog names the public CDN, or only a path; the path is the same here.
    let own = |stored: &str| {
        let path = stored.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or(stored, |(_, path)| path);
        format!("{}/{path}", site.address)
    };
    let video = |video: &Playable| json!({ "guid": video.key, "title": video.title, "hlsUrl": own(&video.hls) });
    said(StatusCode::OK, &json!({ "videos": videos.iter().map(video).collect::<Vec<_>>() }))
}

/// What is said of a video: its title, and whether it can be watched.
#[derive(Deserialize)]
struct Patch {
    title: Option<String>,
    published: Option<bool>,
}

/// Changes a video.
async fn patch(
    State(site): State<Site>,
    Path(guid): Path<String>,
    headers: HeaderMap,
    Json(Patch { title, published }): Json<Patch>,
) -> Response<Body> {
    if let Err(refusal) = signed_in(&site, &headers).await {
        return refusal;
    }
    match site.table.patch(&guid, title.as_deref(), published).await {
        Ok(()) => said(StatusCode::OK, &json!({ "guid": guid })),
        Err(aws_sdk_dynamodb::Error::ConditionalCheckFailedException(_)) => {
            said(StatusCode::NOT_FOUND, &json!({ "message": "Not found" }))
        }
        Err(_) => said(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "message": "Internal server error" })),
    }
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
