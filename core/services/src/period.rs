//! A period of days, as a form asks for it.

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use daybind_domain::error::FieldError;
use daybind_words::t;

use crate::localtime;

/// Its first instant, and the first one after it.
pub type Period = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// From the first day (field `from`) to the last one (`until`), both `YYYY-MM-DD` in the reader's zone; empty where it has no
/// such end.
///
/// # Errors
/// What is wrong with which field.
pub fn days(from: &str, until: &str, zone: Tz) -> Result<Period, Vec<FieldError>> {
    let mut wrong = Vec::new();
    let mut refuse = |field: &str, message: &str| {
        wrong.push(FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        });
    };
    let mut day = |field: &str, text: &str, more: u64| {
        let day = text.trim();
        if day.is_empty() {
            return None;
        }
        let at = NaiveDate::parse_from_str(day, "%Y-%m-%d")
            .ok()
            .and_then(|day| day.checked_add_days(Days::new(more)))
            .and_then(|day| localtime::start_of_day(day, zone));
        if at.is_none() {
            refuse(field, t!("Enter a day such as 2026-11-24."));
        }
        at
    };
    let (first, end) = (day("from", from, 0), day("until", until, 1));
    if let (Some(first), Some(end)) = (first, end)
        && first >= end
    {
        refuse("until", t!("The last day is before the first."));
    }
    if wrong.is_empty() {
        Ok((first, end))
    } else {
        Err(wrong)
    }
}
