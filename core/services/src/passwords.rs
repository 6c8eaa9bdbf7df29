//! Passwords: the way in that needs nobody else's server.
//!
//! Administrators can always sign in with a password (break-glass): no setting switches that off. For technicians an
//! administrator may, once signing in through Microsoft has been shown to work; and should it stop working (nothing bound,
//! profile not ready), passwords work again by themselves.

use daybind_domain::ids::{TenantId, UserId};
use daybind_domain::login_domain::PasswordRuleView;
use daybind_domain::user::{Permission, Role, normalise_email};
use daybind_domain::{AppError, ErrorCode};
use daybind_storage::{Scope, SignInSettings, UnitOfWork, User};
use daybind_words::t;
use secrecy::{ExposeSecret, SecretString};

use crate::audit;
use crate::auth::{self, Actor};
use crate::context::Services;
use crate::discovery::msp_sso_ready;
use crate::failure::{AppResult, internal};
use crate::limits;
use crate::localtime;
use crate::sessions::is_staff;

/// The fewest characters (NIST SP 800-63B-4 section 3.1.1.2 asks for 8 beside another factor, 15 alone; ours lies between).
pub const SHORTEST: usize = 12;
/// The most, so that hashing stays bounded.
pub const LONGEST: usize = 256;

/// Whether a password may be set for the person with that email.
///
/// # Errors
/// What is wrong and what to choose instead.
pub fn check(password: &str, email: &str) -> Result<(), String> {
    let count = password.chars().count();
    if count < SHORTEST {
        return Err(t!("Choose at least {SHORTEST} characters."));
    }
    if count > LONGEST {
        return Err(t!("Choose at most {LONGEST} characters."));
    }
    let lower = password.to_lowercase();
    let email = normalise_email(email);
    let name = email.split('@').next().unwrap_or_default();
    let distinct: std::collections::BTreeSet<char> = lower.chars().collect();
    if lower == email
        || (name.len() > 3 && lower.trim_matches(|c: char| !c.is_alphabetic()) == name)
    {
        return Err(t!("Choose something that is not your work email.").to_owned());
    }
    if distinct.len() < 5 {
        return Err(t!("Choose more different characters.").to_owned());
    }
    Ok(())
}

/// Changes the caller's own password and ends their other sessions.
///
/// # Errors
/// Forbidden; wrong fields; too many tries.
pub async fn change_own(
    services: &Services,
    actor: &Actor,
    current: SecretString,
    new: SecretString,
    repeated: &SecretString,
) -> AppResult<()> {
    actor.require(Permission::OwnProfile)?;
    if new.expose_secret() != repeated.expose_secret() {
        return Err(AppError::field(
            "repeated",
            t!("The two do not match. Type the new password again."),
        ));
    }
    if let Err(message) = check(new.expose_secret(), &actor.user.email) {
        return Err(AppError::field("new", message));
    }
    let key = actor.user_id().to_string();
    limits::count(services, &[(limits::PASSWORD_CHANGE, key)]).await?;
    let mut unit = services.read(actor.tenant_id).await?;
    let hash = unit
        .find_password(actor.tenant_id, actor.user_id())
        .await
        .map_err(internal)?;
    drop(unit);
    let Some(hash) = hash else {
        return Err(AppError::new(
            ErrorCode::NotReady,
            t!("You sign in through Microsoft and have no password here."),
        )
        .next_step(t!("Ask an administrator if you need one.")));
    };
    if !auth::verify(current, hash).await {
        return Err(AppError::field(
            "current",
            t!("This is not your current password."),
        ));
    }
    let hash = auth::hash_password(new).await?;
    let mut unit = services.begin(actor.tenant_id).await?;
    unit.set_password(actor.tenant_id, actor.user_id(), &hash)
        .await
        .map_err(internal)?;
    let ended = unit
        .remove_other_sessions(actor.tenant_id, actor.user_id(), Some(actor.session_id))
        .await
        .map_err(internal)?;
    let row = actor.audit(
        services,
        "password.changed",
        format!("user:{}", actor.user_id()),
        serde_json::json!({ "password": "changed", "sessions_ended": ended.len() }),
    );
    unit.add_audit(&row).await.map_err(internal)?;
    unit.save().await.map_err(internal)
}

/// Sets somebody's password from the command line and ends all their sessions. `tenant` names the MSP where several have
/// somebody with that email.
///
/// # Errors
/// Not found; several people; a password that may not be set.
pub async fn set_from_command_line(
    services: &Services,
    email: &str,
    tenant: Option<&str>,
    password: SecretString,
) -> AppResult<()> {
    check(password.expose_secret(), email)
        .map_err(|message| AppError::field("password", message))?;
    let mut unit = services.store.read(Scope::System).await.map_err(internal)?;
    let mut people = unit
        .find_login(&normalise_email(email))
        .await
        .map_err(internal)?;
    let tenants = unit.list_tenants().await.map_err(internal)?;
    drop(unit);
    if let Some(name) = tenant {
        people.retain(|person| {
            tenants
                .iter()
                .any(|tenant| tenant.tenant_id == person.tenant_id && tenant.name == name)
        });
    }
    let (tenant_id, user_id) = match people.as_slice() {
        [] => return Err(AppError::not_found(t!("Somebody with that email"))),
        [person] => (person.tenant_id, person.user_id),
        _ => {
            return Err(AppError::new(
                ErrorCode::Conflict,
                t!("Several MSPs have somebody with that email."),
            )
            .next_step(t!("Say which with --tenant.")));
        }
    };
    replace(services, tenant_id, user_id, password).await
}

async fn replace(
    services: &Services,
    tenant_id: TenantId,
    user_id: UserId,
    password: SecretString,
) -> AppResult<()> {
    let hash = auth::hash_password(password).await?;
    let mut unit = services.begin(tenant_id).await?;
    unit.set_password(tenant_id, user_id, &hash)
        .await
        .map_err(internal)?;
    let ended = unit
        .remove_other_sessions(tenant_id, user_id, None)
        .await
        .map_err(internal)?;
    let row = audit::row(
        services,
        tenant_id,
        None,
        "password.set",
        format!("user:{user_id}"),
        serde_json::json!({
            "password": "changed", "sessions_ended": ended.len(), "by": "command_line",
        }),
    );
    unit.add_audit(&row).await.map_err(internal)?;
    unit.save().await.map_err(internal)
}

/// Whether this person may come in with a password now. Asked after the password was found right, so that the answer tells
/// strangers nothing.
///
/// # Errors
/// Forbidden, with the way that is open; an internal error.
pub(crate) async fn admit(unit: &mut dyn UnitOfWork, user: &User) -> AppResult<()> {
    if !is_staff(user) || user.role == Role::Admin {
        return Ok(());
    }
    let settings = unit
        .find_sign_in_settings(user.tenant_id)
        .await
        .map_err(internal)?;
    let off = settings.is_some_and(|settings| !settings.technician_passwords);
    if off && msp_sso_ready(unit, user.tenant_id).await? {
        return Err(AppError::new(
            ErrorCode::Forbidden,
            t!("Your organisation asks technicians to sign in with Microsoft."),
        )
        .next_step(t!("Use your work email to continue with Microsoft.")));
    }
    Ok(())
}

/// What is decided about passwords.
///
/// # Errors
/// Forbidden without `system_settings:read`.
pub async fn rule(services: &Services, actor: &Actor) -> AppResult<PasswordRuleView> {
    actor.require(Permission::SettingsRead)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let settings = unit
        .find_sign_in_settings(actor.tenant_id)
        .await
        .map_err(internal)?;
    let blocked = obstacle(unit.as_mut(), actor.tenant_id).await?;
    let ready = msp_sso_ready(unit.as_mut(), actor.tenant_id).await?;
    let technicians = settings.as_ref().is_none_or(|s| s.technician_passwords);
    let changed = match &settings {
        None => String::new(),
        Some(settings) => {
            let by = unit
                .find_user(actor.tenant_id, settings.updated_by)
                .await
                .map_err(internal)?
                .map_or_else(
                    || t!("somebody who has left").to_owned(),
                    |u| u.display_name,
                );
            let zone = localtime::zone(&actor.user.time_zone);
            t!(
                "Set by {by} on {}",
                localtime::date_time(settings.updated_at, zone)
            )
        }
    };
    Ok(PasswordRuleView {
        technicians,
        overridden: if technicians || ready {
            String::new()
        } else {
            t!("MSP SSO is not ready, so technicians can sign in with a password until it is.")
                .to_owned()
        },
        blocked: blocked.unwrap_or_default(),
        changed,
        can_update: actor.may(Permission::SettingsUpdate),
    })
}

/// Why passwords cannot be switched off now.
async fn obstacle(unit: &mut dyn UnitOfWork, tenant_id: TenantId) -> AppResult<Option<String>> {
    if !msp_sso_ready(unit, tenant_id).await? {
        return Ok(Some(
            t!("Bind MSP SSO to a profile that is ready first.").to_owned(),
        ));
    }
    let proven = unit
        .has_session_by(tenant_id, "microsoft")
        .await
        .map_err(internal)?;
    Ok((!proven).then(|| {
        t!("Nobody is signed in through Microsoft. Sign in that way once, so that it is known to work.").to_owned()
    }))
}

/// Decides whether technicians may sign in with a password. Switching it off needs Microsoft sign-in to work.
///
/// # Errors
/// Forbidden; not ready.
pub async fn set_rule(services: &Services, actor: &Actor, technicians: bool) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let mut unit = services.begin(actor.tenant_id).await?;
    if !technicians && let Some(why) = obstacle(unit.as_mut(), actor.tenant_id).await? {
        return Err(AppError::new(
            ErrorCode::NotReady,
            t!("Passwords cannot be switched off yet."),
        )
        .next_step(why));
    }
    let before = unit
        .find_sign_in_settings(actor.tenant_id)
        .await
        .map_err(internal)?
        .is_none_or(|settings| settings.technician_passwords);
    unit.set_sign_in_settings(&SignInSettings {
        tenant_id: actor.tenant_id,
        technician_passwords: technicians,
        updated_by: actor.user_id(),
        updated_at: services.now(),
    })
    .await
    .map_err(internal)?;
    let row = actor.audit(
        services,
        "sign_in.passwords",
        "tenant:sign_in".to_owned(),
        serde_json::json!({ "before": before, "after": technicians }),
    );
    unit.add_audit(&row).await.map_err(internal)?;
    unit.save().await.map_err(internal)
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn weak_passwords_are_refused() {
        for weak in [
            "short",
            "aaaaaaaaaaaaaaaa",
            "ada.lovelace@msp.test",
            "ada.lovelace",
        ] {
            assert!(check(weak, "Ada.Lovelace@msp.test").is_err(), "{weak}");
        }
        assert!(check(&"ab1cd".repeat(60), "ada@msp.test").is_err());
        assert!(check("correct horse battery", "ada@msp.test").is_ok());
    }
}
