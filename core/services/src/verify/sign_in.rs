//! A test sign-in: a real round trip to one consumer's redirect URI with one profile, bound or not.
//!
//! It is the only check that proves redirect URI and consent. Nothing is kept of it but how it ended: tokens are dropped,
//! nobody is signed in, no account is added, no calendar is connected. What a returning browser may do is said by the row
//! its `state` names, so a test can never end as a sign-in, nor a sign-in as a test.

use daybind_domain::ids::ProfileId;
use daybind_domain::sso::SsoOutcome;
use daybind_domain::user::Permission;
use daybind_domain::{AppError, Cloud, Consumer, ErrorCode};
use daybind_storage::{OauthFlow, Profile, ProfileCheck};
use daybind_words::t;
use serde_json::json;

use super::entra::{self, Failure, Refusal, Tokens, code};
use super::explain::{id_in, number_in};
use super::{keep_known, result_of};
use crate::auth::Actor;
use crate::bindings;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::flow::{self, Returned, Start, hash};
use crate::guide::ConsumerGuide;
use crate::profiles;
use crate::sso::believe::{Disbelief, Sought, believe};
use crate::sso::issuer::IssuerError;
use crate::sso::token::TokenFault;

/// Flows of test sign-ins have this and the consumer's stored name as their purpose.
const PURPOSE: &str = "test_sign_in.";

/// The name of the check.
#[must_use]
pub fn check_name(consumer: Consumer) -> String {
    format!("sign_in.{}", consumer.as_str())
}

/// The consumer a flow tests; `None` for every other flow.
#[must_use]
pub fn tested(flow: &OauthFlow) -> Option<Consumer> {
    Consumer::parse(flow.purpose.strip_prefix(PURPOSE)?)
}

/// Begins a test sign-in and returns Microsoft's address to send the browser to.
///
/// # Errors
/// Forbidden; not found; a consumer that this edition does not have or that cannot be tested; an archived profile or one
/// without a secret.
pub async fn begin(
    services: &Services,
    actor: &Actor,
    profile_id: &str,
    consumer: &str,
) -> AppResult<String> {
    actor.require(Permission::SettingsUpdate)?;
    let guide = guide(services, consumer)?;
    let profile_id = profiles::parse_id(profile_id)?;
    let mut unit = services.begin(actor.tenant_id).await?;
    let profile = profiles::find(unit.as_mut(), actor.tenant_id, profile_id).await?;
    if profile.archived_at.is_some() {
        return Err(AppError::new(
            ErrorCode::Conflict,
            t!("{} is archived.", profile.fields.display_name),
        )
        .next_step(t!("Restore the profile, then test it.")));
    }
    profiles::active_secret(services, &profile)?;
    let authorize = entra::address(
        services,
        profile.fields.cloud,
        &profile.fields.directory_id,
        "oauth2/v2.0/authorize",
    )
    .ok_or_else(|| {
        AppError::field("directory_id", t!("This is not a Directory (tenant) ID."))
            .next_step(t!("Correct the profile, then test it."))
    })?;
    let path = guide.redirect_paths.first().copied().unwrap_or_default();
    // The session is the browser's mark.
    let mut started = flow::start(
        services,
        Start {
            tenant_id: actor.tenant_id,
            purpose: &format!("{PURPOSE}{}", guide.consumer.as_str()),
            provider: "microsoft",
            profile_id: Some(profile_id),
            version: profile.version,
            actor: Some(actor),
            redirect_uri: services.absolute(path),
        },
    )?;
    let nonce = asks(guide, "openid").then(flow::random);
    started.row.nonce_hash = nonce.as_deref().map(hash);
    unit.add_flow(&started.row).await.map_err(internal)?;
    let check = ProfileCheck {
        outcome: "waiting".to_owned(),
        ..result_of(
            services,
            actor,
            &profile,
            &check_name(guide.consumer),
            Ok(None),
        )
    };
    let earlier = unit.list_checks(actor.tenant_id).await.map_err(internal)?;
    unit.put_check(&keep_known(check, &earlier))
        .await
        .map_err(internal)?;
    let audit = actor.audit(
        services,
        "profile.sign_in_test_begun",
        profiles::subject(profile_id),
        json!({ "display_name": profile.fields.display_name, "consumer": guide.consumer.as_str() }),
    );
    unit.add_audit(&audit).await.map_err(internal)?;
    unit.save().await.map_err(internal)?;
    let scope = scopes(guide).collect::<Vec<_>>().join(" ");
    let mut url = started.address(&authorize, &profile.fields.client_id, &scope)?;
    url.query_pairs_mut()
        .append_pair("response_mode", "query")
        .append_pair("prompt", "select_account");
    if let Some(nonce) = &nonce {
        url.query_pairs_mut().append_pair("nonce", nonce);
    }
    Ok(url.into())
}

/// The guide of a consumer that can be tested.
fn guide(services: &Services, consumer: &str) -> AppResult<&'static ConsumerGuide> {
    let consumer = bindings::visible(services, consumer)?;
    let guide = services
        .guide(consumer)
        .ok_or_else(|| AppError::field("consumer", t!("This is not a Microsoft consumer.")))?;
    match guide.untested {
        None => Ok(guide),
        Some(why) => Err(AppError::new(ErrorCode::NotReady, why())),
    }
}

fn scopes(guide: &ConsumerGuide) -> impl Iterator<Item = &'static str> {
    guide.scopes.iter().map(|scope| scope.name)
}

fn asks(guide: &ConsumerGuide, scope: &str) -> bool {
    scopes(guide).any(|name| name == scope)
}

/// A test sign-in that has come back.
#[derive(Debug)]
pub struct Trial {
    profile: Profile,
    consumer: Consumer,
}

impl Trial {
    /// Microsoft's cloud the tokens are from.
    #[must_use]
    pub const fn cloud(&self) -> Cloud {
        self.profile.fields.cloud
    }
}

/// Takes the answer of a test sign-in: `row` is its flow, already taken from the database. Only the person who began it,
/// in the session they began it in, may end it; everything else that goes wrong is a result to be recorded. The consumer
/// may try the access token once; then it is dropped.
///
/// # Errors
/// How the browser ends that may not end it: nothing is recorded.
pub async fn accept(
    services: &Services,
    actor: Option<&Actor>,
    given: &Returned,
    row: &OauthFlow,
) -> Result<(Trial, Result<Tokens, Failure>), SsoOutcome> {
    let actor = actor
        .filter(|actor| flow::is_same_person(row, actor))
        .ok_or(SsoOutcome::WrongPerson)?;
    actor
        .require(Permission::SettingsUpdate)
        .map_err(|_| SsoOutcome::NotAllowed)?;
    let consumer = tested(row).ok_or(SsoOutcome::AlreadyUsed)?;
    let guide = services
        .guide(consumer)
        .ok_or(SsoOutcome::SettingsChanged)?;
    let id = row.profile_id.ok_or(SsoOutcome::Internal)?;
    let mut unit = services.read(row.tenant_id).await.map_err(unavailable)?;
    let profile = unit
        .find_profile(row.tenant_id, id)
        .await
        .map_err(|error| unavailable(internal(error)))?
        .ok_or(SsoOutcome::SettingsChanged)?;
    drop(unit);
    let tokens = redeem(services, guide, &profile, given, row).await;
    if let Err(failure) = &tokens {
        tracing::info!(
            ?failure,
            consumer = consumer.as_str(),
            "a test sign-in did not work"
        );
    }
    Ok((Trial { profile, consumer }, tokens))
}

/// The failure is logged already.
fn unavailable(_: AppError) -> SsoOutcome {
    SsoOutcome::Internal
}

fn ours<T>(error: &str) -> Result<T, Failure> {
    Err(Failure::Refused(Refusal::ours(error)))
}

async fn redeem(
    services: &Services,
    guide: &ConsumerGuide,
    profile: &Profile,
    given: &Returned,
    row: &OauthFlow,
) -> Result<Tokens, Failure> {
    if row.expires_at <= services.now() {
        return ours("too_late");
    }
    if row.profile_version != Some(profile.version) || profile.archived_at.is_some() {
        return ours("profile_changed");
    }
    if let Some(named) = &given.issuer {
        let issuer = services
            .issuers
            .find(
                services,
                row.tenant_id,
                (profile.fields.cloud, &profile.fields.directory_id),
                None,
            )
            .await
            .map_err(no_issuer)?;
        if *named != issuer.issuer {
            return ours("wrong_issuer");
        }
    }
    if let Some(error) = &given.error {
        return Err(refused(error, &given.description));
    }
    let answer = given.code.as_deref().unwrap_or_default();
    let broken = |_| Failure::Refused(Refusal::ours("internal_error"));
    let verifier = flow::verifier(services, row).map_err(broken)?;
    let secret = profiles::active_secret(services, profile).map_err(broken)?;
    let tokens = entra::redeem(
        services,
        &profile.fields,
        &secret,
        answer,
        &row.redirect_uri,
        &verifier,
    )
    .await?;
    let missing = missing(guide, &tokens);
    if !missing.is_empty() {
        return Err(Failure::Refused(Refusal {
            detail: Some(missing.join(", ")),
            ..Refusal::ours("missing_scope")
        }));
    }
    if let (Some(nonce_hash), Some(id_token)) = (&row.nonce_hash, &tokens.id_token) {
        let sought = Sought {
            tenant_id: row.tenant_id,
            cloud: profile.fields.cloud,
            directory_id: &profile.fields.directory_id,
            client_id: &profile.fields.client_id,
            nonce_hash,
        };
        believe(services, sought, id_token)
            .await
            .map_err(|disbelief| match disbelief {
                Disbelief::Issuer(error) => no_issuer(error),
                Disbelief::Token(fault) => Failure::Refused(Refusal::ours(match fault {
                    TokenFault::PersonalAccount => "personal_account",
                    TokenFault::WrongDirectory => "other_directory",
                    _ => "token_invalid",
                })),
            })?;
    }
    Ok(tokens)
}

fn no_issuer(error: IssuerError) -> Failure {
    match error {
        IssuerError::Unavailable => Failure::Unreachable,
        IssuerError::UnknownDirectory => Failure::Refused(Refusal::ours("invalid_tenant")),
        IssuerError::Foreign => Failure::Refused(Refusal::ours("malformed_answer")),
    }
}

/// What Microsoft said instead of a code. The description gives numbers and ids; its text is not kept.
fn refused(error: &str, description: &str) -> Failure {
    if matches!(error, "temporarily_unavailable" | "server_error") {
        return Failure::Unreachable;
    }
    Failure::Refused(Refusal {
        error: code(error),
        number: number_in(description),
        trace_id: id_in(description, t!("Trace ID")),
        correlation_id: id_in(description, t!("Correlation ID")),
        detail: None,
    })
}

/// Permissions that were asked for and not granted. Microsoft writes scopes short or with its host in front, and shows
/// OpenID Connect's own by what they bring: an ID token, a refresh token.
fn missing(guide: &ConsumerGuide, tokens: &Tokens) -> Vec<&'static str> {
    let granted = tokens.scope.as_deref().unwrap_or_default();
    scopes(guide)
        .filter(|wanted| match *wanted {
            "openid" => tokens.id_token.is_none(),
            "offline_access" => tokens.refresh_token.is_none(),
            "profile" | "email" => false,
            _ => !granted.split(' ').any(|got| {
                got.rsplit('/')
                    .next()
                    .is_some_and(|got| got.eq_ignore_ascii_case(wanted))
            }),
        })
        .collect()
}

/// Records how a test ended; the address of the page that says so.
///
/// # Errors
/// Internal.
pub async fn record(
    services: &Services,
    actor: &Actor,
    trial: Trial,
    result: Result<Option<String>, Failure>,
) -> AppResult<String> {
    let Trial { profile, consumer } = trial;
    let check = result_of(services, actor, &profile, &check_name(consumer), result);
    let audit = actor.audit(
        services,
        "profile.sign_in_tested",
        profiles::subject(profile.profile_id),
        json!({
            "display_name": profile.fields.display_name,
            "consumer": consumer.as_str(),
            "result": check.outcome,
        }),
    );
    let mut unit = services.begin(actor.tenant_id).await?;
    unit.put_check(&check).await.map_err(internal)?;
    unit.add_audit(&audit).await.map_err(internal)?;
    unit.save().await.map_err(internal)?;
    Ok(page(profile.profile_id))
}

fn page(profile_id: ProfileId) -> String {
    format!(
        "/msp/settings?tab=integrations&category=providers&profile={profile_id}&panel=verify&saved=sign_in_tested"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guide::{MSP_SSO, ScopeReason};
    use secrecy::SecretString;

    fn tokens(scope: &str, id: bool, refresh: bool) -> Tokens {
        let text = |is: bool| is.then(|| SecretString::from("x".to_owned()));
        Tokens {
            access_token: SecretString::from("x".to_owned()),
            scope: Some(scope.to_owned()),
            id_token: text(id),
            refresh_token: text(refresh),
        }
    }

    #[test]
    fn permissions_are_read_as_microsoft_writes_them() {
        const WANTED: &[ScopeReason] = &[
            ScopeReason {
                name: "offline_access",
                reason: || "",
            },
            ScopeReason {
                name: "Files.Read",
                reason: || "",
            },
        ];
        let guide = ConsumerGuide {
            scopes: WANTED,
            ..MSP_SSO
        };
        let none: [&str; 0] = [];
        for scope in ["Files.Read", "x https://host.example/files.read y"] {
            assert_eq!(
                missing(&guide, &tokens(scope, false, true)),
                none,
                "{scope}"
            );
        }
        for scope in ["", "Files.ReadWrite", "Files.Read.All"] {
            let found = missing(&guide, &tokens(scope, true, false));
            assert_eq!(found, ["offline_access", "Files.Read"], "{scope}");
        }
        assert_eq!(missing(&MSP_SSO, &tokens("", true, false)), none);
        assert_eq!(
            missing(&MSP_SSO, &tokens("openid", false, false)),
            ["openid"]
        );
    }

    #[test]
    fn a_refusal_keeps_numbers_and_ids_and_no_text() {
        let Failure::Refused(refusal) = refused(
            "access_denied<b>",
            "AADSTS65004: no. Trace ID: 0f8fad5b-d9cb-469f-a165-70867728950e",
        ) else {
            panic!("a refusal");
        };
        assert_eq!(
            (refusal.error.as_str(), refusal.number),
            ("access_deniedb", Some(65_004))
        );
        assert!(refusal.trace_id.is_some());
        assert_eq!(refused("server_error", ""), Failure::Unreachable);
    }
}
