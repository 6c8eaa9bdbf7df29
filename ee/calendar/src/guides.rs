//! What each consumer of the Enterprise edition needs in Entra.

use daybind_domain::Consumer;
use daybind_services::guide::{ConsumerGuide, MSP_SSO, ScopeReason};
use daybind_words::t;

const OFFLINE: ScopeReason = ScopeReason {
    name: "offline_access",
    reason: || t!("Keeps the connection alive without asking the person again."),
};
const ACCOUNT: ScopeReason = ScopeReason {
    name: "User.Read",
    reason: || t!("Tells which account was connected."),
};

/// The guides, in the order of the bindings board.
pub const GUIDES: &[ConsumerGuide] = &[
    MSP_SSO,
    ConsumerGuide {
        consumer: Consumer::Email,
        label: "Email",
        help: || t!("Messages from Microsoft 365 mailboxes become tickets."),
        redirect_paths: &["/api/auth/microsoft/callback"],
        scopes: &[
            OFFLINE,
            ACCOUNT,
            ScopeReason {
                name: "Mail.Read",
                reason: || {
                    t!("Reads the messages of the connected mailbox. Nothing is changed or sent.")
                },
            },
        ],
        untested: Some(|| {
            t!(
                "This version answers no sign-in at the redirect URI of Email, so only the directory, the application and the secret can be tested."
            )
        }),
        application_uri: None,
    },
    ConsumerGuide {
        consumer: Consumer::Calendar,
        label: "Calendar",
        help: || t!("Schedule entries stay in step with technicians' Outlook calendars."),
        redirect_paths: &["/api/auth/microsoft/calendar/callback"],
        scopes: &[
            OFFLINE,
            ACCOUNT,
            ScopeReason {
                name: "Calendars.ReadWrite",
                reason: || {
                    t!(
                        "Reads and writes events of the calendar the person chooses. No mail is read."
                    )
                },
            },
        ],
        untested: None,
        application_uri: None,
    },
    ConsumerGuide {
        consumer: Consumer::Teams,
        label: "Teams",
        help: || t!("The Daybind tab, bot and message extension in Microsoft Teams."),
        redirect_paths: &[
            "/api/teams/auth/callback/tab",
            "/api/teams/auth/callback/bot",
            "/api/teams/auth/callback/message-extension",
        ],
        scopes: &[
            ScopeReason {
                name: "openid",
                reason: || t!("Tells which directory and which account opened the tab."),
            },
            ScopeReason {
                name: "profile",
                reason: || t!("Gives the name of the person in the tab."),
            },
            ScopeReason {
                name: "email",
                reason: || t!("Gives the address shown in the tab. It never identifies anybody."),
            },
            OFFLINE,
        ],
        untested: Some(|| {
            t!(
                "This version answers no sign-in at the redirect URIs of Teams, so only the directory, the application and the secret can be tested."
            )
        }),
        application_uri: Some(("teams", || {
            t!("Enter it under Expose an API > Application ID URI.")
        })),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::MICROSOFT_SCOPES;

    /// Least privilege, and no word too much: the guide names exactly what is requested.
    #[test]
    fn calendar_names_the_permissions_it_asks_for() {
        let guide = GUIDES
            .iter()
            .find(|guide| guide.consumer == Consumer::Calendar)
            .unwrap();
        let named: Vec<_> = guide.scopes.iter().map(|scope| scope.name).collect();
        assert_eq!(named, MICROSOFT_SCOPES);
    }

    #[test]
    fn every_consumer_has_one_guide_in_the_boards_order() {
        let order: Vec<_> = GUIDES.iter().map(|guide| guide.consumer).collect();
        assert_eq!(
            order,
            daybind_domain::Edition::Enterprise.visible_consumers()
        );
    }
}
