//! Series and their occurrences, on the way out and on the way in.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Days, NaiveDate, TimeDelta, Weekday};
use daybind_domain::ids::EntryId;
use daybind_domain::view::EntryView;
use daybind_fakes::DuplicateTransaction;
use daybind_services::repeat_form::RepeatInput;
use daybind_services::schedule::{self, EntryInput};
use daybind_services::series::PartInput;
use daybind_services::{CalendarPort as _, Provider};
use serde_json::{Value, json};

use crate::bench::{Database, World, actor};

/// A Monday some weeks ahead, so many days later.
fn monday(w: &World, later: u64) -> NaiveDate {
    let soon = w.services.now().date_naive() + TimeDelta::days(14);
    soon.week(Weekday::Mon).last_day() + Days::new(1 + later)
}

/// What the form sends for a new entry of Tess's, nine to ten on that Monday.
fn planned(w: &World, title: &str, kind: &str) -> EntryInput {
    let day = monday(w, 0);
    EntryInput {
        title: title.to_owned(),
        start: format!("{day}T09:00"),
        end: format!("{day}T10:00"),
        assignees: vec![w.tess.user_id().to_string()],
        repeat: RepeatInput {
            kind: kind.to_owned(),
            ..RepeatInput::default()
        },
        ..EntryInput::default()
    }
}

async fn plan(w: &World, input: &EntryInput) -> EntryId {
    let id = schedule::create(&w.services, w.port.as_ref(), &w.admin, input).await;
    w.drain().await;
    id.unwrap()
}

async fn open(w: &World, id: EntryId, day: &str) -> EntryView {
    schedule::entry(&w.services, w.port.as_ref(), &w.admin, &id.to_string(), day)
        .await
        .unwrap()
}

/// Changes a part of a series as the form does.
async fn change(w: &World, view: &EntryView, scope: &str, with: impl FnOnce(&mut EntryInput)) {
    let (repeat, part) = (view.repeat.clone().unwrap(), view.part.clone().unwrap());
    let mut input = EntryInput {
        title: view.title.clone(),
        notes: view.notes.clone(),
        location: view.location.clone(),
        all_day: view.all_day,
        start: view.start_local.clone(),
        end: view.end_local.clone(),
        assignees: view
            .assignees
            .iter()
            .map(|person| person.user_id.clone())
            .collect(),
        repeat: RepeatInput {
            kind: repeat.kind,
            every: repeat.every.to_string(),
            days: repeat.days,
            ends: repeat.ends,
            until: repeat.until,
            count: repeat.count,
        },
        part: PartInput {
            day: part.day,
            scope: scope.to_owned(),
            series_version: part.series_version,
        },
    };
    with(&mut input);
    let (id, version) = (&view.entry_id, view.version);
    schedule::update(&w.services, w.port.as_ref(), &w.admin, id, version, &input)
        .await
        .unwrap();
    w.drain().await;
}

async fn remove(w: &World, view: &EntryView, scope: &str) {
    let part = view.part.clone().unwrap();
    let part = PartInput {
        day: part.day,
        scope: scope.to_owned(),
        series_version: part.series_version,
    };
    let (id, version) = (&view.entry_id, view.version);
    schedule::delete(&w.services, w.port.as_ref(), &w.admin, id, version, &part)
        .await
        .unwrap();
    w.drain().await;
}

/// The one series of that title in the calendar.
fn there(w: &World, title: &str) -> Value {
    let mut found = w.named(title);
    found.retain(|event| event["recurrence"].is_array() || event["recurrence"].is_object());
    assert_eq!(found.len(), 1, "{title}: {found:?}");
    found.remove(0)
}

fn id_of(event: &Value) -> String {
    event["id"].as_str().unwrap().to_owned()
}

/// The title of every occurrence that differs from its series, "-" for those taken out.
fn exceptions(w: &World, series: &Value) -> BTreeMap<String, String> {
    let found = w.fakes.exceptions(w.fake, &w.calendar, &id_of(series));
    let title = w.key("title");
    found
        .into_iter()
        .map(|(day, event)| {
            let shown = event[title].as_str().unwrap_or("-");
            (day, shown.to_owned())
        })
        .collect()
}

fn told(pairs: &[(NaiveDate, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(day, title)| (day.to_string(), (*title).to_owned()))
        .collect()
}

/// The rule of a series, as its provider writes it.
fn rule(w: &World, event: &Value) -> Value {
    match w.provider {
        Provider::Google => event["recurrence"].clone(),
        Provider::Microsoft => event["recurrence"]["pattern"].clone(),
    }
}

/// W7, W8, W11, W12: a series goes out as one event with its rule, its end and its zone, nobody is invited, the echo changes
/// nothing, and its changes follow.
async fn a_series_goes_out(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let mut input = planned(&w, "Backup check", "weekly");
    input.repeat.every = "2".to_owned();
    input.repeat.days = vec!["MO".to_owned(), "TH".to_owned()];
    input.repeat.ends = "count".to_owned();
    input.repeat.count = "10".to_owned();
    let id = plan(&w, &input).await;
    let made = there(&w, "Backup check");
    assert!(made["attendees"].as_array().is_none_or(Vec::is_empty));
    assert_eq!(w.mark(id).await, "synced");
    match provider {
        Provider::Google => {
            assert_eq!(
                rule(&w, &made),
                json!(["RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;COUNT=10"])
            );
            assert_eq!(made["start"]["timeZone"], "Europe/Berlin");
        }
        Provider::Microsoft => {
            assert_eq!(
                rule(&w, &made),
                json!({
                    "type": "weekly", "interval": 2, "daysOfWeek": ["monday", "thursday"],
                    "firstDayOfWeek": "monday",
                })
            );
            let range = &made["recurrence"]["range"];
            assert_eq!(range["numberOfOccurrences"], 10);
            assert_eq!(range["startDate"], monday(&w, 0).to_string());
            assert_eq!(made["start"]["timeZone"], "W. Europe Standard Time");
        }
    }
    let before = (w.entry(id).await, made);
    w.sync().await;
    w.fakes.expire_sync_tokens(w.fake);
    w.sync().await;
    assert_eq!((w.entry(id).await, there(&w, "Backup check")), before);

    // Renamed, moved to Tuesdays at eight, every week: one event still.
    let view = open(&w, id, "").await;
    let tuesday = monday(&w, 1);
    change(&w, &view, "all", |input| {
        input.title = "Backups".to_owned();
        input.start = format!("{tuesday}T08:00");
        input.end = format!("{tuesday}T09:00");
        input.repeat.every = "1".to_owned();
        input.repeat.days = vec!["TU".to_owned()];
    })
    .await;
    assert_eq!(w.mark(id).await, "synced");
    let now = there(&w, "Backups");
    assert_eq!(id_of(&now), id_of(&before.1));
    match provider {
        Provider::Google => assert_eq!(
            rule(&w, &now),
            json!(["RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=10"])
        ),
        Provider::Microsoft => assert_eq!(rule(&w, &now)["daysOfWeek"], json!(["tuesday"])),
    }
    // Whole days, then no series any more, then gone.
    change(&w, &open(&w, id, "").await, "all", |input| {
        input.all_day = true;
    })
    .await;
    assert_eq!(w.mark(id).await, "synced");
    let view = open(&w, id, "").await;
    assert!(view.all_day);
    w.sync().await;
    assert_eq!(open(&w, id, "").await, view);
    change(&w, &view, "all", |input| input.repeat.kind = String::new()).await;
    let left = w.named("Backups");
    assert_eq!(left.len(), 1);
    assert!(!left[0]["recurrence"].is_array() && !left[0]["recurrence"].is_object());
    assert_eq!(w.mark(id).await, "synced");
}

/// W9: occurrences that are changed, moved, called off or somebody else's are so in the calendar, also after the series was
/// rewritten there, which makes calendars forget them.
async fn occurrences_go_out(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let id = plan(&w, &planned(&w, "Visit", "daily")).await;
    let day = |later| monday(&w, later);
    let opened = |later: u64| {
        let w = &w;
        async move { open(w, id, &monday(w, later).to_string()).await }
    };
    change(&w, &opened(1).await, "this", |input| {
        input.title = "Inspection".to_owned();
    })
    .await;
    change(&w, &opened(2).await, "this", |input| {
        let moved = monday(&w, 12);
        input.title = "Moved".to_owned();
        input.start = format!("{moved}T13:00");
        input.end = format!("{moved}T15:00");
    })
    .await;
    remove(&w, &opened(3).await, "this").await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    change(&w, &opened(4).await, "this", |input| {
        input.assignees = vec![tom.user_id().to_string()];
    })
    .await;
    let expected = told(&[
        (day(1), "Inspection"),
        (day(2), "Moved"),
        (day(3), "-"),
        (day(4), "-"),
    ]);
    let series = there(&w, "Visit");
    assert_eq!(exceptions(&w, &series), expected);
    let writes = w.asked("google.events.patch", "microsoft.events.update");
    w.sync().await;
    w.sync().await;
    assert_eq!(exceptions(&w, &there(&w, "Visit")), expected);
    assert_eq!(
        w.asked("google.events.patch", "microsoft.events.update"),
        writes,
        "nothing is written twice"
    );

    // The series ends earlier: its exceptions are there all the same.
    change(&w, &opened(0).await, "all", |input| {
        input.repeat.ends = "count".to_owned();
        input.repeat.count = "20".to_owned();
    })
    .await;
    assert_eq!(exceptions(&w, &there(&w, "Visit")), expected);
    // It moves by an hour: what had its own time keeps it, the others follow.
    change(&w, &opened(0).await, "all", |input| {
        input.start = format!("{}T10:00", day(0));
        input.end = format!("{}T11:00", day(0));
    })
    .await;
    w.sync().await;
    let series = there(&w, "Visit");
    let kept: BTreeMap<_, _> = exceptions(&w, &series);
    for (day, title) in &expected {
        assert_eq!(kept.get(day), Some(title), "{day}");
    }
    assert_eq!(w.mark(id).await, "synced");

    // Tom's day is Tess's again.
    let week = day(4).to_string();
    let toms = schedule::week(&w.services, w.port.as_ref(), &tom, Some(&week)).await;
    let toms = toms.unwrap().days;
    let toms = toms.iter().flat_map(|day| &day.entries).next().unwrap();
    let view = open(&w, toms.entry_id.parse().unwrap(), "").await;
    change(&w, &view, "this", |input| {
        input.title = "Back".to_owned();
        input.assignees = vec![w.tess.user_id().to_string()];
    })
    .await;
    let back: Vec<Value> = w
        .fakes
        .events(w.fake, &w.calendar)
        .into_iter()
        .filter(|event| event[w.key("title")] == "Back")
        .collect();
    let within = exceptions(&w, &there(&w, "Visit"));
    // Outlook forgets deleted occurrences for good; there it is an event of its own.
    match provider {
        Provider::Google => assert_eq!(within.get(&day(4).to_string()).unwrap(), "Back"),
        Provider::Microsoft => assert_eq!(back.len(), 1),
    }

    // The whole series goes, and everything with it.
    remove(&w, &opened(0).await, "all").await;
    assert!(w.named("Visit").is_empty());
    for title in ["Inspection", "Moved", "Back"] {
        assert!(w.named(title).is_empty(), "{title}");
    }
}

/// W7, W8: a rule Outlook has no pattern for stays whole in the schedule, and the entry says why it does not travel.
async fn outlook_cannot_say_everything(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let id = plan(&w, &planned(&w, "Invoices", "monthly")).await;
    assert_eq!(w.mark(id).await, "synced");
    let before = there(&w, "Invoices");
    // Twice a month: the form has no words for it, Google's calendar has.
    let twice: daybind_domain::recurrence::Rule = "FREQ=MONTHLY;BYMONTHDAY=1,15".parse().unwrap();
    w.edit(id, |entry| {
        entry.content.repeats = Some(twice.clone());
        let first = monday(&w, 0).with_day(15).unwrap() + TimeDelta::days(0);
        entry.content.when = daybind_services::recurrence::when_on(&entry.content.when, first);
    })
    .await;
    w.drain().await;
    assert_eq!(w.entry(id).await.content.repeats, Some(twice.clone()));
    assert_eq!(w.mark(id).await, "failed");
    let marks = w.port.get_schedule_entry_sync_status(&w.tess, &[id]).await;
    let detail = marks.unwrap()[0].clone().unwrap().detail;
    assert!(detail.contains("Outlook cannot express"), "{detail}");
    assert_eq!(rule(&w, &there(&w, "Invoices")), rule(&w, &before));
    // A new one does not arrive cut down either.
    let mut unit = w
        .services
        .begin(daybind_services::demo::TENANT)
        .await
        .unwrap();
    let mut other = w.entry(id).await;
    other.content.title = "Twice".to_owned();
    let new = daybind_storage::NewEntry {
        tenant_id: other.tenant_id,
        entry_id: EntryId(w.services.new_id()),
        content: other.content.clone(),
        occurrence_of: None,
        assignees: other.assignees.clone(),
        created_by: w.admin.user_id(),
    };
    unit.add_entry(&new, w.services.now()).await.unwrap();
    unit.save().await.unwrap();
    w.sync().await;
    assert!(w.named("Twice").is_empty());
    assert_eq!(w.mark(new.entry_id).await, "failed");
    // Said in a way Outlook knows, both travel.
    for id in [id, new.entry_id] {
        w.edit(id, |entry| {
            entry.content.repeats = Some("FREQ=MONTHLY;BYMONTHDAY=15".parse().unwrap());
        })
        .await;
        w.drain().await;
        assert_eq!(w.mark(id).await, "synced");
    }
    assert_eq!(rule(&w, &there(&w, "Twice"))["dayOfMonth"], 15);
}

on_both! {
    google_series_go_out_on_sqlite: a_series_goes_out(Sqlite, Google);
    google_series_go_out_on_postgres: a_series_goes_out(Postgres, Google);
    microsoft_series_go_out_on_sqlite: a_series_goes_out(Sqlite, Microsoft);
    microsoft_series_go_out_on_postgres: a_series_goes_out(Postgres, Microsoft);
    google_occurrences_go_out_on_sqlite: occurrences_go_out(Sqlite, Google);
    google_occurrences_go_out_on_postgres: occurrences_go_out(Postgres, Google);
    microsoft_occurrences_go_out_on_sqlite: occurrences_go_out(Sqlite, Microsoft);
    microsoft_occurrences_go_out_on_postgres: occurrences_go_out(Postgres, Microsoft);
    microsoft_rules_stay_whole_on_sqlite: outlook_cannot_say_everything(Sqlite, Microsoft);
    microsoft_rules_stay_whole_on_postgres: outlook_cannot_say_everything(Postgres, Microsoft);
}
