//! Faults that tests order: what AWS does on a bad day, which nobody can wait for.
//!
//! `PUT /-/faults` takes a list of them in place of the one before, `GET /-/faults` tells what is left of it, and
//! `PUT /-/clock` moves the clock. Only a sandbox that was started for it has them.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use futures::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};

use crate::{cognito, query, time};

/// Where faults are ordered; no path of S3, whose buckets begin with a letter or a digit.
pub(crate) const FAULTS: &str = "/-/faults";
/// Where the clock is moved.
pub(crate) const CLOCK: &str = "/-/clock";

/// How often a blank is sent while S3 puts an object together.
const BLANK_EVERY: Duration = Duration::from_millis(500);

/// A fault that was ordered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Fault {
    /// The operation that it befalls, as the SDK names it, such as `UploadPart`; none for any. `ObjectCreated` and
    /// `JobState` are events on their way to the pipeline.
    #[serde(default)]
    on: Option<String>,
    /// How often; none for ever.
    #[serde(default)]
    times: Option<u32>,
    /// What happens.
    #[serde(flatten)]
    kind: Kind,
}

/// What happens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(crate) enum Kind {
    /// The answer begins at once and comes behind blanks after so many milliseconds, as those of completions do.
    Blanks { milliseconds: u64 },
    /// An error in the body of an answer that begins with 200.
    ErrorInside { code: String },
    /// It is refused.
    Refuse {
        status: u16,
        code: String,
        #[serde(default)]
        message: String,
    },
    /// It is refused because the credentials have expired, as each service says it.
    ExpiredCredentials,
    /// It is refused because there are too many, as each service says it.
    Throttle,
    /// It is lost.
    Lose,
}

/// The faults that are ordered; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<Vec<Fault>>>);

impl Faults {
    fn ordered(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What befalls an operation this time.
    pub fn take(&self, operation: &str) -> Option<Kind> {
        let mut ordered = self.ordered();
        let is_meant = |fault: &Fault| match (&fault.on, operation) {
            (Some(on), _) => on == operation,
            (None, "ObjectCreated" | "JobState") => matches!(fault.kind, Kind::Lose),
            (None, _) => true,
        };
        let at = ordered.iter().position(is_meant)?;
        let kind = ordered[at].kind.clone();
        match &mut ordered[at].times {
            None => {}
            Some(0 | 1) => drop(ordered.remove(at)),
            Some(times) => *times -= 1,
        }
        Some(kind)
    }

    /// Takes orders.
    pub async fn control(&self, request: Request<Body>) -> Response<Body> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let Ok(body) = axum::body::to_bytes(request.into_body(), 64 * 1024).await else {
            return answer(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", "too large".to_owned());
        };
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Clock {
            offset_seconds: i64,
        }
        let done = match (method, path.as_str()) {
            (Method::PUT, FAULTS) => serde_json::from_slice(&body).map(|faults| *self.ordered() = faults),
            (Method::PUT, CLOCK) => {
                serde_json::from_slice(&body).map(|clock: Clock| time::move_clock(clock.offset_seconds))
            }
            (Method::GET, FAULTS) => Ok(()),
            _ => return answer(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "PUT or GET".to_owned()),
        };
        match done {
            Ok(()) => {
                let left = serde_json::to_string(&*self.ordered()).unwrap_or_default();
                answer(StatusCode::OK, "application/json", left)
            }
            Err(error) => answer(StatusCode::BAD_REQUEST, "text/plain", error.to_string()),
        }
    }
}

/// The services, as far as they refuse in different words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Service {
    S3,
    DynamoDb,
    Query,
    Json,
}

/// What a request asks for, as the SDK names it, and of whom.
fn operation(method: &Method, uri: &Uri, headers: &HeaderMap) -> (Service, String) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(target) = text("x-amz-target") {
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        return (if target.starts_with(cognito::TARGET) { Service::Json } else { Service::DynamoDb }, operation);
    }
    if let Some(path) = uri.path().strip_prefix("/2017-08-29/") {
        let of_one = path.split('/').nth(1).is_some_and(|id| !id.is_empty());
        let name = match (method, path.split('/').next().unwrap_or_default(), of_one) {
            (&Method::GET, "jobs", true) => "GetJob",
            (&Method::GET, "jobs", false) => "ListJobs",
            (&Method::POST, "jobs", _) => "CreateJob",
            (&Method::DELETE, "jobs", _) => "CancelJob",
            _ => "MediaConvert",
        };
        return (Service::Json, name.to_owned());
    }
    if method == Method::POST && text("content-type").is_some_and(|kind| kind.starts_with(query::CONTENT_TYPE)) {
        return (Service::Query, "Query".to_owned());
    }
    let query = uri.query().unwrap_or_default();
    let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let is_object = uri.path().trim_matches('/').contains('/');
    let name = match (method, is_object) {
        (&Method::POST, true) if has("uploads") => "CreateMultipartUpload",
        (&Method::POST, true) if has("uploadId") => "CompleteMultipartUpload",
        (&Method::PUT, true) if has("partNumber") => "UploadPart",
        (&Method::PUT, true) => "PutObject",
        (&Method::GET, true) if has("uploadId") => "ListParts",
        (&Method::GET, true) => "GetObject",
        (&Method::HEAD, true) => "HeadObject",
        (&Method::HEAD, false) => "HeadBucket",
        (&Method::DELETE, true) if has("uploadId") => "AbortMultipartUpload",
        (&Method::DELETE, true) => "DeleteObject",
        (&Method::GET, false) if has("uploads") => "ListMultipartUploads",
        _ => "S3",
    };
    (Service::S3, name.to_owned())
}

/// Serves a request, unless a fault befalls it.
pub(crate) async fn befall<F>(
    faults: &Faults,
    request: Request<Body>,
    serve: impl FnOnce(Request<Body>) -> F,
) -> Response<Body>
where
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let (service, operation) = operation(request.method(), request.uri(), request.headers());
    let refused = |status: u16, code: &str, message: &str| {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        refuse(service, status, code, message)
    };
    match faults.take(&operation) {
        None | Some(Kind::Lose) => serve(request).await,
        Some(Kind::Refuse { status, code, message }) => refused(status, &code, &message),
        Some(Kind::ExpiredCredentials) => match service {
            Service::S3 => refused(400, "ExpiredToken", "The provided token has expired."),
            Service::Query => refused(403, "ExpiredToken", "The security token included in the request is expired"),
            _ => refused(400, "ExpiredTokenException", "The security token included in the request is expired"),
        },
        Some(Kind::Throttle) => match service {
            Service::S3 => refused(503, "SlowDown", "Please reduce your request rate."),
            Service::Query => refused(400, "Throttling", "Rate exceeded"),
            Service::DynamoDb => refused(
                400,
                "ProvisionedThroughputExceededException",
                "The level of configured provisioned throughput for the table was exceeded.",
            ),
            Service::Json => refused(429, "TooManyRequestsException", "Too Many Requests"),
        },
        Some(Kind::ErrorInside { code }) => {
            refuse(Service::S3, StatusCode::OK, &code, "We encountered an internal error. Please try again.")
        }
        Some(Kind::Blanks { milliseconds }) => behind_blanks(Duration::from_millis(milliseconds), serve(request)),
    }
}

/// An answer that begins at once, with blanks until it is known.
fn behind_blanks(wait: Duration, serving: impl Future<Output = Response<Body>> + Send + 'static) -> Response<Body> {
    // As S3 does, it goes on when the client has gone away.
    let serving = tokio::spawn(async move {
        tokio::time::sleep(wait).await;
        let body = serving.await.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        // The declaration stands before the blanks.
        match body.strip_prefix(DECLARATION.as_bytes()) {
            Some(rest) => body.slice_ref(rest),
            None => body,
        }
    });
    let rest = stream::unfold(Some(serving), |serving| async move {
        let mut serving = serving?;
        match tokio::time::timeout(BLANK_EVERY, &mut serving).await {
            Ok(body) => Some((body.unwrap_or_default(), None)),
            Err(_) => Some((Bytes::from_static(b"\n"), Some(serving))),
        }
    });
    let whole = stream::iter([Bytes::from_static(DECLARATION.as_bytes())]).chain(rest).map(Ok::<_, Infallible>);
    let response = Response::builder().header(header::CONTENT_TYPE, "application/xml");
    response.body(Body::from_stream(whole)).unwrap_or_default()
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

fn refuse(service: Service, status: StatusCode, code: &str, message: &str) -> Response<Body> {
    match service {
        Service::S3 => {
            let error = format!("{DECLARATION}<Error><Code>{code}</Code><Message>{message}</Message></Error>");
            answer(status, "application/xml", error)
        }
        Service::Query => query::refuse(status, code, message),
        Service::DynamoDb | Service::Json => {
            let body = serde_json::json!({ "__type": code, "message": message });
            let mut response = answer(status, "application/x-amz-json-1.0", body.to_string());
            if let Ok(code) = code.parse() {
                response.headers_mut().insert("x-amzn-errortype", code);
            }
            response
        }
    }
}

fn answer(status: StatusCode, kind: &str, body: String) -> Response<Body> {
    let response = Response::builder().status(status).header(header::CONTENT_TYPE, kind);
    response.body(Body::from(body)).unwrap_or_default()
}
