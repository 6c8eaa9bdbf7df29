//! The search over everything a person may open.

use daybind_domain::search::SearchView;
use leptos::prelude::*;

use super::text::Answer;
use crate::error::ApiError;

/// What `q` finds for the signed-in person; without a word, all pages and what can be done there.
///
/// # Errors
/// Signed out; forbidden for client-portal users.
#[server(endpoint = "search", output = Answer)]
pub async fn search(#[server(default)] q: String) -> Result<SearchView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    let port = state.calendar.as_ref();
    answer(daybind_services::search::search(&state.services, port, &actor, &q).await)
}
