//! The audit log.

use async_trait::async_trait;
use daybind_domain::ids::TenantId;
use daybind_storage::{
    AuditActor, AuditCursor, AuditFilter, AuditRepository, AuditRow, Origin, StorageResult,
};

use crate::PgUnit;
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
        note: get(row, "note")?,
        origin: Origin {
            ip: get(row, "ip")?,
            user_agent: get(row, "user_agent")?,
        },
    })
}

#[async_trait]
impl AuditRepository for PgUnit {
    async fn add_audit(&mut self, row: &AuditRow) -> StorageResult<()> {
        sqlx::query(
            "INSERT INTO audit_log (tenant_id, audit_id, at, actor, action, subject, detail, request_id, note, ip, \
             user_agent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(codec::id(row.tenant_id.0))
        .bind(codec::id(row.audit_id.0))
        .bind(codec::at(row.at))
        .bind(row.actor.map(|id| codec::id(id.0)))
        .bind(row.action.clone())
        .bind(row.subject.clone())
        .bind(codec::json(&row.detail))
        .bind(row.request_id.clone())
        .bind(row.note.clone())
        .bind(row.origin.ip.clone())
        .bind(row.origin.user_agent.clone())
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

    async fn find_audit(
        &mut self,
        tenant_id: TenantId,
        filter: &AuditFilter,
        after: Option<AuditCursor>,
        limit: i64,
    ) -> StorageResult<Vec<AuditRow>> {
        let (who, user) = match filter.actor {
            None => (None, None),
            Some(AuditActor::Server) => (Some("server"), None),
            Some(AuditActor::User(id)) => (Some("user"), Some(codec::id(id.0))),
        };
        let rows = sqlx::query(
            "SELECT * FROM audit_log WHERE tenant_id = $1 \
             AND ($2::text IS NULL OR ($2 = 'server' AND actor IS NULL) OR actor = $3::uuid) \
             AND ($4::text IS NULL OR substr(action, 1, length($4)) = $4) \
             AND ($5::text IS NULL OR substr(subject, 1, length($5)) = $5) \
             AND ($6::timestamptz IS NULL OR at >= $6) AND ($7::timestamptz IS NULL OR at < $7) \
             AND (NOT $8::boolean OR split_part(action, '.', 1) = ANY($9)) AND subject <> ALL($10) \
             AND ($11::timestamptz IS NULL OR (at, audit_id) < ($11, $12)) \
             ORDER BY at DESC, audit_id DESC LIMIT $13",
        )
        .bind(codec::id(tenant_id.0))
        .bind(who)
        .bind(user)
        .bind(filter.action.clone())
        .bind(filter.subject.clone())
        .bind(filter.from.map(codec::at))
        .bind(filter.until.map(codec::at))
        .bind(filter.groups.is_some())
        .bind(filter.groups.clone().unwrap_or_default())
        .bind(filter.without_subjects.clone())
        .bind(after.map(|place| codec::at(place.at)))
        .bind(after.map(|place| codec::id(place.audit_id.0)))
        .bind(limit)
        .fetch_all(self.connection())
        .await
        .map_err(failure)?;
        rows.iter().map(audit).collect()
    }

    async fn list_audit_actions(&mut self, tenant_id: TenantId) -> StorageResult<Vec<String>> {
        // From one action to the next through the index, however many rows there are.
        sqlx::query_scalar(
            "WITH RECURSIVE step (action) AS (SELECT min(action) FROM audit_log WHERE tenant_id = $1 \
             UNION ALL SELECT (SELECT min(action) FROM audit_log WHERE tenant_id = $1 AND action > step.action) \
             FROM step WHERE step.action IS NOT NULL) \
             SELECT action FROM step WHERE action IS NOT NULL ORDER BY action",
        )
        .bind(codec::id(tenant_id.0))
        .fetch_all(self.connection())
        .await
        .map_err(failure)
    }
}
