//! Proving login domains by DNS, the Enterprise half of MSP SSO's routing.
//!
//! [`Claims`] is the port the shared half calls. `dns` asks, `rules` decide, `verify` keeps the outcome.

use daybind_words::t;

daybind_words::catalogue!();

pub mod dns;
pub mod rules;
mod verify;

use std::sync::Arc;

use async_trait::async_trait;
use daybind_domain::ids::LoginDomainId;
use daybind_domain::login_domain::{
    ChallengeView, ClaimStatus, ClaimView, DomainClaimsView, LoginDomainView,
};
use daybind_domain::user::Permission;
use daybind_domain::{AppError, ErrorCode};
use daybind_services::limits::{self, Limit};
use daybind_services::login_domains::{new_row, people_in, room_for_more, views};
use daybind_services::{Actor, AppResult, DomainClaims, Services, internal, localtime};
use daybind_storage::{DomainChallenge, LoginDomain, StorageError, UnitOfWork};

use dns::Txt;

/// Look-ups one MSP may ask for.
const CHECKS: Limit = Limit {
    purpose: "login_domain.check",
    burst: 10,
    every_seconds: 6,
};

/// Claims on login domains, proved by DNS.
#[derive(Clone)]
pub struct Claims {
    services: Services,
    dns: Arc<dyn Txt>,
}

fn gone() -> AppError {
    AppError::not_found(t!("The login domain"))
}

fn changed(error: StorageError) -> AppError {
    daybind_services::failure::stored(t!("The login domain"), error)
}

impl Claims {
    /// With the resolver of the system or of `DAYBIND_DNS_SERVER`.
    ///
    /// # Errors
    /// When that variable is no address.
    pub fn from_env(
        services: Services,
        get: &dyn Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Self> {
        Ok(Self::new(services, Arc::new(dns::Dns::from_env(get)?)))
    }

    /// With a given resolver.
    #[must_use]
    pub fn new(services: Services, dns: Arc<dyn Txt>) -> Self {
        Self { services, dns }
    }

    async fn find(
        &self,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        domain_id: &str,
    ) -> AppResult<LoginDomain> {
        let domain_id: LoginDomainId = domain_id.parse().map_err(|_| gone())?;
        unit.find_login_domain(actor.tenant_id, domain_id)
            .await
            .map_err(internal)?
            .ok_or_else(gone)
    }

    fn challenge(&self, actor: &Actor, row: &LoginDomain) -> AppResult<DomainChallenge> {
        let host = rules::host(&row.domain);
        // RFC 1035 section 2.3.4: a name has at most 253 characters.
        if host.len() > 253 {
            return Err(AppError::field(
                "domain",
                t!("This name is too long to carry a record of its own."),
            ));
        }
        let now = self.services.now();
        Ok(DomainChallenge {
            tenant_id: actor.tenant_id,
            domain_id: row.domain_id,
            host,
            value: rules::new_value(),
            created_by: actor.user_id(),
            created_at: now,
            expires_at: now + rules::PENDING_FOR,
            checked_at: None,
            outcome: None,
            seen: Vec::new(),
            missing_since: None,
            next_check_at: rules::next_check(ClaimStatus::Pending, now, now),
        })
    }

    async fn record(
        &self,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        action: &str,
        row: &LoginDomain,
        detail: serde_json::Value,
    ) -> AppResult<()> {
        let subject = format!("login_domain:{}", row.domain);
        let audit = actor.audit(&self.services, action, subject, detail);
        unit.add_audit(&audit).await.map_err(internal)
    }
}

#[async_trait]
impl DomainClaims for Claims {
    async fn list(&self, actor: &Actor) -> AppResult<DomainClaimsView> {
        actor.require(Permission::SettingsRead)?;
        let mut unit = self.services.read(actor.tenant_id).await?;
        let rows = views(unit.as_mut(), actor).await?;
        let challenges = unit
            .list_challenges(actor.tenant_id)
            .await
            .map_err(internal)?;
        let claims = rows.into_iter().map(|(row, domain)| {
            let challenge = challenges
                .iter()
                .find(|challenge| challenge.domain_id == row.domain_id);
            claim_view(actor, domain, challenge)
        });
        Ok(DomainClaimsView {
            claims: claims.collect(),
            can_update: actor.may(Permission::SettingsUpdate),
        })
    }

    async fn request(&self, actor: &Actor, domain: &str) -> AppResult<()> {
        actor.require(Permission::SettingsUpdate)?;
        let row = new_row(&self.services, actor, domain, ClaimStatus::Pending)?;
        let mut unit = self.services.begin(actor.tenant_id).await?;
        let rows = unit
            .list_login_domains(actor.tenant_id)
            .await
            .map_err(internal)?;
        let known = rows.iter().find(|known| known.domain == row.domain);
        let row = match known {
            // Asking again must never lose a proof (W36), nor a value that is being published.
            Some(known) if matches!(known.status, ClaimStatus::Verified | ClaimStatus::Pending) => {
                return Ok(());
            }
            Some(known) => {
                let row = LoginDomain {
                    domain_id: known.domain_id,
                    version: known.version,
                    ..row
                };
                unit.update_login_domain(&row).await.map_err(changed)?;
                row
            }
            None => {
                room_for_more(&rows)?;
                unit.add_login_domain(&row).await.map_err(changed)?;
                row
            }
        };
        unit.save_challenge(&self.challenge(actor, &row)?)
            .await
            .map_err(internal)?;
        let detail = serde_json::json!({
            "before": known.map(|known| known.status.as_str()), "after": row.status.as_str(),
        });
        self.record(unit.as_mut(), actor, "login_domain.requested", &row, detail)
            .await?;
        unit.save().await.map_err(internal)
    }

    async fn renew(&self, actor: &Actor, domain_id: &str) -> AppResult<()> {
        actor.require(Permission::SettingsUpdate)?;
        let mut unit = self.services.begin(actor.tenant_id).await?;
        let row = self.find(unit.as_mut(), actor, domain_id).await?;
        if row.status != ClaimStatus::Pending {
            return Err(AppError::new(
                ErrorCode::Conflict,
                t!("{} is not waiting for proof.", row.domain),
            )
            .next_step(t!("Reload the page to see where it stands.")));
        }
        unit.save_challenge(&self.challenge(actor, &row)?)
            .await
            .map_err(internal)?;
        let detail = serde_json::json!({ "challenge": "changed" });
        self.record(unit.as_mut(), actor, "login_domain.renewed", &row, detail)
            .await?;
        unit.save().await.map_err(internal)
    }

    async fn check(&self, actor: &Actor, domain_id: &str) -> AppResult<()> {
        actor.require(Permission::SettingsUpdate)?;
        let mut unit = self.services.read(actor.tenant_id).await?;
        let row = self.find(unit.as_mut(), actor, domain_id).await?;
        let challenge = unit
            .find_challenge(actor.tenant_id, row.domain_id)
            .await
            .map_err(internal)?
            .ok_or_else(|| {
                AppError::new(
                    ErrorCode::Conflict,
                    t!("{} is not waiting for proof.", row.domain),
                )
                .next_step(t!("Ask for verification first."))
            })?;
        drop(unit);
        limits::count(&self.services, &[(CHECKS, actor.tenant_id.to_string())]).await?;
        self.look(&challenge, Some(actor)).await
    }

    async fn revoke(&self, actor: &Actor, domain_id: &str, confirmed: bool) -> AppResult<()> {
        actor.require(Permission::SettingsUpdate)?;
        let mut unit = self.services.begin(actor.tenant_id).await?;
        let row = self.find(unit.as_mut(), actor, domain_id).await?;
        if !row.status.is_live() {
            return Err(
                AppError::new(ErrorCode::Conflict, t!("{} is not in use.", row.domain))
                    .next_step(t!("Reload the page to see where it stands.")),
            );
        }
        let users = unit.list_users(actor.tenant_id).await.map_err(internal)?;
        let people = people_in(&users, &row.domain);
        if row.status == ClaimStatus::Verified && people > 0 && !confirmed {
            return Err(AppError::new(
                ErrorCode::Conflict,
                t!("{} through {}.", impact(people), row.domain),
            )
            .next_step(t!(
                "Confirm that they shall sign in with a password instead."
            )));
        }
        let after = LoginDomain {
            status: ClaimStatus::Revoked,
            status_changed_at: self.services.now(),
            status_changed_by: Some(actor.user_id()),
            verified_at: None,
            ..row.clone()
        };
        unit.update_login_domain(&after).await.map_err(changed)?;
        unit.remove_challenge(actor.tenant_id, row.domain_id)
            .await
            .map_err(internal)?;
        let detail = serde_json::json!({
            "before": row.status.as_str(), "after": after.status.as_str(), "people": people,
        });
        self.record(unit.as_mut(), actor, "login_domain.revoked", &row, detail)
            .await?;
        unit.save().await.map_err(internal)
    }

    async fn check_due(&self) -> AppResult<usize> {
        self.look_at_due().await
    }
}

/// "12 people sign in", for one as for many.
#[must_use]
pub fn impact(people: usize) -> String {
    match people {
        1 => t!("1 person signs in").to_owned(),
        many => t!("{many} people sign in"),
    }
}

fn claim_view(
    actor: &Actor,
    domain: LoginDomainView,
    challenge: Option<&DomainChallenge>,
) -> ClaimView {
    let zone = localtime::zone(&actor.user.time_zone);
    ClaimView {
        domain,
        challenge: challenge.map(|challenge| ChallengeView {
            host: challenge.host.clone(),
            value: challenge.value.clone(),
            expires: localtime::date_time(challenge.expires_at, zone),
            checked: challenge
                .checked_at
                .map(|at| localtime::date_time(at, zone))
                .unwrap_or_default(),
            outcome: rules::Outcome::sentence(challenge.outcome.as_deref().unwrap_or_default())
                .to_owned(),
            seen: challenge.seen.clone(),
        }),
    }
}
