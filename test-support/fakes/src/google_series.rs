//! Single occurrences of Google series: `{series}_{20261124T090000Z}` (all-day: `{series}_{20261124}`).

use crate::Provider;
use crate::google_events::{Range, store};
use crate::state::{Calendar, Event, State};
use crate::zones;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone, Utc};
use serde_json::{Value, json};

/// The stored event, or an unchanged occurrence of a live series made up from its id. Whether the
/// rule really has an occurrence there is not checked: rules are opaque to the fake.
pub(crate) fn find(calendar: &Calendar, id: &str) -> Option<Event> {
    calendar
        .events
        .get(id)
        .cloned()
        .or_else(|| occurrence(calendar, id))
}

/// The occurrence that the series has at that time, as `originalStart` names it.
pub(crate) fn at(calendar: &Calendar, series: &str, original: &str) -> Option<Event> {
    let stamp = match NaiveDate::parse_from_str(original, "%Y-%m-%d") {
        Ok(day) => day.format("%Y%m%d").to_string(),
        Err(_) => DateTime::parse_from_rfc3339(original)
            .ok()?
            .with_timezone(&Utc)
            .format("%Y%m%dT%H%M%SZ")
            .to_string(),
    };
    find(calendar, &format!("{series}_{stamp}"))
}

fn occurrence(calendar: &Calendar, id: &str) -> Option<Event> {
    let (series, stamp) = id.rsplit_once('_')?;
    let master = calendar.events.get(series).filter(|e| !e.deleted)?;
    master.body.get("recurrence")?;
    let (start, end) = master.history.last()?.range?;
    let (begins, ends) = if let Ok(day) = NaiveDate::parse_from_str(stamp, "%Y%m%d") {
        let days = (end - start).num_days();
        let last = day + chrono::TimeDelta::days(days);
        (
            json!({"date": day.to_string()}),
            json!({"date": last.to_string()}),
        )
    } else {
        let at = NaiveDateTime::parse_from_str(stamp, "%Y%m%dT%H%M%SZ")
            .ok()?
            .and_utc();
        let zone = master.body["start"]["timeZone"].as_str()?;
        (
            point(at, calendar, zone)?,
            point(at + (end - start), calendar, zone)?,
        )
    };
    let mut body = master.body.clone();
    if let Value::Object(map) = &mut body {
        map.remove("recurrence");
    }
    body["id"] = id.into();
    body["recurringEventId"] = series.into();
    body["originalStartTime"] = begins.clone();
    body["start"] = begins;
    body["end"] = ends;
    Some(Event {
        seq: master.seq,
        deleted: false,
        body,
        extended: Vec::new(),
        history: Vec::new(),
    })
}

fn point(at: DateTime<Utc>, calendar: &Calendar, zone: &str) -> Option<Value> {
    let local = zones::zone(&calendar.zone)?.from_utc_datetime(&at.naive_utc());
    let text = local.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    Some(json!({"dateTime": text, "timeZone": zone}))
}

/// A stricter visibility of one occurrence is that of the whole series, a looser one is ignored; exceptions go along with
/// their series (Calendar API v3, `Event.visibility`).
pub(crate) fn share_visibility(state: &mut State, calendar_id: &str, event: &mut Value) {
    let rank = |word: &Value| match word.as_str() {
        Some("confidential") => 2,
        Some("private") => 1,
        _ => 0,
    };
    let own = event["id"].as_str().unwrap_or_default().to_owned();
    let series = event["recurringEventId"]
        .as_str()
        .unwrap_or(&own)
        .to_owned();
    let Some(calendar) = state.calendar(Provider::Google, calendar_id) else {
        return;
    };
    let said = event["visibility"].clone();
    let of_series = calendar
        .events
        .get(&series)
        .map(|e| e.body["visibility"].clone());
    if let Some(known) = of_series.filter(|known| series != own && rank(known) >= rank(&said)) {
        event["visibility"] = known;
        return;
    }
    let others: Vec<(Value, Option<Range>)> = calendar
        .events
        .values()
        .filter(|e| !e.deleted && e.body["id"] != json!(own))
        .filter(|e| e.body["id"] == json!(series) || e.body["recurringEventId"] == json!(series))
        .filter(|e| e.body["visibility"] != said)
        .map(|e| (e.body.clone(), e.history.last().and_then(|past| past.range)))
        .collect();
    for (mut body, range) in others {
        body["visibility"] = said.clone();
        store(state, calendar_id, body, range);
    }
}
