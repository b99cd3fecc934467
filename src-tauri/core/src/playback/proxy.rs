//! The loopback proxy: the player in the window asks it for playlists, segments and pictures, and it asks the CDN, or
//! the destination bucket.
//!
//! It listens on 127.0.0.1 on a free port. An address begins with a token that is made anew at each start, and
//! reaches only what lies beside an address that was opened. Cookies of private content are added here, so no
//! secret reaches the page.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::routing::get;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::Access;
use crate::{Code, Error, Result};

/// The pages that may ask: the window's own, per platform, and the development server's.
const ORIGINS: [&str; 4] =
    ["tauri://localhost", "http://tauri.localhost", "https://tauri.localhost", "http://localhost:1420"];
/// What is passed on from the CDN.
const PASSED: [header::HeaderName; 6] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::ACCEPT_RANGES,
    header::ETAG,
    header::LAST_MODIFIED,
];
/// Folders that can be open at once; the one opened first is closed when another is needed.
const MAX_OPEN: usize = 512;

/// The proxy; it ends when dropped.
pub struct Proxy {
    shared: Arc<Shared>,
    stop: CancellationToken,
}

struct Shared {
    authority: String,
    token: String,
    access: Access,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    next: u64,
    folders: HashMap<u64, Url>,
}

impl Proxy {
    /// Listens on a free port.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(access: Access) -> Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.map_err(Error::internal)?;
        let shared = Arc::new(Shared {
            authority: listener.local_addr().map_err(Error::internal)?.to_string(),
            token: format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple()),
            access,
            open: Mutex::default(),
        });
        let stop = CancellationToken::new();
        let router = Router::new().route("/{token}/{folder}/{*file}", get(serve)).with_state(shared.clone());
        let stopped = stop.clone().cancelled_owned();
        tokio::spawn(async move {
            let ended = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
            if let Err(error) = ended {
                tracing::error!(%error, "the loopback proxy ended");
            }
        });
        Ok(Self { shared, stop })
    }

    /// Opens the folder of an address; answers the address to give to the player.
    ///
    /// # Errors
    /// When it is no web address of a file.
    pub fn open(&self, address: &Url) -> Result<String> {
        let invalid =
            || Error::new(Code::Playback, format!("{address} cannot be played."), "Check the workspace's CDN domain.");
        if !matches!(address.scheme(), "http" | "https") {
            return Err(invalid());
        }
        let file = address.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
        if file.is_empty() {
            return Err(invalid());
        }
        let folder = address.join(".").map_err(|_| invalid())?;
        let mut open = self.shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        let known = open.folders.iter().find(|(_, other)| **other == folder).map(|(id, _)| *id);
        let id = known.unwrap_or_else(|| {
            if open.folders.len() >= MAX_OPEN
                && let Some(oldest) = open.folders.keys().min().copied()
            {
                open.folders.remove(&oldest);
            }
            open.next += 1;
            let id = open.next;
            open.folders.insert(id, folder);
            id
        });
        Ok(format!("http://{}/{}/{id}/{file}", self.shared.authority, self.shared.token))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Shared {
    /// The address behind a request, if the request may have it.
    fn target(&self, token: &str, folder: &str, file: &str, headers: &HeaderMap) -> Result<Url, StatusCode> {
        let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("?"));
        let host_is_ours = text(header::HOST) == Some(self.authority.as_str());
        let origin_is_ours = text(header::ORIGIN).is_none_or(|origin| ORIGINS.contains(&origin));
        if token != self.token || !host_is_ours || !origin_is_ours {
            return Err(StatusCode::FORBIDDEN);
        }
        let id: u64 = folder.parse().map_err(|_| StatusCode::NOT_FOUND)?;
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = open.folders.get(&id).ok_or(StatusCode::NOT_FOUND)?;
        let mut url = folder.clone();
        // Segment by segment: a name can hold nothing that leaves the folder.
        let clean = file.split('/').all(|segment| !matches!(segment, "" | "." | "..") && !segment.contains('\\'));
        if !clean {
            return Err(StatusCode::FORBIDDEN);
        }
        url.path_segments_mut().map_err(|()| StatusCode::NOT_FOUND)?.pop_if_empty().extend(file.split('/'));
        Ok(url)
    }
}

async fn serve(
    State(shared): State<Arc<Shared>>,
    method: Method,
    Path((token, folder, file)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response<Body> {
    let url = match shared.target(&token, &folder, &file, &headers) {
        Ok(url) => url,
        Err(status) => return plain(status),
    };
    let answer = match shared.access.get(method, &url, headers.get(header::RANGE)).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::warn!(%error, details = error.details, "a file of a stream could not be had");
            return plain(StatusCode::BAD_GATEWAY);
        }
    };
    let mut response = plain(answer.status());
    for name in PASSED {
        if let Some(value) = answer.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    if let Some(origin) = headers.get(header::ORIGIN) {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    *response.body_mut() = Body::from_stream(answer.bytes_stream());
    response
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Origin"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared() -> Shared {
        let folders = HashMap::from([(1, Url::parse("https://cdn.example/guid/hls/").unwrap())]);
        Shared {
            authority: "127.0.0.1:4000".into(),
            token: "t".into(),
            access: Access::of_web(reqwest::Client::new()),
            open: Mutex::new(Open { next: 1, folders }),
        }
    }

    #[track_caller]
    fn check(
        token: &str,
        folder: &str,
        file: &str,
        host: &str,
        origin: Option<&str>,
        expected: Result<&str, StatusCode>,
    ) {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        let found = shared().target(token, folder, file, &headers).map(|url| url.to_string());
        assert_eq!(found, expected.map(str::to_owned));
    }

    #[test]
    fn only_what_was_opened_and_only_for_the_window() {
        let host = "127.0.0.1:4000";
        let tauri = Some("tauri://localhost");
        check("t", "1", "a b.ts", host, tauri, Ok("https://cdn.example/guid/hls/a%20b.ts"));
        check("t", "1", "a.ts", host, None, Ok("https://cdn.example/guid/hls/a.ts"));
        check("x", "1", "a.ts", host, tauri, Err(StatusCode::FORBIDDEN));
        check("t", "1", "a.ts", "evil.example:4000", tauri, Err(StatusCode::FORBIDDEN));
        check("t", "1", "a.ts", host, Some("https://evil.example"), Err(StatusCode::FORBIDDEN));
        check("t", "1", "../../other/hls/a.ts", host, tauri, Err(StatusCode::FORBIDDEN));
        check("t", "1", "..\\a.ts", host, tauri, Err(StatusCode::FORBIDDEN));
        check("t", "2", "a.ts", host, tauri, Err(StatusCode::NOT_FOUND));
    }
}
