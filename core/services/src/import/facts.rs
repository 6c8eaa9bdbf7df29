//! What is known about one tenant of the predecessor.

use std::collections::BTreeMap;

use daybind_domain::Consumer;
use daybind_storage::{AlgaBinding, AlgaDatabase, AlgaDomain, AlgaProfile, AlgaTenant};
use secrecy::SecretString;
use uuid::Uuid;

use super::{ImportError, Request, at};

/// What the secret store says about a profile's client secret.
#[derive(Debug, Clone)]
pub enum ClientSecret {
    /// It was read.
    Found(SecretString),
    /// No secret store was given.
    NotRead,
    /// The store has none of that name.
    Absent,
    /// The store has something that cannot be a client secret; why.
    Unusable(String),
}

/// The credentials the predecessor kept before it had profiles, mirrored from the default profile since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Legacy {
    /// Application (client) ID.
    pub client_id: String,
    /// Directory (tenant) ID, if stored.
    pub directory_id: Option<String>,
}

/// A sign that a consumer was in use over there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Which.
    pub consumer: Consumer,
    /// What shows it, for the report.
    pub sign: String,
    /// The profile it was explicitly set to, outside the bindings.
    pub chosen: Option<Uuid>,
}

/// One tenant of the predecessor at one moment.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The tenant.
    pub tenant: AlgaTenant,
    /// Its profiles.
    pub profiles: Vec<AlgaProfile>,
    /// Client secrets, by profile.
    pub secrets: BTreeMap<Uuid, ClientSecret>,
    /// Its explicit bindings.
    pub bindings: Vec<AlgaBinding>,
    /// Its log-in domains.
    pub domains: Vec<AlgaDomain>,
    /// Consumers in use besides MSP SSO, whose sign is an active log-in domain.
    pub usage: Vec<Usage>,
    /// Credentials from before profiles.
    pub legacy: Option<Legacy>,
}

pub(super) async fn read(
    alga: &mut dyn AlgaDatabase,
    request: &Request,
    tenant: &AlgaTenant,
    usage: Vec<Usage>,
) -> Result<Facts, ImportError> {
    let id = tenant.tenant_id;
    let step = |table: &str| format!("reading the predecessor's {table} of tenant {id}");
    let profiles = alga.profiles(id).await.map_err(at(step("profiles")))?;
    let bindings = alga.bindings(id).await.map_err(at(step("bindings")))?;
    let domains = alga.domains(id).await.map_err(at(step("log-in domains")))?;
    let secrets = profiles
        .iter()
        .map(|profile| {
            let secret = request
                .secrets
                .as_ref()
                .map_or(ClientSecret::NotRead, |store| {
                    store.client_secret(id, &profile.secret_ref)
                });
            (profile.profile_id, secret)
        })
        .collect();
    Ok(Facts {
        tenant: tenant.clone(),
        profiles,
        secrets,
        bindings,
        domains,
        usage,
        legacy: request.secrets.as_ref().and_then(|store| store.legacy(id)),
    })
}
