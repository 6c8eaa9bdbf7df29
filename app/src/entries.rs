//! The edition's entry points for pages, navigation and tabs.

use daybind_domain::Edition;
use daybind_words::{Said, t};
use leptos::prelude::*;

/// A settings category or profile tab that only one edition has. What it shows is a part of the program of its own.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The key in the address (`category=` or `tab=`).
    pub key: &'static str,
    /// The word in the navigation.
    pub label: Said,
}

/// What an edition adds to the shared pages. A page gets what it needs of it, the same in both halves of the edition (server
/// and browser).
#[derive(Debug, Clone, Copy)]
pub struct Entries {
    /// The edition that runs.
    pub edition: Edition,
    /// Category `calendar` of Settings > Integrations.
    pub calendar_settings: Option<Place>,
    /// What that category shows.
    pub calendar_settings_view: Option<fn() -> AnyView>,
    /// Tab `calendar` of the profile.
    pub calendar_profile: Option<Place>,
    /// What that tab shows.
    pub calendar_profile_view: Option<fn() -> AnyView>,
    /// Views of the operations that only one edition has, in the order of the navigation.
    pub operations: &'static [Place],
    /// What the view with that key shows.
    pub operations_view: Option<fn(&str) -> AnyView>,
    /// What stands below an entry's form: its history, by the entry's id.
    pub entry_history: Option<fn(String) -> AnyView>,
    /// The page of an earlier version of an entry, by both ids.
    pub entry_version: Option<fn(String, String) -> AnyView>,
    /// More cards on the Providers page.
    pub provider_cards: Option<fn() -> AnyView>,
    /// The list of login domains on its page, where the edition can prove them; `None` shows the advisory list.
    pub login_domains: Option<fn() -> AnyView>,
    /// One sentence under the Microsoft heading.
    pub microsoft_intro: &'static str,
    /// What an empty profile list says.
    pub microsoft_empty: &'static str,
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Entries {
    /// The Community edition: MSP SSO and nothing else.
    #[must_use]
    pub fn community() -> Self {
        Self {
            edition: Edition::Community,
            calendar_settings: None,
            calendar_settings_view: None,
            calendar_profile: None,
            calendar_profile_view: None,
            operations: &[],
            operations_view: None,
            entry_history: None,
            entry_version: None,
            provider_cards: None,
            login_domains: None,
            microsoft_intro: t!(
                "A Microsoft profile is an app registration that your technicians sign in through."
            ),
            microsoft_empty: t!("Add the app registration that MSP SSO should use."),
        }
    }

    /// The table for the edition that runs: Enterprise run as Community shows what Community shows.
    #[must_use]
    pub fn lowered(self, edition: Edition) -> Self {
        if edition == Edition::Community {
            Self::community()
        } else {
            self
        }
    }

    /// The entries of this page.
    ///
    /// Falls back to Community: less is shown, never more.
    #[must_use]
    pub fn current() -> Self {
        use_context().unwrap_or_else(Self::community)
    }
}
