//! Which days a series has, and when its occurrences take place. The days come from the `rrule` crate, expanded over bare
//! dates; the times of day are then looked up in the series' zone, so that nine o'clock stays nine o'clock.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use daybind_domain::recurrence::{End, Rule};
use daybind_domain::schedule::{EntryContent, When};
use rrule::{RRule, RRuleSet, Tz, Unvalidated};

use crate::localtime;

/// How far from its first day a series is looked at: expanding is linear in it.
const HORIZON: Days = Days::new(50 * 366);

/// The day of the first occurrence, in the zone it was planned in.
#[must_use]
pub fn first_day(when: &When) -> NaiveDate {
    match when {
        When::Timed { start, zone, .. } => start.with_timezone(&localtime::zone(zone)).date_naive(),
        When::AllDay { start, .. } => *start,
    }
}

/// The days of a series that begins on `first`, in order, in `[from, to)`. Nothing beyond fifty years.
#[must_use]
pub fn days(rule: &Rule, first: NaiveDate, from: NaiveDate, to: NaiveDate) -> Vec<NaiveDate> {
    let to = first
        .checked_add_days(HORIZON)
        .map_or(to, |horizon| horizon.min(to));
    let Some(set) = expand(rule, first) else {
        return Vec::new();
    };
    set.into_iter()
        .map(|at| at.date_naive())
        .take_while(|day| *day < to)
        .filter(|day| *day >= from)
        .collect()
}

/// Days as midnights in UTC, which has no gaps. The type's rules are all valid; one the library refuses has no days.
fn expand(rule: &Rule, first: NaiveDate) -> Option<RRuleSet> {
    let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
    let mut text = rule.clone().spelled_out(first).without_end();
    match rule.end {
        End::Never => {}
        End::Count(count) => text.push_str(&format!(";COUNT={count}")),
        End::Until(last) if last < first => return None,
        End::Until(last) => text.push_str(&format!(";UNTIL={}T000000Z", last.format("%Y%m%d"))),
    }
    let start = midnight(first).with_timezone(&Tz::UTC);
    let rule: RRule<Unvalidated> = text.parse().ok()?;
    let rule = rule.validate(start).ok()?;
    let set = RRuleSet::new(start).rrule(rule).limit();
    Some(set)
}

/// Whether the series has an occurrence on that day.
#[must_use]
pub fn has_day(rule: &Rule, first: NaiveDate, day: NaiveDate) -> bool {
    day.succ_opt()
        .is_some_and(|next| !days(rule, first, day, next).is_empty())
}

/// The first day the rule has, on or after `first`.
#[must_use]
pub fn first_of(rule: &Rule, first: NaiveDate) -> Option<NaiveDate> {
    expand(rule, first)?
        .into_iter()
        .next()
        .map(|at| at.date_naive())
}

/// The same time on another day: the wall clock stays, also over a clock change. A time that a change skips becomes the
/// first one after the gap.
#[must_use]
pub fn when_on(when: &When, day: NaiveDate) -> When {
    let moved = day.signed_duration_since(first_day(when));
    match when {
        When::AllDay { start, end } => When::AllDay {
            start: *start + moved,
            end: *end + moved,
        },
        When::Timed { start, end, zone } => {
            let tz = localtime::zone(zone);
            let shift = |at: DateTime<Utc>| {
                if moved.is_zero() {
                    return Some(at);
                }
                localtime::resolve(at.with_timezone(&tz).naive_local() + moved, tz)
            };
            let length = *end - *start;
            let begins = shift(*start).unwrap_or(*start + moved);
            let ends = shift(*end)
                .filter(|ends| *ends > begins)
                .unwrap_or(begins + length);
            When::Timed {
                start: begins,
                end: ends,
                zone: zone.clone(),
            }
        }
    }
}

/// What an occurrence says that has no values of its own.
#[must_use]
pub fn occurrence(series: &EntryContent, day: NaiveDate) -> EntryContent {
    EntryContent {
        when: when_on(&series.when, day),
        repeats: None,
        ..series.clone()
    }
}

/// The days whose plain occurrences overlap `[from, to)`, as instants or, for whole days, as the dates around them.
#[must_use]
pub fn days_between(
    series: &EntryContent,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Vec<NaiveDate> {
    let Some(rule) = &series.repeats else {
        return Vec::new();
    };
    let length = match &series.when {
        When::Timed { start, end, .. } => *end - *start,
        When::AllDay { start, end } => *end - *start,
    };
    // A day on either side covers every zone and a clock change.
    let early = (from - length - TimeDelta::days(2)).date_naive();
    let late = (to + TimeDelta::days(2)).date_naive();
    days(rule, first_day(&series.when), early, late)
        .into_iter()
        .filter(|day| match when_on(&series.when, *day) {
            When::Timed { start, end, .. } => start < to && end > from,
            When::AllDay { start, end } => {
                let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
                midnight(start) < to + TimeDelta::days(1)
                    && midnight(end) > from - TimeDelta::days(1)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use daybind_domain::schedule::{EntryStatus, ShowAs};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn all(rule: &str, first: &str, to: &str) -> Vec<String> {
        days(&rule.parse().unwrap(), day(first), day(first), day(to))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn rules_give_the_days_they_mean() {
        assert_eq!(
            all(
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH",
                "2026-11-23",
                "2026-12-15"
            ),
            ["2026-11-23", "2026-11-26", "2026-12-07", "2026-12-10"]
        );
        // RFC 5545 skips months without a 31st; the last day is another rule.
        assert_eq!(
            all("FREQ=MONTHLY;BYMONTHDAY=31", "2026-01-31", "2026-06-01"),
            ["2026-01-31", "2026-03-31", "2026-05-31"]
        );
        assert_eq!(
            all(
                "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1",
                "2027-01-30",
                "2027-04-01"
            ),
            ["2027-01-30", "2027-02-28", "2027-03-30"]
        );
        assert_eq!(
            all(
                "FREQ=MONTHLY;BYDAY=-1FR;COUNT=3",
                "2026-11-27",
                "2028-01-01"
            ),
            ["2026-11-27", "2026-12-25", "2027-01-29"]
        );
        assert_eq!(
            all("FREQ=DAILY;UNTIL=20261125", "2026-11-24", "2027-01-01"),
            ["2026-11-24", "2026-11-25"]
        );
        assert!(all("FREQ=DAILY;UNTIL=20261123", "2026-11-24", "2027-01-01").is_empty());
        assert!(!has_day(
            &"FREQ=WEEKLY".parse().unwrap(),
            day("2026-11-24"),
            day("2026-11-25")
        ));
        // Thirty days has no February: nothing is found, and the search ends.
        assert!(
            first_of(
                &"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30".parse().unwrap(),
                day("2026-11-24")
            )
            .is_none()
        );
    }

    /// W11: nine o'clock stays nine o'clock when the clocks change, and whole days have no clock.
    #[test]
    fn the_wall_clock_stays() {
        let when = When::Timed {
            start: at("2026-10-20T07:00:00Z"),
            end: at("2026-10-20T08:00:00Z"),
            zone: "Europe/Berlin".to_owned(),
        };
        let When::Timed { start, end, .. } = when_on(&when, day("2026-10-27")) else {
            panic!("it is timed");
        };
        assert_eq!(
            (start, end),
            (at("2026-10-27T08:00:00Z"), at("2026-10-27T09:00:00Z"))
        );
        // Half past two does not exist on that night.
        let night = When::Timed {
            start: at("2026-03-28T01:30:00Z"),
            end: at("2026-03-28T01:45:00Z"),
            zone: "Europe/Berlin".to_owned(),
        };
        let When::Timed { start, end, .. } = when_on(&night, day("2026-03-29")) else {
            panic!("it is timed");
        };
        assert_eq!(
            (start, end),
            (at("2026-03-29T01:00:00Z"), at("2026-03-29T01:15:00Z"))
        );
        let whole = When::AllDay {
            start: day("2026-10-20"),
            end: day("2026-10-22"),
        };
        assert_eq!(
            when_on(&whole, day("2026-10-27")),
            When::AllDay {
                start: day("2026-10-27"),
                end: day("2026-10-29")
            }
        );
    }

    #[test]
    fn a_window_shows_what_reaches_into_it() {
        let series = EntryContent {
            title: "Backup check".to_owned(),
            notes: String::new(),
            location: String::new(),
            when: When::Timed {
                start: at("2026-11-22T22:00:00Z"),
                end: at("2026-11-23T02:00:00Z"),
                zone: "Europe/Berlin".to_owned(),
            },
            repeats: Some("FREQ=DAILY;COUNT=4".parse().unwrap()),
            shows: ShowAs::Busy,
            private: false,
            status: EntryStatus::Scheduled,
        };
        let found = days_between(
            &series,
            at("2026-11-24T01:00:00Z"),
            at("2026-11-24T22:00:00Z"),
        );
        assert_eq!(found, [day("2026-11-23")]);
    }
}
