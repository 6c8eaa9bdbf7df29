//! How an entry repeats: the part of RFC 5545 (section 3.3.10) that Daybind plans with, as a typed value.
//!
//! A rule speaks of days, never of times of day: an occurrence is named by its day in the zone its series was planned in,
//! and keeps that name when it is moved. What the type cannot say is refused whole, never simplified.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ids::EntryId;

/// The most occurrences a rule may count.
pub const COUNT_MAX: u32 = 9_999;
/// The longest interval.
pub const INTERVAL_MAX: u16 = 999;

/// `FREQ`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frequency {
    /// Days.
    Daily,
    /// Weeks.
    Weekly,
    /// Months.
    Monthly,
    /// Years.
    Yearly,
}

/// One part of `BYDAY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByDay {
    /// Which one of the month or year, from its end when negative; every one when absent.
    pub nth: Option<i8>,
    /// The weekday.
    pub weekday: Weekday,
}

/// When a series ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Never.
    Never,
    /// `UNTIL`: the last day it may have, in the series' zone.
    Until(NaiveDate),
    /// `COUNT`: after so many occurrences, cancelled ones included.
    Count(u32),
}

/// A recurrence rule. Serialised as the text of an `RRULE` whose `UNTIL` is a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule {
    /// `FREQ`
    pub frequency: Frequency,
    /// `INTERVAL`, 1 to [`INTERVAL_MAX`].
    pub interval: u16,
    /// `BYDAY`, Monday first.
    pub days: Vec<ByDay>,
    /// `BYMONTHDAY`, 1 to 31, or from the end of the month when negative.
    pub month_days: Vec<i8>,
    /// `BYMONTH`, 1 to 12.
    pub months: Vec<u8>,
    /// `BYSETPOS`
    pub positions: Vec<i16>,
    /// `WKST`; Monday wherever it makes no difference.
    pub week_start: Weekday,
    /// `UNTIL` or `COUNT`.
    pub end: End,
}

/// Why a text is no rule Daybind plans with.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleError {
    /// A part that is not in the subset, by its name.
    #[error("the rule uses {0}, which Daybind does not plan with")]
    Unsupported(String),
    /// A part whose value makes no sense, by its name.
    #[error("the rule's {0} cannot be read")]
    Malformed(&'static str),
}

/// Which occurrence of which series an entry stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OccurrenceOf {
    /// The series.
    pub series: EntryId,
    /// The day the rule gives it, in the series' zone; it stays when the occurrence is moved.
    pub day: NaiveDate,
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Mon),
    ("TU", Weekday::Tue),
    ("WE", Weekday::Wed),
    ("TH", Weekday::Thu),
    ("FR", Weekday::Fri),
    ("SA", Weekday::Sat),
    ("SU", Weekday::Sun),
];

/// The weekday of `MO` to `SU`.
#[must_use]
pub fn weekday(code: &str) -> Option<Weekday> {
    WEEKDAYS
        .iter()
        .find(|(known, _)| *known == code)
        .map(|(_, day)| *day)
}

/// `MO` to `SU`.
#[must_use]
pub fn weekday_code(day: Weekday) -> &'static str {
    WEEKDAYS
        .iter()
        .find(|(_, known)| *known == day)
        .map_or("MO", |(code, _)| code)
}

impl Rule {
    /// Every so many days, weeks, months or years, without end.
    #[must_use]
    pub fn every(frequency: Frequency, interval: u16) -> Self {
        Self {
            frequency,
            interval,
            days: Vec::new(),
            month_days: Vec::new(),
            months: Vec::new(),
            positions: Vec::new(),
            week_start: Weekday::Mon,
            end: End::Never,
        }
    }

    /// Reads the value of an `RRULE`, without its name. `until` reads the value of `UNTIL`: which day it means depends on
    /// the series' zone and time of day.
    ///
    /// # Errors
    /// [`RuleError`]
    pub fn read(text: &str, until: impl Fn(&str) -> Option<NaiveDate>) -> Result<Self, RuleError> {
        let mut rule = Self::every(Frequency::Daily, 1);
        let mut frequency = None;
        for part in text.trim().split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| RuleError::Unsupported(part.to_owned()))?;
            let value = value.trim().to_ascii_uppercase();
            match name.trim().to_ascii_uppercase().as_str() {
                "FREQ" => {
                    frequency = Some(match value.as_str() {
                        "DAILY" => Frequency::Daily,
                        "WEEKLY" => Frequency::Weekly,
                        "MONTHLY" => Frequency::Monthly,
                        "YEARLY" => Frequency::Yearly,
                        other => return Err(RuleError::Unsupported(format!("FREQ={other}"))),
                    });
                }
                "INTERVAL" => {
                    rule.interval = value
                        .parse()
                        .map_err(|_| RuleError::Malformed("INTERVAL"))?;
                }
                "COUNT" => {
                    let count = value.parse().map_err(|_| RuleError::Malformed("COUNT"))?;
                    rule.ends(End::Count(count))?;
                }
                "UNTIL" => {
                    let day = until(&value).ok_or(RuleError::Malformed("UNTIL"))?;
                    rule.ends(End::Until(day))?;
                }
                "BYDAY" => rule.days = list(&value, "BYDAY", by_day)?,
                "BYMONTHDAY" => {
                    rule.month_days = list(&value, "BYMONTHDAY", |text| text.parse().ok())?;
                }
                "BYMONTH" => rule.months = list(&value, "BYMONTH", |text| text.parse().ok())?,
                "BYSETPOS" => {
                    rule.positions = list(&value, "BYSETPOS", |text| text.parse().ok())?;
                }
                "WKST" => {
                    rule.week_start = weekday(&value).ok_or(RuleError::Malformed("WKST"))?;
                }
                other => return Err(RuleError::Unsupported(other.to_owned())),
            }
        }
        rule.frequency = frequency.ok_or(RuleError::Malformed("FREQ"))?;
        rule.checked()
    }

    fn ends(&mut self, end: End) -> Result<(), RuleError> {
        // RFC 5545 forbids both; which one was meant cannot be told.
        if self.end != End::Never {
            return Err(RuleError::Malformed("COUNT"));
        }
        self.end = end;
        Ok(())
    }

    /// Puts a rule in order: sorted lists, no week start where none matters.
    ///
    /// # Errors
    /// [`RuleError`] when its parts do not go together.
    pub fn checked(mut self) -> Result<Self, RuleError> {
        use Frequency::{Daily, Monthly, Weekly, Yearly};
        let wrong = |name| Err(RuleError::Malformed(name));
        if !(1..=INTERVAL_MAX).contains(&self.interval) {
            return wrong("INTERVAL");
        }
        if matches!(self.end, End::Count(count) if count == 0 || count > COUNT_MAX) {
            return wrong("COUNT");
        }
        let ordinals = self.days.iter().filter_map(|day| day.nth);
        let most = if self.frequency == Yearly && self.months.is_empty() {
            53
        } else {
            5
        };
        for nth in ordinals {
            if nth == 0 || nth.abs() > most || matches!(self.frequency, Daily | Weekly) {
                return wrong("BYDAY");
            }
        }
        if self
            .month_days
            .iter()
            .any(|day| *day == 0 || day.abs() > 31)
            || (self.frequency == Weekly && !self.month_days.is_empty())
        {
            return wrong("BYMONTHDAY");
        }
        if self.months.iter().any(|month| !(1..=12).contains(month)) {
            return wrong("BYMONTH");
        }
        let narrowed =
            !(self.days.is_empty() && self.month_days.is_empty() && self.months.is_empty());
        if self.positions.iter().any(|at| *at == 0 || at.abs() > 366)
            || (!self.positions.is_empty() && !narrowed)
        {
            return wrong("BYSETPOS");
        }
        self.days
            .sort_by_key(|day| (day.weekday.num_days_from_monday(), day.nth));
        self.days.dedup();
        self.month_days.sort_unstable();
        self.month_days.dedup();
        self.months.sort_unstable();
        self.months.dedup();
        self.positions.sort_unstable();
        self.positions.dedup();
        let weeks_matter = self.frequency == Weekly && self.interval > 1;
        if !weeks_matter {
            self.week_start = Weekday::Mon;
        }
        debug_assert!(matches!(self.frequency, Daily | Weekly | Monthly | Yearly));
        Ok(self)
    }

    /// The same rule with what it takes from its first day said outright, so that two ways of saying the same are equal.
    #[must_use]
    pub fn spelled_out(mut self, first: NaiveDate) -> Self {
        let month = u8::try_from(first.month()).unwrap_or(1);
        let day = i8::try_from(first.day()).unwrap_or(1);
        let open = self.days.is_empty() && self.month_days.is_empty();
        match self.frequency {
            Frequency::Weekly if self.days.is_empty() => self.days.push(ByDay {
                nth: None,
                weekday: first.weekday(),
            }),
            Frequency::Monthly if open => self.month_days.push(day),
            Frequency::Yearly if open => {
                self.month_days.push(day);
                if self.months.is_empty() {
                    self.months.push(month);
                }
            }
            _ => {}
        }
        self
    }
}

fn list<T>(
    value: &str,
    name: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, RuleError> {
    value
        .split(',')
        .map(|text| read(text.trim()).ok_or(RuleError::Malformed(name)))
        .collect()
}

fn by_day(text: &str) -> Option<ByDay> {
    let (nth, code) = text.split_at_checked(text.len().checked_sub(2)?)?;
    Some(ByDay {
        nth: if nth.is_empty() {
            None
        } else {
            Some(nth.strip_prefix('+').unwrap_or(nth).parse().ok()?)
        },
        weekday: weekday(code)?,
    })
}

/// `YYYYMMDD`
#[must_use]
pub fn read_day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y%m%d").ok()
}

impl FromStr for Rule {
    type Err = RuleError;

    /// Reads the stored form.
    fn from_str(text: &str) -> Result<Self, RuleError> {
        Self::read(text, read_day)
    }
}

impl TryFrom<String> for Rule {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        text.parse()
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.to_string()
    }
}

impl fmt::Display for ByDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(nth) = self.nth {
            write!(f, "{nth}")?;
        }
        f.write_str(weekday_code(self.weekday))
    }
}

impl Rule {
    /// The text of the `RRULE` without its end, which each side spells its own way.
    #[must_use]
    pub fn without_end(&self) -> String {
        fn joined<T: ToString>(list: &[T]) -> String {
            list.iter().map(T::to_string).collect::<Vec<_>>().join(",")
        }
        let frequency = match self.frequency {
            Frequency::Daily => "DAILY",
            Frequency::Weekly => "WEEKLY",
            Frequency::Monthly => "MONTHLY",
            Frequency::Yearly => "YEARLY",
        };
        let mut text = format!("FREQ={frequency}");
        if self.interval > 1 {
            text.push_str(&format!(";INTERVAL={}", self.interval));
        }
        for (name, value) in [
            ("BYMONTH", joined(&self.months)),
            ("BYMONTHDAY", joined(&self.month_days)),
            ("BYDAY", joined(&self.days)),
            ("BYSETPOS", joined(&self.positions)),
        ] {
            if !value.is_empty() {
                text.push_str(&format!(";{name}={value}"));
            }
        }
        if self.week_start != Weekday::Mon {
            text.push_str(&format!(";WKST={}", weekday_code(self.week_start)));
        }
        text
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.without_end())?;
        match self.end {
            End::Never => Ok(()),
            End::Until(day) => write!(f, ";UNTIL={}", day.format("%Y%m%d")),
            End::Count(count) => write!(f, ";COUNT={count}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// W8: every part of a rule survives, ordinals and ends included.
    #[test]
    fn what_is_read_is_written_again() {
        for text in [
            "FREQ=DAILY",
            "FREQ=DAILY;INTERVAL=3;COUNT=10",
            "FREQ=WEEKLY;BYDAY=MO,WE,FR;UNTIL=20261224",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=SU",
            "FREQ=MONTHLY;BYDAY=2TU",
            "FREQ=MONTHLY;BYDAY=-1FR;COUNT=4",
            "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1",
        ] {
            let rule: Rule = text.parse().unwrap();
            assert_eq!(rule.to_string(), text);
            let json = serde_json::to_string(&rule).unwrap();
            assert_eq!(serde_json::from_str::<Rule>(&json).unwrap(), rule);
        }
    }

    #[test]
    fn two_ways_of_saying_the_same_are_equal() {
        let first = "2026-11-24".parse().unwrap();
        for (a, b) in [
            ("FREQ=WEEKLY", "FREQ=WEEKLY;WKST=SU;BYDAY=TU;INTERVAL=1"),
            ("FREQ=MONTHLY", "FREQ=MONTHLY;BYMONTHDAY=24"),
            ("FREQ=YEARLY", "FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=24"),
            ("FREQ=WEEKLY;BYDAY=WE,MO", "freq=weekly;byday=MO,WE,MO"),
            ("FREQ=MONTHLY;BYDAY=+2TU", "FREQ=MONTHLY;BYDAY=2TU"),
        ] {
            let read = |text: &str| text.parse::<Rule>().unwrap().spelled_out(first);
            assert_eq!(read(a), read(b));
        }
    }

    /// W8: what Daybind does not plan with is refused, not cut down to what it knows.
    #[test]
    fn nothing_is_simplified() {
        for text in [
            "",
            "FREQ=HOURLY",
            "FREQ=DAILY;BYHOUR=9",
            "FREQ=YEARLY;BYWEEKNO=20",
            "FREQ=YEARLY;BYYEARDAY=100",
            "FREQ=DAILY;COUNT=3;UNTIL=20261224",
            "FREQ=DAILY;COUNT=0",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=WEEKLY;BYDAY=2TU",
            "FREQ=WEEKLY;BYMONTHDAY=3",
            "FREQ=MONTHLY;BYDAY=0TU",
            "FREQ=MONTHLY;BYMONTHDAY=32",
            "FREQ=MONTHLY;BYSETPOS=1",
            "FREQ=WEEKLY;BYDAY=XX",
            "FREQ=WEEKLY;BYDAY=é",
            "RRULE:FREQ=DAILY",
            "FREQ=DAILY;EXDATE=20261224",
        ] {
            assert!(text.parse::<Rule>().is_err(), "{text}");
        }
    }
}
