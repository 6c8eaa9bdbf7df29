//! Between schedule entries and the providers' events. Attendees are never written, so nobody is ever mailed.

mod google;
mod graph;
mod uid;

use chrono::{DateTime, Utc};
use daybind_domain::recurrence::Rule;
use daybind_domain::schedule::{EntryContent, EntryStatus, ShowAs, TITLE_MAX, When};
use daybind_services::recurrence::{first_day, has_day};
use serde_json::{Map, Value};
use url::Url;

use crate::faults::Fault;
use crate::provider::RemoteState;

pub use google::{from_google, to_google};
pub use graph::{from_graph, to_graph};
pub use uid::wrapped_uid;

/// Shown for external events without a title.
const UNTITLED: &str = "(No title)";
/// The longest address of an online meeting, in bytes.
const MEETING_MAX: usize = 2048;

/// The form in which contents are compared: line ends as `\n`, nothing around, no status.
#[must_use]
pub fn canonical(content: &EntryContent) -> EntryContent {
    let text = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
    let title: String = text(&content.title)
        .replace('\n', " ")
        .chars()
        .take(TITLE_MAX)
        .collect();
    EntryContent {
        title: if title.is_empty() {
            UNTITLED.to_owned()
        } else {
            title
        },
        notes: text(&content.notes),
        location: text(&content.location),
        when: content.when.clone(),
        repeats: content
            .repeats
            .clone()
            .map(|rule| rule.spelled_out(first_day(&content.when))),
        shows: content.shows,
        private: content.private,
        status: EntryStatus::Scheduled,
    }
}

/// What an event says besides when.
struct Says<'a> {
    title: &'a Value,
    notes: &'a Value,
    location: &'a Value,
    free: bool,
    private: bool,
}

fn content(says: &Says<'_>, when: When, repeats: Option<Rule>) -> EntryContent {
    // PostgreSQL stores no NUL, and one event must not keep the others out.
    let text = |value: &Value| value.as_str().unwrap_or_default().replace('\0', "");
    canonical(&EntryContent {
        title: text(says.title),
        notes: text(says.notes),
        location: text(says.location),
        when,
        repeats,
        shows: if says.free {
            ShowAs::Free
        } else {
            ShowAs::Busy
        },
        private: says.private,
        status: EntryStatus::Scheduled,
    })
}

fn text_of(value: &Value, name: &str) -> Option<String> {
    value[name].as_str().map(str::to_owned)
}

fn put(body: &mut Map<String, Value>, name: &str, value: Value) {
    body.insert(name.to_owned(), value);
}

/// A series, if its first occurrence is one by its own rule: what comes before it would be lost otherwise.
fn series(says: &Says<'_>, when: When, rule: Rule) -> RemoteState {
    let first = first_day(&when);
    if has_day(&rule, first, first) {
        RemoteState::Present(content(says, when, Some(rule)))
    } else {
        RemoteState::Unsupported(Fault::UnknownRule)
    }
}

/// An address that people may be sent to: https, with a host, and nobody's name in it. Whoever invites its owner writes it.
fn joinable(text: &Value) -> Option<String> {
    let url = Url::parse(text.as_str()?.trim()).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    let fine =
        url.scheme() == "https" && url.has_host() && plain && url.as_str().len() <= MEETING_MAX;
    fine.then(|| url.into())
}

fn instant(text: &Value) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text.as_str()?).ok()?;
    Some(at.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::merge::Field;
    use crate::provider::{Original, RemoteEvent};

    pub(super) fn sample(when: When) -> EntryContent {
        EntryContent {
            title: "Replace switch".to_owned(),
            notes: "Line one\nLine <two> & \"three\"".to_owned(),
            location: "Hall 3".to_owned(),
            when,
            repeats: None,
            shows: ShowAs::Busy,
            private: false,
            status: EntryStatus::Scheduled,
        }
    }

    fn timed(start: &str, end: &str) -> When {
        let at = |text: &str| {
            DateTime::parse_from_rfc3339(text)
                .unwrap()
                .with_timezone(&Utc)
        };
        When::Timed {
            start: at(start),
            end: at(end),
            zone: "Europe/Berlin".to_owned(),
        }
    }

    pub(super) fn whens() -> [When; 3] {
        [
            timed("2026-07-01T08:00:00Z", "2026-07-01T09:30:00Z"),
            // Inside the hour that happens twice.
            timed("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
            When::AllDay {
                start: "2026-12-24".parse().unwrap(),
                end: "2026-12-27".parse().unwrap(),
            },
        ]
    }

    /// What calendars say about an event's time and its readers, and what that means here.
    #[test]
    fn availability_and_privacy_are_read() {
        let read = |event: &Value, from: fn(&Value) -> Option<RemoteEvent>| {
            let RemoteState::Present(content) = from(event).unwrap().state else {
                panic!("it is there");
            };
            (content.shows == ShowAs::Free, content.private)
        };
        let mut google = Value::Object(to_google(&sample(whens()[0].clone()), &Field::ALL, false));
        google["id"] = json!("x");
        for (transparency, visibility, expected) in [
            (Value::Null, Value::Null, (false, false)),
            (json!("opaque"), json!("default"), (false, false)),
            (json!("transparent"), json!("public"), (true, false)),
            (json!("opaque"), json!("private"), (false, true)),
            (json!("opaque"), json!("confidential"), (false, true)),
        ] {
            (google["transparency"], google["visibility"]) = (transparency, visibility);
            assert_eq!(read(&google, from_google), expected, "{google}");
        }
        let mut graph = Value::Object(to_graph(&sample(whens()[0].clone()), &Field::ALL, false));
        graph["id"] = json!("x");
        for (shown, sensitivity, expected) in [
            (Value::Null, Value::Null, (false, false)),
            (json!("free"), json!("normal"), (true, false)),
            (json!("busy"), json!("personal"), (false, true)),
            (json!("tentative"), json!("private"), (false, true)),
            (json!("oof"), json!("confidential"), (false, true)),
            (json!("workingElsewhere"), json!("normal"), (false, false)),
            (json!("unknown"), json!("normal"), (false, false)),
        ] {
            (graph["showAs"], graph["sensitivity"]) = (shown, sensitivity);
            assert_eq!(read(&graph, from_graph), expected, "{graph}");
        }
    }

    /// The way into an online meeting is read from wherever it stands, and only one that people may be sent to.
    #[test]
    fn meetings_are_joined_over_https_only() {
        let google = |more: Value| {
            let mut event =
                Value::Object(to_google(&sample(whens()[0].clone()), &Field::ALL, false));
            event["id"] = json!("x");
            for (name, value) in more.as_object().unwrap() {
                event[name] = value.clone();
            }
            from_google(&event).unwrap().about.meeting
        };
        let zoom = "https://zoom.example/j/1?pwd=a";
        let points = json!([
            { "entryPointType": "phone", "uri": "tel:+49-1" },
            { "entryPointType": "more", "uri": "https://zoom.example/more" },
            { "entryPointType": "video", "uri": zoom },
        ]);
        let both = json!({
            "hangoutLink": "https://meet.example/abc", "conferenceData": { "entryPoints": points }
        });
        assert_eq!(google(both).as_deref(), Some(zoom));
        let meet = json!({ "hangoutLink": "https://meet.example/abc" });
        assert_eq!(google(meet).as_deref(), Some("https://meet.example/abc"));
        assert_eq!(google(json!({})), None);
        let graph = |more: Value| {
            let mut event =
                Value::Object(to_graph(&sample(whens()[0].clone()), &Field::ALL, false));
            event["id"] = json!("x");
            for (name, value) in more.as_object().unwrap() {
                event[name] = value.clone();
            }
            from_graph(&event).unwrap().about.meeting
        };
        let teams = json!({
            "onlineMeeting": { "joinUrl": "https://teams.example/l/1" }, "onlineMeetingUrl": "https://old.example/"
        });
        assert_eq!(graph(teams).as_deref(), Some("https://teams.example/l/1"));
        let old = json!({ "onlineMeeting": null, "onlineMeetingUrl": "https://old.example/" });
        assert_eq!(graph(old).as_deref(), Some("https://old.example/"));
        let long = format!("https://x.example/{}", "a".repeat(MEETING_MAX));
        for link in [
            "http://meet.example/abc",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://somebody:word@meet.example/",
            "https://somebody@meet.example/",
            "//meet.example/abc",
            "meet.example/abc",
            "https://",
            "",
            &long,
        ] {
            assert_eq!(google(json!({ "hangoutLink": link })), None, "{link}");
            assert_eq!(graph(json!({ "onlineMeetingUrl": link })), None, "{link}");
        }
    }

    /// Only what changed is written, so a word that says more than ours (away, confidential, public) stays; and reminders are
    /// the owner's.
    #[test]
    fn patches_say_what_changed_and_no_more() {
        let keys = |body: Map<String, Value>| body.keys().cloned().collect::<Vec<_>>();
        let content = EntryContent {
            shows: ShowAs::Free,
            private: true,
            ..sample(whens()[0].clone())
        };
        for field in Field::ALL {
            let google = keys(to_google(&content, &[field], true));
            let graph = keys(to_graph(&content, &[field], true));
            for (name, of) in [
                ("transparency", Field::Shows),
                ("visibility", Field::Private),
            ] {
                assert_eq!(google.contains(&name.to_owned()), field == of, "{google:?}");
            }
            for (name, of) in [("showAs", Field::Shows), ("sensitivity", Field::Private)] {
                assert_eq!(graph.contains(&name.to_owned()), field == of, "{graph:?}");
            }
            let all = [google, graph].concat();
            assert!(
                !all.iter()
                    .any(|name| name.to_lowercase().contains("reminder"))
            );
        }
        let made = [
            to_google(&content, &Field::ALL, false),
            to_graph(&content, &Field::ALL, false),
        ];
        for body in made {
            assert!(
                !keys(body)
                    .iter()
                    .any(|name| name.to_lowercase().contains("reminder"))
            );
        }
        let sent = to_google(&content, &[Field::Shows, Field::Private], true);
        assert_eq!(
            (&sent["transparency"], &sent["visibility"]),
            (&json!("transparent"), &json!("private"))
        );
        let sent = to_graph(&content, &[Field::Shows, Field::Private], true);
        assert_eq!(
            (&sent["showAs"], &sent["sensitivity"]),
            (&json!("free"), &json!("private"))
        );
        let plain = sample(whens()[0].clone());
        let back = to_google(&plain, &[Field::Shows, Field::Private], true);
        assert_eq!(
            (&back["transparency"], &back["visibility"]),
            (&json!("opaque"), &json!("default"))
        );
        let back = to_graph(&plain, &[Field::Shows, Field::Private], true);
        assert_eq!(
            (&back["showAs"], &back["sensitivity"]),
            (&json!("busy"), &json!("normal"))
        );
    }

    fn series_of(zone: &str) -> EntryContent {
        let mut when = timed("2026-10-20T07:00:00Z", "2026-10-20T08:00:00Z");
        if let When::Timed { zone: name, .. } = &mut when {
            zone.clone_into(name);
        }
        EntryContent {
            repeats: Some("FREQ=WEEKLY;BYDAY=TU,TH;UNTIL=20270330".parse().unwrap()),
            ..sample(when)
        }
    }

    /// W7, W8, W11: a series goes out with its zone and comes back as it was; no attendees.
    #[test]
    fn series_round_trip() {
        let sent = series_of("Europe/Berlin");
        let mut body = Value::Object(to_google(&sent, &Field::ALL, false));
        assert_eq!(body["start"]["timeZone"], "Europe/Berlin");
        assert!(body.get("attendees").is_none());
        body["id"] = json!("x");
        assert_eq!(
            from_google(&body).unwrap().state,
            RemoteState::Present(sent.clone())
        );

        let mut body = Value::Object(to_graph(&sent, &Field::ALL, false));
        assert_eq!(body["start"]["timeZone"], "W. Europe Standard Time");
        assert_eq!(body["start"]["dateTime"], "2026-10-20T09:00:00");
        assert!(body.get("attendees").is_none());
        body["id"] = json!("x");
        body["type"] = json!("seriesMaster");
        body["originalStartTimeZone"] = json!("W. Europe Standard Time");
        assert_eq!(from_graph(&body).unwrap().state, RemoteState::Present(sent));

        // Whole days keep their dates.
        let whole = EntryContent {
            repeats: Some("FREQ=MONTHLY;BYMONTHDAY=24;COUNT=3".parse().unwrap()),
            ..sample(whens()[2].clone())
        };
        let mut body = Value::Object(to_graph(&whole, &Field::ALL, false));
        assert_eq!(body["recurrence"]["range"]["startDate"], "2026-12-24");
        body["id"] = json!("x");
        body["type"] = json!("seriesMaster");
        assert_eq!(
            from_graph(&body).unwrap().state,
            RemoteState::Present(whole)
        );
    }

    /// W8: what the rule's change needs goes along, and an occurrence never gets a rule.
    #[test]
    fn patches_of_series_are_whole() {
        let series = series_of("Europe/Berlin");
        let patch = to_google(&series, &[Field::When], true);
        assert_eq!(
            patch["recurrence"],
            json!(["RRULE:FREQ=WEEKLY;BYDAY=TU,TH;UNTIL=20270330T070000Z"])
        );
        assert!(to_graph(&series, &[Field::Repeat], true).contains_key("start"));
        let single = EntryContent {
            repeats: None,
            ..series
        };
        assert!(to_google(&single, &[Field::Repeat], true)["recurrence"].is_null());
        assert!(!to_google(&single, &[Field::When], true).contains_key("recurrence"));
        assert!(to_graph(&single, &[Field::Repeat], true)["recurrence"].is_null());
        assert!(!to_graph(&single, &[Field::When], true).contains_key("recurrence"));
        assert!(!to_graph(&single, &Field::ALL, false).contains_key("recurrence"));
    }

    /// W11: a single event is known by its instants; a series in a zone that nobody knows is left alone, not read as UTC.
    #[test]
    fn a_series_needs_a_zone_that_is_known() {
        let state =
            |body: &Value, from: fn(&Value) -> Option<RemoteEvent>| from(body).unwrap().state;
        let unknown = RemoteState::Unsupported(Fault::UnknownZone);
        let series = series_of("Europe/Berlin");
        let single = EntryContent {
            repeats: None,
            ..series.clone()
        };

        let mut google = Value::Object(to_google(&series, &Field::ALL, false));
        google["id"] = json!("x");
        for zone in [json!("Europe/Atlantis"), Value::Null] {
            google["start"]["timeZone"] = zone;
            assert_eq!(state(&google, from_google), unknown);
        }
        google["recurrence"] = Value::Null;
        let RemoteState::Present(read) = state(&google, from_google) else {
            panic!("its instants are known");
        };
        assert!(crate::merge::differing(&read, &single).is_empty());

        let mut graph = Value::Object(to_graph(&series, &Field::ALL, false));
        (graph["id"], graph["type"]) = (json!("x"), json!("seriesMaster"));
        for (original, of_rule, known) in [
            ("Customized Time Zone", "Customized Time Zone", false),
            ("tzone://Microsoft/Custom", "", false),
            ("W. Europe Standard Time", "tzone://Microsoft/Custom", false),
            ("tzone://Microsoft/Custom", "W. Europe Standard Time", true),
            ("W. Europe Standard Time", "", true),
        ] {
            graph["originalStartTimeZone"] = json!(original);
            graph["recurrence"]["range"]["recurrenceTimeZone"] = json!(of_rule);
            let expected = if known {
                RemoteState::Present(series.clone())
            } else {
                unknown.clone()
            };
            assert_eq!(state(&graph, from_graph), expected, "{original} {of_rule}");
        }
        graph["originalStartTimeZone"] = json!("tzone://Microsoft/Custom");
        (graph["type"], graph["recurrence"]) = (json!("singleInstance"), Value::Null);
        let RemoteState::Present(read) = state(&graph, from_graph) else {
            panic!("its instants are known");
        };
        assert!(crate::merge::differing(&read, &single).is_empty());
        // A wall time in a zone that nobody knows is no instant.
        graph["start"]["timeZone"] = json!("tzone://Microsoft/Custom");
        assert_eq!(
            state(&graph, from_graph),
            RemoteState::Unsupported(Fault::NoTime)
        );
    }

    /// W11: what Outlook has no clock for is told by its instants, never by a clock that comes close.
    #[test]
    fn graph_is_told_instants_where_it_has_no_clock() {
        let sent = EntryContent {
            repeats: None,
            ..series_of("Antarctica/Troll")
        };
        let body = Value::Object(to_graph(&sent, &Field::ALL, false));
        assert_eq!(
            (&body["start"]["dateTime"], &body["start"]["timeZone"]),
            (&json!("2026-10-20T07:00:00"), &json!("UTC"))
        );
        assert_eq!(
            crate::rules::graph_zone(&series_of("Antarctica/Troll").when),
            None
        );
    }

    /// W8: a rule Daybind does not plan with leaves the event alone, and so does one its first day does not fit.
    #[test]
    fn unknown_rules_are_left_alone() {
        let mut body = Value::Object(to_google(&series_of("Europe/Berlin"), &Field::ALL, false));
        body["id"] = json!("x");
        for line in ["RRULE:FREQ=HOURLY", "RRULE:FREQ=WEEKLY;BYDAY=SA"] {
            body["recurrence"] = json!([line]);
            assert_eq!(
                from_google(&body).unwrap().state,
                RemoteState::Unsupported(Fault::UnknownRule)
            );
        }
        let part = json!({
            "id": "x_1", "status": "cancelled", "recurringEventId": "x",
            "originalStartTime": { "dateTime": "2026-10-27T09:00:00+01:00", "timeZone": "Europe/Berlin" },
        });
        let part = from_google(&part).unwrap();
        let at = DateTime::parse_from_rfc3339("2026-10-27T08:00:00Z")
            .unwrap()
            .to_utc();
        assert_eq!(part.state, RemoteState::Deleted);
        assert_eq!(part.part.unwrap().original, Some(Original::At(at)));
    }
}
