//! The places of all videos in the orders that lists are sorted in, with the bits beside them, in memory: the first page of any
//! filter is one go through them, however far apart those are that have it. What has changed since they were read stands beside
//! them, and is sorted in by the file.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, TransactionBehavior};

use super::facets::{Placed, revision};
use crate::Result;

/// More changes are not looked at one by one: all is read again.
const MOST_CHANGES: usize = 2_000;

/// What lists are sorted by, beside their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Title,
    Duration,
}

impl Column {
    pub fn name(self) -> &'static str {
        match self {
            Self::Title => "title_key",
            Self::Duration => "duration",
        }
    }
}

/// What a place has to be.
pub(super) struct Wanted<'a> {
    /// The first and the last place.
    pub places: (i64, i64),
    /// One bit of each.
    pub bits: &'a [u64],
    /// One of these, in their order; any where there are none.
    pub among: Option<&'a [i64]>,
}

impl Wanted<'_> {
    fn has(&self, place: i64, bits: u64) -> bool {
        self.bits.iter().all(|any| bits & any != 0)
            && (self.places.0..=self.places.1).contains(&place)
            && self.among.is_none_or(|among| among.binary_search(&place).is_ok())
    }
}

/// Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Orders(Arc<Mutex<State>>);

#[derive(Default)]
enum State {
    /// Nobody has wanted them.
    #[default]
    Unread,
    /// Someone reads them; what is changed meanwhile is kept.
    Reading(Changed),
    Read(Sorted, Changed),
    /// Too much has changed since.
    Old,
}

/// What has changed since they were read.
#[derive(Default)]
struct Changed {
    /// The first and the last change of the file that is here.
    revisions: Option<(i64, i64)>,
    places: BTreeMap<i64, Option<u64>>,
}

impl Changed {
    /// Whether there was no other change before this one, and they are few still.
    fn take(&mut self, revision: i64, placed: &[Placed]) -> bool {
        let (first, last) = self.revisions.unwrap_or((revision, revision - 1));
        self.revisions = Some((first, revision));
        self.places.extend(placed.iter().copied());
        last + 1 == revision && self.places.len() <= MOST_CHANGES
    }
}

/// A place, and the bits beside it.
type Row = (i64, u64);

struct Sorted {
    /// The change of the file that they are of.
    revision: i64,
    by_title: Vec<Row>,
    by_duration: Vec<Row>,
    /// So many have no duration.
    without_duration: usize,
}

impl Orders {
    /// Whether they are to be read now, by who asks.
    pub fn begin(&self) -> bool {
        let mut state = self.lock();
        let is_wanted = matches!(*state, State::Unread | State::Old);
        if is_wanted {
            *state = State::Reading(Changed::default());
        }
        is_wanted
    }

    /// Whether nobody has wanted them.
    pub fn is_unread(&self) -> bool {
        matches!(*self.lock(), State::Unread)
    }

    /// Reads them, after [`Orders::begin`]; a second for a million.
    pub fn read(&self, db: &mut Connection) -> Result<()> {
        let sorted = Sorted::read(db);
        let mut state = self.lock();
        let State::Reading(mut changed) = std::mem::replace(&mut *state, State::Old) else { return Ok(()) };
        let sorted = sorted?;
        let (first, last) = changed.revisions.unwrap_or((sorted.revision + 1, sorted.revision));
        if last <= sorted.revision {
            // What was read is newer, and another process may have changed the same since.
            changed.places.clear();
        }
        if first <= sorted.revision + 1 {
            changed.revisions = Some((first, last.max(sorted.revision)));
            *state = State::Read(sorted, changed);
        }
        Ok(())
    }

    /// Takes in what this process has changed.
    pub fn take(&self, revision: i64, placed: &[Placed]) {
        // A change of nothing has no number of its own.
        if placed.is_empty() {
            return;
        }
        let mut state = self.lock();
        let (State::Reading(changed) | State::Read(_, changed)) = &mut *state else { return };
        if !changed.take(revision, placed) {
            *state = State::Old;
        }
    }

    /// The first so many that are wanted, and those that have changed, in no order; none where they are not known.
    pub fn first(
        &self,
        db: &Connection,
        column: Column,
        descending: bool,
        wanted: &Wanted<'_>,
        most: usize,
    ) -> Result<Option<Vec<i64>>> {
        let now = revision(db)?;
        let mut state = self.lock();
        let State::Read(sorted, changed) = &*state else { return Ok(None) };
        let known = changed.revisions.map_or(sorted.revision, |(_, last)| last);
        if known != now {
            // Another process has changed the file; or this one just did, and the reader still sees what was before.
            if known < now {
                *state = State::Old;
            }
            return Ok(None);
        }
        let rows = match column {
            Column::Title => &sorted.by_title,
            Column::Duration => &sorted.by_duration,
        };
        let is_wanted = |row: &&Row| wanted.has(row.0, row.1) && !changed.places.contains_key(&row.0);
        let place = |row: &Row| row.0;
        let mut places: Vec<i64> = if descending {
            rows.iter().rev().filter(is_wanted).take(most).map(place).collect()
        } else {
            // What has no duration stands first, and comes last.
            let (without, with) = rows.split_at(if column == Column::Duration { sorted.without_duration } else { 0 });
            with.iter().chain(without).filter(is_wanted).take(most).map(place).collect()
        };
        let changed = changed.places.iter().filter_map(|(place, bits)| Some((*place, (*bits)?)));
        places.extend(changed.filter(|(place, bits)| wanted.has(*place, *bits)).map(|(place, _)| place));
        Ok(Some(places))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sorted {
    fn read(db: &mut Connection) -> Result<Self> {
        // All of it as it was at one moment.
        let db = db.transaction_with_behavior(TransactionBehavior::Deferred)?;
        let revision = revision(&db)?;
        let mut statement = db.prepare("SELECT place, bits FROM places WHERE place > 0 ORDER BY place")?;
        let bits = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?;
        let bits = bits.collect::<rusqlite::Result<Vec<Row>>>()?;
        let sorted = |column: Column| -> Result<Vec<Row>> {
            let places = format!("SELECT place FROM videos WHERE place > 0 ORDER BY {}, place", column.name());
            let mut statement = db.prepare(&places)?;
            let mut rows = Vec::with_capacity(bits.len());
            for place in statement.query_map([], |row| row.get::<_, i64>(0))? {
                let place = place?;
                rows.extend(bits.binary_search_by_key(&place, |row| row.0).ok().map(|at| bits[at]));
            }
            Ok(rows)
        };
        let without = "SELECT count(*) FROM videos WHERE duration IS NULL AND place > 0";
        let without: i64 = db.query_row(without, [], |row| row.get(0))?;
        Ok(Self {
            revision,
            by_title: sorted(Column::Title)?,
            by_duration: sorted(Column::Duration)?,
            without_duration: usize::try_from(without).unwrap_or(0),
        })
    }
}
