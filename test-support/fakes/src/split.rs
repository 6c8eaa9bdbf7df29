//! "This and following" as the providers' own pages do it: the series ends earlier, and another one goes on.
//!
//! Google gives that one the first one's id with its first time (`{series}_R20261215T080000`) and the same UID. Outlook makes a
//! series of its own; whether it has the properties of the first one is not documented, so that clients must cope with both.

use crate::http::{Reply, merge};
use crate::state::{Provider, State};
use crate::{google_events, graph_events, zones};
use chrono::{Days, NaiveDate, TimeDelta};
use serde_json::{Value, json};

/// The rule of an unending series, for its first half and for its second.
fn lines(series: &Value, last: &str) -> [Value; 2] {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for line in series["recurrence"].as_array().into_iter().flatten() {
        let line = line.as_str().unwrap_or_default();
        if !line.starts_with("RRULE:") {
            first.push(json!(line));
            continue;
        }
        let kept: Vec<&str> = line
            .split(';')
            .filter(|part| !part.starts_with("UNTIL=") && !part.starts_with("COUNT="))
            .collect();
        first.push(json!(format!("{};UNTIL={last}", kept.join(";"))));
        second.push(json!(line));
    }
    [first.into(), second.into()]
}

/// Splits a Google series on the day, in its own zone; `patch` says what differs from then on, a counted rule too.
pub(crate) fn google(
    state: &mut State,
    calendar_id: &str,
    id: &str,
    day: NaiveDate,
    patch: &Value,
) -> Result<Value, Reply> {
    let calendar = state.calendar(Provider::Google, calendar_id);
    let calendar = calendar.ok_or_else(|| crate::google::usual(404))?;
    let old = calendar.events.get(id).filter(|event| !event.deleted);
    let old = old.ok_or_else(|| crate::google::usual(404))?.body.clone();
    let mut new = old.clone();
    let (stamp, last);
    if let Some(date) = old["start"]["date"].as_str() {
        let first: NaiveDate = date.parse().map_err(|_| crate::google::usual(400))?;
        let by = day - first;
        for key in ["start", "end"] {
            let text = old[key]["date"].as_str().unwrap_or_default();
            let at: NaiveDate = text.parse().map_err(|_| crate::google::usual(400))?;
            new[key] = json!({ "date": at + by });
        }
        stamp = day.format("%Y%m%d").to_string();
        last = (day - Days::new(1)).format("%Y%m%d").to_string();
    } else {
        let zone = old["start"]["timeZone"].as_str().unwrap_or("UTC");
        let zone: chrono_tz::Tz = zone.parse().map_err(|_| crate::google::usual(400))?;
        let at = |key: &str| {
            let text = old[key]["dateTime"].as_str().unwrap_or_default();
            chrono::DateTime::parse_from_rfc3339(text).map(|at| at.with_timezone(&zone))
        };
        let start = at("start").map_err(|_| crate::google::usual(400))?;
        let end = at("end").map_err(|_| crate::google::usual(400))?;
        let begins = zones::instant(day.and_time(start.time()), zone);
        for (key, instant) in [("start", begins), ("end", begins + (end - start))] {
            new[key] = json!({ "dateTime": instant.to_rfc3339(), "timeZone": zone.name() });
        }
        stamp = begins.format("%Y%m%dT%H%M%S").to_string();
        let before = begins - TimeDelta::seconds(1);
        last = before.format("%Y%m%dT%H%M%SZ").to_string();
    }
    let [first, second] = lines(&old, &last);
    let root = id.rsplit_once("_R").map_or(id, |(root, _)| root);
    new["recurrence"] = second;
    merge(&mut new, patch);
    new["id"] = format!("{root}_R{stamp}").into();
    let mut short = old;
    short["recurrence"] = first;
    google_events::put_split(state, calendar_id, short, new, day)
}

/// Splits an Outlook series on the day; its second half has the properties of the first if `keeps_properties`.
pub(crate) fn graph(
    state: &mut State,
    calendar_id: &str,
    id: &str,
    day: NaiveDate,
    patch: &Value,
    keeps_properties: bool,
) -> Result<Value, Reply> {
    let calendar = state.calendar(Provider::Microsoft, calendar_id);
    let old = calendar.and_then(|calendar| calendar.events.get(id));
    let old = old.filter(|event| !event.deleted);
    let (old, extended) = old
        .map(|event| (event.body.clone(), event.extended.clone()))
        .ok_or_else(|| crate::graph::usual(404))?;
    let mut new = json!({});
    for key in [
        "subject",
        "body",
        "location",
        "showAs",
        "sensitivity",
        "isAllDay",
        "recurrence",
    ] {
        new[key] = old[key].clone();
    }
    let first = old["recurrence"]["range"]["startDate"].as_str();
    let first: Option<NaiveDate> = first.and_then(|text| text.parse().ok());
    let by = day - first.ok_or_else(|| crate::graph::usual(400))?;
    for key in ["start", "end"] {
        let text = old[key]["dateTime"].as_str().unwrap_or_default();
        let at = zones::wall(text).ok_or_else(|| crate::graph::usual(400))?;
        new[key] = json!({
            "dateTime": zones::graph_wall(at + by),
            "timeZone": old[key]["timeZone"],
        });
    }
    new["recurrence"]["range"]["startDate"] = json!(day);
    merge(&mut new, patch);
    if keeps_properties {
        new["singleValueExtendedProperties"] = extended.into();
    }
    let mut short = old;
    short["recurrence"]["range"]["type"] = "endDate".into();
    short["recurrence"]["range"]["endDate"] = json!(day - Days::new(1));
    graph_events::end_earlier(state, calendar_id, short, day);
    graph_events::create(state, calendar_id, &new).map(|(_, event)| event)
}
