//! Who else has it: the videos of a source, of a size, or below a folder.

use rusqlite::{TransactionBehavior, params_from_iter};

use super::{Mirror, row};
use crate::Result;
use crate::catalog::Guid;
use crate::catalog::summary::VideoSummary;

impl Mirror {
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
