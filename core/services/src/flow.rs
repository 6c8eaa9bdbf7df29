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

/// What a provider sends a browser back with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// Which round trip.
    pub state: String,
    /// The code to exchange, or
    pub code: Option<String>,
    /// what went wrong: the standard's word,
    pub error: Option<String>,
    /// and the provider's own text, not for showing.
    pub description: String,
    /// Who answers (RFC 9207).
    pub issuer: Option<String>,
}

/// Reads the query of the way back. A parameter given twice has two readers disagree, so it is refused (RFC 6749
/// section 3.1), and so is an answer with both a code and an error, or neither.
#[must_use]
pub fn returned(query: &str) -> Option<Returned> {
    let find = |wanted: &str| {
        let mut all = url::form_urlencoded::parse(query.as_bytes())
            .filter(|(name, value)| name == wanted && !value.is_empty());
        let first = all.next().map(|(_, value)| value.into_owned());
        all.next().is_none().then_some(first)
    };
    let (code, error) = (find("code")?, find("error")?);
    if code.is_some() == error.is_some() {
        return None;
    }
    Some(Returned {
        state: find("state")??,
        code,
        error,
        description: find("error_description")?.unwrap_or_default(),
        issuer: find("iss")?,
    })
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

    #[test]
    fn a_query_is_read_once_or_not_at_all() {
        assert!(returned("state=s&code=c").is_some());
        assert!(returned("state=s&error=access_denied&error_description=x").is_some());
        for wrong in [
            "",
            "state=s",
            "code=c",
            "state=&code=c",
            "state=s&code=",
            "state=s&state=t&code=c",
            "state=s&code=c&code=d",
            "state=s&code=c&error=e",
            "state=s&code=c&iss=a&iss=b",
            "state[]=s&code=c",
            "State=s&Code=c",
        ] {
            assert!(returned(wrong).is_none(), "{wrong}");
        }
    }
}
