//! What an upload costs at the least: `floor sink ADDRESS [CA]` takes and discards, as an S3 that answers what uploads ask;
//! `floor send FILE ENDPOINT [CA]` sends the parts of a file there with nothing but hyper and a CRC64NVME. With CA, the
//! path of a PEM file that the sink writes, both speak TLS.
#![allow(missing_docs, reason = "a program")]

use std::collections::HashMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::Connect;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

const PART: u64 = 8 * 1024 * 1024;
const CONNECTIONS: usize = 4;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["sink", address] => sink(address, None).await,
        ["sink", address, ca] => sink(address, Some(Path::new(ca))).await,
        ["send", file, endpoint] => send(file, endpoint, None).await,
        ["send", file, endpoint, ca] => send(file, endpoint, Some(Path::new(ca))).await,
        _ => bail!("floor sink ADDRESS [CA] | floor send FILE ENDPOINT [CA]"),
    }
}

/// TLS with a certificate that was made for this run, which is left at `ca`.
fn acceptor(ca: &Path) -> Result<TlsAcceptor> {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    std::fs::write(ca, made.cert.pem())?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()).into();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The client's side of it.
fn client_config(ca: &Path) -> Result<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// What arrived, by path: bytes, and the checksum as it was told.
type Arrived = Arc<Mutex<HashMap<String, (u64, Option<String>)>>>;

async fn sink(address: &str, ca: Option<&Path>) -> Result<()> {
    let listener = tokio::net::TcpListener::bind((address, 0)).await?;
    let tls = ca.map(acceptor).transpose()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    println!("{scheme}://{}", listener.local_addr()?);
    let arrived = Arrived::default();
    loop {
        let (stream, _) = listener.accept().await?;
        let (arrived, tls) = (arrived.clone(), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => serve(stream, arrived).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, arrived).await;
                    }
                }
            }
        });
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, arrived: Arrived) {
    let service = hyper::service::service_fn(|request| answer(request, arrived.clone()));
    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}

const CHECKSUM: &str = "x-amz-checksum-crc64nvme";

/// With the checksum, where there is one: a client that is told none may read all of it back.
fn told(response: hyper::http::response::Builder, checksum: Option<&str>) -> hyper::http::response::Builder {
    match checksum {
        Some(checksum) => response.header(CHECKSUM, checksum).header("x-amz-checksum-type", "FULL_OBJECT"),
        None => response,
    }
}

/// A path as its bucket and key.
fn named(path: &str) -> String {
    let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
    format!("<Bucket>{bucket}</Bucket><Key>{key}</Key>")
}

async fn answer(request: Request<Incoming>, arrived: Arrived) -> Result<Response<Full<Bytes>>> {
    let (parts, mut body) = request.into_parts();
    while let Some(frame) = body.frame().await {
        frame?;
    }
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default();
    let header = |name: &str| parts.headers.get(name)?.to_str().ok();
    let length = |name: &str| header(name)?.parse::<u64>().ok();
    let checksum = header(CHECKSUM).map(str::to_owned);
    let mut arrived = arrived.lock().unwrap_or_else(PoisonError::into_inner);
    let response = Response::builder();
    let response = match parts.method {
        Method::POST if query.starts_with("uploads") => {
            let text = format!("{}<UploadId>u</UploadId>", named(&path));
            arrived.insert(path, (0, None));
            let text = format!("<InitiateMultipartUploadResult>{text}</InitiateMultipartUploadResult>");
            response.body(Full::from(text))
        }
        Method::POST => {
            let text = format!("{}<ETag>\"e\"</ETag>", named(&path));
            arrived.entry(path).or_default().1 = checksum;
            let text = format!("<CompleteMultipartUploadResult>{text}</CompleteMultipartUploadResult>");
            response.body(Full::from(text))
        }
        // Nothing is ever there.
        Method::GET => {
            response.body(Full::from("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"))
        }
        Method::PUT => {
            let size = length("x-amz-decoded-content-length").or_else(|| length("content-length")).unwrap_or(0);
            let one = arrived.entry(path).or_default();
            *one = (one.0 + size, checksum.clone());
            told(response.header("etag", "\"e\""), checksum.as_deref()).body(Full::default())
        }
        Method::HEAD => match arrived.get(&path) {
            Some((size, checksum)) => {
                told(response.header("content-length", *size), checksum.as_deref()).body(Full::default())
            }
            None => response.status(StatusCode::NOT_FOUND).body(Full::default()),
        },
        _ => response.status(StatusCode::NOT_IMPLEMENTED).body(Full::default()),
    };
    Ok(response.unwrap_or_default())
}

async fn send(file: &str, endpoint: &str, ca: Option<&Path>) -> Result<()> {
    match ca {
        None => send_with(&Client::builder(TokioExecutor::new()).build_http(), file, endpoint).await,
        Some(ca) => {
            let tls = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(client_config(ca)?);
            let connector = tls.https_only().enable_http1().build();
            send_with(&Client::builder(TokioExecutor::new()).build(connector), file, endpoint).await
        }
    }
}

async fn send_with<C>(client: &Client<C, Full<Bytes>>, file: &str, endpoint: &str) -> Result<()>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let size = std::fs::metadata(file)?.len();
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
                .header(CHECKSUM, checksum)
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
