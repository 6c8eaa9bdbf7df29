//! Sign-in through Microsoft: how a round trip can end, and what pages see of people's accounts.

use daybind_words::t;
use serde::{Deserialize, Serialize};

/// How a round trip to Microsoft ended. [`code`](Self::code) is all that stands in the result page's address: no text
/// of the provider, no address, no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SsoOutcome {
    /// The account was added to the signed-in person.
    Connected,
    /// The account was theirs before.
    AlreadyConnected,
    /// The account belongs to somebody else of the MSP.
    ConnectedElsewhere,
    /// Nobody has this account yet; an administrator has been asked.
    RequestPending,
    /// An administrator declined the account.
    RequestDeclined,
    /// The person is not active, or signs in to the client portal.
    NotAllowed,
    /// The person said no at Microsoft.
    Declined,
    /// An administrator of the directory has to approve the application first.
    ConsentRequired,
    /// The directory lets only chosen people use the application.
    NotAssigned,
    /// A rule of the directory (conditional access, a second factor) stopped the sign-in.
    BlockedByPolicy,
    /// Microsoft's answer had no code, no state, or one of them twice.
    MissingParameters,
    /// The round trip took more than ten minutes.
    Expired,
    /// The round trip has ended before, or never began here.
    AlreadyUsed,
    /// Another browser began it.
    WrongBrowser,
    /// Another person began it, or they have signed out since.
    WrongPerson,
    /// The answer names another issuer (RFC 9207).
    WrongIssuer,
    /// The profile or its binding was changed meanwhile.
    SettingsChanged,
    /// No organisation, no binding, or an incomplete profile: one answer for all three, so that nothing can be probed.
    NotReady,
    /// Microsoft does not accept the application's ID or secret.
    ClientRefused,
    /// Microsoft did not accept the code.
    CodeRefused,
    /// The ID token failed a check.
    TokenInvalid,
    /// The account is of another directory than the profile's.
    WrongDirectory,
    /// A personal Microsoft account.
    PersonalAccount,
    /// Microsoft did not answer, or not usefully.
    ProviderDown,
    /// Too many tries.
    RateLimited,
    /// Our fault.
    Internal,
}

/// What the result page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SsoText {
    /// The page's heading.
    pub heading: &'static str,
    /// What happened, in one or two sentences.
    pub cause: &'static str,
    /// What to do.
    pub next_step: &'static str,
    /// Whether trying again can help without anybody changing anything.
    pub retry: bool,
}

const fn text(
    heading: &'static str,
    cause: &'static str,
    next_step: &'static str,
    retry: bool,
) -> SsoText {
    SsoText {
        heading,
        cause,
        next_step,
        retry,
    }
}

impl SsoOutcome {
    /// All of them.
    pub const ALL: [Self; 26] = [
        Self::Connected,
        Self::AlreadyConnected,
        Self::ConnectedElsewhere,
        Self::RequestPending,
        Self::RequestDeclined,
        Self::NotAllowed,
        Self::Declined,
        Self::ConsentRequired,
        Self::NotAssigned,
        Self::BlockedByPolicy,
        Self::MissingParameters,
        Self::Expired,
        Self::AlreadyUsed,
        Self::WrongBrowser,
        Self::WrongPerson,
        Self::WrongIssuer,
        Self::SettingsChanged,
        Self::NotReady,
        Self::ClientRefused,
        Self::CodeRefused,
        Self::TokenInvalid,
        Self::WrongDirectory,
        Self::PersonalAccount,
        Self::ProviderDown,
        Self::RateLimited,
        Self::Internal,
    ];

    /// The word in the address and in the log.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::AlreadyConnected => "already_connected",
            Self::ConnectedElsewhere => "connected_elsewhere",
            Self::RequestPending => "request_pending",
            Self::RequestDeclined => "request_declined",
            Self::NotAllowed => "not_allowed",
            Self::Declined => "declined",
            Self::ConsentRequired => "consent_required",
            Self::NotAssigned => "not_assigned",
            Self::BlockedByPolicy => "blocked_by_policy",
            Self::MissingParameters => "missing_parameters",
            Self::Expired => "expired",
            Self::AlreadyUsed => "already_used",
            Self::WrongBrowser => "wrong_browser",
            Self::WrongPerson => "wrong_person",
            Self::WrongIssuer => "wrong_issuer",
            Self::SettingsChanged => "settings_changed",
            Self::NotReady => "not_ready",
            Self::ClientRefused => "client_refused",
            Self::CodeRefused => "code_refused",
            Self::TokenInvalid => "token_invalid",
            Self::WrongDirectory => "wrong_directory",
            Self::PersonalAccount => "personal_account",
            Self::ProviderDown => "provider_down",
            Self::RateLimited => "rate_limited",
            Self::Internal => "internal_error",
        }
    }

    /// Reads the word; anything unknown is an internal error.
    #[must_use]
    pub fn parse(code: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.code() == code)
            .unwrap_or(Self::Internal)
    }

    /// Whether the person got what they wanted.
    #[must_use]
    pub const fn succeeded(self) -> bool {
        matches!(self, Self::Connected | Self::AlreadyConnected)
    }

    /// The address of the page that says so.
    #[must_use]
    pub fn address(self) -> String {
        format!("/auth/msp/result?code={}", self.code())
    }

    /// What that page says.
    #[must_use]
    pub fn text(self) -> SsoText {
        match self {
            Self::Connected => text(
                t!("Microsoft sign-in is connected"),
                t!("You can sign in with this Microsoft account from now on."),
                t!("Go on to your profile."),
                false,
            ),
            Self::AlreadyConnected => text(
                t!("Microsoft sign-in was already connected"),
                t!("This Microsoft account is yours already. Nothing was changed."),
                t!("Go on to your profile."),
                false,
            ),
            Self::ConnectedElsewhere => text(
                t!("This Microsoft account belongs to somebody else"),
                t!("Another person of your MSP signs in with it, so it was not added to you."),
                t!(
                    "Choose another account at Microsoft, or ask that person to disconnect it first."
                ),
                true,
            ),
            Self::RequestPending => text(
                t!("Your administrator has to approve this account"),
                t!(
                    "Microsoft confirmed who you are, but this Microsoft account is not connected to anybody here yet."
                ),
                t!(
                    "Ask your administrator to open Settings > Sign-in requests. If you have a password, you can also sign \
                 in with it and connect the account in your profile yourself."
                ),
                true,
            ),
            Self::RequestDeclined => text(
                t!("Your administrator declined this account"),
                t!("This Microsoft account may not sign in here."),
                t!("Ask your administrator if you think that is wrong."),
                false,
            ),
            Self::NotAllowed => text(
                t!("You cannot sign in here"),
                t!("Your account here is switched off, or it belongs to the client portal."),
                t!("Ask your administrator, or sign in to your client portal."),
                false,
            ),
            Self::Declined => text(
                t!("You stopped the sign-in"),
                t!(
                    "Microsoft reports that the sign-in was cancelled or not agreed to. Nothing was changed."
                ),
                t!("Try again, or use a password."),
                true,
            ),
            Self::ConsentRequired => text(
                t!("The application needs approval"),
                t!(
                    "An administrator of your Microsoft directory has to approve the application before you can sign in."
                ),
                t!(
                    "Ask them to grant admin consent in Entra (App registrations > API permissions), then try again."
                ),
                true,
            ),
            Self::NotAssigned => text(
                t!("You are not assigned to the application"),
                t!("Your Microsoft directory lets only chosen people use it."),
                t!(
                    "Ask an administrator of the directory to assign you in Entra (Enterprise applications > Users and \
                 groups)."
                ),
                true,
            ),
            Self::BlockedByPolicy => text(
                t!("A rule of your directory stopped the sign-in"),
                t!(
                    "Microsoft asked for more than this sign-in could give, such as a second factor or a managed device."
                ),
                t!("Try again from a device your organisation manages, or ask its administrator."),
                true,
            ),
            Self::MissingParameters => text(
                t!("The answer was not complete"),
                t!("This page was opened without the answer Microsoft should have sent along."),
                t!("Begin the sign-in again."),
                true,
            ),
            Self::Expired => text(
                t!("The sign-in took too long"),
                t!(
                    "A sign-in must be finished within ten minutes. This one was not, and nothing was changed."
                ),
                t!("Begin the sign-in again."),
                true,
            ),
            Self::AlreadyUsed => text(
                t!("This sign-in has already ended"),
                t!(
                    "Each sign-in can be finished once. This one was finished before, or it is older than ten minutes."
                ),
                t!("If you are signed in, just go on. Otherwise begin the sign-in again."),
                true,
            ),
            Self::WrongBrowser => text(
                t!("Another browser began this sign-in"),
                t!("A sign-in must be finished in the browser that began it. Nothing was changed."),
                t!(
                    "If somebody sent you this link, do not use it. Otherwise begin the sign-in again in this browser."
                ),
                true,
            ),
            Self::WrongPerson => text(
                t!("Somebody else began this"),
                t!(
                    "The account was to be added to the person who was signed in then. They are not signed in any more."
                ),
                t!("Sign in, then connect the account again from your profile."),
                false,
            ),
            Self::WrongIssuer => text(
                t!("The answer came from the wrong place"),
                t!(
                    "The answer names another sender than the directory that was asked, so it was not used."
                ),
                t!("Begin the sign-in again. If this repeats, tell your administrator."),
                true,
            ),
            Self::SettingsChanged => text(
                t!("The settings were changed meanwhile"),
                t!(
                    "An administrator changed the Microsoft profile while you were away, so the answer does not fit any \
                 more."
                ),
                t!("Begin the sign-in again."),
                true,
            ),
            Self::NotReady => text(
                t!("Sign-in with Microsoft is not ready for this organisation"),
                t!("Either nobody has set it up for this address, or the set-up is not complete."),
                t!(
                    "Use a password, or ask your administrator to check Settings > Integrations > Providers."
                ),
                false,
            ),
            Self::ClientRefused => text(
                t!("Microsoft does not accept the application"),
                t!(
                    "The application ID or the client secret of the Microsoft profile is wrong or has expired."
                ),
                t!(
                    "Tell your administrator. They can enter a new secret in Settings > Integrations > Providers."
                ),
                false,
            ),
            Self::CodeRefused => text(
                t!("Microsoft did not confirm the sign-in"),
                t!("The answer was used before, or Microsoft does not stand by it any more."),
                t!("Begin the sign-in again."),
                true,
            ),
            Self::TokenInvalid => text(
                t!("The sign-in could not be trusted"),
                t!("What Microsoft sent did not pass every check, so nobody was signed in."),
                t!("Begin the sign-in again. If this repeats, tell your administrator."),
                true,
            ),
            Self::WrongDirectory => text(
                t!("This account is of another directory"),
                t!("Only accounts of your MSP's own Microsoft directory can sign in here."),
                t!("Choose your work account at Microsoft."),
                true,
            ),
            Self::PersonalAccount => text(
                t!("Personal Microsoft accounts cannot sign in"),
                t!("Only work accounts of your MSP's Microsoft directory can."),
                t!("Choose your work account at Microsoft."),
                true,
            ),
            Self::ProviderDown => text(
                t!("Microsoft did not answer"),
                t!("The sign-in could not be finished because Microsoft did not answer in time."),
                t!("Try again in a few minutes, or use a password."),
                true,
            ),
            Self::RateLimited => text(
                t!("There were too many attempts"),
                t!("To keep accounts safe, sign-in is paused for a short time."),
                t!("Wait a few minutes, then try again."),
                true,
            ),
            Self::Internal => text(
                t!("The sign-in could not be finished"),
                t!("Something went wrong inside Daybind. Nothing was changed."),
                t!("Try again. If it happens again, tell your administrator when it happened."),
                true,
            ),
        }
    }
}

/// The second step of signing in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInStep {
    /// The address the person typed, or empty when there is none yet.
    pub address: String,
}

/// One Microsoft account of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityView {
    /// Its id.
    pub identity_id: String,
    /// What Microsoft calls it.
    pub account: String,
    /// When it was connected, RFC 3339 in UTC and in the reader's zone.
    pub linked: (String, String),
    /// When it was last used, likewise.
    pub used: Option<(String, String)>,
    /// Whether it can be disconnected: some other way in remains.
    pub removable: bool,
}

/// How a person can sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInMethodsView {
    /// Whether they have a password.
    pub password: bool,
    /// Their Microsoft accounts.
    pub accounts: Vec<IdentityView>,
    /// Whether sign-in through Microsoft is set up, so that an account can be connected.
    pub microsoft_ready: bool,
}

/// A Microsoft account that waits for an administrator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityRequestView {
    /// Its id.
    pub request_id: String,
    /// What Microsoft calls the account.
    pub account: String,
    /// Whether Microsoft says that the directory owns the domain of that name.
    pub verified: bool,
    /// The directory (tenant) ID.
    pub directory_id: String,
    /// The account's object ID.
    pub object_id: String,
    /// When it asked, RFC 3339 in UTC and in the reader's zone.
    pub requested: (String, String),
    /// Who it could be.
    pub suggested: Option<String>,
    /// Whether it was declined.
    pub declined: bool,
}

/// Who could be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateView {
    /// Their id.
    pub user_id: String,
    /// Name and address.
    pub label: String,
}

/// Settings > Sign-in requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityRequestsView {
    /// Pending ones first.
    pub requests: Vec<IdentityRequestView>,
    /// The active people of the MSP.
    pub people: Vec<CandidateView>,
    /// Whether the reader may decide.
    pub may_decide: bool,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_outcome_has_a_code_of_its_own_and_says_what_to_do() {
        let codes: BTreeSet<_> = SsoOutcome::ALL
            .iter()
            .map(|outcome| outcome.code())
            .collect();
        assert_eq!(codes.len(), SsoOutcome::ALL.len());
        for outcome in SsoOutcome::ALL {
            assert_eq!(SsoOutcome::parse(outcome.code()), outcome);
            assert_eq!(
                outcome.address(),
                format!("/auth/msp/result?code={}", outcome.code())
            );
            let text = outcome.text();
            assert!(text.cause.ends_with('.') && text.next_step.ends_with('.'));
            assert!(!text.heading.ends_with('.'));
        }
        assert_eq!(SsoOutcome::parse("<script>"), SsoOutcome::Internal);
    }
}
