//! The control API under `/_control`, twin of the methods of [`crate::FakeProviders`].
//!
//! | request | effect |
//! |---|---|
//! | `POST /_control/reset` | forget everything |
//! | `GET /_control/{provider}/calendars` | calendars of all accounts |
//! | `GET /_control/{provider}/events?calendar=ID` | live events |
//! | `GET /_control/{provider}/events/{event}/exceptions?calendar=ID` | occurrences that differ from their series |
//! | `POST /_control/{provider}/events?calendar=ID` | create as the user, answers the event |
//! | `PATCH /_control/{provider}/events/{event}?calendar=ID` | change as the user |
//! | `DELETE /_control/{provider}/events/{event}?calendar=ID` | delete as the user |
//! | `GET /_control/{provider}/subscriptions` | live channels or subscriptions |
//! | `POST /_control/{provider}/expire-access-tokens` | 401 until refreshed |
//! | `POST /_control/{provider}/expire-sync-tokens` | 410 until a full pass |
//! | `POST /_control/{provider}/revoke-grants` | `invalid_grant` |
//! | `POST /_control/microsoft/lifecycle` `{"event":"missed"}` | lifecycle notification |
//! | `POST /_control/microsoft/claims` `{"oid":null}` | change the claims of ID tokens; `null` removes one |
//! | `POST /_control/microsoft/rotate-signing-key` | sign ID tokens with the other key |
//! | `GET`, `POST`, `DELETE /_control/faults` | armed faults ([`crate::Fault`]) |
//! | `GET`, `DELETE /_control/log` | request log |
//! | `GET /_control/counters` | answered requests per operation |
//! | `GET /_control/env` | `DAYBIND_*` variables |
//! | `POST /_control/options` `{"auto_approve":true}` | switch consent mode |

use crate::fault::Fault;
use crate::http::{Call, Content, Reply, merge};
use crate::server::Shared;
use crate::state::Provider;
use crate::{google_events, graph_events, graph_subscriptions, split, ui};
use anyhow::{Context as _, anyhow};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) fn list_events(shared: &Shared, provider: Provider, calendar: &str) -> Vec<Value> {
    let state = shared.lock();
    let Some(calendar) = state.calendar(provider, calendar) else {
        return Vec::new();
    };
    calendar
        .events
        .values()
        .filter(|e| !e.deleted)
        .map(|e| {
            let mut body = e.body.clone();
            if !e.extended.is_empty() {
                body["singleValueExtendedProperties"] = e.extended.clone().into();
            }
            body
        })
        .collect()
}

/// An API refusal as an error naming status and message.
fn refused(reply: Reply) -> anyhow::Error {
    match reply.content {
        Content::Json(body) => anyhow!("{}: {body}", reply.status),
        Content::Empty | Content::Html(_) => anyhow!("{}", reply.status),
    }
}

pub(crate) fn create_event(
    shared: &Shared,
    provider: Provider,
    calendar: &str,
    body: &Value,
) -> anyhow::Result<Value> {
    let state = &mut *shared.lock();
    match provider {
        Provider::Google => google_events::insert(state, calendar, body),
        Provider::Microsoft => graph_events::create(state, calendar, body).map(|(_, e)| e),
    }
    .map_err(refused)
}

/// What "this and following" does.
pub(crate) fn split_series(
    shared: &Shared,
    provider: Provider,
    calendar: &str,
    event: &str,
    (day, patch): (chrono::NaiveDate, &Value),
    keeps_properties: bool,
) -> anyhow::Result<Value> {
    let state = &mut *shared.lock();
    match provider {
        Provider::Google => split::google(state, calendar, event, day, patch),
        Provider::Microsoft => split::graph(state, calendar, event, day, patch, keeps_properties),
    }
    .map_err(refused)
}

/// What its organiser's mail puts into a calendar.
pub(crate) fn invite(
    shared: &Shared,
    provider: Provider,
    calendar: &str,
    uid: &str,
    body: &Value,
) -> anyhow::Result<Value> {
    let state = &mut *shared.lock();
    let made = match provider {
        Provider::Google => google_events::insert(state, calendar, body),
        Provider::Microsoft => graph_events::create(state, calendar, body).map(|(_, e)| e),
    }
    .map_err(refused)?;
    let event = state
        .calendar_mut(provider, calendar)
        .zip(made["id"].as_str())
        .and_then(|(calendar, id)| calendar.events.get_mut(id))
        .context("the event that was just made")?;
    let address = "organiser@elsewhere.test";
    match provider {
        Provider::Google => {
            event.body["iCalUID"] = uid.into();
            event.body["organizer"] = json!({ "email": address });
        }
        Provider::Microsoft => {
            event.body["iCalUId"] = uid.into();
            event.body["isOrganizer"] = false.into();
            event.body["organizer"] =
                json!({ "emailAddress": { "name": "Organiser", "address": address } });
        }
    }
    Ok(event.body.clone())
}

pub(crate) fn patch_event(
    shared: &Shared,
    provider: Provider,
    calendar: &str,
    event: &str,
    patch: &Value,
) -> anyhow::Result<Value> {
    let state = &mut *shared.lock();
    match provider {
        Provider::Google => google_events::change(state, calendar, event, patch, true, None),
        Provider::Microsoft => graph_events::change(state, calendar, event, patch, None),
    }
    .map_err(refused)
}

pub(crate) fn delete_event(
    shared: &Shared,
    provider: Provider,
    calendar: &str,
    event: &str,
) -> anyhow::Result<()> {
    let state = &mut *shared.lock();
    match provider {
        Provider::Google => google_events::remove(state, calendar, event, None),
        Provider::Microsoft => graph_events::remove(state, calendar, event, None),
    }
    .map_err(refused)
}

/// Occurrences that differ from their series, by the day the series gives them; null for deleted ones.
pub(crate) fn exceptions(
    shared: &Shared,
    provider: Provider,
    calendar: &str,
    series: &str,
) -> BTreeMap<String, Value> {
    let state = shared.lock();
    let Some(calendar) = state.calendar(provider, calendar) else {
        return BTreeMap::new();
    };
    match provider {
        Provider::Google => {
            let parts = calendar.events.values();
            parts
                .filter(|event| event.body["recurringEventId"] == json!(series))
                .map(|event| {
                    let original = &event.body["originalStartTime"];
                    let text = original["date"].as_str().or(original["dateTime"].as_str());
                    let day = text.and_then(|text| text.get(..10)).unwrap_or_default();
                    let shown = if event.deleted {
                        Value::Null
                    } else {
                        event.body.clone()
                    };
                    (day.to_owned(), shown)
                })
                .collect()
        }
        Provider::Microsoft => calendar
            .events
            .get(series)
            .map(|event| crate::graph_series::told_apart(&event.body))
            .unwrap_or_default(),
    }
}

/// Answers control calls and the page for people.
pub(crate) fn answer(shared: &Shared, call: &Call) -> Reply {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    if segments.first() != Some(&"_control") {
        return ui::answer(shared, call);
    }
    match route(shared, call, segments.get(1..).unwrap_or_default()) {
        Ok(reply) => reply,
        Err(error) => Reply::json(400, json!({"error": format!("{error:#}")})),
    }
}

fn route(shared: &Shared, call: &Call, path: &[&str]) -> anyhow::Result<Reply> {
    let done = || Reply::json(200, json!({"ok": true}));
    match (call.method.as_str(), path) {
        ("POST", ["reset"]) => {
            shared.lock().reset();
            Ok(done())
        }
        ("GET", ["log"]) => Ok(Reply::json(200, serde_json::to_value(&shared.lock().log)?)),
        ("DELETE", ["log"]) => {
            let mut state = shared.lock();
            state.log.clear();
            state.counters.clear();
            Ok(done())
        }
        ("GET", ["counters"]) => Ok(Reply::json(200, json!(shared.lock().counters))),
        ("GET", ["faults"]) => Ok(Reply::json(200, json!(shared.lock().faults))),
        ("POST", ["faults"]) => {
            let fault: Fault = serde_json::from_slice(&call.body).context("fault")?;
            shared.lock().faults.push(fault);
            Ok(done())
        }
        ("DELETE", ["faults"]) => {
            shared.lock().faults.clear();
            Ok(done())
        }
        ("GET", ["env"]) => {
            let base = url::Url::parse(&shared.lock().base)?;
            let map: serde_json::Map<String, Value> = crate::env_for(&base)
                .into_iter()
                .map(|(k, v)| (k, v.into()))
                .collect();
            Ok(Reply::json(200, map.into()))
        }
        ("POST", ["options"]) => {
            let body = call.json().context("JSON body")?;
            if let Some(on) = body["auto_approve"].as_bool() {
                shared.lock().options.auto_approve = on;
            }
            Ok(done())
        }
        (_, [provider, rest @ ..]) => {
            let provider = Provider::parse(provider).context("unknown provider or path")?;
            provider_route(shared, call, provider, rest)
        }
        _ => Ok(Reply::json(404, json!({"error": "no such control"}))),
    }
}

fn provider_route(
    shared: &Shared,
    call: &Call,
    provider: Provider,
    path: &[&str],
) -> anyhow::Result<Reply> {
    let done = || Reply::json(200, json!({"ok": true}));
    let calendar = || call.q("calendar").context("calendar parameter");
    let body = || call.json().context("JSON body");
    match (call.method.as_str(), path) {
        ("GET", ["calendars"]) => Ok(Reply::json(
            200,
            shared.lock().describe_calendars(provider).into(),
        )),
        ("GET", ["subscriptions"]) => Ok(Reply::json(
            200,
            shared.lock().describe_subscriptions(provider).into(),
        )),
        ("GET", ["events"]) => Ok(Reply::json(
            200,
            list_events(shared, provider, calendar()?).into(),
        )),
        ("GET", ["events", id, "exceptions"]) => Ok(Reply::json(
            200,
            json!(exceptions(shared, provider, calendar()?, id)),
        )),
        ("POST", ["events"]) => {
            let event = create_event(shared, provider, calendar()?, &body()?)?;
            Ok(Reply::json(201, event))
        }
        ("PATCH", ["events", id]) => {
            let mut patch = json!({});
            merge(&mut patch, &body()?);
            Ok(Reply::json(
                200,
                patch_event(shared, provider, calendar()?, id, &patch)?,
            ))
        }
        ("DELETE", ["events", id]) => {
            delete_event(shared, provider, calendar()?, id)?;
            Ok(done())
        }
        ("POST", ["expire-access-tokens"]) => {
            shared.lock().expire_access_tokens(provider);
            Ok(done())
        }
        ("POST", ["expire-sync-tokens"]) => {
            shared.lock().expire_sync_tokens(provider);
            Ok(done())
        }
        ("POST", ["revoke-grants"]) => {
            shared.lock().revoke_grants(provider);
            Ok(done())
        }
        ("POST", ["claims"]) if provider == Provider::Microsoft => {
            shared.lock().claims = body()?;
            Ok(done())
        }
        ("POST", ["rotate-signing-key"]) if provider == Provider::Microsoft => {
            shared.lock().rotate_signing_key();
            Ok(done())
        }
        ("POST", ["lifecycle"]) if provider == Provider::Microsoft => {
            let body = body()?;
            let event = body["event"].as_str().context("event")?;
            graph_subscriptions::send_lifecycle(&mut shared.lock(), event);
            Ok(done())
        }
        _ => Ok(Reply::json(404, json!({"error": "no such control"}))),
    }
}
