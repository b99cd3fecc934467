//! A reverse proxy that tells each request's IAM action, and refuses some as AWS does. What an action is called is
//! written here once more, from the Service Authorization Reference, so that it does not share the core's mistakes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, TRANSFER_ENCODING};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// A running guard; it takes no more connections when dropped.
pub struct Guard {
    /// Its address.
    pub endpoint: String,
    asked: Arc<Mutex<BTreeSet<String>>>,
    forms: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Notes = (Arc<Mutex<BTreeSet<String>>>, Arc<Mutex<Vec<String>>>);

type Refusals = dyn Fn(&str) -> Option<&'static str> + Send + Sync;

impl Guard {
    /// Stands before `upstream`; `refuse` says of each action with which error code it is refused, if it is.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn before(
        upstream: &str,
        refuse: impl Fn(&str) -> Option<&'static str> + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let (asked, forms) = (Arc::new(Mutex::new(BTreeSet::new())), Arc::new(Mutex::new(Vec::new())));
        let (refuse, http): (Arc<Refusals>, _) = (Arc::new(refuse), reqwest::Client::builder().no_proxy().build()?);
        let (upstream, notes) = (upstream.to_owned(), (asked.clone(), forms.clone()));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (refuse, http, upstream, notes) = (refuse.clone(), http.clone(), upstream.clone(), notes.clone());
                tokio::spawn(async move {
                    let service = hyper::service::service_fn(|request| {
                        pass(http.clone(), upstream.clone(), request, refuse.clone(), notes.clone())
                    });
                    let connection = hyper::server::conn::http1::Builder::new();
                    connection.serve_connection(TokioIo::new(stream), service).await.ok();
                });
            }
        });
        Ok(Self { endpoint, asked, forms, task })
    }

    /// The actions that were asked for.
    #[must_use]
    pub fn asked(&self) -> BTreeSet<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was sent to the security token service.
    #[must_use]
    pub fn forms(&self) -> Vec<String> {
        self.forms.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn pass(
    http: reqwest::Client,
    upstream: String,
    request: Request<Incoming>,
    refuse: Arc<Refusals>,
    (asked, forms): Notes,
) -> Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let action = action(&parts.method, &path, &parts.headers, &body);
    asked.lock().unwrap_or_else(PoisonError::into_inner).insert(action.clone());
    if action.starts_with("sts:") {
        forms.lock().unwrap_or_else(PoisonError::into_inner).push(String::from_utf8_lossy(&body).into_owned());
    }
    if let Some(code) = refuse(&action) {
        return Ok(refusal(&action, &parts.method, code));
    }
    let mut headers = parts.headers;
    headers.remove(CONNECTION);
    headers.remove(TRANSFER_ENCODING);
    let answer = http.request(parts.method, format!("{upstream}{path}")).headers(headers).body(body).send().await?;
    let mut response = Response::builder().status(answer.status());
    if let Some(headers) = response.headers_mut() {
        headers.clone_from(answer.headers());
        headers.remove(TRANSFER_ENCODING);
    }
    Ok(response.body(Full::new(answer.bytes().await?))?)
}

/// A refusal in the way of the service.
fn refusal(action: &str, method: &Method, code: &str) -> Response<Full<Bytes>> {
    let (service, name) = action.split_once(':').unwrap_or(("", action));
    let message = format!("User: arn:aws:iam::000000000000:user/x is not authorized to perform: {service}:{name}");
    let (status, text) = match service {
        "s3" if *method == Method::HEAD => (StatusCode::FORBIDDEN, String::new()),
        "s3" => (StatusCode::FORBIDDEN, format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>")),
        "cloudformation" | "cloudfront" | "sts" => (
            StatusCode::FORBIDDEN,
            format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
            ),
        ),
        _ => {
            let code = if code == "AccessDenied" { "AccessDeniedException" } else { code };
            (StatusCode::BAD_REQUEST, format!(r#"{{"__type":"{code}","message":"{message}"}}"#))
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    if service == "mediaconvert" || service == "cognito-idp" {
        let code = if code == "AccessDenied" { "AccessDeniedException" } else { code };
        if let Ok(code) = code.parse() {
            response.headers_mut().insert("x-amzn-errortype", code);
        }
    }
    response
}

fn action(method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if let Some((service, operation)) = text("x-amz-target").split_once('.') {
        let service = if service.starts_with("DynamoDB") { "dynamodb" } else { "cognito-idp" };
        return format!("{service}:{operation}");
    }
    if text(CONTENT_TYPE.as_str()).starts_with("application/x-www-form-urlencoded") {
        let body = String::from_utf8_lossy(body);
        let operation = body.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or_default();
        let service = if operation == "DescribeStacks" { "cloudformation" } else { "sts" };
        return format!("{service}:{operation}");
    }
    if let Some(rest) = path.strip_prefix("/2017-08-29/jobs") {
        let one = rest.len() > 1 && rest.starts_with('/');
        return match (method, one) {
            (&Method::GET, false) => "mediaconvert:ListJobs",
            (&Method::GET, true) => "mediaconvert:GetJob",
            (&Method::DELETE, true) => "mediaconvert:CancelJob",
            _ => "mediaconvert:CreateJob",
        }
        .to_owned();
    }
    if path.starts_with("/2020-05-31/distribution") {
        let name = if *method == Method::POST { "CreateInvalidation" } else { "ListDistributions" };
        return format!("cloudfront:{name}");
    }
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let names: Vec<_> = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default()).collect();
    let has = |name: &str| names.contains(&name);
    let key = path.trim_start_matches('/').split_once('/').map_or("", |(_, key)| key);
    let name = match *method {
        _ if path == "/" => "ListAllMyBuckets",
        _ if key.is_empty() && has("uploads") => "ListBucketMultipartUploads",
        _ if key.is_empty() && has("notification") => "GetBucketNotification",
        _ if key.is_empty() && has("lifecycle") => "GetLifecycleConfiguration",
        _ if key.is_empty() && has("accelerate") => "GetAccelerateConfiguration",
        _ if key.is_empty() && has("cors") => "GetBucketCORS",
        _ if key.is_empty() && has("versions") => "ListBucketVersions",
        // A version is another right.
        Method::POST if has("delete") && String::from_utf8_lossy(body).contains("<VersionId>") => "DeleteObjectVersion",
        Method::POST if has("delete") => "DeleteObject",
        _ if key.is_empty() => "ListBucket",
        Method::GET if has("uploadId") => "ListMultipartUploadParts",
        Method::GET | Method::HEAD => "GetObject",
        Method::DELETE if has("uploadId") => "AbortMultipartUpload",
        Method::DELETE if has("versionId") => "DeleteObjectVersion",
        Method::DELETE => "DeleteObject",
        _ => "PutObject",
    };
    format!("s3:{name}")
}
