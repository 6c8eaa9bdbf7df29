//! Login domains: which MSP a work email's domain belongs to, and how that was proved.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::{LoginDomainId, TenantId, UserId};
use daybind_domain::login_domain::ClaimStatus;

use crate::StorageResult;

/// A domain an MSP listed. Table `msp_sso_login_domains`; unique per tenant, not over all tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginDomain {
    /// Whose.
    pub tenant_id: TenantId,
    /// Key.
    pub domain_id: LoginDomainId,
    /// ASCII form (IDNA), lower case, no trailing dot.
    pub domain: String,
    /// How far its ownership is proved.
    pub status: ClaimStatus,
    /// When the status last changed.
    pub status_changed_at: DateTime<Utc>,
    /// Who changed it; `None` for the server itself.
    pub status_changed_by: Option<UserId>,
    /// Since when it has been verified without a break; `None` unless it is.
    pub verified_at: Option<DateTime<Utc>>,
    /// For optimistic locking; starts at 1.
    pub version: i64,
    /// Who listed it.
    pub created_by: UserId,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// The DNS record that proves a login domain. Table `msp_sso_domain_verification_challenges`; at most one per domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainChallenge {
    /// Whose.
    pub tenant_id: TenantId,
    /// Which login domain.
    pub domain_id: LoginDomainId,
    /// Name of the TXT record.
    pub host: String,
    /// Its text.
    pub value: String,
    /// Who asked for it.
    pub created_by: UserId,
    /// When.
    pub created_at: DateTime<Utc>,
    /// A pending claim is given up then.
    pub expires_at: DateTime<Utc>,
    /// When DNS was last asked.
    pub checked_at: Option<DateTime<Utc>>,
    /// What came of it, one word.
    pub outcome: Option<String>,
    /// The TXT records seen then.
    pub seen: Vec<String>,
    /// Since when a verified domain's record has been missing.
    pub missing_since: Option<DateTime<Utc>>,
    /// When it is due to be checked again.
    pub next_check_at: DateTime<Utc>,
}

/// Login domains and their challenges.
#[async_trait]
pub trait LoginDomainRepository {
    /// The tenant's domains by name.
    async fn list_login_domains(&mut self, tenant_id: TenantId) -> StorageResult<Vec<LoginDomain>>;

    /// One of the tenant's domains.
    async fn find_login_domain(
        &mut self,
        tenant_id: TenantId,
        domain_id: LoginDomainId,
    ) -> StorageResult<Option<LoginDomain>>;

    /// Adds a domain. `Duplicate` when the tenant has it.
    async fn add_login_domain(&mut self, domain: &LoginDomain) -> StorageResult<()>;

    /// Stores the status of the domain that still has `domain.version`, and raises the version. `Stale`, `NotFound`.
    async fn update_login_domain(&mut self, domain: &LoginDomain) -> StorageResult<()>;

    /// Removes a domain with its challenge; whether it was there.
    async fn remove_login_domain(
        &mut self,
        tenant_id: TenantId,
        domain_id: LoginDomainId,
    ) -> StorageResult<bool>;

    /// Everybody's rows of one domain, oldest first, over all tenants whatever the scope. For the server's own decisions:
    /// never shown to a tenant.
    async fn claims_on_domain(&mut self, domain: &str) -> StorageResult<Vec<LoginDomain>>;

    /// Which of the tenant's domains another tenant lists as well (and has neither given up nor lost).
    async fn contested_domains(&mut self, tenant_id: TenantId) -> StorageResult<Vec<String>>;

    /// Keeps every other unit that locks the same domain waiting until this one ends.
    async fn lock_domain(&mut self, domain: &str) -> StorageResult<()>;

    /// The tenant's challenges.
    async fn list_challenges(&mut self, tenant_id: TenantId)
    -> StorageResult<Vec<DomainChallenge>>;

    /// The challenge of one domain.
    async fn find_challenge(
        &mut self,
        tenant_id: TenantId,
        domain_id: LoginDomainId,
    ) -> StorageResult<Option<DomainChallenge>>;

    /// Adds or replaces the challenge of a domain.
    async fn save_challenge(&mut self, challenge: &DomainChallenge) -> StorageResult<()>;

    /// Drops the challenge of a domain; dropping none is fine.
    async fn remove_challenge(
        &mut self,
        tenant_id: TenantId,
        domain_id: LoginDomainId,
    ) -> StorageResult<()>;

    /// Takes up to `limit` challenges due at `now` and puts them off to `next` (system scope): each is handed to one
    /// caller, whichever server it runs on.
    async fn take_due_challenges(
        &mut self,
        now: DateTime<Utc>,
        next: DateTime<Utc>,
        limit: i64,
    ) -> StorageResult<Vec<DomainChallenge>>;
}
