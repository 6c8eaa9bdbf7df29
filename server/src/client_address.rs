//! The network address a request came from.
//!
//! It is the socket's, unless that belongs to a proxy named in `DAYBIND_TRUSTED_PROXIES`: then `X-Forwarded-For` is read
//! from its right end (each proxy appends whom it spoke to) past further trusted proxies, to the first address nobody
//! vouched for. What stands left of it was written by strangers and is never believed.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::Context as _;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use daybind_app::server::ClientAddress;
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The proxies whose word is taken, by network.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// Reads a list of addresses and networks, separated by commas: `10.0.0.0/8, 2001:db8::1`.
    ///
    /// # Errors
    /// Which part is no address.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let nets = parts.map(|part| {
            part.parse::<IpNet>()
                .or_else(|_| part.parse::<IpAddr>().map(IpNet::from))
                .with_context(|| {
                    format!(
                        "DAYBIND_TRUSTED_PROXIES: {part} is not an address or a network. Example: 10.0.0.0/8"
                    )
                })
        });
        Ok(Self(nets.collect::<anyhow::Result<_>>()?))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }

    /// Who sent the request that came in from `peer`.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let hops = headers
            .get_all(FORWARDED_FOR)
            .iter()
            .rev()
            .flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
        for hop in hops {
            if !self.trusts(client) {
                break;
            }
            let Some(next) = address(hop.trim()) else {
                break;
            };
            client = next;
        }
        client
    }
}

/// An address, perhaps with a port, as proxies write them.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()))
        .ok()
        .map(|address| address.to_canonical())
}

/// Notes the address for everything behind.
pub async fn note(
    State(proxies): State<TrustedProxies>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0.ip());
    if let Some(peer) = peer {
        let client = proxies.client(peer, request.headers());
        request.extensions_mut().insert(ClientAddress(client));
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn client(trusted: &str, peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        TrustedProxies::parse(trusted)
            .unwrap()
            .client(peer.parse().unwrap(), &headers)
            .to_string()
    }

    /// W35: the first value of the header is the stranger's own word.
    #[test]
    fn nobodys_word_is_taken_without_a_trusted_proxy() {
        assert_eq!(client("", "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(
            client("10.0.0.0/8", "192.0.2.1", &["198.51.100.7"]),
            "192.0.2.1"
        );
    }

    #[test]
    fn a_trusted_proxy_is_believed_about_its_own_peer_only() {
        let spoofed = ["203.0.113.66, 198.51.100.7"];
        assert_eq!(client("10.0.0.0/8", "10.1.2.3", &spoofed), "198.51.100.7");
        let two = ["203.0.113.66", "198.51.100.7, 10.9.9.9"];
        assert_eq!(
            client("10.0.0.0/8", "::ffff:10.1.2.3", &two),
            "198.51.100.7"
        );
        assert_eq!(
            client("10.0.0.1", "10.0.0.1", &["2001:db8::5"]),
            "2001:db8::5"
        );
        assert_eq!(
            client("10.0.0.1", "10.0.0.1", &["[2001:db8::5]:443"]),
            "2001:db8::5"
        );
    }

    #[test]
    fn a_broken_header_ends_at_the_last_proxy() {
        assert_eq!(
            client("10.0.0.1", "10.0.0.1", &["198.51.100.7, nonsense"]),
            "10.0.0.1"
        );
        assert_eq!(client("10.0.0.1", "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn a_wrong_list_is_refused_at_start() {
        assert!(TrustedProxies::parse("10.0.0.0/33").is_err());
        assert!(TrustedProxies::parse("proxy.example").is_err());
    }
}
