//! How people sign in: their Microsoft accounts, and the accounts that wait for an administrator.

use daybind_domain::sso::{IdentityRequestsView, SignInMethodsView, SignInStep};
use leptos::prelude::*;

use super::text::Answer;
use crate::error::ApiError;

/// What somebody who is signing in has typed so far.
///
/// # Errors
/// An internal error outside a request.
#[server(endpoint = "kept_sign_in_address", output = Answer)]
pub async fn kept_sign_in_address() -> Result<SignInStep, ApiError> {
    use crate::server::{answer, cookie, state};
    use daybind_services::sso::{address_cookie, read_address};
    let state = answer(state())?;
    let kept = cookie(address_cookie(&state.services));
    Ok(SignInStep {
        address: kept
            .and_then(|value| read_address(&value))
            .unwrap_or_default(),
    })
}

/// How the caller can sign in.
///
/// # Errors
/// Signed out; forbidden.
#[server(endpoint = "sign_in_methods", output = Answer)]
pub async fn sign_in_methods() -> Result<SignInMethodsView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(daybind_services::sso::accounts::methods(&state.services, &actor).await)
}

/// Disconnects one of the caller's Microsoft accounts.
///
/// # Errors
/// Signed out; forbidden; not found; conflict when it is their last way in.
#[server(endpoint = "disconnect_microsoft_account", output = Answer)]
pub async fn disconnect_microsoft_account(
    identity_id: String,
    #[server(default)] note: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    use daybind_services::sso::accounts::disconnect;
    let (state, actor) = (answer(state())?, answer(actor())?);
    let disconnect = disconnect(&state.services, &actor, &identity_id);
    answer(daybind_services::audit::noted(&note, disconnect).await)?;
    redirect("/msp/profile?tab=profile&saved=account");
    Ok(())
}

/// The accounts that wait, and who could be chosen.
///
/// # Errors
/// Signed out; forbidden.
#[server(endpoint = "list_sign_in_requests", output = Answer)]
pub async fn list_sign_in_requests() -> Result<IdentityRequestsView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(daybind_services::sso::accounts::requests(&state.services, &actor).await)
}

/// Gives the account of a request to a person.
///
/// # Errors
/// Signed out; forbidden; not found; wrong person; conflict.
#[server(endpoint = "approve_sign_in_request", output = Answer)]
pub async fn approve_sign_in_request(
    request_id: String,
    user_id: String,
    #[server(default)] note: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    use daybind_services::sso::accounts::approve;
    let (state, actor) = (answer(state())?, answer(actor())?);
    let approve = approve(&state.services, &actor, &request_id, &user_id);
    answer(daybind_services::audit::noted(&note, approve).await)?;
    redirect("/msp/settings?tab=integrations&category=sign-in&saved=approved");
    Ok(())
}

/// Declines a request.
///
/// # Errors
/// Signed out; forbidden; not found.
#[server(endpoint = "decline_sign_in_request", output = Answer)]
pub async fn decline_sign_in_request(
    request_id: String,
    #[server(default)] note: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    use daybind_services::sso::accounts::decline;
    let (state, actor) = (answer(state())?, answer(actor())?);
    let decline = decline(&state.services, &actor, &request_id);
    answer(daybind_services::audit::noted(&note, decline).await)?;
    redirect("/msp/settings?tab=integrations&category=sign-in&saved=declined");
    Ok(())
}
