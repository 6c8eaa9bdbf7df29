//! Availability and privacy, both ways, and what stays as its owner has it.

use daybind_domain::ids::EntryId;
use daybind_domain::schedule::ShowAs;
use daybind_domain::view::EntryView;
use daybind_fakes::DuplicateTransaction;
use daybind_services::repeat_form::RepeatInput;
use daybind_services::schedule::{self, EntryInput};
use daybind_services::series::PartInput;
use daybind_services::{CalendarPort as _, Provider, demo};
use serde_json::{Value, json};

use crate::bench::{Database, World};

const UPDATE: (&str, &str) = ("google.events.patch", "microsoft.events.update");

/// How each provider says it: shown as free or busy, private or not.
fn said(w: &World, free: bool, private: bool) -> Value {
    match (w.provider, free, private) {
        (Provider::Google, free, private) => json!({
            "transparency": if free { "transparent" } else { "opaque" },
            "visibility": if private { "private" } else { "default" },
        }),
        (Provider::Microsoft, free, private) => json!({
            "showAs": if free { "free" } else { "busy" },
            "sensitivity": if private { "private" } else { "normal" },
        }),
    }
}

/// A word of the provider that says more than the schedule's own, and means the same.
fn more(w: &World) -> Value {
    match w.provider {
        Provider::Google => json!({ "visibility": "confidential" }),
        Provider::Microsoft => json!({ "showAs": "oof", "sensitivity": "confidential" }),
    }
}

fn has(event: &Value, said: &Value) {
    for (name, value) in said.as_object().unwrap() {
        assert_eq!(&event[name], value, "{name} of {event}");
    }
}

async fn marks(w: &World, id: EntryId) -> (ShowAs, bool) {
    let content = w.entry(id).await.content;
    (content.shows, content.private)
}

fn written(w: &World) -> u64 {
    w.asked(UPDATE.0, UPDATE.1)
}

/// W14: both travel both ways; the provider's finer words and the owner's reminders stay as they are.
async fn availability_and_privacy_travel(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let id = w.add("Replace switch").await;
    w.drain().await;
    let there = || w.named("Replace switch").remove(0);
    has(&there(), &said(&w, false, false));
    w.edit(id, |entry| entry.content.private = true).await;
    w.drain().await;
    has(&there(), &said(&w, false, true));

    // The owner says it more exactly, and has reminders of their own: nothing changes here, nothing is written back.
    let reminders = match provider {
        Provider::Google => json!({
            "reminders": { "useDefault": false, "overrides": [{ "method": "popup", "minutes": 7 }] }
        }),
        Provider::Microsoft => json!({ "reminderMinutesBeforeStart": 7, "isReminderOn": true }),
    };
    w.outside(&there(), &more(&w));
    w.outside(&there(), &reminders);
    let (version, before) = (w.entry(id).await.version, written(&w));
    w.sync().await;
    assert_eq!((w.entry(id).await.version, written(&w)), (version, before));
    w.edit(id, |entry| entry.content.location = "Hall 4".to_owned())
        .await;
    w.drain().await;
    assert!(there()["location"].to_string().contains("Hall 4"));
    has(&there(), &more(&w));
    has(&there(), &reminders);

    // From there, each by itself and both at once with a change from here.
    w.outside(&there(), &said(&w, true, false));
    w.edit(id, |entry| {
        entry.content.notes = "Bring a ladder".to_owned();
    })
    .await;
    w.drain().await;
    assert_eq!(marks(&w, id).await, (ShowAs::Free, false));
    assert_eq!(w.mark(id).await, "synced");
    has(&there(), &said(&w, true, false));
    w.edit(id, |entry| entry.content.shows = ShowAs::Busy).await;
    w.outside(&there(), &said(&w, true, true));
    w.drain().await;
    w.sync().await;
    assert_eq!(marks(&w, id).await, (ShowAs::Busy, true));
    has(&there(), &said(&w, false, true));
    has(&there(), &reminders);
    assert_eq!(w.mark(id).await, "synced");
}

/// What was agreed on before both were kept says nothing of them. It counts as busy and not private: nothing is written
/// because of that, and what the calendar says comes in without a question.
async fn an_older_base_asks_and_writes_nothing(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let ids = [w.add("First").await, w.add("Second").await];
    w.drain().await;
    let connection = w.connection().await.parse().unwrap();
    let mut unit = w.services.begin(demo::TENANT).await.unwrap();
    let rows = daybind_ee_storage::calendar(unit.as_mut()).unwrap();
    for mut mapping in rows.list_mappings(demo::TENANT, connection).await.unwrap() {
        let base = mapping.base.as_mut().unwrap().as_object_mut().unwrap();
        assert!(base.remove("shows").is_some() && base.remove("private").is_some());
        rows.update_mapping(&mapping).await.unwrap();
    }
    unit.save().await.unwrap();
    let before = written(&w);
    w.sync().await;
    w.fakes.expire_sync_tokens(w.fake);
    w.sync().await;
    assert_eq!(written(&w), before);
    // The owner had said it over there all along, and here something else is changed.
    let first = w.named("First").remove(0);
    w.outside(&first, &said(&w, true, true));
    w.edit(ids[0], |entry| entry.content.location = "Hall 4".to_owned())
        .await;
    w.edit(ids[1], |entry| entry.content.private = true).await;
    w.drain().await;
    w.sync().await;
    assert_eq!(marks(&w, ids[0]).await, (ShowAs::Free, true));
    has(&w.named("First")[0], &said(&w, true, true));
    has(&w.named("Second")[0], &said(&w, false, true));
    for id in ids {
        assert_eq!(w.mark(id).await, "synced");
    }
    assert_eq!(written(&w), before + 2, "one each");
}

async fn shown(w: &World, id: &str, day: &str, scope: &str) -> (EntryView, EntryInput) {
    let view = schedule::entry(&w.services, w.port.as_ref(), &w.tess, id, day)
        .await
        .unwrap();
    let (repeat, part) = (view.repeat.clone().unwrap(), view.part.clone().unwrap());
    let input = EntryInput {
        title: view.title.clone(),
        shows: view.shows.clone(),
        private: view.private,
        start: view.start_local.clone(),
        end: view.end_local.clone(),
        assignees: vec![w.tess.user_id().to_string()],
        repeat: RepeatInput {
            kind: repeat.kind,
            every: repeat.every.to_string(),
            days: repeat.days,
            ..RepeatInput::default()
        },
        part: PartInput {
            day: part.day,
            scope: scope.to_owned(),
            series_version: part.series_version,
        },
        ..EntryInput::default()
    };
    (view, input)
}

/// A series is private as a whole, on either side; each of its occurrences is free or busy by itself.
async fn a_series_is_private_as_a_whole(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let start = (w.services.now() + chrono::TimeDelta::days(2)).date_naive();
    let input = EntryInput {
        title: "Backup".to_owned(),
        start: format!("{start}T09:00"),
        end: format!("{start}T10:00"),
        assignees: vec![w.tess.user_id().to_string()],
        repeat: RepeatInput {
            kind: "daily".to_owned(),
            every: "1".to_owned(),
            ..RepeatInput::default()
        },
        ..EntryInput::default()
    };
    let (services, port) = (&w.services, w.port.as_ref());
    let made = schedule::create(services, port, &w.tess, &input).await;
    let id = made.unwrap();
    w.drain().await;
    let second = (start + chrono::Days::new(1)).to_string();
    let (view, mut input) = shown(&w, &id.to_string(), &second, "this").await;
    (input.title, input.shows) = ("Restore".to_owned(), "free".to_owned());
    schedule::update(
        services,
        port,
        &w.tess,
        &view.entry_id,
        view.version,
        &input,
    )
    .await
    .unwrap();
    w.drain().await;
    let series = || w.named("Backup").remove(0);
    let part = || {
        let id = series()["id"].as_str().unwrap().to_owned();
        w.fakes.exceptions(w.fake, &w.calendar, &id)[&second].clone()
    };
    let free = |event: &Value| match provider {
        Provider::Google => event["transparency"] == "transparent",
        Provider::Microsoft => event["showAs"] == "free",
    };
    assert!(free(&part()) && !free(&series()), "{}", part());

    // From here.
    let third = (start + chrono::Days::new(2)).to_string();
    let (view, mut input) = shown(&w, &id.to_string(), &third, "all").await;
    input.private = true;
    schedule::update(
        services,
        port,
        &w.tess,
        &view.entry_id,
        view.version,
        &input,
    )
    .await
    .unwrap();
    w.drain().await;
    has(&series(), &said(&w, false, true));
    assert!(free(&part()), "{}", part());
    // From there.
    w.outside(&series(), &said(&w, false, false));
    w.sync().await;
    let day = start.to_string();
    let mut days = Vec::new();
    for week in [start, start + chrono::Days::new(7)] {
        let view = schedule::week(services, port, &w.tess, Some(&week.to_string())).await;
        days.extend(view.unwrap().days);
    }
    let mut seen = days.iter().flat_map(|day| &day.entries);
    assert!(seen.clone().any(|entry| entry.day == day));
    assert!(seen.all(|entry| !entry.private), "{days:?}");
    let before = written(&w);
    w.sync().await;
    w.fakes.expire_sync_tokens(w.fake);
    w.sync().await;
    assert_eq!(written(&w), before, "rest writes nothing");
}

/// W14: a private event whose owner opted in becomes a private entry, whole.
async fn a_private_event_becomes_a_private_entry(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    let mut rules = view.connections[0].rules.clone();
    "marked".clone_into(&mut rules.import_rule);
    rules.show_private = true;
    let connection = w.connection().await;
    w.port
        .update_calendar_rules(&w.tess, &connection, &rules)
        .await
        .unwrap();
    w.drain().await;
    let day = (w.services.now() + chrono::TimeDelta::days(3)).date_naive();
    let mut event = json!({
        w.key("title"): "Doctor @daybind",
        "start": { "dateTime": format!("{day}T09:00:00"), "timeZone": "UTC" },
        "end": { "dateTime": format!("{day}T10:00:00"), "timeZone": "UTC" },
    });
    for (name, value) in said(&w, true, true).as_object().unwrap() {
        event[name] = value.clone();
    }
    w.fakes.create_event(w.fake, &w.calendar, &event).unwrap();
    w.sync().await;
    let day = day.to_string();
    let week = schedule::week(&w.services, w.port.as_ref(), &w.tess, Some(&day)).await;
    let days = week.unwrap().days;
    let found: Vec<_> = days
        .iter()
        .flat_map(|day| &day.entries)
        .filter(|entry| entry.title == "Doctor @daybind")
        .map(|entry| (entry.shows.as_str(), entry.private))
        .collect();
    assert_eq!(found, [("free", true)]);
}

on_both! {
    google_fields_on_sqlite: availability_and_privacy_travel(Sqlite, Google);
    google_fields_on_postgres: availability_and_privacy_travel(Postgres, Google);
    microsoft_fields_on_sqlite: availability_and_privacy_travel(Sqlite, Microsoft);
    microsoft_fields_on_postgres: availability_and_privacy_travel(Postgres, Microsoft);
    google_older_bases_on_sqlite: an_older_base_asks_and_writes_nothing(Sqlite, Google);
    google_older_bases_on_postgres: an_older_base_asks_and_writes_nothing(Postgres, Google);
    microsoft_older_bases_on_sqlite: an_older_base_asks_and_writes_nothing(Sqlite, Microsoft);
    microsoft_older_bases_on_postgres: an_older_base_asks_and_writes_nothing(Postgres, Microsoft);
    google_series_privacy_on_sqlite: a_series_is_private_as_a_whole(Sqlite, Google);
    google_series_privacy_on_postgres: a_series_is_private_as_a_whole(Postgres, Google);
    microsoft_series_privacy_on_sqlite: a_series_is_private_as_a_whole(Sqlite, Microsoft);
    microsoft_series_privacy_on_postgres: a_series_is_private_as_a_whole(Postgres, Microsoft);
    google_private_events_on_sqlite: a_private_event_becomes_a_private_entry(Sqlite, Google);
    microsoft_private_events_on_postgres: a_private_event_becomes_a_private_entry(Postgres, Microsoft);
}
