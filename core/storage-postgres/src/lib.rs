//! PostgreSQL: any number of servers on one database, every tenant row under forced row-level security.
//!
//! Whoever the server logs in as, its work runs as the role `daybind_app`, which owns nothing and bypasses nothing.
//! Only migrations run as the login itself.

mod codec;
mod repositories;
#[cfg(feature = "contract")]
pub mod testing;

use std::any::Any;
use std::str::FromStr as _;
use std::time::Duration;

use async_trait::async_trait;
use daybind_storage::{Scope, StorageError, StorageResult, Store, UnitOfWork};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool, Postgres, Transaction};

/// The schema this binary was built for.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/postgres");

/// A PostgreSQL database.
#[derive(Debug, Clone)]
pub struct PgStore {
    login: PgConnectOptions,
    pool: PgPool,
}

impl PgStore {
    /// Connects once to see that the database answers; work connections are opened as they are needed.
    ///
    /// # Errors
    /// When the address is malformed or the database does not answer.
    pub async fn connect(url: &str) -> StorageResult<Self> {
        let login = PgConnectOptions::from_str(url).map_err(failure)?;
        login.connect().await.map_err(failure)?.close().await.map_err(failure)?;
        let pool = PgPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(Duration::from_secs(10))
            .after_connect(|connection, _| {
                Box::pin(async move {
                    sqlx::query("set role daybind_app").execute(connection).await?;
                    Ok(())
                })
            })
            .connect_lazy_with(login.clone());
        Ok(Self { login, pool })
    }

    async fn open(&self, scope: Scope) -> StorageResult<Box<dyn UnitOfWork>> {
        let mut tx = self.pool.begin().await.map_err(failure)?;
        let (tenant, name) = match scope {
            Scope::Tenant(tenant_id) => (tenant_id.to_string(), "tenant"),
            Scope::System => (String::new(), "system"),
        };
        // Both end with the transaction, so a pooled connection never carries them on.
        sqlx::query("select set_config('daybind.tenant_id', $1, true), set_config('daybind.scope', $2, true)")
            .bind(tenant)
            .bind(name)
            .execute(&mut *tx)
            .await
            .map_err(failure)?;
        Ok(Box::new(PgUnit { tx, scope }))
    }
}

#[async_trait]
impl Store for PgStore {
    async fn begin(&self, scope: Scope) -> StorageResult<Box<dyn UnitOfWork>> {
        self.open(scope).await
    }

    async fn read(&self, scope: Scope) -> StorageResult<Box<dyn UnitOfWork>> {
        self.open(scope).await
    }

    async fn migrate(&self) -> StorageResult<()> {
        let owner = PgPoolOptions::new()
            .max_connections(1)
            .connect_with(self.login.clone())
            .await
            .map_err(failure)?;
        let outcome = MIGRATOR.run(&owner).await.map_err(StorageError::database);
        owner.close().await;
        outcome
    }

    async fn ready(&self) -> StorageResult<()> {
        let applied: i64 = sqlx::query_scalar("select count(*) from _sqlx_migrations where success")
            .fetch_one(&self.pool)
            .await
            .map_err(failure)?;
        if usize::try_from(applied).is_ok_and(|n| n == MIGRATOR.iter().count()) {
            Ok(())
        } else {
            Err(StorageError::database(std::io::Error::other("the schema is not this version's")))
        }
    }

    fn is_remote(&self) -> bool {
        true
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

/// One transaction.
pub struct PgUnit {
    tx: Transaction<'static, Postgres>,
    scope: Scope,
}

impl PgUnit {
    /// The connection, for crates that keep more tables in the same transaction.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.tx
    }
}

#[async_trait]
impl UnitOfWork for PgUnit {
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
        let what = database.constraint().unwrap_or_default().to_owned();
        if database.is_unique_violation() {
            return StorageError::Duplicate(what);
        }
        if database.is_foreign_key_violation() || database.is_check_violation() {
            return StorageError::Reference(what);
        }
    }
    StorageError::database(error)
}
