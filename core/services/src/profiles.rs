//! Microsoft profiles: named app registrations, shared by both editions.

use daybind_domain::ids::{ProfileId, TenantId};
use daybind_domain::profile::{check_profile, check_secret};
use daybind_domain::user::Permission;
use daybind_domain::view::{BindingView, ProfileView, ProvidersView};
use daybind_domain::{AppError, Consumer, FieldError};
use daybind_storage::{Binding, Profile, StorageError, User};
use secrecy::SecretString;

use crate::auth::Actor;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::localtime;
use crate::seal::SecretPlace;

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

/// What a profile lacks before any consumer can use it; empty when ready. The one place that decides readiness.
#[must_use]
pub fn missing(profile: &Profile) -> Vec<String> {
    let mut lacking = Vec::new();
    if profile.archived_at.is_some() {
        lacking.push("the profile is archived".to_owned());
    }
    if profile.client_secret_sealed.is_none() {
        lacking.push("the client secret is missing".to_owned());
    }
    lacking
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
    /// Client secret value.
    pub client_secret: SecretString,
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
    use secrecy::ExposeSecret;
    actor.require(Permission::SettingsUpdate)?;
    let checked = check_profile(&input.display_name, &input.client_id, &input.directory_id);
    let secret = check_secret(input.client_secret.expose_secret());
    let (fields, secret) = match (checked, secret) {
        (Ok(fields), Ok(secret)) => (fields, secret),
        (checked, secret) => {
            let mut wrong = checked.err().unwrap_or_default();
            if let Err(message) = secret {
                wrong.push(FieldError {
                    field: "client_secret".to_owned(),
                    message,
                });
            }
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
        archived_at: None,
        version: 1,
        created_by: actor.user_id(),
        created_at: now,
        updated_at: now,
    };
    let mut unit = services.begin(actor.tenant_id).await?;
    unit.add_profile(&profile)
        .await
        .map_err(|error| match error {
            StorageError::Duplicate(_) => AppError::field(
                "display_name",
                "Another active profile has this name. Choose a name that tells the two apart.",
            ),
            other => internal(other),
        })?;
    let row = actor.audit(
        services,
        "profile.created",
        format!("microsoft_profile:{profile_id}"),
        serde_json::json!({
            "display_name": profile.fields.display_name,
            "client_id": profile.fields.client_id,
            "directory_id": profile.fields.directory_id,
            "client_secret": "changed",
        }),
    );
    unit.add_audit(&row).await.map_err(internal)?;
    unit.save().await.map_err(internal)?;
    Ok(profile_id)
}

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

/// Everything the Providers page shows, for this edition only.
///
/// # Errors
/// Forbidden without `system_settings:read`.
pub async fn providers(services: &Services, actor: &Actor) -> AppResult<ProvidersView> {
    actor.require(Permission::SettingsRead)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let profiles = unit
        .list_profiles(actor.tenant_id)
        .await
        .map_err(internal)?;
    let bindings = unit
        .list_bindings(actor.tenant_id)
        .await
        .map_err(internal)?;
    let users = unit.list_users(actor.tenant_id).await.map_err(internal)?;
    let visible = services.edition.visible_consumers();
    let views = profiles
        .iter()
        .map(|profile| profile_view(profile, &bindings, visible))
        .collect();
    let rows = visible
        .iter()
        .map(|consumer| {
            let binding = bindings
                .iter()
                .find(|binding| binding.consumer == *consumer);
            binding_view(services, actor, *consumer, binding, &profiles, &users)
        })
        .collect();
    Ok(ProvidersView {
        profiles: views,
        bindings: rows,
        can_update: actor.may(Permission::SettingsUpdate),
    })
}

fn profile_view(profile: &Profile, bindings: &[Binding], visible: &[Consumer]) -> ProfileView {
    let missing = missing(profile);
    ProfileView {
        profile_id: profile.profile_id.to_string(),
        display_name: profile.fields.display_name.clone(),
        client_id: profile.fields.client_id.clone(),
        directory_id: profile.fields.directory_id.clone(),
        secret_hint: profile
            .client_secret_sealed
            .as_ref()
            .map(|_| mask(profile.client_secret_last4.as_deref())),
        ready: missing.is_empty(),
        missing,
        archived: profile.archived_at.is_some(),
        used_by: bindings
            .iter()
            .filter(|b| b.profile_id == profile.profile_id && visible.contains(&b.consumer))
            .map(|b| b.consumer.label().to_owned())
            .collect(),
        version: profile.version,
    }
}

fn binding_view(
    services: &Services,
    actor: &Actor,
    consumer: Consumer,
    binding: Option<&Binding>,
    profiles: &[Profile],
    users: &[User],
) -> BindingView {
    let profile = binding.and_then(|b| profiles.iter().find(|p| p.profile_id == b.profile_id));
    let lacking = profile.map(missing).unwrap_or_default();
    let (path, scopes): (Option<&str>, &[&str]) = match consumer {
        Consumer::MspSso => (
            Some("/api/auth/callback/azure-ad"),
            &["openid", "profile", "email"],
        ),
        Consumer::Calendar => (
            Some("/api/auth/microsoft/calendar/callback"),
            &["offline_access", "User.Read", "Calendars.ReadWrite"],
        ),
        Consumer::Email => (
            Some("/api/auth/microsoft/callback"),
            &["offline_access", "User.Read", "Mail.Read"],
        ),
        Consumer::Teams => (
            Some("/api/teams/auth/callback/tab"),
            &["openid", "profile", "email", "offline_access"],
        ),
    };
    BindingView {
        consumer: consumer.as_str().to_owned(),
        label: consumer.label().to_owned(),
        help: help(consumer).to_owned(),
        redirect_uri: path.map(|path| services.absolute(path)),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        profile_id: binding.map(|b| b.profile_id.to_string()),
        profile_name: profile.map(|p| p.fields.display_name.clone()),
        ready: profile.is_some() && lacking.is_empty(),
        problem: profile
            .is_some()
            .then(|| lacking.join(", "))
            .filter(|text| !text.is_empty()),
        set_by: binding.map(|b| {
            let name = users
                .iter()
                .find(|user| user.user_id == b.updated_by)
                .map_or("somebody who has left", |user| user.display_name.as_str());
            format!(
                "Set by {name} on {}",
                localtime::date_time(b.updated_at, localtime::zone(&actor.user.time_zone))
            )
        }),
    }
}

fn help(consumer: Consumer) -> &'static str {
    match consumer {
        Consumer::MspSso => "Technicians sign in to Daybind with their Microsoft work account.",
        Consumer::Email => "Messages from Microsoft 365 mailboxes become tickets.",
        Consumer::Calendar => "Schedule entries stay in step with technicians' Outlook calendars.",
        Consumer::Teams => "The Daybind tab, bot and message extension in Microsoft Teams.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_never_shows_a_secrets_length() {
        assert_eq!(mask(Some("abcd")), "••••••••abcd");
        assert_eq!(last_four("short"), "");
        assert_eq!(last_four("q8Q~0123456789wxyz"), "wxyz");
    }
}
