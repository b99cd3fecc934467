//! Searching, filtering and sorting the copy of a table. Words and filters are terms of one full-text index (FTS5), whose rows
//! come in the order of the starts: the first page of the newest needs no look at the others.

use std::collections::BTreeSet;

use rusqlite::{Connection, TransactionBehavior, params, params_from_iter};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::facets::{self, bit, term};
use super::orders::{Column, Orders, Wanted};
use super::{ANY, Mirror, PLACES_A_SECOND, PLACES_WITHOUT_A_TIME, row, terms};
use crate::Result;
use crate::catalog::Guid;
use crate::catalog::summary::{Facet, VideoSummary};

/// So many rows are sorted by themselves; more are looked for in the order of what they are sorted by.
const SORTED_AT_ONCE: usize = 4_000;
/// Titles that begin with what is looked for, of those that come first.
const MOST_BEST: i64 = 1_000;
/// Facets that are told.
const MOST_COUNTED: u32 = 200;
/// Of those without a bit, so many are looked for one by one.
const MOST_SEARCHED: usize = 24;

/// By what videos are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum VideoSort {
    /// When the pipeline took them.
    #[default]
    Started,
    /// Their titles.
    Title,
    /// How long they are.
    Duration,
    /// Those whose titles begin like what is looked for come first, then the newest.
    Match,
}

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VideoQuery {
    /// Beginnings of words, in any order; empty for all.
    pub text: String,
    /// Of those of one kind any is enough; each kind that is there is meant.
    pub facets: Vec<Facet>,
    /// Those that began in this second or later, in milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub from: Option<i64>,
    /// Those that began before this second, in milliseconds since the epoch; a part of a second counts as a whole one.
    #[ts(type = "number | null")]
    pub until: Option<i64>,
    /// By what they are sorted.
    pub sort: VideoSort,
    /// From the last to the first.
    pub descending: bool,
}

/// Some of what was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FoundVideos {
    /// In the order that was asked for.
    pub videos: Vec<VideoSummary>,
}

/// How often something is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FacetCount {
    /// What.
    pub facet: Facet,
    /// Of how many videos.
    pub count: usize,
}

/// How many videos a query finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VideoCounts {
    /// That it finds.
    pub found: usize,
    /// That there are.
    pub total: usize,
    /// How many it would find with each facet instead of those of its kind; the most frequent ones.
    pub facets: Vec<FacetCount>,
}

impl VideoQuery {
    /// What a row has to have, in the words of FTS5; none where nothing can have it. `but` leaves the facets of one kind away.
    pub(super) fn expression(&self, db: &Connection, but: Option<&Facet>) -> Result<Option<String>> {
        let mut all = terms::sought(&self.text);
        if all.is_empty() && !self.text.trim().is_empty() {
            // Signs alone are in no title's words: all of the catalog is not what was meant.
            return Ok(None);
        }
        let mut left: Vec<&Facet> =
            self.facets.iter().filter(|facet| but.is_none_or(|but| !facet.is_of_the_kind_of(but))).collect();
        while let Some(first) = left.first().copied() {
            let (same, others): (Vec<_>, Vec<_>) = left.into_iter().partition(|facet| facet.is_of_the_kind_of(first));
            let mut any = Vec::with_capacity(same.len());
            for facet in same {
                any.extend(facets::id(db, facet)?.map(|id| format!("\"{}\"", term(id))));
            }
            if any.is_empty() {
                return Ok(None);
            }
            all.push(format!("({})", any.join(" OR ")));
            left = others;
        }
        if all.is_empty() {
            all.push(format!("\"{ANY}\""));
        }
        Ok(Some(all.join(" AND ")))
    }

    /// The first and the last place that a row may have: those of the trash are below zero, in the other order.
    pub(super) fn places(&self) -> (i64, i64) {
        let place = |ms: i64| ms.div_euclid(1000).saturating_mul(PLACES_A_SECOND);
        let until = self.until.map_or(i64::MAX, |until| place(until.saturating_add(999)).saturating_sub(1));
        // What began nobody knows when was not before or after any day.
        let first = if self.from.is_some() || self.until.is_some() { PLACES_WITHOUT_A_TIME + 1 } else { 1 };
        let from = self.from.map_or(first, place).max(first);
        if self.is_of_trash() { (-until, -from) } else { (from, until) }
    }

    /// The same in the index of terms: there the newest come first.
    pub(super) fn rows(&self) -> (i64, i64) {
        let (from, until) = self.places();
        (row_of(until), row_of(from))
    }

    /// The shortest duration, and one that is longer than the longest, in seconds, where the query names some.
    fn seconds(&self) -> Option<(f64, f64)> {
        let named = self.facets.iter().filter_map(|facet| match facet {
            Facet::Length(length) => Some(length.seconds()),
            _ => None,
        });
        named.reduce(|(shortest, longest), (from, until)| (shortest.min(from), longest.max(until)))
    }

    /// What they are sorted by beside their places.
    fn column(&self) -> Option<Column> {
        match self.sort {
            VideoSort::Started | VideoSort::Match => None,
            VideoSort::Title => Some(Column::Title),
            VideoSort::Duration => Some(Column::Duration),
        }
    }

    /// The bits of which a place has one of each; none where bits alone do not tell whether it is found.
    fn bits(&self, db: &Connection) -> Result<Option<Vec<u64>>> {
        if !self.text.trim().is_empty() || self.is_of_trash() {
            return Ok(None);
        }
        let mut kinds: Vec<(&Facet, u64)> = Vec::new();
        for facet in &self.facets {
            let bit = facets::id(db, facet)?.map_or(0, bit);
            if bit == 0 {
                return Ok(None);
            }
            match kinds.iter_mut().find(|(other, _)| facet.is_of_the_kind_of(other)) {
                Some((_, bits)) => *bits |= bit,
                None => kinds.push((facet, bit)),
            }
        }
        Ok(Some(kinds.into_iter().map(|(_, bits)| bits).collect()))
    }

    fn is_of_trash(&self) -> bool {
        self.facets.contains(&Facet::Trashed)
    }

    fn is_narrowed(&self) -> bool {
        self.from.is_some() || self.until.is_some() || !self.facets.is_empty() || !self.text.trim().is_empty()
    }
}

const MATCHING: &str = "FROM terms WHERE terms MATCH ?1 AND rowid BETWEEN ?2 AND ?3";

/// The row of a place in the index of terms, and the place of a row: FTS5 goes up faster than down, and the newest are wanted most.
pub(super) fn row_of(place: i64) -> i64 {
    place.saturating_neg()
}

impl Mirror {
    /// Those that a query finds, from one on.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn find(&self, query: VideoQuery, first: usize, most: usize) -> Result<FoundVideos> {
        if query.column().is_some() && query.is_narrowed() {
            self.read_orders();
        }
        let orders = self.orders.clone();
        let found = self.reader.call(move |db| {
            // All of it as it was at one moment.
            let db = db.transaction_with_behavior(TransactionBehavior::Deferred)?;
            let places = page(&db, &orders, &query, first, most)?;
            let videos = places.into_iter().filter_map(|place| row::at(&db, place).transpose());
            Ok(FoundVideos { videos: videos.collect::<Result<_>>()? })
        });
        self.unless_damaged(found.await)
    }

    /// The keys of all that a query finds, in its order, as it was at one moment.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(in crate::catalog) async fn keys(&self, query: VideoQuery) -> Result<Vec<Guid>> {
        let orders = self.orders.clone();
        let found = self.reader.call(move |db| {
            let db = db.transaction_with_behavior(TransactionBehavior::Deferred)?;
            let places = page(&db, &orders, &query, 0, usize::MAX >> 1)?;
            let guid = "SELECT guid FROM places JOIN videos USING (number) WHERE places.place = ?1";
            let mut statement = db.prepare_cached(guid)?;
            let guids = places.into_iter().map(|place| statement.query_row([place], |row| row.get::<_, String>(0)));
            Ok(guids.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().filter_map(Guid::new).collect())
        });
        self.unless_damaged(found.await)
    }

    /// How many a query finds, and how many with each facet.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn count(&self, query: VideoQuery) -> Result<VideoCounts> {
        // Who looks at the list may sort it soon.
        if self.orders.is_unread() {
            self.read_orders();
        }
        let bits = self.bits.clone();
        let counted = self
            .counter
            .call(move |db| {
                let db = &db.transaction_with_behavior(TransactionBehavior::Deferred)?;
                let facets = facets::all(db, MOST_COUNTED)?;
                let all: i64 = db.prepare_cached("SELECT count(*) FROM videos")?.query_row([], |row| row.get(0))?;
                let trashed = facets::count(db, &Facet::Trashed)?;
                let total = all - trashed;
                if !query.is_narrowed() {
                    let facets = facets.into_iter().map(|(_, facet, count)| FacetCount { facet, count: whole(count) });
                    return Ok(VideoCounts { found: whole(total), total: whole(total), facets: facets.collect() });
                }
                let found = places(db, &query, None)?;
                let counts = bits.count(db, &found)?;
                // A facet is counted as if it stood in place of those of its kind.
                let mut of_kinds: Vec<(Facet, _)> = Vec::new();
                for facet in &query.facets {
                    if !of_kinds.iter().any(|(other, _)| facet.is_of_the_kind_of(other)) {
                        of_kinds.push((facet.clone(), bits.count(db, &places(db, &query, Some(facet))?)?));
                    }
                }
                let (mut told, mut searched) = (Vec::with_capacity(facets.len()), 0);
                for (id, facet, _) in facets {
                    let of_kind = of_kinds.iter().find(|(other, _)| facet.is_of_the_kind_of(other));
                    let counts = of_kind.map_or(&counts, |(_, counts)| counts);
                    let count = match usize::try_from(id) {
                        // What is in the trash is in no other list.
                        Ok(_) if facet == Facet::Trashed => whole(trashed),
                        Ok(index) if bit(id) != 0 => counts[index],
                        // Those without a bit are looked for, a few of them.
                        _ if searched < MOST_SEARCHED || query.facets.contains(&facet) => {
                            searched += 1;
                            match query.expression(db, Some(&facet))? {
                                Some(all) => count(db, &format!("{all} AND \"{}\"", term(id)), query.rows())?,
                                None => 0,
                            }
                        }
                        _ => continue,
                    };
                    told.push(FacetCount { facet, count });
                }
                Ok(VideoCounts { found: found.len(), total: whole(total), facets: told })
            })
            .await;
        self.unless_damaged(counted)
    }
}

fn count(db: &Connection, expression: &str, (first, last): (i64, i64)) -> Result<usize> {
    let count = format!("SELECT count(*) {MATCHING}");
    let count: i64 = db.prepare_cached(&count)?.query_row(params![expression, first, last], |row| row.get(0))?;
    Ok(whole(count))
}

fn whole(count: i64) -> usize {
    usize::try_from(count).unwrap_or(0)
}

/// All places that a query finds, in their order.
fn places(db: &Connection, query: &VideoQuery, but: Option<&Facet>) -> Result<Vec<i64>> {
    let Some(expression) = query.expression(db, but)? else { return Ok(Vec::new()) };
    let (first, last) = query.rows();
    let mut statement = db.prepare_cached(&format!("SELECT rowid {MATCHING} ORDER BY rowid"))?;
    let places = statement.query_map(params![expression, first, last], |row| row.get(0).map(row_of))?;
    let mut places = places.collect::<rusqlite::Result<Vec<_>>>()?;
    places.reverse();
    Ok(places)
}

/// Some of the places that a query finds, in the order that is asked for.
fn page(db: &Connection, orders: &Orders, query: &VideoQuery, first: usize, most: usize) -> Result<Vec<i64>> {
    let [limit, offset] = [most, first].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    if query.sort == VideoSort::Match && !query.text.trim().is_empty() && !query.is_of_trash() {
        return page_of_best(db, query, first, most);
    }
    let Some(column) = query.column() else {
        let Some(expression) = query.expression(db, None)? else { return Ok(Vec::new()) };
        let (from, until) = query.rows();
        let direction = if query.descending == query.is_of_trash() { "DESC" } else { "ASC" };
        let page = format!("SELECT rowid {MATCHING} ORDER BY rowid {direction} LIMIT ?4 OFFSET ?5");
        let mut statement = db.prepare_cached(&page)?;
        let places =
            statement.query_map(params![expression, from, until, limit, offset], |row| row.get(0).map(row_of))?;
        return Ok(places.collect::<rusqlite::Result<_>>()?);
    };
    // What has no duration comes last, either way.
    let (name, direction) = (column.name(), if query.descending { "DESC" } else { "ASC" });
    let nulls = if query.descending { "" } else { "NULLS LAST" };
    let order = format!("ORDER BY {name} {direction} {nulls}, videos.place {direction}");
    if !query.is_narrowed() {
        let mut statement =
            db.prepare_cached(&format!("SELECT place FROM videos WHERE place > 0 {order} LIMIT ?1 OFFSET ?2"))?;
        let places = statement.query_map([limit, offset], |row| row.get(0))?;
        return Ok(places.collect::<rusqlite::Result<_>>()?);
    }
    let sort = |places: &[i64]| -> Result<Vec<i64>> {
        let places = serde_json::to_string(places).map_err(crate::Error::internal)?;
        let sorted = format!(
            "SELECT videos.place FROM json_each(?1) JOIN places ON places.place = json_each.value JOIN videos USING (number)
             {order} LIMIT ?2 OFFSET ?3"
        );
        let mut statement = db.prepare_cached(&sorted)?;
        let places = statement.query_map(params![places, limit, offset], |row| row.get(0))?;
        Ok(places.collect::<rusqlite::Result<_>>()?)
    };
    let last = first.saturating_add(most);
    let bits = query.bits(db)?;
    if let Some(bits) = &bits
        && last <= SORTED_AT_ONCE / 2
    {
        let wanted = Wanted { places: query.places(), bits, among: None };
        if let Some(firsts) = orders.first(db, column, query.descending, &wanted, last)? {
            return sort(&firsts);
        }
    }
    let found = places(db, query, None)?;
    if found.len() <= SORTED_AT_ONCE {
        return sort(&found);
    }
    if last <= SORTED_AT_ONCE / 2 && !query.is_of_trash() {
        let wanted = Wanted { places: query.places(), bits: &[], among: Some(&found) };
        if let Some(firsts) = orders.first(db, column, query.descending, &wanted, last)? {
            return sort(&firsts);
        }
    }
    // By duration, the way through the index begins and ends with those that are wanted.
    let bounds = query.seconds().filter(|_| column == Column::Duration);
    let within = if bounds.is_some() { "WHERE duration >= ?1 AND duration < ?2" } else { "" };
    let bounds = bounds.map(|(shortest, longest)| [shortest, longest]).into_iter().flatten();
    let mut statement = db.prepare_cached(&format!("SELECT place FROM videos {within} {order}"))?;
    let sorted = statement.query_map(params_from_iter(bounds), |row| row.get(0))?;
    let is_found =
        |place: &rusqlite::Result<i64>| place.as_ref().map_or(true, |place| found.binary_search(place).is_ok());
    Ok(sorted.filter(is_found).skip(first).take(most).collect::<rusqlite::Result<_>>()?)
}

/// Some of the places that a query finds: those whose titles begin with all of what was typed, the shortest titles first, then the
/// newest.
fn page_of_best(db: &Connection, query: &VideoQuery, first: usize, most: usize) -> Result<Vec<i64>> {
    let Some(expression) = query.expression(db, None)? else { return Ok(Vec::new()) };
    let typed: String = terms::fold(query.text.trim()).chars().take(row::SORTED_BY).collect();
    let (from, until) = query.places();
    let titles = "SELECT place FROM videos WHERE title_key >= ?1 AND title_key < ?2 AND place BETWEEN ?3 AND ?4
                  ORDER BY length(title_key), place DESC LIMIT ?5";
    let mut statement = db.prepare_cached(titles)?;
    let begins =
        statement.query_map(params![typed, format!("{typed}\u{10FFFF}"), from, until, MOST_BEST], |row| row.get(0))?;
    let mut best: Vec<i64> = begins.collect::<rusqlite::Result<_>>()?;
    // Of those, what the filters leave.
    let (from, until) = query.rows();
    let among = format!("SELECT rowid {MATCHING} AND rowid IN (SELECT -value FROM json_each(?4))");
    let mut statement = db.prepare_cached(&among)?;
    let json = serde_json::to_string(&best).map_err(crate::Error::internal)?;
    let left = statement.query_map(params![expression, from, until, json], |row| row.get(0).map(row_of))?;
    let left: BTreeSet<i64> = left.collect::<rusqlite::Result<_>>()?;
    best.retain(|place| left.contains(place));
    let mut page: Vec<i64> = best.iter().skip(first).take(most).copied().collect();
    if page.len() < most {
        let mut statement = db.prepare_cached(&format!("SELECT rowid {MATCHING} ORDER BY rowid"))?;
        let rows = statement.query_map(params![expression, from, until], |row| row.get(0).map(row_of))?;
        let others = rows.filter(|place| place.as_ref().map_or(true, |place| !left.contains(place)));
        let others = others.skip(first.saturating_sub(best.len())).take(most - page.len());
        page.extend(others.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    Ok(page)
}
