//! A server that is told to stop (SIGTERM) finishes what it does, gives back what it holds, and loses nothing.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on must fail loudly"
)]

mod support;

use std::time::{Duration, Instant};

use daybind_ee_storage::calendar;
use daybind_fakes::{FakeOptions, FakeProviders, Fault, FaultKind, Provider};
use daybind_services::demo;
use daybind_storage::{Scope, Store as _};
use daybind_storage_postgres::PgStore;
use tokio::process::{Child, Command};

use support::{Server, connect, expected, titles};

/// The provider takes that long over its answers, so that the signal finds a call under way.
const SLOW: u64 = 3_000;

/// Asks it to stop.
async fn terminate(server: &Child) {
    let sent = Command::new("kill")
        .args(["-TERM", &server.id().unwrap().to_string()])
        .status()
        .await
        .unwrap();
    assert!(sent.success());
}

async fn stopped_while_it_writes(provider: Provider, name: &str, database: Option<String>) {
    let fakes = FakeProviders::start(FakeOptions {
        auto_approve: true,
        ..FakeOptions::default()
    })
    .unwrap();
    let server = Server::new(&fakes, database);
    server.seed().await;
    let mut first = server.start(&[], "first.log").await;
    let create = match provider {
        Provider::Google => "google.events.insert",
        Provider::Microsoft => "microsoft.events.create",
    };
    fakes.arm(Fault {
        operation: create.to_owned(),
        count: 1,
        kind: FaultKind::DelayAfter { ms: SLOW },
    });
    let calendar = connect(&server, name).await;
    let titles = || titles(&fakes, provider, &calendar);
    for _ in 0..300 {
        if !titles().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(titles().len(), 1, "the first create is under way");

    let signalled = Instant::now();
    terminate(&first).await;
    let status = tokio::time::timeout(Duration::from_secs(25), first.wait())
        .await
        .unwrap_or_else(|_| panic!("still there after 25 s: {}", server.log("first.log")))
        .unwrap();
    assert!(status.success(), "{status}: {}", server.log("first.log"));
    assert!(server.log("first.log").contains("stopped"));
    assert!(
        signalled.elapsed() > Duration::from_millis(SLOW / 2),
        "it waited for the call that was under way"
    );

    // With its full lease of 45 seconds: what was given back is taken up at once.
    let mut second = server.start(&[], "second.log").await;
    for _ in 0..200 {
        if titles().len() >= expected().len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(titles(), expected(), "{}", server.log("second.log"));
    second.kill().await.unwrap();
}

/// M-38, the half about stopping.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google_on_sqlite() {
    stopped_while_it_writes(Provider::Google, "google", None).await;
}

/// M-38, the half about stopping.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsoft_on_sqlite() {
    stopped_while_it_writes(Provider::Microsoft, "microsoft", None).await;
}

/// M-38, the half about stopping.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google_on_postgres() {
    let database = daybind_storage_postgres::testing::database_url().await;
    stopped_while_it_writes(Provider::Google, "google", Some(database)).await;
}

/// M-38, the half about stopping.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsoft_on_postgres() {
    let database = daybind_storage_postgres::testing::database_url().await;
    stopped_while_it_writes(Provider::Microsoft, "microsoft", Some(database)).await;
}

/// M-38: a notification that is on its way into the database when the server is told to stop is stored and confirmed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notification_under_way_is_stored_and_confirmed() {
    let fakes = FakeProviders::start(FakeOptions {
        auto_approve: true,
        ..FakeOptions::default()
    })
    .unwrap();
    let database = daybind_storage_postgres::testing::database_url().await;
    let server = Server::new(&fakes, Some(database.clone()));
    server.seed().await;
    let mut first = server.start(&[], "first.log").await;
    connect(&server, "microsoft").await;
    let store = PgStore::connect(&database).await.unwrap();
    let active = async || {
        let of = format!("{}.", demo::TENANT);
        let mut secrets = fakes.secrets().into_iter();
        let token = secrets.rfind(|secret| secret.starts_with(&of))?;
        let id = token.split('.').nth(1)?.parse().ok()?;
        let mut unit = store.read(Scope::Tenant(demo::TENANT)).await.ok()?;
        let found = calendar(unit.as_mut())
            .ok()?
            .find_subscription(demo::TENANT, id);
        let row = found.await.ok()??;
        (row.state == "active").then_some((token, row))
    };
    let mut found = active().await;
    for _ in 0..300 {
        if found.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        found = active().await;
    }
    let (token, row) = found.unwrap();
    // What the first sync still has to do.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(fakes.settle(Duration::from_secs(20)).await);

    let mut holding = store.begin(Scope::Tenant(demo::TENANT)).await.unwrap();
    let rows = calendar(holding.as_mut()).unwrap();
    rows.update_subscription(&row).await.unwrap();
    let body = serde_json::json!({ "value": [{ "clientState": token }] }).to_string();
    let address = format!("{}/api/calendar/webhooks/microsoft", server.url);
    let notified = tokio::spawn(reqwest::Client::new().post(address).body(body).send());
    tokio::time::sleep(Duration::from_millis(500)).await;
    terminate(&first).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(!notified.is_finished(), "it waits for its commit");
    assert!(
        first.try_wait().unwrap().is_none(),
        "the server waits for it"
    );
    holding.cancel().await.unwrap();
    assert_eq!(notified.await.unwrap().unwrap().status().as_u16(), 202);
    let status = tokio::time::timeout(Duration::from_secs(25), first.wait()).await;
    assert!(status.unwrap().unwrap().success());

    let now = chrono::Utc::now();
    let mut unit = store.begin(Scope::System).await.unwrap();
    let due = unit.claim_jobs(&["calendar.sync"], 10, now, now).await;
    let causes: Vec<_> = due.unwrap().into_iter().map(|job| job.payload).collect();
    unit.cancel().await.unwrap();
    assert_eq!(causes, [serde_json::json!({ "cause": "notification" })]);
}

/// M-40: the embedded database is served by one server. A second one says so and ends; after a kill the next one begins
/// at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_the_same_files_is_refused() {
    let fakes = FakeProviders::start(FakeOptions::default()).unwrap();
    let server = Server::new(&fakes, None);
    let mut first = server.start(&[], "first.log").await;
    let mut second = server.command(&["serve"], "second.log");
    second.env("DAYBIND_LISTEN", "127.0.0.1:0");
    let ended = tokio::time::timeout(Duration::from_secs(20), second.status()).await;
    let status = ended.unwrap().unwrap();
    let said = server.log("second.log");
    assert!(
        !status.success() && said.contains("another server serves the embedded database"),
        "{status}: {said}"
    );
    first.kill().await.unwrap();
    let mut third = server.start(&[], "third.log").await;
    third.kill().await.unwrap();
}
