//! SQLite: ids as text, times as integer microseconds, JSON as text.

use chrono::{DateTime, Utc};
use daybind_storage::StorageResult;
use daybind_storage_sqlite::{SqliteUnit, failure};
use serde_json::Value;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

/// How values are stored.
mod codec {
    use daybind_storage::StorageError;
    use sqlx::Row as _;

    use super::{DateTime, SqliteRow, StorageResult, Utc, Uuid, Value, failure};

    pub(super) fn id(value: Uuid) -> String {
        value.to_string()
    }
    /// As one argument of `json_each($n)`.
    pub(super) fn ids(values: impl Iterator<Item = Uuid>) -> String {
        Value::from_iter(values.map(id)).to_string()
    }
    pub(super) fn at(value: DateTime<Utc>) -> i64 {
        value.timestamp_micros()
    }
    pub(super) fn json(value: &Value) -> String {
        value.to_string()
    }
    pub(super) fn get_id_or(row: &SqliteRow, column: &str) -> StorageResult<Option<Uuid>> {
        let text: Option<String> = row.try_get(column).map_err(failure)?;
        text.map(|text| Uuid::parse_str(&text).map_err(StorageError::database))
            .transpose()
    }
    pub(super) fn get_id(row: &SqliteRow, column: &str) -> StorageResult<Uuid> {
        get_id_or(row, column)?.ok_or(StorageError::NotFound)
    }
    pub(super) fn get_at_or(row: &SqliteRow, column: &str) -> StorageResult<Option<DateTime<Utc>>> {
        let micros: Option<i64> = row.try_get(column).map_err(failure)?;
        Ok(micros.and_then(DateTime::from_timestamp_micros))
    }
    pub(super) fn get_at(row: &SqliteRow, column: &str) -> StorageResult<DateTime<Utc>> {
        get_at_or(row, column)?.ok_or(StorageError::NotFound)
    }
    pub(super) fn get_json_or(row: &SqliteRow, column: &str) -> StorageResult<Option<Value>> {
        let text: Option<String> = row.try_get(column).map_err(failure)?;
        text.map(|text| serde_json::from_str(&text).map_err(StorageError::database))
            .transpose()
    }
}

// One writes at a time.
crate::implement::repository!(SqliteUnit, SqliteRow, None);
crate::grants::repository!(SqliteUnit);
crate::activity::activity!(SqliteUnit, SqliteRow);
crate::coverage::coverage_repository!(
    SqliteUnit,
    SqliteRow,
    "IN (SELECT value FROM json_each($2))"
);
crate::edits::history!(SqliteUnit, SqliteRow);
crate::health::health!(SqliteUnit);
crate::runs::runs!(SqliteUnit, "IN (SELECT value FROM json_each($2))");
crate::inbox::inbox_repository!(SqliteUnit);
crate::limits::limits!(SqliteUnit);
crate::notified::notifications!(SqliteUnit, "IN (SELECT value FROM json_each($2))", "");
