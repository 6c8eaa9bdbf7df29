//! Graph events: create, read, change, delete, and search by extended property.

use crate::graph::{answer_zone, code_for, context, error, page, prefer, select, usual};
use crate::graph_series::{exceptions, occurrence, range_of, split_id};
use crate::graph_subscriptions;
use crate::http::{Call, Reply, merge};
use crate::options::DuplicateTransaction;
use crate::state::{Event, Past, Provider, State};
use crate::zones;
use chrono::{NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use uuid::Uuid;

/// Members of `microsoft.graph.event` a client may send; anything else is refused like the service
/// refuses it.
const KNOWN: &[&str] = &[
    "allowNewTimeProposals",
    "attendees",
    "body",
    "categories",
    "end",
    "extensions",
    "hideAttendees",
    "importance",
    "isAllDay",
    "isOnlineMeeting",
    "isReminderOn",
    "location",
    "locations",
    "multiValueExtendedProperties",
    "onlineMeetingProvider",
    "originalEndTimeZone",
    "originalStartTimeZone",
    "recurrence",
    "reminderMinutesBeforeStart",
    "responseRequested",
    "sensitivity",
    "showAs",
    "singleValueExtendedProperties",
    "start",
    "subject",
    "transactionId",
];

/// Answers `microsoft.events.*`. `calendar` takes new events, `scope` is searched for existing ones.
pub(crate) fn answer(
    state: &mut State,
    call: &Call,
    operation: &str,
    calendar: &str,
    scope: &[String],
    event: Option<&str>,
) -> Result<Reply, Reply> {
    let (zone_name, zone) = answer_zone(call)?;
    let shown = |state: &State, body: &Value| {
        let mut body = render(body, call, &zone_name, zone);
        body["@odata.context"] = context(state, "events/$entity").into();
        body
    };
    let event_id = event.unwrap_or_default();
    match operation {
        "microsoft.events.list" => {
            let filter = call.q("$filter").map(parse_filter).transpose()?;
            let found: Vec<Value> = scope
                .iter()
                .filter_map(|id| state.calendar(Provider::Microsoft, id))
                .flat_map(|c| c.events.values())
                .filter(|e| !e.deleted)
                .filter(|e| filter.as_ref().is_none_or(|f| f.matches(e)))
                .map(|e| with_expanded(call, e, render(&e.body, call, &zone_name, zone)))
                .collect();
            page(state, call, found, &context(state, "events")).map(|r| select(call, r))
        }
        "microsoft.events.get" => {
            let (home, stored) = locate(state, scope, event_id)?;
            let event = state
                .calendar(Provider::Microsoft, &home)
                .and_then(|c| c.events.get(&stored));
            let event = event.ok_or_else(|| usual(404))?;
            let body = if stored == event_id {
                event.body.clone()
            } else {
                occurrence(&event.body, event_id).ok_or_else(|| usual(404))?
            };
            let mut body = with_expanded(call, event, shown(state, &body));
            if call
                .q("$select")
                .is_some_and(|s| s.contains("cancelledOccurrences"))
            {
                body["cancelledOccurrences"] = cancelled_ids(&event.body);
            }
            if call
                .q("$expand")
                .is_some_and(|e| e.contains("exceptionOccurrences"))
            {
                body["exceptionOccurrences"] = exceptions(&event.body)
                    .iter()
                    .map(|item| render(item, call, &zone_name, zone))
                    .collect();
            }
            Ok(select(call, Reply::json(200, body)))
        }
        "microsoft.events.instances" => {
            let (home, stored) = locate(state, scope, event_id)?;
            let (from, to) = (call.q("startDateTime"), call.q("endDateTime"));
            let (Some(from), Some(to)) = (
                from.and_then(zones::any_instant),
                to.and_then(zones::any_instant),
            ) else {
                return Err(error(
                    400,
                    "ErrorInvalidParameter",
                    "startDateTime and endDateTime",
                ));
            };
            let calendar = state.calendar(Provider::Microsoft, &home);
            let event = calendar
                .and_then(|c| c.events.get(&stored))
                .ok_or_else(|| usual(404))?;
            let items = crate::graph_series::visible(&event.body, (from, to), false);
            let items = items
                .iter()
                .map(|(_, b)| render(b, call, &zone_name, zone))
                .collect();
            page(state, call, items, &context(state, "events"))
        }
        "microsoft.events.create" => {
            let body = json_body(call)?;
            let (status, stored) = create(state, calendar, &body)?;
            Ok(Reply::json(status, shown(state, &stored)))
        }
        "microsoft.events.update" => {
            let body = json_body(call)?;
            let (home, _) = locate(state, scope, event_id)?;
            let stored = change(state, &home, event_id, &body, call.header("if-match"))?;
            Ok(Reply::json(200, shown(state, &stored)))
        }
        _ => {
            let (home, _) = locate(state, scope, event_id)?;
            remove(state, &home, event_id, call.header("if-match"))?;
            Ok(Reply::empty(204))
        }
    }
}

fn json_body(call: &Call) -> Result<Value, Reply> {
    call.json().filter(Value::is_object).ok_or_else(|| {
        error(400, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
    })
}

/// Calendar and stored id of a live event or of the master of an occurrence.
fn locate(state: &State, scope: &[String], id: &str) -> Result<(String, String), Reply> {
    let stored = split_id(id).map_or_else(|| id.to_owned(), |(master, _)| master);
    scope
        .iter()
        .filter_map(|c| state.calendar(Provider::Microsoft, c))
        .find(|c| c.events.get(&stored).is_some_and(|e| !e.deleted))
        .map(|c| (c.id.clone(), stored.clone()))
        .ok_or_else(|| usual(404))
}

fn cancelled_ids(body: &Value) -> Value {
    let master = body["id"].as_str().unwrap_or_default();
    let days = body["_cancelled"].as_array().cloned().unwrap_or_default();
    days.iter()
        .filter_map(|d| chrono::NaiveDate::parse_from_str(d.as_str()?, "%Y%m%d").ok())
        .map(|d| format!("OID.{}.{}", master, d.format("%Y-%m-%d")))
        .collect()
}

/// Stores a new event; `(201, event)`, also for a repeated `transactionId` unless set otherwise.
pub(crate) fn create(
    state: &mut State,
    calendar_id: &str,
    body: &Value,
) -> Result<(u16, Value), Reply> {
    let calendar = state
        .calendar(Provider::Microsoft, calendar_id)
        .ok_or_else(|| usual(404))?;
    writable(calendar.can_write)?;
    known_members(body)?;
    if let Some(transaction) = body["transactionId"].as_str() {
        let account = &calendar.account;
        let earlier = state
            .calendars
            .iter()
            .filter(|c| c.provider == Provider::Microsoft && c.account == *account)
            .flat_map(|c| c.events.values())
            .find(|e| e.body["transactionId"] == json!(transaction) && !e.deleted);
        if let Some(earlier) = earlier {
            return match state.options.duplicate_transaction {
                DuplicateTransaction::Existing => Ok((201, earlier.body.clone())),
                DuplicateTransaction::Conflict => Err(error(
                    409,
                    "ErrorDuplicateTransactionId",
                    "Your request can't be completed. The TransactionId has been used already.",
                )),
            };
        }
    }
    let name = state
        .options
        .accounts
        .iter()
        .find(|a| a.email == calendar.account);
    let name = name.map_or("", |a| a.display_name.as_str()).to_owned();
    let organizer = json!({"emailAddress": {"name": name, "address": calendar.account}});
    let uid = format!(
        "040000008200E00074C5B7101A82E008{}",
        Uuid::new_v4().simple()
    )
    .to_uppercase();
    let id = format!(
        "AAMkAG{}{}=",
        Uuid::new_v4().simple(),
        Uuid::new_v4().simple()
    );
    let mut event = json!({
        "id": id, "createdDateTime": zones::ticks(Utc::now()), "categories": [],
        "transactionId": null, "iCalUId": uid,
        "reminderMinutesBeforeStart": 15, "isReminderOn": true, "hasAttachments": false,
        "subject": "", "importance": "normal", "sensitivity": "normal", "isAllDay": false,
        "isCancelled": false, "isOrganizer": true, "responseRequested": true,
        "seriesMasterId": null, "showAs": "busy", "type": "singleInstance",
        "webLink": format!("{}/?microsoft={id}", state.base),
        "onlineMeetingUrl": null, "isOnlineMeeting": false, "onlineMeetingProvider": "unknown",
        "allowNewTimeProposals": true, "isDraft": false,
        "hideAttendees": false, "recurrence": null,
        "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
        "body": {"contentType": "html", "content": ""},
        "location": {"displayName": "", "locationType": "default", "uniqueIdType": "unknown",
                     "address": {}, "coordinates": {}},
        "locations": [], "attendees": [], "organizer": organizer, "onlineMeeting": null,
    });
    let extended = body["singleValueExtendedProperties"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    apply(&mut event, body)?;
    let stored = store(state, calendar_id, event, false, Some(extended));
    graph_subscriptions::notify(state, calendar_id, &stored, "created");
    Ok((201, stored))
}

fn writable(can_write: bool) -> Result<(), Reply> {
    if can_write { Ok(()) } else { Err(usual(403)) }
}

fn known_members(body: &Value) -> Result<(), Reply> {
    let unknown = body
        .as_object()
        .into_iter()
        .flat_map(|m| m.keys())
        .find(|k| !KNOWN.contains(&k.as_str()) && !k.starts_with('@') && !k.contains("@odata"));
    match unknown {
        None => Ok(()),
        Some(name) => Err(error(
            400,
            "RequestBodyRead",
            &format!(
                "The property '{name}' does not exist on type 'microsoft.graph.event'. Make sure to only use property names that are defined by the type or mark the type as open type."
            ),
        )),
    }
}

/// Puts a client's members over the stored ones and checks the times.
fn apply(event: &mut Value, body: &Value) -> Result<(), Reply> {
    let had_zone = event["originalStartTimeZone"].is_string();
    for (key, value) in body.as_object().into_iter().flatten() {
        if key.starts_with('@') || key.ends_with("ExtendedProperties") {
            continue;
        }
        match (key.as_str(), value) {
            ("location" | "body", Value::Object(_)) => merge(&mut event[key], value),
            _ => event[key] = value.clone(),
        }
    }
    if let Some(name) = event["location"]["displayName"]
        .as_str()
        .filter(|n| !n.is_empty())
    {
        let name = name.to_owned();
        event["locations"] = json!([{"displayName": name, "locationType": "default",
                                     "uniqueId": name, "uniqueIdType": "private"}]);
    }
    if event["isOnlineMeeting"] == json!(true) && event["onlineMeeting"].is_null() {
        event["onlineMeetingProvider"] = "teamsForBusiness".into();
        event["onlineMeeting"] = json!({"joinUrl": "https://teams.example.test/l/meetup-join/1"});
    }
    if event["isOnlineMeeting"] == json!(false) {
        event["onlineMeetingProvider"] = "unknown".into();
        event["onlineMeeting"] = Value::Null;
    }
    for key in ["start", "end"] {
        let name = event[key]["timeZone"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let text = event[key]["dateTime"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if name.is_empty() || text.is_empty() {
            return Err(error(
                400,
                "ErrorInvalidRequest",
                &format!("Property '{key}' needs dateTime and timeZone."),
            ));
        }
        if zones::zone(&name).is_none() {
            return Err(error(
                400,
                "TimeZoneNotSupportedException",
                &format!("The following TimeZone value is not supported: '{name}'."),
            ));
        }
        let wall = zones::wall(text.trim_end_matches('Z')).ok_or_else(|| {
            error(
                400,
                "RequestBodyRead",
                &format!(
                    "Cannot convert the literal '{text}' to the expected type 'Edm.DateTime'."
                ),
            )
        })?;
        event[key] = json!({"dateTime": zones::graph_wall(wall), "timeZone": name});
        let midnight = wall.time() == NaiveTime::MIN;
        if event["isAllDay"] == json!(true) && !midnight {
            return Err(error(
                400,
                "ErrorPropertyValidationFailure",
                &format!(
                    "The Event.{key} property for an all-day event needs to be set to midnight."
                ),
            ));
        }
    }
    if event["isAllDay"] == json!(true) && event["start"]["timeZone"] != event["end"]["timeZone"] {
        return Err(error(
            400,
            "ErrorPropertyValidationFailure",
            "Start and end of an all-day event must be in the same time zone.",
        ));
    }
    let (start, end) = range_of(event).ok_or_else(|| usual(400))?;
    if end < start || (event["isAllDay"] == json!(true) && end == start) {
        return Err(error(
            400,
            "ErrorPropertyValidationFailure",
            "At least one property failed validation. (End is before start.)",
        ));
    }
    if !had_zone || body.get("start").is_some() {
        event["originalStartTimeZone"] = event["start"]["timeZone"].clone();
        event["originalEndTimeZone"] = event["end"]["timeZone"].clone();
    }
    if event["recurrence"].is_object() {
        let first = event["start"]["dateTime"]
            .as_str()
            .and_then(|t| t.get(..10))
            .map(str::to_owned);
        if event["recurrence"]["range"]["startDate"].as_str() != first.as_deref() {
            return Err(error(
                400,
                "ErrorInvalidRequest",
                "recurrence.range.startDate must equal the date of start.",
            ));
        }
        event["type"] = "seriesMaster".into();
        if event["recurrence"]["range"]["recurrenceTimeZone"].is_null() {
            event["recurrence"]["range"]["recurrenceTimeZone"] = event["start"]["timeZone"].clone();
        }
    } else {
        event["type"] = "singleInstance".into();
    }
    Ok(())
}

/// Changes an event, or one occurrence of a series (which becomes an exception).
pub(crate) fn change(
    state: &mut State,
    calendar_id: &str,
    id: &str,
    body: &Value,
    condition: Option<&str>,
) -> Result<Value, Reply> {
    let calendar = state
        .calendar(Provider::Microsoft, calendar_id)
        .ok_or_else(|| usual(404))?;
    writable(calendar.can_write)?;
    known_members(body)?;
    let part = split_id(id);
    let stored_id = part.as_ref().map_or(id, |(master, _)| master.as_str());
    let old = calendar
        .events
        .get(stored_id)
        .filter(|e| !e.deleted)
        .ok_or_else(|| usual(404))?;
    check(old, condition)?;
    if let Some(transaction) = body.get("transactionId")
        && *transaction != old.body["transactionId"]
    {
        return Err(error(
            400,
            "ErrorInvalidRequest",
            "transactionId cannot be changed.",
        ));
    }
    let mut event = old.body.clone();
    if let Some((_, day)) = part {
        let mut item = occurrence(&event, id).ok_or_else(|| usual(404))?;
        apply(&mut item, body)?;
        let key = day.format("%Y%m%d").to_string();
        if !event["_exceptions"].is_object() {
            event["_exceptions"] = json!({});
        }
        let mut patch = body.clone();
        for name in ["start", "end"] {
            patch[name] = item[name].clone();
        }
        merge(&mut event["_exceptions"][&key], &patch);
        let master = store(state, calendar_id, event, false, None);
        // The notification names the master, as the service does.
        graph_subscriptions::notify(state, calendar_id, &master, "updated");
        return occurrence(&master, id).ok_or_else(|| usual(404));
    }
    let mut extended = old.extended.clone();
    for property in body["singleValueExtendedProperties"]
        .as_array()
        .into_iter()
        .flatten()
    {
        extended.retain(|p| p["id"] != property["id"]);
        extended.push(property.clone());
    }
    apply(&mut event, body)?;
    // A series that is rewritten starts over, without its exceptions.
    let rewritten = ["start", "end", "recurrence"]
        .iter()
        .any(|key| event[key] != old.body[key]);
    if rewritten && let Value::Object(map) = &mut event {
        map.remove("_exceptions");
        map.remove("_cancelled");
    }
    let stored = store(state, calendar_id, event, false, Some(extended));
    graph_subscriptions::notify(state, calendar_id, &stored, "updated");
    Ok(stored)
}

/// Deletes an event, or cancels one occurrence.
pub(crate) fn remove(
    state: &mut State,
    calendar_id: &str,
    id: &str,
    condition: Option<&str>,
) -> Result<(), Reply> {
    let calendar = state
        .calendar(Provider::Microsoft, calendar_id)
        .ok_or_else(|| usual(404))?;
    writable(calendar.can_write)?;
    let part = split_id(id);
    let stored_id = part.as_ref().map_or(id, |(master, _)| master.as_str());
    let old = calendar
        .events
        .get(stored_id)
        .filter(|e| !e.deleted)
        .ok_or_else(|| usual(404))?;
    check(old, condition)?;
    let mut event = old.body.clone();
    if let Some((_, day)) = part {
        let mut days = event["_cancelled"].as_array().cloned().unwrap_or_default();
        days.push(day.format("%Y%m%d").to_string().into());
        event["_cancelled"] = days.into();
        let master = store(state, calendar_id, event, false, None);
        graph_subscriptions::notify(state, calendar_id, &master, "updated");
        return Ok(());
    }
    let stored = store(state, calendar_id, event, true, None);
    graph_subscriptions::notify(state, calendar_id, &stored, "deleted");
    Ok(())
}

fn check(event: &Event, condition: Option<&str>) -> Result<(), Reply> {
    match condition {
        Some(tag) if tag != "*" && event.body["@odata.etag"] != json!(tag) => {
            let (code, message) = code_for(412);
            Err(error(412, code, message))
        }
        _ => Ok(()),
    }
}

fn store(
    state: &mut State,
    calendar_id: &str,
    mut body: Value,
    deleted: bool,
    extended: Option<Vec<Value>>,
) -> Value {
    let seq = state.next_seq();
    let key = crate::http::pack(&json!({"ck": seq, "v": 1}));
    body["@odata.etag"] = format!("W/\"{key}\"").into();
    body["changeKey"] = key.into();
    body["lastModifiedDateTime"] = zones::ticks(Utc::now()).into();
    let id = body["id"].as_str().unwrap_or_default().to_owned();
    let range = if deleted { None } else { range_of(&body) };
    if let Some(calendar) = state.calendar_mut(Provider::Microsoft, calendar_id) {
        let event = calendar.events.entry(id).or_insert_with(|| Event {
            seq,
            deleted,
            body: Value::Null,
            extended: Vec::new(),
            history: Vec::new(),
        });
        event.seq = seq;
        event.deleted = deleted;
        event.body = body.clone();
        if let Some(extended) = extended {
            event.extended = extended;
        }
        event.history.push(Past {
            seq,
            range,
            body: body.clone(),
        });
    }
    body
}

/// An event as answered: zone of the caller, body format of the caller, no internal members.
pub(crate) fn render(body: &Value, call: &Call, zone_name: &str, zone: Tz) -> Value {
    let mut shown = body.clone();
    let all_day = body["isAllDay"] == json!(true);
    if let Some((start, end)) = range_of(body) {
        for (key, at) in [("start", start), ("end", end)] {
            // All-day events keep their date whatever the zone.
            let text = if all_day {
                body[key]["dateTime"].clone()
            } else {
                zones::graph_wall(zone.from_utc_datetime(&at.naive_utc()).naive_local()).into()
            };
            shown[key] = json!({"dateTime": text, "timeZone": zone_name});
        }
    }
    let content = body["body"]["content"].as_str().unwrap_or_default();
    let is_text = body["body"]["contentType"]
        .as_str()
        .is_some_and(|t| t.eq_ignore_ascii_case("text"));
    let plain = if is_text {
        content.to_owned()
    } else {
        strip_tags(content)
    };
    shown["bodyPreview"] = plain.chars().take(255).collect::<String>().into();
    let wants_text =
        prefer(call, "outlook.body-content-type").is_some_and(|t| t.eq_ignore_ascii_case("text"));
    shown["body"] = if wants_text {
        json!({"contentType": "text", "content": plain})
    } else if is_text && !content.is_empty() {
        // The service rewrites text into an HTML document.
        let escaped = crate::http::escape(content).replace('\n', "<br>\r\n");
        json!({"contentType": "html", "content": format!("<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\r\n</head>\r\n<body>\r\n{escaped}\r\n</body>\r\n</html>\r\n")})
    } else {
        json!({"contentType": "html", "content": content})
    };
    if let Value::Object(map) = &mut shown {
        map.retain(|key, _| !key.starts_with('_'));
        if map.get("transactionId").is_some_and(Value::is_null) {
            map.remove("transactionId");
        }
    }
    shown
}

/// Stores a series that ends before that day, with those of its exceptions that it still has.
pub(crate) fn end_earlier(state: &mut State, calendar_id: &str, mut series: Value, day: NaiveDate) {
    let key = day.format("%Y%m%d").to_string();
    if let Some(parts) = series["_exceptions"].as_object_mut() {
        parts.retain(|at, _| *at < key);
    }
    if let Some(gone) = series["_cancelled"].as_array_mut() {
        gone.retain(|at| at.as_str() < Some(key.as_str()));
    }
    let stored = store(state, calendar_id, series, false, None);
    graph_subscriptions::notify(state, calendar_id, &stored, "updated");
}

fn strip_tags(html: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            _ if !inside => out.push(c),
            _ => {}
        }
    }
    out.trim().to_owned()
}

/// Adds the properties named by `$expand=singleValueExtendedProperties($filter=id eq '…')`.
fn with_expanded(call: &Call, event: &Event, mut shown: Value) -> Value {
    let Some(expand) = call
        .q("$expand")
        .filter(|e| e.contains("singleValueExtendedProperties"))
    else {
        return shown;
    };
    let ids = quoted(expand);
    let wanted: Vec<Value> = event
        .extended
        .iter()
        .filter(|p| ids.is_empty() || ids.iter().any(|id| p["id"] == json!(id)))
        .cloned()
        .collect();
    if !wanted.is_empty() {
        shown["singleValueExtendedProperties"] = wanted.into();
    }
    shown
}

/// The filters the fake understands.
enum Filter {
    Extended { id: String, value: String },
    Uid(String),
}

impl Filter {
    fn matches(&self, event: &Event) -> bool {
        match self {
            // Names compare exactly, values without case.
            Self::Extended { id, value } => event.extended.iter().any(|p| {
                p["id"] == json!(id)
                    && p["value"]
                        .as_str()
                        .is_some_and(|v| v.eq_ignore_ascii_case(value))
            }),
            Self::Uid(uid) => event.body["iCalUId"] == json!(uid),
        }
    }
}

/// Contents of `'…'` literals, `''` being an escaped quote.
fn quoted(text: &str) -> Vec<String> {
    let marked = text.replace("''", "\u{1}");
    marked
        .split('\'')
        .skip(1)
        .step_by(2)
        .map(|s| s.replace('\u{1}', "'"))
        .collect()
}

fn parse_filter(text: &str) -> Result<Filter, Reply> {
    let lower = text.to_lowercase().replace(' ', "");
    let literals = quoted(text);
    match literals.as_slice() {
        [id, value] if lower.starts_with("singlevalueextendedproperties/any(") => {
            Ok(Filter::Extended {
                id: id.clone(),
                value: value.clone(),
            })
        }
        [uid] if lower.starts_with("icaluideq'") => Ok(Filter::Uid(uid.clone())),
        _ => Err(error(
            400,
            "ErrorInvalidUrlQueryFilter",
            "The query filter contains one or more invalid nodes.",
        )),
    }
}
