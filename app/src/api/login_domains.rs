//! Login domains: the list, the tester, and (Enterprise) the proof.

use daybind_domain::login_domain::{DomainClaimsView, LoginDomainsView, SignInTestView};
use leptos::prelude::*;

use super::text::Answer;
use crate::error::ApiError;
#[cfg(feature = "ssr")]
use daybind_services::audit::noted;

/// The MSP's login domains.
///
/// # Errors
/// Signed out; forbidden.
#[server(endpoint = "list_login_domains", output = Answer)]
pub async fn list_login_domains() -> Result<LoginDomainsView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(daybind_services::login_domains::list(&state.services, &actor).await)
}

/// Lists a domain; nobody checks whose it is.
///
/// # Errors
/// Signed out; forbidden; a wrong field; conflict.
#[server(endpoint = "add_login_domain", output = Answer)]
pub async fn add_login_domain(
    domain: String,
    #[server(default)] note: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let add = daybind_services::login_domains::add(&state.services, &actor, &domain);
    answer(noted(&note, add).await)?;
    redirect("/msp/settings?tab=integrations&category=login-domains&saved=domain");
    Ok(())
}

/// Takes a domain off the list.
///
/// # Errors
/// Signed out; forbidden; not found; conflict.
#[server(endpoint = "remove_login_domain", output = Answer)]
pub async fn remove_login_domain(
    domain_id: String,
    #[server(default)] note: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let remove = daybind_services::login_domains::remove(&state.services, &actor, &domain_id);
    answer(noted(&note, remove).await)?;
    redirect("/msp/settings?tab=integrations&category=login-domains&saved=removed");
    Ok(())
}

/// What will happen when somebody signs in with that address.
///
/// # Errors
/// Signed out; forbidden; a wrong field.
#[server(endpoint = "test_sign_in_address", output = Answer)]
pub async fn test_sign_in_address(address: String) -> Result<SignInTestView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(daybind_services::login_domains::test(&state.services, &actor, &address).await)
}

/// The MSP's login domains with their proofs.
///
/// # Errors
/// Enterprise only; signed out; forbidden.
#[server(endpoint = "list_domain_claims", output = Answer)]
pub async fn list_domain_claims() -> Result<DomainClaimsView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(state.domains.list(&actor).await)
}

/// Claims a domain: what must be published then stands in the list.
///
/// # Errors
/// Enterprise only; signed out; forbidden; a wrong field; conflict.
#[server(endpoint = "request_domain_claim", output = Answer)]
pub async fn request_domain_claim(
    domain: String,
    #[server(default)] note: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(noted(&note, state.domains.request(&actor, &domain)).await)?;
    redirect("/msp/settings?tab=integrations&category=login-domains&saved=claimed");
    Ok(())
}

/// Replaces what must be published.
///
/// # Errors
/// Enterprise only; signed out; forbidden; not found; conflict.
#[server(endpoint = "renew_domain_claim", output = Answer)]
pub async fn renew_domain_claim(domain_id: String) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(state.domains.renew(&actor, &domain_id).await)?;
    redirect("/msp/settings?tab=integrations&category=login-domains&saved=renewed");
    Ok(())
}

/// Looks for the proof now; what was seen then stands in the list.
///
/// # Errors
/// Enterprise only; signed out; forbidden; not found; conflict; too many look-ups.
#[server(endpoint = "check_domain_claim", output = Answer)]
pub async fn check_domain_claim(domain_id: String) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(state.domains.check(&actor, &domain_id).await)?;
    redirect("/msp/settings?tab=integrations&category=login-domains&saved=checked");
    Ok(())
}

/// Gives a domain up. `confirmed` is `yes` when the impact was read.
///
/// # Errors
/// Enterprise only; signed out; forbidden; not found; conflict.
#[server(endpoint = "revoke_domain_claim", output = Answer)]
pub async fn revoke_domain_claim(
    domain_id: String,
    #[server(default)] confirmed: String,
    #[server(default)] note: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let revoke = state.domains.revoke(&actor, &domain_id, confirmed == "yes");
    answer(noted(&note, revoke).await)?;
    redirect("/msp/settings?tab=integrations&category=login-domains&saved=revoked");
    Ok(())
}
