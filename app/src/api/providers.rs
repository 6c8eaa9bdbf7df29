//! Microsoft profiles and bindings.

use daybind_domain::view::ProvidersView;
use leptos::prelude::*;

use super::text::Answer;
use crate::error::ApiError;

/// Profiles and bindings, for the edition that runs.
///
/// # Errors
/// Signed out; forbidden.
#[server(endpoint = "list_microsoft_profiles", output = Answer)]
pub async fn list_microsoft_profiles() -> Result<ProvidersView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(daybind_services::profiles::providers(&state.services, &actor).await)
}

/// Creates a Microsoft profile. The secret goes in and never comes out again.
///
/// # Errors
/// Signed out; forbidden; wrong fields.
#[server(endpoint = "create_microsoft_profile", output = Answer)]
pub async fn create_microsoft_profile(
    display_name: String,
    client_id: String,
    directory_id: String,
    client_secret: String,
    #[server(default)] cloud: String,
    #[server(default)] secret_expires_on: String,
    #[server(default)] note: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    use daybind_services::profiles::{ProfileInput, create};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let input = ProfileInput {
        display_name,
        client_id,
        directory_id,
        cloud,
        client_secret: client_secret.into(),
        secret_expires_on,
    };
    let create = create(&state.services, &actor, input);
    answer(daybind_services::audit::noted(&note, create).await)?;
    redirect("/msp/settings?tab=integrations&category=providers&saved=profile");
    Ok(())
}

/// Binds a consumer to a profile and touches no other.
///
/// # Errors
/// Signed out; forbidden; enterprise only; unknown or archived profile.
#[server(endpoint = "set_microsoft_consumer_binding", output = Answer)]
pub async fn set_microsoft_consumer_binding(
    consumer: String,
    profile_id: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let set = daybind_services::bindings::set_binding(
        &state.services,
        state.calendar.as_ref(),
        &actor,
        &consumer,
        &profile_id,
    );
    answer(set.await)?;
    redirect("/msp/settings?tab=integrations&category=providers&saved=binding");
    Ok(())
}
