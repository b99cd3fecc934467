//! The one API endpoint: each request goes to the service that it is for.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use axum::middleware::Next;
use axum::response::IntoResponse as _;
use axum::{Router, routing::any};
use http_body_util::BodyExt as _;
use s3s::service::S3Service;
use serde_json::json;
use tower::ServiceExt as _;

use crate::cloudfront::{self, CloudFront};
use crate::db::Db;
use crate::endpoints::Endpoints;
use crate::faults::{self, Faults};
use crate::options::Options;
use crate::{ACCOUNT, Credentials, cognito, placeholders, query};

/// What stands behind the door.
#[derive(Clone)]
pub(crate) struct Services {
    pub s3: S3Service,
    pub db: Db,
    pub mediaconvert: Router,
    /// `http://127.0.0.1:<port>` of the DynamoDB listener.
    pub dynamodb: String,
    pub http: reqwest::Client,
    pub endpoints: Endpoints,
    pub options: Options,
    pub cloudfront: CloudFront,
    pub faults: Faults,
}

/// The largest body of a DynamoDB request, in bytes (BatchWriteItem: 16 MB).
const MAX_DYNAMODB_BODY: usize = 17 * 1024 * 1024;

/// The largest body of a request to one of the services that take small ones, in bytes.
const MAX_SMALL_BODY: usize = 256 * 1024;

/// Where the mails are that the pool would have sent; no path of S3, whose buckets begin with a letter or a digit.
const MAILBOX: &str = "/-/mails";

const NOT_KNOWN: &str = "The security token included in the request is invalid.";

pub(crate) fn router(services: Services) -> Router {
    Router::new().fallback(any(route)).with_state(services)
}

async fn route(State(services): State<Services>, request: Request<Body>) -> Response<Body> {
    if let Some(refusal) = refuse_browsers(request.headers()) {
        return refusal;
    }
    if !services.options.control {
        return serve(services, request).await;
    }
    if matches!(request.uri().path(), faults::FAULTS | faults::CLOCK) {
        return services.faults.control(request).await;
    }
    let faults = services.faults.clone();
    let mut response = faults::befall(&faults, request, move |request| serve(services, request)).await;
    // By the clock that tests move, as all that is told.
    if let Ok(now) = HeaderValue::from_str(&crate::time::http_date()) {
        response.headers_mut().insert(header::DATE, now);
    }
    response
}

/// Hands a request to the service that it is for.
async fn serve(services: Services, request: Request<Body>) -> Response<Body> {
    let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
    if target.is_some_and(|target| target.starts_with("DynamoDB")) {
        return match signed_by(request.headers(), &services.endpoints.credentials) {
            true => dynamodb(&services, request).await,
            false => not_signed("com.amazon.coral.service#UnrecognizedClientException"),
        };
    }
    if let Some(operation) = target.and_then(|target| target.strip_prefix(cognito::TARGET)).map(str::to_owned) {
        let credentials = &services.endpoints.credentials;
        let is_allowed = !cognito::is_signed(&operation) || signed_by(request.headers(), credentials);
        return match is_allowed {
            true => cognito(&services, &operation, request).await,
            false => not_signed("UnrecognizedClientException"),
        };
    }
    if request.uri().path() == MAILBOX {
        return match signed_by(request.headers(), &services.endpoints.credentials) {
            true => cognito::mailbox(&services.db).await,
            false => not_signed("UnrecognizedClientException"),
        };
    }
    if request.uri().path().starts_with("/2017-08-29/") {
        return match signed_by(request.headers(), &services.endpoints.credentials) {
            true => services.mediaconvert.oneshot(request).await.into_response(),
            false => not_signed("UnrecognizedClientException"),
        };
    }
    if request.uri().path().starts_with(cloudfront::VERSION) {
        return match signed_by(request.headers(), &services.endpoints.credentials) {
            true => cloudfront(&services, request).await,
            false => query::refuse(StatusCode::FORBIDDEN, "InvalidClientTokenId", NOT_KNOWN),
        };
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if request.method() == Method::POST && kind.is_some_and(|kind| kind.starts_with(query::CONTENT_TYPE)) {
        return match signed_by(request.headers(), &services.endpoints.credentials) {
            true => match axum::body::to_bytes(request.into_body(), MAX_SMALL_BODY).await {
                Ok(body) => query::answer(&services.endpoints, services.options.pipeline, &body),
                Err(_) => plain(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large"),
            },
            false => query::refuse(StatusCode::FORBIDDEN, "InvalidClientTokenId", NOT_KNOWN),
        };
    }
    if request.headers().get("x-amz-expected-bucket-owner").is_some_and(|owner| owner != ACCOUNT) {
        return plain(
            StatusCode::FORBIDDEN,
            "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
        );
    }
    let request = request.map(s3s::Body::http_body_unsync);
    match services.s3.call(request).await {
        Ok(response) => response.map(|body| Body::new(body.map_err(axum::Error::new))),
        Err(error) => {
            tracing::debug!(?error, "a request ended early");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "the request ended early")
        }
    }
}

/// The API is for programs: a page in a browser (it sends `Origin`), or a name that was rebound to this
/// address, has no business here.
fn refuse_browsers(headers: &HeaderMap) -> Option<Response<Body>> {
    (headers.contains_key(header::ORIGIN) || !is_local(headers))
        .then(|| plain(StatusCode::FORBIDDEN, "the sandbox answers local programs only"))
}

/// Refuses requests to a name that leads here and is none of this computer's: a page of another site made it so (DNS
/// rebinding). For what pages may ask too.
pub(crate) async fn refuse_other_names(request: Request<Body>, next: Next) -> Response<Body> {
    if is_local(request.headers()) {
        next.run(request).await
    } else {
        plain(StatusCode::FORBIDDEN, "the sandbox answers to this computer's own names only")
    }
}

fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "127.0.0.1" | "localhost" | "[::1]") || name.ends_with(".localhost")
}

/// Whether the request carries a signature made with the sandbox's access key.
fn signed_by(headers: &HeaderMap, credentials: &Credentials) -> bool {
    headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.starts_with("AWS4-HMAC-SHA256 ") && value.contains(&format!("Credential={}/", credentials.access_key_id))
    })
}

fn not_signed(kind: &str) -> Response<Body> {
    let body = format!(r#"{{"__type":"{kind}","message":"{NOT_KNOWN}"}}"#);
    let mut response = plain(StatusCode::FORBIDDEN, &body);
    response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static("UnrecognizedClientException"));
    response
}

fn plain(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = status;
    response
}

async fn cognito(services: &Services, operation: &str, request: Request<Body>) -> Response<Body> {
    match axum::body::to_bytes(request.into_body(), MAX_SMALL_BODY).await {
        Ok(body) => cognito::answer(&services.db, operation, serde_json::from_slice(&body).unwrap_or_default()).await,
        Err(_) => plain(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large"),
    }
}

async fn cloudfront(services: &Services, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let domain = services.endpoints.cdn.split_once("://").map_or("", |(_, domain)| domain);
    match axum::body::to_bytes(body, MAX_SMALL_BODY).await {
        Ok(body) => services.cloudfront.answer(domain, &parts.method, parts.uri.path(), &body),
        Err(_) => plain(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large"),
    }
}

async fn dynamodb(services: &Services, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_DYNAMODB_BODY).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large");
    };
    if let Some(message) = placeholders::refusal(&body) {
        let body = json!({ "__type": "com.amazon.coral.validate#ValidationException", "message": message });
        return plain(StatusCode::BAD_REQUEST, &body.to_string());
    }
    let answer = services
        .http
        .request(parts.method, format!("{}{}", services.dynamodb, parts.uri.path()))
        .headers(parts.headers)
        .body(body)
        .send()
        .await;
    match answer {
        Ok(answer) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = answer.status();
            *response.headers_mut() = answer.headers().clone();
            response.headers_mut().remove(header::TRANSFER_ENCODING);
            *response.body_mut() = Body::from_stream(answer.bytes_stream());
            response
        }
        Err(error) => {
            tracing::error!(%error, "the sandbox's DynamoDB did not answer");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "DynamoDB did not answer")
        }
    }
}
