//! Rules of a Microsoft profile's fields: what an admin pastes from Entra, checked before it is stored.

use daybind_words::t;

use crate::Cloud;
use crate::error::FieldError;

/// A profile as typed, trimmed and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileFields {
    /// Shown name, whitespace collapsed.
    pub display_name: String,
    /// [`Self::display_name`] in lower case; unique per tenant among active profiles.
    pub display_name_normalized: String,
    /// Entra's Application (client) ID, a GUID in lower case.
    pub client_id: String,
    /// Entra's Directory (tenant) ID (GUID) or one of its verified domains, in lower case.
    pub directory_id: String,
    /// Microsoft's cloud both are in.
    pub cloud: Cloud,
}

/// The longest display name, in characters.
pub const DISPLAY_NAME_MAX: usize = 100;

/// Checks the fields of a profile.
///
/// # Errors
/// One [`FieldError`] for each wrong field, named as in the form (`display_name`, `client_id`, `directory_id`, `cloud`).
/// A form that says no cloud means the global one.
pub fn check_profile(
    display_name: &str,
    client_id: &str,
    directory_id: &str,
    cloud: &str,
) -> Result<ProfileFields, Vec<FieldError>> {
    let mut wrong = Vec::new();
    let mut refuse = |field: &str, message: &str| {
        wrong.push(FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        });
    };
    let display_name = collapse(display_name);
    if display_name.is_empty() {
        refuse(
            "display_name",
            t!("Enter a name that tells your colleagues which app registration this is."),
        );
    } else if display_name.chars().count() > DISPLAY_NAME_MAX {
        refuse("display_name", t!("Use at most 100 characters."));
    }
    let client_id = clean(client_id);
    if client_id.is_empty() {
        refuse(
            "client_id",
            t!("Enter the Application (client) ID from the app registration's Overview page."),
        );
    } else if !is_guid(&client_id) {
        refuse(
            "client_id",
            t!(
                "The Application (client) ID has the form 00000000-0000-0000-0000-000000000000. Copy it from the Overview page."
            ),
        );
    }
    let directory_id = clean(directory_id);
    if directory_id.is_empty() {
        refuse(
            "directory_id",
            t!("Enter the Directory (tenant) ID from the app registration's Overview page."),
        );
    } else if is_shared(&directory_id) {
        refuse(
            "directory_id",
            t!(
                "“common”, “organizations” and “consumers” name no single directory. Enter the Directory (tenant) ID of your own directory."
            ),
        );
    } else if !is_guid(&directory_id) && !is_domain(&directory_id) {
        refuse(
            "directory_id",
            t!(
                "Enter the Directory (tenant) ID (a GUID) or a verified domain such as contoso.onmicrosoft.com."
            ),
        );
    }
    let cloud = match cloud {
        "" => Some(Cloud::Global),
        named => Cloud::parse(named),
    };
    if cloud.is_none() {
        refuse(
            "cloud",
            t!("Choose the Microsoft cloud the app registration is in."),
        );
    }
    if let (Some(cloud), true) = (cloud, wrong.is_empty()) {
        Ok(ProfileFields {
            cloud,
            display_name_normalized: display_name.to_lowercase(),
            display_name,
            client_id,
            directory_id,
        })
    } else {
        Err(wrong)
    }
}

/// Checks a pasted client secret. The commonest mistake is pasting the Secret ID (a GUID) instead of the Value.
///
/// # Errors
/// What to paste instead.
pub fn check_secret(secret: &str) -> Result<&str, String> {
    let secret = secret.trim();
    if secret.is_empty() {
        Err(t!(
            "Paste the client secret's Value. Entra shows it only once, right after it is created."
        )
        .to_owned())
    } else if is_guid(&secret.to_lowercase()) {
        Err(t!(
            "This looks like the Secret ID. Paste the Value column of the client secret instead."
        )
        .to_owned())
    } else if secret.len() > 1024 || secret.chars().any(char::is_control) {
        Err(t!(
            "This is not a client secret's Value. Copy the Value column again, without line breaks."
        )
        .to_owned())
    } else {
        Ok(secret)
    }
}

/// Collapses whitespace.
fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Trims, drops zero-width characters that pasting brings along, and lowers the case.
fn clean(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}'))
        .collect::<String>()
        .trim()
        .to_lowercase()
}

/// Whether the text is a GUID in Entra's form, in either case.
#[must_use]
pub fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        })
}

/// What a stored Directory (tenant) ID is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directory {
    /// A directory's GUID.
    Guid,
    /// One of a directory's verified domains.
    Domain,
    /// `common`, `organizations` or `consumers`: no single directory.
    Shared,
    /// Nothing of the kind.
    Wrong,
}

/// Says what a Directory (tenant) ID is.
#[must_use]
pub fn directory_kind(text: &str) -> Directory {
    if is_guid(text) {
        Directory::Guid
    } else if is_domain(text) {
        Directory::Domain
    } else if is_shared(text) {
        Directory::Shared
    } else {
        Directory::Wrong
    }
}

fn is_shared(text: &str) -> bool {
    matches!(text, "common" | "organizations" | "consumers")
}

fn is_domain(text: &str) -> bool {
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID: &str = "22222222-2222-4222-8222-222222222222";

    #[test]
    fn accepts_what_entra_shows() {
        let fields = check_profile(
            "  Contoso   main ",
            &format!("\u{200b}{GUID} "),
            "Contoso.onmicrosoft.com",
            "",
        )
        .expect("valid");
        assert_eq!(fields.display_name, "Contoso main");
        assert_eq!(fields.display_name_normalized, "contoso main");
        assert_eq!(fields.client_id, GUID);
        assert_eq!(fields.directory_id, "contoso.onmicrosoft.com");
        assert_eq!(fields.cloud, Cloud::Global);
    }

    #[test]
    fn names_every_wrong_field_at_once() {
        let wrong = check_profile(" ", "abc", "common", "moon").expect_err("invalid");
        let fields: Vec<_> = wrong.iter().map(|w| w.field.as_str()).collect();
        assert_eq!(
            fields,
            ["display_name", "client_id", "directory_id", "cloud"]
        );
    }

    #[test]
    fn notices_a_secret_id_pasted_as_value() {
        assert!(
            check_secret(GUID)
                .expect_err("a guid")
                .contains("Secret ID")
        );
        assert_eq!(check_secret(" q8Q~abc "), Ok("q8Q~abc"));
        assert!(check_secret("").is_err());
    }
}
