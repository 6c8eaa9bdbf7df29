//! Who changed what.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::{AuditId, TenantId, UserId};

use crate::StorageResult;

/// One change. Table `audit_log`, append-only.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    /// Whose.
    pub tenant_id: TenantId,
    /// Key; time-ordered (UUID version 7).
    pub audit_id: AuditId,
    /// When.
    pub at: DateTime<Utc>,
    /// Who; `None` for the server itself.
    pub actor: Option<UserId>,
    /// What, for example `profile.created`.
    pub action: String,
    /// To what, for example `microsoft_profile:<id>`.
    pub subject: String,
    /// Before and after; secrets only as `"changed"`.
    pub detail: serde_json::Value,
    /// The request it came with.
    pub request_id: Option<String>,
}

/// The audit log.
#[async_trait]
pub trait AuditRepository {
    /// Appends a row.
    async fn add_audit(&mut self, row: &AuditRow) -> StorageResult<()>;

    /// The newest `limit` rows of the tenant.
    async fn list_audit(&mut self, tenant_id: TenantId, limit: i64)
    -> StorageResult<Vec<AuditRow>>;
}
