//! The import ledger.

use async_trait::async_trait;
use daybind_domain::ids::TenantId;
use daybind_storage::{LedgerRepository, LedgerRow, StorageResult};

use crate::PgUnit;
use crate::codec::{self, Row, failure, get};

fn ledger(row: &Row) -> StorageResult<LedgerRow> {
    Ok(LedgerRow {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        source: get(row, "source")?,
        kind: get(row, "kind")?,
        source_id: get(row, "source_id")?,
        target_id: codec::get_id_or(row, "target_id")?,
        imported_at: codec::get_at(row, "imported_at")?,
    })
}

#[async_trait]
impl LedgerRepository for PgUnit {
    async fn add_ledger(&mut self, row: &LedgerRow) -> StorageResult<()> {
        sqlx::query(
            "INSERT INTO import_ledger (tenant_id, source, kind, source_id, target_id, imported_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(codec::id(row.tenant_id.0))
        .bind(row.source.clone())
        .bind(row.kind.clone())
        .bind(row.source_id.clone())
        .bind(row.target_id.map(codec::id))
        .bind(codec::at(row.imported_at))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn list_ledger(
        &mut self,
        tenant_id: TenantId,
        source: &str,
    ) -> StorageResult<Vec<LedgerRow>> {
        let rows = sqlx::query(
            "SELECT * FROM import_ledger WHERE tenant_id = $1 AND source = $2 ORDER BY kind, source_id",
        )
        .bind(codec::id(tenant_id.0))
        .bind(source.to_owned())
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        rows.iter().map(ledger).collect()
    }
}
