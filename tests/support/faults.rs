//! A reverse proxy on loopback that breaks what passes through it, as a bad line and a busy server do.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// 503 SlowDown, as S3 answers when it is busy; the request is not done.
    SlowDown,
    /// The connection breaks after a part of the body; the request is not done.
    Reset,
    /// The request is done, and the connection breaks before the answer.
    LostAnswer,
    /// The request is done, and its answer comes so much later.
    LateAnswer(Duration),
    /// A byte of the body is changed on the way.
    Corrupt,
    /// The request waits first.
    Slow(Duration),
    /// The body passes at so many bytes a second.
    Trickle(u32),
}

/// A running proxy; it takes no more connections when dropped.
pub struct FaultyLine {
    /// Its address.
    pub endpoint: String,
    requests: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for FaultyLine {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Fates = dyn Fn(&Method, &str, u64) -> Fault + Send + Sync;

impl FaultyLine {
    /// Stands before `upstream`; `fate` says of each request (its method, its path with the query, and its number
    /// from 0) what happens to it.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn before(
        upstream: &str,
        fate: impl Fn(&Method, &str, u64) -> Fault + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let requests = Arc::new(AtomicU64::new(0));
        let (fate, http): (Arc<Fates>, _) = (Arc::new(fate), reqwest::Client::builder().no_proxy().build()?);
        let (upstream, counter) = (upstream.to_owned(), requests.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (fate, http, upstream, counter) = (fate.clone(), http.clone(), upstream.clone(), counter.clone());
                tokio::spawn(async move {
                    let service = hyper::service::service_fn(|request| {
                        let number = counter.fetch_add(1, Ordering::Relaxed);
                        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
                        let fault = fate(request.method(), &path, number);
                        pass(http.clone(), format!("{upstream}{path}"), request, fault)
                    });
                    // An error of the service ends the connection without an answer: that is the fault.
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await
                        .ok();
                });
            }
        });
        Ok(Self { endpoint, requests, task })
    }

    /// How many requests came.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

type Resolution = Response<UnsyncBoxBody<Bytes, reqwest::Error>>;

async fn pass(http: reqwest::Client, url: String, request: Request<Incoming>, fault: Fault) -> Result<Resolution> {
    match fault {
        Fault::SlowDown => {
            let text = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
            let body = Full::new(Bytes::from(text)).map_err(|never: Infallible| match never {}).boxed_unsync();
            return Ok(Response::builder()
                .status(StatusCode::SERVICE_UNAVAILABLE)
                .header(CONNECTION, "close")
                .body(body)?);
        }
        Fault::Reset => {
            request.into_body().frame().await;
            bail!("the line breaks");
        }
        Fault::Slow(time) => tokio::time::sleep(time).await,
        _ => {}
    }
    let (parts, body) = request.into_parts();
    let mut headers = parts.headers;
    headers.remove(CONNECTION);
    let mut corrupt = fault == Fault::Corrupt;
    let mut passed = 0_usize;
    let body = body.into_data_stream().map(move |chunk| {
        chunk.map(|chunk| {
            passed += chunk.len();
            // Not in the framing at the beginning.
            if corrupt && passed > 4096 && chunk.len() > 2048 {
                corrupt = false;
                let mut changed = chunk.to_vec();
                changed[1024] ^= 1;
                return Bytes::from(changed);
            }
            chunk
        })
    });
    let body = body.then(move |chunk| async move {
        if let (Fault::Trickle(speed), Ok(chunk)) = (fault, &chunk) {
            tokio::time::sleep(Duration::from_secs_f64(chunk.len() as f64 / f64::from(speed))).await;
        }
        chunk
    });
    let body = match headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING) {
        true => reqwest::Body::wrap_stream(body),
        false => reqwest::Body::from(""),
    };
    let answer = http.request(parts.method, url).headers(headers).body(body).send().await?;
    if let Fault::LateAnswer(time) = fault {
        tokio::time::sleep(time).await;
    }
    if fault == Fault::LostAnswer {
        answer.bytes().await?;
        bail!("the answer is lost");
    }
    let mut response = Response::builder().status(answer.status());
    if let Some(headers) = response.headers_mut() {
        headers.clone_from(answer.headers());
        headers.remove(TRANSFER_ENCODING);
    }
    let body = StreamBody::new(answer.bytes_stream().map_ok(Frame::data));
    Ok(response.body(body.boxed_unsync())?)
}
