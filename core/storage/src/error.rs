//! What can go wrong between a service and a database.

use thiserror::Error;

/// Result of a repository method.
pub type StorageResult<T> = Result<T, StorageError>;

/// A database failure, sorted by what a service can do about it.
#[derive(Debug, Error)]
pub enum StorageError {
    /// A unique key already holds this value. Carries the constraint's name on PostgreSQL, or `table.column` on SQLite.
    #[error("a row with the same {0} exists")]
    Duplicate(String),
    /// A foreign key points at nothing, or something still points at the row.
    #[error("a reference forbids it: {0}")]
    Reference(String),
    /// The row has another version than the caller read.
    #[error("the row was changed by somebody else")]
    Stale,
    /// The row is not there (or is another tenant's).
    #[error("no such row")]
    NotFound,
    /// A stored value breaks its own rules.
    #[error("inconsistent data in {table}.{column}")]
    Inconsistent {
        /// Table name.
        table: &'static str,
        /// Column name.
        column: &'static str,
    },
    /// Everything else; never shown to a user.
    #[error("database failure")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StorageError {
    /// Wraps a driver's error.
    pub fn database(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Database(Box::new(error))
    }
}
