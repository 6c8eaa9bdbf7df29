//! What somebody had typed into a form that was refused, where the browser sends forms itself.
//!
//! Such a form is brought to its own page once more (`server/src/again.rs`), and the page shows the fields as they were
//! sent. Secrets are left out. With WebAssembly the page never goes away, and nothing here is asked.

#[cfg(feature = "ssr")]
use daybind_domain::ErrorCode;
#[cfg(feature = "ssr")]
use leptos::prelude::*;

use super::action::Failed;

/// The fields of a refused form, in the order they were sent; the server puts them into the request.
#[cfg(feature = "ssr")]
#[derive(Clone, Default)]
pub struct Typed(Vec<(String, String)>);

#[cfg(feature = "ssr")]
impl Typed {
    /// Keeps names and values as they were sent, but none that is a secret.
    pub fn new(fields: impl Iterator<Item = (String, String)>) -> Self {
        Self(fields.filter(|(name, _)| !is_secret(name)).collect())
    }

    fn all(&self, name: &str) -> Option<Vec<String>> {
        let list = format!("{name}[]");
        let found: Vec<String> = self
            .0
            .iter()
            .filter(|(field, _)| field == name || *field == list)
            .map(|(_, value)| value.clone())
            .collect();
        Some(found).filter(|found| !found.is_empty())
    }
}

/// The fields of our forms that hold secrets, by name: client secrets and passwords, old, new and repeated.
#[cfg(feature = "ssr")]
fn is_secret(name: &str) -> bool {
    name.contains("password") || matches!(name, "client_secret" | "current" | "new" | "repeated")
}

#[cfg(feature = "ssr")]
fn sent(error: Failed) -> Option<Typed> {
    // Where somebody else was first, the page shows what is stored now, and the message what was typed: sent again as it
    // was, it would take back what the other one did.
    let code = error.with_untracked(|error| error.as_ref().map(|error| error.code))?;
    if code == ErrorCode::Conflict {
        return None;
    }
    let parts = use_context::<http::request::Parts>()?;
    parts.extensions.get::<Typed>().cloned()
}

/// What was typed into the field `name` of the form that failed with `error`; otherwise what the field holds at first.
pub fn typed(error: Failed, name: &str, first: String) -> String {
    #[cfg(feature = "ssr")]
    if let Some(value) = sent(error).and_then(|typed| typed.all(name)?.pop()) {
        return value;
    }
    #[cfg(not(feature = "ssr"))]
    let _ = (error, name);
    first
}

/// The same for a list of boxes: those that were ticked. None ticked is an answer, too.
pub fn ticked(error: Failed, name: &str, first: Vec<String>) -> Vec<String> {
    #[cfg(feature = "ssr")]
    if let Some(typed) = sent(error) {
        return typed.all(name).unwrap_or_default();
    }
    #[cfg(not(feature = "ssr"))]
    let _ = (error, name);
    first
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_left_out() {
        let sent = [
            ("display_name", "Main"),
            ("client_secret", "s"),
            ("secret_expires_on", "2027-01-01"),
            ("current", "p"),
            ("new", "p"),
            ("repeated", "p"),
            ("password", "p"),
            ("consumers[]", "msp_sso"),
            ("consumers[]", "email"),
        ];
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let typed = Typed::new(sent.into_iter().map(own));
        let names: Vec<&str> = typed.0.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "display_name",
                "secret_expires_on",
                "consumers[]",
                "consumers[]"
            ]
        );
        let boxes = ["msp_sso", "email"].map(str::to_owned).to_vec();
        assert_eq!(typed.all("consumers"), Some(boxes));
        assert_eq!(typed.all("entered"), None);
    }
}
