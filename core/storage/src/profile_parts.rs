//! What hangs on a Microsoft profile: the second secret of a rollover, results of verification, and unfinished profiles.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use daybind_domain::ids::{ProfileId, TenantId, UserId};

use crate::StorageResult;

/// Which place a staged secret has beside the one in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretSlot {
    /// Waits to become the one in use.
    Next,
    /// Was in use until the switch.
    Previous,
}

impl SecretSlot {
    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Previous => "previous",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Next, Self::Previous]
            .into_iter()
            .find(|slot| slot.as_str() == text)
    }
}

/// A client secret beside the one in use. Table `microsoft_profile_secrets`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedSecret {
    /// Whose.
    pub tenant_id: TenantId,
    /// Which profile's.
    pub profile_id: ProfileId,
    /// Its place; with tenant and profile the key.
    pub slot: SecretSlot,
    /// The value, sealed; column `secret_sealed`.
    pub secret_sealed: String,
    /// Its last four characters.
    pub last4: String,
    /// Who entered it.
    pub added_by: Option<UserId>,
    /// When.
    pub added_at: Option<DateTime<Utc>>,
    /// Its last day as Entra shows it.
    pub expires_on: Option<NaiveDate>,
    /// When Microsoft accepted it.
    pub verified_at: Option<DateTime<Utc>>,
    /// When it is destroyed; set for [`SecretSlot::Previous`] and only there.
    pub destroy_at: Option<DateTime<Utc>>,
}

/// The second secret of a rollover.
#[async_trait]
pub trait SecretRepository {
    /// Stores a secret in its slot, in place of what was there.
    async fn put_secret(&mut self, secret: &StagedSecret) -> StorageResult<()>;

    /// Both slots of one profile, `next` first.
    async fn list_secrets(
        &mut self,
        tenant_id: TenantId,
        profile_id: ProfileId,
    ) -> StorageResult<Vec<StagedSecret>>;

    /// Empties a slot; whether there was anything in it.
    async fn remove_secret(
        &mut self,
        tenant_id: TenantId,
        profile_id: ProfileId,
        slot: SecretSlot,
    ) -> StorageResult<bool>;
}

/// The latest result of one check of a profile. Table `microsoft_profile_checks`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileCheck {
    /// Whose.
    pub tenant_id: TenantId,
    /// Which profile's.
    pub profile_id: ProfileId,
    /// `tenant`, `credentials` or `sign_in.<consumer>`; with tenant and profile the key.
    pub name: String,
    /// `passed`, `failed`, `waiting` or `unavailable`.
    pub outcome: String,
    /// What was checked: a digest of ids and secret. A result about anything else is out of date.
    pub subject: String,
    /// The OAuth `error`, or a code of ours.
    pub error: Option<String>,
    /// The AADSTS number, if there was one.
    pub number: Option<i64>,
    /// Microsoft's trace id.
    pub trace_id: Option<String>,
    /// Microsoft's correlation id.
    pub correlation_id: Option<String>,
    /// What else the page says, for example missing permissions; never text of the provider.
    pub detail: Option<String>,
    /// Who asked.
    pub checked_by: UserId,
    /// When.
    pub checked_at: DateTime<Utc>,
}

/// Results of verification.
#[async_trait]
pub trait CheckRepository {
    /// Stores a result in place of the check's earlier one.
    async fn put_check(&mut self, check: &ProfileCheck) -> StorageResult<()>;

    /// All results of the tenant's profiles, by profile and name.
    async fn list_checks(&mut self, tenant_id: TenantId) -> StorageResult<Vec<ProfileCheck>>;
}

/// A profile that is being put together. Table `microsoft_profile_drafts`; holds no secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Whose.
    pub tenant_id: TenantId,
    /// By whom; with the tenant the key.
    pub user_id: UserId,
    /// What has been answered.
    pub answers: serde_json::Value,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When it was last saved.
    pub updated_at: DateTime<Utc>,
}

/// Unfinished profiles.
#[async_trait]
pub trait DraftRepository {
    /// Stores the person's draft in place of their earlier one; `created_at` stays that of the first.
    async fn put_draft(&mut self, draft: &Draft) -> StorageResult<()>;

    /// The person's draft.
    async fn find_draft(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
    ) -> StorageResult<Option<Draft>>;

    /// Drops the person's draft; whether there was one.
    async fn remove_draft(&mut self, tenant_id: TenantId, user_id: UserId) -> StorageResult<bool>;
}
