//! Recurrence rules as the providers write them: Google's `recurrence` lines (RFC 5545), Graph's `patternedRecurrence`
//! (learn.microsoft.com/graph/api/resources/patternedrecurrence). What one side cannot say is refused, never simplified.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc, Weekday};
use chrono_tz::Tz;
use daybind_domain::recurrence::{ByDay, End, Frequency, Rule, read_day};
use daybind_domain::schedule::When;
use daybind_services::recurrence::first_day;
use serde_json::{Value, json};

use crate::zones;

/// What Google's lines say.
pub struct Lines {
    /// The rule.
    pub rule: Rule,
    /// Days without an occurrence (`EXDATE`), in the series' zone.
    pub without: Vec<NaiveDate>,
}

/// The zone, and the time of day an occurrence starts at.
fn start_of(when: &When) -> (Tz, Option<NaiveTime>) {
    match when {
        When::Timed { start, zone, .. } => {
            let zone = zones::zone(zone).unwrap_or(Tz::UTC);
            (zone, Some(start.with_timezone(&zone).time()))
        }
        When::AllDay { .. } => (Tz::UTC, None),
    }
}

/// A `DATE` or `DATE-TIME` as wall time in the zone; floating times are that already.
fn wall(text: &str, zone: Tz) -> Option<NaiveDateTime> {
    if let Some(day) = read_day(text) {
        return day.and_hms_opt(23, 59, 59);
    }
    if let Some(text) = text.strip_suffix('Z') {
        let at = NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok()?;
        return Some(at.and_utc().with_timezone(&zone).naive_local());
    }
    NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok()
}

/// Reads Google's `recurrence`; `None` for what Daybind does not plan with.
#[must_use]
pub fn from_lines(lines: &[Value], when: &When) -> Option<Lines> {
    let (zone, time) = start_of(when);
    let mut rule = None;
    let mut without = Vec::new();
    for line in lines {
        let (head, value) = line.as_str()?.split_once(':')?;
        let name = head.split(';').next().unwrap_or_default();
        match name.to_ascii_uppercase().as_str() {
            "RRULE" if rule.is_none() => {
                let read = Rule::read(value, |text| {
                    let last = wall(text, zone)?;
                    // An occurrence that begins after that moment is none.
                    if time.is_some_and(|time| last.time() < time) {
                        return last.date().pred_opt();
                    }
                    Some(last.date())
                });
                rule = Some(read.ok()?);
            }
            "EXDATE" => {
                for text in value.split(',') {
                    without.push(wall(text.trim(), zone)?.date());
                }
            }
            _ => return None,
        }
    }
    Some(Lines {
        rule: rule?,
        without,
    })
}

/// Google's `recurrence` of a series. `UNTIL` is the start of the last possible occurrence in UTC, since a bare date loses
/// that day (RFC 5545 section 3.3.10 wants the form of the start).
#[must_use]
pub fn to_lines(rule: &Rule, when: &When) -> Value {
    let mut text = format!("RRULE:{}", rule.without_end());
    match rule.end {
        End::Never => {}
        End::Count(count) => text.push_str(&format!(";COUNT={count}")),
        End::Until(last) => {
            let (zone, time) = start_of(when);
            let until = match time.and_then(|time| resolve(last.and_time(time), zone)) {
                Some(at) => at.format("%Y%m%dT%H%M%SZ").to_string(),
                None => last.format("%Y%m%d").to_string(),
            };
            text.push_str(&format!(";UNTIL={until}"));
        }
    }
    json!([text])
}

fn resolve(wall: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    daybind_services::localtime::resolve(wall, zone)
}

const GRAPH_DAYS: [(Weekday, &str); 7] = [
    (Weekday::Mon, "monday"),
    (Weekday::Tue, "tuesday"),
    (Weekday::Wed, "wednesday"),
    (Weekday::Thu, "thursday"),
    (Weekday::Fri, "friday"),
    (Weekday::Sat, "saturday"),
    (Weekday::Sun, "sunday"),
];
const INDEXES: [(i8, &str); 5] = [
    (1, "first"),
    (2, "second"),
    (3, "third"),
    (4, "fourth"),
    (-1, "last"),
];

fn graph_day(day: Weekday) -> &'static str {
    GRAPH_DAYS
        .iter()
        .find(|(known, _)| *known == day)
        .map_or("monday", |(_, name)| name)
}

fn read_graph_day(value: &Value) -> Option<Weekday> {
    let text = value.as_str()?;
    GRAPH_DAYS
        .iter()
        .find(|(_, name)| name.eq_ignore_ascii_case(text))
        .map(|(day, _)| *day)
}

/// The days that every month (of that number, where one is given) has.
fn sure_days(month: Option<u8>) -> i8 {
    match month {
        Some(2) | None => 28,
        Some(4 | 6 | 9 | 11) => 30,
        Some(_) => 31,
    }
}

/// What Graph means by a day of the month: the last one, in months that are shorter.
fn clamped(day: i8, month: Option<u8>) -> (Vec<i8>, Vec<i16>) {
    match (day, month) {
        (day, month) if day <= sure_days(month) => (vec![day], Vec::new()),
        (31, _) | (_, Some(_)) => (vec![-1], Vec::new()),
        (day, None) => ((28..=day).collect(), vec![-1]),
    }
}

/// Reads Graph's `recurrence`; `None` for what Daybind does not plan with.
#[must_use]
pub fn from_pattern(recurrence: &Value) -> Option<Rule> {
    let (pattern, range) = (&recurrence["pattern"], &recurrence["range"]);
    let interval = u16::try_from(pattern["interval"].as_u64().unwrap_or(1)).ok()?;
    let days = || -> Option<Vec<Weekday>> {
        let list = pattern["daysOfWeek"].as_array()?;
        list.iter().map(read_graph_day).collect()
    };
    let number = |name: &str| i8::try_from(pattern[name].as_i64()?).ok();
    let month = || u8::try_from(pattern["month"].as_u64()?).ok();
    let nth = |rule: &mut Rule| -> Option<()> {
        let text = pattern["index"].as_str().unwrap_or("first");
        let (nth, _) = INDEXES
            .iter()
            .find(|(_, name)| name.eq_ignore_ascii_case(text))?;
        let days = days()?;
        // Of several days the first that fits is meant, not each of them.
        if let [weekday] = days.as_slice() {
            rule.days = vec![ByDay {
                nth: Some(*nth),
                weekday: *weekday,
            }];
        } else {
            rule.days = days.into_iter().map(every).collect();
            rule.positions = vec![(*nth).into()];
        }
        Some(())
    };
    let mut rule = Rule::every(Frequency::Daily, interval);
    match pattern["type"].as_str()? {
        "daily" => {}
        "weekly" => {
            rule.frequency = Frequency::Weekly;
            rule.days = days()?.into_iter().map(every).collect();
            rule.week_start = read_graph_day(&pattern["firstDayOfWeek"]).unwrap_or(Weekday::Sun);
        }
        "absoluteMonthly" => {
            rule.frequency = Frequency::Monthly;
            (rule.month_days, rule.positions) = clamped(number("dayOfMonth")?, None);
        }
        "relativeMonthly" => {
            rule.frequency = Frequency::Monthly;
            nth(&mut rule)?;
        }
        "absoluteYearly" => {
            rule.frequency = Frequency::Yearly;
            let month = month()?;
            rule.months = vec![month];
            (rule.month_days, rule.positions) = clamped(number("dayOfMonth")?, Some(month));
        }
        "relativeYearly" => {
            rule.frequency = Frequency::Yearly;
            rule.months = vec![month()?];
            nth(&mut rule)?;
        }
        _ => return None,
    }
    rule.end = match range["type"].as_str()? {
        "noEnd" => End::Never,
        "endDate" => End::Until(range["endDate"].as_str()?.parse().ok()?),
        "numbered" => End::Count(u32::try_from(range["numberOfOccurrences"].as_u64()?).ok()?),
        _ => return None,
    };
    rule.checked().ok()
}

fn every(weekday: Weekday) -> ByDay {
    ByDay { nth: None, weekday }
}

/// The name under which Graph knows a series' zone, `None` where there is no such clock.
#[must_use]
pub fn graph_zone(when: &When) -> Option<&'static str> {
    match when {
        When::Timed { start, zone, .. } => zones::graph_name(zones::zone(zone)?, *start),
        When::AllDay { .. } => Some("UTC"),
    }
}

/// Graph's `recurrence` of a series; `None` where it has no equal.
#[must_use]
pub fn to_pattern(rule: &Rule, when: &When) -> Option<Value> {
    let first = first_day(when);
    let rule = rule.clone().spelled_out(first);
    let mut range = json!({ "startDate": first, "recurrenceTimeZone": graph_zone(when)? });
    match rule.end {
        End::Never => range["type"] = json!("noEnd"),
        End::Until(last) => {
            range["type"] = json!("endDate");
            range["endDate"] = json!(last);
        }
        End::Count(count) => {
            range["type"] = json!("numbered");
            range["numberOfOccurrences"] = json!(count);
        }
    }
    Some(json!({ "pattern": pattern(&rule)?, "range": range }))
}

fn pattern(rule: &Rule) -> Option<Value> {
    let named =
        |days: &[ByDay]| -> Value { days.iter().map(|day| graph_day(day.weekday)).collect() };
    let plain = rule.days.iter().all(|day| day.nth.is_none());
    let bare = rule.month_days.is_empty() && rule.positions.is_empty();
    let weekly = |interval: u16| {
        json!({
            "type": "weekly",
            "interval": interval,
            "daysOfWeek": named(&rule.days),
            "firstDayOfWeek": graph_day(rule.week_start),
        })
    };
    let interval = rule.interval;
    match (rule.frequency, rule.months.as_slice()) {
        (Frequency::Daily, []) if bare && rule.days.is_empty() => {
            Some(json!({ "type": "daily", "interval": interval }))
        }
        (Frequency::Daily, []) if bare && plain && interval == 1 => Some(weekly(1)),
        (Frequency::Weekly, []) if bare && plain => Some(weekly(interval)),
        (Frequency::Monthly, []) => month_pattern(rule, None),
        (Frequency::Yearly, [month]) => {
            let mut found = month_pattern(rule, Some(*month))?;
            found["month"] = json!(month);
            Some(found)
        }
        _ => None,
    }
}

fn month_pattern(rule: &Rule, month: Option<u8>) -> Option<Value> {
    let kind =
        |monthly: &str, yearly: &str| if month.is_some() { yearly } else { monthly }.to_owned();
    let interval = rule.interval;
    if rule.days.is_empty() {
        let day = (1..=31).find(|day| {
            let said = clamped(*day, month);
            said.0 == rule.month_days && said.1 == rule.positions
        })?;
        return Some(json!({
            "type": kind("absoluteMonthly", "absoluteYearly"),
            "interval": interval,
            "dayOfMonth": day,
        }));
    }
    if !rule.month_days.is_empty() {
        return None;
    }
    let index = |nth: i16| {
        INDEXES
            .iter()
            .find(|(known, _)| i16::from(*known) == nth)
            .map(|(_, name)| *name)
    };
    let index = match (rule.days.as_slice(), rule.positions.as_slice()) {
        ([ByDay { nth: Some(nth), .. }], []) => index((*nth).into())?,
        (days, [nth]) if days.iter().all(|day| day.nth.is_none()) => index(*nth)?,
        _ => return None,
    };
    let days: Value = rule.days.iter().map(|day| graph_day(day.weekday)).collect();
    Some(json!({
        "type": kind("relativeMonthly", "relativeYearly"),
        "interval": interval,
        "daysOfWeek": days,
        "index": index,
    }))
}

/// Whether both zones show the same clock for the year that follows: providers rename zones.
#[must_use]
pub fn same_clock(a: &str, b: &str, from: DateTime<Utc>) -> bool {
    match (zones::zone(a), zones::zone(b)) {
        (Some(x), Some(y)) => zones::same_clock(x, y, from),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timed(start: &str, zone: &str) -> When {
        let start = DateTime::parse_from_rfc3339(start).unwrap().to_utc();
        When::Timed {
            start,
            end: start + chrono::TimeDelta::hours(1),
            zone: zone.to_owned(),
        }
    }

    /// Tuesday, nine o'clock in Berlin.
    fn when() -> When {
        timed("2026-11-24T08:00:00Z", "Europe/Berlin")
    }

    fn rule(text: &str) -> Rule {
        text.parse().unwrap()
    }

    /// W8: one line with its name, the end in UTC and no earlier than the last start, `COUNT` and ordinals kept.
    #[test]
    fn google_gets_whole_lines() {
        for (text, when, line) in [
            ("FREQ=DAILY", when(), "RRULE:FREQ=DAILY"),
            (
                "FREQ=MONTHLY;BYDAY=2TU;COUNT=4",
                when(),
                "RRULE:FREQ=MONTHLY;BYDAY=2TU;COUNT=4",
            ),
            // The clocks have changed by then: nine o'clock is seven in UTC.
            (
                "FREQ=WEEKLY;BYDAY=TU;UNTIL=20270330",
                when(),
                "RRULE:FREQ=WEEKLY;BYDAY=TU;UNTIL=20270330T070000Z",
            ),
            // A late start in the west belongs to the next day in UTC.
            (
                "FREQ=DAILY;UNTIL=20261130",
                timed("2026-11-25T04:30:00Z", "America/Los_Angeles"),
                "RRULE:FREQ=DAILY;UNTIL=20261201T043000Z",
            ),
            (
                "FREQ=DAILY;UNTIL=20261130",
                When::AllDay {
                    start: "2026-11-24".parse().unwrap(),
                    end: "2026-11-25".parse().unwrap(),
                },
                "RRULE:FREQ=DAILY;UNTIL=20261130",
            ),
        ] {
            let lines = to_lines(&rule(text), &when);
            assert_eq!(lines, json!([line]));
            let back = from_lines(lines.as_array().unwrap(), &when).unwrap();
            assert_eq!((back.rule, back.without), (rule(text), vec![]));
        }
    }

    /// W8: `EXDATE` lines are read, ends of any form too, and what cannot be planned with is refused whole.
    #[test]
    fn google_lines_are_read_whole_or_not_at_all() {
        let read = |lines: Value| from_lines(lines.as_array().unwrap(), &when());
        let found = read(json!([
            "EXDATE;TZID=Europe/Berlin:20261201T090000,20261208T090000",
            "RRULE:FREQ=WEEKLY;BYDAY=TU",
            "EXDATE:20261215T080000Z",
        ]))
        .unwrap();
        let days: Vec<String> = found.without.iter().map(ToString::to_string).collect();
        assert_eq!(days, ["2026-12-01", "2026-12-08", "2026-12-15"]);
        for (until, day) in [
            ("20261201T080000Z", "20261201"),
            ("20261201T225959Z", "20261201"),
            // Before nine on that day.
            ("20261201T070000Z", "20261130"),
            ("20261201", "20261201"),
            ("20261201T090000", "20261201"),
        ] {
            let found = read(json!([format!("RRULE:FREQ=DAILY;UNTIL={until}")])).unwrap();
            assert_eq!(
                found.rule.end,
                End::Until(read_day(day).unwrap()),
                "{until}"
            );
        }
        for lines in [
            json!([]),
            json!(["EXDATE:20261215T080000Z"]),
            json!(["RRULE:FREQ=DAILY", "RDATE:20261215T080000Z"]),
            json!(["RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"]),
            json!(["RRULE:FREQ=DAILY;BYHOUR=9,15"]),
            json!(["FREQ=DAILY"]),
        ] {
            assert!(read(lines.clone()).is_none(), "{lines}");
        }
    }

    /// W7: every pattern Graph has, with interval, days, range and a date as its start; there and back.
    #[test]
    fn graph_patterns_round_trip() {
        for (text, expected) in [
            (
                "FREQ=DAILY;INTERVAL=3",
                json!({"type": "daily", "interval": 3}),
            ),
            (
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH",
                json!({"type": "weekly", "interval": 2, "daysOfWeek": ["tuesday", "thursday"], "firstDayOfWeek": "monday"}),
            ),
            (
                "FREQ=MONTHLY;BYMONTHDAY=24",
                json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 24}),
            ),
            (
                "FREQ=MONTHLY;BYMONTHDAY=-1",
                json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31}),
            ),
            (
                "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1",
                json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 30}),
            ),
            (
                "FREQ=MONTHLY;BYDAY=-1FR",
                json!({"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["friday"], "index": "last"}),
            ),
            (
                "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=2",
                json!({"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["monday", "tuesday"], "index": "second"}),
            ),
            (
                "FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=24",
                json!({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 24, "month": 11}),
            ),
            (
                "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1",
                json!({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 29, "month": 2}),
            ),
            (
                "FREQ=YEARLY;INTERVAL=2;BYMONTH=11;BYDAY=4TH",
                json!({"type": "relativeYearly", "interval": 2, "daysOfWeek": ["thursday"], "index": "fourth", "month": 11}),
            ),
        ] {
            for (end, range) in [
                ("", json!({"type": "noEnd"})),
                (
                    ";UNTIL=20270330",
                    json!({"type": "endDate", "endDate": "2027-03-30"}),
                ),
                (
                    ";COUNT=5",
                    json!({"type": "numbered", "numberOfOccurrences": 5}),
                ),
            ] {
                let rule = rule(&format!("{text}{end}"));
                let said = to_pattern(&rule, &when()).unwrap();
                assert_eq!(said["pattern"], expected);
                let mut range = range;
                range["startDate"] = json!("2026-11-24");
                range["recurrenceTimeZone"] = json!("W. Europe Standard Time");
                assert_eq!(said["range"], range);
                assert_eq!(from_pattern(&said), Some(rule));
            }
        }
        // Weekdays every day are a week's days there.
        let said = to_pattern(&rule("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR"), &when()).unwrap();
        assert_eq!(said["pattern"]["type"], "weekly");
    }

    /// W7, W8: what Graph has no pattern for is refused, not bent. A 31st that skips short months is not its 31st.
    #[test]
    fn what_graph_cannot_say_is_refused() {
        for text in [
            "FREQ=MONTHLY;BYMONTHDAY=31",
            "FREQ=MONTHLY;BYMONTHDAY=30",
            "FREQ=MONTHLY;BYMONTHDAY=1,15",
            "FREQ=MONTHLY;BYMONTHDAY=-2",
            "FREQ=MONTHLY;BYDAY=1MO,3MO",
            "FREQ=MONTHLY;BYDAY=5MO",
            "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
            "FREQ=MONTHLY;BYDAY=MO",
            "FREQ=MONTHLY;BYMONTH=1,2;BYMONTHDAY=3",
            "FREQ=DAILY;INTERVAL=2;BYDAY=MO",
            "FREQ=WEEKLY;BYDAY=MO;BYMONTH=6",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
            "FREQ=YEARLY;BYDAY=20MO",
        ] {
            assert!(to_pattern(&rule(text), &when()).is_none(), "{text}");
        }
        for recurrence in [
            json!({}),
            json!({"pattern": {"type": "hourly"}, "range": {"type": "noEnd"}}),
            json!({"pattern": {"type": "daily"}, "range": {"type": "forever"}}),
            json!({"pattern": {"type": "weekly", "daysOfWeek": ["someday"]}, "range": {"type": "noEnd"}}),
        ] {
            assert!(from_pattern(&recurrence).is_none(), "{recurrence}");
        }
    }

    /// W11: a zone's other name is no change, another zone is.
    #[test]
    fn zones_are_compared_by_their_clocks() {
        let at = DateTime::parse_from_rfc3339("2026-11-24T08:00:00Z")
            .unwrap()
            .to_utc();
        assert!(same_clock("Europe/Vienna", "Europe/Berlin", at));
        assert!(!same_clock("Europe/London", "Europe/Berlin", at));
        // The same clock in winter only.
        assert!(!same_clock("Africa/Lagos", "Europe/Berlin", at));
    }
}
