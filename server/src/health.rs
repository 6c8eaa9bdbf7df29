//! Health: `/healthz` says that the process serves, `/readyz` that it can work. Neither asks a provider.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use daybind_app::server::AppState;
use serde_json::json;

/// `GET /healthz`
pub async fn healthz() -> &'static str {
    "ok"
}

/// `GET /readyz`
pub async fn readyz(State(state): State<AppState>) -> Response {
    match state.services.store.ready().await {
        Ok(()) => Json(json!({ "database": "ok" })).into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready: the database does not answer or has another schema");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                Json(json!({ "database": "fail" })),
            )
                .into_response()
        }
    }
}
