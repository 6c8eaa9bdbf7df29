//! The way out: a flow row, a cookie for this browser, and the address at Microsoft.

use daybind_domain::ids::TenantId;
use daybind_domain::sso::SsoOutcome;
use daybind_domain::user::{Permission, normalise_email};
use daybind_domain::{Consumer, ErrorCode};
use secrecy::SecretString;

use super::{CALLBACK_PATH, LINK, SCOPES, SIGN_IN, return_to};
use crate::auth::Actor;
use crate::bindings;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::flow::{self, Start, hash};

/// The cookie that only the browser which began a round trip has.
#[derive(Debug, Clone)]
pub struct FlowCookie {
    /// Its name; one for each round trip, so that two tabs do not disturb each other.
    pub name: String,
    /// 256 random bits; the flow row holds their SHA-256.
    pub value: SecretString,
}

/// Where to send the browser, and what it must bring back.
#[derive(Debug)]
pub struct Begun {
    /// Microsoft's authorize endpoint with all parameters.
    pub url: String,
    /// The cookie to set.
    pub cookie: FlowCookie,
}

/// The name of the cookie of a round trip: bound to this host by the browser when served over https (RFC 6265bis
/// section 4.1.3.2).
pub(super) fn cookie_name(services: &Services, state_hash: &[u8]) -> String {
    let secure = services.public_url.scheme() == "https";
    let prefix = if secure { "__Host-" } else { "" };
    let short: String = state_hash
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{prefix}daybind-flow-{short}")
}

/// Begins a sign-in to one MSP. `email` helps Microsoft choose the account; `wish` is where the person wants to go.
///
/// # Errors
/// [`SsoOutcome::NotReady`] for an unknown MSP, a missing binding and an incomplete profile alike;
/// [`SsoOutcome::Internal`].
pub async fn begin_sign_in(
    services: &Services,
    tenant_id: TenantId,
    email: &str,
    wish: &str,
) -> Result<Begun, SsoOutcome> {
    let email = normalise_email(email);
    let request = Request {
        tenant_id,
        purpose: SIGN_IN,
        actor: None,
        hint: (!email.is_empty()).then_some(&*email),
        return_to: return_to(wish),
    };
    send(services, request).await.map_err(outcome)
}

/// Begins a round trip that adds a Microsoft account to the signed-in person.
///
/// # Errors
/// As [`begin_sign_in`]; [`SsoOutcome::NotAllowed`] for client-portal users.
pub async fn begin_link(services: &Services, actor: &Actor) -> Result<Begun, SsoOutcome> {
    actor
        .require(Permission::OwnProfile)
        .map_err(|_| SsoOutcome::NotAllowed)?;
    let request = Request {
        tenant_id: actor.tenant_id,
        purpose: LINK,
        actor: Some(actor),
        hint: None,
        return_to: "/msp/profile?tab=profile".to_owned(),
    };
    send(services, request).await.map_err(outcome)
}

fn outcome(error: daybind_domain::AppError) -> SsoOutcome {
    match error.code {
        ErrorCode::NotReady | ErrorCode::EnterpriseOnly | ErrorCode::NotFound => {
            SsoOutcome::NotReady
        }
        ErrorCode::RateLimited => SsoOutcome::RateLimited,
        _ => SsoOutcome::Internal,
    }
}

struct Request<'a> {
    tenant_id: TenantId,
    purpose: &'static str,
    actor: Option<&'a Actor>,
    hint: Option<&'a str>,
    return_to: String,
}

async fn send(services: &Services, request: Request<'_>) -> AppResult<Begun> {
    let tenant_id = request.tenant_id;
    let mut unit = services.begin(tenant_id).await?;
    let profile = bindings::resolve(services, unit.as_mut(), tenant_id, Consumer::MspSso).await?;
    let mut started = flow::start(
        services,
        Start {
            tenant_id,
            purpose: request.purpose,
            provider: "microsoft",
            profile_id: Some(profile.profile_id),
            version: profile.profile_version,
            actor: request.actor,
            redirect_uri: services.absolute(CALLBACK_PATH),
        },
    )?;
    let (nonce, browser) = (flow::random(), flow::random());
    started.row.nonce_hash = Some(hash(&nonce));
    started.row.browser_hash = Some(hash(&browser));
    started.row.return_to = Some(request.return_to);
    unit.add_flow(&started.row).await.map_err(internal)?;
    unit.save().await.map_err(internal)?;
    let authorize = format!(
        "{}/{}/oauth2/v2.0/authorize",
        services.endpoints.microsoft_login(profile.cloud),
        profile.directory_id
    );
    let mut url = started.address(&authorize, &profile.client_id, &SCOPES.join(" "))?;
    url.query_pairs_mut()
        .append_pair("response_mode", "query")
        .append_pair("nonce", &nonce);
    match request.hint {
        Some(hint) => url.query_pairs_mut().append_pair("login_hint", hint),
        // Which account is to be added is the person's choice, also when the browser knows one already.
        None => url
            .query_pairs_mut()
            .append_pair("prompt", "select_account"),
    };
    Ok(Begun {
        url: url.into(),
        cookie: FlowCookie {
            name: cookie_name(services, &started.row.state_hash),
            value: SecretString::from(browser),
        },
    })
}
