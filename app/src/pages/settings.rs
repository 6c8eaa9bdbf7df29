//! Settings > Integrations: the edition's categories beside the chosen one.

use daybind_domain::CALENDAR_ENTERPRISE_ONLY;
use leptos::prelude::*;
use leptos_meta::Title;

use super::login_domains::LoginDomainsPage;
use super::providers::ProvidersPage;
use super::query_value;
use super::sign_in_requests::SignInRequestsPage;
use crate::entries::Entries;
use crate::ui::{Announcement, BannerKind};

/// The address of a category.
#[must_use]
pub fn category_address(key: &str) -> String {
    format!("/msp/settings?tab=integrations&category={key}")
}

/// What a category of the settings shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Providers,
    Domains,
    Requests,
    Edition,
}

/// The page, for its route.
#[must_use]
pub fn page() -> AnyView {
    view! { <SettingsPage/> }.into_any()
}

/// `/msp/settings`: `category` chooses what is shown. Stale addresses never arrive here: the server sends them on.
#[component]
fn SettingsPage() -> impl IntoView {
    let (category, notice) = (query_value("category"), query_value("notice"));
    let place = Entries::current().calendar_settings;
    let elsewhere = move || place.is_some_and(|place| category.with(|key| key == place.key));
    let shown = move || {
        if elsewhere() {
            Shown::Edition
        } else if category.with(|key| key == "sign-in") {
            Shown::Requests
        } else if category.with(|key| key == "login-domains") {
            Shown::Domains
        } else {
            Shown::Providers
        }
    };
    let current = move |place: Shown| move || (shown() == place).then_some("page");
    let announcement = move || {
        (notice.get() == "enterprise").then(|| {
            view! {
                <Announcement
                    kind=BannerKind::Info
                    text="This part of the settings is only available in Enterprise Edition."
                    dismiss=category_address("providers")
                />
            }
        })
    };
    let more = place.map(|place| {
        view! {
            <li><a href=category_address(place.key) aria-current=current(Shown::Edition)>{place.label}</a></li>
        }
    });
    view! {
        <Title text="Settings · Daybind"/>
        <div class="db-settings">
            <nav class="db-settings__nav" aria-label="Integrations">
                <ul>
                    <li><a href=category_address("providers") aria-current=current(Shown::Providers)>"Providers"</a></li>
                    <li>
                        <a href=category_address("login-domains") aria-current=current(Shown::Domains)>"Login domains"</a>
                    </li>
                    <li>
                        <a href=category_address("sign-in") aria-current=current(Shown::Requests)>"Sign-in requests"</a>
                    </li>
                    {more}
                </ul>
            </nav>
            <div class="db-settings__content">
                {announcement}
                {move || match shown() {
                    Shown::Edition => view! { <CalendarIntegrationsSettings/> }.into_any(),
                    Shown::Requests => view! { <SignInRequestsPage/> }.into_any(),
                    Shown::Domains => view! { <LoginDomainsPage/> }.into_any(),
                    Shown::Providers => view! { <ProvidersPage/> }.into_any(),
                }}
            </div>
        </div>
    }
    .into_any()
}

/// The settings' entry point into the edition: its own page, or the one sentence every such surface says without one.
#[component]
pub fn CalendarIntegrationsSettings() -> impl IntoView {
    match Entries::current().calendar_settings {
        Some(place) => (place.view)(),
        None => view! { <p>{CALENDAR_ENTERPRISE_ONLY}</p> }.into_any(),
    }
}
