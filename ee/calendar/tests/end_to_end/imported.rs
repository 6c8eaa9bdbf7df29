//! Connections that were brought over.

use daybind_fakes::DuplicateTransaction;
use daybind_services::{Provider, demo};

use crate::bench::{Database, World, location};

async fn as_if_imported(w: &World) -> String {
    let id = w.connection().await;
    let mut unit = w.services.begin(demo::TENANT).await.unwrap();
    let rows = daybind_ee_storage::calendar(unit.as_mut()).unwrap();
    let mut row = rows
        .find_connection(demo::TENANT, id.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    row.account_id = format!("import:{id}");
    row.calendar_id = Some("primary".to_owned());
    row.status = "needs_reconnect".to_owned();
    row.status_reason = Some("imported".to_owned());
    row.access_token_sealed = String::new();
    row.refresh_token_sealed = String::new();
    row.cursor = None;
    rows.update_connection(&row).await.unwrap();
    unit.save().await.unwrap();
    id
}

/// A connection that was brought over is taken up by the account that sees its events, and by no other: there every
/// entry would count as deleted.
#[tokio::test]
async fn an_imported_connection_asks_for_proof() {
    for provider in [Provider::Google, Provider::Microsoft] {
        let w = World::new(Database::Sqlite, provider, DuplicateTransaction::Existing).await;
        let entry = w.add("Brought over").await;
        w.drain().await;
        let id = as_if_imported(&w).await;
        let done = w.authorize(&w.tess, Some(&id)).await;
        assert!(
            location(&done).contains("calendarAuth=success"),
            "{}",
            location(&done)
        );
        assert_eq!(w.status().await, "connected");
        w.drain().await;
        assert!(w.entry(entry).await.deleted_at.is_none());

        let id = as_if_imported(&w).await;
        // An account that has a calendar, but none of the events.
        for event in w.fakes.events(w.fake, &w.calendar) {
            w.fakes
                .delete_event(w.fake, &w.calendar, event["id"].as_str().unwrap())
                .unwrap();
        }
        let refused = w.authorize(&w.tess, Some(&id)).await;
        assert!(
            location(&refused).ends_with("calendarError=different_account"),
            "{}",
            location(&refused)
        );
        assert_eq!(w.status().await, "needs_reconnect");
        assert!(
            w.entry(entry).await.deleted_at.is_none(),
            "nothing counts as deleted"
        );
    }
}
