//! How values are stored: native `uuid`, `timestamptz` and `jsonb`; and what a driver's error means.

use chrono::{DateTime, Utc};
use daybind_storage::{StorageError, StorageResult};
use serde_json::Value;
use sqlx::error::ErrorKind;
use sqlx::postgres::PgRow;
use sqlx::{Decode, Postgres, Row as _, Type};
use uuid::Uuid;

pub(crate) type Row = PgRow;

pub(crate) fn id(value: Uuid) -> Uuid {
    value
}

/// Several ids as one argument of the form `= ANY($n)`.
pub(crate) fn ids(values: impl Iterator<Item = Uuid>) -> Vec<Uuid> {
    values.collect()
}

/// Several names as one argument of the form `= ANY($n)`.
pub(crate) fn names(values: &[&str]) -> Vec<String> {
    values.iter().map(|name| (*name).to_owned()).collect()
}

pub(crate) fn at(value: DateTime<Utc>) -> DateTime<Utc> {
    value
}

pub(crate) fn json(value: &Value) -> Value {
    value.clone()
}

pub(crate) fn get<'r, T: Decode<'r, Postgres> + Type<Postgres>>(
    row: &'r Row,
    column: &'static str,
) -> StorageResult<T> {
    row.try_get(column).map_err(StorageError::database)
}

pub(crate) fn get_id(row: &Row, column: &'static str) -> StorageResult<Uuid> {
    get(row, column)
}

pub(crate) fn get_id_or(row: &Row, column: &'static str) -> StorageResult<Option<Uuid>> {
    get(row, column)
}

pub(crate) fn get_at(row: &Row, column: &'static str) -> StorageResult<DateTime<Utc>> {
    get(row, column)
}

pub(crate) fn get_at_or(row: &Row, column: &'static str) -> StorageResult<Option<DateTime<Utc>>> {
    get(row, column)
}

pub(crate) fn get_json(row: &Row, column: &'static str) -> StorageResult<Value> {
    get(row, column)
}

/// Sorts a driver's error by what a service can do about it.
pub fn failure(error: sqlx::Error) -> StorageError {
    if let sqlx::Error::Database(database) = &error {
        let name = database.constraint().unwrap_or_default().to_owned();
        match database.kind() {
            ErrorKind::UniqueViolation => return StorageError::Duplicate(name),
            ErrorKind::ForeignKeyViolation | ErrorKind::CheckViolation => {
                return StorageError::Reference(name);
            }
            // restrict_violation: what newer servers answer to ON DELETE/UPDATE RESTRICT.
            _ if database.code().as_deref() == Some("23001") => {
                return StorageError::Reference(name);
            }
            _ => {}
        }
    }
    StorageError::database(error)
}
