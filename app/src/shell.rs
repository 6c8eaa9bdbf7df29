//! The HTML document and the routes.

use daybind_words::{Lang, t};
use leptos::hydration::HydrationScripts;
use leptos::prelude::*;
use leptos_meta::{MetaTags, Stylesheet, Title, provide_meta_context};
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{Lazy, SsrMode, path};

use crate::live::Live;
use crate::pages::failure::NotFoundPage;
use crate::pages::frame::Frame;
use crate::pages::routes::{Pages, running};

/// The document around the app. `lang` and `data-edition` tell the browser half which language and edition it is.
///
/// The language that is none has no browser half: programs for browsers do not hold it.
#[must_use]
pub fn shell<P: Pages>(options: LeptosOptions) -> AnyView {
    view! {
        <!DOCTYPE html>
        <html lang=daybind_words::lang().tag() data-edition=running().as_str()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                {(daybind_words::lang() != Lang::Xx).then(|| view! { <HydrationScripts options/> })}
                <MetaTags/>
            </head>
            <body>
                {app::<P>()}
                // Behind everything the browser half takes over. The style sheet shows it where no browser half is.
                <footer class="db-plain">
                    <p>
                        {t!("This page works without scripts. Left out is what needs them: buttons that copy, and changes shown as they \
                             happen. Load the page again to see what is new.")}
                    </p>
                </footer>
            </body>
        </html>
    }
    .into_any()
}

/// Every page. Page routes render complete ([`SsrMode::Async`]), so that they work without WebAssembly.
///
/// Reads from context which edition runs.
#[must_use]
pub fn app<P: Pages>() -> AnyView {
    provide_meta_context();
    Live::provide();
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
                <Route path=path!("/auth/msp/signin") view={Lazy::<P::SignIn>::new()} ssr=SsrMode::Async/>
                <Route path=path!("/auth/msp/result") view={Lazy::<P::SignInResult>::new()} ssr=SsrMode::Async/>
                <ParentRoute path=path!("/msp") view=Frame ssr=SsrMode::Async>
                    <Route path=path!("schedule") view={Lazy::<P::Schedule>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("settings") view={Lazy::<P::Settings>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("operations") view={Lazy::<P::Operations>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("profile") view={Lazy::<P::Profile>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("search") view={Lazy::<P::Search>::new()} ssr=SsrMode::Async/>
                </ParentRoute>
            </Routes>
        </Router>
    }
    .into_any()
}
