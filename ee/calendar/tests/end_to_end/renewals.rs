//! Push subscriptions over their life: made once, renewed in time, replaced when lost; what they miss is found all the same.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use daybind_ee_storage::{Subscription, calendar};
use daybind_fakes::{DuplicateTransaction, Fault, FaultKind};
use daybind_services::{CalendarPort as _, Provider, demo};
use daybind_storage::FinishJob;
use serde_json::json;

use crate::bench::{Database, World};

const CREATE: (&str, &str) = ("google.events.watch", "microsoft.subscriptions.create");
const LIST: (&str, &str) = ("google.events.list", "microsoft.view.delta");
const LOOK: &[&str] = &["calendar.subscription"];
const SYNC: &[&str] = &["calendar.sync"];

async fn connected(database: Database, provider: Provider) -> World {
    World::new(database, provider, DuplicateTransaction::Existing).await
}

/// What a renewal asks the provider for: Google's channels cannot be prolonged.
fn renewed(w: &World) -> u64 {
    w.asked(CREATE.0, "microsoft.subscriptions.update")
}

fn live(w: &World) -> usize {
    w.fakes.subscriptions(w.fake).len()
}

async fn rows(w: &World) -> Vec<Subscription> {
    let id = w.connection().await.parse().unwrap();
    let mut unit = w.services.read(demo::TENANT).await.unwrap();
    let rows = calendar(unit.as_mut()).unwrap();
    rows.list_subscriptions(demo::TENANT, id).await.unwrap()
}

async fn delivery(w: &World) -> String {
    let view = w.port.get_calendar_providers(&w.tess).await.unwrap();
    view.connections[0].delivery.clone()
}

/// Every job that is due, failed ones in their turn, until nothing is due any more today.
async fn settle(w: &World) {
    for _ in 0..20 {
        if w.once().await.is_empty() {
            return;
        }
    }
}

/// M-36, W20: thirty days in which every fifth renewal fails at first: never without a subscription, never more than
/// the old one beside the new one, and renewed about twice a week.
async fn thirty_days(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let before = renewed(&w);
    let renewal = w.operation(CREATE.0, "microsoft.subscriptions.update");
    let failure = FaultKind::Status {
        status: 500,
        retry_after: None,
        reason: None,
    };
    let mut failures = 0;
    for step in 0..240 {
        if step % 5 == 0 {
            w.fakes.clear_faults();
            w.fakes.arm(Fault::new(&renewal, 1, failure.clone()));
        }
        w.pass(TimeDelta::hours(3));
        for (_, ended) in w.once().await {
            failures += u32::from(matches!(ended, FinishJob::Retry { .. }));
        }
        settle(&w).await;
        let count = live(&w);
        assert!((1..=2).contains(&count), "step {step}: {count}");
        assert!(rows(&w).await.len() <= 2);
    }
    assert_eq!(live(&w), 1);
    let renewals = renewed(&w) - before;
    assert!((5..=24).contains(&renewals), "{renewals} in thirty days");
    assert!(failures > 0, "some failed at first");
    assert_eq!(w.status().await, "connected");
}

/// M-36, W24, W25: the provider grants an hour instead of a week: that is what is believed, shown, and renewed by.
async fn the_providers_own_expiry(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    w.fakes.forget_subscriptions(w.fake);
    w.pass(TimeDelta::days(6));
    let ends: DateTime<Utc> = w.services.now() + TimeDelta::hours(1);
    let body = match provider {
        Provider::Google => json!({ "expiration": ends.timestamp_millis().to_string() }),
        Provider::Microsoft => {
            json!({ "expirationDateTime": ends.to_rfc3339_opts(SecondsFormat::Secs, true) })
        }
    };
    let create = w.operation(CREATE.0, CREATE.1);
    w.fakes
        .arm(Fault::new(&create, 1, FaultKind::Patch { body }));
    let looked = w.once_of(LOOK).await;
    let [(_, FinishJob::Again(at))] = looked[..] else {
        panic!("{looked:?}");
    };
    let wait = at - w.services.now();
    assert!(
        wait > TimeDelta::minutes(29) && wait < TimeDelta::minutes(46),
        "{wait}"
    );
    let known = rows(&w).await;
    assert_eq!(known.len(), 1);
    assert!((known[0].expires_at - ends).abs() < TimeDelta::seconds(1));
    let said = delivery(&w).await;
    let zone = daybind_services::localtime::zone(&w.tess.user.time_zone);
    let day = daybind_services::localtime::date_time(ends, zone);
    assert!(said.contains(&format!("ends on {day}")), "{said}");

    // Lapsed all the same (nobody worked meanwhile): the page says what is true, and the next look makes a new one.
    w.pass(TimeDelta::hours(2));
    assert_eq!(
        delivery(&w).await,
        "Daybind looks for changes every minute while something happens in the calendar, and every ten minutes at most while nothing does."
    );
    settle(&w).await;
    assert!(delivery(&w).await.contains("ends on"));
}

/// M-36, W21: the provider loses the subscription and tells nobody. What changes meanwhile comes in with the next poll,
/// and the next renewal makes a new one.
async fn a_lost_subscription(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let id = w.add("Replace switch").await;
    w.drain().await;
    w.fakes.forget_subscriptions(w.fake);
    let event = w.named("Replace switch")[0].clone();
    w.outside(&event, &json!({ w.key("title"): "Replace router" }));
    w.pass(TimeDelta::seconds(376));
    settle(&w).await;
    assert_eq!(w.entry(id).await.content.title, "Replace router");
    assert_eq!(live(&w), 0);
    w.pass(TimeDelta::days(6));
    settle(&w).await;
    assert_eq!((live(&w), rows(&w).await.len()), (1, 1));
    // It works.
    let event = w.named("Replace router")[0].clone();
    w.outside(&event, &json!({ w.key("title"): "Replace both" }));
    settle(&w).await;
    assert_eq!(w.entry(id).await.content.title, "Replace both");
}

/// M-36, W22: asking for a sync, again and again, makes no further subscription.
async fn not_added_to(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let before = w.asked(CREATE.0, CREATE.1);
    for _ in 0..5 {
        w.sync().await;
    }
    assert_eq!(w.asked(CREATE.0, CREATE.1), before);
    assert_eq!((live(&w), rows(&w).await.len()), (1, 1));
}

/// W19: whatever sync asks for is there. The stand-ins answer unknown addresses, and those Graph does not offer, as the
/// providers do.
async fn addresses_exist(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let id = w.add("Replace switch").await;
    w.drain().await;
    w.edit(id, |entry| entry.content.location = "Hall 4".to_owned())
        .await;
    w.drain().await;
    w.fakes.expire_sync_tokens(w.fake);
    w.sync().await;
    w.pass(TimeDelta::days(6));
    settle(&w).await;
    assert!(w.asked(LIST.0, LIST.1) > 1);
    let refused: Vec<_> = w
        .fakes
        .counters()
        .into_keys()
        .filter(|name| name.ends_with(".unknown"))
        .collect();
    assert_eq!(refused, Vec::<String>::new());
}

on_both! {
    google_month_on_sqlite: thirty_days(Sqlite, Google);
    google_month_on_postgres: thirty_days(Postgres, Google);
    microsoft_month_on_sqlite: thirty_days(Sqlite, Microsoft);
    microsoft_month_on_postgres: thirty_days(Postgres, Microsoft);
    google_expiry_on_sqlite: the_providers_own_expiry(Sqlite, Google);
    google_expiry_on_postgres: the_providers_own_expiry(Postgres, Google);
    microsoft_expiry_on_sqlite: the_providers_own_expiry(Sqlite, Microsoft);
    microsoft_expiry_on_postgres: the_providers_own_expiry(Postgres, Microsoft);
    google_lost_on_sqlite: a_lost_subscription(Sqlite, Google);
    google_lost_on_postgres: a_lost_subscription(Postgres, Google);
    microsoft_lost_on_sqlite: a_lost_subscription(Sqlite, Microsoft);
    microsoft_lost_on_postgres: a_lost_subscription(Postgres, Microsoft);
    google_once_on_sqlite: not_added_to(Sqlite, Google);
    google_once_on_postgres: not_added_to(Postgres, Google);
    microsoft_once_on_sqlite: not_added_to(Sqlite, Microsoft);
    microsoft_once_on_postgres: not_added_to(Postgres, Microsoft);
    google_addresses_on_sqlite: addresses_exist(Sqlite, Google);
    google_addresses_on_postgres: addresses_exist(Postgres, Google);
    microsoft_addresses_on_sqlite: addresses_exist(Sqlite, Microsoft);
    microsoft_addresses_on_postgres: addresses_exist(Postgres, Microsoft);
}

/// W26: Google's first message on a channel leads to no sync, and the new channel works before the old one is stopped.
async fn channels_overlap(database: Database) {
    let w = connected(database, Provider::Google).await;
    w.pass(TimeDelta::days(6));
    w.once_of(SYNC).await;
    let lists = w.asked(LIST.0, LIST.1);
    let seen = w.fakes.log().len();
    w.once_of(LOOK).await;
    let told = w.once_of(SYNC).await;
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(w.asked(LIST.0, LIST.1), lists);
    let calls: Vec<_> = w
        .fakes
        .log()
        .into_iter()
        .skip(seen)
        .map(|entry| entry.operation)
        .collect();
    let at = |name: &str| calls.iter().position(|call| call == name);
    assert!(at("google.webhook").is_some(), "it came: {calls:?}");
    assert!(at("google.events.watch") < at("google.channels.stop"));
    assert!(at("google.channels.stop").is_some());
    assert_eq!(live(&w), 1);
}

/// M-36, W21: each of Graph's lifecycle notifications does what it is for.
async fn lifecycle_notifications(database: Database) {
    let w = connected(database, Provider::Microsoft).await;
    let shown = w.fakes.subscriptions(w.fake);
    assert!(
        shown[0]["lifecycleNotificationUrl"].is_string(),
        "{shown:?}"
    );
    let id = w.add("Replace switch").await;
    w.drain().await;

    // Graph says that it lost a notification.
    w.fakes
        .arm(Fault::new("microsoft.webhook", 1, FaultKind::Lose));
    let event = w.named("Replace switch")[0].clone();
    w.outside(&event, &json!({ "subject": "Replace router" }));
    w.once().await;
    assert_eq!(w.entry(id).await.content.title, "Replace switch");
    w.fakes.send_lifecycle("missed");
    settle(&w).await;
    assert_eq!(w.entry(id).await.content.title, "Replace router");

    // It wants to see a fresh token.
    let before = w.asked("", "microsoft.subscriptions.update");
    w.fakes.send_lifecycle("reauthorizationRequired");
    settle(&w).await;
    assert_eq!(w.asked("", "microsoft.subscriptions.update"), before + 1);
    assert_eq!((live(&w), rows(&w).await.len()), (1, 1));

    // It removed the subscription; what changed before the new one is read as well.
    w.fakes.send_lifecycle("subscriptionRemoved");
    let event = w.named("Replace router")[0].clone();
    w.outside(&event, &json!({ "subject": "Replace both" }));
    assert_eq!(live(&w), 0);
    settle(&w).await;
    assert_eq!((live(&w), rows(&w).await.len()), (1, 1));
    assert_eq!(w.entry(id).await.content.title, "Replace both");
}

#[tokio::test(flavor = "multi_thread")]
async fn google_overlaps_on_sqlite() {
    channels_overlap(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn google_overlaps_on_postgres() {
    channels_overlap(Database::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn microsoft_lifecycle_on_sqlite() {
    lifecycle_notifications(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn microsoft_lifecycle_on_postgres() {
    lifecycle_notifications(Database::Postgres).await;
}
