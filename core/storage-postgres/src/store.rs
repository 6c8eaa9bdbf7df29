//! The pool of connections, migrations, and how a unit of work gets its scope.

use std::str::FromStr as _;
use std::time::Duration;

use async_trait::async_trait;
use daybind_storage::{Scope, StorageError, StorageResult, Store, UnitOfWork};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool};

use crate::PgUnit;
use crate::codec::failure;

/// The migrations of `migrations/postgres`.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/postgres");

/// A PostgreSQL database.
pub struct PgStore {
    options: PgConnectOptions,
    pool: PgPool,
}

impl PgStore {
    /// Opens the database, which need not be migrated yet.
    ///
    /// # Errors
    /// `Database` when the URL is malformed or the server does not answer.
    pub async fn connect(url: &str) -> StorageResult<Self> {
        let options = PgConnectOptions::from_str(url).map_err(StorageError::database)?;
        // Asked once without the working role, which a fresh cluster does not have yet.
        let probe = PgConnection::connect_with(&options)
            .await
            .map_err(failure)?;
        probe.close().await.map_err(failure)?;
        let pool = PgPoolOptions::new()
            .max_connections(10)
            .acquire_timeout(Duration::from_secs(10))
            .after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute("SET ROLE daybind_app").await?;
                    Ok(())
                })
            })
            .connect_lazy_with(options.clone());
        Ok(Self { options, pool })
    }

    async fn unit(&self, scope: Scope, begin: &'static str) -> StorageResult<Box<dyn UnitOfWork>> {
        let mut transaction = self.pool.begin_with(begin).await.map_err(failure)?;
        let (name, tenant) = match scope {
            Scope::System => ("system", String::new()),
            Scope::Tenant(id) => ("tenant", id.to_string()),
        };
        // Local to the transaction: a connection never carries a tenant over to the next unit.
        sqlx::query("SELECT set_config('daybind.scope', $1, true), set_config('daybind.tenant_id', $2, true)")
            .bind(name)
            .bind(tenant)
            .execute(&mut *transaction)
            .await
            .map_err(failure)?;
        Ok(Box::new(PgUnit { transaction, scope }))
    }
}

#[async_trait]
impl Store for PgStore {
    async fn begin(&self, scope: Scope) -> StorageResult<Box<dyn UnitOfWork>> {
        self.unit(scope, "BEGIN").await
    }

    async fn read(&self, scope: Scope) -> StorageResult<Box<dyn UnitOfWork>> {
        self.unit(scope, "BEGIN READ ONLY").await
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
        let applied: Vec<i64> = sqlx::query_scalar(
            "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(|error| not_migrated(&error.to_string()))?;
        if MIGRATOR
            .iter()
            .map(|migration| migration.version)
            .eq(applied)
        {
            Ok(())
        } else {
            Err(not_migrated("its migrations are not those of this binary"))
        }
    }

    fn is_remote(&self) -> bool {
        true
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

fn not_migrated(why: &str) -> StorageError {
    StorageError::Database(format!("the database is not ready (run the migrations?): {why}").into())
}
