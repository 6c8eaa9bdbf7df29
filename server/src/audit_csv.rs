//! The audit log as a file.

use axum::Extension;
use axum::body::Body;
use axum::extract::{Form, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use daybind_app::server::{AppState, RequestActor};
use daybind_domain::AppError;
use daybind_domain::audit::AuditQuery;
use daybind_services::audit;

use crate::guard::plain;

/// `POST /msp/operations/audit.csv`: the rows of a filter, newest first, as they are read from the database. A failure
/// on the way cuts the download off, so that half of it never looks like all of it.
pub async fn csv(
    State(state): State<AppState>,
    Extension(actor): Extension<RequestActor>,
    form: Result<Form<AuditQuery>, axum::extract::rejection::FormRejection>,
) -> Response {
    let Some(actor) = actor.0 else {
        return plain(&AppError::signed_out());
    };
    // Who may not read the log is told that, whatever was sent.
    if let Err(error) = actor.require(daybind_domain::user::Permission::SettingsRead) {
        return plain(&error);
    }
    let query = match form {
        Ok(Form(query)) => query,
        Err(refused) => return refused.into_response(),
    };
    match audit::csv(&state.services, &actor, &query).await {
        Ok(rows) => (
            [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (
                    header::CONTENT_DISPOSITION,
                    "attachment; filename=\"daybind-audit.csv\"",
                ),
                (header::CACHE_CONTROL, "no-store"),
            ],
            Body::from_stream(rows),
        )
            .into_response(),
        Err(error) => plain(&error),
    }
}
