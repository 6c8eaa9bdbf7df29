//! Times as the providers write them: IANA and Windows zone names, wall times and instants.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;

/// Zone for a Windows name (CLDR, territory 001) or an IANA name.
pub(crate) fn zone(name: &str) -> Option<Tz> {
    localzone::win_zone_to_iana(name, Some("001"))
        .unwrap_or(name)
        .parse()
        .ok()
}

/// Windows name of a zone, as Graph reports mailbox settings.
pub(crate) fn windows_name(iana: &str) -> &str {
    localzone::iana_to_win_zone(iana).map_or("UTC", |(windows, _)| windows)
}

/// The instant of a wall time. In a gap the time moves on by an hour, in a fold the first counts.
pub(crate) fn instant(wall: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let hour = chrono::TimeDelta::hours(1);
    zone.from_local_datetime(&wall)
        .earliest()
        .or_else(|| zone.from_local_datetime(&(wall + hour)).earliest())
        .map_or_else(|| wall.and_utc(), |local| local.with_timezone(&Utc))
}

/// Parses `2026-11-24T10:00:00[.fff]` without offset; trailing `Z` is accepted as UTC by the caller.
pub(crate) fn wall(text: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M"))
        .ok()
}

/// `2026-11-24T10:00:00.123Z`, Google's `updated` and `created`.
pub(crate) fn millis(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// `2026-11-24T10:00:00.1234567Z`, Graph's DateTimeOffset.
pub(crate) fn ticks(at: DateTime<Utc>) -> String {
    format!("{}Z", at.format("%Y-%m-%dT%H:%M:%S%.6f"))
}

/// `2026-11-24T10:00:00.0000000`, the `dateTime` of Graph's dateTimeTimeZone.
pub(crate) fn graph_wall(wall: NaiveDateTime) -> String {
    wall.format("%Y-%m-%dT%H:%M:%S.0000000").to_string()
}

/// Any RFC 3339 instant, or a wall time taken as UTC (Graph's query parameters).
pub(crate) fn any_instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.with_timezone(&Utc))
        .ok()
        .or_else(|| wall(text).map(|w| w.and_utc()))
        .or_else(|| {
            chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .ok()
                .and_then(|d| d.and_hms_opt(0, 0, 0))
                .map(|w| w.and_utc())
        })
}
