//! How AWS is reached: through the proxy of the environment, trusting its certificates. The SDK for Rust reads neither
//! by itself.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{SharedHttpClient, SharedHttpConnector, http_client_fn};

use crate::{Code, Error, Result};

/// The variables that name a proxy; `NO_PROXY` takes away from what they say.
const PROXIES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// The client that the environment asks for; none where the SDK's own is right.
///
/// # Errors
/// When `AWS_CA_BUNDLE` names no file that can be read.
pub(crate) fn client(local: bool) -> Result<Option<SharedHttpClient>> {
    let certificates = certificates()?;
    let proxied = !local && PROXIES.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    if certificates.is_none() && !proxied {
        return Ok(None);
    }
    let mut trusted = TrustStore::default();
    if let Some(pem) = certificates {
        trusted = trusted.with_pem_certificate(pem);
    }
    let context = TlsContext::builder().with_trust_store(trusted).build().map_err(Error::internal)?;
    let proxy = if proxied { ProxyConfig::from_env() } else { ProxyConfig::disabled() };
    // The SDK asks for a connector at each request; connections are kept only within one of them.
    let made = Mutex::new(HashMap::<[Option<Duration>; 2], SharedHttpConnector>::new());
    Ok(Some(http_client_fn(move |settings, components| {
        let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
        made.entry([settings.connect_timeout(), settings.read_timeout()])
            .or_insert_with(|| {
                let mut connector = Connector::builder()
                    .connector_settings(settings.clone())
                    .proxy_config(proxy.clone())
                    .tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc))
                    .tls_context(context.clone());
                if let Some(sleep) = components.sleep_impl() {
                    connector = connector.sleep_impl(sleep);
                }
                SharedHttpConnector::new(connector.build())
            })
            .clone()
    })))
}

/// Redirections that are followed, one after the other.
const MOST_REDIRECTS: usize = 5;

/// A client for what is no AWS service (the CDN), with the same certificates and, unless it is on this computer, the
/// same proxy.
///
/// # Errors
/// When `AWS_CA_BUNDLE` names no file that can be read.
pub fn plain_client(local: bool) -> Result<reqwest::Client> {
    // To the same place only: what is asked of a CDN is answered by it, or not at all.
    let redirects = reqwest::redirect::Policy::custom(|attempt| match attempt.previous() {
        [first, ..] if first.origin() == attempt.url().origin() && attempt.previous().len() < MOST_REDIRECTS => {
            attempt.follow()
        }
        _ => attempt.stop(),
    });
    let client = reqwest::Client::builder().connect_timeout(Duration::from_secs(10));
    let mut client = client.redirect(redirects);
    if local {
        client = client.no_proxy();
    }
    if let Some(pem) = certificates()? {
        for certificate in reqwest::Certificate::from_pem_bundle(&pem).map_err(Error::internal)? {
            client = client.add_root_certificate(certificate);
        }
    }
    client.build().map_err(Error::internal)
}

/// The certificates that `AWS_CA_BUNDLE` names, as PEM.
fn certificates() -> Result<Option<Vec<u8>>> {
    let Some(path) = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) else { return Ok(None) };
    let pem = std::fs::read(&path).map_err(|error| {
        Error::new(
            Code::Invalid,
            format!("The certificates of AWS_CA_BUNDLE cannot be read: {}.", Path::new(&path).display()),
            "Name a PEM file that exists, or remove the variable.",
        )
        .with_details(error)
    })?;
    Ok(Some(pem))
}
