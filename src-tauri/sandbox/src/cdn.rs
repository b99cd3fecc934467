//! The CDN: the destination bucket over plain HTTP, as CloudFront serves it in front of S3.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use axum::middleware;
use percent_encoding::percent_decode_str;
use s3s::dto::Range;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use crate::DESTINATION_BUCKET;
use crate::front_door::refuse_other_names;
use crate::s3::S3;

pub(crate) fn router(s3: S3) -> Router {
    Router::new().fallback(serve).with_state(s3).layer(middleware::from_fn(refuse_other_names))
}

pub(crate) async fn serve(State(s3): State<S3>, request: Request<Body>) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let mut response = match parts.method {
        Method::GET | Method::HEAD => read(&s3, &parts).await,
        Method::OPTIONS => empty(StatusCode::NO_CONTENT),
        _ => empty(StatusCode::METHOD_NOT_ALLOWED),
    };
    // The CORS rule of the solution's destination bucket: GET, any origin, any header.
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD");
    set(header::ACCESS_CONTROL_ALLOW_HEADERS, "*");
    set(header::ACCESS_CONTROL_EXPOSE_HEADERS, "Content-Length, Content-Range, ETag");
    set(header::ACCESS_CONTROL_MAX_AGE, "3000");
    response
}

async fn read(s3: &S3, request: &Parts) -> Response<Body> {
    let path = request.uri.path().trim_start_matches('/');
    let Ok(key) = percent_decode_str(path).decode_utf8() else {
        return empty(StatusCode::BAD_REQUEST);
    };
    let object = match s3.object(DESTINATION_BUCKET, &key).await {
        Ok(object) => object,
        // A bucket that may not be listed answers 403 for a key that does not exist.
        Err(_) => return denied(),
    };
    let size = object.size.unsigned_abs();
    let mut response = Response::builder()
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::ETAG, format!("\"{}\"", object.etag))
        .header(header::CONTENT_TYPE, object.content.content_type.as_deref().unwrap_or("binary/octet-stream"));
    let range = match asked_range(&request.headers) {
        None => 0..size,
        Some(range) => match range.check(size) {
            Ok(range) => {
                response = response
                    .status(StatusCode::PARTIAL_CONTENT)
                    .header(header::CONTENT_RANGE, format!("bytes {}-{}/{size}", range.start, range.end - 1));
                range
            }
            Err(_) => return empty(StatusCode::RANGE_NOT_SATISFIABLE),
        },
    };
    response = response.header(header::CONTENT_LENGTH, range.end - range.start);
    let body = if request.method == Method::HEAD {
        Body::empty()
    } else {
        let Ok(mut file) = tokio::fs::File::open(s3.blobs.path(&object.blob)).await else {
            return empty(StatusCode::INTERNAL_SERVER_ERROR);
        };
        if file.seek(std::io::SeekFrom::Start(range.start)).await.is_err() {
            return empty(StatusCode::INTERNAL_SERVER_ERROR);
        }
        Body::from_stream(tokio_util::io::ReaderStream::with_capacity(file.take(range.end - range.start), 64 * 1024))
    };
    response.body(body).unwrap_or_else(|_| empty(StatusCode::INTERNAL_SERVER_ERROR))
}

/// The one range that is asked for; a header that cannot be read is ignored (RFC 9110 section 14.2).
fn asked_range(headers: &HeaderMap) -> Option<Range> {
    Range::parse(headers.get(header::RANGE)?.to_str().ok()?).ok()
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn denied() -> Response<Body> {
    let mut response = Response::new(Body::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
    ));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}
