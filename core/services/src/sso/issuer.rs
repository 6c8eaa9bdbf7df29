//! Who signs for a directory, and with which keys: fetched from the configured log-in host, kept for a day.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use daybind_domain::Cloud;
use daybind_domain::ids::TenantId;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;
use uuid::Uuid;

use super::token::SigningKey;
use crate::context::Services;

/// Keys are fetched anew after that long.
const KEEP: Duration = Duration::hours(24);
/// An unknown key makes us fetch at most that often, whoever sends it.
const REFETCH: Duration = Duration::minutes(1);
/// After a failure, nobody asks again for that long.
const PAUSE: Duration = Duration::seconds(5);
/// Longer answers are not read.
const MAX_ANSWER: usize = 512 * 1024;
/// Directories kept for one tenant.
const MAX_DIRECTORIES: usize = 8;
/// More keys than any directory has.
const MAX_KEYS: usize = 100;

/// Why an issuer is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// No answer, or one that is no description of an issuer. Trying again may help.
    #[error("the directory's description could not be read")]
    Unavailable,
    /// The log-in host does not know the directory.
    #[error("the log-in host does not know the directory")]
    UnknownDirectory,
    /// The description is of another issuer, or points to another host.
    #[error("the directory's description does not belong to it")]
    Foreign,
}

/// The issuer of one directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// Exactly what `iss` must be.
    pub issuer: String,
    /// The directory's GUID, also when the profile names a domain.
    pub directory_id: Uuid,
    /// Its keys.
    pub keys: Vec<SigningKey>,
}

struct Kept {
    issuer: Issuer,
    keys_url: String,
    /// When the keys were got: they are used for [`KEEP`] from then on.
    fetched: DateTime<Utc>,
    /// When it was last tried, with or without success.
    tried: DateTime<Utc>,
}

#[derive(Default)]
struct Place {
    kept: Option<Kept>,
    /// When the description could last not be read.
    failed: Option<(DateTime<Utc>, IssuerError)>,
}

type Slot = Arc<Mutex<Place>>;

/// What is kept of issuers, for each tenant by itself: no tenant's settings or floods reach another's.
#[derive(Default)]
pub struct Issuers {
    slots: Mutex<HashMap<(TenantId, String), Slot>>,
}

#[derive(Deserialize)]
struct Description {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Key {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    issuer: Option<String>,
}

impl Issuers {
    /// The issuer of a cloud's directory (GUID or domain). When `kid` is wanted and not among the kept keys, they are fetched again, at most
    /// once a minute. One fetch at a time: whoever comes meanwhile waits for it and uses its result.
    ///
    /// # Errors
    /// See [`IssuerError`]. Keys that are too old are not used (fail closed).
    pub async fn find(
        &self,
        services: &Services,
        tenant_id: TenantId,
        (cloud, directory): (Cloud, &str),
        kid: Option<&str>,
    ) -> Result<Issuer, IssuerError> {
        let login = services.endpoints.microsoft_login(cloud);
        let base = authority(login, directory)?;
        let slot = {
            let mut slots = self.slots.lock().await;
            // Bindings and tests may name several directories; a tenant that names more starts over.
            let key = (tenant_id, base.clone());
            let named = slots.keys().filter(|(tenant, _)| *tenant == tenant_id);
            if !slots.contains_key(&key) && named.count() >= MAX_DIRECTORIES {
                slots.retain(|(tenant, _), _| *tenant != tenant_id);
            }
            Arc::clone(slots.entry(key).or_default())
        };
        let mut place = slot.lock().await;
        let now = services.now();
        if let Some(known) = place.kept.as_mut().filter(|it| now - it.fetched < KEEP) {
            let has = kid.is_none_or(|kid| known.issuer.keys.iter().any(|key| key.kid == kid));
            if !has && now - known.tried >= REFETCH {
                known.tried = now;
                match keys(services, &known.keys_url).await {
                    Ok(keys) => {
                        known.issuer.keys = keys;
                        known.fetched = now;
                    }
                    Err(error) => {
                        tracing::warn!(%error, "signing keys could not be fetched again; the old ones stay");
                    }
                }
            }
            return Ok(known.issuer.clone());
        }
        place.kept = None;
        // Whoever waited for a fetch that failed does not wait for another one.
        if let Some((at, error)) = place.failed
            && now - at < PAUSE
        {
            return Err(error);
        }
        match describe(services, login, directory, now).await {
            Ok(kept) => {
                let issuer = kept.issuer.clone();
                (place.kept, place.failed) = (Some(kept), None);
                Ok(issuer)
            }
            Err(error) => {
                place.failed = Some((services.now(), error));
                Err(error)
            }
        }
    }
}

/// `<log-in host>/<directory>`.
fn authority(login: &str, directory: &str) -> Result<String, IssuerError> {
    let plain = !directory.is_empty()
        && directory
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    if !plain || directory.starts_with('.') {
        return Err(IssuerError::UnknownDirectory);
    }
    Ok(format!("{login}/{directory}"))
}

async fn describe(
    services: &Services,
    login: &str,
    directory: &str,
    now: DateTime<Utc>,
) -> Result<Kept, IssuerError> {
    let address = format!("{login}/{directory}/v2.0/.well-known/openid-configuration");
    let found: Description = fetch(services, &address).await?;
    let directory_id = issuer_directory(login, &found.issuer).ok_or(IssuerError::Foreign)?;
    if Uuid::parse_str(directory).is_ok_and(|wanted| wanted != directory_id) {
        return Err(IssuerError::Foreign);
    }
    if !same_origin(&found.jwks_uri, login) {
        return Err(IssuerError::Foreign);
    }
    let issuer = Issuer {
        issuer: found.issuer,
        directory_id,
        keys: keys(services, &found.jwks_uri).await?,
    };
    Ok(Kept {
        issuer,
        keys_url: found.jwks_uri,
        fetched: now,
        // Keys that were replaced since may be asked for once at once.
        tried: now - REFETCH,
    })
}

/// The GUID in `<log-in host>/<GUID>/v2.0`, which is the only form an issuer may have.
fn issuer_directory(login: &str, issuer: &str) -> Option<Uuid> {
    let middle = issuer.strip_prefix(login)?.strip_prefix('/')?;
    let guid = middle.strip_suffix("/v2.0")?;
    Uuid::parse_str(guid)
        .ok()
        .filter(|id| id.to_string() == guid)
}

fn same_origin(address: &str, login: &str) -> bool {
    match (Url::parse(address), Url::parse(login)) {
        (Ok(address), Ok(login)) => address.origin() == login.origin(),
        _ => false,
    }
}

async fn keys(services: &Services, address: &str) -> Result<Vec<SigningKey>, IssuerError> {
    let set: KeySet = fetch(services, address).await?;
    // A key we cannot use is left out; it must not hide the others.
    let usable = set.keys.into_iter().filter_map(|key| {
        let key: Key = serde_json::from_value(key).ok()?;
        let signs = key.usage.as_deref().is_none_or(|usage| usage == "sig");
        let fits = key.alg.as_deref().is_none_or(|alg| alg == "RS256");
        (key.kty == "RSA" && signs && fits).then_some(())?;
        Some(SigningKey {
            kid: key.kid?,
            n: key.n?,
            e: key.e?,
            issuer: key.issuer,
        })
    });
    let keys: Vec<_> = usable.take(MAX_KEYS).collect();
    if keys.is_empty() {
        return Err(IssuerError::Unavailable);
    }
    Ok(keys)
}

async fn fetch<T: serde::de::DeserializeOwned>(
    services: &Services,
    address: &str,
) -> Result<T, IssuerError> {
    let answer = services
        .http
        .get(address)
        .send()
        .await
        .map_err(|_| IssuerError::Unavailable)?;
    let status = answer.status();
    if status.is_client_error() && status.as_u16() != 429 {
        return Err(IssuerError::UnknownDirectory);
    }
    if !status.is_success() {
        return Err(IssuerError::Unavailable);
    }
    let bytes = super::exchange::bounded(answer, MAX_ANSWER)
        .await
        .ok_or(IssuerError::Unavailable)?;
    serde_json::from_slice(&bytes).map_err(|_| IssuerError::Unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_the_log_in_host_and_a_directory() {
        let login = "https://login.example";
        let id = "11111111-1111-4111-8111-111111111111";
        let good = format!("{login}/{id}/v2.0");
        assert_eq!(
            issuer_directory(login, &good).map(|id| id.to_string()),
            Some(id.to_owned())
        );
        for wrong in [
            format!("{login}/{{tenantid}}/v2.0"),
            format!("{login}/{id}"),
            format!("{login}/{id}/v2.0/"),
            format!("https://evil.example/{id}/v2.0"),
            format!("{login}.evil.example/{id}/v2.0"),
            format!("{login}/{}/v2.0", id.replace('-', "")),
            format!("{login}//{id}/v2.0"),
        ] {
            assert_eq!(issuer_directory(login, &wrong), None, "{wrong}");
        }
        assert!(same_origin("https://login.example/keys", login));
        assert!(!same_origin("https://login.example:444/keys", login));
        assert!(!same_origin("http://login.example/keys", login));
    }
}
