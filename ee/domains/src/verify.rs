//! Keeping what a look-up found. DNS is asked outside any transaction; what it said is then kept only if the claim and the
//! text to find are still the ones that were asked for.

use chrono::TimeDelta;
use daybind_domain::ids::TenantId;
use daybind_domain::login_domain::ClaimStatus;
use daybind_services::{Actor, AppResult, audit, internal};
use daybind_storage::{DomainChallenge, LoginDomain, Scope, StorageError, UnitOfWork};

use crate::dns::Seen;
use crate::rules::{Outcome, after, holder_that_stands, next_check, other_holders};
use crate::{Claims, changed};

/// Look-ups one server does in one go.
const AT_ONCE: i64 = 20;
/// How long a taken look-up may last before another server may take it.
const TAKEN_FOR: TimeDelta = TimeDelta::minutes(2);

impl Claims {
    /// Looks for one challenge and keeps the outcome. `actor` is `None` for the server's own round.
    pub(crate) async fn look(
        &self,
        asked: &DomainChallenge,
        actor: Option<&Actor>,
    ) -> AppResult<()> {
        let seen = self.dns.txt(&asked.host).await;
        let outcome = Outcome::of(&seen, &asked.value);
        let texts = match seen {
            Seen::Records(texts) => texts,
            Seen::Unreachable => Vec::new(),
        };
        if outcome == Outcome::Found {
            self.retire_fallen_holders(asked, &texts).await?;
        }
        let mut unit = self.services.begin(asked.tenant_id).await?;
        let current = self.current(unit.as_mut(), asked).await?;
        let Some((row, challenge)) = current else {
            // Renewed, revoked or removed meanwhile: what was seen answers a question nobody asks any more.
            return Ok(());
        };
        unit.lock_domain(&row.domain).await.map_err(internal)?;
        let rows = unit.claims_on_domain(&row.domain).await.map_err(internal)?;
        let outcome = if outcome == Outcome::Found
            && row.status == ClaimStatus::Pending
            && other_holders(&rows, &row).next().is_some()
        {
            Outcome::Taken
        } else {
            outcome
        };
        let now = self.services.now();
        let status = after(row.status, outcome, &challenge, now);
        if let Some(status) = status {
            let verified = status == ClaimStatus::Verified;
            let next = LoginDomain {
                status,
                status_changed_at: now,
                status_changed_by: actor.map(Actor::user_id),
                verified_at: verified.then_some(now),
                ..row.clone()
            };
            unit.update_login_domain(&next).await.map_err(changed)?;
            let detail = serde_json::json!({
                "before": row.status.as_str(), "after": status.as_str(), "dns": outcome.as_str(),
            });
            self.note(unit.as_mut(), actor, &row, detail).await?;
        }
        let stands = status.unwrap_or(row.status);
        let found = outcome == Outcome::Found;
        let kept = DomainChallenge {
            checked_at: Some(now),
            outcome: Some(outcome.as_str().to_owned()),
            seen: texts,
            missing_since: match (stands, outcome) {
                (_, Outcome::Unreachable) => challenge.missing_since,
                (ClaimStatus::Verified, _) if !found => challenge.missing_since.or(Some(now)),
                _ => None,
            },
            next_check_at: next_check(stands, challenge.created_at, now),
            ..challenge
        };
        unit.save_challenge(&kept).await.map_err(internal)?;
        unit.save().await.map_err(internal)
    }

    /// The claim and its challenge, if they are still what was asked for.
    async fn current(
        &self,
        unit: &mut dyn UnitOfWork,
        asked: &DomainChallenge,
    ) -> AppResult<Option<(LoginDomain, DomainChallenge)>> {
        let (tenant_id, domain_id) = (asked.tenant_id, asked.domain_id);
        let row = unit
            .find_login_domain(tenant_id, domain_id)
            .await
            .map_err(internal)?;
        let challenge = unit
            .find_challenge(tenant_id, domain_id)
            .await
            .map_err(internal)?;
        Ok(row.zip(challenge).filter(|(row, challenge)| {
            challenge.value == asked.value
                && matches!(row.status, ClaimStatus::Pending | ClaimStatus::Verified)
        }))
    }

    /// Takes the domain from those whose own record is gone from the very name where ours was just seen.
    async fn retire_fallen_holders(
        &self,
        asked: &DomainChallenge,
        texts: &[String],
    ) -> AppResult<()> {
        let mut unit = self.services.read(asked.tenant_id).await?;
        let Some(own) = unit
            .find_login_domain(asked.tenant_id, asked.domain_id)
            .await
            .map_err(internal)?
        else {
            return Ok(());
        };
        let rows = unit.claims_on_domain(&own.domain).await.map_err(internal)?;
        drop(unit);
        if own.status != ClaimStatus::Pending {
            return Ok(());
        }
        for holder in other_holders(&rows, &own) {
            self.retire(holder, texts).await?;
        }
        Ok(())
    }

    async fn retire(&self, holder: &LoginDomain, texts: &[String]) -> AppResult<()> {
        let tenant_id: TenantId = holder.tenant_id;
        let mut unit = self.services.begin(tenant_id).await?;
        unit.lock_domain(&holder.domain).await.map_err(internal)?;
        let challenge = unit
            .find_challenge(tenant_id, holder.domain_id)
            .await
            .map_err(internal)?;
        if holder_that_stands(challenge.as_ref(), texts) {
            return Ok(());
        }
        let next = LoginDomain {
            status: ClaimStatus::Revoked,
            status_changed_at: self.services.now(),
            status_changed_by: None,
            verified_at: None,
            ..holder.clone()
        };
        match unit.update_login_domain(&next).await {
            Ok(()) => {}
            // Somebody was faster; what they did is looked at again under the lock.
            Err(StorageError::Stale | StorageError::NotFound) => return Ok(()),
            Err(error) => return Err(internal(error)),
        }
        unit.remove_challenge(tenant_id, holder.domain_id)
            .await
            .map_err(internal)?;
        let detail = serde_json::json!({
            "before": holder.status.as_str(), "after": next.status.as_str(),
            "dns": "lost",
        });
        self.note(unit.as_mut(), None, holder, detail).await?;
        unit.save().await.map_err(internal)
    }

    async fn note(
        &self,
        unit: &mut dyn UnitOfWork,
        actor: Option<&Actor>,
        row: &LoginDomain,
        detail: serde_json::Value,
    ) -> AppResult<()> {
        let subject = format!("login_domain:{}", row.domain);
        let action = "login_domain.checked";
        let line = match actor {
            Some(actor) => actor.audit(&self.services, action, subject, detail),
            None => audit::row(&self.services, row.tenant_id, None, action, subject, detail),
        };
        unit.add_audit(&line).await.map_err(internal)
    }

    /// The server's own round.
    pub(crate) async fn look_at_due(&self) -> AppResult<usize> {
        let now = self.services.now();
        let mut unit = self
            .services
            .store
            .begin(Scope::System)
            .await
            .map_err(internal)?;
        let due = unit
            .take_due_challenges(now, now + TAKEN_FOR, AT_ONCE)
            .await
            .map_err(internal)?;
        unit.save().await.map_err(internal)?;
        for challenge in &due {
            // One that fails is logged, and due again when its time is over; the others go on.
            let _ = self.look(challenge, None).await;
        }
        Ok(due.len())
    }
}
