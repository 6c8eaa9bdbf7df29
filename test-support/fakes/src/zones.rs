//! Times as the providers write them: IANA and Windows zone names, wall times and instants.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;

/// Windows names and the IANA zone CLDR gives for territory 001; enough for a test double.
const WINDOWS: &[(&str, &str)] = &[
    ("UTC", "UTC"),
    ("GMT Standard Time", "Europe/London"),
    ("Greenwich Standard Time", "Atlantic/Reykjavik"),
    ("W. Europe Standard Time", "Europe/Berlin"),
    ("Central Europe Standard Time", "Europe/Budapest"),
    ("Romance Standard Time", "Europe/Paris"),
    ("Central European Standard Time", "Europe/Warsaw"),
    ("GTB Standard Time", "Europe/Bucharest"),
    ("FLE Standard Time", "Europe/Kiev"),
    ("E. Europe Standard Time", "Europe/Chisinau"),
    ("Turkey Standard Time", "Europe/Istanbul"),
    ("Russian Standard Time", "Europe/Moscow"),
    ("Eastern Standard Time", "America/New_York"),
    ("Central Standard Time", "America/Chicago"),
    ("Mountain Standard Time", "America/Denver"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("Alaskan Standard Time", "America/Anchorage"),
    ("Hawaiian Standard Time", "Pacific/Honolulu"),
    ("Atlantic Standard Time", "America/Halifax"),
    ("E. South America Standard Time", "America/Sao_Paulo"),
    ("India Standard Time", "Asia/Calcutta"),
    ("China Standard Time", "Asia/Shanghai"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("Singapore Standard Time", "Asia/Singapore"),
    ("AUS Eastern Standard Time", "Australia/Sydney"),
    ("New Zealand Standard Time", "Pacific/Auckland"),
    ("South Africa Standard Time", "Africa/Johannesburg"),
    ("Arabian Standard Time", "Asia/Dubai"),
    ("Israel Standard Time", "Asia/Jerusalem"),
];

/// Zone for a Windows or IANA name.
pub(crate) fn zone(name: &str) -> Option<Tz> {
    let iana = WINDOWS
        .iter()
        .find(|(windows, _)| windows.eq_ignore_ascii_case(name))
        .map_or(name, |(_, iana)| iana);
    iana.parse().ok()
}

/// Windows name of a zone, as Graph reports mailbox settings.
pub(crate) fn windows_name(iana: &str) -> &str {
    WINDOWS
        .iter()
        .find(|(_, i)| *i == iana)
        .map_or("UTC", |(windows, _)| windows)
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
