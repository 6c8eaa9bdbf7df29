//! Occurrences of Graph series inside a window.

use crate::zones;
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, Utc, Weekday};
use serde_json::{Value, json};
use std::collections::BTreeMap;

type Range = (DateTime<Utc>, DateTime<Utc>);

/// Instants of a stored event's start and end, in the zones written there.
pub(crate) fn range_of(body: &Value) -> Option<Range> {
    let at = |key: &str| {
        let zone = zones::zone(body[key]["timeZone"].as_str()?)?;
        Some(zones::instant(
            zones::wall(body[key]["dateTime"].as_str()?)?,
            zone,
        ))
    };
    Some((at("start")?, at("end")?))
}

/// What a calendar view shows of a stored event: `(id, body)` pairs. A single event shows itself; a
/// series shows its occurrences, preceded by the master when `with_master`.
pub(crate) fn visible(body: &Value, window: Range, with_master: bool) -> Vec<(String, Value)> {
    let id = body["id"].as_str().unwrap_or_default().to_owned();
    let inside = |range: Range| range.1 > window.0 && range.0 < window.1;
    if !body["recurrence"].is_object() {
        let shown = range_of(body).is_some_and(inside);
        return if shown {
            vec![(id, body.clone())]
        } else {
            Vec::new()
        };
    }
    let mut found: Vec<(String, Value)> = occurrences(body, window.1)
        .into_iter()
        .filter(|(_, item)| range_of(item).is_some_and(inside))
        .collect();
    if with_master && !found.is_empty() {
        found.insert(0, (id, body.clone()));
    }
    found
}

/// One occurrence by its id.
pub(crate) fn occurrence(body: &Value, id: &str) -> Option<Value> {
    let far = Utc::now() + chrono::TimeDelta::days(3660);
    occurrences(body, far)
        .into_iter()
        .find(|(i, _)| i == id)
        .map(|(_, item)| item)
}

/// Changed and deleted occurrences by day; null for deleted ones.
pub(crate) fn told_apart(body: &Value) -> BTreeMap<String, Value> {
    let spelled = |key: &str| {
        NaiveDate::parse_from_str(key, "%Y%m%d").map_or_else(|_| key.to_owned(), |d| d.to_string())
    };
    let master = body["id"].as_str().unwrap_or_default();
    let mut found: BTreeMap<String, Value> = exceptions(body)
        .into_iter()
        .filter_map(|item| {
            let (_, day) = split_id(item["id"].as_str()?)?;
            Some((day.to_string(), item))
        })
        .collect();
    debug_assert!(found.values().all(|item| item["seriesMasterId"] == master));
    for key in body["_cancelled"].as_array().into_iter().flatten() {
        found.insert(spelled(key.as_str().unwrap_or_default()), Value::Null);
    }
    found
}

/// The changed occurrences of a series.
pub(crate) fn exceptions(body: &Value) -> Vec<Value> {
    let far = Utc::now() + chrono::TimeDelta::days(3660);
    occurrences(body, far)
        .into_iter()
        .map(|(_, item)| item)
        .filter(|item| item["type"] == "exception")
        .collect()
}

/// Id of the occurrence on a day.
pub(crate) fn occurrence_id(master: &str, day: NaiveDate) -> String {
    format!(
        "{}_occ_{}=",
        master.trim_end_matches('='),
        day.format("%Y%m%d")
    )
}

/// Master id and day inside an occurrence id.
pub(crate) fn split_id(id: &str) -> Option<(String, NaiveDate)> {
    let (master, day) = id.trim_end_matches('=').rsplit_once("_occ_")?;
    Some((
        format!("{master}="),
        NaiveDate::parse_from_str(day, "%Y%m%d").ok()?,
    ))
}

fn occurrences(body: &Value, until: DateTime<Utc>) -> Vec<(String, Value)> {
    let master = body["id"].as_str().unwrap_or_default();
    let (Some(start), Some(end)) = (
        body["start"]["dateTime"].as_str().and_then(zones::wall),
        body["end"]["dateTime"].as_str().and_then(zones::wall),
    ) else {
        return Vec::new();
    };
    let length = end - start;
    let cancelled = body["_cancelled"].as_array().cloned().unwrap_or_default();
    let mut out = Vec::new();
    for day in days(
        &body["recurrence"],
        start,
        until.naive_utc().date() + Days::new(1),
    ) {
        let key = day.format("%Y%m%d").to_string();
        if cancelled.contains(&json!(key)) {
            continue;
        }
        let begins = day.and_time(start.time());
        let id = occurrence_id(master, day);
        let mut item = body.clone();
        item["id"] = id.clone().into();
        item["type"] = "occurrence".into();
        item["seriesMasterId"] = master.into();
        item["recurrence"] = Value::Null;
        item["transactionId"] = Value::Null;
        item["start"]["dateTime"] = zones::graph_wall(begins).into();
        item["end"]["dateTime"] = zones::graph_wall(begins + length).into();
        if let Some((at, _)) = range_of(&item) {
            item["originalStart"] = at.format("%Y-%m-%dT%H:%M:%SZ").to_string().into();
        }
        if let Some(patch) = body["_exceptions"].get(&key) {
            item["type"] = "exception".into();
            crate::http::merge(&mut item, patch);
        }
        out.push((id, item));
    }
    out
}

/// Days of a Graph pattern, at most 1000.
fn days(recurrence: &Value, start: NaiveDateTime, until: NaiveDate) -> Vec<NaiveDate> {
    let (pattern, range) = (&recurrence["pattern"], &recurrence["range"]);
    let interval = pattern["interval"].as_u64().unwrap_or(1).max(1);
    let date = |key: &str| {
        range[key]
            .as_str()
            .and_then(|t| NaiveDate::parse_from_str(t, "%Y-%m-%d").ok())
    };
    let first = date("startDate").unwrap_or_else(|| start.date());
    let last = match range["type"].as_str() {
        Some("endDate") => date("endDate").unwrap_or(until).min(until),
        _ => until,
    };
    let limit = match range["type"].as_str() {
        Some("numbered") => range["numberOfOccurrences"].as_u64().unwrap_or(1),
        _ => 1000,
    };
    let limit = usize::try_from(limit).unwrap_or(1000).min(1000);
    let named: Vec<&str> = pattern["daysOfWeek"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let begins = pattern["firstDayOfWeek"]
        .as_str()
        .and_then(|name| name.parse().ok())
        .unwrap_or(Weekday::Sun);
    let week_start = |d: NaiveDate| d.week(begins).first_day();
    let matches = |d: NaiveDate| -> bool {
        let gap = u64::try_from((d - first).num_days()).unwrap_or(0);
        let months = u64::try_from(
            i64::from(d.year() - first.year()) * 12 + i64::from(d.month())
                - i64::from(first.month()),
        )
        .unwrap_or(0);
        let weekday = named
            .iter()
            .any(|n| n.parse::<Weekday>().is_ok_and(|w| w == d.weekday()));
        // A day that a month does not have means its last one.
        let wanted = pattern["dayOfMonth"]
            .as_u64()
            .unwrap_or(u64::from(first.day()));
        let ends = d.succ_opt().is_none_or(|next| next.month() != d.month());
        let same_day = u64::from(d.day()) == wanted || (ends && u64::from(d.day()) < wanted);
        // `first` … `last` of the month among the named days.
        let nth = match pattern["index"].as_str() {
            Some("last") => (d + Days::new(7)).month() != d.month(),
            index => {
                let wanted = ["first", "second", "third", "fourth"]
                    .iter()
                    .position(|n| Some(*n) == index)
                    .unwrap_or(0);
                usize::try_from((d.day() - 1) / 7).is_ok_and(|week| week == wanted)
            }
        };
        let month = u64::from(d.month())
            == pattern["month"]
                .as_u64()
                .unwrap_or(u64::from(first.month()));
        match pattern["type"].as_str() {
            Some("weekly") => {
                let weeks = (week_start(d) - week_start(first)).num_days() / 7;
                weekday && u64::try_from(weeks).unwrap_or(0) % interval == 0
            }
            Some("absoluteMonthly") => same_day && months % interval == 0,
            Some("relativeMonthly") => weekday && nth && months % interval == 0,
            Some("absoluteYearly") => same_day && month && months % (12 * interval) == 0,
            Some("relativeYearly") => weekday && nth && month && months % (12 * interval) == 0,
            _ => gap % interval == 0,
        }
    };
    let horizon = first
        .checked_add_months(Months::new(240))
        .unwrap_or(last)
        .min(last);
    first
        .iter_days()
        .take_while(|d| *d <= horizon)
        .filter(|d| matches(*d))
        .take(limit)
        .collect()
}
