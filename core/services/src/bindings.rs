//! Which Microsoft profile a consumer uses: the explicit row, and nothing else (PRD, "Consumer Resolution").

use daybind_domain::ids::{ProfileId, TenantId};
use daybind_domain::user::Permission;
use daybind_domain::{AppError, CONSUMER_ENTERPRISE_ONLY, Consumer, ErrorCode};
use daybind_storage::{Binding, Profile, StorageError, UnitOfWork};
use secrecy::SecretString;

use crate::auth::Actor;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::port::CalendarPort;
use crate::profiles::{missing, secret_place};

/// A profile ready for use by one consumer. The secret leaves the server only towards Microsoft.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Which profile.
    pub profile_id: ProfileId,
    /// Its version, to notice later changes.
    pub profile_version: i64,
    /// Application (client) ID.
    pub client_id: String,
    /// Directory (tenant) ID or verified domain.
    pub directory_id: String,
    /// The client secret.
    pub client_secret: SecretString,
}

/// Resolves the profile of a consumer for one tenant.
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
    if !services.edition.visible_consumers().contains(&consumer) {
        return Err(AppError::new(
            ErrorCode::EnterpriseOnly,
            CONSUMER_ENTERPRISE_ONLY,
        ));
    }
    let label = consumer.label();
    let binding = unit.find_binding(tenant_id, consumer).await.map_err(internal)?.ok_or_else(|| {
        AppError::new(ErrorCode::NotReady, format!("{label} is not bound to a Microsoft profile."))
            .next_step(format!(
                "Ask an administrator to open Settings > Integrations > Providers and choose a profile for {label}."
            ))
    })?;
    let profile = unit
        .find_profile(tenant_id, binding.profile_id)
        .await
        .map_err(internal)?
        .ok_or_else(|| AppError::not_found("The bound Microsoft profile"))?;
    let lacking = missing(&profile);
    let Some(sealed) = profile
        .client_secret_sealed
        .as_ref()
        .filter(|_| lacking.is_empty())
    else {
        return Err(AppError::new(
            ErrorCode::NotReady,
            format!(
                "The Microsoft profile bound to {label} is not ready: {}.",
                lacking.join(", ")
            ),
        )
        .next_step("Ask an administrator to complete it in Settings > Integrations > Providers."));
    };
    let client_secret = services
        .keyring
        .open(&secret_place(tenant_id, profile.profile_id), sealed)
        .map_err(internal)?;
    Ok(Resolved {
        profile_id: profile.profile_id,
        profile_version: profile.version,
        client_id: profile.fields.client_id,
        directory_id: profile.fields.directory_id,
        client_secret,
    })
}

/// Binds a consumer to a profile and touches no other consumer.
///
/// # Errors
/// Forbidden; enterprise-only consumer; unknown or archived profile.
pub async fn set_binding(
    services: &Services,
    port: &dyn CalendarPort,
    actor: &Actor,
    consumer: &str,
    profile_id: &str,
) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let consumer = Consumer::parse(consumer)
        .ok_or_else(|| AppError::field("consumer", "This is not a Microsoft consumer."))?;
    if !services.edition.visible_consumers().contains(&consumer) {
        return Err(AppError::new(
            ErrorCode::EnterpriseOnly,
            CONSUMER_ENTERPRISE_ONLY,
        ));
    }
    let profile_id: ProfileId = profile_id
        .parse()
        .map_err(|_| AppError::field("profile_id", "Choose a Microsoft profile."))?;
    let mut unit = services.begin(actor.tenant_id).await?;
    let profile = unit
        .find_profile(actor.tenant_id, profile_id)
        .await
        .map_err(internal)?
        .ok_or_else(|| AppError::not_found("The Microsoft profile"))?;
    if profile.archived_at.is_some() {
        return Err(archived(&profile));
    }
    let before = unit
        .find_binding(actor.tenant_id, consumer)
        .await
        .map_err(internal)?;
    let binding = Binding {
        tenant_id: actor.tenant_id,
        consumer,
        profile_id,
        updated_by: actor.user_id(),
        updated_at: services.now(),
    };
    unit.set_binding(&binding)
        .await
        .map_err(|error| match error {
            StorageError::Reference(_) => archived(&profile),
            other => internal(other),
        })?;
    let changed = before
        .as_ref()
        .is_some_and(|old| old.profile_id != profile_id);
    if consumer == Consumer::Calendar && changed {
        port.calendar_rebound(unit.as_mut(), actor.tenant_id, &profile.fields.client_id)
            .await?;
    }
    let row = actor.audit(
        services,
        "binding.set",
        format!("consumer:{}", consumer.as_str()),
        serde_json::json!({
            "before": before.map(|old| old.profile_id.to_string()),
            "after": profile_id.to_string(),
        }),
    );
    unit.add_audit(&row).await.map_err(internal)?;
    unit.save().await.map_err(internal)
}

fn archived(profile: &Profile) -> AppError {
    AppError::new(
        ErrorCode::Conflict,
        format!(
            "{} is archived and cannot be bound.",
            profile.fields.display_name
        ),
    )
    .next_step("Choose an active profile.")
}
