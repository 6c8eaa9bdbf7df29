//! The two pools of connections, and migrations.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_storage::{SchemaState, Scope, StorageError, StorageResult, Store, UnitOfWork};
use sqlx::SqlitePool;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::SqliteUnit;
use crate::codec::failure;

/// The migrations of `migrations/sqlite`.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/sqlite");
/// Whoever asks whether it is ready gets to know within this time, also while every connection is in use.
const READY_MAX: Duration = Duration::from_secs(3);

/// A SQLite file.
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    lock_path: PathBuf,
    /// Locked while this server serves the file; the system lets go of it when the process ends.
    lock: Mutex<Option<File>>,
}

impl SqliteStore {
    /// Opens the file, or makes it; its folder must exist.
    ///
    /// # Errors
    /// `Database` when the file cannot be opened.
    pub async fn open(path: &Path) -> StorageResult<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(
                options
                    .clone()
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal),
            )
            .await
            .map_err(failure)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_lazy_with(options.pragma("query_only", "on"));
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".serving");
        Ok(Self {
            writer,
            readers,
            lock_path: lock_path.into(),
            lock: Mutex::new(None),
        })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn begin(&self, scope: Scope) -> StorageResult<Box<dyn UnitOfWork>> {
        // IMMEDIATE: a unit that reads first can never lose its place to another writer later.
        let transaction = self
            .writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failure)?;
        Ok(Box::new(SqliteUnit { transaction, scope }))
    }

    async fn read(&self, scope: Scope) -> StorageResult<Box<dyn UnitOfWork>> {
        let transaction = self.readers.begin().await.map_err(failure)?;
        Ok(Box::new(SqliteUnit { transaction, scope }))
    }

    async fn migrate(&self) -> StorageResult<()> {
        MIGRATOR
            .run(&self.writer)
            .await
            .map_err(StorageError::database)
    }

    async fn ready(&self) -> StorageResult<()> {
        let asked = async {
            // Whoever cannot get at the one connection that writes cannot work.
            drop(self.writer.acquire().await.map_err(failure)?);
            self.schema().await
        };
        let state = tokio::time::timeout(READY_MAX, asked)
            .await
            .map_err(|_| busy())?
            .map_err(|error| not_migrated(&error.to_string()))?;
        // More than it knows is fine: a server of the version before goes on while a new one is rolled out.
        if state
            .known
            .iter()
            .all(|version| state.applied.contains(version))
        {
            Ok(())
        } else {
            Err(not_migrated("it lacks migrations of this binary"))
        }
    }

    async fn schema(&self) -> StorageResult<SchemaState> {
        let known = MIGRATOR.iter().map(|migration| migration.version).collect();
        let there: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')",
        )
        .fetch_one(&self.readers)
        .await
        .map_err(failure)?;
        let applied = if there {
            sqlx::query_scalar(
                "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version",
            )
            .fetch_all(&self.readers)
            .await
            .map_err(failure)?
        } else {
            Vec::new()
        };
        Ok(SchemaState { known, applied })
    }

    async fn clock(&self) -> StorageResult<DateTime<Utc>> {
        let micros: i64 =
            sqlx::query_scalar("SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER)")
                .fetch_one(&self.readers)
                .await
                .map_err(failure)?;
        DateTime::from_timestamp_micros(micros).ok_or(StorageError::NotFound)
    }

    fn is_remote(&self) -> bool {
        false
    }

    fn take_alone(&self) -> StorageResult<bool> {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&self.lock_path)
            .map_err(StorageError::database)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(StorageError::database(error)),
        }
        *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
        Ok(true)
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn busy() -> StorageError {
    StorageError::Database("every connection to the database is in use".into())
}

fn not_migrated(why: &str) -> StorageError {
    StorageError::Database(format!("the database is not ready (run the migrations?): {why}").into())
}
