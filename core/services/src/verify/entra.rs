//! Calls to Microsoft's log-in, and what its answers say.

use daybind_domain::Cloud;
use daybind_domain::profile::{Directory, ProfileFields, directory_kind, is_guid};
use daybind_words::t;
use reqwest::{RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::explain::{id_in, number_in};
use crate::context::Services;

/// Bytes of an answer that are read.
const LIMIT: usize = 256 * 1024;
/// A resource every directory has, by its application id: a token for it proves id and secret, whatever it may do.
const ANY_RESOURCE: &str = "00000003-0000-0000-c000-000000000000/.default";

/// Microsoft said no.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The OAuth `error`, or a code of ours.
    pub error: String,
    /// The AADSTS number.
    pub number: Option<i64>,
    /// Microsoft's trace id.
    pub trace_id: Option<String>,
    /// Microsoft's correlation id.
    pub correlation_id: Option<String>,
    /// Names of ours, to be shown: missing permissions, for example.
    pub detail: Option<String>,
}

impl Refusal {
    /// A refusal under a code of ours.
    #[must_use]
    pub fn ours(error: &str) -> Self {
        Self {
            error: error.to_owned(),
            ..Self::default()
        }
    }
}

/// Why there is no answer to work with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Microsoft said no.
    Refused(Refusal),
    /// No answer, or one that says to come back later.
    Unreachable,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    token_endpoint: String,
}

#[derive(Deserialize)]
struct ErrorBody {
    error: String,
    #[serde(default)]
    error_description: String,
    #[serde(default)]
    error_codes: Vec<i64>,
    trace_id: Option<String>,
    correlation_id: Option<String>,
}

/// Tokens, as far as verification looks at them.
#[derive(Debug, Deserialize)]
pub struct Tokens {
    /// The access token.
    pub access_token: SecretString,
    /// The ID token, if one was asked for.
    pub id_token: Option<SecretString>,
    /// The refresh token, if one was asked for.
    pub refresh_token: Option<SecretString>,
    /// What was granted, separated by spaces.
    pub scope: Option<String>,
}

pub(super) fn address(
    services: &Services,
    cloud: Cloud,
    directory: &str,
    rest: &str,
) -> Option<String> {
    // Stored ids are GUIDs or domains; imported rows may hold anything, and nothing else goes into a path.
    match directory_kind(directory) {
        Directory::Wrong => None,
        Directory::Guid | Directory::Domain | Directory::Shared => Some(format!(
            "{}/{directory}/{rest}",
            services.endpoints.microsoft_login(cloud)
        )),
    }
}

/// Asks a cloud for a directory's OpenID metadata; the directory's GUID.
///
/// # Errors
/// See [`Failure`].
pub async fn metadata(
    services: &Services,
    cloud: Cloud,
    directory: &str,
) -> Result<String, Failure> {
    let url = address(
        services,
        cloud,
        directory,
        "v2.0/.well-known/openid-configuration",
    )
    .ok_or_else(|| Failure::Refused(Refusal::ours("invalid_tenant")))?;
    let metadata: Metadata = call(services.http.get(url)).await?;
    if !metadata.token_endpoint.contains("/oauth2/") {
        return Err(Failure::Refused(Refusal::ours("malformed_answer")));
    }
    let found = metadata
        .issuer
        .split('/')
        .rev()
        .find(|part| is_guid(part))
        .unwrap_or_default()
        .to_lowercase();
    if found.is_empty() {
        return Err(Failure::Refused(Refusal::ours("malformed_answer")));
    }
    if is_guid(directory) && !found.eq_ignore_ascii_case(directory) {
        return Err(Failure::Refused(Refusal::ours("wrong_directory")));
    }
    Ok(found)
}

/// Asks for a token in the application's own name. The token is dropped at once.
///
/// # Errors
/// See [`Failure`].
pub async fn client_credentials(
    services: &Services,
    fields: &ProfileFields,
    secret: &SecretString,
) -> Result<(), Failure> {
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", ANY_RESOURCE),
    ];
    let tokens = token(services, fields, secret, &form).await?;
    if tokens.access_token.expose_secret().is_empty() {
        return Err(Failure::Refused(Refusal::ours("malformed_answer")));
    }
    Ok(())
}

/// Exchanges the code of a test sign-in.
///
/// # Errors
/// See [`Failure`].
pub async fn redeem(
    services: &Services,
    fields: &ProfileFields,
    secret: &SecretString,
    code: &str,
    redirect_uri: &str,
    verifier: &SecretString,
) -> Result<Tokens, Failure> {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", verifier.expose_secret()),
    ];
    token(services, fields, secret, &form).await
}

async fn token(
    services: &Services,
    fields: &ProfileFields,
    secret: &SecretString,
    form: &[(&str, &str)],
) -> Result<Tokens, Failure> {
    let url = address(
        services,
        fields.cloud,
        &fields.directory_id,
        "oauth2/v2.0/token",
    )
    .ok_or_else(|| Failure::Refused(Refusal::ours("invalid_tenant")))?;
    let mut all = vec![
        ("client_id", fields.client_id.as_str()),
        ("client_secret", secret.expose_secret()),
    ];
    all.extend(form);
    call(services.http.post(url).form(&all)).await
}

async fn call<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, Failure> {
    let response = request.send().await.map_err(|_| Failure::Unreachable)?;
    let status = response.status();
    let body = read(response).await.ok_or(Failure::Unreachable)?;
    if status.is_success() {
        return serde_json::from_slice(&body)
            .map_err(|_| Failure::Refused(Refusal::ours("malformed_answer")));
    }
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(Failure::Unreachable);
    }
    let Ok(body) = serde_json::from_slice::<ErrorBody>(&body) else {
        return Err(Failure::Refused(Refusal::ours("malformed_answer")));
    };
    if matches!(
        body.error.as_str(),
        "temporarily_unavailable" | "server_error"
    ) {
        return Err(Failure::Unreachable);
    }
    Err(Failure::Refused(refusal(body)))
}

fn refusal(body: ErrorBody) -> Refusal {
    let known = |id: Option<String>, label: &str| {
        id.filter(|id| is_guid(id))
            .or_else(|| id_in(&body.error_description, label))
    };
    Refusal {
        number: body
            .error_codes
            .first()
            .copied()
            .or_else(|| number_in(&body.error_description)),
        trace_id: known(body.trace_id, t!("Trace ID")),
        correlation_id: known(body.correlation_id, t!("Correlation ID")),
        error: code(&body.error),
        detail: None,
    }
}

/// An OAuth `error` fit to be stored: a short word of the characters RFC 6749 uses.
#[must_use]
pub fn code(error: &str) -> String {
    let word: String = error
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .take(60)
        .collect();
    if word.is_empty() {
        "unknown_error".to_owned()
    } else {
        word
    }
}

/// The body, unless it is longer than anything Microsoft sends.
async fn read(mut response: Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.ok()? {
        if body.len() + part.len() > LIMIT {
            return None;
        }
        body.extend_from_slice(&part);
    }
    Some(body)
}
