//! What the pipeline made of a video: every address that its item has.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What an output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum OutputKind {
    /// A multivariant playlist of HLS.
    Hls,
    /// A manifest of MPEG-DASH.
    Dash,
    /// A multivariant playlist of HLS with CMAF segments.
    CmafHls,
    /// A manifest of MPEG-DASH with CMAF segments.
    CmafDash,
    /// A manifest of Microsoft Smooth Streaming.
    Mss,
    /// A file.
    Mp4,
    /// A captured picture.
    Thumbnail,
    /// An endpoint of MediaPackage.
    MediaPackage,
}

/// Something that was made of a video, and its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// What it is.
    pub kind: OutputKind,
    /// Behind the CDN, as the item has it.
    pub url: String,
}

/// The attributes of the "Video on Demand on AWS" solution (its publish step), those of its older versions too.
const ATTRIBUTES: [(&str, OutputKind); 9] = [
    ("hlsUrl", OutputKind::Hls),
    ("cmafHlsUrl", OutputKind::CmafHls),
    ("dashUrl", OutputKind::Dash),
    ("cmafDashUrl", OutputKind::CmafDash),
    ("mssUrl", OutputKind::Mss),
    ("mp4Urls", OutputKind::Mp4),
    ("thumbNailsUrls", OutputKind::Thumbnail),
    ("thumbNailUrl", OutputKind::Thumbnail),
    ("egressEndpoints", OutputKind::MediaPackage),
];

impl Output {
    /// All that an item has, in the order of [`OutputKind`].
    pub(super) fn all(item: &HashMap<String, AttributeValue>) -> Vec<Self> {
        let of = |(name, kind): &(&str, OutputKind)| {
            let urls = match item.get(*name) {
                Some(AttributeValue::S(url)) => vec![url.clone()],
                Some(AttributeValue::Ss(urls)) => urls.clone(),
                Some(AttributeValue::L(urls)) => urls.iter().filter_map(|url| url.as_s().ok().cloned()).collect(),
                Some(AttributeValue::M(urls)) => {
                    let mut urls: Vec<_> = urls.values().filter_map(|url| url.as_s().ok().cloned()).collect();
                    urls.sort_unstable();
                    urls
                }
                _ => Vec::new(),
            };
            let kind = *kind;
            urls.into_iter().filter(|url| !url.is_empty()).map(move |url| Self { kind, url })
        };
        ATTRIBUTES.iter().flat_map(of).collect()
    }
}
