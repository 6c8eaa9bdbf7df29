//! The ring of master keys: the first seals, all open.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::XNonce;
use chacha20poly1305::aead::{Aead, Payload};
use daybind_domain::ids::TenantId;
use rand::RngCore;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::keys::{NamedKey, Purpose, hint};
use super::{SealError, SecretPlace};

/// How long a key file is taken to be unchanged before it is looked at again.
const RECHECK: Duration = Duration::from_secs(5);
const CANARY: &[u8] = b"daybind canary";

struct File {
    path: PathBuf,
    modified: Option<SystemTime>,
    checked: Instant,
}

struct State {
    keys: Arc<Vec<NamedKey>>,
    file: Option<File>,
}

/// The master keys: the first seals, all open. One read from a file notices a changed file within seconds, so that a
/// rotation needs no restart.
pub struct Keyring {
    state: Mutex<State>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

impl Keyring {
    /// Reads master keys: base64 of 32 random bytes each, separated by commas or line breaks, newest first. A key may
    /// have its id and a colon in front; lines that begin with `#` are comments.
    ///
    /// # Errors
    /// [`SealError::BadKey`] with what to do when a key is short, malformed, obviously not random, or there twice.
    pub fn parse(text: &SecretString) -> Result<Self, SealError> {
        Ok(Self {
            state: Mutex::new(State {
                keys: Arc::new(read(text)?),
                file: None,
            }),
        })
    }

    /// Reads master keys from a file, and again whenever it changes. A changed file that cannot be read is logged, and
    /// the keys read before stay in use.
    ///
    /// # Errors
    /// As [`Self::parse`]; a file that cannot be read is a bad key too.
    pub fn from_file(path: &Path) -> Result<Self, SealError> {
        let (text, modified) = load(path).map_err(|error| {
            SealError::BadKey(format!(
                "cannot read the master key file {}: {error}",
                path.display()
            ))
        })?;
        Ok(Self {
            state: Mutex::new(State {
                keys: Arc::new(read(&text)?),
                file: Some(File {
                    path: path.to_owned(),
                    modified,
                    checked: Instant::now(),
                }),
            }),
        })
    }

    /// A new random master key in the form [`Self::parse`] reads.
    #[must_use]
    pub fn generate() -> SecretString {
        let mut key = [0_u8; 32];
        rand::rng().fill_bytes(&mut key);
        SecretString::from(STANDARD.encode(key))
    }

    /// The ids of all keys, the one that seals first. Ids are no secrets.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        self.keys(false).iter().map(|key| key.id.clone()).collect()
    }

    /// Seals a secret for one place.
    ///
    /// # Errors
    /// [`SealError::Rejected`] if the cipher refuses, which it only does for absurd lengths.
    pub fn seal(&self, place: &SecretPlace, secret: &SecretString) -> Result<String, SealError> {
        let keys = self.keys(false);
        let key = keys.first().ok_or(SealError::Rejected)?;
        let aad = associated_data(
            &key.id,
            place.tenant_id,
            place.table,
            place.row,
            place.column,
        );
        encrypt(
            key,
            Purpose::Secrets,
            &aad,
            secret.expose_secret().as_bytes(),
        )
    }

    /// Opens a secret stored at one place.
    ///
    /// # Errors
    /// See [`SealError`]; there is no partial answer.
    pub fn open(&self, place: &SecretPlace, sealed: &str) -> Result<SecretString, SealError> {
        self.open_at(
            place.tenant_id,
            place.table,
            place.row,
            place.column,
            sealed,
        )
    }

    /// Opens a secret and seals it under the first key; `None` when it is so already.
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn rewrap(
        &self,
        tenant_id: TenantId,
        table: &str,
        row: Uuid,
        column: &str,
        sealed: &str,
    ) -> Result<Option<String>, SealError> {
        // Opened before anything else: a value that does not open is reported, whichever key it names.
        let secret = self.open_at(tenant_id, table, row, column, sealed)?;
        let keys = self.keys(false);
        let key = keys.first().ok_or(SealError::Rejected)?;
        if sealed.starts_with(&prefix(&key.id)) {
            return Ok(None);
        }
        let aad = associated_data(&key.id, tenant_id, table, row, column);
        encrypt(
            key,
            Purpose::Secrets,
            &aad,
            secret.expose_secret().as_bytes(),
        )
        .map(Some)
    }

    /// What every value sealed under the first key begins with.
    #[must_use]
    pub fn current_prefix(&self) -> String {
        self.ids().first().map(|id| prefix(id)).unwrap_or_default()
    }

    /// A canary under the first key.
    ///
    /// # Errors
    /// As [`Self::seal`].
    pub fn canary(&self) -> Result<String, SealError> {
        let keys = self.keys(false);
        let key = keys.first().ok_or(SealError::Rejected)?;
        encrypt(key, Purpose::Canary, key.id.as_bytes(), CANARY)
    }

    /// Opens a canary; whether it is under the first key.
    ///
    /// # Errors
    /// See [`SealError`]: this is not the ring the database's secrets were sealed with.
    pub fn check_canary(&self, canary: &str) -> Result<bool, SealError> {
        let (version, id, body) = parts(canary)?;
        if version != "v2" {
            return Err(SealError::Malformed);
        }
        let keys = self.holding(id)?;
        let at = position(&keys, id)?;
        let key = keys.get(at).ok_or(SealError::Rejected)?;
        let text = decrypt(key.cipher(Purpose::Canary), key.id.as_bytes(), body)?;
        if text == CANARY {
            Ok(at == 0)
        } else {
            Err(SealError::Rejected)
        }
    }

    fn open_at(
        &self,
        tenant_id: TenantId,
        table: &str,
        row: Uuid,
        column: &str,
        sealed: &str,
    ) -> Result<SecretString, SealError> {
        let (version, id, body) = parts(sealed)?;
        let keys = self.holding(id)?;
        let key = keys.get(position(&keys, id)?).ok_or(SealError::Rejected)?;
        let opened = if version == "v1" {
            let aad = format!("daybind.v1|{tenant_id}|{table}|{row}|{column}");
            decrypt(&key.legacy, aad.as_bytes(), body)?
        } else {
            let aad = associated_data(&key.id, tenant_id, table, row, column);
            decrypt(key.cipher(Purpose::Secrets), &aad, body)?
        };
        String::from_utf8(opened)
            .map(SecretString::from)
            .map_err(|_| SealError::Rejected)
    }

    /// The ring, read from its file at once if it lacks the wanted key.
    fn holding(&self, id: &str) -> Result<Arc<Vec<NamedKey>>, SealError> {
        let keys = self.keys(false);
        if keys.iter().any(|key| key.id == id) {
            return Ok(keys);
        }
        let keys = self.keys(true);
        position(&keys, id).map(|_| keys)
    }

    fn keys(&self, now: bool) -> Arc<Vec<NamedKey>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { keys, file } = &mut *state;
        if let Some(file) = file
            && (now || file.checked.elapsed() >= RECHECK)
        {
            file.checked = Instant::now();
            match std::fs::metadata(&file.path).and_then(|found| found.modified()) {
                Ok(modified) if file.modified != Some(modified) => reload(keys, file),
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, "the master key file is out of reach; the keys read before stay in use");
                }
            }
        }
        Arc::clone(keys)
    }
}

fn reload(keys: &mut Arc<Vec<NamedKey>>, file: &mut File) {
    match load(&file.path) {
        Ok((text, modified)) => match read(&text) {
            Ok(fresh) => {
                file.modified = modified;
                *keys = Arc::new(fresh);
                tracing::info!(
                    key = keys.first().map(|key| key.id.as_str()),
                    "the master key file changed and was read again"
                );
            }
            Err(error) => {
                tracing::error!(%error, "the changed master key file is unusable; the keys read before stay in use");
            }
        },
        Err(error) => {
            tracing::error!(%error, "the changed master key file is unreadable; the keys read before stay in use");
        }
    }
}

/// The file's text, and its time before it was read: a change while reading is noticed the next time.
fn load(path: &Path) -> std::io::Result<(SecretString, Option<SystemTime>)> {
    let modified = std::fs::metadata(path)?.modified().ok();
    let text = std::fs::read_to_string(path)?;
    Ok((SecretString::from(text), modified))
}

fn read(text: &SecretString) -> Result<Vec<NamedKey>, SealError> {
    let keys = split(text.expose_secret())
        .map(NamedKey::read)
        .collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        return Err(SealError::BadKey(hint("The master key is empty.")));
    }
    for (at, key) in keys.iter().enumerate() {
        if keys.iter().skip(at + 1).any(|other| other.id == key.id) {
            return Err(SealError::BadKey(format!(
                "The master key {} is given twice. Remove one of the two.",
                key.id
            )));
        }
    }
    Ok(keys)
}

/// The keys of a ring as written: one or several a line, separated by commas; lines that begin with `#` are comments.
pub fn split(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

fn position(keys: &[NamedKey], id: &str) -> Result<usize, SealError> {
    keys.iter()
        .position(|key| key.id == id)
        .ok_or_else(|| SealError::UnknownKey(id.to_owned()))
}

fn prefix(id: &str) -> String {
    format!("v2.{id}.")
}

fn associated_data(
    key_id: &str,
    tenant_id: TenantId,
    table: &str,
    row: Uuid,
    column: &str,
) -> Vec<u8> {
    format!("daybind.v2|{key_id}|{tenant_id}|{table}|{row}|{column}").into_bytes()
}

fn parts(sealed: &str) -> Result<(&str, &str, &str), SealError> {
    let mut parts = sealed.splitn(3, '.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(version @ ("v1" | "v2")), Some(id), Some(body)) => Ok((version, id, body)),
        _ => Err(SealError::Malformed),
    }
}

fn encrypt(key: &NamedKey, purpose: Purpose, aad: &[u8], msg: &[u8]) -> Result<String, SealError> {
    let mut nonce = [0_u8; 24];
    rand::rng().fill_bytes(&mut nonce);
    let sealed = key
        .cipher(purpose)
        .encrypt(XNonce::from_slice(&nonce), Payload { msg, aad })
        .map_err(|_| SealError::Rejected)?;
    let mut bytes = nonce.to_vec();
    bytes.extend(sealed);
    Ok(format!(
        "{}{}",
        prefix(&key.id),
        URL_SAFE_NO_PAD.encode(bytes)
    ))
}

fn decrypt(
    cipher: &chacha20poly1305::XChaCha20Poly1305,
    aad: &[u8],
    body: &str,
) -> Result<Vec<u8>, SealError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(body)
        .map_err(|_| SealError::Malformed)?;
    let (nonce, msg) = bytes.split_at_checked(24).ok_or(SealError::Malformed)?;
    cipher
        .decrypt(XNonce::from_slice(nonce), Payload { msg, aad })
        .map_err(|_| SealError::Rejected)
}
