//! Asking Microsoft whether a profile works: directory, application and secret, and each consumer's sign-in. What was not
//! proven is never called proven: a result belongs to the ids and the secret it was got with, and says nothing about
//! others.

use daybind_words::t;

pub mod entra;
pub mod explain;
pub mod sign_in;

use chrono::{DateTime, Utc};
use daybind_domain::profile::ProfileFields;
use daybind_domain::user::Permission;
use daybind_domain::{AppError, Cloud};
use daybind_storage::{Profile, ProfileCheck, UnitOfWork};
use secrecy::SecretString;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::auth::Actor;
use crate::context::Services;
use crate::failure::{AppResult, internal};
use crate::profiles;

use entra::{Failure, Refusal};
use explain::{Explanation, explain};

/// Name of the check that the directory exists.
pub const TENANT: &str = "tenant";
/// Name of the check that Microsoft accepts application and secret.
pub const CREDENTIALS: &str = "credentials";

/// What Microsoft says about a secret that is not in use yet.
#[derive(Debug, Clone)]
pub enum Proof {
    /// It is this application's secret.
    Accepted,
    /// It is not, or the application is not there.
    Refused(Explanation),
    /// No usable answer.
    Unknown,
}

/// Asks Microsoft about a secret.
pub async fn prove_secret(
    services: &Services,
    fields: &ProfileFields,
    secret: &SecretString,
) -> Proof {
    match entra::client_credentials(services, fields, secret).await {
        Ok(()) => Proof::Accepted,
        Err(Failure::Refused(refusal)) => {
            tracing::info!(
                error = refusal.error,
                number = refusal.number,
                "a new client secret was refused"
            );
            Proof::Refused(explain(&refusal.error, refusal.number))
        }
        Err(Failure::Unreachable) => Proof::Unknown,
    }
}

/// Names what a result is about: ids, and which secret (by when it was entered). No secret goes in.
#[must_use]
pub fn about(profile: &Profile) -> String {
    let entered = profile
        .secret
        .added_at
        .map_or(0, |at| at.timestamp_micros());
    // Results from before there were clouds are about the global one.
    let cloud = match profile.fields.cloud {
        Cloud::Global => "",
        other => other.as_str(),
    };
    let text = format!(
        "{}|{}|{entered}|{}{cloud}",
        profile.fields.client_id,
        profile.fields.directory_id,
        profile.client_secret_sealed.is_some()
    );
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Runs the checks that need no person: the directory, then application and secret. The secret's expiry is a date and
/// needs no run.
///
/// # Errors
/// Forbidden; not found; the profile has no secret.
pub async fn run(services: &Services, actor: &Actor, profile_id: &str) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let profile_id = profiles::parse_id(profile_id)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let profile = profiles::find(unit.as_mut(), actor.tenant_id, profile_id).await?;
    drop(unit);
    let directory = entra::metadata(services, profile.fields.cloud, &profile.fields.directory_id)
        .await
        .map(Some);
    let mut results = vec![(TENANT, directory)];
    if profile.client_secret_sealed.is_some() {
        let secret = profiles::active_secret(services, &profile)?;
        let accepted = entra::client_credentials(services, &profile.fields, &secret).await;
        results.push((CREDENTIALS, accepted.map(|()| None)));
    }
    let mut unit = services.begin(actor.tenant_id).await?;
    let earlier = unit.list_checks(actor.tenant_id).await.map_err(internal)?;
    let mut outcomes = serde_json::Map::new();
    for (name, result) in results {
        let check = result_of(services, actor, &profile, name, result);
        outcomes.insert(name.to_owned(), json!(check.outcome));
        unit.put_check(&keep_known(check, &earlier))
            .await
            .map_err(internal)?;
    }
    let detail = json!({ "display_name": profile.fields.display_name, "results": outcomes });
    let row = actor.audit(
        services,
        "profile.verified",
        profiles::subject(profile_id),
        detail,
    );
    unit.add_audit(&row).await.map_err(internal)?;
    unit.save().await.map_err(internal)
}

/// Verifies every active profile of the tenant, one after the other.
///
/// # Errors
/// Forbidden.
pub async fn run_all(services: &Services, actor: &Actor) -> AppResult<()> {
    actor.require(Permission::SettingsUpdate)?;
    let mut unit = services.read(actor.tenant_id).await?;
    let all = unit
        .list_profiles(actor.tenant_id)
        .await
        .map_err(internal)?;
    drop(unit);
    for profile in all.iter().filter(|profile| profile.archived_at.is_none()) {
        run(services, actor, &profile.profile_id.to_string()).await?;
    }
    Ok(())
}

fn result_of(
    services: &Services,
    actor: &Actor,
    profile: &Profile,
    name: &str,
    result: Result<Option<String>, Failure>,
) -> ProfileCheck {
    let (outcome, refusal, detail) = match result {
        Ok(detail) => ("passed", Refusal::default(), detail),
        Err(Failure::Refused(mut refusal)) => {
            let detail = refusal.detail.take();
            ("failed", refusal, detail)
        }
        Err(Failure::Unreachable) => ("unavailable", Refusal::default(), None),
    };
    ProfileCheck {
        tenant_id: profile.tenant_id,
        profile_id: profile.profile_id,
        name: name.to_owned(),
        outcome: outcome.to_owned(),
        subject: about(profile),
        error: Some(refusal.error).filter(|error| !error.is_empty()),
        number: refusal.number,
        trace_id: refusal.trace_id,
        correlation_id: refusal.correlation_id,
        detail,
        checked_by: actor.user_id(),
        checked_at: services.now(),
    }
}

/// What was tried after a result and brought no new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Later {
    /// Microsoft could not be reached.
    NotRenewed,
    /// A test sign-in was begun.
    Begun,
}

impl Later {
    fn mark(self) -> &'static str {
        match self {
            Self::NotRenewed => "not_renewed:",
            Self::Begun => "begun:",
        }
    }
}

/// A result's detail: what was tried later, and when; and what the result itself has to say.
pub(crate) fn detail(check: &ProfileCheck) -> (Option<(Later, DateTime<Utc>)>, Option<&str>) {
    let text = check.detail.as_deref().unwrap_or_default();
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let later = [Later::NotRenewed, Later::Begun]
        .into_iter()
        .find_map(|later| {
            let micros = first.strip_prefix(later.mark())?.parse().ok()?;
            Some((later, DateTime::from_timestamp_micros(micros)?))
        });
    let own = if later.is_some() { rest } else { text };
    (later, Some(own).filter(|own| !own.is_empty()))
}

/// When Microsoft cannot be reached, and while a test sign-in is under way, the last known result stays, with the time
/// of the attempt.
fn keep_known(check: ProfileCheck, earlier: &[ProfileCheck]) -> ProfileCheck {
    let later = match check.outcome.as_str() {
        "unavailable" => Later::NotRenewed,
        "waiting" => Later::Begun,
        _ => return check,
    };
    let known = earlier.iter().find(|known| {
        known.profile_id == check.profile_id
            && known.name == check.name
            && known.subject == check.subject
            && !matches!(known.outcome.as_str(), "unavailable" | "waiting")
    });
    let Some(known) = known else {
        return check;
    };
    let mark = format!("{}{}", later.mark(), check.checked_at.timestamp_micros());
    ProfileCheck {
        detail: Some(match detail(known).1 {
            Some(own) => format!("{mark}\n{own}"),
            None => mark,
        }),
        ..known.clone()
    }
}

/// A secret that was proven before the switch is proven after it.
pub(crate) async fn carry_over(
    services: &Services,
    actor: &Actor,
    unit: &mut dyn UnitOfWork,
    profile: &Profile,
    verified_at: Option<DateTime<Utc>>,
) -> AppResult<()> {
    let Some(at) = verified_at else {
        return Ok(());
    };
    let mut check = result_of(services, actor, profile, CREDENTIALS, Ok(None));
    check.checked_at = at;
    unit.put_check(&check).await.map_err(internal)?;
    // The directory has not changed with the secret, so what was known about it stays known.
    let directory = unit
        .list_checks(profile.tenant_id)
        .await
        .map_err(internal)?
        .into_iter()
        .find(|known| known.profile_id == profile.profile_id && known.name == TENANT);
    if let Some(known) = directory {
        let renewed = ProfileCheck {
            subject: about(profile),
            ..known
        };
        unit.put_check(&renewed).await.map_err(internal)?;
    }
    Ok(())
}

/// What an administrator who saw an error page of Microsoft's should do; the number as typed, with or without "AADSTS".
///
/// # Errors
/// A field error when there is no number in it.
pub fn look_up(typed: &str) -> AppResult<(i64, Explanation)> {
    let digits: String = typed
        .chars()
        .filter(char::is_ascii_digit)
        .take(12)
        .collect();
    let number = digits.parse().map_err(|_| {
        AppError::field(
            "number",
            t!("Enter the number from Microsoft's error page, for example AADSTS50011."),
        )
    })?;
    Ok((number, explain("", Some(number))))
}
