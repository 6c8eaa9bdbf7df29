//! A killed server loses nothing and doubles nothing: the real binary dies (no destructor, no flush) between the
//! provider's answer to a create and our commit, is started again, and every entry is in the calendar exactly once.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on must fail loudly"
)]

mod support;

use std::time::Duration;

use daybind_fakes::{DuplicateTransaction, FakeOptions, FakeProviders, Provider};

use support::{ENTRIES, Server, connect, expected, titles};

/// The takeover is what is tested here, not how long a lease lasts (45 s, see `daybind_services::jobs`).
const LEASE_MS: &str = "3000";

async fn killed_between_answer_and_commit(
    provider: Provider,
    name: &str,
    duplicate_transaction: DuplicateTransaction,
    database: Option<String>,
) {
    let options = FakeOptions {
        auto_approve: true,
        duplicate_transaction,
        ..FakeOptions::default()
    };
    let fakes = FakeProviders::start(options).unwrap();
    let server = Server::new(&fakes, database);
    server.seed().await;

    let lease = ("DAYBIND_TEST_LEASE_MS", LEASE_MS);
    let crash = ("DAYBIND_TEST_CRASH_AT", "call.after_response");
    let mut doomed = server.start(&[lease, crash], "doomed.log").await;
    let calendar = connect(&server, name).await;
    let ended = tokio::time::timeout(Duration::from_secs(30), doomed.wait()).await;
    assert!(
        ended.is_ok_and(|status| !status.unwrap().success()),
        "killed: {}",
        server.log("doomed.log")
    );
    assert_eq!(
        fakes.events(provider, &calendar).len(),
        1,
        "the provider answered before the kill"
    );

    let mut alive = server.start(&[lease], "alive.log").await;
    let titles = || titles(&fakes, provider, &calendar);
    // The dead worker's lease runs out first.
    for _ in 0..900 {
        if titles().len() >= ENTRIES.len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(titles(), expected(), "{}", server.log("alive.log"));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(titles(), expected(), "nothing more is written later");
    alive.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google_on_sqlite() {
    killed_between_answer_and_commit(
        Provider::Google,
        "google",
        DuplicateTransaction::Existing,
        None,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsoft_on_sqlite() {
    killed_between_answer_and_commit(
        Provider::Microsoft,
        "microsoft",
        DuplicateTransaction::Existing,
        None,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsoft_that_answers_conflict_on_sqlite() {
    killed_between_answer_and_commit(
        Provider::Microsoft,
        "microsoft",
        DuplicateTransaction::Conflict,
        None,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google_on_postgres() {
    killed_between_answer_and_commit(
        Provider::Google,
        "google",
        DuplicateTransaction::Existing,
        Some(daybind_storage_postgres::testing::database_url().await),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsoft_on_postgres() {
    killed_between_answer_and_commit(
        Provider::Microsoft,
        "microsoft",
        DuplicateTransaction::Existing,
        Some(daybind_storage_postgres::testing::database_url().await),
    )
    .await;
}
