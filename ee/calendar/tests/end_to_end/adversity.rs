//! Lost answers, lost cursors, lost access, notifications.

use daybind_fakes::{DuplicateTransaction, Fault, FaultKind};
use daybind_services::{CalendarPort, Provider};
use serde_json::json;

use crate::bench::{Database, World, location};

/// Lost answers, lost cursors, revoked tokens and push notifications.
async fn adversity(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Conflict).await;
    let create = w.operation("google.events.insert", "microsoft.events.create");
    w.fakes.arm(Fault {
        operation: create.clone(),
        count: 2,
        kind: FaultKind::DropAfter,
    });
    let id = w.add("Lost answer").await;
    w.drain().await;
    assert_eq!(
        (w.named("Lost answer").len(), w.mark(id).await.as_str()),
        (1, "synced")
    );

    let throttled = FaultKind::Status {
        status: 429,
        retry_after: Some(3),
        reason: None,
    };
    w.fakes.arm(Fault {
        operation: create,
        count: 1,
        kind: throttled,
    });
    w.add("Throttled").await;
    w.drain().await;
    assert_eq!(w.named("Throttled").len(), 1);

    // The cursor is lost while one event is edited and another deleted.
    let other = w.add("To be deleted").await;
    w.drain().await;
    w.outside(
        &w.named("Lost answer")[0].clone(),
        &json!({ w.key("title"): "Edited" }),
    );
    let gone = w.named("To be deleted")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    w.fakes.delete_event(w.fake, &w.calendar, &gone).unwrap();
    w.fakes.expire_sync_tokens(w.fake);
    w.sync().await;
    assert_eq!(w.entry(id).await.content.title, "Edited");
    assert_eq!(w.mark(other).await, "conflict");
    assert!(w.entry(other).await.deleted_at.is_none());
    assert!(w.entry(id).await.deleted_at.is_none());

    // Access tokens that end early are refreshed without anybody noticing.
    w.fakes.expire_access_tokens(w.fake);
    w.sync().await;
    assert_eq!(w.status().await, "connected");

    // A change outside reaches us by itself, through the webhook.
    assert_eq!(w.fakes.subscriptions(w.fake).len(), 1);
    w.outside(
        &w.named("Edited")[0].clone(),
        &json!({ w.key("title"): "Pushed" }),
    );
    for _ in 0..100 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        w.drain().await;
        if w.entry(id).await.content.title == "Pushed" {
            break;
        }
    }
    assert_eq!(w.entry(id).await.content.title, "Pushed");

    // Access taken away: the user is asked to reconnect, and nothing is lost.
    w.fakes.revoke_grants(w.fake);
    w.sync().await;
    assert_eq!(w.status().await, "needs_reconnect");
    let waiting = w.add("Meanwhile").await;
    w.drain().await;
    let connection = w.connection().await;
    let done = w.authorize(&w.tess, Some(&connection)).await;
    assert!(location(&done).contains("calendarAuth=success"));
    w.drain().await;
    assert_eq!(
        (w.status().await.as_str(), w.mark(waiting).await.as_str()),
        ("connected", "synced")
    );
    assert_eq!(w.named("Pushed").len(), 1);

    // Disconnected with removal: no copy, no subscription, no row.
    w.port
        .delete_calendar_provider(&w.tess, &connection, true)
        .await
        .unwrap();
    w.drain().await;
    assert!(w.named("Pushed").is_empty() && w.named("Meanwhile").is_empty());
    assert!(w.fakes.subscriptions(w.fake).is_empty());
    assert!(
        w.port
            .get_calendar_providers(&w.tess)
            .await
            .unwrap()
            .connections
            .is_empty()
    );
    assert!(w.entry(id).await.deleted_at.is_none());
}

on_both! {
    google_adversity_on_sqlite: adversity(Sqlite, Google);
    google_adversity_on_postgres: adversity(Postgres, Google);
    microsoft_adversity_on_sqlite: adversity(Sqlite, Microsoft);
    microsoft_adversity_on_postgres: adversity(Postgres, Microsoft);
}
