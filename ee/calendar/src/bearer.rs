//! An account's access token, and where it goes: nobody else can attach one, and nothing here attaches one to a call of
//! another host.

use daybind_services::outbound::Outbound;
use http::Method;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::provider::ProviderResult;
use crate::wire;

/// Calls one provider in one cloud on behalf of one account.
pub struct Bearer {
    http: Outbound,
    base: String,
    token: SecretString,
}

impl Bearer {
    /// With the address below which that provider's interface lies in the cloud that the token is from.
    #[must_use]
    pub fn new(http: Outbound, base: String, token: SecretString) -> Self {
        Self { http, base, token }
    }

    /// An address below the provider's; segments are encoded.
    ///
    /// # Errors
    /// `Transient` when the base is no address.
    pub fn url(&self, version: &[&str], segments: &[&str]) -> ProviderResult<Url> {
        wire::url(&self.base, &[version, segments].concat())
    }

    /// A link that the provider gave us.
    ///
    /// # Errors
    /// `Permanent(0)` when it leads elsewhere.
    pub fn link(&self, link: &str) -> ProviderResult<Url> {
        wire::same_origin(&self.base, link)
    }

    /// A call with the token.
    ///
    /// # Errors
    /// `Permanent(0)` when the address is not the provider's; then the token stays here.
    pub fn request(&self, method: Method, url: &Url) -> ProviderResult<RequestBuilder> {
        let url = self.link(url.as_str())?;
        let request = self.http.request(method, url);
        Ok(request.bearer_auth(self.token.expose_secret()))
    }
}

#[cfg(test)]
mod tests {
    use daybind_services::{Endpoints, outbound};

    use super::*;

    /// M-25: whatever address a call is made up with, the token goes to its provider's host in its own cloud only.
    #[test]
    fn a_token_stays_with_its_provider_and_cloud() {
        let endpoints = Endpoints::from_env(&|_| None).unwrap();
        let http = outbound::client(&endpoints).unwrap();
        let base = "https://graph.microsoft.us/base".to_owned();
        let bearer = Bearer::new(http, base, SecretString::from("secret-word"));
        for elsewhere in [
            "https://graph.microsoft.com/base/v1.0/me",
            "https://www.googleapis.com/base/v1.0/me",
            "http://graph.microsoft.us/base/v1.0/me",
            "https://graph.microsoft.us:8443/base/v1.0/me",
            "https://graph.microsoft.us.example/base/v1.0/me",
            "https://graph.microsoft.us/other/v1.0/me",
            "https://169.254.169.254/base/v1.0/me",
        ] {
            let url = elsewhere.parse().unwrap();
            assert!(bearer.request(Method::GET, &url).is_err(), "{elsewhere}");
        }
        let own = bearer.url(&["v1.0"], &["me", "a/b"]).unwrap();
        assert_eq!(
            own.as_str(),
            "https://graph.microsoft.us/base/v1.0/me/a%2Fb"
        );
        let made = bearer.request(Method::GET, &own).unwrap().build().unwrap();
        assert_eq!(made.headers()["authorization"], "Bearer secret-word");
    }
}
