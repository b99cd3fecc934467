//! Times as AWS writes them: UTC, ISO 8601, milliseconds.

use std::sync::atomic::{AtomicI64, Ordering};

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

/// Seconds that this clock is ahead of the computer's: tests move it.
static OFFSET: AtomicI64 = AtomicI64::new(0);

/// Sets how many seconds the clock is ahead of the computer's.
pub(crate) fn move_clock(seconds: i64) {
    OFFSET.store(seconds, Ordering::Relaxed);
}

/// Now, by a clock that tests may have moved.
pub(crate) fn utc() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.checked_add(Duration::seconds(OFFSET.load(Ordering::Relaxed))).unwrap_or(now)
}

/// Now, as `2026-01-15T10:00:00.123Z`.
pub(crate) fn now() -> String {
    format_time(utc())
}

/// Now, as version 4 of the pipeline writes it: `2026-01-15 10:00.5`, with tenths of a second and no seconds.
pub(crate) fn now_v4() -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute].[subsecond digits:1]");
    utc().format(format).unwrap_or_default()
}

pub(crate) fn format_time(time: OffsetDateTime) -> String {
    time.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"))
        .unwrap_or_default()
}

/// Now, as `Thu, 26 Nov 2026 19:00:00 GMT` (RFC 9110, 5.6.7).
pub(crate) fn http_date() -> String {
    let format =
        format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    utc().format(format).unwrap_or_default()
}

/// The time that `now` wrote; the epoch for anything else.
pub(crate) fn parse_time(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(text, &Rfc3339).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Seconds since the epoch.
pub(crate) fn epoch_seconds() -> i64 {
    utc().unix_timestamp()
}
