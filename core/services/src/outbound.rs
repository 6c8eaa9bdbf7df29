//! The HTTP client for everything that leaves the server.

use std::time::Duration;

/// Builds the one client: no redirects (a redirect must never carry a token elsewhere), bounded times, no proxies from
/// headers, a telling user agent.
///
/// # Errors
/// When the TLS roots of the system cannot be read.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    client_that_waits(Duration::from_secs(30))
}

/// The same client with another limit for a whole exchange, from the first byte out to the last one in.
///
/// # Errors
/// See [`client`].
pub fn client_that_waits(limit: Duration) -> Result<reqwest::Client, reqwest::Error> {
    // A second installation is refused and harmless: the first one stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .timeout(limit)
        .user_agent(concat!("Daybind/", env!("CARGO_PKG_VERSION")))
        .build()
}
