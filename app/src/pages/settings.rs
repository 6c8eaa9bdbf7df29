//! Settings > Integrations: the edition's categories beside the chosen one.

use daybind_domain::CALENDAR_ENTERPRISE_ONLY;
use daybind_words::t;
use leptos::prelude::*;
use leptos_meta::Title;

use super::login_domains::LoginDomainsPage;
use super::parts::{Loading, part};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The Microsoft profiles and who uses them.
    Providers,
    /// Which domains sign in here.
    Domains,
    /// Who was turned away.
    Requests,
    /// The edition's own category.
    Edition,
}

impl Shown {
    /// By the category's key. Stale ones never arrive here: the server sends them on.
    fn of(category: &str) -> Self {
        let place = Entries::current().calendar_settings;
        if place.is_some_and(|place| category == place.key) {
            Self::Edition
        } else if category == "sign-in" {
            Self::Requests
        } else if category == "login-domains" {
            Self::Domains
        } else {
            Self::Providers
        }
    }

    /// What the address asks for now.
    #[must_use]
    pub fn asked() -> Self {
        query_value("category").with_untracked(|category| Self::of(category))
    }
}

/// The page, for its route; `load` brings a category's part.
#[must_use]
pub fn page(load: fn(Shown) -> Loading) -> AnyView {
    view! { <SettingsPage load/> }.into_any()
}

/// `/msp/settings`: `category` chooses what is shown.
#[component]
fn SettingsPage(load: fn(Shown) -> Loading) -> impl IntoView {
    let (category, notice) = (query_value("category"), query_value("notice"));
    let place = Entries::current().calendar_settings;
    let shown = Memo::new(move |_| category.with(|category| Shown::of(category)));
    let current = move |place: Shown| move || (shown.get() == place).then_some("page");
    let announcement = move || {
        (notice.get() == "enterprise").then(|| {
            view! {
                <Announcement
                    kind=BannerKind::Info
                    text=t!("This part of the settings is only available in Enterprise Edition.")
                    dismiss=category_address("providers")
                />
            }
        })
    };
    let more = place.map(|place| {
        view! {
            <li><a href=category_address(place.key) aria-current=current(Shown::Edition)>{(place.label)()}</a></li>
        }
    });
    view! {
        <Title text=t!("Settings · Daybind")/>
        <div class="db-settings">
            <nav class="db-settings__nav" aria-label=t!("Integrations")>
                <ul>
                    <li><a href=category_address("providers") aria-current=current(Shown::Providers)>{t!("Providers")}</a></li>
                    <li>
                        <a href=category_address("login-domains") aria-current=current(Shown::Domains)>{t!("Login domains")}</a>
                    </li>
                    <li>
                        <a href=category_address("sign-in") aria-current=current(Shown::Requests)>{t!("Sign-in requests")}</a>
                    </li>
                    {more}
                </ul>
            </nav>
            <div class="db-settings__content">
                {announcement}
                {part(shown, load)}
            </div>
        </div>
    }
    .into_any()
}

/// The category of the Microsoft profiles, for its part.
#[must_use]
pub fn providers() -> AnyView {
    view! { <ProvidersPage/> }.into_any()
}

/// The category of the login domains, for its part.
#[must_use]
pub fn domains() -> AnyView {
    view! { <LoginDomainsPage/> }.into_any()
}

/// The category of the sign-in requests, for its part.
#[must_use]
pub fn requests() -> AnyView {
    view! { <SignInRequestsPage/> }.into_any()
}

/// The edition's own category, for its part.
#[must_use]
pub fn edition() -> AnyView {
    view! { <CalendarIntegrationsSettings/> }.into_any()
}

/// The settings' entry point into the edition: its own page, or the one sentence every such surface says without one.
#[component]
pub fn CalendarIntegrationsSettings() -> impl IntoView {
    match Entries::current().calendar_settings_view {
        Some(view) => view(),
        None => view! { <p>{CALENDAR_ENTERPRISE_ONLY}</p> }.into_any(),
    }
}
