//! Reading a stream's playlists with m3u8-rs. Words of RFC 8216; *rendition* here is one entry of the ladder.

use std::io::Read as _;
use std::path::Path;

use futures::StreamExt as _;
use m3u8_rs::{MediaPlaylist, MediaPlaylistType, Playlist};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use url::Url;

use super::Access;
use crate::files;
use crate::http::plain_client;
use crate::{Code, Error, Result};

/// Bytes of the largest playlist that is read.
const LARGEST: usize = 1024 * 1024;

/// One entry of the multivariant playlist, with its media playlist read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Rendition {
    /// The address of its media playlist.
    pub uri: String,
    /// Peak bits a second.
    #[ts(type = "number | null")]
    pub bandwidth: Option<u64>,
    /// Average bits a second.
    #[ts(type = "number | null")]
    pub average_bandwidth: Option<u64>,
    /// Pixels.
    pub width: Option<u32>,
    /// Pixels.
    pub height: Option<u32>,
    /// Frames a second.
    pub frame_rate: Option<f64>,
    /// RFC 6381.
    pub codecs: Option<String>,
    /// Seconds: the sum of its segments.
    pub duration: f64,
    /// How many segments it has.
    pub segments: usize,
    /// Seconds.
    pub target_duration: f64,
}

/// A stream: its ladder, in the order of the playlist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Stream {
    /// The address or path that was read.
    pub uri: String,
    /// Seconds: the longest rendition.
    pub duration: f64,
    /// The ladder.
    pub renditions: Vec<Rendition>,
}

/// Where a playlist lies.
enum Location {
    Web(Url),
    Disk(std::path::PathBuf),
}

impl Location {
    fn parse(text: &str) -> Self {
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Self::Web(url),
            _ => Self::Disk(text.into()),
        }
    }

    /// What a playlist here names: of the web only what is at the same place, so that no playlist sends us elsewhere.
    fn join(&self, uri: &str) -> Result<Self> {
        match self {
            Self::Web(url) => {
                let joined = url.join(uri).map_err(|error| unreadable(&self.to_string(), &error))?;
                if joined.origin() != url.origin() {
                    return Err(unreadable(joined.as_str(), &"it is on another host than the playlist that names it"));
                }
                Ok(Self::Web(joined))
            }
            Self::Disk(path) => Ok(match Self::parse(uri) {
                Self::Disk(relative) => {
                    Self::Disk(path.parent().map(|folder| folder.join(&relative)).unwrap_or(relative))
                }
                web => return Err(unreadable(&web.to_string(), &"a playlist on this computer names it")),
            }),
        }
    }

    async fn read(&self, access: &Access) -> Result<Vec<u8>> {
        match self {
            Self::Web(url) => {
                let answer = access.get(Method::GET, url, None).await?;
                if !answer.status().is_success() {
                    return Err(unreadable(url.as_str(), &answer.status()));
                }
                let mut bytes = Vec::new();
                let mut answer = answer.bytes_stream();
                while let Some(more) = answer.next().await {
                    bytes.extend_from_slice(&more.map_err(|error| unreadable(url.as_str(), &error.without_url()))?);
                    if bytes.len() > LARGEST {
                        return Err(unreadable(url.as_str(), &"it is larger than 1 MiB, and no playlist"));
                    }
                }
                Ok(bytes)
            }
            Self::Disk(path) => {
                let read = |path: &Path| {
                    let mut bytes = Vec::new();
                    let file = std::fs::File::open(path)
                        .and_then(|file| file.take(LARGEST as u64 + 1).read_to_end(&mut bytes));
                    file.map(|_| bytes).map_err(|error| unreadable(&crate::shown(path), &error))
                };
                let bytes = files::ask(path, read).await?;
                if bytes.len() > LARGEST {
                    return Err(unreadable(&self.to_string(), &"it is larger than 1 MiB, and no playlist"));
                }
                Ok(bytes)
            }
        }
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Web(url) => f.write_str(url.as_str()),
            Self::Disk(path) => f.write_str(&crate::shown(path)),
        }
    }
}

fn unreadable(place: &str, error: &dyn std::fmt::Display) -> Error {
    Error::new(
        Code::Playback,
        format!("The playlist {place} cannot be read."),
        "Check that the address is right and that the video is playable.",
    )
    .with_details(error)
}

/// Reads a stream that belongs to no workspace: any address or path.
///
/// # Errors
/// [`Code::Playback`] with the playlist that cannot be read.
pub async fn read_anywhere(uri: &str) -> Result<Stream> {
    read(&Access::of_web(plain_client(false)?), uri).await
}

/// Reads a multivariant playlist (or a lone media playlist) and its media playlists.
///
/// # Errors
/// [`Code::Playback`] with the playlist that cannot be read.
pub async fn read(access: &Access, uri: &str) -> Result<Stream> {
    let place = Location::parse(uri);
    let mut renditions = Vec::new();
    match parse(&place.read(access).await?, &place)? {
        Playlist::MediaPlaylist(media) => renditions.push(described(place.to_string(), &media, None)),
        Playlist::MasterPlaylist(multivariant) => {
            for variant in multivariant.variants.iter().filter(|variant| !variant.is_i_frame) {
                let place = place.join(&variant.uri)?;
                let Playlist::MediaPlaylist(media) = parse(&place.read(access).await?, &place)? else {
                    return Err(unreadable(
                        &place.to_string(),
                        &"it is a multivariant playlist where a media playlist belongs",
                    ));
                };
                renditions.push(described(place.to_string(), &media, Some(variant)));
            }
        }
    }
    let duration = renditions.iter().map(|rendition| rendition.duration).fold(0.0, f64::max);
    Ok(Stream { uri: uri.to_owned(), duration, renditions })
}

fn parse(bytes: &[u8], place: &Location) -> Result<Playlist> {
    match m3u8_rs::parse_playlist_res(bytes) {
        Ok(Playlist::MediaPlaylist(media))
            if media.segments.is_empty() && media.playlist_type != Some(MediaPlaylistType::Event) =>
        {
            Err(unreadable(&place.to_string(), &"it has no segments"))
        }
        Ok(playlist) => Ok(playlist),
        Err(_) => Err(unreadable(&place.to_string(), &"it is no HLS playlist")),
    }
}

fn described(uri: String, media: &MediaPlaylist, variant: Option<&m3u8_rs::VariantStream>) -> Rendition {
    let size = variant.and_then(|variant| variant.resolution);
    let side = |side: u64| u32::try_from(side).ok();
    Rendition {
        uri,
        bandwidth: variant.map(|variant| variant.bandwidth),
        average_bandwidth: variant.and_then(|variant| variant.average_bandwidth),
        width: size.and_then(|size| side(size.width)),
        height: size.and_then(|size| side(size.height)),
        frame_rate: variant.and_then(|variant| variant.frame_rate),
        codecs: variant.and_then(|variant| variant.codecs.clone()),
        duration: media.segments.iter().map(|segment| f64::from(segment.duration)).sum(),
        segments: media.segments.len(),
        target_duration: media.target_duration as f64,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex};

    use axum::response::IntoResponse as _;

    use super::*;

    async fn read_file(name: &str, text: &str) -> Result<Stream> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("low.m3u8"),
            "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\na.ts\n#EXTINF:2.28,\nb.ts\n#EXT-X-ENDLIST\n",
        )
        .unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        read(&Access::of_web(reqwest::Client::new()), path.to_str().unwrap()).await
    }

    #[tokio::test]
    async fn a_ladder_on_disk() {
        let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900000,AVERAGE-BANDWIDTH=800000,RESOLUTION=640x360,FRAME-RATE=25.000,CODECS=\"avc1.64001e,mp4a.40.2\"\nlow.m3u8\n";
        let stream = read_file("top.m3u8", text).await.unwrap();
        let rendition = &stream.renditions[0];
        assert_eq!((rendition.width, rendition.height, rendition.segments), (Some(640), Some(360), 2));
        assert_eq!(rendition.codecs.as_deref(), Some("avc1.64001e,mp4a.40.2"));
        assert!((stream.duration - 5.28).abs() < 0.001);
    }

    /// A server of playlists; what it was asked for.
    async fn server(routes: Vec<(&'static str, axum::response::Response)>) -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, routes) = (asked.clone(), Arc::new(Mutex::new(routes.into_iter().collect::<HashMap<_, _>>())));
        let answer = move |request: axum::extract::Request| {
            let path = request.uri().path().to_owned();
            seen.lock().unwrap().push(path.clone());
            let found: Option<axum::response::Response> = routes.lock().unwrap().remove(path.as_str());
            async move { found.unwrap_or_default() }
        };
        tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
        (address, asked)
    }

    fn to(address: &str) -> axum::response::Response {
        axum::response::Redirect::temporary(address).into_response()
    }

    #[tokio::test]
    async fn only_its_own_place_is_asked_and_not_for_much() {
        let (elsewhere, asked) = server(Vec::new()).await;
        let multivariant = |uri: &str| format!("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{uri}\n").into_response();
        let media = "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\na.ts\n#EXT-X-ENDLIST\n";
        // A good one, but for its size.
        let huge = media.replace("#EXTINF", &format!("{}#EXTINF", "#EXTINF:3,\na.ts\n".repeat(100_000)));
        let (address, _) = server(vec![
            ("/foreign.m3u8", multivariant(&format!("{elsewhere}/low.m3u8"))),
            ("/away.m3u8", to(&format!("{elsewhere}/away.m3u8"))),
            ("/huge.m3u8", huge.into_response()),
            ("/here.m3u8", to("/moved.m3u8")),
            ("/moved.m3u8", multivariant("low.m3u8")),
            ("/low.m3u8", media.into_response()),
        ])
        .await;
        for name in ["foreign", "away", "huge"] {
            let read = read_anywhere(&format!("{address}/{name}.m3u8")).await;
            assert_eq!(read.map_err(|error| error.code).err(), Some(Code::Playback), "{name}");
        }
        assert_eq!(*asked.lock().unwrap(), [""; 0], "nobody else was asked");
        assert_eq!(read_anywhere(&format!("{address}/here.m3u8")).await.unwrap().renditions.len(), 1);
    }

    #[tokio::test]
    async fn what_is_no_playlist() {
        for text in ["", "hello", "#EXTM3U\n", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\ngone.m3u8\n"] {
            assert_eq!(
                read_file("top.m3u8", text).await.map_err(|error| error.code).err(),
                Some(Code::Playback),
                "{text:?}"
            );
        }
    }
}
