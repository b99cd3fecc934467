//! What is filtered by: each facet has an id, which is its term in the index, and how often it is there. Those of the first 64
//! ids are bits beside the place of a video, too: so the chips of any search are counted in one go through its places.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::search::row_of;
use crate::catalog::{Facet, Length, Publication, StatusKind, VideoResolution};
use crate::{Error, Result};

/// Bits beside a place.
const BITS: i64 = 64;

/// Those that always have a bit.
const FIRST: [Facet; 24] = [
    Facet::Status(StatusKind::Ingest),
    Facet::Status(StatusKind::Encoding),
    Facet::Status(StatusKind::Complete),
    Facet::Status(StatusKind::Error),
    Facet::Status(StatusKind::Canceled),
    Facet::Status(StatusKind::Other),
    Facet::Shorter,
    Facet::Resolution(VideoResolution::Sd),
    Facet::Resolution(VideoResolution::Hd),
    Facet::Resolution(VideoResolution::FullHd),
    Facet::Resolution(VideoResolution::Uhd),
    Facet::Length(Length::UnderAMinute),
    Facet::Length(Length::UnderTenMinutes),
    Facet::Length(Length::UnderAnHour),
    Facet::Length(Length::AnHourAndMore),
    Facet::Hdr,
    Facet::Captions,
    Facet::Publication(Publication::Published),
    Facet::Publication(Publication::Timed),
    Facet::Publication(Publication::Draft),
    Facet::Publication(Publication::Unsaid),
    Facet::Trashed,
    Facet::Attention,
    Facet::Stuck,
];

/// What a facet is found by: no word of a text has this sign in it.
pub(super) fn term(id: i64) -> String {
    format!("¤{id:x}")
}

/// Its bit, where it has one.
pub(super) fn bit(id: i64) -> u64 {
    if (0..BITS).contains(&id) { 1 << id } else { 0 }
}

/// Gives the first ones their ids.
pub(super) fn begin(db: &Connection) -> Result<()> {
    for (id, facet) in (0_i64..).zip(&FIRST) {
        db.execute("INSERT OR IGNORE INTO facets VALUES (?1, ?2, 0)", params![id, text(facet)?])?;
    }
    Ok(())
}

fn text(facet: &Facet) -> Result<String> {
    serde_json::to_string(facet).map_err(Error::internal)
}

/// The id of a facet, where it has one.
pub(super) fn id(db: &Connection, facet: &Facet) -> Result<Option<i64>> {
    let mut known = db.prepare_cached("SELECT id FROM facets WHERE facet = ?1")?;
    Ok(known.query_row([text(facet)?], |row| row.get(0)).optional()?)
}

/// How often a facet is there.
pub(super) fn count(db: &Connection, facet: &Facet) -> Result<i64> {
    let mut known = db.prepare_cached("SELECT count FROM facets WHERE facet = ?1")?;
    Ok(known.query_row([text(facet)?], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// How often those are there that have a bit, and the most frequent others.
pub(super) fn all(db: &Connection, most: u32) -> Result<Vec<(i64, Facet, i64)>> {
    let all = "SELECT id, facet, count FROM facets WHERE count > 0 ORDER BY id < 64 DESC, count DESC LIMIT ?1";
    let mut statement = db.prepare_cached(all)?;
    let rows = statement.query_map([most], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)))?;
    let mut facets = Vec::new();
    for row in rows {
        let (id, facet, count) = row?;
        facets.extend(serde_json::from_str(&facet).ok().map(|facet| (id, facet, count)));
    }
    Ok(facets)
}

/// What a transaction changes of them.
#[derive(Default)]
pub(super) struct Changes {
    /// Ids that were looked up or given.
    known: HashMap<Facet, i64>,
    /// What is to be added to how often one is there.
    counts: HashMap<i64, i64>,
    places: Vec<Placed>,
    /// Rows of the index of terms: which are left, and which are written with what.
    terms: BTreeMap<i64, (bool, Option<String>)>,
}

/// The bits beside a place; none beside one that was left.
pub(super) type Placed = (i64, Option<u64>);

impl Changes {
    /// Adds the facets and the words of the video at a place; answers the ids of the facets, and their bits.
    pub fn add(
        &mut self,
        db: &Connection,
        place: i64,
        facets: Vec<Facet>,
        mut words: BTreeSet<String>,
    ) -> Result<(Vec<i64>, u64)> {
        let mut ids = Vec::with_capacity(facets.len());
        for facet in facets {
            let id = match self.known.get(&facet) {
                Some(id) => *id,
                None => {
                    let given =
                        "INSERT INTO facets (facet, count) VALUES (?1, 0) ON CONFLICT DO UPDATE SET count = count
                                 RETURNING id";
                    let id = db.prepare_cached(given)?.query_row([text(&facet)?], |row| row.get(0))?;
                    self.known.insert(facet, id);
                    id
                }
            };
            *self.counts.entry(id).or_default() += 1;
            ids.push(id);
        }
        let bits = ids.iter().fold(0, |bits, id| bits | bit(*id));
        self.places.push((place, Some(bits)));
        words.extend(ids.iter().map(|id| term(*id)));
        self.terms.entry(row_of(place)).or_default().1 = Some(words.into_iter().collect::<Vec<_>>().join(" "));
        Ok((ids, bits))
    }

    /// Takes those of the video at a place away.
    pub fn remove(&mut self, place: i64, ids: impl Iterator<Item = i64>) {
        for id in ids {
            *self.counts.entry(id).or_default() -= 1;
        }
        self.places.push((place, None));
        let (is_left, words) = self.terms.entry(row_of(place)).or_default();
        // One that was only just added is not in the file yet.
        *is_left |= words.take().is_none();
    }

    /// Writes the words, how often facets are there, and that there was a change; answers its number, and what it was.
    pub fn write(self, db: &Connection) -> Result<(i64, Vec<Placed>)> {
        // Upwards: FTS5 begins another piece of its index with each row that is below the one before.
        for (row, (is_left, words)) in self.terms {
            if is_left {
                db.prepare_cached("DELETE FROM terms WHERE rowid = ?1")?.execute([row])?;
            }
            if let Some(words) = words {
                db.prepare_cached("INSERT INTO terms (rowid, words) VALUES (?1, ?2)")?.execute(params![row, words])?;
            }
        }
        for (id, by) in self.counts.into_iter().filter(|(_, by)| *by != 0) {
            db.prepare_cached("UPDATE facets SET count = count + ?2 WHERE id = ?1")?.execute([id, by])?;
        }
        db.prepare_cached("DELETE FROM facets WHERE count <= 0 AND id >= ?1")?.execute([FIRST.len()])?;
        if !self.places.is_empty() {
            db.execute(
                "INSERT INTO state VALUES ('revision', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1",
                [],
            )?;
        }
        Ok((revision(db)?, self.places))
    }
}

/// The number of its last change.
pub(super) fn revision(db: &Connection) -> Result<i64> {
    let revision = "SELECT value FROM state WHERE name = 'revision'";
    Ok(db.prepare_cached(revision)?.query_row([], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// The bits of all places, in memory; cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Bits(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// The change of the file that they are of; none before they are first wanted.
    revision: Option<i64>,
    places: BTreeMap<i64, u64>,
}

impl Bits {
    /// Takes in what this process has changed.
    pub fn take(&self, revision: i64, places: Vec<Placed>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Before they are wanted nothing is held; after a change of another process they are read anew.
        if known.revision.is_none_or(|before| before + 1 != revision) {
            return;
        }
        known.revision = Some(revision);
        for (place, bits) in places {
            match bits {
                Some(bits) => known.places.insert(place, bits),
                None => known.places.remove(&place),
            };
        }
    }

    /// How many of the places have each bit.
    pub fn count(&self, db: &Connection, places: &[i64]) -> Result<[usize; BITS as usize]> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = revision(db)?;
        if known.revision != Some(now) {
            let mut statement = db.prepare_cached("SELECT place, bits FROM places ORDER BY place")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?;
            known.places = rows.collect::<rusqlite::Result<_>>()?;
            known.revision = Some(now);
        }
        let mut counts = [0; BITS as usize];
        let mut add = |mut bits: u64| {
            while bits != 0 {
                counts[bits.trailing_zeros() as usize] += 1;
                bits &= bits - 1;
            }
        };
        // Many are walked through beside all of them; a few are looked up.
        if places.len() > known.places.len() / 20 {
            let mut wanted = places.iter().copied().peekable();
            for (place, bits) in &known.places {
                while wanted.next_if(|wanted| wanted < place).is_some() {}
                if wanted.next_if_eq(place).is_some() {
                    add(*bits);
                }
            }
        } else {
            places.iter().filter_map(|place| known.places.get(place)).for_each(|bits| add(*bits));
        }
        Ok(counts)
    }
}
