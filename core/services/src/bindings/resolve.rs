//! Resolution: from a consumer to the one profile it is bound to, or to why there is none.

use daybind_domain::ids::{ProfileId, TenantId};
use daybind_domain::{AppError, CONSUMER_ENTERPRISE_ONLY, Cloud, Consumer, Edition, ErrorCode};
use daybind_storage::{Binding, Profile, UnitOfWork};
use daybind_words::t;
use secrecy::SecretString;

use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::profiles::{missing, secret_place};

/// A profile ready for use by one consumer. The secret leaves the server only towards Microsoft.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Which profile.
    pub profile_id: ProfileId,
    /// Its version, to notice later changes.
    pub profile_version: i64,
    /// Microsoft's cloud it is in.
    pub cloud: Cloud,
    /// Application (client) ID.
    pub client_id: String,
    /// Directory (tenant) ID or verified domain.
    pub directory_id: String,
    /// The client secret.
    pub client_secret: SecretString,
}

/// Why a consumer has no profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unresolved {
    /// The edition does not have the consumer, whatever the database says.
    EnterpriseOnly,
    /// There is no row.
    NotBound,
    /// The row points at nothing of this tenant's.
    ProfileMissing,
    /// The profile is archived.
    Archived,
    /// The profile lacks something.
    Incomplete(Vec<String>),
}

impl Unresolved {
    /// What a user sees, with the next step.
    #[must_use]
    pub fn error(self, consumer: Consumer) -> AppError {
        let label = consumer.label();
        match self {
            Self::EnterpriseOnly => AppError::new(ErrorCode::EnterpriseOnly, CONSUMER_ENTERPRISE_ONLY),
            Self::NotBound => AppError::new(
                ErrorCode::NotReady,
                t!("{label} is not bound to a Microsoft profile."),
            )
            .next_step(t!(
                "Ask an administrator to open Settings > Integrations > Providers and choose a profile for {label}."
            )),
            Self::ProfileMissing => AppError::new(
                ErrorCode::NotReady,
                t!("The Microsoft profile bound to {label} does not exist any more."),
            )
            .next_step(t!(
                "Ask an administrator to choose another profile for {label} in Settings > Integrations > Providers."
            )),
            Self::Archived => AppError::new(
                ErrorCode::NotReady,
                t!("The Microsoft profile bound to {label} is archived."),
            )
            .next_step(t!(
                "Ask an administrator to restore it, or to choose another profile for {label}, in Settings > Integrations > Providers."
            )),
            Self::Incomplete(lacking) => AppError::new(
                ErrorCode::NotReady,
                t!(
                    "The Microsoft profile bound to {label} is not ready: {}.",
                    lacking.join(", ")
                ),
            )
            .next_step(t!("Ask an administrator to complete it in Settings > Integrations > Providers.")),
        }
    }
}

/// The whole rule. `binding` and `profile` are what the database holds for this tenant and consumer; nothing else is
/// asked, so there is nothing to fall back to: no default profile, no other consumer's binding, no other tenant's row.
///
/// # Errors
/// Why there is no profile.
pub fn decide<'a>(
    edition: Edition,
    tenant_id: TenantId,
    consumer: Consumer,
    binding: Option<&Binding>,
    profile: Option<&'a Profile>,
) -> Result<&'a Profile, Unresolved> {
    if !edition.visible_consumers().contains(&consumer) {
        return Err(Unresolved::EnterpriseOnly);
    }
    let binding = binding
        .filter(|row| row.tenant_id == tenant_id && row.consumer == consumer)
        .ok_or(Unresolved::NotBound)?;
    let profile = profile
        .filter(|row| row.tenant_id == tenant_id && row.profile_id == binding.profile_id)
        .ok_or(Unresolved::ProfileMissing)?;
    if profile.archived_at.is_some() {
        return Err(Unresolved::Archived);
    }
    let lacking = missing(profile);
    if lacking.is_empty() {
        Ok(profile)
    } else {
        Err(Unresolved::Incomplete(lacking))
    }
}

/// The profile a consumer is bound to, ready or not, or why it must not be used. Reads only.
///
/// # Errors
/// An internal error when the database does not answer.
pub async fn bound_profile(
    services: &Services,
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    consumer: Consumer,
) -> AppResult<Result<Profile, Unresolved>> {
    // What the edition does not have is not even looked up.
    if let Err(Unresolved::EnterpriseOnly) =
        decide(services.edition, tenant_id, consumer, None, None)
    {
        return Ok(Err(Unresolved::EnterpriseOnly));
    }
    let binding = unit
        .find_binding(tenant_id, consumer)
        .await
        .map_err(internal)?;
    let profile = match &binding {
        Some(row) => unit
            .find_profile(tenant_id, row.profile_id)
            .await
            .map_err(internal)?,
        None => None,
    };
    let decided = decide(
        services.edition,
        tenant_id,
        consumer,
        binding.as_ref(),
        profile.as_ref(),
    );
    Ok(decided.cloned())
}

/// Resolves the profile of a consumer for one tenant, with its secret.
///
/// # Errors
/// [`ErrorCode::EnterpriseOnly`] for a consumer this edition does not have; [`ErrorCode::NotReady`] when it is unbound,
/// or bound to a profile that is archived or incomplete. There is no fallback of any kind.
pub async fn resolve(
    services: &Services,
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    consumer: Consumer,
) -> AppResult<Resolved> {
    let profile = bound_profile(services, unit, tenant_id, consumer)
        .await?
        .map_err(|why| why.error(consumer))?;
    let Some(sealed) = profile.client_secret_sealed.as_ref() else {
        return Err(Unresolved::Incomplete(missing(&profile)).error(consumer));
    };
    let client_secret = services
        .keyring
        .open(&secret_place(tenant_id, profile.profile_id), sealed)
        .map_err(internal)?;
    Ok(Resolved {
        profile_id: profile.profile_id,
        profile_version: profile.version,
        cloud: profile.fields.cloud,
        client_id: profile.fields.client_id,
        directory_id: profile.fields.directory_id,
        client_secret,
    })
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
