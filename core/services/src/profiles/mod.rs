//! Microsoft profiles: named app registrations, shared by both editions.

use daybind_words::t;

pub mod drafts;
mod guard;
pub mod secrets;
pub(crate) mod standing;
pub mod views;

use chrono::NaiveDate;
use daybind_domain::ids::{ProfileId, TenantId};
use daybind_domain::profile::{ProfileFields, check_profile, check_secret};
use daybind_domain::readiness::{self, Need, ProfileFacts};
use daybind_domain::user::Permission;
use daybind_domain::{AppError, Consumer, ErrorCode, FieldError};
use daybind_storage::{Profile, SecretMeta, StorageError, UnitOfWork};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::auth::Actor;
use crate::bindings::App;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::port::CalendarPort;
use crate::seal::SecretPlace;
use crate::upkeep;

pub use guard::in_use;
pub use secrets::{last_four, mask};
pub use views::{attention, detail, providers};

fn taken() -> &'static str {
    t!("Another active profile has this name. Choose a name that tells the two apart.")
}

/// Where a profile's client secret is sealed.
#[must_use]
pub fn secret_place(tenant_id: TenantId, profile_id: ProfileId) -> SecretPlace {
    SecretPlace {
        tenant_id,
        table: "microsoft_profiles",
        row: profile_id.0,
        column: "client_secret_sealed",
    }
}

/// The client secret in use. It leaves the server only towards Microsoft.
///
/// # Errors
/// [`ErrorCode::NotReady`] when there is none; an internal error when it does not open.
pub fn active_secret(services: &Services, profile: &Profile) -> AppResult<SecretString> {
    let sealed = profile.client_secret_sealed.as_ref().ok_or_else(|| {
        AppError::new(
            ErrorCode::NotReady,
            t!("{} has no client secret.", profile.fields.display_name),
        )
        .next_step(t!(
            "Ask an administrator to add it in Settings > Integrations > Providers."
        ))
    })?;
    services
        .keyring
        .open(&secret_place(profile.tenant_id, profile.profile_id), sealed)
        .map_err(internal)
}

/// What a profile lacks for the consumers this edition shows; the rules are in [`daybind_domain::readiness`].
#[must_use]
pub fn readiness(services: &Services, profile: &Profile) -> Vec<Need> {
    let facts: Vec<_> = services
        .guides()
        .map(|guide| guide.facts(services, &profile.fields.client_id))
        .collect();
    readiness::readiness(&facts_of(profile, services.now().date_naive()), &facts)
}

/// What stops every consumer from using a profile, in words; empty when nothing does. A date never stops anybody: when
/// a secret ends is Microsoft's to say.
#[must_use]
pub fn missing(profile: &Profile) -> Vec<String> {
    readiness::readiness(&facts_of(profile, NaiveDate::MIN), &[])
        .into_iter()
        .filter(|need| need.blocks)
        .map(|need| need.what)
        .collect()
}

fn facts_of(profile: &Profile, today: NaiveDate) -> ProfileFacts<'_> {
    ProfileFacts {
        archived: profile.archived_at.is_some(),
        client_id: &profile.fields.client_id,
        directory_id: &profile.fields.directory_id,
        has_secret: profile.client_secret_sealed.is_some(),
        secret_expires_on: profile.secret.expires_on,
        today,
    }
}

/// A profile as typed into the form.
#[derive(Debug, Clone)]
pub struct ProfileInput {
    /// Name.
    pub display_name: String,
    /// Application (client) ID.
    pub client_id: String,
    /// Directory (tenant) ID.
    pub directory_id: String,
    /// Stored name of Microsoft's cloud; empty for the global one.
    pub cloud: String,
    /// Client secret value.
    pub client_secret: SecretString,
    /// The secret's last day, `YYYY-MM-DD`; empty when it is not known.
    pub secret_expires_on: String,
}

/// What the edit form can change. The secret is changed by rotation only ([`secrets`]).
#[derive(Debug, Clone)]
pub struct ProfileEdit {
    /// The version the form was filled from.
    pub version: i64,
    /// Name.
    pub display_name: String,
    /// Application (client) ID.
    pub client_id: String,
    /// Directory (tenant) ID.
    pub directory_id: String,
    /// Stored name of Microsoft's cloud; empty for the global one.
    pub cloud: String,
    /// The secret's last day, `YYYY-MM-DD`; empty when it is not known.
    pub secret_expires_on: String,
}

/// Reads a form's date.
///
/// # Errors
/// What to enter instead.
pub fn parse_expiry(text: &str) -> Result<Option<NaiveDate>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        t!("Enter the expiry date as Entra shows it, for example 2027-06-30.").to_owned()
    })
}

/// Reads a profile's id; one that is malformed is one that does not exist.
///
/// # Errors
/// Not found.
pub fn parse_id(text: &str) -> AppResult<ProfileId> {
    text.parse().map_err(|_| absent())
}

fn absent() -> AppError {
    AppError::not_found(t!("The Microsoft profile"))
}

pub(crate) async fn find(
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    profile_id: ProfileId,
) -> AppResult<Profile> {
    unit.find_profile(tenant_id, profile_id)
        .await
        .map_err(internal)?
        .ok_or_else(absent)
}

pub(crate) fn subject(profile_id: ProfileId) -> String {
    format!("microsoft_profile:{profile_id}")
}

/// Creates a profile.
///
/// # Errors
/// Forbidden; wrong fields, all at once; a name already in use.
pub async fn create(
    services: &Services,
    actor: &Actor,
    input: ProfileInput,
) -> AppResult<ProfileId> {
    actor.require(Permission::SettingsUpdate)?;
    let mut unit = services.begin(actor.tenant_id).await?;
    let profile_id = create_in(services, actor, unit.as_mut(), input).await?;
    unit.save().await.map_err(internal)?;
    Ok(profile_id)
}

/// [`create`] inside a transaction of the caller's, who has checked the permission.
async fn create_in(
    services: &Services,
    actor: &Actor,
    unit: &mut dyn UnitOfWork,
    input: ProfileInput,
) -> AppResult<ProfileId> {
    let checked = check_profile(
        &input.display_name,
        &input.client_id,
        &input.directory_id,
        &input.cloud,
    );
    let secret = check_secret(input.client_secret.expose_secret());
    let expires_on = parse_expiry(&input.secret_expires_on);
    let (fields, secret, expires_on) = match (checked, secret, expires_on) {
        (Ok(fields), Ok(secret), Ok(expires_on)) => (fields, secret, expires_on),
        (checked, secret, expires_on) => {
            let mut wrong = checked.err().unwrap_or_default();
            wrong.extend(secret.err().map(|text| field("client_secret", text)));
            wrong.extend(
                expires_on
                    .err()
                    .map(|text| field("secret_expires_on", text)),
            );
            return Err(AppError::invalid(wrong));
        }
    };
    let profile_id = ProfileId(services.new_id());
    let now = services.now();
    let sealed = services
        .keyring
        .seal(
            &secret_place(actor.tenant_id, profile_id),
            &SecretString::from(secret),
        )
        .map_err(internal)?;
    let profile = Profile {
        tenant_id: actor.tenant_id,
        profile_id,
        fields,
        client_secret_sealed: Some(sealed),
        client_secret_last4: Some(last_four(secret)),
        secret: SecretMeta {
            added_by: Some(actor.user_id()),
            added_at: Some(now),
            expires_on,
        },
        archived_at: None,
        version: 1,
        created_by: actor.user_id(),
        created_at: now,
        updated_by: Some(actor.user_id()),
        updated_at: now,
    };
    unit.add_profile(&profile).await.map_err(name_taken)?;
    let mut detail = described(&profile);
    detail["client_secret"] = json!("changed");
    let row = actor.audit(services, "profile.created", subject(profile_id), detail);
    unit.add_audit(&row).await.map_err(internal)?;
    Ok(profile_id)
}

fn field(name: &str, message: String) -> FieldError {
    FieldError {
        field: name.to_owned(),
        message,
    }
}

fn name_taken(error: StorageError) -> AppError {
    match error {
        StorageError::Duplicate(_) => AppError::field("display_name", taken()),
        other => internal(other),
    }
}

fn described(profile: &Profile) -> serde_json::Value {
    json!({
        "display_name": profile.fields.display_name,
        "client_id": profile.fields.client_id,
        "directory_id": profile.fields.directory_id,
        "cloud": profile.fields.cloud.as_str(),
        "secret_expires_on": profile.secret.expires_on,
    })
}

/// Changes name, ids and expiry date.
///
/// A change of the application or the directory reaches every consumer the profile is bound to; what was connected
/// through the old application is marked in the same transaction, as when a consumer is bound to another profile.
///
/// # Errors
/// Forbidden; wrong fields; a name in use; archived; changed by somebody else meanwhile: [`ErrorCode::Conflict`] that
/// says who, with one message for each field that differs.
pub async fn update(
    services: &Services,
    port: &dyn CalendarPort,
    actor: &Actor,
    profile_id: &str,
    edit: ProfileEdit,
) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let profile_id = parse_id(profile_id)?;
    let checked = check_profile(
        &edit.display_name,
        &edit.client_id,
        &edit.directory_id,
        &edit.cloud,
    );
    let expires_on = parse_expiry(&edit.secret_expires_on);
    let (fields, expires_on) = match (checked, expires_on) {
        (Ok(fields), Ok(expires_on)) => (fields, expires_on),
        (checked, expires_on) => {
            let mut wrong = checked.err().unwrap_or_default();
            wrong.extend(
                expires_on
                    .err()
                    .map(|text| field("secret_expires_on", text)),
            );
            return Err(AppError::invalid(wrong));
        }
    };
    let mut unit = services.begin(actor.tenant_id).await?;
    let before = find(unit.as_mut(), actor.tenant_id, profile_id).await?;
    if before.archived_at.is_some() {
        return Err(AppError::new(
            ErrorCode::Conflict,
            t!(
                "{} is archived and cannot be changed.",
                before.fields.display_name
            ),
        )
        .next_step(t!("Restore it first.")));
    }
    if before.version != edit.version {
        return Err(guard::stale(actor, unit.as_mut(), &before, &fields, expires_on).await);
    }
    let mut after = Profile {
        fields,
        updated_by: Some(actor.user_id()),
        updated_at: services.now(),
        ..before.clone()
    };
    after.secret.expires_on = expires_on;
    unit.update_profile(&after).await.map_err(guard::changed)?;
    if rerouted(&before.fields, &after.fields) {
        mark_rerouted(services, port, unit.as_mut(), &after).await?;
        secrets::rerouted(unit.as_mut(), &after).await?;
        upkeep::profile_changed(unit.as_mut(), after.tenant_id, profile_id, services.now())
            .await
            .map_err(internal)?;
    }
    let detail = json!({ "before": described(&before), "after": described(&after) });
    let row = actor.audit(services, "profile.updated", subject(profile_id), detail);
    unit.add_audit(&row).await.map_err(internal)?;
    unit.save().await.map_err(internal)
}

fn rerouted(before: &ProfileFields, after: &ProfileFields) -> bool {
    before.client_id != after.client_id
        || before.directory_id != after.directory_id
        || before.cloud != after.cloud
}

async fn mark_rerouted(
    services: &Services,
    port: &dyn CalendarPort,
    unit: &mut dyn UnitOfWork,
    profile: &Profile,
) -> AppResult<()> {
    let app = App::of(profile);
    let bindings = unit
        .list_bindings(profile.tenant_id)
        .await
        .map_err(internal)?;
    for binding in bindings
        .iter()
        .filter(|binding| binding.profile_id == profile.profile_id)
    {
        // Sign-in keeps nothing that a profile issued; the runtime of a hidden consumer is not there to be told and
        // compares when the edition that has it runs again.
        if binding.consumer != Consumer::MspSso && services.guide(binding.consumer).is_some() {
            port.consumer_rebound(unit, profile.tenant_id, binding.consumer, Some(&app))
                .await?;
        }
    }
    Ok(())
}

/// Archives a profile: it keeps its data and can be restored, but cannot be bound.
///
/// # Errors
/// Forbidden; not found; changed meanwhile; [`ErrorCode::Conflict`] naming the consumers that use it.
pub async fn archive(
    services: &Services,
    actor: &Actor,
    profile_id: &str,
    version: i64,
) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let profile_id = parse_id(profile_id)?;
    let mut unit = services.begin(actor.tenant_id).await?;
    let before = find(unit.as_mut(), actor.tenant_id, profile_id).await?;
    guard::free(services, unit.as_mut(), &before, t!("archived")).await?;
    if before.archived_at.is_some() {
        return Ok(());
    }
    let after = Profile {
        version,
        archived_at: Some(services.now()),
        updated_by: Some(actor.user_id()),
        updated_at: services.now(),
        ..before
    };
    if let Err(error) = unit.update_profile(&after).await {
        drop(unit);
        return Err(guard::refused(services, &after, t!("archived"), error).await);
    }
    let row = actor.audit(
        services,
        "profile.archived",
        subject(profile_id),
        json!({ "display_name": after.fields.display_name }),
    );
    unit.add_audit(&row).await.map_err(internal)?;
    unit.save().await.map_err(internal)
}

/// Makes an archived profile active again.
///
/// # Errors
/// Forbidden; not found; changed meanwhile; another active profile has taken its name.
pub async fn restore(
    services: &Services,
    actor: &Actor,
    profile_id: &str,
    version: i64,
) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let profile_id = parse_id(profile_id)?;
    let mut unit = services.begin(actor.tenant_id).await?;
    let before = find(unit.as_mut(), actor.tenant_id, profile_id).await?;
    if before.archived_at.is_none() {
        return Ok(());
    }
    let after = Profile {
        version,
        archived_at: None,
        updated_by: Some(actor.user_id()),
        updated_at: services.now(),
        ..before
    };
    unit.update_profile(&after)
        .await
        .map_err(|error| match error {
            StorageError::Duplicate(_) => AppError::new(
                ErrorCode::Conflict,
                t!(
                    "Another active profile is called {} by now.",
                    after.fields.display_name
                ),
            )
            .next_step(t!("Rename or archive that one, then restore this one.")),
            other => guard::changed(other),
        })?;
    let row = actor.audit(
        services,
        "profile.restored",
        subject(profile_id),
        json!({ "display_name": after.fields.display_name }),
    );
    unit.add_audit(&row).await.map_err(internal)?;
    unit.save().await.map_err(internal)
}

/// Deletes a profile with its secrets. `typed` is its name, typed to confirm.
///
/// # Errors
/// Forbidden; not found; changed meanwhile; the name does not match; [`ErrorCode::Conflict`] naming what uses it.
pub async fn delete(
    services: &Services,
    actor: &Actor,
    profile_id: &str,
    version: i64,
    typed: &str,
) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let profile_id = parse_id(profile_id)?;
    let mut unit = services.begin(actor.tenant_id).await?;
    let profile = find(unit.as_mut(), actor.tenant_id, profile_id).await?;
    guard::free(services, unit.as_mut(), &profile, t!("deleted")).await?;
    if typed.trim() != profile.fields.display_name {
        return Err(AppError::field(
            "confirm_name",
            t!(
                "Type the profile's name exactly: {}",
                profile.fields.display_name
            ),
        ));
    }
    let removed = unit
        .remove_profile(actor.tenant_id, profile_id, version)
        .await;
    if let Err(error) = removed {
        drop(unit);
        return Err(guard::refused(services, &profile, t!("deleted"), error).await);
    }
    unit.remove_job(actor.tenant_id, secrets::DESTROY, &profile_id.to_string())
        .await
        .map_err(internal)?;
    let mut detail = described(&profile);
    detail["client_secret"] = json!("destroyed");
    let row = actor.audit(services, "profile.deleted", subject(profile_id), detail);
    unit.add_audit(&row).await.map_err(internal)?;
    unit.save().await.map_err(internal)
}
