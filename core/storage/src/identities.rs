//! Whose Microsoft account is whose.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::ids::{IdentityId, IdentityRequestId, TenantId, UserId};

use crate::StorageResult;

/// How it was proved that an account belongs to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The person was signed in and added the account themselves.
    SignedIn,
    /// An administrator approved the match.
    Approved,
}

impl Proof {
    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::Approved => "approved",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::SignedIn, Self::Approved]
            .into_iter()
            .find(|proof| proof.as_str() == text)
    }
}

/// A Microsoft account of a person. Table `user_identities`. Directory and object id are the only key: addresses and
/// names change hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Whose.
    pub tenant_id: TenantId,
    /// Key.
    pub identity_id: IdentityId,
    /// The person.
    pub user_id: UserId,
    /// The ID token's `tid`, in lower case; with [`object_id`](Self::object_id) unique per tenant.
    pub directory_id: String,
    /// The ID token's `oid`, in lower case.
    pub object_id: String,
    /// What Microsoft calls the account, for people to read.
    pub account_name: String,
    /// How it was proved.
    pub proof: Proof,
    /// Who proved it: the person, or the administrator.
    pub linked_by: UserId,
    /// When.
    pub linked_at: DateTime<Utc>,
    /// When somebody last signed in with it.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    /// Nobody has decided.
    Pending,
    /// An administrator declined it.
    Declined,
}

impl RequestState {
    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Declined => "declined",
        }
    }

    /// Reads the stored name; anything unknown lets nobody in.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text == "pending" {
            Self::Pending
        } else {
            Self::Declined
        }
    }
}

/// An account that proved itself at Microsoft and belongs to nobody here yet. Table `identity_requests`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityRequest {
    /// Whose.
    pub tenant_id: TenantId,
    /// Key.
    pub request_id: IdentityRequestId,
    /// The ID token's `tid`, in lower case; with [`object_id`](Self::object_id) unique per tenant.
    pub directory_id: String,
    /// The ID token's `oid`, in lower case.
    pub object_id: String,
    /// What Microsoft calls the account, for people to read.
    pub account_name: String,
    /// Whether Microsoft says that the directory owns the domain of that name.
    pub account_verified: bool,
    /// Who it could be. Only ever a suggestion.
    pub suggested_user_id: Option<UserId>,
    /// Where it stands.
    pub state: RequestState,
    /// When it was first asked.
    pub requested_at: DateTime<Utc>,
    /// Who declined it.
    pub decided_by: Option<UserId>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
}

/// Microsoft accounts of people, and those that wait.
#[async_trait]
pub trait IdentityRepository {
    /// Adds an account. `Duplicate` when the account belongs to somebody of the tenant already.
    async fn add_identity(&mut self, identity: &Identity) -> StorageResult<()>;

    /// Whose account that is.
    async fn find_identity(
        &mut self,
        tenant_id: TenantId,
        directory_id: &str,
        object_id: &str,
    ) -> StorageResult<Option<Identity>>;

    /// The accounts of a person, oldest first. Locks the person until the unit ends, so that two requests cannot both
    /// take the last but one.
    async fn lock_identities_of(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
    ) -> StorageResult<Vec<Identity>>;

    /// The accounts of a person, oldest first.
    async fn list_identities_of(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
    ) -> StorageResult<Vec<Identity>>;

    /// Notes that somebody signed in with it.
    async fn touch_identity(
        &mut self,
        tenant_id: TenantId,
        identity_id: IdentityId,
        now: DateTime<Utc>,
    ) -> StorageResult<()>;

    /// Removes an account; whether there was one.
    async fn remove_identity(
        &mut self,
        tenant_id: TenantId,
        identity_id: IdentityId,
    ) -> StorageResult<bool>;

    /// Adds a request unless the account has one; whether it was added.
    async fn add_identity_request(&mut self, request: &IdentityRequest) -> StorageResult<bool>;

    /// The request with that key.
    async fn find_identity_request(
        &mut self,
        tenant_id: TenantId,
        request_id: IdentityRequestId,
    ) -> StorageResult<Option<IdentityRequest>>;

    /// The request of that account.
    async fn find_request_of_account(
        &mut self,
        tenant_id: TenantId,
        directory_id: &str,
        object_id: &str,
    ) -> StorageResult<Option<IdentityRequest>>;

    /// All requests of the tenant: pending ones first, then the newest.
    async fn list_identity_requests(
        &mut self,
        tenant_id: TenantId,
    ) -> StorageResult<Vec<IdentityRequest>>;

    /// Declines a pending request; whether there was one.
    async fn decline_identity_request(
        &mut self,
        tenant_id: TenantId,
        request_id: IdentityRequestId,
        by: UserId,
        at: DateTime<Utc>,
    ) -> StorageResult<bool>;

    /// Removes a request; whether there was one.
    async fn remove_identity_request(
        &mut self,
        tenant_id: TenantId,
        request_id: IdentityRequestId,
    ) -> StorageResult<bool>;
}
