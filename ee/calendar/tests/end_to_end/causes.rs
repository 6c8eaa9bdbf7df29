//! Why a run ran, as the activity says it.

use chrono::TimeDelta;
use daybind_ee_storage::calendar;
use daybind_fakes::DuplicateTransaction;
use daybind_services::{CalendarPort as _, Provider, StableRoute, demo};

use crate::bench::{Database, World};
use crate::crash_points::notification;

/// The causes of the runs that are recorded, and why nothing happened.
async fn runs(w: &World) -> Vec<(String, Option<String>)> {
    let id = w.connection().await.parse().unwrap();
    let mut unit = w.services.read(demo::TENANT).await.unwrap();
    let rows = calendar(unit.as_mut()).unwrap();
    let runs = rows.list_runs(demo::TENANT, id, 1000).await.unwrap();
    runs.into_iter()
        .map(|run| (run.cause, run.reason))
        .collect()
}

/// W51: a run that somebody asked for is theirs, also when a notification comes before it begins; the polls after it are
/// nobody's, and are not recorded when they find nothing.
async fn who_asked_is_remembered(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let id = w.connection().await;
    let sync: &[&str] = &["calendar.sync"];
    w.pass(TimeDelta::minutes(2));
    w.drain().await;
    let before = runs(&w).await.len();
    w.port.sync_calendar_provider(&w.tess, &id).await.unwrap();
    let route = StableRoute::Webhook(provider);
    let answer = w.port.serve(route, notification(&w)).await;
    assert!(answer.status().is_success());
    assert_eq!(w.once_of(sync).await.len(), 1);
    let recorded = runs(&w).await;
    let asked = ("person".to_owned(), Some("nothing_changed".to_owned()));
    assert_eq!((recorded.len(), &recorded[0]), (before + 1, &asked));

    for _ in 0..3 {
        w.pass(TimeDelta::hours(1));
        assert_eq!(w.once_of(sync).await.len(), 1, "a poll");
    }
    assert_eq!(runs(&w).await, recorded, "nobody asked, nothing changed");
}

everywhere! {
    remembered: who_asked_is_remembered;
}
