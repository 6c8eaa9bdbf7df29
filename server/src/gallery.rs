//! `/__ui`: every component in every state. In debug builds only.

use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse};
use daybind_app::pages::gallery;
use daybind_app::server::AppState;

/// Where it is.
pub const PATH: &str = "/__ui";

/// The page runs nothing and sends nothing, so its policy allows what is looked at and no more.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// `GET /__ui`
pub async fn page(State(state): State<AppState>) -> impl IntoResponse {
    let html = gallery::document(&state.calendar.marks());
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(html))
}
