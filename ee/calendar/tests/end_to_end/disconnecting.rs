//! The end of a connection: what is cleared away at the provider and here, also while the provider is down.

use chrono::TimeDelta;
use daybind_domain::schedule::EntryStatus;
use daybind_fakes::{DuplicateTransaction, Fault, FaultKind};
use daybind_services::{CalendarPort as _, Provider, demo};
use daybind_storage::FinishJob;
use serde_json::Value;

use crate::bench::{Database, World};

/// Everything that is stored about a connection.
const TRACES: [&str; 6] = [
    "calendar_providers",
    "calendar_subscriptions",
    "calendar_event_mappings",
    "sync_runs",
    "sync_changes",
    "jobs",
];

async fn disconnect(w: &World, remove_copies: bool) {
    let id = w.connection().await;
    w.port
        .delete_calendar_provider(&w.tess, &id, remove_copies)
        .await
        .unwrap();
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    assert!(view.connections.is_empty(), "gone for its owner at once");
}

/// What the audit log says about the end of the connection.
async fn erased(w: &World) -> Vec<Value> {
    let mut unit = w.services.read(demo::TENANT).await.unwrap();
    let rows = unit.list_audit(demo::TENANT, 50).await.unwrap();
    rows.into_iter()
        .filter(|row| row.action == "calendar.erased")
        .map(|row| row.detail)
        .collect()
}

fn provider_is_down(w: &World) {
    let all = w.operation("google.*", "microsoft.*");
    let down = FaultKind::Status {
        status: 503,
        retry_after: None,
        reason: None,
    };
    w.fakes.arm(Fault::new(&all, 100_000, down));
}

/// Microsoft has no call to revoke a grant; its tokens are erased.
fn revoked(w: &World) -> u64 {
    let counters = w.fakes.counters();
    counters.get("google.revoke").copied().unwrap_or(0)
}

fn revocations(w: &World) -> u64 {
    u64::from(w.provider == Provider::Google)
}

/// M-17, W23: nothing of the connection stays here, its subscription ends, its grant is given back, and the copies stay
/// or go as chosen. An access token that ended early is no obstacle.
async fn clears_everything_away(database: Database, provider: Provider) {
    for remove in [false, true] {
        let w = World::new(database, provider, DuplicateTransaction::Existing).await;
        let id = w.add("Replace switch").await;
        w.drain().await;
        assert_eq!(w.fakes.subscriptions(w.fake).len(), 1);
        assert!(w.rows(&TRACES).await >= 4);
        w.fakes.expire_access_tokens(w.fake);
        disconnect(&w, remove).await;
        w.drain().await;
        assert!(w.fakes.subscriptions(w.fake).is_empty());
        assert_eq!(revoked(&w), revocations(&w));
        assert_eq!(w.named("Replace switch").len(), usize::from(!remove));
        assert_eq!(w.rows(&TRACES).await, 0);
        assert_eq!(w.entry(id).await.deleted_at, None, "the work stays");
        assert_eq!(w.mark(id).await, "not_synced");
        let said = erased(&w).await;
        assert_eq!((said.len(), &said[0]["complete"]), (1, &true.into()));
    }
}

/// M-17: while the provider is down the connection is off for its owner, nothing syncs, and the clearing away goes on
/// trying; when the provider is back it is finished.
async fn finishes_later(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    w.add("Replace switch").await;
    w.drain().await;
    provider_is_down(&w);
    disconnect(&w, true).await;
    for _ in 0..30 {
        w.add("Meanwhile").await;
        for (kind, outcome) in w.once().await {
            let FinishJob::Retry { at, .. } = outcome else {
                assert_ne!(kind, "calendar.disconnect", "{outcome:?}");
                continue;
            };
            w.pass(at - w.services.now() + TimeDelta::seconds(1));
        }
    }
    assert_eq!(w.fakes.subscriptions(w.fake).len(), 1);
    assert_eq!(w.rows(&["calendar_providers"]).await, 1);
    w.fakes.clear_faults();
    w.pass(TimeDelta::hours(1));
    w.drain().await;
    assert!(w.fakes.subscriptions(w.fake).is_empty());
    assert_eq!(revoked(&w), revocations(&w) + refused_revocations(&w));
    assert!(w.named("Replace switch").is_empty() && w.named("Meanwhile").is_empty());
    assert_eq!(w.rows(&TRACES).await, 0);
    assert_eq!(erased(&w).await[0]["complete"], true);
}

/// Revocations that were answered with the armed 503.
fn refused_revocations(w: &World) -> u64 {
    let log = w.fakes.log();
    let refused = log
        .iter()
        .filter(|entry| entry.operation == "google.revoke" && entry.status == 503);
    u64::try_from(refused.count()).unwrap()
}

/// M-17: a provider that stays away for a day leaves nothing here all the same, and the audit log says what is left over
/// there.
async fn is_said_after_a_day(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    w.add("Replace switch").await;
    w.drain().await;
    provider_is_down(&w);
    disconnect(&w, true).await;
    let begun = w.services.now();
    let mut tries = 0;
    while w.rows(&["calendar_providers"]).await > 0 {
        assert!(tries < 200, "it never ends");
        for (kind, outcome) in w.once().await {
            if kind == "calendar.disconnect" {
                tries += 1;
            }
            if let FinishJob::Retry { at, .. } = outcome {
                w.pass(at - w.services.now() + TimeDelta::seconds(1));
            }
        }
    }
    let took = w.services.now() - begun;
    assert!(
        took > TimeDelta::hours(23) && took < TimeDelta::hours(26),
        "{took}"
    );
    assert!((20..=70).contains(&tries), "{tries} tries");
    assert_eq!(w.rows(&TRACES).await, 0);
    let said = erased(&w).await;
    assert_eq!(said[0]["complete"], false);
    let left = &said[0]["left_at_provider"];
    // The copies: this one, and those of the two entries the demo begins with.
    assert_eq!(
        (&left["subscriptions"], &left["copies"], &left["grant"]),
        (&1.into(), &3.into(), &(provider == Provider::Google).into())
    );
}

/// M-17: where the account itself has thrown Daybind out, there is nothing to wait for.
async fn without_a_grant_it_ends_at_once(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    w.fakes.revoke_grants(w.fake);
    disconnect(&w, true).await;
    w.drain().await;
    assert_eq!(w.rows(&TRACES).await, 0);
    assert_eq!(erased(&w).await.len(), 1);
}

/// W60: whoever leaves takes the connection along: it is ended by the next run, or at the next start where none is due.
async fn leavers_leave_no_connection(database: Database, provider: Provider) {
    for at_start in [false, true] {
        let w = World::new(database, provider, DuplicateTransaction::Existing).await;
        w.add("Replace switch").await;
        w.drain().await;
        if at_start {
            w.fakes.revoke_grants(w.fake);
            w.sync().await;
            assert_eq!(w.status().await, "needs_reconnect", "it polls no more");
        }
        w.execute("UPDATE users SET is_active = false WHERE email = 'tess@demo.daybind.test'")
            .await;
        if at_start {
            w.port.start().await.unwrap();
        }
        w.pass(TimeDelta::minutes(10));
        w.drain().await;
        assert_eq!(w.rows(&TRACES).await, 0);
        if !at_start {
            assert!(w.fakes.subscriptions(w.fake).is_empty());
            assert_eq!(revoked(&w), revocations(&w));
        }
        assert_eq!(w.named("Replace switch").len(), 1);
    }
}

/// M-17, W1: a run that is in the midst of its work when the owner disconnects neither takes the copies that are cleared away
/// for ones that somebody deleted, nor makes any anew: the clearing away waits for it, and it keeps nothing more.
async fn waits_for_a_run(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    cancels_with_its_event(&w).await;
    let ids = [w.add("Replace switch").await, w.add("Replace router").await];
    w.drain().await;
    for id in ids {
        w.edit(id, |entry| entry.content.location = "Hall 4".to_owned())
            .await;
    }
    w.add("Not made yet").await;
    let write = ("google.events.patch", "microsoft.events.update");
    let written = w.asked(write.0, write.1);
    let clear = ("google.events.delete", "microsoft.events.delete");
    // The run goes on to its second copy when that one, the fourth of all, has been cleared away and the connection has not.
    for (what, count, ms) in [(write, 1, 3500), (clear, 4, 1000)] {
        let slow = FaultKind::DelayAfter { ms };
        w.fakes
            .arm(Fault::new(&w.operation(what.0, what.1), count, slow));
    }
    let leaving = async {
        while w.asked(write.0, write.1) == written {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        disconnect(&w, true).await;
        w.once_of(&["calendar.disconnect"]).await
    };
    let (_, ended) = tokio::join!(w.once_of(&["calendar.sync"]), leaving);
    assert!(
        matches!(ended[..], [(_, FinishJob::Retry { .. })]),
        "{ended:?}"
    );
    w.pass(TimeDelta::seconds(10));
    w.drain().await;
    for title in ["Replace switch", "Replace router", "Not made yet"] {
        assert!(w.named(title).is_empty(), "{title}");
    }
    for id in ids {
        let entry = w.entry(id).await;
        assert_eq!(entry.content.status, EntryStatus::Scheduled);
        assert_eq!(entry.assignees, [w.tess.user_id()]);
    }
    assert_eq!(w.rows(&TRACES).await, 0);
    assert!(w.fakes.subscriptions(w.fake).is_empty());
}

/// The work of a connection's owner is called off when its event is deleted in the calendar.
pub(crate) async fn cancels_with_its_event(w: &World) {
    let id = w.connection().await;
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    let mut rules = view.connections[0].rules.clone();
    "cancel".clone_into(&mut rules.deletion_policy);
    w.port
        .update_calendar_rules(&w.tess, &id, &rules)
        .await
        .unwrap();
    w.drain().await;
}

on_both! {
    google_waits_on_sqlite: waits_for_a_run(Sqlite, Google);
    google_waits_on_postgres: waits_for_a_run(Postgres, Google);
    microsoft_waits_on_sqlite: waits_for_a_run(Sqlite, Microsoft);
    microsoft_waits_on_postgres: waits_for_a_run(Postgres, Microsoft);
    google_cleared_on_sqlite: clears_everything_away(Sqlite, Google);
    google_cleared_on_postgres: clears_everything_away(Postgres, Google);
    microsoft_cleared_on_sqlite: clears_everything_away(Sqlite, Microsoft);
    microsoft_cleared_on_postgres: clears_everything_away(Postgres, Microsoft);
    google_later_on_sqlite: finishes_later(Sqlite, Google);
    google_later_on_postgres: finishes_later(Postgres, Google);
    microsoft_later_on_sqlite: finishes_later(Sqlite, Microsoft);
    microsoft_later_on_postgres: finishes_later(Postgres, Microsoft);
    google_a_day_on_sqlite: is_said_after_a_day(Sqlite, Google);
    google_a_day_on_postgres: is_said_after_a_day(Postgres, Google);
    microsoft_a_day_on_sqlite: is_said_after_a_day(Sqlite, Microsoft);
    microsoft_a_day_on_postgres: is_said_after_a_day(Postgres, Microsoft);
    google_without_grant_on_sqlite: without_a_grant_it_ends_at_once(Sqlite, Google);
    google_without_grant_on_postgres: without_a_grant_it_ends_at_once(Postgres, Google);
    microsoft_without_grant_on_sqlite: without_a_grant_it_ends_at_once(Sqlite, Microsoft);
    microsoft_without_grant_on_postgres: without_a_grant_it_ends_at_once(Postgres, Microsoft);
    google_leaver_on_sqlite: leavers_leave_no_connection(Sqlite, Google);
    google_leaver_on_postgres: leavers_leave_no_connection(Postgres, Google);
    microsoft_leaver_on_sqlite: leavers_leave_no_connection(Sqlite, Microsoft);
    microsoft_leaver_on_postgres: leavers_leave_no_connection(Postgres, Microsoft);
}
