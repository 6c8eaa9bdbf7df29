//! A profile's client secret through a rollover: the new one is proven while the old one works, the switch is one
//! click, and so is the way back for as long as the overlap lasts.

use chrono::TimeDelta;
use daybind_domain::ids::{ProfileId, TenantId};
use daybind_domain::profile::check_secret;
use daybind_domain::user::Permission;
use daybind_domain::{AppError, ErrorCode};
use daybind_storage::{
    ClaimedJob, FinishJob, NewJob, Profile, SecretMeta, SecretSlot, StagedSecret, UnitOfWork,
};
use daybind_words::t;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{find, guard, parse_expiry, parse_id, secret_place, subject};
use crate::audit;
use crate::auth::Actor;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::jobs;
use crate::seal::SecretPlace;
use crate::upkeep;
use crate::verify;

/// The job that destroys a previous secret at the end of its overlap; the key is the profile's id.
pub const DESTROY: &str = "profile.destroy_secret";
/// How long the previous secret is kept, in hours, unless something else is chosen.
pub const OVERLAP_HOURS: i64 = 24;
/// What can be chosen instead.
pub const OVERLAP_CHOICES: [i64; 4] = [1, 24, 72, 168];

/// The last four characters of a secret long enough that they tell nothing.
#[must_use]
pub fn last_four(secret: &str) -> String {
    let count = secret.chars().count();
    if count < 12 {
        String::new()
    } else {
        secret.chars().skip(count - 4).collect()
    }
}

/// A constant-length mask, so that nothing about the secret's length shows.
#[must_use]
pub fn mask(last4: Option<&str>) -> String {
    format!("••••••••{}", last4.unwrap_or_default())
}

/// Where a staged secret is sealed. Each slot is a place of its own: a value moved between slots does not open.
#[must_use]
pub fn staged_place(tenant_id: TenantId, profile_id: ProfileId, slot: SecretSlot) -> SecretPlace {
    SecretPlace {
        tenant_id,
        table: "microsoft_profile_secrets",
        row: profile_id.0,
        column: slot.as_str(),
    }
}

async fn active(
    services: &Services,
    actor: &Actor,
    profile_id: ProfileId,
) -> AppResult<(Box<dyn UnitOfWork>, Profile)> {
    let mut unit = services.begin(actor.tenant_id).await?;
    let profile = find(unit.as_mut(), actor.tenant_id, profile_id).await?;
    if profile.archived_at.is_some() {
        return Err(AppError::new(
            ErrorCode::Conflict,
            t!("{} is archived.", profile.fields.display_name),
        )
        .next_step(t!("Restore it before you rotate its secret.")));
    }
    Ok((unit, profile))
}

async fn slot(
    unit: &mut dyn UnitOfWork,
    profile: &Profile,
    wanted: SecretSlot,
) -> AppResult<StagedSecret> {
    unit.list_secrets(profile.tenant_id, profile.profile_id)
        .await
        .map_err(internal)?
        .into_iter()
        .find(|secret| secret.slot == wanted)
        .ok_or_else(|| {
            let text = match wanted {
                SecretSlot::Next => t!("There is no new secret waiting."),
                SecretSlot::Previous => t!("The previous secret has been destroyed."),
            };
            AppError::new(ErrorCode::Conflict, text)
                .next_step(t!("Reload the page to see which secrets there are."))
        })
}

/// Takes in a new secret beside the one in use and asks Microsoft about it. Nothing changes for any consumer.
///
/// # Errors
/// Forbidden; not found; archived; the value or the date is wrong; Microsoft says that it is not this application's
/// secret (nothing is stored then). A secret Microsoft could not be asked about is stored and waits for
/// [`verify_next`].
pub async fn stage(
    services: &Services,
    actor: &Actor,
    profile_id: &str,
    secret: &SecretString,
    expires_on: &str,
) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let profile_id = parse_id(profile_id)?;
    let checked = check_secret(secret.expose_secret());
    let date = parse_expiry(expires_on);
    let (value, expires_on) = match (checked, date) {
        (Ok(value), Ok(date)) => (value, date),
        (checked, date) => {
            let mut wrong = Vec::new();
            wrong.extend(
                checked
                    .err()
                    .map(|text| super::field("client_secret", text)),
            );
            wrong.extend(
                date.err()
                    .map(|text| super::field("secret_expires_on", text)),
            );
            return Err(AppError::invalid(wrong));
        }
    };
    let value = SecretString::from(value);
    let (unit, profile) = active(services, actor, profile_id).await?;
    drop(unit);
    // Microsoft is asked outside of any transaction.
    let proven = match verify::prove_secret(services, &profile.fields, &value).await {
        verify::Proof::Accepted => true,
        verify::Proof::Refused(explanation) => {
            return Err(AppError::field(
                "client_secret",
                format!("{} {}", explanation.meaning, explanation.next_step),
            ));
        }
        verify::Proof::Unknown => false,
    };
    let now = services.now();
    let (mut unit, profile) = active(services, actor, profile_id).await?;
    let place = staged_place(actor.tenant_id, profile_id, SecretSlot::Next);
    unit.put_secret(&StagedSecret {
        tenant_id: actor.tenant_id,
        profile_id,
        slot: SecretSlot::Next,
        secret_sealed: services.keyring.seal(&place, &value).map_err(internal)?,
        last4: last_four(value.expose_secret()),
        added_by: Some(actor.user_id()),
        added_at: Some(now),
        expires_on,
        verified_at: proven.then_some(now),
        destroy_at: None,
    })
    .await
    .map_err(internal)?;
    let detail = json!({
        "display_name": profile.fields.display_name,
        "client_secret": "staged",
        "secret_expires_on": expires_on,
        "verified": proven,
    });
    finish(
        services,
        actor,
        unit,
        "profile.secret_staged",
        profile_id,
        detail,
    )
    .await
}

/// Asks Microsoft about the waiting secret again.
///
/// # Errors
/// Forbidden; nothing waits; Microsoft refuses it, or did not answer.
pub async fn verify_next(services: &Services, actor: &Actor, profile_id: &str) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let profile_id = parse_id(profile_id)?;
    let (mut unit, profile) = active(services, actor, profile_id).await?;
    let next = slot(unit.as_mut(), &profile, SecretSlot::Next).await?;
    drop(unit);
    let place = staged_place(actor.tenant_id, profile_id, SecretSlot::Next);
    let value = services
        .keyring
        .open(&place, &next.secret_sealed)
        .map_err(internal)?;
    match verify::prove_secret(services, &profile.fields, &value).await {
        verify::Proof::Accepted => {}
        verify::Proof::Refused(explanation) => {
            return Err(AppError::new(ErrorCode::Provider, explanation.meaning)
                .next_step(explanation.next_step));
        }
        verify::Proof::Unknown => {
            return Err(AppError::new(
                ErrorCode::Provider,
                t!("Microsoft did not give a usable answer."),
            )
            .next_step(t!("Nothing has changed. Try again in a few minutes.")));
        }
    }
    let (mut unit, profile) = active(services, actor, profile_id).await?;
    let now = slot(unit.as_mut(), &profile, SecretSlot::Next).await?;
    if now.added_at != next.added_at {
        return Err(guard::changed(daybind_storage::StorageError::Stale));
    }
    unit.put_secret(&StagedSecret {
        verified_at: Some(services.now()),
        ..now
    })
    .await
    .map_err(internal)?;
    let detail =
        json!({ "display_name": profile.fields.display_name, "client_secret": "verified" });
    finish(
        services,
        actor,
        unit,
        "profile.secret_verified",
        profile_id,
        detail,
    )
    .await
}

/// Makes the waiting secret the one in use and keeps the old one for the overlap.
///
/// # Errors
/// Forbidden; nothing waits; it is not verified; changed meanwhile.
pub async fn switch(
    services: &Services,
    actor: &Actor,
    profile_id: &str,
    version: i64,
    overlap_hours: i64,
) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let profile_id = parse_id(profile_id)?;
    if !OVERLAP_CHOICES.contains(&overlap_hours) {
        return Err(AppError::field(
            "overlap_hours",
            t!("Choose how long the previous secret is kept."),
        ));
    }
    let (mut unit, profile) = active(services, actor, profile_id).await?;
    let next = slot(unit.as_mut(), &profile, SecretSlot::Next).await?;
    if next.verified_at.is_none() {
        return Err(AppError::new(
            ErrorCode::NotReady,
            t!("The new secret has not been verified, so it cannot be put to use."),
        )
        .next_step(t!("Verify it first. The secret in use stays in use.")));
    }
    let now = services.now();
    let destroy_at = now + TimeDelta::hours(overlap_hours);
    if let Some(old) = demoted(services, &profile, SecretSlot::Previous)? {
        unit.put_secret(&StagedSecret {
            destroy_at: Some(destroy_at),
            ..old
        })
        .await
        .map_err(internal)?;
        unit.enqueue_job(&destroy_job(&profile, destroy_at), now)
            .await
            .map_err(internal)?;
    }
    promote(services, actor, unit.as_mut(), &profile, version, &next).await?;
    unit.remove_secret(actor.tenant_id, profile_id, SecretSlot::Next)
        .await
        .map_err(internal)?;
    let detail = json!({
        "display_name": profile.fields.display_name,
        "client_secret": "changed",
        "secret_expires_on": next.expires_on,
        "previous_kept_hours": overlap_hours,
    });
    finish(
        services,
        actor,
        unit,
        "profile.secret_switched",
        profile_id,
        detail,
    )
    .await
}

/// Goes back to the previous secret. The one that was in use waits again, verified, so that nothing is lost.
///
/// # Errors
/// Forbidden; the previous secret has been destroyed; changed meanwhile.
pub async fn switch_back(
    services: &Services,
    actor: &Actor,
    profile_id: &str,
    version: i64,
) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let profile_id = parse_id(profile_id)?;
    let (mut unit, profile) = active(services, actor, profile_id).await?;
    let previous = slot(unit.as_mut(), &profile, SecretSlot::Previous).await?;
    let now = services.now();
    // The job may be late; the promise is not.
    if previous.destroy_at.is_none_or(|at| at <= now) {
        return Err(AppError::new(
            ErrorCode::Conflict,
            t!("The previous secret has been destroyed."),
        )
        .next_step(t!("Reload the page to see which secrets there are.")));
    }
    if let Some(newer) = demoted(services, &profile, SecretSlot::Next)? {
        unit.put_secret(&StagedSecret {
            verified_at: Some(now),
            ..newer
        })
        .await
        .map_err(internal)?;
    }
    promote(services, actor, unit.as_mut(), &profile, version, &previous).await?;
    unit.remove_secret(actor.tenant_id, profile_id, SecretSlot::Previous)
        .await
        .map_err(internal)?;
    unit.remove_job(actor.tenant_id, DESTROY, &profile_id.to_string())
        .await
        .map_err(internal)?;
    let detail = json!({
        "display_name": profile.fields.display_name,
        "client_secret": "changed_back",
    });
    finish(
        services,
        actor,
        unit,
        "profile.secret_switched_back",
        profile_id,
        detail,
    )
    .await
}

/// Destroys a secret that is not in use, at once: the waiting one, or the previous one before its time.
///
/// # Errors
/// Forbidden; there is none.
pub async fn discard(
    services: &Services,
    actor: &Actor,
    profile_id: &str,
    which: &str,
) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let profile_id = parse_id(profile_id)?;
    let which = SecretSlot::parse(which)
        .ok_or_else(|| AppError::field("which", t!("Choose which secret to destroy.")))?;
    let mut unit = services.begin(actor.tenant_id).await?;
    let profile = find(unit.as_mut(), actor.tenant_id, profile_id).await?;
    slot(unit.as_mut(), &profile, which).await?;
    unit.remove_secret(actor.tenant_id, profile_id, which)
        .await
        .map_err(internal)?;
    if which == SecretSlot::Previous {
        unit.remove_job(actor.tenant_id, DESTROY, &profile_id.to_string())
            .await
            .map_err(internal)?;
    }
    let detail = json!({
        "display_name": profile.fields.display_name,
        "client_secret": "destroyed",
        "which": which.as_str(),
    });
    finish(
        services,
        actor,
        unit,
        "profile.secret_destroyed",
        profile_id,
        detail,
    )
    .await
}

/// The profile names another application or directory now: what was proven about a waiting secret is not proven any
/// more, and there is no way back to a secret of the other application.
pub(super) async fn rerouted(unit: &mut dyn UnitOfWork, profile: &Profile) -> AppResult<()> {
    let (tenant_id, profile_id) = (profile.tenant_id, profile.profile_id);
    let staged = unit
        .list_secrets(tenant_id, profile_id)
        .await
        .map_err(internal)?;
    for secret in staged {
        match secret.slot {
            SecretSlot::Next => {
                let unproven = StagedSecret {
                    verified_at: None,
                    ..secret
                };
                unit.put_secret(&unproven).await.map_err(internal)?;
            }
            SecretSlot::Previous => {
                unit.remove_secret(tenant_id, profile_id, SecretSlot::Previous)
                    .await
                    .map_err(internal)?;
            }
        }
    }
    Ok(())
}

/// The secret in use, sealed anew for a slot; `None` when there is none.
fn demoted(
    services: &Services,
    profile: &Profile,
    slot: SecretSlot,
) -> AppResult<Option<StagedSecret>> {
    if profile.client_secret_sealed.is_none() {
        return Ok(None);
    }
    let value = super::active_secret(services, profile)?;
    let place = staged_place(profile.tenant_id, profile.profile_id, slot);
    Ok(Some(StagedSecret {
        tenant_id: profile.tenant_id,
        profile_id: profile.profile_id,
        slot,
        secret_sealed: services.keyring.seal(&place, &value).map_err(internal)?,
        last4: profile.client_secret_last4.clone().unwrap_or_default(),
        added_by: profile.secret.added_by,
        added_at: profile.secret.added_at,
        expires_on: profile.secret.expires_on,
        verified_at: None,
        destroy_at: None,
    }))
}

/// Makes a staged secret the one in use.
async fn promote(
    services: &Services,
    actor: &Actor,
    unit: &mut dyn UnitOfWork,
    profile: &Profile,
    version: i64,
    staged: &StagedSecret,
) -> AppResult<()> {
    let from = staged_place(profile.tenant_id, profile.profile_id, staged.slot);
    let value = services
        .keyring
        .open(&from, &staged.secret_sealed)
        .map_err(internal)?;
    let to = secret_place(profile.tenant_id, profile.profile_id);
    let after = Profile {
        version,
        client_secret_sealed: Some(services.keyring.seal(&to, &value).map_err(internal)?),
        client_secret_last4: Some(staged.last4.clone()),
        secret: SecretMeta {
            added_by: staged.added_by,
            added_at: staged.added_at,
            expires_on: staged.expires_on,
        },
        updated_by: Some(actor.user_id()),
        updated_at: services.now(),
        ..profile.clone()
    };
    unit.update_profile(&after).await.map_err(guard::changed)?;
    upkeep::profile_changed(unit, after.tenant_id, after.profile_id, services.now())
        .await
        .map_err(internal)?;
    verify::carry_over(services, actor, unit, &after, staged.verified_at).await
}

async fn finish(
    services: &Services,
    actor: &Actor,
    mut unit: Box<dyn UnitOfWork>,
    action: &str,
    profile_id: ProfileId,
    detail: serde_json::Value,
) -> AppResult<()> {
    let row = actor.audit(services, action, subject(profile_id), detail);
    unit.add_audit(&row).await.map_err(internal)?;
    unit.save().await.map_err(internal)?;
    services.wake.notify_waiters();
    Ok(())
}

fn destroy_job(profile: &Profile, run_at: chrono::DateTime<chrono::Utc>) -> NewJob {
    NewJob {
        tenant_id: profile.tenant_id,
        kind: DESTROY,
        key: profile.profile_id.to_string(),
        payload: json!({}),
        run_at,
        max_attempts: 20,
    }
}

/// Destroys the previous secret of the job's profile if its time has come.
pub async fn destroy_due(services: &Services, job: &ClaimedJob) -> FinishJob {
    match destroy(services, job).await {
        Ok(end) => end,
        Err(error) => FinishJob::Retry {
            at: services.now() + jobs::backoff(job.attempt, None),
            error: error.reference.unwrap_or_else(|| "internal".to_owned()),
        },
    }
}

async fn destroy(services: &Services, job: &ClaimedJob) -> AppResult<FinishJob> {
    let Ok(profile_id) = job.key.parse::<ProfileId>() else {
        return Ok(FinishJob::Dead {
            error: "malformed_key".to_owned(),
        });
    };
    let now = services.now();
    let mut unit = services.begin(job.tenant_id).await?;
    let due = unit
        .list_secrets(job.tenant_id, profile_id)
        .await
        .map_err(internal)?
        .into_iter()
        .find(|secret| secret.slot == SecretSlot::Previous)
        .and_then(|secret| secret.destroy_at);
    match due {
        None => return Ok(FinishJob::Done),
        Some(at) if at > now => return Ok(FinishJob::Again(at)),
        Some(_) => {}
    }
    unit.remove_secret(job.tenant_id, profile_id, SecretSlot::Previous)
        .await
        .map_err(internal)?;
    let row = audit::row(
        services,
        job.tenant_id,
        None,
        "profile.secret_destroyed",
        subject(profile_id),
        json!({ "client_secret": "destroyed", "which": "previous" }),
    );
    unit.add_audit(&row).await.map_err(internal)?;
    unit.save().await.map_err(internal)?;
    Ok(FinishJob::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// U13: neither the length of a secret nor the end of a short one.
    #[test]
    fn a_mask_never_shows_a_secrets_length() {
        assert_eq!(mask(Some("abcd")), "••••••••abcd");
        assert_eq!(last_four("short"), "");
        assert_eq!(last_four("q8Q~0123456789wxyz"), "wxyz");
        let shown = |secret: &str| mask(Some(&last_four(secret)));
        assert_eq!(
            shown("q8Q~0123456789wxyz"),
            shown(&format!("{}wxyz", "a".repeat(200)))
        );
        assert_eq!(shown("short"), mask(None));
    }
}
