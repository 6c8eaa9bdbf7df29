//! The way back. Order of checks: parameters, the single-use flow, this browser, the time, (when linking) the same
//! person, unchanged settings, the answer's issuer, Microsoft's own error, the token request, the ID token; then the
//! decision, in one transaction with its audit row.

use daybind_domain::ids::{TenantId, UserId};
use daybind_domain::sso::SsoOutcome;
use daybind_domain::user::{Permission, UserType, normalise_email};
use daybind_domain::{AppError, Consumer, ErrorCode};
use daybind_storage::{
    Identity, IdentityRequest, OauthFlow, Proof, RequestState, StorageError, UnitOfWork, User,
};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use super::decide::{self, Address, Asked, Candidate, Decision, Facts, Intent, Owner, Standing};
use super::exchange::exchange;
use super::issuer::{Issuer, IssuerError};
use super::token::{self, Account, Expected, TokenFault};
use super::{HOME, LINK, SIGN_IN, begin};
use crate::audit;
use crate::auth::Actor;
use crate::bindings::{self, Resolved};
use crate::context::Services;
use crate::failure::internal;
use crate::flow::{self, hash};

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
}

struct Parameters {
    state: String,
    code: Option<String>,
    error: Option<String>,
    description: String,
    issuer: Option<String>,
}

/// Reads the query. A parameter given twice has two readers disagree, so it is refused (RFC 6749 section 3.1).
fn parameters(query: &str) -> Option<Parameters> {
    let find = |wanted: &str| {
        let mut all = url::form_urlencoded::parse(query.as_bytes())
            .filter(|(name, value)| name == wanted && !value.is_empty());
        let first = all.next().map(|(_, value)| value.into_owned());
        all.next().is_none().then_some(first)
    };
    let (code, error) = (find("code")?, find("error")?);
    if code.is_some() == error.is_some() {
        return None;
    }
    Some(Parameters {
        state: find("state")??,
        code,
        error,
        description: find("error_description")?.unwrap_or_default(),
        issuer: find("iss")?,
    })
}

/// Finishes a round trip. Also returns the name of the cookie that has served its turn.
pub async fn finish(services: &Services, answer: Answer<'_>) -> (End, Option<String>) {
    let Some(given) = parameters(answer.query) else {
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
    given: &Parameters,
    state_hash: &[u8],
    cookie: &str,
) -> Result<End, SsoOutcome> {
    let flow = take(services, &given.state, state_hash).await?;
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
        let issuer = issuer(services, &flow, &profile, None).await?;
        if *named != issuer.issuer {
            return Err(SsoOutcome::WrongIssuer);
        }
    }
    if let Some(error) = &given.error {
        return Err(refusal(error, &given.description));
    }
    let code = given.code.as_deref().ok_or(SsoOutcome::MissingParameters)?;
    let verifier = services
        .keyring
        .open(
            &flow::verifier_place(flow.tenant_id, flow.flow_id),
            &flow.verifier_sealed,
        )
        .map_err(|error| fault(internal(error)))?;
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
    flow.filter(|flow| flow.provider == "microsoft" && [SIGN_IN, LINK].contains(&&*flow.purpose))
        .ok_or(SsoOutcome::AlreadyUsed)
}

/// The person an account is added to: the one who began it, in the session they began it in.
fn caller<'a>(flow: &OauthFlow, actor: Option<&'a Actor>) -> Result<Option<&'a Actor>, SsoOutcome> {
    if flow.purpose != LINK {
        return Ok(None);
    }
    let same = actor.filter(|actor| {
        actor.tenant_id == flow.tenant_id
            && Some(actor.user_id()) == flow.user_id
            && Some(actor.session_id) == flow.session_id
    });
    let actor = same.ok_or(SsoOutcome::WrongPerson)?;
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

async fn issuer(
    services: &Services,
    flow: &OauthFlow,
    profile: &Resolved,
    kid: Option<&str>,
) -> Result<Issuer, SsoOutcome> {
    services
        .issuers
        .find(services, flow.tenant_id, &profile.directory_id, kid)
        .await
        .map_err(|error| {
            tracing::warn!(%error, "the issuer is not known");
            match error {
                IssuerError::Unavailable => SsoOutcome::ProviderDown,
                IssuerError::UnknownDirectory => SsoOutcome::ClientRefused,
                IssuerError::Foreign => SsoOutcome::TokenInvalid,
            }
        })
}

async fn believe(
    services: &Services,
    flow: &OauthFlow,
    profile: &Resolved,
    id_token: &SecretString,
) -> Result<Account, SsoOutcome> {
    let text = id_token.expose_secret();
    let kid = token::key_id(text).map_err(disbelief)?;
    let issuer = issuer(services, flow, profile, Some(&kid)).await?;
    let nonce_hash = flow.nonce_hash.as_deref().ok_or(SsoOutcome::Internal)?;
    let expected = Expected {
        client_id: &profile.client_id,
        issuer: &issuer.issuer,
        directory_id: issuer.directory_id,
        nonce_hash,
        now: services.now(),
    };
    token::verify(text, &issuer.keys, &expected).map_err(disbelief)
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

/// Decides and does it, in one transaction.
async fn apply(
    services: &Services,
    flow: &OauthFlow,
    caller: Option<&Actor>,
    account: &Account,
) -> Result<End, SsoOutcome> {
    let tenant_id = flow.tenant_id;
    let (directory_id, object_id) = (
        account.directory_id.to_string(),
        account.object_id.to_string(),
    );
    let mut unit = services.begin(tenant_id).await.map_err(fault)?;
    let identity = unit
        .find_identity(tenant_id, &directory_id, &object_id)
        .await
        .map_err(stored)?;
    let request = unit
        .find_request_of_account(tenant_id, &directory_id, &object_id)
        .await
        .map_err(stored)?;
    let person = match (caller, &identity) {
        (Some(actor), _) => Some(actor.user.clone()),
        (None, Some(identity)) => unit
            .find_user(tenant_id, identity.user_id)
            .await
            .map_err(stored)?,
        (None, None) => None,
    };
    let (candidate, suggested) = candidate(unit.as_mut(), tenant_id, account)
        .await
        .map_err(stored)?;
    let facts = Facts {
        intent: if caller.is_some() {
            Intent::Link
        } else {
            Intent::SignIn
        },
        owner: match (&identity, caller) {
            (None, _) => Owner::Nobody,
            (Some(row), Some(actor)) if row.user_id == actor.user_id() => Owner::Caller,
            (Some(_), _) => Owner::Somebody,
        },
        standing: person.as_ref().map_or(Standing::Inactive, standing),
        asked: match request.as_ref().map(|request| request.state) {
            None => Asked::Never,
            Some(RequestState::Pending) => Asked::Pending,
            Some(RequestState::Declined) => Asked::Declined,
        },
        address: account.address,
        candidate,
    };
    let now = services.now();
    let subject = format!("microsoft_account:{directory_id}/{object_id}");
    match (decide::decide(facts), identity, caller) {
        (Decision::SignIn, Some(identity), _) => {
            unit.touch_identity(tenant_id, identity.identity_id, now)
                .await
                .map_err(stored)?;
            unit.save().await.map_err(stored)?;
            Ok(End::SignedIn {
                tenant_id,
                user_id: identity.user_id,
                return_to: flow.return_to.clone().unwrap_or_else(|| HOME.to_owned()),
            })
        }
        (Decision::Link, None, Some(actor)) => {
            let row = Identity {
                tenant_id,
                identity_id: services.new_id().into(),
                user_id: actor.user_id(),
                directory_id,
                object_id,
                account_name: account.name.clone(),
                proof: Proof::SignedIn,
                linked_by: actor.user_id(),
                linked_at: now,
                last_used_at: None,
            };
            match unit.add_identity(&row).await {
                Ok(()) => {}
                // Two round trips with the same account ended at the same moment; the other one was first.
                Err(StorageError::Duplicate(_)) => return Err(SsoOutcome::ConnectedElsewhere),
                Err(error) => return Err(stored(error)),
            }
            // Whatever an administrator said about the account: its owner has proved both ends now.
            if let Some(request) = request {
                unit.remove_identity_request(tenant_id, request.request_id)
                    .await
                    .map_err(stored)?;
            }
            let detail = serde_json::json!({
                "user": actor.user_id().to_string(), "account": account.name, "proof": Proof::SignedIn.as_str(),
            });
            unit.add_audit(&actor.audit(services, "sign_in.connected", subject, detail))
                .await
                .map_err(stored)?;
            unit.save().await.map_err(stored)?;
            Ok(End::Page(SsoOutcome::Connected))
        }
        (Decision::Ask { suggest }, _, _) => {
            let row = IdentityRequest {
                tenant_id,
                request_id: services.new_id().into(),
                directory_id,
                object_id,
                account_name: account.name.clone(),
                account_verified: account.address == Address::Verified,
                suggested_user_id: suggested.filter(|_| suggest),
                state: RequestState::Pending,
                requested_at: now,
                decided_by: None,
                decided_at: None,
            };
            if unit.add_identity_request(&row).await.map_err(stored)? {
                let detail = serde_json::json!({
                    "account": account.name,
                    "verified": row.account_verified,
                    "suggested": row.suggested_user_id.map(|id| id.to_string()),
                });
                unit.add_audit(&audit::row(
                    services,
                    tenant_id,
                    None,
                    "sign_in.requested",
                    subject,
                    detail,
                ))
                .await
                .map_err(stored)?;
            }
            unit.save().await.map_err(stored)?;
            Err(SsoOutcome::RequestPending)
        }
        (Decision::Keep, _, _) => Ok(End::Page(SsoOutcome::AlreadyConnected)),
        (Decision::Elsewhere, _, _) => Err(SsoOutcome::ConnectedElsewhere),
        (Decision::Wait, _, _) => Err(SsoOutcome::RequestPending),
        (Decision::Declined, _, _) => Err(SsoOutcome::RequestDeclined),
        (Decision::Barred | Decision::SignIn | Decision::Link, _, _) => Err(SsoOutcome::NotAllowed),
    }
}

fn standing(user: &User) -> Standing {
    match (user.user_type, user.is_active) {
        (UserType::Client, _) => Standing::ClientPortal,
        (UserType::Internal, false) => Standing::Inactive,
        (UserType::Internal, true) => Standing::Staff,
    }
}

/// Who of the tenant has the account's address: only for a suggestion, and only when Microsoft vouches for the address.
async fn candidate(
    unit: &mut dyn UnitOfWork,
    tenant_id: TenantId,
    account: &Account,
) -> Result<(Candidate, Option<UserId>), StorageError> {
    let (Address::Verified, Some(email)) = (account.address, &account.email) else {
        return Ok((Candidate::None, None));
    };
    let found = unit.find_login(&normalise_email(email)).await?;
    // The address may be known to other tenants too; they are not asked.
    let Some(login) = found.iter().find(|login| login.tenant_id == tenant_id) else {
        return Ok((Candidate::None, None));
    };
    let user = unit.find_user(tenant_id, login.user_id).await?;
    if user.as_ref().map(standing) != Some(Standing::Staff) {
        return Ok((Candidate::Barred, None));
    }
    let linked = unit.list_identities_of(tenant_id, login.user_id).await?;
    Ok(if linked.is_empty() {
        (Candidate::Free, Some(login.user_id))
    } else {
        (Candidate::Linked, None)
    })
}

/// The failure is logged already.
fn fault(_: AppError) -> SsoOutcome {
    SsoOutcome::Internal
}

fn stored(error: StorageError) -> SsoOutcome {
    fault(internal(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_once_or_not_at_all() {
        assert!(parameters("state=s&code=c").is_some());
        assert!(parameters("state=s&error=access_denied&error_description=x").is_some());
        for wrong in [
            "",
            "state=s",
            "code=c",
            "state=&code=c",
            "state=s&code=",
            "state=s&state=t&code=c",
            "state=s&code=c&code=d",
            "state=s&code=c&error=e",
            "state=s&code=c&iss=a&iss=b",
            "state[]=s&code=c",
            "State=s&Code=c",
        ] {
            assert!(parameters(wrong).is_none(), "{wrong}");
        }
    }

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
