//! The pages both editions have, and what can be done there. Each is listed with the permission its page asks for.

use daybind_domain::search::SearchHit;
use daybind_domain::user::Permission;
use daybind_words::t;

use super::hit;
use crate::auth::Actor;
use crate::context::Services;

/// Settings > Integrations > Providers.
pub(super) const PROVIDERS: &str = "/msp/settings?tab=integrations&category=providers";

fn permitted<const N: usize>(
    actor: &Actor,
    places: [(Permission, SearchHit); N],
) -> Vec<SearchHit> {
    let mine = places.into_iter().filter(|(needs, _)| actor.may(*needs));
    mine.map(|(_, place)| place).collect()
}

/// Pages, in the order of the navigation.
pub(super) fn pages(actor: &Actor) -> Vec<SearchHit> {
    use Permission::{OwnProfile, ScheduleOwn, SettingsRead};
    let category = |key: &str| format!("/msp/settings?tab=integrations&category={key}");
    permitted(
        actor,
        [
            (ScheduleOwn, hit(t!("Schedule"), "", "/msp/schedule")),
            (
                SettingsRead,
                hit(t!("Providers"), t!("Settings"), PROVIDERS),
            ),
            (
                SettingsRead,
                hit(
                    t!("Login domains"),
                    t!("Settings"),
                    category("login-domains"),
                ),
            ),
            (
                SettingsRead,
                hit(t!("Sign-in requests"), t!("Settings"), category("sign-in")),
            ),
            (
                SettingsRead,
                hit(
                    t!("Audit log"),
                    t!("Operations"),
                    "/msp/operations?view=audit",
                ),
            ),
            (
                OwnProfile,
                hit(t!("Profile"), "", "/msp/profile?tab=profile"),
            ),
            (
                OwnProfile,
                hit(t!("Security"), t!("Profile"), "/msp/profile?tab=security"),
            ),
        ],
    )
}

/// What can be done.
pub(super) fn actions(services: &Services, actor: &Actor) -> Vec<SearchHit> {
    use Permission::{OwnProfile, ScheduleOwn, SettingsRead, SettingsUpdate};
    let domains = "/msp/settings?tab=integrations&category=login-domains";
    let mut found = permitted(
        actor,
        [
            (
                ScheduleOwn,
                hit(t!("New entry"), t!("Schedule"), "/msp/schedule?entry=new"),
            ),
            (
                SettingsUpdate,
                hit(
                    t!("New Microsoft profile"),
                    t!("Settings > Providers"),
                    format!("{PROVIDERS}&profile=new"),
                ),
            ),
            (
                SettingsRead,
                hit(
                    t!("Test how an address signs in"),
                    t!("Settings > Login domains"),
                    format!("{domains}#test-heading"),
                ),
            ),
            (
                OwnProfile,
                hit(
                    t!("Change my password"),
                    t!("Profile > Security"),
                    "/msp/profile?tab=security#password-heading",
                ),
            ),
            (
                OwnProfile,
                hit(
                    t!("Choose a language"),
                    t!("Profile"),
                    "/msp/profile?tab=profile#language-heading",
                ),
            ),
        ],
    );
    if actor.may(Permission::SettingsUpdate) {
        found.extend(services.guides().map(|guide| {
            hit(
                t!("Choose the profile for {}", guide.label),
                t!("Settings > Providers"),
                format!("{PROVIDERS}&rebind={}", guide.consumer.as_str()),
            )
        }));
    }
    found
}
