//! Entra's ID tokens: RS256 under one of two keys made for tests alone, with claims a test may change.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

/// A signing key. Its public half is at the directory's `jwks_uri`, once it was rotated in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestKey {
    /// The one in use at the start.
    First,
    /// The one after a rotation.
    Second,
}

impl TestKey {
    /// Its `kid`.
    #[must_use]
    pub const fn kid(self) -> &'static str {
        match self {
            Self::First => "fake-key-1",
            Self::Second => "fake-key-2",
        }
    }

    fn pair(self) -> RsaKeyPair {
        let der: &[u8] = match self {
            Self::First => include_bytes!("../keys/a.der"),
            Self::Second => include_bytes!("../keys/b.der"),
        };
        match RsaKeyPair::from_pkcs8(der) {
            Ok(pair) => pair,
            Err(error) => unreachable!("the key file is in the repository: {error}"),
        }
    }

    /// Modulus and exponent, base64url.
    #[must_use]
    pub fn public(self) -> (String, String) {
        let public: PublicKeyComponents<Vec<u8>> = self.pair().public().into();
        (
            URL_SAFE_NO_PAD.encode(public.n),
            URL_SAFE_NO_PAD.encode(public.e),
        )
    }

    /// The key as Entra publishes it: bound to one issuer.
    #[must_use]
    pub fn jwk(self, issuer: &str) -> Value {
        let (n, e) = self.public();
        json!({"kty": "RSA", "use": "sig", "kid": self.kid(), "n": n, "e": e, "issuer": issuer})
    }

    /// Signs `header.payload` with RS256 (RFC 7515 section 5.1).
    #[must_use]
    pub fn sign(self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        self.sign_text(&format!("{}.{}", encode(header), encode(claims)))
    }

    /// Signs an encoded `header.payload`, whatever it is.
    #[must_use]
    pub fn sign_text(self, text: &str) -> String {
        let pair = self.pair();
        let mut signature = vec![0; pair.public().modulus_len()];
        let random = SystemRandom::new();
        match pair.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature) {
            Ok(()) => format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)),
            Err(error) => unreachable!("a key in memory signs: {error}"),
        }
    }
}

/// The object id of an account: stable, and no address can be read from it.
#[must_use]
pub fn object_id(email: &str) -> String {
    let hex = crate::state::stable_id(&format!("object {}", email.to_lowercase()), 32);
    let (a, b, c, d) = (&hex[..8], &hex[8..12], &hex[13..16], &hex[17..20]);
    format!("{a}-{b}-4{c}-8{d}-{}", &hex[20..32])
}

/// Sets the members of `patch` in `claims`; `null` removes one.
pub(crate) fn patched(mut claims: Value, patch: &Value) -> Value {
    if let (Some(map), Some(patch)) = (claims.as_object_mut(), patch.as_object()) {
        for (name, value) in patch {
            if value.is_null() {
                map.remove(name);
            } else {
                map.insert(name.clone(), value.clone());
            }
        }
    }
    claims
}
