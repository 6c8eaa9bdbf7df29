//! From an ID token to an account, with the keys of the profile's directory.

use daybind_domain::Cloud;
use daybind_domain::ids::TenantId;
use secrecy::{ExposeSecret as _, SecretString};

use super::issuer::IssuerError;
use super::token::{self, Account, Expected, TokenFault};
use crate::context::Services;

/// What the token must be for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sought<'a> {
    /// Whose profile.
    pub tenant_id: TenantId,
    /// Its cloud.
    pub cloud: Cloud,
    /// Its directory: GUID or domain.
    pub directory_id: &'a str,
    /// Its application.
    pub client_id: &'a str,
    /// SHA-256 of the nonce we sent.
    pub nonce_hash: &'a [u8],
}

/// Why nobody is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Disbelief {
    /// The directory's keys are not known.
    #[error("issuer: {0}")]
    Issuer(#[from] IssuerError),
    /// The token is wrong.
    #[error("ID token: {0}")]
    Token(#[from] TokenFault),
}

/// Checks an ID token in full.
pub(crate) async fn believe(
    services: &Services,
    sought: Sought<'_>,
    id_token: &SecretString,
) -> Result<Account, Disbelief> {
    let text = id_token.expose_secret();
    let kid = token::key_id(text)?;
    let issuer = services
        .issuers
        .find(
            services,
            sought.tenant_id,
            (sought.cloud, sought.directory_id),
            Some(&kid),
        )
        .await?;
    let expected = Expected {
        client_id: sought.client_id,
        issuer: &issuer.issuer,
        directory_id: issuer.directory_id,
        nonce_hash: sought.nonce_hash,
        now: services.now(),
    };
    Ok(token::verify(text, &issuer.keys, &expected)?)
}
