//! What sync did (Enterprise).

use daybind_domain::activity::{ActivityPageView, ActivityQuery, HealthView};
use leptos::prelude::*;

use super::text::Answer;
use crate::error::ApiError;

/// One page of runs, newest first, and the one that was opened.
///
/// # Errors
/// Signed out; forbidden; a filter that cannot be read; no such run; enterprise only.
#[server(endpoint = "list_calendar_activity", output = Answer)]
pub async fn list_calendar_activity(
    #[server(default)] query: ActivityQuery,
) -> Result<ActivityPageView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(state.calendar.list_calendar_activity(&actor, &query).await)
}

/// What needs a person, and how sync is.
///
/// # Errors
/// Signed out; forbidden; enterprise only.
#[server(endpoint = "get_calendar_health", output = Answer)]
pub async fn get_calendar_health() -> Result<HealthView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(state.calendar.get_calendar_health(&actor).await)
}
