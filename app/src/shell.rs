//! The HTML document and the routes.

use leptos::hydration::HydrationScripts;
use leptos::prelude::*;
use leptos_meta::{MetaTags, Stylesheet, Title, provide_meta_context};
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{SsrMode, path};

use crate::entries::Entries;
use crate::pages::failure::NotFoundPage;
use crate::pages::frame::Frame;
use crate::pages::operations::OperationsPage;
use crate::pages::profile::ProfilePage;
use crate::pages::schedule::SchedulePage;
use crate::pages::settings::SettingsPage;
use crate::pages::sign_in_result::SignInResultPage;
use crate::pages::signin::SignInPage;

/// The document around the app. `data-edition` tells the browser half which edition runs.
#[must_use]
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en" data-edition=Entries::current().edition.as_str()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <HydrationScripts options/>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// Every page. Page routes render complete ([`SsrMode::Async`]), so that they work without WebAssembly.
///
/// Reads the edition's [`Entries`] from context.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    // Browser tests wait for this mark; effects run only in the browser.
    Effect::new(|| {
        if let Some(body) = document().body() {
            let _ = body.set_attribute("data-hydrated", "true");
        }
    });
    view! {
        <Stylesheet id="daybind" href="/pkg/daybind.css"/>
        <Title text="Daybind"/>
        <Router>
            <Routes fallback=|| view! { <NotFoundPage/> }>
                <Route path=path!("/auth/msp/signin") view=SignInPage ssr=SsrMode::Async/>
                <Route path=path!("/auth/msp/result") view=SignInResultPage ssr=SsrMode::Async/>
                <ParentRoute path=path!("/msp") view=Frame ssr=SsrMode::Async>
                    <Route path=path!("schedule") view=SchedulePage ssr=SsrMode::Async/>
                    <Route path=path!("settings") view=SettingsPage ssr=SsrMode::Async/>
                    <Route path=path!("operations") view=OperationsPage ssr=SsrMode::Async/>
                    <Route path=path!("profile") view=ProfilePage ssr=SsrMode::Async/>
                </ParentRoute>
            </Routes>
        </Router>
    }
}
