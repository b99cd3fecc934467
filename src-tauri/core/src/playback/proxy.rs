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
/// Folders of streams, and of pictures, that can be open at once; the one that was not used for the longest time is closed
/// when another is needed. Pictures are many, and a screen of them closes no stream.
const MAX_STREAMS: usize = 64;
const MAX_PICTURES: usize = 20_000;

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
    folders: HashMap<u64, Folder>,
    /// Counts uses.
    clock: u64,
}

/// What a folder was opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    Stream,
    Picture,
}

struct Folder {
    url: Url,
    what: For,
    used: u64,
}

impl Open {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Its number; opened where it is not open yet.
    fn open(&mut self, url: Url, what: For) -> u64 {
        let used = self.tick();
        if let Some((id, folder)) = self.folders.iter_mut().find(|(_, other)| other.what == what && other.url == url) {
            folder.used = used;
            return *id;
        }
        let most = if what == For::Stream { MAX_STREAMS } else { MAX_PICTURES };
        let alike = || self.folders.iter().filter(|(_, other)| other.what == what);
        if alike().count() >= most
            && let Some(oldest) = alike().min_by_key(|(_, other)| other.used).map(|(id, _)| *id)
        {
            self.folders.remove(&oldest);
        }
        self.next += 1;
        self.folders.insert(self.next, Folder { url, what, used });
        self.next
    }

    fn use_folder(&mut self, id: u64) -> Option<Url> {
        let used = self.tick();
        let folder = self.folders.get_mut(&id)?;
        folder.used = used;
        Some(folder.url.clone())
    }
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

    /// Opens the folder of a stream; answers the address to give to the player.
    ///
    /// # Errors
    /// When it is no web address of a file.
    pub fn open(&self, address: &Url) -> Result<String> {
        self.open_for(address, For::Stream)
    }

    /// The same of a picture.
    ///
    /// # Errors
    /// When it is no web address of a file.
    pub fn open_picture(&self, address: &Url) -> Result<String> {
        self.open_for(address, For::Picture)
    }

    fn open_for(&self, address: &Url, what: For) -> Result<String> {
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
        let id = open.open(folder, what);
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
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut url = open.use_folder(id).ok_or(StatusCode::NOT_FOUND)?;
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
        let mut open = Open::default();
        open.open(Url::parse("https://cdn.example/guid/hls/").unwrap(), For::Stream);
        Shared {
            authority: "127.0.0.1:4000".into(),
            token: "t".into(),
            access: Access::of_web(reqwest::Client::new()),
            open: Mutex::new(open),
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
    fn what_plays_stays_open_whatever_else_is_opened() {
        let mut open = Open::default();
        let url = |kind: &str, number: usize| Url::parse(&format!("https://cdn.example/{kind}/{number}/")).unwrap();
        let film = open.open(url("hls", 0), For::Stream);
        for number in 0..MAX_PICTURES + 500 {
            open.open(url("thumbnails", number), For::Picture);
        }
        assert!(open.use_folder(film).is_some(), "pictures close no stream");
        for number in 1..MAX_STREAMS * 3 {
            open.open(url("hls", number), For::Stream);
            // It plays.
            assert!(open.use_folder(film).is_some(), "{number}");
        }
        assert_eq!(open.folders.len(), MAX_STREAMS + MAX_PICTURES);
        assert_eq!(open.open(url("hls", 0), For::Stream), film, "the same again");
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
