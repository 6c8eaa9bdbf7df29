//! Sealed values of the whole schema, found by the schema itself, and the canary of the master key.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::TenantId;
use uuid::Uuid;

use crate::StorageResult;

/// What tells one row of a table from the tenant's others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKey {
    /// One row for each tenant: the primary key is `tenant_id`, and the tenant's id stands for the row's.
    Tenant,
    /// The primary key is `tenant_id` and this column, an id.
    Column(String),
    /// The primary key is `tenant_id`, the first column, an id, and the second, a short name such as `next`. The name
    /// takes the column's place in the associated data.
    Slot(String, String),
    /// Any other key: a value there cannot be rewritten without knowing the table.
    Other,
}

/// A column that holds sealed values: its name ends in `_sealed`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SealedColumn {
    /// Table name.
    pub table: String,
    /// Column name.
    pub column: String,
    /// How its rows are named.
    pub row_key: RowKey,
}

/// One sealed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedValue {
    /// The row's id, as [`RowKey`] says.
    pub row: Uuid,
    /// The column's name, or the slot's for [`RowKey::Slot`].
    pub label: String,
    /// The value, still sealed.
    pub sealed: String,
}

/// Sealed values and the canary. The registry of sealed columns is the database's own catalogue: a table of the other
/// edition cannot be forgotten.
#[async_trait]
pub trait VaultRepository {
    /// Every column of the schema whose name ends in `_sealed`, by table and name.
    async fn sealed_columns(&mut self) -> StorageResult<Vec<SealedColumn>>;

    /// At most `limit` of the tenant's values in that column that do not begin with `prefix`, by row and label, after
    /// those of `after`. Empty values hold no secret and are left out. Nothing for [`RowKey::Other`].
    async fn sealed_values(
        &mut self,
        tenant_id: TenantId,
        column: &SealedColumn,
        prefix: &str,
        after: (Uuid, &str),
        limit: i64,
    ) -> StorageResult<Vec<SealedValue>>;

    /// How many of the tenant's values in that column begin with none of the prefixes; counts for [`RowKey::Other`] too.
    async fn count_sealed_otherwise(
        &mut self,
        tenant_id: TenantId,
        column: &SealedColumn,
        prefixes: &[String],
    ) -> StorageResult<i64>;

    /// Writes `new` over `old`; `false` when the row is gone or holds another value by now.
    async fn replace_sealed(
        &mut self,
        tenant_id: TenantId,
        column: &SealedColumn,
        old: &SealedValue,
        new: &str,
    ) -> StorageResult<bool>;

    /// The installation's canary (system scope).
    async fn find_canary(&mut self) -> StorageResult<Option<String>>;

    /// Stores the canary if there is none; whether it did (system scope).
    async fn add_canary(&mut self, canary: &str, now: DateTime<Utc>) -> StorageResult<bool>;

    /// Replaces the canary (system scope).
    async fn update_canary(&mut self, canary: &str, now: DateTime<Utc>) -> StorageResult<()>;
}
