//! Asking DNS for TXT records: what Daybind itself sees, never what a page claims.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;

use daybind_words::t;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;

/// The variable that names another name server than the system's: an address, perhaps with a port.
pub const DNS_SERVER: &str = "DAYBIND_DNS_SERVER";

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// These texts, perhaps none: the name has no TXT record.
    Records(Vec<String>),
    /// DNS did not answer, or answered with a failure. Says nothing about the records.
    Unreachable,
}

/// Looks TXT records up.
#[async_trait]
pub trait Txt: Send + Sync + 'static {
    /// The TXT records of a name, each joined to one text.
    async fn txt(&self, host: &str) -> Seen;
}

/// The resolver of the system, or of `DAYBIND_DNS_SERVER`.
pub struct Dns {
    resolver: Option<TokioResolver>,
}

/// More records, or longer ones, are cut: they are shown, and a stranger writes them.
const MOST_RECORDS: usize = 20;
const LONGEST_RECORD: usize = 500;

impl Dns {
    /// Sets the resolver up.
    ///
    /// # Errors
    /// When `DAYBIND_DNS_SERVER` is no address.
    pub fn from_env(get: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        match get(DNS_SERVER).filter(|text| !text.trim().is_empty()) {
            Some(text) => Self::at(server(text.trim())?),
            None => Ok(Self::of_system()),
        }
    }

    /// Asks one name server.
    ///
    /// # Errors
    /// When the resolver cannot be built.
    pub fn at(server: SocketAddr) -> anyhow::Result<Self> {
        let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
        (udp.port, tcp.port) = (server.port(), server.port());
        let name_server = NameServerConfig::new(server.ip(), true, vec![udp, tcp]);
        let config = ResolverConfig::from_name_servers(vec![name_server]);
        let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let resolver = tuned(builder).context("cannot set up the DNS resolver")?;
        Ok(Self {
            resolver: Some(resolver),
        })
    }

    /// Asks the system's name servers. A system without any still starts: checks then say that DNS does not answer.
    fn of_system() -> Self {
        let resolver = TokioResolver::builder_tokio().and_then(tuned);
        if let Err(error) = &resolver {
            tracing::warn!(%error, "no name server is configured; login domains cannot be verified until {DNS_SERVER} is set");
        }
        Self {
            resolver: resolver.ok(),
        }
    }
}

fn tuned(
    mut builder: hickory_resolver::ResolverBuilder<TokioRuntimeProvider>,
) -> Result<TokioResolver, hickory_resolver::net::NetError> {
    let options = builder.options_mut();
    options.timeout = Duration::from_secs(3);
    options.attempts = 2;
    // "Check now" means now.
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    // Answers of 0x20-randomised questions are harder to forge.
    options.case_randomization = true;
    builder.build()
}

fn server(text: &str) -> anyhow::Result<SocketAddr> {
    text.parse::<SocketAddr>()
        .or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53)))
        .with_context(|| {
            t!("{DNS_SERVER} must be an address, perhaps with a port. Example: 9.9.9.9")
        })
}

#[async_trait]
impl Txt for Dns {
    async fn txt(&self, host: &str) -> Seen {
        let Some(resolver) = &self.resolver else {
            return Seen::Unreachable;
        };
        // The final dot keeps the system's search list out.
        match resolver.txt_lookup(format!("{host}.")).await {
            Ok(answer) => Seen::Records(
                answer
                    .answers()
                    .iter()
                    .filter_map(|record| match &record.data {
                        RData::TXT(txt) => Some(text(&txt.txt_data)),
                        _ => None,
                    })
                    .take(MOST_RECORDS)
                    .collect(),
            ),
            Err(error) if error.is_no_records_found() => Seen::Records(Vec::new()),
            Err(error) => {
                tracing::info!(host, %error, "DNS did not answer");
                Seen::Unreachable
            }
        }
    }
}

/// One record: its strings joined without anything between (RFC 7208 section 3.3 reads TXT so), what is not UTF-8 marked.
fn text(parts: &[Box<[u8]>]) -> String {
    let bytes = parts.concat();
    String::from_utf8_lossy(&bytes)
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .take(LONGEST_RECORD)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_address_with_or_without_a_port() {
        assert_eq!(server("9.9.9.9").unwrap().port(), 53);
        assert_eq!(server("127.0.0.1:5353").unwrap().port(), 5353);
        assert_eq!(server("[2620:fe::fe]:53").unwrap().port(), 53);
        assert!(server("dns.example").is_err());
        let get = |_: &str| Some("nonsense".to_owned());
        assert!(Dns::from_env(&get).is_err());
    }

    #[test]
    fn a_record_is_shown_as_one_harmless_line() {
        let parts: [Box<[u8]>; 2] = [b"ab\ncd".as_slice().into(), b"\xff!".as_slice().into()];
        assert_eq!(text(&parts), "ab\u{fffd}cd\u{fffd}!");
    }
}
