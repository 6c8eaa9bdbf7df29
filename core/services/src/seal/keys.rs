//! One master key: what it may look like, and the keys derived from it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};

use super::SealError;

/// What a derived key is for. A key of one purpose never serves another (HKDF-SHA-256, RFC 5869; NIST SP 800-108
/// gives the reason), so that a flaw in one use does not reach the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Secrets in `*_sealed` columns.
    Secrets,
    /// The canary that proves the right key at start.
    Canary,
}

impl Purpose {
    fn info(self) -> &'static [u8] {
        match self {
            Self::Secrets => b"daybind/secrets/v2",
            Self::Canary => b"daybind/canary/v1",
        }
    }
}

/// A master key with its id. The id is a digest, so the same key has the same id on every server.
pub(super) struct NamedKey {
    pub(super) id: String,
    /// The master key itself as cipher: only opens what 0.1.0 sealed (form `v1`).
    pub(super) legacy: XChaCha20Poly1305,
    secrets: XChaCha20Poly1305,
    canary: XChaCha20Poly1305,
}

impl NamedKey {
    /// Reads `<base64>` or `<key id>:<base64>`; a given id must be the key's own, which notices a mangled key.
    pub(super) fn read(text: &str) -> Result<Self, SealError> {
        let (wanted, key) = match text.split_once(':') {
            Some((id, key)) => (Some(id.trim()), key.trim()),
            None => (None, text),
        };
        let bytes = STANDARD
            .decode(key)
            .map_err(|_| SealError::BadKey(hint("The master key is not base64.")))?;
        if bytes.len() != 32 {
            return Err(SealError::BadKey(hint(
                "The master key must be 32 bytes in base64.",
            )));
        }
        if let Some(why) = weakness(&bytes) {
            return Err(SealError::BadKey(hint(why)));
        }
        let digest = Sha256::digest([b"daybind key id".as_slice(), &bytes].concat());
        let id = URL_SAFE_NO_PAD.encode(digest.get(..6).unwrap_or_default());
        if wanted.is_some_and(|wanted| wanted != id) {
            return Err(SealError::BadKey(format!(
                "A master key does not have the id written in front of it (its id is {id}). It was altered or copied \
                 incompletely."
            )));
        }
        Ok(Self {
            legacy: cipher(&bytes)?,
            secrets: derived(&bytes, Purpose::Secrets)?,
            canary: derived(&bytes, Purpose::Canary)?,
            id,
        })
    }

    pub(super) fn cipher(&self, purpose: Purpose) -> &XChaCha20Poly1305 {
        match purpose {
            Purpose::Secrets => &self.secrets,
            Purpose::Canary => &self.canary,
        }
    }
}

pub(super) fn hint(what: &str) -> String {
    format!("{what} Make one with: openssl rand -base64 32")
}

fn derived(master: &[u8], purpose: Purpose) -> Result<XChaCha20Poly1305, SealError> {
    let mut key = [0_u8; 32];
    Hkdf::<Sha256>::new(None, master)
        .expand(purpose.info(), &mut key)
        .map_err(|_| SealError::Rejected)?;
    cipher(&key)
}

fn cipher(key: &[u8]) -> Result<XChaCha20Poly1305, SealError> {
    XChaCha20Poly1305::new_from_slice(key)
        .map_err(|_| SealError::BadKey(hint("The master key must be 32 bytes.")))
}

/// Why 32 bytes are no random key. Each test refuses a true random key with a chance far below one in a million
/// millions.
fn weakness(bytes: &[u8]) -> Option<&'static str> {
    let mut distinct = bytes.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 12 {
        return Some("The master key is not random: it repeats few bytes.");
    }
    let steps = || {
        bytes
            .windows(2)
            .filter_map(|pair| Some(pair.get(1)?.wrapping_sub(*pair.first()?)))
    };
    if steps()
        .next()
        .is_some_and(|first| steps().all(|step| step == first))
    {
        return Some("The master key is not random: it counts.");
    }
    if bytes.get(..16) == bytes.get(16..) {
        return Some("The master key is not random: its halves are the same.");
    }
    if bytes.iter().all(|byte| (0x20..0x7f).contains(byte)) {
        return Some("The master key is text (a passphrase or an example), not random bytes.");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        match NamedKey::read(&STANDARD.encode(bytes)) {
            Err(SealError::BadKey(why)) => why,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("accepted"),
        }
    }

    /// M-21: keys that were typed, counted, repeated or copied from an example are refused, with the command that
    /// makes a good one.
    #[test]
    fn weak_and_default_keys_are_refused() {
        let counting: Vec<u8> = (0..32).collect();
        let downwards: Vec<u8> = (0..32).map(|n: u8| 255 - 3 * n).collect();
        let mut halves: Vec<u8> =
            b"\x01\xa7\x5c\x33\x99\x10\xfe\x42\x87\x6b\xd0\x2f\x55\xc8\x1a\xe4".to_vec();
        halves.extend(halves.clone());
        for weak in [
            [0_u8; 32].as_slice(),
            &[0xff; 32],
            &counting,
            &downwards,
            &halves,
            b"change-me-change-me-please-now!!",
            b"0123456789abcdef0123456789ABCDEF",
            b"too short",
            b"",
        ] {
            assert!(
                refusal(weak).contains("openssl rand -base64 32"),
                "{weak:?}"
            );
        }
        assert!(NamedKey::read("not base64 at all").is_err());
    }

    /// M-21: one master key gives different keys for different purposes, and none of them is the master key.
    #[test]
    fn every_purpose_has_its_own_key() {
        use chacha20poly1305::XNonce;
        use chacha20poly1305::aead::Aead as _;
        let text = STANDARD.encode(b"\x01\xa7\x5c\x33\x99\x10\xfe\x42\x87\x6b\xd0\x2f\x55\xc8\x1a\xe4\x02\xa8\x5d\x34\x9a\x11\xff\x43\x88\x6c\xd1\x30\x56\xc9\x1b\xe5");
        let key = NamedKey::read(&text).unwrap();
        let nonce = XNonce::from_slice(&[9; 24]);
        let outputs: Vec<Vec<u8>> = [
            &key.legacy,
            key.cipher(Purpose::Secrets),
            key.cipher(Purpose::Canary),
        ]
        .into_iter()
        .map(|cipher| cipher.encrypt(nonce, b"same".as_slice()).unwrap())
        .collect();
        assert_ne!(outputs[0], outputs[1]);
        assert_ne!(outputs[0], outputs[2]);
        assert_ne!(outputs[1], outputs[2]);
    }

    #[test]
    fn an_id_in_front_of_a_key_must_be_its_own() {
        let text = STANDARD.encode(b"\x01\xa7\x5c\x33\x99\x10\xfe\x42\x87\x6b\xd0\x2f\x55\xc8\x1a\xe4\x02\xa8\x5d\x34\x9a\x11\xff\x43\x88\x6c\xd1\x30\x56\xc9\x1b\xe5");
        let id = NamedKey::read(&text).unwrap().id;
        assert_eq!(NamedKey::read(&format!("{id}: {text}")).unwrap().id, id);
        assert!(NamedKey::read(&format!("AAAAAAAA:{text}")).is_err());
    }
}
