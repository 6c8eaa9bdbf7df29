//! The HTTP client for everything that leaves the server, and where it does not go.

mod public;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use reqwest::RequestBuilder;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::Endpoints;

/// Where the operator says that proxies are; the client reads the same variables.
const PROXIES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// The one client: no redirects (a redirect must never carry a token elsewhere), bounded times, a telling user agent, and
/// no way to addresses that are not public ([`public`]), be they written out or what a name leads to. What the operator named
/// in a variable is left to the operator, as are proxies. Cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    client: reqwest::Client,
    named: Arc<BTreeSet<(String, u16)>>,
}

/// Builds the client.
///
/// # Errors
/// When the TLS roots of the system cannot be read.
pub fn client(endpoints: &Endpoints) -> Result<Outbound, reqwest::Error> {
    client_that_waits(endpoints, Duration::from_secs(30))
}

/// The same client with another limit for a whole exchange, from the first byte out to the last one in.
///
/// # Errors
/// See [`client`].
pub fn client_that_waits(
    endpoints: &Endpoints,
    limit: Duration,
) -> Result<Outbound, reqwest::Error> {
    // A second installation is refused and harmless: the first one stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let named: BTreeSet<_> = endpoints.named().filter_map(place).collect();
    let proxies = PROXIES.iter().filter_map(|name| std::env::var(name).ok());
    let proxies = proxies
        .filter_map(|address| place(&address).or_else(|| place(&format!("http://{address}"))));
    let resolver = Resolver {
        trusted: named
            .iter()
            .cloned()
            .chain(proxies)
            .map(|(host, _)| host)
            .collect(),
    };
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .timeout(limit)
        .user_agent(concat!("Daybind/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(Arc::new(resolver))
        .build()?;
    Ok(Outbound {
        client,
        named: Arc::new(named),
    })
}

/// Host and port of an address.
fn place(address: &str) -> Option<(String, u16)> {
    let url = Url::parse(address.trim()).ok()?;
    Some((url.host_str()?.to_owned(), url.port_or_known_default()?))
}

impl Outbound {
    /// A request, which fails unsent when the address is written out and not public.
    pub fn request(&self, method: Method, address: impl AsRef<str>) -> RequestBuilder {
        // Nothing is no address, and the one way to make a request that fails.
        let address = self.checked(address.as_ref()).unwrap_or_default();
        self.client.request(method, address)
    }

    /// See [`Self::request`].
    pub fn get(&self, address: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::GET, address)
    }

    /// See [`Self::request`].
    pub fn post(&self, address: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::POST, address)
    }

    fn checked<'a>(&self, address: &'a str) -> Option<&'a str> {
        let url = Url::parse(address).ok()?;
        let at = match url.host()? {
            // The resolver sees to it.
            Host::Domain(_) => return Some(address),
            Host::Ipv4(at) => IpAddr::V4(at),
            Host::Ipv6(at) => IpAddr::V6(at),
        };
        if public::is_public(at) || self.named.contains(&place(address)?) {
            return Some(address);
        }
        tracing::error!(%at, "an address that is not public was not called");
        None
    }
}

/// The system's resolver, of whose answers only public addresses count; what is connected to is what was looked at.
struct Resolver {
    trusted: BTreeSet<String>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let trusted = self.trusted.contains(&name.as_str().to_ascii_lowercase());
        Box::pin(async move {
            let host = name.as_str();
            let mut found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            if !trusted {
                found.retain(|at| public::is_public(at.ip()));
            }
            if found.is_empty() {
                tracing::error!(
                    host,
                    "a name that leads to no public address was not called"
                );
                return Err(format!("{host} leads to no public address").into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A server that counts who comes, and its port.
    async fn visited() -> (u16, Arc<AtomicU32>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let visits = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&visits);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                drop(stream);
            }
        });
        (port, visits)
    }

    fn named(address: Option<String>) -> Outbound {
        let get = |name: &str| {
            address
                .clone()
                .filter(|_| name == "DAYBIND_MICROSOFT_LOGIN_URL")
        };
        client(&Endpoints::from_env(&get).unwrap()).unwrap()
    }

    /// M-25: an address that is not public is never connected to, written out or as what a name leads to, unless it is the
    /// very place that the operator named.
    #[tokio::test]
    async fn only_what_the_operator_named_may_be_private() {
        let (port, visits) = visited().await;
        let addresses = [
            format!("http://127.0.0.1:{port}"),
            format!("http://localhost:{port}"),
            format!("http://LOCALHOST:{port}"),
            format!("http://[::ffff:127.0.0.1]:{port}"),
            format!("http://2130706433:{port}"),
        ];
        let public = named(None);
        let other_port = named(Some("http://127.0.0.1:1".to_owned()));
        for address in &addresses {
            assert!(public.get(address).send().await.is_err());
            assert!(public.post(address).send().await.is_err());
        }
        assert!(other_port.get(&addresses[0]).send().await.is_err());
        assert_eq!(visits.load(Ordering::Relaxed), 0);
        for (count, address) in (1..).zip(&addresses[..2]) {
            // The server hangs up: what counts is that somebody came.
            let _ = named(Some(address.clone())).get(address).send().await;
            assert_eq!(visits.load(Ordering::Relaxed), count, "{address}");
        }
    }
}
