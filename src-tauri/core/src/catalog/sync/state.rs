//! What the mirror knows of its readings: rows of its table `state`.

use super::CatalogSync;
use crate::Result;

/// Segments of the table (`TotalSegments`): how far each has come is kept, so that a kill costs a page.
pub(super) const SEGMENTS: i32 = 16;

impl CatalogSync {
    pub(super) async fn state(&self) -> Result<State> {
        let states = self.mirror().await?.states().await?;
        let number = |name: &str| states.get(name).and_then(|text| text.parse().ok());
        let segment = |number| states.get(&Segment::name(number)).map_or(Segment::Unread, |text| Segment::of(text));
        Ok(State {
            sweep: number("sweep").unwrap_or(1),
            swept_at: number("swept_at"),
            read_at: number("read_at"),
            indexed_at: number("indexed_at"),
            newest_at: number("newest_at"),
            began_at: number("began_at"),
            segments: (0..SEGMENTS).map(segment).collect(),
        })
    }
}

/// What the mirror knows of its readings.
pub(super) struct State {
    /// The number of the reading that is going on.
    pub sweep: i64,
    pub swept_at: Option<i64>,
    pub read_at: Option<i64>,
    /// When all of the index was read.
    pub indexed_at: Option<i64>,
    /// When the newest video began that was seen at a look.
    pub newest_at: Option<i64>,
    /// When the reading that is going on began.
    pub began_at: Option<i64>,
    pub segments: Vec<Segment>,
}

/// How far a segment was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Unread,
    /// Behind this key.
    Behind(String),
    Read,
}

impl Segment {
    pub fn name(number: i32) -> String {
        format!("segment {number}")
    }

    pub fn text(&self) -> String {
        match self {
            Self::Unread => String::new(),
            Self::Behind(guid) => format!("behind {guid}"),
            Self::Read => "read".to_owned(),
        }
    }

    fn of(text: &str) -> Self {
        match text.strip_prefix("behind ") {
            Some(guid) => Self::Behind(guid.to_owned()),
            None if text == "read" => Self::Read,
            None => Self::Unread,
        }
    }
}
