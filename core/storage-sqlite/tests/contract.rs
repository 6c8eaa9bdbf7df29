//! SQLite passes the contract suite.

#![expect(
    clippy::unwrap_used,
    reason = "a test without its database must fail loudly"
)]

use daybind_storage::Store as _;
use daybind_storage_sqlite::SqliteStore;

async fn fresh() -> (SqliteStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("test.sqlite3"))
        .await
        .unwrap();
    store.migrate().await.unwrap();
    store.ready().await.unwrap();
    (store, folder)
}

daybind_storage::contract_tests!(fresh);
