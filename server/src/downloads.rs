//! What the edition offers as files.

use axum::body::Body;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use daybind_app::server::{AppState, RequestActor};
use daybind_domain::activity::ActivityQuery;
use daybind_domain::user::Permission;
use daybind_domain::view::CoverageQuery;
use daybind_domain::{AppError, ErrorCode};
use daybind_services::{Actor, AppResult, Lines};

use crate::guard::plain;

/// `POST /msp/operations/activity.csv`: the runs of a filter, newest first.
pub async fn activity(
    State(state): State<AppState>,
    Extension(actor): Extension<RequestActor>,
    form: Result<Form<ActivityQuery>, FormRejection>,
) -> Response {
    match reader(&state, &actor) {
        Err(error) => refused(&error),
        Ok(actor) => match form {
            Err(wrong) => wrong.into_response(),
            Ok(Form(query)) => {
                let lines = state.calendar.export_calendar_activity(actor, &query);
                sent("daybind-activity.csv", lines.await)
            }
        },
    }
}

/// `POST /msp/settings/connections.csv`: the calendar connections of a filter.
pub async fn connections(
    State(state): State<AppState>,
    Extension(actor): Extension<RequestActor>,
    form: Result<Form<CoverageQuery>, FormRejection>,
) -> Response {
    match reader(&state, &actor) {
        Err(error) => refused(&error),
        Ok(actor) => match form {
            Err(wrong) => wrong.into_response(),
            Ok(Form(query)) => {
                let lines = state.calendar.export_calendar_connections(actor, &query);
                sent("daybind-connections.csv", lines.await)
            }
        },
    }
}

/// Whoever is signed in is refused alike in Community; who may not read it is told that, whatever was sent.
fn reader<'a>(state: &AppState, actor: &'a RequestActor) -> AppResult<&'a Actor> {
    let actor = actor.0.as_ref().ok_or_else(AppError::signed_out)?;
    if !state.services.edition.calendar_available() {
        return Err(AppError::enterprise_only());
    }
    actor.require(Permission::SettingsRead)?;
    Ok(actor)
}

/// What only one edition has is refused in the typed form of its actions.
fn refused(error: &AppError) -> Response {
    if error.code == ErrorCode::EnterpriseOnly {
        return (StatusCode::NOT_IMPLEMENTED, Json(error)).into_response();
    }
    plain(error)
}

/// A failure on the way cuts the download off, so that half of it never looks like all of it.
fn sent(name: &str, lines: AppResult<Lines>) -> Response {
    match lines {
        Ok(lines) => (
            [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
                (
                    header::CONTENT_DISPOSITION,
                    format!("attachment; filename=\"{name}\""),
                ),
                (header::CACHE_CONTROL, "no-store".to_owned()),
            ],
            Body::from_stream(lines),
        )
            .into_response(),
        Err(error) => refused(&error),
    }
}
