//! Google's events: what is written, and how they are read.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use daybind_domain::schedule::{EntryContent, ShowAs, When};
use serde_json::{Map, Value, json};

use super::uid::uid_of;
use super::{Says, content, instant, joinable, put, series, text_of};
use crate::faults::Fault;
use crate::merge::Field;
use crate::provider::{About, Continues, CopyKey, Original, Part, RemoteEvent, RemoteState};
use crate::{rules, zones};

/// The body of a Google insert or patch, with the given fields only. `null` clears the form of time not used.
#[must_use]
pub fn to_google(content: &EntryContent, fields: &[Field], patch: bool) -> Map<String, Value> {
    let mut body = Map::new();
    for field in fields {
        match field {
            Field::Title => put(&mut body, "summary", json!(content.title)),
            Field::Notes => put(&mut body, "description", json!(content.notes)),
            Field::Location => put(&mut body, "location", json!(content.location)),
            Field::Shows => {
                let word = match content.shows {
                    ShowAs::Busy => "opaque",
                    ShowAs::Free => "transparent",
                };
                put(&mut body, "transparency", json!(word));
            }
            Field::Private => {
                let word = if content.private {
                    "private"
                } else {
                    "default"
                };
                put(&mut body, "visibility", json!(word));
            }
            Field::When | Field::Repeat if body.contains_key("start") => {}
            Field::When | Field::Repeat => {
                let (start, end) = match &content.when {
                    When::Timed { start, end, zone } => {
                        (google_time(*start, zone), google_time(*end, zone))
                    }
                    When::AllDay { start, end } => {
                        (json!({ "date": start }), json!({ "date": end }))
                    }
                };
                for (name, mut point) in [("start", start), ("end", end)] {
                    if patch && let Some(point) = point.as_object_mut() {
                        for key in ["date", "dateTime", "timeZone"] {
                            point.entry(key).or_insert(Value::Null);
                        }
                    }
                    put(&mut body, name, point);
                }
                // The rule's end is an instant that goes with the time of day. An occurrence has no rule to speak of.
                if let Some(rule) = &content.repeats {
                    put(
                        &mut body,
                        "recurrence",
                        rules::to_lines(rule, &content.when),
                    );
                } else if patch && fields.contains(&Field::Repeat) {
                    put(&mut body, "recurrence", Value::Null);
                }
            }
        }
    }
    body
}

fn google_time(at: DateTime<Utc>, zone: &str) -> Value {
    let zone = zones::zone(zone).unwrap_or(Tz::UTC);
    let text = at
        .with_timezone(&zone)
        .to_rfc3339_opts(SecondsFormat::Secs, true);
    json!({ "dateTime": text, "timeZone": zone.name() })
}

/// Reads a Google event.
#[must_use]
pub fn from_google(event: &Value) -> Option<RemoteEvent> {
    let says = Says {
        title: &event["summary"],
        notes: &event["description"],
        location: &event["location"],
        free: event["transparency"] == "transparent",
        private: matches!(
            event["visibility"].as_str(),
            Some("private" | "confidential")
        ),
    };
    let lines = event["recurrence"]
        .as_array()
        .filter(|lines| !lines.is_empty());
    let mut without = Vec::new();
    let state = if event["status"] == "cancelled" {
        RemoteState::Deleted
    } else {
        match (google_when(event), lines) {
            (None, _) => RemoteState::Unsupported(Fault::NoTime),
            (Some(when), None) => RemoteState::Present(content(&says, when, None)),
            (Some(When::Timed { .. }), Some(_)) if clock(event).is_none() => {
                RemoteState::Unsupported(Fault::UnknownZone)
            }
            (Some(when), Some(lines)) => match rules::from_lines(lines, &when) {
                Some(lines) => {
                    without = lines.without;
                    series(&says, when, lines.rule)
                }
                None => RemoteState::Unsupported(Fault::UnknownRule),
            },
        }
    };
    Some(RemoteEvent {
        id: text_of(event, "id")?,
        etag: text_of(event, "etag"),
        ical_uid: uid_of(&event["iCalUID"]),
        state,
        part: text_of(event, "recurringEventId").map(|series| Part {
            series,
            original: google_original(&event["originalStartTime"]),
        }),
        without,
        about: About {
            changed_at: instant(&event["updated"]),
            guest: event["organizer"].is_object() && event["organizer"]["self"] != true,
            meeting: google_meeting(event),
            copy_of: event["id"].as_str().and_then(CopyKey::read_google_id),
            continues: event["id"].as_str().and_then(google_split),
            perhaps_split: false,
        },
    })
}

/// The way into a conference by video, whoever offers it; `hangoutLink` is that of older Meet events.
fn google_meeting(event: &Value) -> Option<String> {
    let points = event["conferenceData"]["entryPoints"].as_array();
    points
        .into_iter()
        .flatten()
        .filter(|point| point["entryPointType"] == "video")
        .map(|point| &point["uri"])
        .chain([&event["hangoutLink"]])
        .find_map(joinable)
}

/// "This and following" at Google ends the series and makes another one, whose id is the first one's with the time at which
/// the new one begins: `{series}_R20261215T080000`, in UTC, or `{series}_R20261215`. Seen in the field, not documented.
fn google_split(id: &str) -> Option<Continues> {
    let (series, stamp) = id.rsplit_once("_R")?;
    let original = match NaiveDate::parse_from_str(stamp, "%Y%m%d") {
        Ok(day) => Original::Day(day),
        Err(_) => {
            let at = NaiveDateTime::parse_from_str(stamp, "%Y%m%dT%H%M%S").ok()?;
            Original::At(at.and_utc())
        }
    };
    Some(Continues {
        series: series.to_owned(),
        original: Some(original),
    })
}

fn google_original(point: &Value) -> Option<Original> {
    if let Some(day) = point["date"].as_str() {
        return day.parse().ok().map(Original::Day);
    }
    instant(&point["dateTime"]).map(Original::At)
}

/// The zone whose clock an event goes by.
fn clock(event: &Value) -> Option<Tz> {
    zones::zone(event["start"]["timeZone"].as_str()?)
}

fn google_when(event: &Value) -> Option<When> {
    let (start, end) = (&event["start"], &event["end"]);
    if let (Some(start), Some(end)) = (start["date"].as_str(), end["date"].as_str()) {
        let when = When::AllDay {
            start: start.parse().ok()?,
            end: end.parse().ok()?,
        };
        return when.is_ordered().then_some(when);
    }
    let at = |point: &Value| {
        let text = point["dateTime"].as_str()?;
        DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|at| at.with_timezone(&Utc))
    };
    let when = When::Timed {
        start: at(start)?,
        end: at(end)?,
        // Of a single event the instants say it all.
        zone: clock(event).unwrap_or(Tz::UTC).name().to_owned(),
    };
    when.is_ordered().then_some(when)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{sample, whens};
    use super::*;

    #[test]
    fn google_round_trip() {
        for when in whens() {
            let sent = sample(when);
            let mut body = Value::Object(to_google(&sent, &Field::ALL, false));
            assert!(body.get("attendees").is_none());
            body["id"] = json!("x");
            assert_eq!(
                from_google(&body).unwrap().state,
                RemoteState::Present(sent)
            );
        }
        let patch = to_google(&sample(whens()[2].clone()), &[Field::When], true);
        assert!(patch["start"]["dateTime"].is_null() && patch.get("summary").is_none());
        let gone = json!({ "id": "x", "status": "cancelled" });
        assert_eq!(from_google(&gone).unwrap().state, RemoteState::Deleted);
    }

    /// W9: the id of a series that goes on after a split names the first one, also when that was the half of one.
    #[test]
    fn a_split_series_names_the_first() {
        for (id, series, original) in [
            (
                "dabc_R20261215T080000",
                "dabc",
                Original::At("2026-12-15T08:00:00Z".parse().unwrap()),
            ),
            (
                "dabc_R20261215",
                "dabc",
                Original::Day("2026-12-15".parse().unwrap()),
            ),
        ] {
            let found = google_split(id).unwrap();
            assert_eq!(
                (found.series.as_str(), found.original),
                (series, Some(original))
            );
        }
        for id in [
            "dabc",
            "dabc_20261215T080000Z",
            "dabc_R",
            "dabc_Rx",
            "_R20261315",
        ] {
            assert_eq!(google_split(id), None, "{id}");
        }
    }
}
