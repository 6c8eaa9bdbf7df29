//! The result of an OAuth round trip, as the callback puts it into the address.

/// Cause and next step of a failed round trip, for `calendarError` codes.
#[must_use]
pub fn explain(code: &str) -> (&'static str, &'static str) {
    match code {
        "missing_parameters" => (
            "The provider came back without an answer.",
            "Start again with the connect button below.",
        ),
        "invalid_state" => (
            "This sign-in is no longer valid: it is older than ten minutes, was already used, or began in another browser.",
            "Start again with the connect button below, and finish in this browser.",
        ),
        "configuration_error" => (
            "The provider is not set up completely in Daybind.",
            "Ask an administrator to check Settings > Integrations > Providers.",
        ),
        "token_exchange_failed" => (
            "The provider refused to complete the sign-in.",
            "Try again. If it happens again, ask an administrator to check client ID, client secret and redirect URI.",
        ),
        "access_denied" => (
            "Access was not granted: you declined, or your organisation must approve Daybind first.",
            "Connect again and accept, or ask your organisation's administrator for approval.",
        ),
        "missing_scope" => (
            "Daybind was not allowed to read and change calendar events.",
            "Connect again and leave every permission ticked.",
        ),
        "already_connected" => (
            "This account is already connected in Daybind.",
            "Use the existing connection, or choose another account.",
        ),
        "different_account" => (
            "You signed in with another account than the one this connection belongs to.",
            "Reconnect and choose the account that the connection shows, or connect the other account anew.",
        ),
        "internal_error" => (
            "Daybind could not finish the connection.",
            "Try again in a few minutes. If it happens again, tell your administrator when it happened.",
        ),
        _ => (
            "The calendar could not be connected.",
            "Try again with the connect button below.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::explain;

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
            "different_account",
        ] {
            assert_ne!(explain(code), unknown, "{code}");
        }
    }
}
