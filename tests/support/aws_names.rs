//! AWS under its own names: an HTTPS proxy that answers for them, with certificates of its own, from an emulator of AWS on
//! this computer. So the SDK's own choice of hosts is what is tested.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

type Delays = dyn Fn(&str) -> Duration + Send + Sync;

/// The proxy, until it is dropped.
pub struct AwsNames {
    /// Its address, for `HTTPS_PROXY`.
    pub proxy: String,
    /// Its certificate, for `AWS_CA_BUNDLE`.
    pub ca: PathBuf,
    sent: Arc<Mutex<BTreeMap<String, u64>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for AwsNames {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What all connections share.
struct Names {
    upstream: String,
    issuer: Issuer<'static, KeyPair>,
    http: reqwest::Client,
    /// How long each request to a host waits.
    delay: Box<Delays>,
    /// Bytes of bodies, by host.
    sent: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl AwsNames {
    /// Answers from the emulator at `upstream`; each request to a host waits for so long. The certificate is left in `folder`.
    ///
    /// # Errors
    /// When no port can be had, or no certificate made.
    pub async fn before(
        upstream: &str,
        folder: &Path,
        delay: impl Fn(&str) -> Duration + Send + Sync + 'static,
    ) -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let ca = folder.join("ca.pem");
        std::fs::write(&ca, params.self_signed(&key)?.pem())?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let proxy = format!("http://{}", listener.local_addr()?);
        let sent = Arc::<Mutex<BTreeMap<String, u64>>>::default();
        let names = Arc::new(Names {
            upstream: upstream.to_owned(),
            issuer: Issuer::new(params, key),
            http: reqwest::Client::builder().no_proxy().build()?,
            delay: Box::new(delay),
            sent: sent.clone(),
        });
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(names.clone().tunnels(stream));
            }
        });
        Ok(Self { proxy, ca, sent, task })
    }

    /// Bytes of the bodies that were sent to a host.
    #[must_use]
    pub fn sent_to(&self, host: &str) -> u64 {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).get(host).copied().unwrap_or(0)
    }
}

impl Names {
    /// Serves one connection of a client, which asks for a tunnel to a host.
    async fn tunnels(self: Arc<Self>, stream: TcpStream) {
        let service = hyper::service::service_fn(|request: Request<Incoming>| {
            let names = self.clone();
            async move {
                anyhow::ensure!(request.method() == Method::CONNECT, "no tunnel is asked for");
                let host = request.uri().host().context("no host")?.to_owned();
                tokio::spawn(async move {
                    if let Ok(upgraded) = hyper::upgrade::on(request).await {
                        names.answer_as(&host, upgraded).await.ok();
                    }
                });
                Ok(Response::new(Full::<Bytes>::default()))
            }
        });
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        connection.with_upgrades().await.ok();
    }

    /// Speaks TLS as this host.
    async fn answer_as(self: Arc<Self>, host: &str, upgraded: hyper::upgrade::Upgraded) -> Result<()> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec![host.to_owned()])?.signed_by(&key, &self.issuer)?;
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())?;
        let stream = TlsAcceptor::from(Arc::new(config)).accept(TokioIo::new(upgraded)).await?;
        let service = hyper::service::service_fn(|request| self.pass(host, request));
        Ok(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await?)
    }

    async fn pass(&self, host: &str, request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
        tokio::time::sleep((self.delay)(host)).await;
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        // The emulator knows buckets by path.
        let bucket = host.split_once(".s3").map_or(String::new(), |(bucket, _)| format!("/{bucket}"));
        let url = format!("{}{bucket}{path}", self.upstream);
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner).entry(host.to_owned()).or_default() +=
            body.len() as u64;
        let mut headers = parts.headers;
        for name in [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        let answer = self.http.request(parts.method.clone(), url).headers(headers).body(body).send().await?;
        let mut response = Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            headers.clone_from(answer.headers());
            headers.remove(TRANSFER_ENCODING);
            // The length of an answer to HEAD is the object's.
            if parts.method != Method::HEAD {
                headers.remove(CONTENT_LENGTH);
            }
        }
        Ok(response.body(Full::from(answer.bytes().await?))?)
    }
}
