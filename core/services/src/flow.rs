//! What every OAuth round trip needs: the `state` parameter, and where its secrets are kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daybind_domain::ids::{FlowId, TenantId};
use rand::RngCore;
use sha2::{Digest, Sha256};

use crate::seal::SecretPlace;

/// A `state` parameter: the tenant, so that it is looked up inside one tenant, and 256 random bits.
#[must_use]
pub fn new_state(tenant_id: TenantId) -> String {
    let mut raw = format!("{tenant_id}.").into_bytes();
    let mut random = [0_u8; 32];
    rand::rng().fill_bytes(&mut random);
    raw.extend(random);
    URL_SAFE_NO_PAD.encode(raw)
}

/// The tenant a `state` parameter names.
#[must_use]
pub fn state_tenant(state: &str) -> Option<TenantId> {
    let raw = URL_SAFE_NO_PAD.decode(state).ok()?;
    let (tenant, rest) = raw.split_at_checked(36)?;
    let tenant = std::str::from_utf8(tenant).ok()?.parse().ok()?;
    (rest.len() == 33 && rest.first() == Some(&b'.')).then_some(tenant)
}

/// 256 random bits as 43 characters of base64url.
#[must_use]
pub fn random() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// SHA-256: what is stored of a value that only the browser or the provider keeps.
#[must_use]
pub fn hash(text: &str) -> Vec<u8> {
    Sha256::digest(text.as_bytes()).to_vec()
}

/// Where a flow's code verifier is sealed.
#[must_use]
pub fn verifier_place(tenant_id: TenantId, flow: FlowId) -> SecretPlace {
    SecretPlace {
        tenant_id,
        table: "oauth_flows",
        row: flow.0,
        column: "verifier_sealed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_names_its_tenant_and_is_never_the_same() {
        let tenant = TenantId(uuid::Uuid::now_v7());
        let state = new_state(tenant);
        assert_eq!(state_tenant(&state), Some(tenant));
        assert_ne!(state, new_state(tenant));
        assert_eq!(state_tenant("abc"), None);
        assert_eq!(
            state_tenant(&URL_SAFE_NO_PAD.encode(format!("{tenant}.short"))),
            None
        );
    }
}
