//! What a proven account leads to: the decision and its consequence, in one transaction with the audit row.

use daybind_domain::ids::{TenantId, UserId};
use daybind_domain::sso::SsoOutcome;
use daybind_domain::user::{UserType, normalise_email};
use daybind_storage::{
    Identity, IdentityRequest, OauthFlow, Proof, RequestState, StorageError, UnitOfWork, User,
};

use super::HOME;
use super::callback::{End, fault, stored};
use super::decide::{self, Address, Asked, Candidate, Decision, Facts, Intent, Owner, Standing};
use super::token::Account;
use crate::audit;
use crate::auth::Actor;
use crate::context::Services;

/// Decides and does it, in one transaction.
pub(super) async fn apply(
    services: &Services,
    flow: &OauthFlow,
    caller: Option<&Actor>,
    account: &Account,
) -> Result<End, SsoOutcome> {
    let tenant_id = flow.tenant_id;
    let (directory_id, object_id) = (
        account.directory_id.to_string(),
        account.object_id.to_string(),
    );
    let mut unit = services.begin(tenant_id).await.map_err(fault)?;
    let identity = unit
        .find_identity(tenant_id, &directory_id, &object_id)
        .await
        .map_err(stored)?;
    let request = unit
        .find_request_of_account(tenant_id, &directory_id, &object_id)
        .await
        .map_err(stored)?;
    let person = match (caller, &identity) {
        (Some(actor), _) => Some(actor.user.clone()),
        (None, Some(identity)) => unit
            .find_user(tenant_id, identity.user_id)
            .await
            .map_err(stored)?,
        (None, None) => None,
    };
    let (candidate, suggested) = candidate(unit.as_mut(), tenant_id, account)
        .await
        .map_err(stored)?;
    let facts = Facts {
        intent: if caller.is_some() {
            Intent::Link
        } else {
            Intent::SignIn
        },
        owner: match (&identity, caller) {
            (None, _) => Owner::Nobody,
            (Some(row), Some(actor)) if row.user_id == actor.user_id() => Owner::Caller,
            (Some(_), _) => Owner::Somebody,
        },
        standing: person.as_ref().map_or(Standing::Inactive, standing),
        asked: match request.as_ref().map(|request| request.state) {
            None => Asked::Never,
            Some(RequestState::Pending) => Asked::Pending,
            Some(RequestState::Declined) => Asked::Declined,
        },
        address: account.address,
        candidate,
    };
    let now = services.now();
    let subject = format!("microsoft_account:{directory_id}/{object_id}");
    match (decide::decide(facts), identity, caller) {
        (Decision::SignIn, Some(identity), _) => {
            unit.touch_identity(tenant_id, identity.identity_id, now)
                .await
                .map_err(stored)?;
            unit.save().await.map_err(stored)?;
            Ok(End::SignedIn {
                tenant_id,
                user_id: identity.user_id,
                return_to: flow.return_to.clone().unwrap_or_else(|| HOME.to_owned()),
            })
        }
        (Decision::Link, None, Some(actor)) => {
            let row = Identity {
                tenant_id,
                identity_id: services.new_id().into(),
                user_id: actor.user_id(),
                directory_id,
                object_id,
                account_name: account.name.clone(),
                proof: Proof::SignedIn,
                linked_by: actor.user_id(),
                linked_at: now,
                last_used_at: None,
            };
            match unit.add_identity(&row).await {
                Ok(()) => {}
                // Two round trips with the same account ended at the same moment; the other one was first.
                Err(StorageError::Duplicate(_)) => return Err(SsoOutcome::ConnectedElsewhere),
                Err(error) => return Err(stored(error)),
            }
            // Whatever an administrator said about the account: its owner has proved both ends now.
            if let Some(request) = request {
                unit.remove_identity_request(tenant_id, request.request_id)
                    .await
                    .map_err(stored)?;
            }
            let detail = serde_json::json!({
                "user": actor.user_id().to_string(), "account": account.name, "proof": Proof::SignedIn.as_str(),
            });
            unit.add_audit(&actor.audit(services, "sign_in.connected", subject, detail))
                .await
                .map_err(stored)?;
            unit.save().await.map_err(stored)?;
            Ok(End::Page(SsoOutcome::Connected))
        }
        (Decision::Ask { suggest }, _, _) => {
            let row = IdentityRequest {
                tenant_id,
                request_id: services.new_id().into(),
                directory_id,
                object_id,
                account_name: account.name.clone(),
                account_verified: account.address == Address::Verified,
                suggested_user_id: suggested.filter(|_| suggest),
                state: RequestState::Pending,
                requested_at: now,
                decided_by: None,
                decided_at: None,
            };
            if unit.add_identity_request(&row).await.map_err(stored)? {
                let detail = serde_json::json!({
                    "account": account.name,
                    "verified": row.account_verified,
                    "suggested": row.suggested_user_id.map(|id| id.to_string()),
                });
                unit.add_audit(&audit::row(
                    services,
                    tenant_id,
                    None,
                    "sign_in.requested",
                    subject,
                    detail,
                ))
                .await
                .map_err(stored)?;
            }
            unit.save().await.map_err(stored)?;
            Err(SsoOutcome::RequestPending)
        }
        (Decision::Keep, _, _) => Ok(End::Page(SsoOutcome::AlreadyConnected)),
        (Decision::Elsewhere, _, _) => Err(SsoOutcome::ConnectedElsewhere),
        (Decision::Wait, _, _) => Err(SsoOutcome::RequestPending),
        (Decision::Declined, _, _) => Err(SsoOutcome::RequestDeclined),
        (Decision::Barred | Decision::SignIn | Decision::Link, _, _) => Err(SsoOutcome::NotAllowed),
    }
}

fn standing(user: &User) -> Standing {
    match (user.user_type, user.is_active) {
        (UserType::Client, _) => Standing::ClientPortal,
        (UserType::Internal, false) => Standing::Inactive,
        (UserType::Internal, true) => Standing::Staff,
    }
}

/// Who of the tenant has the account's address: only for a suggestion, and only when Microsoft vouches for the address.
async fn candidate(
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    account: &Account,
) -> Result<(Candidate, Option<UserId>), StorageError> {
    let (Address::Verified, Some(email)) = (account.address, &account.email) else {
        return Ok((Candidate::None, None));
    };
    let found = unit.find_login(&normalise_email(email)).await?;
    // The address may be known to other tenants too; they are not asked.
    let Some(login) = found.iter().find(|login| login.tenant_id == tenant_id) else {
        return Ok((Candidate::None, None));
    };
    let user = unit.find_user(tenant_id, login.user_id).await?;
    if user.as_ref().map(standing) != Some(Standing::Staff) {
        return Ok((Candidate::Barred, None));
    }
    let linked = unit.list_identities_of(tenant_id, login.user_id).await?;
    Ok(if linked.is_empty() {
        (Candidate::Free, Some(login.user_id))
    } else {
        (Candidate::Linked, None)
    })
}
