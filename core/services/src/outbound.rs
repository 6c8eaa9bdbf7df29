//! The HTTP client for everything that leaves the server.

use std::time::Duration;

/// Builds the one client: no redirects (a redirect must never carry a token elsewhere), bounded times, no proxies from
/// headers, a telling user agent.
///
/// # Errors
/// When the TLS roots of the system cannot be read.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    // A second installation is refused and harmless: the first one stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .timeout(Duration::from_secs(30))
        .user_agent(concat!("Daybind/", env!("CARGO_PKG_VERSION")))
        .build()
}
