//! PostgreSQL passes the contract suite.

#![expect(
    clippy::unwrap_used,
    reason = "a test without its database must fail loudly"
)]

use daybind_storage::Store as _;
use daybind_storage_postgres::{PgStore, testing};

async fn fresh() -> (PgStore, ()) {
    let store = PgStore::connect(&testing::database_url().await)
        .await
        .unwrap();
    store.migrate().await.unwrap();
    store.ready().await.unwrap();
    (store, ())
}

daybind_storage::contract_tests!(fresh);
