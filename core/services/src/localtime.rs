//! Times as people read and type them. All of it happens on the server, so that server and browser render the same.

use chrono::{DateTime, Datelike, Days, Locale, NaiveDate, NaiveDateTime, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use daybind_words::{Lang, lang};

/// The zone of that IANA name; UTC when it is unknown.
#[must_use]
pub fn zone(name: &str) -> Tz {
    name.parse().unwrap_or(Tz::UTC)
}

/// A day by the pattern of the language spoken (`strftime`): English, German.
pub(crate) fn day(day: NaiveDate, en: &str, de: &str) -> String {
    match lang() {
        Lang::De => day.format_localized(de, Locale::de_DE).to_string(),
        Lang::En | Lang::Xx => day.format(en).to_string(),
    }
}

/// "24 Nov 2026"
#[must_use]
pub fn date(date: NaiveDate) -> String {
    day(date, "%-d %b %Y", "%-d. %b %Y")
}

/// "24 Nov 2026, 09:30"
#[must_use]
pub fn date_time(at: DateTime<Utc>, zone: Tz) -> String {
    let day = date(at.with_timezone(&zone).date_naive());
    format!("{day}, {}", clock(at, zone))
}

/// "24 Nov 09:30"
#[must_use]
pub fn day_and_clock(at: DateTime<Utc>, zone: Tz) -> String {
    let day = day(at.with_timezone(&zone).date_naive(), "%-d %b", "%-d. %b");
    format!("{day} {}", clock(at, zone))
}

/// "Tue 24 Nov 2026, 09:30:12"
#[must_use]
pub fn to_the_second(at: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    let day = day(local.date_naive(), "%a %-d %b %Y", "%a, %-d. %b %Y");
    format!("{day}, {}", local.format("%H:%M:%S"))
}

/// "09:30"
#[must_use]
pub fn clock(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%H:%M").to_string()
}

/// `2026-11-24T09:30`, as `<input type="datetime-local">` wants it.
#[must_use]
pub fn input_value(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Y-%m-%dT%H:%M").to_string()
}

/// Reads what such an input sends. A time that a clock change skips becomes the first one after the gap; one that
/// happens twice becomes the earlier one.
#[must_use]
pub fn parse_input(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    let naive = NaiveDateTime::parse_from_str(text.trim(), "%Y-%m-%dT%H:%M")
        .or_else(|_| NaiveDateTime::parse_from_str(text.trim(), "%Y-%m-%dT%H:%M:%S"))
        .ok()?;
    resolve(naive, zone)
}

/// The first instant of a day in a zone.
#[must_use]
pub fn start_of_day(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    resolve(day.and_hms_opt(0, 0, 0)?, zone)
}

/// The instant of a wall time; see [`parse_input`] for those that do not exist or happen twice.
#[must_use]
pub fn resolve(naive: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    (0..=24).find_map(|quarters| {
        let shifted = naive.checked_add_signed(chrono::Duration::minutes(15 * quarters))?;
        zone.from_local_datetime(&shifted)
            .earliest()
            .map(|at| at.with_timezone(&Utc))
    })
}

/// The Monday of a day's week.
#[must_use]
pub fn monday(day: NaiveDate) -> NaiveDate {
    day.week(Weekday::Mon).first_day()
}

/// "23 – 29 November 2026"
#[must_use]
pub fn week_title(monday: NaiveDate) -> String {
    let sunday = monday.checked_add_days(Days::new(6)).unwrap_or(monday);
    let whole = |date| day(date, "%-d %B %Y", "%-d. %B %Y");
    if monday.month() == sunday.month() {
        format!("{} – {}", day(monday, "%-d", "%-d."), whole(sunday))
    } else if monday.year() == sunday.year() {
        format!("{} – {}", day(monday, "%-d %B", "%-d. %B"), whole(sunday))
    } else {
        format!("{} – {}", whole(monday), whole(sunday))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skipped_hour_moves_to_the_first_instant_after_the_gap() {
        let berlin = zone("Europe/Berlin");
        let at = parse_input("2026-03-29T02:30", berlin).unwrap();
        assert_eq!(input_value(at, berlin), "2026-03-29T03:00");
    }

    #[test]
    fn an_hour_that_happens_twice_is_the_earlier_one() {
        let berlin = zone("Europe/Berlin");
        let at = parse_input("2026-10-25T02:30", berlin).unwrap();
        assert_eq!(at.to_rfc3339(), "2026-10-25T00:30:00+00:00");
    }

    #[test]
    fn week_titles_span_months_and_years() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        assert_eq!(
            week_title(monday(day(2026, 11, 24))),
            "23 – 29 November 2026"
        );
        assert_eq!(
            week_title(monday(day(2026, 12, 31))),
            "28 December 2026 – 3 January 2027"
        );
        assert!(parse_input("tomorrow", Tz::UTC).is_none());
    }
}
