//! Spies: a store that counts what is asked of it, and the outside world as a door that counts who knocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_storage::{SchemaState, Scope, StorageResult, Store, UnitOfWork};

/// Counts the units of work opened; all statements run inside one.
#[derive(Clone, Default)]
pub struct Counter(Arc<AtomicUsize>);

impl Counter {
    /// How many so far.
    #[must_use]
    pub fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// The database, watched.
pub(crate) struct Watched {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) reads: Counter,
    pub(crate) writes: Counter,
}

#[async_trait]
impl Store for Watched {
    async fn begin(&self, scope: Scope) -> StorageResult<Box<dyn UnitOfWork>> {
        self.writes.add();
        self.store.begin(scope).await
    }

    async fn read(&self, scope: Scope) -> StorageResult<Box<dyn UnitOfWork>> {
        self.reads.add();
        self.store.read(scope).await
    }

    async fn migrate(&self) -> StorageResult<()> {
        self.store.migrate().await
    }

    async fn ready(&self) -> StorageResult<()> {
        self.reads.add();
        self.store.ready().await
    }

    async fn schema(&self) -> StorageResult<SchemaState> {
        self.reads.add();
        self.store.schema().await
    }

    async fn clock(&self) -> StorageResult<DateTime<Utc>> {
        self.reads.add();
        self.store.clock().await
    }

    fn is_remote(&self) -> bool {
        self.store.is_remote()
    }

    async fn close(&self) {
        self.store.close().await;
    }
}

/// Opens a port of 127.0.0.1 that hangs up on everybody, and counts them.
pub(crate) async fn outside() -> (String, Counter) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let knocks = Counter::default();
    let seen = knocks.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            seen.add();
            drop(stream);
        }
    });
    (address, knocks)
}
