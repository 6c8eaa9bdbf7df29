//! Whether a profile can serve a consumer, and what it lacks: decided here and nowhere else.

use chrono::NaiveDate;
use daybind_words::t;

use crate::Consumer;
use crate::expiry::{Expiry, expiry};
use crate::profile::{Directory, directory_kind, is_guid};

/// What is known about a profile without asking Microsoft.
#[derive(Debug, Clone, Copy)]
pub struct ProfileFacts<'a> {
    /// Archived profiles serve nobody.
    pub archived: bool,
    /// Application (client) ID as stored.
    pub client_id: &'a str,
    /// Directory (tenant) ID or domain as stored.
    pub directory_id: &'a str,
    /// A client secret is stored.
    pub has_secret: bool,
    /// Its recorded last day.
    pub secret_expires_on: Option<NaiveDate>,
    /// The day it is judged on.
    pub today: NaiveDate,
}

/// What a consumer asks of a profile and of the installation, beyond what all ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsumerFacts {
    /// Which consumer.
    pub consumer: Consumer,
    /// Its name on the screen.
    pub label: &'static str,
    /// Entra accepts its redirect URIs: https, or http on the own machine.
    pub redirect_accepted: bool,
    /// It needs an Application ID URI, and that cannot be formed.
    pub lacks_application_uri: bool,
}

/// One thing that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The consumer that lacks it; `None`: every consumer.
    pub consumer: Option<Consumer>,
    /// What is missing, as it stands after "because": "the client secret is missing".
    pub what: String,
    /// What to do about it.
    pub remedy: &'static str,
    /// Without it no consumer can use the profile at all. Otherwise it is a warning.
    pub blocks: bool,
}

/// What a profile lacks for the given consumers, most basic first; empty when nothing is missing.
#[must_use]
pub fn readiness(profile: &ProfileFacts<'_>, consumers: &[ConsumerFacts]) -> Vec<Need> {
    let mut needs = Vec::new();
    let mut all = |what: &str, remedy: &'static str, blocks: bool| {
        needs.push(Need {
            consumer: None,
            what: what.to_owned(),
            remedy,
            blocks,
        });
    };
    if profile.archived {
        all(
            t!("the profile is archived"),
            t!("Restore it, or choose another profile."),
            true,
        );
    }
    if !is_guid(profile.client_id) {
        all(
            t!("the Application (client) ID is missing or not a GUID"),
            t!("Copy it from the app registration's Overview page."),
            true,
        );
    }
    match directory_kind(profile.directory_id) {
        Directory::Guid | Directory::Domain => {}
        Directory::Shared => all(
            t!("the Directory (tenant) ID names no single directory"),
            t!(
                "Enter the Directory (tenant) ID of your own directory instead of a shared address."
            ),
            true,
        ),
        Directory::Wrong => all(
            t!("the Directory (tenant) ID is missing or malformed"),
            t!("Copy it from the app registration's Overview page."),
            true,
        ),
    }
    if profile.has_secret {
        if let Expiry::Expired { .. } = expiry(profile.secret_expires_on, profile.today) {
            all(
                t!("the client secret's expiry date has passed"),
                t!("Rotate the secret."),
                false,
            );
        }
    } else {
        all(
            t!("the client secret is missing"),
            t!("Add the client secret's Value."),
            true,
        );
    }
    for consumer in consumers {
        if !consumer.redirect_accepted {
            needs.push(Need {
                consumer: Some(consumer.consumer),
                what: t!("Entra accepts no http redirect URI for {}", consumer.label),
                remedy: t!("Give Daybind an https address in DAYBIND_PUBLIC_URL."),
                blocks: false,
            });
        }
        if consumer.lacks_application_uri {
            needs.push(Need {
                consumer: Some(consumer.consumer),
                what: t!(
                    "the Application ID URI for {} cannot be formed",
                    consumer.label
                ),
                remedy: t!("It needs an https address in DAYBIND_PUBLIC_URL and the Application (client) ID."),
                blocks: false,
            });
        }
    }
    needs
}

/// Whether nothing that blocks is missing.
#[must_use]
pub fn is_ready(needs: &[Need]) -> bool {
    needs.iter().all(|need| !need.blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID: &str = "22222222-2222-4222-8222-222222222222";

    fn facts() -> ProfileFacts<'static> {
        ProfileFacts {
            archived: false,
            client_id: GUID,
            directory_id: "contoso.onmicrosoft.com",
            has_secret: true,
            secret_expires_on: None,
            today: NaiveDate::from_ymd_opt(2026, 11, 25).expect("a date"),
        }
    }

    fn sso(accepted: bool) -> ConsumerFacts {
        ConsumerFacts {
            consumer: Consumer::MspSso,
            label: "MSP SSO",
            redirect_accepted: accepted,
            lacks_application_uri: false,
        }
    }

    #[test]
    fn a_complete_profile_lacks_nothing() {
        assert_eq!(readiness(&facts(), &[sso(true)]), []);
    }

    /// G8: readiness shows the missing parts; archived is never ready.
    #[test]
    fn every_missing_part_is_named_and_blocks() {
        for broken in [
            ProfileFacts {
                archived: true,
                ..facts()
            },
            ProfileFacts {
                client_id: "",
                ..facts()
            },
            ProfileFacts {
                directory_id: "",
                ..facts()
            },
            ProfileFacts {
                directory_id: "common",
                ..facts()
            },
            ProfileFacts {
                has_secret: false,
                ..facts()
            },
        ] {
            let needs = readiness(&broken, &[sso(true)]);
            assert_eq!(needs.len(), 1, "{broken:?}");
            assert!(!is_ready(&needs), "{broken:?}");
        }
    }

    #[test]
    fn a_passed_date_warns_but_microsoft_decides() {
        let facts = ProfileFacts {
            secret_expires_on: NaiveDate::from_ymd_opt(2026, 11, 24),
            ..facts()
        };
        let needs = readiness(&facts, &[]);
        assert_eq!(needs.len(), 1);
        assert!(is_ready(&needs));
    }

    #[test]
    fn what_one_consumer_lacks_names_that_consumer() {
        let teams = ConsumerFacts {
            consumer: Consumer::Teams,
            label: "Another",
            redirect_accepted: true,
            lacks_application_uri: true,
        };
        let needs = readiness(&facts(), &[sso(false), teams]);
        let named: Vec<_> = needs.iter().map(|need| need.consumer).collect();
        assert_eq!(named, [Some(Consumer::MspSso), Some(Consumer::Teams)]);
        assert!(is_ready(&needs));
    }
}
