//! What an upload costs at the least: `floor sink` takes and discards, as an S3 that answers what an upload asks;
//! `floor send FILE ENDPOINT` sends the parts of a file there with nothing but hyper and a CRC64NVME.
#![allow(missing_docs, reason = "a program")]

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};

const PART: u64 = 8 * 1024 * 1024;
const CONNECTIONS: usize = 4;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["sink"] => sink().await,
        ["send", file, endpoint] => send(file, endpoint).await,
        _ => bail!("floor sink | floor send FILE ENDPOINT"),
    }
}

/// Bytes that arrived, by path.
type Sizes = Arc<Mutex<HashMap<String, u64>>>;

async fn sink() -> Result<()> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("http://{}", listener.local_addr()?);
    let sizes = Sizes::default();
    loop {
        let (stream, _) = listener.accept().await?;
        let sizes = sizes.clone();
        tokio::spawn(async move {
            let service = hyper::service::service_fn(|request| answer(request, sizes.clone()));
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
        });
    }
}

async fn answer(request: Request<Incoming>, sizes: Sizes) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, mut body) = request.into_parts();
    while let Some(Ok(_)) = body.frame().await {}
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default();
    let header = |name: &str| parts.headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
    let mut sizes = sizes.lock().unwrap_or_else(PoisonError::into_inner);
    let response = Response::builder();
    let response = match parts.method {
        Method::POST if query.starts_with("uploads") => {
            sizes.insert(path, 0);
            let text = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>";
            response.body(Full::from(text))
        }
        Method::POST => response.body(Full::from("<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")),
        Method::PUT => {
            let size = header("x-amz-decoded-content-length").or_else(|| header("content-length")).unwrap_or(0);
            *sizes.entry(path).or_default() += size;
            response.header("etag", "\"e\"").body(Full::default())
        }
        Method::HEAD => match sizes.get(&path) {
            Some(size) => response.header("content-length", *size).body(Full::default()),
            None => response.status(StatusCode::NOT_FOUND).body(Full::default()),
        },
        _ => response.status(StatusCode::NOT_IMPLEMENTED).body(Full::default()),
    };
    Ok(response.unwrap_or_default())
}

async fn send(file: &str, endpoint: &str) -> Result<()> {
    let size = std::fs::metadata(file)?.len();
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let client = &client;
    futures::stream::iter(0..size.div_ceil(PART))
        .map(|index| async move {
            let path = file.to_owned();
            let part = tokio::task::spawn_blocking(move || -> Result<(Vec<u8>, u64)> {
                let mut file = std::fs::File::open(path)?;
                file.seek(SeekFrom::Start(index * PART))?;
                let mut part = Vec::with_capacity(usize::try_from(PART)?);
                file.take(PART).read_to_end(&mut part)?;
                let checksum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, &part);
                Ok((part, checksum))
            });
            let (part, checksum) = part.await??;
            let checksum = base64::engine::general_purpose::STANDARD.encode(checksum.to_be_bytes());
            let request = Request::put(format!("{endpoint}/floor/file?partNumber={}", index + 1))
                .header("x-amz-checksum-crc64nvme", checksum)
                .body(Full::from(part))?;
            let response = client.request(request).await.context("the sink does not answer")?;
            ensure!(response.status().is_success(), "{}", response.status());
            response.into_body().collect().await?;
            anyhow::Ok(())
        })
        .buffer_unordered(CONNECTIONS)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(())
}
