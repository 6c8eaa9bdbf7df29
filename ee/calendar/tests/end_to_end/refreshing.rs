//! Tokens are refreshed by one server at a time, and the newest ones stay.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use daybind_domain::ErrorCode;
use daybind_fakes::{DuplicateTransaction, Fault, FaultKind};
use daybind_services::{CalendarPort as _, Provider};

use crate::bench::{Database, World};

/// How many people look at the same connection on each server.
const CROWD: usize = 10;

/// Everybody asks both servers for the calendars of one connection at the same moment; what they were told.
async fn crowd(w: &World) -> Vec<Result<usize, ErrorCode>> {
    let id = w.connection().await;
    let (_, second) = w.second_server().await;
    let asking = [Arc::clone(&w.port), second]
        .into_iter()
        .flat_map(|port| std::iter::repeat_n(port, CROWD))
        .map(|port| {
            let (tess, id) = (w.tess.clone(), id.clone());
            tokio::spawn(async move {
                let calendars = port.list_remote_calendars(&tess, &id).await;
                calendars
                    .map(|found| found.len())
                    .map_err(|error| error.code)
            })
        });
    let mut told = Vec::new();
    for answer in futures::future::join_all(asking).await {
        told.push(answer.unwrap());
    }
    told
}

fn slow_token(w: &World, ms: u64) {
    let token = w.operation("google.token", "microsoft.token");
    w.fakes
        .arm(Fault::new(&token, 1, FaultKind::DelayAfter { ms }));
}

fn tokens(w: &World) -> u64 {
    w.asked("google.token", "microsoft.token")
}

/// M-35: twenty callers on two servers find the token at its end: it is asked for once, and all of them go on with it.
async fn one_refresh_for_all(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    w.fakes.expire_access_tokens(w.fake);
    w.pass(TimeDelta::hours(2));
    slow_token(&w, 400);
    let before = tokens(&w);
    let told = crowd(&w).await;
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    assert_eq!((told.len(), tokens(&w) - before), (2 * CROWD, 1));
}

/// M-35: a grant that ended is found out once, not by each of them; the connection waits for its owner, who is asked to
/// reconnect, and asks for nothing more.
async fn a_dead_grant_is_asked_about_once(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    w.fakes.revoke_grants(w.fake);
    w.pass(TimeDelta::hours(2));
    slow_token(&w, 400);
    let before = tokens(&w);
    let told = crowd(&w).await;
    assert!(
        told.iter()
            .all(|answer| *answer == Err(ErrorCode::Provider)),
        "{told:?}"
    );
    assert_eq!(tokens(&w) - before, 1);
    assert_eq!(w.status().await, "needs_reconnect");
    w.drain().await;
    w.pass(TimeDelta::days(1));
    w.drain().await;
    assert_eq!(tokens(&w) - before, 1, "nobody asks with a dead grant");
}

/// M-35: a server that hangs over its answer until its lease has run out does not write over the tokens another server
/// got meanwhile.
async fn the_newest_token_stays(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    w.fakes.expire_access_tokens(w.fake);
    w.pass(TimeDelta::hours(2));
    slow_token(&w, 2_000);
    let id = w.connection().await;
    let (_, second) = w.second_server().await;
    let before = tokens(&w);
    let slow = {
        let (port, tess, id) = (Arc::clone(&w.port), w.tess.clone(), id.clone());
        tokio::spawn(async move { port.list_remote_calendars(&tess, &id).await })
    };
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(tokens(&w), before + 1, "it waits for its answer");
    w.pass(TimeDelta::seconds(61));
    second.list_remote_calendars(&w.tess, &id).await.unwrap();
    let newest = w.row().await;
    assert_eq!(tokens(&w), before + 2);
    assert!(!slow.is_finished());

    slow.await.unwrap().unwrap();
    let after = w.row().await;
    assert_eq!(after.access_token_sealed, newest.access_token_sealed);
    assert_eq!(after.refresh_token_sealed, newest.refresh_token_sealed);
    w.sync().await;
    assert_eq!(
        (w.status().await.as_str(), tokens(&w)),
        ("connected", before + 2)
    );
}

/// M-35, W44: a provider that sends no new refresh token along leaves the old one in force.
async fn a_refresh_token_is_never_lost(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let token = w.operation("google.token", "microsoft.token");
    let without = FaultKind::Patch {
        body: serde_json::json!({ "refresh_token": null }),
    };
    let kept = w.row().await.refresh_token_sealed;
    for _ in 0..2 {
        w.fakes.arm(Fault::new(&token, 1, without.clone()));
        w.fakes.expire_access_tokens(w.fake);
        w.pass(TimeDelta::hours(2));
        w.sync().await;
        assert_eq!(w.status().await, "connected");
        assert_eq!(w.row().await.refresh_token_sealed, kept);
    }
}

on_both! {
    google_once_on_sqlite: one_refresh_for_all(Sqlite, Google);
    google_once_on_postgres: one_refresh_for_all(Postgres, Google);
    microsoft_once_on_sqlite: one_refresh_for_all(Sqlite, Microsoft);
    microsoft_once_on_postgres: one_refresh_for_all(Postgres, Microsoft);
    google_dead_on_sqlite: a_dead_grant_is_asked_about_once(Sqlite, Google);
    google_dead_on_postgres: a_dead_grant_is_asked_about_once(Postgres, Google);
    microsoft_dead_on_sqlite: a_dead_grant_is_asked_about_once(Sqlite, Microsoft);
    microsoft_dead_on_postgres: a_dead_grant_is_asked_about_once(Postgres, Microsoft);
    google_newest_on_sqlite: the_newest_token_stays(Sqlite, Google);
    google_newest_on_postgres: the_newest_token_stays(Postgres, Google);
    microsoft_newest_on_sqlite: the_newest_token_stays(Sqlite, Microsoft);
    microsoft_newest_on_postgres: the_newest_token_stays(Postgres, Microsoft);
    google_kept_on_sqlite: a_refresh_token_is_never_lost(Sqlite, Google);
    google_kept_on_postgres: a_refresh_token_is_never_lost(Postgres, Google);
    microsoft_kept_on_sqlite: a_refresh_token_is_never_lost(Sqlite, Microsoft);
    microsoft_kept_on_postgres: a_refresh_token_is_never_lost(Postgres, Microsoft);
}
