//! Searching, filtering and sorting the copy of a table. Words and filters are terms of one full-text index (FTS5), whose rows
//! come in the order of the starts: the first page of the newest needs no look at the others.

use std::collections::BTreeSet;

use rusqlite::{Connection, TransactionBehavior, params, params_from_iter};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::facets::{self, bit, term};
use super::{ANY, Mirror, PLACES_A_SECOND, PLACES_WITHOUT_A_TIME, row, terms};
use crate::Result;
use crate::catalog::Guid;
use crate::catalog::summary::{Facet, VideoSummary};

/// So many rows are sorted by themselves; more are looked for in the order of the index of what they are sorted by.
const SORTED_AT_ONCE: usize = 4_000;
/// A filter that one of so many has, or more, is met soon on the way through an index; so many rows of it are walked through.
const FREQUENT: i64 = 60;
const WALKED_AT_ONCE: usize = 20_000;
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

    /// The shortest duration, and one that is longer than the longest, in seconds, where the query names some.
    fn seconds(&self) -> Option<(f64, f64)> {
        let named = self.facets.iter().filter_map(|facet| match facet {
            Facet::Length(length) => Some(length.seconds()),
            _ => None,
        });
        named.reduce(|(shortest, longest), (from, until)| (shortest.min(from), longest.max(until)))
    }

    fn is_of_trash(&self) -> bool {
        self.facets.contains(&Facet::Trashed)
    }

    fn is_narrowed(&self) -> bool {
        self.from.is_some() || self.until.is_some() || !self.facets.is_empty() || !self.text.trim().is_empty()
    }
}

const MATCHING: &str = "FROM terms WHERE terms MATCH ?1 AND rowid BETWEEN ?2 AND ?3";

impl Mirror {
    /// Those that a query finds, from one on.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn find(&self, query: VideoQuery, first: usize, most: usize) -> Result<FoundVideos> {
        let found = self.reader.call(move |db| {
            // All of it as it was at one moment.
            let db = db.transaction_with_behavior(TransactionBehavior::Deferred)?;
            let places = page(&db, &query, first, most)?;
            let videos = places.into_iter().filter_map(|place| row::at(&db, place).transpose());
            Ok(FoundVideos { videos: videos.collect::<Result<_>>()? })
        });
        self.unless_damaged(found.await)
    }

    /// How many a query finds, and how many with each facet.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn count(&self, query: VideoQuery) -> Result<VideoCounts> {
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
                                Some(all) => count(db, &format!("{all} AND \"{}\"", term(id)), query.places())?,
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

impl Mirror {
    /// The keys of all that a query finds, in its order, as it was at one moment.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(in crate::catalog) async fn keys(&self, query: VideoQuery) -> Result<Vec<Guid>> {
        let found = self.reader.call(move |db| {
            let db = db.transaction_with_behavior(TransactionBehavior::Deferred)?;
            let places = page(&db, &query, 0, usize::MAX >> 1)?;
            let guid = "SELECT guid FROM places JOIN videos USING (number) WHERE places.place = ?1";
            let mut statement = db.prepare_cached(guid)?;
            let guids = places.into_iter().map(|place| statement.query_row([place], |row| row.get::<_, String>(0)));
            Ok(guids.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().filter_map(Guid::new).collect())
        });
        self.unless_damaged(found.await)
    }

    /// The videos of these sources: each key and its video; of several that have one, the newest; what is in the trash only where no other has it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(in crate::catalog) async fn guids_of_sources(&self, keys: Vec<String>) -> Result<Vec<(String, Guid)>> {
        let of = format!(
            "SELECT {0}, guid FROM videos WHERE {0} IN (SELECT value FROM json_each(?1)) ORDER BY place > 0, abs(place)",
            row::SRC_VIDEO
        );
        let found = self.counter.call(move |db| {
            let keys = serde_json::to_string(&keys).map_err(crate::Error::internal)?;
            let mut statement = db.prepare_cached(&of)?;
            let rows = statement.query_map([keys], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
            let rows = rows.collect::<rusqlite::Result<Vec<(String, String)>>>()?;
            Ok(rows.into_iter().filter_map(|(key, guid)| Some((key, Guid::new(guid)?))).collect())
        });
        self.unless_damaged(found.await)
    }

    /// The videos whose sources have so many bytes, of those that Reeldesk sent; what is in the trash is left out.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) async fn of_source_size(&self, size: u64) -> Result<Vec<VideoSummary>> {
        let found = self.reader.call(move |db| {
            let db = db.transaction_with_behavior(TransactionBehavior::Deferred)?;
            let places = "SELECT place FROM videos WHERE source_size = ?1 AND place > 0 ORDER BY place DESC LIMIT 50";
            let mut statement = db.prepare_cached(places)?;
            let size = i64::try_from(size).unwrap_or(i64::MAX);
            let places = statement.query_map([size], |row| row.get(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
            places.into_iter().filter_map(|place| row::at(&db, place).transpose()).collect()
        });
        self.unless_damaged(found.await)
    }

    /// Other videos whose own folder, picture or outputs are below the folder of this one, some of them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(in crate::catalog) async fn others_below(&self, guid: Guid, prefix: String) -> Result<Vec<Guid>> {
        let below = "SELECT guid FROM videos WHERE guid <> ?1 AND (guid >= ?2 AND guid < ?3
                       OR instr(thumbnail_url, ?4) > 0 OR instr(own, ?4) > 0 OR instr(outputs_elsewhere, ?4) > 0) LIMIT 100";
        let (folder, behind) = (format!("/{prefix}"), format!("{prefix}\u{10FFFF}"));
        self.others(below.to_owned(), [guid.to_string(), prefix, behind, folder]).await
    }

    /// Other videos that have the same source, some of them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(in crate::catalog) async fn others_of_source(
        &self,
        guid: Guid,
        bucket: String,
        key: String,
    ) -> Result<Vec<Guid>> {
        let same =
            format!("SELECT guid FROM videos WHERE guid <> ?1 AND {} = ?3 AND {OF_BUCKET} LIMIT 100", row::SRC_VIDEO);
        self.others(same, [guid.to_string(), bucket, key]).await
    }

    /// Other videos whose sources are in this folder, some of them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(in crate::catalog) async fn others_in_folder(
        &self,
        guid: Guid,
        bucket: String,
        folder: String,
    ) -> Result<Vec<Guid>> {
        let inside = format!(
            "SELECT guid FROM videos WHERE guid <> ?1 AND instr({}, ?3) = 1 AND {OF_BUCKET} LIMIT 100",
            row::SRC_VIDEO
        );
        self.others(inside, [guid.to_string(), bucket, folder]).await
    }

    /// It goes through all rows: beside what waits for the rows in sight.
    async fn others<const COUNT: usize>(&self, query: String, values: [String; COUNT]) -> Result<Vec<Guid>> {
        let found = self.counter.call(move |db| {
            let mut statement = db.prepare_cached(&query)?;
            let guids = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(0))?;
            Ok(guids.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().filter_map(Guid::new).collect())
        });
        self.unless_damaged(found.await)
    }
}

/// A source of this bucket, or of one that nobody knows.
const OF_BUCKET: &str = "(src_bucket IS NULL OR src_bucket = (SELECT id FROM names WHERE name = ?2))";

fn count(db: &Connection, expression: &str, (from, until): (i64, i64)) -> Result<usize> {
    let count = format!("SELECT count(*) {MATCHING}");
    let count: i64 = db.prepare_cached(&count)?.query_row(params![expression, from, until], |row| row.get(0))?;
    Ok(whole(count))
}

fn whole(count: i64) -> usize {
    usize::try_from(count).unwrap_or(0)
}

/// All places that a query finds, in their order.
fn places(db: &Connection, query: &VideoQuery, but: Option<&Facet>) -> Result<Vec<i64>> {
    let Some(expression) = query.expression(db, but)? else { return Ok(Vec::new()) };
    let (from, until) = query.places();
    let mut statement = db.prepare_cached(&format!("SELECT rowid {MATCHING} ORDER BY rowid"))?;
    let places = statement.query_map(params![expression, from, until], |row| row.get(0))?;
    Ok(places.collect::<rusqlite::Result<_>>()?)
}

/// Some of the places that a query finds, in the order that is asked for.
fn page(db: &Connection, query: &VideoQuery, first: usize, most: usize) -> Result<Vec<i64>> {
    // What has no duration comes last, either way.
    let direction = if query.descending { "DESC" } else { "ASC" };
    let nulls = if query.descending { "" } else { "NULLS LAST" };
    let [limit, offset] = [most, first].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    let column = match query.sort {
        VideoSort::Match if !query.text.trim().is_empty() && !query.is_of_trash() => {
            return page_of_best(db, query, first, most);
        }
        VideoSort::Started | VideoSort::Match => {
            let Some(expression) = query.expression(db, None)? else { return Ok(Vec::new()) };
            let (from, until) = query.places();
            let direction = if query.descending == query.is_of_trash() { "ASC" } else { "DESC" };
            let page = format!("SELECT rowid {MATCHING} ORDER BY rowid {direction} LIMIT ?4 OFFSET ?5");
            let mut statement = db.prepare_cached(&page)?;
            let places = statement.query_map(params![expression, from, until, limit, offset], |row| row.get(0))?;
            return Ok(places.collect::<rusqlite::Result<_>>()?);
        }
        VideoSort::Title => "title_key",
        VideoSort::Duration => "duration",
    };
    let order = format!("ORDER BY {column} {direction} {nulls}, place {direction}");
    if !query.is_narrowed() {
        let mut statement =
            db.prepare_cached(&format!("SELECT place FROM videos WHERE place > 0 {order} LIMIT ?1 OFFSET ?2"))?;
        let places = statement.query_map([limit, offset], |row| row.get(0))?;
        return Ok(places.collect::<rusqlite::Result<_>>()?);
    }
    if let Some(page) = page_of_frequent(db, query, column, &order, first, most)? {
        return Ok(page);
    }
    let found = places(db, query, None)?;
    if found.len() <= SORTED_AT_ONCE {
        let found = serde_json::to_string(&found).map_err(crate::Error::internal)?;
        let sorted = format!(
            "SELECT videos.place FROM json_each(?1) JOIN places ON places.place = json_each.value JOIN videos USING (number)
             ORDER BY {column} {direction} {nulls}, videos.place {direction} LIMIT ?2 OFFSET ?3"
        );
        let mut statement = db.prepare_cached(&sorted)?;
        let places = statement.query_map(params![found, limit, offset], |row| row.get(0))?;
        return Ok(places.collect::<rusqlite::Result<_>>()?);
    }
    // By duration, the way through the index begins and ends with those that are wanted.
    let bounds = query.seconds().filter(|_| query.sort == VideoSort::Duration);
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
    let among = format!("SELECT rowid {MATCHING} AND rowid IN (SELECT value FROM json_each(?4))");
    let mut statement = db.prepare_cached(&among)?;
    let json = serde_json::to_string(&best).map_err(crate::Error::internal)?;
    let left = statement.query_map(params![expression, from, until, json], |row| row.get(0))?;
    let left: BTreeSet<i64> = left.collect::<rusqlite::Result<_>>()?;
    best.retain(|place| left.contains(place));
    let mut page: Vec<i64> = best.iter().skip(first).take(most).copied().collect();
    if page.len() < most {
        let mut statement = db.prepare_cached(&format!("SELECT rowid {MATCHING} ORDER BY rowid DESC"))?;
        let rows = statement.query_map(params![expression, from, until], |row| row.get::<_, i64>(0))?;
        let others = rows.filter(|place| place.as_ref().map_or(true, |place| !left.contains(place)));
        let others = others.skip(first.saturating_sub(best.len())).take(most - page.len());
        page.extend(others.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    Ok(page)
}

/// The same for filters that many videos have: on the way through the index of what they are sorted by, the bits beside each place
/// tell whether it is one. None where that is no short way.
fn page_of_frequent(
    db: &Connection,
    query: &VideoQuery,
    column: &str,
    order: &str,
    first: usize,
    most: usize,
) -> Result<Option<Vec<i64>>> {
    let is_only_filtered = query.text.trim().is_empty() && query.from.is_none() && query.until.is_none();
    if !is_only_filtered || query.is_of_trash() || first.saturating_add(most) > WALKED_AT_ONCE / 10 {
        return Ok(None);
    }
    // Of each kind: any of its bits.
    let mut kinds: Vec<(&Facet, u64, i64)> = Vec::new();
    for facet in &query.facets {
        let bit = facets::id(db, facet)?.map_or(0, bit);
        if bit == 0 {
            return Ok(None);
        }
        let count = facets::count(db, facet)?;
        match kinds.iter_mut().find(|(other, ..)| facet.is_of_the_kind_of(other)) {
            Some((_, bits, all)) => (*bits, *all) = (*bits | bit, *all + count),
            None => kinds.push((facet, bit, count)),
        }
    }
    let total: i64 = db.prepare_cached("SELECT count(*) FROM videos")?.query_row([], |row| row.get(0))?;
    if kinds.iter().any(|(.., count)| count * FREQUENT < total) {
        return Ok(None);
    }
    let walk = format!(
        "SELECT videos.place, bits FROM videos JOIN places ON places.place = videos.place
         WHERE videos.place > 0 {} LIMIT {WALKED_AT_ONCE}",
        order.replace(column, &format!("videos.{column}")).replace(", place", ", videos.place")
    );
    let mut statement = db.prepare_cached(&walk)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?;
    let (mut page, mut seen) = (Vec::with_capacity(most.min(WALKED_AT_ONCE)), 0);
    for row in rows {
        let (place, bits) = row?;
        if !kinds.iter().all(|(_, any, _)| bits & any != 0) {
            continue;
        }
        seen += 1;
        if seen > first {
            page.push(place);
        }
        if page.len() == most {
            return Ok(Some(page));
        }
    }
    // Either there are no more, or they are far apart.
    Ok(None)
}
