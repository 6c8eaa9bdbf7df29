//! People's Microsoft accounts: what a person has, disconnecting one, and the requests an administrator decides.

use daybind_domain::ids::{IdentityId, IdentityRequestId, UserId};
use daybind_domain::sso::{
    CandidateView, IdentityRequestView, IdentityRequestsView, IdentityView, SignInMethodsView,
};
use daybind_domain::user::{Permission, UserType, normalise_email};
use daybind_domain::{AppError, Consumer, ErrorCode};
use daybind_storage::{
    Identity, IdentityRequest, Proof, RequestState, StorageError, UnitOfWork, User,
};
use daybind_words::t;

use crate::auth::Actor;
use crate::bindings;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::localtime;

async fn has_password(unit: &mut dyn UnitOfWork, user: &User) -> AppResult<bool> {
    let logins = unit
        .find_login(&normalise_email(&user.email))
        .await
        .map_err(internal)?;
    Ok(logins
        .iter()
        .any(|login| login.user_id == user.user_id && login.password_hash.is_some()))
}

/// How the caller can sign in.
///
/// # Errors
/// Forbidden for client-portal users.
pub async fn methods(services: &Services, actor: &Actor) -> AppResult<SignInMethodsView> {
    actor.require(Permission::OwnProfile)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let password = has_password(unit.as_mut(), &actor.user).await?;
    let rows = unit
        .list_identities_of(actor.tenant_id, actor.user_id())
        .await
        .map_err(internal)?;
    let ready = bindings::resolve(services, unit.as_mut(), actor.tenant_id, Consumer::MspSso).await;
    let microsoft_ready = match ready {
        Ok(_) => true,
        Err(error) if matches!(error.code, ErrorCode::NotReady | ErrorCode::NotFound) => false,
        Err(error) => return Err(error),
    };
    let zone = localtime::zone(&actor.user.time_zone);
    let time = |at: chrono::DateTime<chrono::Utc>| {
        let utc = at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        (utc, localtime::date_time(at, zone))
    };
    let removable = password || rows.len() > 1;
    let accounts = rows.into_iter().map(|row| IdentityView {
        identity_id: row.identity_id.to_string(),
        account: row.account_name,
        linked: time(row.linked_at),
        used: row.last_used_at.map(time),
        removable,
    });
    Ok(SignInMethodsView {
        password,
        accounts: accounts.collect(),
        microsoft_ready,
    })
}

/// Disconnects one of the caller's accounts.
///
/// # Errors
/// Forbidden; not found, also for somebody else's; [`ErrorCode::Conflict`] when it is their last way in.
pub async fn disconnect(services: &Services, actor: &Actor, identity_id: &str) -> AppResult<()> {
    actor.require(Permission::OwnProfile)?;
    let missing = || AppError::not_found(t!("The Microsoft account"));
    let id: IdentityId = identity_id.parse().map_err(|_| missing())?;
    let mut unit = services.begin(actor.tenant_id).await?;
    let rows = unit
        .lock_identities_of(actor.tenant_id, actor.user_id())
        .await
        .map_err(internal)?;
    let row = rows
        .iter()
        .find(|row| row.identity_id == id)
        .ok_or_else(missing)?;
    if rows.len() == 1 && !has_password(unit.as_mut(), &actor.user).await? {
        return Err(AppError::new(
            ErrorCode::Conflict,
            t!("This Microsoft account is your only way to sign in."),
        )
        .next_step(t!(
            "Connect another account first, or ask your administrator for a password."
        )));
    }
    unit.remove_identity(actor.tenant_id, id)
        .await
        .map_err(internal)?;
    let detail = serde_json::json!({
        "before": { "user": row.user_id.to_string(), "account": row.account_name },
    });
    let subject = account_subject(&row.directory_id, &row.object_id);
    unit.add_audit(&actor.audit(services, "sign_in.disconnected", subject, detail))
        .await
        .map_err(internal)?;
    unit.save().await.map_err(internal)
}

fn account_subject(directory_id: &str, object_id: &str) -> String {
    format!("microsoft_account:{directory_id}/{object_id}")
}

/// The accounts that wait, and who could be chosen.
///
/// # Errors
/// Forbidden without `system_settings:read`.
pub async fn requests(services: &Services, actor: &Actor) -> AppResult<IdentityRequestsView> {
    actor.require(Permission::SettingsRead)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let rows = unit
        .list_identity_requests(actor.tenant_id)
        .await
        .map_err(internal)?;
    let users = unit.list_users(actor.tenant_id).await.map_err(internal)?;
    let zone = localtime::zone(&actor.user.time_zone);
    let requests = rows.into_iter().map(|row| IdentityRequestView {
        request_id: row.request_id.to_string(),
        account: row.account_name,
        verified: row.account_verified,
        directory_id: row.directory_id,
        object_id: row.object_id,
        requested: (
            row.requested_at
                .to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            localtime::date_time(row.requested_at, zone),
        ),
        suggested: row.suggested_user_id.map(|id| id.to_string()),
        declined: row.state == RequestState::Declined,
    });
    let people = users
        .iter()
        .filter(|user| is_staff(user))
        .map(|user| CandidateView {
            user_id: user.user_id.to_string(),
            label: format!("{} ({})", user.display_name, user.email),
        });
    Ok(IdentityRequestsView {
        requests: requests.collect(),
        people: people.collect(),
        may_decide: actor.may(Permission::SettingsUpdate),
    })
}

fn is_staff(user: &User) -> bool {
    user.is_active && user.user_type == UserType::Internal
}

async fn find_request(
    unit: &mut dyn UnitOfWork,
    actor: &Actor,
    request_id: &str,
) -> AppResult<IdentityRequest> {
    let missing = || AppError::not_found(t!("The sign-in request"));
    let id: IdentityRequestId = request_id.parse().map_err(|_| missing())?;
    unit.find_identity_request(actor.tenant_id, id)
        .await
        .map_err(internal)?
        .ok_or_else(missing)
}

/// Gives the account of a request to a person, who can sign in with it from then on. A declined request can still be
/// approved.
///
/// # Errors
/// Forbidden without `system_settings:update`; not found; [`ErrorCode::Invalid`] for a person who is not active staff of
/// this tenant; [`ErrorCode::Conflict`] when somebody has the account meanwhile.
pub async fn approve(
    services: &Services,
    actor: &Actor,
    request_id: &str,
    user_id: &str,
) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let mut unit = services.begin(actor.tenant_id).await?;
    let request = find_request(unit.as_mut(), actor, request_id).await?;
    let wrong = || AppError::field("user_id", t!("Choose an active person of your MSP."));
    let user_id: UserId = user_id.parse().map_err(|_| wrong())?;
    let user = unit
        .find_user(actor.tenant_id, user_id)
        .await
        .map_err(internal)?
        .filter(is_staff)
        .ok_or_else(wrong)?;
    let row = Identity {
        tenant_id: actor.tenant_id,
        identity_id: services.new_id().into(),
        user_id: user.user_id,
        directory_id: request.directory_id.clone(),
        object_id: request.object_id.clone(),
        account_name: request.account_name.clone(),
        proof: Proof::Approved,
        linked_by: actor.user_id(),
        linked_at: services.now(),
        last_used_at: None,
    };
    unit.add_identity(&row).await.map_err(|error| match error {
        StorageError::Duplicate(_) => AppError::new(
            ErrorCode::Conflict,
            t!("This Microsoft account belongs to somebody already."),
        )
        .next_step(t!(
            "Reload the page. That person can disconnect it in their profile."
        )),
        other => internal(other),
    })?;
    unit.remove_identity_request(actor.tenant_id, request.request_id)
        .await
        .map_err(internal)?;
    let detail = serde_json::json!({
        "user": user.user_id.to_string(),
        "account": request.account_name,
        "verified": request.account_verified,
        "proof": Proof::Approved.as_str(),
    });
    let subject = account_subject(&request.directory_id, &request.object_id);
    unit.add_audit(&actor.audit(services, "sign_in.approved", subject, detail))
        .await
        .map_err(internal)?;
    unit.save().await.map_err(internal)
}

/// Declines a request. The account is told so when it comes again, and asks no more.
///
/// # Errors
/// Forbidden without `system_settings:update`; not found. Declining twice is fine.
pub async fn decline(services: &Services, actor: &Actor, request_id: &str) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let mut unit = services.begin(actor.tenant_id).await?;
    let request = find_request(unit.as_mut(), actor, request_id).await?;
    let declined = unit
        .decline_identity_request(
            actor.tenant_id,
            request.request_id,
            actor.user_id(),
            services.now(),
        )
        .await
        .map_err(internal)?;
    if !declined {
        return Ok(());
    }
    let detail = serde_json::json!({ "account": request.account_name });
    let subject = account_subject(&request.directory_id, &request.object_id);
    unit.add_audit(&actor.audit(services, "sign_in.declined", subject, detail))
        .await
        .map_err(internal)?;
    unit.save().await.map_err(internal)
}
