//! What an operator may do to bindings on the command line, the hidden ones of this edition included.

use daybind_domain::ids::{ProfileId, TenantId};
use daybind_domain::{AppError, Consumer};
use serde_json::json;

use super::App;
use crate::audit;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::port::CalendarPort;

/// A binding as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Which consumer.
    pub consumer: Consumer,
    /// To which profile.
    pub profile_id: ProfileId,
    /// The profile's name.
    pub profile: String,
    /// Whether this edition shows it.
    pub visible: bool,
}

/// Which bindings to lift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clear {
    /// This one.
    One(Consumer),
    /// All that this edition does not show.
    Hidden,
}

/// All bindings of a tenant, hidden ones included.
///
/// # Errors
/// An internal error.
pub async fn bound(services: &Services, tenant_id: TenantId) -> AppResult<Vec<Bound>> {
    let mut unit = services.read(tenant_id).await?;
    let profiles = unit.list_profiles(tenant_id).await.map_err(internal)?;
    let bindings = unit.list_bindings(tenant_id).await.map_err(internal)?;
    let visible = services.edition.visible_consumers();
    Ok(bindings
        .into_iter()
        .map(|row| Bound {
            consumer: row.consumer,
            profile_id: row.profile_id,
            profile: profiles
                .iter()
                .find(|profile| profile.profile_id == row.profile_id)
                .map(|profile| profile.fields.display_name.clone())
                .unwrap_or_default(),
            visible: visible.contains(&row.consumer),
        })
        .collect())
}

/// Lifts bindings. A hidden consumer's runtime is not there to be told: when the edition that has it runs again, it
/// finds no binding and says so. There is no undo. Returns what was lifted.
///
/// # Errors
/// An unknown tenant; an internal error.
pub async fn clear(
    services: &Services,
    port: &dyn CalendarPort,
    tenant_id: TenantId,
    which: Clear,
) -> AppResult<Vec<Bound>> {
    let mut lifted = bound(services, tenant_id).await?;
    lifted.retain(|row| match which {
        Clear::One(consumer) => row.consumer == consumer,
        Clear::Hidden => !row.visible,
    });
    let mut unit = services.begin(tenant_id).await?;
    if unit.list_tenants().await.map_err(internal)?.is_empty() {
        return Err(AppError::not_found("The tenant"));
    }
    for row in &lifted {
        unit.clear_binding(tenant_id, row.consumer)
            .await
            .map_err(internal)?;
        unit.remove_undo(tenant_id, row.consumer)
            .await
            .map_err(internal)?;
        if row.visible && row.consumer != Consumer::MspSso {
            port.consumer_rebound(unit.as_mut(), tenant_id, row.consumer, None::<&App>)
                .await?;
        }
        let detail = json!({
            "before": { "profile": row.profile, "profile_id": row.profile_id.to_string() },
            "after": null,
            "by": "command_line",
        });
        let subject = format!("consumer:{}", row.consumer.as_str());
        let entry = audit::row(
            services,
            tenant_id,
            None,
            "binding.cleared",
            subject,
            detail,
        );
        unit.add_audit(&entry).await.map_err(internal)?;
    }
    unit.save().await.map_err(internal)?;
    Ok(lifted)
}
