//! Who wins where both sides changed the same field, by each rule that decides by itself.

use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use daybind_domain::ids::EntryId;
use daybind_domain::view::CalendarRulesView;
use daybind_fakes::DuplicateTransaction;
use daybind_services::{CalendarPort as _, Provider};
use serde_json::json;

use crate::bench::{Database, World};
use crate::settling::place;
use crate::several::two;

/// Which side changed it last.
#[derive(Clone, Copy, PartialEq)]
enum Last {
    Schedule,
    Calendar,
}

async fn rule(w: &World, connection: &str, policy: &str) {
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    let mut rows = view.connections.into_iter();
    let row = rows.find(|row| row.connection_id == connection).unwrap();
    let rules = CalendarRulesView {
        conflict_policy: policy.to_owned(),
        ..row.rules
    };
    w.port
        .update_calendar_rules(&w.tess, connection, &rules)
        .await
        .unwrap();
    w.drain().await;
}

/// Nothing waits for an answer, at any connection.
async fn nothing_is_asked(w: &World) {
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    for row in view.connections {
        assert!(row.questions.is_empty(), "{:?}", row.questions);
        assert_eq!(row.status, "connected");
    }
}

/// Changes title and notes in the schedule at a time before or after that of the change in the calendar, which is now by the
/// computer's own clock.
async fn change_here(w: &World, id: EntryId, last: Last, title: &str, notes: &str) {
    let shifted = w.clock.0.load(Ordering::Relaxed);
    let seconds = match last {
        Last::Schedule => shifted.max(0) + 3600,
        Last::Calendar => -3600,
    };
    w.clock.0.store(seconds, Ordering::Relaxed);
    w.edit(id, |entry| {
        entry.content.title = title.to_owned();
        entry.content.notes = notes.to_owned();
    })
    .await;
    let later = seconds.max(shifted);
    w.clock.0.store(later, Ordering::Relaxed);
    w.fakes.pass(TimeDelta::seconds(later - shifted));
}

/// Both sides change the title; each changes something of its own, too. What both say then.
async fn both_change(w: &World, id: EntryId, nth: usize, last: Last) -> String {
    let was = w.entry(id).await.content.title;
    let [ours, theirs] = ["Ours", "Theirs"].map(|side| format!("{side} {nth}"));
    let copy = w.named(&was)[0].clone();
    w.outside(&copy, &json!({ w.key("title"): theirs }));
    w.outside(&copy, &place(w, &format!("Roof {nth}")));
    change_here(w, id, last, &ours, &format!("Ladder {nth}")).await;
    w.drain().await;
    let entry = w.entry(id).await.content;
    let there = w.named(&entry.title);
    assert_eq!(there.len(), 1, "both say {}", entry.title);
    assert_eq!(
        w.named(&ours).len() + w.named(&theirs).len(),
        1,
        "one version is left"
    );
    // What only one side changed survives whoever wins.
    assert_eq!(entry.location, format!("Roof {nth}"));
    assert_eq!(entry.notes, format!("Ladder {nth}"));
    assert!(there[0].to_string().contains(&format!("Ladder {nth}")));
    assert_eq!(w.mark(id).await, "synced");
    nothing_is_asked(w).await;
    let version = w.entry(id).await.version;
    w.sync().await;
    assert_eq!(w.entry(id).await.version, version, "rest is silent");
    entry.title
}

async fn one(database: Database, provider: Provider, policy: &str) -> (World, EntryId) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let id = w.add("Switch").await;
    w.drain().await;
    let connection = w.connection().await;
    rule(&w, &connection, policy).await;
    (w, id)
}

async fn the_schedule_wins(database: Database, provider: Provider) {
    let (w, id) = one(database, provider, "schedule").await;
    for (nth, last) in [Last::Schedule, Last::Calendar].into_iter().enumerate() {
        assert_eq!(both_change(&w, id, nth, last).await, format!("Ours {nth}"));
    }
}

async fn the_calendar_wins(database: Database, provider: Provider) {
    let (w, id) = one(database, provider, "calendar").await;
    for (nth, last) in [Last::Schedule, Last::Calendar].into_iter().enumerate() {
        assert_eq!(
            both_change(&w, id, nth, last).await,
            format!("Theirs {nth}")
        );
    }
}

async fn the_newest_wins(database: Database, provider: Provider) {
    let (w, id) = one(database, provider, "newest").await;
    assert_eq!(both_change(&w, id, 0, Last::Schedule).await, "Ours 0");
    assert_eq!(both_change(&w, id, 1, Last::Calendar).await, "Theirs 1");
    assert_eq!(both_change(&w, id, 2, Last::Schedule).await, "Ours 2");
}

/// W55: each calendar has its own rule. What wins over the schedule in one reaches the other, whose own changes lose there
/// or win by the other's rule; in the end all say the same.
async fn each_calendar_has_its_rule(database: Database, provider: Provider) {
    let (w, second, other) = two(database, provider).await;
    let first = w.connection().await;
    let id = w.add("Switch").await;
    w.drain().await;
    rule(&w, &first, "schedule").await;
    rule(&w, &second, "calendar").await;
    for (nth, of_other) in [false, true].into_iter().enumerate() {
        let was = w.entry(id).await.content.title;
        let (ours, theirs) = (format!("Ours {nth}"), format!("Theirs {nth}"));
        let calendar = if of_other { &other } else { &w.calendar };
        let copy = w.titled(calendar, &was)[0].clone();
        let patch = json!({ w.key("title"): theirs });
        let event = copy["id"].as_str().unwrap();
        w.fakes
            .patch_event(w.fake, calendar, event, &patch)
            .unwrap();
        w.edit(id, |entry| entry.content.title.clone_from(&ours))
            .await;
        w.drain().await;
        let wins = if of_other { theirs } else { ours };
        assert_eq!(w.entry(id).await.content.title, wins);
        assert_eq!(
            (w.named(&wins).len(), w.titled(&other, &wins).len()),
            (1, 1)
        );
        nothing_is_asked(&w).await;
    }
    let version = w.entry(id).await.version;
    w.sync().await;
    assert_eq!(w.entry(id).await.version, version, "rest is silent");
}

everywhere! {
    schedule: the_schedule_wins;
    calendar: the_calendar_wins;
    newest: the_newest_wins;
    several_calendars: each_calendar_has_its_rule;
}
