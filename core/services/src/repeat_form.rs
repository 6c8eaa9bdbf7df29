//! Between rules and the form: what people choose, and how a rule reads.

use chrono::{Datelike, NaiveDate, Weekday};
use daybind_domain::FieldError;
use daybind_domain::recurrence::{
    ByDay, COUNT_MAX, End, Frequency, INTERVAL_MAX, Rule, weekday, weekday_code,
};
use daybind_domain::view::RepeatView;
use daybind_words::t;

use crate::localtime;

/// How an entry repeats, as chosen in the form.
#[derive(Debug, Clone, Default)]
pub struct RepeatInput {
    /// Empty for never, `daily`, `weekly`, `monthly` (on the same date), `monthly_day` (on the same weekday of the month),
    /// `yearly`, or `keep` for a rule that the form cannot show.
    pub kind: String,
    /// Every so many; empty is 1.
    pub every: String,
    /// `MO` to `SU`, for `weekly`; the first day's when empty.
    pub days: Vec<String>,
    /// Empty for never, `until` or `count`.
    pub ends: String,
    /// Last day, `YYYY-MM-DD`.
    pub until: String,
    /// How many occurrences.
    pub count: String,
}

const KINDS: [&str; 5] = ["daily", "weekly", "monthly", "monthly_day", "yearly"];

/// The rule a kind means for a series that begins on `first`. A 29th, 30th or 31st means the last day of shorter months:
/// that is what people expect, and what both calendars can say.
fn rule_of(kind: &str, interval: u16, days: &[Weekday], first: NaiveDate) -> Option<Rule> {
    let frequency = match kind {
        "daily" => Frequency::Daily,
        "weekly" => Frequency::Weekly,
        "monthly" | "monthly_day" => Frequency::Monthly,
        "yearly" => Frequency::Yearly,
        _ => return None,
    };
    let mut rule = Rule::every(frequency, interval);
    let day = i8::try_from(first.day()).unwrap_or(1);
    match kind {
        "weekly" if days.is_empty() => {}
        "weekly" => rule.days = days.iter().map(|day| every(*day)).collect(),
        "monthly" => match day {
            31 => rule.month_days = vec![-1],
            29 | 30 => {
                rule.month_days = (28..=day).collect();
                rule.positions = vec![-1];
            }
            _ => rule.month_days = vec![day],
        },
        "monthly_day" => {
            let nth = (day - 1) / 7 + 1;
            rule.days = vec![ByDay {
                nth: Some(if nth == 5 { -1 } else { nth }),
                weekday: first.weekday(),
            }];
        }
        "yearly" => {
            rule.months = vec![u8::try_from(first.month()).unwrap_or(1)];
            let leap = first.month() == 2 && day == 29;
            rule.month_days = vec![if leap { -1 } else { day }];
        }
        _ => {}
    }
    rule.spelled_out(first).checked().ok()
}

fn every(weekday: Weekday) -> ByDay {
    ByDay { nth: None, weekday }
}

fn wrong(field: &str, message: &str) -> FieldError {
    FieldError {
        field: field.to_owned(),
        message: message.to_owned(),
    }
}

/// Reads the form. `first` is the day typed for the (first) occurrence, `kept` the rule the entry has.
///
/// # Errors
/// The wrong fields, all at once.
pub fn read(
    input: &RepeatInput,
    first: NaiveDate,
    kept: Option<&Rule>,
) -> Result<Option<Rule>, Vec<FieldError>> {
    if input.kind.is_empty() {
        return Ok(None);
    }
    let mut errors = Vec::new();
    let every = match input.every.trim() {
        "" => Some(1),
        text => text
            .parse()
            .ok()
            .filter(|every| (1..=INTERVAL_MAX).contains(every)),
    };
    if every.is_none() {
        errors.push(wrong(
            "repeat_every",
            t!("Enter a whole number from 1 to 999."),
        ));
    }
    let days: Option<Vec<Weekday>> = input.days.iter().map(|code| weekday(code)).collect();
    if days.is_none() {
        errors.push(wrong("repeat", t!("Choose days of the week.")));
    }
    let end = match input.ends.as_str() {
        "" => Some(End::Never),
        "until" => {
            let until = input.until.trim().parse().ok();
            let until = until.filter(|until| *until >= first);
            if until.is_none() {
                errors.push(wrong(
                    "repeat_until",
                    t!("Enter a day on or after the first one."),
                ));
            }
            until.map(End::Until)
        }
        "count" => {
            let count = input.count.trim().parse().ok();
            let count = count.filter(|count| (1..=COUNT_MAX).contains(count));
            if count.is_none() {
                errors.push(wrong(
                    "repeat_count",
                    t!("Enter a whole number from 1 to 9999."),
                ));
            }
            count.map(End::Count)
        }
        _ => {
            errors.push(wrong("repeat_ends", t!("Choose when it ends.")));
            None
        }
    };
    let rule = match (input.kind.as_str(), kept) {
        ("keep", Some(kept)) => Some(kept.clone()),
        (kind, _) => rule_of(
            kind,
            every.unwrap_or(1),
            days.as_deref().unwrap_or_default(),
            first,
        ),
    };
    match (rule, end) {
        (Some(rule), Some(end)) if errors.is_empty() => Ok(Some(Rule { end, ..rule })),
        (None, _) if errors.is_empty() => Err(vec![wrong("repeat", t!("Choose how it repeats."))]),
        _ => Err(errors),
    }
}

/// Which kind of the form says the rule, if one does.
#[must_use]
pub fn kind(rule: &Rule, first: NaiveDate) -> Option<&'static str> {
    let days: Vec<Weekday> = rule.days.iter().map(|day| day.weekday).collect();
    let shown = Rule {
        end: End::Never,
        ..rule.clone()
    };
    KINDS
        .into_iter()
        .find(|kind| rule_of(kind, rule.interval, &days, first).as_ref() == Some(&shown))
}

/// The same rule for a series whose first day moved from `old` to `new`: a weekly Monday that moves by a day becomes a
/// weekly Tuesday. Rules the form cannot show stay as they are.
#[must_use]
pub fn follow(rule: &Rule, old: NaiveDate, new: NaiveDate) -> Rule {
    let Some(kind) = kind(rule, old) else {
        return rule.clone();
    };
    let moved = (new - old).num_days().rem_euclid(7);
    let days: Vec<Weekday> = rule
        .days
        .iter()
        .map(|day| (0..moved).fold(day.weekday, |weekday, _| weekday.succ()))
        .collect();
    rule_of(kind, rule.interval, &days, new).map_or_else(
        || rule.clone(),
        |shifted| Rule {
            end: rule.end,
            week_start: rule.week_start,
            ..shifted
        },
    )
}

/// A rule as the form shows it.
#[must_use]
pub fn view(rule: &Rule, first: NaiveDate) -> RepeatView {
    let (ends, until, count) = match rule.end {
        End::Never => ("", String::new(), String::new()),
        End::Until(day) => ("until", day.to_string(), String::new()),
        End::Count(count) => ("count", String::new(), count.to_string()),
    };
    let kind = kind(rule, first).unwrap_or("keep");
    RepeatView {
        kind: kind.to_owned(),
        every: rule.interval,
        days: if kind == "weekly" {
            rule.days
                .iter()
                .map(|day| weekday_code(day.weekday).to_owned())
                .collect()
        } else {
            Vec::new()
        },
        ends: ends.to_owned(),
        until,
        count,
        text: describe(rule),
    }
}

fn day_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => t!("Monday"),
        Weekday::Tue => t!("Tuesday"),
        Weekday::Wed => t!("Wednesday"),
        Weekday::Thu => t!("Thursday"),
        Weekday::Fri => t!("Friday"),
        Weekday::Sat => t!("Saturday"),
        Weekday::Sun => t!("Sunday"),
    }
}

fn month_name(month: u8) -> String {
    NaiveDate::from_ymd_opt(2000, month.into(), 1)
        .map_or_else(String::new, |day| localtime::day(day, "%B", "%B"))
}

/// "first", "last", "second last"
fn ordinal(nth: i16) -> String {
    let word = match nth.unsigned_abs() {
        1 if nth < 0 => return t!("which" => "last").to_owned(),
        1 => t!("which" => "first").to_owned(),
        2 => t!("which" => "second").to_owned(),
        3 => t!("which" => "third").to_owned(),
        4 => t!("which" => "fourth").to_owned(),
        5 => t!("which" => "fifth").to_owned(),
        n => t!("{n}th"),
    };
    if nth < 0 { t!("{word} last") } else { word }
}

fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => t!("{} and {last}", rest.join(", ")),
    }
}

/// "Every 2 weeks on Monday and Thursday, until 24 Dec 2026"
#[must_use]
pub fn describe(rule: &Rule) -> String {
    let every = rule.interval;
    let mut text = match (rule.frequency, every) {
        (Frequency::Daily, 1) => t!("Every day").to_owned(),
        (Frequency::Weekly, 1) => t!("Every week").to_owned(),
        (Frequency::Monthly, 1) => t!("Every month").to_owned(),
        (Frequency::Yearly, 1) => t!("Every year").to_owned(),
        (Frequency::Daily, _) => t!("Every {every} days"),
        (Frequency::Weekly, _) => t!("Every {every} weeks"),
        (Frequency::Monthly, _) => t!("Every {every} months"),
        (Frequency::Yearly, _) => t!("Every {every} years"),
    };
    let clamped = rule.month_days.len() > 1
        && rule.positions == [-1]
        && rule.month_days.first() == Some(&28)
        && rule.days.is_empty();
    let days: Vec<String> = rule
        .days
        .iter()
        .map(|day| match day.nth {
            Some(nth) => t!("the {} {}", ordinal(nth.into()), day_name(day.weekday)),
            None => day_name(day.weekday).to_owned(),
        })
        .collect();
    let dates: Vec<String> = rule
        .month_days
        .iter()
        .map(|day| {
            if *day < 0 {
                t!("the {} day", ordinal((*day).into()))
            } else {
                t!("day {day}")
            }
        })
        .collect();
    if clamped {
        let day = rule.month_days.last().copied().unwrap_or(28);
        text.push_str(&t!(" on day {day}, or the last"));
    } else if !rule.positions.is_empty() {
        let nth: Vec<String> = rule.positions.iter().map(|at| ordinal(*at)).collect();
        let among = [days, dates].concat().join(", ");
        text.push_str(&t!(" on the {} of: {among}", listed(&nth)));
    } else {
        for part in [listed(&days), listed(&dates)] {
            if !part.is_empty() {
                text.push_str(&t!(" on {part}"));
            }
        }
    }
    if !rule.months.is_empty() {
        let months: Vec<String> = rule.months.iter().map(|month| month_name(*month)).collect();
        text.push_str(&t!(" in {}", listed(&months)));
    }
    match rule.end {
        End::Never => {}
        End::Until(day) => text.push_str(&t!(", until {}", localtime::date(day))),
        End::Count(1) => text.push_str(t!(", once")),
        End::Count(count) => text.push_str(&t!(", {count} times")),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn chosen(kind: &str, first: &str) -> String {
        let input = RepeatInput {
            kind: kind.to_owned(),
            ..RepeatInput::default()
        };
        read(&input, day(first), None).unwrap().unwrap().to_string()
    }

    #[test]
    fn choices_become_rules_and_rules_are_shown_as_choices() {
        for (kind, first, rule) in [
            ("daily", "2026-11-24", "FREQ=DAILY"),
            ("weekly", "2026-11-24", "FREQ=WEEKLY;BYDAY=TU"),
            ("monthly", "2026-11-24", "FREQ=MONTHLY;BYMONTHDAY=24"),
            (
                "monthly",
                "2027-01-30",
                "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1",
            ),
            ("monthly", "2027-01-31", "FREQ=MONTHLY;BYMONTHDAY=-1"),
            ("monthly_day", "2026-11-24", "FREQ=MONTHLY;BYDAY=4TU"),
            ("monthly_day", "2026-11-30", "FREQ=MONTHLY;BYDAY=-1MO"),
            (
                "yearly",
                "2026-11-24",
                "FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=24",
            ),
            (
                "yearly",
                "2028-02-29",
                "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1",
            ),
        ] {
            assert_eq!(chosen(kind, first), rule);
            assert_eq!(view(&rule.parse().unwrap(), day(first)).kind, kind);
        }
        let rich = "FREQ=MONTHLY;BYMONTHDAY=1,15;COUNT=4".parse().unwrap();
        let shown = view(&rich, day("2026-12-01"));
        assert_eq!(
            (shown.kind.as_str(), shown.text.as_str()),
            ("keep", "Every month on day 1 and day 15, 4 times")
        );
        let keep = RepeatInput {
            kind: "keep".to_owned(),
            ends: "count".to_owned(),
            count: "4".to_owned(),
            ..RepeatInput::default()
        };
        assert_eq!(
            read(&keep, day("2026-12-01"), Some(&rich)).unwrap(),
            Some(rich)
        );
    }

    #[test]
    fn wrong_choices_are_named_all_at_once() {
        let input = RepeatInput {
            kind: "weekly".to_owned(),
            every: "0".to_owned(),
            ends: "until".to_owned(),
            until: "2026-11-23".to_owned(),
            ..RepeatInput::default()
        };
        let fields: Vec<String> = read(&input, day("2026-11-24"), None)
            .unwrap_err()
            .into_iter()
            .map(|error| error.field)
            .collect();
        assert_eq!(fields, ["repeat_every", "repeat_until"]);
        let odd = RepeatInput {
            kind: "hourly".to_owned(),
            ..RepeatInput::default()
        };
        assert_eq!(
            read(&odd, day("2026-11-24"), None).unwrap_err()[0].field,
            "repeat"
        );
    }

    #[test]
    fn a_rule_follows_its_first_day() {
        for (rule, old, new, followed) in [
            (
                "FREQ=WEEKLY;BYDAY=MO,TH;COUNT=5",
                "2026-11-23",
                "2026-11-24",
                "FREQ=WEEKLY;BYDAY=TU,FR;COUNT=5",
            ),
            (
                "FREQ=WEEKLY;BYDAY=MO",
                "2026-11-23",
                "2026-11-22",
                "FREQ=WEEKLY;BYDAY=SU",
            ),
            (
                "FREQ=MONTHLY;BYDAY=4TU",
                "2026-11-24",
                "2026-12-02",
                "FREQ=MONTHLY;BYDAY=1WE",
            ),
            (
                "FREQ=MONTHLY;BYMONTHDAY=1,15",
                "2026-12-01",
                "2026-12-02",
                "FREQ=MONTHLY;BYMONTHDAY=1,15",
            ),
        ] {
            let rule: Rule = rule.parse().unwrap();
            assert_eq!(follow(&rule, day(old), day(new)).to_string(), followed);
        }
    }

    #[test]
    fn rules_read_as_sentences() {
        for (rule, text) in [
            (
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;UNTIL=20261224",
                "Every 2 weeks on Monday and Thursday, until 24 Dec 2026",
            ),
            ("FREQ=MONTHLY;BYDAY=-1FR", "Every month on the last Friday"),
            (
                "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1",
                "Every month on day 30, or the last",
            ),
            (
                "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1",
                "Every year on the last day in February",
            ),
            (
                "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1",
                "Every month on the first of: Monday, Tuesday",
            ),
        ] {
            assert_eq!(describe(&rule.parse().unwrap()), text);
        }
    }
}
