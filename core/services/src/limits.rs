//! How often things may be tried. Counted in the database, so that all servers share one count.
//!
//! Each [`Limit`] is a rate with a burst (GCRA, see [`Rate`]). What is counted is a hash of the purpose and the key: no
//! address and no email is stored. A refusal says how long to wait ([`AppError::retry_after`]).

use std::net::IpAddr;

use daybind_domain::AppError;
use daybind_domain::user::normalise_email;
use daybind_storage::{Rate, Scope};
use sha2::{Digest, Sha256};

use crate::context::Services;
use crate::failure::{AppResult, internal};

/// Something that may happen so often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Stored name.
    pub purpose: &'static str,
    /// How often at once.
    pub burst: u16,
    /// Seconds until one more is allowed.
    pub every_seconds: u32,
}

/// Password sign-ins from one network address: an office behind one address must fit in.
pub const SIGN_IN_ADDRESS: Limit = Limit {
    purpose: "signin.address",
    burst: 30,
    every_seconds: 4,
};
/// Password sign-ins to one account from one address.
pub const SIGN_IN_ACCOUNT_ADDRESS: Limit = Limit {
    purpose: "signin.account_address",
    burst: 8,
    every_seconds: 30,
};
/// Password sign-ins to one account from all addresses it has not signed in from before. Wide, so that strangers cannot keep
/// its owner out with a few tries.
pub const SIGN_IN_ACCOUNT: Limit = Limit {
    purpose: "signin.account",
    burst: 60,
    every_seconds: 30,
};
/// Where an account signed in with success, for thirty days: from there strangers cannot keep its owner out.
const KNOWN: Limit = Limit {
    purpose: "signin.known",
    burst: 1,
    every_seconds: 30 * 24 * 3600,
};
/// Looking up how an address signs in.
pub const DISCOVERY_ADDRESS: Limit = Limit {
    purpose: "discovery.address",
    burst: 20,
    every_seconds: 3,
};
/// Failed ways back from an identity provider, per address: an office behind one address must fit in.
pub const WAY_BACK_ADDRESS: Limit = Limit {
    purpose: "way_back.address",
    burst: 30,
    every_seconds: 4,
};
/// Changes of one's own password.
pub const PASSWORD_CHANGE: Limit = Limit {
    purpose: "password.change",
    burst: 5,
    every_seconds: 60,
};

impl Limit {
    fn rate(self) -> Rate {
        Rate {
            burst: i64::from(self.burst),
            interval_micros: i64::from(self.every_seconds) * 1_000_000,
        }
    }

    fn hash(self, key: &str) -> Vec<u8> {
        let mut digest = Sha256::new();
        digest.update(self.purpose.as_bytes());
        digest.update([0]);
        digest.update(key.as_bytes());
        digest.finalize().to_vec()
    }
}

/// The part of an address that stands for one customer: all of IPv4, the first 64 bits of IPv6 (RFC 4291 section 2.5.4:
/// whoever has one address of such a network has all of them). Requests without an address share one count.
#[must_use]
pub fn address_key(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let bits = u128::from_be_bytes(address.octets()) & !u128::from(u64::MAX);
            std::net::Ipv6Addr::from(bits).to_string()
        }
        None => "unknown".to_owned(),
    }
}

/// Counts one use of each; the first that is used up refuses.
///
/// # Errors
/// [`daybind_domain::ErrorCode::RateLimited`] with the time to wait; an internal error when the database does not answer.
pub async fn count(services: &Services, uses: &[(Limit, String)]) -> AppResult<()> {
    let now = services.now();
    let mut unit = services
        .store
        .begin(Scope::System)
        .await
        .map_err(internal)?;
    let mut wait = None;
    for (limit, key) in uses {
        wait = unit
            .count_use(limit.purpose, &limit.hash(key), limit.rate(), now)
            .await
            .map_err(internal)?;
        if wait.is_some() {
            break;
        }
    }
    // What was counted before the refusal stays counted: a refused try is a try.
    unit.save().await.map_err(internal)?;
    match wait {
        None => Ok(()),
        Some(micros) => {
            let seconds = u64::try_from(micros).unwrap_or(0).div_ceil(1_000_000);
            Err(AppError::rate_limited(seconds))
        }
    }
}

/// Counts a password sign-in. Called before anything is looked up: known and unknown people are counted alike.
///
/// # Errors
/// As [`count`].
pub async fn sign_in(services: &Services, address: Option<IpAddr>, email: &str) -> AppResult<()> {
    let (address, email) = (address_key(address), normalise_email(email));
    let both = format!("{address} {email}");
    let uses = [
        (SIGN_IN_ADDRESS, address),
        (SIGN_IN_ACCOUNT_ADDRESS, both.clone()),
    ];
    count(services, &uses).await?;
    if known(services, &both).await? {
        return Ok(());
    }
    count(services, &[(SIGN_IN_ACCOUNT, email)]).await
}

/// Whether that account signed in with success from that address within thirty days. Changes nothing: what is counted to
/// find out is not kept.
async fn known(services: &Services, both: &str) -> AppResult<bool> {
    let mut unit = services
        .store
        .begin(Scope::System)
        .await
        .map_err(internal)?;
    let used = unit
        .count_use(
            KNOWN.purpose,
            &KNOWN.hash(both),
            KNOWN.rate(),
            services.now(),
        )
        .await
        .map_err(internal)?;
    unit.cancel().await.map_err(internal)?;
    Ok(used.is_some())
}

/// Forgets the failed tries of somebody who has just proved who they are, from that address, and takes the try itself
/// back: only failures count, so that a whole office can sign in at nine o'clock.
///
/// # Errors
/// An internal error.
pub async fn signed_in(services: &Services, address: Option<IpAddr>, email: &str) -> AppResult<()> {
    let both = format!("{} {}", address_key(address), normalise_email(email));
    let mut unit = services
        .store
        .begin(Scope::System)
        .await
        .map_err(internal)?;
    let limit = SIGN_IN_ACCOUNT_ADDRESS;
    unit.reset_uses(limit.purpose, &limit.hash(&both))
        .await
        .map_err(internal)?;
    let now = services.now();
    let mark = KNOWN.hash(&both);
    let was_known = unit
        .count_use(KNOWN.purpose, &mark, KNOWN.rate(), now)
        .await
        .map_err(internal)?
        .is_some();
    if was_known {
        // The thirty days begin anew.
        unit.reset_uses(KNOWN.purpose, &mark)
            .await
            .map_err(internal)?;
        unit.count_use(KNOWN.purpose, &mark, KNOWN.rate(), now)
            .await
            .map_err(internal)?;
    }
    let mut counted = vec![(SIGN_IN_ADDRESS, address_key(address))];
    // From a known address nothing was counted for the account; giving it back would be a try for strangers.
    if !was_known {
        counted.push((SIGN_IN_ACCOUNT, normalise_email(email)));
    }
    for (limit, key) in counted {
        unit.return_use(limit.purpose, &limit.hash(&key), limit.rate())
            .await
            .map_err(internal)?;
    }
    unit.save().await.map_err(internal)
}

/// Counts a look-up of how an address signs in.
///
/// # Errors
/// As [`count`].
pub async fn discovery(services: &Services, address: Option<IpAddr>) -> AppResult<()> {
    count(services, &[(DISCOVERY_ADDRESS, address_key(address))]).await
}

/// Counts a way back from an identity provider, before the database is asked what its `state` stands for.
///
/// # Errors
/// As [`count`].
pub async fn way_back(services: &Services, address: Option<IpAddr>) -> AppResult<()> {
    count(services, &[(WAY_BACK_ADDRESS, address_key(address))]).await
}

/// Takes that back for a way that led somewhere: only failures count.
///
/// # Errors
/// An internal error.
pub async fn came_back(services: &Services, address: Option<IpAddr>) -> AppResult<()> {
    let limit = WAY_BACK_ADDRESS;
    let mut unit = services
        .store
        .begin(Scope::System)
        .await
        .map_err(internal)?;
    unit.return_use(
        limit.purpose,
        &limit.hash(&address_key(address)),
        limit.rate(),
    )
    .await
    .map_err(internal)?;
    unit.save().await.map_err(internal)
}

/// Removes the counters that limit nothing any more; how many.
///
/// # Errors
/// An internal error.
pub async fn purge(services: &Services) -> AppResult<u64> {
    let now = services.now();
    let mut unit = services
        .store
        .begin(Scope::System)
        .await
        .map_err(internal)?;
    let gone = unit.purge_limits(now).await.map_err(internal)?;
    unit.save().await.map_err(internal)?;
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_counts_as_one_and_mapped_addresses_as_ipv4() {
        let key = |text: &str| address_key(Some(text.parse().unwrap()));
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.7"), "192.0.2.7");
    }

    #[test]
    fn purposes_do_not_share_counts() {
        assert_ne!(SIGN_IN_ADDRESS.hash("x"), DISCOVERY_ADDRESS.hash("x"));
    }
}
