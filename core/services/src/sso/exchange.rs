//! The one request that turns a code into an ID token.

use daybind_domain::sso::SsoOutcome;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::bindings::Resolved;
use crate::context::Services;

/// Longer answers are not read.
const MAX_ANSWER: usize = 256 * 1024;

/// What of the answer we need. The access token is not kept, not even looked at.
#[derive(Deserialize)]
struct Answer {
    id_token: Option<SecretString>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// Sends the code to the token endpoint of the profile's directory (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
///
/// # Errors
/// How the round trip ends.
pub(super) async fn exchange(
    services: &Services,
    profile: &Resolved,
    redirect_uri: &str,
    code: &str,
    verifier: &SecretString,
) -> Result<SecretString, SsoOutcome> {
    let address = format!(
        "{}/{}/oauth2/v2.0/token",
        services.endpoints.microsoft_login(profile.cloud),
        profile.directory_id
    );
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", profile.client_id.as_str()),
        ("client_secret", profile.client_secret.expose_secret()),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", verifier.expose_secret()),
    ];
    let answer = services.http.post(address).form(&form).send().await;
    let answer = answer.map_err(|_| SsoOutcome::ProviderDown)?;
    let status = answer.status();
    let bytes = bounded(answer, MAX_ANSWER)
        .await
        .ok_or(SsoOutcome::ProviderDown)?;
    if status.is_success() {
        let answer: Answer =
            serde_json::from_slice(&bytes).map_err(|_| SsoOutcome::ProviderDown)?;
        // Without `openid` granted there is none.
        return answer.id_token.ok_or(SsoOutcome::TokenInvalid);
    }
    if status.is_server_error() || status.as_u16() == 429 || status.is_redirection() {
        return Err(SsoOutcome::ProviderDown);
    }
    let refusal: Refusal = serde_json::from_slice(&bytes).map_err(|_| SsoOutcome::ProviderDown)?;
    let known = [
        "invalid_client",
        "unauthorized_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "interaction_required",
        "consent_required",
        "temporarily_unavailable",
        "server_error",
    ];
    // Only words of the standard are logged; anything else is somebody else's text.
    let error = known
        .into_iter()
        .find(|word| *word == refusal.error)
        .unwrap_or("other");
    tracing::warn!(
        error,
        status = status.as_u16(),
        "the token endpoint refused"
    );
    Err(match error {
        "invalid_client" | "unauthorized_client" => SsoOutcome::ClientRefused,
        "consent_required" => SsoOutcome::ConsentRequired,
        "interaction_required" => SsoOutcome::BlockedByPolicy,
        "temporarily_unavailable" | "server_error" => SsoOutcome::ProviderDown,
        _ => SsoOutcome::CodeRefused,
    })
}

/// Reads an answer of at most `limit` bytes.
pub(super) async fn bounded(mut answer: reqwest::Response, limit: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.ok()? {
        if bytes.len() + chunk.len() > limit {
            return None;
        }
        bytes.extend_from_slice(&chunk);
    }
    Some(bytes)
}
