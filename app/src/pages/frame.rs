//! The frame of every page of the MSP's side: skip link, rail, main landmark.

use std::time::Duration;

use daybind_domain::profile_view::AttentionView;
use daybind_domain::view::SessionView;
use daybind_words::t;
use leptos::html;
use leptos::prelude::*;
use leptos_router::components::Outlet;
use leptos_router::hooks::use_location;

use crate::api::session::current_session;
use crate::ui::regain_focus;

/// Rail and content. Stays mounted while one moves between its pages.
#[component]
pub fn Frame() -> impl IntoView {
    let session = Resource::new(|| (), |()| current_session());
    let place = use_location();
    let (path, query) = (place.pathname, place.search);
    let main = NodeRef::<html::Main>::new();
    let focus_main = move || {
        if let Some(main) = main.get_untracked() {
            let _ = main.focus();
        }
    };
    // A page reached without a page load is announced by moving the focus to it, as a page load would. Within a page the
    // focus stays where it is, unless what had it is gone.
    Effect::new(move |last: Option<String>| {
        let now = path.get();
        query.track();
        match last {
            None => {}
            Some(last) if last != now => focus_main(),
            Some(_) => set_timeout(regain_focus, Duration::ZERO),
        }
        now
    });
    view! {
        <div class="db-shell">
            <a class="db-skip" href="#main" rel="external">{t!("Skip to content")}</a>
            <header class="db-rail">
                <a class="db-rail__brand" href="/msp/schedule">"Daybind"</a>
                <Suspense>
                    {move || Suspend::new(async move {
                        match session.await {
                            Ok(session) => view! { <Rail session/> }.into_any(),
                            Err(_) => view! {
                                <p><a href="/auth/msp/signin" rel="external">{t!("Sign in")}</a></p>
                            }.into_any(),
                        }
                    })}
                </Suspense>
            </header>
            <main id="main" class="db-main" tabindex="-1" node_ref=main>
                <Suspense>
                    {move || Suspend::new(async move {
                        session.await.ok().map(|session| view! { <Strip attention=session.attention/> })
                    })}
                </Suspense>
                <Outlet/>
            </main>
        </div>
    }
    .into_any()
}

/// What cannot wait, on top of every page; nothing when there is nothing.
#[component]
fn Strip(attention: Vec<AttentionView>) -> impl IntoView {
    (!attention.is_empty()).then(|| {
        let items: Vec<_> = attention
            .into_iter()
            .map(|item| {
                view! {
                    <li>{item.text} " " <a href=item.href rel="external">{t!("Rotate the secret")}</a></li>
                }
            })
            .collect();
        view! {
            <section class="db-strip" aria-label=t!("Needs attention")>
                <ul>{items}</ul>
            </section>
        }
    })
}

#[component]
fn Rail(session: SessionView) -> impl IntoView {
    let path = use_location().pathname;
    let current =
        move |place: &'static str| move || path.with(|path| path == place).then_some("page");
    let settings = session.can_read_settings.then(|| {
        view! {
            <li>
                <a
                    href="/msp/settings?tab=integrations&category=providers"
                    aria-current=current("/msp/settings")
                >{t!("Settings")}</a>
            </li>
        }
    });
    let operations = session.can_read_settings.then(|| {
        view! {
            <li>
                <a href="/msp/operations?view=audit" aria-current=current("/msp/operations")>{t!("Operations")}</a>
            </li>
        }
    });
    view! {
        <p class="db-rail__tenant">{session.tenant_name}</p>
        <nav class="db-rail__nav" aria-label=t!("Main")>
            <ul>
                <li><a href="/msp/schedule" aria-current=current("/msp/schedule")>{t!("Schedule")}</a></li>
                {settings}
                {operations}
                <li><a href="/msp/search" aria-current=current("/msp/search")>{t!("Search")}</a></li>
                <li><a href="/msp/profile?tab=profile" aria-current=current("/msp/profile")>{t!("Profile")}</a></li>
            </ul>
        </nav>
        <div class="db-rail__person">
            <p>{session.name}</p>
            <form method="post" action="/auth/msp/signout">
                <button type="submit" class="db-btn db-btn--quiet">{t!("Sign out")}</button>
            </form>
        </div>
    }
    .into_any()
}
