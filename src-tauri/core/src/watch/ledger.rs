//! What a folder's rule has taken, by path and by identity. A file is entered in the same transaction as its journey,
//! so that a kill at any moment leaves both or none.

use std::collections::HashMap;

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use crate::Result;
use crate::clock::now_ms;
use crate::files::Identity;
use crate::store::Store;

/// How the journey of a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Its video can be watched.
    Playable,
    /// Its content is in the library already.
    Skipped,
    /// It changed after it was sent, and was left alone.
    LeftOut,
    /// Someone canceled it.
    Canceled,
    /// It was there before its folder was watched.
    Before,
}

impl Ending {
    const ALL: [(Self, &str); 5] = [
        (Self::Playable, "playable"),
        (Self::Skipped, "skipped"),
        (Self::LeftOut, "left-out"),
        (Self::Canceled, "canceled"),
        (Self::Before, "before"),
    ];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(one, _)| *one == self).map_or("", |(_, word)| word)
    }

    fn read(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, other)| *other == word).map(|(one, _)| *one)
    }
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Relative to the folder, with `/` between its parts.
    pub path: String,
    pub identity: Identity,
    /// None for what was there before.
    pub journey: Option<String>,
    /// None while it is under way.
    pub ending: Option<Ending>,
    /// It is no longer there: another file of its path is another file.
    pub gone: bool,
    /// What goes with it.
    pub sidecars: Vec<String>,
    /// When it was entered, in milliseconds since the epoch.
    pub taken_at: i64,
}

impl Entry {
    /// Of a file that was there before its folder was watched.
    pub fn before(path: String, identity: Identity) -> Self {
        let (journey, sidecars) = (None, Vec::new());
        Self { path, identity, journey, ending: Some(Ending::Before), gone: false, sidecars, taken_at: now_ms() }
    }
}

/// The ledger of one folder; cheap to clone.
#[derive(Clone)]
pub(super) struct Ledger {
    store: Store,
    folder: Uuid,
}

const COLUMNS: &str = "path, size, modified_ns, file_id, journey, ending, gone, sidecars, taken_at";

impl Ledger {
    pub fn new(store: Store, folder: Uuid) -> Self {
        Self { store, folder }
    }

    /// The volume that the rule's folder was on; none where that was never written down.
    pub async fn volume(&self) -> Result<Option<String>> {
        let folder = self.folder.to_string();
        self.store
            .call(move |db| {
                let volume = "SELECT volume FROM watch_folders WHERE id = ?1";
                let volume: Option<Option<String>> = db.query_row(volume, [folder], |row| row.get(0)).optional()?;
                Ok(volume.flatten())
            })
            .await
    }

    /// Writes down the volume that the rule's folder is on.
    pub async fn set_volume(&self, volume: String) -> Result<()> {
        let folder = self.folder.to_string();
        self.store
            .call_durably(move |db| {
                db.execute("UPDATE watch_folders SET volume = ?2 WHERE id = ?1", [folder, volume])?;
                Ok(())
            })
            .await
    }

    /// The files that are there, by path.
    pub async fn identities(&self) -> Result<HashMap<Box<str>, Identity>> {
        let folder = self.folder.to_string();
        self.store
            .call(move |db| {
                let rows = db
                    .prepare("SELECT path, size, modified_ns, file_id FROM watched WHERE folder = ?1 AND gone = 0")?
                    .query_map([folder], |row| {
                        Ok((
                            row.get::<_, String>(0)?.into_boxed_str(),
                            Identity { size: row.get(1)?, modified_ns: row.get(2)?, file_id: row.get(3)? },
                        ))
                    })?
                    .collect::<rusqlite::Result<_>>()?;
                Ok(rows)
            })
            .await
    }

    /// What is entered of these files: under their paths, or as the file that they are under another one.
    pub async fn find(&self, files: Vec<(String, Identity)>) -> Result<Vec<(Option<Entry>, Option<Entry>)>> {
        let folder = self.folder.to_string();
        self.store
            .call(move |db| {
                let mut by_path =
                    db.prepare_cached(&format!("SELECT {COLUMNS} FROM watched WHERE folder = ?1 AND path = ?2"))?;
                let mut by_file = db.prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM watched
                     WHERE folder = ?1 AND file_id = ?2 AND size = ?3 AND modified_ns = ?4 AND path != ?5 AND file_id != ''
                     ORDER BY journey IS NULL LIMIT 1"
                ))?;
                files
                    .into_iter()
                    .map(|(path, is)| {
                        let at_path = by_path.query_row(params![folder, path], entry).optional()?;
                        let same = params![folder, is.file_id, is.size, is.modified_ns, path];
                        Ok((at_path, by_file.query_row(same, entry).optional()?))
                    })
                    .collect()
            })
            .await
    }

    /// The entry of a journey.
    pub async fn of_journey(&self, journey: &str) -> Result<Option<Entry>> {
        let (folder, journey) = (self.folder.to_string(), journey.to_owned());
        self.store
            .call(move |db| {
                let one = format!("SELECT {COLUMNS} FROM watched WHERE folder = ?1 AND journey = ?2");
                Ok(db.prepare_cached(&one)?.query_row([folder, journey], entry).optional()?)
            })
            .await
    }

    /// How many files were taken, and how many were there before.
    pub async fn counts(&self) -> Result<(usize, usize)> {
        let folder = self.folder.to_string();
        let sums = "SELECT count(journey), count(*) FILTER (WHERE ending = ?2) FROM watched WHERE folder = ?1";
        self.store
            .call(move |db| {
                let sums =
                    db.query_row(sums, [&folder, Ending::Before.word()], |row| Ok((row.get(0)?, row.get(1)?)))?;
                Ok(sums)
            })
            .await
    }

    /// What is under way.
    pub async fn open(&self) -> Result<Vec<Entry>> {
        self.select("ending IS NULL ORDER BY taken_at").await
    }

    /// What ended last, the newest first.
    pub async fn ended(&self, most: usize) -> Result<Vec<Entry>> {
        self.select(&format!("ending IS NOT NULL AND ending != 'before' ORDER BY taken_at DESC LIMIT {most}")).await
    }

    async fn select(&self, which: &str) -> Result<Vec<Entry>> {
        let (folder, query) =
            (self.folder.to_string(), format!("SELECT {COLUMNS} FROM watched WHERE folder = ?1 AND {which}"));
        self.store
            .call(move |db| {
                let rows = db.prepare(&query)?.query_map([folder], entry)?.collect::<rusqlite::Result<_>>()?;
                Ok(rows)
            })
            .await
    }

    /// Enters files that have no journey, all or none.
    pub async fn enter(&self, entries: Vec<Entry>) -> Result<()> {
        let folder = self.folder;
        self.store
            .call(move |db| {
                let transaction = db.transaction()?;
                enter(&transaction, folder, &entries)?;
                Ok(transaction.commit()?)
            })
            .await
    }

    /// A file has another path now.
    pub async fn moved(&self, from: &str, to: Entry) -> Result<()> {
        let (folder, from) = (self.folder, from.to_owned());
        self.store
            .call(move |db| {
                let transaction = db.transaction()?;
                transaction.execute(
                    "DELETE FROM watched WHERE folder = ?1 AND path = ?2",
                    params![folder.to_string(), from],
                )?;
                enter(&transaction, folder, &[to])?;
                Ok(transaction.commit()?)
            })
            .await
    }

    /// Files that are no longer there.
    pub async fn gone(&self, paths: Vec<String>) -> Result<()> {
        let folder = self.folder.to_string();
        self.store
            .call(move |db| {
                let transaction = db.transaction()?;
                for path in paths {
                    transaction
                        .prepare_cached("UPDATE watched SET gone = 1 WHERE folder = ?1 AND path = ?2")?
                        .execute([&folder, &path])?;
                }
                Ok(transaction.commit()?)
            })
            .await
    }
}

/// Forgets what was there before, so that it is new.
pub(super) fn forget_before(transaction: &Transaction<'_>, folder: Uuid) -> Result<()> {
    let before = "DELETE FROM watched WHERE folder = ?1 AND ending = ?2";
    transaction.execute(before, params![folder.to_string(), Ending::Before.word()])?;
    Ok(())
}

/// Enters files in a transaction that others write in too.
pub(super) fn enter(transaction: &Transaction<'_>, folder: Uuid, entries: &[Entry]) -> Result<()> {
    let folder = folder.to_string();
    let mut insert = transaction.prepare_cached(
        "INSERT OR REPLACE INTO watched
         (folder, path, size, modified_ns, file_id, journey, ending, gone, sidecars, taken_at)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 WHERE EXISTS (SELECT 1 FROM watch_folders WHERE id = ?1)",
    )?;
    for entry in entries {
        let sidecars = serde_json::to_string(&entry.sidecars).map_err(crate::Error::internal)?;
        insert.execute(params![
            folder,
            entry.path,
            entry.identity.size,
            entry.identity.modified_ns,
            entry.identity.file_id,
            entry.journey,
            entry.ending.map(Ending::word),
            entry.gone,
            sidecars,
            entry.taken_at
        ])?;
    }
    Ok(())
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let sidecars: String = row.get(7)?;
    Ok(Entry {
        path: row.get(0)?,
        identity: Identity { size: row.get(1)?, modified_ns: row.get(2)?, file_id: row.get(3)? },
        journey: row.get(4)?,
        ending: row.get::<_, Option<String>>(5)?.as_deref().and_then(Ending::read),
        gone: row.get(6)?,
        sidecars: serde_json::from_str(&sidecars).unwrap_or_default(),
        taken_at: row.get(8)?,
    })
}
