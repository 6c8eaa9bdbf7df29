//! The audit log.

use async_trait::async_trait;
use daybind_domain::ids::TenantId;
use daybind_storage::{AuditRepository, AuditRow, StorageResult};

use crate::SqliteUnit;
use crate::codec::{self, Row, failure, get};

fn audit(row: &Row) -> StorageResult<AuditRow> {
    Ok(AuditRow {
        tenant_id: codec::get_id(row, "tenant_id")?.into(),
        audit_id: codec::get_id(row, "audit_id")?.into(),
        at: codec::get_at(row, "at")?,
        actor: codec::get_id_or(row, "actor")?.map(Into::into),
        action: get(row, "action")?,
        subject: get(row, "subject")?,
        detail: codec::get_json(row, "detail")?,
        request_id: get(row, "request_id")?,
    })
}

#[async_trait]
impl AuditRepository for SqliteUnit {
    async fn add_audit(&mut self, row: &AuditRow) -> StorageResult<()> {
        sqlx::query(
            "INSERT INTO audit_log (tenant_id, audit_id, at, actor, action, subject, detail, request_id) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(codec::id(row.tenant_id.0))
        .bind(codec::id(row.audit_id.0))
        .bind(codec::at(row.at))
        .bind(row.actor.map(|id| codec::id(id.0)))
        .bind(row.action.clone())
        .bind(row.subject.clone())
        .bind(codec::json(&row.detail))
        .bind(row.request_id.clone())
        .execute(self.connection())
        .await
        .map_err(failure)?;
        Ok(())
    }

    async fn list_audit(
        &mut self,
        tenant_id: TenantId,
        limit: i64,
    ) -> StorageResult<Vec<AuditRow>> {
        let rows = sqlx::query(
            "SELECT * FROM audit_log WHERE tenant_id = $1 ORDER BY at DESC, audit_id DESC LIMIT $2",
        )
        .bind(codec::id(tenant_id.0))
        .bind(limit)
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        rows.iter().map(audit).collect()
    }
}
