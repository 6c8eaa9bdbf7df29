//! Faults of earlier software that must not come back: cursors that run ahead, doubled creates, blind updates, tokens that
//! are lost on their way into the database.

use std::time::Duration;

use chrono::TimeDelta;
use daybind_fakes::{DuplicateTransaction, Fault, FaultKind};
use daybind_services::{CalendarPort as _, Provider};
use daybind_storage::FinishJob;
use serde_json::{Value, json};

use crate::bench::{Database, World};

/// Runs the sync job alone, which must be due, and says how it ended.
async fn sync_once(w: &World) -> FinishJob {
    let mut ended = w.once_of(&["calendar.sync"]).await;
    assert_eq!(ended.len(), 1);
    ended.remove(0).1
}

/// What the fakes were asked, by operation.
fn requests(w: &World, google: &str, microsoft: &str) -> Vec<Value> {
    let operation = w.operation(google, microsoft);
    let log = w.fakes.log().into_iter();
    log.filter(|entry| entry.operation == operation)
        .filter_map(|entry| entry.request)
        .collect()
}

/// U7, W16: while a change cannot be stored the cursor stays where it is, and the next run takes the change in.
async fn cursor_moves_with_the_change(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let id = w.add("Replace switch").await;
    w.drain().await;
    let cursor = w.row().await.cursor;
    assert!(cursor.is_some());

    w.break_column("schedule_entries", "title").await;
    let event = w.named("Replace switch")[0].clone();
    w.outside(&event, &json!({ w.key("title"): "Replace router" }));
    w.port
        .sync_calendar_provider(&w.tess, &w.connection().await)
        .await
        .unwrap();
    let ended = sync_once(&w).await;
    assert!(
        matches!(&ended, FinishJob::Retry { error, .. } if error == "database"),
        "{ended:?}"
    );
    assert_eq!(w.entry(id).await.content.title, "Replace switch");
    let row = w.row().await;
    assert_eq!(
        row.cursor, cursor,
        "the change is not taken, so it is not passed"
    );
    assert_eq!(row.last_error.as_deref(), Some("database"));

    w.mend("schedule_entries").await;
    w.pass(TimeDelta::minutes(1));
    w.drain().await;
    assert_eq!(w.entry(id).await.content.title, "Replace router");
    let row = w.row().await;
    assert_ne!(row.cursor, cursor);
    assert_eq!(row.last_error, None);
}

/// U8, W15: a create whose answer is lost says again who it is, and the provider keeps one event.
async fn create_is_made_once(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Conflict).await;
    let (google, microsoft) = ("google.events.insert", "microsoft.events.create");
    w.fakes.arm(Fault::new(
        &w.operation(google, microsoft),
        2,
        FaultKind::DropAfter,
    ));
    let id = w.add("Once").await;
    w.drain().await;
    assert_eq!(
        (w.named("Once").len(), w.mark(id).await.as_str()),
        (1, "synced")
    );
    let names: Vec<_> = requests(&w, google, microsoft)
        .into_iter()
        .filter(|body| body[w.key("title")] == "Once")
        .map(|body| match provider {
            Provider::Google => body["id"].clone(),
            Provider::Microsoft => body["transactionId"].clone(),
        })
        .collect();
    assert!(
        names.len() >= 3 && names[0].is_string() && names.iter().all(|name| *name == names[0]),
        "{names:?}"
    );
}

/// U8, W47: an event that is edited while our update is on its way is not written over; the owner is asked.
async fn update_carries_the_version_it_saw(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let id = w.add("Replace switch").await;
    w.drain().await;
    let event = w.named("Replace switch")[0].clone();
    let update = w.operation("google.events.patch", "microsoft.events.update");
    w.fakes
        .arm(Fault::new(&update, 1, FaultKind::DelayBefore { ms: 1500 }));
    w.edit(id, |entry| entry.content.title = "Ours".to_owned())
        .await;
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        w.outside(&event, &json!({ w.key("title"): "Theirs" }));
    };
    tokio::join!(w.drain(), meanwhile);
    assert_eq!(w.fakes.counters().get(&update), Some(&1), "{update}");
    assert_eq!(
        (w.named("Theirs").len(), w.named("Ours").len()),
        (1, 0),
        "what was not seen is not written over"
    );
    assert_eq!(w.entry(id).await.content.title, "Ours");
    assert_eq!(w.mark(id).await, "conflict");
}

/// U9: while the database refuses a fresh token nothing is done with it, the run fails and says so; a short refusal is
/// outlasted, and the token of that one request is kept.
async fn fresh_tokens_are_stored_or_the_run_fails(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let token = || w.asked("google.token", "microsoft.token");
    let calls = || w.asked("google.events.list", "microsoft.view.delta");
    let id = w.connection().await;
    let sync = || w.port.sync_calendar_provider(&w.tess, &id);

    // The database stumbles while the answer is there, and comes back within the second.
    w.fakes.expire_access_tokens(w.fake);
    w.pass(TimeDelta::hours(2));
    sync().await.unwrap();
    let before = (token(), w.row().await.access_token_sealed);
    w.break_column("calendar_providers", "access_token_sealed")
        .await;
    let mended = async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        w.mend("calendar_providers").await;
    };
    let (ended, ()) = tokio::join!(sync_once(&w), mended);
    assert!(matches!(ended, FinishJob::Again(_)), "{ended:?}");
    let row = w.row().await;
    assert_eq!(token(), before.0 + 1, "asked once, and kept");
    assert_ne!(row.access_token_sealed, before.1);
    w.drain().await;

    // It does not come back: a failure that is seen, and no work with a token that nobody will know tomorrow.
    w.fakes.expire_access_tokens(w.fake);
    w.pass(TimeDelta::hours(2));
    sync().await.unwrap();
    let before = (token(), calls(), w.row().await.access_token_sealed);
    w.break_column("calendar_providers", "access_token_sealed")
        .await;
    let ended = sync_once(&w).await;
    assert!(
        matches!(&ended, FinishJob::Retry { error, .. } if error == "database"),
        "{ended:?}"
    );
    let row = w.row().await;
    assert_eq!(row.last_error.as_deref(), Some("database"));
    assert_eq!(row.access_token_sealed, before.2);
    assert_eq!((token(), calls()), (before.0 + 1, before.1));
    w.mend("calendar_providers").await;
    w.pass(TimeDelta::minutes(2));
    w.drain().await;
    let row = w.row().await;
    assert_eq!(
        (w.status().await.as_str(), row.last_error),
        ("connected", None)
    );
}

on_both! {
    google_cursor_on_sqlite: cursor_moves_with_the_change(Sqlite, Google);
    google_cursor_on_postgres: cursor_moves_with_the_change(Postgres, Google);
    microsoft_cursor_on_sqlite: cursor_moves_with_the_change(Sqlite, Microsoft);
    microsoft_cursor_on_postgres: cursor_moves_with_the_change(Postgres, Microsoft);
    google_create_on_sqlite: create_is_made_once(Sqlite, Google);
    google_create_on_postgres: create_is_made_once(Postgres, Google);
    microsoft_create_on_sqlite: create_is_made_once(Sqlite, Microsoft);
    microsoft_create_on_postgres: create_is_made_once(Postgres, Microsoft);
    google_update_on_sqlite: update_carries_the_version_it_saw(Sqlite, Google);
    google_update_on_postgres: update_carries_the_version_it_saw(Postgres, Google);
    microsoft_update_on_sqlite: update_carries_the_version_it_saw(Sqlite, Microsoft);
    microsoft_update_on_postgres: update_carries_the_version_it_saw(Postgres, Microsoft);
    google_tokens_on_sqlite: fresh_tokens_are_stored_or_the_run_fails(Sqlite, Google);
    google_tokens_on_postgres: fresh_tokens_are_stored_or_the_run_fails(Postgres, Google);
    microsoft_tokens_on_sqlite: fresh_tokens_are_stored_or_the_run_fails(Sqlite, Microsoft);
    microsoft_tokens_on_postgres: fresh_tokens_are_stored_or_the_run_fails(Postgres, Microsoft);
}
