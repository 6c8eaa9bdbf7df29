//! What a provider allows: three calls at a time for a mailbox, so many a minute, and none while it asked to be left alone,
//! on all servers and for all connections that share the limit.

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use daybind_ee_calendar::CalendarRuntime;
use daybind_ee_calendar::engine::Engine;
use daybind_ee_calendar::limits::{Allowed, Buckets, Usage};
use daybind_ee_storage::{Place, calendar};
use daybind_fakes::{DuplicateTransaction, Fault, FaultKind};
use daybind_services::{CalendarPort, Provider, demo, jobs};
use daybind_storage::FinishJob;
use tokio_util::sync::CancellationToken;

use crate::bench::{Database, World, actor};
use crate::several::{another, choose, free, sync, two};

fn refusal(status: u16, retry_after: Option<u64>, reason: Option<&str>) -> FaultKind {
    FaultKind::Status {
        status,
        retry_after,
        reason: reason.map(str::to_owned),
    }
}

/// Every call of the engine to the API.
fn calls(w: &World) -> u64 {
    let quiet = [
        ".token",
        ".authorize",
        ".revoke",
        ".keys",
        ".openid",
        ".webhook",
    ];
    let counters = w.fakes.counters().into_iter();
    let counters = counters.filter(|(name, _)| !quiet.iter().any(|end| name.ends_with(end)));
    counters.map(|(_, count)| count).sum()
}

async fn synced_since(w: &World, since: chrono::DateTime<Utc>) -> usize {
    let mut unit = w.services.read(demo::TENANT).await.unwrap();
    let rows = calendar(unit.as_mut()).unwrap();
    let rows = rows.list_connections(demo::TENANT).await.unwrap();
    let done = rows.iter().filter(|row| row.last_sync_at > Some(since));
    done.count()
}

/// M-34, R10. Three calendars of one account are synced by two servers while somebody looks at them: never more than three
/// calls are under way for the mailbox, one of them for those who wait in front of a screen, who are never refused.
async fn three_at_a_time(database: Database, provider: Provider) {
    let (w, second, _) = two(database, provider).await;
    let third = another(&w).await;
    let calendar = free(&w, &third).await[0].clone();
    choose(&w, &third, &calendar, Some("from_external")).await;
    w.drain().await;
    let (services, other) = w.second_server().await;
    w.fakes
        .arm(Fault::new("*", 500, FaultKind::DelayBefore { ms: 150 }));
    let begun = w.services.now();
    tokio::time::sleep(Duration::from_millis(5)).await;
    let _ = w.fakes.most_at_once();
    for id in [&w.connection().await, &second, &third] {
        w.port.sync_calendar_provider(&w.tess, id).await.unwrap();
    }
    let stop = CancellationToken::new();
    let works = [
        (w.services.clone(), Arc::clone(&w.port)),
        (services, Arc::clone(&other)),
    ];
    let works = works.map(|(services, port)| {
        let (stop, port) = (stop.clone(), port as Arc<dyn CalendarPort>);
        tokio::spawn(jobs::work(services, port, stop, Duration::from_secs(10)))
    });
    let looks = async {
        let first = w.connection().await;
        for _ in 0..3 {
            let (one, two, three) = tokio::join!(
                w.port.list_remote_calendars(&w.tess, &first),
                other.list_remote_calendars(&w.tess, &second),
                w.port.list_remote_calendars(&w.tess, &third),
            );
            assert!(one.is_ok() && two.is_ok() && three.is_ok());
        }
    };
    let all = async {
        while synced_since(&w, begun).await < 3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let both = async { tokio::join!(looks, all) };
    tokio::time::timeout(Duration::from_secs(60), both)
        .await
        .unwrap();
    stop.cancel();
    for work in works {
        work.await.unwrap();
    }
    let most = w.fakes.most_at_once();
    assert!((2..=3).contains(&most), "{most} at a time");
    assert_eq!(
        w.rows(&["provider_places"]).await,
        0,
        "all gave theirs back"
    );
}

/// R10. The place of a worker that died is free when its time is over; until then others wait, and nothing is counted as a
/// failure.
async fn a_dead_workers_place_lapses(database: Database, provider: Provider) {
    let (w, second, other) = two(database, provider).await;
    let bucket = Buckets::of(&w.row().await).mailbox;
    let mut unit = w.services.begin(demo::TENANT).await.unwrap();
    for number in [1, 2] {
        let place = Place {
            tenant_id: demo::TENANT,
            bucket: bucket.clone(),
            number,
            holder: uuid::Uuid::new_v4(),
        };
        let now = w.services.now();
        let until = now + TimeDelta::seconds(45);
        let rows = calendar(unit.as_mut()).unwrap();
        assert!(rows.take_place(&place, until, now).await.unwrap());
    }
    unit.save().await.unwrap();
    w.add("Later").await;
    let before = calls(&w);
    for _ in 0..3 {
        for (kind, end) in w.once().await {
            assert!(matches!(end, FinishJob::Later(_)), "{kind} {end:?}");
        }
    }
    assert_eq!(calls(&w), before);
    w.pass(TimeDelta::seconds(46));
    sync(&w, &second).await;
    assert_eq!(w.titled(&other, "Later").len(), 1);
    assert_eq!(w.row().await.failing.runs, 0);
}

/// M-34, R10. What a provider asks of one connection is heeded by all of the same mailbox, at once, by a person who looks,
/// and by nobody else.
async fn a_pause_is_the_mailboxs(database: Database, provider: Provider) {
    let (w, second, other) = two(database, provider).await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let (toms, _) = w.connect_second(&tom).await;
    let operation = w.operation("google.events.list", "microsoft.view.delta");
    w.fakes
        .arm(Fault::new(&operation, 1, refusal(429, Some(120), None)));
    w.port
        .sync_calendar_provider(&w.tess, &w.connection().await)
        .await
        .unwrap();
    w.once().await;
    let until = w.services.now() + TimeDelta::seconds(110);
    let before = calls(&w);
    w.add("Patience").await;
    w.port
        .sync_calendar_provider(&w.tess, &second)
        .await
        .unwrap();
    w.once().await;
    assert!(
        w.port
            .list_remote_calendars(&w.tess, &second)
            .await
            .is_err()
    );
    assert_eq!(calls(&w), before, "no call before the time");
    w.port.sync_calendar_provider(&tom, &toms).await.unwrap();
    w.once().await;
    assert!(calls(&w) > before, "others are not held");
    assert!(w.services.now() < until);
    w.pass(TimeDelta::seconds(160));
    w.drain().await;
    assert_eq!(w.titled(&other, "Patience").len(), 1);
    assert_eq!(w.named("Patience").len(), 1);
}

/// R10. A quota of Google's whole project that is used up holds every connection of that project.
async fn a_spent_quota_is_the_projects(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let tom = actor(&w.services, "tom@demo.daybind.test").await;
    let (toms, _) = w.connect_second(&tom).await;
    w.fakes.arm(Fault::new(
        "google.events.list",
        1,
        refusal(403, None, Some("dailyLimitExceeded")),
    ));
    w.port
        .sync_calendar_provider(&w.tess, &w.connection().await)
        .await
        .unwrap();
    w.once().await;
    let before = calls(&w);
    w.port.sync_calendar_provider(&tom, &toms).await.unwrap();
    let ended = w.once().await;
    assert!(!ended.is_empty());
    assert_eq!(calls(&w), before);
    w.pass(TimeDelta::minutes(61));
    w.drain().await;
    assert!(calls(&w) > before);
}

/// A minute's calls stay below the provider's limit; what is left goes on in the next one, and nothing is lost or doubled.
async fn a_minutes_calls(database: Database, provider: Provider) {
    let mut w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let mut engine = Engine::new(w.services.clone());
    engine.usage = Arc::new(Usage::new(Allowed {
        google_mailbox: 40,
        microsoft_mailbox: 40,
        ..Allowed::default()
    }));
    w.port = Arc::new(CalendarRuntime::with_engine(engine));
    for number in 0..50 {
        w.add(&format!("Visit {number}")).await;
    }
    let over = 61 - w.services.now().timestamp() % 60;
    w.pass(TimeDelta::seconds(over));
    let before = calls(&w);
    let ended = w.once_of(&["calendar.sync"]).await;
    let asked = calls(&w) - before;
    assert!((30..=36).contains(&asked), "{asked} calls");
    let [(_, FinishJob::Retry { at, .. })] = &ended[..] else {
        panic!("{ended:?}");
    };
    assert!(*at > w.services.now());
    w.drain().await;
    for number in 0..50 {
        assert_eq!(w.named(&format!("Visit {number}")).len(), 1);
    }
    assert_eq!(w.row().await.status, "connected");
}

/// W51: servers that ask for much know of each other's calls, and operators of how much of a limit is used.
async fn servers_share_a_limit(database: Database, provider: Provider) {
    let w = World::new(database, provider, DuplicateTransaction::Existing).await;
    let (services, _) = w.second_server().await;
    let allowed = Allowed {
        google_mailbox: 100,
        microsoft_mailbox: 100,
        ..Allowed::default()
    };
    let usages = [Usage::new(allowed), Usage::new(allowed)];
    let buckets = Buckets::of(&w.row().await);
    w.pass(TimeDelta::seconds(61 - w.services.now().timestamp() % 60));
    let mut admitted = 0;
    for step in 0..8 {
        for (usage, services) in usages.iter().zip([&w.services, &services]) {
            for _ in 0..10 {
                let held = usage.admit(services, &buckets).await.unwrap();
                admitted += usize::from(held.is_none());
            }
        }
        if step < 7 {
            w.pass(TimeDelta::seconds(6));
        }
    }
    // What the other one has not told yet may come on top.
    assert!((90..=100).contains(&admitted), "{admitted}");
    let name = format!(
        "daybind_provider_quota_used_ratio{{provider=\"{}\",of=\"mailbox\"}}",
        provider.as_str()
    );
    let used = shown(&usages[0], w.services.now(), &name);
    assert!((0.85..=1.0).contains(&used), "{used}");
    w.pass(TimeDelta::minutes(3));
    assert!(shown(&usages[0], w.services.now(), &name).abs() < 0.01);
}

/// What an operator sees under that name.
fn shown(usage: &Usage, now: chrono::DateTime<Utc>, name: &str) -> f64 {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || usage.measure(now));
    let said = recorder.handle().render();
    let line = said.lines().find_map(|line| line.strip_prefix(name));
    let line = line.unwrap_or_else(|| panic!("{name} is not in\n{said}"));
    line.trim().parse().unwrap()
}

everywhere! {
    never_more_than_three_at_a_time: three_at_a_time;
    a_place_lapses: a_dead_workers_place_lapses;
    a_pause_counts_for_the_mailbox: a_pause_is_the_mailboxs;
    calls_of_a_minute: a_minutes_calls;
    two_servers: servers_share_a_limit;
}

on_both! {
    a_projects_quota_on_sqlite: a_spent_quota_is_the_projects(Sqlite, Google);
    a_projects_quota_on_postgres: a_spent_quota_is_the_projects(Postgres, Google);
}
