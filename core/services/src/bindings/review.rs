//! What a change would do, before it is done.

use daybind_domain::bindings::{ImpactKind, ImpactLine, RebindChoices, RebindReview};
use daybind_domain::ids::TenantId;
use daybind_domain::user::Permission;
use daybind_domain::{AppError, Consumer};
use daybind_storage::{Binding, Profile, UnitOfWork};
use daybind_words::t;

use super::{App, profile_ref, stamp, visible};
use crate::auth::Actor;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::port::CalendarPort;
use crate::profiles::missing;

/// A change as far as it can be known before it is made.
pub(super) struct Plan {
    pub before: Option<Binding>,
    pub from: Option<Profile>,
    pub to: Option<Profile>,
    /// Why it cannot be done; empty when it can.
    pub refused: Vec<String>,
}

impl Plan {
    /// Reads what is bound and what would be; `to` is a profile's id, or empty to unbind.
    pub(super) async fn read(
        unit: &mut dyn UnitOfWork,
        tenant_id: TenantId,
        consumer: Consumer,
        to: &str,
    ) -> AppResult<Self> {
        let before = unit
            .find_binding(tenant_id, consumer)
            .await
            .map_err(internal)?;
        let from = match &before {
            Some(row) => unit
                .find_profile(tenant_id, row.profile_id)
                .await
                .map_err(internal)?,
            None => None,
        };
        let to = if to.is_empty() {
            None
        } else {
            let id = to
                .parse()
                .map_err(|_| AppError::field("profile_id", t!("Choose a Microsoft profile.")))?;
            let found = unit.find_profile(tenant_id, id).await.map_err(internal)?;
            Some(found.ok_or_else(|| AppError::not_found(t!("The Microsoft profile")))?)
        };
        let refused = match &to {
            Some(profile) => missing(profile),
            None if before.is_none() => Vec::new(),
            None => unbind_refusals(unit, tenant_id, consumer).await?,
        };
        Ok(Self {
            before,
            from,
            to,
            refused,
        })
    }

    /// Nothing would change.
    pub(super) fn unchanged(&self) -> bool {
        match (&self.before, &self.to) {
            (None, None) => true,
            (Some(before), Some(to)) => before.profile_id == to.profile_id,
            _ => false,
        }
    }

    /// Both are the same application in the same directory: what one issued works with the other.
    pub(super) fn same_app(&self) -> bool {
        matches!((&self.from, &self.to), (Some(from), Some(to)) if App::of(from) == App::of(to))
    }

    /// The counted, named impact.
    ///
    /// # Errors
    /// When the consumer's runtime cannot tell.
    pub(super) async fn impact(
        &self,
        port: &dyn CalendarPort,
        unit: &mut dyn UnitOfWork,
        tenant_id: TenantId,
        consumer: Consumer,
    ) -> AppResult<Vec<ImpactLine>> {
        if self.unchanged() {
            return Ok(Vec::new());
        }
        let mut lines = match consumer {
            Consumer::MspSso => sign_in(self),
            Consumer::Email | Consumer::Calendar | Consumer::Teams => {
                let to = self.to.as_ref().map(App::of);
                port.rebind_impact(unit, tenant_id, consumer, to.as_ref())
                    .await?
            }
        };
        lines.sort_by_key(|line| line.kind);
        Ok(lines)
    }
}

/// Who could not sign in any more without Microsoft must be given another way first.
async fn unbind_refusals(
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    consumer: Consumer,
) -> AppResult<Vec<String>> {
    if consumer != Consumer::MspSso {
        return Ok(Vec::new());
    }
    let locked_out = unit
        .list_without_password(tenant_id)
        .await
        .map_err(internal)?;
    Ok(match locked_out.as_slice() {
        [] => Vec::new(),
        people => {
            let names: Vec<_> = people
                .iter()
                .take(ImpactLine::NAMES)
                .map(|user| user.display_name.as_str())
                .collect();
            vec![t!(
                "{} can only sign in with Microsoft and would be locked out. Give them a password first, or bind another profile instead",
                names.join(", ")
            )]
        }
    })
}

fn sign_in(plan: &Plan) -> Vec<ImpactLine> {
    let Some(to) = &plan.to else {
        return vec![
            ImpactLine::note(t!(
                "Signing in with Microsoft stops. People sign in with work email and password."
            )),
            ImpactLine::note(t!("Whoever is signed in stays signed in.")),
        ];
    };
    let mut lines = vec![
        ImpactLine::note(t!("Whoever is signed in stays signed in.")),
        ImpactLine::note(t!(
            "The next sign-in with Microsoft uses {}.",
            to.fields.display_name
        )),
    ];
    if let Some(from) = &plan.from
        && (from.fields.directory_id != to.fields.directory_id
            || from.fields.cloud != to.fields.cloud)
    {
        lines.push(ImpactLine {
            kind: ImpactKind::Invalidated,
            count: 0,
            text: t!(
                "Microsoft accounts of the directory {} are not accepted any more, only those of {}.",
                from.fields.directory_id, to.fields.directory_id
            ),
            names: Vec::new(),
        });
    }
    lines
}

/// What a consumer can be bound to.
///
/// # Errors
/// Forbidden without `system_settings:read`; a consumer this edition does not have.
pub async fn choices(
    services: &Services,
    actor: &Actor,
    consumer: &str,
) -> AppResult<RebindChoices> {
    actor.require(Permission::SettingsRead)?;
    let consumer = visible(services, consumer)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let plan = Plan::read(unit.as_mut(), actor.tenant_id, consumer, "").await?;
    let profiles = unit
        .list_profiles(actor.tenant_id)
        .await
        .map_err(internal)?;
    Ok(RebindChoices {
        consumer: consumer.as_str().to_owned(),
        label: consumer.label().to_owned(),
        from: plan.from.as_ref().map(profile_ref),
        choices: profiles
            .iter()
            .filter(|profile| profile.archived_at.is_none())
            .map(profile_ref)
            .collect(),
        can_update: actor.may(Permission::SettingsUpdate),
    })
}

/// What binding `consumer` to the profile `to` would do; an empty `to` asks about unbinding. Changes nothing.
///
/// # Errors
/// Forbidden without `system_settings:read`; a consumer this edition does not have; an unknown profile.
pub async fn review(
    services: &Services,
    port: &dyn CalendarPort,
    actor: &Actor,
    consumer: &str,
    to: &str,
) -> AppResult<RebindReview> {
    actor.require(Permission::SettingsRead)?;
    let consumer = visible(services, consumer)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let plan = Plan::read(unit.as_mut(), actor.tenant_id, consumer, to).await?;
    let impact = plan
        .impact(port, unit.as_mut(), actor.tenant_id, consumer)
        .await;
    Ok(RebindReview {
        consumer: consumer.as_str().to_owned(),
        label: consumer.label().to_owned(),
        same_app: plan.same_app(),
        unchanged: plan.unchanged(),
        seen: stamp(plan.before.as_ref()),
        // Why it is unknown has been logged where it failed.
        impact: impact.ok(),
        from: plan.from.as_ref().map(profile_ref),
        to: plan.to.as_ref().map(profile_ref),
        refused: plan.refused,
        can_update: actor.may(Permission::SettingsUpdate),
    })
}
