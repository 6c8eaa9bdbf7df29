//! The embedded database: SQLite in WAL mode with full synchronisation, one writer and several readers.

mod codec;
mod repositories;

use std::any::Any;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use daybind_storage::{Scope, StorageError, StorageResult, Store, UnitOfWork};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};

/// The schema this binary was built for.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// A database file.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the file, and makes it if it is missing.
    ///
    /// # Errors
    /// When the file cannot be opened or is not a database.
    pub async fn open(path: &Path) -> StorageResult<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone())
            .await
            .map_err(failure)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options.pragma("query_only", "on"))
            .await
            .map_err(failure)?;
        Ok(Self { writer, readers })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn begin(&self, scope: Scope) -> StorageResult<Box<dyn UnitOfWork>> {
        // A read transaction that is upgraded later fails at once when another one writes, so writing units say so
        // from the start.
        let tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failure)?;
        Ok(Box::new(SqliteUnit { tx, scope }))
    }

    async fn read(&self, scope: Scope) -> StorageResult<Box<dyn UnitOfWork>> {
        let tx = self.readers.begin().await.map_err(failure)?;
        Ok(Box::new(SqliteUnit { tx, scope }))
    }

    async fn migrate(&self) -> StorageResult<()> {
        MIGRATOR.run(&self.writer).await.map_err(StorageError::database)
    }

    async fn ready(&self) -> StorageResult<()> {
        let applied: i64 = sqlx::query_scalar("select count(*) from _sqlx_migrations where success")
            .fetch_one(&self.readers)
            .await
            .map_err(failure)?;
        if usize::try_from(applied).is_ok_and(|n| n == MIGRATOR.iter().count()) {
            Ok(())
        } else {
            Err(StorageError::database(std::io::Error::other("the schema is not this version's")))
        }
    }

    fn is_remote(&self) -> bool {
        false
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// One transaction.
pub struct SqliteUnit {
    tx: Transaction<'static, Sqlite>,
    scope: Scope,
}

impl SqliteUnit {
    /// The connection, for crates that keep more tables in the same transaction.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }
}

#[async_trait]
impl UnitOfWork for SqliteUnit {
    async fn save(self: Box<Self>) -> StorageResult<()> {
        self.tx.commit().await.map_err(failure)
    }

    async fn cancel(self: Box<Self>) -> StorageResult<()> {
        self.tx.rollback().await.map_err(failure)
    }

    fn scope(&self) -> Scope {
        self.scope
    }

    fn as_any_mut(&mut self) -> &mut (dyn Any + Send) {
        self
    }
}

/// Sorts a driver's error by what a service can do about it.
pub fn failure(error: sqlx::Error) -> StorageError {
    if let sqlx::Error::Database(database) = &error {
        let what = database.message().rsplit(": ").next().unwrap_or_default().to_owned();
        if database.is_unique_violation() {
            return StorageError::Duplicate(what);
        }
        if database.is_foreign_key_violation() || database.is_check_violation() {
            return StorageError::Reference(what);
        }
    }
    StorageError::database(error)
}
