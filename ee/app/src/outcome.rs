//! The result of an OAuth round trip, as the callback puts it into the address.

use daybind_words::t;

/// What a round trip that went well led to: whether a calendar is to be chosen, and how many calendars are synced again.
#[must_use]
pub fn connected(choose: bool, renewed: u32) -> String {
    let again = match renewed {
        0 => t!("The account is connected.").to_owned(),
        1 => t!(
            "Daybind has access to the account again. Its calendar is synced now; nothing was lost."
        )
        .to_owned(),
        more => t!(
            "Daybind has access to the account again. All {more} calendars are synced now; nothing was lost."
        ),
    };
    match (choose, renewed) {
        (true, 0) => t!("{again} Choose its calendar and the direction next."),
        (true, _) => {
            t!("{again} One connection has no calendar yet: choose it and the direction next.")
        }
        (false, _) => again,
    }
}

/// Cause and next step of a failed round trip, for `calendarError` codes.
#[must_use]
pub fn explain(code: &str) -> (&'static str, &'static str) {
    match code {
        "missing_parameters" => (
            t!("The provider came back without an answer."),
            t!("Start again with the connect button below."),
        ),
        "invalid_state" => (
            t!(
                "This sign-in is no longer valid: it is older than ten minutes, was already used, or began in another browser."
            ),
            t!("Start again with the connect button below, and finish in this browser."),
        ),
        "configuration_error" => (
            t!("The provider is not set up completely in Daybind."),
            t!("Ask an administrator to check Settings > Integrations > Providers."),
        ),
        "token_exchange_failed" => (
            t!("The provider refused to complete the sign-in."),
            t!(
                "Try again. If it happens again, ask an administrator to check client ID, client secret and redirect URI."
            ),
        ),
        "access_denied" => (
            t!(
                "Access was not granted: you declined, or your organisation must approve Daybind first."
            ),
            t!("Connect again and accept, or ask your organisation's administrator for approval."),
        ),
        "missing_scope" => (
            t!("Daybind was not allowed to read and change calendar events."),
            t!("Connect again and leave every permission ticked."),
        ),
        "already_connected" => (
            t!("This account is already connected in Daybind by somebody else."),
            t!("Choose another account, or have its owner disconnect it first."),
        ),
        "calendar_taken" => (
            t!("This calendar is already connected in Daybind."),
            t!("Connect another calendar, or have the other connection of it disconnected first."),
        ),
        "still_ending" => (
            t!("This account is still being disconnected."),
            t!("Wait a few minutes, then connect it again."),
        ),
        "different_account" => (
            t!("You signed in with another account than the one this connection belongs to."),
            t!(
                "Reconnect and choose the account that the connection shows, or connect the other account anew."
            ),
        ),
        "internal_error" => (
            t!("Daybind could not finish the connection."),
            t!(
                "Try again in a few minutes. If it happens again, tell your administrator when it happened."
            ),
        ),
        _ => (
            t!("The calendar could not be connected."),
            t!("Try again with the connect button below."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{connected, explain};

    /// W54.
    #[test]
    fn every_code_of_the_callback_has_its_own_words() {
        let unknown = explain("no such code");
        for code in [
            "missing_parameters",
            "invalid_state",
            "configuration_error",
            "token_exchange_failed",
            "internal_error",
            "access_denied",
            "missing_scope",
            "already_connected",
            "calendar_taken",
            "still_ending",
            "different_account",
        ] {
            assert_ne!(explain(code), unknown, "{code}");
        }
    }

    /// W54, W55: what follows is said, and what one consent healed is counted.
    #[test]
    fn what_went_well_is_said() {
        assert!(connected(true, 0).starts_with("The account is connected. Choose"));
        assert!(!connected(false, 1).contains("hoose"));
        assert!(connected(false, 2).contains("All 2 calendars"));
        assert!(
            connected(true, 1).contains("again. Its calendar")
                && connected(true, 1).contains("no calendar yet")
        );
    }
}
