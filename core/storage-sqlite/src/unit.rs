//! One transaction.

use std::any::Any;

use async_trait::async_trait;
use daybind_storage::{Scope, StorageResult, UnitOfWork};
use sqlx::{Sqlite, SqliteConnection, Transaction};

use crate::codec::failure;

/// A unit of work on SQLite. Dropping it rolls back.
pub struct SqliteUnit {
    pub(crate) transaction: Transaction<'static, Sqlite>,
    pub(crate) scope: Scope,
}

impl SqliteUnit {
    /// The connection inside this transaction, for crates that keep more tables in it.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }
}

#[async_trait]
impl UnitOfWork for SqliteUnit {
    async fn save(self: Box<Self>) -> StorageResult<()> {
        self.transaction.commit().await.map_err(failure)
    }

    async fn cancel(self: Box<Self>) -> StorageResult<()> {
        self.transaction.rollback().await.map_err(failure)
    }

    fn scope(&self) -> Scope {
        self.scope
    }

    fn as_any_mut(&mut self) -> &mut (dyn Any + Send) {
        self
    }
}
