//! Which MSP a work email belongs to, before anybody is signed in.
//!
//! The answer must not tell strangers who is a customer: a known and an unknown address take the same statements and
//! the same least time, and the caller words both alike.
//!
//! - Enterprise: only a verified domain leads anywhere. What others merely listed, asked for or gave up changes nothing.
//! - Community: listing is enough (advisory). Where several MSPs list one domain, a verified row wins (an installation may
//!   have been Enterprise), then the MSP that has this very person, then the one that listed it first. So nobody can
//!   take another MSP's people away by listing their domain.

use std::time::Duration;

use daybind_domain::ids::{ProfileId, TenantId};
use daybind_domain::login_domain::ClaimStatus;
use daybind_domain::user::normalise_email;
use daybind_domain::{Consumer, Edition};
use daybind_storage::{LoginCandidate, LoginDomain, Scope, UnitOfWork};
use uuid::Uuid;

use crate::context::Services;
use crate::domain_name;
use crate::failure::{AppResult, internal};
use crate::profiles::missing;

/// The least time an answer takes. Longer than the statements need on a healthy database.
pub const LEAST_TIME: Duration = Duration::from_millis(150);

/// What is known about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Discovery {
    /// The MSP whose sign-in this address uses; `None` when no domain leads to one.
    pub tenant_id: Option<TenantId>,
    /// Its MSP SSO is bound to a profile that is ready. `false` without an MSP.
    pub microsoft_ready: bool,
}

/// Why an address leads where it leads; for the administrators' tester.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The address has no domain.
    Malformed,
    /// No usable row lists the domain.
    NoDomain,
    /// The only row that counts.
    Only,
    /// The domain is verified.
    Verified,
    /// Several list it; this MSP has the person.
    HasPerson,
    /// Several list it and none or several have the person; this one was first.
    First,
}

/// Finds the MSP of an address.
///
/// # Errors
/// An internal error when the database does not answer.
pub async fn discover(services: &Services, email: &str) -> AppResult<Discovery> {
    let begun = tokio::time::Instant::now();
    let answer = look_up(services, email).await;
    // Also after a failure: its time must not tell where it failed.
    tokio::time::sleep_until(begun + LEAST_TIME).await;
    answer
}

async fn look_up(services: &Services, email: &str) -> AppResult<Discovery> {
    // An address without a domain asks for one that cannot exist, so that it costs the same.
    let domain = domain_name::of_email(email).unwrap_or_else(|| ".".to_owned());
    let mut unit = services.store.read(Scope::System).await.map_err(internal)?;
    let rows = unit.claims_on_domain(&domain).await.map_err(internal)?;
    let people = unit
        .find_login(&normalise_email(email))
        .await
        .map_err(internal)?;
    drop(unit);
    let tenant_id = choose(services.edition, &rows, &people).0;
    // No tenant has the nil id: the same statements run and find nothing.
    let asked = tenant_id.unwrap_or(TenantId(Uuid::nil()));
    let mut unit = services.read(asked).await?;
    let microsoft_ready = msp_sso_ready(unit.as_mut(), asked).await?;
    Ok(Discovery {
        tenant_id,
        microsoft_ready: microsoft_ready && tenant_id.is_some(),
    })
}

/// The rule, without the database: `rows` oldest first.
#[must_use]
pub fn choose(
    edition: Edition,
    rows: &[LoginDomain],
    people: &[LoginCandidate],
) -> (Option<TenantId>, Reason) {
    let verified = rows
        .iter()
        .filter(|row| row.status == ClaimStatus::Verified)
        .min_by_key(|row| (row.verified_at, row.created_at, row.tenant_id));
    if let Some(row) = verified {
        return (Some(row.tenant_id), Reason::Verified);
    }
    if edition == Edition::Enterprise {
        return (None, Reason::NoDomain);
    }
    let live: Vec<&LoginDomain> = rows.iter().filter(|row| row.status.is_live()).collect();
    match live.as_slice() {
        [] => (None, Reason::NoDomain),
        [row] => (Some(row.tenant_id), Reason::Only),
        [first, ..] => {
            let has = |row: &&&LoginDomain| {
                people
                    .iter()
                    .any(|person| person.is_active && person.tenant_id == row.tenant_id)
            };
            let mut with_person = live.iter().filter(has);
            match (with_person.next(), with_person.next()) {
                (Some(row), None) => (Some(row.tenant_id), Reason::HasPerson),
                (Some(row), Some(_)) => (Some(row.tenant_id), Reason::First),
                (None, _) => (Some(first.tenant_id), Reason::First),
            }
        }
    }
}

/// Whether MSP SSO is bound to a profile that is ready, by the same two look-ups whatever they find: the answer's time
/// must not tell an unknown tenant from one without a binding. Needs no signed-in person; opens no secret.
///
/// # Errors
/// An internal error when the database does not answer.
pub async fn msp_sso_ready(unit: &mut dyn UnitOfWork, tenant_id: TenantId) -> AppResult<bool> {
    let binding = unit
        .find_binding(tenant_id, Consumer::MspSso)
        .await
        .map_err(internal)?;
    let profile_id = binding.map_or(ProfileId(Uuid::nil()), |binding| binding.profile_id);
    let profile = unit
        .find_profile(tenant_id, profile_id)
        .await
        .map_err(internal)?;
    Ok(profile.is_some_and(|profile| missing(&profile).is_empty()))
}
