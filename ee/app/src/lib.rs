//! Enterprise pages: calendar tab of the profile, calendar category of the settings, the Google card on
//! Providers, the proof of login domains.

daybind_words::catalogue!();

mod activity;
mod activity_live;
mod calendar_conflict;
mod calendar_pause;
pub mod calendar_preview;
mod calendar_profile;
pub mod calendar_questions;
pub mod calendar_settings;
mod conflict_inbox;
pub mod connection;
mod connection_detail;
mod entry_history;
mod entry_version;
pub mod google_card;
mod health;
pub mod login_domains;
pub mod outcome;
mod own_conflicts;

use daybind_app::Entries;
use daybind_app::entries::Place;
use daybind_domain::Edition;
use daybind_words::t;
use leptos::prelude::*;

use activity::Activity;
use calendar_profile::CalendarProfile;
use calendar_settings::CalendarSettings;
use entry_history::EntryHistory;
use entry_version::EntryVersion;
use google_card::GoogleCard;
use health::Health;
use login_domains::LoginDomains;

daybind_app::pages! {
    schedule: on_schedule,
    providers: on_providers,
    login_domains: on_login_domains,
    calendar_settings: on_calendar_settings,
    calendar_profile: on_calendar_profile,
    operations: on_operations,
    others: enterprise,
}

/// What every page of the Enterprise edition knows. Server and browser lower it when Community runs.
fn enterprise() -> Entries {
    const CALENDAR: Option<Place> = Some(Place {
        key: "calendar",
        label: || t!("Calendar"),
    });
    Entries {
        edition: Edition::Enterprise,
        calendar_settings: CALENDAR,
        calendar_profile: CALENDAR,
        operations: &[
            Place {
                key: "activity",
                label: || t!("Activity"),
            },
            Place {
                key: "health",
                label: || t!("Health"),
            },
        ],
        microsoft_intro: t!(
            "A Microsoft profile is an app registration that MSP SSO, Email, Calendar and Teams can use, each the same or another one."
        ),
        microsoft_empty: t!(
            "Add the app registration that MSP SSO, Email, Calendar or Teams should use."
        ),
        ..Entries::community()
    }
}

fn on_schedule() -> Entries {
    Entries {
        entry_history: Some(|entry_id| view! { <EntryHistory entry_id/> }.into_any()),
        entry_version: Some(|entry_id, version_id| {
            view! { <EntryVersion entry_id version_id/> }.into_any()
        }),
        ..enterprise()
    }
}

fn on_providers() -> Entries {
    Entries {
        provider_cards: Some(|| view! { <GoogleCard/> }.into_any()),
        ..enterprise()
    }
}

fn on_login_domains() -> Entries {
    Entries {
        login_domains: Some(|| view! { <LoginDomains/> }.into_any()),
        ..enterprise()
    }
}

fn on_operations() -> Entries {
    Entries {
        operations_view: Some(|key| match key {
            "health" => view! { <Health/> }.into_any(),
            _ => view! { <Activity/> }.into_any(),
        }),
        ..enterprise()
    }
}

fn on_calendar_settings() -> Entries {
    Entries {
        calendar_settings_view: Some(|| view! { <CalendarSettings/> }.into_any()),
        ..enterprise()
    }
}

fn on_calendar_profile() -> Entries {
    Entries {
        calendar_profile_view: Some(|| view! { <CalendarProfile/> }.into_any()),
        ..enterprise()
    }
}
