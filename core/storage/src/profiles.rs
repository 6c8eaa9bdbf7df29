//! Microsoft profiles and their explicit consumer bindings.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use daybind_domain::Consumer;
use daybind_domain::ids::{ProfileId, TenantId, UserId};
use daybind_domain::profile::ProfileFields;

use crate::StorageResult;

/// A named app registration. Table `microsoft_profiles`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Whose.
    pub tenant_id: TenantId,
    /// Key.
    pub profile_id: ProfileId,
    /// Name, Application (client) ID, Directory (tenant) ID.
    pub fields: ProfileFields,
    /// The client secret, sealed; column `client_secret_sealed`.
    pub client_secret_sealed: Option<String>,
    /// Its last four characters, to be recognised by.
    pub client_secret_last4: Option<String>,
    /// When it was archived.
    pub archived_at: Option<DateTime<Utc>>,
    /// Starts at 1, grows by one with every change.
    pub version: i64,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which profile a consumer uses. Table `microsoft_profile_consumer_bindings`. No row means unbound, and unbound means
/// unbound: nothing falls back to anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Whose.
    pub tenant_id: TenantId,
    /// Which consumer; with the tenant the key.
    pub consumer: Consumer,
    /// The profile, which exists in the same tenant (foreign key, restricting).
    pub profile_id: ProfileId,
    /// Who set it.
    pub updated_by: UserId,
    /// When.
    pub updated_at: DateTime<Utc>,
}

/// Microsoft profiles.
#[async_trait]
pub trait ProfileRepository {
    /// Adds a profile. `Duplicate` when an active profile of the tenant has the same normalised name.
    async fn add_profile(&mut self, profile: &Profile) -> StorageResult<()>;

    /// Looks a profile up.
    async fn find_profile(
        &mut self,
        tenant_id: TenantId,
        profile_id: ProfileId,
    ) -> StorageResult<Option<Profile>>;

    /// The tenant's profiles, active ones first, then by name.
    async fn list_profiles(&mut self, tenant_id: TenantId) -> StorageResult<Vec<Profile>>;

    /// Stores all fields of `profile` if the row still has `profile.version`, and raises the version by one.
    /// `Stale` when it has another, `NotFound` when it is gone.
    async fn update_profile(&mut self, profile: &Profile) -> StorageResult<()>;
}

/// Consumer bindings.
#[async_trait]
pub trait BindingRepository {
    /// Sets the binding of one consumer and touches no other. `Reference` when the profile is archived or not the
    /// tenant's: a database rule, not only a check (archived profiles are refused under a race too).
    async fn set_binding(&mut self, binding: &Binding) -> StorageResult<()>;

    /// The explicit binding, or `None`.
    async fn find_binding(
        &mut self,
        tenant_id: TenantId,
        consumer: Consumer,
    ) -> StorageResult<Option<Binding>>;

    /// All bindings of the tenant, visible or not, in the order of [`Consumer::ALL`].
    async fn list_bindings(&mut self, tenant_id: TenantId) -> StorageResult<Vec<Binding>>;

    /// Removes a binding; whether there was one.
    async fn clear_binding(
        &mut self,
        tenant_id: TenantId,
        consumer: Consumer,
    ) -> StorageResult<bool>;
}
