//! One's own profile: who one is here, and the edition's tab.

use daybind_domain::CALENDAR_ENTERPRISE_ONLY;
use daybind_domain::view::SessionView;
use daybind_words::{Lang, t};
use leptos::prelude::*;
use leptos_meta::Title;

use super::failure::Failure;
use super::parts::{Loading, part};
use super::query_value;
use super::security::SecurityPage;
use super::sign_in_methods::SignInMethods;
use crate::api::session::current_session;
use crate::entries::Entries;
use crate::ui::{PageHead, Section, SelectField};

/// What a tab of the profile shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Who one is here.
    Profile,
    /// One's sessions.
    Security,
    /// The edition's own tab.
    Edition,
}

impl Shown {
    /// By the tab's key; an unknown one shows the profile.
    fn of(tab: &str) -> Self {
        let place = Entries::current().calendar_profile;
        if place.is_some_and(|place| tab == place.key) {
            Self::Edition
        } else if tab == "security" {
            Self::Security
        } else {
            Self::Profile
        }
    }

    /// What the address asks for now.
    #[must_use]
    pub fn asked() -> Self {
        query_value("tab").with_untracked(|tab| Self::of(tab))
    }
}

/// The page, for its route; `load` brings a tab's part.
#[must_use]
pub fn page(load: fn(Shown) -> Loading) -> AnyView {
    view! { <ProfilePage load/> }.into_any()
}

/// `/msp/profile`: `tab` chooses what is shown.
#[component]
fn ProfilePage(load: fn(Shown) -> Loading) -> impl IntoView {
    let tab = query_value("tab");
    let place = Entries::current().calendar_profile;
    let shown = Memo::new(move |_| tab.with(|tab| Shown::of(tab)));
    let current = move |tab: Shown| move || (shown.get() == tab).then_some("page");
    let more = place.map(|place| {
        view! {
            <li>
                <a href=format!("/msp/profile?tab={}", place.key) aria-current=current(Shown::Edition)>{(place.label)()}</a>
            </li>
        }
    });
    view! {
        <Title text=t!("Profile · Daybind")/>
        <nav class="db-tabs" aria-label=t!("Profile")>
            <ul>
                <li><a href="/msp/profile?tab=profile" aria-current=current(Shown::Profile)>{t!("Profile")}</a></li>
                <li><a href="/msp/profile?tab=security" aria-current=current(Shown::Security)>{t!("Security")}</a></li>
                {more}
            </ul>
        </nav>
        {part(shown, load)}
    }
    .into_any()
}

/// The tab of who one is, for its part.
#[must_use]
pub fn about_me() -> AnyView {
    view! { <AboutMe/> }.into_any()
}

/// The tab of one's sessions, for its part.
#[must_use]
pub fn security() -> AnyView {
    view! { <SecurityPage/> }.into_any()
}

/// The edition's own tab, for its part.
#[must_use]
pub fn edition() -> AnyView {
    view! { <CalendarProfileSettings/> }.into_any()
}

/// The profile's entry point into the edition: its own tab, or the one sentence every such surface says without one.
#[component]
pub fn CalendarProfileSettings() -> impl IntoView {
    match Entries::current().calendar_profile_view {
        Some(view) => view(),
        None => view! { <p>{CALENDAR_ENTERPRISE_ONLY}</p> }.into_any(),
    }
}

#[component]
fn AboutMe() -> impl IntoView {
    let session = Resource::new(|| (), |()| current_session());
    view! {
        <PageHead title=t!("Profile")/>
        <Suspense fallback=|| view! { <p>{t!("Loading your profile …")}</p> }>
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
                <dt>{t!("Name")}</dt>
                <dd>{session.name}</dd>
                <dt>{t!("Work email")}</dt>
                <dd>{session.email}</dd>
                <dt>{t!("Time zone")}</dt>
                <dd>{session.time_zone}</dd>
                <dt>"MSP"</dt>
                <dd>{session.tenant_name}</dd>
            </dl>
            <p>{t!("Your administrator changes these. Times everywhere in Daybind are in your time zone.")}</p>
        </section>
        <Language chosen=session.language/>
    }
    .into_any()
}

/// Which language this browser is answered in. A plain form: every text of the page changes, so it is loaded anew.
#[component]
fn Language(chosen: String) -> impl IntoView {
    let offered = Lang::OFFERED.map(|lang| (lang.tag().to_owned(), lang.name().to_owned()));
    let browser = (String::new(), t!("As this browser asks for").to_owned());
    let options = [browser].into_iter().chain(offered).collect::<Vec<_>>();
    view! {
        <Section title=t!("Language") id="language-heading">
            <form method="post" action="/auth/msp/language" class="db-form">
                <input type="hidden" name="next" value="/msp/profile?tab=profile"/>
                <SelectField
                    id="language"
                    name="language"
                    label=t!("Language of this browser")
                    options
                    selected=chosen
                    optional=true
                />
                <div class="db-form__actions">
                    <button type="submit" class="db-btn db-btn--secondary">{t!("Use this language")}</button>
                </div>
            </form>
        </Section>
    }
    .into_any()
}
