//! Microsoft profiles and their explicit consumer bindings.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use daybind_domain::ids::{ProfileId, TenantId, UserId};
use daybind_domain::profile::ProfileFields;
use daybind_domain::{Cloud, Consumer};

use crate::{StorageError, StorageResult};

/// Reads a column `cloud`.
///
/// # Errors
/// `Database` when it is none we know.
pub fn read_cloud(stored: &str) -> StorageResult<Cloud> {
    Cloud::parse(stored)
        .ok_or_else(|| StorageError::database(std::io::Error::other("an unknown cloud")))
}

/// Who brought a client secret in, when, and until when it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretMeta {
    /// Who entered it; column `secret_added_by`.
    pub added_by: Option<UserId>,
    /// When; column `secret_added_at`. Names this secret among those the profile has had.
    pub added_at: Option<DateTime<Utc>>,
    /// Its last day as Entra shows it; column `secret_expires_on`.
    pub expires_on: Option<NaiveDate>,
}

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
    /// Where the secret comes from.
    pub secret: SecretMeta,
    /// When it was archived.
    pub archived_at: Option<DateTime<Utc>>,
    /// Starts at 1, grows by one with every change.
    pub version: i64,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Who last changed it.
    pub updated_by: Option<UserId>,
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

/// The last change of a consumer's binding, as long as it can be taken back. Table `microsoft_profile_binding_undo`.
#[derive(Debug, Clone, PartialEq)]
pub struct BindingUndo {
    /// Whose.
    pub tenant_id: TenantId,
    /// Which consumer; with the tenant the key.
    pub consumer: Consumer,
    /// What was bound before; `None` for nothing.
    pub before: Option<ProfileId>,
    /// What the change bound; `None` for nothing.
    pub after: Option<ProfileId>,
    /// Who changed it.
    pub changed_by: UserId,
    /// When; equals the binding's `updated_at` unless it was changed again.
    pub changed_at: DateTime<Utc>,
    /// Until when it can be taken back.
    pub undo_until: DateTime<Utc>,
    /// What the consumer's runtime needs to put back.
    pub memo: serde_json::Value,
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

    /// Removes the profile if its row still has `version`, with its staged secrets and check results. `Stale` when it
    /// has another version, `NotFound` when it is gone, `Reference` while a consumer is bound to it or something made
    /// through it is still stored: a database rule, not only a check.
    async fn remove_profile(
        &mut self,
        tenant_id: TenantId,
        profile_id: ProfileId,
        version: i64,
    ) -> StorageResult<()>;
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

    /// Replaces `expected` by `next` (`None`: no row) if the row still is `expected`; `Stale` when it is not, under a race
    /// too. `Reference` as for [`set_binding`](Self::set_binding).
    async fn change_binding(
        &mut self,
        tenant_id: TenantId,
        consumer: Consumer,
        expected: Option<&Binding>,
        next: Option<&Binding>,
    ) -> StorageResult<()>;

    /// Notes the last change of a consumer's binding over an earlier one.
    async fn note_undo(&mut self, change: &BindingUndo) -> StorageResult<()>;

    /// The last change of a consumer's binding, in time to be taken back or not.
    async fn find_undo(
        &mut self,
        tenant_id: TenantId,
        consumer: Consumer,
    ) -> StorageResult<Option<BindingUndo>>;

    /// The last changes of the tenant's bindings, in the order of [`Consumer::ALL`].
    async fn list_undo(&mut self, tenant_id: TenantId) -> StorageResult<Vec<BindingUndo>>;

    /// Forgets the last change; fine when there is none.
    async fn remove_undo(&mut self, tenant_id: TenantId, consumer: Consumer) -> StorageResult<()>;
}
