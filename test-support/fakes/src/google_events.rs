//! Google events: list with page and sync tokens, and the writes.

use crate::google::{error, number, usual};
use crate::google_push;
use crate::google_series;
use crate::http::{Call, Reply, merge, pack, unpack};
use crate::state::{Calendar, Event, Past, Provider, State};
use crate::zones;
use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub(crate) type Range = (DateTime<Utc>, DateTime<Utc>);

/// Parameters Google refuses together with a sync token.
const NOT_WITH_SYNC: &[&str] = &[
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
];

fn etag(seq: u64) -> String {
    format!("\"{}\"", 3_400_000_000_000_000_u64 + seq * 2)
}

/// What a client sees of a stored event; a deleted one shows little more than its id.
fn view(event: &Event) -> Value {
    if !event.deleted {
        return event.body.clone();
    }
    let mut gone = json!({"kind": "calendar#event", "etag": event.body["etag"],
                          "id": event.body["id"], "status": "cancelled"});
    for key in ["recurringEventId", "originalStartTime"] {
        if let Some(value) = event.body.get(key) {
            gone[key] = value.clone();
        }
    }
    gone
}

/// `events.list`: full with page tokens, or incremental with a sync token.
pub(crate) fn list(state: &State, call: &Call, id: &str) -> Result<Reply, Reply> {
    let calendar = state
        .calendar(Provider::Google, id)
        .ok_or_else(|| usual(404))?;
    let size = number(call, "maxResults", 250, 2500)?;
    let single = call.q("singleEvents") == Some("true");
    let time = |name: &str| match call.q(name) {
        None => Ok(None),
        Some(text) => DateTime::parse_from_rfc3339(text)
            .map(|t| Some(t.with_timezone(&Utc)))
            .map_err(|_| error(400, "badRequest", "Bad Request")),
    };
    let (min, max) = (time("timeMin")?, time("timeMax")?);
    if let (Some(min), Some(max)) = (min, max)
        && max <= min
    {
        return Err(error(
            400,
            "timeRangeEmpty",
            "The specified time range is empty.",
        ));
    }
    let mut since = 0;
    if let Some(text) = call.q("syncToken") {
        if let Some(bad) = NOT_WITH_SYNC.iter().find(|n| call.q(n).is_some()) {
            let text = format!("Sync token cannot be combined with the parameter '{bad}'.");
            return Err(error(400, "badRequest", &text));
        }
        if call.q("showDeleted") == Some("false") {
            let text = "showDeleted cannot be false together with a sync token.";
            return Err(error(400, "badRequest", text));
        }
        let token = unpack(text).filter(|t| t["cal"] == json!(id));
        let token = token.ok_or_else(|| error(400, "invalid", "Invalid sync token value."))?;
        if token["epoch"] != json!(calendar.epoch) {
            return Err(usual(410));
        }
        if token["single"] != json!(single) {
            return Err(error(
                400,
                "badRequest",
                "singleEvents differs from the initial request.",
            ));
        }
        since = token["seq"].as_u64().unwrap_or(0);
    }
    let incremental = call.q("syncToken").is_some();
    let (mut from, mut high) = (since, state.seq);
    if let Some(text) = call.q("pageToken") {
        let page = unpack(text).filter(|t| t["page"] == json!(id) && t["since"] == json!(since));
        let page = page.ok_or_else(|| error(400, "invalid", "Invalid page token value."))?;
        from = page["from"].as_u64().unwrap_or(0);
        high = page["high"].as_u64().unwrap_or(0);
    }
    let show_deleted = incremental || call.q("showDeleted") == Some("true");
    let mut found: Vec<&Event> = calendar
        .events
        .values()
        .filter(|e| e.seq > from && e.seq <= high)
        .filter(|e| show_deleted || !e.deleted || is_cancelled_part(calendar, e))
        .filter(|e| incremental || in_window(e, min, max))
        .filter(|e| property_matches(call, e, "privateExtendedProperty", "private"))
        .filter(|e| property_matches(call, e, "sharedExtendedProperty", "shared"))
        .filter(|e| {
            call.q("iCalUID")
                .is_none_or(|uid| e.body["iCalUID"] == json!(uid))
        })
        .collect();
    found.sort_by_key(|e| e.seq);
    let more = found.len() > size;
    found.truncate(size);
    let mut body = json!({
        "kind": "calendar#events",
        "etag": etag(high),
        "summary": calendar.name,
        "description": "",
        "updated": zones::millis(Utc::now()),
        "timeZone": calendar.zone,
        "accessRole": if calendar.can_write { "owner" } else { "reader" },
        "defaultReminders": [],
        "items": found.iter().map(|e| view(e)).collect::<Vec<_>>(),
    });
    if more {
        let last = found.last().map_or(0, |e| e.seq);
        body["nextPageToken"] =
            pack(&json!({"page": id, "since": since, "from": last, "high": high})).into();
    } else {
        body["nextSyncToken"] =
            pack(&json!({"cal": id, "seq": high, "epoch": calendar.epoch, "single": single}))
                .into();
    }
    Ok(Reply::json(200, body))
}

/// Deleted occurrences of a live series are listed in any case, so that clients leave them out.
fn is_cancelled_part(calendar: &Calendar, event: &Event) -> bool {
    event.body["recurringEventId"]
        .as_str()
        .and_then(|series| calendar.events.get(series))
        .is_some_and(|series| !series.deleted)
}

/// `events.instances`, for one `originalStart`.
pub(crate) fn instances(calendar: &Calendar, call: &Call, series: &str) -> Result<Reply, Reply> {
    let master = calendar
        .events
        .get(series)
        .filter(|e| !e.deleted)
        .ok_or_else(|| usual(404))?;
    let Some(original) = call.q("originalStart") else {
        return Err(error(400, "required", "The fake wants originalStart."));
    };
    let found = google_series::at(calendar, series, original)
        .filter(|e| !e.deleted || call.q("showDeleted") == Some("true"));
    let mut body = json!({
        "kind": "calendar#events", "etag": master.body["etag"], "summary": calendar.name,
        "timeZone": calendar.zone, "accessRole": "owner", "defaultReminders": [],
        "items": found.iter().map(view).collect::<Vec<_>>(),
    });
    body["updated"] = zones::millis(Utc::now()).into();
    Ok(Reply::json(200, body))
}

fn in_window(event: &Event, min: Option<DateTime<Utc>>, max: Option<DateTime<Utc>>) -> bool {
    // A series is kept whatever its first occurrence: its rule is opaque here.
    if event.body.get("recurrence").is_some()
        || (event.deleted && event.body.get("recurringEventId").is_some())
    {
        return true;
    }
    match event.history.iter().rev().find_map(|past| past.range) {
        Some((start, end)) => min.is_none_or(|m| end > m) && max.is_none_or(|m| start < m),
        None => true,
    }
}

fn property_matches(call: &Call, event: &Event, parameter: &str, kind: &str) -> bool {
    call.query
        .iter()
        .filter(|(k, _)| k == parameter)
        .all(|(_, wanted)| {
            wanted.split_once('=').is_some_and(|(name, value)| {
                event.body["extendedProperties"][kind][name] == json!(value)
            })
        })
}

/// `events.get`; a deleted event is still found, as cancelled.
pub(crate) fn get(calendar: &Calendar, id: &str) -> Result<Reply, Reply> {
    let event = google_series::find(calendar, id).ok_or_else(|| usual(404))?;
    let body = view(&event);
    let tag = body["etag"].as_str().unwrap_or_default().to_owned();
    Ok(Reply::json(200, body).with("etag", &tag))
}

/// Insert, patch, update and delete over HTTP.
pub(crate) fn write(
    state: &mut State,
    call: &Call,
    operation: &str,
    calendar: &str,
    event: Option<&str>,
) -> Result<Reply, Reply> {
    if let Some(text) = call.q("sendUpdates")
        && !matches!(text, "all" | "externalOnly" | "none")
    {
        return Err(error(
            400,
            "invalidParameter",
            "Invalid value for sendUpdates.",
        ));
    }
    let condition = call.header("if-match");
    if operation == "google.events.delete" {
        remove(state, calendar, event.unwrap_or_default(), condition)?;
        return Ok(Reply::empty(204));
    }
    let body = call.json().filter(Value::is_object);
    let body = body.ok_or_else(|| error(400, "parseError", "Parse Error"))?;
    let stored = match operation {
        "google.events.insert" => insert(state, calendar, &body)?,
        "google.events.patch" => change(
            state,
            calendar,
            event.unwrap_or_default(),
            &body,
            true,
            condition,
        )?,
        _ => change(
            state,
            calendar,
            event.unwrap_or_default(),
            &body,
            false,
            condition,
        )?,
    };
    let tag = stored["etag"].as_str().unwrap_or_default().to_owned();
    Ok(Reply::json(200, stored).with("etag", &tag))
}

/// Stores a new event.
pub(crate) fn insert(state: &mut State, calendar_id: &str, body: &Value) -> Result<Value, Reply> {
    let calendar = state
        .calendar(Provider::Google, calendar_id)
        .ok_or_else(|| usual(404))?;
    let id = match body.get("id").filter(|v| !v.is_null()) {
        None => Uuid::new_v4()
            .simple()
            .to_string()
            .chars()
            .take(26)
            .collect(),
        Some(value) => {
            let id = value.as_str().unwrap_or_default();
            let legal = id.bytes().all(|b| matches!(b, b'a'..=b'v' | b'0'..=b'9'));
            if !(5..=1024).contains(&id.len()) || !legal {
                return Err(error(400, "invalid", "Invalid resource id value."));
            }
            id.to_owned()
        }
    };
    // Ids of deleted events stay taken.
    if calendar.events.contains_key(&id) {
        return Err(usual(409));
    }
    let (zone, account) = (calendar.zone.clone(), calendar.account.clone());
    let now = zones::millis(Utc::now());
    let mut event = json!({});
    merge(&mut event, &writable(body));
    let range = normalise(&mut event, &zone)?;
    let person = json!({"email": account, "self": true});
    let defaults = json!({
        "kind": "calendar#event", "id": id, "status": "confirmed",
        "htmlLink": format!("{}/?google={id}", state.base),
        "created": now, "updated": now, "creator": person, "organizer": person,
        "iCalUID": format!("{id}@google.com"), "sequence": 0,
        "reminders": {"useDefault": true}, "eventType": "default",
    });
    for (key, value) in defaults.as_object().into_iter().flatten() {
        if event.get(key).is_none() {
            event[key] = value.clone();
        }
    }
    event["id"] = id.into();
    Ok(store(state, calendar_id, event, Some(range)))
}

/// Patch (merge) or update (replace). Reviving a deleted event needs `status: confirmed`.
pub(crate) fn change(
    state: &mut State,
    calendar_id: &str,
    id: &str,
    body: &Value,
    patch: bool,
    condition: Option<&str>,
) -> Result<Value, Reply> {
    let calendar = state
        .calendar(Provider::Google, calendar_id)
        .ok_or_else(|| usual(404))?;
    let zone = calendar.zone.clone();
    let old = google_series::find(calendar, id).ok_or_else(|| usual(404))?;
    check(&old, condition)?;
    let wanted = writable(body);
    if old.deleted && wanted["status"] != json!("confirmed") {
        return Err(error(403, "forbidden", "Forbidden"));
    }
    let mut event = old.body.clone();
    if patch {
        merge(&mut event, &wanted);
    } else {
        const KEPT: &[&str] = &[
            "kind",
            "id",
            "htmlLink",
            "created",
            "creator",
            "organizer",
            "iCalUID",
            "sequence",
            "eventType",
            "reminders",
            "recurringEventId",
            "originalStartTime",
        ];
        event = json!({});
        merge(&mut event, &wanted);
        for key in KEPT {
            if event.get(key).is_none()
                && let Some(value) = old.body.get(key)
            {
                event[key] = value.clone();
            }
        }
        if event.get("status").is_none() {
            event["status"] = "confirmed".into();
        }
    }
    if event["status"] == json!("cancelled") {
        remove(state, calendar_id, id, None)?;
        return Ok(json!({"kind": "calendar#event", "id": id, "status": "cancelled"}));
    }
    let moved = ["start", "end", "recurrence"]
        .iter()
        .any(|k| event.get(k) != old.body.get(k));
    let sequence = old.body["sequence"].as_u64().unwrap_or(0) + u64::from(moved);
    let range = normalise(&mut event, &zone)?;
    if moved && old.body.get("recurrence").is_some() {
        drop_exceptions(state, calendar_id, id, event["start"] != old.body["start"]);
    }
    event["sequence"] = event["sequence"].as_u64().unwrap_or(0).max(sequence).into();
    event["updated"] = zones::millis(Utc::now()).into();
    if event["visibility"] != old.body["visibility"] {
        google_series::share_visibility(state, calendar_id, &mut event);
    }
    Ok(store(state, calendar_id, event, Some(range)))
}

/// Deletes, leaving a tombstone; a second time answers 410 `deleted`.
pub(crate) fn remove(
    state: &mut State,
    calendar_id: &str,
    id: &str,
    condition: Option<&str>,
) -> Result<(), Reply> {
    let calendar = state
        .calendar(Provider::Google, calendar_id)
        .ok_or_else(|| usual(404))?;
    let old = google_series::find(calendar, id).ok_or_else(|| usual(404))?;
    if old.deleted {
        return Err(error(410, "deleted", "Resource has been deleted"));
    }
    check(&old, condition)?;
    let mut event = old.body.clone();
    event["status"] = "cancelled".into();
    event["updated"] = zones::millis(Utc::now()).into();
    store(state, calendar_id, event, None);
    // Changed occurrences go with their series.
    let exceptions: Vec<Value> = state
        .calendar(Provider::Google, calendar_id)
        .into_iter()
        .flat_map(|c| c.events.values())
        .filter(|e| !e.deleted && e.body["recurringEventId"] == json!(id))
        .map(|e| e.body.clone())
        .collect();
    for mut exception in exceptions {
        exception["status"] = "cancelled".into();
        store(state, calendar_id, exception, None);
    }
    Ok(())
}

/// A series that is rewritten starts over: exceptions at times it no longer has are reported as cancelled, others are plain
/// occurrences again.
fn drop_exceptions(state: &mut State, calendar_id: &str, series: &str, times: bool) {
    let Some(calendar) = state.calendar_mut(Provider::Google, calendar_id) else {
        return;
    };
    let parts: Vec<(String, Value)> = calendar
        .events
        .iter()
        .filter(|(_, e)| e.body["recurringEventId"] == json!(series))
        .map(|(id, e)| (id.clone(), e.body.clone()))
        .collect();
    for (id, mut body) in parts {
        if times {
            body["status"] = "cancelled".into();
            store(state, calendar_id, body, None);
        } else if let Some(calendar) = state.calendar_mut(Provider::Google, calendar_id) {
            calendar.events.remove(&id);
        }
    }
}

/// Stores both halves of a series that was split: exceptions from that day on are gone with the first one's later days.
pub(crate) fn put_split(
    state: &mut State,
    calendar_id: &str,
    mut short: Value,
    mut new: Value,
    day: NaiveDate,
) -> Result<Value, Reply> {
    let calendar = state
        .calendar(Provider::Google, calendar_id)
        .ok_or_else(|| usual(404))?;
    let zone = calendar.zone.clone();
    let id = short["id"].clone();
    let later: Vec<Value> = calendar
        .events
        .values()
        .filter(|event| event.body["recurringEventId"] == id)
        .filter(|event| {
            let original = &event.body["originalStartTime"];
            let text = original["date"].as_str().or(original["dateTime"].as_str());
            text.and_then(|text| text.get(..10)) >= Some(day.to_string().as_str())
        })
        .map(|event| event.body.clone())
        .collect();
    for mut part in later {
        part["status"] = "cancelled".into();
        store(state, calendar_id, part, None);
    }
    let range = normalise(&mut short, &zone)?;
    short["updated"] = zones::millis(Utc::now()).into();
    store(state, calendar_id, short, Some(range));
    let range = normalise(&mut new, &zone)?;
    new["updated"] = zones::millis(Utc::now()).into();
    Ok(store(state, calendar_id, new, Some(range)))
}

fn check(event: &Event, condition: Option<&str>) -> Result<(), Reply> {
    match condition {
        Some(tag) if tag != "*" && event.body["etag"] != json!(tag) => Err(usual(412)),
        _ => Ok(()),
    }
}

pub(crate) fn store(
    state: &mut State,
    calendar_id: &str,
    mut body: Value,
    range: Option<Range>,
) -> Value {
    let seq = state.next_seq();
    body["etag"] = etag(seq).into();
    let id = body["id"].as_str().unwrap_or_default().to_owned();
    if let Some(calendar) = state.calendar_mut(Provider::Google, calendar_id) {
        let event = calendar.events.entry(id).or_insert_with(|| Event {
            seq,
            deleted: false,
            body: Value::Null,
            extended: Vec::new(),
            history: Vec::new(),
        });
        event.seq = seq;
        event.deleted = range.is_none();
        event.body = body.clone();
        event.history.push(Past {
            seq,
            range,
            body: body.clone(),
        });
    }
    google_push::notify(state, calendar_id);
    body
}

/// Members a client may set; the rest is ignored as the service does.
fn writable(body: &Value) -> Value {
    const READ_ONLY: &[&str] = &[
        "kind",
        "etag",
        "htmlLink",
        "created",
        "updated",
        "creator",
        "hangoutLink",
        "locked",
        "privateCopy",
        "recurringEventId",
    ];
    let mut map: Map<String, Value> = body.as_object().cloned().unwrap_or_default();
    map.retain(|k, _| !READ_ONLY.contains(&k.as_str()));
    map.remove("id");
    map.into()
}

/// Checks start and end and writes them with the calendar's offset, as Google answers them.
fn normalise(event: &mut Value, zone: &str) -> Result<Range, Reply> {
    let recurring = event["recurrence"]
        .as_array()
        .is_some_and(|r| !r.is_empty());
    let mut ends = Vec::new();
    for key in ["start", "end"] {
        let point = event.get(key).filter(|v| v.is_object()).cloned();
        let missing = || error(400, "required", &format!("Missing {key} time."));
        let mut point = point.ok_or_else(missing)?;
        if recurring && point.get("date").is_none() && point["timeZone"].as_str().is_none() {
            let text = format!("Missing time zone definition for {key} time.");
            return Err(error(400, "required", &text));
        }
        let (at, all_day) = resolve(&mut point, zone)
            .ok_or_else(|| error(400, "invalid", &format!("Invalid value for: {key} time.")))?;
        event[key] = point;
        ends.push((at, all_day));
    }
    let [(start, day_a), (end, day_b)] = ends.as_slice() else {
        return Err(usual(400));
    };
    if day_a != day_b {
        let text = "Start and end times must either both be date or both be dateTime.";
        return Err(error(400, "invalid", text));
    }
    if end < start || (*day_a && end == start) {
        return Err(error(
            400,
            "timeRangeEmpty",
            "The specified time range is empty.",
        ));
    }
    Ok((*start, *end))
}

fn resolve(point: &mut Value, calendar_zone: &str) -> Option<(DateTime<Utc>, bool)> {
    let zone_name = point["timeZone"]
        .as_str()
        .unwrap_or(calendar_zone)
        .to_owned();
    let zone: chrono_tz::Tz = zone_name.parse().ok()?;
    if let Some(text) = point["date"].as_str() {
        if point["dateTime"].is_string() {
            return None;
        }
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        *point = json!({"date": text});
        return Some((zones::instant(day.and_hms_opt(0, 0, 0)?, zone), true));
    }
    let text = point["dateTime"].as_str()?;
    let at = match DateTime::parse_from_rfc3339(text) {
        Ok(at) => at.with_timezone(&Utc),
        Err(_) => zones::instant(zones::wall(text)?, zone),
    };
    let shown: chrono_tz::Tz = calendar_zone.parse().ok()?;
    let local = shown.from_utc_datetime(&at.naive_utc());
    *point = json!({
        "dateTime": local.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        "timeZone": zone_name,
    });
    Some((at, false))
}
