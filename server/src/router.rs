//! The routes, and the layers around them.

use std::sync::OnceLock;

use anyhow::Context as _;
use axum::extract::{DefaultBodyLimit, FromRef, Request, State};
use axum::routing::{get, post};
use axum::{Router, middleware};
use daybind_app::server::AppState;
use daybind_services::sso::CALLBACK_PATH;
use leptos::config::LeptosOptions;
use leptos::prelude::provide_context;
use leptos_axum::{
    AxumRouteListing, LeptosRoutes as _, file_and_error_handler_with_context, generate_route_list,
    render_route_with_context,
};
use tower_http::csrf::CsrfLayer;

use crate::PagesOf;
use crate::csp::Policy;
use crate::{again, alone, audit_csv, downloads, guard, health, language, live, signin, sso};

/// The largest form or server function body: 256 KiB.
const BODY_LIMIT: usize = 256 * 1024;

/// State of the page routes.
#[derive(Clone, FromRef)]
struct PageState {
    options: LeptosOptions,
    app: AppState,
}

/// Listing routes sets a process-wide flag inside Leptos, so it happens once.
fn routes(pages: PagesOf) -> &'static [AxumRouteListing] {
    static ROUTES: OnceLock<Vec<AxumRouteListing>> = OnceLock::new();
    ROUTES.get_or_init(|| generate_route_list(pages.app))
}

/// The whole application.
///
/// # Errors
/// When the public URL is not an origin.
pub fn router(
    state: &AppState,
    edition: PagesOf,
    options: LeptosOptions,
    policy: &Policy,
) -> anyhow::Result<Router> {
    language::listen();
    let shell = edition.shell;
    let context = {
        let (state, policy) = (state.clone(), policy.clone());
        move || {
            provide_context(state.clone());
            provide_context(state.services.edition);
            language::carry();
            policy.apply();
        }
    };
    let pages = PageState {
        options: options.clone(),
        app: state.clone(),
    };
    let session = middleware::from_fn_with_state(state.clone(), guard::session);
    let brought = {
        let options = options.clone();
        let read =
            render_route_with_context(routes(edition).to_vec(), context.clone(), move || {
                shell(options.clone())
            });
        post(
            move |state: State<PageState>, request: Request| async move {
                match again::page(request, BODY_LIMIT).await {
                    Ok(request) => read(state, request).await,
                    Err(refused) => refused,
                }
            },
        )
    };
    let with_forms = again::paths().fold(Router::new(), |router, path| {
        router.route(path, brought.clone())
    });
    let site = Router::new()
        .merge(with_forms)
        .leptos_routes_with_context(&pages, routes(edition).to_vec(), context.clone(), {
            let options = options.clone();
            move || shell(options.clone())
        })
        .fallback(file_and_error_handler_with_context::<PageState, _>(
            context, shell,
        ))
        .route("/msp/operations/audit.csv", post(audit_csv::csv))
        .route("/msp/operations/activity.csv", post(downloads::activity))
        .route(
            "/msp/settings/connections.csv",
            post(downloads::connections),
        )
        .route("/auth/msp/signin", post(signin::sign_in))
        .route("/auth/msp/signout", post(signin::sign_out))
        .route("/auth/msp/language", post(language::choose))
        .route("/auth/msp/discover", post(sso::discover))
        .route("/auth/msp/microsoft", post(sso::microsoft))
        .route("/auth/msp/connect", post(sso::connect))
        .route(CALLBACK_PATH, get(sso::callback))
        .route(live::PATH, get(live::live))
        .layer(middleware::from_fn(again::bring))
        .layer(middleware::from_fn(alone::alone))
        .layer(middleware::from_fn_with_state(state.clone(), guard::pages))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            guard::referer,
        ))
        .layer(session.clone())
        .layer(middleware::from_fn_with_state(
            u64::try_from(BODY_LIMIT)?,
            guard::length,
        ))
        .with_state(pages);
    let stable = daybind_app::http::stable_routes();
    // In Community the four URLs answer before any database read, so no session is looked up there.
    let stable = if state.services.edition.calendar_available() {
        stable.layer(session)
    } else {
        stable
    };
    let health = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz));
    // A release has neither the address nor the page.
    #[cfg(debug_assertions)]
    let health = health.route(crate::gallery::PATH, get(crate::gallery::page));
    let origin = state.services.public_url.origin().ascii_serialization();
    let csrf = CsrfLayer::new()
        .add_trusted_origin(&origin)
        .context("the public URL is not an origin")?;
    // The stable URLs prove themselves by a state or a secret, not by an origin: providers call them from anywhere, and
    // in Community they answer everybody alike.
    Ok(health
        .with_state(state.clone())
        .merge(site)
        .layer(csrf)
        .merge(stable.with_state(state.clone()))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            guard::headers,
        ))
        .layer(middleware::from_fn(language::speak))
        .layer(middleware::from_fn(guard::trace)))
}
