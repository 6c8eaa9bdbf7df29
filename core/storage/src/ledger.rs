//! What an import from a predecessor has dealt with.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::TenantId;
use uuid::Uuid;

use crate::StorageResult;

/// One row of a predecessor that was dealt with. Table `import_ledger`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// Whose.
    pub tenant_id: TenantId,
    /// Which predecessor, for example `alga`.
    pub source: String,
    /// Kind of row, for example `profile`.
    pub kind: String,
    /// Its key over there.
    pub source_id: String,
    /// The copy's id here, where there is one.
    pub target_id: Option<Uuid>,
    /// When.
    pub imported_at: DateTime<Utc>,
}

/// The import ledger.
#[async_trait]
pub trait LedgerRepository {
    /// Adds a row. `Duplicate` when it was dealt with before (by another run at the same moment).
    async fn add_ledger(&mut self, row: &LedgerRow) -> StorageResult<()>;

    /// All rows of one source and tenant, by kind and key.
    async fn list_ledger(
        &mut self,
        tenant_id: TenantId,
        source: &str,
    ) -> StorageResult<Vec<LedgerRow>>;
}
