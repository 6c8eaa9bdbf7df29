//! Taking the last change back, within ten minutes.

use chrono::Duration;
use daybind_domain::user::Permission;
use daybind_domain::{AppError, Consumer, ErrorCode};
use daybind_storage::{Binding, BindingUndo, UnitOfWork};
use daybind_words::t;

use super::change::{lost, row};
use super::review::Plan;
use super::{App, changed_meanwhile, visible};
use crate::auth::Actor;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::port::CalendarPort;

/// How long a change can be taken back.
pub const UNDO_FOR: Duration = Duration::minutes(10);

/// Names a change, so that a later one is never taken back by mistake.
pub(super) fn token(change: &BindingUndo) -> String {
    change.changed_at.timestamp_micros().to_string()
}

/// Whether the binding still is what the change made it.
pub(super) fn stands(change: &BindingUndo, binding: Option<&Binding>) -> bool {
    match (change.after, binding) {
        (None, None) => true,
        (Some(after), Some(row)) => row.profile_id == after && row.updated_at == change.changed_at,
        _ => false,
    }
}

/// Takes the last change of a consumer's binding back: the binding, and what the consumer's runtime marked.
///
/// # Errors
/// Forbidden; enterprise-only consumer; too late; changed again since; the earlier profile was archived meanwhile.
pub async fn undo(
    services: &Services,
    port: &dyn CalendarPort,
    actor: &Actor,
    consumer: &str,
    change: &str,
) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let consumer = visible(services, consumer)?;
    let now = services.now();
    let mut unit = services.begin(actor.tenant_id).await?;
    let noted = unit
        .find_undo(actor.tenant_id, consumer)
        .await
        .map_err(internal)?
        .filter(|noted| noted.undo_until > now && token(noted) == change)
        .ok_or_else(|| too_late(consumer))?;
    let to = noted.before.map(|id| id.to_string()).unwrap_or_default();
    let plan = Plan::read(unit.as_mut(), actor.tenant_id, consumer, &to).await?;
    if !stands(&noted, plan.before.as_ref()) {
        return Err(changed_meanwhile(consumer.label()));
    }
    if let Some(profile) = &plan.to
        && profile.archived_at.is_some()
    {
        return Err(super::archived(profile));
    }
    let next = plan.to.as_ref().map(|profile| Binding {
        tenant_id: actor.tenant_id,
        consumer,
        profile_id: profile.profile_id,
        updated_by: actor.user_id(),
        updated_at: now,
    });
    unit.change_binding(
        actor.tenant_id,
        consumer,
        plan.before.as_ref(),
        next.as_ref(),
    )
    .await
    .map_err(|error| lost(error, consumer, plan.to.as_ref()))?;
    put_back(port, unit.as_mut(), &noted, &plan).await?;
    unit.remove_undo(actor.tenant_id, consumer)
        .await
        .map_err(internal)?;
    let row = row(
        services,
        actor,
        "binding.undone",
        consumer,
        &plan,
        Some(&[]),
    );
    unit.add_audit(&row).await.map_err(internal)?;
    unit.save().await.map_err(internal)?;
    services.wake.notify_one();
    Ok(())
}

async fn put_back(
    port: &dyn CalendarPort,
    unit: &mut dyn UnitOfWork,
    noted: &BindingUndo,
    plan: &Plan,
) -> AppResult<()> {
    if noted.consumer == Consumer::MspSso {
        return Ok(());
    }
    let app = plan.to.as_ref().map(App::of);
    port.rebind_undone(
        unit,
        noted.tenant_id,
        noted.consumer,
        app.as_ref(),
        &noted.memo,
    )
    .await
}

fn too_late(consumer: Consumer) -> AppError {
    AppError::new(
        ErrorCode::Conflict,
        t!(
            "This change of {} can no longer be taken back.",
            consumer.label()
        ),
    )
    .next_step(t!(
        "Choose Change and pick the earlier profile. The review says what that means."
    ))
}
