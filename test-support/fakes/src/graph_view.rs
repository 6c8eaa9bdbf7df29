//! `calendarView` and `calendarView/delta`.

use crate::graph::{answer_zone, context, error, page, prefer, select, usual};
use crate::graph_events::render;
use crate::graph_series::visible;
use crate::http::{Call, Reply, pack, unpack};
use crate::state::{Event, Provider, State};
use crate::zones;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeSet;

type Range = (DateTime<Utc>, DateTime<Utc>);

fn window(call: &Call) -> Result<Range, Reply> {
    let at = |name: &str| {
        let text = call.q(name).ok_or_else(|| {
            error(400, "ErrorInvalidParameter", &format!("This request requires a time window specified by the query string parameters StartDateTime and EndDateTime ({name} is missing)."))
        })?;
        zones::any_instant(text).ok_or_else(|| {
            error(
                400,
                "ErrorInvalidParameter",
                &format!("The value '{text}' for parameter '{name}' is invalid."),
            )
        })
    };
    let range = (at("startDateTime")?, at("endDateTime")?);
    if range.1 < range.0 {
        return Err(error(
            400,
            "ErrorInvalidParameter",
            "EndDateTime is before StartDateTime.",
        ));
    }
    Ok(range)
}

/// Single events and occurrences inside the window, by start.
pub(crate) fn list(state: &State, call: &Call, calendar: &str) -> Result<Reply, Reply> {
    let (zone_name, zone) = answer_zone(call)?;
    let range = window(call)?;
    let calendar = state
        .calendar(Provider::Microsoft, calendar)
        .ok_or_else(|| usual(404))?;
    let mut found: Vec<Value> = calendar
        .events
        .values()
        .filter(|e| !e.deleted)
        .flat_map(|e| visible(&e.body, range, false))
        .map(|(_, body)| body)
        .collect();
    found.sort_by_key(|body| crate::graph_series::range_of(body).map(|r| r.0));
    let items = found
        .iter()
        .map(|b| render(b, call, &zone_name, zone))
        .collect();
    page(state, call, items, &context(state, "calendarView")).map(|reply| select(call, reply))
}

/// What the window held for somebody who synced at `seq`.
fn known_at(event: &Event, seq: u64, range: Range) -> Vec<(String, Value)> {
    match event.at(seq) {
        Some(past) if past.range.is_some() => visible(&past.body, range, true),
        _ => Vec::new(),
    }
}

/// Changes of one event since `since`: present items, then `@removed` for what left the window.
fn changes(event: &Event, since: u64, range: Range) -> Vec<Value> {
    let now = if event.deleted {
        Vec::new()
    } else {
        visible(&event.body, range, true)
    };
    let present: BTreeSet<&String> = now.iter().map(|(id, _)| id).collect();
    let gone: Vec<Value> = known_at(event, since, range)
        .into_iter()
        .filter(|(id, _)| !present.contains(id))
        .map(|(id, _)| {
            json!({"@odata.type": "#microsoft.graph.event", "id": id,
                   "@removed": {"reason": "deleted"}})
        })
        .collect();
    now.into_iter().map(|(_, body)| body).chain(gone).collect()
}

/// Delta query: window frozen in the token, pages by `odata.maxpagesize`.
pub(crate) fn delta(state: &State, call: &Call, id: &str) -> Result<Reply, Reply> {
    let (zone_name, zone) = answer_zone(call)?;
    for name in [
        "$select", "$expand", "$filter", "$orderby", "$search", "$top",
    ] {
        if call.q(name).is_some() {
            let text = format!(
                "The query parameter '{name}' is not supported with change tracking over the 'CalendarView' resource."
            );
            return Err(error(400, "ErrorInvalidUrlQuery", &text));
        }
    }
    let calendar = state
        .calendar(Provider::Microsoft, id)
        .ok_or_else(|| usual(404))?;
    let token = match call.q("$deltatoken").or_else(|| call.q("$skiptoken")) {
        Some(text) => {
            let token = unpack(text).filter(|t| t["cal"] == json!(id));
            let token = token.ok_or_else(|| {
                error(
                    400,
                    "ErrorInvalidSyncStateData",
                    "The sync state data is invalid.",
                )
            })?;
            if token["epoch"] != json!(calendar.epoch) {
                let fresh = format!("{}{}?$deltatoken=", state.base, call.path);
                return Err(usual(410).with("location", &fresh));
            }
            token
        }
        None => {
            let range = window(call)?;
            json!({"cal": id, "epoch": calendar.epoch, "from": range.0.to_rfc3339(),
                   "to": range.1.to_rfc3339(), "since": 0, "high": null, "at": null})
        }
    };
    let edge = |key: &str| token[key].as_str().and_then(zones::any_instant);
    let (Some(from), Some(to)) = (edge("from"), edge("to")) else {
        return Err(usual(400));
    };
    let since = token["since"].as_u64().unwrap_or(0);
    let high = token["high"].as_u64().unwrap_or(state.seq);
    let cursor = token["at"].as_u64().unwrap_or(since);
    let size = prefer(call, "odata.maxpagesize")
        .and_then(|n| n.parse().ok())
        .unwrap_or(50_usize);
    let size = size.clamp(1, 1000);

    // Events changed between two pages get a number above `high` and come in the next round.
    let mut changed: Vec<&Event> = calendar
        .events
        .values()
        .filter(|e| e.seq > cursor && e.seq <= high)
        .collect();
    changed.sort_by_key(|e| e.seq);
    let mut items = Vec::new();
    let (mut last, mut taken) = (cursor, 0);
    for event in &changed {
        if items.len() >= size {
            break;
        }
        items.extend(changes(event, since, (from, to)));
        last = event.seq;
        taken += 1;
    }
    let value: Vec<Value> = items
        .iter()
        .map(|item| {
            if item.get("@removed").is_some() {
                item.clone()
            } else {
                let mut shown = render(item, call, &zone_name, zone);
                shown["@odata.type"] = "#microsoft.graph.event".into();
                shown
            }
        })
        .collect();
    let mut next = token.clone();
    let mut body = json!({
        "@odata.context": context(state, "Collection(event)"), "value": value,
    });
    let (kind, parameter) = if taken < changed.len() {
        next["high"] = high.into();
        next["at"] = last.into();
        ("@odata.nextLink", "$skiptoken")
    } else {
        next["since"] = high.into();
        next["high"] = Value::Null;
        next["at"] = Value::Null;
        ("@odata.deltaLink", "$deltatoken")
    };
    body[kind] = format!("{}{}?{parameter}={}", state.base, call.path, pack(&next)).into();
    Ok(Reply::json(200, body))
}
