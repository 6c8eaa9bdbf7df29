//! The database of a predecessor (Alga PSA), as far as an import reads it. Nothing is ever written there.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::TenantId;
use uuid::Uuid;

use crate::StorageResult;

/// An MSP over there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlgaTenant {
    /// Its id; kept here.
    pub tenant_id: TenantId,
    /// Its name.
    pub name: String,
}

/// A profile over there, fields as stored, unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlgaProfile {
    /// Its id.
    pub profile_id: Uuid,
    /// Name.
    pub display_name: String,
    /// Application (client) ID, perhaps malformed or empty.
    pub client_id: String,
    /// Directory (tenant) ID, perhaps `common`.
    pub directory_id: String,
    /// Name of the tenant secret that holds the client secret. The secret itself is not in the database.
    pub secret_ref: String,
    /// Whether it was the one that consumers without a binding fell back to.
    pub is_default: bool,
    /// Whether it is archived.
    pub is_archived: bool,
    /// When it was archived, if known.
    pub archived_at: Option<DateTime<Utc>>,
    /// Who made it, if known.
    pub created_by: Option<Uuid>,
    /// When it was made, if known.
    pub created_at: Option<DateTime<Utc>>,
}

/// An explicit binding over there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlgaBinding {
    /// Consumer, as stored.
    pub consumer: String,
    /// The profile it names, whether or not there is one.
    pub profile_id: Uuid,
    /// The tenant that owns a profile of that id, if it is another one: a reference across tenants.
    pub foreign_tenant: Option<Uuid>,
}

/// A log-in domain over there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlgaDomain {
    /// Its id.
    pub domain_id: Uuid,
    /// The name, as stored.
    pub domain: String,
    /// Switched-off rows are kept over there.
    pub is_active: bool,
    /// `advisory`, `pending`, `verified`, `verified_legacy`, `rejected` or `revoked`.
    pub claim_status: String,
    /// Who listed it, if known.
    pub created_by: Option<Uuid>,
    /// Whether another tenant over there lists the same domain, actively.
    pub contested: bool,
}

/// The shared tables of the predecessor. Tables that a version does not have yet read as empty.
#[async_trait]
pub trait AlgaDatabase: Send {
    /// All tenants, by name. `NotFound` when this is no database of the predecessor.
    async fn tenants(&mut self) -> StorageResult<Vec<AlgaTenant>>;

    /// A tenant's profiles, oldest first.
    async fn profiles(&mut self, tenant_id: TenantId) -> StorageResult<Vec<AlgaProfile>>;

    /// A tenant's explicit bindings.
    async fn bindings(&mut self, tenant_id: TenantId) -> StorageResult<Vec<AlgaBinding>>;

    /// A tenant's log-in domains, by name.
    async fn domains(&mut self, tenant_id: TenantId) -> StorageResult<Vec<AlgaDomain>>;
}
