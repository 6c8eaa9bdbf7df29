//! The audit log.

use daybind_domain::audit::{AuditPageView, AuditQuery};
use leptos::prelude::*;

use super::text::Answer;
use crate::error::ApiError;

/// One page of the audit log, newest first.
///
/// # Errors
/// Signed out; forbidden; a filter that cannot be read.
#[server(endpoint = "list_audit", output = Answer)]
pub async fn list_audit(query: AuditQuery) -> Result<AuditPageView, ApiError> {
    use crate::server::{actor, answer, state};
    let (state, actor) = (answer(state())?, answer(actor())?);
    answer(daybind_services::audit::list(&state.services, &actor, &query).await)
}
