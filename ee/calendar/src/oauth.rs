//! OAuth 2.0 with Google and Microsoft: who our client is, where browsers go, and how tokens are got and kept fresh.
//!
//! RFC 6749 and RFC 7636 (S256); the Microsoft client is the profile bound to Calendar, the Google client is the tenant's
//! own. Neither has a fallback.

use chrono::{DateTime, Duration, Utc};
use daybind_domain::ids::{ConnectionId, ProfileId, TenantId};
use daybind_domain::user::Permission;
use daybind_domain::{AppError, Cloud, Consumer, ErrorCode};
use daybind_ee_storage::{Connection, calendar};
use daybind_services::flow::{self, Start};
use daybind_services::{
    Actor, AppResult, Provider, SecretPlace, Services, StableRoute, bindings, internal,
};
use daybind_storage::UnitOfWork;
use daybind_words::t;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::bearer::Bearer;
use crate::google::Google;
use crate::graph::Graph;
use crate::provider::CalendarProvider;
use crate::wire::{read, retry_after};

/// Graph in each cloud: environment variable and host (learn.microsoft.com/graph/deployments).
pub const GRAPH: [(Cloud, &str, &str); 4] = [
    (
        Cloud::Global,
        "DAYBIND_MICROSOFT_GRAPH_URL",
        "https://graph.microsoft.com",
    ),
    (
        Cloud::UsGovHigh,
        "DAYBIND_MICROSOFT_GRAPH_URL_US_GOV_HIGH",
        "https://graph.microsoft.us",
    ),
    (
        Cloud::UsGovDod,
        "DAYBIND_MICROSOFT_GRAPH_URL_US_GOV_DOD",
        "https://dod-graph.microsoft.us",
    ),
    (
        Cloud::China,
        "DAYBIND_MICROSOFT_GRAPH_URL_CHINA",
        "https://microsoftgraph.chinacloudapi.cn",
    ),
];
/// Environment variable of Google's consent page.
pub const GOOGLE_AUTH_URL: &str = "DAYBIND_GOOGLE_AUTH_URL";
/// Environment variable of Google's token endpoint.
pub const GOOGLE_TOKEN_URL: &str = "DAYBIND_GOOGLE_TOKEN_URL";
/// Environment variable of Google's API host.
pub const GOOGLE_API_URL: &str = "DAYBIND_GOOGLE_API_URL";
/// Environment variable of Google's revocation endpoint.
pub const GOOGLE_REVOKE_URL: &str = "DAYBIND_GOOGLE_REVOKE_URL";

/// The purpose under which our flows are stored.
pub const PURPOSE: &str = "calendar_connect";

/// What we ask Google for: events, and the list of calendars to choose from.
pub const GOOGLE_SCOPES: [&str; 2] = [
    "https://www.googleapis.com/auth/calendar.events",
    "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
];
/// What we ask Microsoft for, short, which means the Graph of the cloud that is asked: refreshing, whose account it is, and its calendars.
pub const MICROSOFT_SCOPES: [&str; 3] = ["offline_access", "User.Read", "Calendars.ReadWrite"];

/// Our OAuth client at a provider.
pub struct OauthClient {
    /// Microsoft's cloud; the global one for Google.
    pub cloud: Cloud,
    /// `client_id`
    pub client_id: String,
    /// `client_secret`
    pub secret: SecretString,
    /// Where browsers are sent.
    pub authorize_url: String,
    /// Where codes and refresh tokens are exchanged.
    pub token_url: String,
    /// The Microsoft directory; `None` for Google.
    pub directory: Option<String>,
    /// The Microsoft profile it comes from.
    pub profile_id: Option<ProfileId>,
    /// Version of that profile, or of the tenant's Google client.
    pub version: i64,
}

/// Tokens as the provider hands them out.
#[derive(Deserialize)]
pub struct Tokens {
    /// The access token.
    pub access_token: SecretString,
    /// Seconds it lives.
    pub expires_in: Option<i64>,
    /// A refresh token, if there is a (new) one.
    pub refresh_token: Option<SecretString>,
    /// What was granted, separated by spaces.
    pub scope: Option<String>,
}

/// Why there are no tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// The code or refresh token is not accepted: the user must connect again.
    InvalidGrant,
    /// Our client is not accepted: the operator must repair the secret.
    InvalidClient,
    /// No usable answer.
    Transient,
    /// Too many requests.
    Throttled {
        /// How long the provider asks us to wait.
        after: Option<std::time::Duration>,
    },
    /// Refused otherwise.
    Refused,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// The tenant's OAuth client at a provider.
///
/// # Errors
/// [`ErrorCode::NotReady`] with what the administrator must do.
pub async fn client(
    services: &Services,
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    provider: Provider,
) -> AppResult<OauthClient> {
    match provider {
        Provider::Google => {
            let row = calendar(unit)
                .map_err(internal)?
                .find_google_client(tenant_id)
                .await
                .map_err(internal)?
                .ok_or_else(|| {
                    AppError::new(ErrorCode::NotReady, t!("Google Calendar is not set up yet.")).next_step(
                        t!("Ask an administrator to enter the Google client in Settings > Integrations > Providers."),
                    )
                })?;
            let secret = services
                .keyring
                .open(&google_place(tenant_id), &row.client_secret_sealed)
                .map_err(internal)?;
            Ok(OauthClient {
                cloud: Cloud::Global,
                client_id: row.client_id,
                secret,
                authorize_url: endpoint(services, GOOGLE_AUTH_URL)?,
                token_url: endpoint(services, GOOGLE_TOKEN_URL)?,
                directory: None,
                profile_id: None,
                version: row.version,
            })
        }
        Provider::Microsoft => {
            let resolved = bindings::resolve(services, unit, tenant_id, Consumer::Calendar).await?;
            let base = format!(
                "{}/{}/oauth2/v2.0",
                services.endpoints.microsoft_login(resolved.cloud),
                resolved.directory_id
            );
            Ok(OauthClient {
                cloud: resolved.cloud,
                client_id: resolved.client_id,
                secret: resolved.client_secret,
                authorize_url: format!("{base}/authorize"),
                token_url: format!("{base}/token"),
                directory: Some(resolved.directory_id),
                profile_id: Some(resolved.profile_id),
                version: resolved.profile_version,
            })
        }
    }
}

/// A configured address.
///
/// # Errors
/// An internal error when the entry forgot to register it.
pub fn endpoint(services: &Services, variable: &str) -> AppResult<String> {
    services
        .endpoints
        .get(variable)
        .map(str::to_owned)
        .ok_or_else(|| {
            internal(std::io::Error::other(format!(
                "{variable} is not registered"
            )))
        })
}

/// Where the tenant's Google client secret is sealed.
#[must_use]
pub fn google_place(tenant_id: TenantId) -> SecretPlace {
    SecretPlace {
        tenant_id,
        table: "google_clients",
        row: tenant_id.0,
        column: "client_secret_sealed",
    }
}

/// Where a connection's token is sealed.
#[must_use]
pub fn token_place(tenant_id: TenantId, id: ConnectionId, column: &'static str) -> SecretPlace {
    SecretPlace {
        tenant_id,
        table: "calendar_providers",
        row: id.0,
        column,
    }
}

/// Starts a round trip and returns where to send the browser.
///
/// # Errors
/// Forbidden, not set up, unknown provider or connection.
pub async fn initiate(
    services: &Services,
    actor: &Actor,
    provider: &str,
    connection_id: Option<&str>,
) -> AppResult<String> {
    actor.require(Permission::OwnProfile)?;
    let provider = Provider::parse(provider)
        .ok_or_else(|| AppError::field("provider", t!("Choose Google Calendar or Outlook.")))?;
    let mut unit = services.begin(actor.tenant_id).await?;
    let connection = match connection_id {
        None => None,
        Some(id) => Some(own(unit.as_mut(), actor, id).await?),
    };
    if connection
        .as_ref()
        .is_some_and(|connection| connection.provider != provider.as_str())
    {
        return Err(AppError::not_found(t!("The calendar connection")));
    }
    let client = client(services, unit.as_mut(), actor.tenant_id, provider).await?;
    // The session is the browser's mark here, and there is no ID token.
    let mut started = flow::start(
        services,
        Start {
            tenant_id: actor.tenant_id,
            purpose: PURPOSE,
            provider: provider.as_str(),
            profile_id: client.profile_id,
            version: client.version,
            actor: Some(actor),
            redirect_uri: services.absolute(StableRoute::Callback(provider).path()),
        },
    )?;
    started.row.connection_id = connection.as_ref().map(|row| row.connection_id.0);
    unit.add_flow(&started.row).await.map_err(internal)?;
    unit.save().await.map_err(internal)?;
    let scope = match provider {
        Provider::Google => GOOGLE_SCOPES.join(" "),
        Provider::Microsoft => MICROSOFT_SCOPES.join(" "),
    };
    let mut url = started.address(&client.authorize_url, &client.client_id, &scope)?;
    match provider {
        Provider::Google => url
            .query_pairs_mut()
            .append_pair("access_type", "offline")
            .append_pair("prompt", "consent"),
        Provider::Microsoft => url
            .query_pairs_mut()
            .append_pair("response_mode", "query")
            .append_pair("prompt", "select_account"),
    };
    if let Some(connection) = connection {
        url.query_pairs_mut()
            .append_pair("login_hint", &connection.account_email);
    }
    Ok(url.into())
}

/// The caller's own connection. Others' connections do not exist for them.
///
/// # Errors
/// Not found.
pub async fn own(unit: &mut dyn UnitOfWork, actor: &Actor, id: &str) -> AppResult<Connection> {
    let missing = || AppError::not_found(t!("The calendar connection"));
    let id: ConnectionId = id.parse().map_err(|_| missing())?;
    calendar(unit)
        .map_err(internal)?
        .find_connection(actor.tenant_id, id)
        .await
        .map_err(internal)?
        .filter(|connection| connection.user_id == actor.user_id())
        .filter(|connection| !is_ending(connection))
        .ok_or_else(missing)
}

/// Why a connection waits that an update of the database found to have another's calendar. It keeps everything; the index
/// `calendar_providers_shared_calendar` leaves it out.
pub const TWICE: &str = "calendar_twice";

/// Whether the connection is on its way out.
#[must_use]
pub fn is_ending(connection: &Connection) -> bool {
    is_end(connection.status_reason.as_deref())
}

/// Whether a connection with this reason of its status is on its way out.
#[must_use]
pub fn is_end(reason: Option<&str>) -> bool {
    reason == Some("disconnecting")
}

/// Asks the token endpoint.
///
/// # Errors
/// See [`TokenError`].
pub async fn token(
    services: &Services,
    client: &OauthClient,
    form: &[(&str, &str)],
) -> Result<Tokens, TokenError> {
    let mut fields = vec![
        ("client_id", client.client_id.as_str()),
        ("client_secret", client.secret.expose_secret()),
    ];
    fields.extend(form);
    let answer = services
        .http
        .post(&client.token_url)
        .form(&fields)
        .send()
        .await;
    let response = answer.map_err(|_| TokenError::Transient)?;
    let status = response.status();
    let after = retry_after(response.headers());
    let bytes = read(response).await.map_err(|_| TokenError::Transient)?;
    if status.is_success() {
        return serde_json::from_slice(&bytes).map_err(|_| TokenError::Transient);
    }
    if status.as_u16() == 429 || (status.is_server_error() && after.is_some()) {
        return Err(TokenError::Throttled { after });
    }
    if status.is_server_error() || matches!(status.as_u16(), 408 | 425) {
        return Err(TokenError::Transient);
    }
    let refusal: Refusal = serde_json::from_slice(&bytes).map_err(|_| TokenError::Transient)?;
    tracing::warn!(
        error = refusal.error,
        status = status.as_u16(),
        "the token endpoint refused"
    );
    Err(match refusal.error.as_str() {
        "invalid_grant" | "interaction_required" | "consent_required" | "login_required" => {
            TokenError::InvalidGrant
        }
        "invalid_client" | "unauthorized_client" => TokenError::InvalidClient,
        "temporarily_unavailable" | "server_error" => TokenError::Transient,
        _ => TokenError::Refused,
    })
}

/// Whether everything sync needs was granted. Microsoft answers scopes short or prefixed with its host.
#[must_use]
pub fn granted(provider: Provider, tokens: &Tokens) -> bool {
    let scope = tokens.scope.as_deref().unwrap_or_default();
    match provider {
        Provider::Google => GOOGLE_SCOPES
            .iter()
            .all(|needed| scope.split(' ').any(|got| got == *needed)),
        Provider::Microsoft => scope.split(' ').any(|got| {
            got.rsplit('/')
                .next()
                .is_some_and(|got| got.eq_ignore_ascii_case("Calendars.ReadWrite"))
        }),
    }
}

/// When an access token ends.
#[must_use]
pub fn token_end(now: DateTime<Utc>, tokens: &Tokens) -> DateTime<Utc> {
    now + Duration::seconds(tokens.expires_in.unwrap_or(3000).clamp(0, 86_400))
}

/// Ends a Google grant. Microsoft has no such call: the refresh token is erased and lapses.
pub async fn revoke(services: &Services, provider: Provider, refresh_token: &SecretString) -> bool {
    if provider == Provider::Microsoft {
        return true;
    }
    let Some(url) = services.endpoints.get(GOOGLE_REVOKE_URL) else {
        return true;
    };
    match services
        .http
        .post(url)
        .form(&[("token", refresh_token.expose_secret())])
        .send()
        .await
    {
        Ok(response) => !response.status().is_server_error(),
        Err(_) => false,
    }
}

/// Where Graph is in a cloud. Tokens of that cloud go there and nowhere else.
fn graph(services: &Services, cloud: Cloud) -> AppResult<String> {
    let variable = GRAPH.iter().find(|(of, ..)| *of == cloud);
    endpoint(services, variable.map_or("", |(_, variable, _)| variable))
}

/// A provider client for an access token, issued in that cloud of Microsoft's.
///
/// # Errors
/// An internal error when the entry forgot to register the hosts.
pub fn provider_client(
    services: &Services,
    provider: Provider,
    cloud: Cloud,
    token: SecretString,
) -> AppResult<Box<dyn CalendarProvider>> {
    let http = services.http.clone();
    Ok(match provider {
        Provider::Google => {
            let base = endpoint(services, GOOGLE_API_URL)?;
            Box::new(Google(Bearer::new(http, base, token)))
        }
        Provider::Microsoft => {
            let base = graph(services, cloud)?;
            Box::new(Graph(Bearer::new(http, base, token)))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_short_or_prefixed() {
        let tokens = |scope: &str| Tokens {
            access_token: SecretString::from("x"),
            expires_in: None,
            refresh_token: None,
            scope: Some(scope.to_owned()),
        };
        assert!(granted(
            Provider::Microsoft,
            &tokens("User.Read https://graph.microsoft.com/calendars.readwrite")
        ));
        assert!(!granted(Provider::Microsoft, &tokens("User.Read")));
        assert!(granted(Provider::Google, &tokens(&GOOGLE_SCOPES.join(" "))));
        assert!(!granted(Provider::Google, &tokens(GOOGLE_SCOPES[0])));
    }
}
