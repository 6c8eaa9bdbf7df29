//! The bindings board, the review of a change, the change itself and taking it back.

use daybind_domain::bindings::{BoardView, RebindChoices, RebindReview};
use leptos::prelude::*;

use super::text::Answer;
use crate::error::ApiError;

/// Which service of this edition uses which profile.
///
/// # Errors
/// Signed out; forbidden.
#[server(endpoint = "list_microsoft_consumer_bindings", output = Answer)]
pub async fn list_microsoft_consumer_bindings() -> Result<BoardView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(daybind_services::bindings::board(&state.services, &actor).await)
}

/// What a consumer can be bound to.
///
/// # Errors
/// Signed out; forbidden; enterprise only.
#[server(endpoint = "list_rebind_choices", output = Answer)]
pub async fn list_rebind_choices(consumer: String) -> Result<RebindChoices, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(daybind_services::bindings::choices(&state.services, &actor, &consumer).await)
}

/// What binding `consumer` to the profile `to` would do; an empty `to` asks about unbinding. Changes nothing.
///
/// # Errors
/// Signed out; forbidden; enterprise only; unknown profile.
#[server(endpoint = "plan_rebind", output = Answer)]
pub async fn plan_rebind(consumer: String, to: String) -> Result<RebindReview, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let port = state.calendar.as_ref();
    answer(daybind_services::bindings::review(&state.services, port, &actor, &consumer, &to).await)
}

/// Does what a review showed: binds `consumer` to `profile_id`, or unbinds it when that is empty. `seen` names what was
/// bound then; `note` is for the audit log; `typed` is the consumer's label where the impact could not be found out.
///
/// # Errors
/// Signed out; forbidden; enterprise only; unknown, archived or incomplete profile; changed meanwhile.
#[server(endpoint = "confirm_rebind", output = Answer)]
pub async fn confirm_rebind(
    consumer: String,
    profile_id: String,
    seen: String,
    #[server(default)] note: String,
    #[server(default)] typed: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    use daybind_services::bindings::{Change, change};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let wanted = Change {
        consumer: &consumer,
        profile_id: &profile_id,
        seen: Some(&seen),
        note: &note,
        typed: &typed,
    };
    let done = change(&state.services, state.calendar.as_ref(), &actor, wanted).await;
    answer(done)?;
    let saved = if profile_id.is_empty() {
        "unbound"
    } else {
        "binding"
    };
    redirect(&format!(
        "/msp/settings?tab=integrations&category=providers&saved={saved}"
    ));
    Ok(())
}

/// Takes the last change of a consumer's binding back; `change` names it, so that a later one is never undone by mistake.
///
/// # Errors
/// Signed out; forbidden; enterprise only; too late; changed again since.
#[server(endpoint = "undo_rebind", output = Answer)]
pub async fn undo_rebind(
    consumer: String,
    change: String,
    #[server(default)] note: String,
) -> Result<(), ApiError> {
    use crate::server::{actor, answer, redirect, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let port = state.calendar.as_ref();
    let undo = daybind_services::bindings::undo(&state.services, port, &actor, &consumer, &change);
    answer(daybind_services::audit::noted(&note, undo).await)?;
    redirect("/msp/settings?tab=integrations&category=providers&saved=undone");
    Ok(())
}
