//! The browsers somebody is signed in with, and passwords.

use daybind_domain::login_domain::PasswordRuleView;
use daybind_domain::session::SessionsView;
use leptos::prelude::*;

use super::text::Answer;
use crate::error::ApiError;
#[cfg(feature = "ssr")]
use daybind_services::audit::noted;

/// Where a form about sessions leads back to. `person` is what the form said: only an id is repeated.
#[cfg(feature = "ssr")]
fn back(person: &str, saved: &str) -> String {
    use daybind_domain::ids::UserId;
    let person = person
        .parse::<UserId>()
        .map(|id| format!("&person={id}"))
        .unwrap_or_default();
    format!("/msp/profile?tab=security{person}&saved={saved}")
}

/// A person's live sessions: one's own without `person`.
///
/// # Errors
/// Signed out; forbidden; not found.
#[server(endpoint = "list_sessions", output = Answer)]
pub async fn list_sessions(#[server(default)] person: String) -> Result<SessionsView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(daybind_services::sessions::list(&state.services, &actor, &person).await)
}

/// Ends one session.
///
/// # Errors
/// Signed out; forbidden; not found; conflict for the one in use.
#[server(endpoint = "end_session", output = Answer)]
pub async fn end_session(
    session_id: String,
    #[server(default)] person: String,
    #[server(default)] note: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let end = daybind_services::sessions::end(&state.services, &actor, &person, &session_id);
    answer(noted(&note, end).await)?;
    redirect(&back(&person, "session"));
    Ok(())
}

/// Ends all of a person's sessions but the one in use.
///
/// # Errors
/// Signed out; forbidden; not found.
#[server(endpoint = "end_other_sessions", output = Answer)]
pub async fn end_other_sessions(
    #[server(default)] person: String,
    #[server(default)] note: String,
) -> Result<usize, ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let end = daybind_services::sessions::end_others(&state.services, &actor, &person);
    let ended = answer(noted(&note, end).await)?;
    redirect(&back(&person, "sessions"));
    Ok(ended)
}

/// Changes one's own password and ends one's other sessions.
///
/// # Errors
/// Signed out; forbidden; wrong fields; too many tries.
#[server(endpoint = "change_own_password", output = Answer)]
pub async fn change_own_password(
    current: String,
    new: String,
    repeated: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let repeated = repeated.into();
    let change = daybind_services::passwords::change_own(
        &state.services,
        &actor,
        current.into(),
        new.into(),
        &repeated,
    );
    answer(change.await)?;
    redirect(&back("", "password"));
    Ok(())
}

/// Who may sign in with a password.
///
/// # Errors
/// Signed out; forbidden.
#[server(endpoint = "get_password_rule", output = Answer)]
pub async fn get_password_rule() -> Result<PasswordRuleView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(daybind_services::passwords::rule(&state.services, &actor).await)
}

/// Decides whether technicians may sign in with a password: `yes` or `no`.
///
/// # Errors
/// Signed out; forbidden; not ready.
#[server(endpoint = "set_password_rule", output = Answer)]
pub async fn set_password_rule(
    technicians: String,
    #[server(default)] note: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let set = daybind_services::passwords::set_rule(&state.services, &actor, technicians == "yes");
    answer(noted(&note, set).await)?;
    redirect("/msp/settings?tab=integrations&category=login-domains&saved=passwords");
    Ok(())
}
