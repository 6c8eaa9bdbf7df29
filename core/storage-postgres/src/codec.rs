//! How values are stored: natively. Times have whole microseconds on both databases.

use chrono::{DateTime, Utc};
use daybind_storage::StorageResult;
use serde_json::Value;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::failure;

pub(crate) fn id(value: Uuid) -> Uuid {
    value
}

pub(crate) fn id_or(value: Option<Uuid>) -> Option<Uuid> {
    value
}

pub(crate) fn at(value: DateTime<Utc>) -> DateTime<Utc> {
    value
}

pub(crate) fn at_or(value: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    value
}

pub(crate) fn json(value: &Value) -> &Value {
    value
}

pub(crate) fn get_id_or(row: &PgRow, column: &str) -> StorageResult<Option<Uuid>> {
    row.try_get(column).map_err(failure)
}

pub(crate) fn get_id(row: &PgRow, column: &str) -> StorageResult<Uuid> {
    row.try_get(column).map_err(failure)
}

pub(crate) fn get_at_or(row: &PgRow, column: &str) -> StorageResult<Option<DateTime<Utc>>> {
    row.try_get(column).map_err(failure)
}

pub(crate) fn get_at(row: &PgRow, column: &str) -> StorageResult<DateTime<Utc>> {
    row.try_get(column).map_err(failure)
}

pub(crate) fn get_json(row: &PgRow, column: &str) -> StorageResult<Value> {
    row.try_get(column).map_err(failure)
}
