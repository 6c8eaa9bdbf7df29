//! Between schedule entries and the providers' events. Attendees are never written, so nobody is ever mailed.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;
use daybind_domain::recurrence::Rule;
use daybind_domain::schedule::{EntryContent, EntryStatus, ShowAs, TITLE_MAX, When};
use daybind_services::recurrence::{first_day, has_day};
use serde_json::{Map, Value, json};
use url::Url;

use crate::merge::Field;
use crate::provider::{About, Continues, CopyKey, Original, Part, RemoteEvent, RemoteState};
use crate::{rules, zones};

/// Shown for external events without a title.
const UNTITLED: &str = "(No title)";
/// The longest address of an online meeting, in bytes.
const MEETING_MAX: usize = 2048;
const NO_TIME: &str = "The event's time could not be read.";

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

/// How Exchange's global object ids begin.
const OBJECT: &str = "040000008200E00074C5B7101A82E008";
/// How the data of a foreign UID begins: "vCal-Uid" and the number one; the UID and a zero follow.
const FOREIGN: &[u8] = b"vCal-Uid\x01\0\0\0";

/// A foreign UID in Exchange's form, see [`uid_of`]; none for Exchange's own.
#[must_use]
pub fn wrapped_uid(uid: &str) -> Option<String> {
    if uid.starts_with(OBJECT) {
        return None;
    }
    let mut data = FOREIGN.to_vec();
    data.extend(uid.bytes());
    data.push(0);
    let length = u32::try_from(data.len()).ok()?.to_le_bytes();
    let bytes = [0; 20].iter().chain(&length).chain(&data);
    let hex: String = bytes.map(|byte| format!("{byte:02X}")).collect();
    Some(format!("{OBJECT}{hex}"))
}

/// The form in which iCalendar UIDs of both providers are compared. Exchange wraps a UID that is not its own into its global
/// object id, and writes the day of an occurrence into it (MS-OXOCAL, PidLidGlobalObjectId: 16 bytes that say so, 4 of the
/// day, 16 more, 4 of length, the data).
fn uid_of(value: &Value) -> Option<String> {
    let text = value.as_str().filter(|text| !text.is_empty())?;
    let upper = text.to_ascii_uppercase();
    if !upper.starts_with(OBJECT) || upper.len() < 80 || !upper.is_ascii() {
        return Some(text.to_owned());
    }
    let data: Option<Vec<u8>> = (80..upper.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(upper.get(at..at + 2)?, 16).ok())
        .collect();
    let foreign = data
        .as_deref()
        .and_then(|data| data.strip_prefix(FOREIGN))
        .and_then(|uid| std::str::from_utf8(uid).ok())
        .map(|uid| uid.trim_end_matches('\0'))
        .filter(|uid| !uid.is_empty());
    Some(foreign.map_or_else(
        || format!("{OBJECT}00000000{}", &upper[40..]),
        str::to_owned,
    ))
}

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

fn put(body: &mut Map<String, Value>, name: &str, value: Value) {
    body.insert(name.to_owned(), value);
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
            (None, _) => RemoteState::Unsupported(NO_TIME),
            (Some(when), None) => RemoteState::Present(content(&says, when, None)),
            (Some(when), Some(lines)) => match rules::from_lines(lines, &when) {
                Some(lines) => {
                    without = lines.without;
                    series(&says, when, lines.rule)
                }
                None => RemoteState::Unsupported(rules::UNKNOWN),
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

/// An address that people may be sent to: https, with a host, and nobody's name in it. Whoever invites its owner writes it.
fn joinable(text: &Value) -> Option<String> {
    let url = Url::parse(text.as_str()?.trim()).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    let fine =
        url.scheme() == "https" && url.has_host() && plain && url.as_str().len() <= MEETING_MAX;
    fine.then(|| url.into())
}

/// A series, if its first occurrence is one by its own rule: what comes before it would be lost otherwise.
fn series(says: &Says<'_>, when: When, rule: Rule) -> RemoteState {
    let first = first_day(&when);
    if has_day(&rule, first, first) {
        RemoteState::Present(content(says, when, Some(rule)))
    } else {
        RemoteState::Unsupported(rules::UNKNOWN)
    }
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

fn instant(text: &Value) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text.as_str()?).ok()?;
    Some(at.with_timezone(&Utc))
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
    let zone = start["timeZone"]
        .as_str()
        .and_then(zones::zone)
        .unwrap_or(Tz::UTC);
    let when = When::Timed {
        start: at(start)?,
        end: at(end)?,
        zone: zone.name().to_owned(),
    };
    when.is_ordered().then_some(when)
}

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
    let shown = zones::graph_name(zone.name());
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
            (None, _) => RemoteState::Unsupported(NO_TIME),
            (Some(when), false) => RemoteState::Present(content(&says, when, None)),
            (Some(when), true) => match rules::from_pattern(&event["recurrence"]) {
                Some(rule) => series(&says, when, rule),
                None => RemoteState::Unsupported(rules::UNKNOWN),
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
            let zone = point["timeZone"]
                .as_str()
                .and_then(zones::zone)
                .unwrap_or(Tz::UTC);
            zone.from_local_datetime(&wall)
                .earliest()
                .map(|at| at.with_timezone(&Utc))
        };
        let zone = event["originalStartTimeZone"]
            .as_str()
            .and_then(zones::zone)
            .unwrap_or(Tz::UTC);
        When::Timed {
            start: at(start, &event["start"])?,
            end: at(end, &event["end"])?,
            zone: zone.name().to_owned(),
        }
    };
    when.is_ordered().then_some(when)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(when: When) -> EntryContent {
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

    fn whens() -> [When; 3] {
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

    /// W8: a rule Daybind does not plan with leaves the event alone, and so does one its first day does not fit.
    #[test]
    fn unknown_rules_are_left_alone() {
        let mut body = Value::Object(to_google(&series_of("Europe/Berlin"), &Field::ALL, false));
        body["id"] = json!("x");
        for line in ["RRULE:FREQ=HOURLY", "RRULE:FREQ=WEEKLY;BYDAY=SA"] {
            body["recurrence"] = json!([line]);
            assert_eq!(
                from_google(&body).unwrap().state,
                RemoteState::Unsupported(rules::UNKNOWN)
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

    /// W55: one invitation has one UID at both providers: Exchange's own in any case and on any day, a foreign one unwrapped.
    #[test]
    fn uids_of_both_providers_are_one() {
        let class = "040000008200E00074C5B7101A82E008";
        let rest = "0000000000000000000000000000000000000000".to_owned();
        let own = format!("{class}07EA0B1C{}AABB", &rest[..32]);
        let own = format!("{}02000000AABB", &own[..72]);
        let plain = format!("{class}00000000{}02000000AABB", &rest[..32]);
        for text in [own.clone(), own.to_lowercase(), plain.clone()] {
            assert_eq!(uid_of(&json!(text)), Some(plain.clone()));
        }
        let wrapped: String = b"vCal-Uid\x01\0\0\0q1w2@google.com\0"
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let wrapped = format!("{class}00000000{}1C000000{wrapped}", &rest[..32]);
        assert_eq!(wrapped_uid("q1w2@google.com"), Some(wrapped.to_uppercase()));
        assert_eq!(wrapped_uid(&plain), None);
        for text in [wrapped.as_str(), "q1w2@google.com"] {
            assert_eq!(uid_of(&json!(text)).as_deref(), Some("q1w2@google.com"));
        }
        for short in [class, "040000008200E00074C5B7101A82E008é", "x"] {
            assert_eq!(uid_of(&json!(short)).as_deref(), Some(short));
        }
        assert_eq!(uid_of(&json!("")), None);
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
