//! Every connection to the database is in use: what cannot be stored is not acknowledged, nobody waits for ever, and it ends by
//! itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{StatusCode, header};
use axum::response::Response;
use chrono::TimeDelta;
use daybind_fakes::{DuplicateTransaction, Fault, FaultKind};
use daybind_services::{CalendarPort, Provider, StableRoute, jobs};
use daybind_storage::{Scope, UnitOfWork};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::bench::{Database, World};
use crate::crash_points::notification;

/// Providers hang up after ten seconds.
const IN_TIME: Duration = Duration::from_secs(10);

/// Takes every connection there is.
async fn take_all(w: &World) -> Vec<Box<dyn UnitOfWork>> {
    let mut held = Vec::new();
    loop {
        let more = w.services.store.begin(Scope::System);
        match tokio::time::timeout(Duration::from_millis(500), more).await {
            Ok(unit) => held.push(unit.unwrap()),
            Err(_) => return held,
        }
    }
}

async fn change(w: &World, was: &str, word: &str) {
    let lost = w.operation("google.webhook", "microsoft.webhook");
    w.fakes.arm(Fault::new(&lost, 1, FaultKind::Lose));
    w.outside(&w.named(was)[0], &json!({ w.key("title"): word }));
}

async fn notify(w: &World) -> (Response, Duration) {
    let began = Instant::now();
    let route = StableRoute::Webhook(w.provider);
    let answer = w.port.serve(route, notification(w)).await;
    (answer, began.elapsed())
}

/// M-39: while every connection is in use, notifications are refused in time and say when to come again, the server says that it
/// is not ready, and the worker waits. Afterwards what was acknowledged before is done, what was refused is accepted when it is
/// repeated, and the worker goes on by itself.
async fn every_connection_is_in_use(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let (first, second) = (w.add("First").await, w.add("Second").await);
    w.drain().await;
    w.services.store.ready().await.unwrap();
    w.pass(TimeDelta::seconds(2));
    change(&w, "First", "First, changed").await;
    let (answer, _) = notify(&w).await;
    assert!(answer.status().is_success(), "acknowledged");

    let held = take_all(&w).await;
    assert!(!held.is_empty());
    let stop = CancellationToken::new();
    let port = Arc::clone(&w.port) as Arc<dyn CalendarPort>;
    let grace = Duration::from_secs(20);
    let worker = jobs::work(w.services.clone(), port, stop.clone(), grace);
    let worker = tokio::spawn(worker);
    w.pass(TimeDelta::seconds(2));
    change(&w, "Second", "Second, changed").await;
    let ready = async {
        let began = Instant::now();
        (w.services.store.ready().await, began.elapsed())
    };
    // One that comes while the first one's batch hangs.
    let behind = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        notify(&w).await
    };
    let (one, two, (ready, asked)) = tokio::join!(notify(&w), behind, ready);
    for (answer, took) in [one, two] {
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.headers().contains_key(header::RETRY_AFTER));
        assert!(took < IN_TIME, "{took:?}");
    }
    assert!(
        ready.is_err() && asked < Duration::from_secs(5),
        "{asked:?}"
    );

    for unit in held {
        unit.cancel().await.unwrap();
    }
    w.services.store.ready().await.unwrap();
    let (answer, _) = notify(&w).await;
    assert!(answer.status().is_success(), "repeated");
    for _ in 0..400 {
        let done = w.entry(first).await.content.title == "First, changed"
            && w.entry(second).await.content.title == "Second, changed";
        if done {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(w.entry(first).await.content.title, "First, changed");
    assert_eq!(w.entry(second).await.content.title, "Second, changed");
    stop.cancel();
    worker.await.unwrap();
    assert_eq!(w.status().await, "connected");
}

everywhere! {
    pools: every_connection_is_in_use;
}
