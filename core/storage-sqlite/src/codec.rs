//! How values are stored: ids as text, times as whole microseconds since 1970 in UTC, JSON as text.

use chrono::{DateTime, Utc};
use daybind_storage::{StorageError, StorageResult};
use serde_json::Value;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::failure;

pub(crate) fn id(value: Uuid) -> String {
    value.to_string()
}

pub(crate) fn id_or(value: Option<Uuid>) -> Option<String> {
    value.map(id)
}

pub(crate) fn at(value: DateTime<Utc>) -> i64 {
    value.timestamp_micros()
}

pub(crate) fn at_or(value: Option<DateTime<Utc>>) -> Option<i64> {
    value.map(at)
}

pub(crate) fn json(value: &Value) -> String {
    value.to_string()
}

pub(crate) fn get_id_or(row: &SqliteRow, column: &str) -> StorageResult<Option<Uuid>> {
    let text: Option<String> = row.try_get(column).map_err(failure)?;
    text.map(|text| Uuid::parse_str(&text).map_err(StorageError::database)).transpose()
}

pub(crate) fn get_id(row: &SqliteRow, column: &str) -> StorageResult<Uuid> {
    get_id_or(row, column)?.ok_or(StorageError::NotFound)
}

pub(crate) fn get_at_or(row: &SqliteRow, column: &str) -> StorageResult<Option<DateTime<Utc>>> {
    let micros: Option<i64> = row.try_get(column).map_err(failure)?;
    Ok(micros.and_then(DateTime::from_timestamp_micros))
}

pub(crate) fn get_at(row: &SqliteRow, column: &str) -> StorageResult<DateTime<Utc>> {
    get_at_or(row, column)?.ok_or(StorageError::NotFound)
}

pub(crate) fn get_json(row: &SqliteRow, column: &str) -> StorageResult<Value> {
    let text: String = row.try_get(column).map_err(failure)?;
    serde_json::from_str(&text).map_err(StorageError::database)
}
