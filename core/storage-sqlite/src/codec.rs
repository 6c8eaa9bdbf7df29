//! How values are stored: ids as 36 characters of text, times as whole microseconds since 1970 in UTC, JSON as text;
//! and what a driver's error means.

use chrono::{DateTime, Utc};
use daybind_storage::{StorageError, StorageResult};
use serde_json::Value;
use sqlx::error::ErrorKind;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row as _, Sqlite, Type};
use uuid::Uuid;

pub(crate) type Row = SqliteRow;

pub(crate) fn id(value: Uuid) -> String {
    value.to_string()
}

/// Several ids as one argument for `json_each($n)`.
pub(crate) fn ids(values: impl Iterator<Item = Uuid>) -> String {
    Value::from_iter(values.map(id)).to_string()
}

/// Several names as one argument for `json_each($n)`.
pub(crate) fn names(values: &[&str]) -> String {
    Value::from_iter(values.iter().copied()).to_string()
}

/// Several texts as one argument for `json_each($n)`.
pub(crate) fn texts(values: &[String]) -> String {
    Value::from_iter(values.iter().map(String::as_str)).to_string()
}

pub(crate) fn at(value: DateTime<Utc>) -> i64 {
    value.timestamp_micros()
}

pub(crate) fn json(value: &Value) -> String {
    value.to_string()
}

pub(crate) fn get<'r, T: Decode<'r, Sqlite> + Type<Sqlite>>(
    row: &'r Row,
    column: &'static str,
) -> StorageResult<T> {
    row.try_get(column).map_err(StorageError::database)
}

pub(crate) fn get_id(row: &Row, column: &'static str) -> StorageResult<Uuid> {
    Uuid::parse_str(get(row, column)?).map_err(StorageError::database)
}

pub(crate) fn get_id_or(row: &Row, column: &'static str) -> StorageResult<Option<Uuid>> {
    get::<Option<&str>>(row, column)?
        .map(|text| Uuid::parse_str(text).map_err(StorageError::database))
        .transpose()
}

pub(crate) fn get_at(row: &Row, column: &'static str) -> StorageResult<DateTime<Utc>> {
    time(get(row, column)?, column)
}

pub(crate) fn get_at_or(row: &Row, column: &'static str) -> StorageResult<Option<DateTime<Utc>>> {
    get::<Option<i64>>(row, column)?
        .map(|micros| time(micros, column))
        .transpose()
}

pub(crate) fn get_json(row: &Row, column: &'static str) -> StorageResult<Value> {
    serde_json::from_str(get(row, column)?).map_err(StorageError::database)
}

fn time(micros: i64, column: &'static str) -> StorageResult<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros).ok_or(StorageError::Inconsistent {
        table: "(time)",
        column,
    })
}

/// Sorts a driver's error by what a service can do about it.
pub fn failure(error: sqlx::Error) -> StorageError {
    if let sqlx::Error::Database(database) = &error {
        // SQLite says "UNIQUE constraint failed: table.column, table.column".
        let name = || {
            database
                .message()
                .rsplit("failed: ")
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        match database.kind() {
            ErrorKind::UniqueViolation => return StorageError::Duplicate(name()),
            ErrorKind::ForeignKeyViolation | ErrorKind::CheckViolation => {
                return StorageError::Reference(name());
            }
            // SQLITE_CONSTRAINT_TRIGGER: how ON DELETE/UPDATE RESTRICT is reported.
            _ if database.code().as_deref() == Some("1811") => {
                return StorageError::Reference(name());
            }
            _ => {}
        }
    }
    StorageError::database(error)
}
