//! Push subscriptions over their life: made once, renewed in time, replaced when lost; what they miss is found all the same.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use daybind_domain::ErrorCode;
use daybind_domain::connection_view::{ConnectionDetailView, ManagedConnections};
use daybind_ee_calendar::CalendarRuntime;
use daybind_ee_storage::{Subscription, calendar};
use daybind_fakes::{DuplicateTransaction, Fault, FaultKind};
use daybind_services::{CalendarPort as _, Provider, demo};
use daybind_storage::FinishJob;
use serde_json::json;

use crate::bench::{Database, World};
use crate::resting::{manage, noted};

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

const ASKED: &str = "calendar.renewal_requested";
const ONE: ManagedConnections = ManagedConnections { done: 1, left: 0 };

async fn page(w: &World) -> ConnectionDetailView {
    let id = w.connection().await;
    w.port.get_calendar_connection(&w.admin, &id).await.unwrap()
}

fn says(page: &ConnectionDetailView, label: &str) -> Option<String> {
    let found = page.health.iter().find(|fact| fact.label == label);
    found.map(|fact| fact.text.clone())
}

/// M-36. An administrator has the subscription renewed before its time: once, however often the button was pressed, by the job that
/// renews it anyway. The page says that it was asked for, and then what came of it; what changes afterwards still arrives at once.
async fn asked_for(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let id = w.add("Replace switch").await;
    w.drain().await;
    w.pass(TimeDelta::days(1));
    settle(&w).await;
    let (own, asked, before) = (w.connection().await, renewed(&w), rows(&w).await);
    assert_eq!(says(&page(&w).await, "Renewal"), None);
    assert_eq!(manage(&w, "renew", &[&own]).await.unwrap(), ONE);
    assert_eq!(manage(&w, "renew", &[&own]).await.unwrap(), ONE);
    let text = says(&page(&w).await, "Renewal").unwrap();
    assert!(text.starts_with(&w.admin.user.display_name), "{text}");
    assert!(text.contains("on its way"), "{text}");
    assert_eq!(w.once_of(LOOK).await.len(), 1);
    // A third press that comes after the work was done.
    assert_eq!(manage(&w, "renew", &[&own]).await.unwrap(), ONE);
    w.once_of(LOOK).await;
    assert_eq!(renewed(&w), asked + 1);
    assert_eq!(noted(&w, ASKED).await, 1);
    let after = rows(&w).await;
    assert_eq!((live(&w), after.len()), (1, 1));
    assert!(after[0].expires_at > before[0].expires_at);
    let same = after[0].subscription_id == before[0].subscription_id;
    assert_eq!(
        same,
        provider == Provider::Microsoft,
        "channels are replaced"
    );
    let told = page(&w).await;
    let text = says(&told, "Renewal").unwrap();
    assert!(text.ends_with("it was renewed."), "{text}");
    let zone = daybind_services::localtime::zone(&w.admin.user.time_zone);
    let ends = daybind_services::localtime::date_time(after[0].expires_at, zone);
    let text = says(&told, "Push subscription").unwrap();
    assert_eq!(text, format!("On, until {ends}, and renewed before."));
    assert_eq!(told.no_subscription, None);

    let event = w.named("Replace switch")[0].clone();
    w.outside(&event, &json!({ w.key("title"): "Replace router" }));
    settle(&w).await;
    assert_eq!(w.entry(id).await.content.title, "Replace router");
    let heard = rows(&w).await[0].last_notified_at.unwrap();
    let heard = daybind_services::localtime::date_time(heard, zone);
    let text = says(&page(&w).await, "Last notification").unwrap();
    assert_eq!(text, format!("{heard}."));

    // Later it is another renewal.
    w.pass(TimeDelta::minutes(2));
    assert_eq!(manage(&w, "renew", &[&own]).await.unwrap(), ONE);
    settle(&w).await;
    assert_eq!(renewed(&w), asked + 2);
    assert_eq!((noted(&w, ASKED).await, live(&w)), (2, 1));
    w.pass(TimeDelta::hours(25));
    assert_eq!(says(&page(&w).await, "Renewal"), None, "old news");
}

/// M-36. The provider lost the subscription: asked for, there is one again without waiting for its time. Where the provider refuses,
/// the old one stays and the page says so.
async fn asked_for_in_vain(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let own = w.connection().await;
    w.fakes.forget_subscriptions(w.fake);
    assert_eq!(manage(&w, "renew", &[&own]).await.unwrap(), ONE);
    settle(&w).await;
    assert_eq!((live(&w), rows(&w).await.len()), (1, 1));

    w.pass(TimeDelta::minutes(2));
    let refusal = || FaultKind::Status {
        status: 400,
        retry_after: None,
        reason: None,
    };
    let renewal = w.operation(CREATE.0, "microsoft.subscriptions.update");
    w.fakes.arm(Fault::new(&renewal, 9, refusal()));
    w.fakes
        .arm(Fault::new(&w.operation(CREATE.0, CREATE.1), 9, refusal()));
    assert_eq!(manage(&w, "renew", &[&own]).await.unwrap(), ONE);
    let looked = w.once_of(LOOK).await;
    assert!(
        matches!(looked[..], [(_, FinishJob::Again(_))]),
        "{looked:?}"
    );
    w.pass(TimeDelta::minutes(3));
    let told = page(&w).await;
    let text = says(&told, "Renewal").unwrap();
    assert!(text.contains("has not granted it yet"), "{text}");
    assert!(
        says(&told, "Push subscription")
            .unwrap()
            .starts_with("On, until ")
    );
    assert_eq!((live(&w), w.status().await.as_str()), (1, "connected"));
    w.fakes.clear_faults();
    w.pass(TimeDelta::hours(1));
    settle(&w).await;
    let text = says(&page(&w).await, "Renewal").unwrap();
    assert!(text.ends_with("it was renewed."), "{text}");
    assert_eq!(live(&w), 1);
}

/// M-36. What rests is left as it is, a server that no provider can reach has nothing to renew and says why, and neither technicians
/// nor a pause's own door renew anything.
async fn not_asked_for(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let (own, asked) = (w.connection().await, renewed(&w));
    let mut services = w.services.clone();
    services.public_url = "http://daybind.example".parse().unwrap();
    let unreachable = CalendarRuntime::new(services);
    let wish = daybind_domain::connection_view::ManageConnections {
        action: "renew".to_owned(),
        connection_ids: vec![own.clone()],
        ..Default::default()
    };
    let refused = unreachable.manage_calendar_connections(&w.admin, &wish);
    let refused = refused.await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Conflict);
    let told = unreachable.get_calendar_connection(&w.admin, &own).await;
    assert_eq!(told.unwrap().no_subscription, Some(refused.message));
    let refused = w.port.manage_calendar_connections(&w.tess, &wish).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden);
    for action in ["renew", "sync", "resync"] {
        let refused = w.port.pause_calendar_provider(&w.tess, &own, action, "");
        let refused = refused.await.unwrap_err();
        assert!(refused.field_message("action").is_some(), "{action}");
    }
    manage(&w, "pause", &[&own]).await.unwrap();
    let left = manage(&w, "renew", &[&own]).await.unwrap();
    assert_eq!((left.done, left.left), (0, 1));
    settle(&w).await;
    assert_eq!((renewed(&w), noted(&w, ASKED).await), (asked, 0));
    let lag = says(&page(&w).await, "Lag").unwrap();
    assert!(lag.ends_with("Nothing travels at present."), "{lag}");
}

/// The page of a connection says when everything was last read, and by how much it can be behind at most.
async fn how_far_behind(database: Database, provider: Provider) {
    let w = connected(database, provider).await;
    let zone = daybind_services::localtime::zone(&w.admin.user.time_zone);
    let at = |at| daybind_services::localtime::date_time(at, zone);
    let first = w.row().await;
    let days = TimeDelta::days(first.settings.window_past_days.into());
    let full = at(first.cursor_window_start.unwrap() + days);
    assert!((w.services.now() - first.last_sync_at.unwrap()) < TimeDelta::minutes(1));
    let text = says(&page(&w).await, "Last full pass").unwrap();
    assert_eq!(text, format!("{full}. Since then only changes are read."));
    let text = says(&page(&w).await, "Lag").unwrap();
    assert!(text.starts_with("Less than a minute:"), "{text}");
    w.pass(TimeDelta::minutes(7));
    let text = says(&page(&w).await, "Lag").unwrap();
    assert!(text.starts_with("At most 7 min:"), "{text}");
    w.pass(TimeDelta::minutes(120));
    let text = says(&page(&w).await, "Lag").unwrap();
    let compared = at(first.last_sync_at.unwrap());
    let expected = format!("At most 3 h: both sides were last compared on {compared}.");
    assert_eq!(text, expected);
    let own = w.connection().await;
    manage(&w, "resync", &[&own]).await.unwrap();
    let text = says(&page(&w).await, "Last full pass").unwrap();
    assert_eq!(
        text,
        format!("{full}. The next sync reads everything again.")
    );
    settle(&w).await;
    let again = w.row().await;
    assert!(again.cursor_window_start > first.cursor_window_start);
    let full = at(again.cursor_window_start.unwrap() + days);
    let text = says(&page(&w).await, "Last full pass").unwrap();
    assert_eq!(text, format!("{full}. Since then only changes are read."));
}

everywhere! {
    asked: asked_for;
    in_vain: asked_for_in_vain;
    not_asked: not_asked_for;
    behind: how_far_behind;
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
