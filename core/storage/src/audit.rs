//! Who changed what.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::{AuditId, TenantId, UserId};

use crate::StorageResult;

/// Where a change was asked from, as far as the server can tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The address of the browser (or of the proxy nearest to it that is trusted).
    pub ip: Option<String>,
    /// What the browser says it is, cut to 256 characters. Not proven.
    pub user_agent: Option<String>,
}

/// One change. Table `audit_log`, append-only.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    /// Whose.
    pub tenant_id: TenantId,
    /// Key; time-ordered (UUID version 7).
    pub audit_id: AuditId,
    /// When.
    pub at: DateTime<Utc>,
    /// Who; `None` for the server itself and its command line.
    pub actor: Option<UserId>,
    /// What, for example `profile.created`; the part before the dot is its group.
    pub action: String,
    /// To what, for example `microsoft_profile:<id>`.
    pub subject: String,
    /// Before and after; secrets only as `"changed"`.
    pub detail: serde_json::Value,
    /// The request it came with.
    pub request_id: Option<String>,
    /// Why, in the words of whoever did it.
    pub note: Option<String>,
    /// From where; empty for the server itself.
    pub origin: Origin,
}

/// Whose changes to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditActor {
    /// One person's.
    User(UserId),
    /// The server's own and those made on its command line.
    Server,
}

/// Which rows to list. Everything that is set must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// By whom.
    pub actor: Option<AuditActor>,
    /// Beginning of the action: a group (`profile.`) or a whole action.
    pub action: Option<String>,
    /// Beginning of the subject: a kind (`microsoft_profile:`) or a whole subject.
    pub subject: Option<String>,
    /// Not before.
    pub from: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
    /// Only actions of these groups; `None` for all.
    pub groups: Option<Vec<String>>,
    /// None of these subjects.
    pub without_subjects: Vec<String>,
}

/// The place behind one row in a list that is ordered newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditCursor {
    /// The row's moment.
    pub at: DateTime<Utc>,
    /// Its id.
    pub audit_id: AuditId,
}

/// The audit log.
#[async_trait]
pub trait AuditRepository {
    /// Appends a row.
    async fn add_audit(&mut self, row: &AuditRow) -> StorageResult<()>;

    /// The newest `limit` rows of the tenant.
    async fn list_audit(&mut self, tenant_id: TenantId, limit: i64)
    -> StorageResult<Vec<AuditRow>>;

    /// The newest `limit` rows that match, older than the place `after`.
    async fn find_audit(
        &mut self,
        tenant_id: TenantId,
        filter: &AuditFilter,
        after: Option<AuditCursor>,
        limit: i64,
    ) -> StorageResult<Vec<AuditRow>>;

    /// The actions that occur in the tenant's log, each once, in alphabetical order.
    async fn list_audit_actions(&mut self, tenant_id: TenantId) -> StorageResult<Vec<String>>;
}
