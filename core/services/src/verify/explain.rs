//! What a refusal of Microsoft means for an administrator.
//!
//! Microsoft asks clients not to depend on AADSTS numbers or texts: what Daybind *does* follows the OAuth `error`
//! (RFC 6749 section 5.2); the number only picks the words, with words for the `error` to fall back on.

use daybind_words::t;

/// Words about one refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// What is the matter.
    pub meaning: &'static str,
    /// What to do.
    pub next_step: &'static str,
    /// Where in the Microsoft Entra admin center; empty when nowhere.
    pub place: &'static str,
}

const fn words(meaning: &'static str, next_step: &'static str, place: &'static str) -> Explanation {
    Explanation {
        meaning,
        next_step,
        place,
    }
}

fn secrets() -> &'static str {
    t!("App registrations > your app > Certificates & secrets")
}
fn overview() -> &'static str {
    t!("App registrations > your app > Overview")
}
fn authentication() -> &'static str {
    t!("App registrations > your app > Authentication > Web")
}
fn permissions() -> &'static str {
    t!("App registrations > your app > API permissions")
}
fn assignment() -> &'static str {
    t!("Enterprise applications > your app > Users and groups")
}
fn sign_in_logs() -> &'static str {
    t!("Monitoring > Sign-in logs")
}

/// The words for a refusal. `number` is the AADSTS number, if there was one.
#[must_use]
pub fn explain(error: &str, number: Option<i64>) -> Explanation {
    number
        .and_then(by_number)
        .unwrap_or_else(|| by_error(error))
}

/// Whether there are words for a number.
#[must_use]
pub fn by_number(number: i64) -> Option<Explanation> {
    Some(match number {
        7_000_215 => words(
            t!("The client secret is wrong. Often the Secret ID was pasted instead of the Value."),
            t!("Create a new client secret, copy its Value and rotate the secret here."),
            secrets(),
        ),
        7_000_222 => words(
            t!("The client secret has expired."),
            t!("Create a new client secret and rotate it here."),
            secrets(),
        ),
        7_000_218 => words(
            t!("Entra expects no client secret from this application, or got none."),
            t!(
                "Make sure that the redirect URI stands under the platform Web, not under single-page or mobile applications."
            ),
            authentication(),
        ),
        700_016 => words(
            t!("This application is not known in that directory."),
            t!(
                "Compare the Application (client) ID and the Directory (tenant) ID with Entra's Overview page, and check that you look at the right directory."
            ),
            overview(),
        ),
        90_002 => words(
            t!("There is no directory with this Directory (tenant) ID or domain."),
            t!("Correct the Directory (tenant) ID."),
            overview(),
        ),
        90_038 => words(
            t!("The directory is in another of Microsoft's clouds."),
            t!("Choose its cloud in the profile."),
            "",
        ),
        50_011 | 500_112 => words(
            t!(
                "The redirect URI is not registered. Upper and lower case and a slash at the end count."
            ),
            t!("Copy the exact redirect URI shown on this page into Entra."),
            authentication(),
        ),
        65_001 | 90_094 => words(
            t!(
                "Consent is missing: an administrator of the directory must approve the permissions."
            ),
            t!("Grant admin consent in Entra, then test again."),
            permissions(),
        ),
        65_004 => words(
            t!("The person declined the request."),
            t!("Test again and accept, or choose another account."),
            "",
        ),
        50_194 => words(
            t!(
                "The application belongs to one directory, but was asked for through a shared address."
            ),
            t!("Enter your Directory (tenant) ID in the profile."),
            overview(),
        ),
        50_020 => words(
            t!("This account belongs to another directory."),
            t!("Sign in with an account of the profile's directory."),
            "",
        ),
        50_105 => words(
            t!("This account is not assigned to the application."),
            t!("Assign the person, or switch off “Assignment required”."),
            assignment(),
        ),
        50_076 | 50_079 | 53_003 => words(
            t!("Extra verification or a conditional-access rule applies to this sign-in."),
            t!("Complete it in the browser, or ask the Entra administrator which rule refused it."),
            sign_in_logs(),
        ),
        700_082 | 50_173 => words(
            t!(
                "The stored permission has lapsed or was revoked, for example by a password change."
            ),
            t!("Connect again."),
            "",
        ),
        54_005 | 70_008 => words(
            t!("The sign-in took too long, or its answer was used twice."),
            t!("Test again."),
            "",
        ),
        70_011 => words(
            t!("A requested permission is not valid for this application."),
            t!("Compare the permissions with the list on this page, then verify again."),
            permissions(),
        ),
        _ => return None,
    })
}

fn by_error(error: &str) -> Explanation {
    match error {
        "invalid_client" => words(
            t!("Microsoft did not accept the client secret."),
            t!("Compare the Application (client) ID with Entra, and rotate the secret."),
            secrets(),
        ),
        "unauthorized_client" => words(
            t!("Microsoft does not let this application do that in this directory."),
            t!("Compare both ids with Entra's Overview page."),
            overview(),
        ),
        "invalid_tenant" => words(
            t!("There is no such directory."),
            t!("Correct the Directory (tenant) ID."),
            overview(),
        ),
        "access_denied" => words(
            t!("The request was declined."),
            t!("Test again and accept, or have an administrator grant consent."),
            permissions(),
        ),
        "consent_required" | "interaction_required" => words(
            t!("Microsoft wants a person to approve or confirm something first."),
            t!("Grant admin consent in Entra, then test again."),
            permissions(),
        ),
        "invalid_scope" => words(
            t!("A requested permission is not valid for this application."),
            t!("Compare the permissions with the list on this page."),
            permissions(),
        ),
        "invalid_grant" => words(
            t!("Microsoft did not accept the answer of the sign-in."),
            t!("Test again."),
            "",
        ),
        // Codes of our own.
        "wrong_directory" => words(
            t!("The address answered for another directory."),
            t!("Correct the Directory (tenant) ID."),
            overview(),
        ),
        "missing_scope" => words(
            t!("The sign-in worked, but not every permission was granted."),
            t!("Add the missing permissions in Entra and grant admin consent, then test again."),
            permissions(),
        ),
        "profile_changed" => words(
            t!("The profile was changed while the sign-in was under way."),
            t!("Test again."),
            "",
        ),
        "too_late" => words(
            t!("The sign-in took more than ten minutes."),
            t!("Test again."),
            "",
        ),
        "other_directory" => words(
            t!("The account that signed in belongs to another directory."),
            t!("Test again with an account of the profile's directory."),
            "",
        ),
        "personal_account" => words(
            t!("A personal Microsoft account signed in."),
            t!("Test again with a work or school account of the profile's directory."),
            "",
        ),
        "wrong_issuer" | "token_invalid" => words(
            t!("The answer was not made by the profile's directory for this application."),
            t!(
                "Test again. If it says so again, check that DAYBIND_MICROSOFT_LOGIN_URL and any proxy in between lead to Microsoft."
            ),
            "",
        ),
        "access_refused" => words(
            t!("The sign-in worked, but Microsoft refused what the consumer then asked for."),
            t!("Check that the account has a licence and a mailbox, then test again."),
            "",
        ),
        "internal_error" => words(
            t!("Daybind could not finish the test; its log says why."),
            t!(
                "Test again. If it says so again, give the time of this test to whoever runs Daybind."
            ),
            "",
        ),
        "malformed_answer" => words(
            t!("The address answered, but not as Microsoft's sign-in does."),
            t!(
                "Check that DAYBIND_MICROSOFT_LOGIN_URL and any proxy in between lead to Microsoft."
            ),
            "",
        ),
        _ => words(
            t!("Microsoft refused the request."),
            t!("Look the number up on Microsoft's page, and give its support the ids below."),
            "",
        ),
    }
}

/// The AADSTS number at the beginning of a description.
#[must_use]
pub fn number_in(description: &str) -> Option<i64> {
    let at = description.find("AADSTS")? + "AADSTS".len();
    let digits: String = description
        .get(at..)?
        .chars()
        .take_while(char::is_ascii_digit)
        .take(12)
        .collect();
    digits.parse().ok()
}

/// The id after `label` ("Trace ID", "Correlation ID") in a description, if it looks like one.
#[must_use]
pub fn id_in(description: &str, label: &str) -> Option<String> {
    let at = description.find(label)? + label.len();
    let id: String = description
        .get(at..)?
        .trim_start_matches([':', ' '])
        .chars()
        .take_while(|c| c.is_ascii_hexdigit() || *c == '-')
        .collect();
    daybind_domain::profile::is_guid(&id).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_picks_the_words_and_the_error_is_the_fallback() {
        let known = explain("invalid_client", Some(7_000_222));
        assert!(known.meaning.contains("expired"));
        let unknown = explain("invalid_client", Some(123));
        assert_eq!(unknown, explain("invalid_client", None));
        assert_eq!(
            explain("new_error", None).meaning,
            "Microsoft refused the request."
        );
    }

    #[test]
    fn numbers_and_ids_are_read_from_descriptions() {
        let text = "AADSTS50011: The redirect URI … Trace ID: 0f8fad5b-d9cb-469f-a165-70867728950e \
                    Correlation ID: 7c9e6679-7425-40de-944b-e07fc1f90ae7 Timestamp: 2026-11-25 08:00:00Z";
        assert_eq!(number_in(text), Some(50_011));
        assert_eq!(
            id_in(text, "Trace ID").as_deref(),
            Some("0f8fad5b-d9cb-469f-a165-70867728950e")
        );
        assert_eq!(
            id_in(text, "Correlation ID").as_deref(),
            Some("7c9e6679-7425-40de-944b-e07fc1f90ae7")
        );
        assert_eq!(number_in("nothing"), None);
        assert_eq!(id_in("Trace ID: <script>", "Trace ID"), None);
    }
}
