//! One disagreement as a whole: everything to choose from, and one answer about all of it.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use daybind_domain::ErrorCode;
use daybind_domain::conflict_view::{ConflictAnswer, ConflictView};
use daybind_domain::ids::EntryId;
use daybind_domain::schedule::{ShowAs, When};
use daybind_fakes::DuplicateTransaction;
use daybind_services::{AppResult, CalendarPort as _, Provider};
use serde_json::{Value, json};

use crate::bench::{Database, World, actor};
use crate::settling::{disputed, questions};

/// What is compared, by the chooser's words.
const PARTS: [&str; 5] = ["title", "location", "time", "availability", "privacy"];

/// How the provider says what differs: by an hour later, by other words.
fn theirs(w: &World, start: chrono::DateTime<chrono::Utc>) -> Value {
    let (from, to) = (start + TimeDelta::hours(3), start + TimeDelta::hours(4));
    match w.provider {
        Provider::Google => json!({
            "summary": "Theirs",
            "location": "Roof",
            "start": { "dateTime": from.to_rfc3339(), "timeZone": "Europe/Berlin" },
            "end": { "dateTime": to.to_rfc3339(), "timeZone": "Europe/Berlin" },
            "transparency": "transparent",
            "visibility": "private",
        }),
        Provider::Microsoft => {
            let at = |at: chrono::DateTime<chrono::Utc>| json!({ "dateTime": at.format("%Y-%m-%dT%H:%M:%S").to_string(), "timeZone": "UTC" });
            json!({
                "subject": "Theirs",
                "location": { "displayName": "Roof" },
                "start": at(from),
                "end": at(to),
                "showAs": "free",
                "sensitivity": "private",
            })
        }
    }
}

/// What an entry says of each part, so that either side is told from the other.
fn said(content: &daybind_domain::schedule::EntryContent) -> BTreeMap<&'static str, String> {
    let When::Timed { start, end, .. } = &content.when else {
        panic!("timed");
    };
    BTreeMap::from([
        ("title", content.title.clone()),
        ("location", content.location.clone()),
        ("time", format!("{start} {end}")),
        ("availability", format!("{:?}", content.shows)),
        ("privacy", content.private.to_string()),
    ])
}

/// What the calendar's event says of the same; times are compared through the entry, which a further sync leaves alone.
fn said_there(w: &World, id: &str) -> BTreeMap<&'static str, String> {
    let events = w.fakes.events(w.fake, &w.calendar);
    let event = events.iter().find(|event| event["id"] == id).unwrap();
    let (title, location, free, private) = match w.provider {
        Provider::Google => (
            event["summary"].as_str(),
            event["location"].as_str(),
            event["transparency"] == "transparent",
            event["visibility"] == "private",
        ),
        Provider::Microsoft => (
            event["subject"].as_str(),
            event["location"]["displayName"].as_str(),
            event["showAs"] == "free",
            event["sensitivity"] == "private",
        ),
    };
    let shows = if free { ShowAs::Free } else { ShowAs::Busy };
    BTreeMap::from([
        ("title", title.unwrap().to_owned()),
        ("location", location.unwrap().to_owned()),
        ("availability", format!("{shows:?}")),
        ("privacy", private.to_string()),
    ])
}

async fn read(w: &World, id: &str) -> ConflictView {
    w.port.get_calendar_conflict(&w.tess, id).await.unwrap()
}

async fn settle(w: &World, id: &str, answer: &ConflictAnswer) -> AppResult<()> {
    w.port.resolve_calendar_conflict(&w.tess, id, answer).await
}

fn all(view: &ConflictView, side: &str) -> ConflictAnswer {
    ConflictAnswer {
        fingerprint: view.fingerprint.clone(),
        all: side.to_owned(),
        choices: BTreeMap::new(),
    }
}

fn some(view: &ConflictView, choices: &[(&str, &str)]) -> ConflictAnswer {
    ConflictAnswer {
        fingerprint: view.fingerprint.clone(),
        all: String::new(),
        choices: choices
            .iter()
            .map(|(part, side)| ((*part).to_owned(), (*side).to_owned()))
            .collect(),
    }
}

/// Both sides change title, place and time, each to something else; the entry and its event.
async fn all_disputed(w: &World, name: &str) -> (EntryId, String) {
    let id = w.add(name).await;
    w.drain().await;
    let copy = w.named(name)[0].clone();
    let before = w.entry(id).await.content;
    let When::Timed { start, .. } = before.when else {
        panic!("timed");
    };
    // Free and private are changed in the calendar alone: of two values, no two sides differ from a third.
    w.outside(&copy, &theirs(w, start));
    w.edit(id, |entry| {
        entry.content.title = "Ours".to_owned();
        entry.content.location = "Cellar".to_owned();
        if let When::Timed { start, end, .. } = &mut entry.content.when {
            (*start, *end) = (*start + TimeDelta::hours(1), *end + TimeDelta::hours(1));
        }
    })
    .await;
    w.drain().await;
    (id, copy["id"].as_str().unwrap().to_owned())
}

/// Whichever version is chosen of whichever field, both sides say afterwards what was chosen, in every combination; the
/// answer is one step, and nothing is written any more after it.
async fn every_combination_is_what_was_chosen(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    for subset in 0..8_u32 {
        let name = format!("Switch {subset}");
        let (id, event) = all_disputed(&w, &name).await;
        let asked = questions(&w).await;
        let view = read(&w, &asked[0].question_id).await;
        assert_eq!(view.note, None);
        assert_eq!(view.title, "Ours");
        let parts: Vec<&str> = view.fields.iter().map(|f| f.part.as_str()).collect();
        assert_eq!(parts, ["title", "location", "time"]);
        for field in &view.fields {
            let agreed = field.agreed.as_deref().unwrap();
            assert_ne!(field.schedule, field.calendar, "{}", field.part);
            assert!(agreed != field.schedule && agreed != field.calendar);
        }
        assert_eq!(view.fields[0].agreed.as_deref(), Some(name.as_str()));
        let ours = said(&w.entry(id).await.content);
        let theirs_from = |part: &str| view.fields.iter().find(|f| f.part == part).unwrap();
        let choices: Vec<(&str, &str)> = parts
            .iter()
            .enumerate()
            .map(|(bit, part)| {
                let side = if subset & (1 << bit) == 0 {
                    "schedule"
                } else {
                    "calendar"
                };
                (*part, side)
            })
            .collect();
        settle(&w, &asked[0].question_id, &some(&view, &choices))
            .await
            .unwrap();
        w.drain().await;
        assert!(questions(&w).await.is_empty(), "{choices:?}");
        assert_eq!(w.mark(id).await, "synced");
        let here = said(&w.entry(id).await.content);
        let there = said_there(&w, &event);
        for (part, side) in &choices {
            match (*part, *side) {
                (part, "schedule") => assert_eq!(here[part], ours[part], "{choices:?}"),
                ("time", _) => assert_ne!(here["time"], ours["time"], "{choices:?}"),
                (part, _) => assert_eq!(here[part], theirs_from(part).calendar, "{choices:?}"),
            }
        }
        // What the calendar alone changed had come in before.
        assert_eq!(
            (here["availability"].as_str(), here["privacy"].as_str()),
            ("Free", "true")
        );
        for part in PARTS.iter().filter(|part| **part != "time") {
            assert_eq!(there[part], here[part], "{part} of {choices:?}");
        }
        // A sync finds both the same, the time too.
        let version = w.entry(id).await.version;
        w.sync().await;
        assert_eq!(w.entry(id).await.version, version);
        assert_eq!(said(&w.entry(id).await.content), here);
        let done = read(&w, &asked[0].question_id).await;
        assert!(done.note.unwrap().starts_with("You answered this on "));
        w.outside(
            &json!({ "id": event }),
            &json!({ w.key("title"): format!("Done {subset}") }),
        );
        w.drain().await;
    }
}

/// An answer to what was read before a side changed is refused, says what had been chosen, and shows the new versions; a run
/// that finds nothing new keeps what was read valid.
async fn a_stale_answer_is_refused(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let (id, copy) = disputed(&w, "Replace switch").await;
    let question = questions(&w).await[0].question_id.clone();
    let first = read(&w, &question).await;
    w.sync().await;
    assert_eq!(read(&w, &question).await, first, "nothing new");

    // The calendar changes, and a run sees it.
    w.outside(&copy, &json!({ w.key("title"): "Theirs, later" }));
    w.sync().await;
    let refused = settle(&w, &question, &some(&first, &[("title", "calendar")])).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Conflict);
    assert!(
        refused.message.contains("title from the calendar"),
        "{refused:?}"
    );
    let second = read(&w, &question).await;
    assert_eq!(second.fields[0].calendar, "Theirs, later");

    // The schedule changes, and no run has seen it yet: shown and chosen all the same.
    w.edit(id, |entry| entry.content.title = "Ours, later".to_owned())
        .await;
    let refused = settle(&w, &question, &all(&second, "schedule")).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::Conflict);
    let third = read(&w, &question).await;
    assert_eq!(third.fields[0].schedule, "Ours, later");
    assert_eq!(w.entry(id).await.content.title, "Ours, later");
    assert_eq!(w.named("Theirs, later").len(), 1);
    settle(&w, &question, &all(&third, "calendar"))
        .await
        .unwrap();
    w.drain().await;
    assert_eq!(w.entry(id).await.content.title, "Theirs, later");
    assert_eq!(w.mark(id).await, "synced");
    let again = settle(&w, &question, &all(&third, "calendar")).await;
    assert_eq!(again.unwrap_err().code, ErrorCode::Conflict, "settled once");

    // Both come to say the same: a note at once, and the question closes with the next run.
    let (id, _) = disputed(&w, "Replace router").await;
    let question = questions(&w).await[0].question_id.clone();
    w.edit(id, |entry| entry.content.title = "Theirs".to_owned())
        .await;
    let note = read(&w, &question).await.note.unwrap();
    assert!(note.contains("say the same by now"), "{note}");
    w.drain().await;
    assert!(questions(&w).await.is_empty());
    let note = read(&w, &question).await.note.unwrap();
    assert!(note.starts_with("This was settled by itself"), "{note}");
}

/// Every field needs a version; a word that is none of them changes nothing; others, of this tenant or none, find nothing.
async fn only_its_owner_and_only_as_a_whole(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let (id, _) = all_disputed(&w, "Replace switch").await;
    let question = questions(&w).await[0].question_id.clone();
    let view = read(&w, &question).await;
    let refused = settle(&w, &question, &some(&view, &[("title", "calendar")])).await;
    let refused = refused.unwrap_err();
    let fields: Vec<&str> = refused.fields.iter().map(|f| f.field.as_str()).collect();
    assert_eq!(fields, ["choices[location]", "choices[time]"]);
    for strange in [
        some(
            &view,
            &[
                ("title", "both"),
                ("location", "schedule"),
                ("time", "schedule"),
            ],
        ),
        some(&view, &[("notes", "calendar")]),
        all(&view, "newest"),
    ] {
        let refused = settle(&w, &question, &strange).await.unwrap_err();
        assert!(!refused.fields.is_empty(), "{strange:?} {refused:?}");
    }
    assert_eq!(read(&w, &question).await, view, "nothing was taken over");
    assert_eq!(w.entry(id).await.content.title, "Ours");

    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let mut elsewhere = w.tess.clone();
    elsewhere.tenant_id = daybind_domain::ids::TenantId(w.services.new_id());
    for stranger in [&tom, &w.admin, &elsewhere] {
        let found = w.port.get_calendar_conflict(stranger, &question).await;
        assert_eq!(found.unwrap_err().code, ErrorCode::NotFound);
        let answer = all(&view, "calendar");
        let refused = w
            .port
            .resolve_calendar_conflict(stranger, &question, &answer);
        assert_eq!(refused.await.unwrap_err().code, ErrorCode::NotFound);
    }
    let nothing = w.port.get_calendar_conflict(&w.tess, "nonsense").await;
    assert_eq!(nothing.unwrap_err().code, ErrorCode::NotFound);
    settle(&w, &question, &all(&view, "schedule"))
        .await
        .unwrap();
    w.drain().await;
    assert_eq!(w.named("Ours").len(), 1);
    assert_eq!(w.mark(id).await, "synced");
}

/// What both sides will say is shown before it is stored, and is what they say then; it is refused as the answer would be, and
/// looking at it changes nothing.
async fn the_result_is_shown_first(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let (entry, event) = all_disputed(&w, "Replace switch").await;
    let id = questions(&w).await[0].question_id.clone();
    let view = read(&w, &id).await;
    let try_out = async |who, answer: &ConflictAnswer| {
        w.port.preview_calendar_conflict(who, &id, answer).await
    };
    let before = (w.entry(entry).await, said_there(&w, &event));
    let parts: Vec<_> = view
        .fields
        .iter()
        .map(|field| field.part.as_str())
        .collect();
    assert!(parts.len() > 2, "{parts:?}");
    // Every other one from the calendar.
    let sides = ["schedule", "calendar"];
    let choices: Vec<_> = parts
        .iter()
        .zip(sides.iter().cycle())
        .map(|(part, side)| (*part, *side))
        .collect();
    let answer = some(&view, &choices);
    let shown = try_out(&w.tess, &answer).await.unwrap();
    let calendar = w.operation("Google Calendar", "Outlook");
    for ((field, outcome), (_, side)) in view.fields.iter().zip(&shown.fields).zip(&choices) {
        let (result, changes) = match *side {
            "schedule" => (&field.schedule, calendar.as_str()),
            _ => (&field.calendar, "Schedule"),
        };
        assert_eq!(
            (&outcome.result, outcome.changes.as_str()),
            (result, changes)
        );
    }
    assert_eq!((w.entry(entry).await, said_there(&w, &event)), before);
    assert_eq!(read(&w, &id).await, view, "still open, and as it was read");

    let missing = try_out(&w.tess, &some(&view, &choices[1..]))
        .await
        .unwrap_err();
    assert_eq!(missing.code, ErrorCode::Invalid);
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let refused = try_out(&tom, &answer).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotFound);

    settle(&w, &id, &answer).await.unwrap();
    w.drain().await;
    let content = w.entry(entry).await.content;
    for outcome in shown.fields {
        match outcome.label.as_str() {
            "Title" => assert_eq!(content.title, outcome.result),
            "Location" => assert_eq!(content.location, outcome.result),
            _ => {}
        }
    }
    let there = said_there(&w, &event);
    assert_eq!(
        [&there["title"], &there["location"]],
        [&content.title, &content.location]
    );
    let late = try_out(&w.tess, &answer).await.unwrap_err();
    assert_eq!(late.code, ErrorCode::Conflict);
}

everywhere! {
    result: the_result_is_shown_first;
    combined: every_combination_is_what_was_chosen;
    stale: a_stale_answer_is_refused;
    whole: only_its_owner_and_only_as_a_whole;
}
