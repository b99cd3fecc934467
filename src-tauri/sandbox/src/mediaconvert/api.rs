//! The REST+JSON surface. Source: MediaConvert API Reference, "Resources".

use std::collections::HashMap;

use axum::extract::{DefaultBodyLimit, Path, Query as Params, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{ApiError, MediaConvert, Query, Result};

/// The most that `ListJobs` and the other lists answer at once.
const PAGE: usize = 20;

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [("x-amzn-errortype", self.kind)], Json(json!({ "message": self.message }))).into_response()
    }
}

pub(crate) fn router(mediaconvert: MediaConvert) -> Router {
    Router::new()
        .route("/2017-08-29/jobs", get(list_jobs).post(create_job))
        .route("/2017-08-29/jobs/{id}", get(get_job).delete(cancel_job))
        .route("/2017-08-29/jobTemplates", get(list_templates))
        .route("/2017-08-29/jobTemplates/{name}", get(get_template))
        .route("/2017-08-29/queues", get(list_queues))
        .fallback(async || ApiError::not_found("The sandbox's MediaConvert has no such operation").into_response())
        .layer(DefaultBodyLimit::max(4 * 1024 * 1024))
        .with_state(mediaconvert)
}

async fn create_job(State(mediaconvert): State<MediaConvert>, body: axum::body::Bytes) -> Result<Response> {
    let request: Value = serde_json::from_slice(&body)
        .map_err(|error| ApiError::bad_request(format!("The request is not JSON: {error}")))?;
    let job = mediaconvert.create(request).await?;
    Ok((StatusCode::CREATED, Json(json!({ "job": job }))).into_response())
}

async fn get_job(State(mediaconvert): State<MediaConvert>, Path(id): Path<String>) -> Result<Json<Value>> {
    Ok(Json(json!({ "job": mediaconvert.job(&id).await? })))
}

async fn cancel_job(State(mediaconvert): State<MediaConvert>, Path(id): Path<String>) -> Result<Response> {
    mediaconvert.cancel(&id).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({}))).into_response())
}

async fn list_jobs(
    State(mediaconvert): State<MediaConvert>,
    Params(params): Params<HashMap<String, String>>,
) -> Result<Json<Value>> {
    let max = match params.get("maxResults") {
        None => PAGE,
        Some(text) => text
            .parse()
            .ok()
            .filter(|max| (1..=PAGE).contains(max))
            .ok_or_else(|| ApiError::bad_request("/maxResults: should be between 1 and 20"))?,
    };
    let (jobs, next) = mediaconvert
        .jobs(Query {
            status: params.get("status").cloned(),
            queue: params.get("queue").cloned(),
            ascending: params.get("order").is_some_and(|order| order == "ASCENDING"),
            max,
            after: params.get("nextToken").cloned(),
        })
        .await?;
    let mut answer = json!({ "jobs": jobs });
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    Ok(Json(answer))
}

async fn list_templates(State(mediaconvert): State<MediaConvert>) -> Result<Json<Value>> {
    Ok(Json(json!({ "jobTemplates": mediaconvert.templates().await? })))
}

async fn get_template(State(mediaconvert): State<MediaConvert>, Path(name): Path<String>) -> Result<Json<Value>> {
    Ok(Json(json!({ "jobTemplate": mediaconvert.template(&name).await? })))
}

async fn list_queues(State(mediaconvert): State<MediaConvert>) -> Result<Json<Value>> {
    Ok(Json(json!({ "queues": mediaconvert.queues().await? })))
}
