//! The bandwidth limit as it is set: for all day, and another for some hours of it.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::store::Store;
use crate::upload::Limit;
use crate::{Code, Error, Result};

/// The name of the setting.
const SETTING: &str = "upload-limit";
const MINUTES_A_DAY: u16 = 24 * 60;

/// The limits, in bytes a second; none for as much as the line carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// All day, but for the hours.
    #[ts(type = "number | null")]
    pub usual: Option<u64>,
    /// For some hours of every day.
    pub hours: Option<Hours>,
}

/// Hours of every day, on this computer's clock, with a limit of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Hours {
    /// From this minute of the day.
    pub from: u16,
    /// To this one; an earlier one is on the next day.
    pub to: u16,
    /// The limit meanwhile, in bytes a second.
    #[ts(type = "number | null")]
    pub limit: Option<u64>,
}

impl Limits {
    /// What holds at a minute of the day.
    #[must_use]
    pub fn at(&self, minute: u16) -> Option<u64> {
        match self.hours {
            Some(hours) if hours.contains(minute) => hours.limit,
            _ => self.usual,
        }
    }
}

impl Hours {
    fn contains(self, minute: u16) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }

    /// Reads hours as people write them: `08:00-18:00`.
    ///
    /// # Errors
    /// When it is written otherwise, or there is no time between them.
    pub fn parse(text: &str, limit: Option<u64>) -> Result<Self> {
        let minute = |text: &str| {
            let (hours, minutes) = text.trim().split_once(':')?;
            let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
            (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
        };
        let read = text.split_once('-').and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
        let hours = read.map(|(from, to)| Self { from, to, limit });
        hours.filter(|hours| hours.is_valid()).ok_or_else(|| not_hours(text))
    }

    fn is_valid(self) -> bool {
        self.from < MINUTES_A_DAY && self.to < MINUTES_A_DAY && self.from != self.to
    }
}

impl std::fmt::Display for Hours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        write!(f, "{}-{}", clock(self.from), clock(self.to))
    }
}

fn not_hours(text: &str) -> Error {
    Error::new(Code::Invalid, format!("\"{text}\" is not a time of day."), "Write it as 08:00-18:00.")
}

impl Limits {
    /// Those that are kept.
    pub(crate) async fn read(store: &Store) -> Result<Self> {
        let value: Option<String> = store
            .call(|db| {
                let value = db.query_row("SELECT value FROM settings WHERE name = ?1", [SETTING], |row| row.get(0));
                Ok(value.optional()?)
            })
            .await?;
        Ok(value.as_deref().and_then(read).unwrap_or_default())
    }

    /// Keeps them; the process that drives sees it by itself.
    ///
    /// # Errors
    /// When there is no time between the hours, or the store cannot be written.
    pub(crate) async fn write(self, store: &Store) -> Result<()> {
        if let Some(hours) = self.hours.filter(|hours| !hours.is_valid()) {
            return Err(not_hours(&hours.to_string()));
        }
        let value = serde_json::to_string(&self).map_err(Error::internal)?;
        let write = move |db: &mut Connection| {
            db.execute("INSERT OR REPLACE INTO settings VALUES (?1, ?2)", params![SETTING, value])?;
            Ok(())
        };
        store.call(write).await
    }
}

/// Keeps the limit of all uploads of this process to what is set; cheap to clone.
#[derive(Clone)]
pub(crate) struct Pacer {
    store: Store,
    limit: Limit,
    set: Arc<Mutex<Set>>,
}

#[derive(Clone, Copy, Default)]
struct Set {
    limits: Limits,
    /// For this run, whatever is set for all of them.
    this_run: Option<u64>,
}

impl Pacer {
    pub async fn load(store: Store, limit: Limit) -> Result<Self> {
        let pacer = Self { store, limit, set: Arc::default() };
        pacer.reload().await?;
        Ok(pacer)
    }

    fn set(&self) -> std::sync::MutexGuard<'_, Set> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The limit that the uploads share.
    pub fn limit(&self) -> &Limit {
        &self.limit
    }

    pub fn limits(&self) -> Limits {
        self.set().limits
    }

    /// Reads what another process may have set.
    pub(super) async fn reload(&self) -> Result<()> {
        let limits = Limits::read(&self.store).await?;
        self.set().limits = limits;
        self.apply();
        Ok(())
    }

    pub async fn change(&self, limits: Limits) -> Result<()> {
        limits.write(&self.store).await?;
        self.set().limits = limits;
        self.apply();
        Ok(())
    }

    pub fn for_this_run(&self, bytes_per_second: u64) {
        self.set().this_run = Some(bytes_per_second);
        self.apply();
    }

    /// Sets what holds at this time of day.
    pub fn apply(&self) {
        let now = jiff::Zoned::now();
        let minute = u16::from(now.hour().unsigned_abs()) * 60 + u16::from(now.minute().unsigned_abs());
        let set = *self.set();
        let wanted = set.this_run.or_else(|| set.limits.at(minute));
        if self.limit.get() != wanted {
            self.limit.set(wanted);
        }
    }
}

/// What was kept; version 0.1 kept one number.
fn read(value: &str) -> Option<Limits> {
    let number = value.parse().ok().map(|usual| Limits { usual: Some(usual), hours: None });
    number.or_else(|| serde_json::from_str(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_of_the_day() {
        let office = Limits { usual: None, hours: Some(Hours::parse("08:00-18:30", Some(5)).unwrap()) };
        for (minute, limit) in [(479, None), (480, Some(5)), (18 * 60 + 29, Some(5)), (18 * 60 + 30, None), (0, None)] {
            assert_eq!(office.at(minute), limit, "{minute}");
        }
        let night = Limits { usual: Some(7), hours: Some(Hours::parse("22:00 - 6:00", None).unwrap()) };
        for (minute, limit) in [(22 * 60, None), (0, None), (359, None), (360, Some(7)), (21 * 60, Some(7))] {
            assert_eq!(night.at(minute), limit, "{minute}");
        }
        assert_eq!(night.hours.unwrap().to_string(), "22:00-06:00");
        for wrong in ["", "8-18", "08:00", "24:00-01:00", "08:60-09:00", "08:00-08:00", "-1:00-02:00"] {
            assert_eq!(Hours::parse(wrong, None).unwrap_err().code, Code::Invalid, "{wrong}");
        }
    }

    #[tokio::test]
    async fn what_is_set_is_kept_and_a_run_may_have_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("s.sqlite")).unwrap();
        let all_day = Hours { from: 0, to: 1439, limit: Some(9) };
        let limits = Limits { usual: Some(9), hours: Some(all_day) };
        let pacer = Pacer::load(store.clone(), Limit::default()).await.unwrap();
        pacer.change(limits).await.unwrap();
        assert_eq!(pacer.limit.get(), Some(9));
        let next = Pacer::load(store.clone(), Limit::default()).await.unwrap();
        assert_eq!((next.limits(), next.limit.get()), (limits, Some(9)));
        next.for_this_run(4);
        next.reload().await.unwrap();
        assert_eq!(next.limit.get(), Some(4));
        let wrong = Limits { usual: None, hours: Some(Hours { from: 5, to: 5, limit: None }) };
        assert_eq!(pacer.change(wrong).await.unwrap_err().code, Code::Invalid);
        assert_eq!(read("5000"), Some(Limits { usual: Some(5000), hours: None }));
    }
}
