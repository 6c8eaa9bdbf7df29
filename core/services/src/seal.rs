//! Secrets at rest: XChaCha20-Poly1305 under a named key, bound to the place they belong to.
//!
//! A sealed value reads `v1.<key id>.<base64url(nonce ‖ ciphertext ‖ tag)>`. Tenant, table, row and column are the
//! associated data, so a value copied to another row or column does not open. There is no way to read a value that
//! does not authenticate.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use daybind_domain::ids::TenantId;
use rand::RngCore;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use thiserror::Error;
use uuid::Uuid;

/// Where a secret is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretPlace {
    /// Whose.
    pub tenant_id: TenantId,
    /// Table name.
    pub table: &'static str,
    /// Primary key after the tenant.
    pub row: Uuid,
    /// Column name.
    pub column: &'static str,
}

impl SecretPlace {
    fn associated_data(&self) -> Vec<u8> {
        format!(
            "daybind.v1|{}|{}|{}|{}",
            self.tenant_id, self.table, self.row, self.column
        )
        .into_bytes()
    }
}

/// Why a secret could not be sealed or opened, or a key not be used.
#[derive(Debug, Error)]
pub enum SealError {
    /// Not a sealed value of ours.
    #[error("the stored secret is not in a known form")]
    Malformed,
    /// Sealed under a key we do not hold.
    #[error("the stored secret needs master key {0}, which is not configured")]
    UnknownKey(String),
    /// Altered, moved, or sealed under a different key of the same id.
    #[error("the stored secret does not belong here or was altered")]
    Rejected,
    /// The master key itself is unusable.
    #[error("{0}")]
    BadKey(String),
}

struct NamedKey {
    id: String,
    cipher: XChaCha20Poly1305,
}

/// The master keys: the first seals, all open.
pub struct Keyring {
    keys: Vec<NamedKey>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|key| &key.id))
            .finish()
    }
}

impl Keyring {
    /// Reads master keys: base64 of 32 random bytes each, separated by commas or line breaks, newest first.
    ///
    /// # Errors
    /// [`SealError::BadKey`] with what to do when a key is short, malformed or obviously not random.
    pub fn parse(text: &SecretString) -> Result<Self, SealError> {
        let keys = text
            .expose_secret()
            .split([',', '\n'])
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(named_key)
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(SealError::BadKey(hint("The master key is empty.")));
        }
        Ok(Self { keys })
    }

    /// A new random master key in the form [`Self::parse`] reads.
    #[must_use]
    pub fn generate() -> SecretString {
        let mut key = [0_u8; 32];
        rand::rng().fill_bytes(&mut key);
        SecretString::from(STANDARD.encode(key))
    }

    /// Seals a secret for one place.
    ///
    /// # Errors
    /// [`SealError::Rejected`] if the cipher refuses, which it only does for absurd lengths.
    pub fn seal(&self, place: &SecretPlace, secret: &SecretString) -> Result<String, SealError> {
        let key = self.keys.first().ok_or(SealError::Rejected)?;
        let mut nonce = [0_u8; 24];
        rand::rng().fill_bytes(&mut nonce);
        let aad = place.associated_data();
        let payload = Payload {
            msg: secret.expose_secret().as_bytes(),
            aad: &aad,
        };
        let sealed = key
            .cipher
            .encrypt(XNonce::from_slice(&nonce), payload)
            .map_err(|_| SealError::Rejected)?;
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed);
        Ok(format!("v1.{}.{}", key.id, URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Opens a secret stored at one place.
    ///
    /// # Errors
    /// See [`SealError`]; there is no partial answer.
    pub fn open(&self, place: &SecretPlace, sealed: &str) -> Result<SecretString, SealError> {
        let mut parts = sealed.splitn(3, '.');
        let (Some("v1"), Some(id), Some(body)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(SealError::Malformed);
        };
        let key = self
            .keys
            .iter()
            .find(|key| key.id == id)
            .ok_or_else(|| SealError::UnknownKey(id.to_owned()))?;
        let bytes = URL_SAFE_NO_PAD
            .decode(body)
            .map_err(|_| SealError::Malformed)?;
        let (nonce, text) = bytes.split_at_checked(24).ok_or(SealError::Malformed)?;
        let aad = place.associated_data();
        let opened = key
            .cipher
            .decrypt(
                XNonce::from_slice(nonce),
                Payload {
                    msg: text,
                    aad: &aad,
                },
            )
            .map_err(|_| SealError::Rejected)?;
        String::from_utf8(opened)
            .map(SecretString::from)
            .map_err(|_| SealError::Rejected)
    }
}

fn hint(what: &str) -> String {
    format!("{what} Make one with: openssl rand -base64 32")
}

fn named_key(text: &str) -> Result<NamedKey, SealError> {
    let bytes = STANDARD
        .decode(text)
        .map_err(|_| SealError::BadKey(hint("The master key is not base64.")))?;
    if bytes.len() != 32 {
        return Err(SealError::BadKey(hint(
            "The master key must be 32 bytes in base64.",
        )));
    }
    let mut distinct = bytes.clone();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 12 {
        return Err(SealError::BadKey(hint("The master key is not random.")));
    }
    let cipher = XChaCha20Poly1305::new_from_slice(&bytes)
        .map_err(|_| SealError::BadKey(hint("The master key must be 32 bytes.")))?;
    let digest = Sha256::digest([b"daybind key id".as_slice(), &bytes].concat());
    let id = URL_SAFE_NO_PAD.encode(digest.get(..6).unwrap_or_default());
    Ok(NamedKey { id, cipher })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(row: u128) -> SecretPlace {
        SecretPlace {
            tenant_id: TenantId(Uuid::from_u128(1)),
            table: "microsoft_profiles",
            row: Uuid::from_u128(row),
            column: "client_secret_sealed",
        }
    }

    #[test]
    fn opens_only_where_it_was_sealed() {
        let ring = Keyring::parse(&Keyring::generate()).unwrap();
        let sealed = ring.seal(&place(1), &SecretString::from("s3cret")).unwrap();
        assert!(!sealed.contains("s3cret"));
        assert_eq!(
            ring.open(&place(1), &sealed).unwrap().expose_secret(),
            "s3cret"
        );
        assert!(matches!(
            ring.open(&place(2), &sealed),
            Err(SealError::Rejected)
        ));
        let other = Keyring::parse(&Keyring::generate()).unwrap();
        assert!(matches!(
            other.open(&place(1), &sealed),
            Err(SealError::UnknownKey(_))
        ));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let ring = Keyring::parse(&Keyring::generate()).unwrap();
        let sealed = ring.seal(&place(1), &SecretString::from("s3cret")).unwrap();
        let (head, body) = sealed.rsplit_once('.').unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(body).unwrap();
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            let text = format!("{head}.{}", URL_SAFE_NO_PAD.encode(altered));
            assert!(matches!(
                ring.open(&place(1), &text),
                Err(SealError::Rejected)
            ));
        }
    }

    #[test]
    fn an_old_key_still_opens_after_rotation() {
        let (old, new) = (Keyring::generate(), Keyring::generate());
        let sealed = Keyring::parse(&old)
            .unwrap()
            .seal(&place(1), &SecretString::from("x"))
            .unwrap();
        let both = SecretString::from(format!("{},{}", new.expose_secret(), old.expose_secret()));
        let ring = Keyring::parse(&both).unwrap();
        assert_eq!(ring.open(&place(1), &sealed).unwrap().expose_secret(), "x");
        assert!(Keyring::parse(&SecretString::from(STANDARD.encode([7_u8; 32]))).is_err());
    }
}
