//! How a sandbox differs from a fresh deployment of the newest pipeline with the default settings of S3: accounts are
//! older, and stricter, than that.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a sandbox is started with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The generation of the pipeline.
    pub pipeline: Generation,
    /// The source bucket is encrypted with a customer's own key, [`crate::KMS_KEY`], and its policy refuses what does not
    /// ask for that by a header.
    pub kms: bool,
    /// The source bucket has Object Lock with a default retention: it keeps versions, and wants a checksum with each body.
    pub object_lock: bool,
    /// Whose catalog table it has; none for the one that it had, at first the solution's.
    pub catalog: Option<CatalogKind>,
    /// Tests may make it fail (`/-/faults`) and move its clock (`/-/clock`).
    pub control: bool,
}

/// Whose catalog table a sandbox has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CatalogKind {
    /// That of "Video on Demand on AWS".
    #[default]
    Solution,
    /// An operator's own: another key and other names, of addresses only the paths, no index by time, an API beside it.
    Custom,
}

impl FromStr for CatalogKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "solution" => Ok(Self::Solution),
            "custom" => Ok(Self::Custom),
            _ => Err("solution and custom are known".to_owned()),
        }
    }
}

impl fmt::Display for CatalogKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Solution => "solution",
            Self::Custom => "custom",
        })
    }
}

/// The generations of "Video on Demand on AWS" that differ in what a client sees. Source: its CHANGELOG and templates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// 4.3: other names and times in its items; DASH and MP4 beside HLS.
    V4_3,
    /// 5.2: five endings in lower case; DASH and MP4 beside HLS.
    V5_2,
    /// 6.1: HLS only.
    #[default]
    V6_1,
}

impl Generation {
    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V4_3 => "4.3",
            Self::V5_2 => "5.2",
            Self::V6_1 => "6.1",
        }
    }

    /// What its stack says of itself.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::V4_3 => "(SO0021) - Video on Demand on AWS, as the sandbox stands in for it. Version v4.3.0.",
            Self::V5_2 => "(SO0021) - Video on Demand on AWS, as the sandbox stands in for it. Version v5.2.0.",
            Self::V6_1 => "(SO9674) - Video on Demand on AWS, as the sandbox stands in for it. Version v6.1.17.",
        }
    }

    /// The endings of the keys that start it. Since 5.3 also in upper case, never mixed.
    pub(crate) fn endings(self) -> Vec<String> {
        let lower = |all: &[&str]| all.iter().map(|ending| (*ending).to_owned()).collect::<Vec<_>>();
        match self {
            Self::V4_3 | Self::V5_2 => lower(&[".mpg", ".mp4", ".m4v", ".mov", ".m2ts"]),
            Self::V6_1 => {
                let all = [
                    ".mpg", ".mp4", ".m4v", ".mov", ".m2ts", ".wmv", ".mxf", ".mkv", ".m3u8", ".mpeg", ".webm", ".h264",
                ];
                lower(&all).into_iter().flat_map(|ending| [ending.to_uppercase(), ending]).collect()
            }
        }
    }

    /// Whether DASH and an MP4 are made beside HLS.
    pub(crate) fn makes_dash_and_mp4(self) -> bool {
        self < Self::V6_1
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Generation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::V4_3, Self::V5_2, Self::V6_1];
        all.into_iter().find(|one| one.name() == text).ok_or_else(|| "4.3, 5.2 and 6.1 are known".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_those_of_the_generation() {
        let starts =
            |generation: Generation, key: &str| generation.endings().iter().any(|ending| key.ends_with(ending));
        assert!(starts(Generation::V6_1, "video/a.mp4") && starts(Generation::V6_1, "A.MOV"));
        assert!(!starts(Generation::V6_1, "a.Mp4") && !starts(Generation::V6_1, "a.avi"));
        assert!(starts(Generation::V5_2, "a.mov") && !starts(Generation::V5_2, "a.MOV"));
        assert!(!starts(Generation::V5_2, "a.mkv") && !starts(Generation::V4_3, "a.webm"));
        assert_eq!("5.2".parse(), Ok(Generation::V5_2));
        assert!("7".parse::<Generation>().is_err());
    }
}
