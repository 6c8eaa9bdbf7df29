//! Login domains as administrators keep them: the advisory list, and the tester.
//!
//! Listing a domain takes nothing away from anybody (see [`crate::discovery`]). That another MSP lists the same domain is
//! reported on the row; which MSP that is, and whom it knows, is not.

use daybind_domain::ids::LoginDomainId;
use daybind_domain::login_domain::{
    ClaimStatus, LoginDomainView, LoginDomainsView, SignInTestView,
};
use daybind_domain::user::{Permission, UserType, normalise_email};
use daybind_domain::{AppError, Consumer, Edition, ErrorCode};
use daybind_storage::{LoginDomain, StorageError, UnitOfWork, User};
use daybind_words::t;

use crate::auth::Actor;
use crate::context::Services;
use crate::discovery::{Reason, choose, msp_sso_ready};
use crate::domain_name;
use crate::failure::{AppResult, internal, stored};
use crate::localtime;

/// The most domains one MSP may list.
pub const MOST: usize = 200;

/// The MSP's login domains.
///
/// # Errors
/// Forbidden without `system_settings:read`.
pub async fn list(services: &Services, actor: &Actor) -> AppResult<LoginDomainsView> {
    actor.require(Permission::SettingsRead)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let domains = views(unit.as_mut(), actor).await?;
    Ok(LoginDomainsView {
        domains: domains.into_iter().map(|(_, view)| view).collect(),
        can_update: actor.may(Permission::SettingsUpdate),
    })
}

/// The rows beside what pages show of them.
///
/// # Errors
/// An internal error.
pub async fn views(
    unit: &mut dyn UnitOfWork,
    actor: &Actor,
) -> AppResult<Vec<(LoginDomain, LoginDomainView)>> {
    let tenant_id = actor.tenant_id;
    let rows = unit.list_login_domains(tenant_id).await.map_err(internal)?;
    let contested = unit.contested_domains(tenant_id).await.map_err(internal)?;
    let users = unit.list_users(tenant_id).await.map_err(internal)?;
    let zone = localtime::zone(&actor.user.time_zone);
    let views = rows.into_iter().map(|row| {
        let by = match row.status_changed_by {
            None => "Daybind".to_owned(),
            Some(id) => users.iter().find(|user| user.user_id == id).map_or_else(
                || t!("somebody who has left").to_owned(),
                |u| u.display_name.clone(),
            ),
        };
        let view = LoginDomainView {
            domain_id: row.domain_id.to_string(),
            domain: row.domain.clone(),
            status: row.status,
            changed: format!(
                "{by}, {}",
                localtime::date_time(row.status_changed_at, zone)
            ),
            contested: contested.contains(&row.domain),
            people: people_in(&users, &row.domain),
        };
        (row, view)
    });
    Ok(views.collect())
}

/// Active people of the MSP's side whose work email is in the domain.
#[must_use]
pub fn people_in(users: &[User], domain: &str) -> usize {
    users
        .iter()
        .filter(|user| {
            user.is_active
                && user.user_type == UserType::Internal
                && domain_name::of_email(&user.email).as_deref() == Some(domain)
        })
        .count()
}

/// A row as the administrator asks for it, in the stored form of the name.
///
/// # Errors
/// A wrong field: no domain, a public suffix, a consumer mail service.
pub fn new_row(
    services: &Services,
    actor: &Actor,
    text: &str,
    status: ClaimStatus,
) -> AppResult<LoginDomain> {
    let domain =
        domain_name::login_domain(text).map_err(|message| AppError::field("domain", message))?;
    let now = services.now();
    Ok(LoginDomain {
        tenant_id: actor.tenant_id,
        domain_id: LoginDomainId(services.new_id()),
        domain,
        status,
        status_changed_at: now,
        status_changed_by: Some(actor.user_id()),
        verified_at: None,
        version: 1,
        created_by: actor.user_id(),
        created_at: now,
    })
}

/// Refuses to list more than [`MOST`] domains.
///
/// # Errors
/// A conflict that says so.
pub fn room_for_more(rows: &[LoginDomain]) -> AppResult<()> {
    if rows.len() < MOST {
        return Ok(());
    }
    Err(AppError::new(
        ErrorCode::Conflict,
        t!("There are {MOST} login domains already."),
    )
    .next_step(t!("Remove one that is no longer used.")))
}

/// Lists a domain; its ownership is not checked (Community). One that was given up is listed anew; a live one stays as
/// it is, so that nothing proven is ever lost by asking again (W36).
///
/// # Errors
/// Forbidden; wrong fields; conflict.
pub async fn add(services: &Services, actor: &Actor, text: &str) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let row = new_row(services, actor, text, ClaimStatus::Advisory)?;
    let mut unit = services.begin(actor.tenant_id).await?;
    let rows = unit
        .list_login_domains(actor.tenant_id)
        .await
        .map_err(internal)?;
    let before = rows.iter().find(|known| known.domain == row.domain);
    let twice = || AppError::field("domain", t!("{} is in the list already.", row.domain));
    match before {
        Some(known) if known.status.is_live() => return Err(twice()),
        Some(known) => unit
            .update_login_domain(&LoginDomain {
                version: known.version,
                domain_id: known.domain_id,
                ..row.clone()
            })
            .await
            .map_err(|error| stored(t!("The login domain"), error))?,
        None => {
            room_for_more(&rows)?;
            unit.add_login_domain(&row)
                .await
                .map_err(|error| match error {
                    StorageError::Duplicate(_) => twice(),
                    other => internal(other),
                })?;
        }
    }
    let audit = actor.audit(
        services,
        "login_domain.added",
        format!("login_domain:{}", row.domain),
        serde_json::json!({
            "before": before.map(|known| known.status.as_str()),
            "after": row.status.as_str(),
        }),
    );
    unit.add_audit(&audit).await.map_err(internal)?;
    unit.save().await.map_err(internal)
}

/// Takes a domain off the list. In Enterprise a verified one must be revoked first, where the impact is shown.
///
/// # Errors
/// Forbidden; not found; conflict.
pub async fn remove(services: &Services, actor: &Actor, domain_id: &str) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let gone = || AppError::not_found(t!("The login domain"));
    let domain_id: LoginDomainId = domain_id.parse().map_err(|_| gone())?;
    let mut unit = services.begin(actor.tenant_id).await?;
    let row = unit
        .find_login_domain(actor.tenant_id, domain_id)
        .await
        .map_err(internal)?
        .ok_or_else(gone)?;
    if services.edition == Edition::Enterprise && row.status == ClaimStatus::Verified {
        return Err(
            AppError::new(ErrorCode::Conflict, t!("{} is verified.", row.domain))
                .next_step(t!("Revoke it first.")),
        );
    }
    unit.remove_login_domain(actor.tenant_id, domain_id)
        .await
        .map_err(internal)?;
    let audit = actor.audit(
        services,
        "login_domain.removed",
        format!("login_domain:{}", row.domain),
        serde_json::json!({ "before": row.status.as_str() }),
    );
    unit.add_audit(&audit).await.map_err(internal)?;
    unit.save().await.map_err(internal)
}

/// What will happen when somebody signs in with that address, and why. Tells of the caller's own MSP only: an address
/// that leads to another MSP is answered like one that leads nowhere, and other MSPs' people change no word of it.
///
/// # Errors
/// Forbidden without `system_settings:read`; a wrong field.
pub async fn test(services: &Services, actor: &Actor, address: &str) -> AppResult<SignInTestView> {
    actor.require(Permission::SettingsRead)?;
    let address = normalise_email(address);
    let domain = domain_name::of_email(&address).ok_or_else(|| {
        AppError::field(
            "address",
            t!("Enter a whole work email, like ada@contoso.com."),
        )
    })?;
    let tenant_id = actor.tenant_id;
    let mut unit = services.read(tenant_id).await?;
    let rows = unit.claims_on_domain(&domain).await.map_err(internal)?;
    // In the tenant's scope: its own people only.
    let people = unit.find_login(&address).await.map_err(internal)?;
    let users = unit.list_users(tenant_id).await.map_err(internal)?;
    let ready = msp_sso_ready(unit.as_mut(), tenant_id).await?;
    let profile = bound_profile(unit.as_mut(), actor).await?;
    let person = users
        .iter()
        .find(|user| normalise_email(&user.email) == address);
    let own = rows.iter().find(|row| row.tenant_id == tenant_id);
    // What others did beside our row counts only through rows, never through their people.
    let (chosen, reason) = choose(services.edition, &rows, &people);
    let ours = own.is_some() && chosen == Some(tenant_id);
    let mut why = vec![row_sentence(services.edition, &domain, own)];
    if let Some(row) = own
        && row.status.is_live()
        && rows
            .iter()
            .any(|other| other.tenant_id != tenant_id && other.status.is_live())
    {
        why.push(match (ours, reason) {
            (true, Reason::Verified) => {
                t!("Another MSP of this installation lists it as well; that changes nothing.").to_owned()
            }
            (true, _) => {
                t!("Another MSP of this installation lists it as well. Yours is taken because you have this person, or \
                 listed it first.")
                    .to_owned()
            }
            (false, _) => {
                t!("Another MSP of this installation lists it as well, and comes first for this address.").to_owned()
            }
        });
    }
    let provider = if ours && ready {
        why.push(match &profile {
            Some(name) => t!("MSP SSO is bound to {name}, which is ready."),
            None => t!("MSP SSO is ready.").to_owned(),
        });
        "Microsoft"
    } else {
        if ours {
            why.push(match &profile {
                Some(name) => t!("MSP SSO is bound to {name}, which is not ready."),
                None => t!("MSP SSO is not bound to a Microsoft profile.").to_owned(),
            });
        }
        t!("Password")
    };
    why.push(person_sentence(person));
    Ok(SignInTestView {
        source: if ours {
            t!("Your login domain {domain}")
        } else {
            t!("No login domain of yours").to_owned()
        },
        address,
        provider: provider.to_owned(),
        why,
    })
}

async fn bound_profile(unit: &mut dyn UnitOfWork, actor: &Actor) -> AppResult<Option<String>> {
    let binding = unit
        .find_binding(actor.tenant_id, Consumer::MspSso)
        .await
        .map_err(internal)?;
    let Some(binding) = binding else {
        return Ok(None);
    };
    let profile = unit
        .find_profile(actor.tenant_id, binding.profile_id)
        .await
        .map_err(internal)?;
    Ok(profile.map(|profile| profile.fields.display_name))
}

fn row_sentence(edition: Edition, domain: &str, own: Option<&LoginDomain>) -> String {
    let enterprise = edition == Edition::Enterprise;
    match own.map(|row| row.status) {
        None => t!("{domain} is not in your list of login domains."),
        Some(ClaimStatus::Verified) => t!("{domain} is verified as yours."),
        Some(ClaimStatus::Advisory) if !enterprise => {
            t!("{domain} is in your list of login domains.")
        }
        Some(ClaimStatus::Pending) if !enterprise => {
            t!("{domain} is in your list of login domains.")
        }
        Some(ClaimStatus::Advisory | ClaimStatus::Pending) => {
            t!(
                "{domain} is in your list but not verified. Only verified domains lead to Microsoft."
            )
        }
        Some(ClaimStatus::Rejected) => t!("{domain} could not be verified as yours."),
        Some(ClaimStatus::Revoked) => t!("{domain} was given up."),
    }
}

fn person_sentence(person: Option<&User>) -> String {
    match person {
        None => {
            t!("Nobody of your MSP has this address, so the sign-in will end there.").to_owned()
        }
        Some(user) if !user.is_active => {
            t!("{} is inactive and will be refused.", user.display_name)
        }
        Some(user) if user.user_type == UserType::Client => t!(
            "{} uses the client portal and will be refused here.",
            user.display_name
        ),
        Some(user) => t!("{} may sign in.", user.display_name),
    }
}
