//! The preview through the port: before the first sync, and before any later one. What it says then happens.

use chrono::TimeDelta;
use daybind_domain::ErrorCode;
use daybind_domain::view::SyncPreview;
use daybind_fakes::DuplicateTransaction;
use daybind_services::{CalendarPort as _, Provider};
use serde_json::json;

use crate::bench::{Database, World, location};
use crate::everyday::{CREATE, DELETE, UPDATE, calls, event};

/// Side, action and reason with how many.
fn counts(preview: &SyncPreview) -> Vec<(&str, &str, &str, u64)> {
    let all = preview.counts.iter().map(|count| {
        let why = count.reason.as_str();
        (count.side.as_str(), count.action.as_str(), why, count.count)
    });
    all.collect()
}

fn writes(w: &World) -> usize {
    let written = [CREATE, UPDATE, DELETE];
    let is_write = |call: &&str| {
        written
            .iter()
            .any(|(google, graph)| call == google || call == graph)
    };
    let calls = calls(w, 0);
    calls
        .iter()
        .map(|call| call.operation.as_str())
        .filter(|call| is_write(call))
        .count()
}

/// The first sync is foreseen for a calendar and a direction that are not chosen yet; nothing is written by looking.
async fn before_the_first(database: Database, provider: Provider) {
    let mut w = World::new(database, provider, DuplicateTransaction::Existing).await;
    // Back to before a calendar was chosen.
    let id = w.connection().await;
    w.port
        .delete_calendar_provider(&w.tess, &id, true)
        .await
        .unwrap();
    w.drain().await;
    let done = w.authorize(&w.tess, None).await;
    assert!(location(&done).contains("calendarAuth=success"));
    let id = w.connection().await;
    w.fakes
        .create_event(w.fake, &w.calendar, &event(&w, "Dentist", &json!({})))
        .unwrap();
    let look = |calendar: Option<String>, direction: Option<&'static str>| {
        let (port, tess, id) = (std::sync::Arc::clone(&w.port), w.tess.clone(), id.clone());
        async move {
            port.preview_calendar_sync(&tess, &id, calendar.as_deref(), direction)
                .await
        }
    };
    let refused = look(None, None).await.unwrap_err();
    assert!(refused.field_message("calendar_id").is_some());
    let refused = look(Some(w.calendar.clone()), Some("sideways"))
        .await
        .unwrap_err();
    assert!(refused.field_message("direction").is_some());

    let before = writes(&w);
    let calendar = Some(w.calendar.clone());
    let out = look(calendar.clone(), Some("to_external")).await.unwrap();
    assert!(out.first);
    let entries = counts(&out)[0].3;
    assert!(entries > 0);
    assert_eq!(
        counts(&out),
        [
            ("calendar", "created", "", entries),
            ("none", "skipped", "one_way", 1)
        ]
    );
    let inward = look(calendar.clone(), Some("from_external")).await.unwrap();
    assert_eq!(
        counts(&inward),
        [("none", "skipped", "nothing_imported", 1)]
    );
    let both = look(calendar, None).await.unwrap();
    assert_eq!(
        counts(&both),
        [
            ("calendar", "created", "", entries),
            ("none", "skipped", "nothing_imported", 1)
        ]
    );
    let last = both.lines.last().unwrap();
    assert_eq!(
        (last.title.as_str(), last.reason.as_str()),
        ("Dentist", "nothing_imported")
    );
    assert_eq!(writes(&w), before, "looking writes nothing there");
    let row = w.row().await;
    assert_eq!(
        (row.calendar_id, row.status.as_str()),
        (None, "configuring")
    );

    w.port
        .update_calendar_provider(&w.tess, &id, Some(&w.calendar), None)
        .await
        .unwrap();
    let card = async || {
        let shown = w.port.get_calendar_providers(&w.tess).await.unwrap();
        let card = shown.connections.into_iter().next().unwrap();
        (card.syncing, card.status_text)
    };
    let waits = format!("The first sync is on its way: 0 of {entries} entries are synced.");
    assert_eq!(card().await, (true, waits), "as many as the preview says");
    w.drain().await;
    assert_eq!(card().await, (false, "Everything is in step.".to_owned()));
    let made = w.fakes.events(w.fake, &w.calendar).len();
    assert_eq!(
        u64::try_from(made).unwrap(),
        entries + 1,
        "what was foreseen"
    );
    let now = w
        .port
        .preview_calendar_sync(&w.tess, &id, None, None)
        .await
        .unwrap();
    assert_eq!((now.first, now.lines.len()), (false, 0));
    w.calendar.clear();
    let other = w
        .port
        .preview_calendar_sync(&w.tess, &id, Some("another"), None)
        .await;
    assert_eq!(other.unwrap_err().code, ErrorCode::Conflict);
}

/// Later ones: changes on both sides, a question, an import by the rule, and nobody else's business.
async fn before_a_later_one(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let (moved, gone) = (w.add("Moved here").await, w.add("Deleted there").await);
    w.drain().await;
    let id = w.connection().await;
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    let mut rules = view.connections[0].rules.clone();
    "marked".clone_into(&mut rules.import_rule);
    w.port
        .update_calendar_rules(&w.tess, &id, &rules)
        .await
        .unwrap();
    w.drain().await;

    w.edit(moved, |entry| entry.content.location = "Hall 9".to_owned())
        .await;
    let there = w.titled(&w.calendar, "Deleted there")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    w.fakes.delete_event(w.fake, &w.calendar, &there).unwrap();
    for title in ["Visit @daybind", "Dentist"] {
        w.fakes
            .create_event(w.fake, &w.calendar, &event(&w, title, &json!({})))
            .unwrap();
    }
    let before = w.row().await.version;
    let preview = w
        .port
        .preview_calendar_sync(&w.tess, &id, None, None)
        .await
        .unwrap();
    assert_eq!(w.row().await.version, before, "looking writes nothing here");
    assert_eq!(
        counts(&preview),
        [
            ("schedule", "created", "", 1),
            ("calendar", "changed", "", 1),
            ("none", "conflict", "", 1),
            ("none", "skipped", "not_marked", 1),
        ]
    );
    let change = preview
        .lines
        .iter()
        .find(|line| line.title == "Moved here")
        .unwrap();
    assert_eq!(change.fields, ["location"]);
    w.pass(TimeDelta::minutes(10));
    w.drain().await;
    let after = w
        .port
        .preview_calendar_sync(&w.tess, &id, None, None)
        .await
        .unwrap();
    assert_eq!(after.lines.len(), 0, "{:?}", after.lines);
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    assert_eq!(view.connections[0].questions[0].title, "Deleted there");
    assert!(w.entry(gone).await.deleted_at.is_none());

    let tom = crate::bench::actor(&w.services, "tom@demo.daybind.test").await;
    let others = w.port.preview_calendar_sync(&tom, &id, None, None).await;
    assert_eq!(others.unwrap_err().code, ErrorCode::NotFound);
}

on_both! {
    google_first_on_sqlite: before_the_first(Sqlite, Google);
    google_first_on_postgres: before_the_first(Postgres, Google);
    microsoft_first_on_sqlite: before_the_first(Sqlite, Microsoft);
    microsoft_first_on_postgres: before_the_first(Postgres, Microsoft);
    google_later_on_sqlite: before_a_later_one(Sqlite, Google);
    google_later_on_postgres: before_a_later_one(Postgres, Google);
    microsoft_later_on_sqlite: before_a_later_one(Sqlite, Microsoft);
    microsoft_later_on_postgres: before_a_later_one(Postgres, Microsoft);
}
