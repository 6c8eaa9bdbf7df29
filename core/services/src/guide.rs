//! What a consumer needs in Entra: redirect URIs, permissions with their reasons, an Application ID URI.
//!
//! An edition hands in the guides of its consumers ([`crate::Services::guides`]); the words about Enterprise consumers
//! stand in Enterprise crates, so that the Community program does not hold them.

use daybind_domain::Consumer;
use daybind_domain::profile_view::{ApplicationUriView, GuideView, ScopeView};
use daybind_domain::readiness::ConsumerFacts;
use daybind_words::{Said, t};
use url::{Host, Url};

use crate::context::Services;

/// One permission and why it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct ScopeReason {
    /// As Entra names it.
    pub name: &'static str,
    /// What it is needed for.
    pub reason: Said,
}

/// What one consumer needs.
#[derive(Debug, Clone, Copy)]
pub struct ConsumerGuide {
    /// Which.
    pub consumer: Consumer,
    /// Its name on the screen.
    pub label: &'static str,
    /// What it uses the profile for, in one sentence.
    pub help: Said,
    /// Paths of its redirect URIs. Each begins with a slash; the first one serves the test sign-in.
    pub redirect_paths: &'static [&'static str],
    /// Delegated permissions. Least privilege: nothing that no screen uses.
    pub scopes: &'static [ScopeReason],
    /// Why no test sign-in can be made for it; `None` when one can.
    pub untested: Option<Said>,
    /// The path of its Application ID URI (`api://<host>/<path>/<client id>`), and where to enter it.
    pub application_uri: Option<(&'static str, Said)>,
}

/// MSP SSO, the consumer both editions have.
pub const MSP_SSO: ConsumerGuide = ConsumerGuide {
    consumer: Consumer::MspSso,
    label: "MSP SSO",
    help: || t!("Technicians sign in to Daybind with their Microsoft work account."),
    redirect_paths: &["/api/auth/callback/azure-ad"],
    scopes: &[
        ScopeReason {
            name: "openid",
            reason: || t!("Tells which directory and which account signed in."),
        },
        ScopeReason {
            name: "profile",
            reason: || t!("Gives the name shown to a person who links an account."),
        },
        ScopeReason {
            name: "email",
            reason: || {
                t!(
                    "Gives the address shown to a person who links an account. It never identifies anybody."
                )
            },
        },
    ],
    untested: None,
    application_uri: None,
};

/// The Community edition's guides.
pub const COMMUNITY: &[ConsumerGuide] = &[MSP_SSO];

/// Why Entra will refuse a redirect URI, if it will (Microsoft, "Redirect URI restrictions and limitations").
#[must_use]
pub fn redirect_problem(uri: &str) -> Option<&'static str> {
    let Ok(url) = Url::parse(uri) else {
        return Some(t!("This is not a URL."));
    };
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Some(t!("The URL names no host.")),
    };
    if url.scheme() != "https" && !local {
        return Some(t!(
            "Entra accepts https only. Give Daybind an https address in DAYBIND_PUBLIC_URL."
        ));
    }
    if uri.len() > 256 {
        return Some(t!(
            "Entra accepts at most 256 characters. Give Daybind a shorter address."
        ));
    }
    if uri.contains(['!', '$', '\'', '(', ')', ',', ';', '*', '?', '#']) {
        return Some(t!("Entra refuses a character in this address."));
    }
    None
}

/// The Application ID URI a guide asks for; `None` while it cannot be formed: Entra wants https and a host name.
#[must_use]
pub fn application_uri(public_url: &Url, path: &str, client_id: &str) -> Option<String> {
    let Some(Host::Domain(host)) = public_url.host() else {
        return None;
    };
    (public_url.scheme() == "https" && !client_id.is_empty())
        .then(|| format!("api://{host}/{path}/{client_id}"))
}

impl ConsumerGuide {
    /// Every redirect URI, in full.
    #[must_use]
    pub fn redirect_uris(&self, services: &Services) -> Vec<String> {
        self.redirect_paths
            .iter()
            .map(|path| services.absolute(path))
            .collect()
    }

    /// What readiness must know about this consumer.
    #[must_use]
    pub fn facts(&self, services: &Services, client_id: &str) -> ConsumerFacts {
        ConsumerFacts {
            consumer: self.consumer,
            label: self.label,
            redirect_accepted: self
                .redirect_uris(services)
                .iter()
                .all(|uri| redirect_problem(uri).is_none()),
            lacks_application_uri: self.application_uri.is_some_and(|(path, _)| {
                application_uri(&services.public_url, path, client_id).is_none()
            }),
        }
    }

    /// The guide as pages show it, for a profile with this Application (client) ID (empty: not known yet).
    #[must_use]
    pub fn view(&self, services: &Services, client_id: &str) -> GuideView {
        let redirect_uris = self.redirect_uris(services);
        GuideView {
            consumer: self.consumer.as_str().to_owned(),
            label: self.label.to_owned(),
            help: (self.help)().to_owned(),
            redirect_problem: redirect_uris
                .iter()
                .find_map(|uri| redirect_problem(uri))
                .map(str::to_owned),
            redirect_uris,
            scopes: self
                .scopes
                .iter()
                .map(|scope| ScopeView {
                    name: scope.name.to_owned(),
                    reason: (scope.reason)().to_owned(),
                })
                .collect(),
            application_uri: self.application_uri.map(|(path, note)| {
                let value = application_uri(&services.public_url, path, client_id);
                ApplicationUriView {
                    note: if value.is_some() {
                        note().to_owned()
                    } else {
                        t!("Requires an https address with a host name (DAYBIND_PUBLIC_URL) and the Application (client) ID.")
                            .to_owned()
                    },
                    value,
                }
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entras_limits_on_redirect_uris() {
        let path = "/api/auth/callback/azure-ad";
        for fine in [
            "https://psa.example",
            "http://localhost:3000",
            "http://127.0.0.1:3000",
        ] {
            assert_eq!(redirect_problem(&format!("{fine}{path}")), None, "{fine}");
        }
        for refused in [
            format!("http://psa.example{path}"),
            format!("https://psa.example/(a){path}"),
            format!("https://{}.example{path}", "a".repeat(256)),
            "nonsense".to_owned(),
        ] {
            assert!(redirect_problem(&refused).is_some(), "{refused}");
        }
    }

    #[test]
    fn an_application_uri_needs_https_a_host_name_and_an_id() {
        let uri = |url: &str, id: &str| application_uri(&Url::parse(url).unwrap(), "x", id);
        assert_eq!(
            uri("https://psa.example:8443", "abc").as_deref(),
            Some("api://psa.example/x/abc")
        );
        assert_eq!(uri("https://psa.example", ""), None);
        assert_eq!(uri("http://psa.example", "abc"), None);
        assert_eq!(uri("https://192.0.2.1", "abc"), None);
    }
}
