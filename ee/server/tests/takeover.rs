//! With production's own settings: a server that dies, or sleeps, with work in hand is replaced by another one within a
//! minute, and what it wakes up with is worth nothing any more.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on must fail loudly"
)]

mod support;

use std::time::{Duration, Instant};

use daybind_ee_storage::{Connection, Mapping, calendar};
use daybind_fakes::{FakeOptions, FakeProviders, Fault, FaultKind, Provider};
use daybind_services::demo;
use daybind_storage::{Entry, Scope, Store as _};
use daybind_storage_postgres::PgStore;
use tokio::process::{Child, Command};

use support::{Server, connect, expected, titles};

/// What is promised.
const MINUTE: Duration = Duration::from_secs(60);
/// The provider takes that long over its first answer: the call is under way while the server is dealt with.
const SLOW: u64 = 8_000;

async fn signal(server: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([name, &server.id().unwrap().to_string()])
        .status()
        .await
        .unwrap();
    assert!(sent.success());
}

/// One database, the provider, and the calendar in which the first server has just begun to make a copy.
struct Stage {
    fakes: FakeProviders,
    provider: Provider,
    calendar: String,
    store: PgStore,
    server: Server,
    first: Child,
    second: Child,
}

impl Stage {
    async fn set(provider: Provider, name: &str) -> Self {
        let fakes = FakeProviders::start(FakeOptions {
            auto_approve: true,
            ..FakeOptions::default()
        })
        .unwrap();
        let database = daybind_storage_postgres::testing::database_url().await;
        let server = Server::new(&fakes, Some(database.clone()));
        server.seed().await;
        let first = server.start(&[], "first.log").await;
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
        for _ in 0..100 {
            if !titles(&fakes, provider, &calendar).is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(titles(&fakes, provider, &calendar).len(), 1);
        // Beside the first one, as any number of servers may.
        let second = server.start_beside(&[], "second.log").await;
        assert_eq!(
            titles(&fakes, provider, &calendar).len(),
            1,
            "the first one's call is still under way"
        );
        let store = PgStore::connect(&database).await.unwrap();
        Self {
            fakes,
            provider,
            calendar,
            store,
            server,
            first,
            second,
        }
    }

    fn titles(&self) -> Vec<String> {
        titles(&self.fakes, self.provider, &self.calendar)
    }

    /// Waits until the second server has done it all; how long that took.
    async fn taken_over(&self) -> Duration {
        let began = Instant::now();
        while began.elapsed() < MINUTE + Duration::from_secs(30) {
            if self.titles() == expected() && self.known().await.iter().all(|row| row.0 == "synced")
            {
                return began.elapsed();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("nobody took over: {}", self.server.log("second.log"));
    }

    /// What is known of the copies.
    async fn known(&self) -> Vec<(String, Mapping)> {
        let mut unit = self.store.read(Scope::Tenant(demo::TENANT)).await.unwrap();
        let rows = calendar(unit.as_mut()).unwrap();
        let connection = rows.list_connections(demo::TENANT).await.unwrap().remove(0);
        let rows = calendar(unit.as_mut()).unwrap();
        let known = rows.list_mappings(demo::TENANT, connection.connection_id);
        let mut known = known.await.unwrap();
        if known.len() < expected().len() {
            return vec![("incomplete".to_owned(), known.remove(0))];
        }
        known
            .into_iter()
            .map(|row| (row.state.clone(), row))
            .collect()
    }

    /// Everything a late write would change: copies, the connection, entries, what was recorded.
    async fn everything(&self) -> (Vec<Mapping>, Connection, Vec<Entry>, usize) {
        let known = self.known().await.into_iter().map(|(_, row)| row).collect();
        let mut unit = self.store.read(Scope::Tenant(demo::TENANT)).await.unwrap();
        let rows = calendar(unit.as_mut()).unwrap();
        let connection = rows.list_connections(demo::TENANT).await.unwrap().remove(0);
        let rows = calendar(unit.as_mut()).unwrap();
        let changes = rows.list_changes(demo::TENANT, connection.connection_id, None, 1000);
        let changes = changes.await.unwrap().len();
        let (now, span) = (chrono::Utc::now(), chrono::TimeDelta::days(60));
        let entries = unit.list_entries(demo::TENANT, now - span, now + span, None);
        // Notifications that found the sleeper asleep are heard afterwards, and either server may then look: that moves the
        // cursor, and nothing else.
        let looked = Connection {
            cursor: None,
            last_sync_at: None,
            version: 0,
            updated_at: connection.created_at,
            ..connection
        };
        (known, looked, entries.await.unwrap(), changes)
    }
}

async fn killed(provider: Provider, name: &str) {
    let mut stage = Stage::set(provider, name).await;
    stage.first.kill().await.unwrap();
    let took = stage.taken_over().await;
    println!("taken over after {took:?}");
    assert!(took < MINUTE, "{took:?}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(stage.titles(), expected(), "nothing more is written later");
    stage.second.kill().await.unwrap();
}

async fn asleep(provider: Provider, name: &str) {
    let mut stage = Stage::set(provider, name).await;
    signal(&stage.first, "-STOP").await;
    let took = stage.taken_over().await;
    println!("taken over after {took:?}");
    assert!(took < MINUTE, "{took:?}");
    let before = stage.everything().await;

    signal(&stage.first, "-CONT").await;
    // The answer has waited for it, it goes on where it was, and finds its lease gone.
    let fenced = "lease lost; stopped working on the job";
    for _ in 0..200 {
        if stage.server.log("first.log").contains(fenced) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(stage.everything().await, before, "nothing of it is kept");
    assert_eq!(stage.titles(), expected());
    // It works on as the other one does.
    let url = format!("{}/readyz", stage.server.url);
    assert!(reqwest::get(url).await.unwrap().status().is_success());
    for server in [&mut stage.first, &mut stage.second] {
        server.kill().await.unwrap();
    }
}

/// M-37: four servers lose their place at the same time: two are killed, two fall asleep.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_server_takes_over() {
    tokio::join!(
        killed(Provider::Google, "google"),
        killed(Provider::Microsoft, "microsoft"),
        asleep(Provider::Google, "google"),
        asleep(Provider::Microsoft, "microsoft"),
    );
}
