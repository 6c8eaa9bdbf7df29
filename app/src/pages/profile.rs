//! One's own profile: who one is here, and the edition's tab.

use daybind_domain::CALENDAR_ENTERPRISE_ONLY;
use daybind_domain::view::SessionView;
use leptos::prelude::*;
use leptos_meta::Title;

use super::failure::Failure;
use super::query_value;
use super::security::SecurityPage;
use super::sign_in_methods::SignInMethods;
use crate::api::session::current_session;
use crate::entries::Entries;
use crate::ui::PageHead;

/// What a tab of the profile shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Profile,
    Security,
    Edition,
}

/// The page, for its route.
#[must_use]
pub fn page() -> AnyView {
    view! { <ProfilePage/> }.into_any()
}

/// `/msp/profile`: `tab` chooses what is shown; an unknown one shows the profile.
#[component]
fn ProfilePage() -> impl IntoView {
    let tab = query_value("tab");
    let place = Entries::current().calendar_profile;
    let shown = move || {
        tab.with(|key| {
            if place.is_some_and(|place| key == place.key) {
                Shown::Edition
            } else if key == "security" {
                Shown::Security
            } else {
                Shown::Profile
            }
        })
    };
    let current = move |tab: Shown| move || (shown() == tab).then_some("page");
    let more = place.map(|place| {
        view! {
            <li>
                <a href=format!("/msp/profile?tab={}", place.key) aria-current=current(Shown::Edition)>{place.label}</a>
            </li>
        }
    });
    view! {
        <Title text="Profile · Daybind"/>
        <nav class="db-tabs" aria-label="Profile">
            <ul>
                <li><a href="/msp/profile?tab=profile" aria-current=current(Shown::Profile)>"Profile"</a></li>
                <li><a href="/msp/profile?tab=security" aria-current=current(Shown::Security)>"Security"</a></li>
                {more}
            </ul>
        </nav>
        {move || match shown() {
            Shown::Edition => view! { <CalendarProfileSettings/> }.into_any(),
            Shown::Security => view! { <SecurityPage/> }.into_any(),
            Shown::Profile => view! { <AboutMe/> }.into_any(),
        }}
    }
    .into_any()
}

/// The profile's entry point into the edition: its own tab, or the one sentence every such surface says without one.
#[component]
pub fn CalendarProfileSettings() -> impl IntoView {
    match Entries::current().calendar_profile {
        Some(place) => (place.view)(),
        None => view! { <p>{CALENDAR_ENTERPRISE_ONLY}</p> }.into_any(),
    }
}

#[component]
fn AboutMe() -> impl IntoView {
    let session = Resource::new(|| (), |()| current_session());
    view! {
        <PageHead title="Profile"/>
        <Suspense fallback=|| view! { <p>"Loading your profile …"</p> }>
            {move || Suspend::new(async move {
                match session.await {
                    Ok(session) => view! { <Facts session/> }.into_any(),
                    Err(error) => view! { <Failure error/> }.into_any(),
                }
            })}
        </Suspense>
        // Beside the facts, not among them: what waits for one reading must not ask for the next one anew.
        <SignInMethods/>
    }
    .into_any()
}

#[component]
fn Facts(session: SessionView) -> impl IntoView {
    view! {
        <section class="db-section">
            <dl class="db-facts">
                <dt>"Name"</dt>
                <dd>{session.name}</dd>
                <dt>"Work email"</dt>
                <dd>{session.email}</dd>
                <dt>"Time zone"</dt>
                <dd>{session.time_zone}</dd>
                <dt>"MSP"</dt>
                <dd>{session.tenant_name}</dd>
            </dl>
            <p>"Your administrator changes these. Times everywhere in Daybind are in your time zone."</p>
        </section>
    }
    .into_any()
}
