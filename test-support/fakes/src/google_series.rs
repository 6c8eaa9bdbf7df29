//! Single occurrences of Google series: `{series}_{20261124T090000Z}` (all-day: `{series}_{20261124}`).

use crate::state::{Calendar, Event};
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
