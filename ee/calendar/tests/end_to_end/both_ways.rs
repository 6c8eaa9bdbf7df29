//! Changes and deletions in both directions.

use chrono::Utc;
use daybind_domain::schedule::{EntryStatus, When};
use daybind_fakes::DuplicateTransaction;
use daybind_services::Provider;
use serde_json::json;

use crate::bench::{Database, World, actor};

/// Creates, edits on both sides, conflict, deletions; nothing is ever made twice.
async fn both_ways(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let id = w.add("Replace switch").await;
    w.drain().await;
    let made = w.named("Replace switch");
    assert_eq!(made.len(), 1);
    assert!(made[0]["attendees"].as_array().is_none_or(Vec::is_empty));
    assert_eq!(w.mark(id).await, "synced");
    let version = w.entry(id).await.version;
    w.sync().await;
    w.sync().await;
    assert_eq!(
        (w.named("Replace switch").len(), w.entry(id).await.version),
        (1, version),
        "an echo changes nothing"
    );

    // One field each, at the same time: both survive.
    w.outside(
        &made[0],
        &json!({ w.key("title"): "Replace both switches" }),
    );
    w.edit(id, |entry| entry.content.location = "Hall 4".to_owned())
        .await;
    w.drain().await;
    assert_eq!(w.entry(id).await.content.title, "Replace both switches");
    let there = w.named("Replace both switches");
    assert!(
        there[0]["location"].to_string().contains("Hall 4"),
        "{}",
        there[0]
    );
    assert_eq!(w.mark(id).await, "synced");

    // The same field differently: neither is overwritten, and the user is told.
    w.outside(&there[0], &json!({ w.key("title"): "Theirs" }));
    w.edit(id, |entry| entry.content.title = "Ours".to_owned())
        .await;
    w.drain().await;
    assert_eq!(
        (w.mark(id).await.as_str(), w.named("Theirs").len()),
        ("conflict", 1)
    );
    assert_eq!(w.entry(id).await.content.title, "Ours");
    w.edit(id, |entry| entry.content.title = "Theirs".to_owned())
        .await;
    w.drain().await;
    assert_eq!(w.mark(id).await, "synced");

    // Whole days come back as whole days.
    let (start, end) = ("2027-03-01".parse().unwrap(), "2027-03-03".parse().unwrap());
    w.edit(id, |entry| entry.content.when = When::AllDay { start, end })
        .await;
    w.drain().await;
    let now = w.named("Theirs")[0].clone();
    w.outside(&now, &json!({ w.key("title"): "Whole days" }));
    w.sync().await;
    assert_eq!(w.entry(id).await.content.when, When::AllDay { start, end });

    // Deleted there, and nobody else does it: the work stays until somebody says what becomes of it.
    let gone = w.named("Whole days")[0]["id"].as_str().unwrap().to_owned();
    w.fakes.delete_event(w.fake, &w.calendar, &gone).unwrap();
    w.sync().await;
    w.sync().await;
    assert!(w.named("Whole days").is_empty());
    assert_eq!(
        (w.entry(id).await.deleted_at, w.mark(id).await.as_str()),
        (None, "conflict")
    );
    w.answer("all", "put_back").await;
    w.drain().await;
    assert_eq!(
        (w.named("Whole days").len(), w.mark(id).await.as_str()),
        (1, "synced")
    );
    let gone = w.named("Whole days")[0]["id"].as_str().unwrap().to_owned();
    w.fakes.delete_event(w.fake, &w.calendar, &gone).unwrap();
    w.sync().await;
    w.answer("all", "cancel").await;
    w.drain().await;
    assert_eq!(w.entry(id).await.content.status, EntryStatus::Cancelled);
    assert!(w.named("Whole days").is_empty());

    // Deleted here: deleted there. Unassigned: deleted there. Assigned again: one new copy.
    let second = w.add("Second").await;
    w.drain().await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    w.edit(second, |entry| entry.assignees = vec![tom.user_id()])
        .await;
    w.drain().await;
    assert!(w.named("Second").is_empty());
    let tess = w.tess.user_id();
    w.edit(second, |entry| entry.assignees = vec![tess, tom.user_id()])
        .await;
    w.drain().await;
    assert_eq!(w.named("Second").len(), 1);
    // Deleted there while somebody else does it too: only the technician is taken off.
    let copy = w.named("Second")[0]["id"].as_str().unwrap().to_owned();
    w.fakes.delete_event(w.fake, &w.calendar, &copy).unwrap();
    w.sync().await;
    let left = w.entry(second).await;
    assert_eq!(
        (left.assignees, left.deleted_at),
        (vec![tom.user_id()], None)
    );
    let third = w.add("Third").await;
    w.drain().await;
    w.edit(third, |entry| entry.deleted_at = Some(Utc::now()))
        .await;
    w.drain().await;
    assert!(w.named("Third").is_empty());
}

on_both! {
    google_both_ways_on_sqlite: both_ways(Sqlite, Google);
    google_both_ways_on_postgres: both_ways(Postgres, Google);
    microsoft_both_ways_on_sqlite: both_ways(Sqlite, Microsoft);
    microsoft_both_ways_on_postgres: both_ways(Postgres, Microsoft);
}
