//! Times as AWS writes them: UTC, ISO 8601, milliseconds.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// Now, as `2026-01-15T10:00:00.123Z`.
pub(crate) fn now() -> String {
    format_time(OffsetDateTime::now_utc())
}

pub(crate) fn format_time(time: OffsetDateTime) -> String {
    time.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"))
        .unwrap_or_default()
}

/// The time that `now` wrote; the epoch for anything else.
pub(crate) fn parse_time(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(text, &Rfc3339).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Seconds since the epoch.
pub(crate) fn epoch_seconds() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}
