//! PostgreSQL: native uuid, timestamptz, jsonb and bytea.

use chrono::{DateTime, Utc};
use daybind_storage::StorageResult;
use daybind_storage_postgres::{PgUnit, failure};
use serde_json::Value;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

/// How values are stored.
mod codec {
    use super::{DateTime, PgRow, StorageResult, Utc, Uuid, Value, failure};
    use sqlx::Row as _;

    pub(super) fn id(value: Uuid) -> Uuid {
        value
    }
    /// As one argument of `= ANY($n)`.
    pub(super) fn ids(values: impl Iterator<Item = Uuid>) -> Vec<Uuid> {
        values.collect()
    }
    pub(super) fn at(value: DateTime<Utc>) -> DateTime<Utc> {
        value
    }
    pub(super) fn json(value: &Value) -> Value {
        value.clone()
    }
    pub(super) fn get_id(row: &PgRow, column: &str) -> StorageResult<Uuid> {
        row.try_get(column).map_err(failure)
    }
    pub(super) fn get_id_or(row: &PgRow, column: &str) -> StorageResult<Option<Uuid>> {
        row.try_get(column).map_err(failure)
    }
    pub(super) fn get_at(row: &PgRow, column: &str) -> StorageResult<DateTime<Utc>> {
        row.try_get(column).map_err(failure)
    }
    pub(super) fn get_at_or(row: &PgRow, column: &str) -> StorageResult<Option<DateTime<Utc>>> {
        row.try_get(column).map_err(failure)
    }
    pub(super) fn get_json_or(row: &PgRow, column: &str) -> StorageResult<Option<Value>> {
        row.try_get(column).map_err(failure)
    }
}

crate::implement::repository!(
    PgUnit,
    PgRow,
    Some("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
);
crate::grants::repository!(PgUnit);
crate::activity::activity!(PgUnit, PgRow);
crate::coverage::coverage_repository!(PgUnit, PgRow, "= ANY($2)");
crate::edits::history!(PgUnit, PgRow);
crate::health::health!(PgUnit);
crate::runs::runs!(PgUnit, "= ANY($2)");
crate::inbox::inbox_repository!(PgUnit);
crate::limits::limits!(PgUnit);
crate::notified::notifications!(PgUnit, "= ANY($2)", " FOR UPDATE");
