//! Microsoft Graph's events: what is written, and how they are read.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use daybind_domain::schedule::{EntryContent, When};
use serde_json::{Map, Value, json};

use super::uid::uid_of;
use super::{Says, content, instant, joinable, put, series, text_of};
use crate::faults::Fault;
use crate::merge::Field;
use crate::provider::{About, CopyKey, Original, Part, RemoteEvent, RemoteState};
use crate::{rules, zones};

/// The body of a Graph create or patch, with the given fields only; `null` takes a rule away.
#[must_use]
pub fn to_graph(content: &EntryContent, fields: &[Field], patch: bool) -> Map<String, Value> {
    let mut body = Map::new();
    for field in fields {
        match field {
            Field::Title => put(&mut body, "subject", json!(content.title)),
            Field::Notes => put(
                &mut body,
                "body",
                json!({ "contentType": "text", "content": content.notes }),
            ),
            Field::Location => put(
                &mut body,
                "location",
                json!({ "displayName": content.location }),
            ),
            Field::Shows => put(&mut body, "showAs", json!(content.shows.as_str())),
            Field::Private => {
                let word = if content.private { "private" } else { "normal" };
                put(&mut body, "sensitivity", json!(word));
            }
            Field::When | Field::Repeat if body.contains_key("start") => {}
            Field::When | Field::Repeat => {
                let (start, end, all_day) = match &content.when {
                    When::Timed { start, end, zone } => {
                        let [start, end] =
                            graph_times(*start, *end, zone, content.repeats.is_some());
                        (start, end, false)
                    }
                    When::AllDay { start, end } => (midnight(*start), midnight(*end), true),
                };
                put(&mut body, "start", start);
                put(&mut body, "end", end);
                put(&mut body, "isAllDay", json!(all_day));
                // The range begins with the first occurrence. An occurrence has no rule to speak of.
                if let Some(rule) = &content.repeats {
                    if let Some(pattern) = rules::to_pattern(rule, &content.when) {
                        put(&mut body, "recurrence", pattern);
                    }
                } else if patch && fields.contains(&Field::Repeat) {
                    put(&mut body, "recurrence", Value::Null);
                }
            }
        }
    }
    body
}

fn midnight(day: NaiveDate) -> Value {
    json!({ "dateTime": format!("{day}T00:00:00"), "timeZone": "UTC" })
}

/// Graph takes wall times without offset, so an hour that happens twice is sent in UTC instead; of a series, the zone is
/// what makes its later times right, and stays.
fn graph_times(start: DateTime<Utc>, end: DateTime<Utc>, name: &str, series: bool) -> [Value; 2] {
    let zone = zones::zone(name).unwrap_or(Tz::UTC);
    let wall = |at: DateTime<Utc>, zone: Tz| at.with_timezone(&zone).naive_local();
    let clear = |at| zone.from_local_datetime(&wall(at, zone)).single().is_some();
    let zone = if series || (clear(start) && clear(end)) {
        zone
    } else {
        Tz::UTC
    };
    // A series without such a name never gets here; an event's instants are right in UTC.
    let (zone, shown) = match zones::graph_name(zone, start) {
        Some(shown) => (zone, shown),
        None if series => (zone, zone.name()),
        None => (Tz::UTC, "UTC"),
    };
    [start, end].map(|at| {
        json!({ "dateTime": wall(at, zone).format("%Y-%m-%dT%H:%M:%S%.f").to_string(), "timeZone": shown })
    })
}

/// Reads a Graph event, asked for with times in UTC and the body as text.
#[must_use]
pub fn from_graph(event: &Value) -> Option<RemoteEvent> {
    let says = Says {
        title: &event["subject"],
        notes: &event["body"]["content"],
        location: &event["location"]["displayName"],
        // Tentative, away and working elsewhere are ways of being busy.
        free: event["showAs"] == "free",
        private: matches!(
            event["sensitivity"].as_str(),
            Some("private" | "personal" | "confidential")
        ),
    };
    let occurrence = matches!(event["type"].as_str(), Some("occurrence" | "exception"));
    let state = if event["@removed"].is_object() {
        RemoteState::LeftView
    } else if event["isCancelled"] == true {
        RemoteState::Deleted
    } else if occurrence && event.get("subject").is_none() {
        // The delta shows plain occurrences by id and time only: a look tells what they say.
        RemoteState::LeftView
    } else {
        match (graph_when(event), event["type"] == "seriesMaster") {
            (None, _) => RemoteState::Unsupported(Fault::NoTime),
            (Some(when), false) => RemoteState::Present(content(&says, when, None)),
            (Some(When::Timed { .. }), true) if clock(event).is_none() => {
                RemoteState::Unsupported(Fault::UnknownZone)
            }
            (Some(when), true) => match rules::from_pattern(&event["recurrence"]) {
                Some(rule) => series(&says, when, rule),
                None => RemoteState::Unsupported(Fault::UnknownRule),
            },
        }
    };
    Some(RemoteEvent {
        id: text_of(event, "id")?,
        etag: text_of(event, "@odata.etag"),
        ical_uid: uid_of(&event["iCalUId"]),
        state,
        part: text_of(event, "seriesMasterId").map(|series| Part {
            series,
            original: graph_original(event),
        }),
        without: Vec::new(),
        about: About {
            changed_at: instant(&event["lastModifiedDateTime"]),
            guest: event["isOrganizer"] == false,
            meeting: [
                &event["onlineMeeting"]["joinUrl"],
                &event["onlineMeetingUrl"],
            ]
            .into_iter()
            .find_map(joinable),
            copy_of: event["transactionId"]
                .as_str()
                .and_then(CopyKey::read_marker),
            // The delta does not tell; see `Reader`.
            continues: None,
            perhaps_split: false,
        },
    })
}

/// Exceptions name the time the rule gives them; a plain occurrence is where it is.
fn graph_original(event: &Value) -> Option<Original> {
    let at = instant(&event["originalStart"]);
    match graph_when(event) {
        Some(When::AllDay { start, .. }) => {
            Some(Original::Day(at.map_or(start, |at| at.date_naive())))
        }
        Some(When::Timed { start, .. }) => Some(Original::At(at.unwrap_or(start))),
        None => at.map(Original::At),
    }
}

/// The zone whose clock an event goes by. Of a series it is the zone its times are worked out in (MS-OXOCAL,
/// PidLidAppointmentTimeZoneDefinitionRecur), where Graph tells it; it is empty for some (invitations from elsewhere).
fn clock(event: &Value) -> Option<Tz> {
    let told = |name: &Value| {
        name.as_str()
            .filter(|name| !name.is_empty())
            .map(zones::zone)
    };
    told(&event["recurrence"]["range"]["recurrenceTimeZone"])
        .or_else(|| told(&event["originalStartTimeZone"]))
        .flatten()
}

fn graph_when(event: &Value) -> Option<When> {
    let wall = |point: &Value| {
        let text = point["dateTime"].as_str()?.trim_end_matches('Z');
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()
    };
    let (start, end) = (wall(&event["start"])?, wall(&event["end"])?);
    let when = if event["isAllDay"] == true {
        // Whole days end at the midnight after the last; a later hour counts as another day.
        let last = if end.time() == NaiveTime::MIN {
            end.date()
        } else {
            end.date().succ_opt()?
        };
        When::AllDay {
            start: start.date(),
            end: last,
        }
    } else {
        let at = |wall: NaiveDateTime, point: &Value| {
            zones::zone(point["timeZone"].as_str()?)?
                .from_local_datetime(&wall)
                .earliest()
                .map(|at| at.with_timezone(&Utc))
        };
        When::Timed {
            start: at(start, &event["start"])?,
            end: at(end, &event["end"])?,
            // Of a single event the instants say it all.
            zone: clock(event).unwrap_or(Tz::UTC).name().to_owned(),
        }
    };
    when.is_ordered().then_some(when)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{sample, whens};
    use super::*;

    #[test]
    fn graph_round_trip() {
        for when in whens() {
            let sent = sample(when);
            let mut body = Value::Object(to_graph(&sent, &Field::ALL, false));
            body["id"] = json!("x");
            body["originalStartTimeZone"] = json!("W. Europe Standard Time");
            assert_eq!(from_graph(&body).unwrap().state, RemoteState::Present(sent));
        }
        let left = json!({ "id": "x", "@removed": { "reason": "deleted" } });
        assert_eq!(from_graph(&left).unwrap().state, RemoteState::LeftView);
    }
}
