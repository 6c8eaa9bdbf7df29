//! The way back. Order of checks: parameters, the single-use flow, this browser, the time, (when linking) the same
//! person, unchanged settings, the answer's issuer, Microsoft's own error, the token request, the ID token; then the
//! decision, in one transaction with its audit row.

use daybind_domain::ids::{TenantId, UserId};
use daybind_domain::sso::SsoOutcome;
use daybind_domain::user::Permission;
use daybind_domain::{AppError, Consumer, ErrorCode};
use daybind_storage::{OauthFlow, StorageError};
use secrecy::SecretString;
use subtle::ConstantTimeEq as _;

use super::apply::apply;
use super::believe::{self, Disbelief, Sought};
use super::exchange::exchange;
use super::issuer::IssuerError;
use super::token::{Account, TokenFault};
use super::{LINK, SIGN_IN, begin};
use crate::auth::Actor;
use crate::bindings::{self, Resolved};
use crate::context::Services;
use crate::failure::internal;
use crate::flow::{self, Returned, hash};
use crate::verify::sign_in;

/// What came back.
pub struct Answer<'a> {
    /// The query as sent.
    pub query: &'a str,
    /// The value of a cookie of this browser.
    pub cookie: &'a (dyn Fn(&str) -> Option<String> + Send + Sync),
    /// Who is signed in.
    pub actor: Option<&'a Actor>,
}

/// How the round trip ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Somebody is let in: open a session for them and go on to the path.
    SignedIn {
        /// Whose.
        tenant_id: TenantId,
        /// Who.
        user_id: UserId,
        /// A path of ours.
        return_to: String,
    },
    /// The result page says it.
    Page(SsoOutcome),
    /// It was a test: the page at this address says how it ended.
    Tested(String),
}

/// Finishes a round trip. Also returns the name of the cookie that has served its turn.
pub async fn finish(services: &Services, answer: Answer<'_>) -> (End, Option<String>) {
    let Some(given) = flow::returned(answer.query) else {
        return (End::Page(SsoOutcome::MissingParameters), None);
    };
    let state_hash = hash(&given.state);
    let cookie = begin::cookie_name(services, &state_hash);
    let end = match run(services, &answer, &given, &state_hash, &cookie).await {
        Ok(end) => end,
        Err(outcome) => {
            tracing::warn!(
                code = outcome.code(),
                "sign-in through Microsoft ended: {}",
                outcome.code()
            );
            End::Page(outcome)
        }
    };
    (end, Some(cookie))
}

async fn run(
    services: &Services,
    answer: &Answer<'_>,
    given: &Returned,
    state_hash: &[u8],
    cookie: &str,
) -> Result<End, SsoOutcome> {
    let flow = take(services, &given.state, state_hash).await?;
    if sign_in::tested(&flow).is_some() {
        return test(services, answer.actor, given, &flow).await;
    }
    let browser = (answer.cookie)(cookie).map(|value| hash(&value));
    let same_browser = match (&browser, &flow.browser_hash) {
        (Some(here), Some(there)) => bool::from(here.ct_eq(there)),
        _ => false,
    };
    if !same_browser {
        return Err(SsoOutcome::WrongBrowser);
    }
    if flow.expires_at <= services.now() {
        return Err(SsoOutcome::Expired);
    }
    let caller = caller(&flow, answer.actor)?;
    let profile = unchanged(services, &flow).await?;
    if let Some(named) = &given.issuer {
        // Only directories have issuers, so this asks the log-in host's description, never the token endpoint.
        let issuer = services
            .issuers
            .find(
                services,
                flow.tenant_id,
                (profile.cloud, &profile.directory_id),
                None,
            )
            .await
            .map_err(no_issuer)?;
        if *named != issuer.issuer {
            return Err(SsoOutcome::WrongIssuer);
        }
    }
    if let Some(error) = &given.error {
        return Err(refusal(error, &given.description));
    }
    let code = given.code.as_deref().ok_or(SsoOutcome::MissingParameters)?;
    let verifier = flow::verifier(services, &flow).map_err(fault)?;
    let id_token = exchange(services, &profile, &flow.redirect_uri, code, &verifier).await?;
    let account = believe(services, &flow, &profile, &id_token).await?;
    apply(services, &flow, caller, &account).await
}

/// Takes the flow for good, whatever follows: the database gives it to one caller only.
async fn take(
    services: &Services,
    state: &str,
    state_hash: &[u8],
) -> Result<OauthFlow, SsoOutcome> {
    let tenant_id = flow::state_tenant(state).ok_or(SsoOutcome::AlreadyUsed)?;
    let mut unit = services.begin(tenant_id).await.map_err(fault)?;
    let flow = unit
        .take_flow(tenant_id, state_hash)
        .await
        .map_err(stored)?;
    unit.save().await.map_err(stored)?;
    // A flow of another purpose has a callback of its own; here it never began.
    flow.filter(|flow| flow.provider == "microsoft")
        .filter(|flow| {
            [SIGN_IN, LINK].contains(&&*flow.purpose)
                || sign_in::tested(flow) == Some(Consumer::MspSso)
        })
        .ok_or(SsoOutcome::AlreadyUsed)
}

/// The person an account is added to: the one who began it, in the session they began it in.
fn caller<'a>(flow: &OauthFlow, actor: Option<&'a Actor>) -> Result<Option<&'a Actor>, SsoOutcome> {
    if flow.purpose != LINK {
        return Ok(None);
    }
    let actor = actor
        .filter(|actor| flow::is_same_person(flow, actor))
        .ok_or(SsoOutcome::WrongPerson)?;
    actor
        .require(Permission::OwnProfile)
        .map_err(|_| SsoOutcome::NotAllowed)?;
    Ok(Some(actor))
}

/// The profile, if it is still the one and the same that the browser was sent away with.
async fn unchanged(services: &Services, flow: &OauthFlow) -> Result<Resolved, SsoOutcome> {
    let mut unit = services.read(flow.tenant_id).await.map_err(fault)?;
    let profile = bindings::resolve(services, unit.as_mut(), flow.tenant_id, Consumer::MspSso)
        .await
        .map_err(|error| match error.code {
            ErrorCode::NotReady | ErrorCode::NotFound | ErrorCode::EnterpriseOnly => {
                SsoOutcome::SettingsChanged
            }
            _ => SsoOutcome::Internal,
        })?;
    let same = flow.profile_id == Some(profile.profile_id)
        && flow.profile_version == Some(profile.profile_version);
    same.then_some(profile).ok_or(SsoOutcome::SettingsChanged)
}

/// A test sign-in: whoever comes back is nobody here, however it ends.
async fn test(
    services: &Services,
    actor: Option<&Actor>,
    given: &Returned,
    flow: &OauthFlow,
) -> Result<End, SsoOutcome> {
    let (trial, tokens) = sign_in::accept(services, actor, given, flow).await?;
    let actor = actor.ok_or(SsoOutcome::WrongPerson)?;
    let page = sign_in::record(services, actor, trial, tokens.map(|_| None)).await;
    page.map(End::Tested).map_err(fault)
}

fn no_issuer(error: IssuerError) -> SsoOutcome {
    tracing::warn!(%error, "the issuer is not known");
    match error {
        IssuerError::Unavailable => SsoOutcome::ProviderDown,
        IssuerError::UnknownDirectory => SsoOutcome::ClientRefused,
        IssuerError::Foreign => SsoOutcome::TokenInvalid,
    }
}

async fn believe(
    services: &Services,
    flow: &OauthFlow,
    profile: &Resolved,
    id_token: &SecretString,
) -> Result<Account, SsoOutcome> {
    let sought = Sought {
        tenant_id: flow.tenant_id,
        cloud: profile.cloud,
        directory_id: &profile.directory_id,
        client_id: &profile.client_id,
        nonce_hash: flow.nonce_hash.as_deref().ok_or(SsoOutcome::Internal)?,
    };
    believe::believe(services, sought, id_token)
        .await
        .map_err(|error| match error {
            Disbelief::Issuer(error) => no_issuer(error),
            Disbelief::Token(fault) => disbelief(fault),
        })
}

fn disbelief(error: TokenFault) -> SsoOutcome {
    tracing::warn!(%error, "the ID token is not believed: {error}");
    match error {
        TokenFault::PersonalAccount => SsoOutcome::PersonalAccount,
        TokenFault::WrongDirectory => SsoOutcome::WrongDirectory,
        _ => SsoOutcome::TokenInvalid,
    }
}

/// What Microsoft's `error` means. The AADSTS number in the description only picks a better explanation.
fn refusal(error: &str, description: &str) -> SsoOutcome {
    let number = description
        .split_once("AADSTS")
        .map(|(_, rest)| {
            rest.chars()
                .take_while(char::is_ascii_digit)
                .collect::<String>()
        })
        .unwrap_or_default();
    match number.as_str() {
        "65001" | "90093" | "90094" | "90095" => return SsoOutcome::ConsentRequired,
        "50105" => return SsoOutcome::NotAssigned,
        "50076" | "50079" | "50158" | "53000" | "53001" | "53002" | "53003" => {
            return SsoOutcome::BlockedByPolicy;
        }
        _ => {}
    }
    match error {
        "access_denied" => SsoOutcome::Declined,
        "consent_required" => SsoOutcome::ConsentRequired,
        "interaction_required" | "login_required" => SsoOutcome::BlockedByPolicy,
        "unauthorized_client"
        | "invalid_client"
        | "invalid_request"
        | "invalid_scope"
        | "invalid_resource"
        | "unsupported_response_type" => SsoOutcome::ClientRefused,
        "temporarily_unavailable" | "server_error" => SsoOutcome::ProviderDown,
        _ => SsoOutcome::CodeRefused,
    }
}

/// The failure is logged already.
pub(super) fn fault(_: AppError) -> SsoOutcome {
    SsoOutcome::Internal
}

pub(super) fn stored(error: StorageError) -> SsoOutcome {
    fault(internal(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_word_decides_and_the_number_explains() {
        for (error, description, outcome) in [
            (
                "access_denied",
                "AADSTS65004: declined",
                SsoOutcome::Declined,
            ),
            ("access_denied", "", SsoOutcome::Declined),
            (
                "access_denied",
                "AADSTS90094: admin",
                SsoOutcome::ConsentRequired,
            ),
            ("consent_required", "", SsoOutcome::ConsentRequired),
            (
                "invalid_grant",
                "AADSTS65001: consent",
                SsoOutcome::ConsentRequired,
            ),
            (
                "interaction_required",
                "AADSTS50105: role",
                SsoOutcome::NotAssigned,
            ),
            ("interaction_required", "", SsoOutcome::BlockedByPolicy),
            (
                "access_denied",
                "AADSTS53003: policy",
                SsoOutcome::BlockedByPolicy,
            ),
            (
                "unauthorized_client",
                "AADSTS700016",
                SsoOutcome::ClientRefused,
            ),
            ("server_error", "AADSTS", SsoOutcome::ProviderDown),
            (
                "temporarily_unavailable",
                "AADSTS90033",
                SsoOutcome::ProviderDown,
            ),
            ("<script>", "AADSTS1<b>", SsoOutcome::CodeRefused),
        ] {
            assert_eq!(
                refusal(error, description),
                outcome,
                "{error} {description}"
            );
        }
    }
}
