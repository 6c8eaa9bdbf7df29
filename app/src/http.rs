//! HTTP wrappers: the four stable URLs, passed on untouched to the edition's port.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use daybind_services::StableRoute;

use crate::server::AppState;

/// The four stable routes, for every method.
pub fn stable_routes() -> Router<AppState> {
    let mut router = Router::new();
    for route in StableRoute::ALL {
        router = router.route(
            route.path(),
            any(
                move |State(state): State<AppState>, request: Request<Body>| async move {
                    serve(&state, route, request).await
                },
            ),
        );
    }
    router
}

async fn serve(state: &AppState, route: StableRoute, request: Request<Body>) -> Response {
    state.calendar.serve(route, request).await
}
