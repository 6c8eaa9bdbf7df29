//! Changing a binding: one consumer, one transaction.

use daybind_domain::bindings::{ImpactKind, ImpactLine};
use daybind_domain::ids::TenantId;
use daybind_domain::user::Permission;
use daybind_domain::{AppError, Consumer, ErrorCode};
use daybind_storage::{AuditRow, Binding, BindingUndo, Profile, StorageError, UnitOfWork};
use daybind_words::t;
use serde_json::{Value, json};

use super::review::Plan;
use super::undo::UNDO_FOR;
use super::{App, archived, changed_meanwhile, stamp, visible};
use crate::audit;
use crate::auth::Actor;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::port::CalendarPort;

/// A change as it was confirmed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change<'a> {
    /// Stored name of the consumer.
    pub consumer: &'a str,
    /// The profile's id; empty to unbind.
    pub profile_id: &'a str,
    /// What the review said was bound ([`daybind_domain::bindings::RebindReview::seen`]); `None` to change whatever is.
    pub seen: Option<&'a str>,
    /// Why, for the audit log; may be empty.
    pub note: &'a str,
    /// The consumer's label as typed, asked for when the impact could not be found out.
    pub typed: &'a str,
}

/// Binds a consumer to a profile, or unbinds it, and touches no other consumer.
///
/// # Errors
/// Forbidden; enterprise-only consumer; unknown, archived or incomplete profile; a rule against unbinding; somebody
/// changed the binding since the review.
pub async fn change(
    services: &Services,
    port: &dyn CalendarPort,
    actor: &Actor,
    change: Change<'_>,
) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let consumer = visible(services, change.consumer)?;
    let mut unit = services.begin(actor.tenant_id).await?;
    let plan = Plan::read(unit.as_mut(), actor.tenant_id, consumer, change.profile_id).await?;
    if change
        .seen
        .is_some_and(|seen| seen != stamp(plan.before.as_ref()))
    {
        return Err(changed_meanwhile(consumer.label()));
    }
    if plan.unchanged() {
        return Ok(());
    }
    if let Some(profile) = &plan.to
        && profile.archived_at.is_some()
    {
        return Err(archived(profile));
    }
    if !plan.refused.is_empty() {
        return Err(refused(consumer, &plan));
    }
    let impact = match plan
        .impact(port, unit.as_mut(), actor.tenant_id, consumer)
        .await
    {
        Ok(lines) => Some(lines),
        // A failed statement ends a PostgreSQL transaction, so the change starts over without asking again.
        Err(_) if change.typed.trim().eq_ignore_ascii_case(consumer.label()) => {
            drop(unit);
            unit = services.begin(actor.tenant_id).await?;
            None
        }
        Err(error) => {
            let message = t!(
                "Type {} to go on without knowing the impact.",
                consumer.label()
            );
            return Err(AppError {
                reference: error.reference,
                ..AppError::field("typed", message)
            });
        }
    };
    let now = services.now();
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
    let memo = tell(
        port,
        unit.as_mut(),
        actor.tenant_id,
        consumer,
        plan.to.as_ref(),
    )
    .await?;
    unit.note_undo(&BindingUndo {
        tenant_id: actor.tenant_id,
        consumer,
        before: plan.before.as_ref().map(|row| row.profile_id),
        after: plan.to.as_ref().map(|profile| profile.profile_id),
        changed_by: actor.user_id(),
        changed_at: now,
        undo_until: now + UNDO_FOR,
        memo,
    })
    .await
    .map_err(internal)?;
    let action = if plan.to.is_some() {
        "binding.set"
    } else {
        "binding.cleared"
    };
    let row = row(services, actor, action, consumer, &plan, impact.as_deref());
    unit.add_audit(&AuditRow {
        note: audit::note(change.note),
        ..row
    })
    .await
    .map_err(internal)?;
    unit.save().await.map_err(internal)?;
    services.wake.notify_one();
    Ok(())
}

/// Binds a consumer to a profile whatever it is bound to now; for set-up without a review.
///
/// # Errors
/// As [`change`].
pub async fn set_binding(
    services: &Services,
    port: &dyn CalendarPort,
    actor: &Actor,
    consumer: &str,
    profile_id: &str,
) -> AppResult<()> {
    let profile_id = profile_id.trim();
    if profile_id.is_empty() {
        actor.require(Permission::SettingsUpdate)?;
        return Err(AppError::field(
            "profile_id",
            t!("Choose a Microsoft profile."),
        ));
    }
    let wanted = Change {
        consumer,
        profile_id,
        ..Change::default()
    };
    change(services, port, actor, wanted).await
}

/// What the consumer's runtime does about the change, and what it needs to put back.
async fn tell(
    port: &dyn CalendarPort,
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    consumer: Consumer,
    to: Option<&Profile>,
) -> AppResult<Value> {
    match consumer {
        // Sign-in reads the binding each time and keeps nothing that a profile issued.
        Consumer::MspSso => Ok(Value::Null),
        Consumer::Email | Consumer::Calendar | Consumer::Teams => {
            let app = to.map(App::of);
            port.consumer_rebound(unit, tenant_id, consumer, app.as_ref())
                .await
        }
    }
}

fn refused(consumer: Consumer, plan: &Plan) -> AppError {
    let reasons = plan.refused.join(", ");
    match &plan.to {
        Some(profile) => AppError::new(
            ErrorCode::NotReady,
            t!("{} is not ready: {reasons}.", profile.fields.display_name),
        )
        .next_step(t!(
            "Complete the profile first, or choose another one for {}.",
            consumer.label()
        )),
        None => AppError::new(
            ErrorCode::Conflict,
            t!("{} cannot be unbound: {reasons}.", consumer.label()),
        ),
    }
}

/// Why the database did not take a change.
pub(super) fn lost(error: StorageError, consumer: Consumer, to: Option<&Profile>) -> AppError {
    match (error, to) {
        (StorageError::Stale, _) => changed_meanwhile(consumer.label()),
        // Archived between our look and our write.
        (StorageError::Reference(_), Some(profile)) => archived(profile),
        (other, _) => internal(other),
    }
}

/// The audit row of a change.
pub(super) fn row(
    services: &Services,
    actor: &Actor,
    action: &str,
    consumer: Consumer,
    plan: &Plan,
    impact: Option<&[ImpactLine]>,
) -> AuditRow {
    let side = |profile: Option<&Profile>| {
        profile.map(|profile| {
            json!({
                "profile": profile.fields.display_name,
                "profile_id": profile.profile_id.to_string(),
            })
        })
    };
    let mut detail = json!({
        "before": side(plan.from.as_ref()),
        "after": side(plan.to.as_ref()),
    });
    match impact {
        Some(lines) => {
            let must_act: usize = lines
                .iter()
                .filter(|line| line.kind == ImpactKind::MustAct)
                .map(|line| line.count)
                .sum();
            if must_act > 0 {
                detail["must_reconnect"] = must_act.into();
            }
        }
        None => detail["impact"] = "unknown".into(),
    }
    actor.audit(
        services,
        action,
        format!("consumer:{}", consumer.as_str()),
        detail,
    )
}
