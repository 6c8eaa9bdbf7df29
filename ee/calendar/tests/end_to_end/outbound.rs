//! Where tokens go: to the provider's own hosts, whatever its answers or the database say.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::TimeDelta;
use daybind_fakes::{DuplicateTransaction, Fault, FaultKind};
use daybind_services::{CalendarPort as _, Provider};
use serde_json::json;

use crate::bench::{Database, World};

/// Somebody else's server, which counts who comes.
struct Elsewhere {
    address: String,
    visits: Arc<AtomicU32>,
}

impl Elsewhere {
    async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let visits = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&visits);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { address, visits }
    }
}

/// M-25: redirects and links that lead elsewhere are not followed, whoever sends them and in whatever call; the next
/// run does what that one could not.
async fn tokens_stay_with_the_provider(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let elsewhere = Elsewhere::new().await;
    let away = format!("{}/ms/graph/v1.0/me/x?$skiptoken=1", elsewhere.address);
    let redirect = FaultKind::Redirect { to: away.clone() };
    let patch = |name: &str| FaultKind::Patch {
        body: json!({ name: away }),
    };
    let list = w.operation("google.events.list", "microsoft.view.delta");
    let mut faults = vec![
        (list.clone(), redirect.clone()),
        (
            w.operation("google.events.insert", "microsoft.events.create"),
            redirect.clone(),
        ),
        (
            w.operation("google.token", "microsoft.token"),
            redirect.clone(),
        ),
        (
            w.operation("google.events.watch", "microsoft.subscriptions.create"),
            redirect.clone(),
        ),
    ];
    match provider {
        Provider::Google => faults.push((list, patch("nextPageToken"))),
        Provider::Microsoft => {
            faults.push((list.clone(), patch("@odata.nextLink")));
            faults.push((list, patch("@odata.deltaLink")));
        }
    }
    for (count, (operation, kind)) in faults.into_iter().enumerate() {
        let title = format!("Visit {count}");
        // Both make the token and the subscription be asked for again.
        w.fakes.expire_access_tokens(w.fake);
        w.pass(TimeDelta::days(7));
        w.fakes.arm(Fault::new(&operation, 1, kind.clone()));
        let id = w.add(&title).await;
        w.sync().await;
        w.fakes.clear_faults();
        let fired = w.fakes.log().iter().any(|entry| entry.fault.is_some());
        assert!(fired, "{operation} {kind:?} came to pass");
        w.edit(id, |entry| entry.content.location = "Hall 9".to_owned())
            .await;
        w.sync().await;
        assert_eq!(
            (w.status().await.as_str(), w.mark(id).await.as_str()),
            ("connected", "synced"),
            "{operation} {kind:?}"
        );
        assert_eq!(w.named(&title).len(), 1);
    }

    // A list of calendars whose next page is elsewhere.
    let connection = w.connection().await;
    if provider == Provider::Microsoft {
        w.fakes.arm(Fault::new(
            "microsoft.calendars.list",
            1,
            patch("@odata.nextLink"),
        ));
        let refused = w.port.list_remote_calendars(&w.tess, &connection).await;
        assert!(refused.is_err());
    }
    // A cursor in the database that leads elsewhere, as in a restored or altered row: everything is read anew.
    w.execute(&format!("UPDATE calendar_providers SET cursor = '{away}'"))
        .await;
    w.sync().await;
    assert_eq!(w.status().await, "connected");
    let cursor = w.row().await.cursor.unwrap();
    assert!(!cursor.contains(&elsewhere.address), "{cursor}");

    assert_eq!(elsewhere.visits.load(Ordering::Relaxed), 0);
    tokio::net::TcpStream::connect(elsewhere.address.trim_start_matches("http://"))
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(
        elsewhere.visits.load(Ordering::Relaxed),
        1,
        "it would have been counted"
    );
}

on_both! {
    google_tokens_on_sqlite: tokens_stay_with_the_provider(Sqlite, Google);
    google_tokens_on_postgres: tokens_stay_with_the_provider(Postgres, Google);
    microsoft_tokens_on_sqlite: tokens_stay_with_the_provider(Sqlite, Microsoft);
    microsoft_tokens_on_postgres: tokens_stay_with_the_provider(Postgres, Microsoft);
}
