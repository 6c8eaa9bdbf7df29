//! The pool of connections, migrations, and how a unit of work gets its scope.

use std::str::FromStr as _;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_storage::{SchemaState, Scope, StorageError, StorageResult, Store, UnitOfWork};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool, Postgres, Transaction};

use crate::PgUnit;
use crate::codec::failure;

/// The migrations of `migrations/postgres`.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/postgres");
/// Whoever asks whether it is ready gets to know within this time, also while every connection is in use.
const READY_MAX: Duration = Duration::from_secs(3);

/// A PostgreSQL database.
pub struct PgStore {
    options: PgConnectOptions,
    pool: PgPool,
    /// Whether a pooler may give every transaction another connection of the database.
    shared: bool,
}

impl PgStore {
    /// Opens the database, which need not be migrated yet.
    ///
    /// Behind a pooler in transaction mode (PgBouncer), add `statement-cache-capacity=0` to the URL: prepared statements
    /// belong to a connection of the database, and there every transaction may get another one, with statements of
    /// somebody else on it. Each transaction then begins by taking those away. Migrate without the pooler.
    ///
    /// # Errors
    /// `Database` when the URL is malformed or the server does not answer.
    pub async fn connect(url: &str) -> StorageResult<Self> {
        Self::connect_sized(url, 10).await
    }

    /// As [`Self::connect`], with at most that many connections.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_sized(url: &str, connections: u32) -> StorageResult<Self> {
        let options = PgConnectOptions::from_str(url).map_err(StorageError::database)?;
        let probe = PgConnection::connect_with(&options)
            .await
            .map_err(failure)?;
        probe.close().await.map_err(failure)?;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(10))
            .connect_lazy_with(options.clone());
        let shared = url
            .split(['?', '&'])
            .any(|option| option == "statement-cache-capacity=0");
        Ok(Self {
            options,
            pool,
            shared,
        })
    }

    /// Begins a transaction; `first` is done in it at once, with the same round trip.
    async fn transaction(
        &self,
        read_only: bool,
        first: &str,
    ) -> StorageResult<Transaction<'static, Postgres>> {
        let mode = if read_only { " READ ONLY" } else { "" };
        let alone = if self.shared { "; DEALLOCATE ALL" } else { "" };
        let begin = AssertSqlSafe(format!("BEGIN{mode}{alone}{first}"));
        self.pool.begin_with(begin).await.map_err(failure)
    }

    async fn unit(&self, scope: Scope, read_only: bool) -> StorageResult<Box<dyn UnitOfWork>> {
        let (name, tenant) = match scope {
            Scope::System => ("system", String::new()),
            Scope::Tenant(id) => ("tenant", id.to_string()),
        };
        // Role, scope and tenant are local to the transaction: no connection carries them over to the next unit, and a
        // pooler that gives each transaction another connection cannot lose them. An id is hexadecimal digits and hyphens.
        let scoped = format!(
            "; SELECT set_config('role', 'daybind_app', true), set_config('daybind.scope', '{name}', true), \
             set_config('daybind.tenant_id', '{tenant}', true)"
        );
        let transaction = self.transaction(read_only, &scoped).await?;
        Ok(Box::new(PgUnit { transaction, scope }))
    }
}

#[async_trait]
impl Store for PgStore {
    async fn begin(&self, scope: Scope) -> StorageResult<Box<dyn UnitOfWork>> {
        self.unit(scope, false).await
    }

    async fn read(&self, scope: Scope) -> StorageResult<Box<dyn UnitOfWork>> {
        self.unit(scope, true).await
    }

    async fn migrate(&self) -> StorageResult<()> {
        // As the role of the log-in, which owns the tables.
        let owner = PgPoolOptions::new()
            .max_connections(1)
            .connect_with(self.options.clone())
            .await
            .map_err(failure)?;
        let outcome = MIGRATOR.run(&owner).await.map_err(StorageError::database);
        owner.close().await;
        outcome
    }

    async fn ready(&self) -> StorageResult<()> {
        let state = tokio::time::timeout(READY_MAX, self.schema())
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
        let mut transaction = self.transaction(true, "").await?;
        let there: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
            .fetch_one(&mut *transaction)
            .await
            .map_err(failure)?;
        let applied = if there {
            sqlx::query_scalar(
                "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version",
            )
            .fetch_all(&mut *transaction)
            .await
            .map_err(failure)?
        } else {
            Vec::new()
        };
        Ok(SchemaState { known, applied })
    }

    async fn clock(&self) -> StorageResult<DateTime<Utc>> {
        let mut transaction = self.transaction(true, "").await?;
        sqlx::query_scalar("SELECT clock_timestamp()")
            .fetch_one(&mut *transaction)
            .await
            .map_err(failure)
    }

    fn is_remote(&self) -> bool {
        true
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

fn busy() -> StorageError {
    StorageError::Database("every connection to the database is in use".into())
}

fn not_migrated(why: &str) -> StorageError {
    StorageError::Database(format!("the database is not ready (run the migrations?): {why}").into())
}
